//! `--concurrency`, `--rate` and what belongs to them → phases under load, and their running.

use super::watch::Watcher;
use super::{Args, Settings, device, local};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::profiles;
use crate::document::bench::build::Basis;
use crate::document::bench::load::LoadPlan;
use crate::measure::backend::http::{ApiTarget, Limits};
use crate::measure::backend::local::{LocalBackend, LocalConfig};
use crate::measure::event::{Fault, Request};
use crate::measure::load::{
    self, Arrivals, Extent, Phase, PhaseEnd, Queue, Sent, Shape, Slo, Surroundings, queue,
};
use crate::measure::plan::Step;
use crate::measure::run::Ended;
use crate::provenance::{Source, Sourced};
use crate::workload::keys::need;
use crate::workload::profile::LIMITS;
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

/// Options of the load. The doc comments are the help text.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    /// Closed loops: so many requests under way at any time, one level after the other: 1,4,16,64.
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub concurrency: Vec<u32>,
    /// Open loops: requests sent at a rate, whatever the answers do: 2/s, 30/min.
    #[arg(long, value_name = "RATE,...", value_delimiter = ',')]
    pub rate: Vec<Rate>,
    /// How the requests of an open loop are spread [default: poisson].
    #[arg(long, value_enum, value_name = "HOW")]
    pub arrivals: Option<Arrivals>,
    /// How long each level and rate is kept up: 60s, 5m.
    #[arg(long, value_name = "TIME")]
    pub duration: Option<Seconds>,
    /// Measured requests of each level and rate [default: 4 for each at once; what a rate gives in 30 s].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub requests: Option<u32>,
    /// Limits that a request must keep to count as good: ttft=500ms,tpot=30ms,e2e=5s. Given, more
    /// requests at once are left out where most of a level break one
    /// [default: ttft=500ms,tpot=30ms].
    #[arg(long, value_name = "LIMIT,...", value_delimiter = ',')]
    pub slo: Vec<Limit>,
    /// Leave out the requests one at a time; measure only under load.
    #[arg(long)]
    pub load_only: bool,
}

/// Requests per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, per) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match per.trim() {
            "s" | "sec" | "second" => 1.0,
            "min" | "m" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            other => return Err(format!("{other:?} is not s, min or h")),
        };
        let rate = number.trim().parse::<f64>().map_err(|e| e.to_string())? / seconds;
        if rate.is_finite() && rate > 1e-6 && rate <= 100_000.0 {
            Ok(Self(rate))
        } else {
            Err("a rate is above 0 and at most 100000/s".to_owned())
        }
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds(pub f64);

impl FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let factor = match text[at..].trim() {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            other => return Err(format!("{other:?} is not ms, s, m or h")),
        };
        let seconds = text[..at].trim().parse::<f64>().map_err(|e| e.to_string())? * factor;
        if seconds.is_finite() && seconds > 0.0 && seconds <= 30.0 * 86_400.0 {
            Ok(Self(seconds))
        } else {
            Err("a time is above 0 and at most 30 days".to_owned())
        }
    }
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Ttft(f64),
    Tpot(f64),
    E2e(f64),
}

impl FromStr for Limit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once('=').ok_or("a limit is NAME=TIME, such as ttft=500ms".to_owned())?;
        // Limits are thought of in milliseconds: a bare number would be taken for either.
        if value.trim().ends_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("{value} has no unit: write {value}ms or {value}s"));
        }
        let ms = value.trim().parse::<Seconds>()?.0 * 1000.0;
        match name.trim() {
            "ttft" => Ok(Self::Ttft(ms)),
            "tpot" => Ok(Self::Tpot(ms)),
            "e2e" => Ok(Self::E2e(ms)),
            other => Err(format!("{other:?} is not ttft, tpot or e2e")),
        }
    }
}

/// The limits of an interactive 8B-class service in `MLPerf` Inference (`loadgen/mlperf.conf`:
/// llama3.1-8b interactive).
const INTERACTIVE: Slo = Slo { ttft_ms: Some(500.0), tpot_ms: Some(30.0), e2e_ms: None };

impl LoadArgs {
    /// The limits that `--slo` gives.
    pub fn slo(&self) -> Slo {
        let mut slo = Slo::default();
        for limit in &self.slo {
            match *limit {
                Limit::Ttft(ms) => slo.ttft_ms = Some(ms),
                Limit::Tpot(ms) => slo.tpot_ms = Some(ms),
                Limit::E2e(ms) => slo.e2e_ms = Some(ms),
            }
        }
        slo
    }

