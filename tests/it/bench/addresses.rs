//! Where a model is asked: what people type after `@`, plain http beyond this machine, and what is said
//! where nothing answers as it should.

use super::server::{Server, good, status};
use super::{Place, code};
use std::process::Output;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_common_form_of_a_base_url_leads_to_the_endpoint() {
    let forms = [
        ("openai", "", "/v1/chat/completions"),
        ("openai", "/", "/v1/chat/completions"),
        ("openai", "/v1", "/v1/chat/completions"),
        ("openai", "/v1/", "/v1/chat/completions"),
        ("openai", "/v1/chat/completions", "/v1/chat/completions"),
        ("openai", "/api/v1", "/api/v1/chat/completions"),
        ("anthropic", "", "/v1/messages"),
        ("anthropic", "/v1", "/v1/messages"),
        ("anthropic", "/v1/messages", "/v1/messages"),
        ("gemini", "", "/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("gemini", "/v1beta", "/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("gemini", "/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("ollama", "", "/api/chat"),
        ("ollama", "/api", "/api/chat"),
        ("ollama", "/api/chat", "/api/chat"),
        ("ollama", "/v1", "/api/chat"),
    ];
    for (provider, typed, path) in forms {
        let server = Server::start(vec![status("400 Bad Request", "", "")]);
        let place = Place::new();
        place.bench(&[format!("{}{typed}", server.target(provider))], &["--retries", "0"]);
        let request = server.requests().concat();
        assert!(request.starts_with(&format!("POST {path} HTTP/1.1")), "{provider} {typed}: {request}");
    }
}

#[test]
fn a_host_without_a_scheme_is_no_part_of_a_models_name() {
    let typed = [
        ("openai:m@127.0.0.1:8080", "http"),
        ("openai:m@gpu-box:8000/v1", "http"),
        ("openai:m@llm.example.com", "https"),
    ];
    for (target, scheme) in typed {
        let place = Place::new();
        let variables = [("OPENAI_API_KEY", "sk-openai-key-0123456789")];
        let output = place.bench_with(&[target.to_owned()], &["--dry-run"], &variables);
        let host = target.split_once('@').expect("a host").1;
        let said = said(&output);
        assert_eq!(code(&output), 2, "{target}: {said}");
        assert!(said.contains(&format!("@{scheme}://{host}")), "{said}");
    }
}

#[test]
fn a_plan_names_the_endpoint() {
    let place = Place::new();
    let output = place.bench(&["openai:m@http://127.0.0.1:9/v1".to_owned()], &["--dry-run"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("http://127.0.0.1:9/v1/chat/completions"), "{}", said(&output));
}

/// Prompts go over plain http only within one's own network, and only where that was said; a key, where
/// that was said, too.
#[test]
fn plain_http_to_another_machine_needs_the_users_word() {
    let own = ["compatible:m@http://gpu-box:8000/v1".to_owned()];
    let run = |target: &[String; 1], more: &[&str], variables: &[(&str, &str)]| {
        let place = Place::new();
        let output = place.bench_with(target, more, variables);
        (code(&output), said(&output))
    };
    let (exit, told) = run(&own, &["--yes"], &[]);
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("--allow-http gpu-box"), "{told}");

    let (exit, told) = run(&own, &["--dry-run", "--allow-http", "gpu-box"], &[]);
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("http://gpu-box:8000/v1/chat/completions"), "{told}");

    let key = [("MY_KEY", "sk-mine-0123456789abcdef")];
    let stated = ["--dry-run", "--allow-http", "gpu-box", "--api-key-env", "MY_KEY"];
    let (exit, told) = run(&own, &stated, &key);
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("--allow-http-keys"), "{told}");
    let (exit, told) = run(&own, &[&stated[..], &["--allow-http-keys"]].concat(), &key);
    assert_eq!(exit, 0, "{told}");

    for public in ["compatible:m@http://llm.example.com/v1", "compatible:m@http://8.8.8.8/v1"] {
        let more = ["--dry-run", "--allow-http", "llm.example.com", "--allow-http", "8.8.8.8"];
        let (exit, told) = run(&[public.to_owned()], &more, &[]);
        assert_eq!(exit, 2, "{public}: {told}");
        assert!(told.contains("is not https"), "{told}");
    }
}

