//! Grading beside promptfoo: every case and every configuration of `../shared/testdata/promptfoo`.

use freehold::prompts::{self, Assertion, FileFault, Files};
use freehold::quality::{Answer, Grade, Graders};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder with the cases, or one that `benchmarks/quality/oracles/promptfoo.py` has made.
fn data() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("FREEHOLD_PROMPTFOO_DATA") {
        return Some(PathBuf::from(folder));
    }
    crate::needs::case("testdata/promptfoo")
}

/// Where the verdict differs on purpose; the reasons are in docs/graders.md.
fn known_difference(case: &Value) -> Option<&'static str> {
    let kinds: Vec<&str> =
        case["assertions"].as_array().into_iter().flatten().filter_map(|a| a["type"].as_str()).collect();
    if case["node24_pass"] == true {
        return Some("a pattern of current JavaScript (Node 24), which Node 22 refuses");
    }
    if kinds.contains(&"rouge-l") {
        return Some("rouge-l is graded here");
    }
    if case["not_run"] == true {
        return Some("needs a script engine");
    }
    None
}

/// Files given in a case, as text by path.
struct CaseFiles(BTreeMap<String, String>);

impl Files for CaseFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        self.0.get(path).map(|t| t.clone().into_bytes()).ok_or_else(|| FileFault::Absent(path.to_owned()))
    }
    fn list(&self, _: &str) -> Result<Vec<String>, FileFault> {
        Ok(Vec::new())
    }
}

/// How a case comes out here, in the words of the file's `result`.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    Error,
    Graded { pass: bool, score: f64, components: Vec<(String, bool, f64)>, named: BTreeMap<String, f64> },
}

fn ours(case: &Value) -> Outcome {
    let mut unknown = Vec::new();
    let Ok(asserts) = Assertion::read_all(&case["assertions"], None, &mut unknown) else {
        return Outcome::Refused;
    };
    let files = case["files"].as_object().into_iter().flatten();
    let files = CaseFiles(files.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect());
    let vars = prompts::resolved(&case["vars"].as_object().cloned().unwrap_or_default());
    let asserts = prompts::filled(&asserts, &vars, &files);
    let graders = Graders::new(&asserts, case["test_threshold"].as_f64());
    let response = &case["response"];
    let text = match &case["answer"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let list = |key: &str| case["provider_config"][key].as_array().map(Vec::as_slice);
    let answer = Answer {
        text: &text,
        value: (!case["answer"].is_string()).then_some(&case["answer"]),
        latency_ms: response["latencyMs"].as_f64().or(Some(5.0)),
        cost_usd: response["cost"].as_f64(),
        finish_reason: response["finishReason"].as_str(),
        tools: list("tools"),
        functions: list("functions"),
        ..Answer::default()
    };
    match graders.grade(&answer, &BTreeMap::new()) {
        Grade::Missing(_) => Outcome::Error,
        Grade::Scored(s) => Outcome::Graded {
            pass: s.pass,
            score: s.score,
            components: s.components.into_iter().map(|c| (c.kind, c.pass, c.score)).collect(),
            named: s.named,
        },
    }
}

fn theirs(result: &Value) -> Outcome {
    if result["rejected"] == true {
        return Outcome::Refused;
    }
    if result["error"].is_string() {
        return Outcome::Error;
    }
    let named = |v: &Value| -> BTreeMap<String, f64> {
        let pairs = v.as_object().cloned().unwrap_or_else(Map::new);
        pairs.into_iter().filter_map(|(k, v)| Some((k, v.as_f64()?))).collect()
    };
    Outcome::Graded {
        pass: result["pass"] == true,
        score: result["score"].as_f64().unwrap_or(f64::NAN),
        components: components(&result["components"]),
        named: named(&result["named_scores"]),
    }
}

fn components(list: &Value) -> Vec<(String, bool, f64)> {
    let part = |c: &Value| {
        (
            c["type"].as_str().unwrap_or_default().to_owned(),
            c["pass"] == true,
            c["score"].as_f64().unwrap_or(f64::NAN),
        )
    };
    list.as_array().into_iter().flatten().map(part).collect()
}

/// The same verdict, and the same numbers within 1e-9.
fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (
            Outcome::Graded { pass: p1, score: s1, components: c1, named: n1 },
            Outcome::Graded { pass: p2, score: s2, components: c2, named: n2 },
        ) => {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
            let parts = c1.len() == c2.len()
                && c1.iter().zip(c2).all(|(a, b)| a.0 == b.0 && a.1 == b.1 && near(a.2, b.2));
            let names =
                n1.len() == n2.len() && n1.iter().all(|(k, v)| n2.get(k).is_some_and(|w| near(*v, *w)));
            p1 == p2 && near(*s1, *s2) && parts && names
        }
        (a, b) => a == b,
    }
}

