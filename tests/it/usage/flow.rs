//! From records to what other commands compute: the need is filled, each value names its place, and what
//! was said by hand stays.

use assert_cmd::Command;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

const MONDAY: i64 = 1_788_739_200;

fn freehold(args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("freehold").expect("built");
    let home = tempfile::tempdir().expect("a folder");
    command.env("FREEHOLD_DATA_DIR", home.path()).env("COLUMNS", "100").args(args).assert()
}

fn json(args: &[&str]) -> Value {
    let out = freehold(&[args, &["--json"]].concat()).success();
    serde_json::from_slice(&out.get_output().stdout).expect("JSON")
}

/// Two whole weeks, a request an hour and nine at noon; a quarter of every prompt from a cache.
fn log(folder: &Path) -> String {
    let mut text = String::new();
    for hour in 0..14 * 24 {
        for n in 0..if hour % 24 == 12 { 9 } else { 1 } {
            let model = if n % 3 == 2 { "gpt-5.6-luna" } else { "claude-sonnet-4-5-20250929" };
            let usage = json!({"prompt_tokens": 1000, "completion_tokens": 100,
                "prompt_tokens_details": {"cached_tokens": 250}});
            let at = MONDAY + hour * 3600 + n;
            let row = json!({"id": format!("{hour}-{n}"), "model": model, "created": at, "usage": usage});
            let _ = writeln!(text, "{row}");
        }
    }
    let path = folder.join("log.jsonl");
    std::fs::write(&path, text).expect("writes");
    path.display().to_string()
}

const LOCAL: [&str; 4] = ["--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct"];

#[test]
fn records_fill_the_need_of_a_calculation_and_name_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let saved = folder.path().join("usage.json").display().to_string();
    freehold(&["usage", &log, "-o", &saved]).success();
    let cost = json(&[&["breakeven", "--usage", &saved], &LOCAL[..]].concat());
    let usage: Value = serde_json::from_str(&std::fs::read_to_string(&saved).expect("reads")).expect("JSON");
    let input = |name: &str| &cost["inputs"][name];
    for (name, value) in [
        ("need.requests_per_month", 32.0 * 730.0 / 24.0),
        ("need.input_tokens", 1000.0),
        ("need.output_tokens", 100.0),
        ("need.cached_input_share", 0.25),
        ("need.peak_to_mean", 9.0 * 24.0 / 32.0),
    ] {
        let source = &input(name)["source"];
        assert!((input(name)["value"].as_f64().expect("a number") / value - 1.0).abs() < 0.01, "{name}");
        assert_eq!((&source["role"], &source["file"]), (&json!("usage"), &json!(saved)), "{name}");
        // The place named is one of the document.
        let place = format!("/{}", source["key"].as_str().expect("a path").replace('.', "/"));
        assert!(usage.pointer(&place).is_some_and(|v| !v.is_null()), "{name}: {place}");
    }
    assert_eq!(input("hybrid.profile")["value"].as_array().map(Vec::len), Some(168));
    assert_eq!(input("cloud.model")["value"], "anthropic/claude-sonnet-4-5-20250929");
    // Today's bill, and the month under every option.
    let today = &cost["result"]["today"];
    assert_eq!(today["models"].as_array().map(Vec::len), Some(2));
    let month = today["monthly_repriced_usd"].as_f64().expect("priced");
    let all = usage["result"]["repriced_usd"].as_f64().expect("priced");
    assert!((month / (all * 730.0 / 24.0 / 14.0) - 1.0).abs() < 1e-6, "{month} {all}");
    let options = today["options"].as_array().expect("options");
    let offers = ["cloud", "local"].map(|side| cost["result"][side].as_array().map_or(0, Vec::len));
    assert_eq!(options.len(), offers[0] + offers[1]);
    assert!(options.iter().all(|o| o["of_today"].as_f64().is_some_and(|share| share > 0.0)), "{options:?}");
    // People are in no bill: the model that most of it went to costs about what it costs today.
    let own =
        options.iter().find(|o| o["name"] == "anthropic/claude-sonnet-4-5-20250929").expect("an option");
    let of = |name: &str| own[name].as_f64().expect("a number");
    assert!(of("bill_usd") < of("monthly_usd") - 100.0, "{own}");
    assert!((0.5..2.0).contains(&of("of_today")), "{own}");
    let text = freehold(&[&["breakeven", "--usage", &saved], &LOCAL[..]].concat()).success();
    let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    let (today, compared) =
        (text.find("a month of this"), text.find("pays back").or(text.find("Over 36 months")));
    assert!(today.is_some() && today < compared, "{text}");
    // The records themselves say the same as the document made of them.
    let raw = json(&[&["breakeven", "--usage", &log], &LOCAL[..]].concat());
    assert_eq!(
        raw["inputs"]["need.requests_per_month"]["value"],
        *cost["inputs"]["need.requests_per_month"].get("value").expect("a value")
    );
}

