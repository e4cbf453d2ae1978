//! Resuming a run. A journal is data, and may have come with somebody else's folder. It decides prompts,
//! plan and answers. Where requests go, which variables hold keys, whether money may be spent and how much,
//! and what is executed comes from the new command line, or the user must agree to it.

use super::asked::{Asked, Program};
use super::journal::{Earlier, Header};
use super::load_samples::LoadSamples;
use super::tally::Tally;
use crate::app::Refusal;
use crate::document::bench::Kind;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::document::bench::load::LoadPlan;
use crate::document::repeat::quoted;
use crate::measure::conversation::{self, Histories};
use crate::measure::schedule::Step;
use crate::prompts::Prompt;
use crate::workload::{Answer as _, Privacy};
use std::collections::BTreeSet;
use std::path::Path;

/// Checks that the run was begun by a version that measures alike and that something is left to do; returns
/// a note about it. `samples`: an empty store, `file`: the journal's name.
pub fn may_go_on(earlier: &Earlier, samples: LoadSamples, file: &str) -> Result<String, Refusal> {
    let here = major(env!("CARGO_PKG_VERSION"));
    if major(&earlier.header.tool_version) != here {
        return Err(Refusal::input(format!(
            "{file}: this run was begun by freehold {}, and this is {}",
            earlier.header.tool_version,
            env!("CARGO_PKG_VERSION")
        ))
        .hint("Two versions measure differently: go on with that version, or start a new run. `--replay` makes the report of what is there."));
    }
    let unanswered = Tally::of(&earlier.header.basis, earlier, samples).unanswered().len();
    if earlier.is_complete() && unanswered == 0 {
        return Err(Refusal::input(format!("{file}: this run is complete: there is nothing left to do"))
            .hint("`--replay` makes its report again."));
    }
    let ended = match earlier.records.len() {
        1 => "1 request has ended".to_owned(),
        n => format!("{n} requests have ended"),
    };
    Ok(format!("Going on with {file}: {ended}."))
}

/// The part of a version that two programs must share to measure alike: the major number, and of 0.x the
/// minor, too.
fn major(version: &str) -> Vec<&str> {
    let mut parts = version.split('.');
    match parts.next() {
        Some("0") => ["0"].into_iter().chain(parts.next()).collect(),
        first => first.into_iter().collect(),
    }
}

/// The targets of a resumed run, and the variables with their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    pub models: Vec<String>,
    pub apis: Vec<String>,
    pub key_variables: Vec<String>,
}

/// Where the targets of a resumed run come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichTargets {
    /// The command line names them.
    Named(Targets),
    /// The journal names them: they are asked, and each key is sent, only if the user agrees. `given`:
    /// variables of the command line, which replace the journal's.
    Proposed { journal: Targets, given: Vec<String> },
}

/// Decides which targets may be asked. `can_ask`: the user can be asked to agree to those of the journal.
pub fn targets(
    began: &Asked,
    now: &Asked,
    folder: Option<&str>,
    can_ask: bool,
) -> Result<WhichTargets, Refusal> {
    if now.live() > 0 {
        if now.models.len() == began.models.len() && now.apis.len() == began.apis.len() {
            return Ok(WhichTargets::Named(Targets {
                models: now.models.clone(),
                apis: now.apis.clone(),
                key_variables: now.key_variables.clone(),
            }));
        }
        return Err(Refusal::input("these are not as many targets as the run has")
            .hint(format!("Its journal names {}.", wanted(began))));
    }
    if !can_ask {
        return Err(Refusal::input(
            "where the requests of a resumed run go is not taken from its journal, and nobody can be asked (no terminal)",
        )
        .hint(format!("Name its targets again. The journal names {}.", wanted(began))));
    }
    let journal = Targets {
        models: began.models.iter().map(|m| in_folder(m, folder)).collect(),
        apis: began.apis.clone(),
        key_variables: began.key_variables.clone(),
    };
    Ok(WhichTargets::Proposed { journal, given: now.key_variables.clone() })
}

