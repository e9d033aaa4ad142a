//! How many messages may wait for a host or a moderator.

use std::collections::HashSet;

use crate::log::state::{HELD_IN_ROOM, HELD_OF_GUEST};
use crate::log::{Log, RoomState};
use crate::protocol::{Code, GuestId, MessageId, Record, Refusal};

/// What this node knows of the messages that wait, beside the room's state.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Those that were admitted and that the log has not told yet.
    on_the_way: Vec<(GuestId, MessageId)>,
    /// Those of the state that the retention has removed, as of the last trim.
    gone: HashSet<u64>,
}

impl Holding {
    /// Admits a message that has to wait, where it is not one too many. One that waits already is admitted: the log knows it.
    ///
    /// # Errors
    /// `not_held`.
    pub(super) fn admit(
        &mut self,
        state: &RoomState,
        author: GuestId,
        id: &MessageId,
    ) -> Result<(), Refusal> {
        let is_it = |(by, with): &(GuestId, MessageId)| *by == author && with == id;
        if state.is_held_as(author, id) || self.on_the_way.iter().any(is_it) {
            return Ok(());
        }
        let waiting = state.held().iter().filter(|line| !self.gone.contains(&line.seq)).map(|line| line.by);
        let (mut in_room, mut of_guest) = (0, 0);
        for by in waiting.chain(self.on_the_way.iter().map(|(by, _)| *by)) {
            in_room += 1;
            of_guest += usize::from(by == author);
        }
        let sentence = if of_guest >= HELD_OF_GUEST {
            "A host or a moderator would have to read this first, and as many of your messages as can wait do so already. \
             Wait until they are read."
        } else if in_room >= HELD_IN_ROOM {
            "A host or a moderator would have to read this first, and as many messages as can wait in this room do so \
             already. Send it again later."
        } else {
            self.on_the_way.push((author, id.clone()));
            return Ok(());
        };
        Err(Refusal::new(Code::NotHeld, sentence))
    }

    /// Takes note of one that the log has told.
    pub(super) fn held(&mut self, record: &Record) {
        self.on_the_way.retain(|(by, id)| *by != record.author || *id != record.id);
    }

    /// The log has answered everything: what it has not told were duplicates, or failed.
    pub(super) fn settle(&mut self) {
        self.on_the_way.clear();
    }

    /// Says which of those of the state are not kept any more.
    pub(super) fn set_gone(&mut self, gone: Vec<u64>) {
        self.gone = gone.into_iter().collect();
    }
}

/// Which of the entries with these numbers the log does not keep any more.
pub(super) async fn gone(log: &dyn Log, numbers: Vec<u64>) -> Vec<u64> {
    let mut gone = Vec::new();
    for seq in numbers {
        // Where the log cannot be read, nothing is known of it.
        if log.read(seq - 1, 1).await.is_ok_and(|read| read.first().is_none_or(|record| record.seq != seq)) {
            gone.push(seq);
        }
    }
    gone
}
