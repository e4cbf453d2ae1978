//! Strict privacy: nothing is sent, not even a question to a resolver.

use super::server::{Do, HEAD, STOP, Server, TEXT, USAGE, good, send, status};
use super::{Place, code};
use freehold::measure::event::FaultKind;
use freehold::measure::fetch::{self, FetchConfig};
use std::process::Output;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_cloud_is_refused_before_its_key_is_looked_for() {
    for strict in [["--privacy", "strict"], ["--profile", "healthcare-strict"]] {
        let place = Place::new();
        let output = place.bench(&["openai:gpt-x".to_owned()], &[&strict[..], &["--yes"]].concat());
        let said = stderr(&output);
        assert_eq!(code(&output), 2, "{said}");
        assert!(said.contains("privacy is strict") && said.contains("https://api.openai.com"), "{said}");
        assert!(!place.path("out.json").exists());
    }
}

#[test]
fn a_profile_is_not_overruled_in_passing() {
    let place = Place::new();
    let server = Server::start(vec![good()]);
    let flags = ["--profile", "healthcare-strict", "--privacy", "standard"];
    let output = place.bench(&[server.target("openai")], &flags);
    assert_eq!((code(&output), server.connections()), (2, 0), "{}", stderr(&output));
    let output = place.bench(&[server.target("openai")], &["--profile", "no-such-profile"]);
    assert_eq!((code(&output), server.connections()), (2, 0), "{}", stderr(&output));
}

/// A server on this machine may be a proxy to a cloud. It gets a prompt once the user says that it
/// is none, and loses it again when its answer says otherwise.
#[test]
fn a_server_on_this_machine_needs_the_users_word() {
    let place = Place::new();
    let server = Server::start(vec![good()]);
    let output = place.bench(&[server.target("openai")], &["--privacy", "strict"]);
    assert_eq!((code(&output), server.connections()), (2, 0), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("--local-server http://127.0.0.1:{}", server.port)));

    let origin = format!("http://127.0.0.1:{}", server.port);
    let word = ["--privacy", "strict", "--local-server", origin.as_str()];
    let output = place.bench(&[server.target("openai")], &word);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let inputs = &place.document()["inputs"];
    assert_eq!(inputs["privacy"]["value"], "strict");
    assert_eq!(inputs["local_servers"]["value"][0], origin);

    let proxied = HEAD.replace("\r\n\r\n", "\r\nx-litellm-version: 1.109.1\r\n\r\n");
    let proxy = Server::start(vec![vec![send(&proxied), send(TEXT), send(STOP), send(USAGE)]]);
    let origin = format!("http://127.0.0.1:{}", proxy.port);
    let word = ["--privacy", "strict", "--local-server", origin.as_str(), "--repeats", "3"];
    let place = Place::new();
    let output = place.bench_once(&[proxy.target("openai")], &word);
    assert_eq!((code(&output), proxy.requests().len()), (1, 1), "{}", stderr(&output));
    assert_eq!(place.kind(), "privacy");
}

