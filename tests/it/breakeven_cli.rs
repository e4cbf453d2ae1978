//! `breakeven` as a user meets it: flags, files, formats, errors, exit codes.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;

fn freehold(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("freehold").expect("built");
    let empty = std::env::temp_dir().join("freehold-test-no-data");
    command
        .args(args)
        .env("FREEHOLD_DATA_DIR", &empty)
        .env("FREEHOLD_CONFIG_DIR", &empty)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn json(args: &[&str]) -> Value {
    let output = freehold(args).args(["--json", "--today", "2026-11-22"]).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

/// 5,000 of hardware and 100 a month against 500 a month.
const SIMPLE: [&str; 19] = [
    "breakeven",
    "--tokens-per-month",
    "30e6",
    "--input-share",
    "0.5",
    "--cloud.name",
    "api",
    "--cloud.input-usd-per-mtok",
    "16.666666666666668",
    "--cloud.output-usd-per-mtok",
    "16.666666666666668",
    "--local.name",
    "box",
    "--local.purchase-usd",
    "5000",
    "--local.other-usd-per-month",
    "100",
    "--local.units",
    "1",
];

#[test]
fn the_contract_of_names() {
    let doc = json(&SIMPLE);
    assert_eq!(doc["schema"], "freehold.breakeven/1");
    let c = &doc["result"]["comparisons"][0];
    assert!((c["payback_months"].as_f64().expect("a number") - 12.5).abs() < 1e-9);
    assert_eq!((&c["cloud"], &c["local"]), (&"api".into(), &"box".into()));
    assert!(c["never_because"].is_null());
    for key in [
        "tco_cloud_usd",
        "tco_local_usd",
        "discounted_payback_months",
        "npv_saving_usd",
        "breakeven_tokens_per_month",
        "breakeven_blended_usd_per_mtok",
    ] {
        assert!(c[key].is_number(), "{key}: {c}");
    }
    for key in ["breakeven_requests_per_month", "breakeven_utilisation", "quality_note"] {
        assert!(c.get(key).is_some_and(Value::is_null), "{key}: {c}");
    }
    let local = &doc["result"]["local"][0];
    assert_eq!(local["name"], "box");
    assert_eq!(local["units"], 1);
    assert_eq!(local["capex_usd"], 5000.0);
    assert_eq!(local["monthly_usd"], 100.0);
    assert_eq!(local["monthly_parts_usd"]["other"], 100.0);
    for key in ["capacity_tokens_per_month", "utilisation", "usd_per_mtok_output", "usd_per_mtok_blended"] {
        assert!(local.get(key).is_some(), "{key}");
    }
    assert_eq!(doc["result"]["cloud"][0]["name"], "api");
    let u = &doc["result"]["uncertainty"];
    // What nobody knows exactly is assumed as a range, so there are always odds.
    for key in ["probability_local_cheaper", "payback_p10", "payback_p50", "payback_p90"] {
        assert!(u[key].is_number(), "{key}: {u}");
    }
    assert!(!u["tornado"].as_array().expect("a list").is_empty());
    assert!(doc["result"]["hybrid"].is_null());
    for (name, input) in doc["inputs"].as_object().expect("a map") {
        assert!(input["source"]["kind"].is_string() && input.get("value").is_some(), "{name}");
    }
    assert_eq!(doc["inputs"]["local.purchase_usd"]["source"]["via"], "--local.purchase-usd");
    assert_eq!(doc["inputs"]["need.hours_per_month"]["source"]["kind"], "assumed");
}

#[test]
fn ranges_give_odds_that_repeat() {
    let args = [&SIMPLE[..], &["--need.growth-per-month", "-0.02:0:0.05", "--draws", "500"]].concat();
    let (a, b) = (json(&args), json(&args));
    let u = &a["result"]["uncertainty"];
    assert_eq!(u, &b["result"]["uncertainty"]);
    assert_eq!(u["draws"], 500);
    let p10 = u["payback_p10"].as_f64().expect("pays back");
    let p90 = u["payback_p90"].as_f64().expect("pays back");
    assert!(p10 < 12.5 && 12.5 < p90, "{u}");
    let tornado = u["tornado"].as_array().expect("a list");
    assert!(tornado.iter().any(|row| row["input"] == "need.growth_per_month"), "{u}");
}

#[test]
fn a_key_given_again_begins_the_next_offer() {
    let args = [
        &SIMPLE[..],
        &[
            "--local.name",
            "rent",
            "--local.kind",
            "rented",
            "--local.usd-per-hour",
            "1",
            "--local.units",
            "1",
        ],
    ]
    .concat();
    let doc = json(&args);
    let names: Vec<&str> = doc["result"]["local"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|l| l["name"].as_str())
        .collect();
    assert_eq!(names, ["box", "rent"]);
    // The rented offer is also what the owned one is compared with.
    let pairs = doc["result"]["comparisons"].as_array().expect("a list");
    assert!(pairs.iter().any(|c| c["cloud"] == "rent" && c["local"] == "box"), "{pairs:?}");
}

#[test]
fn errors_say_what_to_do() {
    let fail = |args: &[&str], code: i32, parts: &[&str]| {
        let output = freehold(args).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(output.stdout.is_empty() || code == 3, "{args:?}");
        for part in parts {
            assert!(text.contains(part), "{args:?}: {part} not in: {text}");
        }
    };
    fail(&["breakeven"], 2, &["need.requests_per_month (--need.requests-per-month)"]);
    fail(&["breakeven", "--need.requests-per-mont", "5"], 2, &["--need.requests-per-month"]);
    fail(&["breakeven", "--requests-per-month", "-5"], 2, &["--need.requests-per-month", "above 0"]);
    fail(&["breakeven", "--scenario", "no-such-file.toml"], 2, &["no-such-file.toml"]);
    fail(&["breakeven", "--measured", "Cargo.toml"], 2, &["Cargo.toml is not a bench document"]);
    fail(
        &[&SIMPLE[..], &["--require", "payback_months<=12"]].concat(),
        3,
        &["payback_months<=12", "12.5 months"],
    );
    fail(&[&SIMPLE[..], &["--require", "speed<=12"]].concat(), 2, &["no metric `speed`"]);
    fail(&[&SIMPLE[..], &["--explain", "nonsense"]].concat(), 2, &["payback_months"]);
    fail(&[&SIMPLE[..], &["--cloud", "gpt-nine"]].concat(), 2, &["cloud.model: `gpt-nine`"]);
}

#[test]
fn a_broken_scenario_names_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plan.toml");
    std::fs::write(&file, "[need]\nrequests_per_month = 5\n[[local]]\npurchase_us = 3\n").expect("written");
    let output = freehold(&["breakeven", "--scenario", &file.display().to_string()]).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("plan.toml:4:1: unknown key of [local] `purchase_us`: did you mean `purchase_usd`"),
        "{text}"
    );
    assert!(text.contains("^^^^^^^^^^^"), "{text}");
}

