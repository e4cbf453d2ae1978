//! Series for charts: the cumulative cost of every offer by month, with its band, and the cost of a month
//! at other volumes. They come from the same simulation as the totals, so that a chart never contradicts
//! them.

use super::case::{Case, Pair, Supply, Values, Volume};
use super::compare::{self, BreakEven, Scratch};
use super::simulate::{Flow, Run};
use super::uncertainty::triangular;
use crate::units::Requests;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// The most offers in one chart: more are not readable.
const MOST_OFFERS: usize = 6;
/// Draws behind a band: P10 and P90 of a total need far fewer than a probability does.
pub(super) const BAND_DRAWS: u32 = 400;
/// The longest horizon, in months, for which bands are computed.
pub(super) const LONGEST_BAND: u32 = 240;
/// Number of volumes per decade, and the most decades.
const PER_DECADE: f64 = 20.0;
const MOST_DECADES: f64 = 5.0;
/// Number of volumes between two of the grid that are also tried when ranges are searched.
const BETWEEN: u32 = 4;
/// The most steps, from the smallest volume on, at which a further unit is needed: with many units, one
/// more is too small a step to see.
const MOST_STEPS: usize = 24;
/// Relative distance of the two points on either side of such a step; the document keeps six digits.
const BESIDE: f64 = 1e-5;

/// The cumulative cost of an offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Cumulative {
    /// Index into [`Case::offers`].
    pub offer: usize,
    /// Paid on the first day, then in total by the end of each month: `horizon + 1` amounts, US dollars.
    pub paid: Vec<f64>,
    /// P10 and P90 of each of these over draws of the ranges; empty where no input is a range.
    pub band: Vec<(f64, f64)>,
}

/// What a month of each offer costs at other volumes, everything over the horizon included.
#[derive(Debug, Clone, PartialEq)]
pub struct ByVolume {
    /// Requests of the first month, ascending.
    pub requests: Vec<f64>,
    /// Mean tokens of one request.
    pub tokens_per_request: f64,
    /// Every offer that is part of a pair.
    pub offers: Vec<OfferByVolume>,
    /// Ranges of volume in which the local side of the first pair costs less.
    pub windows: Vec<(f64, Option<f64>)>,
}

/// One offer at each of the volumes.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferByVolume {
    /// Index into [`Case::offers`].
    pub offer: usize,
    /// Total over the horizon ÷ its months, US dollars; `None` where the offer cannot serve that volume.
    pub monthly: Vec<Option<f64>>,
    /// Units in the first month; `None` for an API.
    pub units: Vec<Option<u32>>,
}

/// The offers that are compared, each with the first pair that it is part of.
fn shown(case: &Case) -> Vec<(usize, Pair)> {
    let mut found: Vec<(usize, Pair)> = Vec::new();
    for &pair in &case.pairs {
        for offer in [pair.cloud, pair.local] {
            if found.len() < MOST_OFFERS && found.iter().all(|(known, _)| *known != offer) {
                found.push((offer, pair));
            }
        }
    }
    found
}

/// Cumulative payments of one run: `out` receives `horizon + 1` amounts. As in the comparison, the local
/// side pays for its baseline until it is delivered.
fn pay(case: &Case, offer: usize, pair: Pair, v: Values<'_>, memory: &mut [Vec<u32>; 2], out: &mut Vec<f64>) {
    let flow = compare::flow(case, pair, v);
    let [own, other] = memory;
    let mut run = Run::new(&case.offers[offer], &case.need, v, flow, own);
    let meanwhile = if offer == pair.local { case.offers[offer].meanwhile() } else { 0 };
    let mut baseline =
        (meanwhile > 0).then(|| Run::new(&case.offers[pair.cloud], &case.need, v, flow, other));
    out.clear();
    let mut sum = 0.0;
    for month in 0..case.need.horizon {
        let mut bill = run.bill();
        if let Some(baseline) = baseline.as_mut().filter(|_| month < meanwhile) {
            let paid = baseline.bill();
            bill.upfront += paid.upfront;
            bill.running += paid.running;
        }
        if month == 0 {
            out.push(bill.upfront);
        }
        sum += bill.total();
        out.push(sum);
    }
}

