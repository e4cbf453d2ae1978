//! The command that made a document, read back from its inputs.

use super::envelope::Input;
use crate::provenance::Source;
use serde_json::Value;
use std::collections::BTreeMap;

/// `freehold breakeven --need.requests-per-month 1000 …`: what the user gave, by the flags or files
/// it came by. Everything else is in the document too, and is found again by the same version.
pub fn command(kind: &str, inputs: &BTreeMap<String, Input>) -> String {
    let mut given: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    let mut files: Vec<(&str, String)> = Vec::new();
    for (name, input) in inputs {
        let Source::User { via } = &input.source else { continue };
        if let Some(flag) = via.strip_prefix("--") {
            given.entry(flag).or_default().push((name, &input.value));
        } else if via.starts_with("question: ") {
            given.entry(flag_of(name)).or_default().push((name, &input.value));
        } else if let Some(profile) = via.strip_prefix("profile ") {
            let profile = ("profile", profile.rsplit_once(": ").map_or(profile, |(name, _)| name).to_owned());
            if !files.contains(&profile) {
                files.push(profile);
            }
        } else if let Some(file) = scenario_file(via, name) {
            if !files.iter().any(|(_, known)| known == file) {
                files.push(("scenario", file.to_owned()));
            }
        } else if let Some((file, _)) = via.rsplit_once(": ") {
            let flag = if kind == "advice" { "profile" } else { "scenario" };
            let file = (flag, file.to_owned());
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    let verb = if kind == "advice" { "advise" } else { kind };
    let mut words = vec!["freehold".to_owned(), verb.to_owned()];
    for (flag, file) in &files {
        words.extend([format!("--{flag}"), file.clone()]);
    }
    for (flag, values) in given {
        push(&mut words, flag, &values);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The file in `plan.toml:4 need.input_tokens`, where that is how the input came.
fn scenario_file<'a>(via: &'a str, name: &str) -> Option<&'a str> {
    let (place, key) = via.rsplit_once(' ')?;
    let same = key.contains('.') && key.rsplit('.').next() == name.rsplit('.').next();
    let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
    same.then_some(if line.bytes().all(|b| b.is_ascii_digit()) { file } else { place })
}

/// A question's answer is given by the flag of the same name.
fn flag_of(name: &str) -> &str {
    match name {
        "privacy_reason" => "privacy-reason",
        "need.requests_per_month" => "requests-per-month",
        "need.input_tokens" => "input-tokens",
        "need.output_tokens" => "output-tokens",
        name if name.starts_with("modifiers.") => "with",
        name => name,
    }
}

fn push(words: &mut Vec<String>, flag: &str, values: &[(&str, &Value)]) {
    if flag == "with" {
        let names: Vec<&str> = values.iter().filter_map(|(n, _)| n.strip_prefix("modifiers.")).collect();
        words.extend(["--with".to_owned(), names.join(",")]);
        return;
    }
    // A file is echoed with its hash and size; the name is what the flag takes.
    let chosen = values.iter().find(|(name, _)| name.ends_with("_file")).or(values.first());
    let Some((_, value)) = chosen else { return };
    let flag = format!("--{flag}");
    match value {
        Value::Array(items) => {
            for item in items {
                words.extend([flag.clone(), plain(item)]);
            }
        }
        Value::Bool(true) => words.push(flag),
        Value::Bool(false) | Value::Null => {}
        value => words.extend([flag, plain(value)]),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |n| n.to_string()),
        Value::Object(range) => ["low", "likely", "high"]
            .iter()
            .filter_map(|k| range.get(*k).map(plain))
            .collect::<Vec<_>>()
            .join(":"),
        other => other.to_string(),
    }
}

/// A word for a POSIX shell. No argument can hold a NUL, so that character is left out.
pub fn quoted(word: &str) -> String {
    let word = word.replace('\0', "");
    shlex::try_quote(&word).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Sourced;

    fn inputs(list: &[(&str, Value, &str)]) -> BTreeMap<String, Input> {
        list.iter()
            .map(|(name, value, via)| ((*name).to_owned(), Input::plain(&Sourced::user(value.clone(), *via))))
            .collect()
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("plain-1.json"), "plain-1.json");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("no\0nul"), "nonul");
        for word in ["it's $HOME", "`id`; $(id)", "new\nline", "#x", "~", "!!", "^", "{a,b}", "\"'\\", "模型"]
        {
            assert_eq!(shlex::split(&quoted(word)), Some(vec![word.to_owned()]), "{word}");
        }
    }

    /// Names of inputs and origins come from a document: they never become shell.
    #[test]
    fn nothing_of_a_hostile_document_reaches_the_shell_unquoted() {
        let hostile = inputs(&[
            ("modifiers.x; touch owned", true.into(), "--with"),
            ("a", "b".into(), "--flag;touch owned;"),
            ("c", "d".into(), "profile $(touch owned): c"),
        ]);
        let words = shlex::split(&command("advice; touch owned", &hostile)).expect("whole");
        let expected =
            ["freehold", "advice; touch owned", "--profile", "$(touch owned)", "--flag;touch owned;", "b"];
        assert_eq!(words, [&expected[..], &["--with", "x; touch owned"]].concat());
    }

    #[test]
    fn commands_are_read_back() {
        let advice = inputs(&[
            ("privacy", "strict".into(), "--privacy"),
            ("volume", "low".into(), "question: volume"),
            ("modifiers.offline", true.into(), "--with"),
            ("modifiers.bursts", true.into(), "question: what else holds"),
            ("need.input_tokens", 800.into(), "profile legal: need.input_tokens"),
        ]);
        assert_eq!(
            command("advice", &advice),
            "freehold advise --profile legal --privacy strict --volume low --with 'bursts,offline'"
        );
        let bench = inputs(&[
            ("prompts", 12.into(), "--prompts"),
            ("prompts_file", "my prompts.jsonl".into(), "--prompts"),
            ("apis", serde_json::json!(["openai:a", "openai:b"]), "--api"),
        ]);
        assert_eq!(
            command("bench", &bench),
            "freehold bench --api openai:a --api openai:b --prompts 'my prompts.jsonl'"
        );
        let cost = inputs(&[
            (
                "local.usd_per_kwh",
                serde_json::json!({"low": 0.2, "likely": 0.3, "high": 0.45}),
                "--local.usd-per-kwh",
            ),
            ("need.horizon_months", 36.0.into(), "plan.toml: need.horizon_months"),
        ]);
        assert_eq!(
            command("breakeven", &cost),
            "freehold breakeven --scenario plan.toml --local.usd-per-kwh 0.2:0.3:0.45"
        );
    }
}