#[test]
fn the_cash_flow_adds_up_to_the_total() {
    let output = freehold(&[&SIMPLE[..], &["--format", "csv"]].concat()).output().expect("runs");
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    assert_eq!(rows.len(), 36);
    let number = |row: &csv::StringRecord, n: usize| row[n].parse::<f64>().expect("a number");
    let cloud: f64 = rows.iter().map(|r| number(r, 5)).sum();
    let local: f64 = rows.iter().map(|r| number(r, 7) + number(r, 8)).sum();
    assert!((cloud - 18_000.0).abs() < 1e-6 && (local - 8_600.0).abs() < 1e-6);
    assert!((number(&rows[35], 9) - (cloud - local)).abs() < 1e-6);
}

#[test]
fn a_run_can_be_repeated_from_its_own_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let changes = folder.path().join("changes.toml");
    std::fs::write(
        &changes,
        "[need]\nrequests_per_month = 9000\ninput_tokens = 900\noutput_tokens = 300\n[[cloud]]\nname = \"a b\"\n\
         input_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n[[cloud.change]]\nfrom = \"2027-05\"\n\
         output_usd_per_mtok = { low = 1, likely = 2, high = 3 }\n[[local]]\nname = \"x\"\npurchase_usd = 500\nunits = 1\n\
         [hybrid]\nprofile = \"office-hours\"\n",
    )
    .expect("written");
    let changes = changes.display().to_string();
    for example in [
        "examples/chatbot.toml",
        "examples/clinic.toml",
        "examples/coding-assistant.toml",
        "examples/embedded-product.toml",
        "examples/nightly-batch.toml",
        &changes,
    ] {
        let first = json(&["breakeven", "--scenario", example, "--draws", "50"]);
        let file = folder.path().join("cost.json");
        std::fs::write(&file, first.to_string()).expect("written");
        let again = json(&["breakeven", "--scenario", &file.display().to_string(), "--draws", "50"]);
        assert_eq!(first["result"]["comparisons"], again["result"]["comparisons"], "{example}");
        assert_eq!(
            first["result"]["uncertainty"]["payback_p50"],
            again["result"]["uncertainty"]["payback_p50"]
        );
        let ids = |doc: &Value| -> Vec<String> {
            let warnings = doc["warnings"].as_array().expect("a list");
            let mut ids: Vec<String> =
                warnings.iter().filter_map(|w| Some(w["id"].as_str()?.to_owned())).collect();
            ids.sort();
            ids.dedup();
            ids
        };
        assert!(
            ids(&first).iter().all(|id| ids(&again).contains(id)),
            "{example}: {:?} {:?}",
            ids(&first),
            ids(&again)
        );
    }
}

