//! Saved documents: rendered again, as a memo, compared; and their schemas.

use crate::run::{Sandbox, suite};
use freehold::document::saved::Document;
use freehold::document::schema;
use serde_json::Value;
use std::path::Path;

/// A bench with a local model and a stand-in, small but complete.
fn bench() -> serde_json::Value {
    let summary = |m: f64| serde_json::json!({"n": 30, "median": m, "low": m * 0.9, "high": m * 1.1, "min": null, "max": null});
    let target = |id: &str, kind: &str, stand_in: bool, speed: f64| {
        serde_json::json!({
            "id": id, "kind": kind, "model": "m", "stand_in": stand_in, "token_source": "usage",
            "requests": 30, "failures": 1,
            "metrics": {"ttft_ms": summary(120.0), "tpot_ms": summary(1000.0 / speed), "decode_tps": summary(speed),
                        "prefill_tps": summary(900.0), "e2e_ms": summary(4000.0)}
        })
    };
    serde_json::json!({
        "schema": "freehold.bench/1", "tool_version": "0.1.0", "created": "2026-11-22T10:00:00Z",
        "inputs": {
            "prompts_file": {"value": "prompts.jsonl", "unit": null, "source": {"kind": "user", "via": "--prompts"}},
            "apis": {"value": ["openai:m@http://127.0.0.1:1"], "unit": null, "source": {"kind": "user", "via": "--api"}}
        },
        "result": {
            "complete": true,
            "targets": [target("local:m.gguf", "local", false, 40.0), target("openai:m", "api", true, 60.0)],
            "samples": []
        },
        "warnings": [{"id": "stand-in", "message": "openai:m: a stand-in for a cloud API on this machine."}]
    })
}

/// An advice, a bench and a cost document, made by the program where it makes them.
pub fn documents(sandbox: &Sandbox) {
    sandbox.write("bench.json", &bench().to_string());
    sandbox
        .run(&[
            "breakeven",
            "--requests-per-month",
            "200000",
            "--input-tokens",
            "1500",
            "--output-tokens",
            "400",
            "--cloud.input-usd-per-mtok",
            "1",
            "--cloud.output-usd-per-mtok",
            "5",
            "--local.purchase-usd",
            "3000",
            "--local.idle-watts",
            "40",
            "--local.load-watts",
            "400",
            "--local.usd-per-kwh",
            "0.3",
            "--local.decode-tokens-per-second",
            "900",
            "--local.prefill-tokens-per-second",
            "4000",
            "-o",
            "cost.json",
        ])
        .ok();
    sandbox
        .run(&[
            "advise",
            "--profile",
            "high-volume-extraction",
            "--requests-per-month",
            "200000",
            "--input-tokens",
            "1500",
            "--output-tokens",
            "400",
            "--evidence",
            "bench.json",
            "--cost",
            "cost.json",
            "-o",
            "advice.json",
        ])
        .ok();
}

#[test]
fn the_memo_has_everything_a_reader_needs() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    let memo =
        sandbox.run(&["report", "advice.json", "bench.json", "cost.json", "--format", "markdown"]).ok();
    for heading in [
        "# Cloud or local",
        "## Options",
        "## What would change it",
        "## Cost over time",
        "## Quality and speed, as measured",
        "## What to buy",
        "## What speaks for another place",
        "## Next steps",
        "## Before you rely on it",
        "## What it rests on, by weight",
        "## How to repeat it",
    ] {
        assert!(
            memo.contains(&format!("\n{heading}")) || memo.starts_with(heading),
            "{heading} is missing:\n{memo}"
        );
    }
    assert!(memo.contains("STAND-IN for a cloud API"), "{memo}");
    assert!(memo.contains("Computed: "), "{memo}");
    // Nobody reads a key, and every number has its origin.
    assert!(!memo.contains("| need.") && !memo.contains("| local."), "{memo}");
    let rests = &memo[memo.find("## What it rests on").expect("the heading")..];
    assert!(rests.contains("assumed (") && rests.contains("user ("), "{rests}");
    for format in ["table", "html", "csv", "json"] {
        sandbox.run(&["report", "advice.json", "bench.json", "cost.json", "--format", format]).ok();
    }
}

/// Documents of different needs are no memo, unless one says so: then it stands on the page.
#[test]
fn documents_of_another_need_are_refused_by_the_memo() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    sandbox.run(&["advise", "--profile", "legal", "-o", "advice.json"]).ok();
    sandbox.run(&["report", "advice.json", "cost.json"]).refused(&[
        "need.requests_per_month is",
        "in advice.json",
        "in cost.json",
        "--allow-mismatch",
    ]);
    let memo = sandbox.run(&["report", "advice.json", "cost.json", "--allow-mismatch"]).ok();
    let memo = memo.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(memo.contains("these documents describe different needs"), "{memo}");
}

