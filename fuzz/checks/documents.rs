//! Saved documents: what is read can be rendered in every format, and written and read again.

use freehold::document::Document;
use freehold::render::memo;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let document = match Document::parse("mine.json", text) {
        Ok(document) => document,
        Err(error) => return assert!(error.starts_with("mine.json"), "{error}"),
    };
    let view = document.view();
    for width in [40, 100] {
        let shown = view.to_terminal(width);
        let control = shown.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "a control character reaches the terminal");
    }
    let _ = (view.to_markdown(), view.to_html(), view.to_csv(), document.csv(), document.brief());
    let again = document.to_json().expect("what was read can be written");
    assert_eq!(Document::parse("again.json", &again).as_ref(), Ok(&document), "written and read");
    let _ = memo::memo(&[("mine.json".to_owned(), document)], &[]).to_markdown();
}
