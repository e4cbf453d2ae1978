//! `fit --plan` as people call it.

use assert_cmd::Command;
use serde_json::Value;

fn freehold(args: &[&str]) -> std::process::Output {
    let empty = std::env::temp_dir().join("freehold-test-no-data");
    Command::cargo_bin("freehold")
        .expect("built")
        .args(args)
        .env("FREEHOLD_DATA_DIR", &empty)
        .env("FREEHOLD_CONFIG_DIR", &empty)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("runs")
}

fn plan(args: &[&str]) -> Value {
    let mut all = vec!["fit", "--plan", "--json", "--today", "2026-11-27"];
    all.extend(args);
    let out = freehold(&all);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

const CHAT: [&str; 10] = [
    "--model",
    "qwen3-8b",
    "--use",
    "chat",
    "--requests-per-month",
    "30M",
    "--input-tokens",
    "600",
    "--output-tokens",
    "60",
];

fn on_h100(more: &[&str]) -> (u64, u64, u64) {
    let mut args = CHAT.to_vec();
    args.extend(["--peak-to-mean", "3", "--hardware", "nvidia-h100-sxm-80gb"]);
    args.extend(more);
    let document = plan(&args);
    let p = &document["result"]["plans"][0];
    let of = |name: &str| p[name].as_u64().expect("a number");
    (of("hosts"), of("replicas"), of("concurrency"))
}

/// The steps by which one workload went from six cards to one, and to one with a spare.
#[test]
fn the_ladder_is_one_command_a_step() {
    let ceiling = ["--local.utilisation-ceiling", "0.7", "--quantisation"];
    let with = |engine: &'static str, format: &'static str, at_once: &'static str| {
        let mut args = ceiling.to_vec();
        args.extend([format, "--local.backend", engine, "--concurrency", at_once]);
        on_h100(&args)
    };
    assert_eq!(with("llama.cpp", "Q4_K_M", "8"), (6, 6, 8));
    assert_eq!(with("vllm", "FP8", "8"), (3, 3, 8));
    assert_eq!(with("vllm", "FP8", "64").0, 1);
    assert_eq!(on_h100(&[]).0, 1);
    assert_eq!(on_h100(&["--must-stay-up"]).0, 2);
}

/// Naming a card leaves open how many of them a computer has, as naming none does: the plan is that of the
/// search among everything, no dearer than with any number that is given, for `breakeven` as well.
#[test]
fn a_card_that_is_named_comes_in_the_number_that_costs_the_least() {
    let need = [
        "--model",
        "llama-3.3-70b-instruct",
        "--requests-per-month",
        "3M",
        "--input-tokens",
        "2000",
        "--output-tokens",
        "500",
    ];
    let with = |more: &[&str]| plan(&[&need, more].concat());
    let first = |document: &Value| document["result"]["plans"][0].clone();
    let total = |plan: &Value| plan["tco_usd"].as_f64().expect("a cost");
    let everything = with(&[]);
    for card in ["nvidia-h100-pcie-80gb", "nvidia-h200-nvl"] {
        let named = with(&["--hardware", card]);
        let (kept, inputs) = (!named["result"]["cheapest"].is_null(), named["inputs"].clone());
        assert!(kept, "{card}: a plan keeps the limits");
        let named = first(&named);
        assert!(inputs.get("local.gpus_per_unit").is_none(), "{card}: nobody gave a number: {inputs}");
        let among = everything["result"]["plans"].as_array().expect("plans");
        let among = among.iter().filter(|p| p["accelerator"] == *card).map(total);
        let least = among.fold(f64::INFINITY, f64::min);
        assert!((total(&named) - least).abs() < 1e-6, "{card}: {least}");
        for count in ["1", "2", "4"] {
            let mut args = vec!["fit", "--plan", "--json", "--today", "2026-11-27"];
            args.extend(need);
            args.extend(["--hardware", card, "--count", count]);
            // No computer takes so many of every card.
            let Ok(given) = serde_json::from_slice::<Value>(&freehold(&args).stdout) else { continue };
            if !given["result"]["cheapest"].is_null() {
                assert!(total(&named) <= total(&first(&given)), "{card} × {count}");
                assert_eq!(given["inputs"]["local.gpus_per_unit"]["source"]["kind"], "user");
            }
        }
        let mut cost = vec!["breakeven", "--json", "--today", "2026-11-27", "--hardware", card];
        cost.extend(need);
        cost.extend(["--cloud", "anthropic/claude-haiku-4-5-20251001"]);
        let out = freehold(&cost);
        let priced: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let number = &priced["inputs"]["local.gpus_per_unit"];
        let hosts = named["hosts"].as_f64().expect("a number");
        let each = named["accelerators"].as_f64().map(|all| all / hosts);
        assert_eq!(number["value"].as_f64(), each, "{card}: {number}");
        assert_eq!(number["source"]["rule"], "plan", "{card}");
    }
}

