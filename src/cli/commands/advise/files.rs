//! Reads the documents that answer questions: what was measured and computed.

use super::args::Args;
use crate::cli::error::CliError;
use crate::cli::files::read_text;
use crate::document::breakeven::BreakevenDocument;
use crate::document::repeat::plain;
use crate::document::saved::Document;
use crate::provenance::{FileRole, Source, UserInput};
use crate::workload::given::{Given, Value, value_from_text};
use crate::workload::{Evidence, NeedDraft, keys};
use std::path::Path;

/// The documents of `--evidence` and `--cost`.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub evidence: Option<Evidence>,
    /// A cost document and the name of its file.
    pub cost: Option<(String, Box<BreakevenDocument>)>,
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
            (name, Document::Breakeven(cost)) => Some((name, cost)),
            (name, other) => return Err(wrong_kind(&name, "cost", "breakeven", &other)),
        };
    }
    Ok(files)
}

fn wrong_kind(file: &str, flag: &str, wanted: &str, got: &Document) -> CliError {
    CliError::usage(format!(
        "{file}: --{flag} takes a {wanted} document, and this one is of the kind \"{}\"; make one with `freehold {wanted} --json`",
        got.kind()
    ))
}

/// The answers and numbers of an advice document. What it only assumed is left out, to be asked or assumed
/// again.
pub(super) fn answers(path: &Path) -> Result<NeedDraft, CliError> {
    let name = path.display().to_string();
    let Document::Advice(advice) = Document::parse(&name, &read_text(path)?).map_err(CliError::usage)? else {
        return Err(CliError::usage(format!("{name}: --answers takes an advice document"))
            .hint("a need written down as TOML is given with --profile"));
    };
    let mut draft = NeedDraft::default();
    for key in keys::answers::KEYS.iter().chain(keys::need::KEYS) {
        let Some(input) = advice.inputs.get(&key.path()) else { continue };
        if matches!(input.source, Source::Assumed { .. }) {
            continue;
        }
        let how =
            UserInput::File { role: FileRole::Document, file: name.clone(), line: None, key: key.path() };
        let given = match &input.value {
            serde_json::Value::Bool(on) => Given { value: Value::Flag(*on), source: Source::User(how) },
            _ => {
                value_from_text(key, how, &plain(&input.value)).map_err(|e| CliError::usage(e.to_string()))?
            }
        };
        draft.set(key, given);
    }
    Ok(draft)
}
