//! One run: targets are made ready, the plan or what is left of it is asked, the loads are put on,
//! and what came back is handed on with the journal closed.

use super::args::Args;
use super::outside::Outside;
use super::recorded::Recorded;
use super::resume::{self, Resumed};
use super::settings::Settings;
use super::signals::{interrupted, outlive_file_limits};
use super::{
    bars, device, journal, judges, judging, load, local, privacy, request, settings, spending, synthetic,
    targets, watch,
};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build::{self, Basis, HumanGrade, JudgedPair, Run, TargetFacts};
use crate::document::bench::judge::Judge;
use crate::document::bench::{BenchDocument, Sample};
use crate::measure::backend::Backend;
use crate::measure::backend::http::ApiBackend;
use crate::measure::conversation::{self, Histories};
use crate::measure::load::Sent;
use crate::measure::run::{self, Patience};
use crate::measure::schedule::{Step, schedule};
use crate::prompts::Prompt;
use crate::provenance::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use watch::Tally;

/// What a run starts from.
pub struct Start<'a> {
    pub prompts: Vec<Prompt>,
    pub prompts_sha256: String,
    pub inputs_sha256: String,
    pub consent: &'static str,
    pub resumed: Option<Resumed>,
    pub privacy: &'a privacy::Privacy,
    pub judges: Vec<judges::Named>,
    pub recorded: Vec<Recorded>,
}

/// What a run left behind, just now or long ago.
pub struct MeasuredRun {
    pub basis: Basis,
    pub samples: Vec<Sample>,
    calls_fit: Vec<[u32; 2]>,
    /// What judges prefer.
    judged: Vec<JudgedPair>,
    judges: Vec<Judge>,
    sent: Vec<Sent>,
    cut: Vec<u32>,
    spent_usd: Option<f64>,
    unsettled_usd: Option<f64>,
    asked_again: u32,
    pub end: journal::End,
    pub journal: PathBuf,
}

impl MeasuredRun {
    /// `cut`: requests that were sent and never seen to end.
    pub fn new(
        mut tally: Tally<'_>,
        basis: &Basis,
        end: journal::End,
        cut: &[Step],
        journal: PathBuf,
        (run_id, people): (&str, &[HumanGrade]),
    ) -> Result<Self, CliError> {
        let asking = tally.asking(run_id);
        let (judged, judges) = (asking.preferences(&tally.told), asking.judges(&tally.told, people));
        let cut_of = |target| cut.iter().filter(|s| s.target == target).count();
        Ok(Self {
            cut: (0..end.targets.len()).map(|t| u32::try_from(cut_of(t)).unwrap_or(u32::MAX)).collect(),
            spent_usd: tally.spent_usd(),
            unsettled_usd: tally.unsettled_usd(),
            asked_again: tally.asked_again,
            samples: tally.samples,
            calls_fit: tally.calls_fit,
            judged,
            judges,
            sent: tally.sent.all()?,
            basis: Basis { targets: end.targets.clone(), ..basis.clone() },
            end,
            journal,
        })
    }

    pub fn document(&self) -> BenchDocument {
        build::document(Run {
            basis: &self.basis,
            samples: self.samples.clone(),
            sent: &self.sent,
            cut: &self.cut,
            calls_fit: &self.calls_fit,
            judged: &self.judged,
            judges: &self.judges,
            ended: &self.end.ended,
            spent_usd: self.spent_usd,
            unsettled_usd: self.unsettled_usd,
            asked_again: self.asked_again,
        })
    }
}

/// The targets of a run, ready to be asked, in the order of the command line, local ones first.
#[derive(Default)]
struct Ready {
    backends: Vec<Backend>,
    facts: Vec<TargetFacts>,
    /// How each is put under load.
    ways: Vec<load::Way>,
    /// Of the local ones: their energy and heat, the mark that a device is in use, their files.
    watches: Vec<device::Watch>,
    locks: device::Locks,
    files: Vec<PathBuf>,
}

impl Ready {
    async fn new(
        args: &Args,
        context: &Context,
        settings: &Settings,
        start: &Start<'_>,
        apis: Vec<targets::Api>,
    ) -> Result<Self, CliError> {
        let mut progress = Progress::new(context);
        let limits = settings::limits(args, start.privacy.strict())?;
        let mut ready = Self::default();
        for model in &args.model {
            let (mut backend, mut fact) =
                local::start(model, args, context, settings, &start.prompts, &mut progress).await?;
            if let Backend::Local(local) = &mut backend {
                ready.watches.push(device::attach(local, &mut fact, &mut ready.locks, context).await);
                let info = local.info();
                ready.files.push(info.file.path.clone());
                ready.ways.push(load::local_way(args, info.file.path.clone(), info.loaded.context)?);
            }
            ready.backends.push(backend);
            ready.facts.push(fact);
        }
        for api in apis {
            ready.ways.push(load::Way::api(api.target.clone(), limits));
            let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
            start.privacy.ask(&api.facts.id, &backend).await?;
            ready.backends.push(Backend::Api(Box::new(backend)));
            ready.facts.push(api.facts);
        }
        progress.done();
        targets::distinct_ids(&mut ready.facts);
        Ok(ready)
    }
}

