//! Figures of one load, from its requests. Pure; every definition of a figure under load is here.
//!
//! Rates are taken over the window in which the load was on: from the send of the first measured request to
//! the send of the last. In a closed loop every request that ended before that was replaced at once, so
//! exactly the stated number was under way. A request's tokens are spread evenly from its first content to
//! its last; of warm-up requests that reach into the window the tokens count, and nothing else.
//!
//! In an open loop latencies are given from the instant the request was due (`scheduled`) and from the
//! send. Limits are checked against the first, as the waiting user would.

use crate::measure::counts::Doubt;
use crate::measure::event::Fault;
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use crate::measure::stats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One request under load, reduced to what figures and reports need. Milliseconds since the start
/// of its phase, or since its send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub step: Step,
    /// Which part of a resumed run; times of different parts are not comparable.
    pub session: u32,
    pub scheduled_ms: Option<f64>,
    pub sent_ms: f64,
    pub took_ms: f64,
    pub error: Option<Fault>,
    pub ttft_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub e2e_ms: Option<f64>,
    pub input_tokens: Option<u64>,
    pub cached_input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub content_events: u32,
    pub client_lag_ms: Option<f64>,
    pub connection_reused: Option<bool>,
    pub cost_usd: Option<f64>,
    pub pass: Option<bool>,
    /// Joules that the device had used at the send, since the start of the phase.
    pub meter_j: Option<f64>,
    /// What a reader of these figures must know beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

impl Sent {
    /// A record as a row; what it cost and whether its answer passes is known elsewhere.
    pub fn of(record: &Record, session: u32, cost_usd: Option<f64>, pass: Option<bool>) -> Self {
        let f = &record.figures;
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
        Self {
            step: record.step,
            session,
            scheduled_ms: record.scheduled.map(ms),
            sent_ms: ms(record.started),
            took_ms: ms(record.took),
            error: f.error.clone(),
            ttft_ms: f.ttft_ms,
            tpot_ms: f.tpot_ms,
            e2e_ms: f.e2e_ms,
            input_tokens: f.input_tokens,
            cached_input_tokens: f.usage.cache_read,
            output_tokens: f.output_tokens,
            content_events: f.content_events,
            client_lag_ms: record.client_lag.map(ms),
            connection_reused: f.connection_reused,
            cost_usd,
            pass,
            meter_j: record.meter_j,
            doubts: f.doubts.clone(),
        }
    }

    /// Milliseconds that it was sent late; `None` in a closed loop.
    pub fn lag_ms(&self) -> Option<f64> {
        self.scheduled_ms.map(|due| self.sent_ms - due)
    }
    fn since_due(&self, latency: Option<f64>) -> Option<f64> {
        Some(latency? + self.lag_ms().unwrap_or(0.0))
    }

    /// Does it keep the limits? `None`: a figure with a limit was not measured. An answer of one token has
    /// no time per token, which breaks no limit on it.
    pub fn meets(&self, slo: &Slo) -> Option<bool> {
        if self.error.is_some() {
            return Some(false);
        }
        let one_token = self.output_tokens.is_some_and(|n| n < 2);
        let within = |limit: Option<f64>, value: Option<f64>| match (limit, value) {
            (None, _) => Some(true),
            (Some(limit), Some(value)) => Some(value <= limit),
            (Some(_), None) => None,
        };
        let tpot = if one_token { Some(true) } else { within(slo.tpot_ms, self.tpot_ms) };
        let parts = [
            within(slo.ttft_ms, self.since_due(self.ttft_ms)),
            tpot,
            within(slo.e2e_ms, self.since_due(self.e2e_ms)),
        ];
        // One broken limit is enough, even where other figures are not known.
        if parts.contains(&Some(false)) {
            Some(false)
        } else {
            parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
        }
    }

    /// Tokens generated between two instants, in milliseconds of its phase.
    fn tokens_between(&self, from: f64, to: f64) -> f64 {
        let (Some(n), Some(ttft), Some(e2e)) = (self.output_tokens, self.ttft_ms, self.e2e_ms) else {
            return 0.0;
        };
        let (first, last) = (self.sent_ms + ttft, self.sent_ms + e2e);
        let share = if last > first {
            ((to.min(last) - from.max(first)) / (last - first)).max(0.0)
        } else {
            f64::from(u8::from((from..to).contains(&last)))
        };
        n as f64 * share
    }
}

