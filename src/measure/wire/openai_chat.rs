//! `OpenAI` chat completions, and the many servers that speak it.
//!
//! Reading rule for every chunk: `error`; then `usage` or `x_groq.usage` (the last one wins); then
//! choice 0: text, refusal, reasoning under any of its names, tool arguments; then `finish_reason`.
//! The usage chunk has no choices, the first chunk only a role. `[DONE]` is not required, and an
//! end without a finish reason is a truncated answer.

use super::frame::{Outgoing, Quirks, Wire, failed, finish, parse, text};
use crate::measure::event::{Channel, Event, FaultKind, FinishReason, Request, Usage};
use crate::measure::provider_error::provider_fault;
use crate::measure::usage;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// `POST {base}/chat/completions`.
pub fn outgoing(model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
    let limit = if quirks.old_max_tokens { "max_tokens" } else { "max_completion_tokens" };
    let mut body = json!({
        "model": model,
        "messages": request.marked_messages(),
        "stream": true,
        limit: request.max_output_tokens,
    });
    if quirks.stream_options {
        body["stream_options"] = json!({"include_usage": true});
        if quirks.obfuscates {
            body["stream_options"]["include_obfuscation"] = json!(false);
        }
    }
    if quirks.llama_server {
        body["cache_prompt"] = json!(false);
    }
    if let Some(temperature) = quirks.temperature {
        body["temperature"] = json!(temperature);
    }
    Outgoing { path: "chat/completions".to_owned(), query: None, body }
}

/// One answer being read.
#[derive(Debug, Default)]
pub struct Reader {
    done: bool,
    finished: bool,
    text_came: bool,
    usage_came: bool,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.done {
            return;
        }
        if data.trim() == "[DONE]" {
            self.done = true;
            // Some servers never give a reason; text with its usage is then a whole answer.
            if !self.finished && self.text_came && self.usage_came {
                self.finished = true;
                out.push(Event::Finished { reason: FinishReason::Other });
            }
            return;
        }
        if let Some(text) = plain(name, data) {
            if !text.is_empty() {
                self.text_came = true;
                out.push(Event::Content { channel: Channel::Text, text, tokens: None });
            }
            return;
        }
        let Some(chunk) = parse(name, data, out) else { return };
        if let Some(error) = in_band_error(name, &chunk) {
            self.done = true;
            out.push(Event::Failed(provider_fault(error)));
            return;
        }
        if let Some(counts) =
            [chunk.get("usage"), chunk.pointer("/x_groq/usage")].into_iter().flatten().find(|u| u.is_object())
            && let usage = usage::openai_chat(counts)
            && usage.says_something()
        {
            self.usage_came = true;
            let special_tier = usage.special_tier.clone().or_else(|| usage::tier(chunk.get("service_tier")));
            out.push(Event::Usage(Usage { special_tier, ..usage }));
        }
        if let Some(timings) = chunk.get("timings").and_then(engine_timings) {
            out.push(timings);
        }
        let first_choice =
            |choice: &&Value| choice.get("index").is_none_or(|i| i.is_null() || i.as_f64() == Some(0.0));
        if let Some(choice) =
            chunk.get("choices").and_then(Value::as_array).and_then(|c| c.iter().find(first_choice))
        {
            self.choice(choice, out);
        }
    }
}

impl Reader {
    fn choice(&mut self, choice: &Value, out: &mut Vec<Event>) {
        if let Some(delta) = choice.get("delta") {
            let before = out.len();
            content(delta, out);
            self.text_came |= out.len() > before;
        }
        let reason = match choice.get("finish_reason") {
            None | Some(Value::Null) => return,
            Some(Value::String(reason)) if reason.is_empty() => return,
            Some(Value::String(reason)) => reason.as_str(),
            Some(_) => "another kind",
        };
        if reason == "error" {
            self.done = true;
            out.push(match choice.get("error").filter(|e| !e.is_null()) {
                Some(error) => Event::Failed(provider_fault(error)),
                None => failed(
                    FaultKind::ProviderError,
                    "the provider ended the answer with finish_reason \"error\"".to_owned(),
                ),
            });
        } else if !std::mem::replace(&mut self.finished, true) {
            out.push(Event::Finished { reason: finish(reason) });
        }
    }
}

/// What nearly every event of a stream is: one choice with a piece of text and nothing else that
/// matters. Read without building a tree; everything else, and everything odd, takes the long way.
#[derive(Deserialize)]
struct Plain<'a> {
    choices: [PlainChoice; 1],
    #[serde(borrow)]
    object: Option<&'a str>,
    usage: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
    detail: Option<IgnoredAny>,
    timings: Option<IgnoredAny>,
    x_groq: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PlainChoice {
    index: Option<u64>,
    delta: PlainDelta,
    finish_reason: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PlainDelta {
    content: Option<String>,
    reasoning_content: Option<IgnoredAny>,
    reasoning: Option<IgnoredAny>,
    reasoning_details: Option<IgnoredAny>,
    refusal: Option<IgnoredAny>,
    tool_calls: Option<IgnoredAny>,
    function_call: Option<IgnoredAny>,
}

/// The text of a plain event.
fn plain(name: &str, data: &str) -> Option<String> {
    let Plain { choices: [choice], object, usage, error, detail, timings, x_groq } =
        serde_json::from_str(data).ok()?;
    let delta = choice.delta;
    let others = [
        usage,
        error,
        detail,
        timings,
        x_groq,
        choice.finish_reason,
        delta.reasoning_content,
        delta.reasoning,
        delta.reasoning_details,
        delta.refusal,
        delta.tool_calls,
        delta.function_call,
    ];
    let nothing_else = others.iter().all(Option::is_none)
        && choice.index.unwrap_or(0) == 0
        && name != "error"
        && object != Some("error");
    delta.content.filter(|_| nothing_else)
}

/// An error inside a 200 stream: an `error` member, Mistral's flat form, or an event of that name.
fn in_band_error<'a>(name: &str, chunk: &'a Value) -> Option<&'a Value> {
    let flat = chunk.get("object").and_then(Value::as_str) == Some("error");
    let validation = chunk.get("detail").is_some() && chunk.get("choices").is_none();
    match chunk.get("error") {
        Some(error) if !error.is_null() => Some(error),
        _ if flat || validation || name == "error" => Some(chunk),
        _ => None,
    }
}

