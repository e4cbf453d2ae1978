//! Many values of one figure, summed up.

use crate::measure::stats;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A median and what can be said about it from `n` values. Percentiles appear only where `n` can
/// bound them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Samples in it.
    pub n: u32,
    /// The median.
    pub median: Option<f64>,
    /// Order-statistic 95 % interval of the median; null below six values.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval of the median.
    pub high: Option<f64>,
    /// The smallest sample.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest sample.
    #[serde(default)]
    pub max: Option<f64>,
    /// From 36 values on.
    #[serde(default)]
    pub p90: Option<f64>,
    /// From 72 values on.
    #[serde(default)]
    pub p95: Option<f64>,
    /// From 368 values on.
    #[serde(default)]
    pub p99: Option<f64>,
}

impl Summary {
    /// Of all values that there are.
    pub fn of(values: &[f64]) -> Self {
        let s = stats::summary(values);
        Self {
            n: s.n,
            median: s.median,
            low: s.low,
            high: s.high,
            min: s.min,
            max: s.max,
            p90: s.p90,
            p95: s.p95,
            p99: s.p99,
        }
    }
}
