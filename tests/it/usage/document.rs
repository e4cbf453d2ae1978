//! The document `freehold.usage` and its view.

use super::samples::{read, samples, settings_of};
use super::{usage_of, whole::trace};
use freehold::document::envelope::Envelope;
use freehold::document::usage::{SCHEMA, UsageDocument, UsageResult, result, warnings};
use freehold::document::{Document, schema};
use freehold::usage::{Usage, need};
use serde_json::Value;
use std::collections::BTreeMap;

pub fn document(usage: &Usage) -> UsageDocument {
    Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: "0.1.0".to_owned(),
        created: "2026-11-22T10:00:00Z".to_owned(),
        inputs: BTreeMap::new(),
        result: result(usage, &need(usage), "UTC"),
        warnings: warnings(usage),
    }
}

/// What the contract of names promises is in the document as the samples have it, read from its JSON.
#[test]
fn the_document_has_the_samples_figures_under_the_names_promised() {
    let Some(folder) = samples() else { return };
    let schema = serde_json::to_value(schema::named("usage").expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut wrong = Vec::new();
    for (name, sample) in super::samples::all(&folder) {
        let expected: Value = serde_json::from_str(
            &std::fs::read_to_string(folder.join(format!("{name}.expect.json"))).expect("reads"),
        )
        .expect("JSON");
        let document = document(&read(&sample, settings_of(&folder, &name)));
        let json = serde_json::to_value(&document).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let keys = ["totals", "by_model", "requests_by_hour_of_week_utc", "duplicates_dropped", "bill_usd"];
        for key in keys {
            if json["result"][key] != expected[key] {
                wrong.push(format!("{name} {key}: {} instead of {}", json["result"][key], expected[key]));
            }
        }
        let records = |list: &Value| {
            let mut all: Vec<(String, u64)> = list
                .as_array()
                .expect("a list")
                .iter()
                .map(|s| {
                    (s["reason"].as_str().expect("text").to_owned(), s["records"].as_u64().expect("a count"))
                })
                .collect();
            all.sort();
            all
        };
        if records(&json["result"]["skipped"]) != records(&expected["skipped"]) {
            wrong.push(format!("{name} skipped: {}", json["result"]["skipped"]));
        }
        // It is read back as it was written, and can be shown.
        let text = serde_json::to_string(&json).expect("JSON");
        match Document::parse("usage.json", &text).expect("reads its own document") {
            Document::Usage(again) => assert_eq!(*again, document, "{name}"),
            other => panic!("{name}: {}", other.kind()),
        }
        assert!(!document.view().blocks.is_empty() && document.csv().starts_with("\"date\""), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(result: &UsageResult, usage: &Usage) -> String {
    let document = UsageDocument { result: result.clone(), ..document(usage) };
    document.view().to_markdown()
}

#[test]
fn what_is_not_known_is_said_and_not_shown_as_zero() {
    let usage = usage_of(&[
        "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n2026-09-07 09:00,c,10,5\n",
    ]);
    let text = shown(&document(&usage).result, &usage);
    assert!(text.contains("An unknown number of requests"), "{text}");
    assert!(text.contains("do not state what was read from caches"), "{text}");
    assert!(text.contains("how large single requests are is not"), "{text}");
    assert!(text.contains("a source does not count requests"), "{text}");
    assert!(text.contains("The sources state no cost."), "{text}");
}

#[test]
fn the_week_is_drawn_and_the_month_says_what_it_rests_on() {
    let monday = 1_788_739_200;
    let rows = (0..14 * 24).map(|h: i64| (monday + h * 3600, if h % 24 == 9 { 4000 } else { 100 }, 10));
    let usage = usage_of(&[&trace(rows)]);
    let text = shown(&document(&usage).result, &usage);
    assert!(text.contains("Mon  █ █ █") && text.contains("requests by hour of the week (UTC)"), "{text}");
    assert!(text.contains("730 requests a month, scaled from 14 whole days."), "{text}");
    assert!(text.contains("Growth is not known: it takes four whole weeks."), "{text}");
    assert!(text.contains("2026-09-07 to 2026-09-20, 14 days"), "{text}");
}

#[test]
fn what_was_read_is_listed_and_nothing_else() {
    let usage = usage_of(&[
        "generation_id,created_at,tokens_prompt,tokens_completion,api_key_name\ngen-1,2026-09-07 09:10:00,10,1,canary\n",
    ]);
    let text = document(&usage).fields().to_markdown();
    assert!(
        text.contains("tokens_prompt") && !text.contains("api_key_name") && !text.contains("canary"),
        "{text}"
    );
}