#[test]
fn a_plan_document_has_the_names_of_its_contract() {
    let document = plan(&CHAT);
    let result = &document["result"];
    let plans = result["plans"].as_array().expect("plans");
    assert!(plans.len() > 20, "{}", plans.len());
    for p in plans {
        for name in [
            "host",
            "hosts",
            "accelerator",
            "accelerators",
            "backend",
            "quantisation",
            "kv_type",
            "tensor_parallel",
            "replicas",
            "concurrency",
            "requests_per_second",
            "binds",
            "spare_hosts",
            "watts",
            "capex_usd",
            "monthly_usd",
        ] {
            assert!(!p[name].is_null(), "{name} of {p}");
        }
        for band in ["ttft_ms", "tpot_ms"] {
            let of = |end: &str| p[band][end].as_f64().expect("a number");
            assert!(of("low") <= of("likely") && of("likely") <= of("high"), "{p}");
        }
        // A card is only in a plan with a computer around it.
        assert_eq!(p["bare"], false, "{p}");
    }
    let totals: Vec<f64> = plans.iter().map(|p| p["tco_usd"].as_f64().expect("a total")).collect();
    assert!(totals.is_sorted(), "the cheapest stands first");
    assert_eq!(result["cheapest"], 0);
    assert!(!result["rejected"].as_array().expect("a list").is_empty());
}

#[test]
fn limits_that_nothing_keeps_give_the_nearest_plan_and_what_it_misses() {
    let mut args = CHAT.to_vec();
    args.extend(["--tpot-ms", "0.01"]);
    let document = plan(&args);
    let first = &document["result"]["plans"][0];
    assert_eq!(first["misses"][0]["limit"], "tpot");
    assert!(first["misses"][0]["ms"].as_f64() > Some(0.01));
    assert_eq!(document["result"]["cheapest"], Value::Null);
}

#[test]
fn what_is_owned_carries_a_second_need_on_what_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.toml");
    std::fs::write(
        &file,
        "[[need]]\nuse = \"rag\"\nrequests_per_month = 400000\ninput_tokens = 3000\noutput_tokens = 300\n\
         [[need]]\nuse = \"chat\"\nrequests_per_month = 2000000\ninput_tokens = 600\noutput_tokens = 60\n\
         [[local]]\nmodel = \"llama-3.3-70b-instruct\"\n[[local]]\nmodel = \"qwen3-8b\"\n",
    )
    .expect("written");
    let document = plan(&["--scenario", file.to_str().expect("UTF-8"), "--have", "4x nvidia-h100-sxm-80gb"]);
    let owned = document["result"]["owned"].as_array().expect("a list");
    assert_eq!(owned.len(), 2);
    assert_eq!(owned[0]["machines"][0]["free_accelerators"], 2);
    assert_eq!(owned[1]["machines"][0]["free_accelerators"], 1);
    assert!(!document["result"]["together"].as_array().expect("a list").is_empty());
}

