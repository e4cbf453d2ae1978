//! What may be tried after a failed attempt, and how long a server asks to wait before that. Waiting is
//! never part of a latency.

use std::time::Duration;

/// Longest wait before a retry: a longer one is not worth a benchmark's time.
pub const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Try again: after this long where the server said so, else after a back-off.
    Retry(Option<Duration>),
    /// This answer is lost; others may work.
    Sample,
    /// Nothing more is sent to this provider.
    Provider,
}

/// What a server said about waiting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wait {
    /// Nothing usable.
    Unsaid,
    For(Duration),
    /// Longer than [`LONGEST_WAIT`].
    TooLong,
}

/// Reads `retry-after`: seconds (decimals allowed), or an HTTP date compared with the wall clock `now_unix`
/// (seconds since 1970).
pub fn retry_after(value: &str, now_unix: i64) -> Wait {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && let Ok(seconds) = value.parse::<f64>()
    {
        return Wait::seconds(seconds);
    }
    // `inf`, `nan`, negative numbers and everything else that is not a date are ignored.
    match jiff::fmt::rfc2822::parse(value) {
        Ok(at) => Wait::seconds((at.timestamp().as_second() - now_unix) as f64),
        Err(_) => Wait::Unsaid,
    }
}

/// Reads `retry-after-ms`: milliseconds.
pub fn retry_after_ms(value: &str) -> Wait {
    value.trim().parse::<f64>().map_or(Wait::Unsaid, |ms| Wait::seconds(ms / 1000.0))
}

impl Wait {
    /// A wait of so many seconds; [`Self::Unsaid`] where that is not above 0, [`Self::TooLong`] above
    /// [`LONGEST_WAIT`].
    pub fn seconds(seconds: f64) -> Self {
        if !seconds.is_finite() || seconds <= 0.0 {
            Self::Unsaid
        } else if seconds > LONGEST_WAIT.as_secs_f64() {
            Self::TooLong
        } else {
            Self::For(Duration::from_secs_f64(seconds))
        }
    }
}

/// Wait until the rate limit that was hit begins anew, by the headers: `OpenAI`'s `x-ratelimit-reset-*`
/// (`1m3s`, `16ms`) and Anthropic's `anthropic-ratelimit-*-reset` (RFC 3339). Only a limit with nothing
/// remaining counts; of several the longest wait.
pub fn reset(header: impl Fn(&str) -> Option<String>, now_unix: i64) -> Wait {
    const LIMITS: &[(&str, &str)] = &[
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
        ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
        ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
        ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ];
    let seconds = LIMITS
        .iter()
        .filter(|(remaining, _)| header(remaining).is_some_and(|n| n.trim() == "0"))
        .filter_map(|(_, reset)| until(header(reset)?.trim(), now_unix))
        .reduce(f64::max);
    seconds.map_or(Wait::Unsaid, Wait::seconds)
}

/// Seconds until a time (RFC 3339), or of a duration (`1m3s`).
fn until(value: &str, now_unix: i64) -> Option<f64> {
    if let Ok(moment) = value.parse::<jiff::Timestamp>() {
        return Some((moment.as_second() - now_unix) as f64);
    }
    humantime::parse_duration(value).ok().map(|wait| wait.as_secs_f64())
}

/// Back-off before attempt `n` (1 is the first retry): half a second, doubling to eight, up to a
/// quarter taken off at random (`jitter` between 0 and 1).
pub fn back_off(n: u32, jitter: f64) -> Duration {
    let seconds = (0.5 * 2f64.powi(i32::try_from(n.saturating_sub(1)).unwrap_or(8).min(8))).min(8.0);
    Duration::from_secs_f64(seconds * (1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_when_it_begins_anew() {
        let now = 1_763_800_000;
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(String, String)> =
                pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            reset(|name| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()), now)
        };
        let openai =
            |value| of(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", value)]);
        assert_eq!(openai("8.64s"), Wait::For(Duration::from_millis(8640)));
        assert_eq!(openai("16ms"), Wait::For(Duration::from_millis(16)));
        assert_eq!(openai("1m3s"), Wait::For(Duration::from_secs(63)));
        assert_eq!(openai("6h0m0s"), Wait::TooLong);
        for nonsense in ["", "soon", "-5s", "5", "1x", "s"] {
            assert_eq!(openai(nonsense), Wait::Unsaid, "{nonsense:?}");
        }
        let left = [("x-ratelimit-remaining-tokens", "90"), ("x-ratelimit-reset-tokens", "9s")];
        assert_eq!(of(&left), Wait::Unsaid, "that limit was not hit");
        let moment = jiff::Timestamp::from_second(now + 30).expect("a time").to_string();
        let anthropic = [
            ("anthropic-ratelimit-input-tokens-remaining", "0"),
            ("anthropic-ratelimit-input-tokens-reset", moment.as_str()),
        ];
        assert_eq!(of(&anthropic), Wait::For(Duration::from_secs(30)));
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        let waits: Vec<f64> = (1..8).map(|n| back_off(n, 0.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert!(back_off(1, 1.0).as_secs_f64() >= 0.375);
    }
}