/// The cumulative cost of every offer that is shown. `most_draws` limits how often ranges are drawn.
pub fn cumulative(case: &Case, v: Values<'_>, most_draws: u32, seed: u64) -> Vec<Cumulative> {
    let shown = shown(case);
    let mut memory = [Vec::new(), Vec::new()];
    let mut found: Vec<Cumulative> = shown
        .iter()
        .map(|&(offer, pair)| {
            let mut paid = Vec::with_capacity(case.need.horizon as usize + 1);
            pay(case, offer, pair, v, &mut memory, &mut paid);
            Cumulative { offer, paid, band: Vec::new() }
        })
        .collect();
    if !case.uncertain || most_draws == 0 || case.need.horizon > LONGEST_BAND {
        return found;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut values = case.likely();
    let draws = BAND_DRAWS.min(most_draws);
    let months = case.need.horizon as usize + 1;
    // Ordered by offer, then month, then draw.
    let mut all = vec![Vec::with_capacity(draws as usize); shown.len() * months];
    let mut paid = Vec::with_capacity(months);
    for _ in 0..draws {
        for (slot, range) in case.ranges.iter().enumerate().filter(|(_, r)| r.is_wide()) {
            values[slot] = triangular(range, rng.random());
        }
        let v = Values::of(&values);
        for (n, &(offer, pair)) in shown.iter().enumerate() {
            pay(case, offer, pair, v, &mut memory, &mut paid);
            for (month, usd) in paid.iter().enumerate() {
                all[n * months + month].push(*usd);
            }
        }
    }
    for (one, of_months) in found.iter_mut().zip(all.chunks_mut(months)) {
        one.band = of_months.iter_mut().map(|of_draws| tenths(of_draws)).collect();
    }
    found
}

/// P10 and P90 of these values.
pub(super) fn tenths(draws: &mut [f64]) -> (f64, f64) {
    draws.sort_unstable_by(f64::total_cmp);
    let at = |tenths: usize| draws[(draws.len() * tenths).div_ceil(10).max(1) - 1];
    (at(1), at(9))
}

/// Volumes around the one in force and the break-even volume.
pub(super) fn grid(now: f64, break_even: Option<f64>) -> Vec<f64> {
    let near = |v: &f64| *v > 0.0 && (now / v).log10().abs() <= MOST_DECADES / 2.0;
    let other = break_even.filter(near).unwrap_or(now);
    let low = (now.min(other) / now).log10() - 1.0;
    let high = (now.max(other) / now).log10() + 1.0;
    let steps = |decades: f64| decades * PER_DECADE;
    // Whole steps from the volume in force, so that it is itself one of them.
    #[allow(clippy::cast_possible_truncation)]
    let (first, last) = (steps(low).floor() as i32, steps(high).ceil() as i32);
    (first..=last).map(|n| now * 10f64.powf(f64::from(n) / PER_DECADE)).collect()
}

/// The grid, with a point on either side of each volume at which one of `units` grows. With the points of
/// the grid alone the curve would rise gradually where a whole unit is bought at once.
pub(super) fn with_steps(grid: Vec<f64>, units: &impl Fn(f64) -> Vec<Option<u32>>) -> Vec<f64> {
    let mut steps = Vec::new();
    for pair in grid.windows(2) {
        let (before, after) = (units(pair[0]), units(pair[1]));
        for offer in 0..before.len() {
            let (Some(few), Some(more)) = (before[offer], after[offer]) else { continue };
            if more != few + 1 || steps.len() >= 2 * MOST_STEPS {
                continue;
            }
            let (mut low, mut high) = (pair[0], pair[1]);
            for _ in 0..40 {
                let middle = f64::midpoint(low, high);
                if units(middle)[offer].is_some_and(|n| n <= few) { low = middle } else { high = middle }
            }
            let beside = [low * (1.0 - BESIDE), high * (1.0 + BESIDE)];
            steps.extend(beside.into_iter().filter(|v| pair[0] < *v && *v < pair[1]));
        }
    }
    let mut all = grid;
    all.extend(steps);
    all.sort_unstable_by(f64::total_cmp);
    all
}

/// Costs at other volumes; `None` where the volume is whatever the hardware can generate, or 0.
pub fn by_volume(case: &Case, v: Values<'_>, break_even: &BreakEven) -> Option<ByVolume> {
    let head = case.pairs.first().copied()?;
    if matches!(case.need.volume, Volume::AtCapacity) {
        return None;
    }
    let now = compare::flow(case, head, v).requests.get();
    if now <= 0.0 || !now.is_finite() {
        return None;
    }
    let flow = |requests: f64| Flow { requests: Requests::new(requests), scale: requests / now };
    let shown = shown(case);
    let units_at = |volume: f64| -> Vec<Option<u32>> {
        let units = |(offer, _): &(usize, Pair)| match &case.offers[*offer].supply {
            Supply::Api(_) => None,
            Supply::Machine(m) => {
                Some(compare::first_units(case, m, v, flow(volume)).saturating_add(m.spare))
            }
        };
        shown.iter().map(units).collect()
    };
    let coarse = grid(now, break_even.requests.map(Requests::get));
    let requests = with_steps(coarse.clone(), &units_at);
    let mut scratch = Scratch::default();
    let offers = shown
        .iter()
        .map(|&(offer, pair)| {
            let mut it = OfferByVolume { offer, monthly: Vec::new(), units: Vec::new() };
            for &volume in &requests {
                let flow = flow(volume);
                let (served, units) = match &case.offers[offer].supply {
                    Supply::Api(_) => (true, None),
                    Supply::Machine(m) => (
                        serves(case, m, v, volume),
                        Some(compare::first_units(case, m, v, flow).saturating_add(m.spare)),
                    ),
                };
                let (cloud, local) = compare::compare_to_horizon(case, pair, v, flow, &mut scratch);
                let total = if offer == pair.cloud { cloud } else { local };
                it.monthly.push(served.then(|| total.get() / f64::from(case.need.horizon)));
                it.units.push(units.filter(|_| served));
            }
            it
        })
        .collect();
    let machine = match &case.offers[head.local].supply {
        Supply::Machine(m) => Some(m.as_ref()),
        Supply::Api(_) => None,
    };
    let mut cheaper = |volume: f64| {
        machine.is_none_or(|m| serves(case, m, v, volume)) && {
            let (cloud, local) = compare::compare_to_horizon(case, head, v, flow(volume), &mut scratch);
            local < cloud
        }
    };
    let windows = windows(&coarse, &mut cheaper);
    let tokens_per_request = case.need.tokens(v).total().get();
    Some(ByVolume { requests, tokens_per_request, offers, windows })
}

/// Can it serve this volume? A fixed number of units has a largest volume.
pub(super) fn serves(case: &Case, machine: &super::case::Machine, v: Values<'_>, requests: f64) -> bool {
    let most = machine.units.and_then(|units| machine.capacity(&case.need, v, units));
    most.is_none_or(|most| requests <= most.get())
}

/// The ranges of the grid in which `cheaper` holds. A range that ends with the grid is open.
pub(super) fn windows(requests: &[f64], cheaper: &mut impl FnMut(f64) -> bool) -> Vec<(f64, Option<f64>)> {
    let mut found: Vec<(f64, Option<f64>)> = Vec::new();
    let mut before: Option<(f64, bool)> = None;
    let fine = requests.windows(2).flat_map(|pair| {
        let step = (pair[1] / pair[0]).powf(1.0 / f64::from(BETWEEN));
        (0..BETWEEN).map(move |n| pair[0] * step.powi(n.cast_signed()))
    });
    for volume in fine.chain(requests.last().copied()) {
        let now = cheaper(volume);
        match before {
            None if now => found.push((volume, None)),
            Some((last, was)) if was != now => {
                let (mut low, mut high) = (last, volume);
                for _ in 0..40 {
                    let middle = f64::midpoint(low, high);
                    if cheaper(middle) == was { low = middle } else { high = middle }
                }
                match found.last_mut().filter(|_| was) {
                    Some(open) => open.1 = Some(low),
                    None => found.push((high, None)),
                }
            }
            _ => {}
        }
        before = Some((volume, now));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_open_and_close_where_the_answer_turns() {
        let volumes = grid(1000.0, Some(300.0));
        assert!(volumes.iter().any(|v| (v - 1000.0).abs() < 1e-9), "the volume in force is one of them");
        assert!(volumes[0] <= 30.0 && volumes[volumes.len() - 1] >= 10_000.0, "{volumes:?}");
        let found = windows(&volumes, &mut |v| (100.0..150.0).contains(&v) || v >= 2000.0);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            (found[0].0 - 100.0).abs() < 1e-6 && found[0].1.is_some_and(|end| (end - 150.0).abs() < 1e-6)
        );
        assert!((found[1].0 - 2000.0).abs() < 1e-6 && found[1].1.is_none());
        assert!(windows(&volumes, &mut |_| false).is_empty());
        assert_eq!(windows(&volumes, &mut |_| true), [(volumes[0], None)]);
    }

    #[test]
    fn a_unit_more_is_a_step_and_no_slope() {
        let volumes = grid(1000.0, None);
        let units = |v: f64| vec![None, Some(1 + u32::from(v > 777.0) + u32::from(v > 1234.0))];
        let all = with_steps(volumes.clone(), &units);
        assert_eq!(all.len(), volumes.len() + 4);
        assert!(all.is_sorted() && volumes.iter().all(|v| all.contains(v)));
        for pair in all.windows(2).filter(|p| units(p[0]) != units(p[1])) {
            assert!(pair[1] / pair[0] < 1.0 + 3.0 * BESIDE, "{pair:?}");
        }
        // Several steps between two points of the grid are too small to see.
        let many = with_steps(volumes.clone(), &|v: f64| vec![Some(1 + 5 * u32::from(v > 777.0))]);
        assert_eq!(many, volumes);
    }

    #[test]
    fn a_break_even_far_away_does_not_stretch_the_grid() {
        assert!(grid(1000.0, Some(1e12)).len() < 60);
    }
}
