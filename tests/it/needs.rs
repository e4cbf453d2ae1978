//! What some tests need from outside: a model, a server, cases that others made. Where it is missing
//! the test says so and ends; under `FREEHOLD_TEST_REQUIRE_ALL=1`, which `scripts/test` sets, it fails
//! instead: a test that was skipped has shown nothing.

use std::path::{Path, PathBuf};

/// Say that a test is skipped for want of this; panics where nothing may be skipped.
#[track_caller]
pub fn missing(what: &str) {
    let required = std::env::var_os("FREEHOLD_TEST_REQUIRE_ALL").is_some_and(|v| !v.is_empty() && v != "0");
    assert!(!required, "missing, and FREEHOLD_TEST_REQUIRE_ALL is set: {what}");
    skipped(what);
}

/// The same for a browser and what reads its prints, which are too large to install for every run:
/// only `FREEHOLD_TEST_REQUIRE_BROWSER=1`, which CI sets, makes their absence a failure.
#[track_caller]
pub fn missing_browser(what: &str) {
    let required =
        std::env::var_os("FREEHOLD_TEST_REQUIRE_BROWSER").is_some_and(|v| !v.is_empty() && v != "0");
    assert!(!required, "missing, and FREEHOLD_TEST_REQUIRE_BROWSER is set: {what}");
    skipped(what);
}

/// Say that a test is skipped because this machine does not permit it: never a failure.
pub fn skipped(why: &str) {
    // Through the writer: the print macros are for `cli` alone.
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The file or folder that an environment variable names.
#[track_caller]
pub fn path(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    match path {
        Some(path) if path.exists() => Some(path),
        Some(path) => {
            missing(&format!("{}, which {variable} names", path.display()));
            None
        }
        None => {
            missing(&format!("the environment variable {variable}"));
            None
        }
    }
}

/// A model file of the folder `FREEHOLD_TEST_MODELS`.
#[track_caller]
pub fn model(name: &str) -> Option<PathBuf> {
    let file = path("FREEHOLD_TEST_MODELS")?.join(name);
    if !file.exists() {
        missing(&file.display().to_string());
        return None;
    }
    Some(file)
}

/// Whether the local engine is built in.
#[track_caller]
pub fn engine() -> bool {
    if !cfg!(feature = "llama") {
        missing("the local engine (the feature `llama`)");
    }
    cfg!(feature = "llama")
}

/// The folder of cases that others made, beside the project. A bare checkout has none: then `scripts/test`
/// says aloud what it cannot show, and tests that read it skip. Where the folder is, a case that is not
/// there is missing as anything else is.
fn beside() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !folder.is_dir() {
        skipped("there is no folder of cases beside the project");
        return None;
    }
    Some(folder)
}

/// A file or folder of it.
#[track_caller]
pub fn case(name: &str) -> Option<PathBuf> {
    let path = beside()?.join(name);
    if !path.exists() {
        missing(&format!("shared/{name} beside the project"));
        return None;
    }
    Some(path)
}

/// The text of a file of it.
#[track_caller]
pub fn shared(name: &str) -> Option<String> {
    Some(std::fs::read_to_string(case(name)?).expect("a text"))
}
