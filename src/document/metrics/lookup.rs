//! Finds a figure of a document by the name people use for it: `local.ttft_ms.p95`, `payback_months`,
//! `placement`, `options.best.p_cheapest`. Gates and comparisons name figures like this.
//!
//! ```text
//! [subject.]metric[.statistic]
//! ```
//!
//! The *metric* is an id of the table of metrics, or the field's own name in the document. The
//! *statistic* of a summary is `median` (the default), `low`, `high`, `min`, `max`, `p90`, `p95`, `p99`
//! or `n`; of a predicted band `likely`, `low` or `high`. The *subject* says whose figure it is, list
//! after list: `local.levels.16` is the local target at 16 requests at once. A subject is left out where
//! there is only one, or where the document puts the main one first.

mod figure;
mod lists;
mod route;

pub use figure::{Datum, Figure, NotFound, Why};

use super::metric::{Metric, Shape};
use super::unit::Unit;
use super::{named, of};
use crate::spelling::nearest;
use lists::List;
use route::{Entry, Route};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most subjects that are looked through for suggestions.
const MOST_SUBJECTS: usize = 10_000;

/// The figure of this path in the `result` of a document of this kind.
///
/// # Errors
///
/// Where there is no such figure; the error lists similar paths.
pub fn resolve_in(path: &str, kind: &'static str, result: &Value) -> Result<Figure, NotFound> {
    let fail = |why: Why, nearest: Vec<String>| NotFound { path: path.to_owned(), why, nearest };
    let asked = TypedPath::read(path, kind);
    let Some(asked) = asked else {
        let typed = path.rsplit('.').find(|part| !is_statistic(part)).unwrap_or(path);
        let known = named(typed).is_some();
        let ids = of(kind).map(|m| m.id);
        let why = if known { Why::NotInThisDocument(kind) } else { Why::UnknownMetric };
        return Err(fail(why, nearest(typed, ids, 3)));
    };
    let (mut problem, mut empty) = (Why::NoSuchSubject, None);
    for (metric, route) in &asked.routes {
        let figure = route.entry(result, asked.subject).and_then(|entry| {
            read(metric, route.place.shape, &entry, asked.statistic).ok_or(Why::NoSuchStatistic)
        });
        match figure {
            Ok(figure) if figure.value.is_some() => return Ok(figure),
            // It has no value here; another of the metric's places may have one.
            Ok(figure) => empty = empty.or(Some(figure)),
            // A subject that does not exist may belong to another place; any other problem is reported as
            // it is.
            Err(why) if problem == Why::NoSuchSubject => problem = why,
            Err(_) => {}
        }
    }
    if let Some(figure) = empty {
        return Ok(figure);
    }
    let near = match problem {
        Why::NoSuchStatistic => asked.statistics().iter().map(|s| format!("{}.{s}", asked.bare)).collect(),
        _ => asked.like(path, result),
    };
    Err(fail(problem, near))
}

/// Every figure of a result, ordered by metric.
pub fn all_in(kind: &str, result: &Value) -> Vec<Figure> {
    let mut found = Vec::new();
    for metric in of(kind) {
        for route in Route::all(metric, kind) {
            let entries = route.entries(result);
            found.extend(entries.iter().filter_map(|entry| read(metric, route.place.shape, entry, None)));
        }
    }
    found
}

/// Definitions of the metrics that a result has a value of: id → definition.
pub fn definitions(kind: &str, result: &Value) -> BTreeMap<String, String> {
    let there = all_in(kind, result).into_iter().filter(|figure| figure.value.is_some());
    there.map(|figure| (figure.metric.id.to_owned(), figure.metric.definition.to_owned())).collect()
}

/// Paths of the fields that [`all_in`] covers, written as in the table of metrics.
pub fn covered(kind: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for place in of(kind).flat_map(|m| m.places_in(kind)) {
        let around = place.path.rsplit_once('.').map_or("", |(around, _)| around);
        let beside = |field: &str| format!("{around}.{field}");
        match place.shape {
            Shape::Plain | Shape::Summary | Shape::Band | Shape::Counted(_) => {}
            Shape::Interval(low, high) => paths.extend([beside(low), beside(high)]),
            Shape::Share(_) => paths.extend([beside("low"), beside("high")]),
        }
        paths.insert(place.path.to_owned());
    }
    paths
}

