//! Documents of the `db` commands: `freehold.db-age/1` and its siblings. They have no JSON Schema.

use super::envelope::Envelope;
use crate::catalog::Problem;
use crate::catalog::compare::{Change, Comparison, Implausible};
use crate::catalog::import::Skipped;
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The document of a `db` command; `name` is the command's: `age`. `now` is RFC 3339.
pub fn document<R>(name: &str, result: R, now: &str) -> Envelope<R> {
    Envelope {
        schema: format!("freehold.db-{name}/1"),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.to_owned(),
        inputs: std::collections::BTreeMap::new(),
        result,
        warnings: Vec::new(),
    }
}

/// How old the catalogue's figures are.
#[derive(Debug, Serialize)]
pub struct Ages {
    pub stale_after_days: u16,
    pub kinds: Vec<KindAge>,
    pub stale: Vec<Stale>,
    pub soon: Vec<Soon>,
}

/// Age of the records of one kind.
#[derive(Debug, Serialize)]
pub struct KindAge {
    pub kind: &'static str,
    pub records: usize,
    pub oldest: Option<String>,
    pub oldest_as_of: Option<Date>,
    pub newest_as_of: Option<Date>,
    pub stale: usize,
}

/// A record whose figures were read more than `stale_after_days` days ago.
#[derive(Debug, Serialize)]
pub struct Stale {
    pub kind: &'static str,
    pub id: String,
    pub as_of: Date,
    pub age_days: i32,
    /// Where the record's figures were read.
    pub source: String,
}

/// A price that changes, or a model that is retired, within the next `stale_after_days` days.
#[derive(Debug, Serialize)]
pub struct Soon {
    pub id: String,
    pub on: Date,
    pub what: &'static str,
}

/// A catalogue record, printed.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Name of the record's table in the catalogue files.
    pub kind: &'static str,
    /// The alias that it was found by; null where its id was given.
    pub alias: Option<String>,
    pub record: Value,
}

/// Problems in the records of some files.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    pub files: Vec<CheckedFile>,
    #[serde(serialize_with = "problems")]
    pub problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
pub struct CheckedFile {
    pub file: String,
    pub records: usize,
}

fn problems<S: Serializer>(list: &[Problem], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(|p| {
        json!({
            "file": p.file, "line": p.line, "column": p.column, "message": p.message,
            "expected": p.expected, "excerpt": p.excerpt,
        })
    }))
}

/// The files that the catalogue is read from.
#[derive(Debug, Serialize)]
pub struct Paths {
    /// Files that are part of the binary.
    pub shipped: Vec<String>,
    /// The folder of the user's own records; null where there is none.
    pub user_folder: Option<String>,
    /// Files in that folder.
    pub user: Vec<String>,
    /// Files given with `--catalog`.
    pub given: Vec<String>,
}

/// What an import of prices would change.
#[derive(Debug, Serialize)]
pub struct ImportPlan {
    /// The file that it would be written to.
    pub target: String,
    /// Number of records that would be taken over.
    pub records: usize,
    #[serde(serialize_with = "comparison")]
    pub comparison: Comparison,
    #[serde(serialize_with = "skipped")]
    pub skipped: Vec<Skipped>,
}

/// Where two sources of prices disagree.
#[derive(Debug, Serialize)]
pub struct Differences {
    pub a: String,
    pub b: String,
    #[serde(serialize_with = "comparison")]
    pub comparison: Comparison,
    pub decisions: Vec<Decision>,
}

/// Which of two sources the shipped price is taken from, and why.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Decision {
    pub id: String,
    pub shipped: &'static str,
    pub reason: String,
}

fn skipped<S: Serializer>(list: &[Skipped], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(|s| json!({"id": s.id, "reason": s.reason.to_string()})))
}

fn comparison<S: Serializer>(c: &Comparison, to: S) -> Result<S::Ok, S::Error> {
    let change = |c: &Change| json!({"id": c.id, "field": c.field, "old": c.old, "new": c.new});
    let odd = |i: &Implausible| json!({"id": i.id, "reason": i.reason});
    let value = json!({
        "same": c.same,
        "added": c.added,
        "gone": c.gone,
        "changed": c.changed.iter().map(change).collect::<Vec<_>>(),
        "implausible": c.implausible.iter().map(odd).collect::<Vec<_>>(),
    });
    value.serialize(to)
}
