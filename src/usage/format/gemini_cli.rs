//! Gemini CLI: `~/.gemini/tmp/<folder>/chats/session-*.json` (one document with `messages`) or `.jsonl` (a
//! header, then rows; deeper folders belong to subagents).
//!
//! Rows are written again as they grow, `$set.messages` lists earlier ones again, and a rewound
//! conversation hides calls that were paid for. Each message counts once, in its last version.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Convention, Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Keep, Reason, Record, Skip};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    TYPE = "type",
    ID = "id",
    TIMESTAMP = "timestamp",
    MODEL = "model",
    INPUT = "tokens/input",
    OUTPUT = "tokens/output",
    CACHED = "tokens/cached",
    THOUGHTS = "tokens/thoughts",
    TOOL = "tokens/tool",
    TOTAL = "tokens/total",
}

static OTHER_ROW: Reason =
    Reason::new(Class::NotACall, "not a model answer (header, user, info); not an error");

pub static FORMAT: Format = Format {
    name: "gemini-cli",
    about: "Gemini CLI chats (the folders chats/ under ~/.gemini/tmp)",
    fields: FIELDS,
    rows: &["messages[]", "$set/messages[]"],
    marks: &[
        &["type", "id", "tokens/input", "tokens/cached", "tokens/thoughts"],
        &["sessionId", "projectHash", "startTime"],
    ],
    reader: || Box::new(GeminiCli),
    ..Format::PLAIN
};

struct GeminiCli;

impl Reader for GeminiCli {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if !row.is(TYPE, "gemini") || !(row.has(INPUT) || row.has(OUTPUT)) {
            return Err(Skip::of(&OTHER_ROW));
        }
        // Results of tools are given to the model in addition to the prompt. The total shows whether they
        // are counted, with or without the cached tokens, which `input` includes.
        let (input, output) = (row.count(INPUT)?.unwrap_or(0), row.count(OUTPUT)?.unwrap_or(0));
        let (thoughts, tool) = (row.count(THOUGHTS)?, row.count(TOOL)?.unwrap_or(0));
        let total = row.count(TOTAL)?;
        let counts = Counts {
            input: Some(input),
            cache_read: row.count(CACHED)?,
            output: Some(output),
            reasoning: thoughts,
            total: total.map(|total| total.saturating_sub(tool)),
            ..Counts::default()
        };
        let mut tokens = counts.normal(Side::Unsure(Convention::Inside), Side::Beside)?.tokens;
        tokens.input = tokens.input.saturating_add(tool);
        let record = Record::request(out.model(row.text(MODEL))?, row.time(TIMESTAMP)?, tokens);
        let keep = row.text(ID).map_or(Keep::All, |id| Keep::Last(ids::id(FORMAT.name, id)));
        out.record(record, keep);
        Ok(())
    }
}
