//! Gemini `streamGenerateContent?alt=sse`: CRLF lines, no event names, no `[DONE]`. Usage stands in
//! nearly every chunk and the last one wins; a chunk can hold hundreds of tokens.

use super::frame::{Outgoing, Quirks, Wire, finish, parse, text};
use crate::measure::event::{Channel, Event, FinishReason, Request, Role};
use crate::measure::provider_error::provider_fault;
use crate::measure::usage;
use serde_json::{Value, json};

/// `POST {base}/v1beta/models/MODEL:streamGenerateContent?alt=sse`; the key goes in a header.
pub fn outgoing(model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
    let messages = request.marked_messages();
    let part = |text: &str| json!([{"text": text}]);
    let contents: Vec<Value> = messages
        .iter()
        .filter(|m| m.role != Role::System)
        .map(|m| json!({"role": if m.role == Role::Assistant { "model" } else { "user" }, "parts": part(&m.content)}))
        .collect();
    let mut body = json!({
        "contents": contents,
        "generationConfig": {"maxOutputTokens": request.max_output_tokens},
    });
    if let Some(system) = messages.iter().find(|m| m.role == Role::System) {
        body["systemInstruction"] = json!({"parts": part(&system.content)});
    }
    if let Some(temperature) = quirks.temperature {
        body["generationConfig"]["temperature"] = json!(temperature);
    }
    Outgoing { path: format!("v1beta/models/{model}:streamGenerateContent"), query: Some("alt=sse"), body }
}

/// One answer being read.
#[derive(Debug, Default)]
pub struct Reader {
    failed: bool,
    finished: bool,
    text_came: bool,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.failed {
            return;
        }
        let Some(chunk) = parse(name, data, out) else { return };
        if let Some(error) = chunk.get("error").filter(|e| !e.is_null()) {
            self.failed = true;
            out.push(Event::Failed(provider_fault(error)));
            return;
        }
        if let Some(parts) = chunk.pointer("/candidates/0/content/parts").and_then(Value::as_array) {
            for part in parts {
                self.part(part, out);
            }
        }
        if let Some(counts) = chunk.get("usageMetadata").filter(|u| u.is_object())
            && let usage = usage::gemini(counts, self.text_came)
            && usage.says_something()
        {
            out.push(Event::Usage(usage));
        }
        if let Some(reason) = text(&chunk, "/candidates/0/finishReason") {
            self.finish(finish(reason), out);
        } else if text(&chunk, "/promptFeedback/blockReason").is_some() {
            self.finish(FinishReason::ContentFilter, out);
        }
    }
}

impl Reader {
    fn part(&mut self, part: &Value, out: &mut Vec<Event>) {
        if let Some(words) = text(part, "/text") {
            let thought = part.get("thought").and_then(Value::as_bool) == Some(true);
            self.text_came |= !thought;
            let channel = if thought { Channel::Reasoning } else { Channel::Text };
            out.push(Event::Content { channel, text: words.to_owned(), tokens: None });
        }
        if let Some(arguments) = part.pointer("/functionCall/args") {
            self.text_came = true;
            out.push(Event::Content { channel: Channel::Tool, text: arguments.to_string(), tokens: None });
        }
    }
    fn finish(&mut self, reason: FinishReason, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.finished, true) {
            out.push(Event::Finished { reason });
        }
    }
}