#[test]
fn a_profile_says_how_many_requests() {
    let output = freehold(&["breakeven", "--profile", "no-such-profile"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let doc = json(&[
        "breakeven",
        "--profile",
        "low-volume-app",
        "--requests-per-month",
        "1000",
        "--input-tokens",
        "10",
        "--output-tokens",
        "10",
        "--cloud.name",
        "api",
        "--cloud.fixed-usd-per-month",
        "10",
        "--purchase-usd",
        "5",
        "--units",
        "1",
    ]);
    assert_eq!(doc["inputs"]["need.requests_per_month"]["value"], 1000.0);
}

/// The schema of scenario files accepts the examples, and refuses what the reader refuses.
#[test]
fn scenario_files_have_a_schema() {
    let printed = freehold(&["schema", "scenario"]).output().expect("runs");
    let schema: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let valid = |text: &str| {
        let table: toml::Table = toml::from_str(text).expect("TOML");
        validator.is_valid(&serde_json::to_value(table).expect("JSON"))
    };
    for example in ["chatbot", "clinic", "coding-assistant", "embedded-product", "nightly-batch"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{example}.toml"));
        assert!(valid(&std::fs::read_to_string(path).expect("an example")), "{example}");
    }
    for (text, right) in [
        ("[need]\ninput_tokens = 5", true),
        ("[need]\ninput_token = 5", false),
        ("[need]\nbatch_share = 1.5", false),
        ("[need]\nhorizon_months = 0", false),
        ("[[local]]\nlife_months = { low = 36, likely = 48, high = 60 }", true),
        ("[[local]]\nunits = { low = 1, likely = 2, high = 3 }", false),
        ("[[cloud]]\nname = \"x\"\n[[cloud.change]]\nfrom = \"2027-01-01\"\ninput_usd_per_mtok = 1", true),
        ("[[cloud]]\n[[cloud.change]]\ninput_usd_per_mtok = 1", false),
        ("[hybrid]\nprofile = \"nights\"", false),
        ("[elsewhere]\nx = 1", false),
    ] {
        assert_eq!(valid(text), right, "{text}");
        assert_eq!(freehold::cost::Scenario::parse(text, "s").is_ok(), right, "{text}");
    }
}

#[test]
fn a_ranking_is_a_table_for_spreadsheets() {
    let output = freehold(&[
        "breakeven",
        "--all",
        "--model",
        "llama-3.1-8b-instruct",
        "--requests-per-month",
        "1e6",
        "--input-tokens",
        "1500",
        "--output-tokens",
        "400",
        "--draws",
        "1",
        "--tier",
        "1",
        "--format",
        "csv",
    ])
    .output()
    .expect("runs");
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    assert_eq!(reader.headers().expect("a header").get(2), Some("payback_months"));
    assert!(reader.records().count() > 50);
}

#[test]
fn numbers_are_explained_by_path_and_by_name() {
    let chatbot = ["breakeven", "--scenario", "examples/chatbot.toml", "--explain"];
    for name in
        ["payback_months", "result.cash_flow[3].position_usd", "utilisation", "local.pue", "payback_p50"]
    {
        let output = freehold(&[&chatbot[..], &[name]].concat()).output().expect("runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).lines().count() >= 4, "{name}");
    }
    let refused = freehold(&[&chatbot[..], &["paybak"]].concat()).assert().code(2);
    let text = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(text.contains("payback_months") && text.contains("result.local[0]"), "{text}");
}

#[test]
fn the_examples_can_be_computed() {
    let mut files: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"))
        .expect("examples")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 5);
    for file in files {
        let doc = json(&["breakeven", "--scenario", &file.display().to_string()]);
        let summary = doc["result"]["summary"].as_array().expect("a list");
        assert!((1..=8).contains(&summary.len()), "{}", file.display());
    }
}

/// Wrap as a terminal of 100 columns shows it. `FREEHOLD_BLESS=1 cargo test --no-default-features
/// examples_say_what_is_printed` writes it anew.
#[test]
fn the_examples_say_what_is_printed() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/README.md");
    let kept = std::fs::read_to_string(&page).expect("examples/README.md");
    let mut text = String::new();
    let mut rest = kept.as_str();
    while let Some((before, after)) = rest.split_once("freehold breakeven --scenario examples/") {
        let (name, _) = after.split_once(".toml").filter(|(n, _)| n.len() < 40).unwrap_or(("", ""));
        let Some((head, tail)) = after.split_once("```text\n").filter(|_| !name.is_empty()) else { break };
        let (_, tail) = tail.split_once("```").expect("a closed block");
        let example = format!("examples/{name}.toml");
        let output = freehold(&["breakeven", "--scenario", &example, "--today", "2026-11-22"])
            .env("COLUMNS", "100")
            .output()
            .expect("runs");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let summary = printed.split("\n\n").nth(1).expect("a summary");
        let parts = [before, "freehold breakeven --scenario examples/", head, "```text\n", summary, "\n```"];
        text.extend(parts);
        rest = tail;
    }
    text += rest;
    if std::env::var_os("FREEHOLD_BLESS").is_some() {
        std::fs::write(&page, &text).expect("written");
    } else {
        assert!(
            text == kept,
            "examples/README.md is not what is printed; write it anew with \
             FREEHOLD_BLESS=1 cargo test --no-default-features examples_say_what_is_printed"
        );
    }
}

#[test]
fn the_whole_catalogue_is_ranked() {
    let doc = json(&[
        "breakeven",
        "--all",
        "--model",
        "llama-3.1-8b-instruct",
        "--requests-per-month",
        "1e6",
        "--input-tokens",
        "1500",
        "--output-tokens",
        "400",
        "--draws",
        "1",
        "--tier",
        "2",
    ]);
    let rows = doc["result"]["comparisons"].as_array().expect("a list");
    assert!(rows.len() > 100);
    let months: Vec<f64> =
        rows.iter().map(|r| r["payback_months"].as_f64().unwrap_or(f64::INFINITY)).collect();
    assert!(months.windows(2).all(|w| w[0] <= w[1]), "ranked by payback");
    assert!(
        doc["result"]["cloud"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|c| c["tier"].as_u64().is_some_and(|t| t <= 2))
    );
}

/// A real document, `freehold bench` of `SmolLM2` 135M on a processor, its samples cut; `change` makes
/// another machine's of it.
fn bench_document(folder: &Path, change: impl Fn(&mut Value)) -> String {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bench/smollm2-on-a-processor.json");
    let mut document: Value =
        serde_json::from_str(&std::fs::read_to_string(real).expect("the document")).expect("JSON");
    change(&mut document["result"]["targets"][0]);
    let path = folder.join("bench.json");
    std::fs::write(&path, document.to_string()).expect("written");
    path.display().to_string()
}

fn on_a_4090(target: &mut Value) {
    target["engine"]["device"] = "NVIDIA GeForce RTX 4090".into();
    target["engine"]["backend"] = "CUDA".into();
    target["engine"]["gpu_layers"] = 31.into();
    target["engine"]["hardware"] = "nvidia-rtx-4090".into();
}

/// The same with both sides graded on 100 prompts: pass rates of the local model and of an API, the difference in the
/// middle of an interval of 14 points, and a split that moves six tenths of the work.
fn graded_document(folder: &Path, passed: [u32; 2], difference: f64) -> String {
    let [local, api] = passed.map(|n| f64::from(n) / 100.0);
    let passes = |target: &mut Value| {
        target["pass_rate"] = serde_json::json!({"n": 100, "passed": passed[0], "rate": local,
            "low": local - 0.1, "high": local + 0.07});
    };
    let path = bench_document(folder, passes);
    let mut bench: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("read")).expect("JSON");
    let id = bench["result"]["targets"][0]["id"].clone();
    let (low, high) = (difference - 0.07, difference + 0.07);
    let decided = low > -0.1;
    let counts = serde_json::json!({"prompts": 100, "both_pass": 75, "neither": 10, "difference": difference,
        "difference_low": low, "difference_high": high, "margin": 0.1, "prompts_needed": 200, "smoke_only": false});
    let with = |more: Value| {
        let mut all = counts.clone();
        for (key, value) in more.as_object().expect("an object") {
            all[key] = value.clone();
        }
        all
    };
    bench["result"]["quality"] =
        serde_json::json!([with(serde_json::json!({"local": id, "api": "openai:gpt-6-luna",
        "local_pass_rate": local, "api_pass_rate": api, "local_only": 5, "api_only": 10, "mcnemar_p": 0.3,
        "non_inferior": decided.then_some(true)}))]);
    let share = |rate: f64| serde_json::json!({"rate": rate, "low": rate - 0.05, "high": rate + 0.05});
    let quality =
        with(serde_json::json!({"a_pass_rate": share(local), "b_pass_rate": share(api), "a_only": 5,
        "b_only": 10, "method": "counts", "p": 0.3, "equivalent": false,
        "finding": if decided { "non-inferior" } else { "undecided" },
        "split": {"moved": ["facts"], "moved_share": 0.6, "moved_pass_rate": 0.9, "pass_rate": 0.86,
            "b_usd_per_1000": null, "split_usd_per_1000": null}}));
    bench["result"]["pairs"] = serde_json::json!([{"a": id, "b": "openai:gpt-6-luna", "quality": quality}]);
    std::fs::write(&path, bench.to_string()).expect("written");
    path
}