fn content(delta: &Value, out: &mut Vec<Event>) {
    let mut push = |channel: Channel, text: &str| {
        if !text.is_empty() {
            out.push(Event::Content { channel, text: text.to_owned(), tokens: None });
        }
    };
    // Reasoning comes before text where one chunk has both.
    if let Some(thought) = text(delta, "/reasoning_content").or_else(|| text(delta, "/reasoning")) {
        push(Channel::Reasoning, thought);
    } else if let Some(details) = delta.get("reasoning_details").and_then(Value::as_array) {
        for thought in details.iter().filter_map(|d| text(d, "/text")) {
            push(Channel::Reasoning, thought);
        }
    }
    match delta.get("content") {
        Some(Value::String(s)) => push(Channel::Text, s),
        Some(Value::Array(parts)) => parts.iter().for_each(|part| typed_part(part, &mut push)),
        _ => {}
    }
    if let Some(refusal) = text(delta, "/refusal") {
        push(Channel::Refusal, refusal);
    }
    if let Some(calls) = delta.get("tool_calls").and_then(Value::as_array) {
        for arguments in calls.iter().filter_map(|c| text(c, "/function/arguments")) {
            push(Channel::Tool, arguments);
        }
    }
    if let Some(arguments) = text(delta, "/function_call/arguments") {
        push(Channel::Tool, arguments);
    }
}

/// Mistral sends content as typed parts.
fn typed_part(part: &Value, push: &mut impl FnMut(Channel, &str)) {
    match part.get("type").and_then(Value::as_str) {
        Some("text") => push(Channel::Text, text(part, "/text").unwrap_or_default()),
        Some("thinking") => match part.get("thinking") {
            Some(Value::String(s)) => push(Channel::Reasoning, s),
            Some(Value::Array(inner)) => {
                for thought in inner.iter().filter_map(|p| text(p, "/text")) {
                    push(Channel::Reasoning, thought);
                }
            }
            _ => {}
        },
        _ => {}
    }
}

/// A llama.cpp server's own counters.
fn engine_timings(timings: &Value) -> Option<Event> {
    let count = |name: &str| timings.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let time =
        |name: &str| timings.get(name).and_then(Value::as_f64).filter(|ms| ms.is_finite() && *ms >= 0.0);
    Some(Event::EngineTimings {
        prompt_tokens: count("prompt_n")?,
        prompt_ms: time("prompt_ms")?,
        output_tokens: count("predicted_n")?,
        output_ms: time("predicted_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The events of a frame by the long way alone.
    fn long_way(data: &str) -> Vec<Event> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        // An extra member changes nothing but keeps the short way off.
        let kept_off = data.replacen('{', "{\"timings\":{},", 1);
        assert_eq!(plain("message", &kept_off), None);
        reader.frame("message", &kept_off, &mut out);
        out
    }
    fn events(data: &str) -> Vec<Event> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        reader.frame("message", data, &mut out);
        out
    }

    fn member() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("\"usage\":null"),
            Just("\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}"),
            Just("\"error\":null"),
            Just("\"error\":{\"message\":\"no\"}"),
            Just("\"object\":\"error\",\"message\":\"m\""),
            Just("\"object\":\"chat.completion.chunk\""),
            Just("\"x_groq\":{\"usage\":{\"prompt_tokens\":3}}"),
            Just("\"id\":\"a\\u0041\""),
            Just("\"created\":1795356000"),
        ]
    }
    fn part() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("\"role\":\"assistant\""),
            Just("\"content\":\"\""),
            Just("\"content\":null"),
            Just("\"content\":\" w\\n\\u00fc\""),
            Just("\"content\":[{\"type\":\"text\",\"text\":\"x\"}]"),
            Just("\"reasoning\":\"hm\""),
            Just("\"reasoning_content\":null"),
            Just("\"refusal\":\"no\""),
            Just("\"tool_calls\":[{\"function\":{\"arguments\":\"{\"}}]"),
        ]
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_way_says(
            members in proptest::collection::vec(member(), 0..4),
            parts in proptest::collection::vec(part(), 0..4),
            index in prop_oneof![Just(""), Just("\"index\":0,"), Just("\"index\":1,"), Just("\"index\":null,")],
            finish in prop_oneof![Just(""), Just(",\"finish_reason\":null"), Just(",\"finish_reason\":\"stop\""), Just(",\"finish_reason\":\"\"")],
            choices in 0usize..3,
        ) {
            let choice = format!("{{{index}\"delta\":{{{}}}{finish}}}", parts.join(","));
            let choices = format!("\"choices\":[{}]", vec![choice; choices].join(","));
            let mut all = vec![choices.as_str()];
            all.extend(members);
            let data = format!("{{{}}}", all.join(","));
            prop_assert_eq!(events(&data), long_way(&data), "{}", data);
        }
    }
}
