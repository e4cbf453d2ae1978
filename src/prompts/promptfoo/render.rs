//! Renders the template of a prompt to the text that is sent.

use super::super::js::json_indented;
use super::super::{js, template};
use serde_json::{Map, Value};

/// Replace references of the form `{{ name }}` in variables by the text of the other variable, in at most
/// five rounds.
pub(crate) fn resolve_variables(vars: &mut Map<String, Value>) {
    let keys: Vec<String> = vars.keys().cloned().collect();
    // A single line end at the end of a text comes from its file, not from the user.
    for value in vars.values_mut() {
        if let Value::String(text) = value
            && text.ends_with('\n')
        {
            text.pop();
        }
    }
    for _ in 0..5 {
        let mut changed = false;
        for key in &keys {
            let Some(Value::String(text)) = vars.get(key) else { continue };
            let Some((from, to, name)) = simple_reference(text) else { continue };
            let Some(value) = vars.get(&name) else { continue };
            let filled = format!("{}{}{}", &text[..from], js::text(value), &text[to..]);
            if filled.len() > super::super::LARGEST_LINE {
                continue;
            }
            vars.insert(key.clone(), Value::String(filled));
            changed = true;
        }
        if !changed {
            break;
        }
    }
}

/// The first `{{ name }}` in a text: start, end, name.
fn simple_reference(text: &str) -> Option<(usize, usize, String)> {
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|i| at + i) {
        let inside = &text[start + 2..];
        let rest = inside.trim_start_matches(js::is_space);
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let behind = rest[len..].trim_start_matches(js::is_space);
        if len > 0 && behind.starts_with("}}") {
            let end = text.len() - behind.len() + 2;
            return Some((start, end, rest[..len].to_owned()));
        }
        at = start + 1;
    }
    None
}

/// Render a prompt, with variables that are resolved already.
///
/// # Errors
///
/// Why the template cannot be used.
pub(crate) fn prompt(raw: &str, vars: &Map<String, Value>) -> Result<String, String> {
    // A prompt that is JSON is rendered string by string, so that quotation marks stay escaped.
    if let Some(parsed) = serde_json::from_str::<Value>(raw).ok()
        && let Ok(rendered) = in_strings(&parsed, vars)
    {
        return Ok(json_indented(&rendered, "  "));
    }
    let mut filled = vars.clone();
    for (_, value) in &mut filled {
        if let Value::String(text) = value
            && template::is_template(text)
            && !names_undefined(text, vars)
        {
            *text = template::render(&wrapped(text), vars).map_err(|e| e.to_string())?;
        }
    }
    template::render(&wrapped(raw), &filled).map_err(|e| e.to_string())
}

/// Is the prompt's own template at fault, and not one in a variable?
pub(crate) fn is_broken(raw: &str, vars: &Map<String, Value>) -> bool {
    template::render(&wrapped(raw), vars).is_err()
}

fn in_strings(value: &Value, vars: &Map<String, Value>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(template::render(text, vars).map_err(|e| e.to_string())?),
        Value::Array(list) => list.iter().map(|v| in_strings(v, vars)).collect::<Result<_, _>>()?,
        Value::Object(map) => {
            map.iter().map(|(k, v)| Ok((k.clone(), in_strings(v, vars)?))).collect::<Result<_, String>>()?
        }
        other => other.clone(),
    })
}

/// A text is not treated as a template if a tag is opened on a line and not closed on it.
fn wrapped(text: &str) -> String {
    let partial = [("{%", '%'), ("{{", '}'), ("{#", '#')].iter().any(|(open, close)| {
        text.match_indices(open).any(|(at, _)| {
            let rest = &text[at + 2..];
            let line = rest.find('\n').unwrap_or(rest.len());
            !rest[..line].contains(*close)
        })
    });
    let raw = |tag: &str| {
        text.match_indices("{%").any(|(at, _)| {
            text[at + 2..].trim_start().strip_prefix(tag).is_some_and(|r| r.trim_start().starts_with("%}"))
        })
    };
    if partial && !(raw("raw") && raw("endraw")) {
        format!("{{% raw %}}{text}{{% endraw %}}")
    } else {
        text.to_owned()
    }
}

/// Does an expression, condition or loop in a variable's template begin with a name that is not defined?
fn names_undefined(text: &str, vars: &Map<String, Value>) -> bool {
    let name_of = |rest: &str| -> Option<String> {
        let rest = rest.trim_start_matches(js::is_space);
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        rest.starts_with(letter)
            .then(|| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
    };
    let unknown = |name: Option<String>| name.is_some_and(|n| n != "env" && !vars.contains_key(&n));
    let outputs = text.match_indices("{{").any(|(at, _)| {
        let rest = &text[at + 2..];
        let Some(end) = rest.find("}}") else { return false };
        let inside = rest[..end].trim();
        let head = inside.split('|').next().unwrap_or_default().trim_end();
        // Only a single word before the closing brackets or a filter counts.
        !head.contains([' ', '{', '}', '\n']) && !head.is_empty() && unknown(name_of(head))
    });
    let tags = text.match_indices("{%").any(|(at, _)| {
        let rest = text[at + 2..].trim_start();
        let condition = rest.strip_prefix("if").filter(|r| r.starts_with(js::is_space));
        condition.is_some_and(|r| unknown(name_of(r)))
    });
    outputs || tags
}
