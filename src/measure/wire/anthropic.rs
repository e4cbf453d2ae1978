//! Anthropic Messages.
//!
//! `message_start` carries the input's usage, `message_delta` the stop reason and *cumulative*
//! usage: each field stated later replaces the earlier one, nothing is added. `message_stop` is the
//! terminator. Dispatch is on the JSON `type`, since some proxies drop the event names.

use super::frame::{Answering, Quirks, Wire, error_of, finished, parse, push, text};
use crate::measure::event::{Channel, Event, Request, Role};
use crate::measure::thoughts;
use crate::measure::usage::{self, Ledger};
use serde_json::{Value, json};

/// The API version whose rules this wire follows; it refuses sampling parameters.
pub const VERSION: &str = "2026-10-21";
/// The older version, which still takes sampling parameters.
pub const VERSION_WITH_SAMPLING: &str = "2023-06-01";

/// `POST {base}/v1/messages`.
pub fn body(model: &str, request: &Request, quirks: &Quirks) -> Value {
    let messages = request.marked_messages();
    let system: Vec<&str> =
        messages.iter().filter(|m| m.role == Role::System).map(|m| m.content.as_str()).collect();
    let rest: Vec<_> = messages.iter().filter(|m| m.role != Role::System).collect();
    let mut body = json!({
        "model": model,
        "messages": rest,
        "max_tokens": request.max_output_tokens,
        "stream": true,
    });
    if !system.is_empty() {
        body["system"] = json!(system.join("\n\n"));
    }
    if quirks.llama_server {
        body["cache_prompt"] = json!(false);
    }
    if let Some(temperature) = quirks.temperature {
        body["temperature"] = json!(temperature);
    }
    body
}

/// One answer being read.
#[derive(Debug, Default)]
pub struct Reader {
    reason_came: bool,
    /// The output was counted after its start.
    counted: bool,
    model: Answering,
    usage: Ledger,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        let Some(event) = parse(name, data, out) else { return };
        if let Some(error) = error_of(name, &event) {
            out.push(error);
            return;
        }
        match event.get("type").and_then(Value::as_str) {
            Some("message_start") => {
                self.model.note(text(&event, "/message/model"), out);
                self.count(event.pointer("/message/usage"), out);
            }
            Some("content_block_start") => {
                // A block may open with text already in it.
                if let Some(block) = event.get("content_block") {
                    content(block, out);
                }
            }
            Some("content_block_delta") => match event.get("delta") {
                Some(delta) if text(delta, "/type") == Some("input_json_delta") => {
                    push(out, Channel::Tool, text(delta, "/partial_json").unwrap_or_default());
                }
                Some(delta) => content(delta, out),
                None => {}
            },
            Some("message_delta") => {
                let usage = event.get("usage");
                if usage.is_some_and(|u| u.get("output_tokens").is_some_and(Value::is_number))
                    && !self.counted
                {
                    // The start counts the tokens so far, one or a few.
                    self.counted = true;
                    self.usage.forget("output_tokens");
                }
                self.count(usage, out);
                if let Some(reason) = text(&event, "/delta/stop_reason") {
                    self.reason_came = true;
                    out.push(finished(reason));
                }
            }
            Some("message_stop") => {
                if !self.reason_came {
                    out.push(finished("end_turn"));
                }
                out.push(Event::End);
            }
            Some("ping" | "content_block_stop") => {}
            _ => out.push(Event::Unknown),
        }
    }
}

/// Text or thinking of a block or a delta.
fn content(part: &Value, out: &mut Vec<Event>) {
    match text(part, "/type") {
        Some("text_delta" | "text") => push(out, Channel::Text, text(part, "/text").unwrap_or_default()),
        Some(kind) if thoughts::is_part(kind) => push(out, Channel::Reasoning, &thoughts::of_part(part)),
        _ => {}
    }
}

impl Reader {
    fn count(&mut self, stated: Option<&Value>, out: &mut Vec<Event>) {
        if let Some(stated) = stated.filter(|u| u.is_object()) {
            out.push(Event::Usage(usage::anthropic(&self.usage.add(stated))));
        }
    }
}
