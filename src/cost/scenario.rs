//! A scenario as given: a TOML file, flags, or both. Nothing is completed here, but everything that
//! is wrong by itself (an unknown key, a share above 1, a price below 0) stops here, with the line.

use super::keys::{self, CHANGE_RATES, KEYS, Key, Kind, Section};
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
    pub low: f64,
    pub likely: f64,
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
    #[must_use]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self { low: f(self.low), likely: f(self.likely), high: f(self.high) }
    }
}

/// A value as given.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(Range),
    /// A number written as `{ low, likely, high }`, even where all three are equal.
    Uncertain(Range),
    Flag(bool),
    Text(String),
    /// 168 weights.
    Hours(Vec<f64>),
    Changes(Vec<Change>),
}

impl Value {
    pub const fn range(&self) -> Option<Range> {
        match self {
            Self::Number(r) | Self::Uncertain(r) => Some(*r),
            _ => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
}

/// Prices from a day on.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub from: Date,
    /// By key name, one of [`CHANGE_RATES`].
    pub rates: BTreeMap<&'static str, Range>,
}

/// A value and how it came: `scenario.toml:12 need.output_tokens` or `--need.output-tokens`.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub value: Value,
    pub via: String,
}

/// The given keys of one table.
pub type Fields = BTreeMap<&'static str, Given>;

/// Everything given; every key optional.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenario {
    pub need: Fields,
    pub cloud: Vec<Fields>,
    pub local: Vec<Fields>,
    pub hybrid: Fields,
    pub finance: Fields,
}

/// What is wrong with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(pub String);

impl Scenario {
    /// Read a scenario file. `file` is its name, for messages and sources.
    pub fn parse(text: &str, file: &str) -> Result<Self, ScenarioError> {
        let place = Place { text, file };
        let root = DeTable::parse(text)
            .map_err(|e| ScenarioError(format!("{file} is not valid TOML:\n{}", e.to_string().trim_end())))?;
        let mut scenario = Self::default();
        for (key, value) in root.get_ref() {
            let Some(section) = Section::named(key.get_ref()) else {
                let names = Section::ALL.iter().map(|s| s.name());
                return Err(place.error(key.span(), &unknown("table", key.get_ref(), names)));
            };
            match value.get_ref() {
                DeValue::Table(table) => {
                    let fields = place.fields(section, table)?;
                    match section {
                        Section::Need => scenario.need = fields,
                        Section::Hybrid => scenario.hybrid = fields,
                        Section::Finance => scenario.finance = fields,
                        // One offer may be written without the double brackets.
                        Section::Cloud => scenario.cloud.push(fields),
                        Section::Local => scenario.local.push(fields),
                    }
                }
                DeValue::Array(items) if section.repeats() => {
                    for item in items {
                        let DeValue::Table(table) = item.get_ref() else {
                            return Err(place.error(item.span(), "expected a table"));
                        };
                        let fields = place.fields(section, table)?;
                        if section == Section::Cloud {
                            scenario.cloud.push(fields);
                        } else {
                            scenario.local.push(fields);
                        }
                    }
                }
                _ => {
                    let wanted = if section.repeats() { "[[table]]" } else { "[table]" };
                    return Err(place.error(
                        key.span(),
                        &format!(
                            "`{}` must be a {}",
                            section.name(),
                            wanted.replace("table", section.name())
                        ),
                    ));
                }
            }
        }
        Ok(scenario)
    }

    /// Set one key from a flag. `offer` counts the offers of a repeated section from 0; `None`
    /// means every offer there is, or the first.
    pub fn set(&mut self, key: &'static Key, offer: Option<usize>, given: &Given) {
        let offers = match key.section {
            Section::Need => return drop(self.need.insert(key.name, given.clone())),
            Section::Hybrid => return drop(self.hybrid.insert(key.name, given.clone())),
            Section::Finance => return drop(self.finance.insert(key.name, given.clone())),
            Section::Cloud => &mut self.cloud,
            Section::Local => &mut self.local,
        };
        let wanted = offer.map_or(1, |n| n + 1);
        if offers.len() < wanted {
            offers.resize_with(wanted, Fields::new);
        }
        for (n, fields) in offers.iter_mut().enumerate() {
            if offer.is_none_or(|o| o == n) {
                fields.insert(key.name, given.clone());
            }
        }
    }
}

