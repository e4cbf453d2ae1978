//! Finds profiles by name or file: the one place where `--profile` is looked up, whichever command has it.

use super::context::Context;
use super::error::CliError;
use super::files::{MAX_SETTINGS, read_capped};
use super::folders;
use super::output::write_atomic;
use crate::document::repeat::quoted;
use crate::spelling::nearest;
use crate::workload::profile::SHIPPED;
use crate::workload::{NeedDraft, Profile};
use std::path::{Path, PathBuf};

/// Does the argument name a file rather than a profile?
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

/// The file of a profile of the user's own; `None` where there is no folder for it.
fn saved(name: &str, context: &Context) -> Option<PathBuf> {
    context.folders.config.as_ref().map(|config| config.join("profiles").join(format!("{name}.toml")))
}

/// The profile in a file, one the user saved, or a shipped one. The user's own wins over a shipped one of
/// the same name.
pub fn find(name: &str, context: &Context) -> Result<Profile, CliError> {
    let own = if is_path(name) { Some(PathBuf::from(name)) } else { saved(name, context) };
    if let Some(own) = own.filter(|own| is_path(name) || own.is_file()) {
        let label = if is_path(name) { own.display().to_string() } else { name.to_owned() };
        return Profile::parse(&label, &read_capped(&own, MAX_SETTINGS)?)
            .map_err(|e| CliError::usage(e.to_string()));
    }
    if let Some(profile) = Profile::shipped(name) {
        return Ok(profile);
    }
    let names = || SHIPPED.iter().map(|(n, _)| *n);
    let known: Vec<&str> = names().collect();
    let error = CliError::usage(format!("there is no profile \"{name}\"; there are {}", known.join(", ")));
    Err(match nearest(name, names(), 1).first() {
        Some(near) => error.hint(format!("did you mean `--profile {near}`?")),
        None => error.hint("a file is named with its ending: `--profile need.toml`"),
    })
}

/// Saves the answers as a profile.
pub fn save(name: &str, draft: &NeedDraft, context: &Context) -> Result<(), CliError> {
    let path = if is_path(name) { Some(PathBuf::from(name)) } else { saved(name, context) };
    let path =
        path.ok_or_else(|| folders::none("profiles of your own", crate::cli::environment::CONFIG_DIR))?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| CliError::file("create", folder, &e))?;
    }
    let profile = Profile { title: name.to_owned(), draft: draft.clone(), ..Profile::default() };
    write_atomic(&path, profile.to_toml().as_bytes())?;
    let again = if is_path(name) { path.display().to_string() } else { name.to_owned() };
    let again = quoted(&again);
    context.note(&format!("Saved {}. Use it with: freehold advise --profile {again}", path.display()));
    Ok(())
}
