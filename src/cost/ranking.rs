//! Many pairs at once, ranked: what pays back first stands first.

use super::compare::{self, Outcome, Scratch};
use super::evaluate::Drawing;
use super::plan::{Pair, Plan, Values};
use super::scenario::Range;
use super::simulate::Run;
use super::uncertainty::triangular;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// One ranked pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub pair: Pair,
    pub outcome: Outcome,
    /// Share of the draws in which local costs less by the horizon.
    pub local_cheaper: Option<f64>,
}

/// Compare every pair of the plan; payback first, then the larger saving.
pub fn rank(plan: &Plan, drawing: Drawing, threads: usize) -> Vec<Row> {
    let likely = plan.likely();
    let v = Values(&likely);
    let mut scratch = Scratch::default();
    let cheaper = plan.uncertain.then(|| odds(plan, drawing, threads));
    let mut rows: Vec<Row> = plan
        .pairs
        .iter()
        .enumerate()
        .map(|(n, &pair)| {
            let flow = compare::flow(plan, pair, v);
            let outcome = compare::payback_only(plan, pair, v, flow, &mut scratch);
            Row { pair, outcome, local_cheaper: cheaper.as_ref().map(|c| c[n]) }
        })
        .collect();
    let months = |r: &Row| r.outcome.payback.unwrap_or(f64::INFINITY);
    let saving = |r: &Row| (r.outcome.tco_cloud - r.outcome.tco_local).get();
    rows.sort_by(|a, b| months(a).total_cmp(&months(b)).then(saving(b).total_cmp(&saving(a))));
    rows
}

/// Draws per block: each block has its own stream, so the answer does not depend on the threads.
const BLOCK: u32 = 500;

/// For every pair, the share of draws in which local is cheaper. Each offer is simulated once per
/// draw, however many pairs it stands in.
fn odds(plan: &Plan, drawing: Drawing, threads: usize) -> Vec<f64> {
    let blocks: Vec<u32> = (0..drawing.count.div_ceil(BLOCK)).collect();
    let parts = blocks.len().div_ceil(threads.max(1)).max(1);
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> =
            blocks.chunks(parts).map(|chunk| scope.spawn(move || count(plan, drawing, chunk))).collect();
        let mut sum = vec![0_u32; plan.pairs.len()];
        for worker in workers {
            let part = worker.join().unwrap_or_default();
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        sum
    });
    counts.into_iter().map(|c| f64::from(c) / f64::from(drawing.count.max(1))).collect()
}

fn count(plan: &Plan, drawing: Drawing, blocks: &[u32]) -> Vec<u32> {
    let wide: Vec<(usize, Range)> =
        plan.ranges.iter().copied().enumerate().filter(|(_, r)| r.is_wide()).collect();
    let mut values = plan.likely();
    let mut memory = Vec::new();
    let mut totals = vec![0.0; plan.offers.len()];
    let mut cheaper = vec![0_u32; plan.pairs.len()];
    // The volume is the same for all unless it follows from the hardware; then from each pair's.
    let flows: Vec<Pair> = (0..plan.offers.len())
        .map(|o| {
            plan.pairs
                .iter()
                .copied()
                .find(|p| p.cloud == o || p.local == o)
                .unwrap_or(Pair { cloud: o, local: o })
        })
        .collect();
    for &block in blocks {
        let mut rng = ChaCha8Rng::seed_from_u64(drawing.seed);
        rng.set_stream(u64::from(block));
        let last = ((block + 1) * BLOCK).min(drawing.count);
        for _ in block * BLOCK..last {
            for (slot, range) in &wide {
                values[*slot] = triangular(range, rng.random());
            }
            let v = Values(&values);
            for (offer, total) in totals.iter_mut().enumerate() {
                let flow = compare::flow(plan, flows[offer], v);
                let mut run = Run::new(&plan.offers[offer], &plan.need, v, flow, &mut memory);
                let mut sum = crate::units::Usd::ZERO;
                for _ in 0..plan.need.horizon {
                    let step = run.step();
                    sum += step.upfront + step.parts.total();
                }
                *total = (sum - run.residual()).get();
            }
            for (n, pair) in plan.pairs.iter().enumerate() {
                cheaper[n] += u32::from(totals[pair.local] < totals[pair.cloud]);
            }
        }
    }
    cheaper
}
