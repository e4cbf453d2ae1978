//! Commands that the program and its README print: each is understood, and what can be run here runs.

use crate::run::Sandbox;
use std::path::Path;

/// The commands of a text: lines that begin with `freehold`, with what continues them and without what is
/// said beside them.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let words = line.trim_start();
        let continues = open && (words.starts_with("--") || found.last().is_some_and(|c| c.ends_with('\\')));
        let start = words.starts_with("freehold ") && line.len() - words.len() <= 2;
        if !start && !continues {
            open = false;
            continue;
        }
        // What is said beside it stands apart.
        let words = words.split("  ").next().unwrap_or_default().trim_end();
        if start {
            found.push(words.to_owned());
        } else if let Some(last) = found.last_mut() {
            *last = format!("{} {words}", last.trim_end_matches('\\').trim_end());
        }
        open = true;
    }
    found.retain(|c| !c.contains('…') && !c.contains("..."));
    found
}

fn help(sandbox: &Sandbox) -> Vec<String> {
    let mut all = vec![sandbox.run(&["--help"]).ok()];
    for sub in freehold::cli::command().get_subcommands().filter(|c| !c.is_hide_set()) {
        if sub.get_name() != "help" {
            all.push(sandbox.run(&[sub.get_name(), "--help"]).ok());
        }
    }
    // Only what stands above the options.
    all.iter().flat_map(|text| commands(text.split("Usage:").next().unwrap_or_default())).collect()
}

/// Shell blocks of the README: the program as it is called there.
fn readme() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(path).expect("README.md");
    let mut found = Vec::new();
    for block in text.split("```sh").skip(1) {
        found.extend(commands(block.split("```").next().unwrap_or_default()));
    }
    found
}

#[test]
fn every_printed_command_is_understood() {
    let sandbox = Sandbox::new();
    let (help, readme) = (help(&sandbox), readme());
    assert!(help.len() > 40 && readme.len() > 15, "{help:#?}\n{readme:#?}");
    for line in help.iter().chain(&readme) {
        // A redirection is the shell's.
        let line = line.split(" > ").next().unwrap_or_default();
        let words = shlex::split(line).unwrap_or_else(|| panic!("quotes: {line}"));
        if let Err(e) = freehold::cli::command().try_get_matches_from(&words) {
            assert!(!e.use_stderr(), "{line}: {e}");
        }
    }
}

/// What needs no model, no key, no person and no file of theirs.
fn runs_here(line: &str) -> bool {
    let verb = line.split(' ').nth(1).unwrap_or_default();
    let needs = [
        "usage",
        "model.gguf",
        "this",
        "--all",
        "prices.json",
        "mine.",
        "need.toml",
        "promptfoo",
        "--plan 2",
    ];
    matches!(
        verb,
        "breakeven" | "report" | "explain" | "fit" | "db" | "doctor" | "deploy" | "review" | "schema"
    ) && !needs.iter().any(|n| line.contains(n))
        || line.contains("advise --profile healthcare-strict")
        || line.contains("advise --table")
        || line.contains("--volume high --capability moderate")
}

#[test]
fn what_can_be_run_here_runs() {
    let sandbox = Sandbox::new();
    super::report::documents(&sandbox);
    std::fs::copy(sandbox.path("cost.json"), sandbox.path("last-month.json")).expect("copied");
    // Documents that are of no case with the others: a plan, an advice that chose an API, a measurement.
    for (file, name) in
        [("plan.json", "plan.json"), ("advice.json", "chosen.json"), ("bench.json", "measured.json")]
    {
        std::fs::copy(super::formats::kept(file), sandbox.path(name)).expect("copied");
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::create_dir(sandbox.path("examples")).expect("a folder");
    let scenario = std::fs::read_to_string(examples.join("chatbot.toml")).expect("there");
    sandbox.write("examples/chatbot.toml", &scenario);
    sandbox.write("plan.toml", &scenario);
    std::fs::copy(examples.join("demo/scenario.toml"), sandbox.path("scenario.toml")).expect("copied");
    let mut all = help(&sandbox);
    all.extend(readme());
    all.sort();
    all.dedup();
    let mut ran = 0;
    for line in all.iter().filter(|l| runs_here(l)) {
        ran += 1;
        // Documents that a command writes are not those that the next one reads.
        let made = ["cost.json", "advice.json"];
        let line =
            made.iter().fold(line.clone(), |l, m| l.replace(&format!("-o {m}"), &format!("-o new-{m}")));
        let line = match line.split(' ').nth(1) {
            Some("deploy" | "review") => line.replace("advice.json", "chosen.json"),
            Some("breakeven") => line.replace("bench.json", "measured.json"),
            _ => line,
        };
        let run = sandbox.shell(&line);
        assert!(matches!(run.code, Some(0 | 3)), "{line}: {:?}\n{}", run.code, run.err);
    }
    assert!(ran >= 20, "{ran} of {}", all.len());
}
