//! A figure of a document, or the reason why there is none.

use crate::document::metrics::metric::Metric;
use crate::document::metrics::unit::Unit;

/// One figure, as it stands in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub metric: &'static Metric,
    /// The full path: subject, metric, and the statistic where one was asked for.
    pub path: String,
    /// The parts of the subject, one for each list on the way; empty for a figure of the whole document.
    pub subject: Vec<String>,
    /// `None` where the document has `null`: not measured, too few samples, or "never".
    pub value: Option<Datum>,
    /// The interval of the value; `None` where it has none.
    pub interval: Option<(f64, f64)>,
    pub unit: Unit,
    /// Number of samples, prompts or draws that it is based on; `None` where the document does not say.
    pub n: Option<u64>,
}

/// A number, or a word such as `local` or `true`.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Number(f64),
    Word(String),
}

/// A path that names no figure of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}{}", hint(nearest))]
pub struct NotFound {
    pub path: String,
    pub why: Why,
    /// Paths or ids that may have been meant, the most likely first.
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