/// The cost engine charges for the machines, people and volume that the plan names.
#[test]
fn what_a_plan_names_is_what_it_costs() {
    let batch = [
        "--model",
        "qwen3-8b",
        "--use",
        "batch",
        "--requests-per-month",
        "30M",
        "--input-tokens",
        "600",
        "--output-tokens",
        "180",
    ];
    let stays = [&CHAT[..], &["--must-stay-up"]].concat();
    let rented = [&CHAT[..], &["--local.kind", "rented"]].concat();
    for args in [&batch[..], &CHAT, &stays, &rented] {
        let document = plan(args);
        let first = &document["result"]["plans"][0];
        let of = |name: &str| first[name].as_f64().expect("a number");
        let term = |name: &str| {
            let terms = first["terms"].as_array().expect("terms").iter();
            terms.filter(|t| t["name"] == name).find_map(|t| t["value"].as_f64())
        };
        if let Some(price) = term("host.price") {
            let install = term("host.install").unwrap_or(0.0);
            assert!((of("capex_usd") - of("hosts") * (price + install)).abs() < 1.0, "{args:?}: {first}");
        }
        let rate = document["inputs"]
            .as_object()
            .expect("inputs")
            .iter()
            .find(|(name, _)| name.contains("staff_usd_per_hour"));
        let rate = rate.and_then(|(_, input)| input["value"].as_f64()).unwrap_or(60.0);
        let staff = first["staff_hours_per_month"]["likely"].as_f64().expect("hours") * rate;
        assert!(of("monthly_usd") >= staff - 0.01, "{args:?}: {} of {staff}", of("monthly_usd"));
    }
}

/// `local.hosts` of a scenario is what `--have` is on a command line.
#[test]
fn what_is_owned_stands_in_the_scenario_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bank.toml");
    let need =
        "[need]\nuse = \"rag\"\nrequests_per_month = 400000\ninput_tokens = 3000\noutput_tokens = 300\n";
    let local = "[[local]]\nmodel = \"llama-3.3-70b-instruct\"\nhosts = [\"4x nvidia-h100-sxm-80gb\"]\n";
    std::fs::write(&file, format!("{need}{local}")).expect("written");
    let scenario = file.to_str().expect("UTF-8");
    let document = plan(&["--scenario", scenario]);
    let plain = plan(&[
        "--model",
        "llama-3.3-70b-instruct",
        "--use",
        "rag",
        "--requests-per-month",
        "400k",
        "--input-tokens",
        "3000",
        "--output-tokens",
        "300",
        "--have",
        "4x nvidia-h100-sxm-80gb",
    ]);
    assert_eq!(document["result"]["owned"], plain["result"]["owned"]);
    assert_eq!(document["result"]["owned"][0]["machines"][0]["free_accelerators"], 2);
    // In a calculation the same hardware costs nothing to buy, and there is no more of it.
    let out = freehold(&[
        "breakeven",
        "--json",
        "--today",
        "2026-11-27",
        "--scenario",
        scenario,
        "--cloud",
        "anthropic/claude-haiku-4-5-20251001",
        "--draws",
        "1",
    ]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let cost: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(cost["result"]["local"][0]["capex_usd"], 0.0);
    assert_eq!(cost["inputs"]["local.hosts"]["value"][0], "4x nvidia-h100-sxm-80gb");
    assert_eq!(cost["result"]["local"][0]["accelerators"].as_u64().unwrap_or(4), 4);
    for (hosts, part) in [
        ("[\"4x nvidia-h100-sxm-80g\"]", "nvidia-h100-sxm-80gb"),
        ("[\"0x nvidia-rtx-4090\"]", "1 to 4096"),
        ("[\"2x nvidia-h100-sxm-80gb@desktop-am5-1x\"]", "hardware-db/hosts.toml:"),
        ("[]", "local.hosts"),
        ("[7]", "local.hosts"),
    ] {
        std::fs::write(&file, format!("{need}[[local]]\nmodel = \"qwen3-8b\"\nhosts = {hosts}\n"))
            .expect("written");
        for command in
            [&["fit", "--plan"][..], &["breakeven", "--cloud", "anthropic/claude-haiku-4-5-20251001"]]
        {
            let out = freehold(&[command, &["--scenario", scenario]].concat());
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.code() == Some(2) && text.contains(part), "{hosts}: {text}");
        }
    }
}

