//! Do documents that are used together describe the same case? Whoever joins a measurement, a cost and a
//! verdict assumes that need, model and machine are the same; this module says where they are not.

use super::bench::{BenchDocument, Kind};
use super::usage::UsageDocument;
use super::{Document, Input};
use crate::catalog::Catalog;
use crate::catalog::device::{is_card, model_of_file};
use crate::cost::case::Notice;
use crate::provenance::Source;
use crate::workload::evidence::{Evidence, Figure, MeasuredTarget, TargetKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// A difference between two documents that should describe the same case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub what: What,
    /// The input that differs: `need.requests_per_month`, `local.model`.
    pub about: String,
    /// One sentence with both files and both values.
    pub text: String,
}

/// What differs between two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The requests: how many, how long, over how many months.
    Need,
    /// The model on the user's own hardware.
    Model,
    /// The hardware.
    Machine,
    /// The measurement that one of them is based on.
    Measurement,
}

/// Every difference between these documents; each comes with the name of its file.
pub fn differences(documents: &[(String, Document)], catalog: &Catalog) -> Vec<Difference> {
    let mut found = needs(documents.iter().map(|(file, d)| (file.as_str(), d.inputs())));
    for (file, document) in documents {
        for (other, bench) in documents.iter().filter_map(|(f, d)| match d {
            Document::Bench(bench) => Some((f, bench)),
            _ => None,
        }) {
            found.extend(other_model(file, document, other, bench, catalog));
            found.extend(other_machine(file, document, other, bench, catalog));
        }
    }
    for (file, usage) in documents.iter().filter_map(|(f, d)| match d {
        Document::Usage(usage) => Some((f, usage)),
        _ => None,
    }) {
        for (other, document) in documents.iter().filter(|(_, d)| !matches!(d, Document::Usage(_))) {
            found.extend(other_use(file, usage, other, document));
        }
    }
    found.extend(other_measurements(documents));
    found
}

/// By which factor a need may differ from past use and still count as the need of that use: a forecast need
/// not repeat the past, but ten times its volume is another case.
const ANOTHER_USE: f64 = 3.0;

/// A need that does not fit the records of use: another volume, or requests of another length.
fn other_use(file: &str, usage: &UsageDocument, other: &str, document: &Document) -> Option<Difference> {
    let need = &usage.result.need;
    let shape = need.shape.as_ref();
    let used = [
        ("need.requests_per_month", need.requests_per_month.map(|m| m.value)),
        ("need.input_tokens", shape.map(|s| s.input_tokens)),
        ("need.output_tokens", shape.map(|s| s.output_tokens)),
    ];
    used.into_iter().find_map(|(name, value)| {
        let value = value.filter(|v| *v > 0.0)?;
        let input = document.inputs().get(name)?;
        let asked = input.value.as_f64().or_else(|| input.value.get("likely")?.as_f64()).filter(|v| *v > 0.0)?;
        let differs = (asked / value).max(value / asked) > ANOTHER_USE;
        differs.then(|| Difference {
            what: What::Need,
            about: name.to_owned(),
            text: format!(
                "{name} is {} in {other}, and {} by the records of {file}: these documents describe different needs.",
                input.shown(),
                crate::number::grouped(value, 0)
            ),
        })
    })
}

/// Inputs of the need with different values in two of the documents.
pub fn needs<'a>(
    documents: impl IntoIterator<Item = (&'a str, &'a BTreeMap<String, Input>)>,
) -> Vec<Difference> {
    let mut seen: BTreeMap<&str, (&str, &Input)> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, inputs) in documents {
        for (name, input) in inputs.iter().filter(|(n, _)| n.starts_with("need.")) {
            match seen.get(name.as_str()) {
                Some((other, first)) if !same(&first.value, &input.value) => found.push(Difference {
                    what: What::Need,
                    about: name.clone(),
                    text: format!(
                        "{name} is {} in {other} and {} in {file}: these documents describe different needs.",
                        first.shown(),
                        input.shown()
                    ),
                }),
                Some(_) => {}
                None => {
                    seen.insert(name, (file, input));
                }
            }
        }
    }
    found
}

