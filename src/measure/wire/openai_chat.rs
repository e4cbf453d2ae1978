//! `OpenAI` chat completions, and the many servers that speak it.
//!
//! Reading rule for every chunk: an error, wherever it stands; then choice 0: reasoning under any of
//! its names, text, refusal, tool arguments; then usage, in the chunk, in `x_groq` or in the choice;
//! then `finish_reason`. The usage chunk has no choices, the first chunk only a role. `[DONE]` is the
//! terminator where it comes; it is not required, and an end without a finish reason is a truncated
//! answer.

use super::frame::{
    Answering, Quirks, SCHEMA_NAME, Wire, call, error_of, finished, is_cut, is_done, is_keep_alive, parse,
    push, text, tool,
};
use crate::measure::event::{Channel, Event, FinishReason, Message, Request, ToolCall, Usage};
use crate::measure::thoughts;
use crate::measure::usage::{self, Ledger};
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;

/// `POST {base}/chat/completions`.
pub fn body(model: &str, request: &Request, quirks: &Quirks) -> Value {
    let mut body = json!({
        "model": model,
        "messages": request.marked_messages().iter().map(message).collect::<Vec<_>>(),
        "stream": true,
        (quirks.limit_field.name()): request.max_output_tokens,
    });
    if quirks.stream_options {
        body["stream_options"] = json!({"include_usage": true});
        if quirks.obfuscates {
            body["stream_options"]["include_obfuscation"] = json!(false);
        }
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
        let format = json!({"name": SCHEMA_NAME, "strict": true, "schema": schema});
        body["response_format"] = json!({"type": "json_schema", "json_schema": format});
    }
    body
}

