#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| everslot_core_fuzz::change(bytes));
