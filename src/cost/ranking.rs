//! Many pairs at once, ranked: what pays back first stands first.

use super::case::{Case, Pair, Values};
use super::compare::{self, BreakEven, Outcome, Scratch, Terms};
use super::evaluate::{self, Drawing, OfferSummary};
use super::schedule::{Months, Pairing};
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use crate::workload::Range as Uncertain;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Every pair of a case, the first to pay back first; API models nobody has rated come last.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Every offer at the volume all of them see.
    pub offers: Vec<OfferSummary>,
    pub rows: Vec<Row>,
    /// The rows a reader sees, as indices, ascending: only they have odds.
    pub shown: Vec<usize>,
    /// Break-even points of the first rows that are shown.
    pub break_even: BTreeMap<usize, BreakEven>,
}

/// How much of a ranking somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    All,
    /// For each of the cheapest API models the hardware that saves most.
    BestOfEach,
}

/// API models with a rating that a table shows, and those without.
pub const RATED_SHOWN: usize = 25;
pub const UNRATED_SHOWN: usize = 5;

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

/// Compare every pair of the case; payback first, then the larger saving. Draws are made for the
/// rows that are shown, and are the same whatever else is shown. The answer does not depend on the
/// number of threads.
pub fn rank(case: &Case, shown: Rows, drawing: Drawing, threads: usize) -> Ranking {
    let likely = case.likely();
    let v = Values::of(&likely);
    let flow = flow(case, v);
    let mut rows = in_order(case, &rows(case, v, threads));
    let offers: Vec<OfferSummary> =
        (0..case.offers.len()).map(|offer| evaluate::summary(case, offer, flow, v, &mut ())).collect();
    let shown = match shown {
        Rows::All => (0..rows.len()).collect(),
        Rows::BestOfEach => best_of_each(case, &offers, &rows),
    };
    if case.uncertain {
        let pairs: Vec<Pair> = shown.iter().map(|&n| rows[n].pair).collect();
        for (&n, odds) in shown.iter().zip(odds(case, &pairs, drawing, threads)) {
            rows[n].local_cheaper = Some(odds);
        }
    }
    let mut scratch = Scratch::default();
    let first = shown.iter().copied().take_while(|n| *n < DETAILED);
    let break_even = first.map(|n| (n, compare::break_even(case, rows[n].pair, v, &mut scratch))).collect();
    Ranking { offers, rows, shown, break_even }
}

/// For each of the cheapest API models, rated and not, the row that saves most.
fn best_of_each(case: &Case, offers: &[OfferSummary], rows: &[Row]) -> Vec<usize> {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        let best = best.entry(row.pair.cloud).or_insert(n);
        if row.saving() > rows[*best].saving() {
            *best = n;
        }
    }
    let mut clouds: Vec<usize> = best.keys().copied().collect();
    clouds.sort_by(|a, b| offers[*a].tco.get().total_cmp(&offers[*b].tco.get()));
    let rated = |offer: &&usize| case.offers[**offer].tier.is_some();
    let kept = clouds.iter().filter(rated).take(RATED_SHOWN);
    let kept = kept.chain(clouds.iter().filter(|o| !rated(o)).take(UNRATED_SHOWN));
    // The first of all stays, whoever wins: gates look at it.
    let first = (!rows.is_empty()).then_some(0);
    kept.map(|cloud| best[cloud]).chain(first).collect::<BTreeSet<_>>().into_iter().collect()
}

