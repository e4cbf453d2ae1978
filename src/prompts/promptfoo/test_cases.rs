//! The tests of a configuration: those in its list, in files that it names, and in its scenarios.

use super::super::yaml::{Kind, Node};
use super::super::{Assertion, PromptError, yaml};
use super::notice::NoticeKind;
use super::reader::{Reader, texts};
use serde_json::{Map, Value};

/// One test, or the default test that others are merged with.
#[derive(Debug, Clone, Default)]
pub(super) struct Test {
    pub line: usize,
    pub description: Option<String>,
    pub vars: Map<String, Value>,
    pub asserts: Vec<Assertion>,
    pub threshold: Option<f64>,
    pub prompts: Option<Vec<String>>,
    pub providers: Option<Vec<String>>,
    pub options: Map<String, Value>,
    pub metadata: Map<String, Value>,
    pub answer: Option<Value>,
    pub scores_itself: bool,
}

impl Test {
    /// Merge with the default test, which supplies what this one does not say.
    pub(super) fn over(self, default: &Self) -> Self {
        let over = |below: &Map<String, Value>, above: Map<String, Value>| {
            let mut all = below.clone();
            all.extend(above);
            all
        };
        let options = over(&default.options, self.options);
        let asserts = if options.get("disableDefaultAsserts") == Some(&Value::Bool(true)) {
            self.asserts
        } else {
            default.asserts.iter().cloned().chain(self.asserts).collect()
        };
        Self {
            vars: over(&default.vars, self.vars),
            metadata: over(&default.metadata, self.metadata),
            threshold: self.threshold.or(default.threshold),
            prompts: self.prompts.or_else(|| default.prompts.clone()),
            providers: self.providers.or_else(|| default.providers.clone()),
            options,
            asserts,
            line: self.line,
            description: self.description,
            answer: self.answer,
            scores_itself: self.scores_itself,
        }
    }
}

const TEST_KEYS: &[&str] = &[
    "description",
    "vars",
    "assert",
    "threshold",
    "options",
    "metadata",
    "provider",
    "providers",
    "prompts",
    "providerOutput",
    "assertScoringFunction",
    "id",
    "$ref",
    "strategy",
];