/// The limits a request must keep to be of use (service level objectives), milliseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Slo {
    /// Limit on the time to the first token, ms; null: none.
    pub ttft_ms: Option<f64>,
    /// Limit on each further token, ms; null: none.
    pub tpot_ms: Option<f64>,
    /// Limit on the whole answer, ms; null: none.
    pub e2e_ms: Option<f64>,
}

/// What one load did on one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadFigures {
    /// Measured requests started.
    pub requests: u32,
    pub failures: u32,
    pub failure_kinds: Vec<Fault>,
    /// Seconds the load was on, all rounds together.
    pub seconds: f64,
    /// Output tokens per second of all requests together.
    pub output_tps_system: Option<f64>,
    /// Successful requests per second.
    pub requests_per_s: Option<f64>,
    /// Requests sent per second.
    pub sent_per_s: Option<f64>,
    /// Requests under way: the mean over the window, and the most at once.
    pub in_flight_mean: Option<f64>,
    pub in_flight_max: u32,
    /// Latencies from the send.
    pub ttft_ms: Vec<f64>,
    pub tpot_ms: Vec<f64>,
    pub e2e_ms: Vec<f64>,
    /// Open loop: latencies from the instant the request was due.
    pub ttft_scheduled_ms: Vec<f64>,
    pub e2e_scheduled_ms: Vec<f64>,
    pub send_lag_ms: Vec<f64>,
    pub client_lag_ms: Vec<f64>,
    /// Requests that met the limits, of those that can be judged; failures never meet them.
    pub good: Option<(u32, u32)>,
    /// Requests per second that met the limits.
    pub goodput_rps: Option<f64>,
    pub cost_usd: Option<f64>,
    pub cached_input_tokens: Option<u64>,
    /// Mean power of the device while the load was on, idle power included.
    pub watts: Option<f64>,
    /// Joules per output token: the same energy over all output tokens of that time, work on their prompts
    /// included.
    pub output_token_j: Option<f64>,
    /// The 99th percentile of the send lag, or its maximum where there are too few for one, is more
    /// than a tenth of the median TTFT: the sender was late, not the server slow.
    pub lagging: bool,
}

/// The figures of one load: all rounds and parts of it, in any order.
pub fn figures(rows: &[&Sent], slo: &Slo) -> LoadFigures {
    let measured: Vec<&Sent> = rows.iter().copied().filter(|r| !r.step.warmup).collect();
    let good: Vec<&Sent> = measured.iter().copied().filter(|r| r.error.is_none()).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let all =
        |pick: &dyn Fn(&Sent) -> Option<f64>| -> Vec<f64> { good.iter().filter_map(|r| pick(r)).collect() };
    let parts = parts(rows);
    let windows: Vec<Window> = parts.iter().filter_map(|part| window(part)).collect();
    let seconds: f64 = windows.iter().map(|w| (w.to - w.from) / 1000.0).sum();
    let per_second = |total: f64| (seconds > 0.0).then(|| total / seconds);
    let counted = good.iter().all(|r| r.output_tokens.is_some()) && !good.is_empty();
    let output_tps = per_second(windows.iter().map(|w| w.tokens).sum()).filter(|tps| counted && *tps > 0.0);
    let mean_tokens = good.iter().filter_map(|r| r.output_tokens).sum::<u64>() as f64 / good.len() as f64;
    // From tokens where they are counted: counting whole requests would be coarse where there are few.
    let requests_per_s = match output_tps {
        Some(tps) => Some(tps / mean_tokens),
        // A window in which no request ended does not tell a rate.
        None => per_second(windows.iter().map(|w| f64::from(w.ended)).sum()).filter(|rate| *rate > 0.0),
    };
    let judged: Option<Vec<bool>> = measured.iter().map(|r| r.meets(slo)).collect();
    let limits = *slo != Slo::default();
    let met = judged
        .filter(|j| limits && !j.is_empty())
        .map(|j| (count(j.iter().filter(|g| **g).count()), count(j.len())));
    let watts = windows.iter().map(|w| w.joules).sum::<Option<f64>>().and_then(per_second);
    let ttft_ms = all(&|r| r.ttft_ms);
    let send_lag_ms: Vec<f64> = measured.iter().filter_map(|r| r.lag_ms()).collect();
    LoadFigures {
        requests: count(measured.len()),
        failures: count(measured.len() - good.len()),
        failure_kinds: measured.iter().filter_map(|r| r.error.clone()).collect(),
        seconds,
        output_tps_system: output_tps,
        requests_per_s,
        sent_per_s: per_second(windows.iter().map(|w| f64::from(w.sent)).sum()),
        in_flight_mean: per_second(windows.iter().map(|w| w.busy).sum::<f64>() / 1000.0),
        in_flight_max: parts.iter().map(|part| most_at_once(part)).max().unwrap_or(0),
        tpot_ms: all(&|r| r.tpot_ms),
        e2e_ms: all(&|r| r.e2e_ms),
        ttft_scheduled_ms: all(&|r| r.scheduled_ms.and(r.since_due(r.ttft_ms))),
        e2e_scheduled_ms: all(&|r| r.scheduled_ms.and(r.since_due(r.e2e_ms))),
        client_lag_ms: measured.iter().filter_map(|r| r.client_lag_ms).collect(),
        good: met,
        goodput_rps: met.zip(requests_per_s).map(|((met, _), rps)| rps * f64::from(met) / good.len() as f64),
        cost_usd: measured.iter().map(|r| r.cost_usd).sum::<Option<f64>>().filter(|_| !measured.is_empty()),
        cached_input_tokens: good
            .iter()
            .map(|r| r.cached_input_tokens)
            .sum::<Option<u64>>()
            .filter(|_| !good.is_empty()),
        watts,
        output_token_j: watts.zip(output_tps).map(|(watts, tps)| watts / tps),
        lagging: lagging(&send_lag_ms, &ttft_ms),
        ttft_ms,
        send_lag_ms,
    }
}

