//! Expands a configuration to rows: every test with every provider and prompt, and with every combination
//! of the values of its variables.

use super::super::bounds::{LARGEST_LINE, LARGEST_SET, LONGEST_CATEGORY, MOST_PROMPTS};
use super::super::fill::{Files, fill, is_script};
use super::super::yaml::Node;
use super::super::{PromptError, js, utf8, yaml};
use super::notice::NoticeKind;
use super::providers::Provider;
use super::reader::Reader;
use super::render;
use super::row::{Config, Row};
use super::sources::extension;
use super::templates::Template;
use super::test_cases::Test;
use serde_json::{Map, Value};

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

/// Read a configuration. `file` is its name in error messages, `files` gives access to the files beside it.
pub fn read(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Config, PromptError> {
    let root = yaml::read(file, bytes)?;
    Reader::new(file, files).config(&root)
}

impl Reader<'_> {
    fn config(mut self, root: &Node) -> Result<Config, PromptError> {
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
            let mut test = test.clone().over(default);
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

    /// Mark the assertions of a test as not run where the test would run a program on the answer.
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

    /// Every combination of the values of variables that are lists of texts, or patterns for files.
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
                // A list of anything but texts is a single value.
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

    /// Replace variables that name a file by its content.
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

fn whole(node: Option<&Node>) -> Option<u32> {
    u32::try_from(node?.value().as_u64()?).ok().filter(|n| *n > 0)
}