/// The head of a new run's journal.
fn header(
    args: &Args,
    context: &Context,
    settings: &Settings,
    start: Start<'_>,
    plan: &spending::Plan,
    targets: Vec<TargetFacts>,
) -> journal::Header {
    let mut inputs = settings::inputs(args, settings, &start.prompts, &start.prompts_sha256);
    start.privacy.record(&mut inputs);
    let basis = Basis {
        inputs,
        load: settings.load_plan(&args.load, targets.iter().filter(|t| t.recorded_in.is_none()).count()),
        targets,
        prompts: start.prompts,
        max_output_tokens: settings.max_output_tokens,
        seed: settings.seed,
        margin: settings.margin,
        until_decided: args.until_decided,
        cache_bust: settings.cache.marks(),
        spending: plan.spending(start.consent, args.max_cost),
        created: context.now.clone(),
    };
    journal::Header::new(run_id(), start.inputs_sha256, basis)
}

/// Prompts alone, then the loads, then the engine alone.
pub async fn measure(
    args: &Args,
    context: &Context,
    settings: &Settings,
    mut start: Start<'_>,
    apis: Vec<targets::Api>,
    plan: &spending::Plan,
) -> Result<MeasuredRun, CliError> {
    crate::cli::files::raise_open_files_limit();
    outlive_file_limits();
    let Ready { mut backends, mut facts, ways, watches, locks: _locks, files } =
        Ready::new(args, context, settings, &start, apis).await?;
    let resumed = start.resumed.take();
    let judges = std::mem::take(&mut start.judges);
    let recorded = std::mem::take(&mut start.recorded);
    let live = facts.len();
    if let Some(Resumed { earlier, .. }) = &resumed {
        // A log is data: its answers stand in the journal.
        let of_run = &earlier.header.basis.targets;
        facts.extend(of_run.iter().filter(|t| t.recorded_in.is_some()).cloned());
    } else {
        facts.extend(recorded.iter().map(|log| log.facts.clone()));
        targets::distinct_ids(&mut facts);
    }
    let privacy = start.privacy;
    let header = match &resumed {
        Some(Resumed { earlier, .. }) => {
            let basis = resume::take_over(earlier.header.basis.clone(), facts)?;
            for target in &basis.targets {
                target.remarks.iter().for_each(|text| context.note(&format!("{}: {text}.", target.id)));
            }
            journal::Header { basis, ..earlier.header.clone() }
        }
        None => header(args, context, settings, start, plan, facts),
    };
    let (basis, run_id) = (header.basis.clone(), header.run_id.clone());
    let mut steps = alone(&basis, settings);
    let (mut tally, mut complete, mut cut) = (Tally::new(&basis), BTreeSet::new(), Vec::new());
    let mut histories = Histories::default();
    if let Some(Resumed { earlier, .. }) = &resumed {
        tally = Tally::of(&basis, earlier);
        complete.clone_from(&earlier.phases);
        for (_, record) in &earlier.records {
            let turns = conversation::turns(&basis.prompts[record.step.prompt]);
            histories.note(&record.step, turns, record.answered());
        }
        cut.clone_from(&earlier.cut);
        // What the journal has is never asked, and never paid, again; what failed without a bill is.
        let done: BTreeSet<Step> = earlier.records.iter().map(|(_, r)| r.step).collect();
        steps.retain(|step| !done.contains(step) || tally.unanswered().contains(step));
    }
    let mut journal = match resumed {
        Some(Resumed { locked, earlier }) => locked.go_on(&earlier, context)?,
        None => journal::Journal::create(args.output.output.as_deref(), context, header)?,
    };
    steps.retain(|step| step.target < live);
    for (n, log) in recorded.iter().enumerate() {
        for answer in &log.answers {
            let turn = conversation::turns(&basis.prompts[answer.prompt]).saturating_sub(1);
            let (prompt, repeat) = (answer.prompt, answer.repeat);
            let step = Step { target: live + n, prompt, repeat, warmup: false, load: None, turn };
            journal.outside(&journal::Line::Recorded { step, text: answer.text.clone() })?;
            tally.recorded(step, &answer.text);
        }
    }
    let asker = request::Asker::new(&basis, settings, &run_id, journal.session());
    let bars = bars::Bars::new(context, &basis.targets);
    let mut watch = watch::Watcher::new(tally, &steps, args.max_cost, journal, bars);
    let patience = Patience { retries: args.retries, wait_factor: 1.0 };
    let mut stop = std::pin::pin!(interrupted());
    let mut capped = false;
    let mut ended = loop {
        // Conversations that an earlier part of the run began may go on behind any pause.
        let of_these = histories.clone();
        let seed = settings.seed;
        let ended =
            run::run(&mut backends, &steps, &asker, of_these, patience, seed, &mut watch, stop.as_mut())
                .await;
        if !watch.pause || watch.broken.is_some() || ended.interrupted {
            break ended;
        }
        // Whole prompts wait for graders from outside; no conversation is open meanwhile.
        let (tally, journal) = watch.for_outside();
        let outside = Outside { args, context, seed, privacy, run_id: &run_id, tally, journal };
        let asked = judging::ask(outside, judges.clone()).await?;
        watch.graded();
        steps.retain(|step| watch.is_left(step));
        if asked.is_whole() && !watch.decided && !steps.is_empty() {
            watch.goes_on(&steps);
            continue;
        }
        capped |= asked.capped;
        let whole = asked.is_whole() && steps.is_empty();
        break run::Ended { interrupted: asked.interrupted, complete: ended.complete || whole, ..ended };
    };
    let mut targets = basis.targets.clone();
    put_down(backends, &watches, &mut targets, ended.interrupted).await;
    ended.stopped.resize(targets.len(), None);
    ended.skipped.resize(targets.len(), 0);
    let given = !matches!(settings.slo.source, Source::Assumed { .. });
    let (until_broken, left_out) = (given, Vec::new());
    let mut loads = load::Loads { basis: &basis, ways, asker: &asker, complete, until_broken, left_out };
    loads.run(&mut watch, &mut ended, stop.as_mut()).await;
    for (target, text) in loads.left_out {
        context.note(&format!("{}: {text}", targets[target].id));
        targets[target].remarks.push(text);
    }
    if ended.complete {
        let tests = synthetic::after(&files, args, context, &mut targets);
        let outcome = tokio::select! {
            outcome = tests => outcome.map_err(|fault| fault.message),
            () = stop.as_mut() => Err("interrupted".to_owned()),
        };
        if let Err(why) = outcome {
            context.note(&format!("the engine alone could not be measured to the end: {why}"));
        }
    }
    capped |= watch.capped;
    if watch.decided {
        // The rest was not needed.
        ended.complete = ended.stopped.iter().all(Option::is_none);
        ended.skipped.fill(0);
    }
    cut.extend(watch.under_way());
    let (mut tally, mut journal) = watch.close()?;
    if !ended.interrupted {
        let (tally, journal) = (&mut tally, &mut journal);
        let seed = settings.seed;
        let outside = Outside { args, context, seed, privacy, run_id: &run_id, tally, journal };
        let judged = judging::ask(outside, judges).await?;
        ended.interrupted |= judged.interrupted;
        capped |= judged.capped;
        ended.complete &= judged.is_whole();
    }
    let end = journal::End { ended, capped, targets };
    let path = journal.end(end.clone())?;
    MeasuredRun::new(tally, &basis, end, &cut, path, (&run_id, &[]))
}

