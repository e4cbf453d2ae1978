//! `db check`: checks every shipped record and every record of the user's, and reports all problems at
//! once.

use crate::app::db as app;
use crate::catalog::shipped_files;
use crate::cli::catalog::{read, toml_files, user_files};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::OutputArgs;
use crate::document::db::document;
use std::path::PathBuf;

/// Check records: ids, units, ranges, references, dates, duplicates.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db check                        the shipped records, your own, and --catalog files
  freehold db check my-prices.toml         only this file, against the shipped records
  freehold db check hardware-db            a folder, with the folders in it")]
pub struct Args {
    /// Files or folders (default: the shipped records and your own).
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

type Files = Vec<(String, String)>;

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let mut layers = Vec::new();
    if args.paths.is_empty() {
        layers.push(shipped_files().iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect());
        layers.push(user_files(context)?);
        for file in &context.catalog_files {
            layers.push(vec![read(file)?]);
        }
    } else {
        let mut files = Files::new();
        for path in &args.paths {
            collect(path, &mut files)?;
        }
        layers.push(files);
    }
    let checked = document("check", app::check(&layers, context.today), &context.now);
    args.output.show(context, &checked)?;
    match checked.result.problems.len() {
        0 => Ok(()),
        1 => Err(CliError::new(Exit::Usage, "1 problem in the catalogue")),
        n => Err(CliError::new(Exit::Usage, format!("{n} problems in the catalogue"))),
    }
}

fn collect(path: &std::path::Path, files: &mut Files) -> Result<(), CliError> {
    if !path.is_dir() {
        files.push(read(path)?);
        return Ok(());
    }
    files.extend(toml_files(path)?);
    let entries = std::fs::read_dir(path).map_err(|e| CliError::file("read", path, &e))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders.iter().try_for_each(|folder| collect(folder, files))
}
