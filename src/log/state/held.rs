//! Messages that wait until a host or a moderator lets them be said.

use super::waiting::HeldLine;
use super::{ActLine, Effect, Erase, RoomState};
use crate::protocol::{Act, GuestId, MessageId, Name, Record};

/// How many are remembered. More than may wait: nodes admit them without asking each other, and those that the retention has
/// removed are still here.
const LINES_MAX: usize = 200;

/// How many of those that were released are remembered.
const RELEASED_MAX: usize = 200;

impl RoomState {
    /// The messages that wait, oldest first. The retention may have removed some.
    pub fn held(&self) -> &[HeldLine] {
        &self.held
    }

    /// Whether the message with this number waits.
    pub fn is_held(&self, seq: u64) -> bool {
        self.held.iter().any(|line| line.seq == seq)
    }

    /// Whether a message of this author and id waits.
    pub fn is_held_as(&self, author: GuestId, id: &MessageId) -> bool {
        self.held.iter().any(|line| line.by == author && line.id == id.as_str())
    }

    /// The number of the message now that waited as this one, if it was released not long ago.
    pub fn released_as(&self, held: u64) -> Option<u64> {
        self.released.iter().rev().find(|(waited, _)| *waited == held).map(|(_, said)| *said)
    }

    /// Takes account of a message that has to wait. Beyond the most that are remembered the oldest is discarded.
    pub(super) fn hold(&mut self, record: &Record) -> Effect {
        self.held.push(HeldLine { seq: record.seq, by: record.author, id: record.id.as_str().to_owned() });
        let excess = self.held.len().saturating_sub(LINES_MAX);
        let discarded = self.held.drain(..excess).map(|line| line.seq).collect();
        let erases = Erase { before: record.seq, messages: discarded, ..Erase::default() };
        Effect { changed: true, erases: self.erased.note(erases), ..Effect::default() }
    }

    /// Takes account of a message that was released, if it waits and `by` may do it. Otherwise it was released or discarded
    /// before, perhaps at another node, and is erased.
    pub(super) fn release(&mut self, record: &Record, by: GuestId, held: u64, name: &Name) -> Effect {
        let waits = self.held.iter().any(|line| line.seq == held && line.by == record.author);
        let refused = !waits || self.permit(by, &Act::Release { messages: vec![held] }, record.at).is_err();
        let erased = if refused { record.seq } else { held };
        if !refused {
            self.discard(&[held]);
            self.released.push_back((held, record.seq));
            let excess = self.released.len().saturating_sub(RELEASED_MAX);
            self.released.drain(..excess);
            self.note_line(ActLine {
                seq: record.seq,
                at: record.at,
                by,
                act: "release".to_owned(),
                of: Some(record.author),
                name: Some(name.as_str().to_owned()),
            });
        }
        let erases = Erase { before: record.seq, messages: vec![erased], ..Erase::default() };
        Effect { changed: true, refused, erases: self.erased.note(erases), ..Effect::default() }
    }

    /// Takes those with these numbers from what waits.
    pub(super) fn discard(&mut self, messages: &[u64]) {
        self.held.retain(|line| !messages.contains(&line.seq));
    }

    /// Takes those of a guest from what waits, and returns their numbers.
    pub(super) fn discard_of(&mut self, author: GuestId) -> Vec<u64> {
        self.held.extract_if(.., |line| line.by == author).map(|line| line.seq).collect()
    }
}
