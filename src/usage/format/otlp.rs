//! OpenTelemetry traces as OTLP JSON, as one document or one per line: spans with GenAI attributes under
//! their new and old names, and under those of Sentry, OpenInference and Vercel's AI SDK.
//!
//! By the specification the input includes cached tokens; old instrumentations of Anthropic leave them out.
//! Spans of agents and of SDK calls repeat the sums of their children and are skipped.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Skip};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    TRACE = "traceId",
    SPAN = "spanId",
    START = "startTimeUnixNano",
    OPERATION = "attributes{key=value}/gen_ai.operation.name",
    SYSTEM = "attributes{key=value}/gen_ai.system",
    PROVIDER = "attributes{key=value}/gen_ai.provider.name",
    REQUEST_MODEL = "attributes{key=value}/gen_ai.request.model",
    RESPONSE_MODEL = "attributes{key=value}/gen_ai.response.model",
    INPUT = "attributes{key=value}/gen_ai.usage.input_tokens",
    OUTPUT = "attributes{key=value}/gen_ai.usage.output_tokens",
    READ = "attributes{key=value}/gen_ai.usage.cache_read.input_tokens",
    WRITE = "attributes{key=value}/gen_ai.usage.cache_creation.input_tokens",
    REASONING = "attributes{key=value}/gen_ai.usage.reasoning.output_tokens",
    OLD_INPUT = "attributes{key=value}/gen_ai.usage.prompt_tokens",
    OLD_OUTPUT = "attributes{key=value}/gen_ai.usage.completion_tokens",
    OLD_READ = "attributes{key=value}/gen_ai.usage.cache_read_input_tokens",
    OLD_WRITE = "attributes{key=value}/gen_ai.usage.cache_creation_input_tokens",
    OLD_TOTAL = "attributes{key=value}/llm.usage.total_tokens",
    NEW_TOTAL = "attributes{key=value}/gen_ai.usage.total_tokens",
    OLD_KIND = "attributes{key=value}/llm.request.type",
    SENTRY_CACHED = "attributes{key=value}/gen_ai.usage.input_tokens.cached",
    SENTRY_WRITE = "attributes{key=value}/gen_ai.usage.input_tokens.cache_write",
    SENTRY_REASONING = "attributes{key=value}/gen_ai.usage.output_tokens.reasoning",
    OI_KIND = "attributes{key=value}/openinference.span.kind",
    OI_MODEL = "attributes{key=value}/llm.model_name",
    OI_INPUT = "attributes{key=value}/llm.token_count.prompt",
    OI_OUTPUT = "attributes{key=value}/llm.token_count.completion",
    OI_TOTAL = "attributes{key=value}/llm.token_count.total",
    OI_READ = "attributes{key=value}/llm.token_count.prompt_details.cache_read",
    OI_WRITE = "attributes{key=value}/llm.token_count.prompt_details.cache_write",
    OI_REASONING = "attributes{key=value}/llm.token_count.completion_details.reasoning",
    AI_OPERATION = "attributes{key=value}/ai.operationId",
    AI_MODEL = "attributes{key=value}/ai.model.id",
    AI_PROMPT = "attributes{key=value}/ai.usage.promptTokens",
    AI_COMPLETION = "attributes{key=value}/ai.usage.completionTokens",
    AI_INPUT = "attributes{key=value}/ai.usage.inputTokens",
    AI_OUTPUT = "attributes{key=value}/ai.usage.outputTokens",
    AI_CACHED = "attributes{key=value}/ai.usage.cachedInputTokens",
    AI_REASONING = "attributes{key=value}/ai.usage.reasoningTokens",
}

static AGGREGATE: Reason = Reason::new(Class::NotACall, "aggregate agent span ({detail})");
static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embeddings span: report apart ({requests}, {tokens} tokens)");
static NOT_A_CALL: Reason = Reason::new(Class::NotACall, "not a model call ({detail})");
static WITHOUT_USAGE: Reason =
    Reason::new(Class::WithoutUsage, "chat span without usage: request seen, tokens unknown");

const SPANS: &[&str] = &[
    "resourceSpans[]/scopeSpans[]/spans[]",
    "resourceSpans[]/instrumentationLibrarySpans[]/spans[]",
    "batches[]/scopeSpans[]/spans[]",
];