    /// Levels ascending, then rates ascending, each once.
    pub fn shapes(&self) -> Vec<Shape> {
        let levels: BTreeSet<u32> = self.concurrency.iter().copied().collect();
        let mut rates: Vec<f64> = self.rate.iter().map(|r| r.0).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        let arrivals = self.arrivals.unwrap_or(Arrivals::Poisson);
        let closed = levels.into_iter().map(|concurrency| Shape::Closed { concurrency });
        closed.chain(rates.into_iter().map(|rate_per_s| Shape::Open { rate_per_s, arrivals })).collect()
    }

    pub fn extent(&self) -> Extent {
        Extent { requests: self.requests, seconds: self.duration.map(|d| d.0) }
    }

    /// What is asked of all targets together.
    pub(super) fn plan(&self, targets: usize, settings: &Settings) -> LoadPlan {
        LoadPlan {
            phases: load::phases(targets, &self.shapes(), settings.rounds),
            extent: self.extent(),
            warmup: settings.warmup,
            slo: settings.slo.value,
        }
    }

    /// Options that say something about a load that is not there.
    pub fn check(&self) -> Result<(), CliError> {
        if !self.concurrency.is_empty() || !self.rate.is_empty() {
            if self.arrivals.is_some() && self.rate.is_empty() {
                return Err(CliError::usage("--arrivals says how a --rate is spread, and there is none"));
            }
            return Ok(());
        }
        let given = [
            ("--duration", self.duration.is_some()),
            ("--requests", self.requests.is_some()),
            ("--arrivals", self.arrivals.is_some()),
            ("--slo", !self.slo.is_empty()),
            ("--load-only", self.load_only),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => Err(CliError::usage(format!("{name} belongs to a load, and there is none"))
                .hint("Add --concurrency 1,4,16 (closed loops) or --rate 2/s (an open loop).")),
        }
    }
}

/// The calls of one phase.
pub struct Calls {
    pub target: usize,
    pub warmups: u32,
    /// `None`: as many as fit into its time.
    pub measured: Option<u32>,
}

/// The calls of all phases, before anything is sent.
pub(super) fn calls(args: &LoadArgs, targets: usize, settings: &Settings, prompts: usize) -> Vec<Calls> {
    let plan = args.plan(targets, settings);
    let rules = queue::Rules { extent: plan.extent, warmup: plan.warmup, prompts, seed: settings.seed };
    let one = |(number, phase): (usize, &Phase)| {
        let load = load_number(&plan, phase);
        let queue = Queue::new(*phase, number, load, rules, BTreeSet::new(), Duration::ZERO);
        Calls { target: phase.target, warmups: queue.warmups(), measured: queue.measured() }
    };
    plan.phases.iter().enumerate().map(one).collect()
}

/// What is planned under load, in words.
pub(super) fn announcement(args: &LoadArgs, settings: &Settings) -> Option<String> {
    let list = |numbers: Vec<String>| numbers.join(", ");
    let mut parts = Vec::new();
    let (mut levels, mut rates) = (Vec::new(), Vec::new());
    for shape in args.shapes() {
        match shape {
            Shape::Closed { concurrency } => levels.push(concurrency.to_string()),
            Shape::Open { rate_per_s, .. } => rates.push(format!("{rate_per_s}/s")),
        }
    }
    if !levels.is_empty() {
        parts.push(format!("{} at once", list(levels)));
    }
    if !rates.is_empty() {
        let spread = match args.arrivals.unwrap_or(Arrivals::Poisson) {
            Arrivals::Poisson => "Poisson",
            Arrivals::Constant => "constant",
        };
        parts.push(format!("{} ({spread} arrivals)", list(rates)));
    }
    if parts.is_empty() {
        return None;
    }
    let extent = match (args.requests, args.duration) {
        (None, None) => String::new(),
        (Some(n), None) => format!(", {n} requests each"),
        (None, Some(Seconds(s))) => format!(", {s} s each"),
        (Some(n), Some(Seconds(s))) => format!(", {n} requests or {s} s each"),
    };
    let rounds = if settings.rounds > 1 { format!(", {} rounds", settings.rounds) } else { String::new() };
    Some(format!("{}{extent}{rounds}", parts.join(" and ")))
}

