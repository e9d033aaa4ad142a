//! What the log has of messages, as far as acts of guests about them need it.

use crate::protocol::{GuestId, MessageId};

/// What the log has of messages that an act is about, looked up before the act reaches the room's task.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The newest number before they were looked up.
    pub(super) head: u64,
    pub(super) messages: Vec<FoundMessage>,
}

/// A message that was found.
#[derive(Debug)]
pub(super) struct FoundMessage {
    pub(super) seq: u64,
    pub(super) author: GuestId,
    /// When it was said, on the room's clock.
    pub(super) at: u64,
    /// Whether it waits until a host or a moderator lets it be said.
    pub(super) held: bool,
    /// The id of the act that edits it, where it is looked up for another edit.
    pub(super) edited_as: Option<MessageId>,
}

impl Found {
    /// The message with this number, if it is said.
    pub(super) fn said(&self, seq: u64) -> Option<&FoundMessage> {
        self.messages.iter().find(|message| message.seq == seq && !message.held)
    }

    /// Whether a deletion by this guest may name this number: it is a message of theirs, or nothing that is kept. A number that is not given yet could be another guest's message by then.
    pub(super) fn may_delete(&self, guest: GuestId, seq: u64) -> bool {
        match self.messages.iter().find(|message| message.seq == seq) {
            Some(message) => message.author == guest,
            None => seq <= self.head,
        }
    }
}
