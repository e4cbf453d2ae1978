//! Reads logs of other tools with finished answers: `OpenAI` evals, Inspect, lm-evaluation-harness. Bytes
//! in, no I/O.
//!
//! Each log contains prompts, the recorded answers, and that tool's own verdicts. The answers can be graded
//! again, or compared, without new requests.

use super::bounds::{LARGEST_LINE, MOST_PROMPTS};
use super::conversation::{Conversation, Message, Role};
use super::{Assertion, Prompt, PromptError, js, utf8};
use serde_json::{Value, json};

/// The tool that wrote a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `OpenAI` evals: events with one JSON object per line, or a set of samples.
    OpenAiEvals,
    /// Inspect: one JSON document (`--log-format=json`).
    Inspect,
    /// lm-evaluation-harness: `samples_*.jsonl`.
    LmEval,
}

/// A prompt with the recorded answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub prompt: Prompt,
    /// The answer; `None` in a set of samples, which has none.
    pub answer: Option<String>,
    /// The score that its own tool gave, 0 to 1.
    pub score: Option<f64>,
    /// Which of several runs of the same prompt, from 0.
    pub repeat: u32,
    /// The model; `None` where the log does not name it.
    pub model: Option<String>,
}

/// The tool that wrote a file, by its content; `None` where it is not such a log.
pub fn recognise(bytes: &[u8]) -> Option<LogFormat> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Ok(first) = serde_json::from_str::<Value>(text.lines().next()?) else {
        // Of a document over many lines only the beginning is examined.
        let start: String = text.chars().take(4_000).collect();
        return (start.contains("\"eval\"") && start.contains("\"version\"")).then_some(LogFormat::Inspect);
    };
    let has = |key: &str| first.get(key).is_some();
    if has("prompt") || has("messages") {
        // A file of our own format.
        None
    } else if has("eval") && has("samples") {
        Some(LogFormat::Inspect)
    } else if has("doc") && (has("resps") || has("filtered_resps")) {
        Some(LogFormat::LmEval)
    } else if has("spec") || has("run_id") || (has("input") && has("ideal")) {
        Some(LogFormat::OpenAiEvals)
    } else {
        None
    }
}

/// Read a log; `file` is its name in error messages.
pub fn read(file: &str, format: LogFormat, bytes: &[u8]) -> Result<Vec<Finished>, PromptError> {
    let text = utf8(file, bytes)?;
    let reader = Reader { file };
    let found = match format {
        LogFormat::Inspect => reader.inspect(text)?,
        LogFormat::LmEval => reader.lm_eval(text)?,
        LogFormat::OpenAiEvals => reader.openai_evals(text)?,
    };
    if found.is_empty() {
        return Err(reader.error(None, "the log has no samples", "Give a log of a run that has finished."));
    }
    if found.len() > MOST_PROMPTS {
        let message = format!("the log has more than {MOST_PROMPTS} samples");
        return Err(reader.error(None, &message, "Give a part of it."));
    }
    Ok(found)
}

struct Reader<'a> {
    file: &'a str,
}

/// The system text and the text of a question: a string, or messages in `OpenAI`'s format.
fn said(value: &Value) -> Option<(Option<String>, String)> {
    match value {
        Value::String(text) => Some((None, text.clone())),
        Value::Array(messages) => {
            let text = |m: &Value| -> Option<String> {
                match m.get("content")? {
                    Value::String(text) => Some(text.clone()),
                    Value::Array(parts) => {
                        Some(parts.iter().filter_map(|p| p.get("text").and_then(Value::as_str)).collect())
                    }
                    _ => None,
                }
            };
            let of = |role: &str| {
                messages.iter().rev().find(|m| m.get("role").and_then(Value::as_str) == Some(role))
            };
            let user = of("user").or(messages.last()).and_then(text)?;
            Some((of("system").and_then(text), user))
        }
        _ => None,
    }
}