fn rows(case: &Case, v: Values<'_>, threads: usize) -> Vec<Row> {
    let flow = flow(case, v);
    let mut memory = Vec::new();
    let courses: Vec<Months> =
        (0..case.offers.len()).map(|offer| Months::new(case, offer, v, flow, &mut memory)).collect();
    let row = |&pair: &Pair| Row { pair, outcome: Outcome::default(), local_cheaper: None };
    let mut rows: Vec<Row> = case.pairs.iter().map(row).collect();
    let fill = |rows: &mut [Row]| {
        for row in rows {
            let (cloud, local) = (&courses[row.pair.cloud], &courses[row.pair.local]);
            let terms = Terms::new(case, row.pair, v, [cloud.pace, local.pace], true);
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

/// By payback, then by saving; a baseline without a rating behind all that have one. Rows are large:
/// their numbers are sorted, then they move once.
fn in_order(case: &Case, rows: &[Row]) -> Vec<Row> {
    let key = |row: &Row| {
        let payback = row.outcome.payback.unwrap_or(f64::INFINITY);
        (case.offers[row.pair.cloud].tier.is_none(), payback, -row.saving())
    };
    let mut order: Vec<((bool, f64, f64), usize)> = rows.iter().map(key).zip(0..).collect();
    order.sort_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    order.into_iter().map(|(_, n)| rows[n]).collect()
}

/// The volume of a ranking is the same in every row: what follows from the hardware is refused.
fn flow(case: &Case, v: Values<'_>) -> Flow {
    Flow { requests: case.need.requests(v, None), scale: 1.0 }
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
fn odds(case: &Case, pairs: &[Pair], drawing: Drawing, threads: usize) -> Vec<f64> {
    let blocks = drawing.count.div_ceil(BLOCK);
    let parts = in_parts(blocks as usize, threads, |part| {
        // As many as there are blocks, which are counted in 32 bits.
        #[allow(clippy::cast_possible_truncation)]
        count(case, pairs, drawing, part.start as u32..part.end as u32)
    });
    let mut sum = vec![0_u32; pairs.len()];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sum.into_iter().map(|c| f64::from(c) / f64::from(drawing.count.max(1))).collect()
}

fn count(case: &Case, pairs: &[Pair], drawing: Drawing, blocks: Range<u32>) -> Vec<u32> {
    let wide: Vec<(usize, Uncertain)> =
        case.ranges.iter().copied().enumerate().filter(|(_, r)| r.is_wide()).collect();
    let used: BTreeSet<usize> = pairs.iter().flat_map(|p| [p.cloud, p.local]).collect();
    let read = read(case, &wide, &used);
    let varying = varying(case, &wide, &used);
    let mut values = case.likely();
    let mut memory = Vec::new();
    // The keys of a ranking hold for all its local offers.
    let meanwhile = pairs.iter().map(|p| case.offers[p.local].meanwhile()).max().unwrap_or(0);
    let mut total = |offer: usize, values: &[f64]| {
        let v = Values::of(values);
        let run = Run::new(&case.offers[offer], &case.need, v, flow(case, v), &mut memory);
        run.total(case.need.horizon, meanwhile)
    };
    let mut totals = vec![(0.0, 0.0); case.offers.len()];
    for &offer in &used {
        totals[offer] = total(offer, &values);
    }
    let mut cheaper = vec![0_u32; pairs.len()];
    for block in blocks {
        let mut rng = ChaCha8Rng::seed_from_u64(drawing.seed);
        rng.set_stream(u64::from(block));
        let last = ((block + 1) * BLOCK).min(drawing.count);
        for _ in block * BLOCK..last {
            for ((slot, range), read) in wide.iter().zip(&read) {
                // Drawn even where nobody looks, so that an offer's draws do not depend on the others.
                let u = rng.random();
                if *read {
                    values[*slot] = triangular(range, u);
                }
            }
            for &offer in &varying {
                totals[offer] = total(offer, &values);
            }
            for (cheaper, pair) in cheaper.iter_mut().zip(pairs) {
                let early = if case.offers[pair.local].meanwhile() > 0 { totals[pair.cloud].1 } else { 0.0 };
                *cheaper += u32::from(totals[pair.local].0 + early < totals[pair.cloud].0);
            }
        }
    }
    cheaper
}

/// Which ranges some used offer reads: its own, and those of the need.
fn read(case: &Case, wide: &[(usize, Uncertain)], used: &BTreeSet<usize>) -> Vec<bool> {
    let owner = |slot: &usize| case.offers.iter().position(|o| o.slots.contains(slot));
    wide.iter().map(|(slot, _)| owner(slot).is_none_or(|offer| used.contains(&offer))).collect()
}

/// The used offers whose cost a range can move: all of them where it is one of the need's.
fn varying(case: &Case, wide: &[(usize, Uncertain)], used: &BTreeSet<usize>) -> Vec<usize> {
    let own = |slot: &usize| case.offers.iter().any(|o| o.slots.contains(slot));
    let shared = wide.iter().any(|(slot, _)| !own(slot));
    let touched = |offer: &usize| wide.iter().any(|(slot, _)| case.offers[*offer].slots.contains(slot));
    used.iter().copied().filter(|offer| shared || touched(offer)).collect()
}