impl Reader<'_> {
    pub(super) fn default_test(&mut self, root: &Node) -> Result<Test, PromptError> {
        match root.get("defaultTest").filter(|n| !n.is_null()) {
            None => Ok(Test { line: 1, ..Test::default() }),
            Some(node) => {
                let loaded = self.sources.loaded(node)?;
                self.test(&loaded, None)
            }
        }
    }

    /// Every test, in the order in which promptfoo runs them: the list first, then scenarios.
    pub(super) fn tests(&mut self, root: &Node, default: &Test) -> Result<Vec<Test>, PromptError> {
        let mut tests = Vec::new();
        let listed = match root.get("tests").filter(|n| !n.is_null()) {
            Some(node) => self.test_nodes(node)?,
            None => Vec::new(),
        };
        for node in &listed {
            self.says_something(node)?;
            tests.push(self.test(node, None)?);
        }
        let scenarios = match root.get("scenarios").filter(|n| !n.is_null()) {
            None => {
                if tests.is_empty() {
                    tests.push(Test { line: root.line, ..Test::default() });
                }
                return Ok(tests);
            }
            Some(node) => self.sources.loaded(node)?,
        };
        let flat = |node: &Node| -> Vec<Node> {
            match &node.kind {
                Kind::List(list) => list.clone(),
                _ => vec![node.clone()],
            }
        };
        for entry in flat(&scenarios) {
            let loaded = self.sources.loaded(&entry)?;
            for scenario in flat(&loaded) {
                let Some(config) = scenario.get("config") else {
                    let remedy = "A scenario has `config:`, a list of variables, and `tests:`.";
                    return Err(self.error(scenario.line, "a scenario has no config", remedy));
                };
                let config = flat(&self.sources.loaded(config)?);
                // As in promptfoo, a scenario without tests adds none.
                let inner = match scenario.get("tests").filter(|n| !n.is_null()) {
                    None => Vec::new(),
                    Some(node) => self.test_nodes(&self.sources.loaded(node)?)?,
                };
                for data in &config {
                    let outer = self.test(data, None)?;
                    for node in &inner {
                        self.says_something(node)?;
                        tests.push(self.test(node, Some((default, &outer)))?);
                    }
                }
            }
        }
        Ok(tests)
    }

    /// A test with nothing that makes it a test is a mistake; promptfoo refuses it, too.
    fn says_something(&self, node: &Node) -> Result<(), PromptError> {
        const SAYS: &[&str] = &["assert", "vars", "options", "metadata", "provider", "providerOutput"];
        let has = |key: &str| node.get(key).is_some_and(|n| !n.is_null());
        let threshold =
            || node.get("threshold").is_some_and(|n| matches!(n.kind, Kind::Scalar(Value::Number(_))));
        if node.as_map().is_some() && !SAYS.iter().any(|k| has(k)) && !threshold() {
            let remedy = "Give it `vars:` or `assert:`, or take it out.";
            return Err(self.error(node.line, "a test has neither vars nor assert", remedy));
        }
        Ok(())
    }

    /// The tests of a list, given directly or in files that it names.
    fn test_nodes(&mut self, node: &Node) -> Result<Vec<Node>, PromptError> {
        let from_path =
            |reader: &mut Self, line: usize, text: &str, numbered: bool| -> Result<Vec<Node>, PromptError> {
                let path = text.strip_prefix("file://").unwrap_or(text);
                let paths = reader.sources.paths(line, path)?;
                if paths.is_empty() {
                    reader.notice(line, NoticeKind::NoFiles { pattern: path.to_owned() });
                }
                let mut all = Vec::new();
                for path in paths {
                    all.extend(reader.sources.test_file(line, &path, numbered)?);
                }
                Ok(all)
            };
        if let Some(path) = node.as_str() {
            return from_path(self, node.line, path, true);
        }
        if let Some(path) = node.get("path").and_then(Node::as_str) {
            return from_path(self, node.line, path, true);
        }
        let Some(list) = node.as_list() else {
            let remedy = "Tests are a list, or the path of a file with tests.";
            return Err(self.error(node.line, "the tests are neither a list nor a path", remedy));
        };
        let mut tests = Vec::new();
        for item in list {
            match (item.as_str(), item.get("path").and_then(Node::as_str)) {
                (Some(path), _) => tests.extend(from_path(self, item.line, path, false)?),
                (None, Some(path)) => tests.extend(from_path(self, item.line, path, true)?),
                (None, None) => tests.push(item.clone()),
            }
        }
        Ok(tests)
    }

    /// One test, as written. Inside a scenario it is merged with the default test and the scenario's data.
    fn test(&mut self, node: &Node, below: Option<(&Test, &Test)>) -> Result<Test, PromptError> {
        let Some(map) = node.as_map() else {
            let remedy = "A test is a mapping with `vars:` and `assert:`.";
            return Err(self.error(node.line, "a test is not a mapping", remedy));
        };
        for (key, value) in map {
            if !TEST_KEYS.contains(&key.as_str()) {
                self.notice(value.line, NoticeKind::UnknownKey { place: "test", key: key.clone() });
            }
        }
        let mut test = match below {
            Some((default, data)) => {
                let mut merged = default.clone();
                merged.asserts.clear();
                merged.vars.extend(data.vars.clone());
                merged.options.extend(data.options.clone());
                merged.metadata.extend(data.metadata.clone());
                merged.asserts.extend(data.asserts.clone());
                merged.threshold = data.threshold.or(merged.threshold);
                merged.prompts = data.prompts.clone().or(merged.prompts);
                merged.providers = data.providers.clone().or(merged.providers);
                merged.description = data.description.clone().or(merged.description);
                merged
            }
            None => Test::default(),
        };
        test.line = node.line;
        let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        test.description = text("description").or(test.description);
        match node.get("vars").filter(|n| !n.is_null()) {
            None => {}
            Some(vars) if vars.as_map().is_some() => extend(&mut test.vars, vars),
            Some(vars) => {
                let patterns = texts(Some(vars)).unwrap_or_default();
                for pattern in patterns {
                    let path = pattern.strip_prefix("file://").unwrap_or(&pattern);
                    for path in self.sources.paths(vars.line, path)? {
                        let bytes = self.sources.bytes(vars.line, &path)?;
                        extend(&mut test.vars, &yaml::read(&path, &bytes)?);
                    }
                }
            }
        }
        if let Some(options) = node.get("options") {
            extend(&mut test.options, options);
        }
        if let Some(metadata) = node.get("metadata") {
            extend(&mut test.metadata, metadata);
        }
        if let Some(node) = node.get("threshold").filter(|n| !n.is_null()) {
            test.threshold = Some(match &node.kind {
                Kind::Scalar(Value::Number(n)) => n.as_f64().unwrap_or(f64::NAN),
                _ => {
                    return Err(self.error(
                        node.line,
                        "the threshold of a test is not a number",
                        "Write one such as 0.5.",
                    ));
                }
            });
        }
        if let Some(list) = node.get("assert").filter(|n| !n.is_null()) {
            let Some(items) = list.as_list() else {
                return Err(self.error(
                    list.line,
                    "assert is not a list",
                    "Write `assert:` and a list below it.",
                ));
            };
            for item in items {
                let mut unknown = Vec::new();
                let assertion =
                    Assertion::read(&item.value(), Some(item.line), &mut unknown).map_err(|e| {
                        self.error(
                            item.line,
                            e.to_string(),
                            "Write `- type: contains`, and `value:` below it.",
                        )
                    })?;
                for key in unknown {
                    self.notice(item.line, NoticeKind::UnknownKey { place: "assertion", key });
                }
                test.asserts.push(assertion);
            }
        }
        test.prompts = texts(node.get("prompts")).or(test.prompts);
        test.providers = texts(node.get("providers")).or(test.providers);
        test.answer = node.get("providerOutput").filter(|n| !n.is_null()).map(Node::value).or(test.answer);
        test.scores_itself |= node.get("assertScoringFunction").is_some_and(|n| !n.is_null());
        Ok(test)
    }
}

fn extend(map: &mut Map<String, Value>, node: &Node) {
    if let Value::Object(more) = node.value() {
        map.extend(more);
    }
}