/// `advise` takes what was measured in the place of what is believed: the pass rates decide the capability, and the split
/// is the share that a hybrid gives the local model.
#[test]
fn measured_quality_decides_for_advise() {
    let folder = tempfile::tempdir().expect("a folder");
    let advice = |more: &[&str]| {
        let need = ["--requests-per-month", "2000000", "--input-tokens", "600", "--output-tokens", "80"];
        let answers = [
            "advise",
            "--no-input",
            "--privacy=standard",
            "--volume=high",
            "--capability=maximum",
            "--operations=available",
            "--budget=capex",
        ];
        json(&[&answers[..], &need, more].concat())
    };
    let hybrid = |doc: &Value| {
        let options = doc["result"]["options"].as_array().expect("options").clone();
        options.into_iter().find(|o| o["id"] == "hybrid-routed").map(|o| o["local_share"].clone())
    };
    let believed = advice(&[]);
    assert!(believed["result"]["quality"].is_null());
    let undecided = graded_document(folder.path(), [80, 85], -0.05);
    let with = |path: &str| advice(&["--evidence", path, "--allow-mismatch"]);
    let doc = with(&undecided);
    let quality = &doc["result"]["quality"];
    assert_eq!(
        (quality["standing"].as_str(), quality["local_pass_rate"].as_f64()),
        (Some("undecided"), Some(0.8))
    );
    assert_eq!(hybrid(&doc), Some(0.6.into()), "what was shown to move, and not half of it");
    let good = graded_document(folder.path(), [88, 85], 0.03);
    let doc = with(&good);
    let quality = &doc["result"]["quality"];
    assert_eq!(quality["standing"], "non-inferior", "{quality}");
    assert_eq!(quality["source"]["kind"], "measured");
    let weak = |doc: &Value| {
        let options = doc["result"]["options"].as_array().expect("options").clone();
        options.iter().any(|o| o["id"] == "owned" && o["excluded_by"] == "too-weak")
    };
    assert!(!weak(&doc), "what was shown to be good enough is not too weak");
}