/// The name of a list's entry in a path, such as `16` for a load level.
pub fn entry_name(kind: &str, list: &str, entry: &Value) -> Option<String> {
    Some(List::of(kind, list).name_of(entry)).filter(|name| !name.is_empty())
}

/// A path, split into its parts.
struct TypedPath<'a> {
    subject: &'a str,
    /// Subject and metric, without the statistic.
    bare: &'a str,
    statistic: Option<&'a str>,
    routes: Vec<(&'static Metric, Route)>,
}

impl<'a> TypedPath<'a> {
    /// Split from the end, because names of targets contain dots and ids of metrics do not. `None` where
    /// this kind of document has no such metric.
    fn read(path: &'a str, kind: &str) -> Option<Self> {
        let (bare, statistic) = match path.rsplit_once('.') {
            Some((bare, last)) if is_statistic(last) => (bare, Some(last)),
            _ => (path, None),
        };
        let (subject, name) = bare.rsplit_once('.').unwrap_or(("", bare));
        let wanted = name.to_ascii_lowercase().replace('-', "_");
        let all = || of(kind).flat_map(|m| Route::all(m, kind).into_iter().map(move |route| (m, route)));
        let mut routes: Vec<_> = all().filter(|(m, _)| m.id == wanted).collect();
        if routes.is_empty() {
            // If the word is no metric's id, a field of that name is meant.
            routes = all().filter(|(_, route)| route.field == wanted).collect();
        }
        (!routes.is_empty()).then_some(Self { subject, bare, statistic, routes })
    }

    fn statistics(&self) -> &'static [&'static str] {
        self.routes.first().map_or(&[], |(_, route)| statistics(route.place.shape))
    }

    /// Full paths of this metric that resemble the path that was typed; the first few where none does.
    fn like(&self, path: &str, result: &Value) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for (metric, route) in &self.routes {
            let found = route.entries(result).into_iter().take(MOST_SUBJECTS);
            all.extend(found.map(|entry| full(&entry.subject, metric)));
        }
        let near = nearest(path, all.iter().map(String::as_str), 3);
        if near.is_empty() { all.into_iter().take(3).collect() } else { near }
    }
}

fn full(subject: &[String], metric: &Metric) -> String {
    subject.iter().map(String::as_str).chain([metric.id]).collect::<Vec<_>>().join(".")
}

fn is_statistic(word: &str) -> bool {
    SUMMARY.contains(&word) || BAND.contains(&word)
}

const SUMMARY: [&str; 9] = ["median", "low", "high", "min", "max", "p90", "p95", "p99", "n"];

const BAND: [&str; 3] = ["likely", "low", "high"];

fn statistics(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::Summary => &SUMMARY,
        Shape::Band => &BAND,
        Shape::Plain => &[],
        Shape::Interval(..) => &["low", "high"],
        Shape::Share(_) => &["low", "high", "n"],
        Shape::Counted(_) => &["n"],
    }
}

