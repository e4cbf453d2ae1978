//! Bench document → what the cost and decision engines need of it.

use super::{BenchResult, Kind, Target, engine, load::Level};
use crate::measure::counts::FASTEST_TPS;
use crate::report::envelope::Envelope;
use crate::workload::evidence::{Evidence, MeasuredLevel, MeasuredQuality, MeasuredTarget, TargetKind};

impl Envelope<BenchResult> {
    /// What the engines need of it. `file` is the name the document was read from.
    pub fn evidence(&self, file: &str) -> Evidence {
        Evidence {
            file: file.to_owned(),
            targets: self.result.targets.iter().enumerate().map(|(n, t)| measured(n, t)).collect(),
            quality: self.result.quality.first().map(|q| MeasuredQuality {
                path: "result.quality[0]".to_owned(),
                prompts: q.prompts,
                margin: q.margin,
                non_inferior: q.non_inferior,
                local_pass_rate: q.local_pass_rate,
                api_pass_rate: q.api_pass_rate,
            }),
        }
    }
}

/// Batch-1 as measured alone, then the levels. A full loop says how long the unit works on one
/// request, `1 / requests per second`; its prompt takes `input / prefill speed` of that, and what is
/// left is decoding at the level's speed.
fn measured_levels(target: &Target) -> Vec<MeasuredLevel> {
    let metrics = &target.metrics;
    let prefill_tps = metrics.prefill_tps.median;
    // Where nothing was asked alone, a loop of one is the same.
    let loop_of_one = target.levels.iter().find(|l| l.concurrency == 1);
    let alone = MeasuredLevel {
        concurrency: 1,
        prefill_tps,
        decode_tps: metrics
            .decode_tps
            .median
            .or_else(|| loop_of_one?.tpot_ms.median.map(|ms| 1000.0 / ms))
            .filter(|tps| believable(target, *tps)),
        ttft_ms: metrics.ttft_ms.median.or_else(|| loop_of_one?.ttft_ms.median),
    };
    let decode = |level: &Level| {
        let decoding = 1.0 / level.requests_per_s? - target.tokens.input? / prefill_tps?;
        Some(target.tokens.output? / decoding).filter(|rate| rate.is_finite() && *rate > 0.0)
    };
    let loaded = target.levels.iter().filter(|l| l.concurrency > 1).map(|level| MeasuredLevel {
        concurrency: level.concurrency,
        prefill_tps,
        decode_tps: decode(level)
            .or(level.output_tps_system)
            .filter(|tps| believable(target, tps / f64::from(level.concurrency))),
        ttft_ms: level.ttft_ms.median,
    });
    std::iter::once(alone).chain(loaded).collect()
}

/// Is this a rate that one stream of a server can have? Documents may be older than the check that
/// leaves others out, or written by others.
fn believable(target: &Target, tps: f64) -> bool {
    target.kind == Kind::Local || tps <= FASTEST_TPS
}

fn measured(n: usize, target: &Target) -> MeasuredTarget {
    let metrics = &target.metrics;
    // A GPU's board is what the catalogue's watts are too; a processor's package is not the machine.
    let board = |pick: fn(&engine::Energy) -> Option<f64>| {
        target.energy.as_ref().filter(|e| e.is_of_a_board()).and_then(pick)
    };
    MeasuredTarget {
        path: format!("result.targets[{n}]"),
        id: target.id.clone(),
        kind: match target.kind {
            Kind::Local => TargetKind::Local,
            Kind::Api => TargetKind::Api,
        },
        model: target.model.clone(),
        stand_in: target.stand_in,
        hardware: target.engine.as_ref().and_then(|e| e.hardware.clone()),
        devices: target
            .engine
            .iter()
            .filter_map(|e| e.device.as_deref())
            .flat_map(|d| d.split(" + ").map(str::to_owned))
            .collect(),
        on_gpu: target.engine.as_ref().and_then(|e| e.gpu_layers).map(|layers| layers > 0),
        levels: measured_levels(target),
        input_tokens: target.tokens.input,
        output_tokens: target.tokens.output,
        reasoning_tokens: target.tokens.reasoning,
        idle_watts: board(|e| e.idle_watts),
        load_watts: board(|e| e.busy_watts),
        failure_share: (target.requests > 0).then(|| f64::from(target.failures) / f64::from(target.requests)),
        cost_usd_per_request: metrics.cost_usd.median,
    }
}
