//! Helicone's request export. Cached and reasoning tokens are only in the body of the response, in the
//! provider's format; prompts contain commas and line breaks.

use super::answer;
use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::Side;
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Skip, reason};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    ID = "request_id",
    CREATED = "request_created_at",
    MODEL = "request_model",
    RESPONSE_MODEL = "response_model",
    STATUS = "response_status",
    PROMPT = "prompt_tokens",
    COMPLETION = "completion_tokens",
    TOTAL = "total_tokens",
    READ = "prompt_cache_read_tokens",
    WRITE = "prompt_cache_write_tokens",
    COST = "cost_usd",
    USER = "request_user_id",
    BODY_PROMPT = "response_body/usage/prompt_tokens",
    BODY_COMPLETION = "response_body/usage/completion_tokens",
    BODY_INPUT = "response_body/usage/input_tokens",
    BODY_OUTPUT = "response_body/usage/output_tokens",
    BODY_CACHED = "response_body/usage/prompt_tokens_details/cached_tokens",
    BODY_INPUT_CACHED = "response_body/usage/input_tokens_details/cached_tokens",
    BODY_REASONING = "response_body/usage/completion_tokens_details/reasoning_tokens",
    BODY_OUTPUT_REASONING = "response_body/usage/output_tokens_details/reasoning_tokens",
    BODY_READ = "response_body/usage/cache_read_input_tokens",
    BODY_WRITE = "response_body/usage/cache_creation_input_tokens",
    BODY_5M = "response_body/usage/cache_creation/ephemeral_5m_input_tokens",
    BODY_1H = "response_body/usage/cache_creation/ephemeral_1h_input_tokens",
}

static FAILED: Reason = Reason::new(Class::Failed, "failed or cancelled (status {detail}), no tokens");
static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embedding model: report apart ({requests}, {tokens} tokens)");

/// The most rows of one export.
const EXPORT_LIMIT: u64 = 1000;

pub static FORMAT: Format = Format {
    name: "helicone-csv",
    about: "Helicone's request export",
    fields: FIELDS,
    rows: &["data[]"],
    marks: &[&["request_id", "request_created_at", "response_status", "prompt_tokens"]],
    reader: || Box::<Helicone>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct Helicone {
    rows: u64,
}

impl Reader for Helicone {
    fn open(&mut self, _: &mut Collector) {
        self.rows = 0;
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        self.rows += 1;
        let id = row.text(ID).map(|id| ids::id(FORMAT.name, id));
        let usage = answer::Slots {
            input: &[BODY_PROMPT, BODY_INPUT, PROMPT],
            output: &[BODY_COMPLETION, BODY_OUTPUT, COMPLETION],
            cached: &[BODY_CACHED, BODY_INPUT_CACHED],
            cached_writes: &[],
            read: &[BODY_READ],
            write: &[BODY_WRITE],
            write_5m: &[BODY_5M],
            write_1h: &[BODY_1H],
            reasoning: &[BODY_REASONING, BODY_OUTPUT_REASONING],
            total: &[TOTAL],
        };
        let mut answer = usage.read(row)?;
        let counts = &mut answer.counts;
        // Newer exports have columns for cache tokens, whatever the provider's convention.
        counts.cache_read = counts.cache_read.or(row.count(READ)?);
        counts.cache_write = counts.cache_write.or(row.count(WRITE)?);
        let counts = answer.counts;
        let name = row.text(RESPONSE_MODEL).or(row.text(MODEL));
        let nothing = counts.input.unwrap_or(0) == 0 && counts.output.unwrap_or(0) == 0;
        if nothing || is_embedding(name.unwrap_or_default()) {
            if id.is_some_and(|id| out.seen(id)) {
                out.duplicate();
                return Ok(());
            }
            let status = row.amount(STATUS).ok().flatten().unwrap_or(0.0);
            #[allow(clippy::cast_possible_truncation)]
            return Err(if !nothing {
                Skip::of(&EMBEDDING).counting(1, counts.input.unwrap_or(0)).costing(row.amount(COST)?)
            } else if (200.0..300.0).contains(&status) {
                Skip::of(&reason::NO_COUNTS)
            } else {
                Skip::of(&FAILED).detail(Detail::Number(status as i64))
            });
        }
        let normal = counts.normal(answer.cached, Side::Inside)?;
        let mut record = Record::request(out.model(name)?, row.time(CREATED)?, normal.tokens);
        record.usd = row.amount(COST)?;
        out.user(row.hash(USER));
        if normal.uncertain {
            out.note(Note::CacheSideUnknown);
        }
        out.record(record, id.map_or(Keep::All, Keep::First));
        Ok(())
    }

    fn close(&mut self, out: &mut Collector) {
        if self.rows == EXPORT_LIMIT {
            out.note(Note::ExportLimit);
        }
    }
}
