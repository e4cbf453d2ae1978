//! An error in a provider's own words → what it means. The one path for errors, wherever they stand:
//! in the body of an error status, in a body under 200, framed or unframed in a stream, in a choice,
//! or inside another error that only passes it on.
//!
//! ```text
//! JSON ─► in_document: the error object, if there is one ─► Said: its words, names, status ─► judge: kind and advice
//! ```

use super::event::{Fault, FaultKind};
use super::retry::{Advice, Wait};
use serde_json::Value;

/// Longest message that is kept of a provider's words, characters.
const LONGEST: usize = 300;

/// Text from outside, short enough for a message.
pub fn clip(text: &str) -> String {
    super::text::one_line(text, LONGEST)
}

/// What an error says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// For people: the error's name and its words, the innermost reason included.
    pub message: String,
    /// What its names or words make certain, whatever status it came with.
    pub kind: Option<FaultKind>,
    /// The HTTP status that its code or its name stands for.
    pub status: Option<u16>,
    /// What it asks to wait.
    pub wait: Wait,
    /// Its words say that it may pass by itself.
    passing: bool,
}

/// The error in a JSON document of a provider: a body, or a frame of a stream. `None`: it is none.
pub fn in_document(document: &Value) -> Option<&Value> {
    let document = document.as_array().and_then(|list| list.first()).unwrap_or(document);
    let something = |e: &&Value| match e {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let places = ["/error", "/errors/0", "/x_groq/error", "/choices/0/error", "/response/error"];
    if let Some(error) = places.iter().find_map(|place| document.pointer(place).filter(something)) {
        return Some(error);
    }
    let word = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    if word("object") == "error" || word("type") == "error" || word("status") == "error" {
        return Some(document);
    }
    // MiniMax: every answer has a status of its own, 0 where it is well.
    if let Some(status) = document.get("base_resp")
        && status.get("status_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
    {
        return Some(status);
    }
    is_nothing_else(document).then_some(document)
}

/// Members that an answer or a part of one has.
const OF_AN_ANSWER: &[&str] = &[
    "choices",
    "candidates",
    "delta",
    "content_block",
    "content",
    "output",
    "response",
    "usage",
    "usageMetadata",
    "promptFeedback",
    "done",
    "type",
    "item",
    "part",
];

/// A document that has an error's words or code and no part of an answer: a gateway's own form.
fn is_nothing_else(document: &Value) -> bool {
    const OF_ERRORS: &[&str] =
        &["detail", "error_message", "errorMessage", "error_msg", "errmsg", "error_description", "fault"];
    let Some(members) = document.as_object() else { return false };
    let has = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
    let failed = members.get("success").and_then(Value::as_bool) == Some(false);
    let coded = || names(document).iter().any(|name| status_of(name).is_some());
    !has(OF_AN_ANSWER) && words_of(document).is_some() && (has(OF_ERRORS) || failed || coded())
}

/// Where an error has its words.
const WORDS: &[&str] = &[
    "/message",
    "/detail",
    "/error/message",
    "/error",
    "/msg",
    "/status_msg",
    "/error_message",
    "/errorMessage",
    "/error_msg",
    "/errmsg",
    "/error_description",
    "/description",
    "/fault/faultstring",
    "/title",
    "/reason",
];

/// The words of an error object; of a list (`FastAPI`'s `detail`), those of its first entries.
fn words_of(error: &Value) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    };
    let of_list = |list: &Vec<Value>| {
        let entry = |entry: &Value| {
            let message =
                text(entry).or_else(|| text(entry.get("msg")?)).or_else(|| text(entry.get("message")?))?;
            // Which field it is about.
            let field = entry.get("loc").and_then(Value::as_array).and_then(|loc| loc.last()?.as_str());
            Some(field.map_or(message.clone(), |field| format!("{field}: {message}")))
        };
        let said: Vec<String> = list.iter().take(3).filter_map(entry).collect();
        (!said.is_empty()).then(|| said.join("; "))
    };
    text(error).or_else(|| {
        WORDS.iter().find_map(|place| match error.pointer(place)? {
            Value::Array(list) => of_list(list),
            Value::Object(inner) => inner.get("message").or_else(|| inner.get("error")).and_then(text),
            value => text(value),
        })
    })
}

