//! The whole comparison against itself: the same file in our worker and in llama.cpp's own server
//! must give the same greedy text, and each side's decode rate must be the one its engine reports.
//!
//! Both sides run as they do by default. It holds to the last bit because both builds round alike: the
//! same instruction set and no fused operation of the compiler's own choice (`.cargo/config.toml`).
//!
//! Runs where `FREEHOLD_TEST_MODEL` names the model and `FREEHOLD_TEST_PYTHON` a Python with the
//! stand-in server's package; says that it was skipped elsewhere.

use crate::needs;
use crate::run::{Sandbox, program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const TASKS: [&str; 20] = [
    "Tell a story about a lighthouse keeper and a storm.",
    "Explain how a bicycle stays upright.",
    "Write a letter to a friend about a trip to the mountains.",
    "Describe how bread is made, step by step.",
    "What are the advantages of public libraries?",
    "Explain what a database index is and when it helps.",
    "Write a short speech for the opening of a bridge.",
    "Describe a market in a small town on a Saturday.",
    "How do vaccines work?",
    "Give advice to someone who starts a garden.",
    "Summarise the water cycle for a child.",
    "Write a recipe for a vegetable soup.",
    "What does a compiler do?",
    "Write a polite refusal to a wedding invitation.",
    "List reasons to learn a second language.",
    "Explain the difference between weather and climate.",
    "Write a poem about the sea in autumn.",
    "How does a refrigerator keep food cold?",
    "Plan a day in a city for a family with two children.",
    "Translate 'good morning, how are you?' into French and explain it.",
];

/// The server, which ends when its standard input closes.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(python: &Path, model: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/standin-server.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(["--alias", "same-file", "--url-file", "-", "--model"])
            .arg(model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        // It says where it listens once it is ready; the end of the pipe says that it never will be.
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = lines.map_while(Result::ok).find(|l| l.starts_with("http://"));
        Self { child, url: url.expect("the stand-in server starts") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {path} of {value}"))
}

#[test]
fn the_same_file_answers_alike_here_and_behind_a_server() {
    if !needs::engine() {
        return;
    }
    let Some(model) = needs::path("FREEHOLD_TEST_MODEL") else { return };
    let Some(python) = needs::path("FREEHOLD_TEST_PYTHON") else { return };
    let _alone = crate::local::ENGINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let sandbox = Sandbox::new();
    let lines: Vec<String> = TASKS.iter().map(|t| serde_json::json!({ "prompt": t }).to_string()).collect();
    let prompts = sandbox.write("prompts.jsonl", &lines.join("\n"));
    let server = Server::start(&python, &model);
    let report = sandbox.path("bench.json");
    let status = sandbox
        .command(program())
        .args(["bench", "--repeats", "1", "--max-output-tokens", "128", "--api-greedy", "--yes"])
        .arg("--model")
        .arg(&model)
        .args(["--api", &format!("openai:same-file@{}/v1", server.url), "--prompts"])
        .arg(&prompts)
        .arg("-o")
        .arg(&report)
        .status()
        .expect("the program starts");
    assert!(status.success(), "bench ended with {status}");

    let text = std::fs::read_to_string(&report).expect("the report is there");
    let document: Value = serde_json::from_str(&text).expect("it is JSON");
    let mut answers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in document["result"]["samples"].as_array().expect("samples") {
        assert!(sample["error"].is_null(), "{sample}");
        answers
            .entry(sample["prompt_id"].as_str().expect("an id"))
            .or_default()
            .push(sample["text"].as_str().expect("a text"));
    }
    assert_eq!(answers.len(), TASKS.len());
    let equal = answers.values().filter(|texts| texts.len() == 2 && texts[0] == texts[1]).count();
    assert!(equal * 10 >= TASKS.len() * 9, "only {equal} of {} answers are equal: {answers:#?}", TASKS.len());

    for target in document["result"]["targets"].as_array().expect("targets") {
        let ours = number(target, "/metrics/decode_tps/median");
        let theirs = number(target, "/metrics/engine_decode_tps/median");
        assert!(
            (ours / theirs - 1.0).abs() <= 0.03,
            "{}: {ours} tokens/s by our clock, {theirs} by the engine's",
            target["id"]
        );
    }
}