/// The rows by phase and part of the run: only within one of them can times be compared.
fn parts<'a>(rows: &[&'a Sent]) -> Vec<Vec<&'a Sent>> {
    let mut parts: BTreeMap<(Option<usize>, u32), Vec<&Sent>> = BTreeMap::new();
    for row in rows {
        parts.entry((row.step.load.map(|p| p.phase), row.session)).or_default().push(row);
    }
    parts.into_values().collect()
}

/// The window in which a load was on, in milliseconds of its phase, and what happened in it.
struct Window {
    from: f64,
    to: f64,
    tokens: f64,
    sent: u32,
    ended: u32,
    /// Milliseconds of requests under way, summed.
    busy: f64,
    joules: Option<f64>,
}

/// The window from the first measured send to the last.
#[allow(clippy::float_cmp, reason = "the instants came out of these rows")]
fn window(rows: &[&Sent]) -> Option<Window> {
    let sends = || rows.iter().filter(|r| !r.step.warmup).map(|r| r.sent_ms);
    let (from, to) = (sends().reduce(f64::min)?, sends().reduce(f64::max)?);
    if to <= from {
        return None;
    }
    let inside = |at: f64| (from..to).contains(&at);
    // An energy counter that can be trusted at the last send could be all the time.
    let meter = |at: f64| rows.iter().find(|r| !r.step.warmup && r.sent_ms == at)?.meter_j;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(Window {
        from,
        to,
        tokens: rows.iter().filter(|r| r.error.is_none()).map(|r| r.tokens_between(from, to)).sum(),
        sent: count(sends().filter(|at| inside(*at)).count()),
        ended: count(rows.iter().filter(|r| r.error.is_none() && inside(r.sent_ms + r.took_ms)).count()),
        busy: rows.iter().map(|r| ((r.sent_ms + r.took_ms).min(to) - r.sent_ms.max(from)).max(0.0)).sum(),
        joules: meter(to).zip(meter(from)).map(|(end, begin)| end - begin),
    })
}

fn most_at_once(rows: &[&Sent]) -> u32 {
    let mut changes: Vec<(f64, i32)> =
        rows.iter().flat_map(|r| [(r.sent_ms, 1), (r.sent_ms + r.took_ms, -1)]).collect();
    // A request that ends counts before one that begins at the same instant.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut now = 0;
    let most = changes.iter().map(|(_, change)| {
        now += change;
        now
    });
    u32::try_from(most.max().unwrap_or(0)).unwrap_or(0)
}

fn lagging(lag: &[f64], ttft: &[f64]) -> bool {
    let lags = stats::summary(lag);
    match (lags.p99.or(lags.max), stats::median(ttft)) {
        (Some(late), Some(ttft)) => late > ttft / 10.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
