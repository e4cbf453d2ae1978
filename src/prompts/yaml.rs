//! Reads YAML (and with it JSON) into values with line numbers, as js-yaml does: the core schema, merge
//! keys, no duplicate keys, and no keys that are lists or mappings.

use super::PromptError;
use super::bounds::{DEEPEST_YAML, MOST_YAML_NODES};
use super::js;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

/// A value, and the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Scalar(Value),
    /// A date or time, which js-yaml turns into an object; the text as written.
    Date(String),
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn null(line: usize) -> Self {
        Self { line, kind: Kind::Scalar(Value::Null) }
    }

    /// The plain value; a date is its text.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Date(text) => Value::String(text.clone()),
            Kind::List(list) => list.iter().map(Self::value).collect(),
            Kind::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), v.value())).collect()),
        }
    }

    /// The value as `typeof` sees it: a date is an empty object.
    pub(crate) fn value_with_dates(&self) -> Value {
        match &self.kind {
            Kind::Date(_) => Value::Object(Map::new()),
            Kind::List(list) => list.iter().map(Self::value_with_dates).collect(),
            Kind::Map(map) => {
                Value::Object(map.iter().map(|(k, v)| (k.clone(), v.value_with_dates())).collect())
            }
            Kind::Scalar(value) => value.clone(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(map) => map.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[(String, Self)]> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// Why a text is not valid YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl YamlError {
    pub(crate) fn in_file(self, file: &str) -> PromptError {
        PromptError {
            file: file.to_owned(),
            line: Some(self.line),
            column: Some(self.column),
            message: self.message,
            remedy:
                "Mend the YAML: quotation marks around text with special characters, spaces and not tabs, \
                     every bracket closed."
                    .to_owned(),
        }
    }
}

/// Read a file with one document; an empty file is null.
pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Node, PromptError> {
    let text = super::utf8(file, bytes)?;
    document(text, false).map(|node| node.unwrap_or_else(|| Node::null(1))).map_err(|e| e.in_file(file))
}

/// Read a text with one document; `None` where there is none. With `last_wins` the last of several equal
/// keys counts, which are an error otherwise.
pub(crate) fn document(text: &str, last_wins: bool) -> Result<Option<Node>, YamlError> {
    let mut loader = Loader { last_wins, ..Loader::default() };
    let text = whole_escapes(text);
    let text = if last_wins { without_tabs(text) } else { text };
    let mut parser = Parser::new_from_str(&text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|e: ScanError| YamlError {
            line: e.marker().line().max(1),
            column: e.marker().col() + 1,
            message: e.info().to_owned(),
        })?;
        loader.event(event, (span.start.line().max(1), span.start.col() + 1))?;
    }
    Ok(loader.done)
}

/// JSON writes a character beyond U+FFFF as two escapes, YAML as a single long one.
fn whole_escapes(text: &str) -> Cow<'_, str> {
    let half = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok().filter(|u| (0xd800..0xe000).contains(u))
    };
    let (mut out, mut from, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\').map(|i| at + i) {
        let Some(first) = half(found) else {
            // A character that is escaped does not itself begin an escape.
            at = found + 1 + text[found + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        let pair = half(found + 6).filter(|second| first < 0xdc00 && *second >= 0xdc00);
        let c = pair.map_or(0xfffd, |second| 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        at = found + if pair.is_some() { 12 } else { 6 };
        out.push_str(&text[from..found]);
        let _ = write!(out, "\\U{c:08X}");
        from = at;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// Inside brackets a tab is a space, which the parser does not accept after a colon.
fn without_tabs(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\t') {
        return text;
    }
    let (mut quote, mut escaped) = (None, false);
    let replaced = text
        .chars()
        .map(|c| {
            match quote {
                Some('"') if escaped => escaped = false,
                Some('"') if c == '\\' => escaped = true,
                Some(q) if c == q => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                _ => {}
            }
            if quote.is_none() && c == '\t' { ' ' } else { c }
        })
        .collect();
    Cow::Owned(replaced)
}

type Place = (usize, usize);

/// A list or mapping that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { pairs: Vec<(String, Node)>, explicit: Vec<bool>, key: Option<Key> },
}

enum Key {
    Named(String),
    /// The merge key `<<`.
    Merge,
}

#[derive(Default)]
struct Loader {
    last_wins: bool,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    documents: usize,
    nodes: usize,
    done: Option<Node>,
}

fn fail<T>(place: Place, message: impl Into<String>) -> Result<T, YamlError> {
    Err(YamlError { line: place.0, column: place.1, message: message.into() })
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::List(list) => list.iter().map(size).sum(),
        Kind::Map(map) => map.iter().map(|(_, v)| size(v)).sum(),
        _ => 0,
    }
}

impl Loader {
    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), YamlError> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return fail(place, "there is more than one document in the file");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if plain && tag.is_none() && text == "<<" && self.expects_key() {
                    self.set_key(Key::Merge);
                    return Ok(());
                }
                let kind = scalar(text, plain, tag.as_deref(), place)?;
                self.put(Node { line: place.0, kind }, anchor, place)?;
            }
            Event::SequenceStart(anchor, tag) => {
                Self::check_tag(tag.as_deref(), &["seq", "omap", "pairs"], place)?;
                self.begin(place, anchor, OpenKind::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                Self::check_tag(tag.as_deref(), &["map", "set"], place)?;
                let kind = OpenKind::Map { pairs: Vec::new(), explicit: Vec::new(), key: None };
                self.begin(place, anchor, kind)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { place, anchor, kind }) = self.open.pop() {
                    let kind = match kind {
                        OpenKind::List(list) => Kind::List(list),
                        OpenKind::Map { pairs, .. } => Kind::Map(pairs),
                    };
                    self.put(Node { line: place.0, kind }, anchor, place)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return fail(place, "an alias refers to a value that contains it");
                };
                self.nodes += size;
                self.put(node, 0, place)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn check_tag(tag: Option<&Tag>, known: &[&str], place: Place) -> Result<(), YamlError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && known.contains(&tag.suffix.as_str())) => {
                fail(place, format!("unknown tag {tag}"))
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, kind: OpenKind) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST_YAML {
            return fail(place, format!("more than {DEEPEST_YAML} levels of lists and mappings"));
        }
        self.open.push(Open { place, anchor, kind });
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: OpenKind::Map { key: None, .. }, .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Open { kind: OpenKind::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(new);
        }
    }

    /// Put a complete value into the list or mapping that is open.
    fn put(&mut self, node: Node, anchor: usize, place: Place) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MOST_YAML_NODES {
            return fail(place, format!("there are more than {MOST_YAML_NODES} values, aliases counted"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        let last_wins = self.last_wins;
        match self.open.last_mut().map(|o| &mut o.kind) {
            None => self.done = Some(node),
            Some(OpenKind::List(list)) => list.push(node),
            Some(OpenKind::Map { pairs, explicit, key }) => match key.take() {
                None => match node.kind {
                    Kind::Scalar(value) => *key = Some(Key::Named(js::text(&value))),
                    Kind::Date(text) => *key = Some(Key::Named(text)),
                    _ => return fail(place, "a key cannot be a list or a mapping"),
                },
                Some(Key::Named(name)) => match pairs.iter().position(|(k, _)| *k == name) {
                    Some(at) if explicit[at] && !last_wins => {
                        return fail(place, format!("the key {name:?} stands there twice"));
                    }
                    Some(at) => {
                        pairs[at].1 = node;
                        explicit[at] = true;
                    }
                    None => {
                        pairs.push((name, node));
                        explicit.push(true);
                    }
                },
                Some(Key::Merge) => {
                    let sources = match node.kind {
                        Kind::List(list) => list,
                        kind => vec![Node { line: node.line, kind }],
                    };
                    for source in sources {
                        let Kind::Map(more) = source.kind else {
                            return fail(place, "\"<<\" needs a mapping, or a list of them");
                        };
                        for (name, value) in more {
                            if pairs.iter().all(|(k, _)| *k != name) {
                                pairs.push((name, value));
                                explicit.push(false);
                            }
                        }
                    }
                }
            },
        }
        Ok(())
    }
}

fn scalar(text: Cow<'_, str>, plain: bool, tag: Option<&Tag>, place: Place) -> Result<Kind, YamlError> {
    let string = |text: Cow<'_, str>| Kind::Scalar(Value::String(text.into_owned()));
    let Some(tag) = tag else {
        return Ok(if plain { resolve(&text) } else { string(text) });
    };
    if tag.handle == "!" && tag.suffix.is_empty() {
        return Ok(string(text));
    }
    if !tag.is_yaml_core_schema() {
        return fail(place, format!("unknown tag {tag}"));
    }
    let resolved = resolve(&text);
    let fits = match (tag.suffix.as_str(), &resolved) {
        ("str" | "binary", _) => return Ok(string(text)),
        ("null", Kind::Scalar(Value::Null))
        | ("bool", Kind::Scalar(Value::Bool(_)))
        | ("int" | "float", Kind::Scalar(Value::Number(_)))
        | ("timestamp", Kind::Date(_)) => true,
        _ => false,
    };
    if fits { Ok(resolved) } else { fail(place, format!("{text:?} does not fit its tag {tag}")) }
}

/// The value of a plain scalar in the core schema, with dates.
fn resolve(text: &str) -> Kind {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text) {
            Some(number) => number,
            None if is_date(text) => return Kind::Date(text.to_owned()),
            None => Value::String(text.to_owned()),
        },
    };
    Kind::Scalar(value)
}

