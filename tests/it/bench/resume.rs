//! A journal decides prompts, plan and answers, whoever wrote it; where requests go, with which key,
//! for how much and where the report goes is said anew. And a resumed run is the same run.

use super::server::{Do, HEAD, Server, TEXT, good, send, status};
use super::{Place, code};
use std::path::Path;
use std::process::Output;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn freehold(place: &Place, folder: &Path, words: &[&str]) -> Output {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.args(words).current_dir(folder);
    command.env("FREEHOLD_CACHE_DIR", place.path("cache")).env("FREEHOLD_DATA_DIR", place.path("data"));
    command.env_remove("FREEHOLD_API_KEY");
    command.timeout(std::time::Duration::from_mins(1)).output().expect("it ran")
}

fn bench(place: &Place, words: &[&str]) -> Output {
    freehold(place, place.0.path(), &[&["bench"], words].concat())
}

fn three_prompts(place: &Place) {
    let lines: Vec<String> = (0..3).map(|n| format!("{{\"id\":\"q{n}\",\"prompt\":\"{n}\"}}\n")).collect();
    std::fs::write(place.path("prompts.jsonl"), lines.concat()).expect("written");
}

/// A run of three requests, the second of which failed without a bill.
fn unfinished(place: &Place, more: &[&str]) -> Server {
    three_prompts(place);
    let server = Server::start(vec![good(), status("503 Busy", "", ""), good()]);
    let output = place.bench(&[server.target("openai")], &[&["--retries", "0"], more].concat());
    assert_eq!((code(&output), server.requests().len()), (0, 3), "{}", stderr(&output));
    server
}

fn edit_header(place: &Place, edit: impl Fn(&mut serde_json::Value)) {
    let path = place.path("out.journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let (first, rest) = text.split_once('\n').expect("lines");
    let mut header: serde_json::Value = serde_json::from_str(first).expect("JSON");
    edit(&mut header);
    std::fs::write(path, format!("{header}\n{rest}")).expect("written");
}

/// What somebody else's journal wants is shown, and not done.
#[test]
fn a_journal_names_no_server_no_key_no_consent_and_no_file() {
    let place = Place::new();
    let server = unfinished(&place, &[]);
    let stolen = place.path("stolen.json");
    edit_header(&place, |header| {
        let words = header["arguments"].as_array_mut().expect("words");
        let output = words.iter().position(|w| w == "-o").expect("an output") + 1;
        words[output] = stolen.to_str().expect("text").into();
        words.extend(["--api-key-env", "GITHUB_TOKEN", "--yes"].map(Into::into));
    });
    std::fs::remove_file(place.path("out.json")).expect("removed");
    let resume = |more: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["bench", "--resume", "out.journal.jsonl"]).args(more).current_dir(place.0.path());
        command.env("GITHUB_TOKEN", "ghp_canary0123456789").env("FREEHOLD_DATA_DIR", place.path("data"));
        command.output().expect("it ran")
    };
    let output = resume(&[]);
    assert_eq!((code(&output), server.requests().len()), (2, 3), "{}", stderr(&output));
    let target = server.target("openai");
    for words in [target.as_str(), "GITHUB_TOKEN"] {
        assert!(stderr(&output).contains(words), "what it wants is shown: {}", stderr(&output));
    }
    let output = resume(&["--api", &target, "-o", "mine.json"]);
    assert_eq!((code(&output), server.requests().len()), (0, 4), "{}", stderr(&output));
    assert!(!server.requests().concat().contains("ghp_canary"), "the key was sent");
    assert!(!stolen.exists() && place.path("mine.json").exists());
}

