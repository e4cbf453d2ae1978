//! Statistics that several rooms need: shares, paired shares, ranks, resampling, several tests at
//! once, and tests that may be looked at after every prompt. Pure and seeded.
//!
//! The methods, and what simulations say of them, are in `docs/statistics.md`; the values the tests
//! hold them against come from `SciPy`, statsmodels and other packages (`benchmarks/quality/oracles`).

mod bootstrap;
mod multiple;
mod ranks;
mod sequential;
mod shares;

pub use bootstrap::{Bootstrap, mean_difference, ratio_of_means};
pub use multiple::holm;
pub use ranks::{SignedRank, signed_rank};
pub use sequential::{Decision, Sequential, sequence_interval};
pub use shares::{Paired, fixed_number, mcnemar, paired_difference, prompts_needed, wilson, wilson_share};

use statrs::distribution::{ContinuousCDF as _, Normal};

/// The probability that a 95 % interval leaves out on each side.
pub const TAIL: f64 = 0.025;
/// Resamples that a bootstrap draws.
pub const DRAWS: usize = 10_000;

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// The part of it within what the quantity can be at all: few values make it wider than that, or endless.
    #[must_use]
    pub fn within(self, low: f64, high: f64) -> Self {
        Self { low: self.low.clamp(low, high), high: self.high.clamp(low, high) }
    }
}

/// The standard normal quantile of a probability, 0 to 1.
pub fn z(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The standard normal distribution function.
pub fn phi(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The `p` quantile (0 to 1) of ascending values, linear between order statistics (type 7 of Hyndman and
/// Fan 1996). `None` without values.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p * last as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64))
}

#[cfg(test)]
mod tests;
