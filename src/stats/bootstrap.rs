//! Bootstrap intervals and p values: resampling prompts with a seeded generator.

use super::{DRAWS, Interval, TAIL, quantile};
use rand::{Rng as _, SeedableRng as _, rngs::ChaCha8Rng};

/// A studentised bootstrap of a mean over prompts (Efron 1982): each draw's distance from the mean is
/// taken in its own standard errors, so that a skewed set of values, few large losses among many ties,
/// does not pass for a sure one.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    mean: f64,
    /// The standard error of the mean; 0 where all values are the same, and there are no draws then.
    error: f64,
    /// How far each draw's mean lies from `mean`, in the draw's own standard errors; ascending.
    draws: Vec<f64>,
}

impl Bootstrap {
    /// One value for each prompt: average the repeats of a prompt first, since they are not independent
    /// evidence. `None` below two prompts, or where a value is not finite.
    pub fn new(values: &[f64], seed: u64) -> Option<Self> {
        let n = values.len();
        if n < 2 || values.iter().any(|d| !d.is_finite()) {
            return None;
        }
        let size = n as f64;
        let mean = values.iter().sum::<f64>() / size;
        let error =
            |sum: f64, squares: f64| ((squares - sum * sum / size).max(0.0) / (size - 1.0) / size).sqrt();
        let centred: Vec<f64> = values.iter().map(|d| d - mean).collect();
        let own = error(centred.iter().sum(), centred.iter().map(|d| d * d).sum());
        if own <= f64::EPSILON * mean.abs() {
            return Some(Self { mean, error: 0.0, draws: Vec::new() });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draws: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let (mut sum, mut squares) = (0.0, 0.0);
                picks(&mut rng, n, |pick| {
                    sum += centred[pick];
                    squares += centred[pick] * centred[pick];
                });
                // A draw that is one value throughout has no spread: it lies infinitely far out on its
                // side.
                let (distance, error) = (sum / size, error(sum, squares));
                if error > 0.0 { distance / error } else { f64::INFINITY.copysign(distance) }
            })
            .collect();
        draws.sort_unstable_by(f64::total_cmp);
        Some(Self { mean, error: own, draws })
    }

    /// The mean of the values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Its 95 % interval; a point where all values are the same.
    pub fn interval(&self) -> Interval {
        let at = |p: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let place = ((p * DRAWS as f64) as usize).min(DRAWS - 1);
            self.draws.get(place).copied().unwrap_or(0.0)
        };
        Interval { low: self.mean - at(1.0 - TAIL) * self.error, high: self.mean - at(TAIL) * self.error }
    }

    /// One-sided p value of the hypothesis that the mean is `null` or less; small where it is surely more.
    pub fn p_above(&self, null: f64) -> f64 {
        self.share(null, |distance, seen| distance >= seen, self.mean > null)
    }

    /// One-sided p value of the hypothesis that the mean is `null` or more; small where it is surely less.
    pub fn p_below(&self, null: f64) -> f64 {
        self.share(null, |distance, seen| distance <= seen, self.mean < null)
    }

    /// Share of the draws at least as far out as what was measured, which counts as one draw itself.
    /// Without any spread the answer is certain: `right_side` says which.
    fn share(&self, null: f64, beyond: fn(f64, f64) -> bool, right_side: bool) -> f64 {
        let least = 1.0 / (DRAWS as f64 + 1.0);
        if self.error <= 0.0 {
            return if right_side { least } else { 1.0 };
        }
        let seen = (self.mean - null) / self.error;
        let count = self.draws.iter().filter(|d| beyond(**d, seen)).count();
        (count as f64 + 1.0) * least
    }
}

/// Calls `each` with `n` indices below `n`, drawn with replacement.
fn picks(rng: &mut ChaCha8Rng, n: usize, mut each: impl FnMut(usize)) {
    let mut left = n;
    while left > 0 {
        // 64 random bits make two picks; the bias of scaling 32 bits is below one in a million.
        let bits = rng.next_u64();
        for half in [bits >> 32, bits & 0xffff_ffff].into_iter().take(left) {
            #[allow(clippy::cast_possible_truncation)]
            each(((half * n as u64) >> 32) as usize);
            left -= 1;
        }
    }
}

/// The mean of paired differences and its 95 % interval; one difference for each prompt. `None` as for
/// [`Bootstrap::new`].
pub fn mean_difference(differences: &[f64], seed: u64) -> Option<(f64, Interval)> {
    let found = Bootstrap::new(differences, seed)?;
    Some((found.mean(), found.interval()))
}

/// Mean of the first ÷ mean of the second over the same prompts, and its 95 % interval by a paired
/// bootstrap; the interval needs six prompts. `None` where there are none, a value is not finite, or the
/// second mean is not above 0.
pub fn ratio_of_means(pairs: &[(f64, f64)], seed: u64) -> Option<(f64, Option<Interval>)> {
    let n = pairs.len();
    if pairs.iter().any(|(a, b)| !a.is_finite() || !b.is_finite()) {
        return None;
    }
    let ratio = |(a, b): (f64, f64)| (b > 0.0).then(|| a / b);
    let point = ratio(pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1)))?;
    if n < 6 {
        return Some((point, None));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draws: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let mut sum = (0.0, 0.0);
            picks(&mut rng, n, |pick| sum = (sum.0 + pairs[pick].0, sum.1 + pairs[pick].1));
            ratio(sum)
        })
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    let interval = quantile(&draws, TAIL).zip(quantile(&draws, 1.0 - TAIL));
    Some((point, interval.map(|(low, high)| Interval { low, high })))
}
