//! `bench` against servers that misbehave in every way a script can say.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One step of a scripted answer.
#[derive(Clone)]
enum Do {
    Send(Vec<u8>),
    Wait(u64),
    /// Keep the connection open and say nothing more.
    Hang,
}

/// A raw TCP server: the n-th request gets the n-th script, the last one over and over.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(scripts: Vec<Vec<Do>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, scripts) = (Arc::clone(&seen), scripts.clone());
                std::thread::spawn(move || answer(stream, &seen, &scripts));
            }
        });
        Self { port, requests }
    }
    fn target(&self, provider: &str) -> String {
        format!("{provider}:m@http://127.0.0.1:{}", self.port)
    }
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>, scripts: &[Vec<Do>]) {
    let Some(request) = read_request(&mut stream) else { return };
    let n = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(request);
        seen.len() - 1
    };
    for step in &scripts[n.min(scripts.len() - 1)] {
        match step {
            Do::Send(bytes) => {
                if stream.write_all(bytes).is_err() {
                    return;
                }
            }
            Do::Wait(ms) => std::thread::sleep(Duration::from_millis(*ms)),
            Do::Hang => std::thread::sleep(Duration::from_mins(1)),
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let n = stream.read(&mut part).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(text.into_owned());
        }
    }
}

fn send(text: &str) -> Do {
    Do::Send(text.as_bytes().to_vec())
}
fn status(line: &str, headers: &str, body: &str) -> Vec<Do> {
    vec![send(&format!(
        "HTTP/1.1 {line}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))]
}
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
fn stream(frames: &str) -> Vec<Do> {
    vec![send(HEAD), send(frames)]
}
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Paris\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\ndata: [DONE]\n\n";

fn good() -> Vec<Do> {
    vec![
        send(HEAD),
        send(ROLE),
        Do::Wait(5),
        send(TEXT),
        Do::Wait(5),
        send(TEXT),
        Do::Wait(5),
        send(TEXT),
        send(STOP),
        send(USAGE),
    ]
}

/// A folder of its own for one test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn bench(&self, targets: &[String], more: &[&str]) -> Output {
        self.bench_with(targets, more, &[])
    }
    fn bench_with(&self, targets: &[String], more: &[&str], variables: &[(&str, &str)]) -> Output {
        let prompts = self.path("prompts.jsonl");
        if !prompts.exists() {
            std::fs::write(
                &prompts,
                "{\"id\":\"a\",\"prompt\":\"Capital of France?\",\"expect\":\"paris\"}\n",
            )
            .expect("written");
        }
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["bench", "--prompts"]).arg(&prompts).args(["--warmup", "0", "--repeats", "1"]);
        for target in targets {
            command.args(["--api", target]);
        }
        command.args(more).arg("-o").arg(self.path("out.json"));
        for name in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "FREEHOLD_API_KEY"] {
            command.env_remove(name);
        }
        command.env("FREEHOLD_CACHE_DIR", self.path("cache")).env("FREEHOLD_DATA_DIR", self.path("data"));
        command.envs(variables.iter().copied());
        command.timeout(Duration::from_mins(1)).output().expect("it ran")
    }
    fn document(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path("out.json")).expect("a report was written");
        serde_json::from_str(&text).expect("JSON")
    }
    /// The fault kind of the only sample.
    fn kind(&self) -> String {
        let document = self.document();
        document["result"]["samples"][0]["error"]["kind"].as_str().unwrap_or("none").to_owned()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

#[test]
fn a_good_answer_is_measured_and_a_role_chunk_is_no_token() {
    let place = Place::new();
    let mut script = good();
    script.insert(2, Do::Wait(300));
    let server = Server::start(vec![script]);
    let output = place.bench(&[server.target("openai")], &[]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let document = place.document();
    let sample = &document["result"]["samples"][0];
    assert!(sample["error"].is_null());
    assert_eq!(sample["output_tokens"], 3);
    assert_eq!(sample["token_source"], "usage");
    assert_eq!(sample["pass"], true);
    assert!(
        sample["ttft_ms"].as_f64().expect("a time") >= 300.0,
        "the role chunk came 300 ms before the text"
    );
    assert!(sample["ttfb_ms"].as_f64().expect("a time") < sample["ttft_ms"].as_f64().expect("a time"));
    let target = &document["result"]["targets"][0];
    assert_eq!((target["stand_in"].as_bool(), target["kind"].as_str()), (Some(true), Some("api")));
    assert!(
        document["result"]["targets"][0]["metrics"]["ttft_ms"]["low"].is_null(),
        "one value has no interval"
    );
    // The journal has a header, what was sent, the sample and the end.
    let journal = std::fs::read_to_string(place.path("out.journal.jsonl")).expect("a journal");
    assert_eq!(journal.lines().count(), 4);
}

/// Fault → its kind. None of these is ever taken for a success.
#[test]
fn every_fault_has_its_name() {
    let cases: Vec<(&str, &str, Vec<Do>)> = vec![
        ("cut after text", "truncated", stream(&format!("{ROLE}{TEXT}"))),
        ("cut inside an event", "truncated", stream(&format!("{ROLE}{TEXT}{}", &STOP[..30]))),
        (
            "cut inside UTF-8",
            "truncated",
            vec![
                send(HEAD),
                send(TEXT),
                Do::Send(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xe2\x82".to_vec()),
            ],
        ),
        ("done without a finish reason", "truncated", stream(&format!("{ROLE}{TEXT}data: [DONE]\n\n"))),
        (
            "chunked without a last chunk",
            "truncated",
            vec![
                send(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
                ),
                send(&format!("{:x}\r\n{TEXT}\r\n", TEXT.len())),
            ],
        ),
        (
            "content-length too long",
            "truncated",
            vec![
                send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n"),
                send(TEXT),
            ],
        ),
        (
            "an answer in choice 1 only",
            "truncated",
            stream(
                "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n",
            ),
        ),
        ("empty body", "empty", stream("")),
        ("only done", "empty", stream("data: [DONE]\n\n")),
        ("only comments", "empty", stream(": ping\n\n: ping\n\n")),
        ("broken JSON", "malformed", stream(&format!("{TEXT}data: {{\"choices\":[\n\n{STOP}"))),
        (
            "an error in the stream",
            "provider-error",
            stream(&format!(
                "{TEXT}data: {{\"error\":{{\"message\":\"no\",\"type\":\"invalid_request_error\"}}}}\n\n"
            )),
        ),
        (
            "a finish reason of error",
            "provider-error",
            stream(&format!(
                "{TEXT}data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"error\"}}]}}\n\n"
            )),
        ),
        (
            "no money, said in the stream",
            "quota",
            stream("data: {\"error\":{\"type\":\"insufficient_quota\",\"message\":\"no\"}}\n\n"),
        ),
        (
            "a web page",
            "not-a-stream",
            status("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>"),
        ),
        ("a web page without a type", "not-a-stream", status("200 OK", "", "<html>Sign in</html>")),
        ("JSON", "not-a-stream", status("200 OK", "content-type: application/json\r\n", "{\"choices\":[]}")),
        (
            "compressed",
            "not-a-stream",
            status("200 OK", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n", "\u{1f}"),
        ),
        (
            "a giant event",
            "too-large",
            vec![send(HEAD), Do::Send([b"data: ".as_slice(), &vec![b'x'; 2 << 20]].concat())],
        ),
        ("400", "request", status("400 Bad Request", "", "{\"error\":{\"message\":\"too long\"}}")),
        ("413", "request", status("413 Too Large", "", "")),
        ("422", "request", status("422 Unprocessable", "", "{\"detail\":[{\"msg\":\"x\"}]}")),
        ("401", "auth", status("401 Unauthorized", "", "{\"error\":{\"message\":\"bad key\"}}")),
        ("403", "auth", status("403 Forbidden", "", "")),
        ("402", "quota", status("402 Payment Required", "", "")),
        (
            "429 for good",
            "quota",
            status("429 Too Many", "retry-after: 1\r\n", "{\"error\":{\"code\":\"insufficient_quota\"}}"),
        ),
        ("404", "not-found", status("404 Not Found", "content-type: text/html\r\n", "<html>nginx</html>")),
        ("a redirect", "redirect", status("302 Found", "location: http://other.example/v1\r\n", "")),
        ("500", "server", status("500 Oops", "content-type: text/html\r\n", "<html>")),
        ("529", "server", status("529 Overloaded", "", "")),
        ("429", "rate", status("429 Too Many", "", "")),
        (
            "only pings, then nothing",
            "timeout-first",
            vec![send(HEAD), send(": ping\n\n"), send(ROLE), Do::Hang],
        ),
        ("silence", "timeout-first", vec![Do::Hang]),
        ("silence in the middle", "timeout-idle", vec![send(HEAD), send(TEXT), Do::Hang]),
    ];
    std::thread::scope(|scope| {
        // A few at a time: each starts a process.
        for (n, batch) in cases.chunks(cases.len().div_ceil(3)).enumerate() {
            scope.spawn(move || {
                for (name, kind, script) in batch {
                    let place = Place::new();
                    let server = Server::start(vec![script.clone()]);
                    let times = ["--retries", "0", "--first-timeout", "2", "--idle-timeout", "1"];
                    let output = place.bench(&[server.target("openai")], &times);
                    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert_eq!(place.kind(), *kind, "{name} (batch {n}): {stderr}");
                    let wanted = if *kind == "auth" { 4 } else { 1 };
                    assert_eq!(code(&output), wanted, "{name}: {stderr}");
                    let document = place.document();
                    assert_eq!(document["result"]["targets"][0]["failures"], 1, "{name}");
                    assert!(
                        document["result"]["samples"][0]["ttft_ms"].is_null(),
                        "{name}: a failure has no latency"
                    );
                    assert!(stderr.contains("error: "), "{name}: {stderr}");
                }
            });
        }
    });
}

/// Endings that differ and answers that are the same.
#[test]
fn unusual_but_whole_answers_are_successes() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let cases = [
        ("CRLF", crlf(&format!("{ROLE}{TEXT}{TEXT}{TEXT}{STOP}{USAGE}"))),
        ("CR", format!("{ROLE}{TEXT}{TEXT}{TEXT}{STOP}{USAGE}").replace('\n', "\r")),
        ("BOM and comments", format!("\u{feff}: hello\n\n{ROLE}{TEXT}{TEXT}: ping\n\n{TEXT}{STOP}{USAGE}")),
        ("no [DONE]", format!("{TEXT}{TEXT}{TEXT}{STOP}{}", USAGE.replace("data: [DONE]\n\n", ""))),
        ("more after [DONE]", format!("{TEXT}{TEXT}{TEXT}{STOP}{USAGE}data: rubbish\n\n")),
        (
            "usage twice, the last wins",
            format!(
                "{TEXT}{TEXT}{TEXT}{STOP}{}{USAGE}",
                USAGE
                    .replace("\"completion_tokens\":3,\"total_tokens\":12", "\"completion_tokens\":1")
                    .replace("data: [DONE]\n\n", "")
            ),
        ),
        ("unknown events", format!("event: new\ndata: {{\"x\":1}}\n\n{TEXT}{TEXT}{TEXT}{STOP}{USAGE}")),
    ];
    for (name, frames) in cases {
        let place = Place::new();
        let server = Server::start(vec![stream(&frames)]);
        let output = place.bench(&[server.target("openai")], &[]);
        assert_eq!(code(&output), 0, "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let document = place.document();
        let sample = &document["result"]["samples"][0];
        assert_eq!(sample["text"], "ParisParisParis", "{name}");
        assert_eq!(sample["output_tokens"], 3, "{name}");
    }
}

#[test]
fn usage_that_cannot_be_true_leaves_tokens_unknown() {
    for count in ["null", "-1", "1e20", "2.5", "\"3\""] {
        let place = Place::new();
        let usage = USAGE.replace(
            "\"completion_tokens\":3,\"total_tokens\":12",
            &format!("\"completion_tokens\":{count}"),
        );
        let server = Server::start(vec![stream(&format!("{TEXT}{TEXT}{STOP}{usage}"))]);
        assert_eq!(code(&place.bench(&[server.target("openai")], &[])), 0, "{count}");
        let document = place.document();
        let sample = &document["result"]["samples"][0];
        assert!(
            sample["error"].is_null() && sample["output_tokens"].is_null() && sample["tpot_ms"].is_null(),
            "{count}"
        );
        assert_eq!(sample["token_source"], "not_measured", "{count}");
    }
}

#[test]
fn what_may_be_tried_again_is_and_does_not_count_for_speed() {
    let place = Place::new();
    let server = Server::start(vec![status("503 Busy", "retry-after-ms: 20\r\n", ""), good()]);
    let output = place.bench(&[server.target("openai")], &[]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let document = place.document();
    let (sample, target) = (&document["result"]["samples"][0], &document["result"]["targets"][0]);
    assert_eq!(
        (sample["attempts"].as_u64(), sample["statuses"].to_string()),
        (Some(2), "[503,200]".to_owned())
    );
    assert!(sample["retry_wait_ms"].as_f64().expect("a wait") >= 20.0);
    assert_eq!((target["retried"].as_u64(), target["metrics"]["ttft_ms"]["n"].as_u64()), (Some(1), Some(0)));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_refused_key_stops_the_provider_and_not_the_others() {
    let place = Place::new();
    std::fs::write(
        place.path("prompts.jsonl"),
        "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}\n",
    )
    .expect("written");
    let refused = Server::start(vec![status("401 Unauthorized", "", "")]);
    let working = Server::start(vec![good()]);
    let output = place.bench(&[refused.target("openai"), working.target("openai")], &[]);
    assert_eq!(code(&output), 4);
    assert_eq!((refused.requests().len(), working.requests().len()), (1, 3));
    let document = place.document();
    assert_eq!(document["result"]["targets"][1]["failures"], 0);
    assert_eq!(document["result"]["targets"][0]["stopped"]["kind"], "auth");
}

#[test]
fn no_one_listening_is_said() {
    let place = Place::new();
    let output = place.bench(&["openai:m@http://127.0.0.1:1".to_owned()], &["--retries", "0"]);
    assert_eq!((code(&output), place.kind().as_str()), (1, "connect-refused"));
}

/// A key that comes back from the server in every way is nowhere but in the request.
#[test]
fn the_key_is_nowhere_but_in_the_request() {
    const KEY: &str = "sk-canary-7f3a9c1e5b2d8f4a6c0e";
    let split = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\ndata: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n{STOP}{USAGE}",
        &KEY[..9],
        &KEY[9..]
    );
    let body = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}\"}}}}");
    let cases = [
        status("401 Unauthorized", &format!("x-request-id: {KEY}\r\n"), &body),
        status("500 Oops", "", &format!("you sent Bearer {KEY}")),
        status("302 Found", &format!("location: http://{KEY}.example/?key={KEY}\r\n"), ""),
        status("200 OK", "content-type: application/json\r\n", &body),
        stream(&format!("{TEXT}data: {body}\n\n")),
        stream(&split),
    ];
    for script in cases {
        for provider in ["openai", "anthropic"] {
            let place = Place::new();
            let server = Server::start(vec![script.clone()]);
            let output = place.bench_with(
                &[server.target(provider)],
                &["--retries", "1"],
                &[("FREEHOLD_API_KEY", KEY), ("RUST_LOG", "trace")],
            );
            assert!(server.requests()[0].contains(KEY), "the key was sent in a header");
            assert!(
                !server.requests()[0].lines().next().unwrap_or_default().contains(KEY),
                "and not in the URL"
            );
            let mut seen = vec![output.stdout.clone(), output.stderr.clone()];
            files(place.0.path(), &mut seen);
            for bytes in seen {
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(&KEY[..14]), "{text}");
            }
        }
    }
}

fn files(folder: &std::path::Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(std::fs::read(path).expect("readable"));
        }
    }
}

