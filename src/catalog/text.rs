//! Reads a TOML file of catalogue records, with the place of every key.
//!
//! Every record is read by itself, so that a broken one does not hide problems in others, and every
//! [`Problem`] has a place: file, line, column and the text of the line.

use super::{
    Accelerator, ApiModel, Currency, Host, Kind, Machine, OpenModel, Provider, Range as RangeRecord, Rental,
    Subscription, Tariff,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Largest catalogue file that is read, bytes.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// A problem at a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file.
    pub file: String,
    /// Line, from 1; 0 where no place is known.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of that line.
    pub excerpt: String,
    /// Number of characters on that line that the problem is about.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What was expected instead; may be empty.
    pub expected: String,
}

impl Problem {
    /// A problem at a byte range of a text.
    pub fn at(
        file: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |n| n + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let end = floor(text, span.end.clamp(start, line_end));
        Self {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: text[line_start..line_end].trim_end().to_owned(),
            width: text[start..end].chars().count().max(1),
            message: message.into(),
            expected: expected.into(),
        }
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Problem {
    /// Printed as compilers do: the place, the problem, the line, and a caret under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
            return if self.expected.is_empty() { Ok(()) } else { write!(f, "; expected {}", self.expected) };
        }
        let margin = " ".repeat(self.line.to_string().len());
        let (shown, marks) = crate::sanitize::excerpt(&self.excerpt, self.column, self.width);
        write!(
            f,
            "{}:{}:{}: {}\n{margin} |\n{} | {shown}\n{margin} | {marks}",
            self.file, self.line, self.column, self.message, self.line,
        )?;
        if !self.expected.is_empty() {
            write!(f, " expected {}", self.expected)?;
        }
        Ok(())
    }
}

/// All problems that were found; not empty where it is an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if n > 0 { "\n\n" } else { "" })?;
        }
        Ok(())
    }
}

/// The places of a record's keys in the text.
#[derive(Debug, Clone, Default)]
pub struct Places {
    span: Range<usize>,
    children: BTreeMap<String, Places>,
}

impl Places {
    /// The place of a dotted path (`price.0.rates.input_per_mtok`), or of the innermost part of it that
    /// exists.
    pub fn of(&self, path: &str) -> Range<usize> {
        let mut at = self;
        for key in path.split('.').filter(|k| !k.is_empty()) {
            match at.children.get(key) {
                Some(child) => at = child,
                None => break,
            }
        }
        at.span.clone()
    }

    fn from(value: &Spanned<DeValue<'_>>) -> Self {
        let children = match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().map(|(k, v)| (k.get_ref().clone().into_owned(), Self::from(v))).collect()
            }
            DeValue::Array(items) => {
                items.iter().enumerate().map(|(n, v)| (n.to_string(), Self::from(v))).collect()
            }
            _ => BTreeMap::new(),
        };
        Self { span: value.span(), children }
    }
}

/// A record and its place.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// The record.
    pub record: T,
    /// Places of its keys in the text.
    pub places: Places,
}

/// The records of one file.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// GPUs and other accelerators.
    pub accelerators: Vec<Entry<Accelerator>>,
    /// Complete computers.
    pub machines: Vec<Entry<Machine>>,
    /// Computers that accelerators are put into.
    pub hosts: Vec<Entry<Host>>,
    /// GPUs rented by the hour.
    pub rentals: Vec<Entry<Rental>>,
    /// Subscriptions paid by seat and month.
    pub subscriptions: Vec<Entry<Subscription>>,
    /// Prices of electricity.
    pub tariffs: Vec<Entry<Tariff>>,
    /// Models with open weights.
    pub open_models: Vec<Entry<OpenModel>>,
    /// Models paid by the token.
    pub api_models: Vec<Entry<ApiModel>>,
    /// Exchange rates.
    pub currencies: Vec<Entry<Currency>>,
    /// Services that answer requests.
    pub providers: Vec<Entry<Provider>>,
    /// Ranges of inputs that nobody has given.
    pub ranges: Vec<Entry<RangeRecord>>,
}

impl Records {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.accelerators.len()
            + self.machines.len()
            + self.hosts.len()
            + self.rentals.len()
            + self.subscriptions.len()
            + self.tariffs.len()
            + self.open_models.len()
            + self.api_models.len()
            + self.currencies.len()
            + self.providers.len()
            + self.ranges.len()
    }
    /// Are there no records?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Parsed<'a> {
    /// The name of the file.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The records in it.
    pub records: Records,
}

