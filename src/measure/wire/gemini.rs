//! Gemini `streamGenerateContent?alt=sse`: CRLF lines, no event names, no `[DONE]`. Usage stands in
//! nearly every chunk and the last one wins; a chunk can hold hundreds of tokens. There is no
//! terminator: a finish reason stands once the stream ends.

use super::frame::{
    Answering, Quirks, Wire, arguments, call, error_of, finished, function_of, parse, push, system, text,
};
use crate::measure::event::{Channel, Event, FinishReason, Message, Request, Role};
use crate::measure::usage::{self, Ledger};
use serde_json::{Value, json};

/// `POST {base}/v1beta/models/MODEL:streamGenerateContent?alt=sse`; the key goes in a header.
pub fn body(request: &Request, quirks: &Quirks) -> Value {
    let messages = request.marked_messages();
    let mut body = json!({
        "contents": contents(&messages),
        "generationConfig": {"maxOutputTokens": request.max_output_tokens},
    });
    if let Some(text) = system(&messages) {
        body["systemInstruction"] = json!({"parts": [{"text": text}]});
    }
    if !request.tools.is_empty() {
        body["tools"] = json!([{"functionDeclarations": request.tools}]);
    }
    if let Some(temperature) = quirks.temperature {
        body["generationConfig"]["temperature"] = json!(temperature);
    }
    if let Some(schema) = &request.json_schema {
        body["generationConfig"]["responseMimeType"] = json!("application/json");
        body["generationConfig"]["responseJsonSchema"] = schema.clone();
    }
    body
}

/// Messages in this format: calls and their results are parts, a result names the function instead of the
/// call, and the results of one answer are together.
fn contents(messages: &[Message]) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    let mut results = false;
    for (n, message) in messages.iter().enumerate().filter(|(_, m)| m.role != Role::System) {
        if let Some(id) = &message.tool_call_id {
            let name = function_of(&messages[..n], id).unwrap_or("unknown");
            let part = json!({"functionResponse": {"name": name, "response": {"result": message.content}}});
            match out.last_mut().and_then(|last| last["parts"].as_array_mut()).filter(|_| results) {
                Some(parts) => parts.push(part),
                None => out.push(json!({"role": "user", "parts": [part]})),
            }
            results = true;
            continue;
        }
        results = false;
        let words = message.content.iter().filter(|text| !text.is_empty()).map(|text| json!({"text": text}));
        let calls = message
            .tool_calls
            .iter()
            .map(|call| json!({"functionCall": {"name": call.name, "args": arguments(call)}}));
        let parts: Vec<Value> = words.chain(calls).collect();
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        out.push(json!({"role": role, "parts": parts}));
    }
    out
}

/// The state of one answer while it is read.
#[derive(Debug, Default)]
pub struct Reader {
    text_came: bool,
    model: Answering,
    usage: Ledger,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        let Some(chunk) = parse(name, data, out) else { return };
        if let Some(error) = error_of(name, &chunk) {
            out.push(error);
            return;
        }
        self.model.note(text(&chunk, "/modelVersion"), out);
        if let Some(parts) = chunk.pointer("/candidates/0/content/parts").and_then(Value::as_array) {
            for part in parts {
                self.part(part, out);
            }
        }
        if let Some(counts) = chunk.get("usageMetadata").filter(|u| u.is_object())
            && let usage = usage::gemini(&self.usage.renew(counts), self.text_came)
            && usage.says_something()
        {
            out.push(Event::Usage(usage));
        }
        if let Some(reason) = text(&chunk, "/candidates/0/finishReason") {
            finished(reason, out);
        } else if text(&chunk, "/promptFeedback/blockReason").is_some() {
            out.push(Event::Finished { reason: FinishReason::ContentFilter });
        }
    }
}

impl Reader {
    fn part(&mut self, part: &Value, out: &mut Vec<Event>) {
        if let Some(words) = text(part, "/text") {
            let thought = part.get("thought").and_then(Value::as_bool) == Some(true);
            self.text_came |= !thought;
            push(out, if thought { Channel::Reasoning } else { Channel::Text }, words);
        } else if let Some(thought) = text(part, "/thought") {
            push(out, Channel::Reasoning, thought);
        }
        if let Some(function) = part.get("functionCall") {
            self.text_came = true;
            call(text(function, "/name"), text(function, "/id"), out);
            let arguments = function.get("args").map(Value::to_string).unwrap_or_default();
            push(out, Channel::Tool, &arguments);
        }
    }
}