#[test]
fn keys_go_to_their_own_origin_only() {
    let place = Place::new();
    let server = Server::start(vec![good()]);
    let variables =
        [("OPENAI_API_KEY", "sk-openai-key-0123456789"), ("ANTHROPIC_API_KEY", "sk-ant-key-0123456789")];
    assert_eq!(code(&place.bench_with(&[server.target("openai")], &[], &variables)), 0);
    assert!(!server.requests().concat().contains("sk-"), "a loopback server gets no provider's key");
    let output =
        place.bench_with(&[server.target("openai")], &["--api-key-env", "OPENAI_API_KEY"], &variables);
    assert_eq!(code(&output), 2, "a provider's key is not sent elsewhere even when asked to");
    let output = place.bench_with(&["openai:gpt-x".to_owned()], &["--yes"], &[]);
    assert_eq!(code(&output), 4);
    assert!(String::from_utf8_lossy(&output.stderr).contains("OPENAI_API_KEY"));
    let output = place.bench_with(&["compatible:m@http://llm.example/v1".to_owned()], &["--yes"], &[]);
    assert_eq!(code(&output), 2, "plain http is for this machine only");
}

#[test]
fn nothing_is_sent_without_consent() {
    let place = Place::new();
    let variables = [("OPENAI_API_KEY", "sk-openai-key-0123456789")];
    let output = place.bench_with(&["openai:gpt-x".to_owned()], &[], &variables);
    assert_eq!(code(&output), 2, "no terminal, no --yes");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
    let server = Server::start(vec![good()]);
    let output = place.bench(&[server.target("openai")], &["--dry-run"]);
    assert_eq!((code(&output), server.requests().len()), (0, 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stand-in"));
}

#[test]
fn a_broken_prompt_file_names_its_line() {
    let place = Place::new();
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"a\"}\n{\"prompt\":\n").expect("written");
    let server = Server::start(vec![good()]);
    let output = place.bench(&[server.target("openai")], &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code(&output), 2);
    assert!(stderr.contains("prompts.jsonl, line 2"), "{stderr}");
    assert!(server.requests().is_empty());
}

/// Killed at several moments and resumed each time: every request is measured once, and beside the
/// one in flight at each kill nothing is asked twice.
#[test]
fn a_killed_run_goes_on_where_it_stopped() {
    let place = Place::new();
    let lines: Vec<String> = (0..8).map(|n| format!("{{\"id\":\"q{n}\",\"prompt\":\"{n}\"}}\n")).collect();
    let prompts = lines.concat();
    std::fs::write(place.path("prompts.jsonl"), prompts).expect("written");
    let mut script = good();
    script.insert(2, Do::Wait(100));
    let server = Server::start(vec![script]);
    let journal = place.path("out.journal.jsonl");
    let freehold = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.env("FREEHOLD_CACHE_DIR", place.path("cache")).env("FREEHOLD_DATA_DIR", place.path("data"));
        command.stderr(std::process::Stdio::null());
        command
    };
    let measured =
        || std::fs::read_to_string(&journal).unwrap_or_default().matches("\"line\":\"sample\"").count();
    let mut first = freehold();
    first.args(["bench", "--warmup", "1", "--repeats", "1", "--api", &server.target("openai")]);
    first.arg("--prompts").arg(place.path("prompts.jsonl")).arg("-o").arg(place.path("out.json"));
    let mut child = first.spawn().expect("started");
    for kill_at in [2, 5] {
        while measured() < kill_at {
            assert!(child.try_wait().expect("known").is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(!place.path("out.json").exists(), "no half a report");
        // A kill can leave half a line.
        let mut text = std::fs::read_to_string(&journal).expect("a journal");
        text.push_str("{\"line\":\"sam");
        std::fs::write(&journal, text).expect("written");
        let mut next = freehold();
        child = next.arg("bench").arg("--resume").arg(&journal).spawn().expect("started");
    }
    assert!(child.wait().expect("ended").success());
    let document = place.document();
    let mut ids: Vec<&str> = document["result"]["samples"]
        .as_array()
        .expect("samples")
        .iter()
        .map(|s| s["prompt_id"].as_str().expect("id"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"]);
    assert_eq!(document["result"]["complete"], true);
    let asked = server.requests().len();
    assert!((9..=11).contains(&asked), "{asked} requests for 9 planned ones and two kills");
}

/// Ctrl-C keeps what was measured and says that the rest is missing.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_report() {
    let place = Place::new();
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n").expect("written");
    let server = Server::start(vec![good(), vec![send(HEAD), send(TEXT), Do::Hang]]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_freehold"))
        .args(["bench", "--warmup", "0", "--repeats", "1", "--api", &server.target("openai"), "--prompts"])
        .arg(place.path("prompts.jsonl"))
        .arg("-o")
        .arg(place.path("out.json"))
        .env("FREEHOLD_DATA_DIR", place.path("data"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("started");
    while server.requests().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    let document = place.document();
    assert_eq!(document["result"]["complete"], false);
    assert_eq!(document["result"]["samples"].as_array().expect("samples").len(), 1);
}