/// What `bench` says of quality is counted with: what a good answer costs, which share of the work the local model can
/// take over, and how much of that is sent on.
#[test]
fn measured_quality_becomes_money() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = graded_document(folder.path(), [80, 85], -0.05);
    let with = |more: &[&str]| {
        let own = ["--measured", &path, "--allow-mismatch", "--local.purchase-usd", "900"];
        json(&[&MEASURED[..], &own, more].concat())
    };
    let doc = with(&["--local-share", "0.5"]);
    let escalation = &doc["inputs"]["hybrid.escalation_share"];
    assert!((escalation["value"].as_f64().expect("a share") - 0.1).abs() < 1e-9, "{escalation}");
    assert_eq!(escalation["source"]["kind"], "measured");
    let doc = with(&["--escalation-share", "0.2"]);
    let moved = &doc["inputs"]["hybrid.local_share"];
    assert_eq!((moved["value"].as_f64(), &moved["source"]["kind"]), (Some(0.6), &"measured".into()));
    let offer = &doc["result"]["local"][0];
    let monthly =
        offer["monthly_usd"].as_f64().expect("USD") + offer["amortised_usd_per_month"].as_f64().expect("USD");
    let good = offer["usd_per_successful_request"].as_f64().expect("measured");
    assert!((good - monthly / 50_000.0 / 0.8).abs() < 1e-9, "{good} {monthly}");
    assert!(
        doc["result"]["cloud"][0]["usd_per_successful_request"].is_null(),
        "nobody graded this API's answers"
    );
    // A measurement of another model says nothing of this one.
    let doc = with(&[
        "--escalation-share",
        "0.2",
        "--model",
        "llama-3.1-8b-instruct",
        "--hardware",
        "nvidia-rtx-4090",
    ]);
    assert_ne!(doc["inputs"]["hybrid.local_share"]["source"]["kind"], "measured");
}

const MEASURED: [&str; 5] = ["breakeven", "--requests-per-month", "50000", "--cloud", "openai/gpt-6-luna"];
/// Tokens a second of the real document.
const REAL: f64 = 113.904_715_348_456;