/// A plan and records of use are of a need, too.
#[test]
fn plans_and_records_of_another_need_are_refused_by_the_memo() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    let plan = [
        "fit",
        "--plan",
        "--model=qwen3-8b",
        "--use=chat",
        "--input-tokens=1500",
        "--output-tokens=400",
        "-o",
        "plan.json",
    ];
    sandbox.run(&[&plan[..], &["--requests-per-month=30M"]].concat()).ok();
    sandbox.run(&["report", "plan.json", "cost.json"]).refused(&[
        "need.requests_per_month is",
        "in plan.json",
        "--allow-mismatch",
    ]);
    let day = |day: u32| {
        (0..3).map(move |hour| {
        format!(
            "{{\"timestamp\":\"2026-11-{day:02}T1{hour}:00:00Z\",\"model\":\"m\",\"input_tokens\":90000,\"output_tokens\":10}}\n"
        )
    })
    };
    let rows: String = (1..15).flat_map(day).collect();
    sandbox.write("rows.jsonl", &rows);
    let map = "input=input_tokens,output=output_tokens,time=timestamp,model=model";
    sandbox.run(&["usage", "rows.jsonl", "--map", map, "-o", "usage.json"]).ok();
    sandbox
        .run(&["report", "usage.json", "cost.json"])
        .refused(&["by the records of usage.json", "--allow-mismatch"]);
    sandbox.run(&["report", "usage.json", "cost.json", "--allow-mismatch"]).ok();
}

/// What a verdict is given must be of its own need.
#[test]
fn a_verdict_takes_neither_a_cost_nor_a_measurement_of_something_else() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    let advise = [
        "advise",
        "--profile",
        "high-volume-extraction",
        "--requests-per-month=50M",
        "--input-tokens=20000",
        "--output-tokens=900",
    ];
    sandbox.run(&[&advise[..], &["--cost", "cost.json"]].concat()).refused(&[
        "need.",
        "cost.json",
        "--allow-mismatch",
    ]);
    let measured =
        std::fs::read_to_string("tests/fixtures/bench/smollm2-on-a-processor.json").expect("the document");
    sandbox.write("short.json", &measured);
    sandbox
        .run(&[&advise[..], &["--evidence", "short.json"]].concat())
        .refused(&["short.json", "--allow-mismatch"]);
}

/// Of another measurement than the one the cost rests on, or of another model.
#[test]
fn a_measurement_of_something_else_is_refused_by_the_memo() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    let cost = |more: &[&str]| {
        let base = [
            "breakeven",
            "--measured",
            "bench.json",
            "--requests-per-month=200000",
            "--input-tokens=1500",
            "--output-tokens=400",
            "--cloud.input-usd-per-mtok=1",
            "--cloud.output-usd-per-mtok=5",
            "--local.purchase-usd=3000",
            "--local.idle-watts=40",
            "--local.load-watts=400",
            "--local.usd-per-kwh=0.3",
            "-o",
            "cost.json",
        ];
        sandbox.run(&[&base[..], more].concat()).ok();
    };
    cost(&[]);
    sandbox.run(&["report", "bench.json", "cost.json"]).ok();
    let mut other = bench();
    other["result"]["targets"][0]["metrics"]["prefill_tps"]["median"] = 9000.into();
    other["result"]["targets"][0]["metrics"]["decode_tps"]["median"] = 999.into();
    sandbox.write("other.json", &other.to_string());
    sandbox.run(&["report", "other.json", "cost.json"]).refused(&[
        "measured in bench.json",
        "other.json is another measurement",
        "--allow-mismatch",
    ]);
    sandbox.run(&["report", "other.json", "cost.json", "--allow-mismatch"]).ok();
    // The same measurement under another name is the same.
    sandbox.write("renamed.json", &bench().to_string());
    sandbox.run(&["report", "renamed.json", "cost.json"]).ok();
}

