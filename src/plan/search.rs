//! Searches every machine, engine, format and way to split the model for the plan that carries the need
//! best.

use super::bill::{Bill, Cost};
use super::machine::Machine;
use super::need::{Limits, Need};
use super::replica::{Allowed, Ceiling, Replica, Setting, Slow, copies};
use super::staffing;
use super::weights::{FormatUse, Weights, usual, weights};
use crate::capacity::{Engine, HardwareShape, KvType, ModelShape, Quantisation, Served};
use std::collections::BTreeMap;

/// What the search is asked.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub need: &'a Need,
    pub model: &'a ModelShape,
    /// Attention heads of the model: a server splits them evenly. `None`: not known, any split is tried.
    pub heads: Option<u32>,
    pub machines: &'a [Machine],
    pub allowed: &'a Allowed,
    /// Prices a bill over the horizon: the cost engine, passed in by the caller.
    pub cost: &'a dyn Fn(&Bill<'_>) -> Cost,
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask").field("need", self.need).field("model", &self.model.id).finish_non_exhaustive()
    }
}

/// A plan: so many machines, each with so many copies of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<'a> {
    pub machine: &'a Machine,
    pub replica: Replica,
    /// Copies in service, and how many of them one machine has room for.
    pub replicas: u32,
    pub replicas_per_host: u32,
    /// All machines, the spare ones included, and the spare ones, which only stand in for one that failed.
    pub hosts: u32,
    pub spare_hosts: u32,
    /// What a request sees at the peak; times in seconds.
    pub typical: Served,
    /// Share of the input, 0 to 1, that the prefix cache holds at the peak.
    pub cached_share: f64,
    /// Requests a second that the copies in service carry: within the limits, and with every place taken
    /// all the time.
    pub carries: f64,
    pub at_most: f64,
    /// Share of `at_most` that is used: at the peak and on average.
    pub busy_peak: f64,
    pub busy_mean: f64,
    /// What keeps it from being smaller, the strongest reason first.
    pub binds: Vec<Bind>,
    pub bill: Bill<'a>,
    pub cost: Cost,
}

/// What keeps a plan from being smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bind {
    /// Arithmetic and bandwidth of the accelerators.
    Compute,
    /// Memory for keys and values.
    KvMemory,
    /// The limit on the first token, or on each further one.
    Ttft,
    Tpot,
    EndToEnd,
    /// Machines come whole, and most of this one is idle.
    Granularity,
    /// One more stands by in case one fails.
    Spare,
    /// The user fixed the number of requests at once.
    Asked,
}

/// A combination that was tried and gives no plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    pub accelerator: String,
    pub engine: Engine,
    pub format: &'static Quantisation,
    pub why: Why,
}

/// Why a combination gives no plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// One request alone breaks a limit this many times over, on the most accelerators tried.
    TooSlow { ttft_ms: f64, tpot_ms: f64, over: f64 },
    /// It does not fit: bytes of weights, and of memory on the most accelerators of one machine.
    DoesNotFit { weights: f64, memory: f64 },
    /// There are no weights of this model in the format.
    NoWeights,
    /// The engine does not run on this accelerator.
    NoEngine,
}

/// A limit that the nearest plan misses, and by how much; seconds at the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Missed {
    pub limit: Bind,
    pub limit_seconds: f64,
    pub seconds: f64,
    /// Seconds of one request alone on the accelerators that come nearest.
    pub alone_seconds: f64,
}

/// What a search for plans found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult<'a> {
    /// The best of each machine that can carry the need, the cheapest first.
    pub plans: Vec<Plan<'a>>,
    /// The same with four-bit weights that the maker did not release, under a server. They lose some
    /// quality, so they count as plans only where there is nothing else or where the cheapest plan has few
    /// bits anyway (a machine may then have two plans); otherwise they are mentioned beside.
    pub in_four_bits: Vec<Plan<'a>>,
    /// Indices into [`SearchResult::plans`]: the plan with the fewest machines, and the one that completes
    /// an answer soonest.
    pub fewest: Option<usize>,
    pub quickest: Option<usize>,
    /// Where no plan keeps the limits: the plan that comes nearest, and what it misses.
    pub nearest: Option<(Plan<'a>, Vec<Missed>)>,
    pub rejected: Vec<Rejected>,
}