/// Is the speed the measured one, and which warnings are there?
fn speed_of(measured: &str, more: &[&str]) -> (f64, String, Vec<String>) {
    let doc = json(&[&MEASURED[..], &["--measured", measured, "--allow-mismatch"], more].concat());
    // A plan says how many requests its machine carries, a measurement how many tokens it writes.
    let inputs = &doc["inputs"];
    let planned = &inputs["local.requests_per_second"];
    let input = if planned.is_null() { &inputs["local.decode_tokens_per_second"] } else { planned };
    let value = input["value"].as_f64().or(input["value"]["likely"].as_f64()).expect("a speed");
    let source = input["source"]["kind"].as_str().expect("a source").to_owned();
    let ids = doc["warnings"].as_array().expect("a list").iter();
    (value, source, ids.filter_map(|w| w["id"].as_str().map(str::to_owned)).collect())
}

/// A speed belongs to the machine it was measured on: a processor's is not a GPU's.
#[test]
fn a_measured_speed_is_only_applied_where_it_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = "measured-elsewhere".to_owned();
    let processor = bench_document(folder.path(), |_| ());
    let gpu = ["--hardware", "nvidia-rtx-4090"];
    let (requests, source, warnings) = speed_of(&processor, &gpu);
    assert!(requests > 10.0, "predicted for the card: {requests} requests a second");
    assert!(source != "measured" && warnings.contains(&elsewhere), "{source} {warnings:?}");
    // Every renderer says so.
    for format in ["table", "markdown", "html"] {
        let all =
            [&MEASURED[..], &["--measured", &processor, "--allow-mismatch"], &gpu, &["--format", format]]
                .concat();
        let out = freehold(&all).output().expect("runs");
        let text = String::from_utf8_lossy(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("AMD EPYC (processor)"), "{format}: {text}");
    }
    // Retries are the model's; the document saw none fail.
    let doc = json(&[&MEASURED[..], &["--measured", &processor, "--allow-mismatch"], &gpu].concat());
    assert_eq!(doc["inputs"]["local.retry_share"]["source"]["kind"], "measured");
    assert_eq!(doc["inputs"]["local.quantisation"]["value"], "Q4_1");
    // The same computer, described by its price, and nothing named that it could be held against.
    let (speed, source, warnings) = speed_of(&processor, &["--local.purchase-usd", "900"]);
    assert!((speed - REAL).abs() < 1e-6 && source == "measured", "{speed} {source}");
    assert!(!warnings.contains(&elsewhere));
    // A server of the catalogue may be the one: only the user knows.
    let server =
        ["--hardware", "server-epyc-genoa-1s", "--local.purchase-usd", "5000", "--local.load-watts", "400"];
    let stopped = freehold(&[&MEASURED[..], &["--measured", &processor], &server].concat()).assert().code(2);
    let text = String::from_utf8_lossy(&stopped.get_output().stderr).into_owned();
    assert!(text.contains("decode_tokens_per_second") && text.contains("AMD EPYC (processor)"), "{text}");
    let (speed, source, _) = speed_of(&processor, &[&server[..], &["--same-as-measured"]].concat());
    assert!((speed - REAL).abs() < 1e-6 && source == "measured", "{speed} {source}");
    // A word that the document contradicts is not taken.
    let all = [&MEASURED[..], &["--measured", &processor], &gpu, &["--same-as-measured"]].concat();
    let refused = freehold(&all).assert().code(2);
    let text = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(text.contains("local.same_as_measured") && text.contains("AMD EPYC"), "{text}");
}

/// Unless the user says so, a measurement of another machine, model or length of request is refused, and
/// the printed command says so again.
#[test]
fn a_measurement_of_another_case_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let processor = bench_document(folder.path(), |_| ());
    let refused = |more: &[&str], words: &[&str]| {
        let all = [&MEASURED[..], &["--measured", &processor], more].concat();
        let stopped = freehold(&all).assert().code(2);
        let text = String::from_utf8_lossy(&stopped.get_output().stderr).into_owned();
        assert!(words.iter().chain(&["--allow-mismatch"]).all(|w| text.contains(w)), "{text}");
        json(&[&all[..], &["--allow-mismatch"]].concat())
    };
    refused(&["--hardware", "nvidia-rtx-4090"], &["measured AMD EPYC", "nvidia-rtx-4090"]);
    refused(
        &["--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct"],
        &["smollm2", "llama-3.1-8b-instruct"],
    );
    let long = ["--local.purchase-usd", "900", "--input-tokens", "9000", "--output-tokens", "2000"];
    let doc = refused(&long, &["need.input_tokens is 9,000", "need.output_tokens is 2,000"]);
    let warnings = doc["warnings"].as_array().expect("a list");
    assert_eq!(warnings.iter().filter(|w| w["id"] == "measured-for-another-need").count(), 2, "{warnings:?}");
    assert_eq!(doc["inputs"]["allow_mismatch"]["source"]["via"], "--allow-mismatch");
    // One of its own length, or one that takes its length from it, is its own.
    let own = ["--local.purchase-usd", "900"];
    json(&[&MEASURED[..], &["--measured", &processor], &own].concat());
}

