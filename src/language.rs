//! The languages that the room speaks with guests, and which one a guest is spoken to in.
//!
//! English texts stand where they are used, and are the keys of the catalog, which `web/build` makes of the gettext files in
//! `web/languages`. A text without an entry stays English. The log, the terminal and the codes of the protocol are in English.
//!
//! `kind` has the languages, `accepted` how one is chosen, `texts` says texts in them, in the forms of `plural` and by `pieces`, and
//! `sentences` finds what the room says to all in English.

mod accepted;
mod catalog;
mod kind;
mod pieces;
mod plural;
mod sentences;
mod texts;

pub use kind::Language;
pub use pieces::pieces;
pub use texts::{english, plurals};

#[cfg(test)]
mod literals_tests;
#[cfg(test)]
mod tests;
