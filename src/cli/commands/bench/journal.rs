//! The run's journal: one JSON line when a request is sent and one when it ended, written before
//! the next begins. A kill loses at most what was under way; `--resume` goes on with the rest, and
//! `--replay` makes the report again from what each answer did, without a single call.
//!
//! ```text
//! run: everything the report rests on ─► sent, sample, sent, sample, … ─► end
//! ```

use super::limits;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::output::{has_a_folder, open_private};
use crate::document::bench::Kind;
use crate::document::bench::build::{self, Basis, Judging, TargetFacts, Told};
use crate::measure::conversation;
use crate::measure::counts::Counted;
use crate::measure::figures::figures;
use crate::measure::run::{Ended, Record};
use crate::measure::schedule::Step;
use crate::measure::trace::Trace;
use crate::quality::Given;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Written at most this often to the disk itself.
const SYNC: Duration = Duration::from_secs(1);
/// Most bytes of a line: the first holds all prompts of the run.
const LONGEST_LINE: u64 = 512 << 20;
const FORMAT: &str = "freehold.bench-journal/2";

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    session: u32,
    /// The whole run that had this name before; it goes when this one has measured something.
    before: Option<PathBuf>,
    synced: Instant,
    /// Asks for a sync, which may take long and is waited for by nobody.
    sync: SyncSender<()>,
}

/// What the run is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub tool_version: String,
    /// Begins every cache marker of the run.
    pub run_id: String,
    /// SHA-256 of the prompts, the targets and the settings: what makes two runs the same run.
    pub inputs_sha256: String,
    /// The command line after the program's name; keys are never in it.
    pub arguments: Vec<String>,
    /// The folder it was given in.
    #[serde(default)]
    pub folder: Option<String>,
    pub basis: Basis,
}

impl Header {
    pub fn new(run_id: String, inputs_sha256: String, basis: Basis) -> Self {
        Self {
            format: FORMAT.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id,
            inputs_sha256,
            arguments: std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect(),
            folder: std::env::current_dir().ok().map(|folder| folder.display().to_string()),
            basis,
        }
    }

    fn counted(&self, target: usize) -> Counted {
        match self.basis.targets.get(target).map(|t| t.kind) {
            Some(Kind::Local) => Counted::ByEngine,
            _ => Counted::ByProvider,
        }
    }
}

/// A request that ended: what came and when, before any figure is computed. Times in whole
/// nanoseconds, so that they are read back as they were written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    step: Step,
    session: u32,
    started_ns: u64,
    scheduled_ns: Option<u64>,
    took_ns: u64,
    client_lag_ns: Option<u64>,
    attempts: u32,
    waited_ns: u64,
    statuses: Vec<u16>,
    connect_ns: Option<u64>,
    #[serde(default)]
    meter_j: Option<f64>,
    trace: Trace,
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Done {
    fn of(record: &Record, session: u32) -> Self {
        Self {
            step: record.step,
            session,
            started_ns: ns(record.started),
            scheduled_ns: record.scheduled.map(ns),
            took_ns: ns(record.took),
            client_lag_ns: record.client_lag.map(ns),
            attempts: record.attempts,
            waited_ns: ns(record.waited),
            statuses: record.statuses.clone(),
            connect_ns: record.connect.map(ns),
            meter_j: record.meter_j,
            trace: record.trace.clone(),
        }
    }

    fn record(self, counted: Counted) -> (u32, Record) {
        let record = Record {
            step: self.step,
            started: Duration::from_nanos(self.started_ns),
            scheduled: self.scheduled_ns.map(Duration::from_nanos),
            took: Duration::from_nanos(self.took_ns),
            client_lag: self.client_lag_ns.map(Duration::from_nanos),
            figures: figures(&self.trace, counted),
            trace: self.trace,
            unredacted: None,
            attempts: self.attempts,
            waited: Duration::from_nanos(self.waited_ns),
            statuses: self.statuses,
            connect: self.connect_ns.map(Duration::from_nanos),
            meter_j: self.meter_j,
        };
        (self.session, record)
    }
}