#[test]
fn ollama_is_asked_where_its_model_runs() {
    let tags = |remote: &str| {
        status(
            "200 OK",
            "content-type: application/json\r\n",
            &format!("{{\"models\":[{{\"name\":\"m:latest\",\"model\":\"m:latest\"{remote}}}]}}"),
        )
    };
    let line = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n\
                {\"message\":{\"content\":\"Paris\"},\"done\":false}\n\
                {\"done\":true,\"done_reason\":\"stop\",\"eval_count\":1}\n";
    let run = |scripts: Vec<Vec<Do>>| {
        let place = Place::new();
        let server = Server::start(scripts);
        let origin = format!("http://127.0.0.1:{}", server.port);
        let word = ["--privacy", "strict", "--local-server", origin.as_str()];
        let output = place.bench(&[server.target("ollama")], &word);
        (code(&output), stderr(&output), server.requests())
    };
    let remote = tags(",\"remote_host\":\"https://ollama.com:443\",\"remote_model\":\"m\"");
    let (code, said, requests) = run(vec![remote]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("ollama.com"), "{said}");
    assert_eq!(requests.len(), 1, "only the question was sent");
    assert!(requests[0].starts_with("GET /api/tags ") && !requests[0].contains("France"));

    let (code, said, requests) = run(vec![status("404 Not Found", "", "")]);
    assert_eq!((code, requests.len()), (2, 1), "no answer is a no: {said}");

    let (code, said, requests) = run(vec![tags(""), vec![send(line)]]);
    assert_eq!((code, requests.len()), (0, 2), "{said}");

    let gone = line.replace("\"done\":false", "\"done\":false,\"remote_host\":\"https://ollama.com:443\"");
    let (code, said, requests) = run(vec![tags(""), vec![send(&gone)]]);
    assert_eq!((code, requests.len()), (1, 2), "{said}");
    assert!(said.contains("ollama.com"), "{said}");

    let place = Place::new();
    let server = Server::start(vec![tags("")]);
    let target = format!("ollama:gpt-oss:120b-cloud@http://127.0.0.1:{}", server.port);
    let origin = format!("http://127.0.0.1:{}", server.port);
    let output = place.bench(&[target], &["--privacy", "strict", "--local-server", &origin]);
    assert_eq!((super::code(&output), server.connections()), (2, 0), "{}", stderr(&output));
}

#[test]
fn no_model_is_downloaded() {
    let place = Place::new();
    let mut config = FetchConfig::new(place.path("cache"), None, None).expect("a configuration");
    config.offline = true;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for name in ["default", "hf:a/b/c.gguf", "https://models.example.com/a.gguf"] {
        let spec = name.parse().expect("a model");
        let fault = runtime.block_on(fetch::resolve(&spec, &config, &mut |_, _| ())).expect_err("refused");
        assert_eq!(fault.kind, FaultKind::Privacy, "{name}: {}", fault.message);
    }
    let output = place.bench(&[], &["--privacy", "strict", "--model", "default"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

/// In a network of its own, the kernel's counters tell of every attempt, of the ones that found no
/// route too.
#[cfg(target_os = "linux")]
#[test]
fn a_strict_run_sends_no_packet() {
    let place = Place::new();
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"secret\"}\n").expect("written");
    let counters = |arguments: &[&str]| {
        let script = "count() { cat /proc/net/snmp /proc/net/snmp6 /proc/net/dev; }; \
                      count > \"$0.before\"; \"$@\" > \"$0.log\" 2>&1; count > \"$0.after\"";
        let mut command = std::process::Command::new("unshare");
        command.args(["-rn", "--", "sh", "-c", script]).arg(place.path("count"));
        command.arg(env!("CARGO_BIN_EXE_freehold")).args(["bench", "--warmup", "0", "--repeats", "1"]);
        command.arg("--prompts").arg(place.path("prompts.jsonl")).args(arguments);
        command.args(["--yes", "--retries", "0", "-o"]).arg(place.path("out.json"));
        command.env("OPENAI_API_KEY", "sk-canary-0123456789").env("FREEHOLD_DATA_DIR", place.path("data"));
        command.env("FREEHOLD_CACHE_DIR", place.path("cache"));
        if !command.output().is_ok_and(|o| o.status.success()) {
            return None;
        }
        let read = |name: &str| std::fs::read_to_string(place.path(name)).expect("a file");
        let log = read("count.log");
        Some((read("count.before") == read("count.after"), log))
    };
    let loopback = "openai:m@http://127.0.0.1:9/v1";
    let Some((silent, log)) = counters(&["--api", loopback]) else {
        crate::needs::skipped("network namespaces are not permitted here");
        return;
    };
    assert!(!silent, "the counters must show an ordinary attempt: {log}");
    for target in [loopback, "openai:gpt-x", "openai:m@http://localhost:9/v1"] {
        for strict in [["--privacy", "strict"], ["--profile", "healthcare-strict"]] {
            let (silent, log) = counters(&["--api", target, strict[0], strict[1]]).expect("as before");
            assert!(silent, "{target}: something was sent");
            assert!(log.contains("privacy is strict"), "{log}");
        }
    }
    let (silent, log) = counters(&["--model", "default", "--privacy", "strict"]).expect("as before");
    assert!(silent, "{log}");
}
