//! Amazon Bedrock's invocation log: JSON lines from S3 (`….json.gz`), or CloudWatch envelopes that contain
//! them as strings. Cache reads and writes are not included in the input. The lifetime of cache entries is
//! only in the body.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader, is_embedding};
use crate::usage::record::{Class, Detail, Keep, Reason, Record, Skip, reason};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;

usage_fields! {
    TIMESTAMP = "timestamp",
    ID = "requestId",
    OPERATION = "operation",
    MODEL = "modelId",
    ERROR = "errorCode",
    INPUT = "input/inputTokenCount",
    READ = "input/cacheReadInputTokenCount",
    WRITE = "input/cacheWriteInputTokenCount",
    OUTPUT = "output/outputTokenCount",
    TTL_5M = "output/outputBodyJson*/usage/cacheDetails{ttl=inputTokens}/5m",
    TTL_1H = "output/outputBodyJson*/usage/cacheDetails{ttl=inputTokens}/1h",
    BODY_5M = "output/outputBodyJson*/usage/cache_creation/ephemeral_5m_input_tokens",
    BODY_1H = "output/outputBodyJson*/usage/cache_creation/ephemeral_1h_input_tokens",
    START_5M = "output/outputBodyJson*/message/usage/cache_creation/ephemeral_5m_input_tokens",
    START_1H = "output/outputBodyJson*/message/usage/cache_creation/ephemeral_1h_input_tokens",
    STREAM_5M = "output/outputBodyJson*/metadata/usage/cacheDetails{ttl=inputTokens}/5m",
    STREAM_1H = "output/outputBodyJson*/metadata/usage/cacheDetails{ttl=inputTokens}/1h",
}

static EMBEDDING: Reason =
    Reason::new(Class::Embedding, "embedding model: report apart ({requests}, {tokens} tokens)");
static ERROR_RECORD: Reason = Reason::new(Class::Failed, "error record without tokens ({detail})");
static OTHER_ROW: Reason = Reason::new(Class::NotACall, "not a model invocation");

/// Errors that are documented for the runtime API.
const ERRORS: [&str; 11] = [
    "ThrottlingException",
    "ValidationException",
    "AccessDeniedException",
    "InternalServerException",
    "ModelTimeoutException",
    "ModelErrorException",
    "ModelNotReadyException",
    "ModelStreamErrorException",
    "ServiceQuotaExceededException",
    "ServiceUnavailableException",
    "ResourceNotFoundException",
];

pub static FORMAT: Format = Format {
    name: "bedrock-invocation-log",
    about: "Amazon Bedrock's model invocation log (S3 or CloudWatch)",
    fields: FIELDS,
    rows: &["logEvents[]", "events[]", "Records[]"],
    same: &["message"],
    marks: &[
        &["schemaType", "modelId", "operation"],
        &["modelId", "input/inputTokenCount", "requestId"],
        &["logEvents[]/message/schemaType", "logEvents[]/message/modelId"],
        &["events[]/message/schemaType", "events[]/message/modelId"],
        &["message/schemaType", "message/modelId"],
    ],
    reader: || Box::new(Bedrock),
    ..Format::PLAIN
};

struct Bedrock;

/// A count from the body, which is one object or the events of a stream.
fn in_body(row: &Row, slots: &[usize]) -> Result<Option<u64>, Skip> {
    if let Some(n) = row.first_count(slots)? {
        return Ok(Some(n));
    }
    for event in row.children() {
        if let Some(n) = event.first_count(slots)? {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

impl Reader for Bedrock {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if !(row.has(MODEL) || row.has(OPERATION)) {
            return Err(Skip::of(&OTHER_ROW));
        }
        let name = row.text(MODEL);
        let id = row.text(ID).map(|id| ids::id(FORMAT.name, id));
        let once = |out: &mut Collector| {
            let known = id.is_some_and(|id| out.seen(id));
            if known {
                out.duplicate();
            }
            known
        };
        let (input, output) = (row.count(INPUT)?, row.count(OUTPUT)?);
        if is_embedding(name.unwrap_or_default()) {
            if once(out) {
                return Ok(());
            }
            return Err(Skip::of(&EMBEDDING).counting(1, input.unwrap_or(0)));
        }
        if input.is_none() && output.is_none() {
            if once(out) {
                return Ok(());
            }
            return Err(if row.has(ERROR) {
                Skip::of(&ERROR_RECORD).detail(Detail::of(row.text(ERROR), &ERRORS))
            } else {
                Skip::of(&reason::NO_COUNTS)
            });
        }
        let counts = Counts {
            input,
            cache_read: row.count(READ)?,
            cache_write: row.count(WRITE)?,
            cache_write_5m: in_body(row, &[TTL_5M, BODY_5M, START_5M, STREAM_5M])?,
            cache_write_1h: in_body(row, &[TTL_1H, BODY_1H, START_1H, STREAM_1H])?,
            output,
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Beside, Side::Inside)?.tokens;
        if name.is_some_and(|n| n.contains("inference-profile/") && n.starts_with("arn:")) {
            out.note(Note::HiddenModel);
        }
        let record = Record::request(out.model(name)?, row.time(TIMESTAMP)?, tokens);
        out.record(record, id.map_or(Keep::All, Keep::First));
        Ok(())
    }
}