/// A message in this format.
fn message(message: &Message) -> Value {
    let mut sent = json!({"role": message.role, "content": message.content});
    if !message.tool_calls.is_empty() {
        let call = |c: &ToolCall| json!({"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}});
        sent["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    if let Some(id) = &message.tool_call_id {
        sent["tool_call_id"] = json!(id);
    }
    sent
}

/// The state of one answer while it is read.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    reason_came: bool,
    text_came: bool,
    usage_came: bool,
    model: Answering,
    usage: Ledger,
    last: Last,
}

impl Wire for Reader {
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.begun {
            if let Some(text) = self.last.text_of(name, data) {
                self.text_came |= !text.is_empty();
                push(out, Channel::Text, text);
                return;
            }
            if let Some(text) = plain(name, data) {
                self.text_came |= !text.is_empty();
                push(out, Channel::Text, &text);
                if let Cow::Borrowed(text) = text {
                    self.last.note(name, data, text);
                }
                return;
            }
        }
        if is_done(data) && !self.reason_came && self.text_came && self.usage_came {
            // Some servers never give a reason: text with its usage is then a whole answer.
            out.push(Event::Finished { reason: FinishReason::Other });
        }
        let Some(chunk) = parse(name, data, out) else { return };
        let choice = first_choice(&chunk);
        if let Some(error) = error_of(name, &chunk) {
            self.count(&chunk, choice, out);
            out.push(error);
            return;
        }
        // The first chunk names the model that answers.
        self.begun = true;
        self.model.note(text(&chunk, "/model"), out);
        if let Some(choice) = choice {
            self.choice(choice, out);
        }
        self.count(&chunk, choice, out);
        if let Some(timings) = chunk.get("timings").and_then(engine_timings) {
            out.push(timings);
        }
        if let Some(reason) = choice.and_then(|choice| choice.get("finish_reason")) {
            let reason = match reason {
                Value::String(reason) => reason.as_str(),
                Value::Null | Value::Bool(false) => return,
                // SGLang's own form.
                Value::Object(_) => text(reason, "/type").unwrap_or("another kind"),
                _ => "another kind",
            };
            // A router translates the reason, and says which one it was.
            let native = choice.and_then(|choice| text(choice, "/native_finish_reason"));
            let reason = native.filter(|native| is_cut(native)).unwrap_or(reason);
            let before = out.len();
            finished(reason, out);
            self.reason_came |= out.len() > before;
        }
    }
}

/// The only choice that is read: the one of index 0.
fn first_choice(chunk: &Value) -> Option<&Value> {
    let first = |choice: &&Value| choice.get("index").is_none_or(|i| i.is_null() || i.as_f64() == Some(0.0));
    chunk.get("choices")?.as_array()?.iter().find(first)
}

impl Reader {
    fn choice(&mut self, choice: &Value, out: &mut Vec<Event>) {
        let before = out.len();
        match choice.get("delta").filter(|d| !d.is_null()) {
            Some(delta) => content(delta, out),
            // A gateway that does not stream, or not in this format, sends the whole message at once.
            None if !self.text_came => match choice.get("message").filter(|m| m.is_object()) {
                Some(message) => content(message, out),
                None => push(out, Channel::Text, text(choice, "/text").unwrap_or_default()),
            },
            None => {}
        }
        self.text_came |= out.len() > before;
    }

    /// Reads the usage record, in all places where servers put it.
    fn count(&mut self, chunk: &Value, choice: Option<&Value>, out: &mut Vec<Event>) {
        let places =
            [chunk.get("usage"), chunk.pointer("/x_groq/usage"), choice.and_then(|c| c.get("usage"))];
        let mut records = places.into_iter().flatten().filter(|u| u.is_object()).peekable();
        if records.peek().is_none() {
            return;
        }
        let mut all = Value::Null;
        for record in records {
            all = self.usage.add(record);
        }
        let cached = chunk.get("timings").and_then(from_engines_cache);
        let usage = usage::with_cached(usage::openai_chat(&all), cached);
        if usage.says_something() {
            self.usage_came = true;
            let special_tier = usage.special_tier.clone().or_else(|| usage::tier(chunk.get("service_tier")));
            out.push(Event::Usage(Usage { special_tier, ..usage }));
        }
    }
}

/// What nearly every event of a stream is: one choice with a piece of text and nothing else that matters.
/// It is read without building a tree of JSON values; everything else takes the general path.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    choices: [PlainChoice<'a>; 1],
    #[serde(borrow)]
    object: Option<&'a str>,
    usage: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
    errors: Option<IgnoredAny>,
    base_resp: Option<IgnoredAny>,
    timings: Option<IgnoredAny>,
    x_groq: Option<IgnoredAny>,
    r#type: Option<IgnoredAny>,
    status: Option<IgnoredAny>,
    response: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PlainChoice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    delta: PlainDelta<'a>,
    finish_reason: Option<IgnoredAny>,
    usage: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// A delta with text and nothing else: any other key with a value that is not null is an error.
struct PlainDelta<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for PlainDelta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = PlainDelta<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a delta with text alone")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PlainDelta<'de>, A::Error> {
                let mut content: Option<Text<'de>> = None;
                // A key with an escape in it is an error here.
                while let Some(name) = map.next_key::<&str>()? {
                    match name {
                        "content" => content = map.next_value()?,
                        "role" => drop(map.next_value::<IgnoredAny>()?),
                        _ => {
                            if map.next_value::<Option<IgnoredAny>>()?.is_some() {
                                return Err(de::Error::custom("another member"));
                            }
                        }
                    }
                }
                Ok(PlainDelta(content.map(|text| text.0)))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A string that is borrowed if nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The plain event before this one: what comes before its text, and after it. An event that differs only in
/// its text is plain, too, and is not parsed.
#[derive(Debug, Default)]
struct Last {
    name: String,
    before: String,
    behind: String,
}

impl Last {
    /// Remembers a plain event; `text` is a slice of its `data`.
    fn note(&mut self, name: &str, data: &str, text: &str) {
        let at = (text.as_ptr() as usize).wrapping_sub(data.as_ptr() as usize);
        if let (Some(before), Some(behind)) = (data.get(..at), data.get(at + text.len()..)) {
            name.clone_into(&mut self.name);
            before.clone_into(&mut self.before);
            behind.clone_into(&mut self.behind);
        }
    }

    /// The text of an event that differs from the remembered one in nothing else.
    fn text_of<'d>(&self, name: &str, data: &'d str) -> Option<&'d str> {
        let text = data.strip_prefix(self.before.as_str())?.strip_suffix(self.behind.as_str())?;
        let ends_or_escapes = |byte: u8| matches!(byte, b'"' | b'\\') || byte < b' ';
        let plain = !self.behind.is_empty() && self.name == name && !text.bytes().any(ends_or_escapes);
        plain.then_some(text)
    }
}

/// The text of a plain event.
fn plain<'d>(name: &str, data: &'d str) -> Option<Cow<'d, str>> {
    let chunk: Plain<'_> = serde_json::from_str(data).ok()?;
    let [choice] = chunk.choices;
    let others = [
        chunk.usage,
        chunk.error,
        chunk.errors,
        chunk.base_resp,
        chunk.timings,
        chunk.x_groq,
        chunk.r#type,
        chunk.status,
        chunk.response,
        choice.finish_reason,
        choice.usage,
        choice.error,
    ];
    let nothing_else = others.iter().all(Option::is_none)
        && choice.index.unwrap_or(0) == 0
        && name != "error"
        && !is_keep_alive(name)
        && chunk.object != Some("error");
    choice.delta.0.filter(|_| nothing_else)
}

fn content(delta: &Value, out: &mut Vec<Event>) {
    // Reasoning comes before text where one chunk has both.
    push(out, Channel::Reasoning, &thoughts::in_fields(delta));
    match delta.get("content") {
        Some(Value::String(text)) => push(out, Channel::Text, text),
        Some(Value::Array(parts)) => parts.iter().for_each(|part| typed_part(part, out)),
        Some(part @ Value::Object(_)) => typed_part(part, out),
        _ => {}
    }
    push(out, Channel::Refusal, text(delta, "/refusal").unwrap_or_default());
    for part in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        call(text(part, "/function/name"), text(part, "/id"), out);
        push(out, Channel::Tool, text(part, "/function/arguments").unwrap_or_default());
    }
    call(text(delta, "/function_call/name"), None, out);
    push(out, Channel::Tool, text(delta, "/function_call/arguments").unwrap_or_default());
}

