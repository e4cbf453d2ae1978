//! Documents → folders that run: committed folders stay as they are, and nothing in a document can do
//! more than name things.

use assert_cmd::Command;
use freehold::app::deploy::deploy;
use freehold::catalog::Catalog;
use freehold::deploy::read::Asked;
use freehold::deploy::{File, Folder};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/deploy")
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures()).expect("fixtures");
    let mut cases: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.join("document.json").is_file()).collect();
    cases.sort();
    cases
}

fn document(case: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(case).join("document.json")).expect("a document");
    serde_json::from_str(&text).expect("JSON")
}

/// A case, with the weights that its file of that name gives.
fn of_case(case: &str) -> Folder {
    let weights = std::fs::read_to_string(fixtures().join(case).join("weights")).ok();
    let asked = Asked { weights: weights.map(|w| w.trim().to_owned()), ..Asked::default() };
    deployed(&document(case), &asked)
}

fn deployed(document: &Value, asked: &Asked) -> Folder {
    deploy("document.json", &document.to_string(), &Catalog::embedded(), asked).expect("a folder")
}

fn text<'a>(folder: &'a Folder, path: &str) -> &'a str {
    let file = folder.files.iter().find(|f| f.path == path);
    &file.unwrap_or_else(|| panic!("no {path} among {:?}", paths(folder))).text
}

fn paths(folder: &Folder) -> Vec<&str> {
    folder.files.iter().map(|f| f.path.as_str()).collect()
}

/// Every file below a folder.
fn below(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    found
}

/// `FREEHOLD_BLESS=1` writes the folders anew; `scripts/check-recipes` holds them against the schemas.
#[test]
fn committed_folders_are_current() {
    let bless = std::env::var_os("FREEHOLD_BLESS").is_some();
    let cases = cases();
    assert!(cases.len() >= 12, "{cases:?}");
    for case in cases {
        let folder = case.join("folder");
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let made = of_case(&name);
        let made: BTreeMap<String, String> = made.files.into_iter().map(|f| (f.path, f.text)).collect();
        if bless {
            let _ = std::fs::remove_dir_all(&folder);
            for (path, text) in &made {
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                std::fs::write(path, text).expect("written");
            }
        }
        let kept = below(&folder);
        assert_eq!(kept.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>(), "{name}");
        for (path, text) in &made {
            assert_eq!(&kept[path], text, "{name}/{path}: FREEHOLD_BLESS=1 writes it anew");
        }
    }
}

/// What the four cases of the issue have, file by file.
#[test]
fn a_plan_becomes_the_recipes_that_fit_it() {
    let of = |case: &str| deployed(&document(case), &Asked::default());
    let one = of("8b-on-one-4090");
    for path in [
        "llama-server/serve.sh",
        "llama-server/llama-server.service",
        "ollama/Modelfile",
        "compose/compose.yaml",
    ] {
        text(&one, path);
    }
    assert!(!paths(&one).iter().any(|p| p.starts_with("kubernetes/")));
    let serve = text(&one, "llama-server/serve.sh");
    assert!(serve.contains("--parallel 8") && serve.contains("--ctx-size 6400"), "{serve}");

    let two = of("70b-on-two-h100");
    let server = text(&two, "kubernetes/deployment.yaml");
    for part in [
        "--tensor-parallel-size=2",
        "--max-num-seqs=48",
        "--kv-cache-dtype=fp8",
        "nvidia.com/gpu: \"2\"",
        "replicas: 1",
    ] {
        assert!(server.contains(part), "{part} in {server}");
    }
    assert!(two.left_out.iter().any(|l| l.path == "kubernetes/autoscaler.yaml"), "{:?}", two.left_out);

    let four = of("four-nodes");
    assert!(text(&four, "kubernetes/deployment.yaml").contains("replicas: 12"));
    let scaler = text(&four, "kubernetes/autoscaler.yaml");
    assert!(
        scaler.contains("minReplicas: 12")
            && scaler.contains("maxReplicas: 16")
            && scaler.contains("vllm_num_requests_waiting"),
        "{scaler}"
    );
    assert!(text(&four, "kubernetes/weights.yaml").contains("ReadWriteMany"));
    assert!(four.left_out.iter().any(|l| l.path == "compose"), "{:?}", four.left_out);

    let hybrid = of("hybrid");
    let router = text(&hybrid, "router/litellm.yaml");
    assert!(router.contains("local:\n    - cloud") || router.contains("local:\n      - cloud"), "{router}");
    text(&hybrid, "cloud/request.py");
    assert!(text(&of("rented"), "skypilot/task.yaml").contains("H100:1"));
}

