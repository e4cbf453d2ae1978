//! Anthropic Messages.
//!
//! `message_start` carries the input's usage, `message_delta` the stop reason and *cumulative*
//! usage: each field stated later replaces the earlier one, nothing is added. Dispatch is on the
//! JSON `type`, since some proxies drop the event names.

use super::frame::{Outgoing, Quirks, Wire, finish, parse, text};
use crate::measure::event::{Channel, Event, Request, Role};
use crate::measure::provider_error::provider_fault;
use crate::measure::usage;
use serde_json::{Map, Value, json};

/// The API version whose rules this wire follows; it refuses sampling parameters.
pub const VERSION: &str = "2026-10-21";
/// The older version, which still takes sampling parameters.
pub const VERSION_WITH_SAMPLING: &str = "2023-06-01";

/// `POST {base}/v1/messages`.
pub fn outgoing(model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
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
    Outgoing { path: "v1/messages".to_owned(), query: None, body }
}

/// One answer being read.
#[derive(Debug, Default)]
pub struct Reader {
    done: bool,
    finished: bool,
    usage: Map<String, Value>,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.done {
            return;
        }
        let Some(event) = parse(name, data, out) else { return };
        match event.get("type").and_then(Value::as_str) {
            Some("message_start") => self.merge(event.pointer("/message/usage"), out),
            Some("content_block_start") => {
                // A block may open with text already in it.
                push(out, Channel::Text, text(&event, "/content_block/text"));
                push(out, Channel::Reasoning, text(&event, "/content_block/thinking"));
            }
            Some("content_block_delta") => match event.pointer("/delta/type").and_then(Value::as_str) {
                Some("text_delta") => push(out, Channel::Text, text(&event, "/delta/text")),
                Some("thinking_delta") => push(out, Channel::Reasoning, text(&event, "/delta/thinking")),
                Some("input_json_delta") => push(out, Channel::Tool, text(&event, "/delta/partial_json")),
                _ => {}
            },
            Some("message_delta") => {
                self.merge(event.get("usage"), out);
                if let Some(reason) = text(&event, "/delta/stop_reason") {
                    self.finish(reason, out);
                }
            }
            Some("message_stop") => {
                self.finish("end_turn", out);
                self.done = true;
            }
            Some("error") => {
                self.done = true;
                out.push(Event::Failed(provider_fault(event.get("error").unwrap_or(&event))));
            }
            Some("ping" | "content_block_stop") => {}
            _ if event.get("error").is_some_and(|e| !e.is_null()) => {
                self.done = true;
                out.push(Event::Failed(provider_fault(&event["error"])));
            }
            _ => out.push(Event::Unknown),
        }
    }
}

impl Reader {
    fn finish(&mut self, reason: &str, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.finished, true) {
            out.push(Event::Finished { reason: finish(reason) });
        }
    }
    fn merge(&mut self, stated: Option<&Value>, out: &mut Vec<Event>) {
        let Some(Value::Object(stated)) = stated else { return };
        for (field, value) in stated.iter().filter(|(_, v)| !v.is_null()) {
            self.usage.insert(field.clone(), value.clone());
        }
        out.push(Event::Usage(usage::anthropic(&Value::Object(self.usage.clone()))));
    }
}

fn push(out: &mut Vec<Event>, channel: Channel, text: Option<&str>) {
    if let Some(text) = text {
        out.push(Event::Content { channel, text: text.to_owned(), tokens: None });
    }
}