/// How the run, or a part of it, ended by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct End {
    pub ended: Ended,
    pub capped: bool,
    /// As they were known at the end.
    pub targets: Vec<TargetFacts>,
}

/// An answer of a judge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgeDone {
    judge: String,
    about: String,
    done: Done,
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
pub enum Line {
    Run(Box<Header>),
    /// The run goes on after an interruption or a kill.
    Resumed {
        session: u32,
        at: String,
    },
    Sent {
        step: Step,
    },
    Sample(Box<Done>),
    /// An answer that another program has recorded.
    Recorded {
        step: Step,
        text: String,
    },
    /// All of a phase under load was sent.
    Phase {
        phase: usize,
    },
    /// The judges that are asked from here on, and what for.
    Judging {
        judges: Vec<TargetFacts>,
        judging: Judging,
    },
    /// A judge is asked.
    JudgeSent {
        judge: String,
        about: String,
        worst_usd: Option<f64>,
    },
    /// What a judge said.
    Judge(Box<JudgeDone>),
    /// What a program of the user said; nothing where it had no verdict.
    Program {
        about: String,
        verdict: Option<(bool, f64)>,
    },
    /// The embedding model in force, by the SHA-256 of its file.
    Embedder {
        model: String,
    },
    /// The vector of a text.
    Vector {
        about: String,
        vector: Vec<f32>,
    },
    End(Box<End>),
}

impl Line {
    /// What a judge said.
    pub fn judged(judge: &str, about: &str, record: &Record) -> Self {
        Self::Judge(Box::new(JudgeDone {
            judge: judge.to_owned(),
            about: about.to_owned(),
            done: Done::of(record, 0),
        }))
    }

    /// What a program said.
    pub fn program(about: &str, given: &Given) -> Self {
        let verdict = match given {
            Given::Verdict { pass, score } => Some((*pass, *score)),
            _ => None,
        };
        Self::Program { about: about.to_owned(), verdict }
    }
}

/// A run, read back.
#[derive(Debug)]
pub struct Earlier {
    pub header: Header,
    /// Every request that ended, in that order, with the part of the run it belongs to.
    pub records: Vec<(u32, Record)>,
    /// Answers that another program has recorded.
    pub recorded: Vec<(Step, String)>,
    /// Sent, but killed or interrupted before they ended: they may have been billed.
    pub cut: Vec<Step>,
    /// Phases under load that are complete.
    pub phases: BTreeSet<usize>,
    pub end: Option<End>,
    /// What programs and an embedding model told, and the judges in force. What judges said stands in `judged`.
    pub told: Told,
    /// Answers of judges: by which, about what.
    pub judged: Vec<(String, String, Record)>,
    pub judge_facts: BTreeMap<String, TargetFacts>,
    /// Asked of a judge and never seen to end: the most that each can have cost.
    pub judging_cut: BTreeMap<(String, String), Option<f64>>,
    /// The part of the run that would go on now.
    pub session: u32,
    /// Bytes up to the end of the last whole line.
    whole: u64,
}

/// The journal that belongs to `path`: the report's name stands for its journal's.
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

/// Read a run.
pub fn read(path: &Path) -> Result<Earlier, CliError> {
    ordinary(path)?;
    read_from(path, &files::open(path)?)
}

/// A journal is a file: a pipe would be waited for, a device read for ever.
fn ordinary(path: &Path) -> Result<(), CliError> {
    let there = std::fs::metadata(path).map_err(|e| CliError::file("read the journal", path, &e))?;
    if there.is_file() {
        return Ok(());
    }
    Err(CliError::usage(format!("{} is not an ordinary file", path.display()))
        .hint("Give the .journal.jsonl file that `freehold bench` wrote, or the report beside it."))
}

