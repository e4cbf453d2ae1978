//! Reads prompt files of our own formats: JSONL, CSV, TOML or plain text, by their file name extension.
//!
//! Nothing is repaired: invalid UTF-8, an unknown key or a duplicate id is an error that names the place. A
//! prompt that was silently changed would change the benchmark.

use super::bounds::{LARGEST_LINE, LONGEST_CATEGORY, LONGEST_ID, MOST_CATEGORIES, MOST_PROMPTS};
use super::conversation::{Conversation, Message, Role, Tool, ToolCall};
use super::{Assertion, Prompt, PromptError, csv};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Formats of prompt files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Jsonl,
    Csv,
    Toml,
    /// One prompt per line, or blocks separated by lines that are only `---`.
    Text,
}

impl FileFormat {
    /// The format for a file name extension.
    pub fn of(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "toml" => Some(Self::Toml),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }
}

/// One row, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    prompt: Option<String>,
    messages: Option<Vec<MessageRow>>,
    #[serde(default)]
    tools: Vec<ToolRow>,
    id: Option<Id>,
    system: Option<String>,
    max_output_tokens: Option<u32>,
    expect: Option<String>,
    category: Option<String>,
    assert: Option<Value>,
    threshold: Option<f64>,
    #[serde(default)]
    vars: Map<String, Value>,
}

/// An id is text, or a whole number that stands for its digits.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "id must be a text or a whole number")]
enum Id {
    Text(String),
    Number(i64),
}

/// A message in `OpenAI`'s chat format, with `think_ms` in addition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageRow {
    role: Role,
    content: Option<Content>,
    #[serde(default)]
    tool_calls: Vec<ToolCallRow>,
    tool_call_id: Option<String>,
    think_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "content must be a text, or parts such as {\"type\": \"text\", \"text\": \"...\"}: pictures, sound and files are not sent"
)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Part {
    #[serde(alias = "input_text", alias = "output_text")]
    Text { text: String },
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a call must have an id, a name and arguments, which are JSON in a text, as in {\"id\": \"1\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}"
)]
enum ToolCallRow {
    Nested { id: String, function: CalledFunction },
    Flat(ToolCall),
}

#[derive(Debug, Deserialize)]
struct CalledFunction {
    name: String,
    arguments: Arguments,
}

/// JSON in a text, or as Ollama has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Arguments {
    Text(String),
    Members(Map<String, Value>),
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a tool must be a function with a name, as in {\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {}}}: tools that a provider runs itself are not asked for"
)]
enum ToolRow {
    Nested {
        function: Tool,
    },
    Flat(Tool),
    /// As `OpenAI`'s Responses and Anthropic's Messages have it.
    Typed(TypedTool),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedTool {
    #[serde(rename = "type", default)]
    kind: FunctionKind,
    name: String,
    description: Option<String>,
    #[serde(alias = "input_schema")]
    parameters: Option<Value>,
}

/// The only kind of tool.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FunctionKind {
    #[default]
    #[serde(alias = "custom")]
    Function,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    prompts: Vec<toml::Spanned<Row>>,
}

const KEYS: &str = "prompt or messages (one of them is required), id, system, max_output_tokens, expect, category, \
                    assert, threshold, vars, tools";
const COLUMNS: &[&str] = &["prompt", "id", "system", "max_output_tokens", "expect", "category"];