#[test]
fn single_cases_have_promptfoos_verdict() {
    let Some(folder) = data() else { return };
    let Ok(text) = std::fs::read_to_string(folder.join("cases.json")) else { return };
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let (mut wrong, mut differences) = (Vec::new(), BTreeMap::new());
    for case in &cases {
        let (ours, theirs) = (ours(case), theirs(&case["result"]));
        if same(&ours, &theirs) {
            continue;
        }
        match known_difference(case) {
            Some(reason) => *differences.entry(reason).or_insert(0) += 1,
            None => wrong.push(format!("{}: {ours:?}, not {theirs:?}", case["id"])),
        }
    }
    println!(
        "{} cases, {} differ on purpose: {differences:?}",
        cases.len(),
        differences.values().sum::<usize>()
    );
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

/// The folder of a configuration.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileFault> {
        std::fs::read(self.0.join(path)).map_err(|_| FileFault::Absent(path.to_owned()))
    }
    fn list(&self, pattern: &str) -> Result<Vec<String>, FileFault> {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let (start, end) = name.split_once('*').unwrap_or((name, ""));
        let mut found: Vec<String> = std::fs::read_dir(self.0.join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| n.starts_with(start) && n.ends_with(end))
            .map(|n| if folder == "." { n } else { format!("{folder}/{n}") })
            .collect();
        found.sort();
        Ok(found)
    }
}

/// What the stand-in providers of a configuration report: cost and milliseconds, by label.
fn provider_reports(text: &str) -> BTreeMap<String, (Option<f64>, Option<f64>)> {
    let mut reports: BTreeMap<String, (Option<f64>, Option<f64>)> = BTreeMap::new();
    let mut label = String::new();
    let number = |line: &str, key: &str| {
        let rest = &line[line.find(key)? + key.len()..];
        rest.trim_start().split([',', '}', ' ']).next()?.parse().ok()
    };
    for line in text.lines() {
        if let Some((_, name)) = line.split_once("label: ") {
            name.trim().clone_into(&mut label);
        }
        if line.contains("config:") {
            reports.insert(label.clone(), (number(line, "cost:"), number(line, "ms:")));
        }
    }
    reports
}

/// Texts that are JSON are the same when their values are: promptfoo writes them down anew, `2.0` as `2`.
fn same_text(a: &str, b: &str) -> bool {
    fn plain(value: Value) -> Value {
        match value {
            Value::Number(n) => n.as_f64().map_or(Value::Null, Value::from),
            Value::Array(list) => list.into_iter().map(plain).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k, plain(v))).collect(),
            other => other,
        }
    }
    let json = |t: &str| serde_json::from_str::<Value>(t).ok().map(plain);
    a == b || (json(a).is_some() && json(a) == json(b))
}