/// What stands inside an error that passes another one on: `OpenRouter`'s `metadata.raw`, Azure's
/// `innererror`, `LiteLLM`'s text with the provider's JSON in it.
fn inner(error: &Value, words: &str) -> Option<Value> {
    let raw = error.pointer("/metadata/raw").or_else(|| error.pointer("/details/raw"));
    let raw = raw.or_else(|| error.get("innererror")).or_else(|| error.get("inner_error"));
    match raw {
        Some(Value::String(text)) => Some(json_within(text).unwrap_or_else(|| Value::String(text.clone()))),
        Some(value @ Value::Object(_)) => Some(value.clone()),
        _ => json_within(words),
    }
}

/// The JSON object within a text.
fn json_within(text: &str) -> Option<Value> {
    let (from, to) = (text.find('{')?, text.rfind('}')?);
    let inside = text.get(from..=to)?;
    // Some quote it once more as Python's literals do: that is left as text.
    serde_json::from_str(inside).ok().filter(Value::is_object)
}

/// The names an error goes by: type, code, status, as text.
fn names(error: &Value) -> Vec<String> {
    const PLACES: &[&str] = &[
        "/type",
        "/code",
        "/status",
        "/status_code",
        "/statusCode",
        "/error_type",
        "/error_code",
        "/errcode",
        "/details/error_code",
        "/innererror/code",
        "/error/type",
        "/error/code",
    ];
    let word = |place: &&str| match error.pointer(place)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let reasons = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.filter_map(|d| d.get("reason").and_then(Value::as_str).map(str::to_owned));
    PLACES.iter().filter_map(word).chain(reasons).collect()
}

/// Read an error object, however deep the reason stands.
pub fn read(error: &Value) -> Said {
    read_within(error, 0)
}

fn read_within(error: &Value, depth: u8) -> Said {
    let names = names(error);
    let words = words_of(error);
    let inside = if depth < 3 { inner(error, words.as_deref().unwrap_or_default()) } else { None };
    let inside = inside.as_ref().map(|value| read_within(in_document(value).unwrap_or(value), depth + 1));
    // The name that tells what to do, where one of them does.
    let telling = names.iter().find(|name| status_of(name).is_some_and(passes));
    let label = telling.or_else(|| names.iter().find(|name| *name != "error")).cloned().unwrap_or_default();
    let own = match (label.is_empty(), words) {
        (true, None) => clip(&error.to_string()),
        (false, None) => label,
        (true, Some(words)) => words,
        (false, Some(words)) => format!("{label}: {words}"),
    };
    let who = error.pointer("/metadata/provider_name").and_then(Value::as_str);
    let message = match &inside {
        Some(said) if !own.contains(said.message.as_str()) => match who {
            Some(who) => format!("{own}: {} ({who})", said.message),
            None => format!("{own}: {}", said.message),
        },
        _ => own,
    };
    let lower = message.to_ascii_lowercase();
    let kind = kind_by_name(&names, &lower).or(inside.as_ref().and_then(|said| said.kind));
    let status = names.iter().filter_map(|name| status_of(name)).max_by_key(|status| passes(*status));
    Said {
        kind,
        status: status.or(inside.as_ref().and_then(|said| said.status)),
        wait: wait_in(error),
        passing: PASSING.iter().any(|words| lower.contains(words)),
        message: clip(&message),
    }
}

/// What the names or words make certain.
fn kind_by_name(names: &[String], words: &str) -> Option<FaultKind> {
    let is = |list: &[&str]| names.iter().any(|name| list.contains(&name.as_str()));
    let says = |list: &[&str]| list.iter().any(|part| words.contains(part));
    let limited = is(RATE_NAMES) || says(&["per minute", "per day", "rate limit"]);
    if is(SPENT) || (says(SPENT_WORDS) && !limited) {
        Some(FaultKind::Quota)
    } else if is(&["unsupported_country_region_territory"]) || words.contains("location is not supported") {
        Some(FaultKind::Region)
    } else if is(TOO_LONG) || (is_too_long(words) && !limited) {
        Some(FaultKind::Context)
    } else if is(REFUSED) || says(REFUSED_WORDS) {
        Some(FaultKind::Auth)
    } else if is(UNKNOWN_MODEL) {
        Some(FaultKind::NotFound)
    } else {
        None
    }
}

/// Error names that mean the account has no money or no allowance left: waiting does not help.
const SPENT: &[&str] = &[
    "insufficient_quota",
    "insufficient_balance",
    "insufficient_credits",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "billing_error",
    "billing_hard_limit_reached",
    "payment_required",
    "402",
];
const SPENT_WORDS: &[&str] = &[
    "credit balance is too low",
    "insufficient balance",
    "insufficient credit",
    "insufficient funds",
    "requires more credits",
    "out of credits",
    "payment required",
    "account balance is",
    "in arrears",
];

