//! The actor and what guests do about messages: edits, reactions, and the deletion of their own.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RoomActor;
use crate::hub::admission::{length, muted};
use crate::hub::command::{PublishBatch, not_seated, rate_limited};
use crate::hub::found::Found;
use crate::hub::pending::{PendingAppend, PendingPublish};
use crate::hub::speaker::Speaker;
use crate::log::{Entry, no_such_message};
use crate::protocol::text::check_text;
use crate::protocol::{Act, Body, Code, GuestId, MessageId, Refusal, Role};

impl RoomActor {
    /// Charges an edit or a reaction to its author and puts it among the entries, if it may be done.
    pub(super) fn admit_annotating(
        &mut self,
        speaker: Speaker,
        (id, act): (MessageId, Act),
        found: &Found,
        reply: oneshot::Sender<PublishBatch>,
        pending: &mut PendingAppend,
    ) {
        let at = self.clock();
        match self.check_annotating(speaker, &id, &act, found) {
            Ok(None) => {
                pending.entries.push(Entry { at, author: speaker.guest, id, body: Body::Act(act) });
                pending.requests.push(PendingPublish { results: vec![Ok(0)], rate_limited: None, reply });
            }
            Ok(Some(done)) => {
                let _ = reply.send(PublishBatch { results: vec![Ok(done)], ..PublishBatch::default() });
            }
            Err(refusal) => {
                let _ = reply.send(PublishBatch::refused(refusal));
            }
        }
    }

    /// Checks an edit or a reaction; the number of the entry that has done the same already, if one has.
    fn check_annotating(
        &mut self,
        Speaker { guest, connection }: Speaker,
        id: &MessageId,
        act: &Act,
        found: &Found,
    ) -> Result<Option<u64>, Refusal> {
        let (at, now) = (self.clock(), Instant::now());
        let (_, circuit) = self.roster.guest(guest, connection).ok_or_else(not_seated)?;
        if let Some(mute) = self.state.mute(guest, at) {
            return Err(muted(mute, at));
        }
        let bytes = if let Act::Edit { text, .. } = act { text.len() } else { 0 };
        self.budgets.charge_message(guest, circuit, bytes, now).map_err(rate_limited)?;
        self.state.permit(guest, act, at)?;
        match act {
            Act::Edit { message, text } => {
                let found = found.said(*message).ok_or_else(no_such_message)?;
                if found.author != guest {
                    return Err(refuse("Only the author of a message can edit it."));
                }
                if found.edited_as.as_ref() == Some(id) {
                    // Sent again: the log knows it, however long ago it was done.
                    return Ok(None);
                }
                check_age(at.saturating_sub(found.at), self.shared.limits.edit_seconds)?;
                check_text(text, self.shared.limits.message_bytes)?;
                self.check_speech(guest, at, now)?;
                if !self.words.is_empty() && self.state.role(guest) == Role::Guest && self.words.is_in(text) {
                    let sentence = "A host or a moderator would have to read this first, and an edit cannot wait for that. \
                                    Say it as a new message.";
                    return Err(Refusal::new(Code::NotHeld, sentence));
                }
                self.note_speech(guest, now);
                Ok(None)
            }
            Act::React { message, emoji } => {
                found.said(*message).ok_or_else(no_such_message)?;
                match self.state.annotations.reaction_of(guest, *message) {
                    Some((known, entry)) if known == *emoji => Ok(Some(entry)),
                    None if emoji.is_none() => Err(refuse("You have put no reaction to this message.")),
                    _ => Ok(None),
                }
            }
            _ => Err(no_such_message()),
        }
    }

    /// Makes of a deletion by a guest without a role one of their own messages.
    ///
    /// # Errors
    /// `not_allowed` where none of them is theirs.
    pub(super) fn delete_own(&self, author: GuestId, act: &mut Act, found: &Found) -> Result<(), Refusal> {
        let Act::Delete { messages, own } = act else { return Ok(()) };
        if self.state.role(author) > Role::Guest {
            return Ok(());
        }
        messages.retain(|seq| found.may_delete(author, *seq));
        *own = true;
        match messages.is_empty() {
            true => Err(refuse(
                "You can delete your own messages; those of others a host or a moderator of this room can delete.",
            )),
            false => Ok(()),
        }
    }
}

fn refuse(sentence: &str) -> Refusal {
    Refusal::new(Code::NotAllowed, sentence)
}

/// Checks how long ago a message was said, in seconds, where it may be edited for so many.
fn check_age(age: u64, edit_seconds: u64) -> Result<(), Refusal> {
    if edit_seconds == 0 {
        return Err(refuse("Messages cannot be edited in this room. Delete it, and say it anew."));
    }
    if age <= edit_seconds {
        return Ok(());
    }
    let time = length(edit_seconds);
    Err(refuse(&format!(
        "A message can be edited for {time} here, and that is over. Delete it, and say it anew."
    )))
}
