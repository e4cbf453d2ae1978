//! Decides what a provider's error means. There is one path for errors, wherever they stand: in the body of
//! an error status, in a body under 200, framed or unframed in a stream, in a choice, or inside another
//! error that only passes it on.
//!
//! ```text
//! JSON ─► in_document: the error object, if there is one ─► StatedError: its words, names, status ─► judge: kind and advice
//! ```

mod names;
mod stated;

pub use stated::{StatedError, clip, in_document, read};

use super::event::{Fault, FaultKind};
use super::retry::{Advice, Wait};
use names::passes;
use serde_json::Value;
use stated::{OF_AN_ANSWER, words_of};

/// Where an error came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// With this HTTP status.
    Status(u16),
    /// Under a status that says success. `content`: part of the answer had come.
    Stream { content: bool },
}

/// What an error means: its kind, a description in words, and what to do.
///
/// `said` is what the error says of itself, `wait` what the answer's headers ask for.
pub fn judge(said: Option<&StatedError>, place: Place, wait: Wait) -> (FaultKind, &'static str, Advice) {
    let wait = match (wait, said) {
        (Wait::Unsaid, Some(said)) => said.wait,
        (wait, _) => wait,
    };
    let retry = match wait {
        Wait::Unsaid => Advice::Retry(None),
        Wait::For(time) => Advice::Retry(Some(time)),
        Wait::TooLong => Advice::Provider,
    };
    let certain = said.and_then(|said| said.kind);
    let http = match place {
        Place::Status(status) => Some(status),
        Place::Stream { .. } => None,
    };
    let (kind, what, advice) = match (certain, http) {
        (_, Some(300..=399)) => {
            (FaultKind::Redirect, "redirected, and a key is never sent on", Advice::Provider)
        }
        (Some(FaultKind::Quota), Some(402)) if matches!(wait, Wait::For(_)) => {
            (FaultKind::Quota, "no credit left", retry)
        }
        (Some(FaultKind::Quota), Some(429)) => {
            (FaultKind::Quota, "the account's limit is reached", Advice::Provider)
        }
        (Some(FaultKind::Quota), _) => (FaultKind::Quota, "no credit left", Advice::Provider),
        (Some(FaultKind::Region), _) => {
            (FaultKind::Region, "the provider does not serve this country or region", Advice::Provider)
        }
        (Some(FaultKind::Context), None | Some(400 | 413 | 422 | 500..=599)) => {
            (FaultKind::Context, "the prompt is too long for the model", Advice::Sample)
        }
        (Some(FaultKind::Auth), None | Some(400)) => {
            (FaultKind::Auth, "the key was refused", Advice::Provider)
        }
        (Some(FaultKind::NotFound), None | Some(400)) => {
            (FaultKind::NotFound, "the model does not exist there", Advice::Provider)
        }
        (_, Some(status)) => by_status(status, wait, retry),
        (_, None) => {
            let passing = said.is_some_and(|said| said.status.map_or(said.passing, passes));
            let advice = if passing { retry } else { Advice::Sample };
            (FaultKind::ProviderError, "the provider reports an error", advice)
        }
    };
    // Part of an answer came: a second attempt would be another answer.
    let advice = match (advice, place) {
        (Advice::Retry(_), Place::Stream { content: true }) => Advice::Sample,
        (advice, _) => advice,
    };
    (kind, what, advice)
}

fn by_status(status: u16, wait: Wait, retry: Advice) -> (FaultKind, &'static str, Advice) {
    match status {
        401 => (FaultKind::Auth, "the key was refused", Advice::Provider),
        403 => (FaultKind::Auth, "access is not allowed", Advice::Provider),
        402 if matches!(wait, Wait::For(_)) => (FaultKind::Quota, "no credit left", retry),
        402 => (FaultKind::Quota, "no credit left", Advice::Provider),
        404 | 405 => (FaultKind::NotFound, "the model or the URL does not exist there", Advice::Provider),
        407 => (FaultKind::Proxy, "the proxy wants a user name and a password", Advice::Provider),
        408 | 409 | 424 | 425 => (FaultKind::Server, "the server gave up", retry),
        429 => (FaultKind::Rate, "too many requests", retry),
        498 | 500..=599 => (FaultKind::Server, "the server failed", retry),
        400..=499 => (FaultKind::Request, "the request was refused", Advice::Sample),
        _ => (FaultKind::NotAStream, "this is not an answer", Advice::Provider),
    }
}

