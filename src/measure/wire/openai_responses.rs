//! `OpenAI` Responses. `*.done` events repeat the whole text and are never added to the deltas;
//! dispatch is on the JSON `type`; there is no `[DONE]`.

use super::frame::{Outgoing, Quirks, Wire, failed, finish, parse, text};
use crate::measure::event::{Channel, Event, FaultKind, FinishReason, Request};
use crate::measure::provider_error::provider_fault;
use crate::measure::usage;
use serde_json::{Value, json};

/// `POST {base}/responses`. `store: false`, since stored answers are the provider's default.
pub fn outgoing(model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
    let mut body = json!({
        "model": model,
        "input": request.marked_messages(),
        "stream": true,
        "store": false,
        "max_output_tokens": request.max_output_tokens,
    });
    if quirks.obfuscates {
        body["stream_options"] = json!({"include_obfuscation": false});
    }
    if quirks.llama_server {
        body["cache_prompt"] = json!(false);
    }
    if let Some(temperature) = quirks.temperature {
        body["temperature"] = json!(temperature);
    }
    Outgoing { path: "responses".to_owned(), query: None, body }
}

/// One answer being read.
#[derive(Debug, Default)]
pub struct Reader {
    done: bool,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.done {
            return;
        }
        let Some(event) = parse(name, data, out) else { return };
        let delta = |channel| {
            text(&event, "/delta").map(|d| Event::Content { channel, text: d.to_owned(), tokens: None })
        };
        match event.get("type").and_then(Value::as_str).unwrap_or_default() {
            "response.output_text.delta" => out.extend(delta(Channel::Text)),
            "response.refusal.delta" => out.extend(delta(Channel::Refusal)),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                out.extend(delta(Channel::Reasoning));
            }
            "response.function_call_arguments.delta" => out.extend(delta(Channel::Tool)),
            "response.completed" => self.end_with(FinishReason::Stop, &event, out),
            "response.incomplete" => {
                let reason =
                    text(&event, "/response/incomplete_details/reason").map_or(FinishReason::Other, finish);
                self.end_with(reason, &event, out);
            }
            "response.failed" => {
                self.done = true;
                // What failed may have been billed.
                usage_of(&event, out);
                out.push(match event.pointer("/response/error") {
                    Some(error) if !error.is_null() => Event::Failed(provider_fault(error)),
                    _ => failed(
                        FaultKind::ProviderError,
                        "the provider reports that the answer failed".to_owned(),
                    ),
                });
            }
            "error" => {
                self.done = true;
                let inner = event.get("error").filter(|e| !e.is_null());
                out.push(Event::Failed(provider_fault(inner.unwrap_or(&event))));
            }
            kind if kind.starts_with("response.") => {}
            _ if event.get("error").is_some_and(|e| !e.is_null()) => {
                self.done = true;
                out.push(Event::Failed(provider_fault(&event["error"])));
            }
            _ => out.push(Event::Unknown),
        }
    }
}

impl Reader {
    fn end_with(&mut self, reason: FinishReason, event: &Value, out: &mut Vec<Event>) {
        self.done = true;
        usage_of(event, out);
        out.push(Event::Finished { reason });
    }
}

fn usage_of(event: &Value, out: &mut Vec<Event>) {
    if let Some(counts) = event.pointer("/response/usage").filter(|u| u.is_object()) {
        out.push(Event::Usage(usage::openai_responses(counts)));
    }
}
