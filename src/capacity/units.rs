//! From a load to a number of whole machines ("units").
//!
//! Speeds are a unit's *system* speeds at a stated concurrency: all requests together. A request
//! then takes `input ÷ prefill + output ÷ decode` seconds of the unit, and a unit serves
//! `1 ÷ work` requests per second when it is never idle.

use crate::units::{Hours, Requests, RequestsPerSec, Seconds, Tokens, TokensPerSec};

/// Seconds of a unit one request takes. `prefill` is `None` where reading costs nothing.
pub fn work(input: Tokens, output: Tokens, prefill: Option<TokensPerSec>, decode: TokensPerSec) -> Seconds {
    let reading = prefill.map_or(Seconds::ZERO, |speed| input / speed);
    reading + output / decode
}

/// Whole units that carry a peak without exceeding the ceiling; never less than one.
pub fn units(peak: RequestsPerSec, work: Seconds, ceiling: f64) -> u32 {
    let exact = peak.get() * work.get() / ceiling;
    // A load that fills k units exactly needs k of them, whatever the last bit of the division.
    let whole = (exact - 1e-9 * exact.max(1.0)).ceil().clamp(1.0, f64::from(u32::MAX));
    // In range by the clamp.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = whole as u32;
    whole
}

/// Requests that `units` serve in `hours` when they are never idle.
pub fn requests_in(hours: Hours, units: u32, work: Seconds) -> Requests {
    Requests::new(f64::from(units) * Seconds::from(hours).ratio(work).unwrap_or(f64::MAX))
}

/// Share of `hours` that `units` are busy: above 1 where they cannot carry the requests, 0 without units.
pub fn utilisation(requests: Requests, work: Seconds, units: u32, hours: Hours) -> f64 {
    let available = Seconds::from(hours) * f64::from(units);
    (work * requests.get()).ratio(available).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1,000 in at 2,000/s is 0.5 s; 500 out at 100/s is 5 s; together 5.5 s.
    #[test]
    fn reading_and_writing_both_take_time() {
        let w = work(
            Tokens::new(1000.0),
            Tokens::new(500.0),
            Some(TokensPerSec::new(2000.0)),
            TokensPerSec::new(100.0),
        );
        assert!((w.get() - 5.5).abs() < 1e-12);
        // 0.5 requests/s keep 2.75 units busy; at a ceiling of 0.7 that is 3.93: four.
        assert_eq!(units(RequestsPerSec::new(0.5), w, 0.7), 4);
        assert_eq!(units(RequestsPerSec::new(1.0 / 5.5), w, 1.0), 1);
    }

    proptest! {
        #[test]
        fn no_unit_exceeds_the_ceiling(peak in 1e-6..1e4f64, seconds in 1e-3..1e3f64, ceiling in 0.05..1.0f64) {
            let n = units(RequestsPerSec::new(peak), Seconds::new(seconds), ceiling);
            prop_assert!(peak * seconds / f64::from(n) <= ceiling * (1.0 + 1e-6));
            prop_assert!(n == 1 || peak * seconds / f64::from(n - 1) > ceiling * (1.0 - 1e-6));
        }
    }
}
