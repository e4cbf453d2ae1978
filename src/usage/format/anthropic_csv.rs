//! The export `claude_api_tokens_*.csv` of the Claude Console: one row for each hour or day, model, key and
//! workspace. It does not count requests, and rows of a day have no hour.

use super::anthropic_api::long_context;
use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader};
use crate::usage::record::{Keep, Record, Repeat, Skip, Tier};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    DATE = "usage_date_utc",
    MODEL = "model_version",
    KEY = "api_key",
    WORKSPACE = "workspace",
    TYPE = "usage_type",
    CONTEXT = "context_window",
    INPUT = "usage_input_tokens_no_cache",
    WRITE_5M = "usage_input_tokens_cache_write_5m",
    WRITE_1H = "usage_input_tokens_cache_write_1h",
    READ = "usage_input_tokens_cache_read",
    OUTPUT = "usage_output_tokens",
    GEO = "inference_geo",
    SPEED = "speed",
}

pub static FORMAT: Format = Format {
    name: "anthropic-console-csv",
    about: "the Claude Console's usage export (claude_api_tokens_*.csv)",
    fields: FIELDS,
    marks: &[&["usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"]],
    reader: || Box::<AnthropicCsv>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct AnthropicCsv {
    occurrences: Occurrences,
}

impl Reader for AnthropicCsv {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        // A date without a time is a day; with a time it is an hour.
        let when = row.time(DATE)?.map(|mut when| {
            when.span = if when.span == 0 { 3600 } else { when.span };
            when
        });
        let counts = Counts {
            input: row.count(INPUT)?,
            cache_read: row.count(READ)?,
            cache_write_5m: row.count(WRITE_5M)?,
            cache_write_1h: row.count(WRITE_1H)?,
            output: row.count(OUTPUT)?,
            ..Counts::default()
        };
        let group = [MODEL, KEY, WORKSPACE, TYPE, CONTEXT, GEO, SPEED].map(|slot| row.hash(slot));
        let id = self.occurrences.next(ids::key(FORMAT.name, (when.map(|w| (w.start, w.span)), group)));
        let tokens = counts.normal(Side::Beside, Side::Inside)?.tokens;
        let mut record = Record::bucket(out.model(row.text(MODEL))?, when, None, tokens);
        record.tier = match row.text(TYPE).map_or(Tier::Standard, Tier::of) {
            Tier::Standard => row.text(SPEED).map_or(Tier::Standard, Tier::of),
            tier => tier,
        };
        record.long_context = long_context(row.text(CONTEXT));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}
