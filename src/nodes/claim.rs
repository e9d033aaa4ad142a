//! A claim of a name as this node has it, and what is to be done about claims.

use crate::hub::cluster::NodeId;
use crate::protocol::GuestId;

/// Who has a part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) node: NodeId,
    pub(super) guest: GuestId,
    /// Drawn for each claim.
    pub(super) tag: u64,
}

/// A part of a name that a claim has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) key: String,
    pub(super) revision: u64,
}

/// A claim of a guest at this node.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) owner: Owner,
    pub(super) parts: Vec<Part>,
}

/// Something to be done about claims.
#[derive(Debug)]
pub(super) enum Work {
    /// A claim is given up.
    Release(Claim),
    /// A part is given back to the claim that had it before.
    GiveBack(Part, Owner),
    /// A part may have been written, or may be written yet, for a claim that was given up; `before` had it, if it was another claim
    /// of the same guest.
    Settle { key: String, expected: u64, owner: Owner, before: Option<Owner> },
    /// The claims of this dead node are taken away; `None` for those of all dead nodes, and for what was left of given up ones.
    Sweep(Option<NodeId>),
}
