//! Ranks many pairs at once: the pair that pays back earliest comes first.

use super::case::{Case, Pair, Values};
use super::compare::{self, BreakEven, Outcome, Scratch, Terms};
use super::evaluate::{self, Drawing, OfferSummary};
use super::schedule::{Months, Pairing};
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use crate::threads::in_parts;
use crate::workload::Range as Uncertain;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The ranked pairs of a case. API models without a capability tier come last.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Every offer, at the volume that all of them serve.
    pub offers: Vec<OfferSummary>,
    /// The ranked pairs that were asked for.
    pub rows: Vec<Row>,
    /// Indices of the rows that a table shows, ascending; only these have odds.
    pub shown: Vec<usize>,
    /// Break-even points of the first rows, by index.
    pub break_even: BTreeMap<usize, BreakEven>,
    /// Number of all pairs, with or without a row, and of those in which local costs less over the horizon.
    pub pairs: usize,
    pub local_cheaper: usize,
}

/// Which pairs of a ranking have a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Every offer once: for each API model the hardware that saves most, and for each hardware the API
    /// model against which it saves least.
    EachOffer,
    /// All pairs, which can be hundreds of thousands.
    EveryPair,
}

/// How many API models a table shows of those with a tier, and how many without.
pub const RATED_SHOWN: usize = 25;
pub const UNRATED_SHOWN: usize = 5;

/// One ranked pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub pair: Pair,
    pub outcome: Outcome,
    /// Share of the draws in which local costs less over the horizon, 0 to 1.
    pub local_cheaper: Option<f64>,
}

impl Row {
    /// Cost of the cloud less cost of local over the horizon, US dollars.
    pub fn saving(&self) -> f64 {
        (self.outcome.tco_cloud - self.outcome.tco_local).get()
    }
}

/// Number of rows for which break-even points are searched.
const DETAILED: usize = 20;

/// Compare every pair of the case and rank them by payback, then by saving. Draws are made for the rows
/// that a table shows, and do not depend on which other rows there are. The result does not depend on the
/// number of threads.
pub fn rank(case: &Case, rows: Rows, drawing: Drawing, threads: usize) -> Ranking {
    let likely = case.likely();
    let v = Values::of(&likely);
    let flow = flow(case, v);
    let mut memory = Vec::new();
    let schedules: Vec<Months> =
        (0..case.offers.len()).map(|offer| Months::new(case, offer, v, flow, &mut memory)).collect();
    let places = places(case, v, &schedules, threads);
    let local_cheaper = places.iter().filter(|p| p.saving > 0.0).count();
    let offers: Vec<OfferSummary> =
        (0..case.offers.len()).map(|offer| evaluate::summary(case, offer, flow, v, &mut ())).collect();
    let shown = best_of_each(case, &offers, &places);
    let kept: Vec<usize> = match rows {
        Rows::EveryPair => (0..places.len()).collect(),
        Rows::EachOffer => each_offer(case, &places).union(&shown).copied().collect(),
    };
    let row = |n: &usize| {
        let pair = case.pairs[places[*n].pair as usize];
        Row { pair, outcome: outcome(case, pair, v, &schedules), local_cheaper: None }
    };
    let pairs = places.len();
    let mut rows: Vec<Row> = kept.iter().map(row).collect();
    // Both lists ascend, and every pair that is shown has a row.
    let shown: Vec<usize> = (0..kept.len()).filter(|n| shown.contains(&kept[*n])).collect();
    drop((places, schedules));
    if case.uncertain {
        let pairs: Vec<Pair> = shown.iter().map(|&n| rows[n].pair).collect();
        for (&n, odds) in shown.iter().zip(odds(case, &pairs, drawing, threads)) {
            rows[n].local_cheaper = Some(odds);
        }
    }
    let mut scratch = Scratch::default();
    let first = 0..rows.len().min(DETAILED);
    let break_even = first.map(|n| (n, compare::break_even(case, rows[n].pair, v, &mut scratch))).collect();
    Ranking { offers, rows, shown, break_even, pairs, local_cheaper }
}

/// The key figures of a pair: as little as ranking hundreds of thousands of them needs.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Payback in months; infinite where it never pays back.
    payback: f64,
    saving: f64,
    /// Index of the pair in the case.
    pair: u32,
    unrated: bool,
}

