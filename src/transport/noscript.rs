//! The chat without JavaScript: documents, forms, and one document that does not end.
//!
//! ```text
//! /                             the index; its <noscript> element holds
//! └─ /rooms/main/page           the entry, or the room: a frame for each of its two parts
//!    ├─ …/page/enter            where the entry's form takes a seat
//!    ├─ …/page/connection       a frame for the messages, which it loads again when they end
//!    │  └─ …/page/messages      the messages, written on for as long as the guest stays
//!    ├─ …/page/continue         where a window takes over from another
//!    ├─ …/page/say              the form to publish a message and to change the name
//!    ├─ …/page/message           one message: to answer it, to react, to edit and to delete it
//!    ├─ …/page/host             for hosts and moderators: what they can do, as forms
//!    ├─ …/page/identity         for guests: to reserve their name, and to save their key file
//!    ├─ …/page/search           for guests: to search in everything that is kept
//!    │  └─ …/page/context       a message among those around it
//!    ├─ …/page/private          to write to one guest alone
//!    ├─ …/page/look             where light, dark and other looks are switched
//!    ├─ …/page/language         where a switch sets the language, and leads back
//!    ├─ …/page/leave            where the seat is given up
//!    └─ …/page/moved            for a guest of another door: asks who goes on here
//!       └─ …/page/arrive         where that guest takes the seat
//! ```
//!
//! The token is in a cookie, and in no address. A form that is proved to be the room's own takes the seat; a GET resumes
//! it at most. The document of messages is the guest's connection and holds the seat; the form is a
//! [stateless join](crate::hub::Room::join_stateless), which leaves a connection alone.
//!
//! Every text for people is said in the guest's [`Language`](crate::language::Language); `switch` is how they choose it.
//!
//! [`documents`] are the documents that end, [`stream`] is the one that does not, [`connection`] what brings it again,
//! [`render`] renders events for it, with `colours` for the guests and texts as [`calm`] leaves them, [`windows`] knows
//! which window has it, [`markup`] is the beginning of each document, [`message`] what a form publishes, [`found`] the page to search.
//! Markup is maud's, so that escaping is by type.

mod acts;
pub mod calm;
mod colours;
pub mod connection;
pub mod documents;
pub mod entry;
mod event;
pub mod found;
pub mod host;
pub mod identity;
#[cfg(test)]
mod languages_tests;
pub mod made_link;
pub mod markup;
pub mod message;
pub mod message_page;
mod newcomers;
pub mod phrases;
pub mod private;
pub mod refresh;
pub mod render;
mod said;
pub mod stream;
pub mod switch;
pub mod theme;
pub mod windows;
mod words;
