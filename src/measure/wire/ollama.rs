//! Ollama's own `/api/chat`: one JSON object a line, complete with `done: true`. A failure is a
//! line `{"error": …}` under HTTP 200. Models whose name ends in `cloud` run on Ollama's servers
//! through the same local port, and answers then name a `remote_host`: such a target is a cloud.

use super::frame::{
    Answering, Quirks, Wire, arguments, call, error_of, finished, function_of, parse, push, text, tool,
};
use crate::measure::event::{Channel, Event, Message, Request, ToolCall};
use crate::measure::provider_error::clip;
use crate::measure::thoughts;
use crate::measure::usage;
use serde_json::{Value, json};

/// `POST {base}/api/chat`.
pub fn body(model: &str, request: &Request, quirks: &Quirks) -> Value {
    let mut options = json!({"num_predict": request.max_output_tokens});
    if let Some(temperature) = quirks.temperature {
        options["temperature"] = json!(temperature);
    }
    let messages = request.marked_messages();
    let messages: Vec<Value> = (0..messages.len()).map(|n| message(&messages[..=n])).collect();
    let mut body = json!({"model": model, "messages": messages, "stream": true, "options": options});
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if let Some(schema) = &request.json_schema {
        body["format"] = schema.clone();
    }
    body
}

/// The last of these messages in this format: arguments of calls are objects, and a result names the
/// function.
fn message(upto: &[Message]) -> Value {
    let Some((message, before)) = upto.split_last() else { return Value::Null };
    let mut sent = json!({"role": message.role, "content": message.content.as_deref().unwrap_or_default()});
    if !message.tool_calls.is_empty() {
        let call = |c: &ToolCall| json!({"function": {"name": c.name, "arguments": arguments(c)}});
        sent["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    if let Some(name) = message.tool_call_id.as_deref().and_then(|id| function_of(before, id)) {
        sent["tool_name"] = json!(name);
    }
    sent
}

/// The other host on which a model runs by its own word: Ollama runs some models in its own cloud, through
/// the port on this machine.
fn elsewhere(object: &Value) -> Option<String> {
    text(object, "/remote_host").or_else(|| text(object, "/remote_model")).map(clip)
}

/// The other host on which a model runs by the server's list of models (`GET /api/tags`); `None`: on the
/// server itself. An error where the list does not name it or cannot be read.
pub fn runs_elsewhere(tags: &str, model: &str) -> Result<Option<String>, String> {
    let list: Value =
        serde_json::from_str(tags).map_err(|_| "its list of models cannot be read".to_owned())?;
    let models = list.get("models").and_then(Value::as_array);
    let full = |name: &str| if name.contains(':') { name.to_owned() } else { format!("{name}:latest") };
    let named = |m: &&Value| {
        ["/name", "/model"].iter().any(|p| text(m, p).is_some_and(|name| full(name) == full(model)))
    };
    let found = models.and_then(|m| m.iter().find(named));
    found.map(elsewhere).ok_or_else(|| format!("its list of models has no {}", clip(model)))
}

/// The state of one answer while it is read.
#[derive(Debug, Default)]
pub struct Reader {
    model: Answering,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        let Some(line) = parse(name, data, out) else { return };
        if let Some(error) = error_of(name, &line) {
            out.push(error);
            return;
        }
        if let Some(host) = elsewhere(&line) {
            out.push(Event::RunsElsewhere { host });
        }
        self.model.note(text(&line, "/model"), out);
        let message = line.get("message").filter(|m| m.is_object()).unwrap_or(&line);
        push(out, Channel::Reasoning, &thoughts::in_fields(message));
        let words = text(message, "/content").or_else(|| text(&line, "/response"));
        push(out, Channel::Text, words.unwrap_or_default());
        for part in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            call(text(part, "/function/name"), text(part, "/id"), out);
            let arguments = part.pointer("/function/arguments").map(Value::to_string);
            push(out, Channel::Tool, arguments.as_deref().unwrap_or_default());
        }
        if line.get("done").and_then(Value::as_bool) == Some(true) {
            let counts = usage::ollama(&line);
            let millis = |name: &str| {
                line.get(name).and_then(Value::as_f64).map(|ns| ns / 1e6).filter(|ms| *ms >= 0.0)
            };
            let tokens = |count: Option<u64>| u32::try_from(count?).ok();
            let (prompt, output) = (tokens(counts.input_uncached), tokens(counts.output));
            out.push(Event::Usage(counts));
            if let (Some(prompt_tokens), Some(prompt_ms), Some(output_tokens), Some(output_ms)) =
                (prompt, millis("prompt_eval_duration"), output, millis("eval_duration"))
            {
                out.push(Event::EngineTimings { prompt_tokens, prompt_ms, output_tokens, output_ms });
            }
            // The answer is done, whatever the reason says.
            let before = out.len();
            finished(text(&line, "/done_reason").unwrap_or("stop"), out);
            if out.len() == before {
                finished("stop", out);
            }
            out.push(Event::End);
        }
    }
}
