//! The pages of `docs/memos` are what the program writes today, byte for byte.
//! `FREEHOLD_BLESS=1 cargo test --no-default-features memos::` writes them anew.

use crate::run::{Run, Sandbox, program};
use std::path::{Path, PathBuf};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/memos")
}

/// Noon of the day of the catalogue: a page says when its documents were made.
const MADE: &str = "1795780800";

fn run(sandbox: &Sandbox, line: &str) {
    let args = shlex::split(line).expect("quotes");
    let output = sandbox
        .command(program())
        .env("SOURCE_DATE_EPOCH", MADE)
        .args(args)
        .output()
        .expect("the program starts");
    Run::from(output).ok();
}

/// Each page: its name, and the commands that make it. All but the measurement of the demo, which is kept
/// beside the pages, is computed here.
fn pages() -> Vec<(&'static str, Vec<String>)> {
    let example = |name: &'static str| {
        let cost = format!("breakeven --scenario examples/{name}.toml --today 2026-11-22 -o {name}.json");
        (name, vec![cost, format!("report {name}.json -o {name}.html")])
    };
    let mut all: Vec<(&'static str, Vec<String>)> =
        ["chatbot", "clinic", "coding-assistant", "embedded-product", "nightly-batch"].map(example).into();
    let lines = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect();
    all.push((
        "demo",
        lines(&[
            "breakeven --scenario examples/demo/scenario.toml --measured demo/bench.json --today 2026-11-27 \
             -o demo/breakeven.json",
            "advise --profile examples/demo/profile.toml --evidence demo/bench.json --cost demo/breakeven.json \
             --today 2026-11-27 -o demo/advice.json",
            "report demo/advice.json demo/bench.json demo/breakeven.json -o demo.html",
        ]),
    ));
    all.push((
        "advice",
        lines(&[
            "advise --profile examples/demo/profile.toml --requests-per-month 2M --input-tokens 1500 \
             --output-tokens 300 --today 2026-11-22 -o advice.json",
            "report advice.json -o advice.html",
        ]),
    ));
    all.push((
        "ranking",
        lines(&[
            "breakeven --all --model llama-3.1-8b-instruct --input-tokens 1500 --output-tokens 400 \
             --requests-per-month 1000000 --today 2026-11-22 -o ranking.json",
            "report ranking.json -o ranking.html",
        ]),
    ));
    all
}

#[test]
fn pages_of_the_documentation_are_current() {
    let sandbox = Sandbox::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["examples", "examples/demo", "demo"] {
        std::fs::create_dir(sandbox.path(name)).expect("a folder");
    }
    for (from, to) in [
        (examples.clone(), "examples"),
        (examples.join("demo"), "examples/demo"),
        (folder().join("demo"), "demo"),
    ] {
        for entry in std::fs::read_dir(from).expect("a folder").flatten().filter(|e| e.path().is_file()) {
            std::fs::copy(entry.path(), sandbox.path(to).join(entry.file_name())).expect("copied");
        }
    }
    let bless = std::env::var_os("FREEHOLD_BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, lines) in pages() {
        // Hundreds of thousands of pairs: minutes without optimisation. `scripts/test` runs a release build.
        if name == "ranking" && cfg!(debug_assertions) && !bless {
            continue;
        }
        for line in &lines {
            run(&sandbox, line);
        }
        let file = format!("{name}.html");
        let made = std::fs::read_to_string(sandbox.path(&file)).expect("written");
        assert!(made.len() < 300_000, "{file}: {} bytes", made.len());
        let kept = folder().join(&file);
        if bless {
            std::fs::write(&kept, &made).expect("written");
        }
        let before = std::fs::read_to_string(&kept).unwrap_or_default();
        if before != made {
            let differs = before.lines().zip(made.lines()).find(|(a, b)| a != b);
            let short = |text: &str| text.chars().take(400).collect::<String>();
            wrong.push(format!("{file}: {:#?}", differs.map(|(a, b)| (short(a), short(b)))));
        }
    }
    assert!(wrong.is_empty(), "FREEHOLD_BLESS=1 writes them anew:\n{}", wrong.join("\n"));
}