pub static FORMAT: Format = Format {
    name: "otlp-genai",
    about: "OpenTelemetry traces with GenAI spans (OTLP JSON)",
    fields: FIELDS,
    rows: SPANS,
    marks: &[
        &["resourceSpans[]/scopeSpans"],
        &["resourceSpans[]/instrumentationLibrarySpans"],
        &["batches[]/scopeSpans"],
        &["traceId", "spanId", "startTimeUnixNano", "attributes"],
    ],
    reader: || Box::<Otlp>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct Otlp {
    noted: bool,
}

const AGENTS: [&str; 4] = ["invoke_agent", "create_agent", "invoke_workflow", "agent"];
const NO_CALLS: [&str; 5] = ["execute_tool", "retrieval", "plan", "tool", "guardrail"];
const CALLS: [&str; 5] = ["chat", "generate_content", "text_completion", "completion", "responses"];
const OI_OTHERS: [&str; 7] = ["CHAIN", "AGENT", "TOOL", "RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR"];

impl Reader for Otlp {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if !row.has(SPAN) {
            return Ok(());
        }
        let id = ids::key(FORMAT.name, (row.hash(TRACE), row.hash(SPAN)));
        let once = |out: &mut Collector, skip: Skip| {
            if out.seen(id) {
                out.duplicate();
                return Ok(());
            }
            Err(skip)
        };
        if !self.noted {
            self.noted = true;
            out.note(Note::MaybeSampled);
        }
        let operation = row.text(OPERATION).or(row.text(OLD_KIND));
        let is_one_of =
            |words: &[&str]| operation.is_some_and(|op| words.iter().any(|w| op.eq_ignore_ascii_case(w)));
        if is_one_of(&AGENTS) {
            return once(out, Skip::of(&AGGREGATE).detail(Detail::of(operation, &AGENTS)));
        }
        if is_one_of(&NO_CALLS) {
            return once(out, Skip::of(&NOT_A_CALL).detail(Detail::of(operation, &NO_CALLS)));
        }
        // Vercel's outer span repeats the usage of the `.do…` span within it.
        if row.text(AI_OPERATION).is_some_and(|op| !op.contains(".do")) {
            return once(out, Skip::of(&AGGREGATE).detail(Detail::Word("ai.operationId")));
        }
        let kind = row.text(OI_KIND);
        if kind.is_some_and(|kind| OI_OTHERS.iter().any(|other| kind.eq_ignore_ascii_case(other))) {
            return once(out, Skip::of(&NOT_A_CALL).detail(Detail::of(kind, &OI_OTHERS)));
        }
        let name =
            [RESPONSE_MODEL, REQUEST_MODEL, OI_MODEL, AI_MODEL].into_iter().find_map(|slot| row.text(slot));
        // If there are several names they have the same value; new names come first.
        let input = row.first_count(&[INPUT, OLD_INPUT, OI_INPUT, AI_INPUT, AI_PROMPT])?;
        let output = row.first_count(&[OUTPUT, OLD_OUTPUT, OI_OUTPUT, AI_OUTPUT, AI_COMPLETION])?;
        let embeds = operation.is_some_and(|op| op.to_ascii_lowercase().starts_with("embedding"));
        if embeds || row.is(OI_KIND, "EMBEDDING") || is_embedding(name.unwrap_or_default()) {
            return once(out, Skip::of(&EMBEDDING).counting(1, input.unwrap_or(0)));
        }
        if input.is_none() && output.is_none() {
            let called = is_one_of(&CALLS) || row.is(OI_KIND, "LLM");
            let other = Skip::of(&NOT_A_CALL).detail(Detail::of(operation, &[]));
            return once(out, if called { Skip::of(&WITHOUT_USAGE) } else { other });
        }
        let new_names = row.has(READ) || row.has(WRITE) || row.has(SENTRY_CACHED) || row.has(OI_READ);
        let old_names = !new_names && (row.has(OLD_READ) || row.has(OLD_WRITE));
        let anthropic = [SYSTEM, PROVIDER].iter().any(|slot| row.is(*slot, "anthropic"));
        let counts = Counts {
            input,
            cache_read: row.first_count(&[READ, OLD_READ, SENTRY_CACHED, OI_READ, AI_CACHED])?,
            cache_write: row.first_count(&[WRITE, OLD_WRITE, SENTRY_WRITE, OI_WRITE])?,
            output,
            reasoning: row.first_count(&[REASONING, SENTRY_REASONING, OI_REASONING, AI_REASONING])?,
            total: row.first_count(&[NEW_TOTAL, OLD_TOTAL, OI_TOTAL])?,
            ..Counts::default()
        };
        let cached = match (old_names, anthropic) {
            (true, true) => Side::Beside,
            (true, false) => Side::Unsure(Convention::Inside),
            (false, _) => Side::Inside,
        };
        let normal = counts.normal(cached, Side::Inside)?;
        if normal.uncertain {
            out.note(Note::CacheSideUnknown);
        }
        let record = Record::request(out.model(name)?, row.time(START)?, normal.tokens);
        out.record(record, Keep::First(id));
        Ok(())
    }
}
