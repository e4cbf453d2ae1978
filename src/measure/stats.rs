//! Statistics of a bench: few values, heavy tails. Exact order-statistic intervals instead of
//! normal theory; percentiles only where the sample can bound them; nothing is ever discarded.
//!
//! Percentiles are linear interpolations between order statistics (type 7).

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use statrs::distribution::{Binomial, ContinuousCDF as _, DiscreteCDF as _, Normal};

/// Half of what a 95 % interval leaves out.
const TAIL: f64 = 0.025;
/// Draws of a bootstrap.
const DRAWS: usize = 10_000;

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// What can be said about a set of values.
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

/// A quantile of sorted values, type 7.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p * last as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64))
}

/// The median of any values.
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

/// Wilson's 95 % interval of a share.
pub fn wilson(passed: u32, n: u32) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let (z, n, k) = (z(1.0 - TAIL), f64::from(n), f64::from(passed));
    let (p, zz) = (k / n, z * z);
    let middle = (p + zz / (2.0 * n)) / (1.0 + zz / n);
    let half = z / (1.0 + zz / n) * (p * (1.0 - p) / n + zz / (4.0 * n * n)).sqrt();
    Some(Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}

/// The standard normal quantile.
pub fn z(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Exact `McNemar` test, two-sided: binomial on the discordant pairs.
pub fn mcnemar(only_first: u32, only_second: u32) -> Option<f64> {
    let n = u64::from(only_first) + u64::from(only_second);
    if n == 0 {
        return None;
    }
    let binomial = Binomial::new(0.5, n).ok()?;
    Some((2.0 * binomial.cdf(u64::from(only_first.min(only_second)))).min(1.0))
}

/// Spearman's rank correlation; ties share their mean rank. Needs four values, and spread.
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

/// 95 % interval of the difference of two paired shares (Newcombe 1998, method 10: Wilson
/// intervals of both, squared and added with the correlation of the pairs).
pub fn paired_difference(both: u32, only_a: u32, only_b: u32, neither: u32) -> Option<(f64, Interval)> {
    let n = both + only_a + only_b + neither;
    let (a, b) = (wilson(both + only_a, n)?, wilson(both + only_b, n)?);
    let count = f64::from;
    let (pa, pb) = (count(both + only_a) / count(n), count(both + only_b) / count(n));
    let margins =
        count(both + only_a) * count(only_b + neither) * count(both + only_b) * count(only_a + neither);
    let phi = if margins > 0.0 {
        let cross = count(both) * count(neither) - count(only_a) * count(only_b);
        // Continuity correction, only where the pairs agree more than by chance.
        let cross = if cross > 0.0 { (cross - count(n) / 2.0).max(0.0) } else { cross };
        cross / margins.sqrt()
    } else {
        0.0
    };
    let combine = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let difference = pa - pb;
    let low = difference - combine(pa - a.low, b.high - pb);
    let high = difference + combine(a.high - pa, pb - b.low);
    Some((difference, Interval { low: low.max(-1.0), high: high.min(1.0) }))
}

/// Prompts needed to see a difference of `margin` between two paired pass rates with 80 % power at
/// two-sided 5 %, when a share `discordant` of the prompts is passed by one side only.
pub fn prompts_needed(margin: f64, discordant: f64) -> Option<u32> {
    let discordant = discordant.max(margin);
    if margin <= 0.0 || discordant > 1.0 {
        return None;
    }
    let (alpha, power) = (z(1.0 - TAIL), z(0.8));
    let rest = (discordant - margin * margin).max(0.0);
    let n = ((alpha * discordant.sqrt() + power * rest.sqrt()) / margin).powi(2).ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(n.min(f64::from(u32::MAX)) as u32)
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

    /// `scipy`: `binomtest(k, n).proportion_ci(method="wilson")`.
    #[test]
    fn wilson_is_scipys() {
        for (k, n, low, high) in [
            (18, 20, 0.698_966_354_771_552_8, 0.972_133_518_786_231_9),
            (45, 50, 0.786_397_685_625_203_4, 0.956_524_235_068_109_5),
            (20, 20, 0.838_874_841_947_180_8, 1.0),
            (0, 7, 0.0, 0.354_330_435_066_687_43),
        ] {
            let i = wilson(k, n).expect("n > 0");
            assert!(near(i.low, low) && near(i.high, high), "{k}/{n}: {i:?}");
        }
    }

    /// `scipy`: `binomtest(b, b + c, 0.5).pvalue`.
    #[test]
    fn mcnemar_is_scipys() {
        for (b, c, p) in
            [(0, 6, 0.03125), (0, 5, 0.0625), (3, 9, 0.145_996_093_75), (1, 10, 0.011_718_75), (4, 4, 1.0)]
        {
            assert!(near(mcnemar(b, c).expect("pairs"), p), "{b} {c}");
        }
        assert_eq!(mcnemar(0, 0), None);
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

    /// The published table of sample sizes (80 % power, two-sided 5 %).
    #[test]
    fn sample_sizes_are_the_published_ones() {
        for (margin, discordant, n) in
            [(0.10, 0.10, 77), (0.10, 0.20, 155), (0.10, 0.30, 234), (0.05, 0.20, 626), (0.20, 0.20, 37)]
        {
            let found = prompts_needed(margin, discordant).expect("possible");
            assert!(found.abs_diff(n) <= 1, "{margin} {discordant}: {found} for {n}");
        }
    }

    #[test]
    fn a_difference_of_nothing_has_zero_inside() {
        let (d, i) = paired_difference(15, 2, 2, 1).expect("pairs");
        assert!(near(d, 0.0) && i.low < 0.0 && i.high > 0.0);
        // Newcombe 1998, table II: 36, 12, 2, 0 of 50 → 0.20, 0.0569 to 0.3404 (method 10).
        let (d, i) = paired_difference(36, 12, 2, 0).expect("pairs");
        assert!(near(d, 0.2), "{d}");
        assert!((i.low - 0.0569).abs() < 5e-4 && (i.high - 0.3404).abs() < 5e-4, "{i:?}");
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
