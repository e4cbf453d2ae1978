//! Reads what a provider's error says of itself: its message, names, status, and how long to wait.

use super::names::{PASSING, kind_by_name, passes, status_of};
use crate::measure::event::FaultKind;
use crate::measure::retry::Wait;
use serde_json::Value;

/// Most characters of a provider's message that are kept.
const LONGEST: usize = 300;

/// Text from outside, short enough for a message.
pub fn clip(text: &str) -> String {
    crate::measure::text::one_line(text, LONGEST)
}

/// What an error says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedError {
    /// A message for people: the error's name and its words, the innermost reason included.
    pub message: String,
    /// The kind of failure that its names or words prove, whatever status it came with.
    pub kind: Option<FaultKind>,
    /// The HTTP status that its code or its name stands for.
    pub status: Option<u16>,
    /// How long it asks to wait.
    pub wait: Wait,
    /// Its words say that it may pass by itself.
    pub(super) passing: bool,
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

/// Keys that an answer or a part of one has.
pub(super) const OF_AN_ANSWER: &[&str] = &[
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

/// Does a document have an error's message or code and no part of an answer, as some gateways send it?
fn is_nothing_else(document: &Value) -> bool {
    const OF_ERRORS: &[&str] =
        &["detail", "error_message", "errorMessage", "error_msg", "errmsg", "error_description", "fault"];
    let Some(members) = document.as_object() else { return false };
    let has = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
    let failed = members.get("success").and_then(Value::as_bool) == Some(false);
    let coded = || names(document).iter().any(|name| status_of(name).is_some());
    !has(OF_AN_ANSWER) && words_of(document).is_some() && (has(OF_ERRORS) || failed || coded())
}

/// Paths at which errors have their message.
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

/// The message of an error object; of a list (`FastAPI`'s `detail`), the messages of its first three
/// entries.
pub(super) fn words_of(error: &Value) -> Option<String> {
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

/// The error inside one that passes it on: `OpenRouter`'s `metadata.raw`, Azure's `innererror`, `LiteLLM`'s
/// text with the provider's JSON in it.
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
    // Some write it as Python literals: that is left as text.
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

/// Reads an error object, however deep the reason stands.
pub fn read(error: &Value) -> StatedError {
    read_within(error, 0)
}

fn read_within(error: &Value, depth: u8) -> StatedError {
    let names = names(error);
    let words = words_of(error);
    let inside = if depth < 3 { inner(error, words.as_deref().unwrap_or_default()) } else { None };
    let inside = inside.as_ref().map(|value| read_within(in_document(value).unwrap_or(value), depth + 1));
    // A name that says that waiting may help comes first.
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
    StatedError {
        kind,
        status: status.or(inside.as_ref().and_then(|said| said.status)),
        wait: wait_in(error),
        passing: PASSING.iter().any(|words| lower.contains(words)),
        message: clip(&message),
    }
}

/// How long an error asks to wait: Gemini's `details[].retryDelay: "17s"`, others a number of seconds. A
/// daily limit is [`Wait::TooLong`].
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
