//! `--replay RUN`: the report of a run again, every figure computed anew from what its journal says
//! each answer did. No call, no key, no model, no prompt file.

use super::args::Args;
use super::journal::{self, Earlier, End};
use super::measure::{MeasuredRun, turns};
use super::outcome::write;
use super::watch::Tally;
use super::{load, settings};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::prompt_files;
use crate::document::bench::build::Basis;
use crate::document::envelope::Input;
use crate::measure::run::Ended;
use crate::measure::schedule::schedule;
use crate::prompts::Prompt;
use crate::provenance::Source;
use std::collections::BTreeSet;
use std::path::Path;

pub fn run(run: &Path, args: &Args, context: &Context) -> Result<(), CliError> {
    let path = journal::of_run(run);
    let mut earlier = journal::read(&path)?;
    if let Some(file) = &args.graders {
        graders(&mut earlier.header.basis, file)?;
    }
    let mut measured = measured(&earlier, &path)?;
    anew(&mut measured, args)?;
    let document = measured.document();
    write(&document, args, context)
}

/// What a journal says of a run.
pub fn measured(earlier: &Earlier, path: &Path) -> Result<MeasuredRun, CliError> {
    let mut basis = earlier.header.basis.clone();
    // As they were known at the end: a run that went on is priced by the day it did.
    if let Some(end) = &earlier.end {
        basis.targets.clone_from(&end.targets);
    }
    let basis = &basis;
    let end = earlier.end.clone().unwrap_or_else(|| End {
        ended: broken_off(earlier),
        capped: false,
        targets: basis.targets.clone(),
    });
    MeasuredRun::new(Tally::of(basis, earlier), basis, end, &earlier.cut, path.to_owned())
}

/// The end of a run that was killed: what is missing was not sent.
fn broken_off(earlier: &Earlier) -> Ended {
    let basis = &earlier.header.basis;
    let done: BTreeSet<_> = earlier.records.iter().map(|(_, r)| r.step).collect();
    let repeats = basis.inputs.get("repeats").and_then(|i| i.value.as_u64()).unwrap_or(0);
    let repeats = u32::try_from(repeats).unwrap_or(u32::MAX);
    let alone = schedule(basis.targets.len(), &turns(basis), repeats, 0, basis.seed);
    let mut skipped = vec![0; basis.targets.len()];
    for step in alone.iter().filter(|s| !done.contains(s)) {
        skipped[step.target] += 1;
    }
    for (number, phase) in basis.load.phases.iter().enumerate() {
        if earlier.phases.contains(&number) {
            continue;
        }
        let planned = load::queue_of(basis, number, BTreeSet::new(), std::time::Duration::ZERO).measured();
        let there = done.iter().filter(|s| !s.warmup && s.load.is_some_and(|p| p.phase == number)).count();
        let there = u32::try_from(there).unwrap_or(u32::MAX);
        skipped[phase.target] += planned.unwrap_or(0).saturating_sub(there);
    }
    Ended { complete: false, interrupted: false, stopped: vec![None; basis.targets.len()], skipped }
}

/// Other expectations of the same prompts, found by their ids, or by what they ask.
fn graders(basis: &mut Basis, file: &Path) -> Result<(), CliError> {
    let (set, sha256) = prompt_files::read(file)?;
    let prompts = set.prompts;
    let mut found = 0;
    let mut used = BTreeSet::new();
    for prompt in &mut basis.prompts {
        let same_text = |p: &&Prompt| p.prompt == prompt.prompt && p.conversation == prompt.conversation;
        let by_id = prompts.iter().find(|p| p.id == prompt.id);
        let Some(given) = by_id.or_else(|| prompts.iter().find(same_text)) else { continue };
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
    let shown = file.display();
    if found == 0 {
        return Err(CliError::usage(format!("{shown}: none of its prompts was asked in this run"))
            .hint("Give the ids of the run's prompts, or the same texts."));
    }
    if let Some(unknown) = prompts.iter().find(|p| !used.contains(p.id.as_str())) {
        return Err(CliError::usage(format!("{shown}: the run has no prompt {:?}", unknown.id)).hint(
            "Leave it out, or correct its id: an expectation of nothing would be forgotten in silence.",
        ));
    }
    let mut put = |name: &str, value: serde_json::Value| {
        let input = Input { value, unit: None, source: Source::flag("--graders") };
        basis.inputs.insert(name.to_owned(), input);
    };
    put("graders_file", shown.to_string().into());
    put("graders_sha256", sha256.into());
    Ok(())
}

/// What may be decided anew without a new measurement.
fn anew(measured: &mut MeasuredRun, args: &Args) -> Result<(), CliError> {
    let basis = &mut measured.basis;
    let mut put = |name: &str, value: serde_json::Value, unit: &str, flag: &str| {
        let source = Source::flag(flag);
        basis.inputs.insert(name.to_owned(), Input { value, unit: Some(unit.to_owned()), source });
    };
    if let Some(margin) = args.margin {
        settings::check_margin(margin)?;
        put("margin", margin.into(), "share", "--margin");
        basis.margin = margin;
    }
    if !args.load.slo.is_empty() {
        let slo = args.load.slo();
        put("slo", serde_json::to_value(slo).unwrap_or_default(), "ms", "--slo");
        basis.load.slo = slo;
    }
    Ok(())
}
