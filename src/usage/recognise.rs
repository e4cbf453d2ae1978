//! Which format a file is of, from its first 256 KiB: its container (JSON lines, a JSON document, a table,
//! lines of text), and the format whose marks are in it.
//!
//! What could not be recognised is described by the names of its fields, and only by those that are
//! clearly names: a table without a header has data in its first row, and objects can have data as keys.

use super::format::FORMATS;
use super::reader::Format;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How the rows of a file are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// A JSON value on each line.
    JsonLines,
    /// JSON over several lines, or more than one value on a line.
    Json,
    /// Cells between these.
    Table(u8),
    /// Anything else that is text.
    Lines,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Recognised {
    pub container: Container,
    /// Absent where no format's marks are there.
    pub format: Option<&'static Format>,
    /// The keys that lead to the rows where something foreign is around them: a log shipper's `log`, a
    /// search engine's `hits`, `hits[]`, `_source`.
    pub inside: Vec<String>,
}

/// What a file that no format fits looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub container: Container,
    /// Names of fields that may matter to a mapping.
    pub fields: Vec<String>,
    /// Other fields, whose names could be data.
    pub others: usize,
    /// The format that comes nearest.
    pub nearest: Option<&'static str>,
    /// A mapping that may be right, as `--map` takes it.
    pub suggested: Option<String>,
}

/// Rows of two formats or more in one file, with how many of the first rows are of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed(pub Vec<(&'static str, u64)>);

/// Rows that are looked at.
const ROWS: usize = 400;
/// Paths of one row that are looked at.
const PATHS: usize = 4000;
const DEPTH: usize = 8;

/// Which container, from the first bytes; `all` says that there are no more.
pub fn container(head: &[u8], all: bool) -> Option<Container> {
    let first = head.iter().position(|b| !b.is_ascii_whitespace())?;
    let lines = || lines(head, all);
    let is_json = |line: &[u8]| serde_json::from_slice::<IgnoredAny>(line).is_ok() && line.len() > 2;
    let objects = lines().filter(|line| line.starts_with(b"{")).take(ROWS);
    let whole = objects.filter(|line| is_json(line)).count();
    match head[first] {
        b'{' if whole > 0 => Some(Container::JsonLines),
        b'[' if lines().next().is_some_and(is_json) && lines().count() > 1 => Some(Container::JsonLines),
        // A first line that is cut, and then objects.
        _ if whole > 0 && !matches!(head[first], b'[') && whole * 2 >= lines().count() => {
            Some(Container::JsonLines)
        }
        // A document, or a list with an object on each line. A lone line that is not whole is one, too:
        // either long or torn.
        b'{' | b'[' => Some(Container::Json),
        _ => Some(delimiter(head, all).map_or(Container::Lines, Container::Table)),
    }
}

/// The complete lines.
fn lines(head: &[u8], all: bool) -> impl Iterator<Item = &[u8]> {
    let end = if all { head.len() } else { memchr::memrchr(b'\n', head).unwrap_or(0) };
    head[..end].split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// What parts the cells of the first line: the mark of which a known format's header has most, or which
/// occurs most.
fn delimiter(head: &[u8], all: bool) -> Option<u8> {
    let first = lines(head, all).next().or(Some(head))?;
    // Metrics are lines of text.
    if first.starts_with(b"# ") {
        return None;
    }
    [b',', b';', b'\t', b'|']
        .into_iter()
        .map(|mark| (marked(&header(head, mark)), memchr::memchr_iter(mark, first).count(), mark))
        .filter(|(_, cells, _)| *cells > 0)
        .max_by_key(|(format, cells, _)| (format.map_or(0, |(_, n)| n), *cells))
        .map(|(_, _, mark)| mark)
}

/// The cells of the first row.
pub fn header(head: &[u8], mark: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(mark).has_headers(false).flexible(true).from_reader(head);
    let mut record = csv::ByteRecord::new();
    if reader.read_byte_record(&mut record).unwrap_or(false) {
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
    } else {
        Vec::new()
    }
}

/// The format with the most marks among a table's columns.
fn marked(columns: &[String]) -> Option<(&'static Format, usize)> {
    let has = |mark: &&str| columns.iter().any(|column| column.eq_ignore_ascii_case(mark));
    best(|marks| marks.iter().all(has))
}

/// The format of which the largest set of marks is there.
fn best(is_there: impl Fn(&[&str]) -> bool) -> Option<(&'static Format, usize)> {
    let mut best: Option<(&'static Format, usize)> = None;
    for format in FORMATS {
        let marks = format.marks.iter().filter(|marks| is_there(marks)).map(|marks| marks.len()).max();
        if let Some(n) = marks
            && best.is_none_or(|(_, most)| n > most)
        {
            best = Some((format, n));
        }
    }
    best
}

/// Recognise a file by its head. Nothing where it is empty.
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
            // Counters of a server have no delimiter, but their labels have commas.
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

/// Formats that differ in a word only: the one whose word is there.
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

/// Marks that a format must have to be seen inside something foreign, unless one says that there is a list: one
/// or two names may be anything.
const MARKS_INSIDE: usize = 3;

/// The format of which the most marks are there inside something else, and the keys that lead to its rows.
/// Of equals the nearest to the outside.
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
    // A list around everything is read as the rows themselves are.
    let keys = around.split('/').filter(|key| *key != "[]" && !key.is_empty());
    Some((format, keys.map(str::to_owned).collect()))
}

/// The keys around the rows of a format that somebody named, where there are any.
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

/// What a field holds, as far as a mapping cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Other,
}

