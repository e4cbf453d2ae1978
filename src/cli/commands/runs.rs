//! `runs`: lists the journals of runs without an output file, and deletes old ones.

use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::folders;
use crate::cli::output::OutputArgs;
use crate::document::runs::{KeptRun, RunsResult, document};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The runs of bench that are kept without an output file: where, how old, how large; delete old ones
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold runs                       which runs are kept, and where
  freehold runs --older-than 30d      only those
  freehold runs --older-than 30d --delete
  freehold bench --resume \"$(freehold runs --folder)/2026-11-27T101500Z-4711.jsonl\"

A run's journal holds its prompts and answers, so nobody else may read it. With -o FILE it stands beside
FILE and is yours to keep or delete; without, it is kept here.")]
pub struct Args {
    /// Only those that were last written to so long ago: 30d, 12h, 2weeks.
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// Delete them (one that is being written stays).
    #[arg(long, requires = "older_than")]
    delete: bool,
    /// Do not ask.
    #[arg(long, short, requires = "delete")]
    yes: bool,
    /// Print only the folder.
    #[arg(long, conflicts_with_all = ["older_than", "delete"])]
    folder: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let folder = context.folders.cache.as_ref().map(|cache| cache.join(folders::RUNS));
    if args.folder {
        let folder = folder.ok_or_else(|| folders::none("journals", crate::cli::environment::CACHE_DIR))?;
        return args.output.write_text(&format!("{}\n", folder.display()));
    }
    let least = args.older_than.unwrap_or_default();
    let mut found = folder.as_deref().map_or_else(|| Ok(Vec::new()), kept)?;
    found.retain(|(_, run)| run.age_s >= least.as_secs_f64());
    if args.delete {
        delete(&mut found, args.yes, context)?;
    }
    let result = RunsResult {
        folder: folder.map(|f| f.display().to_string()),
        runs: found.into_iter().map(|(_, run)| run).collect(),
    };
    args.output.show(context, &document(result, &context.now))
}

/// The journals in a folder, newest first; none where there is no folder.
fn kept(folder: &Path) -> Result<Vec<(PathBuf, KeptRun)>, CliError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let failed = |e: &std::io::Error| CliError::file("read", folder, e);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), NotFound | NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err(failed(&e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| failed(&e))?.path();
        let is_journal = path.extension().is_some_and(|e| e == "jsonl");
        // Files that are not ours are neither shown nor deleted, nor is what a link leads to.
        let Ok(meta) = path.symlink_metadata() else { continue };
        if !is_journal || !meta.is_file() {
            continue;
        }
        let written = meta.modified().map_err(|e| failed(&e))?;
        let run = KeptRun {
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            written: written_at(written),
            age_s: SystemTime::now().duration_since(written).unwrap_or_default().as_secs_f64(),
            bytes: meta.len(),
            being_written: is_locked(&path),
            deleted: false,
        };
        found.push((path, run));
    }
    found.sort_by(|(_, a), (_, b)| a.age_s.total_cmp(&b.age_s).then_with(|| b.file.cmp(&a.file)));
    Ok(found)
}

fn written_at(time: SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Is a run writing to it at this moment?
fn is_locked(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock))
}

fn delete(found: &mut [(PathBuf, KeptRun)], yes: bool, context: &Context) -> Result<(), CliError> {
    let mut old: Vec<_> = found.iter_mut().filter(|(_, run)| !run.being_written).collect();
    if old.is_empty() {
        return Ok(());
    }
    if !yes {
        let n = old.len();
        let question = format!("Delete {n} run{}?", if n == 1 { "" } else { "s" });
        if !context.can_ask() {
            return Err(CliError::usage("nothing was deleted: there is no terminal to ask on")
                .hint("--yes deletes without asking; without --delete they are only shown"));
        }
        if !Terminal::new().confirm(&question, false)? {
            return Err(CliError::failed("nothing was deleted"));
        }
    }
    for (path, run) in &mut old {
        std::fs::remove_file(&*path).map_err(|e| CliError::file("delete", path, &e))?;
        run.deleted = true;
    }
    Ok(())
}
