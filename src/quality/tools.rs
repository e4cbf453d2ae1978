//! Calls of tools in an answer: are they well formed, do they fit their schema, are they the ones
//! that were expected?

use super::schema::Schema;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One function of a request: its name and the schema of its arguments.
fn parameters<'a>(functions: &'a [&'a Value], name: &str) -> Option<&'a Value> {
    functions.iter().find(|f| f.get("name").and_then(Value::as_str) == Some(name))?.get("parameters")
}

/// Is a call `{name, arguments}` of one of these functions, with arguments that fit its schema?
fn call_fits(call: &Value, functions: &[&Value]) -> bool {
    let (Some(name), Some(arguments)) =
        (call.get("name").and_then(Value::as_str), call.get("arguments").and_then(Value::as_str))
    else {
        return false;
    };
    let (Some(arguments), Some(schema)) = (super::json::parse(arguments), parameters(functions, name)) else {
        return false;
    };
    Schema::new(schema).is_ok_and(|schema| schema.holds(&arguments))
}

/// Are all calls of an answer in `OpenAI`'s tool format calls of the tools that were offered?
pub(super) fn tools_call_fits(text: &str, output: &Value, tools: Option<&[Value]>) -> bool {
    // What a server of tools has done already is judged by what it says.
    if text.contains("MCP Tool Error") {
        return false;
    }
    if text.contains("MCP Tool Result") {
        return true;
    }
    let calls = output.get("tool_calls").unwrap_or(output);
    let Some(calls) = calls.as_array().filter(|c| !c.is_empty()) else { return false };
    let functions: Vec<&Value> = tools
        .unwrap_or_default()
        .iter()
        .filter(|t| t.get("type").and_then(Value::as_str) == Some("function"))
        .filter_map(|t| t.get("function"))
        .collect();
    tools.is_some() && calls.iter().all(|c| c.get("function").is_some_and(|f| call_fits(f, &functions)))
}

/// Is an answer a call in `OpenAI`'s older function format of one of the functions that were offered?
pub(super) fn function_call_fits(output: &Value, functions: Option<&[Value]>) -> bool {
    let call = output.get("function_call").unwrap_or(output);
    let functions: Vec<&Value> = functions.unwrap_or_default().iter().collect();
    call.is_object() && call_fits(call, &functions)
}

/// F1 of the names of the tools called beside those expected, 0 to 1; order and number do not matter.
pub(super) fn f1(output: &Value, text: Option<&str>, expected: &BTreeSet<String>) -> f64 {
    let mut called = BTreeSet::new();
    match text {
        Some(text) => match super::json::parse(text) {
            Some(value) => names(&value, &mut called),
            None => blocks(text).iter().for_each(|block| names(block, &mut called)),
        },
        None => names(output, &mut called),
    }
    let both = expected.intersection(&called).count() as f64;
    if both == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (both / called.len() as f64, both / expected.len() as f64);
    2.0 * precision * recall / (precision + recall)
}

fn name_of(map: Option<&Value>) -> Option<String> {
    Some(map?.get("name")?.as_str()?.to_owned())
}

/// The names of tools called, in the formats of `OpenAI` (chat and Responses), Anthropic and Google.
fn names(output: &Value, called: &mut BTreeSet<String>) {
    match output {
        Value::String(text) => {
            if let Some(value) = super::json::parse(text)
                && !value.is_string()
            {
                names(&value, called);
            }
        }
        Value::Object(map) => object_names(map, output, called),
        Value::Array(list) => {
            for item in list {
                let kind = item.get("type").and_then(Value::as_str);
                let found = if kind == Some("tool_use") && item.get("name").is_some() {
                    name_of(Some(item))
                } else if item.get("functionCall").is_some_and(Value::is_object) {
                    name_of(item.get("functionCall"))
                } else if item.get("function").is_some_and(Value::is_object) {
                    name_of(item.get("function"))
                } else {
                    name_of(Some(item))
                };
                called.extend(found);
            }
        }
        _ => {}
    }
}

fn object_names(map: &Map<String, Value>, output: &Value, called: &mut BTreeSet<String>) {
    if let Some(Value::Array(calls)) = map.get("tool_calls") {
        for call in calls {
            called.extend(name_of(call.get("function")));
            called.extend(name_of(Some(call)));
        }
    } else if matches!(map.get("type").and_then(Value::as_str), Some("tool_use" | "function_call")) {
        called.extend(name_of(Some(output)));
    } else if let Some(call @ Value::Object(_)) = map.get("functionCall") {
        called.extend(name_of(Some(call)));
    } else if let Some(Value::Array(calls)) = map.get("toolCall").and_then(|t| t.get("functionCalls")) {
        called.extend(calls.iter().filter_map(|c| name_of(Some(c))));
    }
}

/// Longest block of JSON that is read, bytes.
const LONGEST_BLOCK: usize = 1 << 20;

/// Brackets left open after a line, and whether a text is; a text ends with its line.
fn count(line: &str, state: &mut (i64, bool)) {
    let mut escaped = false;
    state.1 = false;
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if state.1 => escaped = true,
            '"' => state.1 = !state.1,
            '{' | '[' if !state.1 => state.0 += 1,
            '}' | ']' if !state.1 => state.0 -= 1,
            _ => {}
        }
    }
}

/// JSON in a text: whole lines, from a line that begins with a bracket to the one that closes it,
/// outside of fenced code.
fn blocks(text: &str) -> Vec<Value> {
    let (mut found, mut fenced) = (Vec::new(), false);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced || !start.starts_with(['{', '[']) {
            continue;
        }
        // Read once, when as many brackets are closed as were opened.
        let mut block = start.trim_end().to_owned();
        let mut state = (0i64, false);
        count(&block, &mut state);
        while state.0 > 0 && block.len() < LONGEST_BLOCK {
            match lines.peek() {
                Some(next) if !next.trim_start().starts_with("```") => {
                    count(next, &mut state);
                    block.push('\n');
                    block.push_str(next.trim_end());
                    lines.next();
                }
                _ => break,
            }
        }
        found.extend(super::json::parse(&block));
    }
    found
}
