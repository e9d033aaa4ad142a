//! A guest on a WebSocket (RFC 6455).
//!
//! [`upgrade`] answers the opening handshake, which `handshake` checks, and spawns the `driver` of the connection.
//! `session` is the state of one guest: requests under way, answers, the cursor. `input` has the bytes that
//! are not decoded yet and charges for them, `codec` decodes and encodes frames, `wake_filter` keeps a message of the room from costing more than a look at the ring and one write.

mod codec;
#[cfg(test)]
mod direct_tests;
mod driver;
mod end;
mod handshake;
mod input;
mod outcome;
mod session;
pub mod upgrade;
mod wake_filter;

pub use driver::serve;
pub use end::CLOSE_TAKEN_OVER;