/// Read the prompts of a file; `file` is its name in error messages.
pub fn parse(file: &str, format: FileFormat, bytes: &[u8]) -> Result<Vec<Prompt>, PromptError> {
    let reader = Reader { file };
    let text = reader.text(bytes)?;
    let rows = match format {
        FileFormat::Jsonl => reader.jsonl(text)?,
        FileFormat::Csv => reader.csv(text)?,
        FileFormat::Toml => reader.toml(text)?,
        FileFormat::Text => Reader::plain(text),
    };
    reader.check(rows)
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn error(
        &self,
        line: Option<usize>,
        column: Option<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PromptError {
        PromptError {
            file: self.file.to_owned(),
            line,
            column,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    fn text<'t>(&self, bytes: &'t [u8]) -> Result<&'t str, PromptError> {
        let text = super::utf8(self.file, bytes)?;
        if text.trim().is_empty() {
            return Err(self.error(
                None,
                None,
                "the file has no prompts",
                "Put at least one prompt into it.",
            ));
        }
        Ok(text)
    }

    fn jsonl(&self, text: &str) -> Result<Vec<(usize, Row)>, PromptError> {
        let mut rows = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let n = n + 1;
            if line.len() > LARGEST_LINE {
                let message = format!("the line is longer than {LARGEST_LINE} bytes");
                return Err(self.error(Some(n), None, message, "Shorten the prompt."));
            }
            if line.trim().is_empty() {
                continue;
            }
            if !line.trim_start().starts_with('{') {
                return Err(self.error(Some(n), None, "the line is not a JSON object", jsonl_remedy()));
            }
            let row = serde_json::from_str(line).map_err(|e| {
                let text = e.to_string();
                let what = text.split(" at line ").next().unwrap_or(&text);
                let whole = if e.is_eof() { "A JSON object must stand on one line. " } else { "" };
                self.error(Some(n), Some(e.column()), what, format!("{whole}{}", jsonl_remedy()))
            })?;
            rows.push((n, row));
        }
        Ok(rows)
    }

    fn csv(&self, text: &str) -> Result<Vec<(usize, Row)>, PromptError> {
        let table = csv::read(self.file, text)?;
        if let Some(column) = table.headers.iter().find(|h| !COLUMNS.contains(&h.as_str())) {
            let semicolons = if column.contains(';') { " Columns are separated by commas." } else { "" };
            let message = format!("unknown column {column:?}");
            let columns = COLUMNS.join(", ");
            return Err(self.error(
                Some(1),
                None,
                message,
                format!("The columns are: {columns}; prompt is required.{semicolons}"),
            ));
        }
        if !table.headers.iter().any(|h| h == "prompt") {
            return Err(self.error(
                Some(1),
                None,
                "there is no column \"prompt\"",
                format!("The first line names the columns: {}.", COLUMNS.join(", ")),
            ));
        }
        let mut rows = Vec::new();
        for (line, record) in &table.rows {
            let cell = |name: &str| table.headers.iter().position(|h| h == name).and_then(|i| record.get(i));
            // An empty cell means that there is no value. An empty prompt is reported below.
            let optional = |name: &str| cell(name).filter(|c| !c.trim().is_empty()).cloned();
            let max_output_tokens =
                optional("max_output_tokens").map(|n| n.trim().parse()).transpose().map_err(|_| {
                    self.error(
                        Some(*line),
                        None,
                        "max_output_tokens is not a whole number",
                        "Write a number such as 256, or leave the cell empty.",
                    )
                })?;
            rows.push((
                *line,
                Row {
                    prompt: Some(cell("prompt").cloned().unwrap_or_default()),
                    id: optional("id").map(Id::Text),
                    system: optional("system"),
                    max_output_tokens,
                    expect: optional("expect"),
                    category: optional("category"),
                    ..Row::default()
                },
            ));
        }
        Ok(rows)
    }

    fn toml(&self, text: &str) -> Result<Vec<(usize, Row)>, PromptError> {
        let line_of = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
        let file: TomlFile = toml::from_str(text).map_err(|e| {
            let at = e.span().map(|s| s.start);
            let column = at.map(|at| at - text[..at].rfind('\n').map_or(0, |i| i + 1) + 1);
            self.error(
                at.map(line_of),
                column,
                e.message(),
                format!("A prompt is a table `[[prompts]]` with the keys {KEYS}."),
            )
        })?;
        Ok(file.prompts.into_iter().map(|row| (line_of(row.span().start), row.into_inner())).collect())
    }

    /// One prompt per line, or, if any line is only `---`, one prompt per block between such lines.
    fn plain(text: &str) -> Vec<(usize, Row)> {
        let of = |prompt: &str| Row { prompt: Some(prompt.to_owned()), ..Row::default() };
        let numbered = || text.lines().enumerate().map(|(n, line)| (n + 1, line));
        if numbered().all(|(_, line)| line.trim_end() != "---") {
            return numbered()
                .filter(|(_, l)| !l.trim().is_empty())
                .map(|(n, l)| (n, of(l.trim())))
                .collect();
        }
        let mut rows = Vec::new();
        let mut block: Vec<&str> = Vec::new();
        let mut start = 1;
        for (n, line) in numbered().chain([(usize::MAX, "---")]) {
            if line.trim_end() == "---" {
                let prompt = block.join("\n");
                if !prompt.trim().is_empty() {
                    rows.push((start, of(prompt.trim())));
                }
                block.clear();
            } else {
                if block.is_empty() {
                    start = n;
                }
                block.push(line);
            }
        }
        rows
    }

    fn check(&self, rows: Vec<(usize, Row)>) -> Result<Vec<Prompt>, PromptError> {
        if rows.len() > MOST_PROMPTS {
            let message = format!("the file has {} prompts; at most {MOST_PROMPTS} are read", rows.len());
            return Err(self.error(None, None, message, "Draw a sample of them."));
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut categories: BTreeSet<String> = BTreeSet::new();
        let mut prompts = Vec::new();
        for (n, (line, row)) in rows.into_iter().enumerate() {
            let prompt = self.prompt(n, line, row)?;
            if let Some(first) = seen.insert(prompt.id.clone(), line) {
                let message = format!("the id {:?} is already used in line {first}", prompt.id);
                return Err(self.error(Some(line), None, message, "Give each prompt its own id."));
            }
            categories.extend(prompt.category.clone());
            if categories.len() > MOST_CATEGORIES {
                let message = format!("there are more than {MOST_CATEGORIES} categories");
                return Err(self.error(
                    Some(line),
                    None,
                    message,
                    "Use the category for kinds of work, not for ids.",
                ));
            }
            prompts.push(prompt);
        }
        if prompts.is_empty() {
            return Err(self.error(
                None,
                None,
                "the file has no prompts",
                "Put at least one prompt into it.",
            ));
        }
        Ok(prompts)
    }

    fn prompt(&self, n: usize, line: usize, row: Row) -> Result<Prompt, PromptError> {
        let at = |message: &str, remedy: &str| self.error(Some(line), None, message, remedy);
        let (text, system, conversation) = match (row.prompt, row.messages) {
            (Some(_), Some(_)) => {
                return Err(at(
                    "there are both prompt and messages",
                    "Write the prompt as the last of the messages.",
                ));
            }
            (None, None) => {
                return Err(at("missing field `prompt`", "Write a prompt, or messages for several turns."));
            }
            (Some(prompt), None) => {
                if !row.tools.is_empty() {
                    return Err(at("tools need messages", "Write the prompt as a list of one message."));
                }
                (prompt, row.system.filter(|s| !s.trim().is_empty()), None)
            }
            (None, Some(messages)) => {
                let (text, system, conversation) =
                    self.conversation(line, row.system, messages, row.tools)?;
                (text, system, Some(conversation))
            }
        };
        if text.trim().is_empty() {
            return Err(at("the prompt is empty", "Write a prompt or remove the entry."));
        }
        let said = conversation.as_ref().map_or(0, |c: &Conversation| {
            c.messages.iter().map(|m| m.content.as_ref().map_or(0, String::len)).sum()
        });
        if text.len().max(said) > LARGEST_LINE {
            return Err(at("the prompt is longer than 4 MiB", "Shorten it."));
        }
        let messages = conversation.iter().flat_map(|c| &c.messages).filter_map(|m| m.content.as_ref());
        if messages.chain([&text]).chain(&system).any(|t| t.contains('\0')) {
            return Err(at("the prompt has a NUL character, which local engines cannot take", "Remove it."));
        }
        if row.max_output_tokens == Some(0) {
            return Err(at("max_output_tokens is 0", "Ask for at least one token."));
        }
        if row.expect.as_ref().is_some_and(|e| e.trim().is_empty()) {
            return Err(at("expect is empty", "Name text that must occur in the answer, or leave it out."));
        }
        let id = match row.id {
            Some(Id::Text(id)) => id,
            Some(Id::Number(id)) => id.to_string(),
            None => format!("p{}", n + 1),
        };
        if id.trim().is_empty() || id.chars().count() > LONGEST_ID {
            return Err(at("the id is empty or longer than 200 characters", "Give it a short id."));
        }
        let category = row.category.map(|c| c.trim().to_owned()).filter(|c| !c.is_empty());
        if category.as_ref().is_some_and(|c| c.chars().count() > LONGEST_CATEGORY) {
            return Err(at("the category is longer than 100 characters", "Give it a short name."));
        }
        let mut unknown = Vec::new();
        let asserts = row
            .assert
            .map(|a| Assertion::read_all(&a, Some(line), &mut unknown))
            .transpose()
            .map_err(|e| at(&e.to_string(), ASSERT_REMEDY))?
            .unwrap_or_default();
        if let Some(key) = unknown.first() {
            return Err(at(&format!("an assertion has the unknown key {key:?}"), ASSERT_REMEDY));
        }
        // Templates are filled in at once, so that graders get plain values, or the reason why there are
        // none.
        let asserts = super::filled(&asserts, &super::resolved(&row.vars), &super::NoFiles);
        Ok(Prompt {
            id,
            prompt: text,
            system,
            max_output_tokens: row.max_output_tokens,
            expect: row.expect,
            category,
            conversation,
            asserts,
            threshold: row.threshold,
            vars: row.vars,
        })
    }

    /// The conversation of a row, with its last user text and its system text.
    fn conversation(
        &self,
        line: usize,
        system: Option<String>,
        rows: Vec<MessageRow>,
        tools: Vec<ToolRow>,
    ) -> Result<(String, Option<String>, Conversation), PromptError> {
        let mut messages: Vec<Message> = Vec::with_capacity(rows.len() + 1);
        if let Some(system) = system.filter(|s| !s.trim().is_empty()) {
            messages.push(Message::text(Role::System, system));
        }
        messages.extend(rows.into_iter().map(|row| {
            Message {
                role: row.role,
                content: row.content.map(|c| match c {
                    Content::Text(text) => text,
                    Content::Parts(parts) => parts.into_iter().map(|Part::Text { text }| text).collect(),
                }),
                tool_calls: row
                    .tool_calls
                    .into_iter()
                    .map(|call| match call {
                        ToolCallRow::Flat(call) => call,
                        ToolCallRow::Nested { id, function } => {
                            let arguments = match function.arguments {
                                Arguments::Text(text) => text,
                                Arguments::Members(members) => Value::Object(members).to_string(),
                            };
                            ToolCall { id, name: function.name, arguments }
                        }
                    })
                    .collect(),
                tool_call_id: row.tool_call_id,
                think_ms: row.think_ms,
            }
        }));
        let tools = tools
            .into_iter()
            .map(|tool| match tool {
                ToolRow::Nested { function } | ToolRow::Flat(function) => function,
                ToolRow::Typed(TypedTool { kind: FunctionKind::Function, name, description, parameters }) => {
                    Tool { name, description, parameters }
                }
            })
            .collect();
        let conversation = Conversation { messages, tools };
        conversation.check().map_err(|fault| {
            self.error(
                Some(line),
                None,
                fault.to_string(),
                "Messages are one system message at most, then user, assistant and tool messages, and the \
                 last one is a user's or a tool's. An assistant message without content is asked live.",
            )
        })?;
        let text = conversation.last_user_text().unwrap_or_default().to_owned();
        let system =
            conversation.messages.first().filter(|m| m.role == Role::System).and_then(|m| m.content.clone());
        Ok((text, system, conversation))
    }
}

const ASSERT_REMEDY: &str = "An assertion is an object such as {\"type\": \"contains\", \"value\": \"Paris\"}; keys: type (required), \
     value, threshold, weight, metric, assert.";

fn jsonl_remedy() -> String {
    format!("Each line is one JSON object such as {{\"prompt\": \"...\"}}; keys: {KEYS}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(format: FileFormat, bytes: &[u8]) -> PromptError {
        parse("f", format, bytes).expect_err("must be refused")
    }

    #[test]
    fn the_three_formats_say_the_same() {
        let jsonl = "\u{feff}{\"prompt\":\"a, b\",\"expect\":\"x\"}\r\n\r\n{\"prompt\":\"c\",\"id\":\"z\",\"max_output_tokens\":5}\r\n";
        let csv = "prompt,id,expect,max_output_tokens\r\n\"a, b\",,x,\r\nc,z,,5\r\n";
        let toml = "[[prompts]]\nprompt = \"a, b\"\nexpect = \"x\"\n\n[[prompts]]\nprompt = \"c\"\nid = \"z\"\nmax_output_tokens = 5\n";
        let wanted = parse("f", FileFormat::Jsonl, jsonl.as_bytes()).expect("good");
        assert_eq!(wanted.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["p1", "z"]);
        assert_eq!(parse("f", FileFormat::Csv, csv.as_bytes()).expect("good"), wanted);
        assert_eq!(parse("f", FileFormat::Toml, toml.as_bytes()).expect("good"), wanted);
    }

    #[test]
    fn errors_name_the_line() {
        let broken = fails(FileFormat::Jsonl, b"{\"prompt\":\"a\"}\n{\"prompt\":\n");
        assert_eq!(broken.line, Some(2));
        let typo = fails(FileFormat::Jsonl, b"{\"promt\":\"a\"}\n");
        assert!(typo.message.contains("promt") && typo.line == Some(1), "{typo}");
        assert_eq!(fails(FileFormat::Jsonl, b"{\"prompt\":\"a\"}\n{\"prompt\":\"b\xff\"}\n").line, Some(2));
        assert_eq!(fails(FileFormat::Csv, b"prompt,id\na,1\nb\n").line, Some(3));
        assert!(fails(FileFormat::Csv, b"prompt;id\na;1\n").remedy.contains("commas"));
        assert!(fails(FileFormat::Csv, b"prompt\n\"a\nb\n").message.contains("never closed"));
        let merged = fails(FileFormat::Csv, b"prompt,expect\nx,1\n\"a,2\nb,3\n\"c\",4\n");
        assert_eq!(merged.line, Some(3), "where the quotation mark was opened: {merged}");
        assert_eq!(fails(FileFormat::Toml, b"[[prompts]]\nprompt = 'a'\nx = 1\n").line, Some(3));
        assert_eq!(
            fails(FileFormat::Toml, b"[[prompts]]\nprompt = 'a'\n[[prompts]]\nid = 'x'\n").line,
            Some(3)
        );
    }

    #[test]
    fn nothing_is_repaired() {
        for bad in [
            "",
            "\n\n",
            "[\"a\"]",
            "{\"prompt\":\"\"}",
            "{\"prompt\":\"a\\u0000\"}",
            "{\"prompt\":1}",
            "{\"prompt\":\"a\",\"id\":\"x\"}\n{\"prompt\":\"b\",\"id\":\"x\"}",
            "{\"prompt\":\"a\",\"prompt\":\"b\"}",
            "{\"prompt\":\"a\",\"max_output_tokens\":0}",
            "{\"prompt\":\"a\",\"max_output_tokens\":-1}",
        ] {
            fails(FileFormat::Jsonl, bad.as_bytes());
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        let picture =
            br#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#;
        let said = fails(FileFormat::Jsonl, picture).to_string();
        assert!(said.contains("pictures, sound and files are not sent"), "{said}");
        let rows = br#"{"messages":[{"role":"developer","content":"a"},{"role":"user","content":"b"}]}"#;
        assert!(parse("f", FileFormat::Jsonl, rows).is_ok());
    }

    #[test]
    fn plain_text_is_a_prompt_a_line_or_blocks() {
        let lines = parse("f", FileFormat::Text, b"one\n\n two \n").expect("good");
        assert_eq!(lines.iter().map(|p| p.prompt.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        let blocks = parse("f", FileFormat::Text, b"a\nb\n---\n\n---\nc\n").expect("good");
        assert_eq!(blocks.iter().map(|p| p.prompt.as_str()).collect::<Vec<_>>(), ["a\nb", "c"]);
    }

    #[test]
    fn turns_categories_assertions_and_numeric_ids() {
        let jsonl = r#"{"id":7,"category":"chat","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant"},{"role":"user","content":"b","think_ms":10}],"tools":[{"type":"function","function":{"name":"f"}}],"assert":[{"type":"contains","value":null}],"threshold":0.5}"#;
        let prompts = parse("f", FileFormat::Jsonl, jsonl.as_bytes()).expect("good");
        let p = &prompts[0];
        assert_eq!((p.id.as_str(), p.prompt.as_str(), p.system.as_deref()), ("7", "b", Some("s")));
        assert_eq!(p.conversation.as_ref().map(|c| c.calls().len()), Some(2));
        assert_eq!(p.asserts[0].value, Some(Value::Null));
        assert_eq!((p.threshold, p.asserts[0].line), (Some(0.5), Some(1)));
        for (bad, what) in [
            (r#"{"prompt":"a","messages":[]}"#, "both"),
            (r#"{"messages":[]}"#, "no message"),
            (
                r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#,
                "nothing is left",
            ),
            (r#"{"prompt":"a","assert":[{"value":1}]}"#, "no type"),
            (r#"{"prompt":"a","assert":[{"type":"contains","vlaue":1}]}"#, "vlaue"),
            (
                r#"{"prompt":"a","id":"1"}
{"prompt":"b","id":1}"#,
                "already used in line 1",
            ),
        ] {
            let error = fails(FileFormat::Jsonl, bad.as_bytes());
            assert!(error.message.contains(what), "{bad}: {error}");
        }
    }
}