/// One request in twenty is past the 200,000 tokens from which this model costs twice as much. By the
/// mean, none is.
#[test]
fn long_requests_pay_the_price_of_long_requests() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for n in 0..14 * 24 * 5 {
        let prompt = if n % 20 == 0 { 250_000 } else { 2_000 };
        let row = json!({"id": n.to_string(), "model": "claude-sonnet-4-5-20250929", "created": MONDAY + n * 720,
            "usage": {"prompt_tokens": prompt, "completion_tokens": 300}});
        let _ = writeln!(text, "{row}");
    }
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, text).expect("writes");
    let log = log.display().to_string();
    let cost = json(&[&["breakeven", "--usage", &log], &LOCAL[..]].concat());
    assert_eq!(cost["inputs"]["need.sizes"]["value"].as_array().map(Vec::len), Some(2));
    let today = cost["result"]["today"]["monthly_repriced_usd"].as_f64().expect("priced");
    let api = cost["result"]["cloud"][0]["monthly_parts_usd"]["api"].as_f64().expect("an amount");
    assert!((api / today - 1.0).abs() < 0.001, "{api} {today}");
    // Seats of a coding agent have nothing to do with a log of an API: that is said.
    let with_seats = json(&[&["breakeven", "--usage", &log, "--seats", "5"], &LOCAL[..]].concat());
    let warned = |cost: &Value| {
        let warnings = cost["warnings"].as_array().expect("warnings");
        warnings.iter().any(|w| w["id"] == "seats-without-effect")
    };
    assert!(warned(&with_seats) && !warned(&cost), "{}", with_seats["warnings"]);
    // It is repeated from its own document to the same amount.
    let saved = folder.path().join("cost.json");
    std::fs::write(&saved, cost.to_string()).expect("writes");
    let again = json(&["breakeven", "--scenario", &saved.display().to_string()]);
    assert_eq!(again["result"]["cloud"][0]["monthly_usd"], cost["result"]["cloud"][0]["monthly_usd"]);
}

#[test]
fn sessions_of_an_agent_stand_beside_seats() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for n in 0..14 * 24 {
        let at = jiff::Timestamp::from_second(MONDAY + n * 3600).expect("a time");
        let usage = json!({"input_tokens": 500, "cache_read_input_tokens": 20_000, "output_tokens": 400});
        let row = json!({"type": "assistant", "uuid": "u", "sessionId": "s", "timestamp": at.to_string(),
            "message": {"id": format!("m{n}"), "model": "claude-sonnet-4-5-20250929", "usage": usage}});
        let _ = writeln!(text, "{row}");
    }
    std::fs::write(folder.path().join("session.jsonl"), text).expect("writes");
    let sessions = folder.path().display().to_string();
    let ask =
        |people: &str| json(&[&["breakeven", "--usage", &sessions, "--seats", people], &LOCAL[..]].concat());
    let seats = |cost: &Value| -> Vec<(String, f64)> {
        let options = cost["result"]["today"]["options"].as_array().expect("options").clone();
        let seats = options.iter().filter(|o| o["kind"] == "seat");
        seats
            .map(|o| {
                (o["name"].as_str().expect("a name").to_owned(), o["monthly_usd"].as_f64().expect("USD"))
            })
            .collect()
    };
    let one = seats(&ask("1"));
    assert!(one.contains(&("Claude Max 5x, 1 seat".to_owned(), 100.0)), "{one:?}");
    // A team's seats are sold from five on.
    assert!(one.contains(&("Claude Team, standard seat, 5 seats".to_owned(), 125.0)), "{one:?}");
    assert!(seats(&ask("7")).contains(&("Claude Max 5x, 7 seats".to_owned(), 700.0)));
    let shown = freehold(&[&["breakeven", "--usage", &sessions], &LOCAL[..]].concat()).success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(shown.contains("own machine") && shown.contains("Claude Pro, 1 seat: $20"), "{shown}");
}

