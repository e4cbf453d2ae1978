//! Reads and checks a TOML value as the value of a key.

use super::error::unknown;
use super::value::{Change, Range, RequestSize, Value};
use crate::spelling::nearest;
use crate::workload::keys::{Key, Kind, LARGEST, find};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::ops::Range as Span;
use toml::Spanned;
use toml::de::DeValue;

/// A place in the file, and what is wrong there.
pub type At = (Span<usize>, String);

pub(super) fn read_value(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
    let at = value.span();
    let path = key.path();
    let wrong = |why: &str| Err((at.clone(), format!("{path}: {why}")));
    let text = || match value.get_ref() {
        DeValue::String(s) => Some(s.to_string()),
        _ => None,
    };
    match key.kind {
        Kind::Number { .. } | Kind::Positive | Kind::Whole { .. } | Kind::Months => number(key, value),
        Kind::Flag => match value.get_ref() {
            DeValue::Boolean(b) => Ok(Value::Flag(*b)),
            _ => wrong("must be true or false"),
        },
        Kind::Text => match text() {
            Some(t) if !t.trim().is_empty() && t.len() <= 200 => Ok(Value::Text(t)),
            Some(_) => wrong("must be between 1 and 200 characters"),
            None => wrong("must be text in quotes"),
        },
        Kind::Texts => match texts(value) {
            Some(all) => Ok(Value::Texts(all)),
            None => wrong("must be texts of 1 to 200 characters: [\"...\", \"...\"]"),
        },
        Kind::Month => match text() {
            Some(t) if format!("{t}-01").parse::<Date>().is_ok() => Ok(Value::Text(t)),
            _ => wrong("must be a month, \"YYYY-MM\""),
        },
        Kind::Choice(words) => match text() {
            Some(t) if words.iter().any(|w| w.word == t) => Ok(Value::Text(t)),
            typed => {
                let names = || words.iter().map(|w| w.word);
                let near = typed.map(|t| nearest(&t, names(), 3)).unwrap_or_default();
                let all = names().collect::<Vec<_>>().join(", ");
                let hint = near.first().map_or_else(String::new, |n| format!(". Did you mean `{n}`?"));
                wrong(&format!("must be one of {all}{hint}"))
            }
        },
        Kind::Profile => profile(value).map_err(|why| (at, format!("{path}: {why}"))),
        Kind::Changes(rates) => changes(value, rates),
        Kind::Sizes => sizes(value),
        Kind::Discounts => discounts(value),
    }
}

/// The most texts in a list.
const MOST_TEXTS: usize = 64;

fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(s) if !s.trim().is_empty() && s.len() <= 200 => Some(s.trim().to_owned()),
        _ => None,
    };
    match value.get_ref() {
        DeValue::Array(items) if (1..=MOST_TEXTS).contains(&items.len()) => {
            items.iter().map(|item| one(item.get_ref())).collect()
        }
        single => Some(vec![one(single)?]),
    }
}

fn changes(value: &Spanned<DeValue<'_>>, keys: &[&'static Key]) -> Result<Value, At> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err((value.span(), "cloud.change: must be written as [[cloud.change]]".to_owned()));
    };
    let mut changes = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else {
            return Err((item.span(), "cloud.change: expected a table".to_owned()));
        };
        let mut from = None;
        let mut rates = BTreeMap::new();
        for (name, value) in table {
            if name.get_ref() == "from" {
                let text = match value.get_ref() {
                    DeValue::String(s) => s.to_string(),
                    DeValue::Datetime(d) => d.to_string(),
                    _ => String::new(),
                };
                let day = if text.len() == 7 { format!("{text}-01") } else { text };
                from = day.parse::<Date>().ok();
                if from.is_none() {
                    return Err((
                        value.span(),
                        "cloud.change.from: must be a day, \"YYYY-MM-DD\"".to_owned(),
                    ));
                }
            } else if let Some(key) = find(keys, name.get_ref()) {
                if let Some(range) = number(key, value)?.range() {
                    rates.insert(key.name, range);
                }
            } else {
                let names = keys.iter().map(|k| k.name).chain(["from"]);
                return Err((name.span(), unknown("key of [[cloud.change]]", name.get_ref(), names)));
            }
        }
        let Some(from) = from else {
            return Err((item.span(), "cloud.change: `from` is missing".to_owned()));
        };
        if rates.is_empty() {
            return Err((item.span(), format!("cloud.change: no price from {from} on is given")));
        }
        changes.push(Change { from, rates });
    }
    changes.sort_by_key(|c| c.from);
    Ok(Value::Changes(changes))
}

fn sizes(value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
    let wrong = |at: Span<usize>, why: &str| Err((at, format!("need.sizes: {why}")));
    let DeValue::Array(items) = value.get_ref() else {
        return wrong(
            value.span(),
            "must be a list of {share = ..., input_tokens = ..., output_tokens = ...}",
        );
    };
    if items.is_empty() || items.len() > RequestSize::MOST {
        return wrong(value.span(), &format!("needs between 1 and {} kinds of request", RequestSize::MOST));
    }
    let mut sizes = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else { return wrong(item.span(), "expected a table") };
        let mut values = [0.0; 6];
        for (name, value) in table {
            let Some(at) = RequestSize::NAMES.iter().position(|n| n == name.get_ref()) else {
                return wrong(name.span(), &unknown("key", name.get_ref(), RequestSize::NAMES.into_iter()));
            };
            let most = if name.get_ref().ends_with("share") { 1.0 } else { LARGEST };
            match plain(value).filter(|n| (0.0..=most).contains(n)) {
                Some(number) => values[at] = number,
                None => {
                    return wrong(
                        value.span(),
                        &format!("`{}` must be between 0 and {most:e}", name.get_ref()),
                    );
                }
            }
        }
        let size = RequestSize::of(values);
        if size.share <= 0.0 {
            return wrong(item.span(), "`share` must be above 0");
        }
        if size.cached_input_share + size.cache_write_input_share > 1.0 + 1e-9 {
            return wrong(item.span(), "more is read from and written to a cache than there is input");
        }
        sizes.push(size);
    }
    let sum: f64 = sizes.iter().map(|s| s.share).sum();
    if (sum - 1.0).abs() > 0.01 {
        return wrong(value.span(), &format!("the shares add up to {sum}, not to 1"));
    }
    Ok(Value::Sizes(sizes))
}

