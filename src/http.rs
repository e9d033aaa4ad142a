//! http.

pub mod assets;
