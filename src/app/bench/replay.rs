//! Makes the report of a run again from its journal: how the run ended, and what may be decided anew.

use super::journal::{Earlier, End};
use super::load::queue_of;
use super::settings;
use super::steps::turns;
use crate::app::Refusal;
use crate::document::bench::build::Basis;
use crate::document::envelope::Input;
use crate::measure::load::Slo;
use crate::measure::run::Ended;
use crate::measure::schedule::schedule;
use crate::prompts::Prompt;
use crate::provenance::Source;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The basis of a run with its targets as they were at the end, and its end: a resumed run is priced by the
/// day it was resumed.
pub fn ending(earlier: &Earlier) -> (Basis, End) {
    let mut basis = earlier.header.basis.clone();
    if let Some(end) = &earlier.end {
        basis.targets.clone_from(&end.targets);
    }
    let end = earlier.end.clone().unwrap_or_else(|| End {
        ended: broken_off(earlier),
        capped: false,
        targets: basis.targets.clone(),
    });
    (basis, end)
}

/// The end of a run that was killed: what is missing was never sent.
fn broken_off(earlier: &Earlier) -> Ended {
    let basis = &earlier.header.basis;
    let done: BTreeSet<_> = earlier.records.iter().map(|(_, r)| r.step).collect();
    let repeats = basis.inputs.get("repeats").and_then(|i| i.value.as_u64()).unwrap_or(0);
    let repeats = u32::try_from(repeats).unwrap_or(u32::MAX);
    let mut alone = schedule(basis.targets.len(), &turns(basis), repeats, 0, basis.seed);
    alone.retain(|step| basis.targets[step.target].recorded_in.is_none());
    let mut skipped = vec![0; basis.targets.len()];
    for step in alone.iter().filter(|s| !done.contains(s)) {
        skipped[step.target] += 1;
    }
    for (number, phase) in basis.load.phases.iter().enumerate() {
        if earlier.phases.contains(&number) {
            continue;
        }
        let planned = queue_of(basis, number, BTreeSet::new(), Duration::ZERO).measured();
        let there = done.iter().filter(|s| !s.warmup && s.load.is_some_and(|p| p.phase == number)).count();
        let there = u32::try_from(there).unwrap_or(u32::MAX);
        skipped[phase.target] += planned.unwrap_or(0).saturating_sub(there);
    }
    Ended { complete: false, interrupted: false, stopped: vec![None; basis.targets.len()], skipped }
}

/// Replaces what is expected of the prompts. A prompt is found by its text, among equal ones by its id; one that has
/// only the id of another is refused: ids are often given by position, and one line more would move every
/// expectation to the next prompt. `sha256` and `file` say where the expectations are from.
pub fn expect(basis: &mut Basis, prompts: &[Prompt], sha256: &str, file: &str) -> Result<(), Refusal> {
    let mut found = 0;
    let mut used = BTreeSet::new();
    let by_id: HashMap<&str, &Prompt> = prompts.iter().map(|p| (p.id.as_str(), p)).collect();
    let mut by_text: HashMap<&str, Vec<&Prompt>> = HashMap::new();
    for prompt in prompts {
        by_text.entry(prompt.prompt.trim()).or_default().push(prompt);
    }
    for prompt in &mut basis.prompts {
        let same =
            |p: &&Prompt| p.prompt.trim() == prompt.prompt.trim() && p.conversation == prompt.conversation;
        let with_id = by_id.get(prompt.id.as_str()).copied();
        let same_text = || by_text.get(prompt.prompt.trim())?.iter().copied().find(same);
        let given = match with_id.filter(same).or_else(same_text) {
            Some(given) => given,
            None if with_id.is_some() => {
                let what =
                    format!("{file}: the prompt {:?} asks something else than it did in the run", prompt.id);
                return Err(Refusal::input(what).hint("Give it the text that was asked, or take it out."));
            }
            None => continue,
        };
        used.insert(given.id.as_str());
        found += 1;
        prompt.expect.clone_from(&given.expect);
        prompt.asserts.clone_from(&given.asserts);
        prompt.threshold = given.threshold;
        prompt.vars.clone_from(&given.vars);
        if given.category.is_some() {
            prompt.category.clone_from(&given.category);
        }
    }
    if found == 0 {
        return Err(Refusal::input(format!("{file}: none of its prompts was asked in this run"))
            .hint("Give the ids of the run's prompts, or the same texts."));
    }
    if let Some(unknown) = prompts.iter().find(|p| !used.contains(p.id.as_str())) {
        return Err(Refusal::input(format!("{file}: the run has no prompt {:?}", unknown.id)).hint(
            "Leave it out, or correct its id: an expectation of nothing would be forgotten in silence.",
        ));
    }
    let mut put = |name: &str, value: serde_json::Value| {
        let input = Input { value, unit: None, source: Source::flag("--graders") };
        basis.inputs.insert(name.to_owned(), input);
    };
    put("graders_file", file.into());
    put("graders_sha256", sha256.into());
    Ok(())
}

/// Changes what may be changed without a new measurement: the margin, and the latency limits.
pub fn decide(basis: &mut Basis, margin: Option<f64>, limits: Option<Slo>) -> Result<(), Refusal> {
    let mut put = |name: &str, value: serde_json::Value, unit: &str, flag: &str| {
        let source = Source::flag(flag);
        basis.inputs.insert(name.to_owned(), Input { value, unit: Some(unit.to_owned()), source });
    };
    if let Some(margin) = margin {
        settings::check_margin(margin)?;
        put("margin", margin.into(), "share", "--margin");
        basis.margin = margin;
    }
    if let Some(slo) = limits {
        put("slo", serde_json::to_value(slo).unwrap_or_default(), "ms", "--slo");
        basis.load.slo = slo;
    }
    Ok(())
}