/// Messages in `OpenAI`'s format as a conversation. `None` where there is only a question, with or without
/// a system text.
///
/// # Errors
///
/// Why the messages cannot be sent.
fn talk(value: &Value) -> Result<Option<Conversation>, &'static str> {
    let Value::Array(list) = value else { return Ok(None) };
    let mut messages: Vec<Message> = Vec::new();
    for message in list {
        let text = match message.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => {
                let texts = parts.iter().map(|p| p.get("text").and_then(Value::as_str));
                texts.collect::<Option<String>>().ok_or("a message has a part that is no text")?
            }
            _ => return Err("a message has no text"),
        };
        let named = message.get("name").and_then(Value::as_str);
        let role = match (message.get("role").and_then(Value::as_str), named) {
            (Some("user"), _) | (Some("system"), Some("example_user")) => Role::User,
            (Some("assistant"), _) | (Some("system"), Some("example_assistant")) => Role::Assistant,
            (Some("system" | "developer"), _) => Role::System,
            _ => return Err("a message is of a role that is neither system, user nor assistant"),
        };
        match messages.last_mut() {
            // Several system messages are joined to one, because most models accept only one.
            Some(last) if role == Role::System && last.role == Role::System => {
                let before = last.content.get_or_insert_default();
                before.push_str("\n\n");
                before.push_str(&text);
            }
            _ => messages.push(Message::text(role, text)),
        }
    }
    if messages.iter().filter(|m| m.role != Role::System).count() < 2 {
        return Ok(None);
    }
    let talk = Conversation { messages, tools: Vec::new() };
    match talk.check() {
        Ok(()) => Ok(Some(talk)),
        Err(_) => Err("its messages do not take turns, or do not end with a question"),
    }
}

/// The expected answer as an assertion: any of these texts, anywhere in the answer.
fn expected(value: &Value, kind: &str, line: Option<usize>) -> Vec<Assertion> {
    let texts: Vec<Value> = match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(|v| json!(js::text(v))).collect(),
        other => vec![json!(js::text(other))],
    };
    let texts: Vec<Value> = texts.into_iter().filter(|t| t.as_str().is_some_and(|t| !t.is_empty())).collect();
    if texts.is_empty() {
        return Vec::new();
    }
    vec![Assertion { line, ..Assertion::of(kind, Value::Array(texts)) }]
}