/// Some servers send content as typed parts, and some leave the type out.
fn typed_part(part: &Value, out: &mut Vec<Event>) {
    let words = || part.as_str().or_else(|| text(part, "/text")).unwrap_or_default();
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "output_text" | "text_delta") => push(out, Channel::Text, words()),
        Some(kind) if thoughts::is_part(kind) => push(out, Channel::Reasoning, &thoughts::of_part(part)),
        Some(_) => {}
        None => {
            push(out, Channel::Reasoning, &thoughts::in_fields(part));
            push(out, Channel::Text, words());
        }
    }
}

/// Tokens of the prompt that a llama.cpp server had in its cache, of all that it had.
fn from_engines_cache(timings: &Value) -> Option<(u64, u64)> {
    let count = |name: &str| timings.get(name).and_then(Value::as_u64);
    let cached = count("cache_n")?;
    Some((cached, cached.checked_add(count("prompt_n")?)?))
}

/// Reads a llama.cpp server's own counters.
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

    /// A reader that knows which model answers, as after any first frame.
    fn under_way() -> Reader {
        let mut reader = Reader::default();
        reader.frame("message", "{\"model\":\"m\",\"choices\":[]}", &mut Vec::new());
        reader
    }
    /// The events of a frame by the general path alone.
    fn long_way(data: &str) -> Vec<Event> {
        let (mut reader, mut out) = (under_way(), Vec::new());
        // An extra key changes nothing but keeps the short path from being taken.
        let kept_off = data.replacen('{', "{\"timings\":{},", 1);
        assert_eq!(plain("message", &kept_off), None);
        reader.frame("message", &kept_off, &mut out);
        for event in &mut out {
            if let Event::Refused { error: Value::Object(members) } = event {
                members.remove("timings");
            }
        }
        out
    }
    fn events(data: &str) -> Vec<Event> {
        let (mut reader, mut out) = (under_way(), Vec::new());
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
            Just("\"errors\":[{\"message\":\"no\"}]"),
            Just("\"status\":\"error\""),
            Just("\"type\":\"error\""),
            Just("\"base_resp\":{\"status_code\":1004,\"status_msg\":\"no\"}"),
            Just("\"detail\":\"x\""),
            Just("\"response\":{\"error\":\"x\"}"),
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
            Just("\"reasoning_text\":\"hm\""),
            Just("\"thinking\":{\"text\":\"hm\"}"),
            Just("\"new_member\":7"),
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
            finish in prop_oneof![Just(""), Just(",\"usage\":{\"prompt_tokens\":4}"), Just(",\"error\":{\"code\":1}"), Just(",\"finish_reason\":null"), Just(",\"finish_reason\":\"stop\""), Just(",\"finish_reason\":\"\"")],
            choices in 0usize..3,
        ) {
            let choice = format!("{{{index}\"delta\":{{{}}}{finish}}}", parts.join(","));
            let choices = format!("\"choices\":[{}]", vec![choice; choices].join(","));
            let mut all = vec![choices.as_str()];
            all.extend(members);
            let data = format!("{{{}}}", all.join(","));
            prop_assert_eq!(events(&data), long_way(&data), "{}", data);
        }

        /// The same after other events, from which this one may differ in anything.
        #[test]
        fn a_shape_that_was_learnt_changes_nothing(
            texts in proptest::collection::vec(prop_oneof![
                Just(""), Just("w"), Just(" \u{fc}ber"), Just("\\n"), Just("a\\\"b"), Just("\"},\"finish_reason\":\"stop"),
                Just("\"}},\"finish_reason\":\"stop\",\"x\":{\"y\":\""), Just("\\u00e9"), Just("\t"), Just("\\"),
            ], 1..6),
            finish in prop_oneof![Just("null"), Just("\"stop\"")],
            more in prop_oneof![Just(""), Just(",\"usage\":null"), Just(",\"error\":{\"message\":\"no\"}")],
            name in prop_oneof![Just("message"), Just("ping")],
        ) {
            let mut reader = under_way();
            let frame = |text: &str, finish: &str, more: &str| {
                format!("{{\"id\":\"x\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}]{more}}}")
            };
            reader.frame("message", &frame("so", "null", ""), &mut Vec::new());
            reader.frame("message", &frame("on", "null", ""), &mut Vec::new());
            for text in &texts {
                for (finish, more, name) in [("null", "", "message"), (finish, more, name)] {
                    let data = frame(text, finish, more);
                    let mut out = Vec::new();
                    reader.frame(name, &data, &mut out);
                    let mut fresh = under_way();
                    let mut wanted = Vec::new();
                    fresh.frame(name, &data, &mut wanted);
                    // Both share what depends on earlier events.
                    prop_assert_eq!(&out, &wanted, "{}", data);
                }
            }
        }
    }
}