/// Every recipe's README holds the command that accepts it, with the limits of the need.
#[test]
fn every_folder_says_how_it_is_accepted() {
    for case in cases() {
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let made = of_case(&name);
        let readmes = made.files.iter().filter(|f| f.path.ends_with("/README.md"));
        for File { path, text, .. } in readmes {
            assert!(text.contains("freehold bench") && text.contains("--slo ttft="), "{name}/{path}: {text}");
        }
    }
}

#[test]
fn what_a_document_lacks_is_said() {
    let says = |change: &dyn Fn(&mut Value)| {
        let mut document = document("70b-on-two-h100");
        change(&mut document["result"]["plans"][0]);
        let refusal = deploy("p.json", &document.to_string(), &Catalog::embedded(), &Asked::default());
        refusal.expect_err("nothing to write").message
    };
    for (field, word) in [
        ("hosts", "`hosts`"),
        ("replicas", "`replicas`"),
        ("concurrency", "`concurrency`"),
        ("quantisation", "`quantisation`"),
        ("kv_type", "`kv_type`"),
        ("tensor_parallel", "`tensor_parallel`"),
        ("model", "`model`"),
    ] {
        let message = says(&|row| {
            row.as_object_mut().expect("a plan").remove(field);
        });
        assert!(message.contains(word), "{field}: {message}");
        let message = says(&|row| row[field] = json!(["x"]));
        assert!(message.contains("plans[0]"), "{field}: {message}");
    }
    for (field, value, word) in [
        ("quantisation", json!("NVFP4"), "--weights"),
        ("model", json!("no-such-model"), "catalogue"),
        ("hosts", json!(0), "cannot be"),
        ("spare_hosts", json!(1), "spare"),
        ("engine", json!("tensorrt-llm"), "TensorRT"),
        ("engine", json!("x\u{1b}[31m"), "engine"),
        ("model", json!("a\nb"), "not a name"),
    ] {
        let message = says(&|row| row[field] = value.clone());
        assert!(message.contains(word) && !message.contains('\u{1b}'), "{field}: {message}");
    }
}

#[test]
fn own_weights_are_taken_where_they_can_be() {
    let mut plan = document("70b-on-two-h100");
    plan["result"]["plans"][0]["quantisation"] = json!("NVFP4");
    let asked = |weights: &str| Asked { weights: Some(weights.to_owned()), ..Asked::default() };
    let made = deployed(&plan, &asked("nvidia/Llama-3.3-70B-Instruct-NVFP4"));
    let server = text(&made, "kubernetes/deployment.yaml");
    assert!(
        server.contains("nvidia/Llama-3.3-70B-Instruct-NVFP4") && !server.contains("--quantization"),
        "{server}"
    );
    let local = document("8b-on-one-4090");
    let made = deployed(&local, &asked("hf:owner/repo/a-Q8_0.gguf"));
    assert!(text(&made, "llama-server/serve.sh").contains("--hf-repo owner/repo --hf-file a-Q8_0.gguf"));
    let made = deployed(&local, &asked("owner/repo"));
    assert!(text(&made, "ollama/Modelfile").contains("FROM hf.co/owner/repo:Q8_0\n"));
    for bad in ["", "x", "../y", "a/b/../c.gguf", "a/b/c.bin", "a/$(id)", "a/b c"] {
        let refusal = deploy("p", &local.to_string(), &Catalog::embedded(), &asked(bad)).expect_err(bad);
        assert!(refusal.message.contains("--weights"), "{bad}: {}", refusal.message);
    }
}

