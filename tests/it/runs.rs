//! What is kept of runs: who may read it, where it is, and how it goes.

use crate::run::Sandbox;
use std::fs::FileTimes;
use std::time::{Duration, SystemTime};

fn keep(sandbox: &Sandbox, name: &str, days: u64) {
    let folder = sandbox.path("cache/runs");
    std::fs::create_dir_all(&folder).expect("made");
    let file = std::fs::File::create(folder.join(name)).expect("written");
    let then = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
    file.set_times(FileTimes::new().set_modified(then)).expect("set");
}

#[test]
fn kept_runs_are_shown_and_old_ones_deleted() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("cache/runs");
    assert_eq!(sandbox.run(&["runs", "--folder"]).ok().trim(), folder.display().to_string());
    assert!(sandbox.run(&["runs"]).ok().contains("No such run"));
    keep(&sandbox, "new.jsonl", 0);
    keep(&sandbox, "old.jsonl", 40);
    keep(&sandbox, "older.jsonl", 50);
    // Not a journal: whoever put it there wants it there.
    keep(&sandbox, "notes.txt", 90);
    std::fs::create_dir(folder.join("folder.jsonl")).expect("made");
    #[cfg(unix)]
    std::os::unix::fs::symlink(sandbox.write("precious", "x"), folder.join("link.jsonl")).expect("a link");
    let all = sandbox.run(&["runs", "--json"]).json();
    let names = |document: &serde_json::Value| {
        let runs = document["result"]["runs"].as_array().expect("a list").clone();
        runs.iter().map(|r| r["file"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(all["schema"], "freehold.runs/1");
    assert_eq!(names(&all), ["new.jsonl", "old.jsonl", "older.jsonl"]);
    assert_eq!(names(&sandbox.run(&["runs", "--older-than", "45d", "--json"]).json()), ["older.jsonl"]);
    sandbox.run(&["runs", "--delete"]).refused(&["--older-than"]);
    sandbox.run(&["runs", "--older-than", "30d", "--delete"]).refused(&["nothing was deleted", "--yes"]);
    // One that a run is writing stays, whatever its age.
    let writing = std::fs::File::open(folder.join("older.jsonl")).expect("there");
    writing.lock().expect("locked");
    let done = sandbox.run(&["runs", "--older-than", "30d", "--delete", "--yes", "--json"]).json();
    assert_eq!(done["result"]["runs"][0]["deleted"], true);
    assert_eq!(done["result"]["runs"][1]["being_written"], true);
    let mut left: Vec<_> = std::fs::read_dir(&folder)
        .expect("there")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert!(left.contains(&"notes.txt".to_owned()) && left.contains(&"new.jsonl".to_owned()), "{left:?}");
    assert!(left.contains(&"older.jsonl".to_owned()) && !left.contains(&"old.jsonl".to_owned()), "{left:?}");
    assert!(sandbox.path("precious").exists());
}

#[test]
fn without_a_home_nothing_is_kept() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(crate::run::program());
    command.env_remove("FREEHOLD_CACHE_DIR").env_remove("XDG_CACHE_HOME").env("HOME", "");
    let output = command.args(["runs", "--json"]).output().expect("starts");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["result"]["folder"], serde_json::Value::Null);
}