/// For each of the cheapest API models, with and without a tier, the pair that saves most.
fn best_of_each(case: &Case, offers: &[OfferSummary], places: &[Place]) -> BTreeSet<usize> {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    for (n, place) in places.iter().enumerate() {
        let best = best.entry(case.pairs[place.pair as usize].cloud).or_insert(n);
        if place.saving > places[*best].saving {
            *best = n;
        }
    }
    let mut clouds: Vec<usize> = best.keys().copied().collect();
    clouds.sort_by(|a, b| offers[*a].tco.get().total_cmp(&offers[*b].tco.get()));
    let rated = |offer: &&usize| case.offers[**offer].tier.is_some();
    let kept = clouds.iter().filter(rated).take(RATED_SHOWN);
    let kept = kept.chain(clouds.iter().filter(|o| !rated(o)).take(UNRATED_SHOWN));
    // The first pair stays in any case: gates look at it.
    let first = (!places.is_empty()).then_some(0);
    kept.map(|cloud| best[cloud]).chain(first).collect()
}

/// For each API model the hardware that saves most; for each hardware the API model with a tier against
/// which it saves least.
fn each_offer(case: &Case, places: &[Place]) -> BTreeSet<usize> {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    let mut hardest: BTreeMap<usize, usize> = BTreeMap::new();
    for (n, place) in places.iter().enumerate() {
        let pair = case.pairs[place.pair as usize];
        let most = best.entry(pair.cloud).or_insert(n);
        if place.saving > places[*most].saving {
            *most = n;
        }
        let least = hardest.entry(pair.local).or_insert(n);
        let before = places[*least];
        if (place.unrated, place.saving) < (before.unrated, before.saving) {
            *least = n;
        }
    }
    best.into_values().chain(hardest.into_values()).collect()
}

fn outcome(case: &Case, pair: Pair, v: Values<'_>, schedules: &[Months]) -> Outcome {
    let (cloud, local) = (&schedules[pair.cloud], &schedules[pair.local]);
    let terms = Terms::new(case, pair, v, [cloud.pace, local.pace], true);
    compare::walk(&terms, Pairing::new(cloud, local))
}

/// Every pair by payback, then by saving; baselines without a tier come after all others.
fn places(case: &Case, v: Values<'_>, schedules: &[Months], threads: usize) -> Vec<Place> {
    let parts = in_parts(case.pairs.len(), threads, |part| {
        let place = |n: usize| {
            let pair = case.pairs[n];
            let outcome = outcome(case, pair, v, schedules);
            Place {
                payback: outcome.payback.unwrap_or(f64::INFINITY),
                saving: (outcome.tco_cloud - outcome.tco_local).get(),
                // Even the square of the catalogue's size is far below this limit.
                pair: u32::try_from(n).unwrap_or(u32::MAX),
                unrated: case.offers[pair.cloud].tier.is_none(),
            }
        };
        part.map(place).collect::<Vec<Place>>()
    });
    let mut places = Vec::with_capacity(case.pairs.len());
    for part in parts {
        places.extend(part);
    }
    places.sort_unstable_by(|a, b| {
        (a.unrated.cmp(&b.unrated))
            .then(a.payback.total_cmp(&b.payback))
            .then(b.saving.total_cmp(&a.saving))
            .then(a.pair.cmp(&b.pair))
    });
    places
}

/// The volume of a ranking, equal for all rows: a volume that follows from the hardware was refused before.
fn flow(case: &Case, v: Values<'_>) -> Flow {
    Flow { requests: case.need.requests(v, None), scale: 1.0 }
}

/// Draws per block. Each block has its own random stream, so that the result does not depend on the number
/// of threads.
const BLOCK: u32 = 500;

/// For every pair, the share of draws in which local is cheaper. In each draw an offer is simulated once,
/// however many pairs it is part of; an offer that no range affects is simulated only once in total.
fn odds(case: &Case, pairs: &[Pair], drawing: Drawing, threads: usize) -> Vec<f64> {
    let blocks = drawing.count.div_ceil(BLOCK);
    let parts = in_parts(blocks as usize, threads, |part| {
        // Blocks are numbered with 32 bits.
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
    // In a ranking these keys apply to all local offers alike.
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
                // Drawn even where no used offer reads it, so that an offer's draws do not depend on which
                // others are used.
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

/// Which ranges affect some offer in use: its own, and those of the need.
fn read(case: &Case, wide: &[(usize, Uncertain)], used: &BTreeSet<usize>) -> Vec<bool> {
    let owner = |slot: &usize| case.offers.iter().position(|o| o.slots.contains(slot));
    wide.iter().map(|(slot, _)| owner(slot).is_none_or(|offer| used.contains(&offer))).collect()
}

/// The offers in use whose cost some range affects; all of them where a range belongs to the need.
fn varying(case: &Case, wide: &[(usize, Uncertain)], used: &BTreeSet<usize>) -> Vec<usize> {
    let own = |slot: &usize| case.offers.iter().any(|o| o.slots.contains(slot));
    let shared = wide.iter().any(|(slot, _)| !own(slot));
    let touched = |offer: &usize| wide.iter().any(|(slot, _)| case.offers[*offer].slots.contains(slot));
    used.iter().copied().filter(|offer| shared || touched(offer)).collect()
}