#[test]
fn another_server_or_other_prompts_are_another_run() {
    let place = Place::new();
    let server = unfinished(&place, &[]);
    let target = server.target("openai");
    let other = Server::start(vec![good()]);
    let output = bench(&place, &["--resume", "out.json", "--api", &other.target("openai")]);
    assert_eq!((code(&output), other.connections()), (2, 0), "{}", stderr(&output));
    let output = bench(&place, &["--resume", "out.json", "--api", &target, "--repeats", "9"]);
    assert_eq!(code(&output), 2, "the plan is the run's: {}", stderr(&output));
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"else\"}\n").expect("written");
    let output = bench(&place, &["--resume", "out.json", "--api", &target, "--prompts", "prompts.jsonl"]);
    assert_eq!((code(&output), server.requests().len()), (2, 3), "{}", stderr(&output));
    assert!(stderr(&output).contains("have changed"), "{}", stderr(&output));
    // The journal has the prompts; the file may be gone.
    std::fs::remove_file(place.path("prompts.jsonl")).expect("removed");
    let output = bench(&place, &["--resume", "out.json", "--api", &target]);
    assert_eq!((code(&output), server.requests().len()), (0, 4), "{}", stderr(&output));
    assert_eq!(place.document()["result"]["targets"][0]["failures"], 0);
}

#[test]
fn another_version_measures_otherwise() {
    let place = Place::new();
    let server = unfinished(&place, &[]);
    edit_header(&place, |header| header["tool_version"] = "7.0.0".into());
    let output = bench(&place, &["--resume", "out.json", "--api", &server.target("openai")]);
    assert_eq!((code(&output), server.requests().len()), (2, 3), "{}", stderr(&output));
    assert!(stderr(&output).contains("7.0.0"), "{}", stderr(&output));
}

/// The command that a run ends with goes on with it, from its folder, with all that it needs.
#[test]
fn the_hint_of_a_run_goes_on_with_it() {
    let place = Place::new();
    three_prompts(&place);
    std::fs::write(place.path("mine.toml"), "").expect("written");
    let server = Server::start(vec![good(), status("401 No", "", ""), good()]);
    let target = server.target("openai");
    let words = ["--api", &target, "--prompts", "prompts.jsonl", "--warmup", "0", "--repeats", "1", "-q"];
    let more = ["--catalog", "mine.toml", "--max-cost", "1", "--retries", "0", "-o", "my report.json"];
    let output = bench(&place, &[&words[..], &more].concat());
    let said = stderr(&output);
    assert_eq!((code(&output), server.requests().len()), (4, 2), "{said}");
    let line = said.split("To go on: ").nth(1).expect("a command").lines().next().expect("a line");
    let again = shlex::split(line).expect("words");
    for flag in ["--catalog", "--max-cost", "--retries", "-q", "my report.json"] {
        assert!(again.iter().any(|w| w == flag), "{flag}: {line}");
    }
    let again: Vec<&str> = again[1..].iter().map(String::as_str).collect();
    let output = freehold(&place, place.0.path(), &again);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = std::fs::read_to_string(place.path("my report.json")).expect("the report");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["result"]["complete"], true);
    assert_eq!(document["result"]["samples"].as_array().map(Vec::len), Some(3));
}

/// The one that locks the journal first reads it; the others read nothing and ask nothing.
#[test]
fn of_many_that_resume_one_goes_on() {
    let place = Place::new();
    three_prompts(&place);
    let slow =
        || vec![send(HEAD), Do::Wait(300), send(TEXT), send(super::server::STOP), send(super::server::USAGE)];
    let server = Server::start(vec![good(), status("401 No", "", ""), slow()]);
    let target = server.target("openai");
    assert_eq!(code(&place.bench(std::slice::from_ref(&target), &["--retries", "0"])), 4);
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let one = || code(&bench(&place, &["--resume", "out.json", "--api", &target]));
        let runs: Vec<_> = (0..5).map(|_| scope.spawn(one)).collect();
        runs.into_iter().map(|run| run.join().expect("it ended")).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert_eq!(server.requests().len(), 4, "two that were answered or refused, and two that were left");
}