#[test]
fn wrong_questions_say_what_is_missing() {
    let error = |args: &[&str]| {
        let mut all = vec!["fit", "--plan"];
        all.extend(args);
        let out = freehold(&all);
        assert_eq!(out.status.code(), Some(2));
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let text = error(&["--model", "qwen3-8b"]);
    assert!(text.contains("need.requests_per_month") && text.contains("need.input_tokens"), "{text}");
    // A need without a shape: the two questions that decide, and no third.
    let text = error(&["--model", "qwen3-8b", "--requests-per-month", "1000"]);
    assert!(text.contains("(--input-tokens)") && text.contains("(--output-tokens)"), "{text}");
    assert!(!text.contains("requests_per_month") && text.contains("no plan can be made"), "{text}");
    // A computer that cannot carry the cards: why, and where it says so.
    for (have, why) in [
        ("4x nvidia-h100-sxm-80gb@desktop-am5-1x", "slots of another form"),
        ("8x nvidia-rtx-4090@hgx", "no host like"),
        ("1x nvidia-l40s@desktop-am5-1x", "desktop-am5-1x"),
    ] {
        let text = error(&[&CHAT[..], &["--have", have]].concat());
        assert!(text.contains(why), "{have}: {text}");
        assert!(!why.contains("form") || text.contains("hardware-db/hosts.toml:"), "{have}: {text}");
    }
    let mut args = CHAT.to_vec();
    args.extend(["--have", "4x nvidia-h100-sxm-80g"]);
    let text = error(&args);
    assert!(text.contains("did you mean nvidia-h100-sxm-80gb"), "{text}");
    let text = error(&[
        "--hardware",
        "nvidia-rtx-4090",
        "--model",
        "deepseek-r1",
        "--requests-per-month",
        "1000",
        "--input-tokens",
        "10",
        "--output-tokens",
        "10",
    ]);
    assert!(text.contains("cannot hold"), "{text}");
}

const BANK: [&str; 12] = [
    "--model",
    "llama-3.3-70b-instruct",
    "--use",
    "rag",
    "--requests-per-month",
    "400k",
    "--input-tokens",
    "3000",
    "--output-tokens",
    "300",
    "--peak-to-mean",
    "4",
];

/// What is there needs no price, and is named as people name it.
#[test]
fn machines_that_nobody_prices_can_be_there() {
    for (have, accelerators) in [
        ("4x nvidia-h100-sxm-80gb@dgx", 4),
        ("2x dgx-h100", 16),
        ("8x amd-mi300x@oam", 8),
        ("14x nvidia-rtx-3090@rig-epyc-7x", 14),
    ] {
        let document = plan(&[&BANK[..], &["--have", have]].concat());
        let machine = &document["result"]["owned"][0]["machines"][0];
        assert_eq!(machine["accelerators"], accelerators, "{have}: {machine}");
    }
    let out =
        freehold(&[&["fit", "--plan"], &BANK[..], &["--have", "9x nvidia-rtx-3090@rig-epyc-7x"]].concat());
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("do not fill machines of 7"));
}

/// A module without a board that is sold is no order; who asks about the module itself gets its plan.
#[test]
fn a_card_without_a_computer_is_not_ordered() {
    let mi300x = [&CHAT[..], &["--hardware", "amd-mi300x"]].concat();
    for more in [&[][..], &["--count", "8"]] {
        let out = freehold(&[&["fit", "--plan"], &mi300x[..], more].concat());
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{text}");
        assert!(
            text.contains("`oam-mi300x` (hardware-db/hosts.toml:") && text.contains("no price"),
            "{text}"
        );
    }
    assert_eq!(plan(&[&mi300x[..], &["--concurrency", "32"]].concat())["result"]["plans"][0]["bare"], true);
    // A complete machine that nobody prices, and with a price that somebody says.
    let dgx = [&CHAT[..], &["--hardware", "dgx-h100"]].concat();
    let out = freehold(&[&["fit", "--plan"], &dgx[..]].concat());
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("`dgx-h100` (hardware-db/machines.toml:") && text.contains("no price"), "{text}");
    let priced = plan(&[&dgx[..], &["--local.purchase-usd", "300000"]].concat());
    assert_eq!(priced["result"]["plans"][0]["capex_usd"], 300_000.0);
}

