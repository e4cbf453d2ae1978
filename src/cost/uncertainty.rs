//! What ranges of the inputs mean: seeded draws, and one input at a time.
//!
//! A range is triangular: it rises from low to likely and falls to high. It needs no further
//! parameter, is wider than the smoother PERT on the same three numbers, and anyone can redraw it.
//! Inputs are drawn independently.

use super::case::{Case, Pair, Values};
use super::compare::{self, Scratch};
use crate::workload::Range;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// Swing of an input that has no range, in the tornado of a case without any.
pub const ASSUMED_SWING: f64 = 0.2;

/// Ten thousand draws put the error of a probability below half a percent.
pub const DEFAULT_DRAWS: u32 = 10_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    pub count: u32,
    pub seed: u64,
    /// Share in which local costs less by the horizon.
    pub local_cheaper: f64,
    /// Months by which 10, 50 and 90 % of the draws have paid back; `None`: never.
    pub payback: [Option<f64>; 3],
}

/// One input from low to high, all others likely.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The slot.
    pub slot: usize,
    pub low: f64,
    pub high: f64,
    /// Saving over the horizon, USD.
    pub saving_at_low: f64,
    pub saving_at_high: f64,
    /// The range is ours, not the user's.
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

/// Draw every range at once, `count` times. Allocates once.
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
        // Nearest rank, within the list by the clamp.
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

/// Each input by itself over its own range, the largest swing first. Where no input has a range, every
/// one a fifth up and down; what a month is counted with is a convention and stays as it is.
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

/// A fifth up and down, within what the key allows.
fn swing(case: &Case, slot: usize, likely: f64) -> (f64, f64) {
    let (a, b) = (likely * (1.0 - ASSUMED_SWING), likely * (1.0 + ASSUMED_SWING));
    let (low, high) = (a.min(b), a.max(b));
    match case.inputs[case.slot_inputs[slot]].unit {
        "share" => (low, high.min(1.0)),
        // Factors such as PUE and peak-to-mean start at 1.
        "x" if likely >= 1.0 => (low.max(1.0), high),
        _ => (low, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of a triangle: (low + likely + high) ÷ 3 = (2 + 3 + 10) ÷ 3 = 5.
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
