//! What the fuzz targets check (`fuzz/checks`), on their seeds and on every input that was once found to
//! break one (`tests/fixtures/fuzz/TARGET`): whole, cut short, and with bytes changed.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::path::{Path, PathBuf};

#[path = "../../fuzz/checks/documents.rs"]
mod documents;
#[path = "../../fuzz/checks/gguf.rs"]
mod gguf;
#[path = "../../fuzz/checks/graders.rs"]
mod graders;
#[path = "../../fuzz/checks/prompts.rs"]
mod prompts;
#[path = "../../fuzz/checks/settings.rs"]
mod settings;
#[path = "../../fuzz/checks/sse.rs"]
mod sse;
#[path = "../../fuzz/checks/templates.rs"]
mod templates;
#[path = "../../fuzz/checks/usage.rs"]
mod usage;
#[path = "../../fuzz/checks/wires.rs"]
mod wires;

/// Files below a folder of the project, with those below it; none where it is missing.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|e| e.expect("readable").path());
    let mut all: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

/// The files of folders of the project.
fn in_folders(folders: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = folders.iter().flat_map(|folder| files(&root.join(folder)));
    paths.map(|path| std::fs::read(path).expect("readable")).collect()
}

/// The recorded answers of a wire, after the letter that picks it.
fn recorded(letter: &str, wire: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/wires/{wire}.toml"));
    let text = std::fs::read_to_string(path).expect("a fixture");
    let table: toml::Table = text.parse().expect("TOML");
    let cases = table["case"].as_array().expect("cases");
    cases.iter().filter_map(|c| Some(format!("{letter}{}", c["body"].as_str()?).into_bytes())).collect()
}

/// Holds a check against the inputs that were found, and against those and `seeds` after small damage.
fn hold(target: &str, mut seeds: Vec<Vec<u8>>, check: fn(&[u8])) {
    seeds.extend(in_folders(&[&format!("tests/fixtures/fuzz/{target}")]));
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for bytes in &seeds {
        check(bytes);
    }
    seeds.retain(|bytes| bytes.len() < 1 << 14);
    let damage = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let case = (select(seeds), any::<Index>(), damage);
    proptest!(ProptestConfig::with_cases(100), |((mut bytes, end, damage) in case)| {
        if !bytes.is_empty() {
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if damage.len() % 2 == 0 {
                bytes.truncate(end.index(bytes.len()));
            }
        }
        check(&bytes);
    });
}

#[test]
fn documents_are_rendered_or_refused() {
    hold("documents", in_folders(&["tests/fixtures/bench", "tests/fixtures/before"]), documents::check);
}

#[test]
fn model_files_are_read_or_refused() {
    hold("gguf", Vec::new(), gguf::check);
}

#[test]
fn graders_grade_or_say_why_not() {
    let Some(folder) = crate::needs::case("testdata/promptfoo") else { return };
    let text = std::fs::read_to_string(folder.join("cases.json")).expect("cases");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let seed = |case: &serde_json::Value| {
        format!("{}\n{}", case["assertions"], case["answer"].as_str().unwrap_or_default()).into_bytes()
    };
    hold("graders", cases.iter().map(seed).collect(), graders::check);
}

#[test]
fn prompts_are_read_or_refused() {
    hold("prompts", in_folders(&["examples/demo", "tests/fixtures/quality/promptfoo"]), prompts::check);
}

#[test]
fn settings_are_read_or_refused() {
    hold("settings", in_folders(&["profiles", "examples", "tests/fixtures/prices"]), settings::check);
}

#[test]
fn streams_do_not_depend_on_where_they_are_cut() {
    hold("sse", recorded("", "openai"), sse::check);
}

#[test]
fn templates_render_or_say_why_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates/python.json");
    let text = std::fs::read_to_string(path).expect("a fixture");
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let sources = cases["cases"].as_array().expect("cases").iter().filter_map(|c| c["template"].as_str());
    hold("templates", sources.map(|s| s.as_bytes().to_vec()).collect(), templates::check);
}

#[test]
fn records_of_use_are_read_or_refused() {
    let Some(folder) = crate::needs::case("testdata/usage") else { return };
    let seeds = files(&folder).into_iter().map(|path| std::fs::read(path).expect("readable"));
    hold("usage", seeds.collect(), usage::check);
}

#[test]
fn answers_do_not_depend_on_where_they_are_cut() {
    let wires = ["openai", "responses", "anthropic", "gemini", "ollama"];
    let seeds = ["A", "B", "C", "D", "E"].into_iter().zip(wires).flat_map(|(l, wire)| recorded(l, wire));
    hold("wires", seeds.collect(), wires::check);
}
