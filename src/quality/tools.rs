//! Checks tool calls in an answer: are they well formed, do they match their schemas, and are they the
//! expected ones?

use super::schema::Schema;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The schema of the arguments of a function, by its name.
fn parameters<'a>(functions: &'a [&'a Value], name: &str) -> Option<&'a Value> {
    functions.iter().find(|f| f.get("name").and_then(Value::as_str) == Some(name))?.get("parameters")
}

/// Does a call `{name, arguments}` match one of these functions and the schema of its arguments?
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

/// Do all tool calls of an answer, in `OpenAI`'s tool format, match the tools that were offered?
pub(super) fn tools_call_fits(text: &str, output: &Value, tools: Option<&[Value]>) -> bool {
    // A tool server has already executed the call; its message tells whether that failed.
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

/// Is the answer a call, in `OpenAI`'s older function format, that matches one of the functions that were
/// offered?
pub(super) fn function_call_fits(output: &Value, functions: Option<&[Value]>) -> bool {
    let call = output.get("function_call").unwrap_or(output);
    let functions: Vec<&Value> = functions.unwrap_or_default().iter().collect();
    call.is_object() && call_fits(call, &functions)
}

/// F1 of the names of called tools against the expected ones, 0 to 1. Order and repetitions do not matter.
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

/// Names of the called tools, in the formats of `OpenAI` (chat and Responses), Anthropic and Google.
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

/// The longest block of JSON that is read, bytes.
const LONGEST_BLOCK: usize = 1 << 20;

/// Updates the number of open brackets after a line, and whether a string is open; a string ends with its
/// line.
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

/// JSON values in a text that begin on a line with an opening bracket and end with the line that closes it,
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
        // Parsed once as many brackets are closed as were opened.
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
