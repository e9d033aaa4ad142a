//! The private messages of one guest with a seat, beside the ring that all read.
//!
//! A mailbox has numbers of its own, which say nothing of what others exchange: each message to or from its guest has the
//! next one, and so has the end of what was exchanged with a guest who left. Numbers are dense, so a reader who misses one
//! knows that something is not kept any more. They begin at a random place: a cursor of an earlier mailbox, of a seat that was
//! lost or of a room before its restart, is hardly ever within the numbers of this one, and is known as such.
//!
//! What reads it holds a number and nothing else, as readers of the ring do. Several may read at once: a guest may listen and
//! poll at the same time.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::protocol::private::{EncodedPrivate, PrivateEvent};
use crate::protocol::secret::Secret;
use crate::protocol::{GuestId, MessageId, Name};

/// What a kept message takes beside its text, in bytes, about.
const MESSAGE_MEMBERS: usize = 256;

/// How many of the newest ids of a guest are remembered, with the numbers that their messages have.
const SENT_MAX: usize = 256;

/// How many ends are kept of what was exchanged with guests who have left.
const ENDS_MAX: usize = 64;

/// A private message, as both guests have it. Its text is cleared from the memory with it.
#[derive(Debug)]
pub(super) struct PrivateMessage {
    pub(super) at: u64,
    pub(super) from: GuestId,
    pub(super) name: Name,
    pub(super) to: GuestId,
    pub(super) to_name: Name,
    pub(super) id: MessageId,
    pub(super) text: Secret,
}

impl PrivateMessage {
    /// What it counts for.
    pub(super) fn bytes(&self) -> usize {
        self.text.text().len() + MESSAGE_MEMBERS
    }

    /// The other one of its two guests.
    pub(super) fn other(&self, guest: GuestId) -> GuestId {
        if self.from == guest { self.to } else { self.from }
    }

    fn event(&self, number: u64) -> PrivateEvent<'_> {
        let Self { at, from, name, to, to_name, id, text } = self;
        let (id, text) = (id.as_str(), text.text());
        PrivateEvent::Private { number, at: *at, guest: *from, name, to: *to, to_name, id, text }
    }
}

/// The mailbox of a guest, and those who read it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Mailbox(Arc<Mutex<State>>);

impl fmt::Debug for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mailbox")
    }
}

struct State {
    /// The number before the first one.
    base: u64,
    newest: u64,
    entries: VecDeque<Entry>,
    /// What the messages count for together.
    bytes: usize,
    /// The newest messages of the guest, kept or not, by keyed hashes of their ids, which are shorter.
    sent: VecDeque<(u64, u64)>,
    hasher: RandomState,
    /// The readers that wait.
    waiting: Vec<(u64, Waker)>,
    readers: u64,
}

struct Entry {
    number: u64,
    content: Content,
}

enum Content {
    Message(Arc<PrivateMessage>),
    /// What was exchanged with this guest is forgotten.
    End(GuestId),
}

impl Entry {
    fn message(&self) -> Option<&Arc<PrivateMessage>> {
        match &self.content {
            Content::Message(message) => Some(message),
            Content::End(_) => None,
        }
    }
}

impl Mailbox {
    /// An empty one.
    pub(super) fn new() -> Self {
        // Without randomness a cursor of an earlier mailbox may be taken for one of this: then something is missed, and not told.
        let random = getrandom::u32().unwrap_or_default();
        Self::begin_at(u64::from(random) << 20 | 1)
    }

    /// An empty one whose first number is the next one.
    pub(super) fn begin_at(base: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            base,
            newest: base,
            entries: VecDeque::new(),
            bytes: 0,
            sent: VecDeque::new(),
            hasher: RandomState::new(),
            waiting: Vec::new(),
            readers: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is this one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Puts a message at the end; its number.
    pub(super) fn push(&self, message: &Arc<PrivateMessage>) -> u64 {
        let mut state = self.lock();
        state.bytes += message.bytes();
        state.append(Content::Message(Arc::clone(message)))
    }

    /// Remembers the id of a message that the guest has sent.
    pub(super) fn note_sent(&self, id: &MessageId, number: u64) {
        let mut state = self.lock();
        if state.sent.len() >= SENT_MAX {
            state.sent.pop_front();
        }
        let id = state.hasher.hash_one(id);
        state.sent.push_back((id, number));
    }

    /// The number of the message that the guest has sent with this id.
    pub(super) fn sent(&self, id: &MessageId) -> Option<u64> {
        let state = self.lock();
        let id = state.hasher.hash_one(id);
        state.sent.iter().find(|(known, _)| *known == id).map(|(_, number)| *number)
    }

    /// Forgets one message.
    pub(super) fn remove(&self, message: &Arc<PrivateMessage>) {
        let mut state = self.lock();
        let is_it = |entry: &Entry| entry.message().is_some_and(|kept| Arc::ptr_eq(kept, message));
        if let Some(place) = state.entries.iter().position(is_it) {
            state.entries.remove(place);
            state.bytes -= message.bytes();
        }
    }

    /// Forgets all that was exchanged with a guest, and tells the readers so if that was something.
    pub(super) fn end(&self, guest: GuestId) {
        let mut state = self.lock();
        let before = state.entries.len();
        let of = |entry: &Entry| match &entry.content {
            Content::Message(message) => message.from == guest || message.to == guest,
            Content::End(_) => false,
        };
        state.entries.retain(|entry| !of(entry));
        if state.entries.len() == before {
            return;
        }
        state.entries.retain(|entry| !matches!(entry.content, Content::End(with) if with == guest));
        state.bytes = state.entries.iter().filter_map(Entry::message).map(|message| message.bytes()).sum();
        state.append(Content::End(guest));
        let is_end = |entry: &Entry| entry.message().is_none();
        if state.entries.iter().filter(|entry| is_end(entry)).count() > ENDS_MAX
            && let Some(place) = state.entries.iter().position(is_end)
        {
            state.entries.remove(place);
        }
    }

    /// Forgets everything: the guest has no seat any more.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        (state.entries, state.sent, state.bytes) = (VecDeque::new(), VecDeque::new(), 0);
        state.newest = state.base;
    }