/// Work that can wait fills the quiet hours and has no part in the peak.
#[test]
fn what_can_wait_is_not_in_the_peak() {
    let rates = |share: &str| {
        let need = plan(&[&BANK[..], &["--batch-share", share]].concat())["result"]["need"].clone();
        let rate = |name: &str| need[name].as_f64().expect("a rate");
        (rate("requests_per_second_mean"), rate("requests_per_second_peak"))
    };
    let (mean, peak) = rates("0");
    assert!((peak / mean - 4.0).abs() < 1e-9);
    let (_, half) = rates("0.5");
    assert!((half / mean - 2.0).abs() < 1e-9, "{half}");
    // All of it together is still the mean.
    let (_, most) = rates("0.9");
    assert!((most / mean - 1.0).abs() < 1e-9, "{most}");
}

/// Limits that nothing keeps: what is ordered then serves more than one request at a time.
#[test]
fn the_nearest_plan_is_one_that_somebody_would_build() {
    let document = plan(&[
        "--model",
        "llama-3.1-405b-instruct",
        "--use",
        "chat",
        "--requests-per-month",
        "1M",
        "--input-tokens",
        "4000",
        "--output-tokens",
        "600",
        "--ttft-ms",
        "50",
        "--tpot-ms",
        "5",
    ]);
    let nearest = &document["result"]["plans"][0];
    assert!(nearest["concurrency"].as_u64() > Some(1) && nearest["hosts"].as_u64() < Some(10), "{nearest}");
    for missed in nearest["misses"].as_array().expect("a list") {
        let of = |name: &str| missed[name].as_f64().expect("ms");
        assert!(of("limit_ms") < of("alone_ms") && of("alone_ms") <= of("ms"), "{missed}");
    }
}

/// Several needs: what each asked is in the document, the machines are named with their cards, and cost
/// what the cost engine says.
#[test]
fn several_needs_are_echoed_and_ordered_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.toml");
    let text = "[[need]]\nname = \"support\"\nuse = \"chat\"\nrequests_per_month = 400000\ninput_tokens = 1800\n\
                output_tokens = 250\n[[need]]\nname = \"coding\"\nuse = \"agent\"\nrequests_per_month = 200000\n\
                input_tokens = 30000\noutput_tokens = 500\ncached_input_share = 0.9\n[[local]]\n\
                model = \"qwen3-32b\"\n[[local]]\nmodel = \"gpt-oss-120b\"\n";
    std::fs::write(&file, text).expect("written");
    let scenario = file.to_str().expect("UTF-8");
    let document = plan(&["--scenario", scenario]);
    let value = |name: &str| document["inputs"][name]["value"].clone();
    assert_eq!(value("need.requests_per_month"), 400_000.0);
    assert_eq!(value("need.2.requests_per_month"), 200_000.0);
    assert_eq!(value("need.2.cached_input_share"), 0.9);
    assert_eq!(value("need.2.name"), "coding");
    assert_eq!(value("local.2.model"), "gpt-oss-120b");
    let result = &document["result"];
    assert_eq!(result["needs"][1]["model"], "gpt-oss-120b");
    let rows = result["together"].as_array().expect("a list");
    assert!(rows.len() > 3);
    for row in rows {
        let of = |name: &str| row[name].as_f64().expect("a number");
        assert!(row["name"].as_str().expect("a name").contains(row["host_name"].as_str().expect("a name")));
        assert!(!row["accelerator_name"].as_str().expect("a name").is_empty());
        // Running it for the horizon and buying it, less what it still fetches.
        let all = of("capex_usd") + 36.0 * of("monthly_usd");
        assert!(of("total_usd") < all && of("total_usd") > 0.6 * all, "{row}");
    }
    let page = freehold(&["fit", "--plan", "--scenario", scenario, "--today", "2026-11-27"]);
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("A plan for 2 needs") && page.contains("Coding (gpt-oss-120b)"), "{page}");
}

/// Four bits that the maker did not release are said to lose quality, beside the plan without them.
#[test]
fn few_bits_are_said_to_lose_quality() {
    let args = ["--model", "gemma-3-27b-it", "--use", "chat", "--requests-per-month", "50000"];
    let args = [&args[..], &["--input-tokens", "1000", "--output-tokens", "300"]].concat();
    let document = plan(&args);
    let plans = document["result"]["plans"].as_array().expect("plans");
    for p in plans {
        let four = ["Q4_K_M", "Q6_K", "MLX-4bit", "W4A16", "NVFP4"]
            .contains(&p["quantisation"].as_str().expect("a format"));
        assert_eq!(p["few_bits"], four, "{}", p["quantisation"]);
    }
    let page = freehold(&[&["fit", "--plan", "--today", "2026-11-27"], &args[..]].concat());
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert_eq!(page.contains("did not release it"), plans[0]["few_bits"] == true, "{page}");
}

