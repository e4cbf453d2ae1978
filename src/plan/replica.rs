//! One copy of the model (a replica) at its best load: the most requests a second within the limits.

use super::need::{Limits, Need};
use super::prefix::cached_share;
use super::weights::{FormatUse, Weights};
use crate::capacity::{
    Arrivals, Backend, Engine, HardwareShape, KvType, ModelShape, Pace, Quantisation, Served, Traffic,
};

/// Most requests at once that a server is asked for: vLLM's own default on data-centre cards.
pub const MOST_AT_ONCE: f64 = 1024.0;
/// 95th percentile of an exponentially distributed wait, in means: ln 20.
const WAIT_95: f64 = 2.996;
/// Share of the time that work without limits may fill: the rest is for restarts and the last batch.
const BATCH_SHARE: f64 = 0.9;

/// What the user fixed; the search tries every value of what is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allowed {
    pub engines: Option<Vec<Engine>>,
    pub formats: Option<Vec<&'static Quantisation>>,
    pub kv: Option<KvType>,
    pub tensor_parallel: Option<u32>,
    pub concurrency: Option<u32>,
    /// Largest share of the time, 0 to 1, that a copy may be busy; without it the load decides
    /// ([`super::staffing`]).
    pub ceiling: Option<f64>,
    /// Share of the input, 0 to 1, that the engine's own cache holds, measured or given. It replaces the
    /// estimate from memory, but no more than what repeats is taken.
    pub cached_share: Option<f64>,
}

/// A copy of the model on some accelerators of one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica {
    pub backend: Backend,
    pub format: &'static Quantisation,
    pub weights: Weights,
    /// Whether the format is taken only where a more precise one does not fit.
    pub format_use: FormatUse,
    pub kv: KvType,
    /// Accelerators that work on every layer together (tensor parallelism), and groups of them that share
    /// the layers out (pipeline parallelism).
    pub tensor: u32,
    pub pipeline: u32,
    /// Experts must be dealt out whole instead of split: their FP8 scales are per block of 128 columns,
    /// and a part of an expert has no whole number of blocks.
    pub expert_parallel: bool,
    /// Requests at once.
    pub concurrency: u32,
    /// Times and rates with so many at once.
    pub served: Served,
    /// Seconds that a request takes when it is alone in the system.
    pub alone: f64,
    /// Seconds at the 95th percentile, from the 95th percentile of the prompts and of the queue.
    pub ttft_p95: f64,
    pub tpot_p95: f64,
    /// Share of the input that the prefix cache holds, 0 to 1.
    pub cached_share: f64,
    pub ceiling: Ceiling,
    /// Bytes over all its accelerators: weights, and what is left for keys and values.
    pub weight_bytes: f64,
    pub room_bytes: f64,
}

/// What keeps a copy from more requests at once, or from more a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ceiling {
    /// More at once would serve hardly more a second.
    Compute,
    /// More do not fit into its memory.
    KvMemory,
    /// More would break this limit.
    Ttft,
    Tpot,
    EndToEnd,
    /// The user fixed the number.
    Asked,
}

impl Replica {
    /// Accelerators of one copy.
    pub const fn devices(&self) -> u32 {
        self.tensor * self.pipeline
    }
    /// Requests a second with `concurrency` of them in the system all the time.
    pub fn rate(&self) -> f64 {
        self.served.requests_per_second.likely
    }
    /// Mean seconds of a request in the system with `concurrency` of them in it all the time (Little's
    /// law).
    pub fn stay(&self) -> f64 {
        f64::from(self.concurrency) / self.rate()
    }
    /// About the same with `in_system` of them in it: linear between one alone and `concurrency`.
    pub fn stay_with(&self, in_system: f64) -> f64 {
        let taken = ((in_system - 1.0) / (f64::from(self.concurrency) - 1.0).max(1.0)).clamp(0.0, 1.0);
        self.alone + taken * (self.stay() - self.alone)
    }
}

/// A setting in which even one request alone breaks the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Slow {
    /// The copy with one request at once.
    pub alone: Replica,
    /// How many times the worst-broken limit is exceeded, above 1.
    pub over: f64,
}

/// One way to run a copy, before its number of requests at once is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub model: &'a ModelShape,
    /// The hardware of one copy: its devices, their groups, and the backend that serves.
    pub hardware: &'a HardwareShape,
    pub format: &'static Quantisation,
    pub weights: Weights,
    pub format_use: FormatUse,
    pub kv: KvType,
}

/// What a copy does with one number of requests at once.
struct At {
    served: Served,
    ttft: f64,
    tpot: f64,
    cached: f64,
}

