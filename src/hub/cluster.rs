//! What a room needs of the other nodes that serve it: claims of names, and who is present where.
//!
//! A node is a process that serves the room. The log is the order of what lasts; what does not last, the presence of
//! guests, each node tells the others, and names are claimed before they are used, so that no two guests have names that
//! are confusable, whichever nodes they are at. A claim belongs to its node's lease: when a node is dead its names come free.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::protocol::{Guest, GuestId, Name};

/// A node, from its start on or since it lost its lease: a number drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

/// A guest with a seat at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatedGuest {
    /// The guest.
    pub guest: Guest,
    /// The number of the claim of their name. Claims are numbered in one order over all nodes: of two nodes that have the
    /// same guest, the one with the higher claim has the seat.
    pub claim: u64,
}

/// An onion address, or another origin, at which a node serves the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Its origin, as in `http://….onion`.
    pub origin: String,
    /// How many guests have a seat at this node.
    pub guests: usize,
    /// How many seats it has.
    pub seats: usize,
}

/// Why a name could not be claimed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// Another guest has this name, or one that is confusable with it.
    #[error("another guest has the name")]
    Taken,
    /// The cluster cannot be asked now, or did not answer in time; whether the name is claimed is not known.
    #[error("the cluster cannot be asked: {0}")]
    Unavailable(String),
}

/// What a node tells the others about its own guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// The guest has a seat here, with this name and state.
    Present(SeatedGuest),
    /// The guest has no seat here any more.
    Absent(GuestId),
}

/// What a room learns of the other nodes. Every event is idempotent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterEvent {
    /// The guest has a seat at this other node, with this name and state.
    Present(NodeId, SeatedGuest),
    /// The guest has no seat at that node any more, or the node is gone.
    Absent(NodeId, GuestId),
    /// This node was taken for dead and its claims may belong to others: each has to be made again. It has another number
    /// from now on, and has told nothing under it: each guest is told again when their name is claimed.
    LeaseLost,
    /// Whether a quorum of the cluster answers this node, so that what lasts can be written.
    Available(bool),
    /// The doors of the other nodes, the least busy first.
    Doors(Vec<Door>),
}

/// The other nodes of a room.
pub trait Cluster: Send + Sync + 'static {
    /// Claims a name for a guest at this node and returns the number of the claim. A claim of the same guest, here or at
    /// another node, is taken over and gets a new number; one of a node without a lease is, too.
    ///
    /// The room waits for a few seconds, then the request is refused, and a claim that comes later is released. Where
    /// [`ClaimError::Unavailable`] was answered and the claim was made all the same, the implementation sees to it that it
    /// goes.
    ///
    /// # Errors
    /// Another guest has claimed the name or one that is confusable with it, or the cluster cannot be asked.
    fn claim(&self, guest: GuestId, name: &Name) -> BoxFuture<'static, Result<u64, ClaimError>>;

    /// Gives a claim up, in the background; does nothing where the name was claimed again since, by the same guest or another.
    fn release(&self, guest: GuestId, name: &Name, claim: u64);

    /// Tells the other nodes about a guest of this node. Never waits: what is lost on the way is repaired by a snapshot.
    fn tell(&self, presence: Presence);

    /// Says at which origin guests reach this node, for the others' guests, and how many seats it has.
    fn open_door(&self, origin: String, seats: usize);

    /// What happens at the other nodes, from now on, beginning with all that are known; to be taken once.
    fn events(&self) -> BoxStream<'static, ClusterEvent>;

    /// Leaves the other nodes: they are told, and names come free.
    fn close(&self) -> BoxFuture<'_, ()>;
}
