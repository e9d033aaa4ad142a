//! The names of the nodes' buckets and subjects, and how the buckets are set.

use std::time::Duration;

use async_nats::jetstream::stream::Config;

use super::bucket;
use super::presence::Subjects;
use crate::cluster::Connection;

/// How long a lease that is not renewed, or a tombstone, is kept.
const LEASES_KEPT: Duration = Duration::from_secs(60 * 60);

/// The bucket of leases.
pub(super) fn leases(connection: &Connection) -> Config {
    bucket::settings(connection.name("leases"), &connection.subject("lease"), LEASES_KEPT)
}

/// The bucket of claims.
pub(super) fn claims(connection: &Connection) -> Config {
    bucket::settings(connection.name("claims"), &connection.subject("claim"), Duration::ZERO)
}

/// The subjects of presence.
pub(super) fn subjects(connection: &Connection) -> Subjects {
    Subjects { news: connection.subject("news"), ask: connection.subject("ask") }
}
