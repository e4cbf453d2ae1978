//! What each way to serve the need costs in the same draws: who is cheapest how often.
//!
//! The draws are those of [`super::uncertainty::draw`], number for number, so that two ways compared
//! here have the odds that a comparison of them alone would have.

use super::case::{Case, Pair, Values};
use super::evaluate::{self, Drawing, OfferSummary};
use super::hybrid;
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use crate::units::{Requests, Usd};
use crate::workload::Range;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// One way to serve the whole need: by one offer, or by two that share the requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deployment {
    /// One offer for everything: an index into [`Case::offers`].
    Alone(usize),
    /// A share to the local side of a pair first, at the case's share and escalations.
    Routed(Pair),
    /// So many units of the local side, and the cloud for what is above them.
    Overflow {
        /// The two sides.
        pair: Pair,
        /// Units of the local side.
        units: u32,
    },
}

/// Totals over the horizon, US dollars, draw by draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    ways: usize,
    /// Draw after draw, each with one total per way.
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

    /// Of some of the ways, by index, the share of draws in which each is the cheapest of them; the
    /// first of equals counts.
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

    /// Share of the draws in which the cheapest of some ways costs less than the cheapest of others.
    pub fn cheaper(&self, some: &[usize], others: &[usize]) -> f64 {
        let least =
            |draw: &[f64], ways: &[usize]| ways.iter().map(|w| draw[*w]).fold(f64::INFINITY, f64::min);
        let draws = self.totals.chunks_exact(self.ways.max(1));
        let won = draws.filter(|draw| least(draw, some) < least(draw, others)).count();
        won as f64 / self.draws().max(1) as f64
    }
}

/// Every offer by itself at the likely values and at the volume of the need, without how its figures
/// come about.
pub fn offers(case: &Case) -> Vec<OfferSummary> {
    let likely = case.likely();
    let v = case.values(&likely);
    let flow = Flow { requests: case.need.requests(v, None), scale: 1.0 };
    (0..case.offers.len()).map(|offer| evaluate::summary(case, offer, flow, v, &mut ())).collect()
}

/// Draw every range at once, as often as asked, and add up every way. Without ranges one draw says all.
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

/// What one way costs over the horizon.
fn total(case: &Case, way: Deployment, v: Values<'_>, memory: &mut (Vec<u32>, Vec<u32>)) -> f64 {
    at_scale(case, way, v, 1.0, memory)
}

/// What one way costs over the horizon at so many times the volume of the need, US dollars. A number of units
/// that a split was planned with stays.
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

/// The offers of a way, each with its share of the requests; `None` where they change by the hour.
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

/// What one way has cost on the first day and by the end of each month, US dollars: horizon + 1 amounts.
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
