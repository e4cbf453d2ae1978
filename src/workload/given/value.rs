//! A value as given, and where it came from.

use crate::provenance::Source;
use jiff::civil::Date;
use std::collections::BTreeMap;

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