/// A card for a desk takes as little looking after where it is rented as where it is bought.
#[test]
fn rented_desk_cards_take_the_hours_of_an_office() {
    let hours = |card: &str, kind: &str| {
        let document = plan(&[&CHAT[..], &["--hardware", card, "--local.kind", kind]].concat());
        let inputs = document["inputs"].as_object().expect("inputs");
        let staff = &document["result"]["plans"][0]["staff_hours_per_month"]["likely"];
        assert!(!inputs.is_empty());
        (staff.as_f64().expect("hours"), document["result"]["plans"][0]["hosts"].as_u64().expect("hosts"))
    };
    let (bought, n) = hours("nvidia-rtx-4090", "owned");
    assert!((bought - 4.0 * (1.0 + 0.1 * (n as f64 - 1.0))).abs() < 1e-9);
    let (rented, n) = hours("vast-cheapest-rtx-5090-on-demand", "rented");
    assert!((rented - 3.2 * (1.0 + 0.1 * (n as f64 - 1.0))).abs() < 1e-9, "{rented} for {n}");
}

/// A limit on the whole answer is one: what breaks it is no plan, and it can be what binds.
#[test]
fn a_limit_on_the_whole_answer_is_kept() {
    let args = [&BANK[..], &["--e2e-ms", "9000"]].concat();
    let document = plan(&args);
    assert_eq!(document["result"]["need"]["e2e_limit_ms"], 9000.0);
    for p in document["result"]["plans"].as_array().expect("plans") {
        let of = |name: &str| p[name].as_f64().expect("ms");
        let whole = of("ttft_p95_ms") + 300.0 * of("tpot_p95_ms");
        assert!(whole <= 9000.0 + 1e-6, "{whole}: {p}");
    }
    assert!(document["result"]["plans"][0]["binds"].as_array().expect("words").contains(&"e2e".into()));
}

/// The first plan's `name`, as a number.
fn of_first(document: &Value, name: &str) -> f64 {
    document["result"]["plans"][0][name].as_f64().unwrap_or_else(|| panic!("{name} of the first plan"))
}

/// Where what is there carries nearly all, what is ordered is for the rest.
#[test]
fn what_is_there_is_added_to_and_not_bought_anew() {
    let mut args = BANK[..10].to_vec();
    args[5] = "4500k";
    args.extend(["--have", "4x nvidia-h100-sxm-80gb"]);
    let document = plan(&args);
    let result = &document["result"];
    let of = |name: &str| result["owned"][0][name].as_f64().expect("a rate");
    let (short, asked) = (of("short_requests_per_second"), of("requests_per_second_asked"));
    assert!(short > 0.0 && short < 0.1 * asked, "{short} of {asked}");
    let share = result["planned_share"].as_f64().expect("a share");
    assert!((share - short / asked).abs() < 1e-9, "{share}");
    assert!(of_first(&document, "requests_per_second") >= short);
    let all_new = result["all_new"]["tco_usd"].as_f64().expect("a total");
    assert!(of_first(&document, "tco_usd") < 0.5 * all_new, "{all_new}");
    // The need is all of it, and so are the inputs.
    assert!((result["need"]["requests_per_second_peak"].as_f64().expect("a rate") - asked).abs() < 1e-9);
    assert_eq!(document["inputs"]["need.requests_per_month"]["value"], 4_500_000.0);
    let page = freehold(&[&["fit", "--plan", "--today", "2026-11-27"], &args[..]].concat());
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(page.contains("To add to what is there") && page.contains("Bought new, all of it"), "{page}");
    // What suffices is not added to, and what carries nothing is no reason to plan for less.
    for have in ["64x nvidia-h100-sxm-80gb", "nvidia-rtx-3060-12gb"] {
        let at = args.len() - 1;
        args[at] = have;
        let document = plan(&args);
        assert_eq!(document["result"]["planned_share"], Value::Null, "{have}");
    }
}

