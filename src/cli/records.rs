//! Reads records of usage from the files and folders that the user named, one after the other.
//!
//! From here on files are identified by numbers. Only a path that cannot be opened is repeated, as it was
//! typed; files inside a folder are never named.

use super::context::Context;
use super::error::CliError;
use super::files::{self, read_text};
use super::progress::Progress;
use crate::app::usage::{Asked, Map, Place, Reading};
use crate::catalog::Catalog;
use crate::document::usage::UsageDocument;
use std::cell::Cell;
use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most files of one folder, its subfolders included.
const MOST_FILES: usize = 500_000;
/// Deepest nesting of folders that is searched.
const DEEPEST: usize = 40;
/// Endings of files that may hold records.
const ENDINGS: [&str; 9] = ["jsonl", "ndjson", "json", "csv", "tsv", "log", "txt", "prom", "gz"];
/// Bytes from which on reading shows a progress bar.
const WATCHED: u64 = 64 << 20;

/// A file to read.
struct RecordFile {
    path: PathBuf,
    place: Place,
    size: u64,
}

/// Reads a mapping as `--map` takes it: pairs, or `@FILE`.
pub fn map(text: &str) -> Result<Map, CliError> {
    match text.strip_prefix('@') {
        Some(path) => read_text(Path::new(path)).map(Map::Json),
        None => Ok(Map::Pairs(text.to_owned())),
    }
}

/// Seconds since 1970 after which a record is in the future: the clock's, or the end of `--today`.
pub fn clock(context: &Context) -> Option<i64> {
    let clock = context.now.parse::<jiff::Timestamp>().ok()?.as_second();
    let today = context.today.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(clock.max(today))
}

/// Reads everything in `paths`; `-` is stdin.
pub fn read(
    paths: &[PathBuf],
    asked: Asked,
    catalog: &Catalog,
    context: &Context,
) -> Result<UsageDocument, CliError> {
    let mut reading = Reading::new(asked, catalog)?;
    let files = find(paths)?;
    let total: u64 = files.iter().map(|f| f.size).sum();
    let mut progress = Progress::new(context);
    if total >= WATCHED {
        progress.phase_bytes("reading records", Some(total));
    }
    let mut before = 0;
    for file in &files {
        if file.path == Path::new("-") {
            reading.file(Place::Named, |import| import.read(io::stdin().lock()))?;
            continue;
        }
        match files::open(&file.path) {
            Ok(open) => {
                let read = Cell::new(before);
                let counted = Counted { from: open, read: &read, progress: &progress };
                reading.file(file.place, |import| import.read(counted))?;
            }
            Err(_) if file.place == Place::InFolder => reading.unopened(),
            Err(e) => return Err(e),
        }
        before += file.size;
        progress.at(before);
    }
    progress.done();
    Ok(reading.finish(&context.now)?)
}

/// A reader that reports how far a file has been read.
struct Counted<'a> {
    from: File,
    read: &'a Cell<u64>,
    progress: &'a Progress<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(out)?;
        self.read.set(self.read.get() + n as u64);
        self.progress.at(self.read.get());
        Ok(n)
    }
}

/// The files of the paths that were named, each once.
fn find(paths: &[PathBuf]) -> Result<Vec<RecordFile>, CliError> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        if path == Path::new("-") {
            if found.iter().any(|f: &RecordFile| f.path == *path) {
                return Err(CliError::usage("`-` is given twice; stdin can be read once"));
            }
            found.push(RecordFile { path: path.clone(), place: Place::Named, size: 0 });
            continue;
        }
        let meta = std::fs::metadata(path).map_err(|e| CliError::file("read", path, &e))?;
        if meta.is_dir() {
            walk(path, 0, &mut seen, &mut found)?;
        } else {
            push(path.clone(), Place::Named, &meta, &mut seen, &mut found);
        }
    }
    Ok(found)
}

fn push(
    path: PathBuf,
    place: Place,
    meta: &Metadata,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<RecordFile>,
) {
    // A pipe has no canonical path.
    let real =
        if meta.is_file() { path.canonicalize().unwrap_or_else(|_| path.clone()) } else { path.clone() };
    if seen.insert(real) {
        found.push(RecordFile { path, place, size: meta.len() });
    }
}

/// Collects the files of a folder and its subfolders, sorted by name. Hidden ones and links to folders are
/// skipped.
fn walk(
    folder: &Path,
    depth: usize,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<RecordFile>,
) -> Result<(), CliError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if depth == 0 => return Err(CliError::file("read", folder, &e)),
        Err(_) => return Ok(()),
    };
    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside {
        if is_hidden(&path) {
            continue;
        }
        let Ok(link) = std::fs::symlink_metadata(&path) else { continue };
        if link.is_dir() {
            if depth < DEEPEST {
                walk(&path, depth + 1, seen, found)?;
            }
            continue;
        }
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        if meta.is_file() && has_records_ending(&path) {
            if found.len() >= MOST_FILES {
                return Err(CliError::usage(format!("more than {MOST_FILES} files are in there"))
                    .hint("name the folders that hold records"));
            }
            push(path, Place::InFolder, &meta, seen, found);
        }
    }
    Ok(())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with('.'))
}

fn has_records_ending(path: &Path) -> bool {
    // Metrics and logs are often kept without an ending.
    path.extension()
        .is_none_or(|e| e.to_str().is_some_and(|e| ENDINGS.iter().any(|known| e.eq_ignore_ascii_case(known))))
}
