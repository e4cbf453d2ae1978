//! Keys: in the request, to their own origin, and nowhere else.

use super::server::{STOP, Server, TEXT, USAGE, good, status, stream};
use super::{Place, code};

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
        stream(&format!(
            "{TEXT}{STOP}data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":9,\"completion_tokens\":1,\"{KEY}\":\"{KEY}\"}}}}\n\n"
        )),
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
