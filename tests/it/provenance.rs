//! Where a number came from is typed and true: measured paths resolve in their own document, what the
//! program chose is never the user's, and the command a document prints makes the same inputs again.

use crate::run::Sandbox;
use freehold::document::Document;
use freehold::document::repeat::command;
use serde_json::Value;

const BENCH: &str = include_str!("../fixtures/bench/smollm2-on-a-processor.json");

/// The value at `result.targets[0].tokens.input`.
fn at<'v>(document: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(document, |value, step| {
        let (name, rest) = step.split_once('[').map_or((step, ""), |(n, r)| (n, r));
        let value = value.get(name)?;
        rest.split('[')
            .filter(|i| !i.is_empty())
            .try_fold(value, |v, i| v.get(i.trim_end_matches(']').parse::<usize>().ok()?))
    })
}

/// The fixture as measured on a card, with watts, levels and an API beside it.
fn measured_on_a_card() -> Value {
    let mut bench: Value = serde_json::from_str(BENCH).expect("JSON");
    let mut local = bench["result"]["targets"][0].clone();
    local["model"] = "llama-3.1-8b-instruct-Q4_K_M.gguf".into();
    local["engine"]["device"] = "NVIDIA GeForce RTX 4090".into();
    local["engine"]["hardware"] = "nvidia-rtx-4090".into();
    local["engine"]["gpu_layers"] = 33.into();
    local["metrics"]["decode_tps"]["median"] = 120.0.into();
    local["metrics"]["prefill_tps"]["median"] = 4000.0.into();
    local["energy"] = serde_json::json!({
        "valid": true, "origin": "nvml-counter", "idle_watts": 21.0, "busy_watts": 310.0,
        "request_j": {"n": 0}, "output_token_j": {"n": 0}, "request_net_j": {"n": 0},
    });
    local["tokens"]["reasoning"] = 4.0.into();
    local["failures"] = 1.into();
    let mut api = local.clone();
    api["id"] = "openai:gpt".into();
    api["kind"] = "api".into();
    api["model"] = "gpt-5.4-mini-2026-03-17".into();
    api["engine"] = Value::Null;
    api["energy"] = Value::Null;
    api["tokens"]["input"] = 75.0.into();
    bench["result"]["targets"] = vec![local, api].into();
    bench
}

fn check_measured(document: &Value, bench: &Value, at_least: usize) {
    let mut seen = 0;
    for (name, input) in document["inputs"].as_object().expect("inputs") {
        if input["source"]["kind"] != "measured" {
            continue;
        }
        seen += 1;
        let path = input["source"]["path"].as_str().expect("a path");
        let there = at(bench, path).unwrap_or_else(|| panic!("{name}: nothing stands at {path}"));
        if input["source"]["derived"].is_null() && there.is_number() {
            assert_eq!(there.as_f64(), input["value"].as_f64(), "{name} at {path}");
        }
    }
    assert!(seen >= at_least, "{seen} measured inputs: {document:#}");
}

#[test]
fn measured_paths_resolve_in_their_own_document() {
    let sandbox = Sandbox::new();
    let bench = measured_on_a_card();
    sandbox.write("bench.json", &bench.to_string());
    let common = ["breakeven", "--measured", "bench.json", "--requests-per-month", "50000", "--json"];
    let run = |more: &[&str]| sandbox.run(&[&common[..], more].concat()).json();
    check_measured(&run(&["--local.purchase-usd", "2500"]), &bench, 7);
    check_measured(&run(&["--hardware", "nvidia-rtx-4090"]), &bench, 7);

    // Of a file whose name says nothing, taken on the user's word.
    let mut unnamed = bench.clone();
    for key in ["device", "hardware"] {
        unnamed["result"]["targets"][0]["engine"][key] = Value::Null;
    }
    unnamed["result"]["targets"][0]["model"] = "mine.gguf".into();
    sandbox.write("bench.json", &unnamed.to_string());
    let word = ["--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct", "--same-as-measured"];
    check_measured(&run(&word), &unnamed, 7);
}

