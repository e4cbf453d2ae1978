//! `freehold fit` as a user runs it.

use crate::needs;
use assert_cmd::Command;
use serde_json::Value;

fn fit(args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("freehold").expect("built");
    let home = tempfile::tempdir().expect("a folder");
    command.env("FREEHOLD_DATA_DIR", home.path()).env("COLUMNS", "100").arg("fit").args(args).assert()
}

fn json(args: &[&str]) -> Value {
    let out = fit(&[args, &["--json"]].concat()).success();
    serde_json::from_slice(&out.get_output().stdout).expect("JSON")
}

fn row<'a>(document: &'a Value, format: &str) -> &'a Value {
    let rows = document["result"]["rows"].as_array().expect("rows");
    rows.iter().find(|r| r["quantisation"] == format).expect("this format")
}

#[test]
fn a_model_on_a_card_in_every_usual_format() {
    let document = json(&["--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct"]);
    assert_eq!(document["schema"], "freehold.fit/1");
    let (eight, four) = (row(&document, "Q8_0"), row(&document, "Q4_K_M"));
    let decode = |r: &Value| r["decode_tps"]["likely"].as_f64().expect("a speed");
    assert!(decode(four) > decode(eight), "fewer bits are faster");
    for r in [eight, four] {
        let band = &r["decode_tps"];
        assert!(
            band["low"].as_f64() < band["likely"].as_f64() && band["likely"].as_f64() < band["high"].as_f64()
        );
        assert!(band["high"].as_f64() <= r["decode_roof_tps"].as_f64(), "never above the roofline");
        assert_eq!(r["basis"]["kind"], "assumed");
    }
    // 8.03 billion parameters at 8.5 bits, without the input embedding, which stays in main memory.
    let weights = eight["memory"]["weights_bytes"].as_f64().expect("bytes");
    assert!((weights / 7.97e9 - 1.0).abs() < 0.01, "{weights}");
}

