//! The cost of each way to serve the need over the same draws, and how often each is the cheapest.
//!
//! The draws are the same as in [`super::uncertainty::draw`], so that the odds of two options here equal
//! those of a comparison of these two alone.

use super::case::{Case, Pair, Values};
use super::evaluate::{self, Drawing, OfferSummary};
use super::hybrid;
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use crate::units::{Requests, Usd};
use crate::workload::Range;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// A way to serve the whole need: with one offer, or with two that share the requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deployment {
    /// One offer serves everything; its index in [`Case::offers`].
    Alone(usize),
    /// A share of the requests goes to the local side of the pair first; share and escalation are those of
    /// the case.
    Routed(Pair),
    /// A number of local units, and the cloud for the load that exceeds them.
    Overflow {
        /// The two sides.
        pair: Pair,
        /// Units of the local side.
        units: u32,
    },
}

/// Totals over the horizon in US dollars, for each draw and each way.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    ways: usize,
    /// One total for each way, draw after draw.
    totals: Vec<f64>,
}

impl Totals {
    /// How many draws there are.
    pub fn draws(&self) -> usize {
        self.totals.len() / self.ways.max(1)
    }

    /// The mean of a way over all draws, US dollars.
    pub fn mean(&self, way: usize) -> f64 {
        let draws = self.totals.chunks_exact(self.ways.max(1));
        draws.map(|draw| draw[way]).sum::<f64>() / self.draws().max(1) as f64
    }

    /// For each of these ways, by index, the share of draws in which it is the cheapest of them; of equal
    /// ones the first counts.
    pub fn cheapest(&self, among: &[usize]) -> Vec<f64> {
        let mut counts = vec![0_u32; among.len()];
        for draw in self.totals.chunks_exact(self.ways.max(1)) {
            let best = (0..among.len()).min_by(|a, b| draw[among[*a]].total_cmp(&draw[among[*b]]));
            if let Some(best) = best {
                counts[best] += 1;
            }
        }
        let draws = self.draws().max(1) as f64;
        counts.into_iter().map(|c| f64::from(c) / draws).collect()
    }

    /// Share of the draws in which the cheapest of `some` costs less than the cheapest of `others`.
    pub fn cheaper(&self, some: &[usize], others: &[usize]) -> f64 {
        let least =
            |draw: &[f64], ways: &[usize]| ways.iter().map(|w| draw[*w]).fold(f64::INFINITY, f64::min);
        let draws = self.totals.chunks_exact(self.ways.max(1));
        let won = draws.filter(|draw| least(draw, some) < least(draw, others)).count();
        won as f64 / self.draws().max(1) as f64
    }
}

/// Every offer by itself, at the likely values and the volume of the need, without derivations.
pub fn offers(case: &Case) -> Vec<OfferSummary> {
    let likely = case.likely();
    let v = case.values(&likely);
    let flow = Flow { requests: case.need.requests(v, None), scale: 1.0 };
    (0..case.offers.len()).map(|offer| evaluate::summary(case, offer, flow, v, &mut ())).collect()
}

/// The totals of every way over draws from all ranges. Without ranges one draw is enough.
pub fn totals(case: &Case, ways: &[Deployment], drawing: Drawing) -> Totals {
    let mut rng = ChaCha8Rng::seed_from_u64(drawing.seed);
    let mut values = case.likely();
    let wide: Vec<(usize, Range)> =
        case.ranges.iter().copied().enumerate().filter(|(_, r)| r.is_wide()).collect();
    let count = if wide.is_empty() { 1 } else { drawing.count };
    let mut totals = Vec::with_capacity(count as usize * ways.len());
    let mut memory = (Vec::new(), Vec::new());
    for _ in 0..count {
        for (slot, range) in &wide {
            values[*slot] = triangular(range, rng.random());
        }
        let v = Values::of(&values);
        totals.extend(ways.iter().map(|way| total(case, *way, v, &mut memory)));
    }
    Totals { ways: ways.len(), totals }
}

/// Total cost of one way over the horizon, US dollars.
fn total(case: &Case, way: Deployment, v: Values<'_>, memory: &mut (Vec<u32>, Vec<u32>)) -> f64 {
    at_scale(case, way, v, 1.0, memory)
}

/// Total cost of one way over the horizon at `scale` times the volume of the need, US dollars. The number
/// of units of an overflow split stays the same.
pub fn total_at(case: &Case, way: Deployment, v: Values<'_>, scale: f64) -> f64 {
    at_scale(case, way, v, scale, &mut (Vec::new(), Vec::new()))
}

fn at_scale(
    case: &Case,
    way: Deployment,
    v: Values<'_>,
    scale: f64,
    memory: &mut (Vec<u32>, Vec<u32>),
) -> f64 {
    if let Deployment::Overflow { pair, units } = way {
        return hybrid::overflow_total(case, pair, v, units).map_or(f64::INFINITY, Usd::get);
    }
    let requests = case.need.requests(v, None);
    let Some(parts) = parts(case, way, v) else { return f64::INFINITY };
    let each = parts.into_iter().map(|(offer, share)| {
        let share = share * scale;
        let flow = Flow { requests: Requests::new(requests.get() * share), scale: share };
        Run::new(&case.offers[offer], &case.need, v, flow, &mut memory.0).total(case.need.horizon, 0).0
    });
    each.sum()
}

/// The offers of a way, each with its share of the requests; `None` for overflow, where the shares change
/// by the hour.
fn parts(case: &Case, way: Deployment, v: Values<'_>) -> Option<Vec<(usize, f64)>> {
    match way {
        Deployment::Alone(offer) => Some(vec![(offer, 1.0)]),
        Deployment::Routed(pair) => {
            let h = case.hybrid.as_ref()?;
            let (share, escalation): (f64, f64) = (v.get(h.local_share), v.get(h.escalation));
            Some(vec![(pair.local, share), (pair.cloud, 1.0 - share + share * escalation)])
        }
        Deployment::Overflow { .. } => None,
    }
}

/// What one way costs up to the end of each month, US dollars: `horizon + 1` amounts, the first of them for
/// the first day.
pub fn paid(case: &Case, way: Deployment, v: Values<'_>) -> Vec<f64> {
    let months = case.need.horizon as usize;
    let mut paid = vec![0.0; months + 1];
    let mut add = |month: usize, upfront: f64, running: f64| {
        paid[0] += if month == 0 { upfront } else { 0.0 };
        paid[month + 1] += upfront + running;
    };
    if let Deployment::Overflow { pair, units } = way {
        hybrid::overflow_bills(case, pair, v, units, &mut add);
    } else {
        let requests = case.need.requests(v, None);
        for (offer, share) in parts(case, way, v).into_iter().flatten() {
            let flow = Flow { requests: Requests::new(requests.get() * share), scale: share };
            let mut memory = Vec::new();
            let mut run = Run::new(&case.offers[offer], &case.need, v, flow, &mut memory);
            for month in 0..months {
                let bill = run.bill();
                add(month, bill.upfront, bill.running);
            }
        }
    }
    for month in 2..=months {
        paid[month] += paid[month - 1];
    }
    paid
}
