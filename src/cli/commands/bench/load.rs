//! Runs the load phases of `--concurrency` and `--rate`.

use super::args::Args;
use super::watch::Watcher;
use super::{device, local};
use crate::app::bench::load::{BrokenLevels, already_sent, queue_of, title};
use crate::app::bench::local_models::{at_once, sampling};
use crate::app::bench::settings;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::profiles;
use crate::document::bench::build::Basis;
use crate::measure::backend::http::{ApiTarget, Limits};
use crate::measure::backend::local::{LocalBackend, LocalConfig};
use crate::measure::event::Fault;
use crate::measure::load::{self, PhaseEnd, Slo, Surroundings};
use crate::measure::run::{Asker, Ended};
use crate::provenance::Sourced;
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::future::Future;
use std::pin::Pin;

/// The latency limits that hold: those of `--slo`, else the profile's, else those of an interactive
/// service.
pub fn limits(args: &Args, context: &Context) -> Result<Sourced<Slo>, CliError> {
    let given = args.load.limits();
    let profile = args.profile.as_ref().filter(|_| given.is_none());
    let profile = profile.map(|name| profiles::find(name, context)).transpose()?;
    Ok(settings::speed_limits(given, profile.as_ref().map(|profile| &profile.draft)))
}

/// The backend of a target under load.
pub enum LoadBackend {
    Api(Box<load::api::Pool>),
    /// The configuration that its worker is started with.
    Local(Box<LocalConfig>),
}

impl LoadBackend {
    pub fn api(target: ApiTarget, limits: Limits) -> Self {
        Self::Api(Box::new(load::api::Pool::new(target, limits)))
    }
}

/// All phases of a run.
pub struct Loads<'a> {
    pub basis: &'a Basis,
    pub backends: Vec<LoadBackend>,
    pub asker: &'a dyn Asker,
    /// Phases that were completed in an earlier part of the run.
    pub complete: BTreeSet<usize>,
    /// Skip higher concurrency once most requests break the limits: where the user gave limits.
    pub until_broken: bool,
    /// What was skipped for that, by target.
    pub left_out: Vec<(usize, String)>,
}

impl Loads<'_> {
    /// Runs the phases that are not complete; how they ended is noted in `ended`.
    pub async fn run(
        &mut self,
        watcher: &mut Watcher<'_>,
        ended: &mut Ended,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) {
        let mut workers: BTreeMap<usize, LocalBackend> = BTreeMap::new();
        let mut broken = BrokenLevels::new(self.basis.load.slo, self.until_broken);
        for (number, phase) in self.basis.load.phases.iter().enumerate() {
            if self.complete.contains(&number) {
                continue;
            }
            if let Some(why) = broken.leaves_out(phase) {
                self.left_out.push((phase.target, why));
                continue;
            }
            let sent = watcher.sent_of(number);
            let (done, spent) = already_sent(&sent, watcher.tally.unanswered());
            let mut queue = queue_of(self.basis, number, done, spent);
            if ended.interrupted
                || watcher.stopping.capped
                || watcher.broken.is_some()
                || ended.stopped[phase.target].is_some()
            {
                ended.complete = false;
                ended.skipped[phase.target] += queue.measured().unwrap_or(0);
                continue;
            }
            let total = queue.measured().map(|n| u64::from(n + queue.warmups()));
            watcher.bars.begin(&title(phase, &self.basis.load), &[(phase.target, total)]);
            let around = Surroundings { asker: self.asker, watch: watcher };
            let end = match &mut self.backends[phase.target] {
                LoadBackend::Api(pool) => load::api::run(pool, &mut queue, around, stop.as_mut()).await,
                LoadBackend::Local(config) => match worker(&mut workers, phase.target, config).await {
                    Ok(worker) => load::local::run(worker, &mut queue, around, stop.as_mut()).await,
                    Err(fault) => PhaseEnd::Lost(fault),
                },
            };
            watcher.bars.end();
            match end {
                PhaseEnd::Whole => {
                    watcher.phase_done(number);
                    if broken.needs_samples(phase) {
                        broken.note(phase, &watcher.sent_of(number));
                    }
                }
                PhaseEnd::Interrupted => (ended.interrupted, ended.complete) = (true, false),
                PhaseEnd::Stopped => ended.complete = false,
                PhaseEnd::Lost(fault) => {
                    ended.complete = false;
                    ended.stopped[phase.target] = Some(fault);
                }
            }
        }
        for (_, worker) in workers {
            // In the middle of an answer only dropping the worker ends it.
            if !ended.interrupted {
                worker.shutdown().await;
            }
        }
    }
}

/// The worker of a target, started where there is none yet.
async fn worker<'w>(
    workers: &'w mut BTreeMap<usize, LocalBackend>,
    target: usize,
    config: &LocalConfig,
) -> Result<&'w mut LocalBackend, Fault> {
    match workers.entry(target) {
        Entry::Occupied(there) => Ok(there.into_mut()),
        Entry::Vacant(free) => {
            let mut worker = LocalBackend::start(config.clone(), &mut |_| ()).await?;
            // If there is no meter, the target's facts say why already.
            worker.set_meter(device::meter(worker.info()).ok());
            Ok(free.insert(worker))
        }
    }
}

/// A backend for the local engine with room for the highest concurrency asked of it.
pub fn local_backend(
    args: &Args,
    file: std::path::PathBuf,
    context_tokens: u32,
) -> Result<LoadBackend, CliError> {
    let options = args.local.options();
    let worker = local::Worker { context: context_tokens, raw: options.raw };
    let mut config = local::config(file, &options, worker).map_err(CliError::of_fault)?;
    config.load.parallel = at_once(&args.load.options());
    config.load.sampling = sampling(&options, args.seed.unwrap_or(0));
    config.load.json_schema = local::json_schema(&args.local)?;
    Ok(LoadBackend::Local(Box::new(config)))
}
