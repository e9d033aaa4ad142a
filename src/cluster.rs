//! The connection to NATS, for a room on several machines.
//!
//! [`Connection`] is one per process: the client, what the servers are, and the names of the room's streams and subjects.
//! [`Sealer`] encrypts what goes there, under keys that come from one file ([`ClusterSecret`]) that all machines of the room
//! have. [`Bucket`] is the room's key-value bucket, with sealed values. The log of messages over it is
//! [`crate::log::jetstream`].

mod bucket;
mod connection;
mod error;
mod link;
mod sealing;
mod secret;
#[cfg(all(test, unix))]
#[path = "../tests/nats/servers.rs"]
pub(crate) mod servers;

pub use bucket::{Bucket, Kept};
pub use connection::{ApiError, Connection};
pub use error::ClusterError;
pub use link::Link;
pub use sealing::Sealer;
pub use secret::{ClusterSecret, SecretError};
