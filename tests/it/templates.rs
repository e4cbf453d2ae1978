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

/// What differs from Jinja2 in one file of cases.
fn differences(data: &str) -> Vec<String> {
    let data: Value = serde_json::from_str(data).expect("test data is JSON");
    let now = "2026-11-27T09:05".parse().expect("a time");
    let cases = data["cases"].as_array().expect("cases");
    assert!(cases.len() >= 61, "{}", cases.len());
    let difference = |case: &Value| {
        let name = case["name"].as_str().expect("a name");
        let messages: Vec<Message> =
            case["messages"].as_array().expect("messages").iter().map(message).collect();
        let source = case["template"].as_str().expect("a template");
        let rendered = ChatTemplate::new(source, "<s>", "</s>")
            .and_then(|template| template.at(now).render_as_given(&messages, &[]));
        let expect = &case["expect"];
        let alike = match (&rendered, expect["text"].as_str(), expect["refused"].as_str()) {
            (Ok(text), Some(wanted), _) => text == wanted,
            (Err(fault), None, Some(reason)) => fault.message.contains(reason),
            (Err(_), None, None) => true,
            _ => false,
        };
        (!alike).then(|| format!("{name}: {rendered:?}\n  is right: {expect}"))
    };
    cases.iter().filter_map(difference).collect()
}

#[test]
fn templates_render_as_jinja2_renders_them() {
    let Some(text) = shared("testdata/local_cases/templates.json") else { return };
    let differ = differences(&text);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The same of our own cases: what Python's and Jinja's own rules are where templates seldom go.
#[test]
fn python_and_jinja2_are_followed_where_templates_seldom_go() {
    let differ = differences(include_str!("../fixtures/templates/python.json"));
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
