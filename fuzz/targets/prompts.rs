//! Prompt files of every format: prompts, or an error that names the file.
#![no_main]

use freehold::prompts::{FileFormat, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for format in [FileFormat::Jsonl, FileFormat::Csv, FileFormat::Toml, FileFormat::Text] {
        match parse("mine", format, data) {
            Ok(prompts) => assert!(!prompts.is_empty(), "no prompts, and no error"),
            Err(error) => assert!(error.to_string().starts_with("mine"), "{error}"),
        }
    }
});
