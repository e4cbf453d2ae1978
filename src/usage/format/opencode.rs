//! opencode: the older `storage/message/**/*.json`, one file for each message. Newer versions keep a
//! database `opencode*.db`, which is not read itself; its messages are, once they are exported as JSON
//! (`sqlite3 -json opencode.db 'select data from message'`).

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::normal::{Counts, Side};
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Keep, Reason, Record, Skip};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    ID = "id",
    ROLE = "role",
    MODEL = "modelID",
    CREATED = "time/created",
    COST = "cost",
    INPUT = "tokens/input",
    OUTPUT = "tokens/output",
    REASONING = "tokens/reasoning",
    READ = "tokens/cache/read",
    WRITE = "tokens/cache/write",
}

static OTHER_ROW: Reason = Reason::new(Class::NotACall, "not a model answer (user message); not an error");

pub static FORMAT: Format = Format {
    name: "opencode",
    about: "opencode messages (the folder storage/message, or the database exported as JSON)",
    fields: FIELDS,
    same: &["data"],
    marks: &[
        &["modelID", "providerID", "tokens/cache/read"],
        &["data/modelID", "data/providerID", "data/tokens/cache/read"],
    ],
    reader: || Box::new(OpenCode),
    ..Format::PLAIN
};

struct OpenCode;

impl Reader for OpenCode {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if !(row.is(ROLE, "assistant") || row.has(MODEL)) || !(row.has(INPUT) || row.has(OUTPUT)) {
            return Err(Skip::of(&OTHER_ROW));
        }
        let counts = Counts {
            input: row.count(INPUT)?,
            cache_read: row.count(READ)?,
            cache_write: row.count(WRITE)?,
            output: row.count(OUTPUT)?,
            reasoning: row.count(REASONING)?,
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Beside, Side::Beside)?.tokens;
        let mut record = Record::request(out.model(row.text(MODEL))?, row.time(CREATED)?, tokens);
        record.usd = row.amount(COST)?;
        let keep = row.text(ID).map_or(Keep::All, |id| Keep::Last(ids::id(FORMAT.name, id)));
        out.record(record, keep);
        Ok(())
    }
}