fn number(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let radix = |prefix, radix| {
        let digits = text.strip_prefix(prefix).filter(|d: &&str| !d.is_empty())?;
        digits.chars().all(|c| c.is_digit(radix)).then(|| {
            let digit = |c: char| f64::from(c.to_digit(radix).unwrap_or(0));
            float(digits.chars().fold(0.0, |n, c| n * f64::from(radix) + digit(c)))
        })
    };
    if let Some(value) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(value);
    }
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        // What JSON cannot write as a number becomes null in JavaScript.
        return Some(Value::Null);
    }
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !body.contains(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    if body.chars().all(|c| c.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        return plain
            .parse::<i64>()
            .ok()
            .filter(|n| n.unsigned_abs() <= 1 << 53 && *n != 0)
            .map(|n| Value::Number(n.into()))
            .or_else(|| plain.parse::<f64>().ok().map(float));
    }
    let shaped = body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    shaped
        .then(|| body.trim_end_matches('.').parse::<f64>().ok())
        .flatten()
        .map(|n| float(if text.starts_with('-') { -n } else { n }))
}

/// A number as JavaScript has it: whole numbers have no fraction.
fn float(n: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if n.fract() == 0.0 && n.abs() < 9e15 && !(n == 0.0 && n.is_sign_negative()) {
        return Value::Number((n as i64).into());
    }
    Number::from_f64(n).map_or(Value::Null, Value::Number)
}

