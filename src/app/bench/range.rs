//! The most that may be asked for, on the command line and by a journal.

use std::time::Duration;

pub const MOST_REPEATS: u64 = 10_000;
/// Warm-up requests per target, or under load per concurrent request, or seconds of a rate.
pub const MOST_WARMUP: u64 = 1000;
pub const MOST_OUTPUT_TOKENS: u64 = 1_000_000;
pub const MOST_AT_ONCE: u64 = 20_000;
/// Requests of one load, and of all prompts asked one at a time.
pub const MOST_REQUESTS: u64 = 10_000_000;
/// The time of one load: 30 days.
pub const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Is this a rate, in requests per second, that can be sent?
pub fn is_rate(per_s: f64) -> bool {
    per_s.is_finite() && per_s > 1e-6 && per_s <= 100_000.0
}
