//! A TOML file of catalogue records → the records and where each of their keys stands.
//!
//! Every record is read by itself, so that one broken record does not hide the problems of the
//! others, and every [`Problem`] points at a place: file, line, column and the line's text.

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

/// Longest catalogue file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Something wrong at a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// From 1; 0 where no place is known.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The text of that line.
    pub excerpt: String,
    /// How many characters of it are meant.
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
    /// As compilers print it: where, what, the line, a caret under the place.
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

/// All problems found; never empty where it is an error.
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

/// Where the keys of one record stand in the text.
#[derive(Debug, Clone, Default)]
pub struct Places {
    span: Range<usize>,
    children: BTreeMap<String, Places>,
}

impl Places {
    /// The place of a dotted path (`price.0.rates.input_per_mtok`), or of the nearest thing that
    /// holds it.
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

/// A record and where it stands.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// What it says.
    pub record: T,
    /// Where in the text each of its figures stands.
    pub places: Places,
}

/// The records of one file.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// GPUs and other accelerators.
    pub accelerators: Vec<Entry<Accelerator>>,
    /// Complete computers.
    pub machines: Vec<Entry<Machine>>,
    /// What accelerators are bought in.
    pub hosts: Vec<Entry<Host>>,
    /// GPUs by the hour.
    pub rentals: Vec<Entry<Rental>>,
    /// Plans by the seat and month.
    pub subscriptions: Vec<Entry<Subscription>>,
    /// Prices of electricity.
    pub tariffs: Vec<Entry<Tariff>>,
    /// Models whose weights can be had.
    pub open_models: Vec<Entry<OpenModel>>,
    /// Models by the token.
    pub api_models: Vec<Entry<ApiModel>>,
    /// Rates of currencies.
    pub currencies: Vec<Entry<Currency>>,
    /// Services that answer requests.
    pub providers: Vec<Entry<Provider>>,
    /// How far inputs may lie that nobody gave.
    pub ranges: Vec<Entry<RangeRecord>>,
}

impl Records {
    /// How many there are.
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
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Parsed<'a> {
    /// The file, as it was named.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What was read from it.
    pub records: Records,
}

impl Parsed<'_> {
    /// A problem at a path of a record of this file.
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

/// Read several files: what could be read of each, and every problem.
pub fn parse_all<S: AsRef<str>>(files: &[(S, S)]) -> (Vec<Parsed<'_>>, Vec<Problem>) {
    let mut problems = Vec::new();
    let parsed =
        files.iter().map(|(name, text)| parse(name.as_ref(), text.as_ref(), &mut problems)).collect();
    (parsed, problems)
}

/// Errors shown of a file that is no TOML.
const MOST_ERRORS: usize = 10;

/// Read one file.
pub fn parse<'a>(name: &'a str, text: &'a str, problems: &mut Vec<Problem>) -> Parsed<'a> {
    let mut records = Records::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What a parser makes of the rest of a broken file is guesswork: report, read nothing.
        // One slip often brings on others of the same kind behind it.
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

/// `as_of = 2026-11-22` is as good as `as_of = "2026-11-22"`.
fn dates_as_text(value: &mut DeValue<'_>) {
    match value {
        DeValue::Datetime(date) => *value = DeValue::String(date.to_string().into()),
        DeValue::Array(items) => items.iter_mut().for_each(|v| dates_as_text(v.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, v)| dates_as_text(v.get_mut())),
        _ => {}
    }
}

fn problem_of(name: &str, text: &str, error: &toml::de::Error) -> Problem {
    // serde's messages end in "expected ...": the caret line says that part.
    let message = error.message().trim();
    let (what, expected) = message
        .split_once(", expected ")
        .or_else(|| message.split_once("\nexpected "))
        .unwrap_or((message, ""));
    Problem::at(name, text, error.span().unwrap_or(0..0), what, expected)
}
