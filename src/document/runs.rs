//! `freehold.runs/1`: the runs whose journals are kept in the user's cache.

use super::envelope::Envelope;
use serde::Serialize;

/// What is kept, and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunsResult {
    /// The folder of the journals; null where the user has none.
    pub folder: Option<String>,
    /// The newest first.
    pub runs: Vec<KeptRun>,
}

/// One journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptRun {
    /// Its name in the folder.
    pub file: String,
    /// When it was last written to: RFC 3339, UTC.
    pub written: Option<String>,
    /// How long ago that was, seconds.
    pub age_s: f64,
    /// Its size.
    pub bytes: u64,
    /// A run is writing it.
    pub being_written: bool,
    /// It was deleted just now.
    pub deleted: bool,
}

/// The document; `now` is RFC 3339, UTC.
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