/// The paths of a JSON text, as far as it goes.
fn paths(json: &[u8]) -> BTreeMap<String, Kind> {
    let mut found = BTreeMap::new();
    let mut values = serde_json::Deserializer::from_slice(json);
    for _ in 0..ROWS {
        let seed = Walk { found: &mut found, path: String::new(), depth: 0 };
        if seed.deserialize(&mut values).is_err() {
            break;
        }
    }
    found
}

struct Walk<'f> {
    found: &'f mut BTreeMap<String, Kind>,
    path: String,
    depth: usize,
}

impl Walk<'_> {
    fn note(self, kind: Kind) {
        if !self.path.is_empty() && self.found.len() < PATHS {
            let known = self.found.entry(self.path).or_insert(kind);
            if kind == Kind::Number {
                *known = kind;
            }
        }
    }
    fn inside(&mut self, step: &str) -> Walk<'_> {
        let path = match (self.path.is_empty(), step) {
            (_, "[]") => format!("{}[]", self.path),
            (true, step) => step.to_owned(),
            (false, step) => format!("{}/{step}", self.path),
        };
        Walk { found: self.found, path, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.depth > DEPTH {
            return from.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if text.starts_with(['{', '[']) && self.depth < DEPTH {
            let path = self.path.clone();
            let inner = Walk { found: &mut *self.found, path, depth: self.depth + 1 };
            let mut json = serde_json::Deserializer::from_str(text);
            // A text that only looks like JSON is a text.
            let _ = inner.deserialize(&mut json);
        }
        let number = text.len() < 24 && text.trim().parse::<f64>().is_ok();
        self.note(if number { Kind::Number } else { Kind::Other });
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<str>>()? {
            map.next_value_seed(self.inside(&key))?;
        }
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.found.entry(self.path.clone()).or_insert(Kind::Other);
        let mut n = 0;
        while n < ROWS && list.next_element_seed(self.inside("[]"))?.is_some() {
            n += 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Describe what no format fits.
pub fn describe(head: &[u8], all: bool, container: Container) -> Unknown {
    let fields: Vec<(String, Kind)> = match container {
        Container::Table(mark) => columns(head, all, mark),
        Container::Json | Container::JsonLines => {
            let mut rows: BTreeMap<String, (usize, Kind)> = BTreeMap::new();
            let mut n = 0;
            let mut count = |json: &[u8]| {
                n += 1;
                for (path, kind) in paths(json) {
                    let entry = rows.entry(path).or_insert((0, kind));
                    entry.0 += 1;
                    entry.1 = if kind == Kind::Number { kind } else { entry.1 };
                }
            };
            if container == Container::JsonLines {
                lines(head, all).take(ROWS).for_each(&mut count);
            } else {
                count(head);
            }
            // A key that is in few rows may be data.
            let often = |seen: usize| seen * 2 >= n;
            rows.into_iter()
                .filter(|(_, (seen, _))| often(*seen))
                .map(|(path, (_, kind))| (path, kind))
                .collect()
        }
        Container::Lines => Vec::new(),
    };
    let all_fields = fields.len();
    let plain = |path: &str| {
        path.replace("[]/", ".").replace('/', ".").trim_start_matches(['[', ']', '.']).to_owned()
    };
    let is_table = matches!(container, Container::Table(_));
    // A header is written by a program; a key of an object may be a name of somebody.
    let fit = |path: &str| is_name(path) && (is_table || path.split('/').all(is_usual));
    let shown: Vec<String> = fields
        .iter()
        .filter(|(path, kind)| fit(path) && (*kind == Kind::Number || hint(path).is_some()))
        .map(|(path, _)| plain(path))
        .collect();
    let names: Vec<&str> = fields.iter().map(|(path, _)| path.as_str()).collect();
    Unknown {
        container,
        others: all_fields - shown.len(),
        nearest: nearest(&names),
        suggested: suggest(&shown),
        fields: shown,
    }
}

/// The columns of a table, if its first row is one of names: its cells are unlike those below.
fn columns(head: &[u8], all: bool, mark: u8) -> Vec<(String, Kind)> {
    let names = header(head, mark);
    let second = lines(head, all).nth(1).map(|line| header(line, mark)).unwrap_or_default();
    let is_number = |text: &String| text.replace([',', '.'], "").trim().parse::<f64>().is_ok();
    let alike = (1..names.len()).any(|n| names[n].is_empty() || names[..n].contains(&names[n]));
    if alike || names.iter().any(is_number) || !second.iter().any(is_number) {
        return names.into_iter().map(|_| (String::new(), Kind::Other)).collect();
    }
    let kind = |n: usize| if second.get(n).is_some_and(is_number) { Kind::Number } else { Kind::Other };
    names.into_iter().enumerate().map(|(n, name)| (name, kind(n))).collect()
}

/// The words of a name: `cache_write_5m`, `promptTokens`, `Request tokens`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        let last = words.len() - 1;
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else if c.is_uppercase() && words[last].chars().last().is_some_and(char::is_lowercase) {
            words.push(c.to_lowercase().collect());
        } else {
            words[last].extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Short, made of words: a name somebody gave a field, not a key or an address.
fn is_name(path: &str) -> bool {
    let fine = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '[' | ']' | '$' | '(' | ')')
    };
    let is_word =
        |word: &String| word.len() <= 3 || (word.len() <= 20 && word.chars().all(char::is_alphabetic));
    !path.is_empty()
        && path.len() <= 80
        && path.chars().all(fine)
        && path.split(['/', '.']).all(|part| part.len() <= 40 && words(part).iter().all(is_word))
}

/// A step made of words that fields of usage have.
fn is_usual(step: &str) -> bool {
    const USUAL: [&str; 56] = [
        "at",
        "attributes",
        "body",
        "cache",
        "cached",
        "completion",
        "context",
        "cost",
        "count",
        "created",
        "creation",
        "data",
        "date",
        "details",
        "duration",
        "end",
        "eval",
        "generated",
        "id",
        "in",
        "input",
        "items",
        "length",
        "log",
        "logs",
        "message",
        "meta",
        "metadata",
        "metrics",
        "model",
        "name",
        "num",
        "out",
        "output",
        "price",
        "prompt",
        "read",
        "reasoning",
        "records",
        "request",
        "response",
        "result",
        "results",
        "row",
        "rows",
        "spend",
        "start",
        "stats",
        "time",
        "timestamp",
        "token",
        "tokens",
        "total",
        "ts",
        "usage",
        "usd",
    ];
    let words = words(step);
    words.iter().all(|word| word.len() <= 2 || USUAL.contains(&word.as_str()) || hint(word).is_some())
}

/// What a field of this name may be.
fn hint(path: &str) -> Option<&'static str> {
    let name = path.rsplit(['/', '.']).next().unwrap_or(path).to_ascii_lowercase().replace([' ', '-'], "_");
    let is = |names: &[&str]| names.contains(&name.as_str());
    let found = [
        (
            "input",
            &[
                "prompt_tokens",
                "input_tokens",
                "tokens_in",
                "prompttokens",
                "inputtokens",
                "tokens_prompt",
                "context_tokens",
                "request_tokens",
                "n_prompt_tokens",
                "in_tokens",
                "input_token_count",
            ][..],
        ),
        (
            "output",
            &[
                "completion_tokens",
                "output_tokens",
                "tokens_out",
                "completiontokens",
                "outputtokens",
                "tokens_completion",
                "generated_tokens",
                "response_tokens",
                "out_tokens",
                "output_token_count",
            ],
        ),
        (
            "cache_read",
            &[
                "cached_tokens",
                "cache_read_input_tokens",
                "cache_read_tokens",
                "cached_input_tokens",
                "input_cached_tokens",
                "tokens_cached",
            ],
        ),
        ("cache_write", &["cache_creation_input_tokens", "cache_write_tokens", "cache_creation_tokens"]),
        ("reasoning", &["reasoning_tokens", "thinking_tokens", "thoughts_tokens", "tokens_reasoning"]),
        (
            "time",
            &[
                "timestamp",
                "time",
                "ts",
                "created_at",
                "created",
                "date",
                "datetime",
                "start_time",
                "starttime",
                "request_time",
                "logged_at",
            ],
        ),
        ("model", &["model", "model_name", "model_id", "modelid", "deployment"]),
        ("cost", &["cost", "cost_usd", "spend", "total_cost", "price_usd"]),
        ("id", &["request_id", "requestid", "id", "trace_id", "generation_id"]),
    ];
    found.iter().find(|(_, names)| is(names)).map(|(key, _)| *key)
}

/// A mapping from names that say what they are.
fn suggest(fields: &[String]) -> Option<String> {
    let mut pairs: Vec<(&'static str, &str)> = Vec::new();
    for field in fields {
        if let Some(key) = hint(field).filter(|key| pairs.iter().all(|(known, _)| known != key)) {
            pairs.push((key, field));
        }
    }
    let counts = pairs.iter().any(|(key, _)| matches!(*key, "input" | "output"));
    let pairs: Vec<String> = pairs.iter().map(|(key, field)| format!("{key}={field}")).collect();
    counts.then(|| pairs.join(","))
}

/// The format of whose marks the largest part is there, at least half.
fn nearest(names: &[&str]) -> Option<&'static str> {
    let has = |mark: &str| {
        let last = mark.rsplit('/').next().unwrap_or(mark);
        names.iter().any(|name| name.rsplit('/').next().is_some_and(|n| n.eq_ignore_ascii_case(last)))
    };
    FORMATS
        .into_iter()
        .flat_map(|format| format.marks.iter().map(move |marks| (format, marks)))
        .filter(|(_, marks)| marks.len() > 1)
        .map(|(format, marks)| {
            (marks.iter().filter(|m| has(m)).count() * 100 / marks.len(), marks.len(), format.name)
        })
        .filter(|(share, _, _)| *share >= 50)
        .max_by_key(|(share, n, _)| (*share, *n))
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_told_apart() {
        let of = |text: &str| container(text.as_bytes(), true);
        assert_eq!(of("{\"a\":1}\n{\"a\":2}\n"), Some(Container::JsonLines));
        assert_eq!(of("{\"a\":1}"), Some(Container::JsonLines));
        assert_eq!(of("{\n \"a\":1\n}\n"), Some(Container::Json));
        assert_eq!(of("[\n{\"a\":1},\n{\"a\":2}\n]\n"), Some(Container::Json));
        assert_eq!(of("[{\"a\":1},{\"a\":2}]"), Some(Container::Json));
        assert_eq!(of("ens\":5}}\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"), Some(Container::JsonLines));
        assert_eq!(of("{\"a\":1}\n{\"a\":2,\"b"), Some(Container::JsonLines));
        assert_eq!(of("a;b\n1;2\n"), Some(Container::Table(b';')));
        assert_eq!(of("a\tb,c\n1\t2\n"), Some(Container::Table(b'\t')));
        assert_eq!(of("# HELP a b, c\na 1\n"), Some(Container::Lines));
        assert_eq!(of(" \n\n"), None);
    }

    #[test]
    fn a_table_without_a_header_shows_nothing_of_its_first_row() {
        let text = b"canary,4711,secret text\nother,12,more\n";
        let unknown = describe(text, true, Container::Table(b','));
        assert_eq!((unknown.fields.len(), unknown.others), (0, 3));
        let text = b"customer,tokens_in,tokens_out,when\ncanary,5,6,x\n";
        let unknown = describe(text, true, Container::Table(b','));
        assert_eq!(unknown.fields, ["tokens_in", "tokens_out"]);
        assert_eq!(unknown.suggested.as_deref(), Some("input=tokens_in,output=tokens_out"));
    }

    #[test]
    fn keys_that_are_data_are_not_shown() {
        let json = b"{\"ts\":1,\"in_tokens\":3,\"who\":{\"canary@example.com\":5}}\n\
                     {\"ts\":1,\"in_tokens\":3,\"who\":{\"secret-4711-4711\":5}}\n{\"ts\":2,\"in_tokens\":1}\n";
        let unknown = describe(json, true, Container::JsonLines);
        assert_eq!(unknown.fields, ["in_tokens", "ts"]);
        assert_eq!(unknown.suggested.as_deref(), Some("input=in_tokens,time=ts"));
    }
}
