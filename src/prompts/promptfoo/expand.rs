//! A configuration → its rows.

use super::super::bounds::{LARGEST_LINE, LARGEST_SET, LONGEST_CATEGORY, MOST_PROMPTS};
use super::super::conversation::{Conversation, Message, Role};
use super::super::fill::{Files, fill, is_script};
use super::super::yaml::{Kind, Node};
use super::super::{Assertion, Prompt, PromptError, js, utf8, yaml};
use super::notice::{Notice, NoticeKind};
use super::render;
use super::sources::{Sources, extension, has_magic};
use serde_json::{Map, Value};

/// A configuration, read and multiplied out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub description: Option<String>,
    /// Test by test, in each provider by provider, in each prompt by prompt.
    pub rows: Vec<Row>,
    pub notices: Vec<Notice>,
}

/// One prompt to one provider, with what is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the test, from 0, each combination of variables and each repeat counted.
    pub test: usize,
    /// The same without repeats.
    pub case: usize,
    pub repeat: u32,
    /// Column of the result, from 0: each provider has one for each of its prompts.
    pub column: usize,
    /// Number of the prompt, from 0.
    pub prompt_number: usize,
    pub prompt_label: String,
    /// Label or id of the provider; empty where the configuration names none.
    pub provider: String,
    pub description: Option<String>,
    /// The kind of work, where the test's metadata has a `category`.
    pub category: Option<String>,
    /// Variables, references to each other filled in.
    pub vars: Map<String, Value>,
    /// The text that is sent; `Err`: why its template cannot be filled in.
    pub text: Result<String, String>,
    /// The answer, where the file gives it: a text, or a value such as calls of tools.
    pub answer: Option<Value>,
    pub asserts: Vec<Assertion>,
    pub threshold: Option<f64>,
    /// Line of the test.
    pub line: usize,
    /// Line of what is at fault where there is no text: of the prompt, if that cannot be read as a template.
    pub text_line: usize,
}

impl Row {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        let vars: usize = self.vars.values().map(|v| v.as_str().map_or(64, str::len)).sum();
        vars + self.text.as_ref().map_or(0, String::len) + 500
    }

    /// As a prompt. One whose text is a list of messages is a conversation.
    pub(super) fn prompt(&self, id: String) -> Prompt {
        let text = self.text.clone().unwrap_or_default();
        let conversation = chat(&text);
        let first = conversation.as_ref().and_then(|c| c.messages.first()).filter(|m| m.role == Role::System);
        let system = first.and_then(|m| m.content.clone());
        let said = conversation.as_ref().and_then(|c| c.last_user_text().map(str::to_owned));
        let mut asserts = self.asserts.clone();
        if let Err(why) = &self.text {
            // Nothing to send: whoever checks the prompts finds the reason.
            asserts.insert(
                0,
                Assertion { fault: Some(why.clone()), line: Some(self.text_line), ..Assertion::default() },
            );
        }
        Prompt {
            id,
            prompt: said.unwrap_or(text),
            system,
            category: self.category.clone(),
            conversation,
            asserts,
            threshold: self.threshold,
            vars: self.vars.clone(),
            ..Prompt::default()
        }
    }
}

/// A prompt that is a JSON list of messages with roles.
fn chat(text: &str) -> Option<Conversation> {
    let list: Vec<Value> = serde_json::from_str(text.trim_start().strip_prefix('[').map(|_| text)?).ok()?;
    let message = |v: &Value| {
        let role = match v.get("role")?.as_str()? {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return None,
        };
        Some(Message::text(role, v.get("content")?.as_str()?))
    };
    let messages: Option<Vec<Message>> = list.iter().map(message).collect();
    let conversation = Conversation { messages: messages?, tools: Vec::new() };
    (conversation.check().is_ok()).then_some(conversation)
}

/// A prompt template of the configuration.
#[derive(Debug, Clone)]
struct Template {
    id: Option<String>,
    raw: String,
    label: String,
    /// Where the configuration names it.
    line: usize,
}