/// One configuration: what differs.
fn compare_configuration(folder: &Path) -> Vec<String> {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).expect("expected.json"))
            .expect("JSON");
    let file = ["promptfooconfig.yaml", "promptfooconfig.json"]
        .into_iter()
        .find(|f| folder.join(f).exists())
        .expect("a configuration");
    let bytes = std::fs::read(folder.join(file)).expect("readable");
    let config = prompts::promptfoo::read(file, &bytes, &Folder(folder.to_owned()));
    let config = match (config, expected["rejected"] == true) {
        (Err(_), true) => return Vec::new(),
        (Err(error), false) => return vec![format!("refused: {error}")],
        (Ok(_), true) => return vec!["read, but promptfoo refuses it".to_owned()],
        (Ok(config), false) => config,
    };
    let reports = provider_reports(&String::from_utf8_lossy(&bytes));
    let mut left: Vec<&Value> = expected["results"].as_array().expect("a list").iter().collect();
    let mut wrong = Vec::new();
    for row in &config.rows {
        let text = row.text.as_deref().unwrap_or_default();
        let fits = |e: &Value, exact: bool| {
            e["provider"] == row.provider.as_str()
                && same_text(e["prompt_label"].as_str().unwrap_or_default(), &row.prompt_label)
                && e["description"].as_str() == row.description.as_deref()
                && (row.text.is_err() || same_text(e["prompt_text"].as_str().unwrap_or_default(), text))
                && (!exact || (e["test"] == row.test && e["prompt"] == row.column))
        };
        let at = left.iter().position(|e| fits(e, true)).or_else(|| left.iter().position(|e| fits(e, false)));
        let Some(at) = at else {
            wrong.push(format!(
                "no such row: test {} column {} {:?} {text:?}",
                row.test, row.column, row.prompt_label
            ));
            continue;
        };
        let theirs_row = left.remove(at);
        if theirs_row["output"].is_null() && theirs_row["error"] == true {
            continue;
        }
        let output = theirs_row["output"].as_str().unwrap_or_default();
        let transformed = row.asserts.iter().any(|a| a.transform.is_some());
        if row.provider == "echo" && row.answer.is_none() && !transformed && output != text {
            wrong.push(format!("text {text:?}, not {output:?}"));
        }
        let report = reports.get(&row.provider).copied().unwrap_or_default();
        let answer = Answer {
            text: output,
            value: row.answer.as_ref().filter(|v| !v.is_string()),
            // The echo provider reports that it cost nothing.
            cost_usd: report.0.or((row.provider == "echo").then_some(0.0)),
            latency_ms: report.1.or(Some(5.0)),
            ..Answer::default()
        };
        let graders = Graders::new(&row.asserts, row.threshold);
        let not_run = graders.problems().iter().any(|p| p.what.is_not_run());
        let grade = if row.text.is_err() {
            Outcome::Error
        } else {
            match graders.grade(&answer, &BTreeMap::new()) {
                Grade::Missing(_) => Outcome::Error,
                Grade::Scored(s) => Outcome::Graded {
                    pass: s.pass,
                    score: s.score,
                    components: s.components.into_iter().map(|c| (c.kind, c.pass, c.score)).collect(),
                    named: s.named,
                },
            }
        };
        let theirs = if theirs_row["error"] == true { Outcome::Error } else { theirs(theirs_row) };
        if !same(&grade, &theirs) && !not_run {
            wrong.push(format!("test {} {text:?}: {grade:?}, not {theirs:?}", row.test));
        }
    }
    wrong.extend(left.iter().map(|e| format!("missing row: test {} {}", e["test"], e["prompt_text"])));
    wrong
}

/// Every configuration in a folder; how many there are.
fn compare_all(folder: &Path) -> usize {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("configurations").flatten().map(|e| e.path()).collect();
    folders.sort();
    let wrong: Vec<(String, Vec<String>)> = folders
        .iter()
        .map(|f| (f.file_name().unwrap_or_default().to_string_lossy().into_owned(), compare_configuration(f)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    folders.len()
}

#[test]
fn configurations_mean_what_they_mean_to_promptfoo() {
    let Some(folder) = data() else { return };
    println!("{} configurations", compare_all(&folder.join("configs")));
}

/// Made up, every kind of assertion on its edges; the scripts that made them and promptfoo's verdicts are
/// `benchmarks/quality/oracles/variants.py` and `promptfoo.py`.
#[test]
fn made_up_configurations_have_promptfoos_verdicts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/quality/promptfoo");
    assert_eq!(compare_all(&folder), 15);
}

/// docs/graders.md has the tables that `freehold help graders` prints.
#[test]
fn the_document_has_every_grader() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/graders.md");
    let document = std::fs::read_to_string(path).expect("docs/graders.md");
    for table in [freehold::quality::OF_PROMPTFOO, freehold::quality::OUR_OWN] {
        let rows = table.iter().map(|kind| {
            let names: Vec<String> = kind.names.iter().map(|n| format!("`{n}`")).collect();
            let value = if kind.value.is_empty() { String::new() } else { format!("{} ", kind.value) };
            format!("| {} | {} | {value}|\n", names.join(", "), kind.passes)
        });
        let rows: String = rows.collect();
        assert!(
            document.contains(&format!("|---|---|---|\n{rows}\n")),
            "docs/graders.md has other rows than:\n{rows}"
        );
    }
}
