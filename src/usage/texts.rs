//! Reads the prompts in records, to make prompt sets from one's own traffic. The code that counts use does
//! not use this file: texts are only read for a user who asks for them by a command of its own, and go
//! nowhere else.

use super::recognise::{self, Container};
use super::table::{self, Table};
use super::text::{Foreign, Text};
use serde_json::Value;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// The largest JSON document that does not consist of lines, bytes.
const LARGEST_DOCUMENT: u64 = 256 << 20;
/// The longest text of a message, bytes; longer ones are skipped.
const LONGEST: usize = 4 << 20;

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

/// A prompt, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub messages: Vec<Message>,
    pub model: Option<String>,
    /// The line that it was on; `None` where the file has no lines.
    pub line: Option<u64>,
}

/// Number of records that were seen, and of those that had a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextCounts {
    pub records: u64,
    pub prompts: u64,
}

/// Why a file was not read. None of these contains a text of the file.
#[derive(Debug)]
pub enum Unreadable {
    Io(io::Error),
    Foreign(Foreign),
    /// A document larger than 256 MiB that does not consist of lines.
    TooLarge,
    /// A table without a column that could contain prompts.
    NoTexts,
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Hand out the prompts of a file one by one, until `take` returns that it has enough.
pub fn prompts(
    from: impl Read,
    take: &mut dyn FnMut(Prompt) -> ControlFlow<()>,
) -> Result<TextCounts, Unreadable> {
    let mut text = Text::open(from)?.map_err(Unreadable::Foreign)?;
    let (head, all) = text.head()?;
    let mut found = TextCounts::default();
    match recognise::container(head, all) {
        None | Some(Container::Lines) => {}
        Some(Container::JsonLines) => {
            while let Some(line) = text.next_line()? {
                let value = serde_json::from_slice::<Value>(text.of(line));
                if let Ok(value) = value
                    && of_value(&value, Some(line.number), &mut found, take).is_break()
                {
                    break;
                }
            }
        }
        Some(Container::Json) => {
            text.skip_blank()?;
            let mut bytes = Vec::new();
            text.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > LARGEST_DOCUMENT {
                return Err(Unreadable::TooLarge);
            }
            for value in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
                let Ok(value) = value else { break };
                if of_value(&value, None, &mut found, take).is_break() {
                    break;
                }
            }
        }
        Some(Container::Table(mark)) => of_table(&mut text, mark, &mut found, take)?,
    }
    Ok(found)
}

type Take<'t> = &'t mut dyn FnMut(Prompt) -> ControlFlow<()>;

/// Prompts of a value: a record, or a list of records in some wrapper.
fn of_value(value: &Value, line: Option<u64>, found: &mut TextCounts, take: Take) -> ControlFlow<()> {
    if let Value::Array(rows) = value {
        return rows.iter().try_for_each(|row| of_value(row, line, found, take));
    }
    let lists = [
        "/data",
        "/observations",
        "/logEvents",
        "/events",
        "/resourceSpans",
        "/scopeSpans",
        "/spans",
        "/$set/messages",
    ];
    let inside = lists.iter().filter_map(|list| value.pointer(list)).filter(|list| list.is_array());
    let mut any = false;
    for list in inside {
        any = true;
        of_value(list, line, found, take)?;
    }
    // Gemini CLI's document, whose messages have no roles.
    if value.get("projectHash").is_some()
        && let Some(list) = value.get("messages").filter(|list| list.is_array())
    {
        any = true;
        of_value(list, line, found, take)?;
    }
    if any {
        return ControlFlow::Continue(());
    }
    // A record as a string inside an envelope.
    if let Some(inner) = value.get("message").and_then(json_text) {
        return of_value(&inner, line, found, take);
    }
    found.records += 1;
    let messages = of_record(value);
    if messages.iter().all(|message| message.role != Role::User) {
        return ControlFlow::Continue(());
    }
    found.prompts += 1;
    take(Prompt { messages, model: model(value), line })
}

fn model(value: &Value) -> Option<String> {
    let places =
        ["/model", "/modelId", "/message/model", "/request_model", "/provided_model_name", "/request/model"];
    let name = places.iter().find_map(|place| value.pointer(place)?.as_str())?;
    Some(name.chars().take(200).collect())
}

/// JSON inside a string.
fn json_text(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim_start();
    text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())?
}

/// The messages of a record, by its kind.
fn of_record(value: &Value) -> Vec<Message> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    let payload = value.get("payload");
    if let (true, Some(payload)) = (payload.is_some() && value.get("timestamp").is_some(), payload) {
        // Codex: what the user said is a message among the items of a turn.
        let role = payload.get("role").and_then(Value::as_str);
        return if role == Some("user") { one(payload) } else { Vec::new() };
    }
    if value.get("sessionId").is_some() && value.get("uuid").is_some() {
        // Claude Code: rows of the user, without results of tools.
        let is_meta = value.get("isMeta").and_then(Value::as_bool).unwrap_or(false);
        return match value.get("message") {
            Some(message) if kind == "user" && !is_meta => one(message),
            _ => Vec::new(),
        };
    }
    if kind == "user" && value.get("content").is_some() {
        // Gemini CLI.
        return text_of(&value["content"])
            .map(|text| Message { role: Role::User, text })
            .into_iter()
            .collect();
    }
    if let Some(attributes) = value.get("attributes").and_then(Value::as_array) {
        return of_attributes(attributes);
    }
    let places = [
        "/messages",
        "/request/messages",
        "/request_body",
        "/body/messages",
        "/full_request",
        "/input/inputBodyJson",
        "/proxy_server_request",
        "/request",
        "/input",
        "/request_prompt",
        "/prompt",
        "/question",
        "/instruction",
    ];
    let system = value.get("system").or_else(|| value.get("instructions")).and_then(text_of);
    for place in places {
        let mut messages = value.pointer(place).map(conversation).unwrap_or_default();
        if messages.iter().any(|message| message.role == Role::User) {
            if let (Some(text), true) = (&system, messages[0].role != Role::System) {
                messages.insert(0, Message { role: Role::System, text: text.clone() });
            }
            return messages;
        }
    }
    Vec::new()
}

