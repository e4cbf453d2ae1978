//! What a run costs: planned, capped while it runs, and never paid twice.

use super::server::{Do, HEAD, Server, TEXT, good, send, status};
use super::{Place, code};
use std::process::Output;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A priced server on this machine: a model that Ollama runs in its cloud. A million output tokens
/// cost 1,000 USD.
fn priced(place: &Place, port: u16) {
    let folder = place.path("data/hardware-db");
    std::fs::create_dir_all(&folder).expect("created");
    let text = format!(
        "[[provider]]\nid = \"mine\"\nname = \"Mine\"\nwire = \"ollama\"\n\
         base_url = \"http://127.0.0.1:{port}\"\nprices = \"mine\"\nsource = \"test\"\nas_of = 2026-11-01\n\n\
         [[api_model]]\nid = \"mine/m-cloud\"\nprovider = \"mine\"\nmodel = \"m-cloud\"\n\
         source = \"test\"\nas_of = 2026-11-01\n\
         [[api_model.price]]\nrates = {{ input_per_mtok = 1, output_per_mtok = 1000 }}\n"
    );
    std::fs::write(folder.join("mine.toml"), text).expect("written");
}

/// An answer of 100 tokens: 0.10 USD.
fn answer() -> Vec<Do> {
    vec![send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n\
         {\"message\":{\"content\":\"Paris\"},\"done\":false}\n\
         {\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":1,\"eval_count\":100}\n",
    )]
}

fn near(value: &serde_json::Value, wanted: f64) -> bool {
    value.as_f64().is_some_and(|v| (v - wanted).abs() < 0.001)
}

/// What was really used decides, not what was planned: 1,000 tokens are allowed, 100 are used.
#[test]
fn the_cap_is_kept_while_the_run_goes() {
    let server = Server::start(vec![answer()]);
    let place = Place::new();
    priced(&place, server.port);
    let flags = ["--repeats", "9", "--max-output-tokens", "1000", "--retries", "0", "--max-cost", "1.35"];
    let output = place.bench_once(&["mine:m-cloud".to_owned()], &flags);
    let said = stderr(&output);
    assert_eq!(code(&output), 1, "{said}");
    // A fourth request fits under 0.30 + 1.00, a fifth does not.
    assert_eq!(server.requests().len(), 4, "{said}");
    assert!(said.contains("--max-cost"), "{said}");
    let spending = &place.document()["result"]["spending"];
    assert!(near(&spending["spent_usd"], 0.4), "{spending}");
    assert_eq!(
        (spending["consent"].as_str(), near(&spending["unsettled_usd"], 0.0)),
        (Some("--max-cost"), true)
    );
    assert!(near(&spending["worst_case_usd"], 9.0), "{spending}");
}

/// A model that writes more than it was allowed to is taken to do so again.
#[test]
fn an_output_beyond_its_limit_counts_for_the_next_request() {
    let server = Server::start(vec![answer()]);
    let place = Place::new();
    priced(&place, server.port);
    // 100 tokens came although 10 were asked for: the second request may cost 0.10, not 0.01.
    let flags = ["--repeats", "9", "--max-output-tokens", "10", "--retries", "0", "--max-cost", "0.15"];
    let output = place.bench_once(&["mine:m-cloud".to_owned()], &flags);
    assert_eq!(server.requests().len(), 1, "{}", stderr(&output));
    let spending = &place.document()["result"]["spending"];
    assert!(near(&spending["spent_usd"], 0.1), "{spending}");
}

/// An answer that broke off may be billed to its limit, one that was turned away is not.
#[test]
fn what_may_have_been_billed_counts_against_the_cap() {
    let cut = vec![send(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n\
         {\"message\":{\"content\":\"Paris\"},\"done\":false}\n",
    )];
    let server = Server::start(vec![cut, status("400 Bad Request", "", ""), answer()]);
    let place = Place::new();
    priced(&place, server.port);
    let flags = ["--repeats", "4", "--max-output-tokens", "1000", "--retries", "0", "--max-cost", "2.15"];
    let output = place.bench_once(&["mine:m-cloud".to_owned()], &flags);
    // 1.00 open, nothing, 0.10: the fourth could pass 2.15 by its input.
    let spending = &place.document()["result"]["spending"];
    assert!(near(&spending["unsettled_usd"], 1.0), "{spending} {}", stderr(&output));
    assert_eq!(server.requests().len(), 4, "{}", stderr(&output));
    assert!(near(&spending["spent_usd"], 0.2), "{spending}");
}

#[test]
fn a_plan_says_what_it_rests_on_and_sends_nothing() {
    let server = Server::start(vec![answer()]);
    let place = Place::new();
    priced(&place, server.port);
    let output = place.bench(&["mine:m-cloud".to_owned()], &["--dry-run", "--max-output-tokens", "1000"]);
    let said = stderr(&output);
    assert_eq!((code(&output), server.connections()), (0, 0), "{said}");
    for words in ["at most $1.00", "3 attempts", "one token per byte", "reasoning counts as output"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let output = place.bench(&["mine:m-cloud".to_owned()], &["--max-output-tokens", "1000"]);
    assert_eq!((code(&output), server.connections()), (2, 0), "nobody agreed: {}", stderr(&output));
}

/// A failure that nobody billed is asked again on resume; one that may have been billed is not.
#[test]
fn resume_asks_again_what_was_not_paid() {
    let place = Place::new();
    let lines: Vec<String> = (0..3).map(|n| format!("{{\"id\":\"q{n}\",\"prompt\":\"{n}\"}}\n")).collect();
    std::fs::write(place.path("prompts.jsonl"), lines.concat()).expect("written");
    let cut = vec![send(HEAD), send(TEXT)];
    let server = Server::start(vec![good(), status("503 Busy", "", ""), cut, good()]);
    let output = place.bench(&[server.target("openai")], &["--retries", "0"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(place.document()["result"]["targets"][0]["failures"], 2);
    let resume = || {
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"))
            .args(["bench", "--resume"])
            .arg(place.path("out.journal.jsonl"))
            .args(["--api", &server.target("openai"), "-o"])
            .arg(place.path("out.json"))
            .env("FREEHOLD_CACHE_DIR", place.path("cache"))
            .env("FREEHOLD_DATA_DIR", place.path("data"))
            .output()
            .expect("it ran")
    };
    let output = resume();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(server.requests().len(), 4, "one of the two failures is asked again");
    let document = place.document();
    let (samples, target) = (&document["result"]["samples"], &document["result"]["targets"][0]);
    assert_eq!((samples.as_array().map(Vec::len), target["failures"].as_u64()), (Some(3), Some(1)));
    assert!(document["warnings"].to_string().contains("asked-again"), "{}", document["warnings"]);
    let output = resume();
    assert_eq!((code(&output), server.requests().len()), (2, 4), "{}", stderr(&output));
}

#[test]
fn every_target_that_is_lost_is_named_and_the_others_go_on() {
    let page = Server::start(vec![status("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>")]);
    let broke = Server::start(vec![status("402 Payment Required", "", "")]);
    let works = Server::start(vec![good()]);
    let missing =
        Server::start(vec![status("404 Not Found", "", "{\"error\":{\"code\":\"model_not_found\"}}")]);
    let targets = [&page, &broke, &works, &missing].map(|s| s.target("openai"));
    let place = Place::new();
    let output = place.bench(&targets, &[]);
    let said = stderr(&output);
    assert_eq!(code(&output), 1, "{said}");
    for words in ["web page", "/v1", "no credit left", "does not exist there", "Check the model's name"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(place.document()["result"]["targets"][2]["failures"], 0);
}