/// Does an error say what to do by more than its message?
pub fn is_named(said: &StatedError) -> bool {
    said.kind.is_some() || said.status.is_some() || said.passing
}

/// What an answer with an error status means. `wait` is what its headers ask for, `reset` the time until
/// their rate limits begin anew; the body may say more.
pub fn in_answer(status: u16, body: &str, wait: Wait, reset: Wait) -> (Fault, Advice) {
    let said = document(body)
        .map(|document| read(in_document(&document).unwrap_or(&document)))
        .or_else(|| Some(read(&Value::String(plain_words(body)?))));
    let words = match &said {
        Some(said) => format!(": {}", said.message),
        None if body.trim_start().starts_with('<') => {
            ": the answer is a web page, not an API's: check the base URL (it usually ends in /v1)".to_owned()
        }
        None => String::new(),
    };
    // The wait that the body asks for counts before that of a limit's headers.
    let wait = match (wait, &said) {
        (Wait::Unsaid, Some(said)) if said.wait != Wait::Unsaid => said.wait,
        (Wait::Unsaid, _) => reset,
        (wait, _) => wait,
    };
    let (kind, what, advice) = judge(said.as_ref(), Place::Status(status), wait);
    (Fault { kind, message: format!("{what} (HTTP {status}){words}") }, advice)
}

/// The message in a body that is not JSON: plain text, or the message of an error in XML. `None`: there is
/// none, or it is a web page.
fn plain_words(body: &str) -> Option<String> {
    let body = body.trim();
    if !body.starts_with('<') {
        return (!body.is_empty()).then(|| clip(body));
    }
    let lower = body.to_ascii_lowercase();
    let inside = |tag: &str| {
        let from = lower.find(&format!("<{tag}>"))? + tag.len() + 2;
        let words = &body[from..from + lower[from..].find(&format!("</{tag}>"))?];
        (!words.trim().is_empty()).then(|| clip(words))
    };
    let is_page = lower.contains("<html") || lower.starts_with("<!doctype");
    ["message", "detail", "error"].iter().find_map(|tag| inside(tag)).filter(|_| !is_page)
}

/// The JSON of a body, which may stand in the frame of an event stream.
fn document(body: &str) -> Option<Value> {
    let framed = || {
        let lines = body.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok()).next_back()
    };
    serde_json::from_str(body).ok().or_else(framed).filter(|v: &Value| v.is_object() || v.is_array())
}

/// What a body that is not a stream means under a status that says success. `None`: it is not an error
/// either.
pub fn in_body(body: &str) -> Option<StatedError> {
    let document = document(body)?;
    let words = || words_of(&document).is_some() && !OF_AN_ANSWER.iter().any(|n| document.get(n).is_some());
    let error = in_document(&document).or_else(|| words().then_some(&document))?;
    Some(read(error))
}

/// What an error in a stream under a status that says success means. `content`: part of the answer had
/// come.
pub fn in_stream(error: &Value, content: bool) -> (Fault, Advice) {
    let said = read(error);
    let (kind, _, advice) = judge(Some(&said), Place::Stream { content }, Wait::Unsaid);
    (Fault { kind, message: said.message }, advice)
}

#[cfg(test)]
mod tests {
    use super::stated::{in_document, read};
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    #[allow(clippy::needless_pass_by_value, reason = "shorter to call")]
    fn stream(document: Value) -> (FaultKind, Advice, String) {
        let error = in_document(&document).unwrap_or_else(|| panic!("{document} is an error"));
        let (fault, advice) = in_stream(error, false);
        (fault.kind, advice, fault.message)
    }

