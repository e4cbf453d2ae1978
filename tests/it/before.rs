//! Documents that earlier builds wrote are read as they were: `tests/fixtures/before` keeps them.

use crate::run::Sandbox;
use std::path::{Path, PathBuf};

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found: Vec<PathBuf> = ["before", "bench"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("fixtures").flatten())
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    found.sort();
    assert!(found.len() >= 5, "{found:?}");
    found
}

#[test]
fn every_document_of_before_is_rendered_in_every_format() {
    let sandbox = Sandbox::new();
    for document in documents() {
        let name = document.to_str().expect("UTF-8");
        for format in ["table", "markdown", "html", "csv", "json"] {
            let text = sandbox.run(&["report", name, "--format", format]).ok();
            assert!(text.len() > 200, "{name} as {format}: {text}");
        }
    }
}

#[test]
fn what_it_says_is_still_the_same() {
    let sandbox = Sandbox::new();
    let chatbot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before/breakeven-chatbot.json");
    let text = std::fs::read_to_string(&chatbot).expect("a fixture");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let again = sandbox.run(&["report", chatbot.to_str().expect("UTF-8"), "--format", "json"]).json();
    for figure in ["payback_months", "tco_cloud_usd", "tco_local_usd", "saving_usd", "npv_saving_usd"] {
        let of = |d: &serde_json::Value| d["result"]["comparisons"][0][figure].as_f64().expect(figure);
        assert!((of(&again) - of(&document)).abs() < 1e-9, "{figure}");
    }
    assert_eq!(again["inputs"], document["inputs"]);
}

#[test]
fn the_answers_of_before_are_answers_today() {
    let sandbox = Sandbox::new();
    let advice = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before/advice.json");
    let text = std::fs::read_to_string(&advice).expect("a fixture");
    let then: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(then["result"]["options"].is_null(), "from before options were priced");
    let now = sandbox.run(&["advise", "--answers", advice.to_str().expect("UTF-8"), "--json"]).json();
    assert_eq!(now["result"]["answers"], then["result"]["answers"]);
    assert!(now["result"]["options"].as_array().is_some_and(|o| o.len() > 2));
}
