//! Anthropic's organisation reports: pages of `/v1/organizations/usage_report/messages` and
//! `…/cost_report`. They do not count requests. Cache reads and writes are not included in the input.
//! Amounts of the cost report are decimal strings in *cents*.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader};
use crate::usage::record::{Class, Keep, Reason, Record, Repeat, Skip, Tier, When};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    START = "starting_at",
    END = "ending_at",
    MORE = "has_more",
    INPUT = "results*/uncached_input_tokens",
    WRITE_5M = "results*/cache_creation/ephemeral_5m_input_tokens",
    WRITE_1H = "results*/cache_creation/ephemeral_1h_input_tokens",
    READ = "results*/cache_read_input_tokens",
    OUTPUT = "results*/output_tokens",
    MODEL = "results*/model",
    TIER = "results*/service_tier",
    SPEED = "results*/speed",
    CONTEXT = "results*/context_window",
    KEY = "results*/api_key_id",
    WORKSPACE = "results*/workspace_id",
    GEO = "results*/inference_geo",
    AMOUNT = "results*/amount",
    CURRENCY = "results*/currency",
    DESCRIPTION = "results*/description",
    TOKEN_TYPE = "results*/token_type",
}

static OTHER_RESULT: Reason = Reason::new(Class::NotACall, "result without token counts");
static ZERO_RESULT: Reason = Reason::new(Class::NotACall, "zero result row");

pub static FORMAT: Format = Format {
    name: "anthropic-usage-api",
    about: "Anthropic's usage and cost reports (admin API), pages as JSON",
    fields: FIELDS,
    rows: &["data[]"],
    marks: &[
        &["data[]/starting_at", "data[]/ending_at", "data[]/results"],
        &["starting_at", "ending_at", "results"],
    ],
    zero: &ZERO_RESULT,
    reader: || Box::<AnthropicApi>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct AnthropicApi {
    occurrences: Occurrences,
    is_cost: bool,
    more: [bool; 2],
}

/// Does the price tier for long contexts apply? Anthropic writes `0-200k`, `200k-1M`, `≤ 200k` or `> 200k`.
pub fn long_context(text: Option<&str>) -> Option<bool> {
    let text = text?.trim();
    if text.starts_with("0-") || text.starts_with('≤') || text.starts_with("<=") {
        Some(false)
    } else if text.starts_with("200k-") || text.starts_with('>') {
        Some(true)
    } else {
        None
    }
}

impl AnthropicApi {
    fn result(&mut self, when: When, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        self.is_cost = row.has(AMOUNT);
        if self.is_cost {
            let group = [DESCRIPTION, TOKEN_TYPE, MODEL, TIER, CONTEXT, WORKSPACE, GEO, SPEED];
            let place = (when.start, when.span, group.map(|slot| row.hash(slot)));
            let id = self.occurrences.next(ids::key("anthropic-costs", place));
            if out.seen(id) {
                out.duplicate();
            } else if let Some(cents) = row.amount(AMOUNT)? {
                out.cost(cents / 100.0, row.text(CURRENCY));
            }
            return Ok(());
        }
        if ![INPUT, OUTPUT, READ, WRITE_5M, WRITE_1H].iter().any(|slot| row.has(*slot)) {
            return Err(Skip::of(&OTHER_RESULT));
        }
        let group = [MODEL, TIER, CONTEXT, KEY, WORKSPACE, GEO, SPEED].map(|slot| row.hash(slot));
        let id = self.occurrences.next(ids::key(FORMAT.name, (when.start, when.span, group)));
        let counts = Counts {
            input: row.count(INPUT)?,
            cache_read: row.count(READ)?,
            cache_write_5m: row.count(WRITE_5M)?,
            cache_write_1h: row.count(WRITE_1H)?,
            output: row.count(OUTPUT)?,
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Beside, Side::Inside)?.tokens;
        let mut record = Record::bucket(out.model(row.text(MODEL))?, Some(when), None, tokens);
        record.tier = match row.text(TIER).map_or(Tier::Standard, Tier::of) {
            Tier::Standard => row.text(SPEED).map_or(Tier::Standard, Tier::of),
            tier => tier,
        };
        record.long_context = long_context(row.text(CONTEXT));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}

impl Reader for AnthropicApi {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if row.has(MORE) {
            self.occurrences.clear();
            self.more[usize::from(self.is_cost)] = row.is_true(MORE);
            return Ok(());
        }
        let (Some(start), Some(end)) = (row.time(START)?, row.time(END)?) else { return Ok(()) };
        let when = When::between(start.start, end.start);
        for result in row.children() {
            if let Err(skip) = self.result(when, result, out) {
                out.skip(skip);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector) {
        if self.more.contains(&true) {
            out.note(Note::CutOff);
        }
    }
}
