//! Values at which a single input turns the answer: for one input at a time, all others at their likely
//! values, the nearest value at which the totals over the horizon change places.
//!
//! Volume and the API's price have break-even points of their own ([`super::compare::break_even`]). Inputs
//! that shape the plan (the need, the utilisation ceiling) are left out, because another plan would be
//! made.

use super::case::{Case, Pair, Values};
use super::compare::{self, Scratch};
use super::keys;
use crate::workload::Range;
use crate::workload::keys::Section;

/// An input that turns the answer by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The input's slot.
    pub slot: usize,
    /// The likely value and range that were used.
    pub taken: Range,
    /// The value at which the answer turns: from here on, going away from the likely value, the other side
    /// costs less. Rounded away from the likely value, to as few digits as still turn the answer.
    pub value: f64,
    /// `value` lies within the range.
    pub in_range: bool,
}

/// Every input that turns the answer by itself. Those that do so within their range come first, then the
/// nearest.
pub fn turns(case: &Case, pair: Pair) -> Vec<Turn> {
    let mut values = case.likely();
    let mut scratch = Scratch::default();
    let mut turns = Vec::new();
    for (slot, range) in case.ranges.iter().enumerate() {
        let Some([low, high]) = conceivable(case, slot, range) else { continue };
        let mut saving = |value: f64| {
            values[slot] = value;
            let v = Values::of(&values);
            let flow = compare::flow(case, pair, v);
            let (cloud, local) = compare::compare_to_horizon(case, pair, v, flow, &mut scratch);
            values[slot] = range.likely;
            (cloud - local).get()
        };
        let local_wins = saving(range.likely) > 0.0;
        // Equal totals do not count as turned.
        let mut turned = |value: f64| {
            let saving = saving(value);
            if local_wins { saving < 0.0 } else { saving > 0.0 }
        };
        for end in [low, high] {
            if let Some(value) = first(range.likely, end, &mut turned) {
                let in_range = (range.low..=range.high).contains(&value);
                turns.push(Turn { slot, taken: *range, value, in_range });
            }
        }
    }
    turns.sort_by(|a, b| b.in_range.cmp(&a.in_range).then(distance(a).total_cmp(&distance(b))));
    turns
}

/// The lowest and the highest value that an input can conceivably have; `None` where it is not examined.
fn conceivable(case: &Case, slot: usize, range: &Range) -> Option<[f64; 2]> {
    let input = &case.inputs[case.slot_inputs[slot]];
    let (key, _) = keys::of_path(&input.name)?;
    let plans = [keys::local::CEILING, keys::local::CACHED_INPUT_SHARE, keys::local::CONCURRENCY];
    let of_the_plan = plans.iter().any(|k| k.path() == key.path());
    let priced_by_token = key.unit == "USD/Mtok";
    if !matches!(key.section, Section::Cloud | Section::Local) || of_the_plan || priced_by_token {
        return None;
    }
    let most = range.likely.abs().max(range.high.abs());
    Some(match key.unit {
        "per year" if key.path() == keys::cloud::PRICE_CHANGE.path() => [-0.9, 1.0],
        "share" | "per year" => [0.0, 1.0],
        // Whole numbers are left out: at none of them do both sides cost exactly the same.
        "months" | "units" | "GPUs" => return None,
        "x" if range.likely >= 1.0 => [1.0, range.likely * 5.0],
        _ if most > 0.0 => [0.0, most * 10.0],
        _ => return None,
    })
}

/// The first value between the likely value and an end that turns the answer. The effect of a price, of
/// hours or of a share is monotonic: if the end does not turn the answer, no value before it does.
fn first(likely: f64, end: f64, turned: &mut impl FnMut(f64) -> bool) -> Option<f64> {
    if (likely - end).abs() <= 1e-12 * likely.abs().max(1.0) || !turned(end) {
        return None;
    }
    let (mut before, mut after) = (likely, end);
    for _ in 0..30 {
        let middle = f64::midpoint(before, after);
        if turned(middle) { after = middle } else { before = middle }
    }
    let rounded = (2..=6).map(|digits| away(after, likely, digits));
    rounded.into_iter().find(|v| within(*v, likely, end) && turned(*v)).or(Some(after))
}

fn within(value: f64, a: f64, b: f64) -> bool {
    (a.min(b)..=a.max(b)).contains(&value)
}

/// Rounded to this many digits, away from the likely value.
fn away(value: f64, likely: f64, digits: i32) -> f64 {
    if value == 0.0 {
        return value;
    }
    // The exponent of an f64 is far within i32.
    #[allow(clippy::cast_possible_truncation)]
    let exponent = value.abs().log10().floor() as i32 - digits + 1;
    let in_steps = |unit: f64, back: &dyn Fn(f64) -> f64| {
        let steps = value / unit;
        back(if value > likely { (steps - 1e-9).ceil() } else { (steps + 1e-9).floor() })
    };
    // Tenths and hundredths are computed by division, so that 0.3 comes out as 0.3.
    if exponent < 0 {
        let per = 10_f64.powi(-exponent);
        in_steps(1.0 / per, &|steps| steps / per)
    } else {
        let unit = 10_f64.powi(exponent);
        in_steps(unit, &|steps| steps * unit)
    }
}

/// Distance of the value from the likely one, as a multiple of the range on that side.
fn distance(turn: &Turn) -> f64 {
    let Range { low, likely, high } = turn.taken;
    let side = if turn.value > likely { high - likely } else { likely - low };
    let side = if side > 0.0 { side } else { likely.abs().max(1e-9) };
    (turn.value - likely).abs() / side
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_rounded_away_from_the_likely_one() {
        assert!((away(8.234, 4.0, 2) - 8.3).abs() < 1e-12);
        assert!((away(0.1234, 4.0, 2) - 0.12).abs() < 1e-12);
        assert!((away(-0.3456, 0.0, 2) + 0.35).abs() < 1e-12);
        assert!((away(12_345.0, 1.0, 2) - 13_000.0).abs() < 1e-9);
        assert!(away(0.0, 4.0, 2) == 0.0);
    }

    proptest! {
        #[test]
        fn the_first_value_that_turns_it_is_found(at in 0.001..0.999f64, likely in -10.0..10.0f64, far in 0.1..100.0f64) {
            let end = likely + far;
            let edge = likely + far * at;
            let value = first(likely, end, &mut |v| v >= edge).expect("one");
            prop_assert!(value >= edge - 1e-9 && value <= end);
            // Rounding to at least two digits moves it by no more than a tenth.
            prop_assert!(value - edge <= 0.1 * value.abs().max(edge.abs()) + 1e-9);
        }
    }
}
