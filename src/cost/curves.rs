//! Cost by month and cost by volume for ways to serve a need: the options of a verdict, splits included.
//! [`super::series`] has the same for single offers.

use super::case::{Case, Supply, Values, Volume};
use super::chances::{self, Deployment};
use super::compare;
use super::evaluate::Drawing;
use super::series::{BAND_DRAWS, LONGEST_BAND, grid, serves, tenths, windows, with_steps};
use super::simulate::Flow;
use super::uncertainty::triangular;
use crate::units::Requests;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// What a way to serve the need costs up to the end of each month.
#[derive(Debug, Clone, PartialEq)]
pub struct PaidByWay {
    /// Paid on the first day, then in total by the end of each month: `horizon + 1` amounts, US dollars.
    pub paid: Vec<f64>,
    /// P10 and P90 of each of these over draws of the ranges; empty where no input is a range.
    pub band: Vec<(f64, f64)>,
}

/// Cumulative cost of each of `ways`. The last amount is the way's total before residual values are
/// deducted.
pub fn cumulative_of(case: &Case, ways: &[Deployment], drawing: Drawing) -> Vec<PaidByWay> {
    let mut values = case.likely();
    let mut found: Vec<PaidByWay> = ways
        .iter()
        .map(|way| PaidByWay { paid: chances::paid(case, *way, Values::of(&values)), band: Vec::new() })
        .collect();
    if !case.uncertain || drawing.count == 0 || case.need.horizon > LONGEST_BAND {
        return found;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(drawing.seed);
    let draws = BAND_DRAWS.min(drawing.count);
    let mut all: Vec<Vec<Vec<f64>>> =
        found.iter().map(|way| vec![Vec::with_capacity(draws as usize); way.paid.len()]).collect();
    for _ in 0..draws {
        for (slot, range) in case.ranges.iter().enumerate().filter(|(_, r)| r.is_wide()) {
            values[slot] = triangular(range, rng.random());
        }
        let v = Values::of(&values);
        for (way, months) in ways.iter().zip(&mut all) {
            for (month, usd) in months.iter_mut().zip(chances::paid(case, *way, v)) {
                month.push(usd);
            }
        }
    }
    for (way, months) in found.iter_mut().zip(&mut all) {
        way.band = months.iter_mut().map(|draws| tenths(draws)).collect();
    }
    found
}

/// What a month costs at other volumes.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumesByWay {
    /// Requests of the first month, ascending; the volume in force is one of them.
    pub requests: Vec<f64>,
    /// Mean tokens of one request.
    pub tokens_per_request: f64,
    /// Total over the horizon ÷ its months, for each way and volume, US dollars; `None` where the way
    /// cannot serve that volume.
    pub monthly: Vec<Vec<Option<f64>>>,
    /// Units in the first month, for each way and volume; `None` for an API.
    pub units: Vec<Vec<Option<u32>>>,
    /// Ranges of volume in which the second of `rivals` costs less than the first.
    pub windows: Vec<(f64, Option<f64>)>,
}

/// Volume by volume for ways that are one offer or a share of requests by route. `rivals` are a cloud and an
/// own way, by index, and the volume at which both cost the same, where there is one.
pub fn by_volume_of(
    case: &Case,
    ways: &[Deployment],
    rivals: Option<(usize, usize)>,
    break_even: Option<f64>,
) -> Option<VolumesByWay> {
    if matches!(case.need.volume, Volume::AtCapacity) {
        return None;
    }
    let likely = case.likely();
    let v = case.values(&likely);
    let now = case.need.requests(v, None).get();
    if now <= 0.0 || !now.is_finite() {
        return None;
    }
    let machine = |way: Deployment| {
        match way {
            Deployment::Alone(offer) => Some((offer, 1.0)),
            Deployment::Routed(pair) => case.hybrid.as_ref().map(|h| (pair.local, v.get(h.local_share))),
            Deployment::Overflow { pair, .. } => Some((pair.local, 1.0)),
        }
        .and_then(|(offer, share): (usize, f64)| match &case.offers[offer].supply {
            Supply::Machine(m) => Some((m.as_ref(), share)),
            Supply::Api(_) => None,
        })
    };
    let months = f64::from(case.need.horizon);
    let cost = |way: Deployment, volume: f64| {
        let served = machine(way).is_none_or(|(m, share)| serves(case, m, v, volume * share));
        served.then(|| chances::total_at(case, way, v, volume / now) / months)
    };
    let units_of = |way: Deployment, volume: f64| {
        let (m, share) = machine(way)?;
        let flow = Flow { requests: Requests::new(volume * share), scale: volume * share / now };
        Some(compare::first_units(case, m, v, flow).saturating_add(m.spare))
    };
    let coarse = grid(now, break_even);
    let units_at = |volume: f64| ways.iter().map(|way| units_of(*way, volume)).collect::<Vec<_>>();
    let requests = with_steps(coarse.clone(), &units_at);
    let monthly = ways.iter().map(|way| requests.iter().map(|r| cost(*way, *r)).collect()).collect();
    let units = ways.iter().map(|way| requests.iter().map(|r| units_of(*way, *r)).collect()).collect();
    let windows = rivals.map_or_else(Vec::new, |(cloud, own)| {
        windows(&coarse, &mut |volume| {
            cost(ways[own], volume)
                .is_some_and(|own| cost(ways[cloud], volume).is_none_or(|cloud| own < cloud))
        })
    });
    let tokens_per_request = case.need.tokens(v).total().get();
    Some(VolumesByWay { requests, tokens_per_request, monthly, units, windows })
}