#[test]
fn a_measured_speed_is_applied_to_its_own_card_and_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let measured = bench_document(folder.path(), on_a_4090);
    let is_measured = |more: &[&str]| speed_of(&measured, more).1 == "measured";
    assert!(is_measured(&[]), "the document names the hardware");
    assert!(is_measured(&["--hardware", "nvidia-rtx-4090"]));
    assert!(is_measured(&["--hardware", "runpod-secure-rtx-4090-on-demand"]), "the same card, rented");
    assert!(is_measured(&["--model", "smollm2-135m-instruct"]));
    assert!(!is_measured(&["--hardware", "nvidia-rtx-3090"]));
    assert!(!is_measured(&["--hardware", "nvidia-rtx-4090", "--gpus-per-unit", "2"]));
    assert!(!is_measured(&["--model", "llama-3.1-8b-instruct"]), "another model");
    assert!(!is_measured(&["--quantisation", "Q8_0"]), "another format");
    // In a ranking only the offers with that card take it.
    let doc = json(&[&MEASURED[..3], &["--measured", &measured, "--all", "--draws", "1"]].concat());
    let warning =
        doc["warnings"].as_array().expect("a list").iter().find(|w| w["id"] == "measured-elsewhere");
    assert!(warning.expect("said once")["message"].as_str().is_some_and(|m| m.contains("local offers")));
}

/// A model nobody has rated may be too weak: it is in no ranking, and named among what was left out.
#[test]
fn unrated_models_are_left_out_by_name() {
    let base =
        [&MEASURED[..3], &["--input-tokens", "1500", "--output-tokens", "400", "--draws", "1"]].concat();
    let all = [&base[..], &["--all", "--model", "llama-3.3-70b-instruct"]].concat();
    let doc = json(&all);
    let own = doc["inputs"]["need.tier"]["value"].as_f64().expect("the local model's tier");
    assert_eq!(doc["inputs"]["need.tier"]["source"]["kind"], "assumed");
    let clouds = doc["result"]["cloud"].as_array().expect("a list");
    assert!(
        clouds.iter().all(|c| c["tier"].as_f64().is_some_and(|t| t <= own)),
        "as capable as the local model"
    );
    let skipped = doc["result"]["skipped"].as_array().expect("a list");
    assert!(skipped.iter().any(|s| s["why"].as_str().is_some_and(|w| w.contains("nobody has rated"))));
    // A tier of the user's changes nothing about that.
    let asked = json(&[&all[..], &["--tier", "3"]].concat());
    assert!(asked["result"]["cloud"].as_array().is_some_and(|c| c.iter().all(|c| c["tier"].is_u64())));
}

const WORK: [&str; 7] =
    ["breakeven", "--requests-per-month", "40000", "--input-tokens", "6000", "--output-tokens", "500"];
const BOX: [&str; 4] = ["--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct"];

