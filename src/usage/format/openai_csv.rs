//! OpenAI's dashboard exports: `completions_usage_*.csv`, `embeddings_usage_*.csv` and the cost export.
//! Columns come in any order, and counts are floats. A bucket without use has only its four times; the
//! export of an unused project has no other columns at all.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Repeat, Skip, Tier, When};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    START = "start_time",
    END = "end_time",
    START_ISO = "start_time_iso",
    END_ISO = "end_time_iso",
    PROJECT = "project_id",
    REQUESTS = "num_model_requests",
    USER = "user_id",
    KEY = "api_key_id",
    MODEL = "model",
    BATCH = "batch",
    TIER = "service_tier",
    INPUT = "input_tokens",
    OUTPUT = "output_tokens",
    CACHED = "input_cached_tokens",
    WRITE = "input_cache_write_tokens",
    UNCACHED = "input_uncached_tokens",
    AMOUNT = "amount_value",
    CURRENCY = "amount_currency",
    LINE_ITEM = "line_item",
}

static EMPTY_BUCKET: Reason = Reason::new(Class::NotACall, "empty bucket row (no counters)");
static EMBEDDINGS: Reason =
    Reason::new(Class::Embedding, "embeddings row: report apart ({requests}, {tokens} tokens)");

pub static FORMAT: Format = Format {
    name: "openai-dashboard-csv",
    about: "OpenAI's dashboard export (completions_usage_*.csv, cost_*.csv)",
    fields: FIELDS,
    marks: &[&["start_time", "end_time", "start_time_iso", "end_time_iso"]],
    reader: || Box::<OpenAiCsv>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct OpenAiCsv {
    occurrences: Occurrences,
}

impl Reader for OpenAiCsv {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let start = row.time(START)?.or(row.time(START_ISO)?);
        let end = row.time(END)?.or(row.time(END_ISO)?);
        let when = start.zip(end).map(|(start, end)| When::between(start.start, end.start));
        let bucket = when.map(|w| (w.start, w.span));
        if row.has(AMOUNT) {
            let place = (bucket, row.hash(LINE_ITEM), row.hash(PROJECT));
            let id = self.occurrences.next(ids::key("openai-costs", place));
            if out.seen(id) {
                out.duplicate();
            } else if let Some(amount) = row.amount(AMOUNT)? {
                out.cost(amount, row.text(CURRENCY));
            }
            return Ok(());
        }
        if ![REQUESTS, INPUT, OUTPUT, CACHED, UNCACHED].iter().any(|slot| row.has(*slot)) {
            return Err(Skip::of(&EMPTY_BUCKET));
        }
        let group = [PROJECT, USER, KEY, MODEL, BATCH, TIER].map(|slot| row.hash(slot));
        let id = self.occurrences.next(ids::key(FORMAT.name, (bucket, group)));
        let cache_read = row.count(CACHED)?;
        let write = row.count(WRITE)?;
        // Without the total, the sum of its parts.
        let input = match row.count(INPUT)? {
            Some(input) => Some(input),
            None => row
                .count(UNCACHED)?
                .map(|n| n.saturating_add(cache_read.unwrap_or(0)).saturating_add(write.unwrap_or(0))),
        };
        let requests = row.count(REQUESTS)?;
        let model = out.model(row.text(MODEL))?;
        if is_embedding(row.text(MODEL).unwrap_or_default()) {
            if out.seen(id) {
                out.duplicate();
                return Ok(());
            }
            let skip = Skip::of(&EMBEDDINGS).detail(Detail::Model(model));
            return Err(skip.counting(requests.unwrap_or(0), input.unwrap_or(0)));
        }
        let output = row.count(OUTPUT)?;
        let counts = Counts { input, cache_read, cache_write: write, output, ..Counts::default() };
        let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
        let mut record = Record::bucket(model, when, requests, tokens);
        record.tier =
            if row.is_true(BATCH) { Tier::Batch } else { row.text(TIER).map_or(Tier::Standard, Tier::of) };
        out.user(row.hash(USER));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}
