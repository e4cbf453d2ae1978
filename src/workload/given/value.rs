//! Values that were given, with their source.

use crate::provenance::Source;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A number, or a range that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Range {
    /// The lowest value.
    pub low: f64,
    /// The likely value.
    pub likely: f64,
    /// The highest value.
    pub high: f64,
}

impl Range {
    /// A number that is known exactly.
    pub const fn exactly(value: f64) -> Self {
        Self { low: value, likely: value, high: value }
    }
    /// Is the value uncertain?
    pub fn is_wide(&self) -> bool {
        self.low < self.high
    }
    /// Apply a function that keeps the order to all three values.
    #[must_use]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self { low: f(self.low), likely: f(self.likely), high: f(self.high) }
    }
}

/// A value that was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(Range),
    /// A number that was written as `{ low, likely, high }`, even if all three are equal.
    Uncertain(Range),
    /// True or false.
    Flag(bool),
    /// A text, or a word from a list.
    Text(String),
    /// A weight for each of the 168 hours of a week.
    Hours(Vec<f64>),
    /// Values that change on dates, in order of the dates.
    Changes(Vec<Change>),
    /// Kinds of request; their shares add up to 1.
    Sizes(Vec<RequestSize>),
    /// Texts, at least one.
    Texts(Vec<String>),
    /// Discounts on large bills: above this amount of a month's bill (US dollars), this share of the rest
    /// is deducted.
    Discounts(Vec<(f64, f64)>),
}

impl Value {
    /// The number; `None` for other values.
    pub const fn range(&self) -> Option<Range> {
        match self {
            Self::Number(r) | Self::Uncertain(r) => Some(*r),
            _ => None,
        }
    }
    /// The text, or the word; `None` for other values.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
    /// The value as the argument of a flag.
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
    /// The value in a TOML file; reading it gives the same value.
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

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RequestSize {
    /// Share of all requests that are of this kind, above 0 and at most 1.
    pub share: f64,
    /// Input tokens, whether cached or not.
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
    /// The most kinds.
    pub const MOST: usize = 64;
    /// Names of its figures in files.
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

    pub(super) fn of(values: [f64; 6]) -> Self {
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

/// Prices from a date on.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The first day on which they apply.
    pub from: Date,
    /// Prices by the name of their key.
    pub rates: BTreeMap<&'static str, Range>,
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The value.
    pub value: Value,
    /// Who gave it, and where.
    pub source: Source,
}

impl Given {
    /// A value that the program chose itself.
    pub fn chosen(value: Value, rule: &str, reason: impl Into<String>) -> Self {
        Self { value, source: Source::assumed(rule, reason) }
    }
}

/// The values of one table, by key name.
pub type Fields = BTreeMap<&'static str, Given>;
