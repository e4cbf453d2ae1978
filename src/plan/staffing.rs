//! How many copies a load needs, so that few requests wait for a place.
//!
//! Requests come at random: with `A = rate × time in the system` of them in the system on average, their
//! number follows a Poisson distribution (an M/G/∞ queue: whatever the lengths of the answers). `R` copies
//! that take `c` requests each have room for all of them 95 times of 100 where
//!
//! ```text
//! R × c ≥ A + z × √A,   z = 1.645
//! ```
//!
//! which is square-root staffing (Erlang 1917; Halfin and Whitt 1981). A small load needs much spare
//! room and a large one little: the ceiling follows from the load instead of being a constant.

/// The 95 % quantile of the standard normal distribution.
pub const Z95: f64 = 1.645;

/// Places (requests at once) needed for `in_system` requests on average.
pub fn places(in_system: f64) -> f64 {
    let mean = in_system.max(0.0);
    mean + Z95 * mean.sqrt()
}

/// Mean number of requests in the system that so many places carry: the inverse of [`places`].
pub fn carried(places: f64) -> f64 {
    let root = (Z95 * Z95 / 4.0 + places.max(0.0)).sqrt() - Z95 / 2.0;
    root * root
}

/// Whole copies with `each` places for `rate` requests a second that stay `seconds` in the system.
pub fn copies(rate: f64, seconds: f64, each: f64) -> u32 {
    whole(places(rate * seconds) / each.max(1e-9))
}

/// More copies than anybody builds: larger numbers and NaN count as this.
const MOST: f64 = 1e6;

/// Rounded up to a whole number, 1 to a million; a load that fills `k` exactly needs `k`, whatever the last
/// bit of the division.
pub fn whole(exact: f64) -> u32 {
    let exact = if exact.is_nan() { MOST } else { exact };
    let up = (exact - 1e-9 * exact.max(1.0)).ceil().clamp(1.0, MOST);
    // In range by the clamp.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let up = up as u32;
    up
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_large_load_runs_fuller_than_a_small_one() {
        let share = |n: f64| carried(n) / n;
        assert!(share(4.0) < 0.5 && share(64.0) > 0.8 && share(1024.0) > 0.94);
    }

    proptest! {
        #[test]
        fn there_is_room_and_no_copy_too_many(rate in 1e-4..1e3f64, seconds in 1e-2..1e2f64, each in 1.0..1e3f64) {
            let n = f64::from(copies(rate, seconds, each));
            let needed = places(rate * seconds);
            prop_assert!(n * each >= needed * (1.0 - 1e-6));
            prop_assert!(n <= 1.0 || (n - 1.0) * each < needed * (1.0 + 1e-6));
            prop_assert!((carried(places(rate)) - rate).abs() < 1e-6 * rate.max(1.0));
        }
    }
}
