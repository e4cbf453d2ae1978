//! A mapping gives the meaning of the columns of a table, or of the keys of a JSON log: `--map
//! input=prompt_tokens,output=completion_tokens,…`. A JSON file can say the same, and also how a column
//! writes its numbers and times.
//!
//! ```json
//! {
//!   "delimiter": ";",
//!   "time": {"column": "Zeit", "format": "%d/%m/%Y %H:%M", "zone": "+02:00"},
//!   "model": "Modell",
//!   "input": {"column": "Eingabe", "includes_cached": true, "thousands": "."},
//!   "output": "Ausgabe",
//!   "cache_read": "davon Cache",
//!   "cost": {"column": "Kosten", "decimal": ",", "currency": "USD"}
//! }
//! ```

use super::moment::{self, TimeStyle};
use super::number::Style;
use super::summary::Currency;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest mapping, bytes.
pub const LARGEST: usize = 64 << 10;

/// What is wrong with a mapping, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("the mapping is larger than 64 KiB")]
    TooLarge,
    #[error("the mapping is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the mapping {0}; its keys are {KEYS}, each with a column name or an object")]
    Wrong(String),
    #[error("{0:?} is no part of a mapping; write KEY=COLUMN,KEY=COLUMN with the keys {KEYS}")]
    NoPair(String),
    #[error("the mapping names neither `input` nor `output`: there would be nothing to count")]
    NothingToCount,
    #[error("{0:?} is no time zone; write an offset such as +02:00 or a name such as Europe/Berlin")]
    NoZone(String),
    #[error("{0:?} is no currency code such as USD")]
    NoCurrency(String),
    #[error("{0:?} is no single character")]
    NotOneCharacter(String),
    #[error("{0:?} is no width of time; write 1m, 1h or 1d")]
    NoSpan(String),
}

const KEYS: &str = "time, model, input, output, cache_read, cache_write, cache_write_5m, cache_write_1h, \
                    reasoning, cost, id, requests, tier, user, total, rows, delimiter";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    delimiter: Option<String>,
    rows: Option<String>,
    time: Option<RawField>,
    model: Option<RawField>,
    input: Option<RawField>,
    output: Option<RawField>,
    cache_read: Option<RawField>,
    cache_write: Option<RawField>,
    cache_write_5m: Option<RawField>,
    cache_write_1h: Option<RawField>,
    reasoning: Option<RawField>,
    cost: Option<RawField>,
    id: Option<RawField>,
    #[serde(alias = "count")]
    requests: Option<RawField>,
    tier: Option<RawField>,
    user: Option<RawField>,
    total: Option<RawField>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawField {
    Column(String),
    Described(Described),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    column: Option<String>,
    value: Option<String>,
    format: Option<String>,
    zone: Option<String>,
    span: Option<String>,
    includes_cached: Option<bool>,
    within_output: Option<bool>,
    thousands: Option<String>,
    decimal: Option<String>,
    currency: Option<String>,
}

/// A column with counts or amounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub column: String,
    pub style: Style,
}

/// Where a name, such as that of the model, comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    Column(String),
    /// A fixed value for all rows.
    Value(String),
}

/// A mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Delimiter of a table; detected where `None`.
    pub delimiter: Option<u8>,
    /// Key of the list with the rows, if a JSON document has them in one.
    pub rows: Option<String>,
    pub time: Option<(String, TimeStyle)>,
    /// Width of the bucket that a row stands for, seconds; `None` for single requests.
    pub span: Option<u32>,
    pub model: Option<Named>,
    pub input: Option<Counted>,
    /// Does the input count include cached tokens? If `None`, each record must show it.
    pub includes_cached: Option<bool>,
    pub output: Option<Counted>,
    pub cache_read: Option<Counted>,
    pub cache_write: Option<Counted>,
    pub cache_write_5m: Option<Counted>,
    pub cache_write_1h: Option<Counted>,
    pub reasoning: Option<Counted>,
    /// Does the output count include reasoning? By default it does.
    pub reasoning_within: bool,
    pub total: Option<Counted>,
    pub cost: Option<Counted>,
    pub currency: Option<Currency>,
    pub id: Option<String>,
    /// The column with the number of requests, if rows are buckets.
    pub requests: Option<Counted>,
    pub tier: Option<Named>,
    pub user: Option<String>,
}

