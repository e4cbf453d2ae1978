//! The prompts that records hold, for those who ask for them.

use freehold::usage::texts::{Prompt, Role, prompts};
use std::ops::ControlFlow;

fn of(file: &str) -> Vec<Prompt> {
    let mut all = Vec::new();
    prompts(file.as_bytes(), &mut |prompt| {
        all.push(prompt);
        ControlFlow::Continue(())
    })
    .expect("reads");
    all
}

fn texts(file: &str) -> Vec<Vec<(Role, String)>> {
    of(file).into_iter().map(|p| p.messages.into_iter().map(|m| (m.role, m.text)).collect()).collect()
}

fn asks(text: &str) -> Vec<(Role, String)> {
    vec![(Role::User, text.to_owned())]
}

#[test]
fn each_kind_of_record_has_its_prompts_somewhere_else() {
    let claude = "{\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{\"role\":\"user\",\"content\":\"hello\"}}\n\
        {\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":[]}]}}\n\
        {\"type\":\"assistant\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{\"role\":\"assistant\",\"content\":\"no prompt\"}}\n";
    assert_eq!(texts(claude), [asks("hello")]);
    let codex = "{\"timestamp\":\"t\",\"type\":\"response_item\",\"payload\":{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"hello\"}]}}\n";
    assert_eq!(texts(codex), [asks("hello")]);
    let gemini = "{\"sessionId\":\"s\",\"projectHash\":\"h\",\"messages\":[{\"type\":\"user\",\"content\":\"hello\"},{\"type\":\"gemini\",\"content\":\"no\"}]}";
    assert_eq!(texts(gemini), [asks("hello")]);
    let with_system = vec![(Role::System, "be brief".to_owned()), (Role::User, "hello".to_owned())];
    let litellm = r#"{"request_id":"a","model":"m","messages":"[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hello\"}]"}"#;
    assert_eq!(texts(litellm), std::slice::from_ref(&with_system));
    assert_eq!(of(litellm)[0].model.as_deref(), Some("m"));
    let langfuse = r#"{"data":[{"id":"o","type":"GENERATION","input":{"messages":[{"role":"user","content":[{"type":"text","text":"hello"}]}]}}]}"#;
    assert_eq!(texts(langfuse), [asks("hello")]);
    let helicone = "request_id,request_body,request_prompt\nh,\"{\"\"messages\"\":[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"hello\"\"}]}\",other\nh2,{},\"two, lines\nhere\"\n";
    assert_eq!(texts(helicone), [asks("hello"), asks("two, lines\nhere")]);
    let bedrock = r#"{"schemaType":"ModelInvocationLog","modelId":"m","input":{"inputBodyJson":{"system":"be brief","messages":[{"role":"user","content":[{"text":"hello"}]}]}}}"#;
    assert_eq!(texts(bedrock), std::slice::from_ref(&with_system));
    let vertex = r#"{"logging_time":"t","full_request":{"contents":[{"role":"user","parts":[{"text":"hello"}]}]},"full_response":{}}"#;
    assert_eq!(texts(vertex), [asks("hello")]);
    let otlp = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"gen_ai.prompt.0.role","value":{"stringValue":"system"}},{"key":"gen_ai.prompt.0.content","value":{"stringValue":"be brief"}},{"key":"gen_ai.prompt.1.role","value":{"stringValue":"user"}},{"key":"gen_ai.prompt.1.content","value":{"stringValue":"hello"}}]},{"attributes":[{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hello\"}]}]"}}]}]}]}]}"#;
    assert_eq!(texts(otlp), [with_system, asks("hello")]);
    assert_eq!(texts("{\"prompt\":\"hello\",\"usage\":{}}\n{\"usage\":{}}\n"), [asks("hello")]);
}

#[test]
fn reading_ends_when_there_are_enough() {
    let rows = "{\"prompt\":\"a\"}\n".repeat(100);
    let mut n = 0;
    let found = prompts(rows.as_bytes(), &mut |_| {
        n += 1;
        if n == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .expect("reads");
    assert_eq!((n, found.records), (3, 3));
}
