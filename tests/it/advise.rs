//! `advise` from the command line, and the data it decides by.

use crate::needs::shared;
use crate::run::{Sandbox, suite};
use freehold::advise::{Guide, Matrix, decide};
use freehold::workload::Profile;
use freehold::workload::profile::SHIPPED;

const FLAGS: &[&str] = &[
    "--privacy",
    "standard",
    "--volume",
    "high",
    "--capability",
    "moderate",
    "--operations",
    "available",
    "--budget",
    "capex",
];

#[test]
fn each_use_case_of_the_brief_gets_its_placement() {
    let matrix = Matrix::shipped();
    for case in Guide::shipped().use_cases {
        let profile = Profile::shipped(&case.profile).expect(&case.profile);
        let need = profile.draft.with_implied().complete().expect("all five answers");
        assert_eq!(decide(&matrix, &need, None, None).placement, case.placement, "{}", case.situation);
    }
}

#[test]
fn every_profile_file_is_embedded_and_used() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("profiles/")
        .filter_map(|e| e.expect("readable").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    files.sort();
    assert_eq!(files, SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let guide = Guide::shipped();
    for name in files {
        assert!(guide.use_cases.iter().any(|c| c.profile == name), "{name} stands for no use case");
    }
}

#[test]
fn every_rule_rests_on_a_line_of_the_brief() {
    let Some(brief) = shared("brief/cloud-vs-local.md") else { return };
    let lines: Vec<&str> = brief.lines().collect();
    let (matrix, guide) = (Matrix::shipped(), Guide::shipped());
    let all = [&matrix.volume.brief, &guide.look_again.brief]
        .into_iter()
        .chain(matrix.rules.iter().map(|r| &r.brief))
        .chain(matrix.arguments.iter().map(|a| &a.brief))
        .chain(matrix.privacy_reasons.iter().map(|m| &m.brief))
        .chain(matrix.tiers.iter().map(|t| &t.brief))
        .chain(guide.migrations.iter().map(|m| &m.brief))
        .chain(guide.recipes.iter().map(|r| &r.brief))
        .chain(guide.tables.iter().map(|t| &t.brief))
        .chain(guide.use_cases.iter().map(|u| &u.brief))
        .chain(guide.tasks.iter().map(|t| &t.brief));
    let wrong: Vec<_> = all
        .filter(|b| !lines.get(b.line as usize - 1).is_some_and(|line| line.contains(b.text.as_str())))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_document_keeps_its_names() {
    let sandbox = Sandbox::new();
    let args: Vec<&str> = ["advise", "--json"].iter().chain(FLAGS).copied().collect();
    let document = sandbox.run(&args).json();
    assert_eq!(document["schema"], "freehold.advice/1");
    let result = &document["result"];
    assert_eq!(result["placement"], "local");
    // Nothing was priced, so it is not sure.
    assert_eq!(result["confidence"], "medium");
    assert_eq!(result["rule"], "high-capex");
    assert_eq!(result["matrix"]["placement"], "local");
    assert_eq!(result["options"], serde_json::json!([]));
    assert_eq!(result["chosen"], serde_json::Value::Null);
    assert!(result["reasons"].as_array().is_some_and(|r| r.len() > 2));
    assert!(result["against"].as_array().is_some_and(|r| !r.is_empty()));
    for question in ["privacy", "volume", "capability", "operations", "budget"] {
        assert_eq!(document["inputs"][question]["source"]["kind"], "user");
        assert_eq!(document["inputs"][question]["source"]["via"], format!("--{question}"));
    }
}

#[test]
fn flags_win_over_a_profile_and_a_saved_profile_says_the_same() {
    let sandbox = Sandbox::new();
    let changed =
        sandbox.run(&["advise", "--profile", "legal", "--privacy-reason", "hipaa", "--json"]).json();
    assert_eq!(changed["inputs"]["privacy_reason"]["value"], "hipaa");
    assert_eq!(changed["inputs"]["volume"]["source"]["via"], "profile legal:7 volume");
    let args = [
        "advise",
        "--profile",
        "hybrid-routing",
        "--input-tokens",
        "12.5",
        "--save-profile",
        "mine",
        "--json",
    ];
    let mut first = sandbox.run(&args).json();
    let mut again = sandbox.run(&["advise", "--profile", "mine", "--json"]).json();
    for document in [&mut first, &mut again] {
        // How the request was said: by a flag, then by the file.
        document["result"]["models"]["api"]["request"].take();
    }
    assert_eq!(first["result"], again["result"]);
    assert_eq!(again["inputs"]["need.input_tokens"]["value"], 12.5);
    let saved = std::fs::read_to_string(sandbox.path("config/profiles/mine.toml")).expect("saved");
    assert!(saved.contains("requests_per_month = 200000\n"), "{saved}");
}

#[test]
fn without_a_terminal_the_missing_flags_are_named() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["advise", "--privacy", "strict", "--budget", "opex"]);
    run.refused(&[
        "--volume low|variable|high",
        "--capability basic|moderate|maximum",
        "--operations limited|available",
    ]);
    assert!(!run.err.contains("--privacy ") && !run.err.contains("--budget "), "{}", run.err);
}

