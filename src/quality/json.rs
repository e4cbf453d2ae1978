//! Reads JSON in an answer: the whole of it, or parts of the text.

use crate::prompts::{js, yaml};
use serde::de::IgnoredAny;
use serde_json::Value;

/// The longest part of a text that is examined for one object, as in promptfoo.
const LONGEST_OBJECT: usize = 100_000;
/// The most bytes that are read in total while looking for objects, since parts are read repeatedly.
const MOST_WORK: usize = 20_000_000;

/// Read a text as JSON. Where JavaScript accepts what Rust's parser does not, numbers that are too large
/// become the largest number, and halves of surrogate pairs become U+FFFD.
pub(super) fn parse(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    serde_json::from_str(&mended(text)).ok()
}

/// The text, which is known to be JSON, with such numbers and escapes replaced.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut at) = (false, 0);
    while let Some(c) = text[at..].chars().next() {
        if in_string && c == '\\' {
            let half = |at: usize| {
                let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
                u32::from_str_radix(digits, 16).ok().filter(|u| (0xd800..0xe000).contains(u))
            };
            match half(at) {
                Some(first) if first < 0xdc00 && half(at + 6).is_some_and(|second| second >= 0xdc00) => {
                    out.push_str(&text[at..at + 12]);
                    at += 12;
                }
                Some(_) => {
                    out.push_str("\\ufffd");
                    at += 6;
                }
                None => {
                    out.push_str(&text[at..at + 2]);
                    at += 2;
                }
            }
            continue;
        }
        if c == '"' {
            in_string = !in_string;
        } else if !in_string && (c.is_ascii_digit() || c == '-') {
            let len = text[at..].find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            let number = &text[at..at + len.unwrap_or(text.len() - at)];
            at += number.len();
            match number.parse::<f64>() {
                Ok(n) if n.is_infinite() => {
                    out.push_str(if n > 0.0 { "1.7976931348623157e308" } else { "-1.7976931348623157e308" });
                }
                _ => out.push_str(number),
            }
            continue;
        }
        out.push(c);
        at += c.len_utf8();
    }
    out
}

/// Are two values equal, whatever the order of keys and with numbers compared by value?
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|other| equal(v, other)))
        }
        (a, b) => a == b,
    }
}

/// Everything between braces that can be read as an object, in order: promptfoo's reading, which
/// counts braces inside quotation marks too, closes what is open at the end, and takes YAML.
pub(super) fn objects(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let (mut at, mut work) = (0, 0usize);
    while let Some(start) = text[at..].find('{').map(|i| at + i) {
        at = start + 1;
        if at == text.len() {
            // A brace that nothing follows opens nothing.
            break;
        }
        let (mut depth, mut end) = (1usize, None);
        let limit = (start + LONGEST_OBJECT).min(text.len());
        for (i, c) in text[start + 1..].char_indices() {
            let here = start + 1 + i;
            if here >= limit {
                break;
            }
            depth = match c {
                '{' => depth + 1,
                '}' => depth - 1,
                _ => depth,
            };
            if depth == 0 {
                end = Some(here + 1);
                break;
            }
        }
        let end =
            end.unwrap_or_else(|| (start..=limit).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(limit));
        work += end - start;
        if work > MOST_WORK {
            break;
        }
        let mut candidate = text[start..end].to_owned();
        candidate.extend(std::iter::repeat_n('}', depth));
        if let Some(value) = read_object(&candidate) {
            found.push(value);
            at = end;
        }
    }
    found
}

fn read_object(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let node = yaml::document(&comments_to_hashes(text), true).ok()??;
    let value = node.value_with_dates();
    (value.is_object() || value.is_array()).then_some(value)
}

/// Turn a `//` comment up to the end of a line into YAML's `#`, outside of quotation marks and URLs.
fn comments_to_hashes(text: &str) -> String {
    text.split('\n').map(comment_to_hash).collect::<Vec<_>>().join("\n")
}

fn comment_to_hash(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let letter = |c: Option<&char>| c.is_some_and(char::is_ascii_alphabetic);
    let escaped = |at: usize| chars[..at].iter().rev().take_while(|c| **c == '\\').count() % 2 == 1;
    let (mut quote, mut at) = (None, 0);
    while at < chars.len() {
        let c = chars[at];
        match quote {
            None if c == '\'' && !letter(at.checked_sub(1).and_then(|b| chars.get(b))) => quote = Some(c),
            None if c == '"' => quote = Some(c),
            None if c == '/' && chars.get(at + 1) == Some(&'/') => {
                let token = chars[..at].iter().rposition(|c| js::is_space(*c)).map_or(0, |i| i + 1);
                let word: String = chars[token..at + 2].iter().collect();
                if !word.contains("://") {
                    let slashes = chars[at..].iter().take_while(|c| **c == '/').count();
                    let before: String = chars[..at].iter().collect();
                    let after: String = chars[at + slashes..].iter().collect();
                    return format!("{before}{}{after}", "#".repeat(slashes / 2));
                }
            }
            Some('\'') if c == '\'' && !escaped(at) && !letter(chars.get(at + 1)) => quote = None,
            Some('"') if c == '"' && !escaped(at) => quote = None,
            _ => {}
        }
        at += 1;
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_javascript_reads_is_read() {
        assert_eq!(parse("1e999").and_then(|v| v.as_f64()), Some(f64::MAX));
        assert_eq!(parse(r#""\ud83d""#), Some(json!("\u{fffd}")));
        assert_eq!(
            parse(r#"["\ud83d\ude00", -1e999, "\\ud83d", 2]"#).map(|v| v[0].clone()),
            Some(json!("😀"))
        );
        assert_eq!(parse("{\"a\":1,}"), None);
        assert!(parse(&("[".repeat(100_000) + &"]".repeat(100_000))).is_none(), "too deep, and no crash");
    }

    #[test]
    fn objects_are_found_in_text() {
        assert_eq!(objects("a {\"b\": 1} c {d: e"), [json!({"b": 1}), json!({"d": "e"})]);
        assert_eq!(objects("{\"u\": \"http://x.y\" // note\n}"), [json!({"u": "http://x.y"})]);
        assert_eq!(objects("[1, 2]"), Vec::<Value>::new());
        assert_eq!(objects("so {"), Vec::<Value>::new());
        assert_eq!(objects("so { "), [json!({})]);
        assert!(objects(&"{".repeat(50_000)).is_empty());
        let text = "{a ".repeat(30_000);
        let _ = objects(&text);
    }
}
