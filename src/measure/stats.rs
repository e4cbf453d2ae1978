//! Statistics of measured values, which are few and heavy-tailed: exact order-statistic intervals instead
//! of normal theory; percentiles only where the sample can bound them; nothing is ever discarded.
//!
//! Percentiles are linear interpolations between order statistics (type 7).

use crate::stats::{DRAWS, TAIL};
pub use crate::stats::{Interval, quantile, wilson};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use statrs::distribution::{Binomial, DiscreteCDF as _};

/// A summary of a set of values. `None`: there are too few of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    pub n: u32,
    pub median: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub p90: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// Median with its order-statistic interval, extremes, and the percentiles the sample can bound
/// (from 36, 72 and 368 values on).
pub fn summary(values: &[f64]) -> Summary {
    let sorted = sorted(values);
    let n = sorted.len();
    let interval = median_interval(&sorted);
    let from = |least: usize, p: f64| (n >= least).then(|| quantile(&sorted, p)).flatten();
    Summary {
        n: u32::try_from(n).unwrap_or(u32::MAX),
        median: quantile(&sorted, 0.5),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        min: sorted.first().copied(),
        max: sorted.last().copied(),
        p90: from(36, 0.90),
        p95: from(72, 0.95),
        p99: from(368, 0.99),
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median of values in any order; `None` without any.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(&sorted(values), 0.5)
}

/// Order-statistic interval of the median: the k-th smallest to the k-th largest, k the largest
/// with P(Binomial(n, ½) < k) ≤ 2.5 %. Exists from six values on.
fn median_interval(sorted: &[f64]) -> Option<Interval> {
    let n = sorted.len();
    let binomial = Binomial::new(0.5, n as u64).ok()?;
    let k = (0..n).take_while(|k| binomial.cdf(*k as u64) <= TAIL).count();
    let k = k.checked_sub(1)?;
    Some(Interval { low: sorted[k], high: sorted[n - 1 - k] })
}

/// Spearman's rank correlation, −1 to 1; ties share their mean rank. `None` below four values, or where one
/// side does not vary.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 4 {
        return None;
    }
    let (x, y) = (ranks(x), ranks(y));
    let mean = f64::midpoint(x.len() as f64, 1.0);
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let spread = (sum(&x, &x) * sum(&y, &y)).sqrt();
    (spread > 0.0).then(|| sum(&x, &y) / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|v| {
            let below = values.iter().filter(|w| *w < v).count();
            let equal = values.iter().filter(|w| w.total_cmp(v).is_eq()).count();
            below as f64 + f64::midpoint(equal as f64, 1.0)
        })
        .collect()
}

/// Positions of values farther from the median than ten standard deviations as the median absolute
/// deviation estimates them (distance ÷ MAD above 14.826). They are reported, never removed.
pub fn outliers(values: &[f64]) -> Vec<usize> {
    let Some(middle) = median(values) else { return Vec::new() };
    let distances: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    match median(&distances) {
        Some(mad) if mad > 0.0 => (0..values.len()).filter(|&i| distances[i] / mad > 14.826).collect(),
        _ => Vec::new(),
    }
}

/// A ratio of medians with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub ratio: f64,
    pub interval: Option<Interval>,
}

/// The values of one prompt's repeats on both sides.
pub type PromptPair = (Vec<f64>, Vec<f64>);

/// Median of `a` ÷ median of `b` over prompts. Each entry is one prompt: the values of its
/// repeats on both sides. The bootstrap resamples prompts, not requests, so that repeats of one
/// prompt do not pass for independent evidence; an interval needs six prompts.
pub fn ratio_of_medians(prompts: &[PromptPair], seed: u64) -> Option<Ratio> {
    let ratio = |chosen: &[usize]| {
        let side = |pick: fn(&PromptPair) -> &Vec<f64>| {
            median(&chosen.iter().flat_map(|&i| pick(&prompts[i]).iter().copied()).collect::<Vec<_>>())
        };
        let (a, b) = (side(|p| &p.0)?, side(|p| &p.1)?);
        (b > 0.0).then(|| a / b)
    };
    let all: Vec<usize> = (0..prompts.len()).collect();
    let point = ratio(&all)?;
    let interval = (prompts.len() >= 6).then(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut chosen = all.clone();
        let mut draws: Vec<f64> = (0..DRAWS)
            .filter_map(|_| {
                chosen.fill_with(|| rng.random_range(0..prompts.len()));
                ratio(&chosen)
            })
            .collect();
        draws.sort_by(f64::total_cmp);
        Some(Interval { low: quantile(&draws, TAIL)?, high: quantile(&draws, 1.0 - TAIL)? })
    });
    Some(Ratio { ratio: point, interval: interval.flatten() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }
    fn one_to(n: u32) -> Vec<f64> {
        (1..=n).map(f64::from).collect()
    }

    /// Ranks from `scipy`: the largest k with `binom.cdf(k - 1, n, 0.5) <= 0.025`.
    #[test]
    fn median_intervals_are_the_binomial_ones() {
        for (n, low, high) in [
            (6, 1., 6.),
            (7, 1., 7.),
            (10, 2., 9.),
            (20, 6., 15.),
            (30, 10., 21.),
            (50, 18., 33.),
            (100, 40., 61.),
        ] {
            let s = summary(&one_to(n));
            assert_eq!((s.low, s.high), (Some(low), Some(high)), "n = {n}");
        }
        assert_eq!(summary(&one_to(5)).low, None);
        assert_eq!(summary(&[]).median, None);
    }

    #[test]
    fn percentiles_need_values() {
        assert_eq!(summary(&one_to(35)).p90, None);
        assert!(summary(&one_to(36)).p90.is_some() && summary(&one_to(71)).p95.is_none());
        assert!(summary(&one_to(368)).p99.is_some());
        // numpy.percentile([1, 2, 3, 4, 10], [50, 90]) = 3, 7.6
        let five = [1.0, 2.0, 3.0, 4.0, 10.0];
        assert!(near(quantile(&five, 0.9).expect("five values"), 7.6));
    }

    /// `scipy`: `spearmanr`.
    #[test]
    fn spearman_is_scipys() {
        let up = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        assert!(near(
            spearman(&up, &[2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]).expect("spread"),
            0.821_428_571_428_571_5
        ));
        assert!(near(
            spearman(&up[..5], &[1.0, 2.0, 2.0, 4.0, 4.0]).expect("spread"),
            0.948_683_298_050_513_8
        ));
        assert_eq!(spearman(&up[..4], &[1.0; 4]), None);
    }

    #[test]
    fn a_ratio_is_seeded_and_covers_the_truth() {
        let prompts: Vec<(Vec<f64>, Vec<f64>)> =
            (1..=10).map(|i| (vec![2.0 * f64::from(i)], vec![f64::from(i)])).collect();
        let first = ratio_of_medians(&prompts, 7).expect("values");
        assert_eq!(Some(first), ratio_of_medians(&prompts, 7));
        assert!(near(first.ratio, 2.0));
        let i = first.interval.expect("ten prompts");
        assert!(near(i.low, 2.0) && near(i.high, 2.0), "each prompt has the same ratio: {i:?}");
        assert!(ratio_of_medians(&prompts[..5], 7).expect("values").interval.is_none());
    }

    #[test]
    fn outliers_are_named_not_removed() {
        let mut values = one_to(20);
        values.push(1000.0);
        assert_eq!(outliers(&values), [20]);
        assert_eq!(summary(&values).n, 21);
    }
}
