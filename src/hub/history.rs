//! Older messages, read backwards: a page of those before one that the guest has.
//!
//! A reader follows the room forwards; who scrolls up asks for pages. A page has every kept message within its bounds, so
//! pages that meet leave nothing out and have nothing twice, also while messages arrive and are trimmed.

use super::reader::{BATCH_BYTES, LOG_PAGE, unreadable};
use super::room::Room;
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Event, Record, Refusal};

/// About how many bytes a message takes beside its text and name.
const MESSAGE_MEMBERS: usize = 128;

/// A page of the history.
#[derive(Debug)]
pub struct History {
    /// All messages of the page are below this sequence number.
    pub before: u64,
    /// All are above this one: it is the cursor of the page, and 0 if no older message is kept.
    pub after: u64,
    /// Every kept message between the two, oldest first.
    pub messages: Vec<Record>,
}

impl History {
    /// The page as an event.
    pub fn event(&self) -> Event<'_> {
        let messages = self.messages.iter().map(Record::event).collect();
        Event::History { before: self.before, after: self.after, messages }
    }
}

impl Room {
    /// Reads the newest kept messages before one. They are fewer than asked for when they are long: after about
    /// [`BATCH_BYTES`] none is added. The guest must have joined.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn history(&self, request: HistoryRequest) -> Result<History, Refusal> {
        loop {
            let erasures = self.shared().erasures();
            let history = self.read_history(request).await?;
            // The guest may have the act already that deletes what was read before it: then nothing would remove it.
            if self.shared().erasures() == erasures {
                return Ok(history);
            }
        }
    }

    async fn read_history(&self, request: HistoryRequest) -> Result<History, Refusal> {
        let HistoryRequest { before, limit } = request;
        let (log, mut messages, mut bytes) = (&self.shared().log, Vec::new(), 0);
        // Newest first; every kept message from `begin` on is in it.
        let mut begin = before;
        while begin > 1 && messages.len() < limit && bytes < BATCH_BYTES {
            let count = LOG_PAGE.min(limit - messages.len());
            let mut after = log.cursor_before(begin, count).await.map_err(unreadable)?;
            let page = log.read(after, count).await.map_err(unreadable)?;
            // Where some were trimmed meanwhile, newer ones stand in their places.
            for message in page.into_iter().filter(|message| message.seq < begin).rev() {
                if bytes >= BATCH_BYTES {
                    after = message.seq;
                    break;
                }
                bytes += message.body.bytes() + MESSAGE_MEMBERS;
                messages.push(message);
            }
            begin = after + 1;
        }
        messages.reverse();
        Ok(History { before, after: begin - 1, messages })
    }
}