#[test]
fn what_is_said_by_hand_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let own =
        ["--requests-per-month", "5000", "--peak-requests-per-second", "2", "--cloud", "openai/gpt-5.6-luna"];
    let cost = json(&[&["breakeven", "--usage", &log], &LOCAL[..], &own].concat());
    assert_eq!(cost["inputs"]["need.requests_per_month"]["value"], 5000.0);
    assert_eq!(cost["inputs"]["need.requests_per_month"]["source"]["flag"], "--need.requests-per-month");
    assert!(cost["inputs"].get("need.peak_to_mean").is_none());
    assert_eq!(cost["inputs"]["need.input_tokens"]["source"]["role"], "usage");
    assert_eq!(cost["result"]["cloud"][0]["id"], "openai/gpt-5.6-luna");
}

#[test]
fn sums_fill_what_sums_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut csv = "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_read,usage_output_tokens\n".to_owned();
    for day in 7..21 {
        let _ = writeln!(csv, "2026-09-{day:02},claude-sonnet-4-5-20250929,6000000,3000000,1000000");
    }
    let path = folder.path().join("console.csv");
    std::fs::write(&path, csv).expect("writes");
    let path = path.display().to_string();
    let out = freehold(&[&["breakeven", "--usage", &path, "--json"], &LOCAL[..]].concat()).success();
    let output = out.get_output();
    let cost: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let value = |name: &str| cost["inputs"][name]["value"].as_f64().unwrap_or(f64::NAN);
    assert!((value("need.tokens_per_month") / (1e7 * 730.0 / 24.0) - 1.0).abs() < 1e-9);
    assert!((value("need.input_share") - 0.9).abs() < 1e-9);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the records cannot say how large a request is"), "{said}");
}

#[test]
fn advice_asks_only_what_records_cannot_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let out = freehold(&["advise", "--usage", &log]).code(2);
    let said = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
    assert!(said.contains("--privacy") && !said.contains("--volume"), "{said}");
    let rest = [
        "--privacy",
        "standard",
        "--capability",
        "moderate",
        "--operations",
        "available",
        "--budget",
        "opex",
    ];
    let advice = json(&[&["advise", "--usage", &log], &rest[..]].concat());
    assert_eq!(advice["inputs"]["need.input_tokens"]["source"]["role"], "usage");
}

/// From the samples of others to a memo: what records know is filled in, what they cannot know is said.
#[test]
fn samples_end_in_a_memo() {
    let Some(folder) = super::samples::samples() else { return };
    for (sample, gap) in [
        ("openrouter-activity.csv", None),
        ("anthropic-usage-api.jsonl", Some("a source does not count requests")),
        ("claude-code-dir", Some("they cover less than a whole day")),
    ] {
        let path = folder.join(sample).display().to_string();
        let answers = [
            "--privacy",
            "standard",
            "--volume",
            "variable",
            "--capability",
            "moderate",
            "--operations",
            "available",
            "--budget",
            "opex",
            "--today",
            "2026-11-27",
        ];
        let all = [&["advise", "--usage", &path], &answers[..]].concat();
        let out = freehold(&[&all[..], &["--format", "markdown"]].concat()).success();
        let memo = String::from_utf8_lossy(&out.get_output().stdout).into_owned();
        let said = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
        assert!(
            memo.contains("# Cloud or local") && memo.contains("## What would change it"),
            "{sample}: {memo}"
        );
        assert!(gap.is_none_or(|gap| said.contains(gap)), "{sample}: {said}");
        let document = json(&all);
        let roles = document["inputs"].as_object().expect("inputs").values();
        let filled = roles.filter(|input| input["source"]["role"] == "usage").count();
        assert!(filled >= 1, "{sample}: {document}");
    }
}

#[test]
fn other_documents_are_refused_by_their_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let fit = folder.path().join("fit.json").display().to_string();
    freehold(&["fit", "--hardware", "nvidia-rtx-4090", "-o", &fit]).success();
    let out = freehold(&[&["breakeven", "--usage", &fit], &LOCAL[..]].concat()).code(2);
    assert!(String::from_utf8_lossy(&out.get_output().stderr).contains("of the kind \"fit\""));
}

