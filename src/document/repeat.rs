//! The command that makes a document again, from the sources of its inputs.

use super::envelope::Input;
use crate::cost::keys::of_path;
use crate::provenance::{FileRole, Source, UserInput};
use crate::workload::keys::{Kind, answers};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How a scenario is named that came in by standard input, and is no file that could be read again.
const STDIN: &str = "stdin";

/// Flags of inputs that are no keys of a need or a scenario. No flag that writes, agrees or names where
/// secrets are is among them: a document says what was counted, and may come from anyone.
const OTHERS: &[&str] = &[
    "--all",
    "--allow-http",
    "--allow-http-keys",
    "--allow-mismatch",
    "--answers",
    "--api",
    "--api-greedy",
    "--arrivals",
    "--backend",
    "--batch",
    "--cache",
    "--catalog",
    "--chat",
    "--concurrency",
    "--context",
    "--cost",
    "--count",
    "--criterion",
    "--device",
    "--draws",
    "--duration",
    "--embed",
    "--embedder",
    "--every-pair",
    "--evidence",
    "--exec",
    "--flash-attention",
    "--from",
    "--gpu-layers",
    "--graders",
    "--hardware",
    "--have",
    "--human",
    "--idle-timeout",
    "--first-timeout",
    "--json-schema",
    "--judge",
    "--judge-form",
    "--judge-tokens",
    "--kv-type",
    "--limit-field",
    "--load-only",
    "--local-server",
    "--map",
    "--margin",
    "--max-cost",
    "--max-output-tokens",
    "--measured",
    "--memory-limit",
    "--min-p",
    "--model",
    "--must-fit",
    "--no-preferences",
    "--no-rubrics",
    "--plan",
    "--privacy",
    "--profile",
    "--prompts",
    "--quantisation",
    "--rate",
    "--raw",
    "--repeats",
    "--replace",
    "--requests",
    "--require-gpu",
    "--retries",
    "--rubric",
    "--same-weights",
    "--sampling",
    "--scenario",
    "--seats",
    "--seed",
    "--slo",
    "--stand-in",
    "--synthetic",
    "--system-as-user",
    "--temperature",
    "--threads",
    "--timeout",
    "--timezone",
    "--today",
    "--top-k",
    "--top-p",
    "--until-decided",
    "--usage",
    "--vectors",
    "--warmup",
    "--with",
];

/// Did some input come from standard input? Then the command gives its keys as flags.
pub fn from_stdin(inputs: &BTreeMap<String, Input>) -> bool {
    inputs
        .values()
        .any(|input| matches!(&input.source, Source::User(UserInput::File { file, .. }) if file == STDIN))
}

