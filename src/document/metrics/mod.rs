//! Every figure that can be named: in a gate, in a table, in `--explain`. Summaries, CSV, schema
//! descriptions, `help metrics`, comparisons and gates all come from one table, [`METRICS`].
//!
//! ```text
//! table ─► PerRequest<Option<f64>> (one request) ─► PerRequest<Summary> (a target)
//!      ├─► definition!(ttft_ms) ─► doc comments and schemas of the wire types
//!      ├─► render: rows, columns, labels
//!      └─► lookup, figure::resolve("local.ttft_ms.p95", document) ─► value, interval, unit, n
//! ```
//!
//! A metric that is measured of each request is one entry under `per_request`, with the expression that
//! reads it from the measurement. Any other metric is one entry with the places where documents have it.

pub mod lookup;
mod metric;
mod table;
mod unit;

pub use metric::{Better, Metric, Place, Shape, Shown};
pub(crate) use table::definition;
pub use table::{METRICS, Measured, OfRequest, PER_REQUEST, PerRequest};
pub use unit::Unit;

use crate::spelling::nearest;

/// The metric with this id.
pub fn by_id(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|m| m.id == id)
}

/// The metric with this id in any spelling, with or without its unit: `ttft_ms`, `TTFT`.
pub fn named(name: &str) -> Option<&'static Metric> {
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    by_id(&wanted).or_else(|| METRICS.iter().find(|m| bare(m.id) == bare(&wanted)))
}

fn bare(id: &str) -> &str {
    ["_ms", "_tps", "_usd", "_months", "_bytes"].iter().find_map(|unit| id.strip_suffix(unit)).unwrap_or(id)
}

/// Ids that resemble a name, for suggestions.
pub fn near(name: &str) -> Vec<String> {
    nearest(name, METRICS.iter().map(|m| m.id), 3)
}

/// The metrics that this kind of document has.
pub fn of(document: &str) -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(move |m| m.places_in(document).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_definitions_are_sentences() {
        for (n, metric) in METRICS.iter().enumerate() {
            assert!(METRICS[..n].iter().all(|m| m.id != metric.id), "{} stands twice", metric.id);
            assert!(metric.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            assert!(metric.definition.len() > 20 && !metric.definition.ends_with('.'), "{}", metric.id);
            assert!(!metric.places.is_empty(), "{} is nowhere", metric.id);
        }
    }

    #[test]
    fn a_metric_is_found_without_its_unit() {
        for (typed, id) in [("ttft", "ttft_ms"), ("TTFT-ms", "ttft_ms"), ("decode", "decode_tps")] {
            assert_eq!(named(typed).map(|m| m.id), Some(id));
        }
        assert_eq!(named("speed"), None);
        assert_eq!(near("tttf_ms").first().map(String::as_str), Some("ttft_ms"));
    }

    #[test]
    fn metrics_of_requests_are_in_the_order_of_their_struct() {
        let text = serde_json::to_value(PerRequest::<Option<f64>>::default()).expect("JSON");
        let fields: Vec<&str> = text.as_object().expect("an object").keys().map(String::as_str).collect();
        let ids: Vec<&str> = PER_REQUEST.iter().map(|m| m.metric.id).collect();
        assert_eq!(fields, ids);
    }
}
