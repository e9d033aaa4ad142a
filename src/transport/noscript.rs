//! The chat without JavaScript: documents, forms, and one document that does not end.
//!
//! ```text
//! /                             the index; its <noscript> element holds
//! └─ /rooms/main/page           the room: a frame for each of its two parts
//!    ├─ …/page/messages         the messages, written on for as long as the guest stays
//!    └─ …/page/say              the form to publish a message and to change the name
//! ```
//!
//! The token is in the query of the frames: no cookies, and the address bar keeps the address that can be shared. The
//! document of messages is the guest's connection and holds the seat; the form is a
//! [stateless join](crate::hub::Room::join_stateless), which leaves a connection alone.
//!
//! [`documents`] are the documents that end, [`stream`] is the one that does not, [`render`] renders events for it,
//! [`markup`] is the beginning of each document. Markup is maud's, so that escaping is by type.

pub mod documents;
pub mod markup;
pub mod message;
mod phrases;
pub mod refresh;
pub mod render;
pub mod stream;
