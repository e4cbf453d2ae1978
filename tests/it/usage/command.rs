//! `freehold usage` as a user runs it: files in, document out, and what is said about files it cannot read.

use super::samples::{all, samples};
use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use std::path::Path;

fn command(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("freehold").expect("built");
    let home = tempfile::tempdir().expect("a folder");
    command.env("FREEHOLD_DATA_DIR", home.path()).env("COLUMNS", "100").arg("usage").args(args);
    command
}

fn run(args: &[&str]) -> Assert {
    command(args).assert()
}

pub fn json(args: &[&str]) -> Value {
    let out = run(&[args, &["--json"]].concat()).success();
    serde_json::from_slice(&out.get_output().stdout).expect("JSON")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn refusal(args: &[&str]) -> String {
    text(&run(args).code(2).get_output().stderr)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("writes");
    path.display().to_string()
}

const ROW: &str =
    r#"{"id":"a","model":"m","created":1788771600,"usage":{"prompt_tokens":10,"completion_tokens":5}}"#;

#[test]
fn every_sample_prints_its_totals() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    for (name, sample) in all(&folder) {
        let expected = std::fs::read_to_string(folder.join(format!("{name}.expect.json"))).expect("reads");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let mut args = vec![sample.display().to_string()];
        let mapping = folder.join(format!("{name}.mapping.json"));
        if mapping.is_file() {
            args.extend(["--map".to_owned(), format!("@{}", mapping.display())]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let document = json(&args);
        for key in ["totals", "by_model", "requests_by_hour_of_week_utc", "duplicates_dropped", "bill_usd"] {
            if document["result"][key] != expected[key] {
                wrong.push(format!("{name} {key}: {}", document["result"][key]));
            }
        }
        // Whatever people read of it stands on stdout, and nothing on stderr.
        for format in ["table", "markdown", "html", "csv"] {
            let shown = run(&[&args[..], &["--format", format]].concat()).success();
            let output = shown.get_output();
            assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{name} {format}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_folders_and_stdin_add_up_and_the_same_file_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = ROW.replace("\"a\"", "\"b\"");
    let first = write(folder.path(), "one/a.jsonl", ROW);
    write(folder.path(), "one/deep/b.jsonl", &other);
    write(folder.path(), "one/.hidden/c.jsonl", &ROW.replace("\"a\"", "\"c\""));
    write(folder.path(), "one/notes.md", "canary");
    let all = folder.path().join("one").display().to_string();
    let out = command(&[&first, &all, "-", "--json"])
        .write_stdin(ROW.replace("\"a\"", "\"d\"") + "\n" + ROW)
        .assert()
        .success();
    let document: Value = serde_json::from_slice(&out.get_output().stdout).expect("JSON");
    assert_eq!(document["result"]["totals"]["requests"], 3);
    assert_eq!(document["result"]["duplicates_dropped"], 1);
    assert_eq!(document["inputs"]["files"]["value"], 3);
    // A bucket has no id; its file counts once all the same.
    let csv =
        "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n2026-09-07,c,10,5\n";
    let csv = write(folder.path(), "a.csv", csv);
    assert_eq!(json(&[&csv, &csv])["result"]["totals"]["input"], 10);
}

#[test]
fn a_document_is_written_and_shown_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = write(folder.path(), "a.jsonl", ROW);
    let saved = folder.path().join("usage.json").display().to_string();
    run(&[&log, "-o", &saved]).success().stdout("");
    let report = Command::cargo_bin("freehold").expect("built").args(["report", &saved]).assert().success();
    assert!(text(&report.get_output().stdout).contains("1 request"));
}

#[test]
fn unknown_files_are_described_without_their_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = write(folder.path(), "CANARY.csv", "customer,tokens_in,tokens_out\nCANARY,5,6\n");
    let said = refusal(&[&log]);
    assert!(said.contains("file 1 is of no format that is known"), "{said}");
    assert!(said.contains("a table parted by commas with the fields tokens_in, tokens_out"), "{said}");
    assert!(said.contains("--map 'input=tokens_in,output=tokens_out'"), "{said}");
    assert!(!said.contains("CANARY"), "{said}");
    // What it proposes works.
    let document = json(&[&log, "--map", "input=tokens_in,output=tokens_out"]);
    assert_eq!(document["result"]["totals"]["input"], 5);
    // Half of what a format has.
    let half = write(folder.path(), "half.jsonl", "{\"starting_at\":1,\"ending_at\":2,\"other\":3}\n");
    assert!(refusal(&[&half]).contains("the nearest format is anthropic-usage-api"), "{}", refusal(&[&half]));
    let missing = refusal(&[&log, "--map", "input=none,output=neither"]);
    assert!(missing.contains("none of the columns none, neither"), "{missing}");
}

#[test]
fn formats_in_one_file_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let claude = r#"{"type":"assistant","uuid":"u","sessionId":"s","timestamp":"2026-09-07T09:00:00Z","message":{"id":"m","model":"m","usage":{"input_tokens":10,"output_tokens":5}}}"#;
    let log = write(folder.path(), "a.jsonl", &format!("{ROW}\n{claude}\n"));
    let said = refusal(&[&log]);
    assert!(said.contains("1 of api-responses") && said.contains("1 of claude-code"), "{said}");
    assert!(said.contains("--from NAME"), "{said}");
    assert_eq!(json(&[&log, "--from", "claude-code"])["result"]["totals"]["requests"], 1);
}

#[test]
fn wrong_arguments_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = write(folder.path(), "a.jsonl", ROW);
    assert!(refusal(&[&log, "--from", "codex"]).contains("codex-cli"));
    assert!(refusal(&[&log, "--timezone", "Mars/Base"]).contains("no such time zone"));
    assert!(refusal(&[&log, "--map", "@nowhere.json"]).contains("nowhere.json"));
    assert!(refusal(&["nowhere.jsonl"]).contains("nowhere.jsonl"));
    assert!(refusal(&[&write(folder.path(), "empty.csv", "")]).contains("empty"));
    std::fs::create_dir(folder.path().join("none")).expect("a folder");
    assert!(refusal(&[&folder.path().join("none").display().to_string()]).contains("no files of records"));
    let zip = write(folder.path(), "a.zip", "PK\u{3}\u{4}");
    assert!(refusal(&[&zip]).contains("unpack it"));
    run(&[]).code(2);
}

