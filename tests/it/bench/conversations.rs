//! Prompts of several turns: what is sent on each, what is kept of each, and what a lost one costs.

use super::server::{Do, HEAD, STOP, Server, USAGE, good, send, status};
use super::{Place, code};
use freehold::measure::event::{Message, Request, Role, Tool, ToolCall};
use freehold::measure::wire::{Quirks, WireKind};
use serde_json::{Value, json};

fn says(word: &str) -> Vec<Do> {
    let delta = json!({"choices": [{"index": 0, "delta": {"content": word}}]});
    vec![send(HEAD), send(&format!("data: {delta}\n\n{STOP}{USAGE}"))]
}

fn calls(id: &str, name: &str, arguments: &str) -> Vec<Do> {
    let call =
        json!({"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let delta = json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    vec![send(HEAD), send(&format!("data: {delta}\n\ndata: {end}\n\n{USAGE}"))]
}

fn with_prompts(rows: &[Value]) -> Place {
    let place = Place::new();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(place.path("prompts.jsonl"), lines.join("\n")).expect("written");
    place
}

/// The bodies of the requests, in order.
fn bodies(server: &Server) -> Vec<Value> {
    let body = |request: &String| {
        let (_, body) = request.split_once("\r\n\r\n").expect("a head");
        serde_json::from_str(body).expect("JSON")
    };
    server.requests().iter().map(body).collect()
}

/// The texts of the messages that were sent, without the marker of the first.
fn texts(body: &Value, marker: &str) -> Vec<String> {
    let text = |m: &Value| m["content"].as_str().unwrap_or_default().replace(marker, "");
    body["messages"].as_array().expect("messages").iter().map(text).collect()
}

fn marker(body: &Value, first: &str) -> String {
    let text = body["messages"][0]["content"].as_str().expect("text");
    text.strip_suffix(first).expect("the first message, marked").to_owned()
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

#[test]
fn every_turn_is_sent_with_what_was_really_answered() {
    let row = json!({"id": "talk", "expect": "three", "messages": [
        {"role": "system", "content": "Be short."}, user("1?"), {"role": "assistant"}, user("2?"),
        {"role": "assistant"}, {"role": "user", "content": "3?", "think_ms": 120},
    ]});
    let place = with_prompts(&[row]);
    let server = Server::start(vec![says("one"), says("two"), says("three")]);
    let output = place.bench(&[server.target("openai")], &[]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let bodies = bodies(&server);
    let markers: Vec<String> = bodies.iter().map(|body| marker(body, "Be short.")).collect();
    assert!(!markers[0].is_empty(), "no earlier run's cache answers");
    assert!(markers.iter().all(|m| *m == markers[0]), "the beginning of a conversation stays: {markers:?}");
    let sent: Vec<Vec<String>> = bodies.iter().map(|body| texts(body, &markers[0])).collect();
    assert_eq!(sent[0], ["Be short.", "1?"]);
    assert_eq!(sent[1], ["Be short.", "1?", "one", "2?"]);
    assert_eq!(sent[2], ["Be short.", "1?", "one", "2?", "two", "3?"]);
    let roles: Vec<&Value> =
        bodies[2]["messages"].as_array().expect("messages").iter().map(|m| &m["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
    assert!(!bodies[2].to_string().contains("think_ms"), "nobody is sent a pause");

    let document = place.document();
    let samples = document["result"]["samples"].as_array().expect("samples");
    let turns: Vec<(u64, &str)> = samples
        .iter()
        .map(|s| (s["turn"].as_u64().unwrap_or(0), s["text"].as_str().expect("text")))
        .collect();
    assert_eq!(turns, [(0, "one"), (1, "two"), (2, "three")]);
    let passes: Vec<&Value> = samples.iter().map(|s| &s["pass"]).collect();
    assert_eq!(passes, [&Value::Null, &Value::Null, &json!(true)], "the last answer is the one expected");
    let target = &document["result"]["targets"][0];
    assert_eq!(target["turns"].as_array().map(Vec::len), Some(3), "{target:#}");
    assert_eq!(target["pass_rate"]["n"], 1, "one conversation is one answer");
    let shown = place_shows(&place);
    assert!(shown.contains("turn by turn"), "{shown}");
}

/// The report as it is shown.
fn place_shows(place: &Place) -> String {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
    let output = command.arg("report").arg(place.path("out.json")).output().expect("it ran");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a cache is worth shows beside a run in which no turn finds the one before.
#[test]
fn every_turn_can_be_made_cold() {
    let row = json!({"messages": [user("1?"), {"role": "assistant"}, user("2?")]});
    for (mode, cold) in [("bust", false), ("cold", true)] {
        let place = with_prompts(std::slice::from_ref(&row));
        let server = Server::start(vec![says("one")]);
        let output = place.bench(&[server.target("llama-server")], &["--cache", mode]);
        assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
        let bodies = bodies(&server);
        let beginnings: Vec<&Value> = bodies.iter().map(|b| &b["messages"][0]["content"]).collect();
        assert_eq!(beginnings[0] != beginnings[1], cold, "{mode}: {beginnings:?}");
        assert_eq!(bodies[1]["cache_prompt"] == false, cold, "{mode}: a turn may find the one before");
    }
}

/// Whoever speaks takes time: the server sees the pause between an answer's end and the next request.
#[test]
fn pauses_are_kept_and_count_for_no_figure() {
    let row = json!({"messages": [user("1?"), {"role": "assistant"}, {"role": "user", "content": "2?", "think_ms": 400}]});
    let place = with_prompts(&[row]);
    let server = Server::start(vec![says("one")]);
    let begun = std::time::Instant::now();
    let output = place.bench(&[server.target("openai")], &[]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(begun.elapsed().as_millis() >= 400);
    let document = place.document();
    let e2e = document["result"]["samples"][1]["e2e_ms"].as_f64().expect("a time");
    assert!(e2e < 390.0, "{e2e}");
}

#[test]
fn a_turn_that_fails_ends_its_conversation_and_no_other() {
    let talk = |n: &str| json!({"id": n, "messages": [user(&format!("{n} 1?")), {"role": "assistant"}, user("2?"), {"role": "assistant"}, user("3?")]});
    let place = with_prompts(&[talk("a"), talk("b")]);
    let server = Server::start(vec![says("one"), status("400 Bad Request", "", ""), says("one")]);
    let output = place.bench(&[server.target("openai")], &["--retries", "0"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let document = place.document();
    let samples = document["result"]["samples"].as_array().expect("samples");
    // Which conversation comes first is the shuffle's affair.
    let first = samples[0]["prompt_id"].as_str().expect("a prompt");
    let asked: Vec<(bool, u64, bool)> = samples
        .iter()
        .map(|s| (s["prompt_id"] == first, s["turn"].as_u64().unwrap_or(0), s["error"].is_null()))
        .collect();
    let (lost, whole) = ([(true, 0, true), (true, 1, false)], [0, 1, 2].map(|turn| (false, turn, true)));
    assert_eq!(asked, [&lost[..], &whole].concat());
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn under_load_each_stream_has_conversations_of_its_own() {
    let row = json!({"messages": [user("1?"), {"role": "assistant"}, user("2?")]});
    let place = with_prompts(&[row]);
    let mut slow = says("one");
    slow.insert(1, Do::Wait(30));
    let server = Server::start(vec![slow]);
    // A conversation counts once, with all of its turns.
    let more = ["--load-only", "--concurrency", "3", "--requests", "6"];
    let output = place.run(&[server.target("openai")], &more, &[], &["--warmup", "0"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let bodies = bodies(&server);
    let (first, second): (Vec<&Value>, Vec<&Value>) =
        bodies.iter().partition(|b| b["messages"].as_array().map(Vec::len) == Some(1));
    assert_eq!((first.len(), second.len()), (6, 6), "{bodies:#?}");
    for body in second {
        let marker = marker(body, "1?");
        assert_eq!(texts(body, &marker), ["1?", "one", "2?"]);
        assert!(first.iter().any(|b| b["messages"][0] == body["messages"][0]), "it has its own beginning");
    }
}

/// What the model calls is not known beforehand; the recorded results go to what it called.
#[test]
fn tools_are_offered_called_and_answered() {
    let weather = json!({"type": "function", "function": {"name": "weather", "description": "of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}});
    let row = json!({"tools": [weather], "expect": "rain", "messages": [
        user("Weather in Paris?"), {"role": "assistant"},
        {"role": "tool", "tool_call_id": "any", "content": "rain, 9 degrees"},
    ]});
    let place = with_prompts(&[row]);
    let server = Server::start(vec![calls("call_7", "weather", "{\"city\":\"Paris\"}"), says("Rain.")]);
    let output = place.bench(&[server.target("openai")], &[]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let bodies = bodies(&server);
    assert_eq!(bodies[0]["tools"], json!([weather]));
    let messages = &bodies[1]["messages"];
    let call = json!({"id": "call_7", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}});
    assert_eq!(messages[1]["tool_calls"], json!([call]), "{messages:#}");
    assert_eq!((&messages[2]["role"], &messages[2]["tool_call_id"]), (&json!("tool"), &json!("call_7")));
    let document = place.document();
    assert_eq!(document["result"]["samples"][0]["finish"], "tool-calls");
    assert_eq!(document["result"]["samples"][1]["pass"], true);
}

#[test]
fn a_recorded_answer_costs_no_request() {
    let row = json!({"messages": [user("1?"), {"role": "assistant", "content": "recorded"}, user("2?")]});
    let place = with_prompts(&[row]);
    let server = Server::start(vec![good()]);
    assert_eq!(code(&place.bench(&[server.target("openai")], &[])), 0);
    let bodies = bodies(&server);
    assert_eq!(bodies.len(), 1);
    let marker = marker(&bodies[0], "1?");
    assert_eq!(texts(&bodies[0], &marker), ["1?", "recorded", "2?"]);
    assert!(place.document()["result"]["targets"][0]["turns"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn the_plan_counts_every_turn() {
    let row = json!({"messages": [user("1?"), {"role": "assistant"}, user("2?"), {"role": "assistant"}, user("3?")]});
    let place = with_prompts(&[row]);
    let server = Server::start(vec![good()]);
    let output = place.bench(&[server.target("openai")], &["--dry-run"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("1 prompt of 3 turns in all × 1 repeat") && said.contains("3 calls"), "{said}");
    assert_eq!(server.connections(), 0);
}

/// One conversation in the words of every shape: two calls of one answer, their results, and words.
#[test]
fn every_wire_has_its_own_words_for_calls_and_results() {
    let call = |id: &str, city: &str| ToolCall {
        id: id.into(),
        name: "weather".into(),
        arguments: json!({ "city": city }).to_string(),
    };
    let result = |id: &str, text: &str| Message {
        tool_call_id: Some(id.to_owned()),
        ..Message::text(Role::Tool, text)
    };
    let calling = Message {
        tool_calls: vec![call("x", "Paris"), call("y", "Rome")],
        content: None,
        ..Message::text(Role::Assistant, "")
    };
    let request = Request {
        messages: vec![
            Message::text(Role::System, "Be short."),
            Message::text(Role::User, "Weather?"),
            calling,
            result("x", "rain"),
            result("y", "sun"),
            Message::text(Role::User, "Sure?"),
        ],
        tools: vec![Tool {
            name: "weather".into(),
            description: None,
            parameters: Some(json!({"type": "object"})),
        }],
        max_output_tokens: 9,
        ..Request::default()
    };
    let body = |wire: WireKind| wire.body("m", &request, &Quirks::default());

    let chat = body(WireKind::OpenAiChat);
    assert_eq!(chat["messages"][2]["tool_calls"][1]["function"]["arguments"], "{\"city\":\"Rome\"}");
    assert_eq!(chat["messages"][4], json!({"role": "tool", "tool_call_id": "y", "content": "sun"}));

    let responses = body(WireKind::OpenAiResponses);
    let kinds: Vec<&str> =
        responses["input"].as_array().expect("items").iter().filter_map(|i| i["type"].as_str()).collect();
    assert_eq!(kinds, ["function_call", "function_call", "function_call_output", "function_call_output"]);
    assert_eq!(
        responses["input"][4],
        json!({"type": "function_call_output", "call_id": "x", "output": "rain"})
    );

    let anthropic = body(WireKind::Anthropic);
    assert_eq!(anthropic["system"], "Be short.");
    let messages = anthropic["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 4, "{messages:#?}");
    assert_eq!(messages[1]["content"][0]["input"], json!({"city": "Paris"}));
    let results = messages[2]["content"].as_array().expect("blocks");
    assert_eq!(results.len(), 2, "the results of one answer stand together");
    assert_eq!(results[1], json!({"type": "tool_result", "tool_use_id": "y", "content": "sun"}));

    let gemini = body(WireKind::Gemini);
    assert_eq!(gemini["systemInstruction"]["parts"][0]["text"], "Be short.");
    let contents = gemini["contents"].as_array().expect("contents");
    assert_eq!(contents.len(), 4, "{contents:#?}");
    let parts = contents[2]["parts"].as_array().expect("parts");
    assert_eq!(parts.len(), 2, "as many results as calls");
    assert_eq!(parts[0]["functionResponse"]["name"], "weather");
    assert_eq!(contents[1]["role"], "model");

    let ollama = body(WireKind::Ollama);
    assert_eq!(ollama["messages"][2]["tool_calls"][0]["function"]["arguments"], json!({"city": "Paris"}));
    assert_eq!(ollama["messages"][3]["tool_name"], "weather");
}