#[test]
fn what_the_program_chose_is_never_the_users() {
    let sandbox = Sandbox::new();
    let d = sandbox
        .run(&[
            "breakeven",
            "--json",
            "--requests-per-month",
            "1e6",
            "--input-tokens",
            "1000",
            "--output-tokens",
            "300",
            "--cloud",
            "openai/gpt-5.4-mini-2026-03-17",
            "--hardware",
            "nvidia-l40s",
            "--model",
            "gpt-oss-20b",
        ])
        .json();
    let (mut user, mut comparators) = (0, 0);
    for (name, input) in d["inputs"].as_object().expect("inputs") {
        let is_user = input["source"]["kind"] == "user";
        user += u32::from(is_user);
        if name.starts_with("comparator.") && ["model", "hardware"].iter().any(|k| name.ends_with(k)) {
            comparators += 1;
            assert!(!is_user || name.ends_with("model"), "{name}: {input}");
        }
    }
    assert_eq!(user, 6 + 1, "the flags, and the model again on the rented card: {:#}", d["inputs"]);
    assert!(comparators >= 2, "{:#}", d["inputs"]);
}

/// Run as printed through a shell, the command of a document makes a document with the same inputs.
#[test]
fn the_printed_command_makes_the_same_inputs() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("bench results")).expect("a folder");
    sandbox.write("bench results/it's one.json", &measured_on_a_card().to_string());
    sandbox.write(
        "a plan $HOME.toml",
        "[need]\nrequests_per_month = { low = 1e5, likely = 2e5, high = 5e5 }\ninput_tokens = 900\noutput_tokens = 200\n\
         [[cloud]]\nname = \"our api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
         [[cloud.change]]\nfrom = \"2027-06-01\"\ninput_usd_per_mtok = 2\n\
         [[local]]\nhardware = \"nvidia-rtx-4090\"\nmodel = \"llama-3.1-8b-instruct\"\n[[local]]\nname = \"box\"\npurchase_usd = 3000\nunits = 1\n",
    );
    let runs: &[&[&str]] = &[
        &["breakeven", "--scenario", "a plan $HOME.toml"],
        &[
            "breakeven",
            "--scenario",
            "a plan $HOME.toml",
            "--local.usd-per-kwh",
            "0.2:0.3:0.4",
            "--seed",
            "7",
            "--draws",
            "500",
        ],
        &[
            "breakeven",
            "--measured",
            "bench results/it's one.json",
            "--requests-per-month",
            "50000",
            "--hardware",
            "nvidia-rtx-4090",
        ],
        &[
            "breakeven",
            "--profile",
            "legal",
            "--cloud",
            "openai/gpt-5.4-mini-2026-03-17",
            "--hardware",
            "nvidia-rtx-4090",
            "--model",
            "llama-3.1-8b-instruct",
            "--today",
            "2026-11-01",
        ],
        &[
            "breakeven",
            "--cloud.name",
            "a; rm -rf $HOME",
            "--cloud.input-usd-per-mtok",
            "1",
            "--cloud.output-usd-per-mtok",
            "2",
            "--cloud.change",
            "{from = \"2027-01-01\", output_usd_per_mtok = 3}",
            "--requests-per-month",
            "20k",
            "--input-tokens",
            "1,000",
            "--output-tokens",
            "300",
            "--local.name",
            "`box`",
            "--local.purchase-usd",
            "900",
            "--units",
            "1",
        ],
        &["advise", "--profile", "legal", "--with", "bursts,offline", "--input-tokens", "1.5k"],
        &[
            "advise",
            "--privacy",
            "standard",
            "--volume",
            "high",
            "--capability",
            "moderate",
            "--operations",
            "limited",
            "--budget",
            "opex",
        ],
    ];
    for words in runs {
        let text = sandbox.run(&[words, &["--json"][..]].concat()).ok();
        let Ok(document) = Document::parse("x.json", &text) else { panic!("{text}") };
        let line = command(document.kind(), document.inputs());
        let again = sandbox.shell(&format!("{line} --json")).ok();
        let Ok(again) = Document::parse("again.json", &again) else { panic!("{line}: {again}") };
        for (name, input) in document.inputs() {
            let second = again.inputs().get(name).unwrap_or_else(|| panic!("{line}: no {name}"));
            // The day stands in the command now.
            if name != "today" {
                assert_eq!(second, input, "{line}: {name}");
            }
        }
        assert_eq!(document.inputs().len(), again.inputs().len(), "{line}");
    }
}
