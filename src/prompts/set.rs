//! Reads a file of prompts in any supported format: prompts, finished answers, and notices.

use super::bounds::{LONGEST_ID, MOST_CATEGORIES};
use super::fill::Files;
use super::logs::{self, Finished, LogFormat};
use super::promptfoo::{self, Notice};
use super::{FileFormat, Prompt, PromptError, file};
use std::collections::{BTreeMap, BTreeSet};

/// The contents of a file of prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// The prompts, each once, with unique ids.
    pub prompts: Vec<Prompt>,
    /// The answers in a log. The id of each answer's prompt is that of one of `prompts`.
    pub answers: Vec<Finished>,
    /// Notices about a promptfoo configuration.
    pub notices: Vec<Notice>,
    pub written: Written,
}

/// The program whose format a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Our own format.
    Own(FileFormat),
    Promptfoo,
    Log(LogFormat),
}

/// Supported file name extensions, for messages.
pub const ENDINGS: &str = ".jsonl, .csv, .toml, .txt, .yaml, .yml or .json";

/// Read a file. The extension of its name `file` decides the format; `files` gives access to the files
/// beside it, which a promptfoo configuration may name.
pub fn read(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Set, PromptError> {
    let ending = ending(file);
    let plain = |format| {
        let prompts = file::parse(file, format, bytes)?;
        let written = Written::Own(format);
        Ok(Set { prompts, answers: Vec::new(), notices: Vec::new(), written })
    };
    match (FileFormat::of(&ending), logs::recognise(bytes)) {
        (Some(FileFormat::Jsonl), Some(format)) => log(file, format, bytes),
        (Some(format), _) => plain(format),
        (None, Some(format)) if ending == "json" => log(file, format, bytes),
        (None, _) if matches!(ending.as_str(), "yaml" | "yml" | "json") => configuration(file, bytes, files),
        (None, _) => Err(unknown(file, &ending)),
    }
}

/// The answers in a log, whose prompts need not be ones that can be sent.
pub fn answers(file: &str, bytes: &[u8]) -> Result<Set, PromptError> {
    match logs::recognise(bytes) {
        Some(format) => log(file, format, bytes),
        None => Err(of_file(
            file,
            "this is no log of Inspect, lm-evaluation-harness or OpenAI evals",
            "Inspect writes one with --log-format=json, lm-evaluation-harness with --log_samples (samples_*.jsonl).",
        )),
    }
}

/// A finished answer, and the prompt of a set that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    pub prompt: usize,
    pub repeat: u32,
    pub text: String,
}

/// Find the prompts that the answers of a log belong to: those with the same text, or else those with the
/// same id. Also returns the number of answers that belong to none, and of those found by id alone.
pub fn matched(prompts: &[Prompt], answers: &[Finished]) -> (Vec<Matched>, usize, usize) {
    let said = |p: &Prompt| (p.prompt.trim().to_owned(), p.system.clone());
    let by_text: BTreeMap<_, usize> = prompts.iter().enumerate().rev().map(|(n, p)| (said(p), n)).collect();
    let by_id: BTreeMap<&str, usize> = prompts.iter().enumerate().map(|(n, p)| (p.id.as_str(), n)).collect();
    let (mut found, mut strangers, mut by_their_id) = (Vec::new(), 0, 0);
    let mut next: BTreeMap<usize, u32> = BTreeMap::new();
    for answer in answers {
        let Some(text) = &answer.answer else { continue };
        let same = by_text.get(&said(&answer.prompt)).copied();
        let Some(prompt) = same.or_else(|| by_id.get(answer.prompt.id.as_str()).copied()) else {
            strangers += 1;
            continue;
        };
        by_their_id += usize::from(same.is_none());
        let repeat = next.entry(prompt).or_default();
        found.push(Matched { prompt, repeat: *repeat, text: text.clone() });
        *repeat += 1;
    }
    (found, strangers, by_their_id)
}

