//! Prompt files: JSONL, CSV or TOML by their ending → prompts. Bytes in, no I/O.
//!
//! Nothing is repaired: invalid UTF-8, an unknown key or a duplicate id is an error that names the
//! place, since a silently changed prompt would change the benchmark.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest prompt file, bytes.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Longest line of a JSONL file, and longest prompt, bytes.
pub const LARGEST_LINE: usize = 4 << 20;

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Given, or `p1`, `p2`, … by its place in the file.
    pub id: String,
    pub prompt: String,
    pub system: Option<String>,
    pub max_output_tokens: Option<u32>,
    /// Text that must occur in the answer (case and white space do not matter).
    pub expect: Option<String>,
}

/// What is wrong with a prompt file, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", place(*line, *column))]
pub struct PromptError {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
    pub remedy: String,
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(", line {line}, column {column}"),
        (Some(line), None) => format!(", line {line}"),
        _ => String::new(),
    }
}

/// Formats a prompt file can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Jsonl,
    Csv,
    Toml,
}

impl FileFormat {
    /// By a file's ending.
    pub fn of(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// One row as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    prompt: String,
    id: Option<String>,
    system: Option<String>,
    max_output_tokens: Option<u32>,
    expect: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    prompts: Vec<toml::Spanned<Row>>,
}

const KEYS: &str = "prompt (required), id, system, max_output_tokens, expect";

/// Read the prompts of a file; `file` is its name, for messages.
pub fn parse(file: &str, format: FileFormat, bytes: &[u8]) -> Result<Vec<Prompt>, PromptError> {
    let reader = Reader { file };
    let text = reader.text(bytes)?;
    let rows = match format {
        FileFormat::Jsonl => reader.jsonl(text)?,
        FileFormat::Csv => reader.csv(text)?,
        FileFormat::Toml => reader.toml(text)?,
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
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let before = &bytes[..e.valid_up_to()];
            let line = String::from_utf8_lossy(before).matches('\n').count() + 1;
            let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let hint = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                "It looks like UTF-16: save the file as UTF-8."
            } else {
                "Save the file as UTF-8."
            };
            let message = format!("byte {} of the file is not valid UTF-8", e.valid_up_to());
            self.error(Some(line), Some(before.len() - start + 1), message, hint)
        })?;
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
                return Err(self.error(Some(n), None, "the line is not a JSON object", JSONL_REMEDY));
            }
            let row = serde_json::from_str(line).map_err(|e| {
                let text = e.to_string();
                let what = text.split(" at line ").next().unwrap_or(&text);
                self.error(Some(n), Some(e.column()), what, JSONL_REMEDY)
            })?;
            rows.push((n, row));
        }
        Ok(rows)
    }

    fn csv(&self, text: &str) -> Result<Vec<(usize, Row)>, PromptError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|e| self.csv_error(&e))?.clone();
        let known = ["prompt", "id", "system", "max_output_tokens", "expect"];
        if let Some(column) = headers.iter().find(|h| !known.contains(h)) {
            let semicolons = if column.contains(';') { " Columns are separated by commas." } else { "" };
            let message = format!("unknown column {column:?}");
            return Err(self.error(Some(1), None, message, format!("The columns are: {KEYS}.{semicolons}")));
        }
        if let Some(twice) = headers
            .iter()
            .enumerate()
            .find_map(|(i, h)| headers.iter().skip(i + 1).any(|o| o == h).then_some(h))
        {
            return Err(self.error(
                Some(1),
                None,
                format!("the column {twice:?} stands there twice"),
                "Remove one of them.",
            ));
        }
        if !headers.iter().any(|h| h == "prompt") {
            return Err(self.error(
                Some(1),
                None,
                "there is no column \"prompt\"",
                format!("The first line names the columns: {KEYS}."),
            ));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| self.csv_error(&e))?;
            let line = record.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(usize::MAX));
            let cell = |name: &str| headers.iter().position(|h| h == name).and_then(|i| record.get(i));
            // An empty cell is an absent value, except for the prompt itself, which is checked below.
            let optional = |name: &str| cell(name).filter(|c| !c.trim().is_empty()).map(str::to_owned);
            let max_output_tokens =
                optional("max_output_tokens").map(|n| n.trim().parse()).transpose().map_err(|_| {
                    self.error(
                        Some(line),
                        None,
                        "max_output_tokens is not a whole number",
                        "Write a number such as 256, or leave the cell empty.",
                    )
                })?;
            let prompt = cell("prompt").unwrap_or_default().to_owned();
            rows.push((
                line,
                Row {
                    prompt,
                    id: optional("id"),
                    system: optional("system"),
                    max_output_tokens,
                    expect: optional("expect"),
                },
            ));
        }
        if text.matches('"').count() % 2 == 1 {
            let line = rows.last().map(|(line, _)| *line);
            return Err(self.error(
                line,
                None,
                "a quotation mark is never closed",
                "Close it; inside quotes a quotation mark is written twice.",
            ));
        }
        Ok(rows)
    }

    fn csv_error(&self, error: &csv::Error) -> PromptError {
        let line = error.position().map(|p| usize::try_from(p.line()).unwrap_or(usize::MAX));
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the row has {len} cells, the first line {expected_len}")
            }
            _ => error.to_string(),
        };
        self.error(line, None, message, "Put text with commas or line breaks into quotation marks.")
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

    fn check(&self, rows: Vec<(usize, Row)>) -> Result<Vec<Prompt>, PromptError> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut prompts = Vec::new();
        for (n, (line, row)) in rows.into_iter().enumerate() {
            let at = |message: &str, remedy: &str| self.error(Some(line), None, message, remedy);
            if row.prompt.trim().is_empty() {
                return Err(at("the prompt is empty", "Write a prompt or remove the entry."));
            }
            if row.prompt.len() > LARGEST_LINE {
                return Err(at("the prompt is longer than 4 MiB", "Shorten it."));
            }
            if row.prompt.contains('\0') || row.system.as_ref().is_some_and(|s| s.contains('\0')) {
                return Err(at(
                    "the prompt has a NUL character, which local engines cannot take",
                    "Remove it.",
                ));
            }
            if row.max_output_tokens == Some(0) {
                return Err(at("max_output_tokens is 0", "Ask for at least one token."));
            }
            if row.expect.as_ref().is_some_and(|e| e.trim().is_empty()) {
                return Err(at(
                    "expect is empty",
                    "Name text that must occur in the answer, or leave it out.",
                ));
            }
            let id = row.id.unwrap_or_else(|| format!("p{}", n + 1));
            if id.trim().is_empty() || id.chars().count() > 200 {
                return Err(at("the id is empty or longer than 200 characters", "Give it a short id."));
            }
            if let Some(first) = seen.insert(id.clone(), line) {
                let message = format!("the id {id:?} is already used in line {first}");
                return Err(at(&message, "Give each prompt its own id."));
            }
            prompts.push(Prompt {
                id,
                prompt: row.prompt,
                system: row.system.filter(|s| !s.trim().is_empty()),
                max_output_tokens: row.max_output_tokens,
                expect: row.expect,
            });
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
}

const JSONL_REMEDY: &str = "Each line is one JSON object such as {\"prompt\": \"...\"}; keys: prompt (required), id, \
                            system, max_output_tokens, expect.";

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
}
