//! `freehold db` as a user runs it.

use assert_cmd::Command;
use std::path::Path;

const LITELLM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prices/litellm.json");
const GENAI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prices/genai-prices.json");

fn db(data: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_freehold"))
        .env("FREEHOLD_DATA_DIR", data)
        .env("COLUMNS", "100")
        .arg("--today=2026-11-27")
        .arg("db")
        .args(args)
        .output()
        .expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("ends by itself"), text(output.stdout), text(output.stderr))
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn the_catalogue_is_listed_searched_and_shown() {
    let data = tempfile::tempdir().expect("a folder");
    let (code, out, _) =
        db(data.path(), &["list", "api-models", "--provider", "anthropic", "--tier", "3", "--json"]);
    assert_eq!(code, 0);
    let list = json(&out);
    let models = list["result"]["api_models"].as_array().expect("a list");
    assert!(models.iter().all(|m| m["provider"] == "anthropic" && m["tier"] == 3) && models.len() >= 2);

    let (_, out, _) = db(data.path(), &["search", "llama", "8b", "--json"]);
    let found = json(&out);
    assert!(found["result"]["open_models"].is_array() && found["result"]["api_models"].is_array());

    let (_, out, _) = db(data.path(), &["show", "anthropic/claude-haiku-4-5"]);
    assert!(out.contains("means this model today") && out.contains("claude-haiku-4-5-20251001"), "{out}");

    let (code, _, err) = db(data.path(), &["show", "nvidia-rtx-409"]);
    assert_eq!(code, 2);
    assert!(err.contains("nvidia-rtx-4090"), "{err}");

    let (code, out, _) = db(data.path(), &["list", "electricity", "--format", "csv"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("\"Id\",\"Name\",\"USD/kWh\""), "{out}");
}

#[test]
fn what_db_show_writes_as_toml_is_a_record_of_ones_own() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("hardware-db");
    std::fs::create_dir(&folder).expect("made");
    let mut ids = Vec::new();
    for (kind, id) in [
        ("gpus", "gpus"),
        ("machines", "machines"),
        ("rentals", "rentals"),
        ("electricity", "electricity"),
        ("open-models", "open_models"),
        ("currencies", "currencies"),
    ] {
        let (_, out, _) = db(data.path(), &["list", kind, "--json"]);
        ids.push(json(&out)["result"][id][0]["id"].as_str().expect("an id").to_owned());
    }
    ids.push("anthropic/claude-haiku-5-5".to_owned());
    let mut args = vec!["show", "--toml"];
    args.extend(ids.iter().map(String::as_str));
    let (code, out, err) = db(data.path(), &args);
    assert_eq!(code, 0, "{err}");
    std::fs::write(folder.join("mine.toml"), out.replace("Claude Haiku 5.5", "Ours")).expect("written");
    let (code, out, _) = db(data.path(), &["check"]);
    assert_eq!(code, 0, "{out}");
    let (_, out, _) = db(data.path(), &["show", "anthropic/claude-haiku-5-5"]);
    assert!(out.contains("Ours"), "{out}");
}

/// What CONTRIBUTING shows of a record is one, as it stands there; a citation of a figure that is not given is
/// found.
#[test]
fn the_records_that_are_shown_to_contributors_are_good() {
    let text = include_str!("../../CONTRIBUTING.md");
    let records: Vec<&str> =
        text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(records.len() >= 3, "{}", records.len());
    let check = |record: &str| {
        let data = tempfile::tempdir().expect("a folder");
        let folder = data.path().join("hardware-db");
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(folder.join("mine.toml"), record).expect("written");
        let (code, out, err) = db(data.path(), &["check"]);
        (code, format!("{out}{err}"))
    };
    for record in &records {
        let record = record.replace("https://...", "https://the.page/you/read");
        let (code, told) = check(&record);
        assert_eq!(code, 0, "{record}\n{told}");
    }
    let gpu = records.iter().find(|r| r.contains("[[gpu]]")).expect("a card");
    let without: String =
        gpu.lines().filter(|l| !l.starts_with("idle_watts")).fold(String::new(), |all, l| all + l + "\n");
    let (code, told) = check(&without.replace("https://...", "https://the.page/you/read"));
    assert!(code != 0 && told.contains("idle_watts"), "{told}");
}

