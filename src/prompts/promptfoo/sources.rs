//! Resolves parts of a configuration that are elsewhere: references within it, and files beside it.

use super::super::bounds::MOST_YAML_NODES;
use super::super::fill::{FileFault, Files, is_script};
use super::super::yaml::{Kind, Node};
use super::super::{PromptError, csv, utf8, yaml};
use super::csv_tests;
use std::cell::Cell;

/// The deepest nesting of references.
const DEEPEST: usize = 20;

/// Reads files for one configuration, and makes errors about it.
pub(super) struct Sources<'a> {
    pub(super) file: &'a str,
    pub(super) files: &'a dyn Files,
    /// Number of values that references have produced so far.
    pub(super) made: Cell<usize>,
}

impl Sources<'_> {
    pub(super) fn error(
        &self,
        line: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PromptError {
        PromptError {
            file: self.file.to_owned(),
            line: Some(line),
            column: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn fault(&self, line: usize, fault: &FileFault) -> PromptError {
        self.error(line, fault.to_string(), "Mend the path: it counts from the folder of the configuration.")
    }

    pub(super) fn bytes(&self, line: usize, path: &str) -> Result<Vec<u8>, PromptError> {
        self.files.read(path).map_err(|f| self.fault(line, &f))
    }

    /// Files that match a pattern, or the single file of a plain path.
    pub(super) fn paths(&self, line: usize, pattern: &str) -> Result<Vec<String>, PromptError> {
        if has_magic(pattern) {
            self.files.list(pattern).map_err(|f| self.fault(line, &f))
        } else {
            Ok(vec![pattern.to_owned()])
        }
    }

    /// Replace `$ref` by what it names; keys beside it take precedence.
    pub(super) fn dereferenced(&self, node: &Node, root: &Node, depth: usize) -> Result<Node, PromptError> {
        let line = node.line;
        self.made.set(self.made.get() + 1);
        if self.made.get() > MOST_YAML_NODES {
            let message = format!("references make more than {MOST_YAML_NODES} values");
            return Err(self.error(line, message, "Take some of them out."));
        }
        if depth > 100 {
            return Err(self.error(line, "references name each other in a circle", "Break the circle."));
        }
        let kind = match &node.kind {
            Kind::Map(map) => {
                let Some(reference) = node.get("$ref").and_then(Node::as_str) else {
                    let pairs = map
                        .iter()
                        .map(|(k, v)| Ok((k.clone(), self.dereferenced(v, root, depth + 1)?)))
                        .collect::<Result<_, PromptError>>()?;
                    return Ok(Node { line, kind: Kind::Map(pairs) });
                };
                let mut target = self.target(line, reference, root, depth)?;
                target.line = line;
                let beside: Vec<_> = map.iter().filter(|(k, _)| k != "$ref").collect();
                if let (Kind::Map(pairs), false) = (&mut target.kind, beside.is_empty()) {
                    for (key, value) in beside {
                        let value = self.dereferenced(value, root, depth + 1)?;
                        match pairs.iter_mut().find(|(k, _)| k == key) {
                            Some(pair) => pair.1 = value,
                            None => pairs.push((key.clone(), value)),
                        }
                    }
                }
                return Ok(target);
            }
            Kind::List(list) => {
                let items =
                    list.iter().map(|v| self.dereferenced(v, root, depth + 1)).collect::<Result<_, _>>()?;
                Kind::List(items)
            }
            other => other.clone(),
        };
        Ok(Node { line, kind })
    }

    fn target(&self, line: usize, reference: &str, root: &Node, depth: usize) -> Result<Node, PromptError> {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let other;
        let base = if path.is_empty() {
            root
        } else {
            if path.contains("://") {
                let remedy = "Only files beside the configuration can be named.";
                return Err(self.error(
                    line,
                    format!("the reference {reference:?} names an address"),
                    remedy,
                ));
            }
            other = yaml::read(path, &self.bytes(line, path)?)?;
            &other
        };
        let absent = || {
            self.error(
                line,
                format!("the reference {reference:?} names nothing"),
                "Mend it, or what it names.",
            )
        };
        let mut at = base;
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            at = match &at.kind {
                Kind::List(list) => key.parse::<usize>().ok().and_then(|n| list.get(n)).ok_or_else(absent)?,
                _ => at.get(&key).ok_or_else(absent)?,
            };
        }
        if depth > DEEPEST * 4 {
            return Err(self.error(line, "references name each other in a circle", "Break the circle."));
        }
        self.dereferenced(at, base, depth + 4)
    }

    /// The value for a text that begins with `file://`; any other value is unchanged.
    pub(super) fn loaded(&self, node: &Node) -> Result<Node, PromptError> {
        let Some(path) = node.as_str().and_then(|t| t.strip_prefix("file://")) else {
            return Ok(node.clone());
        };
        if is_script(path) {
            return Ok(node.clone());
        }
        let paths = self.paths(node.line, path)?;
        let mut all = Vec::new();
        for path in &paths {
            let bytes = self.bytes(node.line, path)?;
            let content = match extension(path) {
                "json" | "yaml" | "yml" => yaml::read(path, &bytes)?,
                "csv" => {
                    let table = csv::read(path, utf8(path, &bytes)?)?;
                    let rows = table.rows.iter().map(|(line, cells)| {
                        let text = |c: &String| csv_tests::from_value(&serde_json::json!(c), *line);
                        if table.headers.len() == 1 {
                            text(&cells[0])
                        } else {
                            let pairs = table.headers.iter().cloned().zip(cells.iter().map(text)).collect();
                            Node { line: *line, kind: Kind::Map(pairs) }
                        }
                    });
                    Node { line: node.line, kind: Kind::List(rows.collect()) }
                }
                _ => csv_tests::from_value(&serde_json::json!(utf8(path, &bytes)?), node.line),
            };
            all.push(content);
        }
        if !has_magic(path) {
            return Ok(all.pop().unwrap_or_else(|| node.clone()));
        }
        let flat = all.into_iter().flat_map(|n| match n.kind {
            Kind::List(list) => list,
            kind => vec![Node { line: n.line, kind }],
        });
        Ok(Node { line: node.line, kind: Kind::List(flat.collect()) })
    }

    /// The same for all values inside, except for variables, whose files are read with the prompt.
    pub(super) fn loaded_inside(&self, node: &Node, vars: bool) -> Result<Node, PromptError> {
        let kind = match &node.kind {
            Kind::Map(map) => Kind::Map(
                map.iter()
                    .map(|(k, v)| Ok((k.clone(), self.loaded_inside(v, vars || k == "vars")?)))
                    .collect::<Result<_, PromptError>>()?,
            ),
            Kind::List(list) => {
                Kind::List(list.iter().map(|v| self.loaded_inside(v, vars)).collect::<Result<_, _>>()?)
            }
            _ if vars => return Ok(node.clone()),
            _ => return self.loaded(node),
        };
        Ok(Node { line: node.line, kind })
    }

    /// The tests in a file: YAML, JSON, JSONL or CSV. With `numbered` a row without a description gets its
    /// number as one, as promptfoo does for a single file, but not for a list of files.
    pub(super) fn test_file(
        &self,
        line: usize,
        path: &str,
        numbered: bool,
    ) -> Result<Vec<Node>, PromptError> {
        if is_script(path) {
            let remedy = "Write the tests as YAML, JSON, JSONL or CSV.";
            return Err(self.error(line, format!("{path:?} is a program, and none is run"), remedy));
        }
        let bytes = self.bytes(line, path)?;
        let list = |node: Node| match node.kind {
            Kind::List(list) => list,
            Kind::Scalar(serde_json::Value::Null) => Vec::new(),
            kind => vec![Node { line: node.line, kind }],
        };
        let tests = match extension(path) {
            "csv" => return csv_tests::tests(path, &csv::read(path, utf8(path, &bytes)?)?),
            "yaml" | "yml" => {
                let content = self.loaded_inside(&yaml::read(path, &bytes)?, false)?;
                list(self.dereferenced(&content, &content, 0)?)
            }
            "json" => {
                let content = yaml::read(path, &bytes)?;
                list(self.dereferenced(&content, &content, 0)?)
            }
            "jsonl" => {
                let mut tests = Vec::new();
                for (n, text) in utf8(path, &bytes)?.lines().enumerate().filter(|(_, t)| !t.trim().is_empty())
                {
                    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| PromptError {
                        file: path.to_owned(),
                        line: Some(n + 1),
                        column: Some(e.column()),
                        message: e.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
                        remedy: "Each line is one test as JSON.".to_owned(),
                    })?;
                    tests.push(csv_tests::from_value(&value, n + 1));
                }
                tests
            }
            _ => {
                let remedy = "Tests are read from .yaml, .json, .jsonl and .csv files.";
                return Err(self.error(line, format!("{path:?} is no file of tests"), remedy));
            }
        };
        if !numbered || matches!(extension(path), "yaml" | "yml") {
            return Ok(tests);
        }
        Ok(tests
            .into_iter()
            .enumerate()
            .map(|(n, mut test)| {
                if let Kind::Map(map) = &mut test.kind
                    && !map
                        .iter()
                        .any(|(k, v)| k == "description" && v.as_str().is_some_and(|d| !d.is_empty()))
                {
                    map.retain(|(k, _)| k != "description");
                    let text = serde_json::json!(format!("Row #{}", n + 1));
                    map.push(("description".to_owned(), csv_tests::from_value(&text, test.line)));
                }
                test
            })
            .collect())
    }
}

pub(super) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, e)| e)
}

/// Is a path a pattern?
pub(super) fn has_magic(path: &str) -> bool {
    path.contains(['*', '?'])
        || (path.contains('[') && path.contains(']'))
        || (path.contains('{') && path.contains(','))
}