fn ending(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.rsplit_once('.').map_or_else(String::new, |(_, e)| e.to_ascii_lowercase())
}

fn of_file(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> PromptError {
    PromptError {
        file: file.to_owned(),
        line: None,
        column: None,
        message: message.into(),
        remedy: remedy.into(),
    }
}

fn unknown(file: &str, ending: &str) -> PromptError {
    if ending == "eval" {
        let remedy = "Write it as JSON: `inspect log convert --to json`, or --log-format=json with the run.";
        return of_file(file, "an .eval log of Inspect is an archive, which is not read", remedy);
    }
    let message = format!("a prompt file ends in {ENDINGS}");
    of_file(file, message, "Rename it after what it contains.")
}

fn configuration(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Set, PromptError> {
    let config = promptfoo::read(file, bytes, files)?;
    for row in &config.rows {
        // A text that cannot be filled in is reported with the assertions.
        if row.text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            let remedy = "Give its variables a value, or take the test out.";
            let error = of_file(file, "the prompt of this test is empty", remedy);
            return Err(PromptError { line: Some(row.line), ..error });
        }
    }
    let prompts = config.prompts();
    sendable(file, &prompts)?;
    Ok(Set { prompts, answers: Vec::new(), notices: config.notices, written: Written::Promptfoo })
}

fn log(file: &str, format: LogFormat, bytes: &[u8]) -> Result<Set, PromptError> {
    let mut found = logs::read(file, format, bytes)?;
    let mut first: BTreeMap<String, Prompt> = BTreeMap::new();
    let mut prompts = Vec::new();
    let mut times: BTreeMap<(String, u32), u32> = BTreeMap::new();
    for sample in &mut found {
        let prompt = &sample.prompt;
        match first.get(&prompt.id) {
            None => {
                first.insert(prompt.id.clone(), prompt.clone());
                prompts.push(prompt.clone());
            }
            Some(known) if (&known.prompt, &known.system) == (&prompt.prompt, &prompt.system) => {}
            Some(_) => {
                let message = format!("two samples with the id {:?} ask different things", prompt.id);
                return Err(of_file(file, message, "Give the log of one task: ids count within a task."));
            }
        }
        // The same sample occurs twice in one log: it is another repeat.
        let repeat = times.entry((prompt.id.clone(), sample.repeat)).or_default();
        sample.repeat += *repeat;
        *repeat += 1;
    }
    sendable(file, &prompts)?;
    let answered = found.iter().any(|f| f.answer.is_some());
    let answers = if answered { found } else { Vec::new() };
    Ok(Set { prompts, answers, notices: Vec::new(), written: Written::Log(format) })
}

/// Check prompts from other formats by the same rules as our own.
fn sendable(file: &str, prompts: &[Prompt]) -> Result<(), PromptError> {
    let mut categories: BTreeSet<&str> = BTreeSet::new();
    for prompt in prompts {
        let bad =
            |what: &str, remedy: &str| Err(of_file(file, format!("prompt {}: {what}", prompt.id), remedy));
        if prompt.id.trim().is_empty() || prompt.id.chars().count() > LONGEST_ID {
            return bad("its id is empty or longer than 200 characters", "Give it a short id.");
        }
        let unfilled = prompt.asserts.iter().any(|a| a.fault.is_some());
        if prompt.prompt.trim().is_empty() && !unfilled {
            return bad("it is empty", "Take the sample out.");
        }
        let talk = prompt.conversation.iter().flat_map(|c| &c.messages).filter_map(|m| m.content.as_ref());
        if talk.chain([&prompt.prompt]).chain(&prompt.system).any(|t| t.contains('\0')) {
            return bad("it has a NUL character, which local engines cannot take", "Remove it.");
        }
        categories.extend(prompt.category.as_deref());
        if categories.len() > MOST_CATEGORIES {
            let message = format!("there are more than {MOST_CATEGORIES} categories");
            return Err(of_file(file, message, "Use the category for kinds of work, not for ids."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::NoFiles;

    fn set(name: &str, text: &str) -> Result<Set, PromptError> {
        read(name, text.as_bytes(), &NoFiles)
    }

    #[test]
    fn the_file_says_what_it_is() {
        let own = set("a/p.JSONL", "{\"prompt\": \"q\"}\n").expect("good");
        assert_eq!(own.written, Written::Own(FileFormat::Jsonl));
        let yaml = "providers: [echo]\nprompts:\n  - |\n    Add {{a}}\n    and 1.\ntests:\n  - vars: {a: 2}\n    assert: [{type: contains, value: '3'}]\n";
        let found = set("promptfooconfig.yaml", yaml).expect("good");
        assert_eq!((found.written, found.prompts.len()), (Written::Promptfoo, 1));
        assert!(found.prompts[0].prompt.starts_with("Add 2"), "{:?}", found.prompts);
        let evals = "{\"input\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"q\"}], \"ideal\": \"a\"}\n";
        let found = set("samples.jsonl", evals).expect("good");
        assert_eq!((found.prompts.len(), found.answers.len()), (1, 0));
        assert_eq!(found.prompts[0].system.as_deref(), Some("s"));
    }

    #[test]
    fn repeats_of_a_sample_are_one_prompt() {
        let sample = |epoch: u32, text: &str| {
            format!(
                "{{\"id\": 3, \"epoch\": {epoch}, \"input\": \"2+2?\", \"target\": \"4\", \"output\": {{\"completion\": \"{text}\"}}}}"
            )
        };
        let text = format!(
            "{{\"version\": 2, \"eval\": {{\"model\": \"openai/x\"}}, \"samples\": [{}, {}]}}",
            sample(1, "4"),
            sample(2, "5")
        );
        let found = set("log.json", &text).expect("good");
        assert_eq!((found.prompts.len(), found.answers.len()), (1, 2));
        assert_eq!(found.answers.iter().map(|a| a.repeat).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_its_place() {
        for (name, text, words, line) in [
            ("p.xlsx", "x", "ends in", None),
            ("log.eval", "PK", "archive", None),
            ("p.json", "[1]", "", Some(1)),
            (
                "p.yaml",
                "providers: [echo]\nprompts: ['{{a}}']\ntests:\n  - vars: {a: ''}\n",
                "empty",
                Some(4),
            ),
            (
                "samples_mc.jsonl",
                "{\"doc_id\":0,\"doc\":{},\"target\":\"1\",\"arguments\":{\"gen_args_0\":{\"arg_0\":\"2+2?\",\"arg_1\":\" 4\"}},\"resps\":[[[\"-1.5\",\"False\"]]],\"filtered_resps\":[[\"-1.5\",\"False\"]],\"acc\":1.0}\n",
                "likelihood",
                Some(1),
            ),
            (
                "samples.jsonl",
                "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"x\"}]}],\"ideal\":\"a\"}\n",
                "no text",
                Some(1),
            ),
        ] {
            let error = set(name, text).expect_err(name);
            assert!(error.to_string().contains(words) && !error.remedy.is_empty(), "{name}: {error}");
            assert_eq!(error.line, line, "{name}: {error}");
        }
    }

    /// Examples that precede the question in a set of samples are sent, not dropped.
    #[test]
    fn examples_before_the_question_are_part_of_it() {
        let text = r#"{"input":[{"role":"system","content":"s"},{"role":"system","name":"example_user","content":"1+1"},{"role":"system","name":"example_assistant","content":"2"},{"role":"user","content":"2+2"}],"ideal":"4"}"#;
        let found = set("samples.jsonl", text).expect("good");
        let talk = found.prompts[0].conversation.as_ref().expect("a conversation");
        assert_eq!((talk.messages.len(), talk.calls().len()), (4, 1));
        assert_eq!(found.prompts[0].prompt, "2+2");
    }
}
