//! `bench` against servers that misbehave in every way a script can say.

mod addresses;
mod cases;
mod conversations;
mod faults;
mod keys;
mod network;
mod privacy;
mod quality;
mod resume;
pub mod server;
mod spending;
mod variants;

use server::{Do, STOP, Server, TEXT, USAGE, good, status, stream};
#[cfg(unix)]
use server::{HEAD, send};
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

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
    /// Without the flags that make a run as short as can be.
    fn bench_once(&self, targets: &[String], more: &[&str]) -> Output {
        self.run(targets, more, &[], &["--warmup", "0"])
    }
    fn bench_with(&self, targets: &[String], more: &[&str], variables: &[(&str, &str)]) -> Output {
        self.run(targets, more, variables, &["--warmup", "0", "--repeats", "1"])
    }
    fn run(&self, targets: &[String], more: &[&str], variables: &[(&str, &str)], length: &[&str]) -> Output {
        let prompts = self.path("prompts.jsonl");
        if !prompts.exists() {
            std::fs::write(
                &prompts,
                "{\"id\":\"a\",\"prompt\":\"Capital of France?\",\"expect\":\"paris\"}\n",
            )
            .expect("written");
        }
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["bench", "--prompts"]).arg(&prompts).args(length);
        for target in targets {
            command.args(["--api", target]);
        }
        command.args(more).arg("-o").arg(self.path("out.json"));
        for name in [
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GEMINI_API_KEY",
            "FREEHOLD_API_KEY",
            "NO_PROXY",
            "HTTPS_PROXY",
        ] {
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

#[test]
fn usage_that_cannot_be_true_leaves_tokens_unknown() {
    for count in ["null", "0", "-1", "1e20", "2.5", "\"3\""] {
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
        // Characters need no one to count tokens.
        let text = sample["text"].as_str().expect("an answer").chars().count() as f64;
        let (rate, ms) = (sample["output_chars_per_s"].as_f64(), sample["e2e_ms"].as_f64());
        assert!((rate.expect("a rate") * ms.expect("a time") / 1000.0 - text).abs() < 1e-6, "{count}");
        let summed = &document["result"]["targets"][0]["metrics"]["output_chars_per_s"];
        assert_eq!((summed["n"].as_u64(), summed["median"].as_f64()), (Some(1), rate), "{count}");
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

/// The version goes along with every request, and the model stands in the path.
#[test]
fn azures_dated_form_is_spoken() {
    let place = Place::new();
    let server = Server::start(vec![good()]);
    let target = format!("azure:my-gpt@http://127.0.0.1:{}?api-version=2024-10-21", server.port);
    let output = place.bench_with(&[target], &[], &[("FREEHOLD_API_KEY", "a-key-of-its-own")]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let request = &server.requests()[0];
    let line = "POST /openai/deployments/my-gpt/chat/completions?api-version=2024-10-21 HTTP/1.1";
    assert!(request.starts_with(line), "{request}");
    assert!(request.to_ascii_lowercase().contains("\r\napi-key: a-key-of-its-own\r\n"), "{request}");
}

/// What never ends is given up long before it fills the memory.
#[cfg(target_os = "linux")]
#[test]
fn what_has_no_end_does_not_fill_the_memory() {
    let endless = |begin: &str, more: &str| vec![send(begin), Do::Forever(more.repeat(1000).into_bytes())];
    let cases = [
        endless(HEAD, "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
        endless(HEAD, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        endless(HEAD, ": xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\n"),
        endless(HEAD, TEXT),
        endless("HTTP/1.1 200 OK\r\n", "x-a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
        endless("HTTP/1.1 500 No\r\n\r\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ];
    for (n, script) in cases.into_iter().enumerate() {
        let server = Server::start(vec![script]);
        let place = Place::new();
        std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"a\"}\n").expect("written");
        // KiB of address space, of which the program takes a good part before anything is read.
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "ulimit -v 786432; exec \"$0\" \"$@\""]).arg(env!("CARGO_BIN_EXE_freehold"));
        command.args(["bench", "--warmup", "0", "--repeats", "1", "--retries", "0", "--api"]);
        command.arg(server.target("openai")).arg("--prompts").arg(place.path("prompts.jsonl"));
        command.arg("-o").arg(place.path("out.json")).env("FREEHOLD_DATA_DIR", place.path("data"));
        let output = command.output().expect("it ran");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 1, "case {n}: {said}");
        let wanted = if n == 5 { "server" } else { "too-large" };
        assert_eq!(place.kind(), wanted, "case {n}: {said}");
    }
}

#[test]
fn no_one_listening_is_said() {
    let place = Place::new();
    let output = place.bench(&["openai:m@http://127.0.0.1:1".to_owned()], &["--retries", "0"]);
    assert_eq!((code(&output), place.kind().as_str()), (1, "connect-refused"));
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

/// A journal holds prompts and answers: nobody else reads it. Beside a report it stands; where there is
/// no file, or only a device, it is in the cache, and never beside the device.
#[cfg(unix)]
#[test]
fn a_journal_is_the_users_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let place = Place::new();
    let server = Server::start(vec![good()]);
    assert_eq!(code(&place.bench(&[server.target("openai")], &[])), 0);
    assert_eq!(mode(&place.path("out.journal.jsonl")), 0o600);
    // The folder was there before, open to all; the program makes it the user's.
    std::fs::create_dir_all(place.path("cache/runs")).expect("made");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path("cache/runs"), open).expect("set");
    symlink("/dev/null", place.path("null.json")).expect("a link");
    for output in ["-", "/dev/stdout", "null.json"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.env("FREEHOLD_CACHE_DIR", place.path("cache")).env("FREEHOLD_DATA_DIR", place.path("data"));
        command.current_dir(place.path(""));
        command.args(["bench", "--warmup", "0", "--repeats", "1", "--api", &server.target("openai")]);
        command.args(["--prompts", "prompts.jsonl", "--json", "-o", output]);
        let run = command.output().expect("runs");
        assert_eq!(code(&run), 0, "{output}: {}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.stdout.starts_with(b"{"), output != "null.json", "{output}");
    }
    assert!(!Path::new("/dev/stdout.journal.jsonl").exists() && !place.path("null.journal.jsonl").exists());
    assert_eq!(mode(&place.path("cache/runs")), 0o700);
    let kept: Vec<_> = std::fs::read_dir(place.path("cache/runs")).expect("a folder").flatten().collect();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|e| mode(&e.path()) == 0o600), "{kept:?}");
    // A cache that the program makes itself is closed from the beginning.
    let runs = std::process::Command::new(env!("CARGO_BIN_EXE_freehold"))
        .env("FREEHOLD_CACHE_DIR", place.path("cache"))
        .args(["runs", "--json"])
        .output()
        .expect("runs");
    let document: serde_json::Value = serde_json::from_slice(&runs.stdout).expect("JSON");
    assert_eq!(document["result"]["runs"].as_array().map(Vec::len), Some(3));
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
    let mut first = freehold();
    first.args(["bench", "--warmup", "1", "--repeats", "1", "--api", &server.target("openai")]);
    first.arg("--prompts").arg(place.path("prompts.jsonl")).arg("-o").arg(place.path("out.json"));
    let mut child = first.spawn().expect("started");
    for kill_at in [2, 5] {
        // A request is sent only when the one before is in the journal.
        server.wait_for(kill_at + 1);
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(!place.path("out.json").exists(), "no half a report");
        // A kill can leave half a line.
        let mut text = std::fs::read_to_string(&journal).expect("a journal");
        text.push_str("{\"line\":\"sam");
        std::fs::write(&journal, text).expect("written");
        let mut next = freehold();
        next.arg("bench").arg("--resume").arg(&journal).args(["--api", &server.target("openai"), "-o"]);
        child = next.arg(place.path("out.json")).spawn().expect("started");
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

/// Ctrl-C, a request to end and a terminal that goes away keep what was measured and say that the rest
/// is missing.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_report() {
    for (signal, exit) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        ends_by(signal, exit);
    }
}

#[cfg(unix)]
fn ends_by(signal: &str, exit: i32) {
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
    server.wait_for(2);
    let sent = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    assert_eq!(child.wait().expect("ended").code(), Some(exit));
    let document = place.document();
    assert_eq!(document["result"]["complete"], false);
    assert_eq!(document["result"]["samples"].as_array().expect("samples").len(), 1);
}