/// A flag's text as a value of this key: `3`, `2:3:5` (low, likely, high), or TOML.
pub fn value_from_flag(key: &Key, flag: &str, text: &str) -> Result<Given, ScenarioError> {
    let toml = match key.kind {
        Kind::Number { .. } | Kind::Positive | Kind::Whole { .. } | Kind::Months => {
            match text.split(':').collect::<Vec<_>>()[..] {
                [low, likely, high] => format!("{{ low = {low}, likely = {likely}, high = {high} }}"),
                // `1_000`, `.5`, `1e6` are all fine for people.
                [one] if one.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                    one.trim().parse::<f64>().map(|v| format!("{v:?}")).unwrap_or_default()
                }
                _ => text.to_owned(),
            }
        }
        Kind::Flag => text.to_owned(),
        Kind::Changes => {
            if text.trim_start().starts_with('[') {
                text.to_owned()
            } else {
                format!("[{text}]")
            }
        }
        Kind::Profile if text.trim_start().starts_with('[') => text.to_owned(),
        Kind::Text | Kind::Month | Kind::Choice(_) | Kind::Profile => toml::Value::from(text).to_string(),
    };
    let line = format!("{} = {toml}", key.name);
    let wrong = |why: &str| ScenarioError(format!("{flag} {text}: {why}"));
    let table = DeTable::parse(&line).map_err(|e| match key.kind {
        Kind::Number { .. } | Kind::Positive | Kind::Whole { .. } | Kind::Months => {
            wrong("must be a number, or low:likely:high")
        }
        Kind::Flag => wrong("must be true or false"),
        Kind::Changes => wrong("must be {from = \"YYYY-MM-DD\", input_usd_per_mtok = ..., ...}"),
        _ => wrong(e.message()),
    })?;
    let Some(value) = table.get_ref().get(key.name) else { return Err(wrong("no value")) };
    // The flag names the key already.
    let path = format!("{}.{}: ", key.section.name(), key.name);
    let value = Place::value(key, value).map_err(|(_, why)| wrong(why.trim_start_matches(&path)))?;
    Ok(Given { value, via: flag.to_owned() })
}

struct Place<'a> {
    text: &'a str,
    file: &'a str,
}

type At = (Span<usize>, String);

