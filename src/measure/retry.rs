//! What an HTTP status means for a run: try again, give this prompt up, or stop the provider; and
//! how long a server asks to wait. Waiting is never part of a latency.

use super::backend::wire::{clip, error_of, provider_fault};
use super::event::{Fault, FaultKind};
use serde_json::Value;
use std::time::Duration;

/// Longer waits than this are not worth a benchmark's time: no retry.
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

/// A `retry-after` value: seconds (decimals allowed) or an HTTP date, against the wall clock.
pub fn retry_after(value: &str, now_unix: i64) -> Wait {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && let Ok(seconds) = value.parse::<f64>()
    {
        return wait(seconds);
    }
    // `inf`, `nan`, negative numbers and anything else that is not a date say nothing.
    match jiff::fmt::rfc2822::parse(value) {
        Ok(at) => wait((at.timestamp().as_second() - now_unix) as f64),
        Err(_) => Wait::Unsaid,
    }
}

/// `retry-after-ms`.
pub fn retry_after_ms(value: &str) -> Wait {
    value.trim().parse::<f64>().map_or(Wait::Unsaid, |ms| wait(ms / 1000.0))
}

fn wait(seconds: f64) -> Wait {
    if !seconds.is_finite() || seconds <= 0.0 {
        Wait::Unsaid
    } else if seconds > LONGEST_WAIT.as_secs_f64() {
        Wait::TooLong
    } else {
        Wait::For(Duration::from_secs_f64(seconds))
    }
}

/// When the limit that was hit begins anew, by the headers of a rate limit: `OpenAI`'s
/// `x-ratelimit-reset-*` (`1m3s`, `16ms`) and Anthropic's `anthropic-ratelimit-*-reset` (RFC 3339).
/// Only a limit with nothing remaining counts; of several the longest wait.
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
    seconds.map_or(Wait::Unsaid, wait)
}

/// Seconds until a moment, or of a compound duration.
fn until(value: &str, now_unix: i64) -> Option<f64> {
    if let Ok(moment) = value.parse::<jiff::Timestamp>() {
        return Some((moment.as_second() - now_unix) as f64);
    }
    humantime::parse_duration(value).ok().map(|wait| wait.as_secs_f64())
}

/// What an answer other than 200 means. `header_wait` is what its headers ask for, `reset` when
/// their limits begin anew; the body may say more.
pub fn classify(status: u16, body: &str, header_wait: Wait, reset: Wait) -> (Fault, Advice) {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let error = parsed.as_ref().map(error_of);
    let said = error.map(provider_fault);
    let words = match &said {
        Some(fault) => format!(": {}", fault.message),
        None if body.trim_start().starts_with('<') => {
            ": the answer is a web page, not an API's: check the base URL (it usually ends in /v1)".to_owned()
        }
        None if body.trim().is_empty() => String::new(),
        None => format!(": {}", clip(body)),
    };
    let spent = said.as_ref().is_some_and(|f| f.kind == FaultKind::Quota);
    let region = said.as_ref().is_some_and(|f| f.kind == FaultKind::Region);
    let unknown = said.as_ref().is_some_and(|f| f.kind == FaultKind::NotFound);
    let too_long = said.as_ref().is_some_and(|f| f.kind == FaultKind::Context);
    let server_wait = [header_wait, error.map_or(Wait::Unsaid, gemini_delay), reset]
        .into_iter()
        .find(|w| *w != Wait::Unsaid)
        .unwrap_or(Wait::Unsaid);
    let retry = match server_wait {
        Wait::Unsaid => Advice::Retry(None),
        Wait::For(time) => Advice::Retry(Some(time)),
        Wait::TooLong => Advice::Provider,
    };
    let (kind, what, advice) = match status {
        400 | 403 if region => {
            (FaultKind::Region, "the provider does not serve this country or region", Advice::Provider)
        }
        400 | 413 if too_long => (FaultKind::Context, "the prompt is too long for the model", Advice::Sample),
        300..=399 => (FaultKind::Redirect, "redirected, and a key is never sent on", Advice::Provider),
        401 => (FaultKind::Auth, "the key was refused", Advice::Provider),
        403 => (FaultKind::Auth, "access is not allowed", Advice::Provider),
        402 if matches!(server_wait, Wait::For(_)) => (FaultKind::Quota, "no credit left", retry),
        402 => (FaultKind::Quota, "no credit left", Advice::Provider),
        429 if spent => (FaultKind::Quota, "the account's limit is reached", Advice::Provider),
        404 | 405 => (FaultKind::NotFound, "the model or the URL does not exist there", Advice::Provider),
        400 if unknown => (FaultKind::NotFound, "the model does not exist there", Advice::Provider),
        408 | 409 => (FaultKind::Server, "the server gave up", retry),
        429 => (FaultKind::Rate, "too many requests", retry),
        498 | 500..=599 => (FaultKind::Server, "the server failed", retry),
        400..=499 => (FaultKind::Request, "the request was refused", Advice::Sample),
        _ => (FaultKind::NotAStream, "this is not an answer", Advice::Provider),
    };
    (Fault { kind, message: format!("{what} (HTTP {status}){words}") }, advice)
}