/// What is found under a journal's name stays, whatever it is; a whole run until there is a new one.
#[test]
fn nothing_under_a_journals_name_is_lost() {
    let names = |place: &Place| {
        let mut names: Vec<String> = std::fs::read_dir(place.0.path())
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("journal"))
            .collect();
        names.sort();
        names
    };
    for strange in ["not ours\n", "{\"line\":\"run\",\"format\":\"freehold.bench-journal/9\"}\n", "\u{0}"] {
        let place = Place::new();
        std::fs::write(place.path("out.journal.jsonl"), strange).expect("written");
        let server = Server::start(vec![good()]);
        assert_eq!(code(&place.bench(&[server.target("openai")], &[])), 0, "{strange:?}");
        assert_eq!(names(&place), ["out.foreign-1.journal.jsonl", "out.journal.jsonl"]);
        let kept = std::fs::read_to_string(place.path("out.foreign-1.journal.jsonl")).expect("kept");
        assert_eq!(kept, strange);
    }
    let place = Place::new();
    let server = Server::start(vec![good(), status("500 Broken", "", ""), good()]);
    let target = [server.target("openai")];
    let run = || code(&place.bench(&target, &["--retries", "0"]));
    assert_eq!(run(), 0);
    let whole = std::fs::read_to_string(place.path("out.journal.jsonl")).expect("a journal");
    assert_eq!(run(), 1, "nothing was measured");
    let kept = std::fs::read_to_string(place.path("out.previous-1.journal.jsonl")).expect("kept");
    assert_eq!(kept, whole);
    assert_eq!(run(), 0);
    assert!(names(&place).contains(&"out.journal.jsonl".to_owned()));
    assert!(place.path("out.previous-1.journal.jsonl").exists(), "the first whole run is not this one's");
}

/// A journal's numbers decide how much memory is taken and how much is sent.
#[test]
fn a_journal_asks_for_no_more_than_a_command_line_may() {
    type Edit = fn(&mut serde_json::Value);
    let edits: [(&str, Edit); 7] = [
        ("repeats", |h| h["basis"]["inputs"]["repeats"]["value"] = 4_000_000_000_u32.into()),
        ("max_output_tokens", |h| h["basis"]["max_output_tokens"] = 4_000_000_000_u32.into()),
        ("requests", |h| {
            h["basis"]["load"]["phases"] = serde_json::json!([{"target": 0, "round": 0, "shape": {"kind": "closed", "concurrency": 3_000_000}}]);
        }),
        ("rate", |h| {
            h["basis"]["load"]["phases"] = serde_json::json!([
                {"target": 0, "round": 0, "shape": {"kind": "open", "rate_per_s": 1e12, "arrivals": "constant"}}
            ]);
        }),
        ("target", |h| {
            h["basis"]["load"]["phases"] =
                serde_json::json!([{"target": 7, "round": 0, "shape": {"kind": "closed", "concurrency": 1}}]);
        }),
        ("duration", |h| h["basis"]["load"]["extent"]["seconds"] = 1e300.into()),
        ("margin", |h| h["basis"]["margin"] = (-1).into()),
    ];
    for (what, edit) in edits {
        let place = Place::new();
        unfinished(&place, &[]);
        edit_header(&place, edit);
        for how in ["--replay", "--resume"] {
            let output = bench(&place, &[how, "out.json"]);
            assert_eq!(code(&output), 2, "{how} {what}: {}", stderr(&output));
            assert!(stderr(&output).contains(what), "{how} {what}: {}", stderr(&output));
        }
    }
}

/// A pipe would be waited for, a device read for ever.
#[cfg(unix)]
#[test]
fn a_journal_is_an_ordinary_file() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo").arg(place.path("pipe.journal.jsonl")).status();
    assert!(made.expect("mkfifo runs").success());
    for run in ["pipe.journal.jsonl", "/dev/zero", "."] {
        for how in ["--replay", "--resume"] {
            let output = bench(&place, &[how, run]);
            assert_eq!(code(&output), 2, "{how} {run}: {}", stderr(&output));
        }
    }
}