/// The figure at an entry; `None` where it does not have this statistic.
fn read(metric: &'static Metric, shape: Shape, entry: &Entry<'_>, statistic: Option<&str>) -> Option<Figure> {
    let value = entry.value;
    let beside = |name: &str| entry.around.get(name).and_then(Value::as_f64);
    let inside = |name: &str| value.get(name).and_then(Value::as_f64);
    let whole = |n: Option<f64>| -> Option<u64> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of the document")]
        n.map(|n| n as u64)
    };
    let (main, interval, n) = match shape {
        Shape::Plain => (datum(value), None, None),
        Shape::Summary => {
            (inside("median").map(Datum::Number), inside("low").zip(inside("high")), whole(inside("n")))
        }
        Shape::Band => (inside("likely").map(Datum::Number), inside("low").zip(inside("high")), None),
        Shape::Interval(low, high) => (datum(value), beside(low).zip(beside(high)), None),
        Shape::Share(n) => (datum(value), beside("low").zip(beside("high")), whole(beside(n))),
        Shape::Counted(n) => (datum(value), None, whole(beside(n))),
    };
    let mut path = full(&entry.subject, metric);
    let mut unit = metric.unit;
    let (value, interval) = match statistic {
        None => (main, interval),
        Some(name) if !statistics(shape).contains(&name) => return None,
        Some(name) => {
            path = format!("{path}.{name}");
            let of = match (shape, name) {
                (_, "median" | "likely") => main,
                (_, "n") => {
                    unit = Unit::Count;
                    #[allow(clippy::cast_precision_loss, reason = "a count")]
                    n.map(|n| Datum::Number(n as f64))
                }
                (Shape::Summary | Shape::Band, name) => inside(name).map(Datum::Number),
                (_, "low") => interval.map(|(low, _)| Datum::Number(low)),
                _ => interval.map(|(_, high)| Datum::Number(high)),
            };
            (of, interval.filter(|_| matches!(name, "median" | "likely")))
        }
    };
    Some(Figure { metric, path, subject: entry.subject.clone(), value, interval, unit, n })
}

