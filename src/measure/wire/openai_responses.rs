//! `OpenAI` Responses. `*.done` events repeat the whole text and are never added to the deltas; they are
//! read where no deltas come;
//! dispatch is on the JSON `type`. The terminator is
//! `response.completed`, `.incomplete` or `.failed`; there is no `[DONE]`.

use super::frame::{Answering, Quirks, SCHEMA_NAME, Wire, call, error_of, finished, parse, push, text};
use crate::measure::event::{Channel, Event, FinishReason, Message, Request, Role, Tool};
use crate::measure::usage;
use serde_json::{Value, json};

/// `POST {base}/responses`. `store: false`, since stored answers are the provider's default.
pub fn body(model: &str, request: &Request, quirks: &Quirks) -> Value {
    let mut body = json!({
        "model": model,
        "input": request.marked_messages().iter().flat_map(items).collect::<Vec<_>>(),
        "stream": true,
        "store": false,
        "max_output_tokens": request.max_output_tokens,
    });
    if quirks.obfuscates {
        body["stream_options"] = json!({"include_obfuscation": false});
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if quirks.llama_server && request.is_cold() {
        body["cache_prompt"] = json!(false);
    }
    if let Some(temperature) = quirks.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(schema) = &request.json_schema {
        body["text"] = json!({"format":
            {"type": "json_schema", "name": SCHEMA_NAME, "strict": true, "schema": schema}});
    }
    body
}

/// A message as items of this format: its text and each of its calls, or a tool's result.
fn items(message: &Message) -> Vec<Value> {
    if let Some(id) = &message.tool_call_id {
        return vec![json!({"type": "function_call_output", "call_id": id, "output": message.content})];
    }
    let words = message.content.iter().map(|text| match message.role {
        // An answer is an item of its own kind: llama.cpp's server takes it only in this form.
        Role::Assistant => {
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
        }
        role => json!({"role": role, "content": text}),
    });
    let calls = message
        .tool_calls
        .iter()
        .map(|c| json!({"type": "function_call", "call_id": c.id, "name": c.name, "arguments": c.arguments}));
    words.chain(calls).collect()
}

fn tool(tool: &Tool) -> Value {
    json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters})
}

/// The state of one answer while it is read.
#[derive(Debug, Default)]
pub struct Reader {
    model: Answering,
    said_in: Said,
    /// A call was announced.
    called: bool,
}

/// Which events the answer is in; the others repeat it. What does not stream sends no deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Said {
    #[default]
    Nowhere,
    Deltas,
    Texts,
    Items,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        let Some(event) = parse(name, data, out) else { return };
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "response.completed" | "response.incomplete" | "response.failed") {
            self.model.note(text(&event, "/response/model"), out);
            // A failed answer may have been billed.
            if let Some(counts) = event.pointer("/response/usage").filter(|u| u.is_object()) {
                out.push(Event::Usage(usage::openai_responses(counts)));
            }
        }
        if let Some(error) = error_of(name, &event) {
            out.push(error);
            return;
        }
        let delta =
            |out: &mut Vec<Event>, channel| push(out, channel, text(&event, "/delta").unwrap_or_default());
        if matches!(
            kind,
            "response.output_text.delta"
                | "response.refusal.delta"
                | "response.function_call_arguments.delta"
        ) {
            self.said_in = Said::Deltas;
        }
        match kind {
            "response.output_text.delta" => delta(out, Channel::Text),
            "response.refusal.delta" => delta(out, Channel::Refusal),
            "response.reasoning_summary_text.delta"
            | "response.reasoning_text.delta"
            | "response.reasoning.delta"
            | "response.reasoning_content.delta"
            | "response.reasoning_summary.delta" => delta(out, Channel::Reasoning),
            "response.function_call_arguments.delta" => delta(out, Channel::Tool),
            "response.output_item.added" if text(&event, "/item/type") == Some("function_call") => {
                self.called = true;
                call(text(&event, "/item/name"), text(&event, "/item/call_id"), out);
            }
            "response.created" => self.model.note(text(&event, "/response/model"), out),
            "response.output_text.done" if matches!(self.said_in, Said::Nowhere | Said::Texts) => {
                self.said_in = Said::Texts;
                push(out, Channel::Text, text(&event, "/text").unwrap_or_default());
            }
            "response.output_item.done" if matches!(self.said_in, Said::Nowhere | Said::Items) => {
                if let Some(item) = event.get("item") {
                    self.item(item, out);
                }
            }
            "response.completed" | "response.incomplete" => {
                if self.said_in == Said::Nowhere {
                    let items = event.pointer("/response/output").and_then(Value::as_array);
                    items.into_iter().flatten().for_each(|item| self.item(item, out));
                }
                let before = out.len();
                // Some say "completed" of an answer that they state to be incomplete.
                finished(text(&event, "/response/incomplete_details/reason").unwrap_or_default(), out);
                if out.len() == before {
                    let whole = kind == "response.completed";
                    let reason = if whole { FinishReason::Stop } else { FinishReason::Other };
                    out.push(Event::Finished { reason });
                }
                out.push(Event::End);
            }
            "response.failed" => {
                out.push(Event::Refused { error: json!("the provider reports that the answer failed") });
            }
            "response.cancelled" => {
                out.push(Event::Refused {
                    error: json!("the provider reports that the answer was cancelled"),
                });
            }
            kind if kind.starts_with("response.") => {}
            _ => out.push(Event::Unknown),
        }
    }
}

impl Reader {
    /// An item of the answer in one piece: a message or a call.
    fn item(&mut self, item: &Value, out: &mut Vec<Event>) {
        let before = out.len();
        for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
            match text(part, "/type") {
                Some("output_text" | "text") => {
                    push(out, Channel::Text, text(part, "/text").unwrap_or_default());
                }
                Some("refusal") => push(out, Channel::Refusal, text(part, "/refusal").unwrap_or_default()),
                _ => {}
            }
        }
        if text(item, "/type") == Some("function_call") {
            if !self.called {
                call(text(item, "/name"), text(item, "/call_id"), out);
            }
            push(out, Channel::Tool, text(item, "/arguments").unwrap_or_default());
        }
        if out.len() > before {
            self.said_in = Said::Items;
        }
    }
}
