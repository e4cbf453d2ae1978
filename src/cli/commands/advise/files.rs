//! The files `advise` reads and writes: profiles, and the documents that answer questions.

use super::Args;
use crate::advise::CostEvidence;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::read_text;
use crate::cli::folders;
use crate::cli::output::write_atomic;
use crate::document::saved::Document;
use crate::spelling::nearest;
use crate::workload::profile::{self, ProfileRequests, SHIPPED};
use crate::workload::{Evidence, NeedDraft, Profile};
use std::path::{Path, PathBuf};

/// What was measured and computed.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub evidence: Option<Evidence>,
    pub cost: Option<CostEvidence>,
}

/// A profile and the name its answers are credited to.
#[derive(Debug)]
pub(super) struct NamedProfile {
    pub name: String,
    pub profile: Profile,
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

/// Does the argument name a file rather than a profile?
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

/// Where a profile of the user's own is kept, where there is a folder for it.
fn saved(name: &str, context: &Context) -> Option<PathBuf> {
    context.folders.config.as_ref().map(|config| config.join("profiles").join(format!("{name}.toml")))
}

/// A file, one the user saved, or a shipped one.
pub(super) fn profile(name: &str, context: &Context) -> Result<NamedProfile, CliError> {
    let own = if is_path(name) { Some(PathBuf::from(name)) } else { saved(name, context) };
    if let Some(own) = own.filter(|own| is_path(name) || own.is_file()) {
        let label = own.display().to_string();
        let profile = Profile::parse(&label, &read_text(&own)?).map_err(CliError::usage)?;
        return Ok(NamedProfile { name: label, profile });
    }
    if let Some(profile) = Profile::shipped(name) {
        return Ok(NamedProfile { name: format!("profile {name}"), profile });
    }
    let names = SHIPPED.iter().map(|(n, _)| *n);
    let known: Vec<&str> = names.clone().collect();
    let error = CliError::usage(format!("there is no profile \"{name}\"; there are {}", known.join(", ")));
    Err(match nearest(name, names, 1).first() {
        Some(near) => error.hint(format!("did you mean `--profile {near}`?")),
        None => error.hint("a file is named with its ending: `--profile need.toml`"),
    })
}

/// Write the answers down.
pub(super) fn save_profile(name: &str, draft: &NeedDraft, context: &Context) -> Result<(), CliError> {
    let path = if is_path(name) { Some(PathBuf::from(name)) } else { saved(name, context) };
    let path = path.ok_or_else(|| folders::none("profiles of your own", "FREEHOLD_CONFIG_DIR"))?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| CliError::file("create", folder, &e))?;
    }
    let text = toml::to_string(&from_draft(name, draft))
        .map_err(|e| CliError::failed(format!("cannot write the profile {}: {e}", path.display())))?;
    write_atomic(&path, text.as_bytes())?;
    let again = if is_path(name) { path.display().to_string() } else { name.to_owned() };
    context.note(&format!("Saved {}. Use it with: freehold advise --profile {again}", path.display()));
    Ok(())
}

fn from_draft(title: &str, draft: &NeedDraft) -> Profile {
    let count = |v: &Option<crate::provenance::Sourced<f64>>| {
        v.as_ref().and_then(|v| profile::Count::try_from(v.value).ok())
    };
    let need = ProfileRequests {
        requests_per_month: count(&draft.requests_per_month),
        input_tokens: count(&draft.input_tokens),
        cached_input_share: draft
            .cached_input_share
            .as_ref()
            .and_then(|v| crate::units::Share::try_from(v.value).ok()),
        output_tokens: count(&draft.output_tokens),
        reasoning_tokens: count(&draft.reasoning_tokens),
    };
    Profile {
        title: title.to_owned(),
        privacy: draft.privacy.as_ref().map(|a| a.value),
        privacy_reason: draft.privacy_reason.as_ref().map(|a| a.value),
        volume: draft.volume.as_ref().map(|a| a.value),
        capability: draft.capability.as_ref().map(|a| a.value),
        operations: draft.operations.as_ref().map(|a| a.value),
        budget: draft.budget.as_ref().map(|a| a.value),
        modifiers: draft.modifiers.iter().map(|m| m.value).collect(),
        need: (need != ProfileRequests::default()).then_some(need),
        ..Profile::default()
    }
}
