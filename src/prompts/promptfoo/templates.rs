//! The prompts of a configuration, given directly or in files that it names.

use super::super::fill::is_script;
use super::super::yaml::{Kind, Node};
use super::super::{PromptError, js, utf8, yaml};
use super::reader::{Reader, means};
use super::sources::{extension, has_magic};
use serde_json::Value;

/// A prompt template of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub id: Option<String>,
    pub raw: String,
    pub label: String,
    /// Line on which the configuration names it, from 1.
    pub line: usize,
}

impl Template {
    /// Does a test's or a provider's list of prompts name this one?
    pub(super) fn is_named(&self, reference: &str) -> bool {
        [Some(self.label.as_str()), self.id.as_deref()]
            .into_iter()
            .flatten()
            .any(|name| means(reference, name))
    }
}

impl Reader<'_> {
    pub(super) fn templates(&mut self, root: &Node) -> Result<Vec<Template>, PromptError> {
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

    /// A prompt as written: its text, or the file or files that it names.
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
            // Markdown and Jinja: the file's text unchanged.
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
}

/// Does promptfoo take a prompt of one line for the path of a file?
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