/// Accelerators that behave alike: the same chip with the same memory, joined alike. Computers of one chip
/// are sold with several memories, and what fits one need not fit the next.
type Kind = (String, [u64; 3], bool);

/// What one kind of accelerator can do, in every setting.
#[derive(Default)]
struct Tried {
    good: Vec<Replica>,
    slow: Vec<Slow>,
}

/// Tries every setting on every kind of accelerator among the machines, each kind once.
fn try_all(ask: &Ask<'_>, machines: &[Machine], rejected: &mut Vec<Rejected>) -> BTreeMap<Kind, Tried> {
    let mut kinds: BTreeMap<Kind, (&HardwareShape, u32)> = BTreeMap::new();
    for machine in machines {
        let entry = kinds.entry(kind(machine)).or_insert((&machine.shape, 0));
        entry.1 = entry.1.max(machine.accelerators);
    }
    let tried = kinds.into_iter().map(|(kind, (shape, most))| {
        let tried = try_kind(ask, &kind, shape, most, rejected);
        (kind, tried)
    });
    tried.collect()
}

/// Every setting of a copy that keeps the limits on some machines.
pub(super) fn candidates(ask: &Ask<'_>, machines: &[Machine]) -> Vec<Replica> {
    let good = try_all(ask, machines, &mut Vec::new()).into_values().flat_map(|t| t.good);
    plain_first(good.collect())
}

/// The settings in formats of enough bits; where there are none, the others.
fn plain_first(good: Vec<Replica>) -> Vec<Replica> {
    let plain = good.iter().any(|r| r.format_use == FormatUse::Usual);
    good.into_iter().filter(|r| !plain || r.format_use == FormatUse::Usual).collect()
}

/// The same by index of the machine; machines that cannot serve the model are left out.
pub(super) fn by_machine(ask: &Ask<'_>) -> Vec<(usize, Vec<Replica>)> {
    let tried = try_all(ask, ask.machines, &mut Vec::new());
    let of = |(index, machine): (usize, &Machine)| {
        let all = tried.get(&kind(machine))?.good.iter();
        let good: Vec<Replica> = all.filter(|r| r.devices() <= machine.accelerators).cloned().collect();
        (!good.is_empty()).then(|| (index, plain_first(good)))
    };
    ask.machines.iter().enumerate().filter_map(of).collect()
}

/// Searches every plan for the need. Pure: the same question has the same answer.
pub fn search<'a>(ask: &Ask<'a>) -> SearchResult<'a> {
    let mut rejected = Vec::new();
    let tried = try_all(ask, ask.machines, &mut rejected);
    let all = |format_use: FormatUse| {
        let on = |machine| on_machine(ask, machine, &tried.get(&kind(machine))?.good, format_use);
        let mut plans: Vec<Plan<'a>> = ask.machines.iter().filter_map(on).collect();
        plans.sort_by(cheapest);
        plans
    };
    let (mut plans, mut in_four_bits) = (all(FormatUse::Usual), all(FormatUse::WhereNothingElseFits));
    // Where the best plan has few bits anyway, those of a server rank with it: it loses as much.
    if plans.first().is_none_or(|first| few_bits(&first.replica)) {
        for four in in_four_bits.drain(..) {
            let same = |p: &Plan<'_>| std::ptr::eq(p.machine, four.machine) && few_bits(&p.replica);
            match plans.iter().position(same) {
                Some(n) if plans[n].cost.total_usd <= four.cost.total_usd => {}
                Some(n) => plans[n] = four,
                None => plans.push(four),
            }
        }
        plans.sort_by(cheapest);
    }
    let best = |key: &dyn Fn(&Plan<'_>) -> f64| {
        (0..plans.len()).min_by(|a, b| key(&plans[*a]).total_cmp(&key(&plans[*b])))
    };
    let fewest = best(&|p| f64::from(p.hosts));
    let quickest = best(&|p| p.typical.ttft.likely + ask.need.output.mean * p.typical.tpot.likely);
    let nearest = if plans.is_empty() { nearest(ask, &tried) } else { None };
    SearchResult { plans, in_four_bits, fewest, quickest, nearest, rejected }
}

/// The order of plans: by total cost, then by the number of machines.
fn cheapest(a: &Plan<'_>, b: &Plan<'_>) -> std::cmp::Ordering {
    (a.cost.total_usd.total_cmp(&b.cost.total_usd))
        .then(a.hosts.cmp(&b.hosts))
        .then_with(|| a.machine.id.cmp(&b.machine.id))
        .then(a.machine.accelerators.cmp(&b.machine.accelerators))
}

