//! The command that makes a document again, from the sources of its inputs.

use super::envelope::Input;
use crate::provenance::{Source, UserInput};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The command line, such as `freehold breakeven --need.requests-per-month 1000 …`. It has what the user
/// gave, by the same flags or files, and the measurements the document is based on; prices and assumptions
/// follow from the version of the program. Every word is quoted for a POSIX shell. Words that cannot be a
/// flag are left out, because the document may come from anyone.
pub fn command(kind: &str, inputs: &BTreeMap<String, Input>) -> String {
    let mut files: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut flags: BTreeMap<String, Vec<(&str, &Value)>> = BTreeMap::new();
    for (name, input) in inputs {
        match &input.source {
            Source::User(UserInput::Flag { flag }) => {
                flags.entry(flag.clone()).or_default().push((name, &input.value));
            }
            Source::User(UserInput::File { role, file, .. }) => {
                files.insert((role.flag(), file));
            }
            // An answer to a question, or a source of an older document: given by the key's own flag.
            Source::User(UserInput::Question { .. } | UserInput::Words { .. }) => {
                flags.entry(flag_of(name)).or_default().push((name, &input.value));
            }
            Source::Measured { file, .. } => {
                files.insert((if kind == "advice" { "--evidence" } else { "--measured" }, file));
            }
            // Prices and the first month depend on the day; stating it makes the command give the same
            // result later.
            Source::Assumed { rule, .. } if rule == "clock" => {
                flags.entry("--today".to_owned()).or_default().push((name, &input.value));
            }
            Source::Database { .. } | Source::Assumed { .. } => {}
        }
    }
    // Plans are made by `fit --plan`.
    let verb = match kind {
        "advice" => "advise",
        "plan" => "fit",
        kind => kind,
    };
    let mut words = vec!["freehold".to_owned(), verb.to_owned()];
    words.extend(files.into_iter().flat_map(|(flag, file)| [flag.to_owned(), file.to_owned()]));
    for (flag, values) in flags.iter().filter(|(flag, _)| is_flag(flag)) {
        push(&mut words, flag, values);
    }
    words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")
}

/// The flag for an input, from its dotted name.
fn flag_of(name: &str) -> String {
    if name.starts_with("modifiers.") { "--with".to_owned() } else { format!("--{}", name.replace('_', "-")) }
}

fn is_flag(text: &str) -> bool {
    let rest = text.strip_prefix("--").unwrap_or("");
    rest.starts_with(|c: char| c.is_ascii_lowercase())
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn push(words: &mut Vec<String>, flag: &str, values: &[(&str, &Value)]) {
    if flag == "--with" {
        let names: Vec<&str> = values.iter().filter_map(|(n, _)| n.strip_prefix("modifiers.")).collect();
        words.extend([flag.to_owned(), names.join(",")]);
        return;
    }
    // A file appears in the inputs with its hash and size; the flag takes only its name.
    let chosen = values.iter().find(|(name, _)| name.ends_with("_file")).or(values.first());
    let Some((_, value)) = chosen else { return };
    match value {
        Value::Array(items) if items.len() == 168 && items.iter().all(Value::is_number) => {
            words.extend([flag.to_owned(), value.to_string()]);
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            words.extend([flag.to_owned(), inline_toml(value)]);
        }
        Value::Array(items) => {
            for item in items {
                words.extend([flag.to_owned(), plain(item)]);
            }
        }
        Value::Bool(true) => words.push(flag.to_owned()),
        Value::Bool(false) | Value::Null => {}
        value => words.extend([flag.to_owned(), plain(value)]),
    }
}

/// A value written as the argument of a flag.
pub fn plain(value: &Value) -> String {
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

/// A JSON value as inline TOML; the two differ only in how tables are written.
pub fn inline_toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline_toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{key} = {}", inline_toml(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => toml::Value::from(text.as_str()).to_string(),
        other => other.to_string(),
    }
}

