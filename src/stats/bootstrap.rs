//! Resampling.

use super::{DRAWS, Interval, TAIL};
use rand::{Rng as _, SeedableRng as _, rngs::ChaCha8Rng};

/// The mean of paired differences and its 95 % interval, one difference a prompt (repeats of a prompt
/// are averaged before: they are no independent evidence). A studentised bootstrap over prompts
/// (Efron 1982): each draw's distance from the mean is taken in its own standard errors, so that a
/// skewed set of differences, few large losses among many ties, does not pass for a sure one.
/// `None` below two prompts; a point where all differences are the same.
pub fn mean_difference(differences: &[f64], seed: u64) -> Option<(f64, Interval)> {
    let n = differences.len();
    if n < 2 || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let size = n as f64;
    let mean = differences.iter().sum::<f64>() / size;
    let error = |sum: f64, squares: f64| ((squares - sum * sum / size).max(0.0) / (size - 1.0) / size).sqrt();
    let centred: Vec<f64> = differences.iter().map(|d| d - mean).collect();
    let own = error(centred.iter().sum(), centred.iter().map(|d| d * d).sum());
    if own <= f64::EPSILON * mean.abs() {
        return Some((mean, Interval { low: mean, high: mean }));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let bound = u64::try_from(n).ok()?;
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let (mut sum, mut squares, mut left) = (0.0, 0.0, n);
            while left > 0 {
                // Two picks a draw of random bits; the bias of scaling 32 bits is below one in a million.
                let bits = rng.next_u64();
                for half in [bits >> 32, bits & 0xffff_ffff].into_iter().take(left) {
                    #[allow(clippy::cast_possible_truncation)]
                    let pick = ((half * bound) >> 32) as usize;
                    sum += centred[pick];
                    squares += centred[pick] * centred[pick];
                    left -= 1;
                }
            }
            // A draw of one value only lies infinitely far out on its side.
            let (distance, error) = (sum / size, error(sum, squares));
            if error > 0.0 { distance / error } else { f64::INFINITY.copysign(distance) }
        })
        .collect();
    let mut at = |p: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let place = ((p * DRAWS as f64) as usize).min(DRAWS - 1);
        *draws.select_nth_unstable_by(place, f64::total_cmp).1
    };
    let (lowest, highest) = (at(TAIL), at(1.0 - TAIL));
    Some((mean, Interval { low: mean - highest * own, high: mean - lowest * own }))
}