fn kind(machine: &Machine) -> Kind {
    let shape = &machine.shape;
    let parts = [shape.memory_bytes, shape.bandwidth, shape.link.unwrap_or(0.0)].map(f64::to_bits);
    (machine.accelerator.clone(), parts, machine.board)
}

/// Engines to try where the user names none: those that whole companies run.
const ENGINES: [Engine; 3] = [Engine::Vllm, Engine::LlamaCpp, Engine::Mlx];

/// Every engine, format, KV type and split on up to `most` of these accelerators.
fn try_kind(
    ask: &Ask<'_>,
    kind: &Kind,
    shape: &HardwareShape,
    most: u32,
    rejected: &mut Vec<Rejected>,
) -> Tried {
    let mut tried = Tried::default();
    let engines: &[Engine] = ask.allowed.engines.as_deref().unwrap_or(&ENGINES);
    for engine in engines.iter().copied() {
        let mut reject = |format, why| {
            rejected.push(Rejected { accelerator: kind.0.clone(), engine, format, why });
        };
        let formats = formats(ask, engine);
        let Some(backend) = shape.path(engine) else {
            // Only an engine that the user asked for is reported as not running here.
            if let (Some(_), Some((format, ..))) = (&ask.allowed.engines, formats.first()) {
                reject(format, Why::NoEngine);
            }
            continue;
        };
        let mut precise_from = u32::MAX;
        for (format, format_use, made) in formats {
            let Some(made) = made else {
                reject(format, Why::NoWeights);
                continue;
            };
            let (mut fits, mut slowest): (bool, Option<Slow>) = (false, None);
            let mut kept = false;
            for (tensor, pipeline) in splits(ask, shape, engine, most) {
                let devices = tensor * pipeline;
                if format_use == FormatUse::WhereNothingElseFits && devices >= precise_from {
                    continue;
                }
                let hardware = HardwareShape { backend, devices, pipeline, ..shape.clone() };
                for kv in kv_types(ask, &hardware, engine) {
                    let setting = Setting {
                        model: ask.model,
                        hardware: &hardware,
                        format,
                        weights: made,
                        format_use,
                        kv,
                    };
                    match setting.best(ask.need, ask.allowed) {
                        None => {}
                        Some(Ok(replica)) => {
                            (fits, kept) = (true, true);
                            tried.good.push(replica);
                        }
                        Some(Err(slow)) => {
                            fits = true;
                            slowest = Some(slow);
                        }
                    }
                }
                if fits && format_use == FormatUse::Usual {
                    precise_from = precise_from.min(devices);
                }
                // Spread layers make nothing faster: as few accelerators as hold the model.
                if fits && !engine.is_server() {
                    break;
                }
            }
            match slowest {
                _ if kept => {}
                Some(slow) => {
                    let (ttft_ms, tpot_ms) = (slow.alone.ttft_p95 * 1e3, slow.alone.tpot_p95 * 1e3);
                    reject(format, Why::TooSlow { ttft_ms, tpot_ms, over: slow.over });
                    tried.slow.push(slow);
                }
                None if !fits && format_use == FormatUse::Usual => {
                    let weights = ask.model.bytes_under(format, engine).total;
                    reject(format, Why::DoesNotFit { weights, memory: shape.memory_bytes * f64::from(most) });
                }
                None => {}
            }
        }
    }
    tried
}

/// Formats under an engine: those asked for, else the usual ones.
fn formats(ask: &Ask<'_>, engine: Engine) -> Vec<(&'static Quantisation, FormatUse, Option<Weights>)> {
    if let Some(asked) = &ask.allowed.formats {
        let runs = asked.iter().copied().filter(|f| f.runs_on(engine));
        return runs.map(|f| (f, FormatUse::Usual, weights(ask.model, f, engine))).collect();
    }
    usual(ask.model, engine)
        .into_iter()
        .map(|(f, format_use)| (f, format_use, weights(ask.model, f, engine)))
        .collect()
}

