//! The room: one owner decides the order, everyone reads from the same ring.
//!
//! [`room`] is the way in. `owner` is the task behind it that takes what guests ask for, appends to the log,
//! and publishes. [`ring`] holds what was published, already encoded for the wire; a [`reader`] is only a
//! position in it, and `bell` wakes those who wait. `roster` knows who is here, `presence` what the guests are told
//! of it, `pace` how much each of them may say.

mod bell;
#[cfg(test)]
mod model_tests;
mod owner;
mod pace;
mod presence;
pub mod reader;
pub mod ring;
pub mod room;
mod roster;
mod suggest;
#[cfg(test)]
mod tests;

pub use reader::Reader;
pub use room::{Entered, Room, Said, Seat, Spoken, Visit};
