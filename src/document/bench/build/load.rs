//! Measured requests under load → the load figures of a target, and rows of the document.

use super::basis::Basis;
use crate::document::bench::Summary;
use crate::document::bench::load::{Goodput, Level, LoadDetail, LoadPlan, LoadSample, OpenLoop};
use crate::document::word;
use crate::measure::load::{Arrivals, LoadFigures, Sent, Shape, Slo, figures};
use crate::measure::stats;
use std::collections::BTreeMap;

/// The loads of one target: fixed numbers of requests at once (ascending), then fixed rates (ascending).
pub fn loads(target: usize, plan: &LoadPlan, sent: &[Sent]) -> (Vec<Level>, Vec<OpenLoop>) {
    let (mut levels, mut open) = (Vec::new(), Vec::new());
    let mut shapes: Vec<Shape> = Vec::new();
    for phase in plan.phases.iter().filter(|p| p.target == target) {
        if !shapes.contains(&phase.shape) {
            shapes.push(phase.shape);
        }
    }
    for shape in shapes {
        let rows: Vec<&Sent> = sent
            .iter()
            .filter(|s| {
                s.step
                    .load
                    .and_then(|p| plan.phases.get(p.phase))
                    .is_some_and(|p| p.target == target && p.shape == shape)
            })
            .collect();
        let f = figures(&rows, &plan.slo);
        if f.requests == 0 {
            continue;
        }
        let rounds: std::collections::BTreeSet<usize> =
            rows.iter().filter(|r| !r.step.warmup).filter_map(|r| Some(r.step.load?.phase)).collect();
        let detail = detail(&f, &plan.slo, rounds.len());
        match shape {
            Shape::Closed { concurrency } => levels.push(level(concurrency, &f, detail)),
            Shape::Open { rate_per_s, arrivals } => open.push(open_loop(rate_per_s, arrivals, &f, detail)),
        }
    }
    levels.sort_by_key(|l| l.concurrency);
    open.sort_by(|a, b| a.rate_per_s.total_cmp(&b.rate_per_s));
    (levels, open)
}

fn level(concurrency: u32, f: &LoadFigures, detail: LoadDetail) -> Level {
    Level {
        concurrency,
        requests: f.requests,
        failures: f.failures,
        output_tps_system: f.output_tps_system,
        requests_per_s: f.requests_per_s,
        ttft_ms: Summary::of(&f.ttft_ms),
        tpot_ms: Summary::of(&f.tpot_ms),
        e2e_ms: Summary::of(&f.e2e_ms),
        detail,
    }
}

fn open_loop(rate_per_s: f64, arrivals: Arrivals, f: &LoadFigures, detail: LoadDetail) -> OpenLoop {
    OpenLoop {
        rate_per_s,
        arrivals,
        requests: f.requests,
        failures: f.failures,
        output_tps_system: f.output_tps_system,
        requests_per_s: f.requests_per_s,
        sent_per_s: f.sent_per_s,
        ttft_scheduled_ms: Summary::of(&f.ttft_scheduled_ms),
        e2e_scheduled_ms: Summary::of(&f.e2e_scheduled_ms),
        ttft_ms: Summary::of(&f.ttft_ms),
        e2e_ms: Summary::of(&f.e2e_ms),
        tpot_ms: Summary::of(&f.tpot_ms),
        send_lag_ms: Summary::of(&f.send_lag_ms),
        lagging: f.lagging,
        detail,
    }
}

fn detail(f: &LoadFigures, slo: &Slo, rounds: usize) -> LoadDetail {
    let mut failure_kinds = BTreeMap::new();
    for fault in &f.failure_kinds {
        *failure_kinds.entry(word(&fault.kind)).or_insert(0) += 1;
    }
    LoadDetail {
        rounds: u32::try_from(rounds).unwrap_or(u32::MAX),
        seconds: Some(f.seconds).filter(|s| *s > 0.0),
        in_flight_mean: f.in_flight_mean,
        in_flight_max: f.in_flight_max,
        failure_kinds,
        goodput: f.good.and_then(|(met, requests)| {
            let interval = stats::wilson(met, requests)?;
            Some(Goodput {
                slo: *slo,
                met,
                requests,
                share: f64::from(met) / f64::from(requests),
                low: interval.low,
                high: interval.high,
                requests_per_s: f.goodput_rps,
            })
        }),
        client_lag_ms: Summary::of(&f.client_lag_ms),
        cached_input_tokens: f.cached_input_tokens,
        cost_usd_total: f.cost_usd,
        busy_watts: f.watts,
        output_token_j: f.output_token_j,
    }
}

/// The measured requests under load, in the order they ended.
pub fn samples(sent: &[Sent], basis: &Basis) -> Vec<LoadSample> {
    let measured = sent.iter().filter(|s| !s.step.warmup);
    measured
        .filter_map(|s| {
            let place = s.step.load?;
            let phase = basis.load.phases.get(place.phase)?;
            let (concurrency, rate_per_s) = match phase.shape {
                Shape::Closed { concurrency } => (Some(concurrency), None),
                Shape::Open { rate_per_s, .. } => (None, Some(rate_per_s)),
            };
            Some(LoadSample {
                target: basis.targets.get(s.step.target)?.id.clone(),
                concurrency,
                rate_per_s,
                round: phase.round,
                index: place.index,
                session: s.session,
                prompt_id: basis.prompts.get(s.step.prompt)?.id.clone(),
                scheduled_ms: s.scheduled_ms,
                sent_ms: s.sent_ms,
                error: s.error.clone(),
                input_tokens: s.input_tokens,
                cached_input_tokens: s.cached_input_tokens,
                output_tokens: s.output_tokens,
                content_events: s.content_events,
                ttft_ms: s.ttft_ms,
                tpot_ms: s.tpot_ms,
                e2e_ms: s.e2e_ms,
                within_limits: Some(basis.load.slo)
                    .filter(|l| *l != Slo::default())
                    .and_then(|l| s.meets(&l)),
                client_lag_ms: s.client_lag_ms,
                connection_reused: s.connection_reused,
                cost_usd: s.cost_usd,
                pass: s.pass,
            })
        })
        .collect()
}
