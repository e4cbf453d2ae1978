//! Chat templates as a model file has them: a prompt, or an error that says it is the template's.

use freehold::measure::event::FaultKind;
use freehold::measure::template::ChatTemplate;
use freehold::prompts::conversation::Message;

pub fn check(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let messages: Vec<Message> = serde_json::from_value(serde_json::json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How tall is it?"},
        {"role": "assistant", "content": "830 m."},
        {"role": "user", "content": "In feet?"},
    ]))
    .expect("messages");
    let template = match ChatTemplate::new(source, "<s>", "</s>") {
        Ok(template) => template,
        Err(fault) => return assert_eq!(fault.kind, FaultKind::Template),
    };
    if let Err(fault) = template.render(&messages, &[]) {
        assert_eq!(fault.kind, FaultKind::Template);
    }
}