/// Error names that mean the key is wrong or may not do this.
const REFUSED: &[&str] = &[
    "authentication_error",
    "permission_error",
    "invalid_api_key",
    "invalid_authentication_error",
    "API_KEY_INVALID",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "401",
    "403",
];
const REFUSED_WORDS: &[&str] =
    &["incorrect api key", "invalid api key", "api key not valid", "no auth credentials"];

/// Error names that mean there is no such model: no other prompt will fare better.
const UNKNOWN_MODEL: &[&str] = &["model_not_found", "DeploymentNotFound", "not_found_error", "404"];

/// Error names that mean the prompt does not fit the model's context.
const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size_error",
    "context_window_exceeded",
    "string_above_max_length",
];

/// Names of a limit on requests or tokens in a time, which is not the model's context.
const RATE_NAMES: &[&str] =
    &["rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED", "too_many_requests", "429"];

/// Words of servers for a prompt that does not fit, lower case, all parts of a line in any order.
/// Each is from a server's source or a public report: `OpenAI`, Azure, Anthropic, Gemini, Mistral, xAI,
/// Cohere, Bedrock, Groq, Cerebras, Fireworks, Together, Moonshot, Z.AI, Alibaba, watsonx, GitHub Models,
/// vLLM, `SGLang`, TGI, TensorRT-LLM, llama.cpp, Ollama, LM Studio, `TabbyAPI`, MLX.
const TOO_LONG_WORDS: &[&[&str]] = &[
    &["maximum context length"],
    &["context size", "exceed"],
    &["context length", "exceed"],
    &["context window", "exceed"],
    &["context limit", "exceed"],
    &["context length of only"],
    &["context length is only"],
    &["context_length_exceeded"],
    &["context_window_exceeded"],
    &["context", "too small"],
    &["must be <=", "context"],
    &["max_new_tokens", "must be <="],
    &["maximum input length"],
    &["max message tokens"],
    &["more than max tokens"],
    &["token limit exceeded", "prompt"],
    &["max_seq_len"],
    &["max_model_len"],
    &["conversation is too l"],
    &["too many input tokens"],
    &["prompt has too many tokens"],
    &["reached context length"],
    &["longer than the model's context"],
    &["longer than the maximum model length"],
    &["prompt is too long"],
    &["input is too long"],
    &["prompt too long"],
    &["input too long"],
    &["prompt exceeds max"],
    &["prompt length", "exceed"],
    &["prompt length", "greater than"],
    &["input length", "exceed"],
    &["range of input length"],
    &["token count", "exceed"],
    &["input tokens", "exceed"],
    &["number of tokens in the prompt", "exceed"],
    &["number of tokens to keep", "context"],
    &["maximum prompt length is"],
    &["max_input_len", "exceed"],
    &["tokens", "too large for model"],
    &["must have less than", "tokens"],
    &["`inputs` tokens + `max_new_tokens` must be"],
    &["too many tokens", "limit"],
    &["exceeded model token limit"],
    &["exceeds", "token limit"],
    &["reduce the length of the messages"],
    &["reduce the length of the input"],
    &["request body too large", "tokens"],
    &["context the overflows"],
    &["context overflow"],
    &["no kv slot", "context"],
];

/// The same in words of no list: tokens of what was sent are more than something allows.
const TOO_MANY_OF: &[&[&str]] = &[
    &["token"],
    &["prompt", "input", "message", "conversation", "context", "n_ctx"],
    &[
        "exceed",
        "longer than",
        "too long",
        "too large",
        "too many",
        "greater than",
        "larger than",
        "more than",
        "but the limit is",
        "not fit",
    ],
];

fn is_too_long(words: &str) -> bool {
    TOO_LONG_WORDS.iter().any(|parts| parts.iter().all(|part| words.contains(part)))
        || TOO_MANY_OF.iter().all(|parts| parts.iter().any(|part| words.contains(part)))
}

/// Words that mean that the same request may succeed soon.
const PASSING: &[&str] = &[
    "overloaded",
    "over capacity",
    "at capacity",
    "temporarily",
    "try again",
    "too many requests",
    "rate limit",
    "service unavailable",
    "model is loading",
    "loading model",
    "timed out",
    "timeout",
    "bad gateway",
    "upstream connect error",
    "no healthy upstream",
];

