//! A chat room on the Tor network, in one program.
//!
//! The modules stand in the order of a message's way:
//!
//! ```text
//! accept  →  request  →  session  →  room  →  log  →  fan-out
//! listen     http        session     hub      log     hub::ring
//!            transport
//! ```
//!
//! Dependencies point along that way and never back; [`protocol`] lies below all of them and knows no
//! runtime, no HTTP and no Tor. [`tor`] is the only place that names Arti. `docs/architecture.md` has the
//! longer tour.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod http;
pub mod hub;
pub mod lab;
#[cfg(test)]
mod layers;
pub mod listen;
pub mod log;
pub mod protocol;
pub mod server;
pub mod storage;
pub mod telemetry;
pub mod tor;
pub mod transport;
