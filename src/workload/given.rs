//! Values as a user gave them: from a TOML file, a flag or a question, checked against their key, each
//! with its origin. What is wrong by itself (an unknown key, a share above 1, a price below 0) stops
//! here, with the line.

use super::keys::{Key, Kind, LARGEST, Section, find};
use crate::provenance::{FileRole, Source, UserInput};
use crate::spelling::nearest;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range as Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A number, or what is known about one.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Range {
    /// The lowest it can be.
    pub low: f64,
    /// The likeliest.
    pub likely: f64,
    /// The highest it can be.
    pub high: f64,
}

impl Range {
    /// Known exactly.
    pub const fn exactly(value: f64) -> Self {
        Self { low: value, likely: value, high: value }
    }
    /// Does it say anything about uncertainty?
    pub fn is_wide(&self) -> bool {
        self.low < self.high
    }
    /// All three by the same function, which must keep their order.
    #[must_use]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self { low: f(self.low), likely: f(self.likely), high: f(self.high) }
    }
}

/// A value as given.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(Range),
    /// A number written as `{ low, likely, high }`, even where all three are equal.
    Uncertain(Range),
    /// Yes or no.
    Flag(bool),
    /// A text, or the word that was chosen.
    Text(String),
    /// 168 weights.
    Hours(Vec<f64>),
    /// Other values from a day on, in order of the days.
    Changes(Vec<Change>),
    /// Kinds of request; their shares add up to 1.
    Sizes(Vec<RequestSize>),
    /// Texts, at least one.
    Texts(Vec<String>),
    /// Above an amount of a month's bill in US dollars, this share of what is above it is taken off.
    Discounts(Vec<(f64, f64)>),
}

