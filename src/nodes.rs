//! The other nodes of a room on several machines, by NATS: leases, claims of names, presence and doors.
//!
//! - `keys`: what is derived from the secret that the machines share; `wire`: what they tell each other, sealed;
//! - `bucket`: a stream of JetStream as a table that is written by compare and set;
//! - `leases`, `renewal`: which nodes live, and this node's own lease;
//! - `claims`, `releases`: names, claimed and given up;
//! - `own`, `peer`, `peers`, `presence`: who is present where;
//! - [`check`]: what is right and wrong with the servers and the room there, in words;
//! - `node`: all of it, as the [`Cluster`](crate::hub::cluster::Cluster) of a room.
//!
//! The room decides what a claim means; this decides whether there is one. Where NATS does not answer nothing is assumed: a claim is
//! [unavailable](crate::hub::cluster::ClaimError::Unavailable), and what may have been written is settled in the background.

mod bucket;
pub mod check;
mod claim;
mod claims;
mod keys;
mod layout;
mod leases;
mod node;
mod own;
mod peer;
mod peers;
mod presence;
mod releases;
mod renewal;
mod wire;

#[cfg(test)]
mod peers_tests;
#[cfg(all(test, unix))]
mod tests;

pub use node::NatsCluster;
