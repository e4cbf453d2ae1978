//! Grading beside promptfoo: every case and every configuration of `../shared/testdata/promptfoo`.

use freehold::prompts::{self, Assertion, FileFault, Files};
use freehold::quality::{Answer, Grade, Graders};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata/promptfoo");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no ../shared/testdata/promptfoo");
    None
}

/// Where the verdict differs on purpose; the reasons are in docs/graders.md.
fn known_difference(case: &Value) -> Option<&'static str> {
    let kinds: Vec<&str> =
        case["assertions"].as_array().into_iter().flatten().filter_map(|a| a["type"].as_str()).collect();
    if case["node24_pass"] == true {
        return Some("a pattern of current JavaScript (Node 24), which Node 22 refuses");
    }
    if kinds.contains(&"rouge-l") {
        return Some("rouge-l is graded here");
    }
    if case["not_run"] == true {
        return Some("needs a script engine");
    }
    None
}

/// Files given in a case, as text by path.
struct CaseFiles(BTreeMap<String, String>);

impl Files for CaseFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        self.0.get(path).map(|t| t.clone().into_bytes()).ok_or_else(|| FileFault::Absent(path.to_owned()))
    }
    fn list(&self, _: &str) -> Result<Vec<String>, FileFault> {
        Ok(Vec::new())
    }
}

/// How a case comes out here, in the words of the file's `result`.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    Error,
    Graded { pass: bool, score: f64, components: Vec<(String, bool, f64)>, named: BTreeMap<String, f64> },
}

fn ours(case: &Value) -> Outcome {
    let mut unknown = Vec::new();
    let Ok(asserts) = Assertion::read_all(&case["assertions"], None, &mut unknown) else { return Outcome::Refused };
    let files = case["files"].as_object().into_iter().flatten();
    let files = CaseFiles(files.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect());
    let vars = case["vars"].as_object().cloned().unwrap_or_default();
    let asserts = prompts::filled(&asserts, &vars, &files);
    let graders = Graders::new(&asserts, case["test_threshold"].as_f64());
    let response = &case["response"];
    let text = match &case["answer"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let list = |key: &str| case["provider_config"][key].as_array().map(Vec::as_slice);
    let answer = Answer {
        text: &text,
        value: (!case["answer"].is_string()).then_some(&case["answer"]),
        latency_ms: response["latencyMs"].as_f64().or(Some(5.0)),
        cost_usd: response["cost"].as_f64(),
        finish_reason: response["finishReason"].as_str(),
        tools: list("tools"),
        functions: list("functions"),
        ..Answer::default()
    };
    match graders.grade(&answer, &BTreeMap::new()) {
        Grade::Missing(_) => Outcome::Error,
        Grade::Scored(s) => Outcome::Graded {
            pass: s.pass,
            score: s.score,
            components: s.components.into_iter().map(|c| (c.kind, c.pass, c.score)).collect(),
            named: s.named,
        },
    }
}

fn theirs(result: &Value) -> Outcome {
    if result["rejected"] == true {
        return Outcome::Refused;
    }
    if result["error"].is_string() {
        return Outcome::Error;
    }
    let named = |v: &Value| -> BTreeMap<String, f64> {
        let pairs = v.as_object().cloned().unwrap_or_else(Map::new);
        pairs.into_iter().filter_map(|(k, v)| Some((k, v.as_f64()?))).collect()
    };
    Outcome::Graded {
        pass: result["pass"] == true,
        score: result["score"].as_f64().unwrap_or(f64::NAN),
        components: components(&result["components"]),
        named: named(&result["named_scores"]),
    }
}

fn components(list: &Value) -> Vec<(String, bool, f64)> {
    let part = |c: &Value| {
        (
            c["type"].as_str().unwrap_or_default().to_owned(),
            c["pass"] == true,
            c["score"].as_f64().unwrap_or(f64::NAN),
        )
    };
    list.as_array().into_iter().flatten().map(part).collect()
}

/// The same verdict, and the same numbers within 1e-9.
fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (
            Outcome::Graded { pass: p1, score: s1, components: c1, named: n1 },
            Outcome::Graded { pass: p2, score: s2, components: c2, named: n2 },
        ) => {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
            let parts = c1.len() == c2.len()
                && c1.iter().zip(c2).all(|(a, b)| a.0 == b.0 && a.1 == b.1 && near(a.2, b.2));
            let names = n1.len() == n2.len() && n1.iter().all(|(k, v)| n2.get(k).is_some_and(|w| near(*v, *w)));
            p1 == p2 && near(*s1, *s2) && parts && names
        }
        (a, b) => a == b,
    }
}

#[test]
fn single_cases_have_promptfoos_verdict() {
    let Some(folder) = data() else { return };
    let text = std::fs::read_to_string(folder.join("cases.json")).expect("cases.json");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let (mut wrong, mut differences) = (Vec::new(), BTreeMap::new());
    for case in &cases {
        let (ours, theirs) = (ours(case), theirs(&case["result"]));
        if same(&ours, &theirs) {
            continue;
        }
        match known_difference(case) {
            Some(reason) => *differences.entry(reason).or_insert(0) += 1,
            None => wrong.push(format!("{}: {ours:?}, not {theirs:?}", case["id"])),
        }
    }
    println!("{} cases, {} differ on purpose: {differences:?}", cases.len(), differences.values().sum::<usize>());
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
