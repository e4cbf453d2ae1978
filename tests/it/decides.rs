//! What a file may decide, and what not: the table of ARCHITECTURE.md, row by row. Every file here came
//! with somebody else's project, and names an address, a key, a file to write and consent.

use crate::run::{Sandbox, program};
use std::net::TcpListener;
use std::path::Path;

/// The key of another program, which no file can have sent.
const CANARY: &str = "ghp_canary0123456789abcdefghijklmnopq";

/// A folder with hostile files, and a server that must never hear of anybody.
struct Project {
    sandbox: Sandbox,
    server: TcpListener,
}

impl Project {
    fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        server.set_nonblocking(true).expect("set");
        Self { sandbox: Sandbox::new(), server }
    }

    fn address(&self) -> String {
        format!("http://{}/v1", self.server.local_addr().expect("an address"))
    }

    /// Everything below the folder, but what the program keeps for itself.
    fn files(&self) -> Vec<String> {
        fn below(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    below(&entry.path(), found);
                } else {
                    found.push(entry.path().display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        below(self.sandbox.folder.path(), &mut found);
        found.retain(|f| !f.contains("/cache/"));
        found.sort();
        found
    }

    /// Run a command; the server hears nothing, no file appears, and the key is nowhere.
    #[track_caller]
    fn runs(&self, line: &str, code: i32, words: &[&str]) -> String {
        let before = self.files();
        let output = self
            .sandbox
            .command(program())
            .args(line.split(' '))
            .env("GITHUB_TOKEN", CANARY)
            .env("OPENAI_API_KEY", CANARY)
            .output()
            .expect("the program starts");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {text}");
        for word in words {
            assert!(text.contains(word), "{line}: {word:?} is missing in {text}");
        }
        assert!(self.server.accept().is_err(), "{line}: a connection was opened");
        assert!(!text.contains("canary0123456789"), "{line}: {text}");
        assert_eq!(self.files(), before, "{line}: a file was written");
        text
    }
}

fn sourced(value: impl Into<serde_json::Value>, flag: &str) -> serde_json::Value {
    serde_json::json!({"value": value.into(), "unit": null, "source": {"kind": "user", "via": flag}})
}

/// A document whose inputs are everything that a command line can ask for.
fn document(project: &Project, kind: &str, result: &serde_json::Value) -> String {
    serde_json::json!({
        "schema": format!("freehold.{kind}/1"), "tool_version": "0.1.0", "created": "2026-11-22T10:00:00Z",
        "inputs": {
            "apis": sourced(vec![format!("openai:x@{}", project.address())], "--api"),
            "api_key_env": sourced("GITHUB_TOKEN", "--api-key-env"),
            "yes": sourced(true, "--yes"),
            "output": sourced("owned.json", "--output"),
            "catalog_files": sourced(vec!["evil.toml"], "--catalog"),
            "need.requests_per_month": sourced(1000, "--requests-per-month; touch owned"),
        },
        "result": result, "warnings": [],
    })
    .to_string()
}

#[test]
fn a_document_is_shown_and_counted_with_and_nothing_else() {
    let project = Project::new();
    let summary =
        serde_json::json!({"n": 1, "median": 1.0, "low": null, "high": null, "min": null, "max": null});
    let target = serde_json::json!({
        "id": "local:m", "kind": "local", "model": "/dev/zero", "stand_in": false, "token_source": "local_tokenizer",
        "requests": 1, "failures": 0,
        "metrics": {
            "ttft_ms": summary, "tpot_ms": summary, "decode_tps": summary, "prefill_tps": summary, "e2e_ms": summary
        }
    });
    let bench = serde_json::json!({"complete": true, "targets": [target], "samples": []});
    project.sandbox.write("bench.json", &document(&project, "bench", &bench));
    let fit = serde_json::json!({"rows": [], "left_out": []});
    project.sandbox.write("fit.json", &document(&project, "fit", &fit));
    for format in ["table", "markdown", "html", "csv", "json"] {
        project.runs(&format!("report bench.json --format {format}"), 0, &[]);
        project.runs(&format!("report fit.json bench.json --format {format}"), 0, &[]);
    }
    // Commands are printed, never run, and what is no flag is left out of them.
    let memo = project.runs("report fit.json bench.json --format markdown", 0, &["How to repeat it"]);
    assert!(!memo.contains("freehold fit --requests-per-month; touch"), "{memo}");
    project.runs("breakeven --measured bench.json --no-input", 2, &[]);
    project.runs("breakeven --scenario bench.json --no-input", 2, &[]);
    project.runs("advise --evidence bench.json --profile legal --no-input --quiet", 0, &[]);
    project.runs("advise --cost bench.json --profile legal --no-input", 2, &["takes a breakeven document"]);
    project.runs("fit --measured bench.json", 0, &["does not calibrate"]);
}

#[test]
fn a_scenario_or_profile_has_no_key_for_anything_but_the_need_and_the_offers() {
    let project = Project::new();
    let good = "title = \"x\"\nprivacy = \"strict\"\nvolume = \"low\"\ncapability = \"basic\"\noperations = \"limited\"\nbudget = \"opex\"\n";
    for key in [
        "api",
        "base_url",
        "api_key_env",
        "key_variable",
        "yes",
        "output",
        "catalog",
        "consent",
        "allow_http",
    ] {
        let line = format!("{key} = \"GITHUB_TOKEN\"\n");
        project.sandbox.write("profile.toml", &format!("{line}{good}"));
        project.runs("advise --profile profile.toml --no-input", 2, &["unknown key", key]);
        project.sandbox.write("scenario.toml", &format!("[need]\n{line}"));
        project.runs("breakeven --scenario scenario.toml --no-input", 2, &["unknown key", key]);
        project.sandbox.write("scenario.toml", &format!("[{key}]\nx = 1\n"));
        project.runs("breakeven --scenario scenario.toml --no-input", 2, &["unknown table", key]);
    }
}

/// A strict profile forbids what the command line asks for; none allows what it does not.
#[test]
fn a_profile_tightens_consent_and_never_gives_it() {
    let project = Project::new();
    project.sandbox.write("prompts.jsonl", "{\"prompt\": \"hello\"}\n");
    let profile = |privacy: &str| {
        format!(
            "title = \"x\"\nprivacy = \"{privacy}\"\nvolume = \"low\"\ncapability = \"basic\"\noperations = \"limited\"\nbudget = \"opex\"\n"
        )
    };
    project.sandbox.write("strict.toml", &profile("strict"));
    project.sandbox.write("standard.toml", &profile("standard"));
    let bench = "bench --api openai:gpt-6-luna --prompts prompts.jsonl --no-input";
    let text = project.runs(&format!("{bench} --profile strict.toml --yes"), 2, &[]);
    assert!(text.contains("strict") || text.contains("privacy"), "{text}");
    project.runs(&format!("{bench} --profile standard.toml"), 2, &["--yes"]);
}

#[test]
fn a_prompt_file_decides_what_is_asked_and_nothing_else() {
    let project = Project::new();
    let address = project.address();
    for key in ["url", "api", "base_url", "api_key_env", "model", "provider", "headers", "output", "yes"] {
        let row = serde_json::json!({"prompt": "hello", key: address});
        project.sandbox.write("prompts.jsonl", &format!("{row}\n"));
        let line = "bench --api openai:gpt-6-luna --prompts prompts.jsonl --yes --no-input";
        project.runs(line, 2, &[key]);
    }
}

#[test]
fn a_catalogue_file_has_prices_and_no_providers() {
    let project = Project::new();
    let record = format!(
        "[[provider]]\nid = \"openai\"\nname = \"Taken over\"\nwire = \"openai-chat\"\nbase_url = \"{}\"\n\
         key_variable = \"OPENAI_API_KEY\"\nsource = \"https://a.example\"\nas_of = 2026-11-22\n",
        project.address()
    );
    project.sandbox.write("evil.toml", &record);
    project.sandbox.write("prompts.jsonl", "{\"prompt\": \"hello\"}\n");
    let bench = "--catalog evil.toml bench --api openai:gpt-6-luna --prompts prompts.jsonl --yes --no-input";
    project.runs(bench, 2, &["evil.toml", "[[provider]]"]);
    project.runs("--catalog evil.toml db list providers", 2, &["[[provider]]"]);
    // In the user's own folder a provider may stand, but a shipped key goes nowhere else.
    let own = project.sandbox.path("data/hardware-db");
    std::fs::create_dir_all(&own).expect("made");
    std::fs::write(own.join("own.toml"), record.replace("id = \"openai\"", "id = \"mine\""))
        .expect("written");
    let bench = "bench --api mine:x --prompts prompts.jsonl --yes --no-input";
    project.runs(bench, 2, &["OPENAI_API_KEY", "cannot be sent elsewhere"]);
}

#[test]
fn a_price_file_is_data_and_is_shown_before_it_is_used() {
    let project = Project::new();
    let prices = serde_json::json!({
        "evil-model": {
            "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6,
            "output_cost_per_token": 2e-6, "api_base": project.address(), "api_key": "os.environ/GITHUB_TOKEN"
        }
    });
    project.sandbox.write("prices.json", &prices.to_string());
    project.runs("db import prices.json --from litellm --dry-run", 0, &[]);
    project.runs("db import prices.json --from litellm --no-input", 2, &["nothing was written"]);
}

#[test]
fn records_of_use_are_counted_and_not_repeated() {
    let project = Project::new();
    let record = serde_json::json!({
        "timestamp": "2026-11-01T10:00:00Z", "model": "gpt-6-luna", "prompt_tokens": 10, "completion_tokens": 5,
        "api_base": project.address(), "api_key_env": "GITHUB_TOKEN", "messages": [{"content": "very private"}]
    });
    project.sandbox.write("log.jsonl", &format!("{record}\n").repeat(3));
    let text = project.runs(
        "usage log.jsonl --map time=timestamp,model=model,input=prompt_tokens,output=completion_tokens",
        0,
        &[],
    );
    assert!(!text.contains("very private"), "{text}");
}

/// Everything that other programs look for in the folder one works in.
#[test]
fn the_folder_one_works_in_decides_nothing() {
    let project = Project::new();
    for file in [".env", "freehold.toml", ".freehold.toml", ".freeholdrc", "config.toml", "hardware-db.toml"]
    {
        let text = format!(
            "OPENAI_BASE_URL={0}\nbase_url = \"{0}\"\napi_key_env = \"GITHUB_TOKEN\"\nyes = true\n",
            project.address()
        );
        project.sandbox.write(file, &text);
    }
    let providers = project.runs("db show openai", 0, &["https://api.openai.com"]);
    assert!(!providers.contains(&project.address()), "{providers}");
    project.runs("advise --profile legal --quiet", 0, &[]);
}

/// Each row of the table names the test that shows it.
#[test]
fn the_table_names_these_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("there");
    let table = text.split("## What a file may decide").nth(1).expect("the heading");
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| file")).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    let mut files = String::new();
    for entry in ["tests/it", "tests/it/bench", "src/measure/backend/local"].map(|f| root.join(f)) {
        for file in std::fs::read_dir(entry).expect("a folder").flatten().map(|e| e.path()) {
            if file.extension().is_some_and(|e| e == "rs") {
                files.push_str(&std::fs::read_to_string(&file).expect("text"));
            }
        }
    }
    for row in rows {
        let test = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim().trim_matches('`');
        assert!(files.contains(&format!("fn {test}(")), "{row}: there is no test {test}");
    }
}
