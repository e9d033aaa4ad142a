//! All targets behind libFuzzer; `ONIONROOM_TEST_FUZZ` chooses one.

#![no_main]

use std::sync::LazyLock;

use targets::{TARGETS, Target, target};

#[path = "../../src/lib.rs"]
mod targets;

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("ONIONROOM_TEST_FUZZ").unwrap_or_default();
    target(&name)
        .unwrap_or_else(|| panic!("ONIONROOM_TEST_FUZZ is one of {:?}", TARGETS.map(|(name, _)| name)))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| CHOSEN.1(data));
