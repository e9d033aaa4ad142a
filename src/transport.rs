//! The transports. Each turns its own framing into calls on the hub, and the hub's events into its framing.
//!
//! [`websocket`] is one connection for both directions, [`events`] a response that does not end beside requests to
//! publish, [`poll`] answers single requests, [`noscript`] is the chat without JavaScript. All of them read the same
//! ring with a cursor, whose events are encoded already.

pub mod events;
pub mod noscript;
pub mod poll;
pub mod websocket;