/// Seats are an offer beside APIs and machines; what they hold is taken from their records.
#[test]
fn seats_are_an_offer() {
    let ask = |more: &[&str]| json(&[&WORK[..], &BOX[..], more].concat());
    // Limits that nobody publishes: the price alone, and a warning.
    let doc = ask(&["--cloud.subscription", "anthropic-claude-team-standard", "--cloud.seats", "3"]);
    let offer = &doc["result"]["cloud"][0];
    assert_eq!(offer["name"], "Claude Team, standard seat, 5 seats", "sold from five on");
    assert_eq!(doc["inputs"]["cloud.fixed_usd_per_month"]["value"], 125.0);
    assert_eq!(doc["inputs"]["cloud.fixed_usd_per_month"]["source"]["kind"], "database");
    assert!(doc["warnings"].as_array().expect("a list").iter().any(|w| w["id"] == "seat-limits-unknown"));
    let api = offer["monthly_parts_usd"]["api"].as_f64().expect("an amount");
    assert!((api - 125.0).abs() < 1e-6 || offer["monthly_parts_usd"]["fixed"] == 125.0, "{offer}");
    // As `advise` counts: as much use as it costs, the rest by the token.
    let model = "anthropic/claude-sonnet-4-5-20250929";
    let request = 6000.0 * 3e-6 + 500.0 * 15e-6;
    let team =
        ["--cloud.subscription", "anthropic-claude-team-standard", "--cloud.seats", "8", "--cloud", model];
    let doc = ask(&team);
    assert_eq!(doc["inputs"]["cloud.minimum_usd_per_month"]["value"], 200.0);
    let api = doc["result"]["cloud"][0]["monthly_parts_usd"]["api"].as_f64().expect("an amount");
    assert!((api - 40_000.0 * request).abs() < 1.0, "{api}");
    // An allowance of so many dollars' worth: what is past it is paid as the API charges.
    let doc = ask(&["--cloud.subscription", "cursor-pro", "--cloud.seats", "10", "--cloud", model]);
    let free = doc["inputs"]["cloud.free_requests_per_month"]["value"].as_f64().expect("a number");
    assert!((free - 10.0 * 20.0 / request).abs() < 1.0, "{free}");
    let parts = &doc["result"]["cloud"][0]["monthly_parts_usd"];
    let paid: f64 = ["api", "fixed"].iter().filter_map(|p| parts[p].as_f64()).sum();
    assert!((paid - (200.0 + 40_000.0 * request - 200.0)).abs() < 1.0, "{parts}");
    // A seat that only lets people in.
    let doc = ask(&[
        "--cloud.subscription",
        "anthropic-claude-enterprise",
        "--cloud.seats",
        "10",
        "--cloud",
        model,
    ]);
    let parts = &doc["result"]["cloud"][0]["monthly_parts_usd"];
    let paid: f64 = ["api", "fixed"].iter().filter_map(|p| parts[p].as_f64()).sum();
    assert!((paid - (200.0 + 40_000.0 * request)).abs() < 1.0, "{parts}");
    // Repeated from its own document it says the same.
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("cost.json");
    std::fs::write(&saved, doc.to_string()).expect("writes");
    let again = json(&["breakeven", "--scenario", &saved.display().to_string()]);
    assert_eq!(again["result"]["cloud"][0]["monthly_usd"], doc["result"]["cloud"][0]["monthly_usd"]);
}

#[test]
fn wrong_seats_are_named() {
    let refused = |more: &[&str]| {
        let out = freehold(&[&WORK[..], &BOX[..], more].concat()).assert().code(2);
        String::from_utf8_lossy(&out.get_output().stderr).into_owned()
    };
    for (args, part) in [
        (&["--cloud.subscription", "claude-pro", "--cloud.seats", "2"][..], "anthropic-claude-pro"),
        (&["--cloud.subscription", "anthropic-claude-pro"][..], "cloud.seats"),
        (&["--cloud.seats", "2"][..], "cloud.subscription"),
        (
            &["--cloud.subscription", "anthropic-claude-team-standard", "--cloud.seats", "500"][..],
            "150 people",
        ),
        (&["--cloud.subscription", "cursor-pro", "--cloud.seats", "2"][..], "cloud.model"),
    ] {
        assert!(refused(args).contains(part), "{args:?}: {}", refused(args));
    }
}

/// What would have to be true for the other side to win, put in, lets it win; a hair less does not.
#[test]
fn what_would_have_to_be_true_turns_the_answer() {
    let chatbot = ["breakeven", "--scenario", "examples/chatbot.toml", "--draws", "1"];
    for base in [&SIMPLE[..], &chatbot] {
        let doc = json(base);
        let saving = |doc: &Value| doc["result"]["comparisons"][0]["saving_usd"].as_f64().expect("a number");
        let points = doc["result"]["uncertainty"]["turning_points"].as_array().expect("a list");
        assert!(!points.is_empty());
        for point in points {
            let (input, of) =
                (point["input"].as_str().expect("a name"), |n: &str| point[n].as_f64().expect("a number"));
            let flag = format!("--{}", input.replace('_', "-"));
            let put_in = |value: f64| {
                let value = value.to_string();
                // A flag twice describes a second offer.
                let mut args = base.to_vec();
                match args.iter().position(|a| *a == flag) {
                    Some(at) => args[at + 1] = &value,
                    None => args.extend([flag.as_str(), value.as_str()]),
                }
                saving(&json(&args))
            };
            let turned = put_in(of("value"));
            assert!(turned * saving(&doc) < 0.0, "{input} = {}: {turned}", of("value"));
            // Half way to it the answer is as it was.
            let before = put_in(f64::midpoint(of("likely"), of("value")));
            assert!(before * saving(&doc) > 0.0, "{input}: {before}");
            assert_eq!(point["in_range"], (of("low")..=of("high")).contains(&of("value")));
        }
    }
    let page = freehold(&chatbot).args(["--today", "2026-11-22"]).output().expect("runs");
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("What would have to be true") && page.contains("[local.purchase_usd]"), "{page}");
}
