//! The other nodes, as the room's task waits for them.

use std::future::pending;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, ReadyChunks};

use super::cluster::{Cluster, ClusterEvent};

/// How many events of the other nodes are handled together.
const EVENTS: usize = 256;

/// The other nodes of the room.
pub(super) struct Nodes {
    events: ReadyChunks<BoxStream<'static, ClusterEvent>>,
    /// Whether there will be no further event.
    ended: bool,
}

impl Nodes {
    pub(super) fn new(cluster: &Arc<dyn Cluster>) -> Self {
        Self { events: cluster.events().ready_chunks(EVENTS), ended: false }
    }

    /// What happens next at the other nodes.
    pub(super) async fn next(&mut self) -> Vec<ClusterEvent> {
        if !self.ended {
            match self.events.next().await {
                Some(events) => return events,
                None => self.ended = true,
            }
        }
        pending().await
    }
}

/// What happens next at the other nodes, if there are any.
pub(super) async fn next_events(nodes: &mut Option<Nodes>) -> Vec<ClusterEvent> {
    match nodes {
        Some(nodes) => nodes.next().await,
        None => pending().await,
    }
}
