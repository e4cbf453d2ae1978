//! `prompts`: a set is checked before anything is sent, and drawn from one's own records.

use std::process::Output;

fn prompts(folder: &std::path::Path, args: &[&str]) -> Output {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"))
        .current_dir(folder)
        .env("FREEHOLD_CACHE_DIR", folder.join("cache"))
        .arg("prompts")
        .args(args)
        .output()
        .expect("it ran")
}

#[test]
fn a_set_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<String> = (0..25)
        .map(|n| {
            let category = if n < 20 { "sums" } else { "facts" };
            let expected = serde_json::json!([{"type": "numeric", "value": n + 1}]);
            let prompt = format!("{n} + 1?");
            serde_json::json!({"prompt": prompt, "category": category, "assert": expected}).to_string()
        })
        .collect();
    let rows = rows.join("\n");
    std::fs::write(folder.path().join("p.jsonl"), rows).expect("written");
    let output = prompts(folder.path(), &["check", "p.jsonl", "--json", "--model", "openai/gpt-4.1-mini"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let result = &document["result"];
    assert_eq!((result["prompts"].as_u64(), result["graded"].as_u64()), (Some(25), Some(25)));
    assert_eq!(result["requests"], 75);
    assert_eq!(result["categories"][0]["can_move"], false, "facts: 5");
    assert_eq!(result["categories"][1]["can_move"], true, "sums: 20");
    assert_eq!(result["needed"][1]["prompts"], 155, "a tenth, a fifth disagree");
    let (likely, worst) = (&result["runs"][0]["likely_usd_at_most"], &result["runs"][0]["worst_usd"]);
    assert!(likely.as_f64().expect("a price") < worst.as_f64().expect("a price"));
    let table = prompts(folder.path(), &["check", "p.jsonl"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("25 prompts: valid"));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    for (row, words) in [
        ("{\"prompt\": \"a\", \"assert\": [{\"type\": \"contanis\", \"value\": \"x\"}]}", "contains"),
        ("{\"prompt\": \"a\", \"assert\": [{\"type\": \"regex\", \"value\": \"(\"}]}", "line 2"),
        ("{\"prompt\": \"a\", \"id\": \"first\"}", "first"),
        ("{\"prompt\": ", "line 2"),
    ] {
        let text = format!("{{\"prompt\": \"fine\", \"id\": \"first\"}}\n{row}\n");
        std::fs::write(folder.path().join("p.jsonl"), text).expect("written");
        let output = prompts(folder.path(), &["check", "p.jsonl"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{row}: {said}");
        assert!(said.contains(words), "{row}: {said}");
    }
    // A prompt that is no template is at fault itself, a variable that is none by its test.
    for (prompt, name, line) in
        [("Hello {{ name | uper }}", "x", "line 4"), ("Hello {{ name }}", "{{ 1 + }}", "line 6")]
    {
        let config = format!(
            "providers: [echo]\nprompts:\n  - |\n    {prompt}\ntests:\n  - vars: {{name: '{name}'}}\n    assert: [{{type: is-json}}]\n"
        );
        std::fs::write(folder.path().join("p.yaml"), config).expect("written");
        let output = prompts(folder.path(), &["check", "p.yaml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("p.yaml, {line}: ")), "{said}");
    }
    let output = prompts(folder.path(), &["check", "none.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_set_is_drawn_from_records_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let word =
        |n: usize| char::from(b'a' + u8::try_from(n % 26).expect("small")).to_string().repeat(n / 26 + 1);
    let log: Vec<String> = (0..120)
        .map(|n| {
            let model = if n % 4 == 0 { "large" } else { "small" };
            let asked = format!("Tell {} of joe@example.org", word(n));
            let messages = serde_json::json!([
                {"role": "system", "content": "Be brief."}, {"role": "user", "content": asked},
            ]);
            serde_json::json!({"model": model, "messages": messages}).to_string()
        })
        .collect();
    let log = log.join("\n");
    std::fs::write(folder.path().join("log.jsonl"), log).expect("written");
    let drawn = |seed: &str| {
        let output = prompts(folder.path(), &["sample", "log.jsonl", "-n", "20", "--seed", seed]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let first = drawn("7");
    assert_eq!(first, drawn("7"));
    assert_ne!(first, drawn("8"));
    assert_eq!(first.lines().count(), 20);
    assert!(first.contains("[EMAIL]") && !first.contains("joe@"), "{first}");
    assert_eq!(first.matches("\"category\":\"large\"").count(), 5, "a quarter of them");
    std::fs::write(folder.path().join("set.jsonl"), &first).expect("written");
    let output = prompts(folder.path(), &["check", "set.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// promptfoo's configurations and the logs of others are read by the same reader as our own files.
#[test]
fn files_of_other_programs_are_sets_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write(
        "facts.csv",
        "question,__expected\nCapital of France?,icontains:paris\nCapital of Spain?,icontains:madrid\n",
    );
    write(
        "promptfooconfig.yaml",
        "providers: [openai:gpt-x]\nprompts:\n  - 'Answer briefly: {{question}}'\ntests: facts.csv\n",
    );
    write(
        "samples.jsonl",
        "{\"input\": [{\"role\": \"user\", \"content\": \"2+2?\"}], \"ideal\": [\"4\", \"four\"]}\n",
    );
    write(
        "samples_task.jsonl",
        "{\"doc_id\":0,\"doc\":{},\"target\":\"4\",\"arguments\":{\"gen_args_0\":{\"arg_0\":\"2+2?\",\"arg_1\":{\"until\":[]}}},\"resps\":[[\" 4\"]],\"filtered_resps\":[\"4\"]}\n",
    );
    for (file, number) in [("promptfooconfig.yaml", 2), ("samples.jsonl", 1), ("samples_task.jsonl", 1)] {
        let output = prompts(folder.path(), &["check", file, "--json"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{file}: {said}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document["result"]["prompts"], number, "{file}");
        assert_eq!(document["result"]["graded"], number, "{file}");
    }
}

/// What a configuration cannot have is refused by name, with its line and what to do; what it can have in spite of
/// a slip is told.
#[test]
fn a_configuration_that_cannot_run_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let head = "providers: [echo]\nprompts: ['{{q}}']\n";
    for (tests, words, line) in [
        (
            "tests:\n  - vars: {q: a}\n    assert:\n      - type: contanis\n        value: x\n",
            "did you mean",
            6,
        ),
        ("tests:\n  - vars: {q: '{% if %}'}\n", "p.yaml", 4),
        ("tests:\n  - vars: {q: file://../outside.txt}\n", "outside the folder", 4),
        ("tests:\n  - vars: {q: file://none.txt}\n", "does not exist", 4),
        ("tests: none.py\n", "none is run", 3),
        ("tests: [\n", "", 4),
    ] {
        std::fs::write(folder.path().join("p.yaml"), format!("{head}{tests}")).expect("written");
        let output = prompts(folder.path(), &["check", "p.yaml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{tests}: {said}");
        assert!(said.contains(words) && said.contains("hint:"), "{tests}: {said}");
        assert!(said.contains(&format!("p.yaml, line {line}")), "{tests}: {said}");
    }
    let slips = "tests:\n  - vars: {q: a}\n    asserts: [{type: equals, value: b}]\n  - vars: {q: b}\n    assert: [{type: javascript, value: 'true'}]\n";
    std::fs::write(folder.path().join("p.yaml"), format!("{head}{slips}")).expect("written");
    let output = prompts(folder.path(), &["check", "p.yaml"]);
    let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("line 5: nothing reads the key \"asserts\""), "{said}");
    assert!(said.contains("javascript is a program"), "{said}");
}
