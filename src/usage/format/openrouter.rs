//! OpenRouter: the activity export (CSV, one row for each generation) and `/api/v1/activity` (one row for
//! each day, model and provider). Counts include cached and reasoning tokens; times without a zone are UTC.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Occurrences, Reader};
use crate::usage::record::{Keep, Record, Repeat, Skip};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    ID = "generation_id",
    CREATED = "created_at",
    COST = "cost_total",
    BYOK = "byok_usage_inference",
    PROMPT = "tokens_prompt",
    COMPLETION = "tokens_completion",
    REASONING = "tokens_reasoning",
    CACHED = "tokens_cached",
    PERMASLUG = "model_permaslug",
    MODEL = "model",
    PROVIDER = "provider_name",
    USER = "user",
    DATE = "date",
    USAGE = "usage",
    REQUESTS = "requests",
    DAY_PROMPT = "prompt_tokens",
    DAY_COMPLETION = "completion_tokens",
    DAY_REASONING = "reasoning_tokens",
    ENDPOINT = "endpoint_id",
}

pub static CSV: Format = Format {
    name: "openrouter-activity-csv",
    about: "OpenRouter's activity export, a row for each generation",
    fields: FIELDS,
    rows: &["data[]"],
    marks: &[&["generation_id", "created_at", "tokens_prompt", "tokens_completion"]],
    reader: || Box::<OpenRouter>::default(),
    ..Format::PLAIN
};

pub static API: Format = Format {
    name: "openrouter-activity-api",
    about: "OpenRouter's activity API, a row for each day and model",
    marks: &[
        &["date", "model_permaslug", "requests", "prompt_tokens"],
        &["date", "byok_usage_inference", "requests", "prompt_tokens"],
    ],
    ..CSV_PARTS
};

const CSV_PARTS: Format =
    Format { fields: FIELDS, rows: &["data[]"], reader: || Box::<OpenRouter>::default(), ..Format::PLAIN };

#[derive(Debug, Default)]
struct OpenRouter {
    occurrences: Occurrences,
}

impl Reader for OpenRouter {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let name = row.text(PERMASLUG).or(row.text(MODEL));
        let model = out.model(name)?;
        let byok = row.amount(BYOK)?.unwrap_or(0.0);
        if row.has(DATE) {
            let when = row.time(DATE)?;
            let group = [PERMASLUG, MODEL, PROVIDER, ENDPOINT].map(|slot| row.hash(slot));
            let id = self.occurrences.next(ids::key(API.name, (when.map(|w| w.start), group)));
            let counts = Counts {
                input: row.count(DAY_PROMPT)?,
                output: row.count(DAY_COMPLETION)?,
                reasoning: row.count(DAY_REASONING)?,
                ..Counts::default()
            };
            let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
            let mut record = Record::bucket(model, when, row.count(REQUESTS)?, tokens);
            record.usd = row.amount(USAGE)?;
            if !out.seen(ids::key("byok", (id, byok.to_bits()))) {
                out.byok(byok);
            }
            out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
            return Ok(());
        }
        let counts = Counts {
            input: row.count(PROMPT)?,
            cache_read: row.count(CACHED)?,
            output: row.count(COMPLETION)?,
            reasoning: row.count(REASONING)?,
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Inside, Side::Inside)?.tokens;
        let mut record = Record::request(model, row.time(CREATED)?, tokens);
        record.usd = row.amount(COST)?;
        out.user(row.hash(USER));
        if let Some(id) = row.text(ID) {
            let id = ids::id(CSV.name, id);
            if byok != 0.0 && !out.seen(ids::key("byok", id)) {
                out.byok(byok);
            }
            out.record(record, Keep::First(id));
        } else {
            out.byok(byok);
            out.record(record, Keep::All);
        }
        Ok(())
    }
}