/// Gemini says in the body how long to wait: `details[].retryDelay: "17s"`. A daily quota does not
/// recover by waiting.
fn gemini_delay(error: &Value) -> Wait {
    let Some(details) = error.get("details").and_then(Value::as_array) else { return Wait::Unsaid };
    if details.iter().any(|d| d.to_string().contains("PerDay")) {
        return Wait::TooLong;
    }
    details
        .iter()
        .filter_map(|d| d.get("retryDelay").and_then(Value::as_str))
        .find_map(|delay| humantime::parse_duration(delay).ok())
        .map_or(Wait::Unsaid, |time| wait(time.as_secs_f64()))
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
    fn what_ends_a_provider_and_what_does_not() {
        let advice = |status, body: &str| classify(status, body, Wait::Unsaid, Wait::Unsaid).1;
        assert_eq!(advice(400, "{}"), Advice::Sample);
        assert_eq!(advice(413, ""), Advice::Sample);
        assert_eq!(advice(401, ""), Advice::Provider);
        assert_eq!(advice(402, ""), Advice::Provider);
        assert_eq!(advice(429, ""), Advice::Retry(None));
        assert_eq!(advice(429, r#"{"error":{"type":"insufficient_quota","message":"x"}}"#), Advice::Provider);
        assert_eq!(
            advice(
                429,
                r#"{"error":{"details":{"error_code":"enforced_spend_limit_reached"},"type":"rate_limit_error"}}"#
            ),
            Advice::Provider
        );
        for status in [408, 409, 498, 500, 502, 503, 504, 522, 524, 529] {
            assert_eq!(advice(status, "<html>"), Advice::Retry(None), "{status}");
        }
        let gemini =
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"17s"}]}}"#;
        assert_eq!(advice(429, gemini), Advice::Retry(Some(Duration::from_secs(17))));
    }

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
    fn what_is_wrong_with_a_prompt_or_a_country_has_its_own_name() {
        let kind = |status, body: &str| classify(status, body, Wait::Unsaid, Wait::Unsaid);
        let region = r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","type":"request_forbidden"}}"#;
        let (fault, advice) = kind(403, region);
        assert_eq!((fault.kind, advice), (FaultKind::Region, Advice::Provider));
        let long = r#"{"error":{"code":"context_length_exceeded","message":"too many tokens"}}"#;
        let (fault, advice) = kind(400, long);
        assert_eq!((fault.kind, advice), (FaultKind::Context, Advice::Sample));
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        let waits: Vec<f64> = (1..8).map(|n| back_off(n, 0.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert!(back_off(1, 1.0).as_secs_f64() >= 0.375);
    }
}
