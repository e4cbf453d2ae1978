//! Saved documents in every format, word for word: whoever changes what people read sees it here first.
//! `FREEHOLD_BLESS=1 cargo test --no-default-features formats::` writes them anew.

use crate::run::Sandbox;
use std::path::{Path, PathBuf};

pub fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents").join(name)
}

/// A page without what is drawn and what is the same in all of them.
fn words(html: &str) -> String {
    let mut text = html.to_owned();
    for (from, to) in [("<svg", "</svg>"), ("<style", "</style>"), ("<script", "</script>")] {
        while let Some(start) = text.find(from) {
            let end = text[start..].find(to).map_or(text.len(), |n| start + n + to.len());
            text.replace_range(start..end, "");
        }
    }
    let kept: Vec<&str> = text.lines().filter(|l| !l.contains("Content-Security-Policy")).collect();
    kept.join("\n") + "\n"
}

#[test]
fn every_document_reads_as_it_did() {
    let sandbox = Sandbox::new();
    for file in ["cost.json", "advice.json", "plan.json", "bench.json"] {
        std::fs::copy(kept(file), sandbox.path(file)).expect("copied");
    }
    let bless = std::env::var_os("FREEHOLD_BLESS").is_some();
    let mut wrong = Vec::new();
    let every = [("table", "txt"), ("markdown", "md"), ("html", "html"), ("csv", "csv")];
    let words_only = &every[..2];
    for (name, files, formats) in [
        ("cost", &["cost.json"][..], &every[..]),
        ("advice", &["advice.json"], &every),
        ("plan", &["plan.json"], &every),
        ("bench", &["bench.json"], words_only),
        ("memo", &["cost.json", "bench.json", "plan.json", "--allow-mismatch"], &every[1..2]),
    ] {
        for (format, ending) in formats {
            let out = sandbox.run(&[&["report"], files, &["--format", format]].concat()).ok();
            let out = if *format == "html" { words(&out) } else { out };
            let path = kept(&format!("{name}.{ending}"));
            if bless {
                std::fs::write(&path, &out).expect("written");
            }
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            if before != out {
                let line = before.lines().zip(out.lines()).find(|(a, b)| a != b);
                wrong.push(format!("{}: {line:#?}", path.display()));
            }
            for odd in ["NaN", "inf ", "undefined"] {
                assert!(!out.contains(odd), "{name} as {format} has {odd:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "FREEHOLD_BLESS=1 writes them anew:\n{}", wrong.join("\n"));
}

/// What was saved is what is read: nothing is lost and nothing is added.
#[test]
fn a_document_is_its_own_json() {
    let sandbox = Sandbox::new();
    for file in ["cost.json", "advice.json", "plan.json"] {
        std::fs::copy(kept(file), sandbox.path(file)).expect("copied");
        let text = std::fs::read_to_string(kept(file)).expect("there");
        let saved: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let printed = sandbox.run(&["report", file, "--json"]).json();
        let more =
            |v: &serde_json::Value| v["result"].as_object().map(|o| o.keys().cloned().collect::<Vec<_>>());
        assert!(
            more(&saved).is_some_and(|keys| keys.iter().all(|k| printed["result"].get(k).is_some())),
            "{file}"
        );
        assert_eq!(printed["inputs"], saved["inputs"], "{file}");
    }
}

/// The five examples: a page in every format, whole, with its charts, and no key where a person reads.
#[test]
fn every_example_makes_a_page_in_every_format() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples = 0;
    for entry in std::fs::read_dir(&folder).expect("examples/").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        examples += 1;
        let sandbox = Sandbox::new();
        let file = path.display().to_string();
        sandbox.run(&["breakeven", "--scenario", &file, "--today", "2026-11-22", "-o", "cost.json"]).ok();
        let page = |format: &str| sandbox.run(&["report", "cost.json", "--format", format]).ok();
        let html = page("html");
        assert!(html.len() < 300_000, "{file}: {} bytes", html.len());
        for chart in ["Cost over time", "Cost a month against volume", "What moves the saving"] {
            assert!(html.contains(chart), "{file}: no {chart}");
        }
        let markdown = page("markdown");
        assert!(!markdown.contains("| need.") && !markdown.contains("| local."), "{file}");
        assert!(markdown.contains("## What it rests on, by weight"), "{file}");
        for format in ["table", "csv"] {
            assert!(page(format).lines().count() > 5, "{file} as {format}");
        }
    }
    assert_eq!(examples, 5);
}
