//! What servers of each shape send beside the rule, one file a shape in `tests/fixtures/wires`: the
//! bytes of the answer, and what must be read from them. Each is sent whole, in pieces of seven bytes,
//! and with CRLF for LF.

use super::server::{Do, Server, send};
use freehold::measure::address::Address;
use freehold::measure::backend::http::{ApiBackend, ApiTarget, Limits};
use freehold::measure::counts::Counted;
use freehold::measure::event::{Channel, Event, Message, Request, Role, Stamped};
use freehold::measure::figures::figures;
use freehold::measure::retry::Advice;
use freehold::measure::trace::Trace;
use freehold::measure::wire::WireKind;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    wire: String,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Status line and headers, where they matter.
    #[serde(default)]
    head: Option<String>,
    body: String,
    #[serde(default)]
    expect: Expect,
}

/// What is not said is not looked at, but a fault: there is none unless one is named.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Expect {
    kind: Option<String>,
    says: Option<String>,
    /// `sample`, `provider` or `retry`.
    then: Option<String>,
    text: Option<String>,
    reasoning: Option<String>,
    tool: Option<String>,
    finish: Option<String>,
    /// -1: not known.
    output: Option<i64>,
    input: Option<i64>,
    unknown: Option<u32>,
}

fn wire(name: &str) -> WireKind {
    match name {
        "openai" => WireKind::OpenAiChat,
        "responses" => WireKind::OpenAiResponses,
        "anthropic" => WireKind::Anthropic,
        "gemini" => WireKind::Gemini,
        "ollama" => WireKind::Ollama,
        other => panic!("{other} is no wire"),
    }
}

/// A client of one server that gives the n-th answer to the n-th request.
struct Client {
    backend: ApiBackend,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    fn new(wire: WireKind, scripts: Vec<Vec<Do>>) -> Self {
        let server = Server::start(scripts);
        let base = format!("http://127.0.0.1:{}/", server.port).parse().expect("a URL");
        let target = ApiTarget::new(wire, "m", Address::of(wire, &base, "", "m"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { backend: ApiBackend::new(target, Limits::default()).expect("a client"), runtime }
    }
    fn ask(&mut self) -> (Vec<Stamped>, Advice) {
        let messages = vec![Message::text(Role::User, "Capital of France?")];
        let request = Request { messages, max_output_tokens: 8, ..Request::default() };
        let mut events = Vec::new();
        let mut note = |event| events.push(event);
        let outcome = self.runtime.block_on(self.backend.generate(&request, &mut note));
        (events, outcome.advice)
    }
}

/// The answer of a case, in pieces of so many bytes.
fn script(wire: WireKind, case: &Case, body: &str, pieces: usize) -> Vec<Do> {
    let kind = if wire.is_lines() { "application/x-ndjson" } else { "text/event-stream" };
    let head = case.head.clone().unwrap_or_else(|| format!("200 OK\ncontent-type: {kind}"));
    let head = format!("HTTP/1.1 {}\r\nconnection: close\r\n\r\n", head.trim().replace('\n', "\r\n"));
    let parts = body.as_bytes().chunks(pieces).map(|part| Do::Send(part.to_vec()));
    std::iter::once(send(&head)).chain(parts).collect()
}

fn check(wire: WireKind, case: &Case, how: &str, (events, advice): (Vec<Stamped>, Advice)) {
    let figures = figures(&Trace::of(&events), Counted::ByProvider);
    let on = |wanted: Channel| -> String {
        let text = |e: &Stamped| match &e.event {
            Event::Content { channel, text, .. } if *channel == wanted => text.clone(),
            _ => String::new(),
        };
        events.iter().map(text).collect()
    };
    let expect = &case.expect;
    let name = format!("{wire:?}: {} ({how})", case.name);
    let plain = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let kind = figures.error.as_ref().map(|f| plain(serde_json::json!(f.kind)));
    assert_eq!(kind, expect.kind, "{name}: {:?}", figures.error);
    if let Some(words) = &expect.says {
        let said = figures.error.as_ref().map(|f| f.message.clone()).unwrap_or_default();
        assert!(said.contains(words), "{name}: {said}");
    }
    if let Some(then) = &expect.then {
        let advice = match advice {
            Advice::Sample => "sample",
            Advice::Provider => "provider",
            Advice::Retry(_) => "retry",
        };
        assert_eq!(advice, then, "{name}");
    }
    for (channel, wanted) in [
        (Channel::Text, &expect.text),
        (Channel::Reasoning, &expect.reasoning),
        (Channel::Tool, &expect.tool),
    ] {
        if let Some(wanted) = wanted {
            assert_eq!(on(channel), *wanted, "{name}: {channel:?}");
        }
    }
    if let Some(wanted) = &expect.finish {
        assert_eq!(figures.finish.map(|f| plain(serde_json::json!(f))), Some(wanted.clone()), "{name}");
    }
    for (counted, wanted) in [(figures.output_tokens, expect.output), (figures.input_tokens, expect.input)] {
        if let Some(wanted) = wanted {
            assert_eq!(counted, u64::try_from(wanted).ok(), "{name}: {:?}", figures.usage);
        }
    }
    if let Some(wanted) = expect.unknown {
        assert_eq!(figures.unknown_events, wanted, "{name}");
    }
}

#[test]
fn what_is_not_by_the_rule_is_read_for_what_it_is() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wires");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).expect("the cases").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("readable");
        let file: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", entry.path().display()));
        let wire = wire(&file.wire);
        let (mut scripts, mut asked) = (Vec::new(), Vec::new());
        for case in &file.case {
            // A very long line is written as its length.
            let body = case.body.replace("${LONG}", &"long ".repeat(40_000));
            let mut add = |how, body: &str, pieces| {
                scripts.push(script(wire, case, body, pieces));
                asked.push((case, how));
            };
            add("whole", &body, usize::MAX);
            if body.len() < 10_000 {
                add("in pieces", &body, 7);
                if !body.contains('\r') {
                    add("with CRLF", &body.replace('\n', "\r\n"), usize::MAX);
                }
            }
        }
        let mut client = Client::new(wire, scripts);
        for (case, how) in &asked {
            let answer = client.ask();
            check(wire, case, how, answer);
        }
        tried += file.case.len();
    }
    assert!(tried >= 60, "{tried} cases");
}
