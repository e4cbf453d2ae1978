//! Claude Code: `projects/<folder>/<session>.jsonl` and `…/subagents/agent-*.jsonl`, one row for each
//! block of an answer.
//!
//! An answer of several blocks is several rows with the same `message.id`, of which the early ones have
//! part of the output; resumed and forked sessions copy rows into a new file, and side conversations
//! repeat rows of their parent under another `requestId`. So the fullest row of a message counts.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Keep, Reason, Record, Repeat, Skip, Tier};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    TYPE = "type",
    TIMESTAMP = "timestamp",
    REQUEST = "requestId",
    SIDECHAIN = "isSidechain",
    API_ERROR = "isApiErrorMessage",
    COST = "costUSD",
    UUID = "uuid",
    MESSAGE = "message/id",
    MODEL = "message/model",
    INPUT = "message/usage/input_tokens",
    WRITE = "message/usage/cache_creation_input_tokens",
    WRITE_5M = "message/usage/cache_creation/ephemeral_5m_input_tokens",
    WRITE_1H = "message/usage/cache_creation/ephemeral_1h_input_tokens",
    READ = "message/usage/cache_read_input_tokens",
    OUTPUT = "message/usage/output_tokens",
    THINKING = "message/usage/output_tokens_details/thinking_tokens",
    SERVICE_TIER = "message/usage/service_tier",
    SPEED = "message/usage/speed",
}

static OTHER_ROW: Reason = Reason::new(
    Class::NotACall,
    "not an assistant usage row (summary, user, file-history-snapshot); not an error",
);
static SYNTHETIC: Reason = Reason::new(Class::NotACall, "synthetic model / API error row, no tokens");

/// Days after which Claude Code deletes files by default (`cleanupPeriodDays`).
const KEPT_DAYS: i32 = 30;

pub static FORMAT: Format = Format {
    name: "claude-code",
    about: "Claude Code sessions (the folder projects/ under ~/.claude or ~/.config/claude)",
    fields: FIELDS,
    marks: &[
        &["type", "uuid", "message/usage/input_tokens", "sessionId"],
        &["type", "timestamp", "message/usage/input_tokens", "message/model"],
        &["type", "uuid", "sessionId", "parentUuid"],
        &["type", "leafUuid", "summary"],
        &["type", "messageId", "snapshot"],
    ],
    reader: || Box::new(ClaudeCode),
    ..Format::PLAIN
};

struct ClaudeCode;

impl Reader for ClaudeCode {
    fn open(&mut self, out: &mut Collector) {
        out.kept_days(KEPT_DAYS);
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if !row.is(TYPE, "assistant") {
            return Err(Skip::of(&OTHER_ROW));
        }
        if row.is(MODEL, "<synthetic>") || row.is_true(API_ERROR) {
            return Err(Skip::of(&SYNTHETIC));
        }
        let counts = Counts {
            input: row.count(INPUT)?,
            cache_read: row.count(READ)?,
            cache_write: row.count(WRITE)?,
            cache_write_5m: row.count(WRITE_5M)?,
            cache_write_1h: row.count(WRITE_1H)?,
            output: row.count(OUTPUT)?,
            reasoning: row.count(THINKING)?,
            total: None,
        };
        if counts.is_empty() {
            return Err(Skip::of(&OTHER_ROW));
        }
        let tokens = counts.normal(Side::Beside, Side::Inside)?.tokens;
        let mut record = Record::request(out.model(row.text(MODEL))?, row.time(TIMESTAMP)?, tokens);
        record.usd = row.amount(COST)?;
        record.tier = match (row.text(SERVICE_TIER), row.is(SPEED, "fast")) {
            (Some("batch"), _) => Tier::Batch,
            (_, true) => Tier::Fast,
            (tier, false) => tier.map_or(Tier::Standard, Tier::of),
        };
        // A row without any id counts as an answer of its own.
        let id = [MESSAGE, REQUEST, UUID].into_iter().find_map(|slot| row.text(slot));
        let Some(id) = id else {
            out.record(record, Keep::All);
            return Ok(());
        };
        let request = row.hash(REQUEST);
        let repeat = Repeat {
            id: ids::id(FORMAT.name, id),
            // Never 0 if there is an id.
            request: (request >> 48) as u16 | u16::from(request != 0),
            copy: row.is_true(SIDECHAIN),
        };
        out.record(record, Keep::Largest(repeat));
        Ok(())
    }
}
