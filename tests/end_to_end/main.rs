//! The room from outside, on real parts: one binary, so that it is linked once.
//!
//! `kit` has the verbs: a room of the test's own, guests that speak the protocol, raw connections.
//! `loopback` needs nothing but this machine.

// A test that unwraps says enough when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;
mod loopback;
