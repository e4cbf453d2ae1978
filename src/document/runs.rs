//! `freehold.runs/1`: runs of `bench` whose journals are kept in the user's cache folder.

use super::envelope::Envelope;
use serde::Serialize;

/// The journals that are kept, and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunsResult {
    /// The folder of the journals; null where the user has no cache folder.
    pub folder: Option<String>,
    /// The journals, newest first.
    pub runs: Vec<KeptRun>,
}

/// The journal of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptRun {
    /// Its file name, without the folder.
    pub file: String,
    /// When it was last written to: RFC 3339, UTC.
    pub written: Option<String>,
    /// How long ago that was, seconds.
    pub age_s: f64,
    /// Its size, bytes.
    pub bytes: u64,
    /// A run is writing to it at the moment.
    pub being_written: bool,
    /// This command has just deleted it.
    pub deleted: bool,
}

/// The document. `now` is RFC 3339, UTC.
pub fn document(result: RunsResult, now: &str) -> Envelope<RunsResult> {
    Envelope {
        schema: "freehold.runs/1".to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.to_owned(),
        inputs: std::collections::BTreeMap::new(),
        result,
        warnings: Vec::new(),
    }
}
