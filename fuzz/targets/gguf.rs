#![no_main]

#[path = "../checks/gguf.rs"]
mod gguf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| gguf::check(data));