fn datum(value: &Value) -> Option<Datum> {
    match value {
        Value::Number(number) => number.as_f64().map(Datum::Number),
        Value::String(word) => Some(Datum::Word(word.clone())),
        Value::Bool(truth) => Some(Datum::Word(truth.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::figure::{Datum, Figure, NotFound, Why};
    use super::*;
    use crate::document::metrics::METRICS;
    use crate::document::{metrics, schema};
    use serde_json::json;

    /// Lists that are planned for later versions of the documents, under names that are already fixed. An
    /// entry is removed as soon as the schema has the list.
    const AGREED: [(&str, &str); 0] = [];

    /// The schema at a path that begins in `result`.
    fn schema_at(document: &str, path: &str) -> Option<Value> {
        let schema = schema::named(document)?;
        let schema = schema.as_value();
        let follow = |at: &Value| -> Value {
            let mut at = at.clone();
            loop {
                let alternatives = ["anyOf", "oneOf"].iter().find_map(|k| at.get(*k)?.as_array().cloned());
                let some = alternatives.and_then(|a| a.into_iter().find(|one| one.get("$ref").is_some()));
                let next = some.as_ref().unwrap_or(&at).get("$ref").and_then(Value::as_str);
                let Some(name) = next.and_then(|r| r.strip_prefix("#/$defs/")) else { return at };
                at = schema["$defs"][name].clone();
            }
        };
        let mut at = follow(schema.get("properties")?.get("result")?);
        for key in path.split('.') {
            let list = key.strip_suffix("[]");
            at = at.get("properties")?.get(list.unwrap_or(key))?.clone();
            at = follow(&at);
            if list.is_some() {
                at = follow(at.get("items")?);
            }
        }
        Some(at)
    }

    #[test]
    fn every_place_is_in_the_schema_of_its_document() {
        for (metric, place) in METRICS.iter().flat_map(|m| m.places.iter().map(move |p| (m, p))) {
            let list = place.path.split_once("[]").map_or("", |(list, _)| list);
            let agreed = AGREED.contains(&(place.document, list));
            let found = schema_at(place.document, place.path);
            assert_eq!(found.is_some(), !agreed, "{}: {} {}", metric.id, place.document, place.path);
            let Some(found) = found else { continue };
            let has = |field: &str| found["properties"].get(field).is_some();
            let (around, _) = place.path.rsplit_once('.').unwrap_or(("", place.path));
            let beside = |field: &str| schema_at(place.document, &format!("{around}.{field}")).is_some();
            let shaped = match place.shape {
                Shape::Summary => SUMMARY.iter().all(|field| has(field)),
                Shape::Band => BAND.iter().all(|field| has(field)),
                Shape::Plain => !has("median") && !has("likely"),
                Shape::Interval(low, high) => beside(low) && beside(high),
                Shape::Share(n) => beside("low") && beside("high") && beside(n),
                Shape::Counted(n) => beside(n),
            };
            assert!(shaped, "{}: {} {} is not {:?}", metric.id, place.document, place.path, place.shape);
        }
    }

    /// Every list on the way to a metric must say how its entries are named.
    #[test]
    fn every_list_has_names() {
        for place in METRICS.iter().flat_map(|m| m.places) {
            for (_, list) in Route::to(place).lists {
                assert!(!list.keys.is_empty(), "{} {}", place.document, place.path);
                assert_eq!(list.between.len() + 1, list.keys.len(), "{} {}", place.document, list.name);
            }
        }
    }

    /// A field's description in the schema is the definition in the table.
    #[test]
    fn schemas_have_the_definitions() {
        let schema = schema::named("bench").expect("a schema");
        let text = schema.as_value()["$defs"].clone();
        let described = |of: &str, field: &str| text[of]["properties"][field]["description"].clone();
        for (of, field, id) in [
            ("Metrics", "ttft_ms", "ttft_ms"),
            ("Sample", "ttft_ms", "ttft_ms"),
            ("Goodput", "share", "goodput"),
            ("Energy", "request_j", "energy_j"),
        ] {
            let definition = metrics::by_id(id).expect("a metric").definition;
            assert_eq!(described(of, field), definition, "{of}.{field}");
        }
    }

    fn summary(median: f64, n: u32) -> Value {
        json!({"n": n, "median": median, "low": median - 1.0, "high": median + 1.0, "min": 1.0, "max": 99.0,
               "p90": median * 2.0, "p95": median * 3.0, "p99": null})
    }

    fn bench() -> Value {
        let level = |n: u32| {
            json!({"concurrency": n, "output_tps_system": 10.0 * f64::from(n), "ttft_ms": summary(50.0, 8),
            "detail": {"goodput": {"share": 0.9, "low": 0.8, "high": 0.95, "requests": 40, "requests_per_s": 3.0}}})
        };
        let target = |id: &str, kind: &str, ttft: f64| {
            json!({"id": id, "kind": kind, "failures": 1, "requests": 30,
            "metrics": {"ttft_ms": summary(ttft, 30)}, "pass_rate": {"rate": 0.5, "n": 16, "low": 0.3, "high": 0.7, "passed": 8},
            "levels": [level(1), level(16)], "rates": [{"rate_per_s": 2.0, "sent_per_s": 1.9}, {"rate_per_s": 2.5, "sent_per_s": 2.4}]})
        };
        json!({
            "targets": [target("local:smollm2.gguf", "local", 20.0), target("openai:gpt-5.2", "api", 200.0)],
            "comparisons": [
                {"local": "local:smollm2.gguf", "api": "openai:gpt-5.2", "metric": "ttft_ms", "ratio": 0.1, "low": 0.05, "high": 0.2},
                {"local": "local:smollm2.gguf", "api": "openai:gpt-5.2", "metric": "e2e_ms", "ratio": 2.0, "low": null, "high": null},
            ],
            "quality": [{"local": "local:smollm2.gguf", "api": "openai:gpt-5.2", "non_inferior": null, "prompts": 16,
                         "difference": -0.1, "difference_low": -0.3, "difference_high": 0.1}],
            "spending": {"spent_usd": 0.5},
        })
    }

    #[track_caller]
    fn number(path: &str, kind: &'static str, result: &Value) -> f64 {
        match resolve_in(path, kind, result) {
            Ok(Figure { value: Some(Datum::Number(n)), .. }) => n,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[track_caller]
    fn refused(path: &str, kind: &'static str, result: &Value) -> NotFound {
        resolve_in(path, kind, result).expect_err(path)
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "read, not computed")]
    fn figures_of_a_bench_are_found_by_role_and_by_name() {
        let b = bench();
        for (path, value) in [
            ("local.ttft_ms", 20.0),
            ("local.ttft_ms.median", 20.0),
            ("local.ttft_ms.p95", 60.0),
            ("local.TTFT-ms.n", 30.0),
            ("api.ttft_ms.high", 201.0),
            ("openai:gpt-5.2.ttft_ms.p90", 400.0),
            ("targets.openai:gpt-5.2.ttft_ms", 200.0),
            ("local.pass_rate", 0.5),
            ("local.pass_rate.low", 0.3),
            ("local.failures", 1.0),
            ("local.levels.16.output_tps_system", 160.0),
            ("local.levels.16.ttft_ms.p95", 150.0),
            ("local.levels.1.goodput", 0.9),
            ("api.rates.2.sent_per_s", 1.9),
            ("api.rates.2.5.sent_per_s", 2.4),
            ("comparisons.ttft_ms.ratio", 0.1),
            ("comparisons.local:smollm2.gguf against openai:gpt-5.2: e2e_ms.ratio", 2.0),
            ("pass_rate_difference", -0.1),
            ("spent_usd", 0.5),
        ] {
            assert_eq!(number(path, "bench", &b), value, "{path}");
        }
        let ttft = resolve_in("local.ttft_ms", "bench", &b).expect("a figure");
        assert_eq!((ttft.interval, ttft.n, ttft.unit), (Some((19.0, 21.0)), Some(30), Unit::Milliseconds));
        assert_eq!(ttft.path, "local:smollm2.gguf.ttft_ms");
        let good = resolve_in("local.levels.16.goodput", "bench", &b).expect("a figure");
        assert_eq!((good.interval, good.n), (Some((0.8, 0.95)), Some(40)));
        let difference = resolve_in("pass_rate_difference", "bench", &b).expect("a figure");
        assert_eq!(difference.interval, Some((-0.3, 0.1)));
    }

    #[test]
    fn what_was_not_measured_or_not_decided_is_no_number() {
        let b = bench();
        for path in ["local.ttft_ms.p99", "non_inferior", "comparisons.e2e_ms.ratio.low"] {
            assert_eq!(resolve_in(path, "bench", &b).expect(path).value, None, "{path}");
        }
    }

    #[test]
    fn a_wrong_path_says_what_is_wrong_and_what_is_near() {
        let b = bench();
        for (path, why, near) in [
            ("local.tttf_ms", Why::UnknownMetric, "ttft_ms"),
            ("local.payback_months", Why::NotInThisDocument("bench"), ""),
            ("ttft_ms", Why::Ambiguous, "local:smollm2.gguf.ttft_ms"),
            ("ttft_ms.p95", Why::Ambiguous, "local:smollm2.gguf.ttft_ms"),
            ("locl.ttft_ms", Why::NoSuchSubject, "local:smollm2.gguf.ttft_ms"),
            ("openai:gpt-5.ttft_ms", Why::NoSuchSubject, "openai:gpt-5.2.ttft_ms"),
            ("local.output_tps_system", Why::NoSuchSubject, "local:smollm2.gguf.levels.1.output_tps_system"),
            (
                "local.levels.17.output_tps_system",
                Why::NoSuchSubject,
                "local:smollm2.gguf.levels.1.output_tps_system",
            ),
            ("local.failures.p95", Why::NoSuchStatistic, "local.failures.n"),
            ("local.pass_rate.p95", Why::NoSuchStatistic, "local.pass_rate.low"),
            ("", Why::UnknownMetric, ""),
            (".", Why::UnknownMetric, ""),
            ("local.", Why::UnknownMetric, ""),
        ] {
            let error = refused(path, "bench", &b);
            assert_eq!(error.why, why, "{path}");
            assert!(near.is_empty() || error.nearest.iter().any(|n| n == near), "{path}: {error}");
        }
        assert!(refused("local.tttf_ms", "bench", &b).to_string().contains("did you mean ttft_ms"));
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "read, not computed")]
    fn of_a_cost_document_the_headline_is_meant() {
        let offer = |name: &str, tco: f64| json!({"name": name, "id": null, "tco_usd": tco, "monthly_usd": tco / 36.0, "capex_usd": 900.0});
        let pair = |local: &str, cloud: &str, payback: Option<f64>| {
            json!({"local": local, "cloud": cloud, "payback_months": payback,
            "probability_local_cheaper": null})
        };
        let c = json!({
            "comparisons": [pair("a box", "x/y-1.5", Some(7.5)), pair("a box", "same model", None), pair("rented", "x/y-1.5", Some(3.0))],
            "local": [offer("a box", 3600.0), offer("rented", 7200.0)],
            "cloud": [offer("x/y-1.5", 720.0)],
            "hybrid": {"routed": {"tco_usd": 500.0, "payback_months": null}, "overflow": null},
            "uncertainty": {"probability_local_cheaper": 0.83, "payback_p10": 5.0, "draws": 10000},
            "requests_per_month": 1000.0,
        });
        for (path, value) in [
            ("payback_months", 7.5),
            ("comparisons.payback_months", 7.5),
            ("rented.payback_months", 3.0),
            ("a box against x/y-1.5.payback_months", 7.5),
            ("local.tco_usd", 3600.0),
            ("local.rented.tco_usd", 7200.0),
            ("cloud.x/y-1.5.tco_usd", 720.0),
            ("hybrid.routed.tco_usd", 500.0),
            ("local.best.capex_usd", 900.0),
            ("probability_local_cheaper", 0.83),
            ("uncertainty.payback_p10", 5.0),
            ("payback_p10", 5.0),
            ("requests_per_month", 1000.0),
        ] {
            assert_eq!(number(path, "breakeven", &c), value, "{path}");
        }
        assert_eq!(resolve_in("payback_p10", "breakeven", &c).expect("a figure").n, Some(10_000));
        // "Never" is a figure without a number, not a figure that is absent.
        let never = resolve_in("a box against same model.payback_months", "breakeven", &c).expect("a figure");
        assert_eq!(never.value, None);
        assert_eq!(refused("tco_usd", "breakeven", &c).why, Why::NoSuchSubject, "whose?");
        assert_eq!(refused("a box.payback_months", "breakeven", &c).why, Why::Ambiguous);
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "read, not computed")]
    fn words_and_options_of_an_advice() {
        let a = json!({
            "placement": "local", "confidence": "high", "rule": "strict", "chosen": "owned-2",
            "options": [{"id": "api-1", "placement": "cloud", "name": "an API", "probability_cheapest": 0.1, "tco_usd": 9.0},
                        {"id": "owned-2", "placement": "local", "name": "a box", "probability_cheapest": 0.85, "tco_usd": 7.0}],
            "cost": {"payback_months": 12.0}, "quality": null,
        });
        let word = resolve_in("placement", "advice", &a).expect("a figure");
        assert_eq!((word.value, word.unit), (Some(Datum::Word("local".to_owned())), Unit::Word));
        assert_eq!(number("options.best.p_cheapest", "advice", &a), 0.85);
        assert_eq!(number("options.api-1.tco_usd", "advice", &a), 9.0);
        assert_eq!(number("options.cloud.tco_usd", "advice", &a), 9.0);
        assert_eq!(number("payback_months", "advice", &a), 12.0);
        assert_eq!(resolve_in("local_pass_rate", "advice", &a).expect("a figure").value, None);
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "read, not computed")]
    fn bands_of_predictions_and_plans() {
        let band = |likely: f64| json!({"low": likely / 2.0, "likely": likely, "high": likely * 2.0});
        let row = |format: &str, tps: f64| {
            json!({"hardware": "nvidia-rtx-4090", "model": "llama-3.1-8b", "quantisation": format,
            "decode_tps": band(tps), "memory": {"needed_bytes": 5e9}})
        };
        let fit = json!({"rows": [row("Q8_0", 70.0), row("Q4_K_M", 120.0)]});
        assert_eq!(number("Q4_K_M.predicted_decode_tps", "fit", &fit), 120.0);
        assert_eq!(number("nvidia-rtx-4090/llama-3.1-8b/Q8_0.decode_tps.low", "fit", &fit), 35.0);
        assert_eq!(refused("decode_tps", "fit", &fit).why, Why::Ambiguous);
        let plan = json!({"plans": [{"host": "dgx", "ttft_ms": band(300.0), "hosts": 2}, {"host": "pc", "ttft_ms": band(900.0), "hosts": 9}]});
        let ttft = resolve_in("ttft_ms", "plan", &plan).expect("a figure");
        assert_eq!((ttft.value, ttft.interval), (Some(Datum::Number(300.0)), Some((150.0, 600.0))));
        assert_eq!(number("pc.hosts", "plan", &plan), 9.0);
    }
}
