//! Runs one measurement: prepares the targets, asks the plan or what is left of it, runs the loads, and
//! returns what came back with the journal closed.

use super::args::Args;
use super::outside::Outside;
use super::resume::Resumed;
use super::signals::{interrupted, outlive_file_limits};
use super::{
    bars, device, journal, judges, judging, load, local, overflow, privacy, request_limits, synthetic,
    targets, watch,
};
use crate::app::bench::journal::{CommandLine, End, Header, Line};
use crate::app::bench::measured::MeasuredRun;
use crate::app::bench::privacy::Privacy;
use crate::app::bench::recorded::Recorded;
use crate::app::bench::request::Asker;
use crate::app::bench::resume::{self, SoFar};
use crate::app::bench::settings::{Begun, Settings};
use crate::app::bench::spending::Plan;
use crate::app::bench::steps::one_at_a_time;
use crate::app::bench::targets::{distinct_ids, with_recorded};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build::TargetFacts;
use crate::measure::backend::Backend;
use crate::measure::backend::http::ApiBackend;
use crate::measure::run::{self, Patience};
use crate::prompts::Prompt;
use std::path::PathBuf;

/// What a run starts from.
pub struct Start<'a> {
    pub prompts: Vec<Prompt>,
    pub prompts_sha256: String,
    pub inputs_sha256: String,
    pub consent: &'static str,
    pub resumed: Option<Resumed>,
    pub privacy: &'a Privacy,
    pub judges: Vec<judges::NamedJudge>,
    pub recorded: Vec<Recorded>,
}

/// The targets of a run, ready to be asked: local ones first, each kind in the order of the command line.
#[derive(Default)]
struct Ready {
    backends: Vec<Backend>,
    facts: Vec<TargetFacts>,
    /// The backend of each under load.
    load_backends: Vec<load::LoadBackend>,
    /// Of the local ones: throttling before the run, the locks on their devices, their files.
    throttling: Vec<device::Throttling>,
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
        let limits = request_limits::of(args, start.privacy.strict())?;
        let mut ready = Self::default();
        for model in &args.model {
            let (mut backend, mut fact) =
                local::start(model, args, context, settings, &start.prompts, &mut progress).await?;
            if let Backend::Local(local) = &mut backend {
                ready.throttling.push(device::attach(local, &mut fact, &mut ready.locks, context).await);
                let info = local.info();
                ready.files.push(info.file.path.clone());
                ready.load_backends.push(load::local_backend(
                    args,
                    info.file.path.clone(),
                    info.loaded.context,
                )?);
            }
            ready.backends.push(backend);
            ready.facts.push(fact);
        }
        for api in apis {
            ready.load_backends.push(load::LoadBackend::api(api.target.clone(), limits));
            let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
            privacy::ask(start.privacy, &api.facts.id, &backend).await?;
            ready.backends.push(Backend::Api(Box::new(backend)));
            ready.facts.push(api.facts);
        }
        progress.done();
        distinct_ids(&mut ready.facts);
        Ok(ready)
    }
}

/// The header of a new run's journal.
fn header(
    args: &Args,
    context: &Context,
    settings: &Settings,
    start: Start<'_>,
    plan: &Plan,
    targets: Vec<TargetFacts>,
) -> Header {
    let spending = plan.spending(start.consent, args.max_cost);
    let begun = Begun { targets, prompts: start.prompts, spending, created: context.now.clone() };
    let basis = settings.begin(&args.asked(), start.privacy, &start.prompts_sha256, begun);
    let given = CommandLine {
        arguments: std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect(),
        folder: std::env::current_dir().ok().map(|folder| folder.display().to_string()),
    };
    Header::new(run_id(), start.inputs_sha256, given, basis)
}