impl Parsed<'_> {
    /// A problem at a path within a record of this file.
    pub fn problem(
        &self,
        places: &Places,
        path: &str,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Problem {
        Problem::at(self.name, self.text, places.of(path), message, expected)
    }
}

/// Read several files. Returns what could be read of each, and all problems.
pub fn parse_all<S: AsRef<str>>(files: &[(S, S)]) -> (Vec<Parsed<'_>>, Vec<Problem>) {
    let mut problems = Vec::new();
    let parsed =
        files.iter().map(|(name, text)| parse(name.as_ref(), text.as_ref(), &mut problems)).collect();
    (parsed, problems)
}

/// The most errors that are shown for a file that is not valid TOML.
const MOST_ERRORS: usize = 10;

/// Read one file.
pub fn parse<'a>(name: &'a str, text: &'a str, problems: &mut Vec<Problem>) -> Parsed<'a> {
    let mut records = Records::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // In a file with syntax errors the rest cannot be trusted: the errors are reported, and no records
        // are read. One error often causes others of the same kind after it.
        let mut found: Vec<Problem> = errors.iter().map(|e| problem_of(name, text, e)).collect();
        found.dedup_by(|a, b| a.line == b.line && a.message == b.message);
        found.truncate(MOST_ERRORS);
        problems.extend(found);
        return Parsed { name, text, records };
    }
    for (key, value) in root.into_inner() {
        let span = key.span();
        let Some(kind) = Kind::ALL.into_iter().find(|k| k.key() == key.get_ref().as_ref()) else {
            let kinds: Vec<_> = Kind::ALL.map(|k| format!("[[{}]]", k.key())).into();
            problems.push(Problem::at(
                name,
                text,
                span,
                format!("`{}` is no kind of record", key.get_ref()),
                format!("one of {}", kinds.join(", ")),
            ));
            continue;
        };
        let DeValue::Array(items) = value.into_inner() else {
            problems.push(Problem::at(
                name,
                text,
                span,
                format!("`{}` is not a list", kind.key()),
                format!("[[{}]]", kind.key()),
            ));
            continue;
        };
        for item in items {
            let r = &mut records;
            match kind {
                Kind::Gpu => read(name, text, item, &mut r.accelerators, problems),
                Kind::Machine => read(name, text, item, &mut r.machines, problems),
                Kind::Host => read(name, text, item, &mut r.hosts, problems),
                Kind::Rental => read(name, text, item, &mut r.rentals, problems),
                Kind::Subscription => read(name, text, item, &mut r.subscriptions, problems),
                Kind::Tariff => read(name, text, item, &mut r.tariffs, problems),
                Kind::OpenModel => read(name, text, item, &mut r.open_models, problems),
                Kind::ApiModel => read(name, text, item, &mut r.api_models, problems),
                Kind::Currency => read(name, text, item, &mut r.currencies, problems),
                Kind::Provider => read(name, text, item, &mut r.providers, problems),
                Kind::Range => read(name, text, item, &mut r.ranges, problems),
            }
        }
    }
    Parsed { name, text, records }
}

fn read<T: DeserializeOwned>(
    name: &str,
    text: &str,
    mut item: Spanned<DeValue<'_>>,
    into: &mut Vec<Entry<T>>,
    problems: &mut Vec<Problem>,
) {
    let places = Places::from(&item);
    dates_as_text(item.get_mut());
    match T::deserialize(ValueDeserializer::from(item)) {
        Ok(record) => into.push(Entry { record, places }),
        Err(error) => problems.push(problem_of(name, text, &error)),
    }
}

/// Let `as_of = 2026-11-22` mean the same as `as_of = "2026-11-22"`.
fn dates_as_text(value: &mut DeValue<'_>) {
    match value {
        DeValue::Datetime(date) => *value = DeValue::String(date.to_string().into()),
        DeValue::Array(items) => items.iter_mut().for_each(|v| dates_as_text(v.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, v)| dates_as_text(v.get_mut())),
        _ => {}
    }
}

fn problem_of(name: &str, text: &str, error: &toml::de::Error) -> Problem {
    // serde's messages end in "expected ..."; that part goes to the line with the caret.
    let message = error.message().trim();
    let (what, expected) = message
        .split_once(", expected ")
        .or_else(|| message.split_once("\nexpected "))
        .unwrap_or((message, ""));
    Problem::at(name, text, error.span().unwrap_or(0..0), what, expected)
}