/// A single message.
fn one(message: &Value) -> Vec<Message> {
    let text = message.get("content").and_then(text_of);
    text.map(|text| Message { role: Role::User, text }).into_iter().collect()
}

/// The messages of a span: a list in one attribute, or an attribute for each.
fn of_attributes(attributes: &[Value]) -> Vec<Message> {
    let text = |key: &str| {
        let found = attributes.iter().find(|a| a.get("key").and_then(Value::as_str) == Some(key))?;
        found.pointer("/value/stringValue")?.as_str().map(str::to_owned)
    };
    for key in ["gen_ai.input.messages", "ai.prompt.messages", "input.value", "ai.prompt"] {
        if let Some(found) = text(key) {
            let messages = conversation(&Value::String(found));
            if !messages.is_empty() {
                return messages;
            }
        }
    }
    (0..1000)
        .map_while(|n| {
            let content = text(&format!("gen_ai.prompt.{n}.content"))?;
            let role = text(&format!("gen_ai.prompt.{n}.role"));
            Some(Message { role: role_of(role.as_deref().unwrap_or("user"))?, text: content })
        })
        .collect()
}

fn role_of(name: &str) -> Option<Role> {
    match name {
        "system" | "developer" => Some(Role::System),
        "user" | "human" => Some(Role::User),
        "assistant" | "model" | "ai" => Some(Role::Assistant),
        _ => None,
    }
}

/// A conversation in any of the usual forms: a text, a list of messages, or a request that contains one.
fn conversation(value: &Value) -> Vec<Message> {
    match value {
        Value::String(text) => match json_text(value) {
            Some(inner) => conversation(&inner),
            None if text.trim().is_empty() || text.len() > LONGEST => Vec::new(),
            None => vec![Message { role: Role::User, text: text.clone() }],
        },
        Value::Array(list) => list
            .iter()
            .filter_map(|message| {
                let role = role_of(message.get("role").and_then(Value::as_str).unwrap_or("user"))?;
                let content = message.get("content").or_else(|| message.get("parts"))?;
                Some(Message { role, text: text_of(content)? })
            })
            .collect(),
        Value::Object(object) => {
            let system = ["system", "instructions", "systemInstruction", "system_instruction"];
            let system = system.iter().find_map(|key| text_of(object.get(*key)?));
            let mut messages: Vec<Message> =
                system.map(|text| Message { role: Role::System, text }).into_iter().collect();
            let keys = ["messages", "contents", "input", "prompt", "inputText"];
            if let Some(inner) = keys.iter().find_map(|key| object.get(*key)) {
                messages.extend(conversation(inner));
            }
            messages
        }
        _ => Vec::new(),
    }
}

/// The text of a message's content: the content itself, or its parts that are text.
fn text_of(content: &Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let of = |part: &Value| {
                let text = part.as_str().or_else(|| part.get("text")?.as_str());
                text.or_else(|| {
                    part.get("content")?.as_str().filter(|_| part.get("type").is_some_and(|t| t == "text"))
                })
                .map(str::to_owned)
            };
            parts.iter().filter_map(of).collect::<Vec<_>>().join("\n")
        }
        Value::Object(object) => return object.get("parts").or_else(|| object.get("text")).and_then(text_of),
        _ => return None,
    };
    (!text.trim().is_empty() && text.len() <= LONGEST).then_some(text)
}

fn of_table(text: &mut Text, mark: u8, found: &mut TextCounts, take: Take) -> Result<(), Unreadable> {
    let columns = [
        "messages",
        "request_body",
        "full_request",
        "request_prompt",
        "prompt",
        "input",
        "question",
        "instruction",
    ];
    let mut table = Table::new(text, mark);
    let table::Read::Record { .. } = table.read()? else { return Ok(()) };
    let names: Vec<String> = (0..table.cells())
        .map(|n| String::from_utf8_lossy(table.cell(n)).trim().to_ascii_lowercase())
        .collect();
    let at = |wanted: &str| names.iter().position(|name| name == wanted);
    let places: Vec<usize> = columns.iter().filter_map(|column| at(column)).collect();
    if places.is_empty() {
        return Err(Unreadable::NoTexts);
    }
    let model = at("model").or_else(|| at("request_model"));
    loop {
        let line = match table.read()? {
            table::Read::Record { line, .. } => line,
            table::Read::TooLong { .. } => continue,
            table::Read::NeverClosed { .. } | table::Read::End => return Ok(()),
        };
        found.records += 1;
        let cell = |n: usize| String::from_utf8_lossy(table.cell(n)).into_owned();
        let messages = places
            .iter()
            .map(|n| conversation(&Value::String(cell(*n))))
            .find(|messages| messages.iter().any(|message| message.role == Role::User));
        let Some(messages) = messages else { continue };
        found.prompts += 1;
        let model = model.map(cell).filter(|name| !name.is_empty());
        if take(Prompt { messages, model, line: Some(line) }).is_break() {
            return Ok(());
        }
    }
}