/// Where nothing but plain http can be had, the accepting command says so; on this machine it need not.
#[test]
fn plain_http_is_named_where_it_leaves_the_machine() {
    let four = of_case("four-nodes");
    assert!(text(&four, "kubernetes/README.md").contains("--allow-http gpt-oss-120b"));
    assert!(!text(&of_case("8b-on-one-4090"), "llama-server/README.md").contains("--allow-http"));
}

/// A strict privacy answer never gets a router that falls back to the API.
#[test]
fn strict_privacy_has_no_fallback() {
    let mut advice = document("hybrid");
    advice["result"]["answers"]["privacy"] = json!("strict");
    let made = deployed(&advice, &Asked::default());
    assert!(!text(&made, "router/litellm.yaml").contains("fallbacks"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Whatever a document calls its model: files parse, and the name comes back as it was.
    #[test]
    fn names_stay_names(name in "[ -~äß模]{1,40}") {
        let mut plan = document("70b-on-two-h100");
        plan["result"]["plans"][0]["model"] = json!(name);
        let asked = Asked { weights: Some("owner/repo".to_owned()), ..Asked::default() };
        let catalog = Catalog::embedded();
        for engine in ["vllm", "sglang", "llama.cpp"] {
            plan["result"]["plans"][0]["engine"] = json!(engine);
            if engine == "llama.cpp" {
                plan["result"]["plans"][0]["quantisation"] = json!("Q8_0");
                plan["result"]["plans"][0]["kv_type"] = json!("q8_0");
            }
            let Ok(made) = deploy("p", &plan.to_string(), &catalog, &asked) else {
                // Refused because it is no name: blanks at an end, or an option.
                prop_assert!(name.trim() != name || name.starts_with('-'));
                continue;
            };
            for file in &made.files {
                prop_assert!(!file.path.contains(".."), "{}", file.path);
                if file.path.ends_with("serve.sh") {
                    let words = shlex::split(&file.text).expect("a script");
                    let at = words.iter().position(|w| w == "--alias").expect("--alias");
                    prop_assert_eq!(&words[at + 1], &name);
                }
            }
        }
    }

    /// No JSON makes it panic.
    #[test]
    fn any_row_is_read_or_refused(hosts in any::<u32>(), tensor in any::<u32>(), concurrency in any::<u32>(),
            context in any::<f64>(), replicas in any::<u32>(), spare in any::<u32>()) {
        let mut plan = document("four-nodes");
        let row = &mut plan["result"]["plans"][0];
        row["hosts"] = json!(hosts);
        row["tensor_parallel"] = json!(tensor);
        row["concurrency"] = json!(concurrency);
        row["context_tokens"] = json!(context);
        row["replicas"] = json!(replicas);
        row["spare_hosts"] = json!(spare);
        let _ = deploy("p", &plan.to_string(), &Catalog::embedded(), &Asked::default());
    }
}

fn freehold(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("freehold").expect("built");
    command.current_dir(folder).env("FREEHOLD_DATA_DIR", folder.join("data"));
    command
}

/// The command itself: writes, writes again, keeps what others wrote.
#[test]
fn the_command_never_writes_over_what_is_not_its_own() {
    let place = tempfile::tempdir().expect("a folder");
    let file = fixtures().join("8b-on-one-4090/document.json");
    let run = |extra: &[&str]| {
        let output = freehold(place.path()).arg("deploy").arg(&file).args(["-o", "out"]).args(extra).output();
        let output = output.expect("runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, out, err) = run(&["--json"]);
    assert_eq!(code, Some(0), "{err}");
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert!(said["files"].as_array().is_some_and(|f| f.len() > 8), "{out}");
    let out_folder = place.path().join("out");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            std::fs::metadata(out_folder.join("llama-server/serve.sh")).expect("there").permissions().mode();
        assert!(mode & 0o100 != 0, "{mode:o}");
    }
    // Again: nothing stands in the way.
    assert_eq!(run(&[]).0, Some(0));
    // A file that somebody changed is kept, and nothing else is touched either.
    let changed = out_folder.join("ollama/Modelfile");
    std::fs::write(&changed, "mine").expect("written");
    let before = below(&out_folder);
    let (code, _, err) = run(&["--context", "4096"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("ollama/Modelfile") && err.contains("nothing was written"), "{err}");
    assert_eq!(below(&out_folder), before);
    // A link that leads elsewhere is not followed.
    #[cfg(unix)]
    {
        std::fs::remove_file(&changed).expect("removed");
        std::fs::remove_dir_all(out_folder.join("ollama")).expect("removed");
        let elsewhere = place.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("made");
        std::os::unix::fs::symlink(&elsewhere, out_folder.join("ollama")).expect("linked");
        let (code, _, err) = run(&[]);
        assert_eq!(code, Some(2), "{err}");
        assert_eq!(std::fs::read_dir(&elsewhere).expect("there").count(), 0);
    }
}

#[test]
fn bad_documents_are_refused_by_name() {
    let place = tempfile::tempdir().expect("a folder");
    for (text, word) in [
        ("{", "line 1"),
        ("{}", "schema"),
        ("[]", "schema"),
        ("{\"schema\":\"freehold.bench/1\"}", "bench"),
        ("{\"schema\":\"freehold.plan/1\",\"result\":{\"plans\":[]}}", "no plan"),
        ("{\"schema\":\"freehold.advice/1\",\"result\":{}}", "placement"),
        ("{\"schema\":\"freehold.advice/1\",\"result\":{\"placement\":\"local\"}}", "no plan"),
        ("{\"schema\":\"freehold.advice/1\",\"result\":{\"chosen\":\"x\",\"options\":[]}}", "chosen"),
    ] {
        std::fs::write(place.path().join("d.json"), text).expect("written");
        let output = freehold(place.path()).args(["deploy", "d.json", "-o", "out"]).output().expect("runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {err}");
        assert!(err.contains("d.json") && err.contains(word), "{text}: {err}");
        assert!(!place.path().join("out").exists());
    }
    let plan = fixtures().join("70b-on-two-h100/document.json");
    for (flag, value, word) in [("--plan", "2", "plans 1 to 1"), ("--option", "x", "--plan")] {
        let output = freehold(place.path())
            .arg("deploy")
            .arg(&plan)
            .args(["-o", "out", flag, value])
            .output()
            .expect("runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(word), "{err}");
    }
}

/// The recipe for llama-server, run as it is written, with a small model: `bench` accepts it with the
/// very command of its README.
#[cfg(unix)]
#[test]
fn the_llama_server_recipe_runs_and_is_accepted() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let Some(model) = crate::needs::path("FREEHOLD_TEST_MODEL") else { return };
    let Some(python) = crate::needs::path("FREEHOLD_TEST_PYTHON") else { return };
    let mut plan = document("8b-on-one-4090");
    let need = json!({ "use": "chat", "input_tokens": 40, "output_tokens": 8, "ttft_limit_ms": 120_000, "tpot_limit_ms": 20_000 });
    plan["result"]["need"] = need;
    let row = &mut plan["result"]["plans"][0];
    for (key, value) in
        [("concurrency", json!(2)), ("context_tokens", json!(300)), ("kv_type", json!("q8_0"))]
    {
        row[key] = value;
    }
    let place = tempfile::tempdir().expect("a folder");
    std::fs::write(place.path().join("plan.json"), plan.to_string()).expect("written");
    freehold(place.path()).args(["deploy", "plan.json", "-o", "out"]).assert().success();
    let folder = place.path().join("out/llama-server");
    // What stands in for llama-server takes its options, and refuses any other.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/llama-server.py");
    let server = place.path().join("llama-server");
    let words = [python.to_str().expect("text"), script.to_str().expect("text")]
        .map(|w| shlex::try_quote(w).expect("a word"));
    std::fs::write(&server, format!("#!/bin/sh\nexec {} {} \"$@\"\n", words[0], words[1])).expect("written");
    std::fs::set_permissions(&server, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("executable");
    let mut child = Command::new(folder.join("serve.sh"))
        .envs([
            ("LLAMA_SERVER", server.as_os_str()),
            ("MODEL_FILE", model.as_os_str()),
            ("PORT", "0".as_ref()),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the recipe starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let url = lines.map_while(Result::ok).find(|l| l.starts_with("http://")).expect("it answers");
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("there");
    let command =
        readme.split("```\n").find(|b| b.starts_with("freehold bench")).expect("the accepting command");
    let command = command.replace("http://127.0.0.1:8080", &url).replace("\\\n", "");
    let words = shlex::split(&command).expect("words");
    let output = freehold(&folder).args(&words[1..]).output().expect("runs");
    drop(child.stdin.take());
    let _ = child.wait();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{err}");
    let report = std::fs::read_to_string(folder.join("accepted.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["result"]["complete"], true, "{err}");
    let samples = report["result"]["load_samples"].as_array().expect("samples under load");
    assert!(samples.len() >= 8 && samples.iter().all(|s| s["error"].is_null()), "{err}");
}

/// What is there is what is deployed, and not what would be bought instead.
#[test]
fn a_plan_on_owned_machines_deploys_them() {
    let document = json!({
        "schema": "freehold.plan/1",
        "inputs": {},
        "result": {
            "need": { "use": "rag", "input_tokens": 3000.0, "output_tokens": 300.0 },
            "needs": [
                { "name": "search", "model": "llama-3.3-70b-instruct", "need": {} },
                { "name": "chat", "model": "qwen3-8b", "need": {} }
            ],
            "owned": [{
                "need": "need 1", "model": "llama-3.3-70b-instruct", "short_requests_per_second": 0.0,
                "machines": [{
                    "name": "4x nvidia-h100-sxm-80gb", "hosts": 1, "accelerators": 4,
                    "host": "nvidia-h100-sxm-80gb", "accelerator": "nvidia-h100-sxm-80gb",
                    "accelerator_name": "NVIDIA H100 SXM 80 GB", "free_accelerators": 2,
                    "runs": {
                        "backend": "vllm", "engine": "vllm", "hosts": 1, "quantisation": "FP8", "kv_type": "f16",
                        "tensor_parallel": 2, "pipeline_parallel": 1, "replicas": 1, "room": 2, "concurrency": 54,
                        "context_tokens": 3300.0, "weights_bytes": 7.2e10, "requests_per_second": 5.0
                    }
                }]
            }],
            "plans": [{
                "name": "something new", "host": "tower-wrx90-4x", "hosts": 1, "spare_hosts": 0,
                "accelerator": "nvidia-rtx-6000-ada", "model": "llama-3.3-70b-instruct", "backend": "vllm",
                "engine": "vllm", "quantisation": "FP8", "kv_type": "fp8", "tensor_parallel": 4, "replicas": 1,
                "concurrency": 17
            }]
        }
    });
    let folder = deployed(&document, &Asked::default());
    let readme = text(&folder, "README.md");
    assert!(readme.contains("H100") && !readme.contains("6000 Ada"), "{readme}");
    assert!(folder.left_out.iter().any(|l| l.path.contains("chat")), "{:?}", folder.left_out);
    let all: String = folder.files.iter().map(|f| f.text.as_str()).collect();
    assert!(all.contains("--max-num-seqs=54") && all.contains("--tensor-parallel-size=2"));
    // What would be bought is written where it is asked for.
    let bought = deployed(&document, &Asked { plan: Some(1), ..Asked::default() });
    assert!(text(&bought, "README.md").contains("6000 Ada"));
}

/// A plan for several needs is deployed as it is ordered: the machines of the first row, with what runs on
/// them for all needs.
#[test]
fn a_plan_for_several_needs_deploys_what_is_ordered() {
    let part = |needs: &str, model: &str, at_once: u32| {
        json!({
            "needs": needs, "model": model, "backend": "vllm", "engine": "vllm", "quantisation": "FP8",
            "kv_type": "F16", "accelerators": 1, "tensor_parallel": 1, "pipeline_parallel": 1,
            "expert_parallel": false, "context_tokens": 1750.0, "weights_bytes": 8.2e9, "replicas": 1,
            "concurrency": at_once, "requests_per_second": 1.3, "ttft_limit_ms": 400.0, "tpot_limit_ms": 40.0,
            "input_tokens": 1060.0, "output_tokens": 206.0
        })
    };
    let row = |accelerator: &str, parts: &[Value]| {
        json!({
            "name": "a tower", "host": "tower-wrx90-4x", "host_name": "a tower", "hosts": 2, "spare_hosts": 1,
            "accelerator": accelerator, "accelerator_name": accelerator, "accelerators": 2, "parts": parts
        })
    };
    let both = [part("chat + nightly", "qwen3-8b", 58), part("search", "qwen3-14b", 31)];
    let document = json!({
        "schema": "freehold.plan/1",
        "inputs": {},
        "result": {
            "need": { "use": "chat", "input_tokens": 1500.0, "output_tokens": 250.0 },
            "needs": [
                { "name": "chat", "model": "qwen3-8b", "need": {} },
                { "name": "nightly", "model": "qwen3-8b", "need": {} },
                { "name": "search", "model": "qwen3-14b", "need": {} }
            ],
            "together": [row("nvidia-rtx-6000-ada", &both), row("nvidia-l40s", &both)],
            "plans": [{
                "name": "for the chat alone", "host": "desktop-am5-1x", "hosts": 1, "spare_hosts": 0,
                "accelerator": "nvidia-rtx-4090", "model": "qwen3-8b", "backend": "vllm", "engine": "vllm",
                "quantisation": "FP8", "kv_type": "F16", "tensor_parallel": 1, "replicas": 1, "concurrency": 11
            }]
        }
    });
    let all = |asked: &Asked| -> (String, Vec<String>) {
        let folder = deployed(&document, asked);
        let text = folder.files.iter().map(|f| f.text.as_str()).collect();
        (text, folder.left_out.iter().map(|l| l.path.clone()).collect())
    };
    let (text, left) = all(&Asked::default());
    assert!(text.contains("6000 Ada") && text.contains("--max-num-seqs=58"), "{text}");
    assert!(text.contains("--slo ttft=400ms,tpot=40ms") && !text.contains("4090"), "{text}");
    assert!(
        left.iter().any(|l| l.contains("search")) && !left.iter().any(|l| l.contains("nightly")),
        "{left:?}"
    );
    let (text, _) = all(&Asked { plan: Some(2), ..Asked::default() });
    assert!(text.contains("L40S") && text.contains("--max-num-seqs=58"));
    let (text, left) = all(&Asked { model: Some("qwen3-14b".to_owned()), ..Asked::default() });
    assert!(text.contains("--max-num-seqs=31") && left.iter().any(|l| l.contains("nightly")), "{left:?}");
    let wrong = Asked { model: Some("qwen3-32b".to_owned()), ..Asked::default() };
    let fault =
        deploy("document.json", &document.to_string(), &Catalog::embedded(), &wrong).expect_err("no such");
    assert!(fault.to_string().contains("qwen3-32b"), "{fault}");
}

/// The accepting command has the limits that a plan was made for, also where the document's need has none;
/// without limits nothing is said to be kept.
#[test]
fn what_is_accepted_are_the_limits_of_the_plan() {
    let mut document = document("hybrid");
    let inputs = document["inputs"].as_object_mut().expect("inputs");
    inputs.retain(|name, _| !["need.use", "need.ttft_ms", "need.tpot_ms"].contains(&name.as_str()));
    let options = document["result"]["options"].as_array_mut().expect("options");
    for option in options.iter_mut().filter(|o| o["plan"].is_object()) {
        let term = |name: &str, value: f64| json!({ "name": name, "value": value, "unit": "s" });
        option["plan"]["terms"] = json!([term("limit.ttft-p95", 0.45), term("limit.tpot-p95", 0.035)]);
    }
    let readmes = |document: &Value| -> Vec<String> {
        let made = deployed(document, &Asked::default());
        made.files.into_iter().filter(|f| f.path.ends_with("/README.md")).map(|f| f.text).collect()
    };
    let found = readmes(&document);
    assert!(!found.is_empty());
    for text in &found {
        assert!(text.contains("--slo ttft=450ms,tpot=35ms") && text.contains("keep the limits"), "{text}");
    }
    let options = document["result"]["options"].as_array_mut().expect("options");
    for option in options.iter_mut().filter(|o| o["plan"].is_object()) {
        option["plan"]["terms"] = json!([]);
    }
    for text in readmes(&document) {
        assert!(!text.contains("--slo") && !text.contains("keep the limits"), "{text}");
        assert!(text.contains("no limit on latency"), "{text}");
    }
}