/// The targets that a journal names, as arguments.
fn wanted(began: &Asked) -> String {
    let models = began.models.iter().map(|m| format!("--model {}", quoted(m)));
    let apis = began.apis.iter().map(|a| format!("--api {}", quoted(a)));
    let keys = began.key_variables.iter().map(|k| format!("--api-key-env {} (a key!)", quoted(k)));
    models.chain(apis).chain(keys).collect::<Vec<_>>().join(" ")
}

/// Refuses to continue without the judges and programs of the run: they must be named again, since no
/// journal may decide where texts go and what is executed.
pub fn same_graders(began: &Asked, now: &Asked) -> Result<(), Refusal> {
    let lacks = |flag: &str, was: Vec<String>, now: usize| {
        if was.len() == now {
            return Ok(());
        }
        let shown: Vec<String> = was.iter().map(|text| format!("{flag} {}", quoted(text))).collect();
        let named = if shown.is_empty() { "none".to_owned() } else { shown.join(" ") };
        Err(Refusal::input(format!("the run has other {flag} arguments than the command line"))
            .hint(format!("What is asked and run is not taken from a journal. This one names {named}.")))
    };
    let (was, now) = (&began.judging, &now.judging);
    lacks("--judge", was.judges.clone(), now.judges.len())?;
    lacks("--exec", was.programs.iter().map(Program::written).collect(), now.programs.len())?;
    lacks("--embedder", was.embedder.iter().cloned().collect(), usize::from(now.embedder.is_some()))
}

/// The stricter of the privacy asked for now and when the run was begun.
pub fn privacy(now: Option<Privacy>, basis: &Basis) -> Option<Privacy> {
    let stricter = [now, stated_privacy(basis)].contains(&Some(Privacy::Strict));
    if stricter { Some(Privacy::Strict) } else { now }
}

/// The privacy that was asked for when the run was begun.
pub fn stated_privacy(basis: &Basis) -> Option<Privacy> {
    Privacy::from_word(basis.inputs.get("privacy")?.value.as_str()?)
}

/// The prompts that the run began with, and their SHA-256. `named`: a file that must still hold them, and the SHA-256
/// of what it holds.
pub fn prompts(basis: &Basis, named: Option<(&str, &str)>) -> Result<(Vec<Prompt>, String), Refusal> {
    let sha256 = basis.inputs.get("prompts_sha256").and_then(|i| i.value.as_str()).unwrap_or_default();
    if let Some((file, now)) = named
        && now != sha256
    {
        return Err(Refusal::input(format!("{file}: the prompts have changed since this run began")).hint(
            "Without --prompts the run goes on with those that it began with; other prompts need a new run.",
        ));
    }
    Ok((basis.prompts.clone(), sha256.to_owned()))
}

/// Refuses a command line that asks for something else than the run. `inputs_sha256`: as
/// [`fingerprint`](super::settings::fingerprint).
pub fn same_run(header: &Header, inputs_sha256: &str, load: &LoadPlan) -> Result<(), Refusal> {
    if header.inputs_sha256 == inputs_sha256 && header.basis.load == *load {
        return Ok(());
    }
    Err(Refusal::input("what this run was to measure is not what its journal and the command line give now")
        .hint("Its settings, its JSON schema or this program have changed. Start a new run: results of different inputs do not belong in one report."))
}

/// A model's path, relative to the folder in which the run was begun.
fn in_folder(model: &str, folder: Option<&str>) -> String {
    let path = Path::new(model);
    let is_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) && !model.contains(':');
    match folder.filter(|_| is_file && path.is_relative()) {
        Some(folder) => Path::new(folder).join(path).display().to_string(),
        None => model.to_owned(),
    }
}

