//! What guests and the room say to each other: pure types and their JSON, no IO.
//!
//! `docs/protocol.md` is the same in prose. Everything the room sends is encoded here, once, whichever
//! transport carries it; everything a guest sends is decoded here, and decoding never panics.

pub mod body;
pub mod event;
pub mod frame;
mod json;
pub mod name;
pub mod refusal;
pub mod request;
pub mod token;

pub use event::{Guest, GuestId, Message, Welcome};
pub use name::Name;
pub use refusal::{Code, Refusal};
pub use request::{Hello, MessageId, Request, Say};
pub use token::Token;

/// The number of the protocol that `welcome` announces.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol, as in `Sec-WebSocket-Protocol` (RFC 6455, section 1.9).
pub const SUBPROTOCOL: &str = "chat";

/// The only room there is so far.
pub const MAIN_ROOM: &str = "main";

/// More guests than this are a crowd: they are told how many they are, and no longer of each other.
pub const CROWD_ABOVE: usize = 100;

/// When a crowd has become so few it is none any more.
pub const CROWD_UNTIL: usize = 80;

/// The largest WebSocket message a guest may send, in bytes; more is answered with close code 1009.
///
/// A text of [`MESSAGE_BYTES_MAX`] in which every character is escaped (`\u0041`) stays below it only up to a
/// sixth of that length; such a sender is cut off rather than given a larger buffer.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The largest value that the setting for the length of a message's text may have, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// The largest number on the wire plus one: what JavaScript's numbers hold exactly.
pub const NUMBER_LIMIT: u64 = 1 << 53;
