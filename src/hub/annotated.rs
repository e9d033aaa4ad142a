//! Messages as they are now: with the text of the newest edit, and the reactions to them.
//!
//! Who reads forwards gets what was done to a message after it, in the order; pages of the history, which are read backwards, have
//! it in the message.

use super::found::{Found, FoundMessage};
use super::reader::unreadable;
use super::room::Room;
use crate::log::Annotations;
use crate::protocol::{Act, Body, Event, MessageId, Reactions, Record, Refusal};

/// An entry as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The entry; a message that was edited has the text of the newest edit.
    pub record: Record,
    /// Whether it was edited.
    pub edited: bool,
    /// The reactions to it.
    pub reactions: Reactions,
}

impl Annotated {
    /// The entry as an event.
    pub fn event(&self) -> Event<'_> {
        let reactions = Some(&self.reactions).filter(|reactions| !reactions.is_empty());
        self.record.event_now(self.edited, reactions)
    }
}

/// The text of the newest edit of a message.
pub(super) struct NewestEdit {
    pub(super) text: String,
    /// The id of the act.
    pub(super) id: MessageId,
}

impl Room {
    /// Edits and reactions up to the newest published entry.
    pub fn annotations(&self) -> Annotations {
        self.shared().annotations()
    }

    /// How often a text was erased: what was read from the log before the last time may be deleted by now.
    pub fn erasures(&self) -> u64 {
        self.shared().erasures()
    }

    /// Entries that were read from the log, as they are now. Who calls this compares [`Room::erasures`] from before they were read with that
    /// from after this, and begins anew where it is another.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn annotate(&self, records: &[Record]) -> Result<Vec<Annotated>, Refusal> {
        loop {
            let (erasures, known) = (self.shared().erasures(), self.annotations());
            let mut all = Vec::with_capacity(records.len());
            for record in records {
                all.push(self.edited(&known, record.clone()).await?);
            }
            if self.complete(&known, &mut all) && self.shared().erasures() == erasures {
                return Ok(all);
            }
        }
    }

    /// An entry with the text of the edit that is known of it.
    pub(super) async fn edited(&self, known: &Annotations, mut record: Record) -> Result<Annotated, Refusal> {
        let edit = self.newest_edit(known, &record).await?;
        let edited = edit.is_some();
        if let Some(NewestEdit { text, .. }) = edit {
            record.body.set_text(text);
        }
        Ok(Annotated { record, edited, reactions: Reactions::default() })
    }

    /// Puts the reactions of now to the messages; false if one of them was edited since `known`.
    pub(super) fn complete(&self, known: &Annotations, messages: &mut [Annotated]) -> bool {
        let now = self.annotations();
        for message in messages.iter_mut().filter(|message| message.record.body.said().is_some()) {
            let seq = message.record.seq;
            if now.edit(seq) != known.edit(seq) {
                return false;
            }
            message.reactions = now.reactions(seq);
        }
        true
    }

    /// The text of the edit that is known of this message.
    pub(super) async fn newest_edit(
        &self,
        known: &Annotations,
        record: &Record,
    ) -> Result<Option<NewestEdit>, Refusal> {
        let Some(entry) = record.body.said().and_then(|_| known.edit(record.seq)) else { return Ok(None) };
        let read = self.shared().log.read(entry - 1, 1).await.map_err(unreadable)?;
        Ok(read.into_iter().find_map(|edit| match edit.body {
            Body::Act(Act::Edit { message, text }) if edit.seq == entry && message == record.seq => {
                Some(NewestEdit { text, id: edit.id })
            }
            _ => None,
        }))
    }

    /// What the log has of these messages, as far as this act of a guest needs it.
    pub(super) async fn find(&self, numbers: &[u64], act: &Act) -> Result<Found, Refusal> {
        let log = &self.shared().log;
        let head = log.span().await.map_err(unreadable)?.head;
        let (known, mut messages) = (self.annotations(), Vec::new());
        for number in numbers {
            let read = log.read(number.saturating_sub(1), 1).await.map_err(unreadable)?;
            let Some(record) = read.into_iter().find(|record| record.seq == *number) else { continue };
            let held = matches!(record.body, Body::Held { .. });
            if held || record.body.said().is_some() {
                let edit = match act {
                    Act::Edit { .. } => self.newest_edit(&known, &record).await?,
                    _ => None,
                };
                let edited_as = edit.map(|edit| edit.id);
                let Record { seq, author, at, .. } = record;
                messages.push(FoundMessage { seq, author, at, held, edited_as });
            }
        }
        Ok(Found { head, messages })
    }
}
