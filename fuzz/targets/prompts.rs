#![no_main]

#[path = "../checks/prompts.rs"]
mod prompts;

libfuzzer_sys::fuzz_target!(|data: &[u8]| prompts::check(data));