/// The limits in force: `--slo`, else the profile's, else those of an interactive service.
pub fn limits(args: &Args, context: &Context) -> Result<Sourced<Slo>, CliError> {
    if !args.load.slo.is_empty() {
        return Ok(Sourced::flag(args.load.slo(), "--slo"));
    }
    if let Some(name) = &args.profile {
        let draft = profiles::find(name, context)?.draft;
        if let Some(source) = LIMITS.iter().find_map(|key| draft.source(key)) {
            let slo = Slo {
                ttft_ms: draft.number(need::TTFT_MS),
                tpot_ms: draft.number(need::TPOT_MS),
                e2e_ms: draft.number(need::E2E_MS),
            };
            return Ok(Sourced::new(slo, source.clone()));
        }
    }
    Ok(assumed_limits())
}

/// Where nobody says what is fast enough.
pub fn assumed_limits() -> Sourced<Slo> {
    let reason = "the limits of an interactive 8B-class service in MLPerf Inference".to_owned();
    Sourced::new(INTERACTIVE, Source::Assumed { rule: "default-slo".to_owned(), reason })
}

/// What every queue of a run is made by.
fn rules(basis: &Basis) -> queue::Rules {
    queue::Rules {
        extent: basis.load.extent,
        warmup: basis.load.warmup,
        prompts: basis.prompts.len(),
        seed: basis.seed,
    }
}

/// The place of a phase's load among the loads, so that every target gets the same arrivals.
fn load_number(plan: &LoadPlan, phase: &Phase) -> usize {
    let mut shapes: Vec<Shape> = Vec::new();
    for p in &plan.phases {
        if !shapes.contains(&p.shape) {
            shapes.push(p.shape);
        }
    }
    shapes.iter().position(|s| *s == phase.shape).unwrap_or(0)
}

/// What a phase still has to send.
pub fn queue_of(basis: &Basis, number: usize, done: BTreeSet<Step>, spent: Duration) -> Queue {
    let phase = basis.load.phases[number];
    Queue::new(phase, number, load_number(&basis.load, &phase), rules(basis), done, spent)
}

/// Where the phases of a target go.
pub enum Way {
    Api(Box<load::api::Pool>),
    /// What its worker is started with.
    Local(Box<LocalConfig>),
}

impl Way {
    pub fn api(target: ApiTarget, limits: Limits) -> Self {
        Self::Api(Box::new(load::api::Pool::new(target, limits)))
    }
}

/// All phases of a run.
pub struct Loads<'a> {
    pub basis: &'a Basis,
    pub ways: Vec<Way>,
    pub request: &'a dyn Fn(&Step) -> Request,
    /// Complete in an earlier part of the run.
    pub complete: BTreeSet<usize>,
    /// No more requests at once where the limits are broken already: the user's own ones.
    pub until_broken: bool,
    /// What was left out for that, by target.
    pub left_out: Vec<(usize, String)>,
}

impl Loads<'_> {
    /// Run what is not complete; how it went is noted in `ended`.
    pub async fn run(
        &mut self,
        watcher: &mut Watcher<'_>,
        ended: &mut Ended,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) {
        let mut workers: BTreeMap<usize, LocalBackend> = BTreeMap::new();
        // Per target: the level at which most requests broke a limit.
        let mut broken: BTreeMap<usize, u32> = BTreeMap::new();
        for (number, phase) in self.basis.load.phases.iter().enumerate() {
            if self.complete.contains(&number) {
                continue;
            }
            if let (Shape::Closed { concurrency }, Some(at)) = (phase.shape, broken.get(&phase.target))
                && concurrency > *at
            {
                self.left_out.push((
                    phase.target,
                    format!(
                        "{concurrency} requests at once were left out: at {at} most broke a limit already"
                    ),
                ));
                continue;
            }
            let (done, spent) = earlier(watcher, number);
            let mut queue = queue_of(self.basis, number, done, spent);
            if ended.interrupted
                || watcher.capped
                || watcher.broken.is_some()
                || ended.stopped[phase.target].is_some()
            {
                ended.complete = false;
                ended.skipped[phase.target] += queue.measured().unwrap_or(0);
                continue;
            }
            let total = queue.measured().map(|n| u64::from(n + queue.warmups()));
            watcher.bars.begin(&title(phase, self.basis), &[(phase.target, total)]);
            let around = Surroundings { request: self.request, watch: watcher };
            let end = match &mut self.ways[phase.target] {
                Way::Api(pool) => load::api::run(pool, &mut queue, around, stop.as_mut()).await,
                Way::Local(config) => match worker(&mut workers, phase.target, config).await {
                    Ok(worker) => load::local::run(worker, &mut queue, around, stop.as_mut()).await,
                    Err(fault) => PhaseEnd::Lost(fault),
                },
            };
            watcher.bars.end();
            match end {
                PhaseEnd::Whole => {
                    watcher.phase_done(number);
                    if let Shape::Closed { concurrency } = phase.shape
                        && self.until_broken
                        && breaks_limits(&watcher.rows_of(number), &self.basis.load.slo)
                    {
                        broken.entry(phase.target).or_insert(concurrency);
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
            // In the middle of an answer only dropping ends it.
            if !ended.interrupted {
                worker.shutdown().await;
            }
        }
    }
}

/// Did fewer than half of a phase's requests keep every limit?
fn breaks_limits(rows: &[Sent], slo: &Slo) -> bool {
    let kept: Vec<bool> =
        rows.iter().filter(|s| !s.step.warmup).map(|s| s.meets(slo).unwrap_or(true)).collect();
    kept.iter().filter(|kept| **kept).count() * 2 < kept.len()
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
            // Why there is none was said of the target already.
            worker.set_meter(device::meter(worker.info()).ok());
            Ok(free.insert(worker))
        }
    }
}

