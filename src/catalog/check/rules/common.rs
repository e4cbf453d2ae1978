//! Rules for every kind of record: an id, a source, a date, figures within bounds, references to records
//! that exist.

use crate::catalog::{Catalog, CiteByField};
use crate::spelling::nearest;
use jiff::civil::Date;

pub(super) type Report<'a> = &'a mut dyn FnMut(&str, String, &str);

/// Check what every record has: an id, a source, a date.
pub(in crate::catalog::check) fn common(
    id: &str,
    source: &str,
    as_of: Date,
    cite: &CiteByField,
    today: Date,
    report: Report<'_>,
) {
    if id.is_empty()
        || id.len() > 200
        || id.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii())
    {
        report("id", format!("`{id}` is no id"), "1 to 200 ASCII characters without spaces");
    }
    let mut cited = |path: &str, source: &str, as_of: Date| {
        if source.trim().is_empty() {
            report(&format!("{path}source"), "no source".to_owned(), "where the figures were read");
        }
        if as_of > today {
            report(&format!("{path}as_of"), format!("{as_of} is in the future"), "the day it was read");
        }
        if as_of.year() < 2020 {
            report(&format!("{path}as_of"), format!("{as_of} is before there was a market"), "2020 or later");
        }
    };
    cited("", source, as_of);
    for (field, cite) in cite {
        cited(&format!("cite.{field}."), &cite.source, cite.as_of);
    }
}

/// Report citations of fields that the record does not have, which were meant for another one, and of
/// figures that are absent.
pub(in crate::catalog::check) fn citations<T: serde::Serialize>(
    record: &T,
    cite: &CiteByField,
    report: Report<'_>,
) {
    if cite.is_empty() {
        return;
    }
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(record) else { return };
    for path in cite.keys() {
        let field = path.split('.').next().unwrap_or(path);
        if !fields.contains_key(field) {
            let near = nearest(field, fields.keys().map(String::as_str), 1);
            let expected =
                near.first().map_or("a field of the record".to_owned(), |n| format!("perhaps {n}"));
            report(&format!("cite.{path}"), format!("the record has no {field} to cite for"), &expected);
        } else if fields[field].is_null() {
            let message = format!("a source is cited for {field}, but no figure is given");
            report(&format!("cite.{path}"), message, &format!("{field}, or no citation of it"));
        }
    }
}

/// Report a figure outside its bounds.
pub(super) fn within(path: &str, value: Option<f64>, low: f64, high: f64, unit: &str, report: Report<'_>) {
    let Some(value) = value else { return };
    if !value.is_finite() || value < low || value > high {
        report(path, format!("{path} is {value}"), &format!("{low} to {high} {unit}"));
    }
}

pub(super) fn not_empty(path: &str, value: &str, report: Report<'_>) {
    if value.trim().is_empty() {
        report(path, format!("{path} is empty"), "a name");
    }
}

pub(super) fn currency_code(path: &str, code: &str, catalog: &Catalog, report: Report<'_>) {
    if code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase()) {
        report(path, format!("`{code}` is no currency"), "an ISO 4217 code: USD, EUR");
    } else if code != "USD" && catalog.currency(code).is_none() {
        report(path, format!("no rate to USD is known for {code}"), "a [[currency]] record with this id");
    }
}

/// Report a reference to a record that does not exist, with both ids.
pub(super) fn reference<'a>(
    path: &str,
    to: &str,
    kind: &str,
    found: bool,
    known: impl IntoIterator<Item = &'a str>,
    report: Report<'_>,
) {
    if !found {
        let near = nearest(to, known, 3);
        let id = format!("the id of {} {kind}", if kind.starts_with(['a', 'o']) { "an" } else { "a" });
        let expected = if near.is_empty() { id } else { format!("{id}, perhaps {}", near.join(", ")) };
        report(path, format!("{path} points to {kind} `{to}`, which does not exist"), &expected);
    }
}

/// Report a text that is neither a year nor a month: `2024`, `2024-10`.
pub(super) fn month(path: &str, value: Option<&str>, report: Report<'_>) {
    let Some(text) = value else { return };
    let (year, month) = text.split_once('-').unwrap_or((text, "01"));
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())?
    };
    let right = number(year, 4).is_some_and(|y| (2000..2100).contains(&y))
        && number(month, 2).is_some_and(|m| (1..=12).contains(&m));
    if !right {
        report(path, format!("`{text}` is no month"), "a year or a month: \"2024\", \"2024-10\"");
    }
}