#[test]
fn several_cards_hold_what_one_cannot() {
    let model = ["--model", "llama-3.3-70b-instruct", "--quantisation", "Q4_K_M"];
    let one = json(&[&["--hardware", "nvidia-rtx-4090"], &model[..]].concat());
    assert!(one["result"]["rows"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(one["result"]["left_out"][0]["reason"], "too-large");
    let two = json(&[&["--hardware", "nvidia-rtx-4090", "--count", "2"], &model[..]].concat());
    assert_eq!(row(&two, "Q4_K_M")["accelerators"], 2);
}

#[test]
fn a_longer_context_takes_more_memory_and_is_slower() {
    let at = |tokens: &str| {
        let args = [
            "--hardware",
            "nvidia-rtx-4090",
            "--model",
            "qwen3-8b",
            "--quantisation",
            "Q4_K_M",
            "--context",
            tokens,
        ];
        row(&json(&args), "Q4_K_M").clone()
    };
    let (short, long) = (at("1024"), at("32768"));
    assert!(short["memory"]["kv_cache_bytes"].as_f64() < long["memory"]["kv_cache_bytes"].as_f64());
    assert!(short["decode_tps"]["likely"].as_f64() > long["decode_tps"]["likely"].as_f64());
}

#[test]
fn all_hardware_is_shown_with_the_largest_model_each_holds() {
    let document = json(&["--hardware", "all"]);
    let rows = document["result"]["rows"].as_array().expect("rows");
    let of = |id: &str| {
        rows.iter().find(|r| r["hardware"] == id).and_then(|r| r["parameters"].as_f64()).expect(id)
    };
    assert!(of("nvidia-h100-sxm-80gb") > of("nvidia-rtx-4090"));
    assert!(of("nvidia-rtx-4090") > of("nvidia-rtx-3070"));
    let mut hardware: Vec<&str> = rows.iter().filter_map(|r| r["hardware"].as_str()).collect();
    let count = hardware.len();
    hardware.dedup();
    assert_eq!(hardware.len(), count, "one row each");
}

#[test]
fn mistakes_name_what_to_do() {
    let out = fit(&["--hardware", "nvidia-rtx-409", "--model", "qwen3-8b"]).code(2);
    let text = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
    assert!(text.contains("nvidia-rtx-4090"), "{text}");
    let out = fit(&["--hardware", "nvidia-rtx-4090", "--quantisation", "Q9"]).code(2);
    let text = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
    assert!(text.contains("Q4_K_M"), "{text}");
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.gguf");
    std::fs::write(&broken, b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff").expect("written");
    let out = fit(&["--hardware", "nvidia-rtx-4090", "--model", &broken.display().to_string()]).code(2);
    let text = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
    assert!(text.contains("broken.gguf") && text.contains("byte 8"), "{text}");
}

#[test]
fn the_whole_catalogue_for_a_card_fits_a_narrow_terminal() {
    let mut command = Command::cargo_bin("freehold").expect("built");
    let out = command.env("COLUMNS", "72").args(["fit", "--hardware", "nvidia-rtx-4090"]).assert().success();
    let text = String::from_utf8_lossy(&out.get_output().stdout).into_owned();
    assert!(text.lines().count() > 50);
    for line in text.lines() {
        assert!(line.chars().count() <= 72, "{line}");
    }
}

#[test]
fn doctor_names_keys_and_never_shows_them() {
    let canary = "sk-canary-5f3a9c17e2b84d60";
    for format in ["table", "markdown", "json", "html"] {
        let mut command = Command::cargo_bin("freehold").expect("built");
        let out = command
            .env("OPENAI_API_KEY", canary)
            .env_remove("ANTHROPIC_API_KEY")
            .args(["doctor", "--format", format])
            .assert()
            .success();
        let (stdout, stderr) = (&out.get_output().stdout, &out.get_output().stderr);
        let text = String::from_utf8_lossy(&[stdout.as_slice(), stderr].concat()).into_owned();
        assert!(!text.contains(canary) && !text.contains(&canary[3..]), "{format}");
        assert!(text.contains("OPENAI"), "{format}");
    }
}

#[test]
fn what_fits_and_what_the_machine_is_can_be_rendered_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |name: &str, args: &[&str]| {
        let path = folder.path().join(name).display().to_string();
        let mut command = Command::cargo_bin("freehold").expect("built");
        command.env("FREEHOLD_DATA_DIR", folder.path()).args(args).args(["--json", "-o", &path]);
        command.assert().success();
        path
    };
    let fit = save("fit.json", &["fit", "--hardware", "nvidia-rtx-4090", "--model", "llama-3.1-8b-instruct"]);
    let doctor = save("doctor.json", &["doctor"]);
    let report = |args: &[&str]| {
        let out = Command::cargo_bin("freehold").expect("built").arg("report").args(args).assert().success();
        String::from_utf8_lossy(&out.get_output().stdout).into_owned()
    };
    assert!(
        report(&[&fit, "--format", "markdown"]).contains("llama-3.1-8b-instruct on NVIDIA GeForce RTX 4090")
    );
    assert!(report(&[&doctor, "--format", "markdown"]).contains("| processor |"));
    let memo = report(&[&fit, &doctor, "--format", "markdown"]);
    assert!(memo.contains("fit.json)") && memo.contains("doctor.json)"), "{memo}");
    // Read and written again it is the same.
    let again: Value = serde_json::from_str(&report(&[&fit, "--json"])).expect("JSON");
    let first: Value = serde_json::from_str(&std::fs::read_to_string(&fit).expect("saved")).expect("JSON");
    assert_eq!(again, first);
}

/// What a worker that had loaded the file took (resident memory, context of 2048 tokens, processor
/// only), against the prediction. Needs the files: set `FREEHOLD_TEST_MODELS` to their folder.
#[test]
fn memory_is_predicted_within_a_tenth() {
    for (name, resident) in
        [("smollm2-135m-instruct-q4_1.gguf", 177_983_488.0), ("gemma-3-270m-q4_k_m.gguf", 343_040_000.0)]
    {
        let Some(path) = needs::model(name) else { return };
        let path = path.display().to_string();
        let document =
            json(&["--hardware", "this", "--backend", "cpu", "--model", &path, "--context", "2048"]);
        let memory = &document["result"]["rows"][0]["memory"];
        let taken: f64 = ["weights_bytes", "kv_cache_bytes", "buffers_bytes"]
            .iter()
            .map(|part| memory[part].as_f64().expect("bytes"))
            .sum();
        assert!((taken / resident - 1.0).abs() < 0.1, "{name}: {taken} against {resident}");
    }
}

const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bench/smollm2-on-a-processor.json");

/// A document calibrates by itself: its file's name says which model and format it was. The figure
/// is the median decode rate of one request alone, at the depth of its requests; neither the prompt
/// nor the throughput of a load is in it.
#[test]
fn a_bench_document_calibrates_its_own_hardware_only() {
    let ask = |more: &[&str]| {
        let args = ["--hardware", "nvidia-rtx-4090", "--model", "smollm2-135m-instruct"];
        let d = json(&[&args[..], &["--quantisation", "Q4_1", "--context", "93"], more].concat());
        row(&d, "Q4_1")["decode_tps"]["likely"].as_f64().expect("a speed")
    };
    let predicted = ask(&[]);
    // The real document, as if it were of that card and a little slower than predicted.
    let mut document: Value =
        serde_json::from_str(&std::fs::read_to_string(BENCH).expect("the document")).expect("JSON");
    let target = &mut document["result"]["targets"][0];
    target["engine"]["device"] = "NVIDIA GeForce RTX 4090".into();
    target["engine"]["gpu_layers"] = 31.into();
    target["metrics"]["decode_tps"]["median"] = (predicted * 0.8).into();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.json");
    std::fs::write(&path, document.to_string()).expect("written");
    let path = path.display().to_string();
    let calibrated = ask(&["--measured", &path]);
    assert!((calibrated / predicted - 0.8).abs() < 0.01, "{calibrated} of {predicted}");
    // A file of a name nobody knows: the facts of its header in the document are enough.
    let target = &mut document["result"]["targets"][0];
    target["model"] = "mine.gguf".into();
    let cache = serde_json::json!({ "full_values": 11_520, "sliding_values": 0, "window_tokens": 0, "state_bytes": 0,
        "state_layers": 0, "latent_layers": 0, "full_query_values": 17_280 });
    target["engine"]["model"] = serde_json::json!({ "quantisation": "Q4_1", "parameters": 134_515_008,
        "embedding_parameters": 28_311_552, "tied_embeddings": true, "routed_parameters": 0, "experts": 0,
        "experts_used": 0, "layers": 30, "mixture_layers": 30, "hidden_size": 576, "vocabulary": 49_152,
        "context_tokens": 8192, "weight_bytes": 96_573_849, "embedding_bytes": 0, "routed_bytes": 0,
        "output_bytes": 30_000_000, "cache": cache });
    let own = folder.path().join("own.json");
    std::fs::write(&own, document.to_string()).expect("written");
    let calibrated = ask(&["--measured", &own.display().to_string()]);
    assert!(
        (calibrated / predicted - 0.8).abs() < 0.15 && calibrated < predicted,
        "{calibrated} of {predicted}"
    );
    // Not another card, and a processor's speed no card at all.
    for (hardware, measured) in [("nvidia-rtx-3090", path.as_str()), ("nvidia-rtx-4090", BENCH)] {
        let out = fit(&["--hardware", hardware, "--measured", measured]).success();
        let text = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
        assert!(text.contains("does not calibrate") && text.contains("it was measured on"), "{text}");
    }
}

/// llama.cpp #28969: names from a file reach the terminal in messages; nothing in them may steer it.
#[test]
fn names_in_a_file_cannot_steer_the_terminal() {
    let text = |t: &str| [&(t.len() as u64).to_le_bytes(), t.as_bytes()].concat();
    let key = [text("k\u{1b}]0;owned\u{7}\u{202e}"), 4_u32.to_le_bytes().to_vec(), vec![0; 4]].concat();
    let head = [b"GGUF\x03\0\0\0".as_slice(), &0_u64.to_le_bytes(), &2_u64.to_le_bytes()].concat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evil.gguf");
    std::fs::write(&path, [head, key.clone(), key, vec![0; 64]].concat()).expect("written");
    let out = fit(&["--hardware", "nvidia-rtx-4090", "--model", &path.display().to_string()]).code(2);
    let shown = String::from_utf8_lossy(&out.get_output().stderr).into_owned();
    assert!(shown.contains("occurs twice") && !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
}

/// The parts of a model never add up to more than the model: tables, experts, embeddings.
#[test]
fn the_parts_of_a_model_are_within_it() {
    let catalog = freehold::catalog::Catalog::embedded();
    let shapes =
        catalog.open_models.iter().filter_map(|m| freehold::capacity::ModelShape::from_catalogue(m).ok());
    let mut counted = 0;
    for m in shapes {
        let parts = m.routed_parameters + m.lookup_parameters + m.embedding_parameters;
        assert!(parts <= m.parameters * 1.001, "{}: {parts} of {}", m.id, m.parameters);
        counted += 1;
    }
    assert!(counted > 150, "{counted}");
    let flash = catalog.open_model("qwen3.8-flash-next").expect("in the catalogue");
    let flash = freehold::capacity::ModelShape::from_catalogue(flash).expect("complete");
    // 48 layers of 512 experts of three matrices of 2,560 by 640.
    let experts = 48.0 * 512.0 * 3.0 * 2560.0 * 640.0;
    assert!((flash.routed_parameters / experts - 1.0).abs() < 0.05, "{} {experts}", flash.routed_parameters);
}

/// The plan of a verdict needs what `fit` says one copy of it needs, whichever profile led there.
#[test]
fn advise_and_fit_have_one_memory_formula() {
    let sandbox = crate::run::Sandbox::new();
    let mut compared = 0;
    for (name, _) in freehold::workload::profile::SHIPPED {
        let advice = sandbox.run(&["advise", "--profile", name, "--json"]).json();
        let result = &advice["result"];
        let Some(said) = result["models"]["hardware"]["needed_gib"].as_f64() else { continue };
        let card = result["models"]["hardware"]["id"].as_str().expect("an id");
        let options = result["options"].as_array().into_iter().flatten();
        let plans: Vec<_> = options.map(|o| &o["plan"]).filter(|p| p["accelerator"] == card).collect();
        // Without numbers the example is of the model alone, at `fit`'s own defaults.
        let questions: Vec<(Vec<String>, f64)> = if plans.is_empty() {
            let model = result["models"]["open"]["id"].as_str().expect("a model").to_owned();
            let count = result["models"]["hardware"]["count"].to_string();
            vec![(
                ["--hardware", card, "--count", &count, "--model", &model].map(str::to_owned).to_vec(),
                1.0,
            )]
        } else {
            plans.into_iter().map(of_plan).collect()
        };
        let needed: Vec<f64> = questions
            .iter()
            .flat_map(|(args, copies)| {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let fit = sandbox.run(&[&["fit", "--json"], &args[..]].concat()).json();
                let rows = fit["result"]["rows"].as_array().expect("rows").clone();
                let bytes = rows.into_iter().filter_map(|r| r["memory"]["needed_bytes"].as_f64());
                bytes.map(|b| b * copies / f64::from(1 << 30)).collect::<Vec<_>>()
            })
            .collect();
        assert!(needed.iter().any(|n| (n - said).abs() < 1e-9), "{name}: {said} is none of {needed:?}");
        compared += 1;
    }
    assert!(compared > 3, "{compared}");
}

/// `fit` asked about one copy of a plan, and how many copies there are.
fn of_plan(plan: &serde_json::Value) -> (Vec<String>, f64) {
    let whole = |name: &str| plan[name].as_f64().expect("a number");
    let text = |name: &str| plan[name].as_str().expect("a word").to_owned();
    // A chip that is sold in computers only is known by the computer.
    let in_slots = freehold::catalog::Catalog::embedded()
        .accelerator(&text("accelerator"))
        .is_some_and(|card| card.memory_gib.is_some());
    let hardware = text(if in_slots { "accelerator" } else { "host" });
    let count = whole("tensor_parallel") * whole("pipeline_parallel");
    let args = [
        ("--hardware", hardware),
        ("--count", count.to_string()),
        ("--model", text("model")),
        ("--quantisation", text("quantisation")),
        ("--backend", text("backend")),
        ("--kv-type", text("kv_type").to_lowercase()),
        ("--context", whole("context_tokens").ceil().to_string()),
    ];
    let args = args.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect();
    (args, whole("replicas"))
}

/// An engine is named as people write it: llama.cpp takes the driver that is usual on the hardware.
#[test]
fn llama_cpp_takes_the_usual_driver() {
    let path = |hardware: &str| {
        let model = ["--model", "llama-3.1-8b-instruct", "--quantisation", "Q4_K_M"];
        let document = json(&[&["--hardware", hardware, "--backend", "llama.cpp"], &model[..]].concat());
        document["result"]["rows"][0]["backend"].as_str().expect("a word").to_owned()
    };
    let of = [("nvidia-h100-sxm-80gb", "cuda"), ("mac-studio-m4-max-36gb", "metal"), ("amd-mi300x", "rocm")];
    for (hardware, usual) in of {
        assert_eq!(path(hardware), usual, "{hardware}");
    }
}

/// The wait for the first token grows with the prompt and with the load.
#[test]
fn rows_say_how_long_the_first_token_takes() {
    let ttft = |more: &[&str]| {
        let base = [
            "fit",
            "--json",
            "--hardware",
            "nvidia-h100-sxm-80gb",
            "--model",
            "qwen3-8b",
            "--quantisation",
            "FP8",
        ];
        let out = assert_cmd::Command::cargo_bin("freehold").expect("built").args(base).args(more).output();
        let text = out.expect("runs").stdout;
        let doc: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let band = doc["result"]["rows"][0]["ttft_ms"].clone();
        ["low", "likely", "high"].map(|end| band[end].as_f64().expect("a number"))
    };
    let alone = ttft(&["--context", "1024"]);
    let long = ttft(&["--context", "8192"]);
    let many = ttft(&["--context", "8192", "--concurrency", "16"]);
    for [low, likely, high] in [alone, long, many] {
        assert!(0.0 < low && low < likely && likely < high);
    }
    assert!(alone[1] < long[1] && long[1] < many[1], "{alone:?} {long:?} {many:?}");
}

#[test]
fn nothing_that_fits_is_a_gate_on_request() {
    let too_large =
        ["--hardware", "nvidia-rtx-4090", "--model", "llama-3.3-70b-instruct", "--quantisation", "Q4_K_M"];
    fit(&too_large).code(0);
    let missed = fit(&[&too_large[..], &["--must-fit"]].concat()).code(3);
    assert!(String::from_utf8_lossy(&missed.get_output().stderr).contains("nothing fits"));
    // The result is there all the same, with its reasons.
    assert!(!missed.get_output().stdout.is_empty());
    fit(&["--hardware", "nvidia-rtx-4090", "--model", "qwen3-8b", "--must-fit"]).code(0);
}