/// Read a run. A last line without its end was being written when the run was killed and is left
/// out; any other broken line is refused.
fn read_from(path: &Path, file: &File) -> Result<Earlier, CliError> {
    let fail = |e: std::io::Error| CliError::file("read the journal", path, &e);
    let mut reader = BufReader::new(file);
    let mut earlier: Option<Earlier> = None;
    let mut bytes = Vec::new();
    let mut whole = 0;
    for n in 0.. {
        bytes.clear();
        let read = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(fail)?;
        if !bytes.ends_with(b"\n") {
            if read as u64 == LONGEST_LINE {
                return Err(broken(path, n, "it is too long"));
            }
            break;
        }
        whole += read as u64;
        let line = serde_json::from_slice::<Line>(&bytes).map_err(|e| broken(path, n, &e.to_string()))?;
        match (line, &mut earlier) {
            (Line::Run(header), None) if header.format == FORMAT => {
                limits::check(&header.basis).map_err(|why| broken(path, n, &why))?;
                earlier = Some(Earlier::new(*header));
            }
            (Line::Run(header), None) => {
                return Err(broken(path, n, &format!("its format is {}, not {FORMAT}", header.format)));
            }
            (line, Some(earlier)) => {
                earlier.note(line).map_err(|why| broken(path, n, why))?;
            }
            (_, None) => return Err(broken(path, n, "the journal has no beginning")),
        }
    }
    let mut earlier = earlier.ok_or_else(|| broken(path, 0, "the journal has no beginning"))?;
    earlier.whole = whole;
    Ok(earlier)
}

fn broken(path: &Path, n: usize, why: &str) -> CliError {
    CliError::usage(format!("{}, line {}: not a line of a bench journal: {why}", path.display(), n + 1))
        .hint("Give the .journal.jsonl file that `freehold bench` wrote, or the report beside it.")
}

impl Earlier {
    fn new(header: Header) -> Self {
        Self {
            header,
            records: Vec::new(),
            recorded: Vec::new(),
            cut: Vec::new(),
            phases: BTreeSet::new(),
            end: None,
            told: Told::default(),
            judged: Vec::new(),
            judge_facts: BTreeMap::new(),
            judging_cut: BTreeMap::new(),
            session: 1,
            whole: 0,
        }
    }

    fn note(&mut self, line: Line) -> Result<(), &'static str> {
        match line {
            Line::Run(_) => return Err("a second beginning"),
            Line::Resumed { session, .. } => {
                self.session = session + 1;
                self.end = None;
            }
            Line::Sent { step } => {
                self.known(&step)?;
                self.cut.push(step);
            }
            Line::Sample(done) => {
                self.known(&done.step)?;
                let at = self.cut.iter().rposition(|s| *s == done.step);
                self.cut.remove(at.ok_or("an answer to a request that was never sent")?);
                let counted = self.header.counted(done.step.target);
                self.records.push(done.record(counted));
            }
            Line::Recorded { step, text } => {
                self.known(&step)?;
                self.recorded.push((step, text));
            }
            Line::Phase { phase } => {
                self.phases.insert(phase);
            }
            Line::Judging { judges, judging } => {
                for judge in &judges {
                    self.judge_facts.insert(build::judge_key(judge), judge.clone());
                }
                self.told.judges = judges;
                self.told.judging = Some(judging);
            }
            Line::JudgeSent { judge, about, worst_usd } => {
                self.judging_cut.insert((judge, about), worst_usd);
            }
            Line::Judge(judged) => {
                let JudgeDone { judge, about, done } = *judged;
                let facts =
                    self.judge_facts.get(&judge).ok_or("an answer of a judge that the run does not have")?;
                let counted = match facts.kind {
                    Kind::Local => Counted::ByEngine,
                    Kind::Api => Counted::ByProvider,
                };
                self.judging_cut.remove(&(judge.clone(), about.clone()));
                self.judged.push((judge, about, done.record(counted).1));
            }
            Line::Program { about, verdict } => {
                let given = verdict.map_or(Given::Nothing, |(pass, score)| Given::Verdict { pass, score });
                self.told.programs.insert(about, given);
            }
            Line::Embedder { model } => self.told.embedder = Some(model),
            Line::Vector { about, vector } => {
                self.told.vectors.insert(about, vector);
            }
            Line::End(end) => {
                self.ends(&end)?;
                self.end = Some(*end);
            }
        }
        Ok(())
    }

    /// Is there such a request in the run?
    fn known(&self, step: &Step) -> Result<(), &'static str> {
        let basis = &self.header.basis;
        let prompt = basis.prompts.get(step.prompt).ok_or("a prompt that the run does not have")?;
        if step.target >= basis.targets.len() {
            return Err("a target that the run does not have");
        }
        if step.turn >= conversation::turns(prompt) {
            return Err("a turn that the prompt does not have");
        }
        if step.load.is_some_and(|place| place.phase >= basis.load.phases.len()) {
            return Err("a load that the run does not have");
        }
        Ok(())
    }

    /// Does the end speak of the run's targets?
    fn ends(&self, end: &End) -> Result<(), &'static str> {
        let count = self.header.basis.targets.len();
        let said = [end.targets.len(), end.ended.stopped.len(), end.ended.skipped.len()];
        if said == [count; 3] { Ok(()) } else { Err("an end of other targets than the run's") }
    }

    /// The run ended and nothing of it is missing.
    pub fn is_complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.ended.complete)
    }
}

