//! Where a number came from. Every figure shown to a user carries one of these.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The origin of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// Given by the user.
    User {
        /// The flag, profile or scenario key, or question it came by: `--need.output-tokens`,
        /// `scenario.toml: need.output_tokens`.
        via: String,
    },
    /// Taken from a measurement.
    Measured {
        /// The bench document.
        file: String,
        /// Where in it: `targets[0].metrics.decode_tps.median`.
        path: String,
    },
    /// Taken from the catalogue.
    Database {
        /// Kind and id of the entry: `gpu nvidia-rtx-4090`.
        entry: String,
        /// The page or package the figure was read from.
        source: String,
        /// The day it was read.
        #[schemars(with = "String")]
        as_of: Date,
    },
    /// Neither given, nor measured, nor in the catalogue: a default or a prediction.
    Assumed {
        /// Id of the default, or of the formula that predicted it.
        rule: String,
        /// Why this value.
        reason: String,
    },
}

impl Source {
    /// One word, as the tables show it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Measured { .. } => "measured",
            Self::Database { .. } => "database",
            Self::Assumed { .. } => "assumed",
        }
    }
    /// The origin in a few words, as tables show it.
    pub fn describe(&self) -> String {
        match self {
            Self::User { via } => format!("user ({via})"),
            Self::Measured { file, path } => format!("measured ({file}: {path})"),
            Self::Database { entry, as_of, .. } => format!("database ({entry}, {as_of})"),
            Self::Assumed { reason, .. } => format!("assumed ({reason})"),
        }
    }
    /// The date of a catalogue figure.
    pub const fn as_of(&self) -> Option<Date> {
        match self {
            Self::Database { as_of, .. } => Some(*as_of),
            _ => None,
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub source: Source,
}

impl<T> Sourced<T> {
    /// Pair a value with its origin.
    pub const fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
    /// A value the user gave.
    pub fn user(value: T, via: impl Into<String>) -> Self {
        Self::new(value, Source::User { via: via.into() })
    }
    /// A default or prediction.
    pub fn assumed(value: T, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(value, Source::Assumed { rule: rule.into(), reason: reason.into() })
    }
    /// Change the value, keep the origin.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: f(self.value), source: self.source }
    }
}

/// The source and date a catalogue figure rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cite {
    /// Page, document or package: enough to find it again.
    pub source: String,
    /// The day it was read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Where a figure is derived from others: from which and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
}
