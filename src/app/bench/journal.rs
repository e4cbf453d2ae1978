//! The journal of a run: what each line says, and what all of them together add up to.
//!
//! A line is written when a request is sent, and one when it has ended, before the next begins. A kill
//! loses at most what was under way; `--resume` continues with the rest, and `--replay` makes the report
//! again from what each answer did, without a single call.
//!
//! ```text
//! run: everything the report rests on ─► sent, sample, sent, sample, … ─► end
//! ```

use super::limits;
use crate::app::Refusal;
use crate::document::bench::Kind;
use crate::document::bench::build::{self, Basis, Judging, Replies, TargetFacts};
use crate::measure::conversation;
use crate::measure::counts::Counted;
use crate::measure::figures::figures;
use crate::measure::run::{Ended, Record};
use crate::measure::schedule::Step;
use crate::measure::trace::Trace;
use crate::quality::Given;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const FORMAT: &str = "freehold.bench-journal/2";

/// The first line: what the run is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub tool_version: String,
    /// The beginning of every cache marker of the run.
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

/// The command line that a run was started with.
#[derive(Debug, Clone, Default)]
pub struct CommandLine {
    /// The words after the program's name.
    pub arguments: Vec<String>,
    /// The folder it was given in.
    pub folder: Option<String>,
}

impl Header {
    /// The header of a run that this program starts.
    pub fn new(run_id: String, inputs_sha256: String, given: CommandLine, basis: Basis) -> Self {
        let CommandLine { arguments, folder } = given;
        Self {
            format: FORMAT.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id,
            inputs_sha256,
            arguments,
            folder,
            basis,
        }
    }

    /// Whose token counts a target's answers have.
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
    /// The targets, with what was known of them at the end.
    pub targets: Vec<TargetFacts>,
}

/// An answer of a judge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgeDone {
    judge: String,
    about: String,
    done: Done,
}

/// One line of a journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
pub enum Line {
    Run(Box<Header>),
    /// The run continues after an interruption or a kill.
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
    /// The answer of a judge.
    Judge(Box<JudgeDone>),
    /// The grade of a program of the user; `None` where it gave none.
    Program {
        about: String,
        verdict: Option<(bool, f64)>,
    },
    /// The embedding model that counts from here on, by the SHA-256 of its file.
    Embedder {
        model: String,
    },
    /// The embedding of a text.
    Vector {
        about: String,
        vector: Vec<f32>,
    },
    End(Box<End>),
}

impl Line {
    /// The line for a request that ended, in this part of the run.
    pub fn sample(record: &Record, session: u32) -> Self {
        Self::Sample(Box::new(Done::of(record, session)))
    }

    /// The line for a judge's answer.
    pub fn judged(judge: &str, about: &str, record: &Record) -> Self {
        Self::Judge(Box::new(JudgeDone {
            judge: judge.to_owned(),
            about: about.to_owned(),
            done: Done::of(record, 0),
        }))
    }

    /// The line for a program's grade.
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
    /// Requests that were sent, but killed or interrupted before they ended: they may have been billed.
    pub cut: Vec<Step>,
    /// Phases under load that are complete.
    pub phases: BTreeSet<usize>,
    pub end: Option<End>,
    /// What programs and an embedding model answered, and the judges that count. Judges' answers are in
    /// `judged`.
    pub told: Replies,
    /// Answers of judges: key of the judge, what the question was about, and the record.
    pub judged: Vec<(String, String, Record)>,
    pub judge_facts: BTreeMap<String, TargetFacts>,
    /// Questions to judges that were never seen to end, and the most US dollars that each can have cost.
    pub judging_cut: BTreeMap<(String, String), Option<f64>>,
    /// The number of the next part of the run.
    pub session: u32,
    /// Bytes up to the end of the last complete line.
    pub whole: u64,
}

/// Reads the lines of a journal, one after the other, into a run. A line that does not belong in a journal
/// is refused, with its number and the reason.
#[derive(Debug)]
pub struct Reading {
    /// What the journal is called.
    file: String,
    lines: usize,
    bytes: u64,
    earlier: Option<Earlier>,
}

impl Reading {
    pub fn new(file: String) -> Self {
        Self { file, lines: 0, bytes: 0, earlier: None }
    }

