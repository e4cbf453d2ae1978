//! JavaScript's conversions of values, for file formats that are defined by a JavaScript program.

use serde_json::Value;
use std::fmt::Write as _;

/// `String(number)`: the fewest digits that give the same number again.
pub(crate) fn number_text(n: f64) -> String {
    if n.is_nan() {
        return "NaN".to_owned();
    }
    if n == 0.0 {
        return "0".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let sign = if n < 0.0 { "-" } else { "" };
    let scientific = format!("{:e}", n.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let places = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let point = exponent + 1;
    let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
    let body = if places <= point && point <= 21 {
        format!("{digits}{}", zeros(point - places))
    } else if 0 < point && point <= 21 {
        let at = usize::try_from(point).unwrap_or(0);
        format!("{}.{}", &digits[..at], &digits[at..])
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let rest = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}{rest}e{sign}{}", &digits[..1], exponent.abs())
    };
    format!("{sign}{body}")
}

/// `String(value)`.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number_text),
        Value::String(s) => s.clone(),
        Value::Array(list) => list
            .iter()
            .map(|v| if v.is_null() { String::new() } else { text(v) })
            .collect::<Vec<_>>()
            .join(","),
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

/// Characters matched by `\s`: white space and line ends.
pub(crate) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// `text.trim()`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The parts of `text.split(/\s+/)` without empty ones.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|w| !w.is_empty())
}

/// `Number(text)`; `None` where that is not a number.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = trim(text);
    if text.is_empty() {
        return Some(0.0);
    }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
                return None;
            }
            let digit = |c: char| f64::from(c.to_digit(radix).unwrap_or(0));
            return Some(digits.chars().fold(0.0, |n, c| n * f64::from(radix) + digit(c)));
        }
    }
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "Infinity" => return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        body if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') => return None,
        _ => {}
    }
    text.parse().ok()
}

/// `parseFloat(text)`: the longest number at the start.
pub(crate) fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(is_space);
    let ends = text.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|i| *i <= 400);
    let plain = |t: &str| t.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    ends.filter(|end| plain(&text[..*end])).filter_map(|end| text[..end].parse::<f64>().ok()).last().or_else(
        || {
            let body = text.strip_prefix(['+', '-']).unwrap_or(text);
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            body.starts_with("Infinity").then_some(sign * f64::INFINITY)
        },
    )
}

/// `JSON.stringify(value)`, with numbers as JavaScript writes them.
pub(crate) fn json(value: &Value) -> String {
    match value {
        Value::Number(n) => match n.as_f64() {
            Some(f) if f.is_finite() => number_text(f),
            _ => "null".to_owned(),
        },
        Value::Array(list) => format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(k, v)| format!("{}:{}", Value::String(k.clone()), json(v))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        other => other.to_string(),
    }
}

/// `JSON.stringify(value, null, indent)`.
pub(crate) fn json_indented(value: &Value, indent: &str) -> String {
    fn write(value: &Value, indent: &str, margin: &str, out: &mut String) {
        let inner = format!("{margin}{indent}");
        match value {
            Value::Array(list) if !list.is_empty() => {
                out.push('[');
                for (n, item) in list.iter().enumerate() {
                    out.push_str(if n > 0 { ",\n" } else { "\n" });
                    out.push_str(&inner);
                    write(item, indent, &inner, out);
                }
                let _ = write!(out, "\n{margin}]");
            }
            Value::Object(map) if !map.is_empty() => {
                out.push('{');
                for (n, (key, item)) in map.iter().enumerate() {
                    out.push_str(if n > 0 { ",\n" } else { "\n" });
                    let _ = write!(out, "{inner}{}: ", Value::String(key.clone()));
                    write(item, indent, &inner, out);
                }
                let _ = write!(out, "\n{margin}}}");
            }
            other => out.push_str(&json(other)),
        }
    }
    let mut out = String::new();
    write(value, indent, "", &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `String(n)` in Node.
    #[test]
    fn numbers_are_written_as_javascript_does() {
        for (n, text) in [
            (1000.0, "1000"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (-1.5, "-1.5"),
            (-0.0, "0"),
            (1.25e300, "1.25e+300"),
        ] {
            assert_eq!(number_text(n), text);
        }
    }

    #[test]
    fn text_becomes_a_number_as_in_javascript() {
        assert_eq!(number(" 2.0 "), Some(2.0));
        assert_eq!(number(""), Some(0.0));
        assert_eq!(number("0x1F"), Some(31.0));
        assert_eq!((number("two"), number("1 2"), number("inf"), number("nan")), (None, None, None, None));
        assert_eq!(leading_number("3.5kg"), Some(3.5));
        assert_eq!(leading_number("kg"), None);
    }
}