/// Equal as numbers, however they are written, or equal as values.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

/// The texts given for this key of the user's own offers: `local.model`, `local.2.model`.
fn of_local<'a>(document: &'a Document, key: &str) -> Vec<&'a str> {
    let is = |name: &str| {
        name.strip_prefix("local.").is_some_and(|rest| {
            rest == key
                || rest
                    .split_once('.')
                    .is_some_and(|(n, k)| k == key && n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    document.inputs().iter().filter(|(name, _)| is(name)).filter_map(|(_, i)| i.value.as_str()).collect()
}

/// A difference if no local model of the measurement appears in the calculation.
fn other_model(
    file: &str,
    document: &Document,
    other: &str,
    bench: &BenchDocument,
    catalog: &Catalog,
) -> Option<Difference> {
    let wanted = of_local(document, "model");
    let local = bench.result.targets.iter().filter(|t| t.kind == Kind::Local);
    let measured: Vec<&str> =
        local.map(|t| model_of_file(catalog, &t.model).map(|m| m.id.as_str())).collect::<Option<_>>()?;
    let differs = !wanted.is_empty() && !measured.is_empty() && !measured.iter().any(|m| wanted.contains(m));
    differs.then(|| Difference {
        what: What::Model,
        about: "local.model".to_owned(),
        text: format!("{file} is about {}, and {other} measured {}.", list(&wanted), list(&measured)),
    })
}

/// A difference if no local target ran on hardware of the calculation. Where a document does not say, there
/// is none.
fn other_machine(
    file: &str,
    document: &Document,
    other: &str,
    bench: &BenchDocument,
    catalog: &Catalog,
) -> Option<Difference> {
    let wanted = of_local(document, "hardware");
    let cards: Vec<_> = wanted.iter().filter_map(|id| card_of(catalog, id)).collect();
    let engines: Vec<_> = bench
        .result
        .targets
        .iter()
        .filter(|t| t.kind == Kind::Local)
        .filter_map(|t| t.engine.as_ref())
        .collect();
    if cards.len() != wanted.len() || engines.is_empty() {
        return None;
    }
    let mut places = Vec::new();
    for engine in engines {
        let (record, device) = (engine.hardware.as_deref(), engine.device.as_deref());
        let on_a_processor = engine.gpu_layers == Some(0);
        for card in &cards {
            if !on_a_processor && is_card(catalog, record, device, card)? {
                return None;
            }
        }
        places.push(if on_a_processor { "a processor" } else { record.or(device).unwrap_or("another") });
    }
    (!cards.is_empty()).then(|| Difference {
        what: What::Machine,
        about: "local.hardware".to_owned(),
        text: format!("{file} is about {}, and {other} was measured on {}.", list(&wanted), list(&places)),
    })
}

/// The accelerator of a catalogue id: of a card, a rental or a machine.
fn card_of<'a>(catalog: &'a Catalog, id: &str) -> Option<&'a crate::catalog::Accelerator> {
    let inside = catalog.rental(id).map(|r| r.accelerator.as_str());
    let inside = inside.or_else(|| catalog.machine(id)?.accelerator.as_deref());
    catalog.accelerator(inside.unwrap_or(id))
}

fn list(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.dedup();
    names.join(" and ")
}

/// Inputs that are said to be measured, but whose value none of the bench documents has.
fn other_measurements(documents: &[(String, Document)]) -> Vec<Difference> {
    let benches: Vec<(&str, Value)> = documents
        .iter()
        .filter(|(_, d)| matches!(d, Document::Bench(_)))
        .filter_map(|(file, d)| Some((file.as_str(), d.to_value().ok()?)))
        .collect();
    if benches.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (file, document) in documents {
        for (name, input) in document.inputs() {
            let Source::Measured { file: from, path, derived: None } = &input.source else { continue };
            if !input.value.is_number() {
                continue;
            }
            let there: Vec<(&str, Option<&Value>)> =
                benches.iter().map(|(file, bench)| (*file, at(bench, path))).collect();
            if there.iter().any(|(_, value)| value.is_some_and(|v| same(v, &input.value))) {
                continue;
            }
            let (beside, value) = there[0];
            let value = value.and_then(Value::as_f64).map_or_else(
                || "no such figure".to_owned(),
                |v| format!("{} there", crate::number::exact(v)),
            );
            found.push(Difference {
                what: What::Measurement,
                about: name.clone(),
                text: format!(
                    "{file} rests on {name} {}, measured in {from}; {beside} is another measurement ({value}).",
                    input.shown()
                ),
            });
            break;
        }
    }
    found
}

/// By which factor a measured request may be longer or shorter than those of the need: beyond it, prefill
/// and decode run at other speeds.
const ANOTHER_LENGTH: f64 = 4.0;

/// Where a measurement does not apply to the case it is given for: no offer uses the machine or the model
/// that was measured, or its requests are of another size. `inputs` and `notices` are those of the
/// calculation.
pub fn of_measurement(
    evidence: &Evidence,
    inputs: &BTreeMap<String, Input>,
    notices: &[Notice],
) -> Vec<Difference> {
    type Tokens = fn(&MeasuredTarget) -> Option<&Figure>;
    let mut found = Vec::new();
    let is_measured = |i: &Input| matches!(i.source, Source::Measured { .. });
    let speeds = ["tokens_per_second", "requests_per_second", "idle_watts", "load_watts"];
    let used = inputs
        .iter()
        .any(|(n, i)| n.starts_with("local.") && speeds.iter().any(|s| n.ends_with(s)) && is_measured(i));
    let elsewhere = notices.iter().find_map(|notice| match notice {
        Notice::MeasuredElsewhere { offer, elsewhere, .. } if !elsewhere.is_doubt() => {
            Some((offer, elsewhere))
        }
        _ => None,
    });
    if let Some((offer, elsewhere)) = elsewhere.filter(|_| !used) {
        let (what, about) = if elsewhere.is_of_hardware() {
            (What::Machine, "local.hardware")
        } else {
            (What::Model, "local.model")
        };
        let (measured, wanted) = elsewhere.both();
        found.push(Difference {
            what,
            about: about.to_owned(),
            text: format!("{} measured {measured}, and {offer} is {wanted}.", evidence.file),
        });
    }
    let sides: [(&str, Tokens); 2] = [
        ("need.input_tokens", |t| t.input_tokens.as_ref()),
        ("need.output_tokens", |t| t.output_tokens.as_ref()),
    ];
    for (name, tokens) in sides {
        let local = evidence.targets.iter().find(|t| t.kind == TargetKind::Local);
        let Some(measured) = local.and_then(tokens) else { continue };
        let Some(input) = inputs.get(name).filter(|i| !is_measured(i)) else { continue };
        let wanted = input.value.as_f64().or_else(|| input.value.get("likely")?.as_f64());
        let Some(wanted) = wanted.filter(|w| *w > 0.0 && measured.value > 0.0) else { continue };
        if (wanted / measured.value).max(measured.value / wanted) > ANOTHER_LENGTH {
            found.push(Difference {
                what: What::Need,
                about: name.to_owned(),
                text: format!(
                    "{name} is {}, and {} was measured with {} on average: speed depends on the length.",
                    input.shown(),
                    evidence.file,
                    crate::number::grouped(measured.value, 0)
                ),
            });
        }
    }
    found
}

/// The value at a path such as `result.targets[0].tokens.output`.
fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer = path.replace('[', "/").replace(']', "").replace('.', "/");
    document.pointer(&format!("/{pointer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: &str, inputs: &Value, result: &Value) -> Document {
        let text = serde_json::json!({
            "schema": format!("freehold.{kind}/1"), "tool_version": "0", "created": "2026-11-22T10:00:00Z",
            "inputs": inputs, "warnings": [], "result": result,
        });
        Document::parse("test", &text.to_string()).expect("a document")
    }

    fn fit(inputs: &Value) -> Document {
        document("fit", inputs, &serde_json::json!({"rows": [], "left_out": []}))
    }

    fn bench(model: &str, device: &str, decode: f64) -> Document {
        let summary = |m: f64| serde_json::json!({"n": 1, "median": m, "low": null, "high": null, "min": null, "max": null});
        let target = serde_json::json!({
            "id": "local:m", "kind": "local", "model": model, "stand_in": false, "token_source": "local_tokenizer",
            "requests": 1, "failures": 0, "metrics": {
                "ttft_ms": summary(1.0), "tpot_ms": summary(1.0), "decode_tps": summary(decode),
                "prefill_tps": summary(1.0), "e2e_ms": summary(1.0)
            },
            "engine": {"device": device, "gpu_layers": 99},
        });
        document(
            "bench",
            &serde_json::json!({}),
            &serde_json::json!({"complete": true, "targets": [target], "samples": []}),
        )
    }

    fn input(value: impl Into<Value>, source: impl Into<Value>) -> Value {
        serde_json::json!({"value": value.into(), "unit": null, "source": source.into()})
    }

    fn all(documents: &[(&str, Document)]) -> Vec<(What, String)> {
        let documents: Vec<_> = documents.iter().map(|(f, d)| ((*f).to_owned(), d.clone())).collect();
        differences(&documents, &Catalog::embedded()).into_iter().map(|d| (d.what, d.text)).collect()
    }

    #[test]
    fn documents_of_one_case_do_not_differ() {
        let user = serde_json::json!({"kind": "user", "via": "--x"});
        let a = fit(&serde_json::json!({"need.input_tokens": input(1000, user.clone())}));
        let b = fit(&serde_json::json!({
            "need.input_tokens": input(1000.0, user.clone()),
            "local.model": input("smollm2-135m-instruct", user.clone()),
            "local.hardware": input("nvidia-rtx-4090", user),
        }));
        let bench = bench("SmolLM2-135M-Instruct-Q4_1.gguf", "NVIDIA GeForce RTX 4090", 100.0);
        assert_eq!(all(&[("a", a), ("b", b), ("bench", bench)]), []);
    }

    #[test]
    fn other_needs_models_machines_and_measurements_are_named() {
        let user = serde_json::json!({"kind": "user", "via": "--x"});
        let measured = serde_json::json!({
            "kind": "measured", "file": "old.json", "path": "result.targets[0].metrics.decode_tps.median"
        });
        let a = fit(&serde_json::json!({"need.input_tokens": input(1000, user.clone())}));
        let b = fit(&serde_json::json!({
            "need.input_tokens": input(2000, user.clone()),
            "local.model": input("llama-3.1-8b-instruct", user.clone()),
            "local.2.hardware": input("nvidia-rtx-3090", user),
            "local.decode_tokens_per_second": input(50, measured),
        }));
        let bench = bench("SmolLM2-135M-Instruct-Q4_1.gguf", "NVIDIA GeForce RTX 4090", 100.0);
        let found = all(&[("a.json", a), ("b.json", b), ("bench.json", bench)]);
        let kinds: Vec<What> = found.iter().map(|(what, _)| *what).collect();
        assert_eq!(kinds, [What::Need, What::Model, What::Machine, What::Measurement], "{found:?}");
        assert!(found[0].1.contains("1,000") && found[0].1.contains("2,000"), "{found:?}");
        assert!(found[1].1.contains("b.json is about llama-3.1-8b-instruct"), "{found:?}");
        assert!(found[2].1.contains("nvidia-rtx-3090") && found[2].1.contains("4090"), "{found:?}");
        assert!(found[3].1.contains("old.json") && found[3].1.contains("100"), "{found:?}");
    }
}