#[test]
fn a_broken_record_stops_every_command_but_the_check_that_explains_it() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("hardware-db");
    std::fs::create_dir(&folder).expect("made");
    std::fs::write(folder.join("mine.toml"), "[[tariff]]\nid = \"x\"\nusd_per_kwh = 30\n").expect("written");
    for args in [&["list"][..], &["check"], &["age"]] {
        let (code, out, err) = db(data.path(), args);
        assert_eq!(code, 2, "{args:?}");
        let told = format!("{out}{err}");
        assert!(told.contains("mine.toml:1:1") && told.contains("missing field `name`"), "{told}");
    }
    // The shipped records are still there for whoever moves the file away.
    std::fs::remove_file(folder.join("mine.toml")).expect("removed");
    assert_eq!(db(data.path(), &["check"]).0, 0);
}

#[test]
fn a_catalogue_file_for_one_run() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("quote.toml");
    std::fs::write(&file, "[[tariff]]\nid = \"our-cellar\"\nname = \"Cellar\"\ncountry = \"DE\"\nusd_per_kwh = 0.11\nsource = \"contract\"\nas_of = 2026-11-01\n").expect("written");
    let path = file.to_str().expect("UTF-8");
    let (code, out, _) = db(data.path(), &["show", "our-cellar", "--catalog", path]);
    assert_eq!(code, 0);
    assert!(out.contains("0.11"), "{out}");
    assert_eq!(db(data.path(), &["show", "our-cellar"]).0, 2);
}