/// Is it a date such as `2024-01-31`, with or without a time?
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|d| !d.is_empty() && d.iter().all(u8::is_ascii_digit))
    };
    let dash = |at: usize| bytes.get(at) == Some(&b'-');
    if digits(0, 4) && dash(4) && digits(5, 7) && dash(7) && digits(8, 10) && bytes.len() == 10 {
        return true;
    }
    let Some((date, time)) = text.split_once(['T', 't']).or_else(|| text.split_once([' ', '\t'])) else {
        return false;
    };
    let parts: Vec<&str> = date.split('-').collect();
    let number = |s: &str, from, to| (from..=to).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return false };
    let time = time.trim_start();
    let clock: Vec<&str> = time.splitn(3, ':').collect();
    number(year, 4, 4)
        && number(month, 1, 2)
        && number(day, 1, 2)
        && clock.len() == 3
        && number(clock[0], 1, 2)
        && number(clock[1], 2, 2)
        && clock[2].starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences of the parser: inside brackets it takes the indicator of a block scalar for text, and
    /// the end of a document for one; and it does not know tags without a name.
    const KNOWN: &[&str] = &["{\"a\": |\n x}", "{\"a\": >\n x}", "{!}", "{\"a\": 1...}"];

    /// Expected values come from js-yaml itself, by the script `benchmarks/quality/oracles/yaml.mjs`.
    #[test]
    fn values_are_those_of_js_yaml() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/quality/yaml.json")).expect("JSON");
        let wrong: Vec<String> = fixture["cases"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|case| !KNOWN.contains(&case["text"].as_str().expect("text")))
            .filter_map(|case| {
                let text = case["text"].as_str().expect("text");
                let found = document(text, case["last_wins"] == true);
                let same = match (&found, case.get("value")) {
                    (Ok(node), Some(value)) => {
                        js::json(&node.as_ref().map_or(Value::Null, Node::value_with_dates))
                            == js::json(value)
                    }
                    (Err(_), None) => true,
                    _ => false,
                };
                (!same).then(|| format!("{text:?}: {found:?}, not {:?}", case.get("value")))
            })
            .collect();
        assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    }

    #[test]
    fn errors_name_the_line_and_bombs_are_refused() {
        let twice = document("a: 1\nb: 2\na: 3\n", false).expect_err("twice");
        assert_eq!(twice.line, 3);
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let list = vec![format!("*a{}", n - 1); 10].join(", ");
            let _ = writeln!(bomb, "a{n}: &a{n} [{list}]");
        }
        assert!(document(&bomb, false).expect_err("bomb").message.contains("values"));
        assert!(document(&"[".repeat(10_000), false).is_err());
        assert!(document(&"- ".repeat(10_000), false).is_err());
    }
}
