//! The summary of one figure over many requests.

use crate::measure::stats;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The median of `n` values, its interval, and percentiles. A percentile is there only where `n` values are
/// enough to bound it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Number of values.
    pub n: u32,
    /// The median; null where there are no values.
    pub median: Option<f64>,
    /// Lower end of the 95 % interval of the median, from order statistics; null below six values.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval of the median, from order statistics.
    pub high: Option<f64>,
    /// The smallest value.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest value.
    #[serde(default)]
    pub max: Option<f64>,
    /// The 90th percentile; null below 36 values.
    #[serde(default)]
    pub p90: Option<f64>,
    /// The 95th percentile; null below 72 values.
    #[serde(default)]
    pub p95: Option<f64>,
    /// The 99th percentile; null below 368 values.
    #[serde(default)]
    pub p99: Option<f64>,
}

impl Summary {
    /// The summary of these values.
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
