//! `--replay RUN`: the report of a run again, every figure computed anew from what its journal says
//! each answer did. No call, no key, no model, no prompt file; only `--judge` and its kind ask somebody, about the
//! answers that are there.

use super::args::Args;
use super::journal::{self, Earlier, End, Locked};
use super::measure::{MeasuredRun, turns};
use super::outcome::write;
use super::outside::Outside;
use super::privacy::Privacy;
use super::spending::Plan;
use super::watch::Tally;
use super::{human, judges, judging, load, programs, resume, settings, signals, targets};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::prompt_files;
use crate::document::bench::build::{Basis, HumanGrade};
use crate::document::envelope::Input;
use crate::measure::run::Ended;
use crate::measure::schedule::schedule;
use crate::prompts::Prompt;
use crate::provenance::Source;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

pub fn run(run: &Path, args: &Args, context: &Context) -> Result<(), CliError> {
    let path = journal::of_run(run);
    let asks = &args.judging;
    let asks = !asks.judge.is_empty() || !asks.exec.is_empty() || asks.embedder.is_some();
    let mut locked = asks.then(|| Locked::existing(&path)).transpose()?;
    let mut earlier = match &mut locked {
        Some(locked) => locked.read()?,
        None => journal::read(&path)?,
    };
    let basis = &mut earlier.header.basis;
    if let Some(file) = &args.graders {
        graders(basis, file)?;
    }
    if let Some(rubric) = &args.judging.rubric {
        judges::add_rubric(&mut basis.prompts, rubric);
    }
    settings::judging_inputs(args, &mut basis.inputs);
    let people =
        args.judging.human.as_deref().map(|file| human::read(file, basis)).transpose()?.unwrap_or_default();
    let (mut measured, stopped) = match locked {
        Some(locked) => asked(&mut earlier, locked, args, context, &people)?,
        None => (measured(&earlier, &path, &people)?, judging::Ended::default()),
    };
    anew(&mut measured, args)?;
    let document = measured.document();
    write(&document, args, context)?;
    said(&stopped, &measured.journal)
}

/// What a journal says of a run.
pub fn measured(earlier: &Earlier, path: &Path, people: &[HumanGrade]) -> Result<MeasuredRun, CliError> {
    let (basis, end) = ending(earlier);
    let tally = Tally::of(&basis, earlier);
    let about = (earlier.header.run_id.as_str(), people);
    MeasuredRun::new(tally, &basis, end, &earlier.cut, path.to_owned(), about)
}

/// What the run rests on, with its targets as they were known at the end: a run that went on is priced by the day
/// it did.
fn ending(earlier: &Earlier) -> (Basis, End) {
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

/// The same, after judges and other graders of the command line were asked about the answers that are there. What
/// they say is added to the journal.
fn asked(
    earlier: &mut Earlier,
    locked: Locked,
    args: &Args,
    context: &Context,
    people: &[HumanGrade],
) -> Result<(MeasuredRun, judging::Ended), CliError> {
    let privacy = Privacy::of(args, context)?.at_least(resume::stated_privacy(&earlier.header.basis));
    let catalog = crate::cli::catalog::load(context)?;
    programs::check(&args.judging.exec)?;
    let judges = judges::parse(args, &catalog, context, &privacy)?;
    for text in judges::lacking(args, &earlier.header.basis.prompts) {
        context.note(&text);
    }
    let run_id = earlier.header.run_id.clone();
    let path = locked.path().to_owned();
    let plan = {
        let (basis, _) = ending(earlier);
        let tally = Tally::of(&basis, earlier);
        let questions = tally.asking(&run_id).questions(&judges::asked(args));
        let left = |api: &targets::Api| {
            let form = args.judging.judge_form.of(api.loopback);
            judging::left(&questions, tally.told.said.get(&api.facts.id), form)
        };
        Plan::of_judges(args, &judges, &left)
    };
    plan.each(context);
    if args.dry_run {
        context.note("Dry run: nothing was sent.");
        return Ok((measured(earlier, &path, people)?, judging::Ended::default()));
    }
    let consent = plan.consent(context, args)?;
    plan.add_to(&mut earlier.header.basis.spending, consent, args.max_cost);
    let (basis, end) = ending(earlier);
    let mut tally = Tally::of(&basis, earlier);
    let mut journal = locked.add_to(earlier)?;
    let runtime = super::alone::runtime()?;
    let outside = Outside {
        args,
        context,
        seed: basis.seed,
        privacy: &privacy,
        run_id: &run_id,
        tally: &mut tally,
        journal: &mut journal,
    };
    let ended = runtime.block_on(judging::ask(outside, judges))?;
    journal.close()?;
    let measured = MeasuredRun::new(tally, &basis, end, &earlier.cut, path, (&run_id, people))?;
    Ok((measured, ended))
}

/// What the end of the asking means for whoever started it.
fn said(ended: &judging::Ended, journal: &Path) -> Result<(), CliError> {
    let kept = format!(
        "What was said is in the report and in {}; the same command asks only what is left.",
        journal.display()
    );
    if ended.interrupted {
        return Err(CliError::new(signals::exit(), "interrupted: some questions were not asked").hint(kept));
    }
    let mut lines: Vec<String> =
        ended.stopped.iter().map(|(id, fault)| format!("{id}: {}", fault.message)).collect();
    if ended.capped {
        lines.push(
            "the next question could cost more than --max-cost allows, so the asking stopped".to_owned(),
        );
    }
    if lines.is_empty() { Ok(()) } else { Err(CliError::failed(lines.join("\n")).hint(kept)) }
}

/// The end of a run that was killed: what is missing was not sent.
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
    let by_id: HashMap<&str, &Prompt> = prompts.iter().map(|p| (p.id.as_str(), p)).collect();
    let mut by_text: HashMap<&str, Vec<&Prompt>> = HashMap::new();
    for prompt in &prompts {
        by_text.entry(&prompt.prompt).or_default().push(prompt);
    }
    for prompt in &mut basis.prompts {
        let same_text = || {
            let alike = by_text.get(prompt.prompt.as_str())?;
            alike.iter().find(|p| p.conversation == prompt.conversation).copied()
        };
        let Some(given) = by_id.get(prompt.id.as_str()).copied().or_else(same_text) else { continue };
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