/// Refuses other APIs than those of the run.
pub fn same_apis(basis: &Basis, now: &[&TargetFacts]) -> Result<(), Refusal> {
    let were: Vec<&TargetFacts> =
        basis.targets.iter().filter(|t| t.kind == Kind::Api && t.recorded_in.is_none()).collect();
    for (n, was) in were.iter().enumerate() {
        let same = now.get(n).is_some_and(|now| now.model == was.model && now.origin == was.origin);
        if !same {
            return Err(other_target(was, now.get(n).copied()));
        }
    }
    Ok(())
}

fn other_target(was: &TargetFacts, now: Option<&TargetFacts>) -> Refusal {
    let place = |facts: &TargetFacts| match &facts.origin {
        Some(origin) => format!("{} at {origin}", facts.id),
        None => facts.id.clone(),
    };
    let now = now.map_or("nothing".to_owned(), place);
    Refusal::input(format!("the run asked {}, and the command line names {now} in its place", place(was)))
        .hint("Name the run's own targets, in its order; another target needs a run of its own.")
}

/// The run's basis with its targets as they are now. Another model file is refused; other prices, another
/// engine or machine are remarked on the target. One price holds for the whole run: today's.
pub fn take_over(mut basis: Basis, now: Vec<TargetFacts>) -> Result<Basis, Refusal> {
    if basis.targets.len() != now.len() {
        return Err(Refusal::input("these are not as many targets as the run has"));
    }
    let merged = basis.targets.iter().zip(now).map(|(was, now)| continued_target(was, now));
    basis.targets = merged.collect::<Result<_, _>>()?;
    Ok(basis)
}

fn continued_target(was: &TargetFacts, mut now: TargetFacts) -> Result<TargetFacts, Refusal> {
    if was.kind != now.kind || was.origin != now.origin || was.stand_in != now.stand_in {
        return Err(other_target(was, Some(&now)));
    }
    let mut remarks = was.remarks.clone();
    let mut remark = |text: String| {
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    };
    if let (Some(before), Some(after)) = (&was.engine, &now.engine) {
        if before.model_sha256 != after.model_sha256 {
            return Err(Refusal::input(format!(
                "{}: the model's file is not the one that this run began with (SHA-256 {}, then {})",
                was.id,
                after.model_sha256.as_deref().unwrap_or("unknown"),
                before.model_sha256.as_deref().unwrap_or("unknown"),
            ))
            .hint("Give the path of that file, or start a new run."));
        }
        let parts = |e: &crate::document::bench::Engine| {
            (e.build.clone(), e.device.clone(), e.gpu_layers, e.threads, e.hardware.clone())
        };
        if parts(before) != parts(after) {
            remark(format!(
                "the run went on with another engine or device: {}, {} before; {}, {} now",
                before.build.as_deref().unwrap_or("an unknown build"),
                before.device.as_deref().unwrap_or("an unknown device"),
                after.build.as_deref().unwrap_or("an unknown build"),
                after.device.as_deref().unwrap_or("an unknown device"),
            ));
        }
    }
    if was.price != now.price {
        remark(
            "prices in the catalogue have changed since the run began: all of it is priced by those of today"
                .to_owned(),
        );
    }
    let texts = std::mem::take(&mut now.remarks);
    texts.into_iter().for_each(remark);
    // The answers so far have its id.
    Ok(TargetFacts { id: was.id.clone(), remarks, engine: was.engine.clone(), ..now })
}

/// What a run has done so far.
#[derive(Debug)]
pub struct SoFar<'a> {
    pub tally: Tally<'a>,
    /// Answers that later turns of a conversation rest on.
    pub histories: Histories,
    /// Phases under load that are complete.
    pub phases: BTreeSet<usize>,
    /// Requests that were sent and never seen to end.
    pub cut: Vec<Step>,
    done: BTreeSet<Step>,
}