impl Mapping {
    /// Read a mapping from a JSON file.
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        if text.len() > LARGEST {
            return Err(MappingError::TooLarge);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text)
            .map_err(|e| MappingError::NotJson { line: e.line(), column: e.column() })?;
        Self::from_value(value)
    }

    /// Read a mapping such as `input=prompt_tokens,time=ts,time.zone=+02:00`.
    pub fn from_pairs(text: &str) -> Result<Self, MappingError> {
        if text.len() > LARGEST {
            return Err(MappingError::TooLarge);
        }
        let mut root = Map::new();
        // `delimiter=,` would otherwise be split at its own value.
        let text = text.replace("delimiter=,", "delimiter=\u{1}");
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let no_pair = || MappingError::NoPair(pair.replace('\u{1}', ","));
            let (key, value) = pair.split_once('=').ok_or_else(no_pair)?;
            let value = value.replace('\u{1}', ",");
            let value = match value.as_str() {
                "true" | "yes" => Value::Bool(true),
                "false" | "no" => Value::Bool(false),
                text => Value::String(text.to_owned()),
            };
            match key.trim().split_once('.') {
                None => {
                    // `input.thousands=.` may come before or after `input=…`.
                    match root.get_mut(key.trim()) {
                        Some(Value::Object(described)) => described.insert("column".to_owned(), value),
                        _ => root.insert(key.trim().to_owned(), value),
                    };
                }
                Some((key, part)) => {
                    let entry = root.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::String(column) = entry {
                        let mut described = Map::new();
                        described.insert("column".to_owned(), Value::String(std::mem::take(column)));
                        *entry = Value::Object(described);
                    }
                    entry.as_object_mut().ok_or_else(no_pair)?.insert(part.to_owned(), value);
                }
            }
        }
        Self::from_value(Value::Object(root))
    }

    fn from_value(value: Value) -> Result<Self, MappingError> {
        let raw: Raw = serde_json::from_value(value).map_err(|e| {
            let text = e.to_string();
            MappingError::Wrong(if text.contains("untagged") {
                "has a field that is neither a column name nor an object of column, value, format, zone, span, \
                 includes_cached, within_output, thousands, decimal, currency"
                    .to_owned()
            } else {
                format!("is not right: {text}")
            })
        })?;
        let includes_cached = described(raw.input.as_ref()).and_then(|d| d.includes_cached);
        let reasoning_within =
            described(raw.reasoning.as_ref()).and_then(|d| d.within_output).unwrap_or(true);
        let currency = described(raw.cost.as_ref()).and_then(|d| d.currency.as_deref());
        let currency = currency
            .map(|code| Currency::of(code).ok_or_else(|| MappingError::NoCurrency(code.to_owned())))
            .transpose()?;
        let span = described(raw.time.as_ref()).and_then(|d| d.span.as_deref()).map(span).transpose()?;
        let mapping = Self {
            delimiter: raw.delimiter.as_deref().map(delimiter).transpose()?,
            rows: raw.rows,
            time: raw.time.map(time).transpose()?,
            span,
            model: raw.model.map(named).transpose()?,
            input: raw.input.map(counted).transpose()?,
            includes_cached,
            output: raw.output.map(counted).transpose()?,
            cache_read: raw.cache_read.map(counted).transpose()?,
            cache_write: raw.cache_write.map(counted).transpose()?,
            cache_write_5m: raw.cache_write_5m.map(counted).transpose()?,
            cache_write_1h: raw.cache_write_1h.map(counted).transpose()?,
            reasoning: raw.reasoning.map(counted).transpose()?,
            reasoning_within,
            total: raw.total.map(counted).transpose()?,
            cost: raw.cost.map(counted).transpose()?,
            currency,
            id: raw.id.map(column).transpose()?,
            requests: raw.requests.map(counted).transpose()?,
            tier: raw.tier.map(named).transpose()?,
            user: raw.user.map(column).transpose()?,
        };
        if mapping.input.is_none() && mapping.output.is_none() {
            return Err(MappingError::NothingToCount);
        }
        Ok(mapping)
    }

    /// The columns that it names, each once.
    pub fn columns(&self) -> Vec<&str> {
        let counted = [
            &self.input,
            &self.output,
            &self.cache_read,
            &self.cache_write,
            &self.cache_write_5m,
            &self.cache_write_1h,
            &self.reasoning,
            &self.total,
            &self.cost,
            &self.requests,
        ];
        let named = [&self.model, &self.tier].into_iter().flatten().filter_map(|named| match named {
            Named::Column(column) => Some(column.as_str()),
            Named::Value(_) => None,
        });
        counted
            .into_iter()
            .flatten()
            .map(|c| c.column.as_str())
            .chain(named)
            .chain(self.time.as_ref().map(|(column, _)| column.as_str()))
            .chain(self.id.as_deref())
            .chain(self.user.as_deref())
            .collect()
    }
}