#[test]
fn the_week_is_in_the_time_zone_that_is_stated() {
    let folder = tempfile::tempdir().expect("a folder");
    // Monday, 09:00 UTC.
    let log = write(folder.path(), "a.jsonl", ROW);
    let document = json(&[&log, "--timezone", "+05:00"]);
    assert_eq!(document["result"]["requests_by_hour_of_week"], serde_json::json!({"14": 1}));
    assert_eq!(document["result"]["requests_by_hour_of_week_utc"], serde_json::json!({"9": 1}));
    assert_eq!(document["inputs"]["timezone"]["source"]["flag"], "--timezone");
    let berlin = text(&run(&[&log, "--timezone", "Europe/Berlin"]).success().get_output().stdout);
    assert!(berlin.contains("requests by hour of the week (Europe/Berlin)"), "{berlin}");
}

#[test]
fn help_lists_every_format() {
    let help = text(&run(&["--help"]).success().get_output().stdout);
    for (name, _) in freehold::app::usage::formats() {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn what_was_read_is_shown_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = write(folder.path(), "a.jsonl", &ROW.replace("\"m\"", "\"m\",\"user\":\"CANARY\""));
    let shown = text(&run(&[&log, "--show-fields"]).success().get_output().stdout);
    assert!(shown.contains("usage.prompt_tokens") && !shown.contains("CANARY"), "{shown}");
}