/// A journal that no other run writes to, before anything in it is read or changed: what two programs
/// read before they lock it, both would go on with, and pay for.
#[derive(Debug)]
pub struct Locked {
    file: File,
    path: PathBuf,
}

impl Locked {
    /// A journal that is there.
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

    /// What it says.
    pub fn read(&mut self) -> Result<Earlier, CliError> {
        self.file.rewind().map_err(|e| CliError::file("read the journal", &self.path, &e))?;
        read_from(&self.path, &self.file)
    }

    /// Write more about the answers of the run that was read from it, which itself stays as it is.
    pub fn add_to(self, earlier: &Earlier) -> Result<Journal, CliError> {
        let mut journal = Journal::new(self, earlier.session)?;
        let there = journal.file.set_len(earlier.whole).and_then(|()| journal.file.seek(SeekFrom::End(0)));
        there.map_err(|e| CliError::file("write the journal", &journal.path, &e))?;
        Ok(journal)
    }

    /// Go on writing the run that was read from it.
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
    /// A new journal for a run that writes to `output`. What is found under its name is never
    /// overwritten: an unfinished run was paid for, and what cannot be read may be anything. A whole
    /// run stays until this one has measured something.
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
            let (kind, said) = match locked.read() {
                Ok(old) if old.is_complete() => ("previous", None),
                Ok(old) if old.records.is_empty() && old.cut.is_empty() => ("", None),
                Ok(old) => {
                    let count = old.records.len();
                    let answers = if count == 1 { "answer" } else { "answers" };
                    ("unfinished", Some(format!("An unfinished run left {count} {answers}")))
                }
                Err(_) => ("foreign", Some(format!("{} is no journal that can be read", path.display()))),
            };
            if !kind.is_empty() {
                let aside = put_aside(&path, kind)?;
                match said {
                    Some(said) if kind == "unfinished" => context.note(&format!(
                        "{said}; they are now in {} (`--resume` goes on with it).",
                        aside.display()
                    )),
                    Some(said) => context.note(&format!("{said}; it is now {}.", aside.display())),
                    None => {
                        context.note(&format!(
                            "The whole run of this name is kept in {} until this one has measured something.",
                            aside.display()
                        ));
                        before = Some(aside);
                    }
                }
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
        // An error shows itself again when the journal is closed.
        let sync_each = move || asked.iter().for_each(|()| drop(synced.sync_data()));
        std::thread::Builder::new().spawn(sync_each).map_err(|e| {
            CliError::failed(format!("the system starts no further thread: {e}")).hint(
                "A limit on memory or on processes is reached (`ulimit -v`, `ulimit -u`, a container's).",
            )
        })?;
        Ok(Self { file, path, session, before: None, synced: Instant::now(), sync })
    }

    /// The part of the run that this is: 0 unless it was resumed.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// A request is about to be sent.
    pub fn sent(&mut self, step: &Step) -> Result<(), CliError> {
        self.line(&Line::Sent { step: *step })
    }

    /// One request that ended.
    pub fn sample(&mut self, record: &Record) -> Result<(), CliError> {
        self.line(&Line::Sample(Box::new(Done::of(record, self.session))))?;
        if record.figures.error.is_none()
            && !record.step.warmup
            && let Some(before) = self.before.take()
        {
            // One that cannot be removed is one file too many, and no more.
            let _ = std::fs::remove_file(before);
        }
        Ok(())
    }