impl Template {
    /// Does a test's or a provider's list of prompts name this one?
    fn is_named(&self, reference: &str) -> bool {
        let names = |name: &str| {
            name == reference
                || reference.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix))
                || name.strip_prefix(reference).is_some_and(|rest| rest.starts_with(':'))
        };
        names(&self.label) || self.id.as_deref().is_some_and(names)
    }
}

struct Provider {
    id: String,
    label: Option<String>,
    prompts: Option<Vec<String>>,
}

impl Provider {
    fn key(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.id)
    }

    fn is_named(&self, reference: &str) -> bool {
        let names = |name: &str| {
            name == reference
                || reference.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix))
                || name.strip_prefix(reference).is_some_and(|rest| rest.starts_with(':'))
        };
        names(&self.id) || self.label.as_deref().is_some_and(names)
    }
}

/// One test, merged with the default test.
#[derive(Debug, Clone, Default)]
struct Test {
    line: usize,
    description: Option<String>,
    vars: Map<String, Value>,
    asserts: Vec<Assertion>,
    threshold: Option<f64>,
    prompts: Option<Vec<String>>,
    providers: Option<Vec<String>>,
    options: Map<String, Value>,
    metadata: Map<String, Value>,
    answer: Option<Value>,
    scores_itself: bool,
}

const TOP_KEYS: &[&str] = &[
    "$schema",
    "description",
    "prompts",
    "providers",
    "targets",
    "tests",
    "scenarios",
    "defaultTest",
    "evaluateOptions",
    "commandLineOptions",
    "outputPath",
    "sharing",
    "env",
    "derivedMetrics",
    "nunjucksFilters",
    "assertionTemplates",
    "metadata",
    "tags",
    "extensions",
    "tracing",
    "writeLatestResults",
    "redteam",
];
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