impl<'a> SoFar<'a> {
    /// The state of a run that begins.
    pub fn nothing(basis: &'a Basis, samples: LoadSamples) -> Self {
        Self {
            tally: Tally::new(basis, samples),
            histories: Histories::default(),
            phases: BTreeSet::new(),
            cut: Vec::new(),
            done: BTreeSet::new(),
        }
    }

    /// The state of a resumed run, with its targets as they are now.
    pub fn of(basis: &'a Basis, earlier: &Earlier, samples: LoadSamples) -> Self {
        let mut histories = Histories::default();
        for (_, record) in &earlier.records {
            let turns = conversation::turns(&basis.prompts[record.step.prompt]);
            histories.note(&record.step, turns, record.answered());
        }
        Self {
            tally: Tally::of(basis, earlier, samples),
            histories,
            phases: earlier.phases.clone(),
            cut: earlier.cut.clone(),
            done: earlier.records.iter().map(|(_, r)| r.step).collect(),
        }
    }

    /// Must a step still be taken? What the journal has is never asked, and never paid, again; what failed
    /// without a bill is.
    pub fn is_left(&self, step: &Step) -> bool {
        !self.done.contains(step) || self.tally.unanswered().contains(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_measure_alike() {
        assert_eq!(major("0.1.7"), major("0.1.0"));
        assert_ne!(major("0.2.0"), major("0.1.0"));
        assert_eq!(major("1.2.0"), major("1.9.3"));
        assert_ne!(major("2.0.0"), major("1.9.3"));
    }

    #[test]
    fn models_are_where_the_run_was_begun() {
        assert_eq!(in_folder("m.gguf", Some("/runs/a")), "/runs/a/m.gguf");
        assert_eq!(in_folder("/models/m.gguf", Some("/runs/a")), "/models/m.gguf");
        assert_eq!(in_folder("hf:o/r/m.gguf", Some("/runs/a")), "hf:o/r/m.gguf");
        assert_eq!(in_folder("default", Some("/runs/a")), "default");
    }

    #[test]
    fn where_requests_go_is_named_again_or_agreed_to() {
        let began = Asked {
            models: vec!["m.gguf".to_owned()],
            apis: vec!["openai:x".to_owned()],
            key_variables: vec!["THEIRS".to_owned()],
            ..Asked::default()
        };
        let nothing = Asked::default();
        let refusal = targets(&began, &nothing, None, false).expect_err("nobody can be asked");
        let hint = refusal.hint.expect("what to name");
        assert!(hint.contains("--model m.gguf --api openai:x --api-key-env THEIRS (a key!)"), "{hint}");
        let Ok(WhichTargets::Proposed { journal, given }) = targets(&began, &nothing, Some("/runs"), true)
        else {
            panic!("the journal's targets are not asked without a yes")
        };
        assert_eq!((journal.models, given), (vec!["/runs/m.gguf".to_owned()], Vec::new()));
        // Targets of the command line come with keys of their own only.
        let named =
            Asked { models: vec!["n.gguf".to_owned()], apis: vec!["groq:y".to_owned()], ..Asked::default() };
        let Ok(WhichTargets::Named(targets_now)) = targets(&began, &named, None, false) else {
            panic!("as many as the run has")
        };
        assert_eq!((targets_now.apis, targets_now.key_variables), (named.apis.clone(), Vec::new()));
        let fewer = Asked { models: Vec::new(), ..named };
        assert!(targets(&began, &fewer, None, true).is_err());
    }

    #[test]
    fn judges_programs_and_the_embedder_are_named_again() {
        let mut began = Asked::default();
        began.judging.judges = vec!["openai:judge".to_owned()];
        assert!(same_graders(&began, &began.clone()).is_ok());
        let refusal = same_graders(&began, &Asked::default()).expect_err("no judge is named");
        assert!(refusal.hint.is_some_and(|hint| hint.contains("--judge openai:judge")));
        assert!(same_graders(&Asked::default(), &began).is_err());
    }
}
