//! What guests do about messages: edits, reactions, and the deletion of their own.

use super::annotations::Gone;
use super::{Effect, Erase, RoomState};
use crate::protocol::{Act, Code, GuestId, Record, Refusal};

impl RoomState {
    /// Checks an edit, a reaction or a deletion of a guest's own messages as far as it can be told here: who the author of a
    /// message is, and how old it is, the room has looked up in the log.
    pub(super) fn permit_annotating(&self, author: GuestId, act: &Act) -> Result<(), Refusal> {
        let gone = match act {
            _ if author == GuestId::ROOM => {
                let sentence = "The room itself has no messages to edit, and reacts to none.";
                return Err(Refusal::new(Code::NotAllowed, sentence));
            }
            // Deleted after it was looked up for this.
            Act::Edit { message, .. } => self.erased.has_message(*message, author),
            Act::React { message, .. } => self.erased.has_number(*message),
            _ => false,
        };
        if gone {
            return Err(no_such_message());
        }
        Ok(())
    }

    /// Takes account of an edit or a reaction. One that does not count is erased at once, and so is what it replaces. Neither is noted among
    /// the erasures: a log that begins with a stored state finds what does not count by [`RoomState::is_replaced`].
    pub(super) fn annotate(&mut self, record: &Record, act: &Act) -> Effect {
        let refused = self.permit(record.author, act, record.at).is_err();
        let (author, entry) = (record.author, record.seq);
        let mut erases = Erase { before: entry, ..Erase::default() };
        match act {
            Act::Edit { .. } if refused => erases.pins.push(entry),
            _ if refused => erases.replaced.push(entry),
            Act::Edit { message, text } => {
                let gone = self.annotations.put_edit(*message, author, entry);
                if let Some(pinned) = self.policy.pinned.as_mut().filter(|pinned| pinned.message == *message)
                    && pinned.said.by == author
                {
                    pinned.said.text.clone_from(text);
                }
                gone.join(&mut erases);
            }
            Act::React { message, emoji } => {
                self.annotations.put_reaction(*message, author, entry, *emoji).join(&mut erases);
            }
            _ => {}
        }
        let erases = (!erases.is_empty()).then_some(erases);
        Effect { changed: !refused, refused, erases, put_out: Vec::new() }
    }

    /// Forgets what was done to messages that are deleted.
    pub(super) fn forget_messages(&mut self, messages: &[u64], erases: &mut Erase) {
        self.annotations.forget_messages(messages).join(erases);
    }

    /// Forgets the edits and the reactions of a guest whose messages are deleted.
    pub(super) fn forget_annotations_of(&mut self, guest: GuestId, erases: &mut Erase) {
        self.annotations.forget_guest(guest).join(erases);
    }

    /// Whether this entry was replaced, as of a state that takes account of it: it is to be erased.
    pub fn is_replaced(&self, record: &Record) -> bool {
        self.annotations.is_replaced(record)
    }
}

impl Gone {
    /// Has them erased.
    fn join(self, erases: &mut Erase) {
        erases.pins.extend(self.edits);
        erases.replaced.extend(self.reactions);
    }
}

/// The refusal for what is about a message that there is not, or not any more.
pub fn no_such_message() -> Refusal {
    let sentence = "There is no such message any more: it was deleted, or the room does not keep it.";
    Refusal::new(Code::NotAllowed, sentence)
}
