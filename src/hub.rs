//! The hub: one actor decides the order of a room's events, all readers read the same ring.
//!
//! - [`room`] is the handle with which guests are served, `command` what it asks the `actor` for.
//! - `actor` is the task that owns the room: it appends messages to the log (`pending`) and publishes them.
//! - `ring` holds the published events, encoded once; a [`reader`] is a cursor into it and into the log, and
//!   `notifier` wakes the readers that wait, or writes to their connections itself ([`direct`]). [`history`] reads
//!   backwards, and in pages; [`annotated`] has messages as they are now, with edits and reactions. [`search`] looks through what is kept,
//!   in the turns that `searches` gives.
//! - `roster` has the seats and names: `seat_rank` decides which seat a full room gives up, `seat_loss` tells its connection, `name_index` which names are
//!   in use, `suggested_name` finds names for guests who ask for none, of `suggested_words`.
//! - [`cluster`] is what the room needs of the other nodes that serve it, `nodes` the actor's end of it, `catch_up` the requests'.
//! - [`wiping`] takes the requests of hosts that the room be wiped, which what runs the room does.
//! - [`entering`] and `gate` are for newcomers: what they bring is checked beside the actor (`password`), and `waiting` lists those who
//!   have to be let in.
//! - [`house`] is what several rooms at one address share.
//! - `private` has the private messages, `mailbox` those of one guest; `typing` limits who is told to be writing.
//! - `presence` decides what guests are told of the roster, `notices` what of the doors and of whether the room can write; `budgets` how much guests, circuits and the room may publish.

mod actor;
mod admission;
pub mod annotated;
#[cfg(test)]
mod annotated_tests;
mod appends;
mod budgets;
mod catch_up;
mod claims;
mod clock;
pub mod cluster;
#[cfg(test)]
mod cluster_tests;
mod command;
#[cfg(test)]
mod deletion_tests;
pub mod direct;
#[cfg(test)]
mod direct_tests;
pub mod entering;
#[cfg(test)]
mod entering_tests;
mod entrance;
mod facts;
#[cfg(test)]
mod faulty_log_tests;
mod found;
mod gate;
#[cfg(test)]
mod governing_tests;
mod held;
#[cfg(test)]
mod held_tests;
pub mod history;
mod holding;
pub mod house;
mod identities;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod late_log_tests;
mod linking;
mod made_links;
#[cfg(test)]
mod made_links_tests;
mod mailbox;
#[cfg(test)]
mod model_tests;
mod name_index;
mod nodes;
mod notices;
#[cfg(test)]
mod notices_tests;
mod notifier;
mod password;
mod pending;
mod presence;
mod private;
#[cfg(test)]
mod private_room_tests;
pub mod reader;
mod reserving;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod ring;
#[cfg(not(feature = "bench"))]
#[allow(unreachable_pub, reason = "public for the benchmarks, which time the ring by itself")]
mod ring;
pub mod room;
mod roster;
pub mod search;
mod searches;
mod seat_loss;
mod seat_rank;
mod seats;
mod shared_circuits;
#[cfg(test)]
mod slow_log_tests;
mod speaker;
#[cfg(test)]
mod stranger_tests;
mod suggested_name;
mod suggested_words;
#[cfg(test)]
mod tests;
mod typing;
mod waiting;
pub mod wiping;
#[cfg(test)]
mod woken;

pub use command::{
    Done, Join, Present, PublishBatch, PublishResult, Published, RoomsNews, Seat, StatelessJoin, unknown_room,
};
pub use entrance::{Needs, with_token};
pub use held::Waiting;
pub use history::History;
pub use house::House;
pub use reader::Reader;
pub use room::Room;
pub use search::Found;