impl Setting<'_> {
    /// The copy with the best number of requests at once: `Some(Err(..))` where one request alone breaks a
    /// limit, `None` where the model or one long request does not fit.
    pub(super) fn best(&self, need: &Need, allowed: &Allowed) -> Option<Result<Replica, Slow>> {
        let pace = Pace::new(self.model, self.hardware, self.format, self.kv)?;
        let longest = need.longest.unwrap_or(0.0).max(need.input.p95 + need.output.p95);
        if pace.held(longest, self.kv) > pace.room() {
            return None;
        }
        let first = self.at(&pace, need, allowed, 1.0, 0.0);
        let alone = 1.0 / first.served.requests_per_second.likely;
        let limits = if need.batch.is_some() { Limits::default() } else { need.limits };
        let cap = first.served.holds.floor().clamp(1.0, MOST_AT_ONCE);
        if let Some(asked) = allowed.concurrency {
            // Requests that memory does not hold wait outside; the user fixed the number.
            let at = self.at(
                &pace,
                need,
                allowed,
                f64::from(asked.max(1)),
                first.served.requests_per_second.likely,
            );
            let over = broken(&at, limits, need.output.p95);
            let replica = self.replica(&pace, asked.max(1), &at, alone, Ceiling::Asked);
            return Some(match over {
                Some((_, over)) if broken(&first, limits, need.output.p95).is_some() => {
                    Err(Slow { alone: replica, over })
                }
                _ => Ok(replica),
            });
        }
        if let Some((_, over)) = broken(&first, limits, need.output.p95) {
            return Some(Err(Slow { alone: self.replica(&pace, 1, &first, alone, Ceiling::Compute), over }));
        }
        let (mut best, mut at_best) = (1.0, first);
        let mut ceiling = Ceiling::KvMemory;
        let mut c = 1.0_f64;
        while c < cap {
            let next = (c * 2.0).min(cap);
            let at = self.at(&pace, need, allowed, next, at_best.served.requests_per_second.likely);
            if let Some((which, _)) = broken(&at, limits, need.output.p95) {
                ceiling = which;
                let (found, at) = self.between(&pace, need, allowed, (c, next), limits, &at_best);
                if let Some(at) = at {
                    (best, at_best) = (found, at);
                }
                break;
            }
            if at.served.requests_per_second.likely <= at_best.served.requests_per_second.likely * 1.02 {
                ceiling = Ceiling::Compute;
                break;
            }
            (best, at_best) = (next, at);
            c = next;
        }
        if cap >= MOST_AT_ONCE && best >= cap {
            ceiling = Ceiling::Compute;
        }
        // In range: at most MOST_AT_ONCE.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let best = best as u32;
        Some(Ok(self.replica(&pace, best, &at_best, alone, ceiling)))
    }

    /// Tries a few loads between one that keeps the limits and one that does not; returns the largest that
    /// keeps them.
    fn between(
        &self,
        pace: &Pace<'_>,
        need: &Need,
        allowed: &Allowed,
        (mut low, mut high): (f64, f64),
        limits: Limits,
        at_low: &At,
    ) -> (f64, Option<At>) {
        let mut found = None;
        let mut rate = at_low.served.requests_per_second.likely;
        for _ in 0..4 {
            let middle = f64::midpoint(low, high).floor();
            if middle <= low {
                break;
            }
            let at = self.at(pace, need, allowed, middle, rate);
            if broken(&at, limits, need.output.p95).is_some() {
                high = middle;
            } else {
                rate = at.served.requests_per_second.likely;
                (low, found) = (middle, Some(at));
            }
        }
        (low, found)
    }

    /// The copy with `c` requests at once. How much its prefix cache holds depends on how many requests a
    /// second push others out, and that rate on what the cache holds: two rounds settle it. `rate` is a
    /// first guess, requests a second.
    fn at(&self, pace: &Pace<'_>, need: &Need, allowed: &Allowed, c: f64, rate: f64) -> At {
        let left = pace.room() - c * pace.held(need.input.mean + need.output.mean / 2.0, self.kv);
        let bytes = pace.held(need.input.mean + need.output.mean, self.kv);
        let mut traffic = Traffic {
            input: need.input.mean,
            cached: 0.0,
            output: need.output.mean,
            concurrency: c,
            kv: self.kv,
            arrivals: Arrivals::Steady,
        };
        let share = |rate: f64| cached_share(need.repeated_share, left, rate, bytes, need.gap_seconds);
        let mut cached = allowed.cached_share.map_or_else(|| share(rate), |s| s.min(need.repeated_share));
        traffic.cached = cached * need.input.mean;
        let mut served = pace.under(&traffic);
        if allowed.cached_share.is_none() && need.repeated_share > 0.0 {
            for _ in 0..3 {
                cached = share(served.requests_per_second.likely);
                traffic.cached = cached * need.input.mean;
                served = pace.under(&traffic);
            }
        }
        let long = pace.prompt(need.input.p95.max(need.input.mean), cached * need.input.p95).alone;
        let ttft = served.front + long + WAIT_95 * served.queued + served.outside;
        At { ttft, tpot: served.tpot.likely, served, cached }
    }

    fn replica(&self, pace: &Pace<'_>, concurrency: u32, at: &At, alone: f64, ceiling: Ceiling) -> Replica {
        let hardware = self.hardware;
        Replica {
            backend: hardware.backend,
            format: self.format,
            weights: self.weights,
            format_use: self.format_use,
            kv: self.kv,
            tensor: hardware.devices / hardware.pipeline.max(1),
            pipeline: hardware.pipeline.max(1),
            expert_parallel: self.splits_blocks(),
            concurrency,
            served: at.served,
            alone,
            ttft_p95: at.ttft,
            tpot_p95: at.tpot,
            cached_share: at.cached,
            ceiling,
            weight_bytes: self.model.bytes_under(self.format, hardware.backend.engine()).total,
            room_bytes: pace.room(),
        }
    }

    fn splits_blocks(&self) -> bool {
        let tensor = f64::from(self.hardware.devices) / f64::from(self.hardware.pipeline.max(1));
        let columns = self.model.expert_width() / tensor;
        let blocks = self.format.id == "FP8" && self.hardware.backend.engine().is_server();
        // Widths are derived from rounded parameter counts, so that a small fraction of a block is
        // rounding.
        let off = (columns / 128.0 - (columns / 128.0).round()).abs();
        self.model.is_mixture() && blocks && tensor > 1.0 && off > 0.1
    }

    /// What requests see at the peak, with `in_system` of them in each copy on average and `rate` a second
    /// taken, and what its prefix cache then holds: places that are free leave it memory.
    pub(super) fn typical(
        &self,
        need: &Need,
        replica: &Replica,
        allowed: &Allowed,
        in_system: f64,
        rate: f64,
    ) -> Option<(Served, f64)> {
        let pace = Pace::new(self.model, self.hardware, self.format, self.kv)?;
        let concurrency = in_system.clamp(1.0, f64::from(replica.concurrency));
        let left = pace.room() - concurrency * pace.held(need.input.mean + need.output.mean / 2.0, self.kv);
        let bytes = pace.held(need.input.mean + need.output.mean, self.kv);
        let cached = match allowed.cached_share {
            Some(share) => share.min(need.repeated_share),
            None => cached_share(need.repeated_share, left, rate, bytes, need.gap_seconds),
        };
        let cached = cached.max(replica.cached_share);
        let served = pace.under(&Traffic {
            input: need.input.mean,
            cached: cached * need.input.mean,
            output: need.output.mean,
            concurrency,
            kv: self.kv,
            arrivals: Arrivals::Steady,
        });
        Some((served, cached))
    }
}

