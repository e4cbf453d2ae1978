//! Answers of providers and gateways as public reports describe them, one file each, made by others and
//! kept beside the project: the real program is run against a server that answers as the file says,
//! and its report must say what the file expects. Price files of the same folder go through `db import`.

use super::server::{Do, Server, send};
use super::{Place, code};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The files of the folder by name; none in a bare checkout.
fn files(prices: bool) -> Vec<(String, Value)> {
    let Some(folder) = crate::needs::case("testdata/api_cases") else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut found: Vec<(String, Value)> = entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).expect("readable");
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .filter(|(name, _)| name.ends_with(".price.json") == prices)
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().expect("text").to_owned()).collect()
}

/// What one request is answered with.
fn script(answer: &Value) -> Vec<Do> {
    let step = |step: &Value| match step {
        Value::String(text) => send(text),
        other => {
            match (other.get("wait_ms").and_then(Value::as_u64), other.get("then").and_then(Value::as_str)) {
                (Some(ms), _) => Do::Wait(ms),
                (_, Some("reset")) => Do::Reset,
                (_, Some("hang")) => Do::Hang,
                (_, Some("keep")) => Do::Keep,
                (_, Some("close")) => Do::Close,
                _ => panic!("{other} is no step"),
            }
        }
    };
    answer.as_array().expect("steps").iter().map(step).collect()
}

/// One case: the run's report and everything that must be so.
struct Outcome {
    name: String,
    document: Value,
    stderr: String,
    took: Duration,
}

impl Outcome {
    fn sample(&self) -> &Value {
        &self.document["result"]["samples"][0]
    }
    fn warnings(&self) -> String {
        self.document["warnings"].to_string()
    }

    /// `expect` names a figure of the sample, or says something of the run.
    fn check(&self, what: &str, wanted: &Value) {
        let (name, sample) = (&self.name, self.sample());
        let number = |field: &str| sample[field].as_f64();
        let limit = || wanted.as_f64().expect("a number");
        let told = || format!("{name}: {what} {wanted}: {sample:#}\n{}\n{}", self.warnings(), self.stderr);
        let holds = match what {
            "kind" => sample["error"]["kind"] == *wanted,
            "says" => {
                let words = wanted.as_str().expect("text");
                sample["error"]["message"].as_str().is_some_and(|m| m.contains(words))
                    && self.stderr.contains(words)
            }
            "failures" => self.document["result"]["targets"][0]["failures"] == *wanted,
            "took_below_s" => self.took.as_secs_f64() < limit(),
            "ttft_below_ms" => number("ttft_ms").is_some_and(|ms| ms < limit()),
            "decode_tps_below" => number("decode_tps").is_none_or(|tps| tps < limit()),
            "provider_cost_usd" => number(what).is_some_and(|usd| (usd - limit()).abs() < 1e-12),
            "provider_cost_usd_unknown" => sample["provider_cost_usd"].is_null(),
            "text_trimmed" => sample["text"].as_str().map(str::trim) == wanted.as_str(),
            "text_or_failure" => sample["text"] == *wanted || !sample["error"].is_null(),
            "finish_or_warning" => {
                sample["finish"] == *wanted || self.warnings().contains(wanted.as_str().expect("text"))
            }
            "warning_about" => self.warnings().contains(wanted.as_str().expect("text")),
            // The names of the sample's own members.
            figure => {
                assert!(sample.get(figure).is_some(), "{name}: the sample has no {figure}");
                sample[figure] == *wanted
            }
        };
        assert!(holds, "{}", told());
    }
}

fn run(name: &str, case: &Value) {
    let answers = case["answers"].as_array().expect("answers");
    let server = Server::start(answers.iter().map(script).collect());
    let place = Place::new();
    let prompts = texts(&case["prompts"]).join("\n");
    std::fs::write(place.path("prompts.jsonl"), prompts + "\n").expect("written");
    let url = format!("http://127.0.0.1:{}", server.port);
    let target = case["target"].as_str().expect("a target").replace("{url}", &url);
    let arguments = texts(&case["arguments"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let begun = Instant::now();
    let output = place.bench(&[target], &arguments);
    let took = begun.elapsed();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(place.path("out.json").exists(), "{name}: no report: {stderr}");
    let outcome = Outcome { name: name.to_owned(), document: place.document(), stderr, took };
    let expect = case["expect"].as_object().expect("an object");
    assert!(!expect.is_empty(), "{name} expects nothing");
    expect.iter().for_each(|(what, wanted)| outcome.check(what, wanted));
    let failed = outcome.document["result"]["targets"][0]["failures"].as_u64() > Some(0);
    assert_eq!(code(&output) != 0, failed, "{name}: {}", outcome.stderr);
}

#[test]
fn every_reported_answer_is_read_for_what_it_is() {
    run_all(&files(false));
}

/// Cases of our own in the same form: what else public reports tell of, and what was found wrong.
#[test]
fn further_answers_are_read_for_what_they_are() {
    let text = include_str!("../../fixtures/api_cases.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let named = |case: Value| (case["name"].as_str().expect("a name").to_owned(), case);
    run_all(&cases.into_iter().map(named).collect::<Vec<_>>());
}

fn run_all(cases: &[(String, Value)]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    // A few at a time: each starts a process, and some wait for seconds.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((name, case)) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    run(name, case);
                }
            });
        }
    });
}

#[test]
fn every_reported_price_file_is_taken_over_but_for_its_odd_records() {
    for (name, case) in files(true) {
        let place = Place::new();
        let text = match &case["file"] {
            Value::String(text) => text.clone(),
            file => file.to_string(),
        };
        std::fs::write(place.path("prices.json"), text).expect("written");
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["db", "import", "--yes", "--json", "--from", case["from"].as_str().expect("a format")]);
        command.arg(place.path("prices.json")).env("FREEHOLD_DATA_DIR", place.path("data"));
        let output = command.output().expect("it ran");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let expect = &case["expect"];
        assert_eq!(i64::from(code(&output)), expect["rc"].as_i64().unwrap_or(0), "{name}: {stderr}");
        if code(&output) != 0 {
            continue;
        }
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let result = &document["result"];
        let added = texts(&result["comparison"]["added"]);
        for id in texts(&expect["new"]) {
            assert!(added.contains(&id), "{name}: {id} is not among {added:?}\n{result:#}");
        }
        for id in texts(&expect["not_new"]) {
            assert!(!added.contains(&id), "{name}: {id}\n{result:#}");
        }
        if let Some(skipped) = expect["skipped"].as_u64() {
            let list = result["skipped"].as_array().expect("a list");
            assert_eq!(list.len() as u64, skipped, "{name}: {list:?}");
            assert!(
                list.iter().all(|s| s["reason"].as_str().is_some_and(|r| !r.is_empty())),
                "{name}: {list:?}"
            );
        }
    }
}
