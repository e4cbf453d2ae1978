//! What is taken over from a price file, and what is left out.

use crate::catalog::{ApiModel, PricePeriod, Rates};
use jiff::civil::Date;

/// Most records taken from one file.
pub(super) const MAX_RECORDS: usize = 50_000;

/// What a file says about itself and when it was read.
#[derive(Debug, Clone)]
pub struct Origin {
    /// How the file is named in problems.
    pub file: String,
    /// How it is cited: `genai-prices 0.2.3`.
    pub source: String,
    /// The day it was read.
    pub as_of: Date,
}

/// A file's API models.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Sorted by id, each id once.
    pub models: Vec<ApiModel>,
    /// Records that were left out, and why.
    pub skipped: Vec<Skipped>,
}

/// A record that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The record, by the name the file has for it.
    pub id: String,
    /// Why, in a few words.
    pub reason: Reason,
}

/// Why a record was not taken over.
// The message of each is its description.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    #[error("not a text model")]
    NotText,
    #[error("deprecated by its provider")]
    Deprecated,
    #[error("retired by its provider")]
    Retired,
    #[error("no provider")]
    NoProvider,
    #[error("no price of input and output tokens")]
    NoPrice,
    #[error("charges per request besides tokens")]
    PerRequest,
    /// Files write -1 for it.
    #[error("a price that depends on the request")]
    Depends,
    #[error("`{0}` is no price")]
    NoNumber(String),
    /// Without the step the base price would be taken for all requests.
    #[error("its price has a step of an unknown kind: {0}")]
    UnknownStep(String),
    #[error("the file has this id twice")]
    Twice,
    #[error("a moving name; prices are kept by dated model")]
    MovingName,
    /// The record's own text is wrong there; counted from 1.
    #[error("line {line} cannot be read: {what}")]
    Unreadable { line: usize, what: String },
    /// No file of the catalogue may hold it: the first rule it breaks.
    #[error("{0}")]
    Unusable(String),
}

/// The prices of a record that has one period from its beginning.
pub(super) fn one_period(rates: Rates) -> PricePeriod {
    PricePeriod {
        from: None,
        currency: "USD".to_owned(),
        free: is_free(&rates),
        rates,
        batch_multiplier: None,
        tiers: Vec::new(),
        windows: Vec::new(),
        cite: None,
    }
}

pub(super) fn is_free(rates: &Rates) -> bool {
    rates.input_per_mtok == Some(0.0) && rates.output_per_mtok == Some(0.0)
}

/// The factor between two sets of rates where it is one factor: input and output agree to 2 % (the
/// sources round).
pub(super) fn one_factor(of: &Rates, to: &Rates) -> Option<f64> {
    let ratio = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) if b > 0.0 => Some(a / b),
        _ => None,
    };
    let input = ratio(of.input_per_mtok, to.input_per_mtok)?;
    let output = ratio(of.output_per_mtok, to.output_per_mtok)?;
    let agree = (input - output).abs() <= 0.02 * input.max(output);
    (agree && input > 0.0 && input <= 1.0).then(|| (output * 100.0).round() / 100.0)
}
