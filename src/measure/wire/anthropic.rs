//! Anthropic Messages.
//!
//! `message_start` carries the input's usage, `message_delta` the stop reason and *cumulative*
//! usage: each field stated later replaces the earlier one, nothing is added. `message_stop` is the
//! terminator. Dispatch is on the JSON `type`, since some proxies drop the event names.

use super::frame::{Answering, Quirks, Wire, arguments, call, error_of, finished, parse, push, system, text};
use crate::measure::event::{Channel, Event, Message, Request, Role, Tool};
use crate::measure::thoughts;
use crate::measure::usage::{self, Ledger};
use serde_json::{Value, json};

/// The API version that requests name; it refuses sampling parameters.
pub const VERSION: &str = "2026-10-21";
/// The older version, which still takes sampling parameters.
pub const VERSION_WITH_SAMPLING: &str = "2023-06-01";

/// `POST {base}/v1/messages`.
pub fn body(model: &str, request: &Request, quirks: &Quirks) -> Value {
    let messages = request.marked_messages();
    let mut body = json!({
        "model": model,
        "messages": turns(&messages),
        "max_tokens": request.max_output_tokens,
        "stream": true,
    });
    if let Some(text) = system(&messages) {
        body["system"] = json!(text);
    }
    if !request.tools.is_empty() {
        let tool = |t: &Tool| {
            let schema = t.parameters.clone().unwrap_or_else(|| json!({"type": "object"}));
            json!({"name": t.name, "description": t.description, "input_schema": schema})
        };
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if quirks.llama_server && request.is_cold() {
        body["cache_prompt"] = json!(false);
    }
    if let Some(temperature) = quirks.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(schema) = &request.json_schema {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    }
    body
}

/// Messages in this format: calls are blocks of the assistant's messages, results are blocks of the user's,
/// those of one answer together.
fn turns(messages: &[Message]) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for message in messages.iter().filter(|m| m.role != Role::System) {
        let words = message.content.as_deref().filter(|text| !text.is_empty());
        if let Some(id) = &message.tool_call_id {
            let result = json!({"type": "tool_result", "tool_use_id": id, "content": message.content});
            match out.last_mut().and_then(|last| last.get_mut("content")?.as_array_mut()) {
                Some(results) if results.iter().all(|r| r["type"] == "tool_result") => results.push(result),
                _ => out.push(json!({"role": "user", "content": [result]})),
            }
        } else if message.tool_calls.is_empty() {
            out.push(json!({"role": message.role, "content": message.content}));
        } else {
            let calls = message
                .tool_calls
                .iter()
                .map(|c| json!({"type": "tool_use", "id": c.id, "name": c.name, "input": arguments(c)}));
            let blocks: Vec<Value> =
                words.iter().map(|text| json!({"type": "text", "text": text})).chain(calls).collect();
            out.push(json!({"role": "assistant", "content": blocks}));
        }
    }
    out
}

/// The state of one answer while it is read.
#[derive(Debug, Default)]
pub struct Reader {
    reason_came: bool,
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
                // The output so far, one token or a few, is not the answer's.
                let so_far = event.pointer("/message/usage").and_then(Value::as_object);
                let mut counts = so_far.cloned().unwrap_or_default();
                counts.remove("output_tokens");
                self.count(Some(&Value::Object(counts)), out);
            }
            Some("content_block_start") => {
                // A block may open with text already in it.
                if let Some(block) = event.get("content_block") {
                    content(block, out);
                    if text(block, "/type") == Some("tool_use") {
                        call(text(block, "/name"), text(block, "/id"), out);
                    }
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
                self.count(event.get("usage"), out);
                if let Some(reason) = text(&event, "/delta/stop_reason") {
                    self.reason_came = true;
                    finished(reason, out);
                }
            }
            Some("message_stop") => {
                if !self.reason_came {
                    finished("end_turn", out);
                }
                // Some proxies count at the very end.
                self.count(event.get("usage"), out);
                out.push(Event::End);
            }
            Some("ping" | "content_block_stop") => {}
            _ => out.push(Event::Unknown),
        }
    }
}

/// Pushes the text or thinking of a block or a delta.
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