/// A word for a POSIX shell, quoted where necessary and always on one line: a line end is written `$'\\n'`,
/// which POSIX.1-2024 requires and most shells have long supported. NUL cannot be part of an argument and
/// is left out.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let word = word.replace('\0', "");
    if word.contains(|c: char| c.is_control()) {
        let escape = |c: char| match c {
            '\n' => "\\n".to_owned(),
            '\\' => "\\\\".to_owned(),
            // Not `\'`: programs that split words without knowing this form would take it for the closing
            // quote.
            c if c == '\'' || c.is_ascii_control() => format!("\\{:03o}", u32::from(c)),
            c => c.to_string(),
        };
        return format!("$'{}'", word.chars().map(escape).collect::<String>());
    }
    shlex::try_quote(&word).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::{FileRole, Sourced};
    use proptest::prelude::*;

    fn inputs(list: &[(&str, Value, Source)]) -> BTreeMap<String, Input> {
        list.iter()
            .map(|(name, value, source)| {
                ((*name).to_owned(), Input::plain(&Sourced::new(value.clone(), source.clone())))
            })
            .collect()
    }
    fn file(role: FileRole, file: &str, key: &str) -> Source {
        Source::User(UserInput::File { role, file: file.into(), line: Some(3), key: key.into() })
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("plain-1.json"), "plain-1.json");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(shlex::split(&quoted("it's $HOME")), Some(vec!["it's $HOME".to_owned()]));
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\n::warning::it's\r"), r"$'a\n::warning::it\047s\015'");
    }

    #[cfg(unix)]
    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Whatever a file is called, the shell gives back the same word and runs nothing.
        #[test]
        fn a_shell_reads_the_word_that_was_meant(word in "[\\x01-\\x7f]{0,12}|[a-z'\"$`;&|<>(){}\\\\*?!~# \n\t]{0,20}") {
            let line = format!("printf '%s.' {}", quoted(&word));
            let Ok(out) = std::process::Command::new("bash").args(["-c", &line]).output() else { return Ok(()) };
            prop_assert_eq!(String::from_utf8_lossy(&out.stdout), format!("{word}."), "{}", line);
            prop_assert!(!line.contains('\n'));
        }
    }

    proptest! {
        #[test]
        fn no_document_writes_shell(flag in ".*", name in "[a-z_.]{1,20}", value in ".*", path in ".*") {
            let d = inputs(&[
                (&name, value.clone().into(), Source::flag(flag)),
                ("x", 1.into(), file(FileRole::Scenario, &path, "need.x")),
                ("y", 1.into(), Source::measured(&path, "result")),
            ]);
            let line = command("breakeven", &d);
            let words = shlex::split(&line).expect("a command");
            prop_assert_eq!(&words[..2], ["freehold", "breakeven"]);
            // There are only our flags and their values, each a single word.
            let pairs: Vec<&str> = words[2..].iter().step_by(2).map(String::as_str).collect();
            prop_assert!(pairs.iter().all(|f| is_flag(f)), "{}", line);
        }
    }

    #[test]
    fn commands_are_made_from_types() {
        let question = |key: &str| Source::User(UserInput::question(key));
        let advice = inputs(&[
            ("privacy", "strict".into(), Source::flag("--privacy")),
            ("volume", "low".into(), question("volume")),
            ("privacy_reason", "hipaa".into(), question("privacy_reason")),
            ("modifiers.offline", true.into(), Source::flag("--with")),
            ("modifiers.bursts", true.into(), question("modifiers.bursts")),
            ("need.input_tokens", 800.into(), file(FileRole::Profile, "legal", "need.input_tokens")),
            ("capability", "basic".into(), Source::measured("bench.json", "result.quality[0]")),
        ]);
        assert_eq!(
            command("advice", &advice),
            "freehold advise --evidence bench.json --profile legal --privacy strict --privacy-reason hipaa \
             --volume low --with bursts,offline"
        );
        let bench = inputs(&[
            ("prompts", 12.into(), Source::flag("--prompts")),
            ("prompts_file", "my prompts.jsonl".into(), Source::flag("--prompts")),
            ("apis", serde_json::json!(["openai:a", "openai:b"]), Source::flag("--api")),
        ]);
        assert_eq!(
            command("bench", &bench),
            "freehold bench --api openai:a --api openai:b --prompts 'my prompts.jsonl'"
        );
        let cost = inputs(&[
            (
                "local.usd_per_kwh",
                serde_json::json!({"low": 0.2, "likely": 0.3, "high": 0.45}),
                Source::flag("--local.usd-per-kwh"),
            ),
            (
                "need.horizon_months",
                36.0.into(),
                file(FileRole::Scenario, "plan.toml", "need.horizon_months"),
            ),
            (
                "cloud.change",
                serde_json::json!([{"from": "2027-01-01", "input_usd_per_mtok": 2}]),
                Source::flag("--cloud.change"),
            ),
        ]);
        assert_eq!(
            shlex::split(&command("breakeven", &cost)).expect("a command")[2..],
            [
                "--scenario",
                "plan.toml",
                "--cloud.change",
                "[{ from = \"2027-01-01\", input_usd_per_mtok = 2 }]",
                "--local.usd-per-kwh",
                "0.2:0.3:0.45",
            ]
        );
    }
}
