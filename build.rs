//! Turns `hardware-db/**/*.toml` into what the binary embeds: one JSON array per kind of record
//! (parsed at every start, several times faster than TOML) and the TOML texts themselves (for
//! `db check`, which points at lines). Nothing is interpreted here: the record types do that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const KINDS: [&str; 11] = [
    "gpu",
    "machine",
    "host",
    "rental",
    "subscription",
    "tariff",
    "open_model",
    "api_model",
    "currency",
    "provider",
    "range",
];

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=hardware-db");
    find_libraries_beside_the_program();

    let mut files = Vec::new();
    toml_files(&root.join("hardware-db"), &mut files);
    // Declared defaults are no records of the world: the cost engine reads them itself.
    files.retain(|f| f.file_name().is_none_or(|n| n != "defaults.toml"));
    files.sort();

    let mut records: BTreeMap<&str, Vec<serde_json::Value>> = KINDS.map(|k| (k, Vec::new())).into();
    let mut texts = String::from("pub(super) const FILES: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.strip_prefix(&root).expect("under the root").display().to_string().replace('\\', "/");
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{name}: {e}"));
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        for (key, value) in table {
            let Some(list) = records.get_mut(key.as_str()) else {
                panic!("{name}: `{key}` is no kind of record; expected one of {KINDS:?}");
            };
            let toml::Value::Array(items) = value else {
                panic!("{name}: `{key}` must be a list: [[{key}]]");
            };
            list.extend(items.into_iter().map(json));
        }
        let _ = writeln!(texts, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    texts.push_str("];\n");
    std::fs::write(out.join("files.rs"), texts).expect("OUT_DIR can be written");
    for (kind, list) in records {
        let text = serde_json::to_string(&list).expect("plain values");
        std::fs::write(out.join(format!("{kind}.json")), text).expect("OUT_DIR can be written");
    }
}

/// With `dynamic-backends` llama.cpp is a set of shared libraries: the program looks for them in its
/// own folder. (`RPATH`, not `RUNPATH`: it also holds for what those libraries need themselves.)
fn find_libraries_beside_the_program() {
    if std::env::var_os("CARGO_FEATURE_DYNAMIC_BACKENDS").is_none() {
        return;
    }
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => println!("cargo:rustc-link-arg-bins=-Wl,-rpath,@executable_path"),
        Ok("linux") => println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN,--disable-new-dtags"),
        // Windows looks there by itself.
        _ => {}
    }
}

fn toml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() {
            toml_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "toml") {
            found.push(path);
        }
    }
}

fn json(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(d) => d.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(k, v)| (k, json(v))).collect(),
    }
}