    #[test]
    fn an_error_is_found_wherever_it_stands() {
        let error = json!({"message": "broke", "code": 503});
        for document in [
            json!({ "error": error }),
            json!([{ "error": error }]),
            json!({ "errors": [error] }),
            json!({ "x_groq": { "error": error }, "choices": [] }),
            json!({ "choices": [{ "error": error, "delta": {} }] }),
            json!({ "type": "error", "error": error }),
            json!({ "object": "error", "message": "broke", "code": 503 }),
            json!({ "message": "broke", "code": 503 }),
            json!({ "msg": "broke", "code": 503 }),
            json!({ "status": "error", "detail": "broke", "status_code": 503 }),
        ] {
            let (kind, advice, message) = stream(document.clone());
            assert_eq!((kind, advice), (FaultKind::ProviderError, Advice::Retry(None)), "{document}");
            assert!(message.contains("broke"), "{document}: {message}");
        }
        assert_eq!(stream(json!({"x_groq": {"error": "over_capacity"}})).2, "over_capacity");
        for answer in [
            json!({"choices": [{"delta": {"content": "x"}}], "error": null}),
            json!({"choices": [], "error": {}}),
            json!({"type": "message_start", "message": {"id": "x"}}),
            json!({"type": "hologram", "message": "new"}),
            json!({"message": {"content": "x"}, "done": false}),
            json!({"base_resp": {"status_code": 0, "status_msg": ""}, "choices": []}),
            json!({"id": "x"}),
            json!({}),
        ] {
            assert_eq!(in_document(&answer), None, "{answer}");
        }
    }

    #[test]
    fn the_innermost_reason_is_shown() {
        let raw = json!({"error": {"message": "Provider returned error", "code": 400, "metadata":
            {"raw": "{\"error\":{\"message\":\"at most 1 image per prompt\"}}", "provider_name": "X"}}});
        let (_, advice, message) = stream(raw);
        assert!(message.contains("at most 1 image per prompt") && message.contains("(X)"), "{message}");
        assert_eq!(advice, Advice::Sample);
        let plain =
            json!({"error": {"message": "Provider returned error", "metadata": {"raw": "no such image"}}});
        assert!(stream(plain).2.contains("no such image"));
        let litellm = json!({"error": {"message":
            "litellm.RateLimitError: OpenAIException - {\"error\": {\"message\": \"slow down\", \"code\": \"rate_limit_exceeded\"}}"}});
        let (_, advice, message) = stream(litellm);
        assert!(message.contains("slow down"), "{message}");
        assert_eq!(advice, Advice::Retry(None));
        let azure = json!({"error": {"code": "content_filter", "message": "filtered", "innererror":
            {"code": "ResponsibleAIPolicyViolation", "message": "jailbreak: detected"}}});
        assert!(stream(azure).2.contains("jailbreak: detected"));
        let validation =
            json!({"detail": [{"loc": ["body", "max_tokens"], "msg": "extra fields not permitted"}]});
        assert!(stream(validation).2.contains("max_tokens: extra fields not permitted"));
    }