/// The command line, such as `freehold breakeven --need.requests-per-month 1000 …`. It has what the user
/// gave, by the same flags or files, and the measurements the document is based on; prices and assumptions
/// follow from the version of the program. Every word is quoted for a POSIX shell. A flag that is neither
/// the input's own nor one of a fixed list is left out, because the document may come from anyone.
pub fn command(kind: &str, inputs: &BTreeMap<String, Input>) -> String {
    let mut files: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut flags: BTreeMap<String, Vec<(&str, &Value)>> = BTreeMap::new();
    let mut typed: BTreeMap<usize, Vec<(&str, &Value)>> = BTreeMap::new();
    // Several files of records stand in a list of their own; a source names them together.
    let several = |role: FileRole| role == FileRole::Usage && inputs.contains_key("usage");
    for (name, input) in inputs {
        match &input.source {
            Source::User(UserInput::Flag { flag }) if !may_stand_for(flag, name) => {}
            Source::User(UserInput::File { role: FileRole::Scenario, file, .. }) if file == STDIN => {
                if let Some((_, offer)) = of_path(name) {
                    typed.entry(offer).or_default().push((name, &input.value));
                }
            }
            Source::User(UserInput::File { role, .. }) if several(*role) => {}
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
    for (flag, file) in files {
        argument(&mut words, flag, file);
    }
    let mut before: &[(&str, &Value)] = &[];
    for offer in typed.values_mut() {
        // A key that is given again begins the next offer, so that one of both has to come first.
        let key = |name: &str| of_path(name).map(|(key, _)| key.path());
        offer.sort_by_key(|(name, _)| !before.iter().any(|(other, _)| key(other) == key(name)));
        for (name, value) in &*offer {
            let flag = key(name).map_or_else(String::new, |path| flag_of(&path));
            push(&mut words, &flag, &[(name, value)]);
        }
        before = offer;
    }
    for (flag, values) in &flags {
        push(&mut words, flag, values);
    }
    // A flag is plain: of `--flag=value` only the value is quoted.
    let word = |word: &String| match word.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => format!("{flag}={}", quoted(value)),
        _ => quoted(word),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The flag for an input, from its dotted name.
fn flag_of(name: &str) -> String {
    if name.starts_with("modifiers.") { "--with".to_owned() } else { format!("--{}", name.replace('_', "-")) }
}

/// Is this a flag of the input with this name: its key's, long or short, or one of [`OTHERS`]? Keys that are
/// given together with another (the number in `--local.hosts`) may have the flag of any key.
fn may_stand_for(flag: &str, name: &str) -> bool {
    let Some(rest) = flag.strip_prefix("--") else { return false };
    let rest = rest.replace('-', "_");
    let is_key = |path: &str| {
        crate::cost::keys::all().any(|k| k.path() == path || (k.name == path && !WRITES.contains(&path)))
    };
    OTHERS.contains(&flag)
        || answers::KEYS.iter().any(|k| k.name == rest || k.path() == rest)
        || (is_key(&rest) && (of_path(name).is_some() || name.contains('[') || name.starts_with("cloud.")))
}

/// Short names of keys that mean something else on a command line.
const WRITES: &[&str] = &["output", "format", "change"];

/// A flag with its value, in one word where the value could be taken for a flag.
fn argument(words: &mut Vec<String>, flag: &str, value: &str) {
    if value.starts_with('-') {
        words.push(format!("{flag}={value}"));
    } else {
        words.extend([flag.to_owned(), value.to_owned()]);
    }
}

fn push(words: &mut Vec<String>, flag: &str, values: &[(&str, &Value)]) {
    if flag == "--with" {
        let names: Vec<&str> = values.iter().filter_map(|(n, _)| n.strip_prefix("modifiers.")).collect();
        words.extend([flag.to_owned(), names.join(",")]);
        return;
    }
    // A file appears in the inputs with its hash and size; the flag takes only its name. Of several inputs
    // that follow from one flag, the one of its name has what was said.
    let own = flag.trim_start_matches("--").replace('-', "_");
    let named = |name: &str| name == own || name.rsplit('.').next() == Some(own.as_str());
    let chosen = values.iter().find(|(name, _)| name.ends_with("_file"));
    let chosen = chosen.or_else(|| values.iter().find(|(name, _)| named(name))).or(values.first());
    let Some((name, value)) = chosen else { return };
    let kind = of_path(name).map(|(key, _)| key.kind);
    match value {
        // One flag has the whole list; given again it would begin the next offer.
        Value::Array(items) if matches!(kind, Some(Kind::Texts)) => {
            argument(words, flag, &items.iter().map(plain).collect::<Vec<_>>().join(", "));
        }
        Value::Bool(false) if matches!(kind, Some(Kind::Flag)) => argument(words, flag, "false"),
        Value::Array(items) if items.len() == 168 && items.iter().all(Value::is_number) => {
            words.extend([flag.to_owned(), value.to_string()]);
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            words.extend([flag.to_owned(), inline_toml(value)]);
        }
        Value::Array(items) => {
            for item in items {
                argument(words, flag, &plain(item));
            }
        }
        Value::Bool(true) => words.push(flag.to_owned()),
        Value::Bool(false) | Value::Null => {}
        value => argument(words, flag, &plain(value)),
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
    use crate::provenance::Sourced;
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
            let mut rest = words[2..].iter();
            while let Some(word) = rest.next() {
                let (flag, value) = word.split_once('=').map_or((word.as_str(), None), |(f, v)| (f, Some(v)));
                prop_assert!(["--scenario", "--measured"].contains(&flag), "{}", line);
                prop_assert!(value.is_some() || rest.next().is_some(), "{}", line);
            }
        }
    }

    /// What was given is given again: a false over a file that says true, one list, files that are named like
    /// flags, several files of records, a scenario that came in by standard input; and no flag that is not
    /// the input's own.
    #[test]
    fn what_was_given_is_given_again_and_nothing_else() {
        let from_flag = |name: &str, value: Value, flag: &str| {
            let line = command("breakeven", &inputs(&[(name, value, Source::flag(flag))]));
            line.strip_prefix("freehold breakeven").expect("a command").trim().to_owned()
        };
        let must = "--need.must-stay-up";
        assert_eq!(from_flag("need.must_stay_up", false.into(), must), format!("{must} false"));
        assert_eq!(from_flag("need.must_stay_up", true.into(), must), must);
        assert_eq!(from_flag("local.name", "--json".into(), "--local.name"), "--local.name=--json");
        for (name, flag) in
            [("local.name", "--output"), ("output", "--output"), ("x", "-o"), ("prompts", "--yes")]
        {
            assert_eq!(from_flag(name, "x".into(), flag), "", "{name} {flag}");
        }
        let hosts = |name: &str, value: Value| (name.to_owned(), value);
        let both: Vec<(String, Value)> = vec![
            hosts("local.gpus_per_unit", 2.into()),
            hosts("local.hosts", serde_json::json!(["2x nvidia-rtx-4090"])),
            hosts("local.hardware", "nvidia-rtx-4090".into()),
        ];
        let list: Vec<(&str, Value, Source)> =
            both.iter().map(|(n, v)| (n.as_str(), v.clone(), Source::flag("--local.hosts"))).collect();
        assert_eq!(
            command("breakeven", &inputs(&list)),
            "freehold breakeven --local.hosts '2x nvidia-rtx-4090'"
        );
        let records = inputs(&[
            ("need.input_tokens", 8.into(), file(FileRole::Usage, "a, b", "result.need")),
            ("usage", serde_json::json!(["a", "b"]), Source::flag("--usage")),
        ]);
        assert_eq!(command("breakeven", &records), "freehold breakeven --usage a --usage b");
        let typed = inputs(&[
            ("need.input_tokens", 8.into(), file(FileRole::Scenario, "stdin", "need.input_tokens")),
            ("cloud.input_usd_per_mtok", 1.into(), file(FileRole::Scenario, "stdin", "cloud[0].x")),
            ("cloud.price[1].input_usd_per_mtok", 1.into(), file(FileRole::Scenario, "stdin", "cloud[0].x")),
            ("cloud.2.input_usd_per_mtok", 2.into(), file(FileRole::Scenario, "stdin", "cloud[1].x")),
            ("cloud.2.fixed_usd_per_month", 3.into(), file(FileRole::Scenario, "stdin", "cloud[1].x")),
        ]);
        assert!(from_stdin(&typed) && !from_stdin(&records));
        assert_eq!(
            command("breakeven", &typed),
            "freehold breakeven --cloud.input-usd-per-mtok 1 --need.input-tokens 8 \
             --cloud.input-usd-per-mtok 2 --cloud.fixed-usd-per-month 3"
        );
        assert_eq!(
            command("breakeven", &inputs(&[("x", 1.into(), file(FileRole::Scenario, "-a.toml", "need.x"))])),
            "freehold breakeven --scenario=-a.toml"
        );
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
