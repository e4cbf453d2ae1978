#![no_main]

#[path = "../checks/wires.rs"]
mod wires;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wires::check(data));
