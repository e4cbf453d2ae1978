//! Published traces: Azure's LLM inference trace and BurstGPT. Neither has ids, so that equal rows are
//! separate requests, and neither says anything about caches.

use crate::usage::collect::Collector;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Clock, Keep, Reason, Record, Skip, When, reason};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    AZURE_TIME = "TIMESTAMP",
    CONTEXT = "ContextTokens",
    GENERATED = "GeneratedTokens",
    BURST_TIME = "Timestamp",
    MODEL = "Model",
    REQUEST = "Request tokens",
    RESPONSE = "Response tokens",
}

static FAILED: Reason = Reason::new(Class::Failed, "failed request: Response tokens 0");

pub static AZURE: Format = Format {
    name: "azure-llm-trace",
    about: "Azure's public LLM inference traces",
    marks: &[&["TIMESTAMP", "ContextTokens", "GeneratedTokens"]],
    fields: FIELDS,
    reader: || Box::new(AzureTrace),
    ..Format::PLAIN
};

pub static BURSTGPT: Format = Format {
    name: "burstgpt",
    about: "the BurstGPT trace",
    marks: &[&["Timestamp", "Model", "Request tokens", "Response tokens"]],
    fields: FIELDS,
    reader: || Box::new(BurstGpt),
    ..Format::PLAIN
};

struct AzureTrace;

impl Reader for AzureTrace {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        // The names differ only in case, and tables are read whatever the case.
        let time = row.time(AZURE_TIME)?.or(row.time(BURST_TIME)?);
        let counts =
            Counts { input: row.count(CONTEXT)?, output: row.count(GENERATED)?, ..Counts::default() };
        if counts.is_empty() {
            return Err(Skip::of(&reason::NO_COUNTS));
        }
        let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
        let model = out.model(None)?;
        out.record(Record::request(model, time, tokens), Keep::All);
        Ok(())
    }
}

struct BurstGpt;

impl Reader for BurstGpt {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let counts = Counts { input: row.count(REQUEST)?, output: row.count(RESPONSE)?, ..Counts::default() };
        if counts.is_empty() {
            return Err(Skip::of(&reason::NO_COUNTS));
        }
        if counts.output.unwrap_or(0) == 0 && counts.input.unwrap_or(0) > 0 {
            return Err(Skip::of(&FAILED));
        }
        // Seconds since midnight of the first day, local time; the date is not published.
        let slot = if row.has(BURST_TIME) { BURST_TIME } else { AZURE_TIME };
        let seconds = row.amount(slot).map_err(|_| &reason::UNREADABLE_TIME)?;
        let seconds = seconds.filter(|s| (0.0..1e9).contains(s)).ok_or(&reason::UNREADABLE_TIME)?;
        #[allow(clippy::cast_possible_truncation)]
        let when = When { start: seconds.floor() as i64, span: 0, clock: Clock::DayOne };
        let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
        let model = out.model(row.text(MODEL))?;
        out.record(Record::request(model, Some(when), tokens), Keep::All);
        Ok(())
    }
}
