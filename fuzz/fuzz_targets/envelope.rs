//! See `tests/attack/targets/envelope.rs`.
#![no_main]
#![allow(dead_code, reason = "the other targets are fuzzers of their own")]

#[path = "../../tests/readings/mod.rs"]
mod readings;
#[path = "../../tests/attack/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::envelope::attack(data));
