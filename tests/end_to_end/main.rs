//! The room from outside, on real parts: one binary, so that it is linked once.
//!
//! `kit` has the verbs: a room of the test's own, guests that speak the protocol, raw connections.
//! `loopback` needs nothing but this machine; `command_line` starts the program itself; `nothing_lost` breaks
//! whatever can break; `onion` starts a private Tor network, for which `tor` must be installed.

// A test that unwraps says enough when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command_line;
mod data_directory;
mod defects;
mod kit;
mod loopback;
mod nothing_lost;
mod onion;
