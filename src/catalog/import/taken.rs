//! What is taken over from a price file, and what is left out.

use crate::catalog::{ApiModel, PricePeriod, Rates};
use jiff::civil::Date;

/// The most records that are taken from one file.
pub(super) const MAX_RECORDS: usize = 50_000;

/// Where a price file comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its name in error messages.
    pub file: String,
    /// Its name in citations: `genai-prices 0.2.3`.
    pub source: String,
    /// The day on which it was read.
    pub as_of: Date,
}

/// The API models of a file.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Sorted by id, each id once.
    pub models: Vec<ApiModel>,
    /// Records that were left out, with the reason.
    pub skipped: Vec<Skipped>,
}

/// A record that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The record's name in the file.
    pub id: String,
    /// The reason.
    pub reason: Reason,
}

/// Why a record was left out.
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
    /// The price depends on the request; files write -1 for it.
    #[error("a price that depends on the request")]
    Depends,
    #[error("`{0}` is no price")]
    NoNumber(String),
    /// The price has a step of an unknown kind. Without it the base price would be taken for all requests.
    #[error("its price has a step of an unknown kind: {0}")]
    UnknownStep(String),
    #[error("the file has this id twice")]
    Twice,
    #[error("a moving name; prices are kept by dated model")]
    MovingName,
    /// The record cannot be read; `line` counts from 1.
    #[error("line {line} cannot be read: {what}")]
    Unreadable { line: usize, what: String },
    /// A rule of the catalogue is broken; the first one that was found.
    #[error("{0}")]
    Unusable(String),
}

/// A price period with these rates and no start date.
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

/// The factor between two sets of rates, if it is the same for input and output to within 2 % (sources
/// round); otherwise `None`.
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
