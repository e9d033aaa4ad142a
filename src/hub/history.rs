//! Pages of messages: those before one that the guest has, those after one, or those around one.
//!
//! A reader follows the room forwards; who scrolls up, or wants to see a message in its place, asks for pages. A page has every kept message within its bounds, so
//! pages that meet leave nothing out and have nothing twice, also while messages arrive and are trimmed.

use super::annotated::Annotated;
use super::reader::{BATCH_BYTES, LOG_PAGE, unreadable};
use super::room::Room;
use crate::log::Annotations;
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Event, Place, Refusal};

/// About how many bytes a message takes beside its text and name.
const MESSAGE_MEMBERS: usize = 128;

/// A page of the history.
#[derive(Debug)]
pub struct History {
    /// All messages of the page are below this sequence number.
    pub before: u64,
    /// All are above this one: it is the cursor of the page, and 0 if no older message is kept.
    pub after: u64,
    /// Every kept message between the two as it is now, oldest first.
    pub messages: Vec<Annotated>,
}

impl History {
    /// The page as an event.
    pub fn event(&self) -> Event<'_> {
        let messages = self.messages.iter().map(Annotated::event).collect();
        Event::History { before: self.before, after: self.after, messages }
    }
}

impl Room {
    /// Reads the kept messages of a place. They are fewer than asked for when they are long: after about [`BATCH_BYTES`] none is added.
    /// None is newer than what is published. The guest must have joined.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn history(&self, request: HistoryRequest) -> Result<History, Refusal> {
        loop {
            let erasures = self.shared().erasures();
            let known = self.annotations();
            let mut history = self.read_history(request, &known).await?;
            // The guest may have the act already that deletes or edits what was read before it: then nothing would remove it.
            if self.complete(&known, &mut history.messages) && self.shared().erasures() == erasures {
                return Ok(history);
            }
        }
    }

    async fn read_history(&self, request: HistoryRequest, known: &Annotations) -> Result<History, Refusal> {
        let HistoryRequest { place, limit } = request;
        match place {
            Place::Before(before) => self.read_older(before, limit, BATCH_BYTES, known).await,
            Place::After(after) => self.read_newer(after, limit, BATCH_BYTES, known).await,
            Place::Around(seq) => {
                let older = self.read_older(seq, limit / 2, BATCH_BYTES / 2, known).await?;
                let newer = self.read_newer(seq - 1, limit - limit / 2, BATCH_BYTES / 2, known).await?;
                let messages = older.messages.into_iter().chain(newer.messages).collect();
                Ok(History { before: newer.before, after: older.after, messages })
            }
        }
    }

    async fn read_older(
        &self,
        before: u64,
        limit: usize,
        bytes_max: usize,
        known: &Annotations,
    ) -> Result<History, Refusal> {
        let (log, mut messages, mut bytes) = (&self.shared().log, Vec::new(), 0);
        // Newest first; every kept message from `begin` on is in it.
        let mut begin = before;
        while begin > 1 && messages.len() < limit && bytes < bytes_max {
            let count = LOG_PAGE.min(limit - messages.len());
            let mut after = log.cursor_before(begin, count).await.map_err(unreadable)?;
            let page = log.read(after, count).await.map_err(unreadable)?;
            // Where some were trimmed meanwhile, newer ones stand in their places.
            for message in page.into_iter().filter(|message| message.seq < begin).rev() {
                if bytes >= bytes_max {
                    after = message.seq;
                    break;
                }
                let message = self.edited(known, message).await?;
                bytes += message.record.body.bytes() + MESSAGE_MEMBERS;
                messages.push(message);
            }
            begin = after + 1;
        }
        messages.reverse();
        Ok(History { before, after: begin - 1, messages })
    }

    async fn read_newer(
        &self,
        after: u64,
        limit: usize,
        bytes_max: usize,
        known: &Annotations,
    ) -> Result<History, Refusal> {
        let (newest, mut messages, mut bytes) = (self.shared().newest(), Vec::new(), 0);
        // Every kept message up to `end` is in it.
        let mut end = after;
        while end < newest && messages.len() < limit && bytes < bytes_max {
            let count = LOG_PAGE.min(limit - messages.len());
            let page = self.shared().log.read(end, count).await.map_err(unreadable)?;
            // Without more of them all that are missing were trimmed.
            let all = page.len() < count || page.last().is_some_and(|message| message.seq > newest);
            let mut fits = true;
            for message in page.into_iter().take_while(|message| message.seq <= newest) {
                fits = bytes < bytes_max;
                if !fits {
                    break;
                }
                let message = self.edited(known, message).await?;
                (end, bytes) = (message.record.seq, bytes + message.record.body.bytes() + MESSAGE_MEMBERS);
                messages.push(message);
            }
            if all && fits {
                end = end.max(newest);
            }
        }
        Ok(History { before: end + 1, after, messages })
    }
}