impl Reader<'_> {
    fn error(&self, line: Option<usize>, message: &str, remedy: &str) -> PromptError {
        PromptError {
            file: self.file.to_owned(),
            line,
            column: None,
            message: message.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn lines<'t>(
        &self,
        text: &'t str,
    ) -> impl Iterator<Item = Result<(usize, Value), PromptError>> + use<'_, 't> {
        text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(|(n, line)| {
            if line.len() > LARGEST_LINE {
                return Err(self.error(
                    Some(n + 1),
                    "the line is longer than 4 MiB",
                    "Give a log with shorter samples.",
                ));
            }
            serde_json::from_str(line).map(|v| (n + 1, v)).map_err(|e| {
                let what = e.to_string();
                let what = what.split(" at line ").next().unwrap_or_default();
                self.error(Some(n + 1), what, "Each line of such a log is one JSON object.")
            })
        })
    }

    fn prompt(&self, id: String, input: &Value, line: Option<usize>) -> Result<Prompt, PromptError> {
        let (system, prompt) = said(input)
            .ok_or_else(|| self.error(line, "a sample has no input", "Give a log that holds the prompts."))?;
        let conversation = talk(input).ok().flatten();
        Ok(Prompt { id, prompt, system, conversation, ..Prompt::default() })
    }

    /// Read the events of a run, which contain samples and matches, or a set of samples.
    fn openai_evals(&self, text: &str) -> Result<Vec<Finished>, PromptError> {
        let mut found: Vec<Finished> = Vec::new();
        let mut model = None;
        for row in self.lines(text) {
            let (line, row) = row?;
            if let Some(spec) = row.get("spec") {
                let first = spec.get("completion_fns").and_then(Value::as_array).and_then(|l| l.first());
                model = first.and_then(Value::as_str).map(str::to_owned);
                continue;
            }
            if let (Some(input), Some(ideal)) = (row.get("input"), row.get("ideal")) {
                // Samples are meant to be sent, so that messages which cannot be sent are an error.
                talk(input).map_err(|why| {
                    self.error(
                        Some(line),
                        why,
                        "Take the sample out, or write its messages as texts that take turns.",
                    )
                })?;
                let id = row.get("id").map_or_else(|| format!("p{}", found.len() + 1), js::text);
                let mut prompt = self.prompt(id, input, Some(line))?;
                prompt.asserts = expected(ideal, "contains-any", Some(line));
                found.push(Finished { prompt, answer: None, score: None, repeat: 0, model: model.clone() });
                continue;
            }
            let (Some(id), Some(data)) = (row.get("sample_id").and_then(Value::as_str), row.get("data"))
            else {
                continue;
            };
            match row.get("type").and_then(Value::as_str) {
                Some("sampling") => {
                    let input = data.get("prompt").unwrap_or(&Value::Null);
                    let answer = match data.get("sampled") {
                        Some(Value::Array(list)) => list.first().and_then(Value::as_str),
                        other => other.and_then(Value::as_str),
                    };
                    found.push(Finished {
                        prompt: self.prompt(id.to_owned(), input, Some(line))?,
                        answer: answer.map(str::to_owned),
                        score: None,
                        repeat: 0,
                        model: model.clone(),
                    });
                }
                Some("match") => {
                    let score = data.get("correct").and_then(Value::as_bool).map(|c| f64::from(u8::from(c)));
                    if let Some(sample) = found.iter_mut().rev().find(|f| f.prompt.id == id) {
                        sample.score = score;
                        if let Some(ideal) = data.get("expected") {
                            sample.prompt.asserts = expected(ideal, "contains-any", Some(line));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn inspect(&self, text: &str) -> Result<Vec<Finished>, PromptError> {
        let log: Value = serde_json::from_str(text).map_err(|e| {
            self.error(
                Some(e.line()),
                &e.to_string(),
                "Write the log with --log-format=json; .eval files are archives.",
            )
        })?;
        let model = log.pointer("/eval/model").and_then(Value::as_str).map(str::to_owned);
        let samples = log.get("samples").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        samples
            .iter()
            .map(|sample| {
                let id = sample.get("id").map(js::text).unwrap_or_default();
                let mut prompt = self.prompt(id, sample.get("input").unwrap_or(&Value::Null), None)?;
                prompt.category =
                    sample.pointer("/metadata/category").and_then(Value::as_str).map(str::to_owned);
                if let Some(target) = sample.get("target") {
                    prompt.asserts = expected(target, "contains-any", None);
                }
                let answer = sample
                    .pointer("/output/completion")
                    .or_else(|| sample.pointer("/output/choices/0/message/content"))
                    .and_then(Value::as_str);
                let first = sample.get("scores").and_then(Value::as_object).and_then(|s| s.values().next());
                let score = first.and_then(|s| s.get("value")).and_then(|v| match v {
                    Value::Number(n) => n.as_f64(),
                    Value::Bool(b) => Some(f64::from(u8::from(*b))),
                    // Inspect's letters: correct, partly correct, incorrect, no answer.
                    Value::String(s) => match s.as_str() {
                        "C" => Some(1.0),
                        "P" => Some(0.5),
                        "I" | "N" => Some(0.0),
                        _ => None,
                    },
                    _ => None,
                });
                let epoch = sample.get("epoch").and_then(Value::as_u64).unwrap_or(1);
                let repeat = u32::try_from(epoch.saturating_sub(1)).unwrap_or(0);
                Ok(Finished {
                    prompt,
                    answer: answer.map(str::to_owned),
                    score,
                    repeat,
                    model: model.clone(),
                })
            })
            .collect()
    }

    fn lm_eval(&self, text: &str) -> Result<Vec<Finished>, PromptError> {
        let mut found = Vec::new();
        for row in self.lines(text) {
            let (line, row) = row?;
            let id = row.get("doc_id").map_or_else(|| format!("p{}", found.len() + 1), js::text);
            // The text that was sent: the first argument of the first request.
            let sent = row.pointer("/arguments/gen_args_0/arg_0").or_else(|| row.pointer("/arguments/0/0"));
            // The second argument of a request that generates has its settings; that of a request that
            // scores has the continuation to be scored.
            let scored = row.pointer("/arguments/gen_args_0/arg_1").or_else(|| row.pointer("/arguments/0/1"));
            if scored.is_some_and(Value::is_string) {
                return Err(self.error(
                    Some(line),
                    "the task is scored by the likelihood of given answers: nothing was generated",
                    "Give the log of a task that generates text (output_type: generate_until).",
                ));
            }
            let mut prompt = self.prompt(id, sent.unwrap_or(&Value::Null), Some(line))?;
            if let Some(target) = row.get("target") {
                prompt.asserts = expected(target, "contains-any", Some(line));
            }
            let answer =
                row.pointer("/filtered_resps/0").or_else(|| row.pointer("/resps/0/0")).map(|v| match v {
                    Value::Array(list) => list.first().map(js::text).unwrap_or_default(),
                    other => js::text(other),
                });
            let score = ["exact_match", "acc", "acc_norm", "f1", "bleu"]
                .iter()
                .find_map(|k| row.get(*k).and_then(Value::as_f64))
                .filter(|s| (0.0..=1.0).contains(s));
            found.push(Finished { prompt, answer, score, repeat: 0, model: None });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_logs_give_prompts_answers_and_scores() {
        let evals = "{\"spec\":{\"completion_fns\":[\"gpt-x\"]}}\n{\"run_id\":\"r\",\"sample_id\":\"m.0\",\"type\":\"sampling\",\"data\":{\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"2+2?\"}],\"sampled\":[\"4\"]}}\n{\"run_id\":\"r\",\"sample_id\":\"m.0\",\"type\":\"match\",\"data\":{\"correct\":true,\"expected\":\"4\"}}\n{\"final_report\":{}}\n";
        let inspect = "{\"version\":2,\"eval\":{\"model\":\"openai/x\"},\"samples\":[{\"id\":3,\"epoch\":2,\"input\":\"2+2?\",\"target\":[\"4\",\"four\"],\"output\":{\"completion\":\"It is 4\"},\"scores\":{\"match\":{\"value\":\"C\"}}}]}";
        let harness = "{\"doc_id\":0,\"doc\":{},\"target\":\"4\",\"arguments\":{\"gen_args_0\":{\"arg_0\":\"2+2?\"}},\"resps\":[[\" 4\"]],\"filtered_resps\":[\"4\"],\"exact_match\":1.0}\n";
        for (format, text, model) in [
            (LogFormat::OpenAiEvals, evals, Some("gpt-x")),
            (LogFormat::Inspect, inspect, Some("openai/x")),
            (LogFormat::LmEval, harness, None),
        ] {
            assert_eq!(recognise(text.as_bytes()), Some(format));
            let found = read("log", format, text.as_bytes()).expect("good");
            let one = &found[0];
            assert_eq!(found.len(), 1, "{format:?}");
            assert_eq!(
                (one.prompt.prompt.as_str(), one.score, one.model.as_deref()),
                ("2+2?", Some(1.0), model)
            );
            assert!(one.answer.as_deref().is_some_and(|a| a.contains('4')) && one.prompt.asserts.len() == 1);
        }
        let samples = "{\"input\":[{\"role\":\"user\",\"content\":\"q\"}],\"ideal\":\"a\"}\n";
        assert_eq!(recognise(samples.as_bytes()), Some(LogFormat::OpenAiEvals));
        assert_eq!(read("s", LogFormat::OpenAiEvals, samples.as_bytes()).expect("good")[0].answer, None);
    }

    #[test]
    fn what_is_no_log_is_told() {
        assert_eq!(recognise(b"{\"a\": 1}"), None);
        assert_eq!(recognise(b"\xff\xfe"), None);
        for (format, text) in [
            (LogFormat::OpenAiEvals, "{\"final_report\": {}}\n"),
            (LogFormat::Inspect, "{\"samples\": []}"),
            (LogFormat::Inspect, "PK\u{3}\u{4}"),
            (LogFormat::LmEval, "{\"doc_id\": 1}\n"),
            (LogFormat::LmEval, "not json\n"),
        ] {
            let error = read("log", format, text.as_bytes()).expect_err(text);
            assert!(!error.remedy.is_empty(), "{error}");
        }
    }
}