pub(super) struct Reader<'a> {
    sources: Sources<'a>,
    notices: Vec<Notice>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, files: &'a dyn Files) -> Self {
        Self { sources: Sources { file, files, made: std::cell::Cell::new(0) }, notices: Vec::new() }
    }

    fn error(&self, line: usize, message: impl Into<String>, remedy: impl Into<String>) -> PromptError {
        self.sources.error(line, message, remedy)
    }

    fn notice(&mut self, line: usize, kind: NoticeKind) {
        self.notices.push(Notice { line: Some(line), kind });
    }

    pub(super) fn config(mut self, root: &Node) -> Result<Config, PromptError> {
        let root = self.sources.dereferenced(root, root, 0)?;
        let Some(map) = root.as_map() else {
            return Err(self.error(
                root.line,
                "the configuration is not a mapping",
                "Begin with `prompts:` and `tests:`.",
            ));
        };
        for (key, value) in map {
            if !TOP_KEYS.contains(&key.as_str()) && !key.starts_with("x-") {
                self.notice(value.line, NoticeKind::UnknownKey { place: "configuration", key: key.clone() });
            }
        }
        let providers = self.providers(&root)?;
        let templates = self.templates(&root)?;
        let default = self.default_test(&root)?;
        let tests = self.tests(&root, &default)?;
        for test in tests.iter().chain([&default]) {
            for reference in test.prompts.iter().flatten() {
                if !templates.iter().any(|t| t.is_named(reference)) {
                    let labels: Vec<&str> = templates.iter().map(|t| t.label.as_str()).collect();
                    let message = format!("a test is for the prompt {reference:?}, which does not exist");
                    return Err(self.error(
                        test.line,
                        message,
                        format!("The prompts are: {}.", labels.join(", ")),
                    ));
                }
            }
        }
        for test in tests.iter().chain([&default]) {
            for reference in test.providers.iter().flatten() {
                if !providers.iter().any(|p| p.is_named(reference)) {
                    let keys: Vec<&str> = providers.iter().map(Provider::key).collect();
                    let message = format!("a test is for the provider {reference:?}, which does not exist");
                    return Err(self.error(
                        test.line,
                        message,
                        format!("The providers are: {}.", keys.join(", ")),
                    ));
                }
            }
        }
        let repeats = whole(root.get("evaluateOptions").and_then(|o| o.get("repeat"))).unwrap_or(1);
        if repeats > 1 {
            self.notice(1, NoticeKind::Repeats(repeats));
        }
        let rows = self.rows(&tests, &default, &templates, &providers, repeats)?;
        let description = root.get("description").and_then(Node::as_str).map(str::to_owned);
        Ok(Config { description, rows, notices: self.notices })
    }

    fn providers(&self, root: &Node) -> Result<Vec<Provider>, PromptError> {
        let Some(node) = root.get("providers").or_else(|| root.get("targets")).filter(|n| !n.is_null())
        else {
            let remedy =
                "Add a line such as `providers: [echo]`; which models are asked is said on the command line.";
            return Err(self.error(
                root.line,
                "the configuration names no provider, so promptfoo refuses it",
                remedy,
            ));
        };
        let plain = |id: &str| Provider { id: id.to_owned(), label: None, prompts: None };
        let one = |node: &Node| -> Option<Provider> {
            if let Some(id) = node.as_str() {
                return Some(plain(id));
            }
            let (id, body) = match node.get("id") {
                Some(id) => (id.as_str()?.to_owned(), node),
                None => node.as_map()?.first().map(|(k, v)| (k.clone(), v))?,
            };
            let label = body.get("label").and_then(Node::as_str).map(str::to_owned);
            Some(Provider { id, label, prompts: texts(body.get("prompts")) })
        };
        let list = match &node.kind {
            Kind::List(list) => list.iter().filter_map(one).collect(),
            _ => one(node).into_iter().collect::<Vec<_>>(),
        };
        if list.is_empty() {
            return Err(self.error(node.line, "the list of providers is empty", "Name one, such as `echo`."));
        }
        Ok(list)
    }

    fn templates(&mut self, root: &Node) -> Result<Vec<Template>, PromptError> {
        let Some(node) = root.get("prompts").filter(|n| !n.is_null()) else {
            let raw = "{{prompt}}".to_owned();
            return Ok(vec![Template { id: None, label: raw.clone(), raw, line: root.line }]);
        };
        // Raw text, label, id, line.
        let mut partials: Vec<(String, Option<String>, Option<String>, usize)> = Vec::new();
        match &node.kind {
            Kind::Scalar(Value::String(text)) => partials.push((text.clone(), None, None, node.line)),
            Kind::List(list) => {
                for item in list {
                    let field = |key: &str| item.get(key).and_then(Node::as_str).map(str::to_owned);
                    let partial = match item.as_str() {
                        Some(text) => Some((text.to_owned(), None, None)),
                        None => {
                            field("raw").or_else(|| field("id")).map(|raw| (raw, field("label"), field("id")))
                        }
                    };
                    let Some((raw, label, id)) = partial else {
                        let remedy = "Write the text, a path such as file://prompt.txt, or {raw, label}.";
                        return Err(self.error(item.line, "this is no prompt", remedy));
                    };
                    if !partials.iter().any(|p| p.0 == raw && label.is_none() && p.1.is_none()) {
                        partials.push((raw, label, id, item.line));
                    }
                }
            }
            Kind::Map(map) => {
                for (raw, label) in map {
                    partials.push((raw.clone(), label.as_str().map(str::to_owned), None, label.line));
                }
            }
            _ => {}
        }
        if partials.is_empty() {
            return Err(self.error(node.line, "there are no prompts", "Write at least one."));
        }
        let mut templates = Vec::new();
        for (raw, label, id, line) in partials {
            templates.extend(self.template(&raw, label.as_deref(), id.as_deref(), line, true)?);
        }
        Ok(templates)
    }

    /// A prompt as written: its text, or the file or files it names.
    fn template(
        &mut self,
        raw: &str,
        label: Option<&str>,
        id: Option<&str>,
        line: usize,
        patterns: bool,
    ) -> Result<Vec<Template>, PromptError> {
        let plain = || {
            let label = label.unwrap_or(raw).to_owned();
            vec![Template { id: id.map(str::to_owned), raw: raw.to_owned(), label, line }]
        };
        if raw.starts_with("exec:") {
            let remedy = "Put the text of the prompt into the file.";
            return Err(self.error(line, "a prompt is made by a program, and none is run", remedy));
        }
        if !looks_like_path(raw) {
            return Ok(plain());
        }
        let path = raw.strip_prefix("file://").unwrap_or(raw);
        if patterns && has_magic(path) {
            let paths = self.sources.paths(line, path)?;
            let mut all = Vec::new();
            for path in &paths {
                all.extend(self.template(path, None, None, line, false)?);
            }
            return Ok(if all.is_empty() { plain() } else { all });
        }
        if is_script(path) {
            let remedy = "Put the text of the prompt into the file.";
            return Err(self.error(
                line,
                format!("the prompt {path:?} is a program, and none is run"),
                remedy,
            ));
        }
        let known = ["txt", "md", "j2", "json", "jsonl", "yaml", "yml", "csv"];
        if !known.contains(&extension(path)) {
            let remedy = "promptfoo takes a text on one line with a slash, a backslash or an asterisk, or with a dot \
                          before its last two or three letters, for a path. Write it as a block (`|`) or into a file.";
            let short: String = raw.chars().take(60).collect();
            return Err(self.error(
                line,
                format!("the prompt {short:?} is taken for the path of a file"),
                remedy,
            ));
        }
        let bytes = self.sources.bytes(line, path)?;
        let text = utf8(path, &bytes)?;
        let with_label = |default: String| label.map_or(default, str::to_owned);
        let one = |raw: String, label: String| vec![Template { id: id.map(str::to_owned), raw, label, line }];
        let templates = match extension(path) {
            "txt" => {
                let text = text.replace("\r\n", "\n");
                let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
                for line in text.split('\n') {
                    if js::trim(line) == "---" {
                        parts.push(Vec::new());
                    } else if let Some(last) = parts.last_mut() {
                        last.push(line);
                    }
                }
                let blocks =
                    parts.iter().map(|p| js::trim(&p.join("\n")).to_owned()).filter(|p| !p.is_empty());
                let prefix = label.map_or(String::new(), |l| format!("{l}: "));
                blocks
                    .map(|raw| Template { id: None, label: format!("{prefix}{path}: {raw}"), raw, line })
                    .collect()
            }
            "jsonl" => {
                let lines: Vec<&str> = text.lines().filter(|l| !l.is_empty()).collect();
                let several = lines.len() > 1;
                let named = |raw: &str| match (several, label) {
                    (true, Some(label)) => format!("{label}: {raw}"),
                    (true, None) => format!("{path}: {raw}"),
                    (false, label) => label.unwrap_or(path).to_owned(),
                };
                lines
                    .iter()
                    .map(|raw| Template { id: None, label: named(raw), raw: (*raw).to_owned(), line })
                    .collect()
            }
            "json" => {
                let raw = match serde_json::from_str::<Value>(text) {
                    Ok(value) => js::json(&value),
                    Err(_) => text.to_owned(),
                };
                one(raw.clone(), with_label(format!("{path}: {raw}")))
            }
            "yaml" | "yml" => {
                let raw = yaml::document(text, false)
                    .ok()
                    .flatten()
                    .map_or_else(|| text.to_owned(), |n| js::json(&n.value()));
                let start: String = raw.chars().take(80).collect();
                one(raw, with_label(format!("{path}: {start}")))
            }
            "csv" => {
                let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
                let head =
                    usize::from(lines.first().is_some_and(|l| l.trim().eq_ignore_ascii_case("prompt")));
                let several = lines.len() > head + 1;
                let named = |n: usize, raw: &str| match label {
                    Some(label) if several => format!("{label}: {raw}"),
                    Some(label) => label.to_owned(),
                    None => format!("Prompt {} - {raw}", n + 1),
                };
                let rows = lines[head..].iter().enumerate();
                rows.map(|(n, raw)| Template {
                    id: id.map(str::to_owned),
                    label: named(n, raw),
                    raw: (*raw).to_owned(),
                    line,
                })
                .collect()
            }
            // Markdown and Jinja: the file as it stands.
            _ => {
                let start: String = text.chars().take(50).collect();
                one(text.to_owned(), with_label(format!("{path}: {start}...")))
            }
        };
        if templates.is_empty() {
            return Err(self.error(
                line,
                format!("the file {path:?} has no prompts"),
                "Put at least one into it.",
            ));
        }
        Ok(templates)
    }

    fn default_test(&mut self, root: &Node) -> Result<Test, PromptError> {
        match root.get("defaultTest").filter(|n| !n.is_null()) {
            None => Ok(Test { line: 1, ..Test::default() }),
            Some(node) => {
                let loaded = self.sources.loaded(node)?;
                self.test(&loaded, None)
            }
        }
    }

    /// Every test, in the order in which promptfoo runs them: those of the list before scenarios.
    fn tests(&mut self, root: &Node, default: &Test) -> Result<Vec<Test>, PromptError> {
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
                // A scenario without tests has none, as in promptfoo.
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

    /// A test without anything that is one is a slip, and promptfoo refuses it.
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

    /// The tests of a list: written out, or in files that it names.
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

    /// One test as written; inside a scenario, with the default test and the scenario's data below it.
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

    fn rows(
        &mut self,
        tests: &[Test],
        default: &Test,
        templates: &[Template],
        providers: &[Provider],
        repeats: u32,
    ) -> Result<Vec<Row>, PromptError> {
        let mut rows = Vec::new();
        let (mut number, mut case, mut bytes) = (0, 0, 0);
        for (n, test) in tests.iter().enumerate() {
            let mut test = test.clone();
            let mut vars = default.vars.clone();
            vars.extend(test.vars);
            test.vars = vars;
            let mut options = default.options.clone();
            options.extend(test.options);
            test.options = options;
            if test.options.get("disableDefaultAsserts") != Some(&Value::Bool(true)) {
                test.asserts = default.asserts.iter().cloned().chain(test.asserts).collect();
            }
            test.threshold = test.threshold.or(default.threshold);
            test.prompts = test.prompts.or_else(|| default.prompts.clone());
            test.providers = test.providers.or_else(|| default.providers.clone());
            let mut metadata = default.metadata.clone();
            metadata.extend(test.metadata);
            test.metadata = metadata;
            self.programs(&mut test, default);
            if test.asserts.is_empty() {
                self.notice(test.line, NoticeKind::NothingAsserted { test: n });
            }
            let combinations = if test.options.get("disableVarExpansion") == Some(&Value::Bool(true)) {
                vec![test.vars.clone()]
            } else {
                self.combinations(&test)?
            };
            let own = test.options.get("repeat").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let repeats = own.filter(|n| *n > 0).unwrap_or(repeats);
            for repeat in 0..repeats {
                for (nth, vars) in combinations.iter().enumerate() {
                    let mut column = 0;
                    for provider in providers {
                        let allowed = |t: &Template| {
                            provider.prompts.as_ref().is_none_or(|list| list.iter().any(|r| t.is_named(r)))
                        };
                        let asked = test
                            .providers
                            .as_ref()
                            .is_none_or(|list| list.iter().any(|r| provider.is_named(r)));
                        for (prompt_number, template) in
                            templates.iter().enumerate().filter(|(_, t)| allowed(t))
                        {
                            let own = column;
                            column += 1;
                            let wanted = test
                                .prompts
                                .as_ref()
                                .is_none_or(|list| list.iter().any(|r| template.is_named(r)));
                            if !asked || !wanted {
                                continue;
                            }
                            let mut row = self.row(&test, default, template, vars);
                            row.test = number;
                            row.case = case + nth;
                            row.repeat = repeat;
                            row.column = own;
                            row.prompt_number = prompt_number;
                            provider.key().clone_into(&mut row.provider);
                            bytes += row.size();
                            if bytes > LARGEST_SET {
                                let message = format!(
                                    "the prompts of the configuration have more than {LARGEST_SET} bytes"
                                );
                                return Err(self.error(test.line, message, "Take values out of its lists."));
                            }
                            rows.push(row);
                            if rows.len() > MOST_PROMPTS {
                                let message =
                                    format!("the configuration makes more than {MOST_PROMPTS} prompts");
                                return Err(self.error(test.line, message, "Take values out of its lists."));
                            }
                        }
                    }
                    number += 1;
                }
            }
            case += combinations.len();
        }
        if rows.is_empty() {
            return Err(self.error(
                1,
                "no test is left for any prompt",
                "Look at the `prompts:` of the tests.",
            ));
        }
        Ok(rows)
    }

    /// What a test would have a program do: its assertions are named as not run.
    fn programs(&mut self, test: &mut Test, default: &Test) {
        let texts = ["transform", "postprocess"].iter().filter_map(|k| test.options.get(*k)?.as_str());
        let transform = texts.map(str::to_owned).next();
        if let Some(program) = &transform {
            for assertion in &mut test.asserts {
                assertion.transform.get_or_insert_with(|| program.clone());
                for member in &mut assertion.members {
                    member.transform.get_or_insert_with(|| program.clone());
                }
            }
        }
        let mut not_run: Vec<(usize, String)> = Vec::new();
        if transform.is_some() {
            not_run.push((test.line, "transform".to_owned()));
        }
        if test.options.get("transformVars").is_some() {
            not_run.push((test.line, "transformVars".to_owned()));
        }
        if test.scores_itself || default.scores_itself {
            not_run.push((test.line, "assertScoringFunction".to_owned()));
            for assertion in &mut test.asserts {
                assertion.transform.get_or_insert_with(|| "assertScoringFunction".to_owned());
            }
        }
        for assertion in &test.asserts {
            let base = assertion.kind.strip_prefix("not-").unwrap_or(&assertion.kind);
            if matches!(base, "javascript" | "python" | "ruby" | "webhook") || assertion.transform.is_some() {
                not_run.push((assertion.line.unwrap_or(test.line), assertion.kind.clone()));
            }
        }
        for (line, what) in not_run {
            self.notice(line, NoticeKind::NotRun { what });
        }
    }

    /// Every combination of the values of variables that are lists of texts, or files of a pattern.
    fn combinations(&self, test: &Test) -> Result<Vec<Map<String, Value>>, PromptError> {
        let mut all = vec![Map::new()];
        for (key, value) in &test.vars {
            let values: Vec<Value> = match value {
                Value::String(text) if text.starts_with("file://") => {
                    let path = &text["file://".len()..];
                    let paths = self.sources.paths(test.line, path)?;
                    if paths.is_empty() {
                        let message = format!("no file fits {path:?}, which the variable {key:?} names");
                        return Err(self.error(test.line, message, "Mend the path."));
                    }
                    paths.into_iter().map(|p| Value::String(format!("file://{p}"))).collect()
                }
                Value::Array(list) if list.first().is_some_and(Value::is_string) => list.clone(),
                // A list of other things is one value.
                other => vec![other.clone()],
            };
            if all.len().saturating_mul(values.len()) > MOST_PROMPTS {
                let message = format!("the variables of a test make more than {MOST_PROMPTS} combinations");
                return Err(self.error(test.line, message, "Take values out of its lists."));
            }
            all = all
                .iter()
                .flat_map(|done| {
                    values.iter().map(|value| {
                        let mut next = done.clone();
                        next.insert(key.clone(), value.clone());
                        next
                    })
                })
                .collect();
        }
        Ok(all)
    }

    fn row(&self, test: &Test, default: &Test, template: &Template, vars: &Map<String, Value>) -> Row {
        let side = |key: &str| {
            let own = test.options.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
            own.or_else(|| default.options.get(key).and_then(Value::as_str)).unwrap_or_default().to_owned()
        };
        let raw = format!("{}{}{}", side("prefix"), template.raw, side("suffix"));
        let mut vars = vars.clone();
        let text = self.load_vars(&mut vars).and_then(|()| {
            render::resolve_variables(&mut vars);
            render::prompt(&raw, &vars)
        });
        let text = text.and_then(|t| {
            if t.len() > LARGEST_LINE { Err("the prompt is longer than 4 MiB".to_owned()) } else { Ok(t) }
        });
        let prompts_fault = text.is_err() && render::is_broken(&raw, &vars);
        let text_line = if prompts_fault { template.line } else { test.line };
        let asserts = test.asserts.iter().map(|a| fill(a, &vars, self.sources.files)).collect();
        let category = test.metadata.get("category").and_then(Value::as_str).map(|c| c.trim().to_owned());
        Row {
            prompt_label: template.label.clone(),
            description: test.description.clone(),
            category: category.filter(|c| !c.is_empty() && c.chars().count() <= LONGEST_CATEGORY),
            vars,
            text,
            answer: test.answer.clone(),
            asserts,
            threshold: test.threshold,
            line: test.line,
            text_line,
            test: 0,
            case: 0,
            repeat: 0,
            column: 0,
            prompt_number: 0,
            provider: String::new(),
        }
    }

    /// Variables that name a file become what it holds.
    fn load_vars(&self, vars: &mut Map<String, Value>) -> Result<(), String> {
        for (key, value) in vars.iter_mut() {
            let Some(path) = value.as_str().and_then(|t| t.strip_prefix("file://")) else { continue };
            if is_script(path) {
                return Err(format!("the variable {key:?} is made by a program, and none is run"));
            }
            let bytes = self.sources.files.read(path).map_err(|f| f.to_string())?;
            let text = match extension(path) {
                "yaml" | "yml" => js::json(&yaml::read(path, &bytes).map_err(|e| e.to_string())?.value()),
                "png" | "jpg" | "jpeg" | "gif" | "webp" | "pdf" | "mp3" | "wav" | "mp4" => {
                    return Err(format!("the variable {key:?} is a file that is no text"));
                }
                _ => js::trim(utf8(path, &bytes).map_err(|e| e.to_string())?).to_owned(),
            };
            *value = Value::String(text);
        }
        Ok(())
    }
}

