//! `--replay RUN`: makes the report of a run again, every figure computed anew from its journal. No call,
//! no key, no model, no prompt file; only `--judge` and the other graders outside of this program are
//! asked, about the answers that are there.

use super::args::Args;
use super::journal::{self, Locked};
use super::outcome::{end, write};
use super::outside::Outside;
use super::overflow::load_samples;
use super::{human, judges, judging, privacy, programs, spending};
use crate::app::bench::journal::Earlier;
use crate::app::bench::measured::MeasuredRun;
use crate::app::bench::resume::stated_privacy;
use crate::app::bench::spending::{Plan, Service};
use crate::app::bench::tally::Tally;
use crate::app::bench::{outcome, questions, replay, settings};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::prompt_files;
use crate::document::bench::build::HumanGrade;
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
        let (set, sha256) = prompt_files::read(file)?;
        replay::expect(basis, &set.prompts, &sha256, &file.display().to_string())?;
    }
    if let Some(rubric) = &args.judging.rubric {
        questions::add_rubric(&mut basis.prompts, rubric);
    }
    let asked = args.asked();
    settings::judging_inputs(asked.same_weights, &asked.judging, &mut basis.inputs);
    let people =
        args.judging.human.as_deref().map(|file| human::read(file, basis)).transpose()?.unwrap_or_default();
    let (mut measured, stopped) = match locked {
        Some(locked) => judged(&mut earlier, locked, args, context, &people)?,
        None => (measured(&earlier, &people)?, questions::AskingEnded::default()),
    };
    replay::decide(&mut measured.basis, asked.margin, asked.load.limits)?;
    let document = measured.document();
    write(&document, args, context)?;
    end(outcome::of_judging(&stopped, &path.display().to_string()))
}

/// The measured run that a journal holds.
fn measured(earlier: &Earlier, people: &[HumanGrade]) -> Result<MeasuredRun, CliError> {
    let (basis, end) = replay::ending(earlier);
    let tally = Tally::of(&basis, earlier, load_samples());
    Ok(MeasuredRun::new(tally, &basis, end, &earlier.cut, (&earlier.header.run_id, people))?)
}

/// The same, after the judges and other graders of the command line were asked about the answers that are
/// there. What they say is added to the journal.
fn judged(
    earlier: &mut Earlier,
    locked: Locked,
    args: &Args,
    context: &Context,
    people: &[HumanGrade],
) -> Result<(MeasuredRun, questions::AskingEnded), CliError> {
    let privacy = privacy::of(args, context)?.at_least(stated_privacy(&earlier.header.basis));
    let catalog = crate::cli::catalog::load(context)?;
    programs::check(&args.judging.exec)?;
    let judges = judges::parse(args, &catalog, context, &privacy)?;
    for text in questions::lacking(&args.judging.options(), &earlier.header.basis.prompts) {
        context.note(&text);
    }
    let run_id = earlier.header.run_id.clone();
    let asks = args.asked();
    let plan = {
        let (basis, _) = replay::ending(earlier);
        let tally = Tally::of(&basis, earlier, load_samples());
        let asked = tally.asking(&run_id).questions(&asks.judging.judging());
        let left = |judge: &Service| {
            let form = asks.judging.form.of(judge.loopback);
            questions::left(&asked, &tally.told, &judge.id, form)
        };
        Plan::of_judges(&asks, judges::services(&judges), &left)
    };
    plan.each().iter().for_each(|line| context.note(line));
    if args.dry_run {
        context.note("Dry run: nothing was sent.");
        return Ok((measured(earlier, people)?, questions::AskingEnded::default()));
    }
    let consent = spending::consent(&plan, context, args)?;
    plan.add_to(&mut earlier.header.basis.spending, consent, args.max_cost);
    let (basis, end) = replay::ending(earlier);
    let mut tally = Tally::of(&basis, earlier, load_samples());
    let mut journal = locked.add_to(earlier)?;
    let runtime = super::engine_only::runtime()?;
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
    let measured = MeasuredRun::new(tally, &basis, end, &earlier.cut, (&run_id, people))?;
    Ok((measured, ended))
}