#[test]
fn what_is_not_there_is_said_with_its_url() {
    let server = Server::start(vec![status("404 Not Found", "", "not found")]);
    let place = Place::new();
    let target = format!("compatible:m@http://127.0.0.1:{}/llm", server.port);
    let told = said(&place.bench(&[target], &[]));
    let url = format!("POST http://127.0.0.1:{}/llm/chat/completions", server.port);
    assert!(told.contains(&url) && told.contains("/v1"), "{told}");
}

#[test]
fn no_key_is_told_from_a_wrong_one() {
    let server = Server::start(vec![status("401 Unauthorized", "", "{\"error\":\"no token\"}")]);
    let place = Place::new();
    let told = said(&place.bench(&[server.target("openai")], &[]));
    assert!(told.contains("the server wants a key and none was sent"), "{told}");
    let place = Place::new();
    let key = [("FREEHOLD_API_KEY", "sk-mine-0123456789abcdef")];
    let told = said(&place.bench_with(&[server.target("openai")], &[], &key));
    assert!(!told.contains("none was sent"), "{told}");
}

/// Servers of one's own take a word for a key; an answer that has the word in it stays what it is.
#[test]
fn a_word_for_a_key_is_not_taken_out_of_answers() {
    let server = Server::start(vec![good()]);
    let place = Place::new();
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"a\",\"expect\":\"paris\"}\n")
        .expect("written");
    let output = place.bench_with(&[server.target("openai")], &[], &[("FREEHOLD_API_KEY", "paris")]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let document = place.document();
    let sample = &document["result"]["samples"][0];
    assert_eq!((sample["text"].as_str(), sample["pass"].as_bool()), (Some("ParisParisParis"), Some(true)));
}

/// A model that wants the other name for its limit is asked by that one, and from then on only by it.
#[test]
fn the_name_of_the_limit_is_learnt() {
    let refusal = "{\"error\":{\"message\":\"Unsupported parameter: 'FIELD' is not supported with this model.\",\"type\":\"invalid_request_error\"}}";
    for (flag, first, second) in [
        ("max_tokens", "max_tokens", "max_completion_tokens"),
        ("max_completion_tokens", "max_completion_tokens", "max_tokens"),
    ] {
        let refused = status("400 Bad Request", "", &refusal.replace("FIELD", first));
        let server = Server::start(vec![refused, good()]);
        let place = Place::new();
        let more = ["--limit-field", flag, "--repeats", "2"];
        let output = place.bench_once(&[server.target("openai")], &more);
        assert_eq!(code(&output), 0, "{}", said(&output));
        let names: Vec<&str> = server
            .requests()
            .iter()
            .map(|r| if r.contains(&format!("\"{first}\"")) { first } else { second })
            .collect();
        assert_eq!(names, [first, second, second]);
    }
}

/// Only one attempt is made in the other name, and the refusal of the first is what is told.
#[test]
fn a_limit_refused_under_both_names_is_told_once() {
    let refusal =
        |field: &str| status("400 Bad Request", "", &format!("{{\"error\":\"unknown field `{field}`\"}}"));
    let server = Server::start(vec![refusal("max_tokens"), refusal("max_completion_tokens")]);
    let place = Place::new();
    let output = place.bench(&[server.target("openai")], &["--limit-field", "max_tokens", "--retries", "0"]);
    assert_eq!((code(&output), server.requests().len()), (1, 2), "{}", said(&output));
    assert!(said(&output).contains("max_tokens"), "{}", said(&output));
}

#[test]
fn a_quiet_run_that_failed_says_why() {
    let server = Server::start(vec![status("400 Bad Request", "", "{\"error\":\"no such voice\"}")]);
    let flags: [&[&str]; 2] = [&["-q"], &["-q", "--load-only", "--concurrency", "2", "--requests", "2"]];
    for more in flags {
        let place = Place::new();
        let output = place.bench(&[server.target("openai")], more);
        let told = said(&output);
        assert_eq!(code(&output), 1, "{told}");
        assert!(told.contains("every request to") && told.contains("no such voice"), "{told}");
    }
}