/// Ways to split a model over up to `most` accelerators: how many work on each layer, and how many groups
/// of those share the layers.
fn splits(ask: &Ask<'_>, shape: &HardwareShape, engine: Engine, most: u32) -> Vec<(u32, u32)> {
    let counts = [1_u32, 2, 4, 8].into_iter().filter(|n| *n <= most);
    if !engine.is_server() {
        let all = (most > 8 || !most.is_power_of_two()).then_some(most);
        return counts.chain(all).map(|n| (n, 1)).collect();
    }
    let even = |t: u32| ask.heads.is_none_or(|h| h % t == 0);
    let wanted = |t: u32| ask.allowed.tensor_parallel.is_none_or(|w| w == t);
    // Over a bus the reductions of every layer cost more than they gain; between groups a token passes only
    // once.
    let bus = shape.link.is_none_or(|link| link < LINKED);
    let mut splits: Vec<(u32, u32)> =
        counts.clone().filter(|t| even(*t) && wanted(*t)).map(|t| (t, 1)).collect();
    if bus {
        let two = |p: u32| [(1, p), (2, p)].into_iter().filter(move |(t, p)| t * p <= most && *p > 1);
        splits.extend(counts.flat_map(two).filter(|(t, _)| even(*t) && wanted(*t)));
    }
    splits.sort_by_key(|(t, p)| (t * p, *p));
    splits
}

/// Bytes/s between accelerators from which a layer is always worth splitting over them.
const LINKED: f64 = 100e9;

fn kv_types(ask: &Ask<'_>, hardware: &HardwareShape, engine: Engine) -> Vec<KvType> {
    if let Some(kv) = ask.allowed.kv {
        return if kv.runs_on(engine) { vec![kv] } else { Vec::new() };
    }
    match engine {
        Engine::LlamaCpp | Engine::Mlx => vec![KvType::F16, KvType::Q8_0],
        _ if hardware.flops_fp8.is_some() => vec![KvType::F16, KvType::Fp8],
        _ => vec![KvType::F16],
    }
}

/// The best plan with one kind of machine.
fn on_machine<'m>(
    ask: &Ask<'_>,
    machine: &'m Machine,
    good: &[Replica],
    format_use: FormatUse,
) -> Option<Plan<'m>> {
    let fitting = good.iter().filter(|r| r.devices() <= machine.accelerators && r.format_use == format_use);
    let sized = fitting.map(|r| {
        let (n, each) = copies(ask.need, r, ask.allowed);
        let per_host = machine.accelerators / r.devices();
        (r, n, each, per_host, staffing::whole(f64::from(n) / f64::from(per_host)))
    });
    let chosen = sized.min_by(|a, b| {
        // The fewest machines; then what loses least of the model; then what answers first at this load.
        (a.4.cmp(&b.4))
            .then_with(|| loss(a.0).cmp(&loss(b.0)))
            .then_with(|| a.0.stay_with(a.2).total_cmp(&b.0.stay_with(b.2)))
    })?;
    let (replica, n, each, per_host, hosts) = chosen;
    Some(plan(ask, machine, replica, n, each, per_host, hosts))
}

/// What a setting loses of the model's quality, the worst first: few bits, weights that may not exist, keys
/// and values in fewer bits. `false` is better.
pub(super) fn loss(r: &Replica) -> (bool, bool, bool) {
    (few_bits(r), r.weights == Weights::Unknown, r.kv != KvType::F16)
}

/// Weights of fewer than eight bits that the maker did not release so: they lose some quality.
pub fn few_bits(replica: &Replica) -> bool {
    let bits = replica.format.bits(replica.backend.engine(), false).expert;
    bits < 7.0 && replica.weights != Weights::Maker
}

