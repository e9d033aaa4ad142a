//! The wires a guest can be on. Each turns its own framing into calls on the room and back.
//!
//! [`websocket`] is a connection for both directions, [`events`] one for reading beside requests for speaking,
//! [`poll`] needs none. All of them read with a cursor from the same ring, whose events are encoded already.

pub mod events;
pub mod handshake;
pub mod page;
pub mod poll;
pub mod websocket;