fn described(field: Option<&RawField>) -> Option<&Described> {
    match field? {
        RawField::Described(described) => Some(described),
        RawField::Column(_) => None,
    }
}

fn column(field: RawField) -> Result<String, MappingError> {
    let column = match field {
        RawField::Column(column) => Some(column),
        RawField::Described(described) => described.column,
    };
    column
        .filter(|c| !c.trim().is_empty())
        .ok_or_else(|| MappingError::Wrong("has a field without a column".to_owned()))
}

fn named(field: RawField) -> Result<Named, MappingError> {
    match field {
        RawField::Described(Described { value: Some(value), column: None, .. }) => Ok(Named::Value(value)),
        field => column(field).map(Named::Column),
    }
}

fn character(text: &str) -> Result<char, MappingError> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(MappingError::NotOneCharacter(text.to_owned())),
    }
}

fn delimiter(text: &str) -> Result<u8, MappingError> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        text => u8::try_from(character(text)?).map_err(|_| MappingError::NotOneCharacter(text.to_owned())),
    }
}

fn counted(field: RawField) -> Result<Counted, MappingError> {
    let mark = |text: Option<&str>| text.map(character).transpose();
    let (thousands, decimal) = match &field {
        RawField::Column(_) => (None, None),
        RawField::Described(d) => (mark(d.thousands.as_deref())?, mark(d.decimal.as_deref())?),
    };
    Ok(Counted { style: Style { thousands, decimal, strict: true }, column: column(field)? })
}

fn time(field: RawField) -> Result<(String, TimeStyle), MappingError> {
    let mut style = TimeStyle::default();
    if let RawField::Described(described) = &field {
        style.format.clone_from(&described.format);
        if let Some(zone) = &described.zone {
            style.zone = moment::zone(zone).ok_or_else(|| MappingError::NoZone(zone.clone()))?;
        }
    }
    Ok((column(field)?, style))
}

fn span(text: &str) -> Result<u32, MappingError> {
    let wrong = || MappingError::NoSpan(text.to_owned());
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).filter(|s| *s > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_files_say_the_same() {
        let file = r#"{"delimiter":";","time":{"column":"Zeit","format":"%d/%m/%Y %H:%M","zone":"+02:00"},
            "input":{"column":"Eingabe","includes_cached":true,"thousands":"."},"output":"Ausgabe"}"#;
        let pairs = "delimiter=;,time=Zeit,time.format=%d/%m/%Y %H:%M,time.zone=+02:00,input.thousands=.,\
                     input=Eingabe,input.includes_cached=true,output=Ausgabe";
        assert_eq!(Mapping::from_json(file), Mapping::from_pairs(pairs));
        let mapping = Mapping::from_pairs(pairs).expect("good");
        assert_eq!((mapping.delimiter, mapping.includes_cached), (Some(b';'), Some(true)));
        assert_eq!(mapping.input.map(|c| c.style.thousands), Some(Some('.')));
        assert_eq!(Mapping::from_pairs("delimiter=,,input=a").expect("good").delimiter, Some(b','));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |pairs| Mapping::from_pairs(pairs).expect_err("wrong").to_string();
        assert!(wrong("inptu=a").contains("inptu"));
        assert!(wrong("input").contains("KEY=COLUMN"));
        assert!(wrong("model=a").contains("nothing to count"));
        assert!(wrong("input=a,time=t,time.zone=Mars/Base").contains("Mars/Base"));
        assert!(wrong("input=a,cost=c,cost.currency=dollars").contains("dollars"));
        assert!(wrong("input=a,time=t,time.span=hour").contains("1h"));
        assert!(wrong("input=a,input.colour=b").contains("neither"));
        assert_eq!(Mapping::from_json("{"), Err(MappingError::NotJson { line: 1, column: 1 }));
    }
}