    /// All of a phase under load was sent.
    pub fn phase(&mut self, phase: usize) -> Result<(), CliError> {
        self.line(&Line::Phase { phase })
    }

    /// What was asked or told from outside.
    pub fn outside(&mut self, line: &Line) -> Result<(), CliError> {
        self.line(line)
    }

    /// Nothing more is written now.
    pub fn close(self) -> Result<(), CliError> {
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))
    }

    /// The run ended by itself.
    pub fn end(mut self, end: End) -> Result<PathBuf, CliError> {
        self.line(&Line::End(Box::new(end)))?;
        self.file.sync_all().map_err(|e| CliError::file("write the journal", &self.path, &e))?;
        Ok(self.path)
    }

    fn line(&mut self, line: &Line) -> Result<(), CliError> {
        let mut text = serde_json::to_vec(line).map_err(|e| CliError::failed(format!("the journal: {e}")))?;
        text.push(b'\n');
        // One write per line, so that another reader never sees half of one.
        self.file.write_all(&text).map_err(|e| {
            CliError::file("write the journal", &self.path, &e).hint(format!(
                "What it has up to there is whole: `freehold bench --replay {}` makes the report of it, and --resume goes on when there is room.",
                crate::document::repeat::quoted(&self.path.display().to_string())
            ))
        })?;
        if self.synced.elapsed() >= SYNC {
            self.synced = Instant::now();
            // One that is still under way covers this one too, or the next one does.
            let _ = self.sync.try_send(());
        }
        Ok(())
    }
}

/// Rename to the first free `NAME.KIND-N.journal.jsonl`.
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
    use crate::measure::event::{Channel, Usage};
    use crate::measure::trace::Piece;
    use proptest::prelude::*;

    proptest! {
        /// What is read back is what was written, to the last bit.
        #[test]
        fn a_record_survives_the_journal(
            at in proptest::collection::vec((0u64..1 << 50, 0u32..9), 0..20),
            engine_ns in proptest::option::of((any::<u32>(), any::<u32>())), cost in 0u32..1_000_000,
            started in 0u64..1 << 50,
        ) {
            let trace = Trace {
                content: at.iter().map(|(at, n)| Piece(*at, Channel::Text, u64::from(*n), *n)).collect(),
                usage: Some(Usage {
                    output: Some(at.len() as u64),
                    provider_cost_usd: Some(f64::from(cost) / 1e9),
                    ..Usage::default()
                }),
                engine: engine_ns.map(|(p, o)| (3, f64::from(p) / 1e6, 4, f64::from(o) / 1e6)),
                finish: Some(crate::measure::event::FinishReason::Stop),
                text: "ü\u{0}\n".repeat(at.len()),
                ..Trace::default()
            };
            let record = Record {
                step: Step { target: 0, prompt: 0, repeat: 1, warmup: false, load: None, turn: 0 },
                started: Duration::from_nanos(started),
                scheduled: Some(Duration::from_nanos(started / 3)),
                took: Duration::from_nanos(started / 7),
                client_lag: None,
                figures: figures(&trace, Counted::ByProvider),
                trace,
                unredacted: None,
                attempts: 1,
                waited: Duration::ZERO,
                statuses: vec![200],
                connect: Some(Duration::from_nanos(99)),
                meter_j: Some(f64::from(cost) / 3.0),
            };
            let line = serde_json::to_string(&Line::Sample(Box::new(Done::of(&record, 3)))).expect("JSON");
            let Ok(Line::Sample(done)) = serde_json::from_str(&line) else { panic!("{line}") };
            prop_assert_eq!(done.record(Counted::ByProvider), (3, record));
        }
    }

    #[test]
    fn a_report_stands_for_its_journal() {
        assert_eq!(of_run(Path::new("a/out.json")), Path::new("a/out.journal.jsonl"));
        assert_eq!(of_run(Path::new("out.journal.jsonl")), Path::new("out.journal.jsonl"));
    }
}
