//! The wires a guest can be on. Each turns its own framing into [`crate::session`] calls and back.

pub mod handshake;
pub mod page;
pub mod websocket;
