//! Langfuse observations: the API's `data[]`, the UI's JSON or CSV export, and the blob storage export
//! (snake case).
//!
//! The keys of `usageDetails` are not fixed. By convention they do not overlap, but several SDKs send
//! inputs that include cached tokens; `total` shows which is the case.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Skip};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    ID = "id",
    TYPE = "type",
    START = "startTime",
    MODEL = "model",
    LEVEL = "level",
    INPUT = "usageDetails/input",
    CACHED = "usageDetails/input_cached_tokens",
    CREATION = "usageDetails/input_cache_creation",
    CREATION_5M = "usageDetails/input_cache_creation_5m",
    CREATION_1H = "usageDetails/input_cache_creation_1h",
    CACHE_READ = "usageDetails/input_cache_read",
    READ = "usageDetails/cache_read_input_tokens",
    WRITE = "usageDetails/cache_creation_input_tokens",
    OUTPUT = "usageDetails/output",
    REASONING = "usageDetails/output_reasoning_tokens",
    REASONING_SHORT = "usageDetails/output_reasoning",
    TOTAL = "usageDetails/total",
    COST_TOTAL = "costDetails/total",
    COST = "totalCost",
    OLD_COST = "calculatedTotalCost",
    OLD_INPUT = "usage/input",
    OLD_OUTPUT = "usage/output",
    OLD_TOTAL = "usage/total",
    OLD_UNIT = "usage/unit",
    PROMPT = "promptTokens",
    COMPLETION = "completionTokens",
    TOTAL_TOKENS = "totalTokens",
    USER = "userId",
    B_START = "start_time",
    B_MODEL = "provided_model_name",
    B_INPUT = "usage_details/input",
    B_CACHED = "usage_details/input_cached_tokens",
    B_CREATION = "usage_details/input_cache_creation",
    B_READ = "usage_details/cache_read_input_tokens",
    B_WRITE = "usage_details/cache_creation_input_tokens",
    B_OUTPUT = "usage_details/output",
    B_REASONING = "usage_details/output_reasoning_tokens",
    B_TOTAL = "usage_details/total",
    B_COST_TOTAL = "cost_details/total",
    B_COST = "total_cost",
    B_USER = "user_id",
    PROVIDED_MODEL = "providedModelName",
}

static NOT_A_GENERATION: Reason = Reason::new(Class::NotACall, "not a generation ({detail})");
static OTHER_UNIT: Reason = Reason::new(Class::WithoutUsage, "unit {detail}: no token count");
static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "EMBEDDING: report apart ({requests}, {tokens} tokens)");
static WITHOUT_USAGE: Reason = Reason::new(Class::WithoutUsage, "generation without usage ({detail})");

pub static FORMAT: Format = Format {
    name: "langfuse-observations",
    about: "Langfuse observations (API, UI export or blob storage export)",
    fields: FIELDS,
    rows: &["data[]", "observations[]"],
    marks: &[
        &["id", "type", "startTime", "usageDetails"],
        &["id", "type", "startTime", "traceId", "model"],
        &["id", "type", "start_time", "usage_details"],
        &["id", "type", "start_time", "trace_id", "provided_model_name"],
    ],
    reader: || Box::new(Langfuse),
    ..Format::PLAIN
};

struct Langfuse;

const KINDS: [&str; 9] =
    ["SPAN", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "GUARDRAIL", "EMBEDDING"];
const UNITS: [&str; 5] = ["CHARACTERS", "MILLISECONDS", "SECONDS", "REQUESTS", "IMAGES"];
const LEVELS: [&str; 4] = ["ERROR", "WARNING", "DEFAULT", "DEBUG"];

impl Reader for Langfuse {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let id = row.text(ID).map(|id| ids::id(FORMAT.name, id));
        let once = |out: &mut Collector, skip: Skip| {
            if id.is_some_and(|id| out.seen(id)) {
                out.duplicate();
                return Ok(());
            }
            Err(skip)
        };
        let name = row.text(MODEL).or(row.text(PROVIDED_MODEL)).or(row.text(B_MODEL));
        let kind = row.text(TYPE);
        let input = row.first_count(&[INPUT, B_INPUT, OLD_INPUT, PROMPT])?;
        let cost = [COST_TOTAL, B_COST_TOTAL, COST, B_COST, OLD_COST];
        let cost = cost.iter().find(|slot| row.has(**slot)).map(|slot| row.amount(*slot));
        let cost = cost.transpose()?.flatten();
        if row.is(TYPE, "EMBEDDING") || is_embedding(name.unwrap_or_default()) {
            return once(out, Skip::of(&EMBEDDING).counting(1, input.unwrap_or(0)).costing(cost));
        }
        if !row.is(TYPE, "GENERATION") {
            return once(out, Skip::of(&NOT_A_GENERATION).detail(Detail::of(kind, &KINDS)));
        }
        let output = row.first_count(&[OUTPUT, B_OUTPUT, OLD_OUTPUT, COMPLETION])?;
        let in_tokens = [INPUT, OUTPUT, B_INPUT, B_OUTPUT].iter().any(|slot| row.has(*slot));
        if !in_tokens && row.has(OLD_UNIT) && !row.is(OLD_UNIT, "TOKENS") {
            let unit = Detail::of(row.text(OLD_UNIT), &UNITS);
            return once(out, Skip::of(&OTHER_UNIT).detail(unit).costing(cost));
        }
        let counts = Counts {
            input,
            cache_read: row.first_count(&[CACHED, READ, CACHE_READ, B_CACHED, B_READ])?,
            cache_write: row.first_count(&[WRITE, CREATION, B_WRITE, B_CREATION])?,
            cache_write_5m: row.count(CREATION_5M)?,
            cache_write_1h: row.count(CREATION_1H)?,
            output,
            reasoning: row.first_count(&[REASONING, REASONING_SHORT, B_REASONING])?,
            total: row.first_count(&[TOTAL, B_TOTAL, OLD_TOTAL, TOTAL_TOKENS])?,
        };
        let nothing = counts.input.unwrap_or(0) == 0
            && counts.output.unwrap_or(0) == 0
            && counts.cache_read.unwrap_or(0) == 0;
        if nothing {
            let level = Detail::of(row.text(LEVEL), &LEVELS);
            return once(out, Skip::of(&WITHOUT_USAGE).detail(level).costing(cost));
        }
        let beside = Side::Unsure(Convention::Beside);
        let normal = counts.normal(beside, beside)?;
        let cached = counts.cache_read.unwrap_or(0) > 0;
        if normal.uncertain && counts.total.is_some() {
            out.note(Note::CacheSideUnknown);
        }
        if cached && !normal.uncertain && Some(normal.tokens.input) != counts.input {
            // Langfuse computes the cost of such a record with the cached tokens counted twice.
            out.note(Note::CostCountsCacheTwice);
        }
        let when = row.time(START)?.or(row.time(B_START)?);
        let mut record = Record::request(out.model(name)?, when, normal.tokens);
        record.usd = cost;
        out.user(row.hash(USER) | row.hash(B_USER));
        out.record(record, id.map_or(Keep::All, Keep::First));
        Ok(())
    }
}