/// Measures requests one at a time, then the loads, then the engine alone. Returns what was measured, and
/// its journal.
pub async fn measure(
    args: &Args,
    context: &Context,
    settings: &Settings,
    mut start: Start<'_>,
    apis: Vec<targets::Api>,
    plan: &Plan,
) -> Result<(MeasuredRun, PathBuf), CliError> {
    crate::cli::files::raise_open_files_limit();
    outlive_file_limits();
    let Ready { mut backends, facts, load_backends, throttling, locks: _locks, files } =
        Ready::new(args, context, settings, &start, apis).await?;
    let resumed = start.resumed.take();
    let judges = std::mem::take(&mut start.judges);
    let recorded = std::mem::take(&mut start.recorded);
    let live = facts.len();
    let began = resumed.as_ref().map(|resumed| &resumed.earlier.header.basis);
    let facts = with_recorded(facts, began, &recorded);
    let privacy = start.privacy;
    let header = match &resumed {
        Some(Resumed { earlier, .. }) => {
            let basis = resume::take_over(earlier.header.basis.clone(), facts)?;
            for target in &basis.targets {
                target.remarks.iter().for_each(|text| context.note(&format!("{}: {text}.", target.id)));
            }
            Header { basis, ..earlier.header.clone() }
        }
        None => header(args, context, settings, start, plan, facts),
    };
    let (basis, run_id) = (header.basis.clone(), header.run_id.clone());
    let mut steps = one_at_a_time(&basis, settings.repeats, settings.warmup);
    let so_far = match &resumed {
        Some(Resumed { earlier, .. }) => SoFar::of(&basis, earlier, overflow::load_samples()),
        None => SoFar::nothing(&basis, overflow::load_samples()),
    };
    steps.retain(|step| so_far.is_left(step) && step.target < live);
    let SoFar { mut tally, histories, phases: complete, mut cut, .. } = so_far;
    let mut journal = match resumed {
        Some(Resumed { locked, earlier }) => locked.go_on(&earlier, context)?,
        None => journal::Journal::create(args.output.output.as_deref(), context, header)?,
    };
    for (n, log) in recorded.iter().enumerate() {
        for (step, text) in log.steps(live + n, &basis.prompts) {
            journal.outside(&Line::Recorded { step, text: text.to_owned() })?;
            tally.recorded(step, text);
        }
    }
    let asker = Asker::new(&basis, settings, &run_id, journal.session());
    let bars = bars::Bars::new(context, &basis.targets);
    let mut watch = watch::Watcher::new(tally, &steps, args.max_cost, journal, bars);
    let patience = Patience { retries: args.retries, wait_factor: 1.0 };
    let mut stop = std::pin::pin!(interrupted());
    let mut capped = false;
    let mut ended = loop {
        // Conversations that were begun earlier continue after a pause.
        let of_these = histories.clone();
        let seed = settings.seed;
        let ended =
            run::run(&mut backends, &steps, &asker, of_these, patience, seed, &mut watch, stop.as_mut())
                .await;
        if !watch.stopping.pause || watch.broken.is_some() || ended.interrupted {
            break ended;
        }
        // Complete prompts wait for graders outside of this program; no conversation is under way
        // meanwhile.
        let (tally, journal) = watch.for_outside();
        let outside = Outside { args, context, seed, privacy, run_id: &run_id, tally, journal };
        let asked = judging::ask(outside, judges.clone()).await?;
        watch.graded();
        steps.retain(|step| watch.stopping.is_left(step));
        if asked.is_whole() && !watch.stopping.decided && !steps.is_empty() {
            watch.goes_on(&steps);
            continue;
        }
        capped |= asked.capped;
        let whole = asked.is_whole() && steps.is_empty();
        break run::Ended { interrupted: asked.interrupted, complete: ended.complete || whole, ..ended };
    };
    let mut targets = basis.targets.clone();
    put_down(backends, &throttling, &mut targets, ended.interrupted).await;
    ended.stopped.resize(targets.len(), None);
    ended.skipped.resize(targets.len(), 0);
    let (until_broken, left_out) = (settings.limits_are_given(), Vec::new());
    let mut loads = load::Loads {
        basis: &basis,
        backends: load_backends,
        asker: &asker,
        complete,
        until_broken,
        left_out,
    };
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
    capped |= watch.stopping.capped;
    watch.stopping.settle(&mut ended);
    cut.extend(watch.stopping.under_way());
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
    let end = End { ended, capped, targets };
    let path = journal.end(end.clone())?;
    Ok((MeasuredRun::new(tally, &basis, end, &cut, (&run_id, &[]))?, path))
}

/// Ends the backends after the requests one at a time, and notes what their devices reported.
async fn put_down(
    backends: Vec<Backend>,
    throttling: &[device::Throttling],
    targets: &mut [TargetFacts],
    interrupted: bool,
) {
    for (target, backend) in backends.into_iter().enumerate() {
        if let Backend::Local(local) = &backend {
            device::finish(&throttling[target], local, &mut targets[target]);
        }
        // After an interruption the worker may be in the middle of an answer: dropping ends it.
        if let Backend::Local(local) = backend
            && !interrupted
        {
            local.shutdown().await;
        }
    }
}

/// An id unlike that of any earlier run, so that a provider's prompt cache cannot know its markers.
fn run_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The standard library's hasher is keyed at random for each process.
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{random:016x} {}", jiff::Timestamp::now())
}
