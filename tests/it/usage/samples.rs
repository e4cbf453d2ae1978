//! The samples that others made, each with its totals beside it.

use freehold::usage::summary::{Totals, Usage};
use freehold::usage::{Import, Mapping, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn samples() -> Option<PathBuf> {
    crate::needs::case("testdata/usage")
}

/// The files of a sample: itself, or everything in its folder, in order of their names.
pub fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
        return;
    }
    let mut inside: Vec<PathBuf> =
        std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    inside.sort();
    for path in &inside {
        files(path, found);
    }
}

pub fn read(path: &Path, settings: Settings) -> Usage {
    let mut found = Vec::new();
    files(path, &mut found);
    let mut import = Import::new(settings, None);
    for file in found {
        let bytes = std::fs::File::open(&file).expect("opens");
        import.read(bytes).unwrap_or_else(|e| panic!("{}: {e:?}", file.display()));
    }
    import.finish()
}

fn totals(t: &Totals) -> Value {
    json!({
        "requests": t.requests(),
        "input": t.input,
        "cache_read": t.cache_read,
        "cache_write_5m": t.cache_write_5m,
        "cache_write_1h": t.cache_write_1h,
        "cache_write_other": t.cache_write_other,
        "output": t.output,
        "reasoning": t.reasoning,
    })
}

fn hours(hours: Option<&BTreeMap<u8, u64>>) -> Value {
    hours.map_or(Value::Null, |hours| hours.iter().map(|(h, n)| (h.to_string(), json!(n))).collect())
}

fn reasons(usage: &Usage) -> Vec<(String, u64)> {
    let mut found: Vec<_> = usage.skipped.iter().map(|s| (usage.reason(s), s.records)).collect();
    found.sort();
    found
}

/// What a sample's `.expect.json` says, in its own form.
fn as_expected(usage: &Usage, key: &str) -> Value {
    let nothing_counted = usage.requests_by_hour_of_week_utc.is_none();
    match key {
        "source" => json!(usage.sources.first().map(|s| s.name)),
        "totals" => totals(&usage.totals),
        "by_model" => usage.by_model.iter().map(|m| (m.name.clone(), totals(&m.totals))).collect(),
        "requests_by_hour_of_week_utc" => hours(usage.requests_by_hour_of_week_utc.as_ref()),
        "tokens_by_hour_of_week_utc" if nothing_counted => hours(usage.tokens_by_hour_of_week_utc.as_ref()),
        "requests_by_hour_of_day_local" => hours(usage.requests_by_hour_of_day_local.as_ref()),
        "duplicates_dropped" => json!(usage.duplicates_dropped),
        "bill_usd" => json!(usage.bill.usd.map(freehold::usage::summary::Usd::get)),
        "byok_usd" => json!(usage.bill.byok_usd.map(freehold::usage::summary::Usd::get)),
        "embeddings" => json!({"requests": usage.embeddings.requests, "input": usage.embeddings.input}),
        "failed" => json!(usage.failed),
        "response_cache_hits" => json!(usage.response_cache_hits),
        "requests_without_usage" => json!(usage.requests_without_usage),
        "batch_requests" => json!(usage.batch.requests()),
        "batch_tokens" => json!({"input": usage.batch.input, "output": usage.batch.output}),
        "cache_known" => json!(usage.totals.records_stating_cache_read > 0),
        "peak_requests_per_second" => json!(usage.peak.second.map(|b| b.requests)),
        "skipped" => {
            let list: Vec<Value> = reasons(usage)
                .into_iter()
                .map(|(reason, records)| json!({"reason": reason, "records": records}))
                .collect();
            json!(list)
        }
        _ => Value::Null,
    }
}

/// The keys of an expectation that are figures; the others explain.
const CHECKED: [&str; 17] = [
    "source",
    "totals",
    "by_model",
    "requests_by_hour_of_week_utc",
    "tokens_by_hour_of_week_utc",
    "requests_by_hour_of_day_local",
    "duplicates_dropped",
    "bill_usd",
    "byok_usd",
    "embeddings",
    "failed",
    "response_cache_hits",
    "requests_without_usage",
    "batch_requests",
    "batch_tokens",
    "cache_known",
    "peak_requests_per_second",
];

/// Every sample: its name and where it is.
pub fn all(folder: &Path) -> Vec<(String, PathBuf)> {
    let inside = || std::fs::read_dir(folder).expect("reads").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let names = inside().filter_map(|path| Some(name(&path).strip_suffix(".expect.json")?.to_owned()));
    let is_of = |path: &Path, wanted: &str| {
        let file = name(path);
        let beside = file.ends_with(".expect.json") || file.ends_with(".mapping.json");
        !beside && file.split('.').next() == Some(wanted)
    };
    names
        .map(|name| {
            let found = inside().find(|path| is_of(path, &name));
            let path = found.unwrap_or_else(|| panic!("{name} has no sample"));
            (name, path)
        })
        .collect()
}

/// How a sample is read: with the mapping beside it, if there is one.
pub fn settings_of(folder: &Path, name: &str) -> Settings {
    let mapping = std::fs::read_to_string(folder.join(format!("{name}.mapping.json"))).ok();
    let mapping = mapping.map(|text| Mapping::from_json(&text).expect("a good mapping"));
    Settings { mapping, ..Settings::default() }
}

#[test]
fn every_sample_gives_its_totals() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    let samples = all(&folder);
    assert!(samples.len() >= 19, "only {} samples", samples.len());
    for (name, sample) in samples {
        let expected = std::fs::read_to_string(folder.join(format!("{name}.expect.json"))).expect("reads");
        let expected: Value = serde_json::from_str(&expected).expect("is JSON");
        let usage = read(&sample, settings_of(&folder, &name));
        for key in CHECKED {
            let Some(value) = expected.get(key) else { continue };
            let ours = as_expected(&usage, key);
            if ours != *value {
                wrong.push(format!("{name} {key}: {ours} instead of {value}"));
            }
        }
        let mut skipped: Vec<(String, u64)> = expected["skipped"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|s| {
                (s["reason"].as_str().expect("text").to_owned(), s["records"].as_u64().expect("a count"))
            })
            .collect();
        skipped.sort();
        let ours = reasons(&usage);
        if ours != skipped {
            wrong.push(format!("{name} skipped: {ours:?} instead of {skipped:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
