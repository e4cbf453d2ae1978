//! Chat templates that use one feature each of those that public models use, with what Jinja2 makes of
//! them. Made by others and kept beside the project.

use crate::needs::shared;
use freehold::measure::event::{Message, Role};
use freehold::measure::template::ChatTemplate;
use serde_json::Value;

fn message(m: &Value) -> Message {
    let role = match m["role"].as_str() {
        Some("system") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        _ => Role::User,
    };
    Message::text(role, m["content"].as_str().expect("a text"))
}

#[test]
fn templates_render_as_jinja2_renders_them() {
    let Some(text) = shared("testdata/local_cases/templates.json") else { return };
    let data: Value = serde_json::from_str(&text).expect("test data is JSON");
    let now = "2026-11-27T09:05".parse().expect("a time");
    let cases = data["cases"].as_array().expect("cases");
    assert!(cases.len() >= 61, "{}", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let messages: Vec<Message> =
            case["messages"].as_array().expect("messages").iter().map(message).collect();
        let source = case["template"].as_str().expect("a template");
        let rendered = ChatTemplate::new(source, "<s>", "</s>")
            .and_then(|template| template.at(now).render_as_given(&messages, &[]));
        let expect = &case["expect"];
        match (&rendered, expect["text"].as_str(), expect["refused"].as_str()) {
            (Ok(text), Some(wanted), _) => assert_eq!(text, wanted, "{name}"),
            (Err(fault), None, Some(reason)) => assert!(fault.message.contains(reason), "{name}: {fault:?}"),
            (Err(_), None, None) => {}
            _ => panic!("{name}: {rendered:?}, and {expect} is right"),
        }
    }
}
