//! Every fault of a server, one file each in `tests/fixtures/faults`: the scripted answers, and what
//! must come of them. The frames that the files name are in `server.rs`.

use super::server::{Do, HEAD, ROLE, STOP, Server, TEXT, USAGE, status};
use super::{Place, code};
use std::path::PathBuf;
use toml::{Table, Value};

/// A file's text with the frames in place of their names.
fn filled(text: &str) -> String {
    let good = format!("{ROLE}{TEXT}{TEXT}{TEXT}{STOP}{USAGE}");
    let frames = [
        ("GOOD", good.as_str()),
        ("HEAD", HEAD),
        ("ROLE", ROLE),
        ("TEXT", TEXT),
        ("STOP", STOP),
        ("USAGE", USAGE),
    ];
    frames.iter().fold(text.to_owned(), |text, (name, frame)| text.replace(&format!("${{{name}}}"), frame))
}

fn step(value: &Value) -> Do {
    let Value::Table(table) = value else {
        return Do::Send(filled(value.as_str().expect("text or a table")).into_bytes());
    };
    let (name, value) = table.iter().next().expect("one key");
    match (name.as_str(), value) {
        ("hex", Value::String(hex)) => {
            let byte = |n: usize| u8::from_str_radix(&hex[n..n + 2], 16).expect("hexadecimal");
            Do::Send((0..hex.len()).step_by(2).map(byte).collect())
        }
        ("forever", Value::String(text)) => Do::Forever(filled(text).repeat(64).into_bytes()),
        ("wait_ms", Value::Integer(ms)) => Do::Wait(u64::try_from(*ms).expect("a time")),
        ("then", Value::String(word)) => match word.as_str() {
            "hang" => Do::Hang,
            "reset" => Do::Reset,
            "keep" => Do::Keep,
            other => panic!("{other}: hang, reset or keep"),
        },
        _ => panic!("{name} is no step"),
    }
}

/// `[[answer]]`: either `steps`, or `status` with `headers` and `body`.
fn script(answer: &Value) -> Vec<Do> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(filled);
    if let Some(line) = text("status") {
        let headers = answer.get("headers").and_then(Value::as_array).into_iter().flatten();
        let headers: String = headers.flat_map(|h| [h.as_str().expect("a header"), "\r\n"]).collect();
        return status(&line, &headers, &text("body").unwrap_or_default());
    }
    let steps = answer.get("steps").and_then(Value::as_array).expect("steps or a status");
    steps.iter().map(step).collect()
}

fn cases() -> Vec<(String, Table)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faults");
    let mut cases: Vec<(String, Table)> = std::fs::read_dir(folder)
        .expect("the cases")
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).expect("readable");
            let table = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, table)
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

fn check(name: &str, case: &Table) {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        list.map(|v| v.as_str().expect("text").to_owned()).collect()
    };
    let answers = case["answer"].as_array().expect("answers");
    let server = Server::start(answers.iter().map(script).collect());
    let place = Place::new();
    let provider = case.get("provider").and_then(Value::as_str).unwrap_or("openai");
    let own = texts(case.get("arguments"));
    let mut arguments = own.clone();
    for (flag, value) in [("--retries", "0"), ("--first-timeout", "2"), ("--idle-timeout", "1")] {
        if !own.iter().any(|a| a == flag) {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = place.bench(&[server.target(provider)], &arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(place.path("out.json").exists(), "{name}: no report: {stderr}");
    let expect = case["expect"].as_table().expect("a table");
    let kind = expect["kind"].as_str().expect("a kind");
    assert_eq!(place.kind(), kind, "{name}: {stderr}");
    let document = place.document();
    let sample = &document["result"]["samples"][0];
    let failed = kind != "none";
    let exit = match kind {
        "none" => 0,
        "auth" => 4,
        _ => 1,
    };
    assert_eq!(code(&output), exit, "{name}: {stderr}");
    assert_eq!(document["result"]["targets"][0]["failures"], i32::from(failed), "{name}");
    if failed {
        assert!(sample["ttft_ms"].is_null(), "{name}: a failure has no latency");
        assert!(stderr.contains("error: "), "{name}: {stderr}");
    } else {
        assert_eq!(sample["text"], "ParisParisParis", "{name}");
        assert_eq!(sample["output_tokens"], 3, "{name}");
    }
    for words in texts(expect.get("says")) {
        assert!(stderr.contains(&words), "{name}: {words:?} is not in {stderr}");
    }
    if let Some(requests) = expect.get("requests").and_then(Value::as_integer) {
        assert_eq!(i64::try_from(server.requests().len()), Ok(requests), "{name}: {stderr}");
    }
    if let Some(attempts) = expect.get("attempts").and_then(Value::as_integer) {
        assert_eq!(sample["attempts"].as_i64(), Some(attempts), "{name}: {stderr}");
    }
    let stopped = !document["result"]["targets"][0]["stopped"].is_null();
    if let Some(ends) = expect.get("ends_provider").and_then(Value::as_bool) {
        assert_eq!(stopped, ends, "{name}: {stderr}");
    }
}

/// None of these is ever taken for something it is not.
#[test]
fn every_fault_has_its_name() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    // A few at a time: each starts a process.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((name, case)) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    check(name, case);
                }
            });
        }
    });
}
