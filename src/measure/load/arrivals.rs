//! When the requests of an open loop are due. The times are fixed before the first is sent, so that no slow
//! answer can delay a request (coordinated omission).

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How arrivals are spread.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// As independent users come: exponential gaps.
    Poisson,
    /// Evenly.
    Constant,
}

impl Arrivals {
    /// The gaps before each arrival at `rate_per_s` requests a second, without end; the first request is
    /// due after the first gap.
    pub fn gaps(self, rate_per_s: f64, seed: u64) -> Gaps {
        Gaps { arrivals: self, rate_per_s, rng: ChaCha8Rng::seed_from_u64(seed) }
    }
}

/// Yields the gaps one by one, the same ones for the same seed: a load of days has too many to keep.
#[derive(Debug)]
pub struct Gaps {
    arrivals: Arrivals,
    rate_per_s: f64,
    rng: ChaCha8Rng,
}

impl Iterator for Gaps {
    type Item = Duration;
    fn next(&mut self) -> Option<Duration> {
        let seconds = match self.arrivals {
            Arrivals::Constant => 1.0,
            // `1 - u` is never 0.
            Arrivals::Poisson => -(1.0 - self.rng.random::<f64>()).ln(),
        } / self.rate_per_s;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

/// The seed for the gaps of one phase: it depends on the seed of the run and on load and round alone, so
/// that all targets get the same arrivals.
pub fn seed(run: u64, load: usize, round: u32) -> u64 {
    // Different loads and rounds give different seeds; the generator does the mixing.
    run.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((load as u64) << 32) ^ u64::from(round)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(arrivals: Arrivals, rate: f64, seed: u64, n: usize) -> Vec<f64> {
        arrivals.gaps(rate, seed).take(n).map(|d| d.as_secs_f64()).collect()
    }

    #[test]
    fn constant_arrivals_are_even() {
        assert!(seconds(Arrivals::Constant, 4.0, 1, 10).iter().all(|g| (g - 0.25).abs() < 1e-9));
    }

    /// Mean and variance of an exponential gap are 1/rate and 1/rate²; bounds are six standard
    /// errors of 20,000 gaps (the variance of the sample variance of an exponential is 8/n).
    #[test]
    fn poisson_gaps_have_the_mean_and_spread_of_an_exponential() {
        for (rate, seed) in [(0.5, 1), (2.0, 7), (300.0, 99)] {
            let gaps = seconds(Arrivals::Poisson, rate, seed, 20_000);
            let n = gaps.len() as f64;
            let mean = gaps.iter().sum::<f64>() / n;
            let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((mean * rate - 1.0).abs() < 6.0 / n.sqrt(), "{mean} at {rate}");
            assert!((variance * rate * rate - 1.0).abs() < 6.0 * (8.0 / n).sqrt(), "{variance} at {rate}");
            // Gaps are independent: one does not predict the next.
            let lagged =
                gaps.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / (n - 2.0) / variance;
            assert!(lagged.abs() < 6.0 / n.sqrt(), "{lagged}");
        }
    }

    proptest! {
        #[test]
        fn a_seed_gives_the_same_arrivals_and_another_gives_others(rate in 0.01f64..1000.0, a in any::<u64>(), b in any::<u64>()) {
            prop_assert_eq!(
                seconds(Arrivals::Poisson, rate, a, 20),
                seconds(Arrivals::Poisson, rate, a, 20)
            );
            if a != b {
                prop_assert_ne!(
                    seconds(Arrivals::Poisson, rate, a, 20),
                    seconds(Arrivals::Poisson, rate, b, 20)
                );
            }
        }
    }
}
