//! The run's journal as a file: found, locked against other runs, read, and written line by line
//! ([`crate::app::bench::journal`] defines its content).

use crate::app::bench::journal::{Earlier, End, Header, InPlace, Line, Reading};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::output::{has_a_folder, open_private};
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Least time between two syncs to the disk itself.
const SYNC: Duration = Duration::from_secs(1);
/// Most bytes of a line: the first holds all prompts of the run.
const LONGEST_LINE: u64 = 512 << 20;

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    session: u32,
    /// The journal of an earlier, complete run with this name; it is deleted once this run has measured
    /// something.
    before: Option<PathBuf>,
    synced: Instant,
    /// Asks a thread for a sync, which may take long and which nobody waits for.
    sync: SyncSender<()>,
}

/// The journal that belongs to `path`, which may be the name of the journal or of its report.
pub fn of_run(path: &Path) -> PathBuf {
    let is_report = path.extension().is_some_and(|e| e == "json");
    if is_report { path.with_extension("journal.jsonl") } else { path.to_owned() }
}

/// Where a run's journal is: beside the output file, or in the cache folder where there is none.
fn place(output: Option<&Path>, context: &Context) -> Result<PathBuf, CliError> {
    if let Some(output) = output.filter(|p| has_a_folder(p)) {
        return Ok(output.with_extension("journal.jsonl"));
    }
    let folder = context.folders.needed_runs()?;
    Ok(folder.join(format!("{}-{}.jsonl", context.now.replace(':', ""), std::process::id())))
}

/// Reads a run from its journal.
pub fn read(path: &Path) -> Result<Earlier, CliError> {
    ordinary(path)?;
    read_from(path, &files::open(path)?)
}

/// Checks that a journal is a regular file: one would wait for a pipe, and read a device for ever.
fn ordinary(path: &Path) -> Result<(), CliError> {
    let there = std::fs::metadata(path).map_err(|e| {
        let error = CliError::file("read the journal", path, &e);
        if e.kind() == std::io::ErrorKind::NotFound {
            error.hint("The journal lies beside the report it belongs to; without it, use `freehold report` with the report.")
        } else {
            error
        }
    })?;
    if there.is_file() {
        return Ok(());
    }
    Err(CliError::usage(format!("{} is not an ordinary file", path.display()))
        .hint("Give the .journal.jsonl file that `freehold bench` wrote, or the report beside it."))
}

/// Reads a run. A last line without a line end was being written when the run was killed, and is left out;
/// any other broken line is an error.
fn read_from(path: &Path, file: &File) -> Result<Earlier, CliError> {
    let fail = |e: std::io::Error| CliError::file("read the journal", path, &e);
    let mut reader = BufReader::new(file);
    let mut reading = Reading::new(path.display().to_string());
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(fail)?;
        if bytes.ends_with(b"\n") {
            reading.line(&bytes)?;
        } else if read as u64 == LONGEST_LINE {
            return Err(reading.refuse("it is too long").into());
        } else {
            return Ok(reading.finish()?);
        }
    }
}

/// A journal that is locked before anything in it is read or changed. Otherwise two programs could read it
/// before either locks it, and both continue the run and pay for it.
#[derive(Debug)]
pub struct Locked {
    file: File,
    path: PathBuf,
}

impl Locked {
    /// Locks a journal that exists.
    pub fn existing(path: &Path) -> Result<Self, CliError> {
        ordinary(path)?;
        Self::open(path, open_private(path)?)
    }

    fn open(path: &Path, file: File) -> Result<Self, CliError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path: path.to_owned() }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(CliError::failed(format!("another run is writing {}", path.display()))
                    .hint("Wait for it to end, or name another output file with -o."))
            }
            Err(std::fs::TryLockError::Error(e)) => Err(CliError::file("lock", path, &e)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the run in it.
    pub fn read(&mut self) -> Result<Earlier, CliError> {
        self.file.rewind().map_err(|e| CliError::file("read the journal", &self.path, &e))?;
        read_from(&self.path, &self.file)
    }

    /// Continues the journal to write more about the answers of the run in it, which itself stays as it is.
    pub fn add_to(self, earlier: &Earlier) -> Result<Journal, CliError> {
        let mut journal = Journal::new(self, earlier.session)?;
        let there = journal.file.set_len(earlier.whole).and_then(|()| journal.file.seek(SeekFrom::End(0)));
        there.map_err(|e| CliError::file("write the journal", &journal.path, &e))?;
        Ok(journal)
    }

    /// Continues the journal to continue the run in it.
    pub fn go_on(self, earlier: &Earlier, context: &Context) -> Result<Journal, CliError> {
        let mut journal = Journal::new(self, earlier.session)?;
        journal
            .file
            .set_len(earlier.whole)
            .and_then(|()| journal.file.seek(SeekFrom::End(0)))
            .map_err(|e| CliError::file("write the journal", &journal.path, &e))?;
        journal.line(&Line::Resumed { session: earlier.session, at: context.now.clone() })?;
        Ok(journal)
    }
}

