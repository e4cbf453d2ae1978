//! Scales of axes, with round numbers as ticks.

use super::model::Axis;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// The ends and ticks of an axis, in drawing coordinates (logarithms on a logarithmic axis).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    /// Place and label of each tick.
    pub ticks: Vec<(f64, String)>,
    log: bool,
}

impl Scale {
    /// A scale with round ends around the values, and about `wanted` ticks.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>, wanted: usize) -> Self {
        let usable = |v: &f64| v.is_finite() && (!axis.log || *v > 0.0);
        let (mut low, mut high) =
            values.filter(usable).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            (low, high) = if axis.log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        if axis.log {
            return Self::logarithmic(axis, low, high, wanted);
        }
        if axis.zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high - low <= high.abs().max(low.abs()) * 1e-9 {
            (low, high) =
                if high == 0.0 { (0.0, 1.0) } else { (low - low.abs() * 0.1, high + high.abs() * 0.1) };
        }
        if let Some(ticks) = &axis.ticks {
            for (at, _) in ticks {
                (low, high) = (low.min(*at), high.max(*at));
            }
            return Self { low, high, ticks: ticks.clone(), log: false };
        }
        let step = step(high - low, wanted);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut ticks = Vec::new();
        let mut n = first;
        while n <= last + 0.5 && ticks.len() < 50 {
            ticks.push((n * step, axis.of.tick(n * step)));
            n += 1.0;
        }
        Self { low: first * step, high: last * step, ticks, log: false }
    }

    fn logarithmic(axis: &Axis, low: f64, high: f64, wanted: usize) -> Self {
        let (mut low, mut high) = (low.log10(), high.log10());
        if high - low < 0.3 {
            (low, high) = (low - 0.15, high + 0.15);
        }
        let decades = high - low;
        let steps: &[f64] = if decades * 7.0 <= wanted as f64 + 1.0 {
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]
        } else if decades * 3.0 <= wanted as f64 + 2.0 {
            &[1.0, 2.0, 5.0]
        } else if decades * 2.0 <= wanted as f64 + 2.0 {
            &[1.0, 3.0]
        } else {
            &[1.0]
        };
        let every = (decades / wanted.max(1) as f64).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut decade = low.floor();
        while decade <= high && ticks.len() < 60 {
            if steps.len() > 1 || decade.rem_euclid(every) < 0.5 {
                for step in steps {
                    let at = decade + step.log10();
                    if (low - 1e-9..=high + 1e-9).contains(&at) {
                        ticks.push((at, axis.of.tick(10f64.powf(at))));
                    }
                }
            }
            decade += 1.0;
        }
        Self { low, high, ticks, log: true }
    }

    /// Add space at both ends of a logarithmic axis, as a share of its length, so that points at the ends
    /// are not cut.
    pub(super) fn padded(mut self, share: f64) -> Self {
        if self.log {
            let room = (self.high - self.low) * share;
            (self.low, self.high) = (self.low - room, self.high + room);
        }
        self
    }

    /// A value in drawing coordinates; `None` where the axis has no place for it.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let at = if self.log { (value > 0.0).then(|| value.log10())? } else { value };
        at.is_finite().then_some(at)
    }
}

/// The interface that `plotters` expects of an axis.
impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        let along = f64::from(limit.0) + share * f64::from(limit.1 - limit.0);
        #[allow(clippy::cast_possible_truncation)]
        let whole = along.round().clamp(-1e8, 1e8) as i32;
        whole
    }
    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        let all = || self.ticks.iter().map(|t| t.0).collect();
        if hint.weight().allow_light_points() { Vec::new() } else { all() }
    }
    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        let near = self.ticks.iter().min_by(|a, b| (a.0 - value).abs().total_cmp(&(b.0 - value).abs()));
        near.map_or_else(String::new, |t| t.1.clone())
    }
}

/// Distance of ticks: 1, 2, 2.5 or 5 times a power of ten.
fn step(width: f64, wanted: usize) -> f64 {
    let rough = width / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|f| f * power >= rough * 0.999).unwrap_or(10.0);
    factor * power
}

#[cfg(test)]
mod tests {
    use super::super::model::NumberStyle;
    use super::*;

    fn labels(axis: &Axis, values: &[f64], wanted: usize) -> Vec<String> {
        Scale::of(axis, values.iter().copied(), wanted).ticks.into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round() {
        let money = Axis::new("", NumberStyle::Money("USD".into()));
        assert_eq!(labels(&money, &[0.0, 56_315.0], 5), ["$0", "$20k", "$40k", "$60k"]);
        assert_eq!(labels(&money, &[3.0, 8.5], 5), ["$0", "$2", "$4", "$6", "$8", "$10"]);
        let shares = Axis::new("", NumberStyle::Share);
        assert_eq!(labels(&shares, &[0.2, 1.0], 4), ["0 %", "25 %", "50 %", "75 %", "100 %"]);
        let volume = Axis::new("", NumberStyle::Number).log();
        assert_eq!(labels(&volume, &[30_000.0, 3e6], 4), ["50k", "100k", "200k", "500k", "1M", "2M"]);
        assert_eq!(labels(&volume, &[3.0, 3e6], 4), ["100", "10k", "1M"]);
        assert_eq!(labels(&volume, &[800.0, 2500.0], 6), ["1,000", "1,500", "2,000"]);
    }

    #[test]
    fn nothing_odd_comes_of_odd_values() {
        for values in
            [&[][..], &[0.0], &[f64::NAN, f64::INFINITY], &[-5.0, -5.0], &[1e300, -1e300], &[1e-300, 1e300]]
        {
            for axis in [
                Axis::new("", NumberStyle::Number),
                Axis::new("", NumberStyle::Number).log(),
                Axis::new("", NumberStyle::Number).free(),
            ] {
                let scale = Scale::of(&axis, values.iter().copied(), 5);
                assert!(
                    scale.low < scale.high && scale.low.is_finite() && scale.high.is_finite(),
                    "{values:?}"
                );
                assert!(scale.ticks.len() <= 62, "{values:?}");
            }
        }
    }
}
