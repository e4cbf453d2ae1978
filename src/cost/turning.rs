//! What would have to be true for the other side to cost less: for one input at a time, all others likely,
//! the value nearest to it at which the totals over the horizon change places.
//!
//! Volume and the price of the API have break-evens of their own ([`super::compare::break_even`]); what
//! decides the plan (the need, how full a machine may be) is left out, since another plan would be made.

use super::case::{Case, Pair, Values};
use super::compare::{self, Scratch};
use super::keys;
use crate::workload::Range;
use crate::workload::keys::Section;

/// One input that turns the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The slot.
    pub slot: usize,
    /// What was taken: likely, and over which range.
    pub taken: Range,
    /// From here on, away from the likely value, the other side costs less. Rounded away from it to as few
    /// digits as still turn it.
    pub value: f64,
    /// The value lies within the range.
    pub in_range: bool,
}

/// Every input that turns the comparison by itself: those within their ranges first, then the nearest.
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
        // No difference is no win of the other side.
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

/// Between which values an input can be asked for: `None` where the question makes no sense.
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
        // Whole numbers: there is no value at which both cost the same.
        "months" | "units" | "GPUs" => return None,
        "x" if range.likely >= 1.0 => [1.0, range.likely * 5.0],
        _ if most > 0.0 => [0.0, most * 10.0],
        _ => return None,
    })
}

/// On the way from the likely value to an end, the first value that turns it. What a price, an hour or a
/// share of the costs does to the difference has one direction: what the end does not turn, nothing before
/// it does.
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

/// Rounded away from the likely value to so many digits.
fn away(value: f64, likely: f64, digits: i32) -> f64 {
    if value == 0.0 {
        return value;
    }
    // Of an f64: far within i32.
    #[allow(clippy::cast_possible_truncation)]
    let exponent = value.abs().log10().floor() as i32 - digits + 1;
    let in_steps = |unit: f64, back: &dyn Fn(f64) -> f64| {
        let steps = value / unit;
        back(if value > likely { (steps - 1e-9).ceil() } else { (steps + 1e-9).floor() })
    };
    // Tenths and hundredths as quotients, so that 0.3 is 0.3.
    if exponent < 0 {
        let per = 10_f64.powi(-exponent);
        in_steps(1.0 / per, &|steps| steps / per)
    } else {
        let unit = 10_f64.powi(exponent);
        in_steps(unit, &|steps| steps * unit)
    }
}

/// How far a turn is from the likely value, in times of the range on that side.
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
            // Two digits of what it is, at most.
            prop_assert!(value - edge <= 0.1 * value.abs().max(edge.abs()) + 1e-9);
        }
    }
}
