#![no_main]

#[path = "../checks/templates.rs"]
mod templates;

libfuzzer_sys::fuzz_target!(|data: &[u8]| templates::check(data));