    /// Takes in the next complete line.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.note(bytes).map_err(|why| self.refuse(&why))?;
        self.lines += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn note(&mut self, bytes: &[u8]) -> Result<(), String> {
        let line = serde_json::from_slice::<Line>(bytes).map_err(|e| e.to_string())?;
        match (line, &mut self.earlier) {
            (Line::Run(header), None) if header.format == FORMAT => {
                limits::check(&header.basis)?;
                self.earlier = Some(Earlier::new(*header));
                Ok(())
            }
            (Line::Run(header), None) => Err(format!("its format is {}, not {FORMAT}", header.format)),
            (line, Some(earlier)) => Ok(earlier.note(line)?),
            (_, None) => Err(NO_BEGINNING.to_owned()),
        }
    }

    /// The refusal of the next line, with the reason.
    pub fn refuse(&self, why: &str) -> Refusal {
        Refusal::input(format!(
            "{}, line {}: not a line of a bench journal: {why}",
            self.file,
            self.lines + 1
        ))
        .hint("Give the .journal.jsonl file that `freehold bench` wrote, or the report beside it.")
    }

    /// The run, when all complete lines were taken in.
    pub fn finish(mut self) -> Result<Earlier, Refusal> {
        let bytes = self.bytes;
        match self.earlier.take() {
            Some(earlier) => Ok(Earlier { whole: bytes, ..earlier }),
            None => Err(self.refuse(NO_BEGINNING)),
        }
    }
}

const NO_BEGINNING: &str = "the journal has no beginning";

impl Earlier {
    fn new(header: Header) -> Self {
        Self {
            header,
            records: Vec::new(),
            recorded: Vec::new(),
            cut: Vec::new(),
            phases: BTreeSet::new(),
            end: None,
            told: Replies::default(),
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

    /// Refuses a request that the run does not have.
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

    /// Refuses an end that is not about the run's targets.
    fn ends(&self, end: &End) -> Result<(), &'static str> {
        let count = self.header.basis.targets.len();
        let said = [end.targets.len(), end.ended.stopped.len(), end.ended.skipped.len()];
        if said == [count; 3] { Ok(()) } else { Err("an end of other targets than the run's") }
    }

    /// Has the run ended with nothing missing?
    pub fn is_complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.ended.complete)
    }
}

/// What a new run finds in the place of its journal. It is never overwritten: an unfinished run was paid
/// for, and what cannot be read may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// A run that sent nothing: its journal may be overwritten.
    Unused,
    /// A complete run: it is kept until the new run has measured something.
    Whole,
    Unfinished {
        answers: usize,
    },
    /// Not a journal that can be read.
    Foreign,
}

impl InPlace {
    /// Decides by what could be read of it; `None`: nothing.
    pub fn of(earlier: Option<&Earlier>) -> Self {
        match earlier {
            Some(old) if old.is_complete() => Self::Whole,
            Some(old) if old.records.is_empty() && old.cut.is_empty() => Self::Unused,
            Some(old) => Self::Unfinished { answers: old.records.len() },
            None => Self::Foreign,
        }
    }

    /// The word in the new name when it is renamed; `None`: it is not renamed.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Unused => None,
            Self::Whole => Some("previous"),
            Self::Unfinished { .. } => Some("unfinished"),
            Self::Foreign => Some("foreign"),
        }
    }

    /// The note about it, after it was renamed from `path` to `aside`.
    pub fn note(self, path: &str, aside: &str) -> String {
        match self {
            Self::Unused => String::new(),
            Self::Whole => format!(
                "The whole run of this name is kept in {aside} until this one has measured something."
            ),
            Self::Unfinished { answers } => {
                let word = if answers == 1 { "answer" } else { "answers" };
                format!(
                    "An unfinished run left {answers} {word}; they are now in {aside} (`--resume` goes on with it)."
                )
            }
            Self::Foreign => format!("{path} is no journal that can be read; it is now {aside}."),
        }
    }
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
            let line = serde_json::to_string(&Line::sample(&record, 3)).expect("JSON");
            let Ok(Line::Sample(done)) = serde_json::from_str(&line) else { panic!("{line}") };
            prop_assert_eq!(done.record(Counted::ByProvider), (3, record));
        }
    }
}