impl Journal {
    /// A new journal for a run that writes to `output`. A file that already has its name is never
    /// overwritten: an unfinished run was paid for, and what cannot be read may be anything. A complete run
    /// stays until this one has measured something.
    pub fn create(output: Option<&Path>, context: &Context, header: Header) -> Result<Self, CliError> {
        let path = place(output, context)?;
        if path.exists() {
            ordinary(&path)?;
        }
        let make = || Locked::open(&path, open_private(&path)?);
        let mut locked = make()?;
        let empty = locked.file.metadata().is_ok_and(|there| there.len() == 0);
        let mut before = None;
        if !empty {
            let there = InPlace::of(locked.read().ok().as_ref());
            if let Some(word) = there.word() {
                let aside = put_aside(&path, word)?;
                context.note(&there.note(&path.display().to_string(), &aside.display().to_string()));
                before = (there == InPlace::Whole).then_some(aside);
                locked = make()?;
            }
        }
        let mut journal = Self::new(locked, 0)?;
        journal.before = before;
        journal
            .file
            .set_len(0)
            .and_then(|()| journal.file.rewind())
            .map_err(|e| CliError::file("write the journal", &journal.path, &e))?;
        journal.line(&Line::Run(Box::new(header)))?;
        Ok(journal)
    }

    fn new(locked: Locked, session: u32) -> Result<Self, CliError> {
        let Locked { file, path } = locked;
        let (sync, asked) = sync_channel(1);
        let synced = file.try_clone().map_err(|e| CliError::file("write the journal", &path, &e))?;
        // An error appears again when the journal is closed.
        let sync_each = move || asked.iter().for_each(|()| drop(synced.sync_data()));
        std::thread::Builder::new().spawn(sync_each).map_err(|e| {
            CliError::failed(format!("the system starts no further thread: {e}")).hint(
                "A limit on memory or on processes is reached (`ulimit -v`, `ulimit -u`, a container's).",
            )
        })?;
        Ok(Self { file, path, session, before: None, synced: Instant::now(), sync })
    }

    /// Which part of the run this is: 0 unless it was resumed.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Notes that a request is about to be sent.
    pub fn sent(&mut self, step: &Step) -> Result<(), CliError> {
        self.line(&Line::Sent { step: *step })
    }

    /// Writes a request that ended.
    pub fn sample(&mut self, record: &Record) -> Result<(), CliError> {
        self.line(&Line::sample(record, self.session))?;
        if record.figures.error.is_none()
            && !record.step.warmup
            && let Some(before) = self.before.take()
        {
            // If it cannot be deleted, one file too many stays; nothing else.
            let _ = std::fs::remove_file(before);
        }
        Ok(())
    }

    /// Notes that all of a phase under load was sent.
    pub fn phase(&mut self, phase: usize) -> Result<(), CliError> {
        self.line(&Line::Phase { phase })
    }

    /// Writes a question to a grader outside of this program, or its answer.
    pub fn outside(&mut self, line: &Line) -> Result<(), CliError> {
        self.line(line)
    }

    /// Syncs and closes the journal, without an end of the run.
    pub fn close(self) -> Result<(), CliError> {
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))
    }

    /// Notes the end of the run; returns the journal's path.
    pub fn end(mut self, end: End) -> Result<PathBuf, CliError> {
        self.line(&Line::End(Box::new(end)))?;
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))?;
        Ok(self.path)
    }

    fn line(&mut self, line: &Line) -> Result<(), CliError> {
        let mut text = serde_json::to_vec(line).map_err(|e| CliError::failed(format!("the journal: {e}")))?;
        text.push(b'\n');
        // One write for each line, so that another reader never sees half of one.
        self.file.write_all(&text).map_err(|e| {
            CliError::file("write the journal", &self.path, &e).hint(format!(
                "What it has up to there is whole: `freehold bench --replay {}` makes the report of it, and --resume goes on when there is room.",
                crate::document::repeat::quoted(&self.path.display().to_string())
            ))
        })?;
        if self.synced.elapsed() >= SYNC {
            self.synced = Instant::now();
            // A sync under way covers this line too, or the next one does.
            let _ = self.sync.try_send(());
        }
        Ok(())
    }
}

/// Renames a file to the first free `NAME.KIND-N.journal.jsonl`.
fn put_aside(path: &Path, kind: &str) -> Result<PathBuf, CliError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".journal.jsonl").unwrap_or(&name);
    let mut free = (1..=u32::MAX)
        .map(|n| path.with_file_name(format!("{stem}.{kind}-{n}.journal.jsonl")))
        .filter(|p| std::fs::symlink_metadata(p).is_err());
    let aside = free.next().unwrap_or_else(|| path.with_extension(kind));
    std::fs::rename(path, &aside).map_err(|e| CliError::file("put aside", path, &e))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_stands_for_its_journal() {
        assert_eq!(of_run(Path::new("a/out.json")), Path::new("a/out.journal.jsonl"));
        assert_eq!(of_run(Path::new("out.journal.jsonl")), Path::new("out.journal.jsonl"));
    }
}
