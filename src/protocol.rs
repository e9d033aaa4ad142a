//! The protocol between guests and the room: pure types and their JSON, no IO.
//!
//! `docs/protocol.md` describes it in prose. Everything the room sends is encoded here, once for all
//! transports; everything a guest sends is decoded here, and decoding never panics.

pub mod act;
pub mod act_members;
mod act_told;
pub mod badge;
pub mod body;
pub mod confirmation;
pub mod encoded;
pub mod entering;
pub mod epochs;
pub mod event;
mod fragment;
pub mod frame;
pub mod id;
pub mod identity;
mod json;
pub mod limits;
pub mod name;
pub mod passphrase;
pub mod policy;
pub mod private;
pub mod reaction;
pub mod record;
pub mod refusal;
mod refused;
pub mod request;
pub mod search;
pub mod secret;
pub mod text;
pub mod token;
pub(crate) mod visible;
pub mod words;

pub use act::{Act, Role};
pub use badge::Badge;
pub use confirmation::Confirmation;
pub use encoded::{EncodedEvent, EventBatch, EventKind};
pub use event::{Event, Guest, Welcome};
pub use fragment::link_fragment;
pub use id::{CircuitId, GuestId, MessageId};
pub use identity::Identity;
pub use name::Name;
pub use passphrase::Passphrase;
pub use policy::Policy;
pub use private::Whisper;
pub use reaction::{Emoji, Reactions};
pub use record::{Body, Record};
pub use refusal::{Code, Refusal};
pub use request::{Hello, HistoryRequest, Place, Request, Say};
pub use search::SearchRequest;
pub use token::Token;

/// The number of the protocol that `welcome` announces.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol, as in `Sec-WebSocket-Protocol` (RFC 6455, section 1.9).
pub const SUBPROTOCOL: &str = "chat";

/// The name of the room that is always there.
pub const MAIN_ROOM: &str = "main";

/// With more guests than this only the occupancy is told, and no longer each change of presence.
pub const OCCUPANCY_ABOVE: usize = 100;

/// With no more guests than this changes of presence are told again.
pub const OCCUPANCY_UNTIL: usize = 80;

/// The most messages that a guest may ask for at once.
pub const HISTORY_MAX: u64 = 1000;

/// The number of messages that an answer has unless the request says otherwise.
pub const HISTORY_DEFAULT: u64 = 200;

/// The most messages that a search finds at once.
pub const SEARCH_MAX: u64 = 200;

/// The number of messages that it finds at most unless the request says otherwise.
pub const SEARCH_DEFAULT: u64 = 50;

/// The most bytes of what is searched for.
pub const SEARCH_BYTES_MAX: usize = 512;

/// The most words and phrases in it.
pub const SEARCH_TERMS_MAX: usize = 16;

/// The largest WebSocket message a guest may send, in bytes; more is answered with close code 1009.
///
/// A text of [`MESSAGE_BYTES_MAX`] in which every character is escaped (`\u0041`) stays below it only up to a
/// sixth of that length; such a sender is cut off rather than given a larger buffer.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The largest value that the setting for the length of a message's text may have, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// The largest number on the wire plus one: what JavaScript's numbers hold exactly.
pub const NUMBER_LIMIT: u64 = 1 << 53;
