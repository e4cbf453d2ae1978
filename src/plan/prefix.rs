//! How much of the input a prefix cache holds, limited by the memory that is left and by time.
//!
//! A request's tokens stay in the cache until others push them out. With `M` bytes left for them,
//! `r` requests per second that each leave `b` bytes, a prefix is held for `t = M ÷ (r × b)` seconds:
//! the characteristic time of a cache that drops what was used longest ago (Che, Tung and Wang 2002).
//! If the next request of a conversation comes after `g` seconds on average, at random, it is still
//! there with a probability of `1 − exp(−t ÷ g)`.

/// Share of the input, 0 to `repeated`, that comes from the cache.
///
/// - `repeated`: share of the input that was seen before, 0 to 1.
/// - `bytes_left`: bytes that one replica has left beside weights and running requests.
/// - `rate`: requests per second of that replica.
/// - `bytes`: bytes of keys and values that one request leaves behind.
/// - `gap_seconds`: mean seconds to the next request of the same conversation.
pub fn cached_share(repeated: f64, bytes_left: f64, rate: f64, bytes: f64, gap_seconds: f64) -> f64 {
    let repeated = repeated.clamp(0.0, 1.0);
    if repeated <= 0.0 || bytes_left <= 0.0 {
        return 0.0;
    }
    let pushed = rate * bytes;
    if pushed <= 0.0 || gap_seconds <= 0.0 {
        return repeated;
    }
    repeated * -(-bytes_left / pushed / gap_seconds).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn much_memory_holds_all_and_little_holds_none() {
        assert!((cached_share(0.9, 1e12, 0.1, 1e9, 60.0) - 0.9).abs() < 1e-6);
        assert!(cached_share(0.9, 1e9, 10.0, 1e9, 60.0) < 0.01);
        assert!(cached_share(0.9, 0.0, 1.0, 1e9, 60.0) == 0.0);
        // Memory for the bytes of one gap: 1 − 1/e of it.
        let one_gap = cached_share(1.0, 60e9, 1.0, 1e9, 60.0);
        assert!((one_gap - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn never_more_than_what_repeats(
            repeated in 0.0..1.0f64, left in 0.0..1e13f64, rate in 0.0..1e3f64, bytes in 0.0..1e10f64, gap in 0.0..1e4f64,
        ) {
            let share = cached_share(repeated, left, rate, bytes, gap);
            prop_assert!((0.0..=repeated).contains(&share));
        }
    }
}
