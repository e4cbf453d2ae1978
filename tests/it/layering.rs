//! An arrow only ever points to a lower layer (see `src/lib.rs`). Every `use crate::x` and every
//! `crate::x::` in `src/` is an arrow from the module of its file to module `x`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Higher may use lower, never the other way and never sideways.
const RANK: &[(&str, u32)] = &[
    ("units", 0),
    ("provenance", 0),
    ("number", 0),
    ("money", 1),
    ("sanitize", 0),
    ("stats", 0),
    ("gguf", 10),
    ("catalog", 11),
    ("workload", 12),
    ("prompts", 13),
    ("price", 20),
    ("capacity", 20),
    ("plan", 21),
    ("cost", 22),
    ("quality", 22),
    ("advise", 23),
    ("measure", 25),
    ("document", 30),
    ("render", 31),
    ("cli", 40),
    ("main", 41),
];

/// Measuring stands beside the engines: it uses only layers 0 and 1.
fn allowed(from: &str, to: &str) -> bool {
    let rank = |m: &str| RANK.iter().find(|(name, _)| *name == m).map(|(_, r)| *r);
    match (rank(from), rank(to)) {
        _ if from == to => true,
        (Some(_), Some(r)) if from == "measure" => r < 20,
        (Some(a), Some(b)) => b < a,
        _ => false,
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The modules a source text points to: `crate::{a, b::c}` and `crate::a::b` alike.
fn arrows(text: &str) -> Vec<String> {
    let code: String =
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` of a macro is an arrow too; `some_crate::` is not ours.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let name = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = true;
            for (i, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 1 => break,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    c if start && c.is_alphanumeric() => {
                        found.push(name(&list[i..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(name(rest));
        }
    }
    found
}

#[test]
fn arrows_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&src).expect("under src");
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let from = first.trim_end_matches(".rs").to_owned();
        if from == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("source is text");
        for to in arrows(&text) {
            if !allowed(&from, &to) {
                wrong
                    .entry(inside.display().to_string())
                    .or_insert_with(Vec::new)
                    .push(format!("{from} -> {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:#?}");
}

#[test]
fn the_check_can_fail() {
    assert_eq!(
        arrows("use crate::{cost::Flow, units::{Usd, Watts}};\nlet x = crate::cli::main();"),
        ["cost", "units", "cli"]
    );
    assert!(allowed("cost", "capacity") && !allowed("capacity", "cost"));
    assert!(!allowed("measure", "cost") && !allowed("units", "catalog") && allowed("document", "measure"));
}