#[test]
fn an_import_shows_asks_and_writes_records_of_ones_own() {
    let data = tempfile::tempdir().expect("a folder");
    let target = data.path().join("hardware-db/imported-litellm.toml");
    let import = ["import", LITELLM, "--from", "litellm", "--provider", "mistral"];

    let (code, out, _) = db(data.path(), &[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, 0);
    assert!(out.contains("mistral-large-4") && out.contains("+94 %"), "{out}");
    assert!(!target.exists());

    // No terminal: nothing is asked, nothing is written.
    let (code, _, err) = db(data.path(), &import);
    assert_eq!(code, 2);
    assert!(err.contains("--yes") && !target.exists(), "{err}");

    let (code, out, _) = db(data.path(), &[&import[..], &["--yes", "--json"]].concat());
    assert_eq!(code, 0);
    assert_eq!(json(&out)["result"]["records"], 2);
    let (_, out, _) = db(data.path(), &["show", "mistral/mistral-large-4", "--json"]);
    let record = &json(&out)["result"][0]["record"];
    assert_eq!(record["price"][0]["rates"]["input_per_mtok"], 1.36);
    // What the file does not say stays as it was.
    assert_eq!(record["tier"], 2);
    assert_eq!(db(data.path(), &["check"]).0, 0);

    // A second import of another provider leaves the first one's records.
    let (code, _, err) =
        db(data.path(), &["import", LITELLM, "--from", "litellm", "--provider", "x-ai", "--yes"]);
    assert_eq!(code, 0, "{err}");
    let kept = std::fs::read_to_string(&target).expect("there");
    assert!(kept.contains("mistral/mistral-large-4") && kept.contains("x-ai/grok-4.3"));
}

/// Price files as people have them: one odd record is left out and counted, the others are taken.
#[test]
fn price_files_with_odd_records_are_taken_over() {
    let Some(folder) = crate::needs::case("testdata/api_cases") else { return };
    let entries = std::fs::read_dir(folder).expect("a folder");
    for path in entries.flatten().map(|e| e.path()).filter(|p| p.to_string_lossy().ends_with(".price.json")) {
        let case = json(&std::fs::read_to_string(&path).expect("readable"));
        let data = tempfile::tempdir().expect("a folder");
        let file = data.path().join("prices.json");
        std::fs::write(&file, case["file"].to_string()).expect("written");
        let from = case["from"].as_str().expect("a format");
        let file = file.to_str().expect("UTF-8");
        let (code, out, err) = db(data.path(), &["import", file, "--from", from, "--dry-run", "--json"]);
        let (name, expect) = (path.display(), &case["expect"]);
        assert_eq!(Some(i64::from(code)), expect["rc"].as_i64(), "{name}: {err}");
        let result = &json(&out)["result"];
        assert_eq!(result["comparison"]["added"], expect["new"], "{name}");
        let skipped = result["skipped"].as_array().map_or(0, Vec::len);
        assert_eq!(skipped as u64, expect["skipped"].as_u64().unwrap_or(0), "{name}");
    }
}

#[test]
fn a_wrong_import_leaves_the_old_data_in_force() {
    let data = tempfile::tempdir().expect("a folder");
    let (code, _, err) = db(data.path(), &["import", LITELLM, "--from", "genai-prices", "--yes"]);
    assert_eq!(code, 2);
    assert!(err.contains("litellm.json:1:1") && err.contains("expected"), "{err}");
    let (code, _, err) = db(data.path(), &["import", "/dev/null", "--from", "litellm", "--yes"]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = db(data.path(), &["import", "http://example.org/x", "--from", "litellm", "--yes"]);
    assert_eq!(code, 1);
    assert!(err.contains("not an https address"), "{err}");
    let address = "https://me:secret@example.org/x";
    let (code, _, err) = db(data.path(), &["import", address, "--from", "litellm", "--yes"]);
    assert!(code == 1 && !err.contains("secret"), "{err}");
    assert!(!data.path().join("hardware-db").exists());
}

/// A file read as another format would be an empty or a wrong list: all twelve wrong pairs are
/// errors that name the right one.
#[test]
fn a_file_of_another_format_is_recognised() {
    let data = tempfile::tempdir().expect("a folder");
    let formats = [
        ("genai-prices", "genai-prices"),
        ("litellm", "litellm"),
        ("models.dev", "models-dev"),
        ("openrouter", "openrouter"),
    ];
    for (is, file) in formats {
        let file = format!("{}/tests/fixtures/prices/{file}.json", env!("CARGO_MANIFEST_DIR"));
        for (asked, _) in formats.into_iter().filter(|(asked, _)| *asked != is) {
            let (code, out, err) = db(data.path(), &["import", &file, "--from", asked, "--yes"]);
            assert_eq!(code, 2, "{is} as {asked}: {err}");
            assert!(err.contains(&format!("looks like a file of {is}")), "{is} as {asked}: {err}");
            assert!(err.contains(&format!("--from {is}")) && out.is_empty(), "{is} as {asked}: {err}");
        }
        let (code, _, err) = db(data.path(), &["import", &file, "--from", is, "--dry-run"]);
        assert_eq!(code, 0, "{is}: {err}");
    }
    assert!(!data.path().join("hardware-db").exists(), "nothing was written");
}

#[test]
fn slipped_prices_are_left_out_and_said_so() {
    let data = tempfile::tempdir().expect("a folder");
    let slipped = std::fs::read_to_string(LITELLM)
        .expect("there")
        .replace("\"input_cost_per_token\": 4e-06", "\"input_cost_per_token\": 4e-09");
    let file = data.path().join("slipped.json");
    std::fs::write(&file, slipped).expect("written");
    let args = [
        "import",
        file.to_str().expect("UTF-8"),
        "--from",
        "litellm",
        "--provider",
        "anthropic",
        "--yes",
        "--json",
    ];
    let (code, out, _) = db(data.path(), &args);
    assert_eq!(code, 0);
    let result = &json(&out)["result"];
    let skipped = result["skipped"].as_array().expect("a list");
    assert!(skipped.iter().any(|s| s["id"] == "anthropic/claude-opus-5-5"), "{result}");
    assert!(!result["comparison"]["implausible"].as_array().expect("a list").is_empty());
    // What is left out is told as neither new nor changed.
    for list in ["added", "changed"] {
        let text = result["comparison"][list].to_string();
        assert!(!text.contains("anthropic/claude-opus-5-5\""), "{list}: {text}");
    }
    let (_, out, _) = db(data.path(), &["show", "anthropic/claude-opus-5-5", "--json"]);
    assert_eq!(json(&out)["result"][0]["record"]["price"][0]["rates"]["input_per_mtok"], 4.0);
}

#[test]
fn two_sources_are_compared_with_the_decisions_taken() {
    let data = tempfile::tempdir().expect("a folder");
    let (a, b) = (format!("genai-prices:{GENAI}"), format!("litellm:{LITELLM}"));
    let (code, out, _) = db(data.path(), &["diff", &a, &b, "--changed", "--json"]);
    assert_eq!(code, 0);
    let decisions = json(&out)["result"]["decisions"].clone();
    let large = decisions.as_array().and_then(|d| d.iter().find(|d| d["id"] == "mistral/mistral-large-4"));
    let reason = large.and_then(|d| d["reason"].as_str()).unwrap_or_default();
    assert!(reason.contains("since 2026-10-29"), "{decisions}");
    let (code, _, err) = db(data.path(), &["diff", "shipped", "prices.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("FORMAT:FILE"), "{err}");
}

#[test]
fn age_names_the_oldest_and_what_changes_soon() {
    let data = tempfile::tempdir().expect("a folder");
    let (code, out, _) = db(data.path(), &["age", "--json"]);
    assert_eq!(code, 0);
    let ages = json(&out);
    let soon = ages["result"]["soon"].as_array().expect("a list");
    let announced = |id: &str, what: &str| {
        soon.iter().any(|s| s["id"] == id && s["on"] == "2026-12-01" && s["what"] == what)
    };
    assert!(announced("google/gemini-4-argon", "price changes"), "{soon:?}");
    for retired in ["google/gemini-2.5-flash", "google/gemini-2.5-pro"] {
        assert!(announced(retired, "provider switches it off"), "{soon:?}");
    }
    // What hardware costs ages by its own days, not by those of the specifications.
    let kinds = ages["result"]["kinds"].as_array().expect("a list");
    let prices = kinds.iter().find(|k| k["kind"] == "purchase-prices").expect("counted");
    assert!(prices["records"].as_u64() > Some(80) && prices["oldest_as_of"].is_string(), "{prices}");
    let stale = ages["result"]["stale"].as_array().expect("a list");
    let old = stale.iter().filter(|s| s["kind"] == "purchase_price").count();
    assert_eq!(prices["stale"].as_u64(), Some(old as u64));
    let (_, out, _) = db(data.path(), &["path", "--user"]);
    assert_eq!(out.trim_end(), data.path().join("hardware-db").to_str().expect("UTF-8"));
}

/// What came with a project has no say in where a key goes; nor has the user's own folder where the
/// variable is somebody else's.
#[test]
fn no_file_of_a_project_says_where_a_key_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = |variable: &str| {
        format!(
            "[[provider]]\nid = \"mine\"\nname = \"Mine\"\nwire = \"openai-chat\"\n\
             base_url = \"https://llm.example.com/v1\"\nkey_variable = \"{variable}\"\n\
             source = \"test\"\nas_of = 2026-11-01\n"
        )
    };
    let project = folder.path().join("project.toml");
    std::fs::write(&project, record("MINE_API_KEY")).expect("written");
    let own = folder.path().join("data/hardware-db");
    std::fs::create_dir_all(&own).expect("created");
    let run = |arguments: &[&str]| {
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"))
            .args(arguments)
            .env("FREEHOLD_DATA_DIR", folder.path().join("data"))
            .env("OPENAI_API_KEY", "sk-canary-0123456789")
            .output()
            .expect("it ran")
    };
    let output = run(&["db", "list", "providers", "--catalog", project.to_str().expect("UTF-8")]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("where keys and prompts go"), "{stderr}");

    std::fs::write(own.join("mine.toml"), record("OPENAI_API_KEY")).expect("written");
    let output = run(&["db", "list", "providers"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot be sent elsewhere"), "{stderr}");

    std::fs::write(own.join("mine.toml"), record("MINE_API_KEY")).expect("written");
    let output = run(&["db", "list", "providers"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("MINE_API_KEY"));
}
