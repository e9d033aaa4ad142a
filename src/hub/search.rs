//! Looks through everything that is kept, newest first.
//!
//! The log gives pages that are not decrypted yet, so neither the room's task nor the log waits; they are decrypted and compared on a
//! thread of the blocking pool, one search after the other (`searches`). What one request may take is
//! bounded: its answer says how far it has come, and the next one goes on there. Where it is not waited for any more, it ends with its page.

use std::collections::HashSet;

use tokio::task::spawn_blocking;

use super::annotated::Annotated;
use super::command::not_seated;
use super::reader::{BATCH_BYTES, unreadable};
use super::room::Room;
use super::searches::Turn;
use crate::log::{Annotations, LogError, LogPage};
use crate::protocol::search::Folder;
use crate::protocol::{Act, Body, Event, Hello, Record, Refusal, SearchRequest};

/// How many entries one request looks at, at most.
pub const LOOKED_MAX: usize = 10_000;

/// After how many bytes of texts it ends.
pub const LOOKED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many entries are read from the log at once, at most.
const PAGE: usize = 256;

/// About how many bytes a message takes beside its text and name.
const MESSAGE_MEMBERS: usize = 128;

/// What a search has found.
#[derive(Debug)]
pub struct Found {
    /// All that was looked at is below this sequence number.
    pub before: u64,
    /// All is above this one: the search goes on before the one that follows it. 0 if nothing older is kept.
    pub after: u64,
    /// Every kept message between the two that has what was searched for as it is now, newest first.
    pub messages: Vec<Annotated>,
}

impl Found {
    /// What was found, as an event.
    pub fn event(&self) -> Event<'_> {
        let messages = self.messages.iter().map(Annotated::event).collect();
        Event::Search { before: self.before, after: self.after, messages }
    }
}

impl Room {
    /// Searches for a guest, who must have joined.
    ///
    /// # Errors
    /// `too_fast`, with how long to wait; `not_kept` when the log cannot be read.
    pub async fn search(&self, request: SearchRequest) -> Result<Found, Refusal> {
        let turn = self.shared().searches.turn(self.circuit()).await?;
        self.search_in_turn(turn, request).await
    }

    async fn search_in_turn(&self, turn: Turn, request: SearchRequest) -> Result<Found, Refusal> {
        let log = &self.shared().log;
        let mut erasures = self.shared().erasures();
        let newest = self.shared().newest() + 1;
        let before = request.before.map_or(newest, |before| before.min(newest));
        let query = request.query.clone();
        let mut scan = Scan::new(request, self.annotations(), before, turn);
        // Newest first; every kept message from `begin` on was looked at.
        let mut begin = before;
        while begin > 1 && !scan.is_done() {
            let page = log.page_before(begin, PAGE).await.map_err(unreadable)?;
            let looked = spawn_blocking(move || scan.look_at(page));
            let (back, after) = looked.await.map_err(|error| unreadable(LogError(error.to_string())))?;
            (scan, begin) = (back, after + 1);
        }
        let Scan { found: mut messages, .. } = scan;
        let after = begin - 1;
        let after = if log.span().await.map_err(unreadable)?.first > after { 0 } else { after };
        // The guest may have the act already that deletes what was found before it: then nothing would remove it.
        loop {
            let mut now = self.annotate(&messages).await?;
            if self.shared().erasures() == erasures {
                // What was edited has to have it in its newest text.
                let mut folder = Folder::default();
                now.retain(|message| {
                    !message.edited
                        || message.record.body.said().is_some_and(|(_, text)| query.is_in(text, &mut folder))
                });
                return Ok(Found { before, after, messages: now });
            }
            erasures = self.shared().erasures();
            messages = self.still_kept(messages).await?;
        }
    }

    /// The same for a guest without a connection, who is to have their seat after it as well: the answer is of no use to one who was
    /// put out meanwhile. With the room's clock.
    ///
    /// # Errors
    /// As [`Room::search`] and [`Room::join_stateless`], and `taken_over`.
    pub async fn search_stateless(
        &self,
        hello: Hello,
        request: SearchRequest,
    ) -> Result<(Found, u64), Refusal> {
        let token = self.join_stateless(hello).await?.welcome.token;
        let found = self.search(request).await?;
        let join = self.touch(&token).await?.ok_or_else(not_seated)?;
        Ok((found, join.welcome.clock))
    }

    /// Those of these messages that the log still has.
    async fn still_kept(&self, messages: Vec<Record>) -> Result<Vec<Record>, Refusal> {
        let mut kept = Vec::with_capacity(messages.len());
        for message in messages {
            let found = self.shared().log.read(message.seq - 1, 1).await.map_err(unreadable)?;
            kept.extend(found.into_iter().filter(|found| found.seq == message.seq));
        }
        Ok(kept)
    }
}

/// A search under way.
struct Scan {
    request: SearchRequest,
    known: Annotations,
    /// All that is looked at is below this number.
    before: u64,
    /// Messages whose newest edit has what is searched for.
    edited: HashSet<u64>,
    folder: Folder,
    /// Newest first.
    found: Vec<Record>,
    found_bytes: usize,
    looked: usize,
    looked_bytes: usize,
    /// Held for as long as something is computed, also where it is not waited for any more.
    _turn: Turn,
}

impl Scan {
    fn new(request: SearchRequest, known: Annotations, before: u64, turn: Turn) -> Self {
        Self {
            request,
            known,
            before,
            edited: HashSet::new(),
            folder: Folder::default(),
            found: Vec::new(),
            found_bytes: 0,
            looked: 0,
            looked_bytes: 0,
            _turn: turn,
        }
    }

    fn is_done(&self) -> bool {
        self.found.len() >= self.request.limit
            || self.found_bytes >= BATCH_BYTES
            || self.looked >= LOOKED_MAX
            || self.looked_bytes >= LOOKED_BYTES_MAX
    }

    /// Looks at a page; returns the cursor after which everything was looked at.
    fn look_at(mut self, page: LogPage) -> (Self, u64) {
        for record in (page.open)().into_iter().rev() {
            if self.is_done() {
                return (self, record.seq);
            }
            self.looked += 1;
            self.looked_bytes += record.body.bytes();
            if self.is_wanted(&record) {
                self.found_bytes += record.body.bytes() + MESSAGE_MEMBERS;
                self.found.push(record);
            }
        }
        (self, page.after)
    }

    /// Whether it is a message that has it. One that was edited is wanted where its edit has it, or was not looked at: that comes after the
    /// message.
    fn is_wanted(&mut self, record: &Record) -> bool {
        if let Body::Act(Act::Edit { message, text }) = &record.body {
            if self.known.edit(*message) == Some(record.seq)
                && self.request.query.is_in(text, &mut self.folder)
            {
                self.edited.insert(*message);
            }
            return false;
        }
        let Some((_, text)) = record.body.said() else { return false };
        if self.request.from.is_some_and(|from| from != record.author) {
            return false;
        }
        match self.known.edit(record.seq) {
            Some(edit) if edit < self.before => self.edited.contains(&record.seq),
            Some(_) => true,
            None => self.request.query.is_in(text, &mut self.folder),
        }
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