#[test]
fn the_printed_commands_make_the_same_documents() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    let memo =
        sandbox.run(&["report", "advice.json", "bench.json", "cost.json", "--format", "markdown"]).ok();
    for (verb, file) in [("breakeven", "cost.json"), ("advise", "advice.json")] {
        let start = format!("freehold {verb} ");
        let line =
            memo.lines().find(|l| l.starts_with(&start)).unwrap_or_else(|| panic!("no {verb}:\n{memo}"));
        let before = std::fs::read_to_string(sandbox.path(file)).expect("there");
        sandbox.shell(line).ok();
        let after = std::fs::read_to_string(sandbox.path(file)).expect("there");
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parse(&before)["result"], parse(&after)["result"], "{line}");
    }
}

#[test]
fn one_document_looks_as_it_did() {
    let sandbox = Sandbox::new();
    let direct = sandbox.run(&["advise", "--profile", "redundancy", "--format", "markdown"]).ok();
    sandbox.run(&["advise", "--profile", "redundancy", "-o", "advice.json"]).ok();
    assert_eq!(sandbox.run(&["report", "advice.json", "--format", "markdown"]).ok(), direct);
    let saved: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sandbox.path("advice.json")).expect("there"))
            .expect("JSON");
    assert_eq!(sandbox.run(&["report", "advice.json", "--json"]).json(), saved);
}

#[test]
fn compare_shows_what_changed_and_only_that() {
    let sandbox = Sandbox::new();
    sandbox.run(&["advise", "--profile", "legal", "-o", "a.json"]).ok();
    sandbox
        .run(&[
            "advise",
            "--profile",
            "legal",
            "--privacy",
            "standard",
            "--privacy-reason",
            "hipaa",
            "-o",
            "b.json",
        ])
        .ok();
    sandbox.run(&["advise", "--profile", "bursty", "-o", "c.json"]).ok();
    assert!(sandbox.run(&["report", "--compare", "a.json", "a.json"]).ok().contains("Nothing is different"));
    let changed = sandbox.run(&["report", "--compare", "a.json", "c.json"]).ok();
    assert!(changed.contains("placement") && changed.contains("Inputs that changed"), "{changed}");
    documents(&sandbox);
    sandbox.run(&["report", "--compare", "a.json", "cost.json"]).refused(&["only two of the same kind"]);
}

#[test]
fn metrics_are_compared_by_name_unit_and_direction() {
    let sandbox = Sandbox::new();
    let (old, mut new) = (bench(), bench());
    let local = &mut new["result"]["targets"][0]["metrics"];
    local["ttft_ms"] = serde_json::json!({"n": 30, "median": 60.0, "low": 55.0, "high": 65.0});
    local["decode_tps"] = serde_json::json!({"n": 30, "median": 39.0, "low": 35.0, "high": 43.0});
    new["result"]["targets"][1]["failures"] = 3.into();
    sandbox.write("old.json", &old.to_string());
    sandbox.write("new.json", &new.to_string());
    let changed = sandbox.run(&["report", "--compare", "old.json", "new.json", "--format", "csv"]).ok();
    assert!(changed.contains("\"TTFT ms\",\"local:m.gguf\",120,60,-0.5,\"better\""), "{changed}");
    let decode = "\"decode tok/s\",\"local:m.gguf\",40,39,";
    assert!(
        changed.lines().any(|l| l.starts_with(decode) && l.ends_with("within the intervals\"")),
        "{changed}"
    );
    assert!(changed.contains("\"requests failed\",\"openai:m\",1,3,2,\"worse\""), "{changed}");
}

#[test]
fn broken_documents_are_refused_with_their_place() {
    let sandbox = Sandbox::new();
    sandbox.run(&["report", "none.json"]).refused(&["none.json"]);
    for (text, words) in [
        ("", "line 1"),
        ("{\"a\": 1}", "no `schema` field"),
        ("{\"schema\": \"freehold.advice/2\"}", "newer freehold"),
        ("{\"schema\": \"x/1\"}", "unknown schema"),
        ("{\"schema\": \"freehold.bench/1\"}", "missing field"),
    ] {
        sandbox.write("d.json", text);
        sandbox.run(&["report", "d.json"]).refused(&["d.json", words]);
    }
}