/// Each prompt of each target alone, in the order they are asked.
fn alone(basis: &Basis, settings: &Settings) -> Vec<Step> {
    let warmup = if settings.repeats == 0 { 0 } else { settings.warmup };
    let mut steps = schedule(basis.targets.len(), &turns(basis), settings.repeats, warmup, settings.seed);
    if basis.until_decided {
        // All repeats of a prompt are one piece of evidence: they come together, in the shuffled order of
        // the prompts.
        let mut place = BTreeMap::new();
        for step in steps.iter().filter(|s| !s.warmup) {
            let next = place.len() + 1;
            place.entry(step.prompt).or_insert(next);
        }
        steps.sort_by_key(|s| if s.warmup { 0 } else { place[&s.prompt] });
    }
    steps
}

/// How many requests each prompt is made of.
pub fn turns(basis: &Basis) -> Vec<u32> {
    basis.prompts.iter().map(conversation::turns).collect()
}

/// The backends have been asked alone: what was seen of their devices is kept, and the engines end.
async fn put_down(
    backends: Vec<Backend>,
    watches: &[device::Watch],
    targets: &mut [TargetFacts],
    interrupted: bool,
) {
    for (target, backend) in backends.into_iter().enumerate() {
        if let Backend::Local(local) = &backend {
            device::finish(&watches[target], local, &mut targets[target]);
        }
        // After an interruption the worker may be in the middle of an answer: dropping ends it.
        if let Backend::Local(local) = backend
            && !interrupted
        {
            local.shutdown().await;
        }
    }
}

/// Unlike any earlier run, so that a provider's prompt cache cannot know its markers.
fn run_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The standard library's hasher is keyed at random for each process.
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{random:016x} {}", jiff::Timestamp::now())
}