    /// The kept messages, oldest first.
    pub(super) fn messages(&self) -> Vec<Arc<PrivateMessage>> {
        self.lock().entries.iter().filter_map(Entry::message).cloned().collect()
    }

    /// What they count for together.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}

impl State {
    fn append(&mut self, content: Content) -> u64 {
        self.newest += 1;
        self.entries.push_back(Entry { number: self.newest, content });
        self.waiting.drain(..).for_each(|(_, waker)| waker.wake());
        self.newest
    }
}

/// Reads a mailbox from a number on.
pub(super) struct MailboxReader {
    mailbox: Mailbox,
    number: u64,
    /// The newest number that was read.
    after: u64,
    /// Whether the guest is still to be told that what they had was of another mailbox.
    is_new: bool,
}

impl MailboxReader {
    /// Reads what comes after a number; all that is kept if that is 0. A number that this mailbox has not given is of an
    /// earlier one: then the guest is told that the messages of that one are forgotten, and gets all that is kept.
    pub(super) fn new(mailbox: &Mailbox, cursor: u64) -> Self {
        let mut state = mailbox.lock();
        let known = (state.base..=state.newest).contains(&cursor);
        let first = state.entries.front().map_or(state.newest, |entry| entry.number - 1);
        let after = if known { cursor } else { first };
        state.readers += 1;
        let number = state.readers;
        drop(state);
        Self { mailbox: mailbox.clone(), number, after, is_new: !known && cursor > 0 }
    }

    /// The newest number that was read, and the cursor of the next reader.
    pub(super) fn after(&self) -> u64 {
        self.after
    }

    /// Takes what comes next, as far as it has not more than about `limit` bytes; nothing only when there is nothing new.
    pub(super) fn take(&mut self, limit: usize) -> Vec<EncodedPrivate> {
        let state = self.mailbox.lock();
        let mut events = Vec::new();
        if std::mem::take(&mut self.is_new) {
            let number = self.after;
            events.push(PrivateEvent::PrivateEnd { number, guest: None }.encoded());
        }
        let (mut bytes, mut after) = (0, self.after);
        let gap_before = |number: u64, after: u64, events: &mut Vec<EncodedPrivate>| {
            if number > after + 1 {
                events.push(PrivateEvent::PrivateGap { after, before: number }.encoded());
            }
        };
        let from = state.entries.partition_point(|entry| entry.number <= after);
        let mut entries = state.entries.range(from..);
        while bytes < limit {
            let Some(entry) = entries.next() else {
                gap_before(state.newest + 1, after, &mut events);
                after = after.max(state.newest);
                break;
            };
            let number = entry.number;
            gap_before(number, after, &mut events);
            let event = match &entry.content {
                Content::Message(message) => message.event(number).encoded(),
                Content::End(guest) => PrivateEvent::PrivateEnd { number, guest: Some(*guest) }.encoded(),
            };
            bytes += event.json.len();
            events.push(event);
            after = number;
        }
        drop(state);
        self.after = after;
        events
    }

    /// Whether there is something to take; if not, the task is woken when there is.
    pub(super) fn poll(&self, context: &Context<'_>) -> bool {
        let mut state = self.mailbox.lock();
        if self.is_new || state.newest > self.after {
            return true;
        }
        match state.waiting.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => state.waiting.push((self.number, context.waker().clone())),
        }
        false
    }
}

impl Drop for MailboxReader {
    fn drop(&mut self) {
        self.mailbox.lock().waiting.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
