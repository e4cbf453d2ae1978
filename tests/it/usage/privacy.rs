//! Texts, names, keys and paths are in no value and in no error: canaries in every place of every sample.

use super::samples::{files, samples};
use freehold::usage::{Import, Mapping, Settings};
use serde_json::Value;

const CANARY: &str = "CANARY-sk-4f1d9a";

/// Fields whose text is the point: models, kinds, times, ids of rows. Everything else becomes a canary.
fn is_read(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    [
        "model",
        "modelId",
        "model_name",
        "model_version",
        "model_permaslug",
        "type",
        "timestamp",
        "startTime",
        "starting_at",
        "ending_at",
        "call_type",
        "object",
        "operation",
        "schemaType",
        "service_tier",
        "unit",
        "__name__",
        "finished_reason",
        "status",
        "level",
        "cache_hit",
        "key",
        "currency",
        "amount",
        "ttl",
        "context_window",
        "intValue",
        "stringValue",
        "startTimeUnixNano",
        "request_id",
        "spanId",
        "traceId",
        "message",
        "metadata",
    ]
    .contains(&last)
}

/// Put canaries into a JSON value: into texts that are not read, and as keys beside those that are there.
fn spoil(value: &mut Value, path: &str) {
    match value {
        Value::String(text) if !is_read(path) && text.parse::<f64>().is_err() => CANARY.clone_into(text),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                spoil(&mut inner, "");
                *text = inner.to_string();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| spoil(value, path)),
        Value::Object(object) => {
            object.iter_mut().for_each(|(key, value)| spoil(value, &format!("{path}/{key}")));
            object.insert(CANARY.to_owned(), Value::String(CANARY.to_owned()));
            object.insert("prompt_text".to_owned(), Value::String(CANARY.to_owned()));
        }
        _ => {}
    }
}

fn spoiled(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(mut value) = serde_json::from_str::<Value>(text) {
        spoil(&mut value, "");
        return value.to_string();
    }
    if text.starts_with('{') {
        // A damaged line holds canaries, too.
        let lines = text.lines().map(|line| match serde_json::from_str::<Value>(line) {
            Ok(mut value) => {
                spoil(&mut value, "");
                value.to_string()
            }
            Err(_) => format!("{{\"{CANARY}\":\"{CANARY}"),
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    let words = [
        "demo-key",
        "Team, Primary",
        "Default",
        "key_a",
        "key_b",
        "proj_demo",
        "demo-app",
        "demo",
        "sk-***abc",
        "REDACTED, with comma",
        "REDACTED",
        "c-1",
    ];
    let mut out = text.to_owned();
    for word in words {
        out = out.replace(word, CANARY);
    }
    out
}

#[test]
fn no_canary_leaves_any_reader() {
    let Some(folder) = samples() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    let mut read = 0;
    for file in
        found.iter().filter(|f| !f.to_string_lossy().ends_with(".expect.json") && !f.ends_with("README.md"))
    {
        let name = file.to_string_lossy();
        if name.ends_with(".mapping.json") {
            continue;
        }
        let text = spoiled(&std::fs::read_to_string(file).expect("text"));
        let mapping = name.ends_with("generic.csv").then(|| {
            let mapping = std::fs::read_to_string(folder.join("generic.mapping.json")).expect("a mapping");
            Mapping::from_json(&mapping).expect("good")
        });
        let mut import = Import::new(Settings { mapping, ..Settings::default() }, None);
        let outcome = format!("{:?}", import.read(text.as_bytes()));
        assert!(outcome.contains("Ok("), "{name}: {outcome}");
        let usage = import.finish();
        let reasons: Vec<String> = usage.skipped.iter().map(|s| usage.reason(s)).collect();
        let document = super::document::document(&usage);
        let shown = [document.view(), document.fields()].map(|view| view.to_markdown());
        let everything = format!("{usage:?}{reasons:?}{outcome}{document:?}{shown:?}{}", document.csv());
        assert!(!everything.contains("CANARY"), "{name}: {everything}");
        read += 1;
    }
    assert!(read >= 20, "{read}");
}

#[test]
fn no_canary_is_in_an_error() {
    let files = [
        format!("{CANARY},{CANARY}\n{CANARY},5\n"),
        format!("a,b\n{CANARY},5\n"),
        format!(
            "{{\"{CANARY}\":5,\"tokens_in\":6}}\n{{\"{CANARY}2\":5,\"tokens_in\":6}}\n{{\"tokens_in\":6}}\n"
        ),
        format!("{{\"a\":{{\"{CANARY}\":{{\"x\":\"{CANARY}\"}}}}}}\n"),
        format!("{CANARY}\n{CANARY}\n"),
        format!("[\"{CANARY}\"]"),
        format!("{{\"usage\": \"{CANARY}"),
    ];
    for file in files {
        let mut import = Import::new(Settings::default(), None);
        let outcome = format!("{:?}", import.read(file.as_bytes()));
        assert!(!outcome.contains("CANARY"), "{outcome}");
        assert!(!format!("{:?}", import.finish()).contains("CANARY"));
    }
}

#[test]
fn the_counting_path_knows_nothing_of_the_reader_of_texts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/usage");
    let mut sources = Vec::new();
    files(&folder, &mut sources);
    for source in sources.iter().filter(|s| !s.ends_with("texts.rs") && !s.ends_with("usage/mod.rs")) {
        let text = std::fs::read_to_string(source).expect("source");
        assert!(!text.contains("texts::"), "{}", source.display());
    }
}
