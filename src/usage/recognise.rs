//! Recognises the format of a file from its first 256 KiB: its container (JSON lines, a JSON document, a
//! table, lines of text), and the format whose marks it has.
//!
//! A file of an unknown format is described by the names of its fields, but only by those that are clearly
//! names: a table without a header has data in its first row, and objects can have data as keys.

mod container;
mod json_paths;
mod marks;
mod unknown;

pub use container::{Container, container, header};
pub use unknown::{Unknown, describe};

use super::format::FORMATS;
use super::reader::Format;
use container::lines;
use json_paths::{PATHS, paths};
use marks::{ROWS, marked};
use std::collections::{BTreeMap, BTreeSet};

/// What was recognised.
#[derive(Debug, Clone)]
pub struct Recognised {
    pub container: Container,
    /// The format; `None` where no format's marks are there.
    pub format: Option<&'static Format>,
    /// The keys that lead to the rows, if they are inside something else: `log` of a log shipper, or
    /// `hits`, `hits[]`, `_source` of a search engine.
    pub inside: Vec<String>,
}

/// A file has rows of several formats; with the number of rows of each among the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed(pub Vec<(&'static str, u64)>);

/// Recognise a file by its beginning; `all` says that this is the whole file. `None` where it is empty.
///
/// # Errors
///
/// Where it has rows of several formats.
pub fn recognise(head: &[u8], all: bool) -> Result<Option<Recognised>, Mixed> {
    let Some(container) = container(head, all) else { return Ok(None) };
    let with = |format| Ok(Some(Recognised { container, format, inside: Vec::new() }));
    let around = |paths: &BTreeSet<String>| {
        let found = wrapped(paths, FORMATS).map(|(format, inside)| (Some(by_words(format, head)), inside));
        let (format, inside) = found.unwrap_or_default();
        Ok(Some(Recognised { container, format, inside }))
    };
    match container {
        Container::Table(mark) => {
            // Metrics of a server are no table, although their labels have commas.
            let words = worded(head, |format| format.lines);
            if let (Some(format), None) = (words, marked(&header(head, mark))) {
                let container = Container::Lines;
                return Ok(Some(Recognised { container, format: Some(format), inside: Vec::new() }));
            }
            with(marked(&header(head, mark)).map(|(format, _)| format))
        }
        Container::Lines => with(worded(head, |format| format.lines)),
        Container::Json => {
            let paths = paths(head).into_keys().collect();
            match marked_json(&paths) {
                Some(format) => with(Some(by_words(format, head))),
                None => around(&paths),
            }
        }
        Container::JsonLines => {
            let mut rows: BTreeMap<&'static str, (u64, &'static Format)> = BTreeMap::new();
            let mut all_paths = BTreeSet::new();
            for line in lines(head, all).take(ROWS) {
                let paths: BTreeSet<String> = paths(line).into_keys().collect();
                if let Some(format) = marked_json(&paths) {
                    rows.entry(format.name).or_insert((0, format)).0 += 1;
                }
                if all_paths.len() < PATHS {
                    all_paths.extend(paths);
                }
            }
            let most = rows.values().max_by_key(|(n, _)| *n).copied();
            let Some((most, format)) = most else {
                return match marked_json(&all_paths) {
                    Some(format) => with(Some(by_words(format, head))),
                    None => around(&all_paths),
                };
            };
            let few = (most / 20).max(1);
            let many: Vec<_> =
                rows.iter().filter(|(_, (n, _))| *n >= few).map(|(f, (n, _))| (*f, *n)).collect();
            if many.len() > 1 { Err(Mixed(many)) } else { with(Some(by_words(format, head))) }
        }
    }
}

/// For formats that differ only in a word: the one whose word occurs.
fn by_words(format: &'static Format, head: &[u8]) -> &'static Format {
    if format.words.is_empty() {
        return format;
    }
    worded(head, |other| other.marks == format.marks).unwrap_or(format)
}

fn worded(head: &[u8], of: impl Fn(&Format) -> bool) -> Option<&'static Format> {
    FORMATS
        .into_iter()
        .filter(|format| of(format))
        .find(|format| format.words.iter().any(|word| memchr::memmem::find(head, word.as_bytes()).is_some()))
}

fn marked_json(paths: &BTreeSet<String>) -> Option<&'static Format> {
    let mut best: Option<(&'static Format, usize)> = None;
    for format in FORMATS {
        let wrapped = format.rows.iter().map(|rows| format!("{rows}/"));
        let prefixes: Vec<String> = [String::new(), "[]/".to_owned(), "[]/data[]/".to_owned()]
            .into_iter()
            .chain(wrapped.flat_map(|w| [format!("[]/{w}"), w]))
            .collect();
        let has = |prefix: &str, mark: &str| paths.contains(&format!("{prefix}{mark}"));
        let there = |marks: &[&str]| prefixes.iter().any(|prefix| marks.iter().all(|m| has(prefix, m)));
        let found = format.marks.iter().filter(|marks| there(marks)).map(|marks| marks.len()).max();
        if let Some(n) = found
            && best.is_none_or(|(_, most)| n > most)
        {
            best = Some((format, n));
        }
    }
    best.map(|(format, _)| format)
}

/// Number of marks that a format must have to be recognised inside something else, unless one of them says
/// that there is a list: one or two names occur by chance.
const MARKS_INSIDE: usize = 3;

/// The format that has the most marks inside something else, and the keys that lead to its rows. Of equal
/// ones the outermost is taken.
fn wrapped(
    paths: &BTreeSet<String>,
    formats: impl IntoIterator<Item = &'static Format>,
) -> Option<(&'static Format, Vec<String>)> {
    let mut best: Option<(&'static Format, &str, usize)> = None;
    for format in formats {
        let many = |marks: &&&[&str]| marks.len() >= MARKS_INSIDE || marks.iter().any(|m| m.contains("[]"));
        for marks in format.marks.iter().filter(many) {
            let ending = format!("/{}", marks[0]);
            for around in paths.iter().filter_map(|path| path.strip_suffix(&ending)) {
                let all = marks.iter().all(|mark| paths.contains(&format!("{around}/{mark}")));
                let better = |(_, known, n): (&Format, &str, usize)| {
                    marks.len() > n || (marks.len() == n && around.len() < known.len())
                };
                if all && best.is_none_or(better) {
                    best = Some((format, around, marks.len()));
                }
            }
        }
    }
    let (format, around, _) = best?;
    // A list around everything is read like the rows themselves.
    let keys = around.split('/').filter(|key| *key != "[]" && !key.is_empty());
    Some((format, keys.map(str::to_owned).collect()))
}

/// The keys around the rows of a format that the user named; empty where there are none.
pub fn inside(head: &[u8], format: &'static Format) -> Vec<String> {
    let paths: BTreeSet<String> = head
        .split(|b| *b == b'\n')
        .take(ROWS)
        .chain(std::iter::once(head))
        .flat_map(|json| paths(json).into_keys())
        .take(PATHS * 4)
        .collect();
    let is_plain = marked_json(&paths).is_some_and(|found| found.name == format.name);
    if is_plain { Vec::new() } else { wrapped(&paths, [format]).map_or_else(Vec::new, |(_, keys)| keys) }
}
