//! The documents that answer questions: what was measured and computed.

use super::Args;
use crate::advise::CostEvidence;
use crate::cli::error::CliError;
use crate::cli::files::read_text;
use crate::document::saved::Document;
use crate::workload::Evidence;
use std::path::Path;

/// What was measured and computed.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub evidence: Option<Evidence>,
    pub cost: Option<CostEvidence>,
}

pub(super) fn read(args: &Args) -> Result<Files, CliError> {
    let document = |path: &Path| {
        let name = path.display().to_string();
        Document::parse(&name, &read_text(path)?).map(|d| (name, d)).map_err(CliError::usage)
    };
    let mut files = Files::default();
    if let Some(path) = &args.evidence {
        files.evidence = match document(path)? {
            (name, Document::Bench(bench)) => Some(bench.evidence(&name)),
            (name, other) => return Err(wrong_kind(&name, "evidence", "bench", &other)),
        };
    }
    if let Some(path) = &args.cost {
        files.cost = match document(path)? {
            (name, Document::Breakeven(cost)) => Some(cost.evidence(&name)),
            (name, other) => return Err(wrong_kind(&name, "cost", "breakeven", &other)),
        };
    }
    Ok(files)
}

fn wrong_kind(file: &str, flag: &str, wanted: &str, got: &Document) -> CliError {
    CliError::usage(format!(
        "{file}: --{flag} takes a {wanted} document, and this is a {} document; make one with `freehold {wanted} --json`",
        got.kind()
    ))
}
