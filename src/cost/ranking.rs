//! Many pairs at once, ranked: what pays back first stands first.

use super::compare::{self, BreakEven, Outcome, Scratch, Terms};
use super::course::{Course, Pairing};
use super::evaluate::{self, Drawing, OfferSummary};
use super::plan::{Pair, Plan, Values};
use super::scenario::Range as Uncertain;
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use std::ops::Range;

/// Every pair of a plan, the first to pay back first.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Every offer at the volume all of them see.
    pub offers: Vec<OfferSummary>,
    pub rows: Vec<Row>,
    /// Break-even points of the first rows.
    pub break_even: Vec<BreakEven>,
}

/// One ranked pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub pair: Pair,
    pub outcome: Outcome,
    /// Share of the draws in which local costs less by the horizon.
    pub local_cheaper: Option<f64>,
}

impl Row {
    /// Cloud less local over the horizon, USD.
    pub fn saving(&self) -> f64 {
        (self.outcome.tco_cloud - self.outcome.tco_local).get()
    }
}

/// Break-even points are searched for this many rows.
const DETAILED: usize = 20;

/// Compare every pair of the plan; payback first, then the larger saving. The answer does not
/// depend on the number of threads.
pub fn rank(plan: &Plan, drawing: Drawing, threads: usize) -> Ranking {
    let likely = plan.likely();
    let v = Values(&likely);
    let flow = flow(plan, v);
    let rows = in_order(&rows(plan, v, drawing, threads));
    let mut scratch = Scratch::default();
    let first = rows.iter().take(DETAILED);
    let break_even = first.map(|row| compare::break_even(plan, row.pair, v, &mut scratch)).collect();
    let offers = (0..plan.offers.len()).map(|offer| evaluate::summary(plan, offer, flow, v)).collect();
    Ranking { offers, rows, break_even }
}

fn rows(plan: &Plan, v: Values<'_>, drawing: Drawing, threads: usize) -> Vec<Row> {
    let flow = flow(plan, v);
    let mut memory = Vec::new();
    let courses: Vec<Course> =
        (0..plan.offers.len()).map(|offer| Course::new(plan, offer, v, flow, &mut memory)).collect();
    let cheaper = plan.uncertain.then(|| odds(plan, drawing, threads));
    let row = |(n, &pair): (usize, &Pair)| Row {
        pair,
        outcome: Outcome::default(),
        local_cheaper: cheaper.as_ref().map(|c| c[n]),
    };
    let mut rows: Vec<Row> = plan.pairs.iter().enumerate().map(row).collect();
    let fill = |rows: &mut [Row]| {
        for row in rows {
            let (cloud, local) = (&courses[row.pair.cloud], &courses[row.pair.local]);
            let terms = Terms::new(plan, row.pair, v, [cloud.pace, local.pace], true);
            row.outcome = compare::walk(&terms, Pairing::new(cloud, local));
        }
    };
    let size = rows.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        for part in rows.chunks_mut(size) {
            scope.spawn(|| fill(part));
        }
    });
    rows
}

/// By payback, then by saving. Rows are large: their numbers are sorted, then they move once.
fn in_order(rows: &[Row]) -> Vec<Row> {
    let key = |row: &Row| (row.outcome.payback.unwrap_or(f64::INFINITY), -row.saving());
    let mut order: Vec<((f64, f64), usize)> = rows.iter().map(key).zip(0..).collect();
    order.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    order.into_iter().map(|(_, n)| rows[n]).collect()
}

/// The volume of a ranking is the same in every row: what follows from the hardware is refused.
fn flow(plan: &Plan, v: Values<'_>) -> Flow {
    Flow { requests: plan.need.requests(v, None), scale: 1.0 }
}

/// Do `count` things on some threads, each a run of them; the answers in order.
fn in_parts<T: Send>(count: usize, threads: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let size = count.div_ceil(threads.max(1)).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .step_by(size)
            .map(|from| scope.spawn(move || work(from..(from + size).min(count))))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Draws per block: each block has its own stream, so the answer does not depend on the threads.
const BLOCK: u32 = 500;

/// For every pair, the share of draws in which local is cheaper. Each offer is simulated once per
/// draw, however many pairs it stands in; where no range touches it, once for all.
fn odds(plan: &Plan, drawing: Drawing, threads: usize) -> Vec<f64> {
    let blocks = drawing.count.div_ceil(BLOCK);
    let parts = in_parts(blocks as usize, threads, |part| {
        // As many as there are blocks, which are counted in 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        count(plan, drawing, part.start as u32..part.end as u32)
    });
    let mut sum = vec![0_u32; plan.pairs.len()];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sum.into_iter().map(|c| f64::from(c) / f64::from(drawing.count.max(1))).collect()
}

fn count(plan: &Plan, drawing: Drawing, blocks: Range<u32>) -> Vec<u32> {
    let wide: Vec<(usize, Uncertain)> =
        plan.ranges.iter().copied().enumerate().filter(|(_, r)| r.is_wide()).collect();
    let mut values = plan.likely();
    let mut memory = Vec::new();
    let mut total = |offer: usize, values: &[f64]| {
        let v = Values(values);
        Run::new(&plan.offers[offer], &plan.need, v, flow(plan, v), &mut memory).total(plan.need.horizon)
    };
    let mut totals: Vec<f64> = (0..plan.offers.len()).map(|offer| total(offer, &values)).collect();
    let varying = varying(plan, &wide);
    let mut cheaper = vec![0_u32; plan.pairs.len()];
    for block in blocks {
        let mut rng = ChaCha8Rng::seed_from_u64(drawing.seed);
        rng.set_stream(u64::from(block));
        let last = ((block + 1) * BLOCK).min(drawing.count);
        for _ in block * BLOCK..last {
            for (slot, range) in &wide {
                values[*slot] = triangular(range, rng.random());
            }
            for &offer in &varying {
                totals[offer] = total(offer, &values);
            }
            for (cheaper, pair) in cheaper.iter_mut().zip(&plan.pairs) {
                *cheaper += u32::from(totals[pair.local] < totals[pair.cloud]);
            }
        }
    }
    cheaper
}

/// The offers whose cost a range can move: all of them where it is one of the need's.
fn varying(plan: &Plan, wide: &[(usize, Uncertain)]) -> Vec<usize> {
    let own = |slot: &usize| plan.offers.iter().any(|o| o.slots.contains(slot));
    let shared = wide.iter().any(|(slot, _)| !own(slot));
    let touched = |offer: &usize| wide.iter().any(|(slot, _)| plan.offers[*offer].slots.contains(slot));
    (0..plan.offers.len()).filter(|offer| shared || touched(offer)).collect()
}