/// Several needs on one model: the machines for the rest, and weights of few bits only where there are no
/// others.
#[test]
fn few_bits_are_not_ordered_for_several_needs_without_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.toml");
    let text = "[[need]]\nname = \"chat\"\nuse = \"chat\"\nrequests_per_month = 400000\ninput_tokens = 1500\n\
                output_tokens = 250\n[[need]]\nname = \"nightly\"\nuse = \"batch\"\nrequests_per_month = 3000000\n\
                input_tokens = 1000\noutput_tokens = 200\n[[local]]\nmodel = \"qwen3-32b\"\n";
    std::fs::write(&file, text).expect("written");
    let scenario = file.to_str().expect("UTF-8");
    let document = plan(&["--scenario", scenario]);
    let result = &document["result"];
    let rows = result["together"].as_array().expect("rows");
    assert!(rows.iter().all(|r| r["few_bits"] == false && r["parts"][0]["few_bits"] == false), "{rows:?}");
    let few = &result["together_in_few_bits"];
    assert!(few["few_bits"] == true && few["total_usd"].as_f64() < rows[0]["total_usd"].as_f64(), "{few}");
    let page = freehold(&["fit", "--plan", "--scenario", scenario, "--today", "2026-11-27"]);
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    let words: Vec<&str> = page.split_whitespace().collect();
    assert!(words.join(" ").contains("They lose some quality"), "{page}");
    // Where it is asked for, it is ordered, and said to lose quality.
    let asked = plan(&["--scenario", scenario, "--quantisation", "NVFP4"]);
    assert_eq!(asked["result"]["together"][0]["few_bits"], true);
    // What is not counted is said.
    std::fs::write(&file, text.replace("[[local]]", "growth_per_month = 0.1\n[[local]]")).expect("written");
    let growing = plan(&["--scenario", scenario])["warnings"].to_string();
    assert!(
        growing.contains("growth is not counted") && !document["warnings"].to_string().contains("growth")
    );
    std::fs::write(&file, text).expect("written");
    // For what is missing less is ordered than for all of it.
    let rest = plan(&["--scenario", scenario, "--quantisation", "FP8", "--have", "1x nvidia-l40s"]);
    let share = rest["result"]["planned_share"].as_f64();
    assert!(share.is_none_or(|share| share > 0.0 && share < 1.0), "{share:?}");
    let total = |document: &Value| document["result"]["together"][0]["total_usd"].as_f64().expect("a total");
    assert!(total(&rest) <= total(&plan(&["--scenario", scenario, "--quantisation", "FP8"])));
}

/// Where the cheapest plan has few bits anyway, one with few bits and lower cost does not stand apart.
#[test]
fn plans_of_few_bits_rank_together_where_one_is_first() {
    let document = plan(&[
        "--model",
        "llama-3.1-405b-instruct",
        "--use",
        "batch",
        "--requests-per-month",
        "1M",
        "--input-tokens",
        "2000",
        "--output-tokens",
        "500",
    ]);
    let result = &document["result"];
    let first = &result["plans"][0];
    let apart = result["in_four_bits"]["tco_usd"].as_f64();
    assert!(
        first["few_bits"] == false || apart.is_none_or(|apart| apart >= of_first(&document, "tco_usd")),
        "{apart:?} beside {first}"
    );
}

const SMALL: [&str; 10] = [
    "--model",
    "llama-3.1-8b-instruct",
    "--use",
    "chat",
    "--requests-per-month",
    "3M",
    "--input-tokens",
    "1000",
    "--output-tokens",
    "200",
];

