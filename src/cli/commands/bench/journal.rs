//! The run's journal: one JSON line per request, written before the next request begins, so that a
//! kill loses at most the request in flight, and `--resume` goes on with the others.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::report::bench::Sample;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Written at most this often to the disk itself.
const SYNC: Duration = Duration::from_secs(1);
const FORMAT: &str = "freehold.bench-journal/1";

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    synced: Instant,
}

/// What makes two runs the same run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub tool_version: String,
    pub created: String,
    /// Begins every cache marker of the run.
    pub run_id: String,
    /// SHA-256 of the prompts, the targets and the settings.
    pub inputs_sha256: String,
    /// The command line after the program's name; keys are never in it.
    pub arguments: Vec<String>,
}

impl Header {
    pub fn new(context: &Context, run_id: String, inputs_sha256: String) -> Self {
        Self {
            format: FORMAT.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created: context.now.clone(),
            run_id,
            inputs_sha256,
            arguments: std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect(),
        }
    }
}

/// A request that ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    pub warmup: bool,
    pub sample: Sample,
    /// Every gap between content events.
    pub icl_ms: Vec<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
enum Line {
    Run(Header),
    Sample(Box<Done>),
    End { complete: bool },
}

/// An unfinished run, read back.
#[derive(Debug)]
pub struct Earlier {
    pub header: Header,
    pub done: Vec<Done>,
    /// Bytes up to the end of the last whole line.
    whole: u64,
}

/// Where a run's journal is: beside the output file, or in the cache folder where there is none.
fn place(output: Option<&Path>, context: &Context) -> Result<PathBuf, CliError> {
    if let Some(output) = output.filter(|p| *p != Path::new("-")) {
        return Ok(output.with_extension("journal.jsonl"));
    }
    let folder = context.cache_dir.join("runs");
    std::fs::create_dir_all(&folder).map_err(|e| CliError::file("create", &folder, &e))?;
    Ok(folder.join(format!("{}-{}.jsonl", context.now.replace(':', ""), std::process::id())))
}

/// Read an unfinished run. A last line without its end was being written when the run was killed
/// and is left out; any other broken line is refused.
pub fn read(path: &Path) -> Result<Earlier, CliError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|mut f| f.read_to_string(&mut text))
        .map_err(|e| CliError::file("read the journal", path, &e))?;
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    let (mut header, mut done) = (None, Vec::new());
    for (n, line) in text[..whole].lines().enumerate() {
        match serde_json::from_str::<Line>(line) {
            Ok(Line::Run(h)) if n == 0 && h.format == FORMAT => header = Some(h),
            Ok(Line::Sample(sample)) if n > 0 => done.push(*sample),
            Ok(Line::End { complete: true }) => {
                return Err(CliError::usage(format!(
                    "{}: this run is complete, there is nothing to go on with",
                    path.display()
                )));
            }
            Ok(Line::End { complete: false }) if n > 0 => {}
            Ok(_) => return Err(broken(path, n, "it does not belong there")),
            Err(e) => return Err(broken(path, n, &e.to_string())),
        }
    }
    let header = header.ok_or_else(|| broken(path, 0, "the journal has no beginning"))?;
    Ok(Earlier { header, done, whole: whole as u64 })
}

fn broken(path: &Path, n: usize, why: &str) -> CliError {
    CliError::usage(format!("{}, line {}: not a line of a bench journal: {why}", path.display(), n + 1))
        .hint("Give the .journal.jsonl file that an interrupted `freehold bench` left.")
}

impl Journal {
    /// A new journal for a run that writes to `output`.
    pub fn create(output: Option<&Path>, context: &Context, header: Header) -> Result<Self, CliError> {
        let mut journal = Self::open(place(output, context)?)?;
        journal.file.set_len(0).map_err(|e| CliError::file("write the journal", &journal.path, &e))?;
        journal.line(&Line::Run(header))?;
        Ok(journal)
    }

    /// Go on writing an earlier run's journal.
    pub fn go_on(path: &Path, earlier: &Earlier) -> Result<Self, CliError> {
        let mut journal = Self::open(path.to_owned())?;
        journal
            .file
            .set_len(earlier.whole)
            .and_then(|()| journal.file.seek(SeekFrom::End(0)))
            .map_err(|e| CliError::file("write the journal", path, &e))?;
        Ok(journal)
    }

    fn open(path: PathBuf) -> Result<Self, CliError> {
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| CliError::file("write the journal", &path, &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path, synced: Instant::now() }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(CliError::failed(format!("another run is writing {}", path.display()))
                    .hint("Wait for it to end, or name another output file with -o."))
            }
            Err(std::fs::TryLockError::Error(e)) => Err(CliError::file("lock", &path, &e)),
        }
    }

    /// One request that ended.
    pub fn sample(&mut self, done: Done) -> Result<(), CliError> {
        self.line(&Line::Sample(Box::new(done)))
    }

    /// The run ended by itself.
    pub fn end(mut self, complete: bool) -> Result<PathBuf, CliError> {
        self.line(&Line::End { complete })?;
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))?;
        Ok(self.path)
    }

    fn line(&mut self, line: &Line) -> Result<(), CliError> {
        let mut text =
            serde_json::to_string(line).map_err(|e| CliError::failed(format!("the journal: {e}")))?;
        text.push('\n');
        // One write per line, so that another reader never sees half of one.
        let written = self.file.write_all(text.as_bytes()).and_then(|()| {
            if self.synced.elapsed() < SYNC {
                return Ok(());
            }
            self.synced = Instant::now();
            self.file.sync_data()
        });
        written.map_err(|e| CliError::file("write the journal", &self.path, &e))
    }
}
