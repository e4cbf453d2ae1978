use super::super::PromptError;
use super::super::fill::FileFault;
use super::super::fill::Files;
use super::*;
use std::collections::BTreeMap;

/// Files in memory.
struct Memory(BTreeMap<&'static str, &'static str>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        self.0.get(path).map(|t| t.as_bytes().to_vec()).ok_or_else(|| FileFault::Absent(path.to_owned()))
    }
    fn list(&self, pattern: &str) -> Result<Vec<String>, FileFault> {
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        Ok(self
            .0
            .keys()
            .filter(|p| p.starts_with(start) && p.ends_with(end))
            .map(|p| (*p).to_owned())
            .collect())
    }
}

fn config(text: &str, files: &[(&'static str, &'static str)]) -> Result<Config, PromptError> {
    read("promptfooconfig.yaml", text.as_bytes(), &Memory(files.iter().copied().collect()))
}

#[test]
fn rows_multiply_and_prompts_are_once_each() {
    let text = "prompts: ['{{a}} {{b}}', 'two {{a}}']\nproviders: [x, y]\nevaluateOptions: {repeat: 2}\ntests:\n  - vars: {a: [p, q], b: r}\n    metadata: {category: chat}\n    assert: [{type: contains, value: '{{a}}'}]\n";
    let config = config(text, &[]).expect("good");
    assert_eq!(config.rows.len(), 2 * 2 * 2 * 2);
    let prompts = config.prompts();
    let ids: Vec<&str> = prompts.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["t1.1", "t1.2", "t2.1", "t2.2"]);
    assert_eq!((prompts[2].prompt.as_str(), prompts[2].category.as_deref()), ("q r", Some("chat")));
    assert_eq!(prompts[2].asserts[0].value, Some(serde_json::json!("q")));
    assert!(config.notices.iter().any(|n| n.kind == NoticeKind::Repeats(2)));
}

#[test]
fn chats_become_conversations() {
    let text = "prompts:\n  - |\n    [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"{{q}}\"}]\nproviders: [x]\ntests:\n  - vars: {q: 'say \"hi\"'}\n";
    let prompts = config(text, &[]).expect("good").prompts();
    assert_eq!((prompts[0].prompt.as_str(), prompts[0].system.as_deref()), ("say \"hi\"", Some("s")));
    assert!(prompts[0].conversation.is_some());
}

#[test]
fn what_is_wrong_is_told_with_line_and_remedy() {
    for (text, line, what) in [
        ("prompts: [a\n", 2, ""),
        (
            "prompts: ['{{a}}']\nproviders: [echo]\ntests:\n  - vars: {a: 1}\n    assert:\n      - value: x\n",
            6,
            "no type",
        ),
        (
            "prompts: ['x']\nproviders: [echo]\ntests:\n  - assert: [{type: contains, value: a, weight: '2'}]\n",
            4,
            "weight",
        ),
        ("prompts: ['x']\nproviders: [echo]\ntests:\n  - prompts: [nope]\n    vars: {a: 1}\n", 4, "nope"),
        ("prompts: ['x']\nproviders: [echo]\ntests: [{$ref: '#/nope'}]\n", 3, "names nothing"),
        ("prompts: ['x']\n", 1, "no provider"),
        ("prompts: ['a/b']\nproviders: [echo]\n", 1, "taken for the path"),
        ("prompts: [file://gone.txt]\nproviders: [echo]\n", 1, "does not exist"),
        ("prompts: ['x']\nproviders: [echo]\ntests: t.csv\n", 2, "never closed"),
        ("a: &a\n  $ref: '#/a'\nproviders: [echo]\n", 1, "circle"),
    ] {
        let error = config(text, &[("t.csv", "q\n\"open\n")]).expect_err(text);
        assert_eq!(error.line, Some(line), "{text}: {error}");
        assert!(error.message.contains(what) && !error.remedy.is_empty(), "{text}: {error}");
    }
}

#[test]
fn programs_are_named_and_never_run() {
    let text = "prompts: ['x']\nproviders: [echo]\ntests:\n  - assert: [{type: javascript, value: 'true'}]\n  - options: {transform: 'output'}\n    assert: [{type: equals, value: x}]\n";
    let config = config(text, &[]).expect("good");
    let not_run = config.notices.iter().filter(|n| matches!(n.kind, NoticeKind::NotRun { .. })).count();
    assert!(not_run >= 2, "{:?}", config.notices);
    assert!(config.rows[1].asserts[0].transform.is_some());
}

#[test]
fn misspelt_keys_are_told() {
    let text = "prompts: ['x']\nproviders: [echo]\ncolour: 1\ntests:\n  - vars: {a: 1}\n    asserts: []\n  - assert: [{type: contains, value: y, treshold: 3}]\n";
    let keys: Vec<String> = config(text, &[])
        .expect("good")
        .notices
        .into_iter()
        .filter_map(|n| match n.kind {
            NoticeKind::UnknownKey { key, .. } => Some(key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["colour", "asserts", "treshold"]);
}
