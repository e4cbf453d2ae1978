//! Bench document → the measurements that the cost and decision engines use.

use super::pair::Split;
use super::{BenchResult, Kind, Quality, Summary, Target, engine, load::Level};
use crate::document::envelope::Envelope;
use crate::measure::counts::FASTEST_TPS;
use crate::workload::evidence::{
    Evidence, Figure, MeasuredLevel, MeasuredQuality, MeasuredTarget, TargetKind,
};

impl Envelope<BenchResult> {
    /// The measurements of this document. `file` is its name, for their sources.
    pub fn evidence(&self, file: &str) -> Evidence {
        Evidence {
            file: file.to_owned(),
            targets: self.result.targets.iter().enumerate().map(|(n, t)| measured(n, t)).collect(),
            quality: self.result.quality.first().map(|q| MeasuredQuality {
                moved_share: split(&self.result, q, |s| s.moved_share, "moved_share", None),
                escalation_share: split(
                    &self.result,
                    q,
                    |s| 1.0 - s.moved_pass_rate.unwrap_or(1.0),
                    "moved_pass_rate",
                    Some("1 - pass rate"),
                ),
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

/// One figure of the split between these two targets; `None` where no kind of work can move.
fn split(
    result: &BenchResult,
    of: &Quality,
    pick: fn(&Split) -> f64,
    field: &str,
    derived: Option<&'static str>,
) -> Option<Figure> {
    let n = result.pairs.iter().position(|p| p.a == of.local && p.b == of.api)?;
    let split = result.pairs[n].quality.as_ref()?.split.as_ref().filter(|s| s.moved_pass_rate.is_some())?;
    let path = format!("result.pairs[{n}].quality.split.{field}");
    Some(Figure { value: pick(split), path, derived })
}

/// The operating points of a target: one request at a time, then each load level.
///
/// A closed loop that is always full says how long the unit works on one request: `1 / requests per
/// second`. Prefill takes `input tokens / prefill speed` of that, and what is left is decoding at the
/// level's speed.
fn measured_levels(target: &Target, at: &str) -> Vec<MeasuredLevel> {
    let metrics = &target.metrics;
    let median = |summary: &Summary, name: &str| Figure::at(summary.median, format!("{at}.{name}.median"));
    let prefill_tps = || median(&metrics.prefill_tps, "metrics.prefill_tps");
    // Without requests one at a time, a closed loop with one request takes their place.
    let loop_of_one = target.levels.iter().enumerate().find(|(_, l)| l.concurrency == 1);
    let alone = MeasuredLevel {
        concurrency: 1,
        at: loop_of_one.map_or_else(
            || Figure {
                value: 1.0,
                path: format!("{at}.metrics.decode_tps.n"),
                derived: Some("requests one at a time"),
            },
            |(n, _)| Figure { value: 1.0, path: format!("{at}.levels[{n}].concurrency"), derived: None },
        ),
        prefill_tps: prefill_tps(),
        decode_tps: median(&metrics.decode_tps, "metrics.decode_tps")
            .or_else(|| {
                let (n, level) = loop_of_one?;
                let rate = level.tpot_ms.median.map(|ms| 1000.0 / ms);
                Figure::derived(rate, format!("{at}.levels[{n}].tpot_ms.median"), "1000 / TPOT")
            })
            .filter(|figure| believable(target, figure.value)),
        ttft_ms: median(&metrics.ttft_ms, "metrics.ttft_ms").or_else(|| {
            let (n, level) = loop_of_one?;
            median(&level.ttft_ms, &format!("levels[{n}].ttft_ms"))
        }),
    };
    let decode = |level: &Level| {
        let decoding = 1.0 / level.requests_per_s? - target.tokens.input? / metrics.prefill_tps.median?;
        Some(target.tokens.output? / decoding).filter(|rate| rate.is_finite() && *rate > 0.0)
    };
    let loaded = target.levels.iter().enumerate().filter(|(_, l)| l.concurrency > 1).map(|(n, level)| {
        let at = format!("{at}.levels[{n}]");
        MeasuredLevel {
            concurrency: level.concurrency,
            at: Figure {
                value: f64::from(level.concurrency),
                path: format!("{at}.concurrency"),
                derived: None,
            },
            prefill_tps: prefill_tps(),
            decode_tps: Figure::derived(
                decode(level),
                format!("{at}.requests_per_s"),
                "output tokens / (1 / requests per second - input tokens / prefill speed)",
            )
            .or_else(|| Figure::at(level.output_tps_system, format!("{at}.output_tps_system")))
            .filter(|figure| believable(target, figure.value / f64::from(level.concurrency))),
            ttft_ms: Figure::at(level.ttft_ms.median, format!("{at}.ttft_ms.median")),
        }
    });
    std::iter::once(alone).chain(loaded).collect()
}

/// Can one stream of a server be this fast? Documents may be older than the check that leaves impossible
/// rates out, or written by another program.
fn believable(target: &Target, tps: f64) -> bool {
    target.kind == Kind::Local || tps <= FASTEST_TPS
}

fn measured(n: usize, target: &Target) -> MeasuredTarget {
    let at = format!("result.targets[{n}]");
    let field = |value: Option<f64>, name: &str| Figure::at(value, format!("{at}.{name}"));
    // Only the power of a GPU's board compares with the catalogue's watts; a CPU package is not the whole
    // machine.
    let board = |pick: fn(&engine::Energy) -> Option<f64>| {
        target.energy.as_ref().filter(|e| e.is_of_a_board()).and_then(pick)
    };
    MeasuredTarget {
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
        levels: measured_levels(target, &at),
        input_tokens: field(target.tokens.input, "tokens.input"),
        output_tokens: field(target.tokens.output, "tokens.output"),
        visible_output_tokens: match target.tokens.reasoning {
            Some(reasoning) if reasoning > 0.0 => Figure::derived(
                target.tokens.output.map(|all| (all - reasoning).max(0.0)),
                format!("{at}.tokens.output"),
                "output - reasoning",
            ),
            _ => field(target.tokens.output, "tokens.output"),
        },
        reasoning_tokens: field(target.tokens.reasoning, "tokens.reasoning"),
        idle_watts: field(board(|e| e.idle_watts), "energy.idle_watts"),
        load_watts: field(board(|e| e.busy_watts), "energy.busy_watts"),
        failure_share: Figure::derived(
            (target.requests > 0).then(|| f64::from(target.failures) / f64::from(target.requests)),
            format!("{at}.failures"),
            "failures / requests",
        ),
        pass_rate: field(target.pass_rate.map(|r| r.rate), "pass_rate.rate"),
        cost_usd_per_request: field(target.metrics.cost_usd.median, "metrics.cost_usd.median"),
        path: at,
    }
}