    #[test]
    fn a_prompt_that_does_not_fit_is_known_in_every_servers_words() {
        for words in [
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
            "request (19185 tokens) exceeds the available context size (16384 tokens), try increasing it",
            "prompt is too long: 215000 tokens > 200000 maximum",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "This model's maximum prompt length is 131072 but the request contains 150000 tokens.",
            "too many tokens: size limit exceeded by 10 tokens",
            "Input is too long for requested model.",
            "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
            "The prompt is too long: 140000, model maximum context length: 131072",
            "`inputs` must have less than 1024 tokens. Given: 2000",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
            "Your request exceeded model token limit: 8192",
            "Prompt exceeds max length",
            "Range of input length should be [1, 30720]",
            "the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model",
            "Request body too large for gpt-4o model. Max size: 8000 tokens.",
            "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
            "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
            "Requested token count exceeds the model's maximum context length of 8192 tokens.",
            "Prompt length (9000) exceeds maximum input length (8192). Set max_input_len",
            "the input length exceeds the context length",
            "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
            "Your input exceeds the context window of this model.",
            "Prompt length 9000 is greater than max_seq_len 8192",
            "prompt token count of 130000 exceeds the limit of 128000",
            "Total tokens of image and text exceed max message tokens",
            "However, the model's context length is only 4097 tokens, resulting in a maximum input length of 4096 tokens.",
            "input_tokens (9000) + max_tokens (256) must be <= 8192 (context window)",
            "tokens in request more than max tokens allowed",
            "Token limit exceeded: the prompt is 9000 tokens, and the maximum is 8192",
            "context_window_exceeded: conversation is too large",
            "prompt has 9000 tokens, but the limit is 8192",
            "the total number of tokens (9000) is greater than n_ctx (4096)",
            "the messages (9000 tokens) do not fit into the context",
        ] {
            let (kind, advice, _) = stream(json!({"error": {"message": words}}));
            assert_eq!((kind, advice), (FaultKind::Context, Advice::Sample), "{words}");
        }
        for other in [
            "Rate limit reached for gpt-x on tokens per min: Limit 30000, Used 29000. Please try again in 2s",
            "Request too large for model in organization on tokens per minute (TPM): Limit 6000, Requested 9000",
            "max_tokens is too large: 99999. This model supports at most 16384 completion tokens",
            "at most 1 image per prompt",
            "max_completion_tokens is too large: 256. This model supports at most 128 completion tokens",
            "Invalid 'messages': array too long. Expected an array with maximum length 2048",
            "input tokens per minute exceeded: 30000",
        ] {
            assert_ne!(stream(json!({"error": {"message": other}})).0, FaultKind::Context, "{other}");
        }
    }

    #[test]
    fn what_passes_is_tried_again_unless_part_of_an_answer_came() {
        let busy = json!({"message": "The engine is currently overloaded, please try again later"});
        assert_eq!(in_stream(&busy, false).1, Advice::Retry(None));
        assert_eq!(in_stream(&busy, true).1, Advice::Sample);
        let seconds = json!({"code": 429, "message": "slow", "retry_after": 7});
        assert_eq!(in_stream(&seconds, false).1, Advice::Retry(Some(Duration::from_secs(7))));
        let daily = json!({"code": 429, "message": "Rate limit exceeded: free-models-per-day"});
        assert_eq!(in_stream(&daily, false).1, Advice::Provider);
    }

    /// The same error means the same with an error status and without one.
    #[test]
    fn a_status_changes_nothing_about_what_is_certain() {
        for (error, kind) in [
            (json!({"code": "insufficient_quota", "message": "x"}), FaultKind::Quota),
            (json!({"code": "context_length_exceeded", "message": "x"}), FaultKind::Context),
            (json!({"message": "API key not valid. Please pass a valid API key."}), FaultKind::Auth),
            (json!({"code": "model_not_found", "message": "x"}), FaultKind::NotFound),
        ] {
            let said = read(&error);
            assert_eq!(judge(Some(&said), Place::Status(400), Wait::Unsaid).0, kind, "{error}");
            assert_eq!(judge(Some(&said), Place::Stream { content: false }, Wait::Unsaid).0, kind, "{error}");
        }
    }

    #[test]
    fn what_ends_a_provider_and_what_does_not() {
        let advice = |status, body: &str| in_answer(status, body, Wait::Unsaid, Wait::Unsaid).1;
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
    fn what_is_wrong_with_a_prompt_or_a_country_has_its_own_name() {
        let kind = |status, body: &str| in_answer(status, body, Wait::Unsaid, Wait::Unsaid);
        let region = r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","type":"request_forbidden"}}"#;
        let (fault, advice) = kind(403, region);
        assert_eq!((fault.kind, advice), (FaultKind::Region, Advice::Provider));
        let long = r#"{"error":{"code":"context_length_exceeded","message":"too many tokens"}}"#;
        let (fault, advice) = kind(400, long);
        assert_eq!((fault.kind, advice), (FaultKind::Context, Advice::Sample));
    }
}
