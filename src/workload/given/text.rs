//! Reads the text of a flag or an answer as the value of a key.

use super::error::InputError;
use super::read::read_value;
use super::value::Given;
use crate::provenance::{Source, UserInput};
use crate::workload::keys::{Key, Kind};
use toml::de::DeTable;

/// The value of a key, from the text of a flag or an answer: `3`, `2:3:5` (low, likely, high), or TOML.
pub fn value_from_text(key: &Key, how: UserInput, text: &str) -> Result<Given, InputError> {
    let toml = match key.kind {
        Kind::Number { .. } | Kind::Positive | Kind::Whole { .. } | Kind::Months => {
            match text.split(':').collect::<Vec<_>>()[..] {
                [low, likely, high] => match [low, likely, high].map(|t| number_of(t, key.kind)) {
                    [Some(low), Some(likely), Some(high)] => {
                        format!("{{ low = {low:?}, likely = {likely:?}, high = {high:?} }}")
                    }
                    _ => text.to_owned(),
                },
                [one] => number_of(one, key.kind).map_or_else(|| text.to_owned(), |v| format!("{v:?}")),
                _ => text.to_owned(),
            }
        }
        Kind::Flag => text.to_owned(),
        Kind::Changes(_) | Kind::Sizes | Kind::Discounts => {
            if text.trim_start().starts_with('[') {
                text.to_owned()
            } else {
                format!("[{text}]")
            }
        }
        Kind::Profile | Kind::Texts if text.trim_start().starts_with('[') => text.to_owned(),
        Kind::Texts => {
            let parts: Vec<&str> = text.split(',').map(str::trim).collect();
            toml::Value::from(parts).to_string()
        }
        Kind::Text | Kind::Month | Kind::Choice(_) | Kind::Profile => toml::Value::from(text).to_string(),
    };
    let line = format!("{} = {toml}", key.name);
    let wrong = |why: &str| InputError(format!("{how} {text}: {why}"));
    let table = DeTable::parse(&line).map_err(|e| match key.kind {
        Kind::Number { .. } | Kind::Positive | Kind::Whole { .. } | Kind::Months => {
            wrong("must be a number, or low:likely:high")
        }
        Kind::Flag => wrong("must be true or false"),
        Kind::Changes(_) => wrong("must be {from = \"YYYY-MM-DD\", input_usd_per_mtok = ..., ...}"),
        Kind::Sizes => wrong("must be {share = ..., input_tokens = ..., output_tokens = ...}, ..."),
        Kind::Discounts => wrong("must be {above_usd = ..., share = ...}"),
        _ => wrong(e.message()),
    })?;
    let Some(value) = table.get_ref().get(key.name) else { return Err(wrong("no value")) };
    // The flag names the key already.
    let path = format!("{}: ", key.path());
    let value = read_value(key, value).map_err(|(_, why)| wrong(why.trim_start_matches(&path)))?;
    Ok(Given { value, source: Source::User(how) })
}

/// A number as people write it: `1_000`, `1,000`, `.5`, `1e6`, `20k`, `1.5M`, `2B`, and `30 %` for a share
/// or a rate. `None` where it could mean two things (`1,5`).
pub fn number_of(text: &str, kind: Kind) -> Option<f64> {
    let text = text.trim();
    let share = matches!(kind, Kind::Number { max, .. } if max <= 5.0);
    if let Some(percent) = text.strip_suffix('%').filter(|_| share) {
        return number_of(percent, Kind::Positive).map(|v| v / 100.0);
    }
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'b' | 'B' | 'g' | 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let digits = digits.trim().replace('_', "");
    let plain = if digits.contains(',') { without_thousands(&digits)? } else { digits };
    let value = plain.parse::<f64>().ok()? * factor;
    value.is_finite().then_some(value)
}

/// `1,234,567.8` without its commas; `None` where they are not between thousands.
fn without_thousands(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next()?;
    let threes = groups.clone().all(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit()));
    ((1..=3).contains(&first.len()) && first != "0" && threes && !fraction.contains(','))
        .then(|| text.replace(',', ""))
}
