//! The run's journal: one JSON line per request, written before the next request begins, so that a
//! kill loses at most the request in flight.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::report::bench::Sample;
use serde::Serialize;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Written at most this often to the disk itself.
const SYNC: Duration = Duration::from_secs(1);

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    synced: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
enum Line<'a> {
    Run { format: &'a str, tool_version: &'a str, created: &'a str },
    Sample { warmup: bool, sample: &'a Sample, icl_ms: &'a [f64] },
    End { complete: bool },
}

impl Journal {
    /// Beside the output file, or in the cache folder where there is none.
    pub fn create(output: Option<&Path>, context: &Context) -> Result<Self, CliError> {
        let path = if let Some(output) = output.filter(|p| *p != Path::new("-")) {
            output.with_extension("journal.jsonl")
        } else {
            let folder = context.cache_dir.join("runs");
            std::fs::create_dir_all(&folder).map_err(|e| CliError::file("create", &folder, &e))?;
            folder.join(format!("{}-{}.jsonl", context.now.replace(':', ""), std::process::id()))
        };
        let open = || File::options().create(true).write(true).truncate(false).open(&path);
        let file = open().map_err(|e| CliError::file("write the journal", &path, &e))?;
        if let Err(e) = file.try_lock() {
            return Err(match e {
                std::fs::TryLockError::WouldBlock => {
                    CliError::failed(format!("another run is writing {}", path.display()))
                        .hint("Wait for it to end, or name another output file with -o.")
                }
                std::fs::TryLockError::Error(e) => CliError::file("lock", &path, &e),
            });
        }
        file.set_len(0).map_err(|e| CliError::file("write the journal", &path, &e))?;
        let mut journal = Self { file, path, synced: Instant::now() };
        journal.line(&Line::Run {
            format: "freehold.bench-journal/1",
            tool_version: env!("CARGO_PKG_VERSION"),
            created: &context.now,
        })?;
        Ok(journal)
    }

    /// One request that ended.
    pub fn sample(&mut self, sample: &Sample, warmup: bool, icl_ms: &[f64]) -> Result<(), CliError> {
        self.line(&Line::Sample { warmup, sample, icl_ms })
    }

    /// The run ended by itself.
    pub fn end(mut self, complete: bool) -> Result<PathBuf, CliError> {
        self.line(&Line::End { complete })?;
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))?;
        Ok(self.path)
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), CliError> {
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
