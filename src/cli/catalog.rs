//! The catalogue as commands use it: the shipped one, with the user's records over it.

use super::context::Context;
use super::error::CliError;
use super::files::read_capped;
use super::folders;
use crate::catalog::{Catalog, Problems, Provider, text};
use std::path::{Path, PathBuf};

/// The folder of the user's own records, where there is one.
pub fn user_folder(context: &Context) -> Option<PathBuf> {
    context.folders.data.as_ref().map(|data| data.join("hardware-db"))
}

/// Names and texts of the user's own files of records.
pub fn user_files(context: &Context) -> Result<Vec<(String, String)>, CliError> {
    user_folder(context).map_or_else(|| Ok(Vec::new()), |folder| toml_files(&folder))
}

/// The folder of the user's own records, for commands that need one.
pub fn needed_user_folder(context: &Context) -> Result<PathBuf, CliError> {
    user_folder(context)
        .ok_or_else(|| folders::none("records of your own", crate::cli::environment::DATA_DIR))
}

/// The shipped catalogue, then the user's folder, then every `--catalog FILE` in order.
pub fn load(context: &Context) -> Result<Catalog, CliError> {
    let mut catalog = Catalog::embedded();
    let own = user_files(context)?;
    if !own.is_empty() {
        let shipped = catalog.providers.clone();
        catalog = overlay(catalog, &own, context)?;
        keys_stay(&shipped, &catalog.providers)?;
    }
    for file in &context.catalog_files {
        let before = catalog.providers.clone();
        catalog = overlay(catalog, &[read(file)?], context)?;
        if catalog.providers != before {
            return Err(elsewhere(file, context));
        }
    }
    Ok(catalog)
}

/// The error for a provider in a `--catalog` file: such a file may have come with a project, and may hold
/// prices but never decide where keys and prompts are sent.
fn elsewhere(file: &Path, context: &Context) -> CliError {
    let error = CliError::usage(format!(
        "{}: a [[provider]] decides where keys and prompts go, and is not taken from a file given by --catalog",
        file.display()
    ));
    match user_folder(context) {
        Some(own) => error.hint(format!("Put it into your own folder if you trust it: {}", own.display())),
        None => error,
    }
}

/// Checks that no record of the user's sends a shipped provider's key somewhere else: a variable holds the
/// key of its provider.
fn keys_stay(shipped: &[Provider], all: &[Provider]) -> Result<(), CliError> {
    let place = |p: &Provider| (p.base_url.clone(), p.hosts.clone());
    for own in all {
        let Some(name) = &own.key_variable else { continue };
        let owners: Vec<&Provider> =
            shipped.iter().filter(|s| s.key_variable.as_ref() == Some(name)).collect();
        if !owners.is_empty() && owners.iter().all(|s| place(s) != place(own)) {
            return Err(CliError::usage(format!(
                "provider {}: {name} holds the key of {} and cannot be sent elsewhere",
                own.id, owners[0].name
            ))
            .hint("Give the record a key_variable of its own."));
        }
    }
    Ok(())
}

fn overlay(catalog: Catalog, files: &[(String, String)], context: &Context) -> Result<Catalog, CliError> {
    catalog.overlaid(files, context.today).map_err(|problems| bad_records(&problems))
}

/// The error for problems in the user's records, each with its place: exit 2.
pub fn bad_records(problems: &Problems) -> CliError {
    let n = problems.0.len();
    let what =
        if n == 1 { "a record cannot be used".to_owned() } else { format!("{n} records cannot be used") };
    CliError::usage(format!("{what}\n\n{problems}")).hint(
        "correct the file, or move it away to use the shipped catalogue; `freehold db check` checks again",
    )
}

/// Names and texts of the TOML files of a folder, sorted by name; none where there is no folder.
pub fn toml_files(folder: &Path) -> Result<Vec<(String, String)>, CliError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Service accounts may have /dev/null as home.
        Err(e) if matches!(e.kind(), NotFound | NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err(CliError::file("read", folder, &e)),
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml") && !hidden(p))
        .collect();
    paths.sort();
    paths.iter().map(|p| read(p)).collect()
}

/// Is this a dot file, as editors and interrupted writes leave them?
fn hidden(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_none_or(|n| n.starts_with('.'))
}

/// A catalogue file's name and text.
pub fn read(path: &Path) -> Result<(String, String), CliError> {
    Ok((path.display().to_string(), read_capped(path, text::MAX_FILE_BYTES)?))
}
