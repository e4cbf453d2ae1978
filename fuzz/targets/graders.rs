#![no_main]

#[path = "../checks/graders.rs"]
mod graders;

libfuzzer_sys::fuzz_target!(|data: &[u8]| graders::check(data));