impl Value {
    /// The number, where it is one.
    pub const fn range(&self) -> Option<Range> {
        match self {
            Self::Number(r) | Self::Uncertain(r) => Some(*r),
            _ => None,
        }
    }
    /// Text, or the word that was chosen.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
    /// As a flag takes it.
    pub fn to_flag(&self) -> String {
        let number = |v: f64| v.to_string();
        match self {
            Self::Number(r) if !r.is_wide() => number(r.likely),
            Self::Number(r) | Self::Uncertain(r) => {
                format!("{}:{}:{}", number(r.low), number(r.likely), number(r.high))
            }
            Self::Text(text) => text.clone(),
            Self::Texts(texts) => texts.join(", "),
            Self::Flag(_) | Self::Hours(_) | Self::Changes(_) | Self::Sizes(_) | Self::Discounts(_) => {
                self.to_toml()
            }
        }
    }
    /// As a TOML file has it; reading it back gives the same value.
    pub fn to_toml(&self) -> String {
        let number = |v: f64| {
            if v.fract() == 0.0 && v.abs() < 9e15 { format!("{v:.0}") } else { format!("{v:?}") }
        };
        let range = |r: Range| {
            let Range { low, likely, high } = r;
            format!("{{ low = {}, likely = {}, high = {} }}", number(low), number(likely), number(high))
        };
        match self {
            Self::Number(r) if !r.is_wide() => number(r.likely),
            Self::Number(r) | Self::Uncertain(r) => range(*r),
            Self::Flag(on) => on.to_string(),
            Self::Text(text) => toml::Value::from(text.as_str()).to_string(),
            Self::Texts(texts) => toml::Value::from(texts.clone()).to_string(),
            Self::Hours(hours) => {
                format!("[{}]", hours.iter().map(|h| number(*h)).collect::<Vec<_>>().join(", "))
            }
            Self::Changes(changes) => {
                let one = |c: &Change| {
                    let from = std::iter::once(format!("from = \"{}\"", c.from));
                    let rates = c.rates.iter().map(|(key, r)| {
                        let value = if r.is_wide() { range(*r) } else { number(r.likely) };
                        format!("{key} = {value}")
                    });
                    format!("{{ {} }}", from.chain(rates).collect::<Vec<_>>().join(", "))
                };
                format!("[{}]", changes.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Self::Sizes(sizes) => {
                let one = |size: &RequestSize| {
                    let parts = size.named().map(|(name, value)| format!("{name} = {}", number(value)));
                    format!("{{ {} }}", parts.join(", "))
                };
                format!("[{}]", sizes.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Self::Discounts(steps) => {
                let one = |(above, share): &(f64, f64)| {
                    format!("{{ above_usd = {}, share = {} }}", number(*above), number(*share))
                };
                format!("[{}]", steps.iter().map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RequestSize {
    /// Of all requests, above 0 and up to 1.
    pub share: f64,
    /// Input tokens, cached ones included.
    pub input_tokens: f64,
    /// Share of the input that is read from a cache.
    pub cached_input_share: f64,
    /// Share of the input that is written to a cache.
    pub cache_write_input_share: f64,
    /// Output tokens without reasoning.
    pub output_tokens: f64,
    /// Reasoning tokens.
    pub reasoning_tokens: f64,
}

impl RequestSize {
    /// Most kinds that are told apart.
    pub const MOST: usize = 64;
    /// Names of its figures, as files have them.
    pub const NAMES: [&'static str; 6] = [
        "share",
        "input_tokens",
        "cached_input_share",
        "cache_write_input_share",
        "output_tokens",
        "reasoning_tokens",
    ];

    /// Every figure with its name.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        let values = [
            self.share,
            self.input_tokens,
            self.cached_input_share,
            self.cache_write_input_share,
            self.output_tokens,
            self.reasoning_tokens,
        ];
        std::array::from_fn(|n| (Self::NAMES[n], values[n]))
    }

    fn of(values: [f64; 6]) -> Self {
        let [
            share,
            input_tokens,
            cached_input_share,
            cache_write_input_share,
            output_tokens,
            reasoning_tokens,
        ] = values;
        Self {
            share,
            input_tokens,
            cached_input_share,
            cache_write_input_share,
            output_tokens,
            reasoning_tokens,
        }
    }
}

/// Prices from a day on.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The first day on which they hold.
    pub from: Date,
    /// By key name.
    pub rates: BTreeMap<&'static str, Range>,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// What was given.
    pub value: Value,
    /// By whom, and where.
    pub source: Source,
}

impl Given {
    /// A value the program chose itself.
    pub fn chosen(value: Value, rule: &str, reason: impl Into<String>) -> Self {
        Self { value, source: Source::assumed(rule, reason) }
    }
}

/// The given keys of one table.
pub type Fields = BTreeMap<&'static str, Given>;

/// What is wrong with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InputError(pub String);

/// Text as a value of this key, from a flag or an answer: `3`, `2:3:5` (low, likely, high), or TOML.
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

/// A file while it is read: its text for line numbers, its name for messages and sources.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its name, as the user gave it.
    pub file: &'a str,
    /// What it was to the command.
    pub role: FileRole,
}

/// Where in the file, and what is wrong there.
pub type At = (Span<usize>, String);

impl Place<'_> {
    /// The keys of one table, each checked. `keys` are those the table may have; `elsewhere` are all
    /// keys, to say to which table a misplaced one belongs.
    pub fn fields(
        &self,
        section: Section,
        table: &DeTable<'_>,
        keys: &[&'static Key],
        elsewhere: &[&'static Key],
    ) -> Result<Fields, InputError> {
        let mut fields = Fields::new();
        for (name, value) in table {
            let Some(key) = find(keys, name.get_ref()) else {
                let names = keys.iter().map(|k| k.name);
                let mut message = unknown(&format!("key of [{}]", section.name()), name.get_ref(), names);
                if let Some(other) = find(elsewhere, name.get_ref()) {
                    let _ = write!(message, "; it belongs to [{}]", other.section.name());
                }
                return Err(self.error(name.span(), &message));
            };
            fields.insert(key.name, self.given(key, value)?);
        }
        Ok(fields)
    }

    /// The value of one key.
    pub fn given(&self, key: &'static Key, value: &Spanned<DeValue<'_>>) -> Result<Given, InputError> {
        let source = self.source(key, value.span());
        let value = read_value(key, value).map_err(|(at, why)| self.error(at, &why))?;
        Ok(Given { value, source })
    }

    /// The source of what stands at this place.
    pub fn source(&self, key: &Key, at: Span<usize>) -> Source {
        Source::User(UserInput::File {
            role: self.role,
            file: self.file.to_owned(),
            line: u32::try_from(self.line(at.start).0).ok(),
            key: key.path(),
        })
    }

    /// Line and column, counted from 1.
    fn line(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// File, line, column, the line itself and a caret under what is wrong.
    pub fn error(&self, at: Span<usize>, why: &str) -> InputError {
        let (line, column) = self.line(at.start);
        let shown = self.text.lines().nth(line - 1).unwrap_or("");
        let width = self.text.get(at).map_or(1, |t| t.lines().next().unwrap_or("").chars().count()).max(1);
        let (margin, gap) = (line.to_string(), " ".repeat(line.to_string().len()));
        let width = width.min(shown.chars().count().saturating_sub(column - 1));
        let (shown, marks) = crate::sanitize::excerpt(shown, column, width);
        InputError(format!(
            "{}:{line}:{column}: {why}\n{gap} |\n{margin} | {shown}\n{gap} | {marks}",
            self.file
        ))
    }

    /// What is no TOML, in the same form.
    pub fn not_toml(&self, error: &toml::de::Error) -> InputError {
        let why = error.message().trim().replace('\n', ", ");
        self.error(error.span().unwrap_or(0..0), &format!("not valid TOML: {why}"))
    }
}

fn read_value(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
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

/// At most so many texts in a list.
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

/// A number as people write it: `1_000`, `1,000`, `.5`, `1e6`, `20k`, `1.5M`, `2B`, and `30 %` where
/// the key is a share or a rate. `None` where it could mean two things (`1,5`).
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

/// `1,234,567.8` without its commas; nothing where they do not part thousands.
fn without_thousands(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next()?;
    let threes = groups.clone().all(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit()));
    ((1..=3).contains(&first.len()) && first != "0" && threes && !fraction.contains(','))
        .then(|| text.replace(',', ""))
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

/// "unknown key `x`: did you mean `y`?"
pub fn unknown<'a>(what: &str, word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(word, names, 3);
    if near.is_empty() {
        format!("unknown {what} `{word}`")
    } else {
        format!("unknown {what} `{word}`: did you mean `{}`?", near.join("` or `"))
    }
}

/// An error of serde's about a TOML file, for people: the file, toml's own line and caret, and the
/// nearest known name.
pub fn toml_error(file: &str, error: &toml::de::Error) -> String {
    let text = format!("{file}: {}", error.to_string().trim_end());
    match did_you_mean(error.message()) {
        Some(near) => format!("{text}\nDid you mean `{near}`?"),
        None => text,
    }
}

/// "unknown field `privcy`, expected one of `privacy`, `volume`" → `privacy`.
fn did_you_mean(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once(", expected ")?;
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let typed = quoted(unknown).into_iter().next()?;
    nearest(&typed, quoted(expected).iter().map(String::as_str), 1).pop()
}

fn plain(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    let number = match value.get_ref() {
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok()? as f64,
        DeValue::Float(f) => f.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn number(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
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

/// Is this number possible for this key?
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
