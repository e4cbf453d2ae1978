//! Prompt files of every format, and logs that have answers too: prompts, or an error that names the file.

use freehold::prompts::{FileFormat, NoFiles, logs, parse, promptfoo, redact};

pub fn check(data: &[u8]) {
    for format in [FileFormat::Jsonl, FileFormat::Csv, FileFormat::Toml, FileFormat::Text] {
        match parse("mine", format, data) {
            Ok(prompts) => assert!(!prompts.is_empty(), "no prompts, and no error"),
            Err(error) => assert!(error.to_string().starts_with("mine"), "{error}"),
        }
    }
    if let Err(error) = promptfoo::read("mine", data, &NoFiles) {
        assert!(error.to_string().starts_with("mine"), "{error}");
    }
    if let Some(format) = logs::recognise(data)
        && let Err(error) = logs::read("mine", format, data)
    {
        assert!(error.to_string().starts_with("mine"), "{error}");
    }
    let once = redact::redact(&String::from_utf8_lossy(data)).0;
    assert_eq!(redact::redact(&once), (once.clone(), 0), "what was taken out is found again");
}
