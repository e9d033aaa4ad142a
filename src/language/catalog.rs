//! The texts in the languages beside English.

/// For each language in the order of [`Language::ALL`](super::Language::ALL), without English: texts in English, sorted, and their
/// forms in the order of [`index`](super::plural::index).
pub(super) static CATALOG: [&[(&str, &[&str])]; 7] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