/// Names of errors and the HTTP status that they stand for.
const STATUS_OF: &[(&[&str], u16)] = &[
    (&["invalid_request_error", "INVALID_ARGUMENT", "BadRequestError", "FAILED_PRECONDITION"], 400),
    (&["request_too_large"], 413),
    (RATE_NAMES, 429),
    (&["ThrottlingException", "throttling_error", "rate_limited"], 429),
    (
        &[
            "api_error",
            "server_error",
            "internal_server_error",
            "internal_error",
            "INTERNAL",
            "InternalServerError",
        ],
        500,
    ),
    (&["bad_gateway"], 502),
    (&["service_unavailable", "UNAVAILABLE", "ServiceUnavailableError", "model_loading"], 503),
    (&["timeout_error", "timeout", "DEADLINE_EXCEEDED", "gateway_timeout"], 504),
    (&["overloaded_error", "overloaded", "capacity_exceeded", "over_capacity", "engine_overloaded"], 529),
];

/// The HTTP status that a name or code stands for.
fn status_of(name: &str) -> Option<u16> {
    let number = name.parse::<u16>().ok().filter(|n| (400..600).contains(n));
    number.or_else(|| STATUS_OF.iter().find(|(names, _)| names.contains(&name)).map(|(_, status)| *status))
}

/// Does a request that got this status have a chance if it is sent again?
const fn passes(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 498 | 500..=599)
}

/// How long an error asks to wait. Gemini: `details[].retryDelay: "17s"`; others a number of seconds.
/// A daily limit does not recover by waiting.
fn wait_in(error: &Value) -> Wait {
    let text = error.to_string();
    if ["PerDay", "per-day", "per day"].iter().any(|day| text.contains(day)) {
        return Wait::TooLong;
    }
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let mut delays = details.filter_map(|d| d.get("retryDelay").and_then(Value::as_str));
    let delay = delays.find_map(|delay| Some(humantime::parse_duration(delay).ok()?.as_secs_f64()));
    let stated = ["/retry_after", "/metadata/retry_after_seconds"];
    let stated = || stated.iter().find_map(|place| error.pointer(place)?.as_f64());
    delay.or_else(stated).map_or(Wait::Unsaid, Wait::seconds)
}

/// Where an error came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// With this HTTP status.
    Status(u16),
    /// Under a status that says success. `content`: something of the answer had come.
    Stream { content: bool },
}

/// What an error means for the run: its kind, in words what it is, and what to do.
///
/// `wait` is what the answer's headers ask for.
pub fn judge(said: Option<&Said>, place: Place, wait: Wait) -> (FaultKind, &'static str, Advice) {
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
    // Part of an answer came: what is asked again would be another one.
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
        408 | 409 | 425 => (FaultKind::Server, "the server gave up", retry),
        429 => (FaultKind::Rate, "too many requests", retry),
        498 | 500..=599 => (FaultKind::Server, "the server failed", retry),
        400..=499 => (FaultKind::Request, "the request was refused", Advice::Sample),
        _ => (FaultKind::NotAStream, "this is not an answer", Advice::Provider),
    }
}

/// Does an error say anything that tells what to do, beside its words?
pub fn is_named(said: &Said) -> bool {
    said.kind.is_some() || said.status.is_some() || said.passing
}

/// What an answer with an error status means. `wait` is what its headers ask for, `reset` when their
/// limits begin anew; the body may say more.
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
    // The body's own wait comes before that of a limit's headers.
    let wait = match (wait, &said) {
        (Wait::Unsaid, Some(said)) if said.wait != Wait::Unsaid => said.wait,
        (Wait::Unsaid, _) => reset,
        (wait, _) => wait,
    };
    let (kind, what, advice) = judge(said.as_ref(), Place::Status(status), wait);
    (Fault { kind, message: format!("{what} (HTTP {status}){words}") }, advice)
}

/// What a body that is no JSON says: plain text, or the message of an error in XML. `None`: nothing, or
/// a web page.
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

/// What a body under a status that says success means where it is no stream. `None`: it is no error
/// either.
pub fn in_body(body: &str) -> Option<Said> {
    let document = document(body)?;
    let words = || words_of(&document).is_some() && !OF_AN_ANSWER.iter().any(|n| document.get(n).is_some());
    let error = in_document(&document).or_else(|| words().then_some(&document))?;
    Some(read(error))
}

/// An error in a stream under a status that says success.
pub fn in_stream(error: &Value, content: bool) -> (Fault, Advice) {
    let said = read(error);
    let (kind, _, advice) = judge(Some(&said), Place::Stream { content }, Wait::Unsaid);
    (Fault { kind, message: said.message }, advice)
}

#[cfg(test)]
mod tests {
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

    /// The same error means the same with a status and without one.
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