fn plan<'m>(
    ask: &Ask<'_>,
    machine: &'m Machine,
    replica: &Replica,
    replicas: u32,
    in_system: f64,
    per_host: u32,
    in_service: u32,
) -> Plan<'m> {
    let spare = u32::from(ask.need.must_stay_up && in_service > 0);
    // Where one of several small machines fails, the others carry on but must do its work too.
    let hosts = in_service + spare;
    let rate = replica.rate();
    let at_most = rate * f64::from(replicas);
    let carries = match (ask.need.batch, ask.allowed.ceiling) {
        (None, None) => {
            let places = f64::from(replicas) * f64::from(replica.concurrency);
            staffing::carried(places) / replica.stay()
        }
        (_, Some(ceiling)) => at_most * ceiling,
        (Some(_), None) => at_most * 0.9,
    };
    let (busy_peak, busy_mean) = (ask.need.rate() / at_most, mean_rate(ask.need) / at_most);
    let hardware =
        HardwareShape { backend: replica.backend, ..machine.slice(replica.devices(), replica.pipeline) };
    let setting = Setting {
        model: ask.model,
        hardware: &hardware,
        format: replica.format,
        weights: replica.weights,
        format_use: replica.format_use,
        kv: replica.kv,
    };
    let each = ask.need.rate() / f64::from(replicas.max(1));
    let typical = setting.typical(ask.need, replica, ask.allowed, in_system, each);
    let (typical, cached_share) = typical.unwrap_or((replica.served, replica.cached_share));
    // Machines in service may have room for more copies than they run.
    let filled = f64::from(replicas) / f64::from(per_host * in_service);
    let bill = Bill::of(machine, hosts, spare, busy_mean.min(1.0) * filled);
    let cost = (ask.cost)(&bill);
    let own = match replica.ceiling {
        Ceiling::Compute => Bind::Compute,
        Ceiling::KvMemory => Bind::KvMemory,
        Ceiling::Ttft => Bind::Ttft,
        Ceiling::Tpot => Bind::Tpot,
        Ceiling::EndToEnd => Bind::EndToEnd,
        Ceiling::Asked => Bind::Asked,
    };
    let mut binds = Vec::new();
    let used = ask.need.rate() / carries * filled;
    if used < 0.5 {
        binds.push(Bind::Granularity);
    }
    if spare > 0 && in_service <= 2 {
        binds.push(Bind::Spare);
    }
    binds.push(own);
    Plan {
        machine,
        replica: replica.clone(),
        replicas,
        replicas_per_host: per_host,
        hosts,
        spare_hosts: spare,
        typical,
        cached_share,
        carries,
        at_most,
        busy_peak,
        busy_mean,
        binds,
        bill,
        cost,
    }
}

fn mean_rate(need: &Need) -> f64 {
    if need.batch.is_some() { need.rate() } else { need.mean_rate }
}

/// Where nothing keeps a limit, the plan is made for this multiple of what one request alone takes on the
/// quickest accelerators: a quarter more leaves room for a second request.
const LATER: f64 = 1.25;

/// Where nothing keeps the limits: the cheapest plan for limits that can just be kept, and what it misses.
fn nearest<'a>(ask: &Ask<'a>, tried: &BTreeMap<Kind, Tried>) -> Option<(Plan<'a>, Vec<Missed>)> {
    let slow = tried.values().flat_map(|t| &t.slow);
    let least = &slow.min_by(|a, b| a.over.total_cmp(&b.over))?.alone;
    let later = |limit: Option<f64>, alone: f64| {
        limit.map(|ms| if alone * 1e3 > ms { alone * 1e3 * LATER } else { ms })
    };
    let whole = |r: &Replica| r.ttft_p95 + ask.need.output.p95 * r.tpot_p95;
    let limits = Limits {
        ttft_ms: later(ask.need.limits.ttft_ms, least.ttft_p95),
        tpot_ms: later(ask.need.limits.tpot_ms, least.tpot_p95),
        e2e_ms: later(ask.need.limits.e2e_ms, whole(least)),
    };
    let need = Need { limits, ..ask.need.clone() };
    let eased = Ask { need: &need, ..*ask };
    let kept = try_all(&eased, ask.machines, &mut Vec::new());
    let on = |machine| {
        let good = &kept.get(&kind(machine))?.good;
        let plain = on_machine(&eased, machine, good, FormatUse::Usual);
        plain.or_else(|| on_machine(&eased, machine, good, FormatUse::WhereNothingElseFits))
    };
    let plans = ask.machines.iter().filter_map(on);
    let plan = plans.min_by(|a, b| a.cost.total_usd.total_cmp(&b.cost.total_usd))?;
    let missed = [
        (Bind::Ttft, ask.need.limits.ttft_ms, plan.replica.ttft_p95, least.ttft_p95),
        (Bind::Tpot, ask.need.limits.tpot_ms, plan.replica.tpot_p95, least.tpot_p95),
        (Bind::EndToEnd, ask.need.limits.e2e_ms, whole(&plan.replica), whole(least)),
    ];
    let missed = missed.into_iter().filter_map(|(limit, ms, seconds, alone_seconds)| {
        let limit_seconds = ms? / 1e3;
        (seconds > limit_seconds).then_some(Missed { limit, limit_seconds, seconds, alone_seconds })
    });
    let missed = missed.collect();
    Some((plan, missed))
}