/// Half a document, one of another program, and one of a later version, each by its name and with what to
/// do; what stood in the output file stays.
#[test]
fn bad_documents_leave_the_old_page_as_it_was() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    sandbox.run(&["report", "cost.json", "-o", "page.html"]).ok();
    let before = std::fs::read(sandbox.path("page.html")).expect("written");
    let text = std::fs::read_to_string(sandbox.path("cost.json")).expect("there");
    let half = &text[..text.len() / 2];
    let newer = text.replacen("freehold.breakeven/1", "freehold.breakeven/7", 1);
    for (bad, words) in [
        (half, "not JSON at line"),
        (&newer, "newer freehold"),
        ("{\"name\": \"package\", \"version\": \"1.0.0\"}", "not a document of freehold's"),
        ("[1, 2]", "not a document of freehold's"),
        ("nonsense", "not JSON at line 1"),
    ] {
        sandbox.write("bad.json", bad);
        sandbox.run(&["report", "bad.json", "-o", "page.html"]).refused(&["bad.json", words]);
        sandbox.run(&["report", "--compare", "cost.json", "bad.json"]).refused(&["bad.json", words]);
        sandbox.run(&["explain", "payback_months", "bad.json"]).refused(&["bad.json", words]);
    }
    sandbox
        .run(&["report", "cost.json", "--require", "paybak_months<=18", "-o", "page.html"])
        .refused(&["payback_months"]);
    assert_eq!(std::fs::read(sandbox.path("page.html")).expect("still there"), before);
    // Nowhere to write to: named, and nothing else is touched.
    for nowhere in ["no-such-folder/page.html", "."] {
        let run = sandbox.run(&["report", "cost.json", "--format", "html", "-o", nowhere]);
        assert!(matches!(run.code, Some(1 | 2)) && run.err.contains(nowhere), "{nowhere}: {}", run.err);
    }
    assert!(!sandbox.path("no-such-folder").exists());
}

/// 318 JSON texts nobody of this project wrote: no document, and never a panic.
#[test]
fn no_json_breaks_the_document_reader() {
    for json in suite("testdata/json_test_suite.json").unwrap_or_default() {
        let error = Document::parse("case.json", &json).expect_err("no document");
        assert!(error.starts_with("case.json: "), "{error}");
    }
    let deep = "[".repeat(100_000);
    assert!(Document::parse("case.json", &deep).is_err());
}

fn schemas() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

/// The paths of properties that do not say what they are, in a schema and all that it holds.
fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                if property.get("description").is_none() && property.get("const").is_none() {
                    found.push(format!("{path}.{name}"));
                }
            }
            for (key, inner) in object {
                match inner.as_object().filter(|_| key == "$defs") {
                    // Types are known by their own names, wherever they are used.
                    Some(types) => types.iter().for_each(|(name, t)| undescribed(t, name, found)),
                    None => undescribed(inner, path, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| undescribed(item, path, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_every_schema_is_described() {
    for (name, _) in schema::NAMES {
        let schema = serde_json::from_str(&schema::text(name).expect("a schema")).expect("JSON");
        let mut found = Vec::new();
        undescribed(&schema, "", &mut found);
        assert!(found.is_empty(), "{name}: no description of {found:#?}");
    }
}

/// `FREEHOLD_BLESS=1 cargo test --no-default-features schemas_are_current` writes them anew.
#[test]
fn schemas_are_current() {
    let bless = std::env::var_os("FREEHOLD_BLESS").is_some();
    for (name, _) in schema::NAMES {
        let path = schemas().join(format!("{name}.json"));
        let text = schema::text(name).expect("a schema");
        if bless {
            std::fs::create_dir_all(schemas()).expect("schemas/");
            std::fs::write(&path, &text).expect("written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == text,
            "schemas/{name}.json is not what the program says; write it anew with \
             FREEHOLD_BLESS=1 cargo test --no-default-features schemas_are_current"
        );
    }
    let mut kept: Vec<_> = std::fs::read_dir(schemas())
        .expect("schemas/")
        .filter_map(|e| Some(e.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    kept.sort();
    assert_eq!(kept, schema::NAMES.iter().map(|(n, _)| *n).collect::<Vec<_>>());
}

#[test]
fn real_output_is_valid_against_its_schema() {
    let sandbox = Sandbox::new();
    documents(&sandbox);
    for (name, file) in [("advice", "advice.json"), ("bench", "bench.json"), ("breakeven", "cost.json")] {
        let printed = sandbox.run(&["schema", name]).json();
        let validator = jsonschema::validator_for(&printed).expect("a schema");
        let text = std::fs::read_to_string(sandbox.path(file)).expect("there");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let wrong: Vec<String> =
            validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{file}: {wrong:#?}");
        assert!(!validator.is_valid(&serde_json::json!({"schema": 1})));
    }
    let validator = jsonschema::validator_for(&sandbox.run(&["schema", "profile"]).json()).expect("a schema");
    for (name, text) in freehold::workload::profile::SHIPPED {
        let profile: serde_json::Value = toml::from_str(text).expect("TOML");
        assert!(validator.is_valid(&profile), "{name}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"title": "x", "privcy": "strict"})));
}
