//! A chat room on the Tor network, in one program.
//!
//! The modules stand along the path of a message:
//!
//! ```text
//! accept  →  request  →  transport  →  room  →  log  →  fan-out
//! listen     http        transport     hub      log     hub::reader
//! tor
//! ```
//!
//! The path:
//!
//! - [`tor`]: the onion service, embedded Arti; the only module that names Arti's crates.
//! - [`listen`]: rendezvous streams and loopback TCP connections, accepted as one type under one connection limit.
//! - [`http`]: checks each request, dispatches it, and adds the headers that every response has.
//! - [`transport`]: WebSocket, server-sent events, polling, and the chat without JavaScript.
//! - [`hub`]: the room's actor, its ring of encoded events, and the readers with their cursors.
//! - [`rooms`]: the rooms of one address by their names; it opens and closes them.
//! - [`log`]: messages in memory, in SQLite, or in NATS for a room on several machines.
//!
//! Below the path:
//!
//! - [`protocol`]: the events and requests on the wire; knows no runtime, no HTTP and no Tor.
//! - [`language`]: the languages of guests, which of them a request is answered in, and the texts in each.
//! - [`rate_limit`]: token buckets.
//! - [`passwords`]: what guests choose as a secret, made into keys off the room's thread, one at a time.
//! - [`qr`]: QR codes of links, for the terminal and for pages.
//!
//! Around the path:
//!
//! - [`server`]: opens a room from its settings and closes it: all of the above put together.
//! - [`cluster`]: the connection to NATS, for a room on several machines; the cargo feature `cluster`, on by default.
//! - [`nodes`]: the other nodes of such a room, over that connection: leases, names, presence, and the check of all of it.
//! - [`control`]: the host's socket, and the requests and answers on it.
//! - [`storage`]: the private, locked data directory.
//! - [`invitations`]: who may find a private room, and until when.
//! - [`config`]: settings from the file, the environment and the command line.
//! - [`cli`]: the command line and what the terminal shows.
//! - [`telemetry`]: the program's own log.
//! - [`lab`]: a private Tor network for tests and demonstrations; the cargo feature `lab`, on by default.
//!
//! Dependencies point along the path and never back, and no two files need each other; a test holds both.
//! `docs/architecture.md` has the reasons.

#![forbid(unsafe_code)]
// They panic where the output cannot be written.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

// What tests share with those outside names the crate as these do.
#[cfg(test)]
extern crate self as onionroom;

pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod config;
pub mod control;
pub mod http;
pub mod hub;
pub mod invitations;
#[cfg(feature = "lab")]
pub mod lab;
pub mod language;
#[cfg(test)]
mod layers;
pub mod listen;
pub mod log;
#[cfg(feature = "cluster")]
pub mod nodes;
pub mod passwords;
pub mod protocol;
pub mod qr;
pub mod rate_limit;
pub mod rooms;
pub mod server;
pub mod storage;
pub mod telemetry;
pub mod tor;
pub mod transport;
