//! One figure of a document, or why there is none.

use crate::document::metrics::metric::Metric;
use crate::document::metrics::unit::Unit;

/// One figure, as it stands in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub metric: &'static Metric,
    /// In full: subject, metric, statistic where one was asked for.
    pub path: String,
    /// Of the path, whose figure it is, list after list; empty where it is the whole document's.
    pub subject: Vec<String>,
    /// `None` where the document has `null`: not measured, too few samples, or "never".
    pub value: Option<Datum>,
    /// The interval of the value, where it has one.
    pub interval: Option<(f64, f64)>,
    pub unit: Unit,
    /// Of how many samples, prompts or draws, where that is said.
    pub n: Option<u64>,
}

/// A number, or a word such as `local` or `true`.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Number(f64),
    Word(String),
}

/// A path that is no figure of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}{}", hint(nearest))]
pub struct NotFound {
    pub path: String,
    pub why: Why,
    /// Paths or ids that may have been meant, the likeliest first.
    pub nearest: Vec<String>,
}

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("there is no metric of this name")]
    UnknownMetric,
    #[error("a document of the kind \"{0}\" has no such metric")]
    NotInThisDocument(&'static str),
    #[error("the document has no such target, offer or list")]
    NoSuchSubject,
    #[error("there are several: say whose")]
    Ambiguous,
    #[error("this metric has no such statistic")]
    NoSuchStatistic,
}

fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}
