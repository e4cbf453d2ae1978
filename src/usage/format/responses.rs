//! Saved responses of APIs, one JSON object per line: chat completions, Responses, Anthropic messages,
//! Gemini, Ollama, and the result files of batch interfaces, which contain these.

use super::answer::Slots;
use super::vertex::Google;
use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Keep, Reason, Record, Repeat, Skip, Tier, reason};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    ID = "id",
    MODEL = "model",
    OBJECT = "object",
    CREATED = "created",
    CREATED_AT = "created_at",
    TIMESTAMP = "timestamp",
    TS = "ts",
    TIME = "time",
    DATE = "date",
    PROMPT = "usage/prompt_tokens",
    COMPLETION = "usage/completion_tokens",
    INPUT = "usage/input_tokens",
    OUTPUT = "usage/output_tokens",
    TOTAL = "usage/total_tokens",
    CACHED = "usage/prompt_tokens_details/cached_tokens",
    INPUT_CACHED = "usage/input_tokens_details/cached_tokens",
    CACHE_HIT = "usage/prompt_cache_hit_tokens",
    FLAT_CACHED = "usage/cached_tokens",
    PROMPT_WRITE = "usage/prompt_tokens_details/cache_write_tokens",
    INPUT_WRITE = "usage/input_tokens_details/cache_write_tokens",
    READ = "usage/cache_read_input_tokens",
    WRITE = "usage/cache_creation_input_tokens",
    WRITE_5M = "usage/cache_creation/ephemeral_5m_input_tokens",
    WRITE_1H = "usage/cache_creation/ephemeral_1h_input_tokens",
    REASONING = "usage/completion_tokens_details/reasoning_tokens",
    OUTPUT_REASONING = "usage/output_tokens_details/reasoning_tokens",
    THINKING = "usage/output_tokens_details/thinking_tokens",
    FLAT_REASONING = "usage/reasoning_tokens",
    COST = "usage/cost",
    UPSTREAM = "usage/cost_details/upstream_inference_cost",
    IS_BYOK = "usage/is_byok",
    USAGE_TIER = "usage/service_tier",
    TIER = "service_tier",
    G_ID = "responseId",
    G_MODEL = "modelVersion",
    G_TIME = "createTime",
    G_PROMPT = "usageMetadata/promptTokenCount",
    G_CACHED = "usageMetadata/cachedContentTokenCount",
    G_CANDIDATES = "usageMetadata/candidatesTokenCount",
    G_THOUGHTS = "usageMetadata/thoughtsTokenCount",
    G_TOOLS = "usageMetadata/toolUsePromptTokenCount",
    G_TOTAL = "usageMetadata/totalTokenCount",
    O_PROMPT = "prompt_eval_count",
    O_OUTPUT = "eval_count",
    CUSTOM_ID = "custom_id",
    STATUS = "status_code",
    RESULT = "type",
    ERROR = "error",
}

static FAILED: Reason = Reason::new(Class::Failed, "failed request, no tokens");
static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embeddings answer: report apart ({requests}, {tokens} tokens)");

pub static FORMAT: Format = Format {
    name: "api-responses",
    about: "answers of OpenAI-like, Anthropic, Gemini and Ollama APIs, one JSON object a line",
    fields: FIELDS,
    rows: &["data[]"],
    same: &["response", "body", "result", "message"],
    marks: &[
        &["id", "created", "model", "usage/prompt_tokens"],
        &["id", "created_at", "model", "usage/input_tokens"],
        &["usage/prompt_tokens"],
        &["usage/input_tokens", "usage/output_tokens"],
        &["usageMetadata/promptTokenCount"],
        &["prompt_eval_count", "eval_count"],
        &["response/usage/prompt_tokens"],
        &["response/usage/input_tokens"],
        &["response/usageMetadata/promptTokenCount"],
        &["body/usage/prompt_tokens"],
        &["response/body/usage/prompt_tokens"],
        &["response/body/usage/input_tokens"],
        &["result/message/usage/input_tokens"],
    ],
    reader: || Box::new(Responses),
    ..Format::PLAIN
};

