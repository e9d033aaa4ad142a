//! What the actor is asked about newcomers, beside their joins.

use tokio::sync::oneshot;

use super::speaker::{PublishBatch, Reply, Speaker};
use crate::protocol::act::LinkHash;
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Act, CircuitId, GuestId, Name, Role, Token};

/// A request to the actor about newcomers.
pub(super) enum GateCommand {
    /// What is to be done for a guest who brings something to be let in.
    Enter(Entering, Reply<Step>),
    /// Appends an act that lets a guest in, if it does so still.
    Append(GuestId, Act, oneshot::Sender<PublishBatch>),
    /// Who waits: for a guest who may know it, or for the room itself.
    List(Option<GuestId>, Reply<Vec<WaitingGuest>>),
    /// The guest with this token, if they wait.
    Waits(Token, Reply<Option<GuestId>>),
    /// The role of the guest with this token, who would come in on this circuit, or why they would not; nothing is done.
    Peek(Token, CircuitId, Reply<Role>),
    /// The role of a guest.
    Role(GuestId, Reply<Role>),
    /// Whether the link of this act, which the log has, gives anything.
    Stands(Act, Reply<bool>),
    /// Whether this author may govern the room; it is charged as an act.
    MayGovern(Option<Speaker>, Reply<()>),
}

/// A guest, and what they bring.
pub(super) struct Entering {
    pub(super) token: Token,
    pub(super) circuit: CircuitId,
    pub(super) name: Option<Name>,
    /// The hash of the secret of an invitation, or of a link that gives a role.
    pub(super) invite: Option<LinkHash>,
    /// Whether they bring a password.
    pub(super) password: bool,
}

/// What is to be done before a guest joins.
pub(super) enum Step {
    /// Nothing: what they bring is not needed, or does not help.
    Nothing,
    /// An act of this author lets them in.
    Append(GuestId, Act),
    /// The password is to be compared with the one that has this hash and this number; the right one lets this guest in.
    Verify { guest: GuestId, hash: String, number: u64 },
}