/// `fit --plan --usage`: rate, tokens, caches, peak and week of the records, the long requests among them.
#[test]
fn a_plan_is_made_for_what_records_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let plan = json(&["fit", "--plan", "--usage", &log, "--model", "qwen3-8b", "--have", "1x nvidia-l40s"]);
    let need = &plan["result"]["need"];
    let month = 32.0 * 730.0 / 24.0;
    let rate = need["requests_per_second_mean"].as_f64().expect("a rate");
    assert!((rate * 730.0 * 3600.0 / month - 1.0).abs() < 0.01, "{rate}");
    assert_eq!(need["repeated_share"], 0.25);
    let peak = need["requests_per_second_peak"].as_f64().expect("a rate") / rate;
    assert!((peak - 9.0 * 24.0 / 32.0).abs() < 0.05, "{peak}");
    assert_eq!(plan["inputs"]["need.requests_per_month"]["source"]["role"], "usage");
    // The week says how much is free when.
    let owned = &plan["result"]["owned"][0];
    let free: Vec<f64> = serde_json::from_value(owned["free_by_hour"].clone()).expect("168 shares");
    assert_eq!(free.len(), 168);
    assert!(free[12] < free[11] && free[12] >= owned["free_at_peak"].as_f64().expect("a share") - 1e-9);
    // Two models, one plan: that is said.
    let said = plan["warnings"].as_array().expect("a list").iter();
    let said: Vec<&str> =
        said.filter(|w| w["id"] == "usage-several-models").filter_map(|w| w["message"].as_str()).collect();
    assert!(said.len() == 1 && said[0].contains("--replace"), "{said:?}");
}

#[test]
fn a_plan_is_made_for_long_requests_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for n in 0..14 * 24 * 5 {
        let prompt = if n % 10 == 0 { 24_000 } else { 1_000 };
        let row = json!({"id": n.to_string(), "model": "claude-sonnet-4-5-20250929", "created": MONDAY + n * 720,
            "usage": {"prompt_tokens": prompt, "completion_tokens": 300}});
        let _ = writeln!(text, "{row}");
    }
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, text).expect("writes");
    let log = log.display().to_string();
    let plan = json(&["fit", "--plan", "--usage", &log, "--model", "qwen3-8b"]);
    let need = &plan["result"]["need"];
    assert!((need["input_tokens"].as_f64().expect("a number") / 3_300.0 - 1.0).abs() < 0.01, "{need}");
    assert!((need["input_tokens_p95"].as_f64().expect("a number") / 24_000.0 - 1.0).abs() < 0.05, "{need}");
}

/// Each recorded model is a need of its own, on the open model that takes its place.
#[test]
fn models_of_a_log_are_planned_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let ask =
        ["fit", "--plan", "--usage", &log, "--model", "qwen3-32b", "--replace", "gpt-5.6-luna=qwen3-8b"];
    let plan = json(&ask);
    assert_eq!(plan["inputs"]["need.name"]["value"], "claude-sonnet-4-5-20250929");
    let parts = plan["result"]["together"][0]["parts"].as_array().expect("parts").clone();
    let of = |model: &str| parts.iter().find(|p| p["model"] == model).expect("a part")["needs"].clone();
    assert_eq!(of("qwen3-8b"), "gpt-5.6-luna");
    assert_eq!(of("qwen3-32b"), "claude-sonnet-4-5-20250929");
    let refused = |args: &[&str]| {
        let out = freehold(&[&["fit", "--plan", "--usage", &log], args].concat()).code(2);
        String::from_utf8_lossy(&out.get_output().stderr).into_owned()
    };
    let text = refused(&["--replace", "gpt-5.6-lune=qwen3-8b"]);
    assert!(text.contains("gpt-5.6-luna"), "{text}");
    let text = refused(&["--replace", "gpt-5.6-luna=qwen3-8"]);
    assert!(text.contains("did you mean qwen3-8b"), "{text}");
    let text = refused(&["--replace", "gpt-5.6-luna=qwen3-8b"]);
    assert!(text.contains("takes the place of claude-sonnet-4-5-20250929 ("), "{text}");
    let text = refused(&["--replace", "qwen3-8b"]);
    assert!(text.contains("RECORDED=MODEL"), "{text}");
    let text = refused(&["--model", "a", "--replace", "gpt-5.6-luna=qwen3-8b", "--requests-per-month", "5"]);
    assert!(text.contains("need.requests_per_month"), "{text}");
}

/// A gateway in front of one's own servers names open models: they are planned as they are.
#[test]
fn open_models_in_a_log_need_not_be_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for n in 0..14 * 24 {
        let model = if n % 4 == 0 { "meta-llama/Llama-3.3-70B-Instruct" } else { "Qwen/Qwen3-8B" };
        let row = json!({"id": n.to_string(), "model": model, "created": MONDAY + n * 3600,
            "usage": {"prompt_tokens": 900, "completion_tokens": 120}});
        let _ = writeln!(text, "{row}");
    }
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, text).expect("writes");
    let plan = json(&["fit", "--plan", "--usage", &log.display().to_string()]);
    let parts = plan["result"]["together"][0]["parts"].as_array().expect("parts").clone();
    let models: Vec<&str> = parts.iter().filter_map(|p| p["model"].as_str()).collect();
    assert_eq!(models, ["llama-3.3-70b-instruct", "qwen3-8b"]);
}
