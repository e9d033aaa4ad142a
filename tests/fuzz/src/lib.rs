//! Fuzz targets for all that strangers, and files, can feed to onionroom.
//!
//! A target is a function of bytes that panics when a promise is broken. Two drivers share them: [`short`] mutates the
//! committed corpus with a fixed seed, for `cargo test`; `libfuzzer.rs` is libFuzzer, for `tests/fuzz/run`.

pub mod bodies;
pub mod configuration;
pub mod cursors;
mod document;
mod exchange;
pub mod heads;
pub mod languages;
pub mod log;
#[path = "../../end_to_end/kit/memory.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a room that does not open is a finding")]
mod memory;
pub mod names;
pub mod noscript;
pub mod protocol;
pub mod proxy;
pub mod search;
pub mod short;
pub mod websocket;

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 12] = [
    ("bodies", bodies::run),
    ("configuration", configuration::run),
    ("cursors", cursors::run),
    ("heads", heads::run),
    ("languages", languages::run),
    ("log", log::run),
    ("names", names::run),
    ("noscript", noscript::run),
    ("protocol", protocol::run),
    ("proxy", proxy::run),
    ("search", search::run),
    ("websocket", websocket::run),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|(known, _)| *known == name)
}

/// Splits input at the first `separator`; the second part is empty if there is none.
fn split(data: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == separator) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}