fn discounts(value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
    let wrong = |at: Span<usize>, why: &str| Err((at, format!("cloud.discount: {why}")));
    let DeValue::Array(items) = value.get_ref() else {
        return wrong(value.span(), "must be written as [[cloud.discount]]");
    };
    let mut steps = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else { return wrong(item.span(), "expected a table") };
        let (mut above, mut share) = (None, None);
        for (name, value) in table {
            let number = plain(value).filter(|n| *n >= 0.0);
            match name.get_ref().as_ref() {
                "above_usd" => above = number,
                "share" => share = number.filter(|n| *n <= 1.0),
                other => {
                    return wrong(name.span(), &unknown("key", other, ["above_usd", "share"].into_iter()));
                }
            }
        }
        match (above, share) {
            (Some(above), Some(share)) => steps.push((above, share)),
            (None, _) => return wrong(item.span(), "`above_usd` must be an amount, 0 or more"),
            (_, None) => return wrong(item.span(), "`share` must be between 0 and 1"),
        }
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Value::Discounts(steps))
}

fn plain(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    let number = match value.get_ref() {
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok()? as f64,
        DeValue::Float(f) => f.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

pub(super) fn number(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
    let path = key.path();
    let DeValue::Table(table) = value.get_ref() else {
        let n = plain(value)
            .ok_or_else(|| (value.span(), format!("{path}: must be a number or {{ low, likely, high }}")))?;
        check(key, n).map_err(|why| (value.span(), format!("{path}: {why}")))?;
        return Ok(Value::Number(Range::exactly(n)));
    };
    if matches!(key.kind, Kind::Whole { .. }) {
        return Err((
            value.span(),
            format!("{path}: must be one whole number; it shapes the calculation and cannot be a range"),
        ));
    }
    let mut found = [None; 3];
    for (name, part) in table {
        let place = ["low", "likely", "high"].iter().position(|n| n == name.get_ref());
        let Some(place) = place else {
            return Err((name.span(), format!("{path}: a range has the keys low, likely and high")));
        };
        let n = plain(part).ok_or_else(|| (part.span(), format!("{path}: must be a number")))?;
        check(key, n).map_err(|why| (part.span(), format!("{path}: {why}")))?;
        found[place] = Some(n);
    }
    let [Some(low), Some(likely), Some(high)] = found else {
        return Err((value.span(), format!("{path}: a range needs low, likely and high")));
    };
    if !(low <= likely && likely <= high) {
        return Err((value.span(), format!("{path}: low must not exceed likely, nor likely high")));
    }
    Ok(Value::Uncertain(Range { low, likely, high }))
}

/// Is this number allowed for this key?
fn check(key: &Key, n: f64) -> Result<(), String> {
    let shown = if n.abs() < 1e16 { n.to_string() } else { format!("{n:e}") };
    match key.kind {
        Kind::Number { min, .. } if n < min => Err(if key.name == "peak_to_mean" {
            format!("{shown} would put the peak below the mean; it must be at least 1")
        } else if min < 0.0 {
            format!("{shown} takes away more than everything; it must be above -1 (20 % down is -0.2)")
        } else {
            format!("{shown} is below {min}, the least it can be")
        }),
        Kind::Number { max, .. } if n > max => Err(if max <= 5.0 {
            format!("{shown} is above {max}: 50 % is written 0.5")
        } else {
            format!("{shown} is above {max:e}, the most it can be")
        }),
        Kind::Positive if n <= 0.0 => Err(format!("{shown} must be above 0")),
        Kind::Positive if n > LARGEST => Err(format!("{shown} is above {LARGEST:e}, the most it can be")),
        Kind::Whole { min, .. } if n < f64::from(min) || n.fract() != 0.0 => {
            Err(format!("{shown} must be a whole number, at least {min}"))
        }
        Kind::Whole { max, .. } if n > f64::from(max) => {
            Err(format!("{shown} is above {max}, the most it can be"))
        }
        Kind::Months if n < 1.0 || n.fract() != 0.0 || n > 1e6 => {
            Err(format!("{shown} must be a whole number of months, at least 1"))
        }
        _ => Ok(()),
    }
}

fn profile(value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    match value.get_ref() {
        DeValue::String(s) if ["office-hours", "flat"].contains(&s.as_ref()) => {
            Ok(Value::Text(s.to_string()))
        }
        DeValue::Array(items) => {
            let hours: Vec<f64> = items.iter().filter_map(plain).collect();
            if hours.len() != 168 || items.len() != 168 {
                return Err(format!("needs 168 numbers, one per hour of the week; has {}", items.len()));
            }
            if hours.iter().any(|h| *h < 0.0) || hours.iter().sum::<f64>() <= 0.0 {
                return Err("no hour may be below 0, and some must be above".to_owned());
            }
            Ok(Value::Hours(hours))
        }
        _ => Err("must be \"office-hours\", \"flat\" or 168 numbers".to_owned()),
    }
}