impl Place<'_> {
    fn fields(&self, section: Section, table: &DeTable<'_>) -> Result<Fields, ScenarioError> {
        let mut fields = Fields::new();
        for (name, value) in table {
            let Some(key) = keys::find(section, name.get_ref()) else {
                let names = KEYS.iter().filter(|k| k.section == section).map(|k| k.name);
                let mut message = unknown(&format!("key of [{}]", section.name()), name.get_ref(), names);
                if let Some(other) = KEYS.iter().find(|k| k.name == name.get_ref()) {
                    let _ = write!(message, "; it belongs to [{}]", other.section.name());
                }
                return Err(self.error(name.span(), &message));
            };
            let value_at = value.span();
            let value = Self::value(key, value).map_err(|(at, why)| self.error(at, &why))?;
            let via =
                format!("{}:{} {}.{}", self.file, self.line(value_at.start).0, section.name(), key.name);
            fields.insert(key.name, Given { value, via });
        }
        Ok(fields)
    }

    fn value(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
        let at = value.span();
        let path = format!("{}.{}", key.section.name(), key.name);
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
            Kind::Month => match text() {
                Some(t) if format!("{t}-01").parse::<Date>().is_ok() => Ok(Value::Text(t)),
                _ => wrong("must be a month, \"YYYY-MM\""),
            },
            Kind::Choice(choices) => match text() {
                Some(t) if choices.contains(&t.as_str()) => Ok(Value::Text(t)),
                _ => wrong(&format!("must be one of {}", choices.join(", "))),
            },
            Kind::Profile => profile(value).map_err(|why| (at, format!("{path}: {why}"))),
            Kind::Changes => Self::changes(value),
        }
    }

    fn changes(value: &Spanned<DeValue<'_>>) -> Result<Value, At> {
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
                let known = CHANGE_RATES.into_iter().find(|k| k == name.get_ref());
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
                } else if let Some(key) = known.and_then(|k| keys::find(Section::Cloud, k)) {
                    if let Some(range) = number(key, value)?.range() {
                        rates.insert(key.name, range);
                    }
                } else {
                    let names = CHANGE_RATES.into_iter().chain(["from"]);
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

    fn line(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// File, line, column, the line itself and a caret under what is wrong.
    fn error(&self, at: Span<usize>, why: &str) -> ScenarioError {
        let (line, column) = self.line(at.start);
        let shown = self.text.lines().nth(line - 1).unwrap_or("");
        let width = self.text.get(at).map_or(1, |t| t.lines().next().unwrap_or("").chars().count()).max(1);
        let margin = line.to_string();
        let gap = " ".repeat(margin.len());
        ScenarioError(format!(
            "{}:{line}:{column}: {why}\n{gap} |\n{margin} | {shown}\n{gap} | {}{}",
            self.file,
            " ".repeat(column - 1),
            "^".repeat(width.min(shown.chars().count().saturating_sub(column - 1).max(1))),
        ))
    }
}

fn unknown<'a>(what: &str, word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(word, names, 3);
    if near.is_empty() {
        format!("unknown {what} `{word}`")
    } else {
        format!("unknown {what} `{word}`: did you mean `{}`?", near.join("` or `"))
    }
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
    let path = format!("{}.{}", key.section.name(), key.name);
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
        Kind::Positive if n > keys::LARGEST => {
            Err(format!("{shown} is above {:e}, the most it can be", keys::LARGEST))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Scenario::parse(text, "s.toml").expect_err("must be refused").to_string()
    }

    #[test]
    fn a_scenario_keeps_what_was_given_and_from_where() {
        let s = Scenario::parse(
            "[need]\nrequests_per_month = 1000\n[[local]]\nname = \"x\"\nusd_per_kwh = { low = 0.2, likely = 0.3, high = 0.5 }\n",
            "s.toml",
        )
        .expect("valid");
        assert_eq!(s.need["requests_per_month"].via, "s.toml:2 need.requests_per_month");
        let range = s.local[0]["usd_per_kwh"].value.range().expect("a number");
        assert!((range.likely - 0.3).abs() < 1e-12 && range.is_wide());
    }

    #[test]
    fn a_wrong_key_names_line_and_neighbour() {
        let message = wrong("[need]\ninput_tokens = 5\noutput_token = 5\n");
        assert!(
            message.starts_with(
                "s.toml:3:1: unknown key of [need] `output_token`: did you mean `output_tokens`"
            ),
            "{message}"
        );
        assert!(message.ends_with("3 | output_token = 5\n  | ^^^^^^^^^^^^"), "{message}");
        assert!(wrong("[need]\npue = 1.2\n").contains("it belongs to [local]"));
        assert!(wrong("[neeed]\n").contains("did you mean `need`"));
    }

    #[test]
    fn impossible_values_stop_with_the_key() {
        for (text, part) in [
            ("[need]\nbatch_share = 1.2", "need.batch_share: 1.2 is above 1"),
            ("[need]\npeak_to_mean = 0.5", "peak below the mean"),
            ("[need]\nhorizon_months = 0", "at least 1"),
            ("[[cloud]]\ninput_usd_per_mtok = -3", "cloud.input_usd_per_mtok: -3 is below 0"),
            ("[[local]]\npurchase_usd = nan", "must be a number"),
            ("[[local]]\nusd_per_kwh = { low = 2, likely = 1, high = 3 }", "low must not exceed"),
            ("[hybrid]\nprofile = [1, 2]", "needs 168 numbers"),
            ("[need]\nrequests_per_month = \"many\"", "must be a number"),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
    }

    #[test]
    fn flags_and_files_read_alike() {
        let key = keys::find(Section::Local, "usd_per_kwh").expect("a key");
        let flag = value_from_flag(key, "--local.usd-per-kwh", "0.2:0.3:0.5").expect("valid");
        assert_eq!(flag.value, Value::Uncertain(Range { low: 0.2, likely: 0.3, high: 0.5 }));
        let message = value_from_flag(key, "--local.usd-per-kwh", "-1").expect_err("negative").to_string();
        assert!(message.contains("--local.usd-per-kwh -1") && message.contains("below 0"), "{message}");
    }
}