#[test]
fn known_numbers_answer_the_volume_question() {
    let sandbox = Sandbox::new();
    let args = [
        "advise",
        "--privacy",
        "standard",
        "--capability",
        "moderate",
        "--operations",
        "available",
        "--budget",
        "capex",
        "--requests-per-month",
        "100000",
        "--input-tokens",
        "500",
        "--output-tokens",
        "100",
        "--json",
    ];
    let document = sandbox.run(&args).json();
    assert_eq!(document["inputs"]["volume"]["value"], "high");
    assert_eq!(document["inputs"]["volume"]["source"]["kind"], "assumed");
    // The matrix has its cell from it; what decides is computed.
    assert_eq!(document["result"]["matrix"]["cell"], "moderate capability, high volume");
    let options = document["result"]["options"].as_array().expect("priced");
    let ids: Vec<&str> = options.iter().filter_map(|o| o["id"].as_str()).collect();
    for id in ["api", "same-model", "rented", "owned"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    assert_eq!(document["result"]["chosen"], options[0]["id"]);
    let odds: f64 = options.iter().filter_map(|o| o["probability_cheapest"].as_f64()).sum();
    assert!((odds - 1.0).abs() < 1e-9, "{odds}");
    for option in options {
        for name in ["placement", "name", "monthly_usd", "tco_usd", "capex_usd"] {
            assert!(!option[name].is_null(), "{name} of {option}");
        }
        assert_eq!(option["probability_cheapest"].is_null(), !option["excluded_because"].is_null());
    }
}

#[test]
fn bad_profiles_are_refused_with_their_place() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["advise", "--profile", "healthcare-strct"])
        .refused(&["did you mean `--profile healthcare-strict`"]);
    sandbox.run(&["advise", "--profile", "./none.toml"]).refused(&["none.toml"]);
    sandbox.write("typo.toml", "title = \"x\"\nvolume = \"hihg\"\n");
    sandbox.run(&["advise", "--profile", "typo.toml"]).refused(&[
        "typo.toml:2:10",
        "^^^^^^",
        "Did you mean `high`?",
    ]);
    std::fs::write(sandbox.path("bytes.toml"), b"title = \"a\"\nabout = \"\xff\"\n").expect("written");
    sandbox.run(&["advise", "--profile", "bytes.toml"]).refused(&["bytes.toml: line 2 is not UTF-8"]);
    sandbox.run(&["advise", "--profile", "."]).refused(&[]);
}

/// 777 TOML files nobody of this project wrote: an error that names the file, never a panic.
#[test]
fn no_toml_breaks_the_profile_reader() {
    for toml in suite("testdata/toml_test.json").unwrap_or_default() {
        if let Err(error) = Profile::parse("case.toml", &toml) {
            assert!(error.to_string().starts_with("case.toml"), "{error}");
        }
    }
}

#[test]
fn every_comparison_table_prints_and_fits() {
    use unicode_width::UnicodeWidthStr as _;
    let sandbox = Sandbox::new();
    for name in freehold::render::guide::NAMES {
        for columns in ["60", "100"] {
            let output = sandbox
                .command(crate::run::program())
                .env("COLUMNS", columns)
                .args(["advise", "--table", name])
                .output()
                .expect("runs");
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            assert!(text.lines().count() > 5, "{name}: {text}");
            let width: usize = columns.parse().expect("a number");
            for line in text.lines() {
                assert!(line.width() <= width, "{name} at {columns}: {line}");
            }
        }
    }
    let all = sandbox.run(&["advise", "--table", "all", "--json"]).json();
    assert!(all.as_array().is_some_and(|tables| tables.len() >= 13));
}

#[test]
fn evidence_of_the_wrong_kind_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(&["advise", "--profile", "legal", "-o", "advice.json"]).ok();
    sandbox
        .run(&["advise", "--profile", "legal", "--evidence", "advice.json"])
        .refused(&["takes a bench document"]);
    sandbox
        .run(&["advise", "--profile", "legal", "--cost", "advice.json"])
        .refused(&["takes a breakeven document"]);
    sandbox.write("broken.json", "{\n  \"schema\": ");
    sandbox
        .run(&["advise", "--profile", "legal", "--cost", "broken.json"])
        .refused(&["broken.json", "line 2"]);
}
