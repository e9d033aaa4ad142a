//! The room without Tor: the modules of onionroom that a target reaches, and those that they need.

#![forbid(unsafe_code)]
#![allow(dead_code, reason = "what only Tor and the command line use has no use here")]

#[path = "../../../../src"]
mod source {
    pub mod config;
    pub mod http;
    pub mod hub;
    pub mod listen;
    pub mod log;
    pub mod protocol;
    pub mod rate_limit;
    pub mod transport;
}

pub use source::*;