fn extend(map: &mut Map<String, Value>, node: &Node) {
    if let Value::Object(more) = node.value() {
        map.extend(more);
    }
}

/// A text, or a list of texts.
fn texts(node: Option<&Node>) -> Option<Vec<String>> {
    let node = node.filter(|n| !n.is_null())?;
    match &node.kind {
        Kind::List(list) => Some(list.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()),
        _ => node.as_str().map(|t| vec![t.to_owned()]),
    }
}

fn whole(node: Option<&Node>) -> Option<u32> {
    u32::try_from(node?.value().as_u64()?).ok().filter(|n| *n > 0)
}

/// Does promptfoo take a prompt on one line for the path of a file?
fn looks_like_path(text: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".cjs", ".cts", ".j2", ".js", ".json", ".jsonl", ".md", ".mjs", ".mts", ".py", ".ts", ".txt", ".yml",
        ".yaml",
    ];
    if text.contains('\n') || ["portkey://", "langfuse://", "helicone://"].iter().any(|s| text.contains(s)) {
        return false;
    }
    let tokens: Vec<&str> = text.rsplit(':').take(2).collect();
    let units: Vec<u16> = text.encode_utf16().collect();
    let dot = |back: usize| units.len() >= back && units[units.len() - back] == u16::from(b'.');
    text.starts_with("file://")
        || ENDINGS.iter().any(|e| tokens.iter().any(|t| t.ends_with(e)))
        || dot(3)
        || dot(4)
        || text.contains(['*', '/', '\\'])
}

/// Read a configuration; `file` is its name, for messages, and `files` are those beside it.
pub fn read(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Config, PromptError> {
    let root = yaml::read(file, bytes)?;
    Reader::new(file, files).config(&root)
}

impl Config {
    /// The prompts of the configuration, once each whatever its providers and repeats. Ids are `t1`,
    /// `t2`, … by test, with the number of the prompt behind where there are several.
    pub fn prompts(&self) -> Vec<Prompt> {
        let several = self.rows.iter().any(|r| r.prompt_number > 0);
        let mut seen = std::collections::BTreeSet::new();
        let rows = self.rows.iter().filter(|r| r.repeat == 0);
        rows.filter(|r| seen.insert((r.case, r.prompt_number)))
            .map(|row| {
                let id = if several {
                    format!("t{}.{}", row.case + 1, row.prompt_number + 1)
                } else {
                    format!("t{}", row.case + 1)
                };
                row.prompt(id)
            })
            .collect()
    }
}
