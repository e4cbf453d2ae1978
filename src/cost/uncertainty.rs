//! What ranges of the inputs mean for a comparison: random draws with a seed, and each input by itself.
//!
//! A range stands for a triangular distribution, which rises from the low value to the likely one and falls
//! to the high one. It needs no further parameter, is wider than the smoother PERT distribution of the same
//! three numbers, and is easy to reproduce. Inputs are drawn independently.

use super::case::{Case, Pair, Values};
use super::compare::{self, Scratch};
use crate::workload::Range;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// Relative change of inputs without a range, for the tornado of a case that has no ranges at all.
pub const ASSUMED_SWING: f64 = 0.2;

/// Number of draws: ten thousand keep the standard error of a probability at half a percentage point.
pub const DEFAULT_DRAWS: u32 = 10_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    pub count: u32,
    pub seed: u64,
    /// Share of the draws in which local costs less over the horizon, 0 to 1.
    pub local_cheaper: f64,
    /// Months by which 10, 50 and 90 % of the draws have paid back; `None` means never.
    pub payback: [Option<f64>; 3],
}

/// The effect of one input, from its low to its high value, with all others at their likely values.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The input's slot.
    pub slot: usize,
    pub low: f64,
    pub high: f64,
    /// Saving of the local side over the horizon at each value, US dollars.
    pub saving_at_low: f64,
    pub saving_at_high: f64,
    /// The range is assumed, not given by the user.
    pub assumed: bool,
}

impl Bar {
    pub fn swing(&self) -> f64 {
        (self.saving_at_high - self.saving_at_low).abs()
    }
}

/// Inverse of the triangular distribution function.
pub(super) fn triangular(range: &Range, u: f64) -> f64 {
    let Range { low, likely, high } = *range;
    let width = high - low;
    let turn = (likely - low) / width;
    if u < turn {
        low + (u * width * (likely - low)).sqrt()
    } else {
        high - ((1.0 - u) * width * (high - likely)).sqrt()
    }
}

/// Draw values from all ranges at once, `count` times. Allocates memory only once.
pub fn draw(case: &Case, pair: Pair, count: u32, seed: u64) -> Draws {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut values = case.likely();
    let wide: Vec<(usize, Range)> =
        case.ranges.iter().copied().enumerate().filter(|(_, r)| r.is_wide()).collect();
    let mut scratch = Scratch::default();
    let mut paybacks = Vec::with_capacity(count as usize);
    let mut cheaper = 0_u32;
    for _ in 0..count {
        for (slot, range) in &wide {
            values[*slot] = triangular(range, rng.random());
        }
        let v = Values::of(&values);
        let flow = compare::flow(case, pair, v);
        let outcome = compare::payback_only(case, pair, v, flow, &mut scratch);
        cheaper += u32::from(outcome.tco_local < outcome.tco_cloud);
        paybacks.push(outcome.payback.unwrap_or(f64::INFINITY));
    }
    paybacks.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let n = paybacks.len();
        // The nearest rank; the clamp keeps it within the list.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = ((share * n as f64).ceil() as usize).clamp(1, n.max(1));
        paybacks.get(rank - 1).copied().filter(|m| m.is_finite())
    };
    Draws {
        count,
        seed,
        local_cheaper: f64::from(cheaper) / f64::from(count.max(1)),
        payback: [at(0.1), at(0.5), at(0.9)],
    }
}

/// The effect of each input over its own range, the largest swing first. If no input has a range, each is
/// changed by a fifth up and down; the hours of a month are a convention and stay as they are.
pub fn tornado(case: &Case, pair: Pair) -> Vec<Bar> {
    let mut values = case.likely();
    let mut scratch = Scratch::default();
    let mut bars = Vec::new();
    let ranged = case.ranges.iter().any(Range::is_wide);
    for (slot, range) in case.ranges.iter().enumerate() {
        let (low, high) = match (ranged, range.is_wide()) {
            (_, true) => (range.low, range.high),
            (true, false) => continue,
            (false, false) if range.likely == 0.0 || slot == case.need.hours.index() => continue,
            (false, false) => swing(case, slot, range.likely),
        };
        let mut saving = |value: f64| {
            values[slot] = value;
            let v = Values::of(&values);
            let flow = compare::flow(case, pair, v);
            let (cloud, local) = compare::compare_to_horizon(case, pair, v, flow, &mut scratch);
            values[slot] = range.likely;
            (cloud - local).get()
        };
        let bar = Bar {
            slot,
            low,
            high,
            saving_at_low: saving(low),
            saving_at_high: saving(high),
            assumed: !range.is_wide(),
        };
        if bar.swing() > 1e-6 {
            bars.push(bar);
        }
    }
    bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    bars
}

/// A fifth down and up, within what the key allows.
fn swing(case: &Case, slot: usize, likely: f64) -> (f64, f64) {
    let (a, b) = (likely * (1.0 - ASSUMED_SWING), likely * (1.0 + ASSUMED_SWING));
    let (low, high) = (a.min(b), a.max(b));
    match case.inputs[case.slot_inputs[slot]].unit {
        "share" => (low, high.min(1.0)),
        // Factors such as PUE and peak-to-mean are at least 1.
        "x" if likely >= 1.0 => (low.max(1.0), high),
        _ => (low, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a triangular distribution is (low + likely + high) ÷ 3; here (2 + 3 + 10) ÷ 3 = 5.
    #[test]
    fn draws_have_the_triangles_mean_and_bounds() {
        let range = Range { low: 2.0, likely: 3.0, high: 10.0 };
        let n = 100_000;
        let values: Vec<f64> =
            (0..n).map(|i| triangular(&range, (f64::from(i) + 0.5) / f64::from(n))).collect();
        assert!((values.iter().sum::<f64>() / f64::from(n) - 5.0).abs() < 1e-3);
        assert!(values.iter().all(|v| (2.0..=10.0).contains(v)));
        let edge = Range { low: 1.0, likely: 1.0, high: 2.0 };
        assert!((triangular(&edge, 0.0) - 1.0).abs() < 1e-12 && triangular(&edge, 0.999_999) <= 2.0);
    }
}
