//! LiteLLM: the table `LiteLLM_SpendLogs` (CSV or SQL export, `/spend/logs` as JSON).
//!
//! `prompt_tokens` includes cache reads and writes, except in some versions for Anthropic's own route:
//! there the cached tokens can exceed it, which shows the difference. `cache_hit` means LiteLLM's own cache
//! of answers, in which case no model was called.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Keep, Reason, Record, Skip, reason};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    ID = "request_id",
    CALL = "call_type",
    SPEND = "spend",
    PROMPT = "prompt_tokens",
    COMPLETION = "completion_tokens",
    TOTAL = "total_tokens",
    START = "startTime",
    MODEL = "model",
    CACHE_HIT = "cache_hit",
    STATUS = "status",
    USER = "user",
    META_STATUS = "metadata/status",
    U_READ = "metadata/usage_object/cache_read_input_tokens",
    U_WRITE = "metadata/usage_object/cache_creation_input_tokens",
    U_5M = "metadata/usage_object/cache_creation/ephemeral_5m_input_tokens",
    U_1H = "metadata/usage_object/cache_creation/ephemeral_1h_input_tokens",
    U_CACHED = "metadata/usage_object/prompt_tokens_details/cached_tokens",
    U_CREATED = "metadata/usage_object/prompt_tokens_details/cache_creation_tokens",
    U_D5M = "metadata/usage_object/prompt_tokens_details/cache_creation_token_details/ephemeral_5m_input_tokens",
    U_D1H = "metadata/usage_object/prompt_tokens_details/cache_creation_token_details/ephemeral_1h_input_tokens",
    U_REASONING = "metadata/usage_object/completion_tokens_details/reasoning_tokens",
    A_READ = "metadata/additional_usage_values/cache_read_input_tokens",
    A_WRITE = "metadata/additional_usage_values/cache_creation_input_tokens",
    A_CACHED = "metadata/additional_usage_values/prompt_tokens_details/cached_tokens",
    A_CREATED = "metadata/additional_usage_values/prompt_tokens_details/cache_creation_tokens",
    A_REASONING = "metadata/additional_usage_values/completion_tokens_details/reasoning_tokens",
}

static CACHED_ANSWER: Reason = Reason::new(
    Class::ResponseCache,
    "cache_hit True: answered by the LiteLLM response cache, no model call (report as response_cache_hits)",
);
pub(super) static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embedding call: report apart ({requests}, {tokens} tokens)");
static FAILED: Reason = Reason::new(Class::Failed, "failed request, no tokens");
static OTHER_CALL: Reason =
    Reason::new(Class::NotACall, "call of another kind (images, speech, transcription, rerank, moderation)");

pub static SPEND_LOGS: Format = Format {
    name: "litellm-spend-logs",
    about: "LiteLLM's spend log (LiteLLM_SpendLogs as CSV or JSON, /spend/logs)",
    fields: FIELDS,
    rows: &["data[]", "response[]"],
    marks: &[&["request_id", "call_type", "spend", "prompt_tokens"]],
    reader: || Box::new(SpendLogs),
    ..Format::PLAIN
};

struct SpendLogs;

impl Reader for SpendLogs {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let spend = row.amount(SPEND)?;
        let id = row.text(ID).map(|id| ids::id(SPEND_LOGS.name, id));
        let once = |out: &mut Collector| {
            let known = id.is_some_and(|id| out.seen(id));
            if known {
                out.duplicate();
            }
            known
        };
        // Records other than chats are also identified by their id.
        let skip =
            |out: &mut Collector, skip: Skip| if once(out) { Ok(()) } else { Err(skip.costing(spend)) };
        if row.is_true(CACHE_HIT) {
            return skip(out, Skip::of(&CACHED_ANSWER));
        }
        let input = row.count(PROMPT)?;
        let output = row.count(COMPLETION)?;
        let call = row.text(CALL).unwrap_or_default().to_ascii_lowercase();
        if call.contains("embedding") || is_embedding(row.text(MODEL).unwrap_or_default()) {
            return skip(out, Skip::of(&EMBEDDING).counting(1, input.unwrap_or(0)));
        }
        let others = ["image", "speech", "transcription", "rerank", "moderation", "ocr", "search"];
        if others.iter().any(|kind| call.contains(kind)) {
            return skip(out, Skip::of(&OTHER_CALL));
        }
        if input.unwrap_or(0) == 0 && output.unwrap_or(0) == 0 {
            let failed = row.is(STATUS, "failure") || row.is(META_STATUS, "failure");
            return skip(out, Skip::of(if failed { &FAILED } else { &reason::NO_COUNTS }));
        }
        let counts = Counts {
            input,
            cache_read: row.first_count(&[U_READ, U_CACHED, A_READ, A_CACHED])?,
            cache_write: row.first_count(&[U_WRITE, U_CREATED, A_WRITE, A_CREATED])?,
            cache_write_5m: row.first_count(&[U_5M, U_D5M])?,
            cache_write_1h: row.first_count(&[U_1H, U_D1H])?,
            output,
            reasoning: row.first_count(&[U_REASONING, A_REASONING])?,
            total: row.count(TOTAL)?,
        };
        let normal = counts.normal(Side::Unsure(Convention::Inside), Side::Inside)?;
        if normal.uncertain {
            out.note(Note::CacheSideUnknown);
        }
        let mut record = Record::request(out.model(row.text(MODEL))?, row.time(START)?, normal.tokens);
        record.usd = spend;
        out.user(row.hash(USER));
        out.record(record, id.map_or(Keep::All, Keep::First));
        Ok(())
    }
}