/// What is ordered is what is paid for, and its parts add up to the total, whatever the user says of costs.
#[test]
fn what_is_paid_and_when_adds_up_to_the_total() {
    let with = |more: &[&str]| plan(&[&SMALL[..], more].concat());
    let (mut bought_later, mut delivered) = (false, 0.0);
    for more in [
        &[][..],
        &["--local.spare-units", "1"],
        &["--local.tokeniser-ratio", "2"],
        &["--local.retry-share", "1"],
        &["--local.powered-hours-per-month", "100"],
        &["--local.kind", "financed"],
        &["--local.kind", "rented"],
        &["--local.one-off-usd", "5000"],
        &["--local.delivery-months", "3"],
        &["--local.life-months", "12"],
        &["--growth-per-month", "0.1", "--horizon-months", "24"],
    ] {
        let document = with(more);
        for p in document["result"]["plans"].as_array().expect("plans") {
            let of = |name: &str| p[name].as_f64().expect("a number");
            let later = p["later"].as_array().expect("a list");
            let later: f64 = later.iter().filter_map(|l| l["usd"].as_f64()).sum();
            let sum = of("upfront_usd") + later + of("running_usd") - of("left_usd");
            assert!(
                (sum - of("tco_usd")).abs() < 0.01 * of("tco_usd").abs().max(1.0) / 100.0,
                "{more:?}: {p}"
            );
        }
        let first = &document["result"]["plans"][0];
        let price = first["terms"].as_array().and_then(|terms| {
            let of = |name: &str| terms.iter().find(|t| t["name"] == name)?["value"].as_f64();
            Some(of("host.price")? + of("host.install").unwrap_or(0.0))
        });
        if let Some(price) = price {
            let paid = of_first(&document, "hosts") * price;
            assert!((of_first(&document, "capex_usd") - paid).abs() < 1.0, "{more:?}: {first}");
        }
        bought_later |= first["later"].as_array().is_some_and(|l| !l.is_empty());
        delivered += of_first(&document, "upfront_usd");
    }
    assert!(bought_later && delivered > 0.0);
    let of = |more: &[&str], name: &str| of_first(&with(more), name);
    assert_eq!(with(&["--local.spare-units", "1"])["result"]["plans"][0]["spare_hosts"], 1);
    assert!(of(&["--local.kind", "financed"], "upfront_usd") < of(&[], "upfront_usd"));
    let once = of(&["--local.one-off-usd", "5000"], "upfront_usd") - of(&[], "upfront_usd");
    assert!((once - 5000.0).abs() < 1e-6, "{once}");
    // Nothing recurs before it works.
    let months = of(&["--local.delivery-months", "3"], "running_usd") / of(&[], "monthly_usd");
    assert!((months - 33.0).abs() < 0.01, "{months}");
}

/// Keys that change nothing about a plan are refused, and those that name nothing are, before the search.
#[test]
fn keys_without_effect_on_a_plan_are_refused() {
    for more in [
        &["--local.decode-tokens-per-second", "50"][..],
        &["--local.prefill-tokens-per-second", "5000"],
        &["--local.name", "mine"],
        &["--tier", "2"],
        &["--cache-write-input-share", "0.5"],
        &["--local.overlap-months", "2"],
        &["--local.prefill-free"],
        &["--local.charge-input-as-output"],
        &["--local.same-as-measured"],
        &["--finance.discount-rate-per-year", "0.1"],
        &["--start", "2027-01"],
        &["--local.gpus-per-unit", "2"],
        &["--count", "2"],
        &["--local.tariff", "nosuch"],
    ] {
        let out = freehold(&[&["fit", "--plan"], &SMALL[..], more].concat());
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{more:?}: {text}");
        let key = more[0].trim_start_matches("--");
        assert!(
            text.contains(key) && (text.contains("hint:") || text.contains("freehold db list")),
            "{text}"
        );
    }
    // Other commands read the same scenario, so a plan names what it does not count with.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("speeds.toml");
    let text = "[need]\nuse = \"chat\"\nrequests_per_month = 300000\ninput_tokens = 1000\noutput_tokens = 200\n\
                [[local]]\nmodel = \"qwen3-8b\"\ndecode_tokens_per_second = 50\n";
    std::fs::write(&file, text).expect("written");
    let document = plan(&["--scenario", file.to_str().expect("UTF-8")]);
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("local.decode_tokens_per_second"), "{warnings}");
    // With hardware the number of its accelerators counts.
    let two = [&SMALL[..], &["--hardware", "nvidia-rtx-4090", "--count", "2"]].concat();
    assert_eq!(plan(&two)["result"]["plans"][0]["accelerators"], 2);
}
