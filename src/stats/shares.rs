//! Intervals and tests for pass rates, of one side and of two sides on the same prompts.

use super::{Interval, TAIL, phi, z};
use statrs::distribution::{Binomial, DiscreteCDF as _};

/// Wilson's 95 % interval (Wilson 1927) of the share `passed ÷ n`. `None` without prompts.
pub fn wilson(passed: u32, n: u32) -> Option<Interval> {
    wilson_share(f64::from(passed) / f64::from(n), n)
}

/// The same for a mean over `n` prompts of shares of their repeats: no wider than if each prompt had
/// been asked once, since a mean of shares varies less than a single yes or no. `None` without prompts.
pub fn wilson_share(p: f64, n: u32) -> Option<Interval> {
    if n == 0 || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let (z, n) = (z(1.0 - TAIL), f64::from(n));
    let zz = z * z;
    let middle = (p + zz / (2.0 * n)) / (1.0 + zz / n);
    let half = z / (1.0 + zz / n) * (p * (1.0 - p) / n + zz / (4.0 * n * n)).sqrt();
    Some(Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}

/// Two-sided p value of the exact `McNemar` test: binomial on the prompts that only one side passed. `None`
/// where there are none.
pub fn mcnemar(only_first: u32, only_second: u32) -> Option<f64> {
    let n = u64::from(only_first) + u64::from(only_second);
    if n == 0 {
        return None;
    }
    let binomial = Binomial::new(0.5, n).ok()?;
    Some((2.0 * binomial.cdf(u64::from(only_first.min(only_second)))).min(1.0))
}

/// Two sides on the same prompts, counted by who passed: what a paired difference of shares rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paired {
    /// All prompts.
    pub n: u32,
    /// Prompts that only A passed.
    pub only_a: u32,
    /// Prompts that only B passed.
    pub only_b: u32,
}

impl Paired {
    /// Pass rate of A − pass rate of B, −1 to 1. `None` without prompts.
    pub fn difference(self) -> Option<f64> {
        (self.n > 0).then(|| (f64::from(self.only_a) - f64::from(self.only_b)) / f64::from(self.n))
    }

    /// Tango's score statistic (Tango 1998) for a true difference `delta`: how far the measured difference
    /// lies from it, in standard errors as they would be if `delta` were true. Falls as `delta` rises.
    pub fn score(self, delta: f64) -> Option<f64> {
        if self.n == 0 {
            return None;
        }
        let (n, b, c) = (f64::from(self.n), f64::from(self.only_a), f64::from(self.only_b));
        // The likeliest share of prompts that only B passes, given the difference.
        let linear = -b - c + (2.0 * n - b + c) * delta;
        let constant = -c * delta * (1.0 - delta);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        let only_b = ((root - linear) / (4.0 * n)).max(0.0);
        let variance = n * (2.0 * only_b + delta * (1.0 - delta));
        let distance = b - c - n * delta;
        Some(if distance == 0.0 {
            0.0
        } else if variance <= 0.0 {
            f64::INFINITY.copysign(distance)
        } else {
            distance / variance.sqrt()
        })
    }

    /// The 95 % interval of the difference: every value that the score statistic does not reject.
    pub fn interval(self) -> Option<Interval> {
        let (difference, limit) = (self.difference()?, z(1.0 - TAIL));
        let solve = |wanted: f64, mut low: f64, mut high: f64| {
            for _ in 0..80 {
                let middle = f64::midpoint(low, high);
                // The statistic falls: above the wanted value the solution lies to the right.
                if self.score(middle).is_some_and(|s| s > wanted) { low = middle } else { high = middle }
            }
            f64::midpoint(low, high)
        };
        let low = if difference <= -1.0 { -1.0 } else { solve(limit, -1.0, difference) };
        let high = if difference >= 1.0 { 1.0 } else { solve(-limit, difference, 1.0) };
        Some(Interval { low, high })
    }

    /// One-sided p value of "A is worse than B by `margin` or more"; small where A is surely not.
    pub fn non_inferiority_p(self, margin: f64) -> Option<f64> {
        Some(1.0 - phi(self.score(-margin)?))
    }

    /// One-sided p value of "A is not worse than B by as much as `margin`"; small where it surely is.
    pub fn inferiority_p(self, margin: f64) -> Option<f64> {
        Some(phi(self.score(-margin)?))
    }
}

/// The paired difference of two shares and its 95 % interval (Tango's score interval), by who passed.
pub fn paired_difference(both: u32, only_a: u32, only_b: u32, neither: u32) -> Option<(f64, Interval)> {
    let paired = Paired { n: both + only_a + only_b + neither, only_a, only_b };
    Some((paired.difference()?, paired.interval()?))
}

/// Prompts needed to see a difference of `margin` (above 0, up to 1) between two paired pass rates with
/// 80 % power at two-sided 5 %, where a share `discordant` of the prompts is passed by one side only.
/// `None` outside these ranges.
pub fn prompts_needed(margin: f64, discordant: f64) -> Option<u32> {
    fixed_number(margin, discordant, TAIL, 0.8)
}

/// The same with a chosen one-sided error rate `alpha` (below 0.5) and `power` (0.5 to 1): how many prompts
/// a test that is looked at only at its end needs, to tell equal sides from sides that differ by
/// `distance`.
pub fn fixed_number(distance: f64, discordant: f64, alpha: f64, power: f64) -> Option<u32> {
    let discordant = discordant.max(distance);
    if distance <= 0.0 || discordant > 1.0 || !(0.0..0.5).contains(&alpha) || !(0.5..1.0).contains(&power) {
        return None;
    }
    let rest = (discordant - distance * distance).max(0.0);
    let n = ((z(1.0 - alpha) * discordant.sqrt() + z(power) * rest.sqrt()) / distance).powi(2).ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(n.min(f64::from(u32::MAX)) as u32)
}