/// The limit that is broken most, and measured time ÷ limit; `None` where all are kept. `output`: tokens of
/// a long answer.
fn broken(at: &At, limits: Limits, output: f64) -> Option<(Ceiling, f64)> {
    let over = |seconds: f64, limit: Option<f64>| limit.map_or(0.0, |ms| seconds * 1e3 / ms.max(1e-9));
    let whole = at.ttft + output * at.tpot;
    let times = [
        (Ceiling::Ttft, over(at.ttft, limits.ttft_ms)),
        (Ceiling::Tpot, over(at.tpot, limits.tpot_ms)),
        (Ceiling::EndToEnd, over(whole, limits.e2e_ms)),
    ];
    // Of two that are broken equally, the first counts.
    let worst = times.into_iter().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    (worst.1 > 1.0).then_some(worst)
}

/// The number of copies that carry a need's rate, and the mean number of requests in each at that rate.
pub(super) fn copies(need: &Need, replica: &Replica, allowed: &Allowed) -> (u32, f64) {
    use super::staffing;
    let (rate, most) = (need.rate(), replica.rate());
    let by_share = |share: f64| staffing::whole(rate / (share.clamp(0.01, 1.0) * most));
    let n = match (need.batch, allowed.ceiling) {
        (_, Some(ceiling)) => by_share(ceiling),
        (Some(_), None) => by_share(BATCH_SHARE),
        (None, None) => staffing::copies(rate, replica.stay(), f64::from(replica.concurrency)),
    };
    let each = rate / f64::from(n);
    // Little's law; a copy that is not full is faster than `stay`, so this is an upper end.
    (n, (each * replica.stay()).min(f64::from(replica.concurrency)))
}
