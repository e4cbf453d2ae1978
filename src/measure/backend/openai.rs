//! `OpenAI` chat completions, and the many servers that speak it.
//!
//! Reading rule for every chunk: `error`; then `usage` or `x_groq.usage` (the last one wins); then
//! choice 0: text, refusal, reasoning under any of its names, tool arguments; then `finish_reason`.
//! The usage chunk has no choices, the first chunk only a role. `[DONE]` is not required, and an
//! end without a finish reason is a truncated answer.

use super::wire::{Outgoing, Quirks, Wire, failed, finish, parse, provider_fault, text};
use crate::measure::event::{Channel, Event, FaultKind, FinishReason, Request};
use crate::measure::usage;
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
        let Some(chunk) = parse(data, out) else { return };
        if let Some(error) = in_band_error(name, &chunk) {
            self.done = true;
            out.push(Event::Failed(provider_fault(error)));
            return;
        }
        if let Some(counts) =
            [chunk.get("usage"), chunk.pointer("/x_groq/usage")].into_iter().flatten().find(|u| u.is_object())
        {
            self.usage_came = true;
            out.push(Event::Usage(usage::openai_chat(counts)));
        }
        if let Some(timings) = chunk.get("timings").and_then(engine_timings) {
            out.push(timings);
        }
        let first_choice =
            |choice: &&Value| choice.get("index").is_none_or(|i| i.is_null() || i.as_u64() == Some(0));
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
        match text(choice, "/finish_reason") {
            Some("error") => {
                self.done = true;
                out.push(failed(
                    FaultKind::ProviderError,
                    "the provider ended the answer with finish_reason \"error\"".to_owned(),
                ));
            }
            Some(reason) if !self.finished => {
                self.finished = true;
                out.push(Event::Finished { reason: finish(reason) });
            }
            _ => {}
        }
    }
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