struct Responses;

impl Reader for Responses {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let name = row.text(MODEL).or(row.text(G_MODEL));
        let id = row.text(ID).or(row.text(G_ID));
        let slots = Slots {
            input: &[PROMPT, INPUT, O_PROMPT],
            output: &[COMPLETION, OUTPUT, O_OUTPUT],
            cached: &[CACHED, INPUT_CACHED, CACHE_HIT, FLAT_CACHED],
            cached_writes: &[PROMPT_WRITE, INPUT_WRITE],
            read: &[READ],
            write: &[WRITE],
            write_5m: &[WRITE_5M],
            write_1h: &[WRITE_1H],
            reasoning: &[REASONING, OUTPUT_REASONING, THINKING, FLAT_REASONING],
            total: &[TOTAL],
        };
        let google = Google {
            prompt: G_PROMPT,
            cached: G_CACHED,
            candidates: G_CANDIDATES,
            thoughts: G_THOUGHTS,
            tools: G_TOOLS,
            total: G_TOTAL,
        };
        let (counts, cached, reasoning) = if row.has(G_PROMPT) || row.has(G_CANDIDATES) {
            let (counts, contradicts) = google.read(row)?;
            if contradicts {
                out.note(Note::TotalContradicts);
            }
            (counts, Side::Inside, Side::Beside)
        } else {
            let answer = slots.read(row)?;
            // xAI does not include reasoning in the completion count; the total shows this.
            (answer.counts, answer.cached, Side::Unsure(Convention::Inside))
        };
        let times = [TIMESTAMP, TS, TIME, DATE, CREATED, CREATED_AT, G_TIME];
        let time = times.into_iter().find(|slot| row.has(*slot)).map(|slot| row.time(slot));
        // A batch's `created_at` and a log's own time are equivalent.
        let when = time.transpose()?.flatten();
        if counts.is_empty() {
            let failed = row.has(ERROR) || row.is(RESULT, "errored") || row.is(RESULT, "expired");
            let status = row.count(STATUS).ok().flatten().is_some_and(|s| s >= 400);
            return Err(Skip::of(if failed || status { &FAILED } else { &reason::NO_COUNTS }));
        }
        let kind = row.text(OBJECT).unwrap_or_default();
        let embeds = kind == "list" && counts.output.unwrap_or(0) == 0;
        if embeds || is_embedding(name.unwrap_or_default()) {
            return Err(Skip::of(&EMBEDDING).counting(1, counts.input.unwrap_or(0)));
        }
        let normal = counts.normal(cached, reasoning)?;
        let cached_some = counts.cache_read.unwrap_or(0) > 0;
        if normal.uncertain && cached_some && counts.total.is_some() {
            out.note(Note::CacheSideUnknown);
        }
        let mut record = Record::request(out.model(name)?, when, normal.tokens);
        // OpenRouter has the provider's price in a separate field, which is not added.
        record.usd = row.amount(COST)?;
        if row.is_true(IS_BYOK) {
            out.byok(row.amount(UPSTREAM)?.unwrap_or(0.0));
        }
        record.tier = match (row.has(CUSTOM_ID), row.text(TIER).or(row.text(USAGE_TIER))) {
            (true, _) => Tier::Batch,
            (false, tier) => tier.map_or(Tier::Standard, Tier::of),
        };
        // The chunks of a stream have the id of the answer; the last one has the totals.
        let streamed = kind.contains(".chunk") || row.has(G_PROMPT);
        let id = id.map(|id| ids::id(FORMAT.name, id));
        let keep = match id {
            Some(id) if streamed => Keep::Largest(Repeat { id, request: 0, copy: false }),
            Some(id) => Keep::First(id),
            None => Keep::All,
        };
        out.record(record, keep);
        Ok(())
    }
}
