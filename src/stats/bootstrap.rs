//! Resampling.

use super::{DRAWS, Interval, TAIL, phi};
use rand::{Rng as _, SeedableRng as _, rngs::ChaCha8Rng};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// The mean of paired differences and its 95 % interval, one difference a prompt (repeats of a prompt
/// are averaged before: they are no independent evidence). A bootstrap over prompts; its percentiles
/// are widened to those of Student's t, without which intervals of few prompts are too narrow
/// (Hesterberg 2015). `None` below two prompts.
pub fn mean_difference(differences: &[f64], seed: u64) -> Option<(f64, Interval)> {
    let n = differences.len();
    if n < 2 || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let size = n as f64;
    let mean = differences.iter().sum::<f64>() / size;
    let t = StudentsT::new(0.0, 1.0, size - 1.0).ok()?.inverse_cdf(TAIL);
    let tail = phi((size / (size - 1.0)).sqrt() * t);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let bound = u32::try_from(n).ok()?;
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut sum = 0.0;
            let mut left = n;
            while left > 0 {
                // Two picks a draw of random bits; the bias of scaling 32 bits is below one in a million.
                let bits = rng.next_u64();
                for half in [bits >> 32, bits & 0xffff_ffff].into_iter().take(left) {
                    #[allow(clippy::cast_possible_truncation)]
                    let pick = ((half * u64::from(bound)) >> 32) as usize;
                    sum += differences[pick];
                    left -= 1;
                }
            }
            sum / size
        })
        .collect();
    let mut at = |p: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let place = ((p * DRAWS as f64) as usize).min(DRAWS - 1);
        *draws.select_nth_unstable_by(place, f64::total_cmp).1
    };
    Some((mean, Interval { low: at(tail), high: at(1.0 - tail) }))
}
