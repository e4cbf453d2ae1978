//! Fills in the values of assertions: renders templates and reads files.

use super::assertion::Assertion;
use super::{js, template, yaml};
use serde_json::{Map, Value};

/// Access to the files beside a configuration. The caller decides what may be read: a configuration may
/// come from someone else, so that nothing outside of its own folder should be.
pub trait Files {
    /// The bytes of a file. The path is as written, relative to the configuration.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault>;
    /// The paths that match a pattern with `*`, `?`, `[...]` or `{...}`, sorted by name and relative to the
    /// configuration.
    fn list(&self, pattern: &str) -> Result<Vec<String>, FileFault>;
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    #[error("the file {0:?} does not exist")]
    Absent(String),
    #[error("the file {0:?} lies outside the folder of the configuration")]
    Outside(String),
    #[error("the file {path:?} cannot be read: {why}")]
    Unreadable { path: String, why: String },
}

/// No files at all, for prompt files that stand alone.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        Err(FileFault::Absent(path.to_owned()))
    }
    fn list(&self, _: &str) -> Result<Vec<String>, FileFault> {
        Ok(Vec::new())
    }
}

/// Extensions of programs, which only a script engine could evaluate.
const SCRIPTS: &[&str] = &[".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py", ".rb"];

/// Is a path, or its part before a colon, that of a program?
pub(crate) fn is_script(path: &str) -> bool {
    let path = path.split_once(':').map_or(path, |(path, _)| path);
    SCRIPTS.iter().any(|s| path.ends_with(s))
}

/// Fill in an assertion and its members. Errors are kept in `fault`.
pub(crate) fn fill(assertion: &Assertion, vars: &Map<String, Value>, files: &dyn Files) -> Assertion {
    let mut filled = assertion.clone();
    match assertion.value.as_ref().map(|v| value(v, vars, files)).transpose() {
        Ok(Some(Filled::Value(value))) => filled.value = Some(value),
        Ok(Some(Filled::Script(path))) => filled.transform = Some(path),
        Ok(None) => {}
        Err(fault) => filled.fault = Some(fault),
    }
    // A name that cannot be rendered is kept as it is.
    filled.metric =
        assertion.metric.as_ref().map(|m| template::render(m, vars).unwrap_or_else(|_| m.clone()));
    filled.members = assertion.members.iter().map(|m| fill(m, vars, files)).collect();
    filled
}

enum Filled {
    Value(Value),
    Script(String),
}

fn value(value: &Value, vars: &Map<String, Value>, files: &dyn Files) -> Result<Filled, String> {
    let text = |text: &str| -> Result<Filled, String> {
        match text.strip_prefix("file://") {
            Some(path) if is_script(path) => Ok(Filled::Script(path.to_owned())),
            Some(path) => file(path, files).map(Filled::Value),
            None => template::render(text, vars)
                .map(|t| Filled::Value(Value::String(t)))
                .map_err(|e| e.to_string()),
        }
    };
    match value {
        Value::String(s) => text(s),
        Value::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                match item.as_str().map(text).transpose()? {
                    None => list.push(item.clone()),
                    Some(Filled::Value(value)) => list.push(value),
                    script => return Ok(script.unwrap_or(Filled::Value(Value::Null))),
                }
            }
            Ok(Filled::Value(Value::Array(list)))
        }
        // Strings inside a mapping are not templates: it may be a schema.
        other => Ok(Filled::Value(other.clone())),
    }
}

/// The content of an assertion's file: text without white space around it, or the value of a JSON or YAML
/// file.
fn file(path: &str, files: &dyn Files) -> Result<Value, String> {
    let bytes = files.read(path).map_err(|e| e.to_string())?;
    let extension = path.rsplit_once('.').map_or("", |(_, e)| e);
    match extension {
        "json" | "yaml" | "yml" => yaml::read(path, &bytes).map(|n| n.value()).map_err(|e| e.to_string()),
        "txt" => {
            let text = super::utf8(path, &bytes).map_err(|e| e.to_string())?;
            Ok(Value::String(js::trim(text).to_owned()))
        }
        _ => Err(format!("the file {path:?} is no .txt, .json or .yaml file")),
    }
}

/// The variables, with references of the form `{{ name }}` to each other filled in.
pub fn resolved(vars: &serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    let mut vars = vars.clone();
    super::promptfoo::resolve(&mut vars);
    vars
}

/// Fill in the templates and files of assertions, with the variables of their prompt. Errors are kept in
/// each assertion's `fault`.
pub fn filled(
    asserts: &[Assertion],
    vars: &serde_json::Map<String, Value>,
    files: &dyn Files,
) -> Vec<Assertion> {
    asserts.iter().map(|a| fill(a, vars, files)).collect()
}