/// What an earlier part of the run sent of a phase and is not to be asked again, and for how long it
/// sent measured requests.
fn earlier(watcher: &mut Watcher<'_>, number: usize) -> (BTreeSet<Step>, Duration) {
    let sent = watcher.rows_of(number);
    let mut spans: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for s in sent.iter().filter(|s| !s.step.warmup) {
        let span = spans.entry(s.session).or_insert((s.sent_ms, s.sent_ms));
        *span = (span.0.min(s.sent_ms), span.1.max(s.sent_ms));
    }
    let ms: f64 = spans.values().map(|(from, to)| to - from).sum();
    let spent = Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
    let again = watcher.tally.unanswered();
    (sent.iter().map(|s| s.step).filter(|step| !again.contains(step)).collect(), spent)
}

fn title(phase: &Phase, basis: &Basis) -> String {
    let what = match phase.shape {
        Shape::Closed { concurrency: 1 } => "Measuring 1 request at a time".to_owned(),
        Shape::Closed { concurrency } => format!("Measuring {concurrency} requests at once"),
        Shape::Open { rate_per_s, .. } => format!("Measuring {rate_per_s} requests per second"),
    };
    let rounds = basis.load.phases.iter().map(|p| p.round).max().unwrap_or(0) + 1;
    if rounds > 1 { format!("{what}, round {} of {rounds}", phase.round + 1) } else { what }
}

/// The local engine with room for the most requests at once that are asked of it.
pub fn local_way(args: &Args, file: std::path::PathBuf, context_tokens: u32) -> Result<Way, CliError> {
    /// More sequences than this an engine's batch has no use for; the rest wait in its queue.
    const MOST: u32 = 256;
    const AT_A_RATE: u32 = 8;
    let at_a_rate = if args.load.rate.is_empty() { 1 } else { AT_A_RATE };
    let most = args.load.concurrency.iter().copied().max().unwrap_or(1).max(at_a_rate).min(MOST);
    let how = local::How { context: context_tokens, raw: args.local.raw };
    let mut config = local::config(file, &args.local, how).map_err(local::refused)?;
    config.load.parallel = most;
    config.load.sampling = local::sampling(&args.local, args.seed.unwrap_or(0));
    config.load.json_schema = local::json_schema(&args.local)?;
    Ok(Way::Local(Box::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_times_and_limits_are_read_with_their_units() {
        assert_eq!("2/s".parse(), Ok(Rate(2.0)));
        assert_eq!("30/min".parse(), Ok(Rate(0.5)));
        assert_eq!("0.5".parse(), Ok(Rate(0.5)));
        assert!(["0/s", "-1", "x/s", "2/day", "inf"].iter().all(|t| t.parse::<Rate>().is_err()));
        assert_eq!("5m".parse(), Ok(Seconds(300.0)));
        assert_eq!("250ms".parse(), Ok(Seconds(0.25)));
        assert_eq!("90".parse(), Ok(Seconds(90.0)));
        assert!(["0s", "", "s", "-3s", "1 fortnight"].iter().all(|t| t.parse::<Seconds>().is_err()));
        assert_eq!("ttft=0.5s".parse(), Ok(Limit::Ttft(500.0)));
        assert_eq!("tpot=30ms".parse(), Ok(Limit::Tpot(30.0)));
        assert!(["ttft=500", "ttft", "itl=3ms", "e2e=-1s"].iter().all(|t| t.parse::<Limit>().is_err()));
    }
}
