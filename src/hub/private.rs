//! The private messages of a room: in memory alone, for as long as both guests have their seats.
//!
//! Each guest with a seat has a [mailbox](super::mailbox), and a message is in those of its two guests or in none. What is kept
//! is bounded for each two guests, each guest and the room; beyond that the oldest message goes of the guest who has sent most
//! among them. In a mailbox, guests to whom its owner has not written have half of the space at most, so that strangers, however many, leave
//! the other half to those whom the owner talks to.
//!
//! A mailbox is held by the guest's seat: however that is lost, what was exchanged is forgotten at both ends.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mailbox::{Mailbox, PrivateMessage};
use crate::protocol::{Guest, GuestId, Whisper};

/// How much is kept, in bytes of texts, with 256 for each message.
#[derive(Debug, Clone, Copy)]
pub(super) struct PrivateLimits {
    /// Between two guests.
    pub(super) pair: usize,
    /// To and from a guest.
    pub(super) guest: usize,
    /// In the room.
    pub(super) room: usize,
}

impl Default for PrivateLimits {
    fn default() -> Self {
        Self { pair: 64 * 1024, guest: 128 * 1024, room: 8 * 1024 * 1024 }
    }
}

/// The mailboxes of a room. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct PrivateMessages(Arc<Mutex<Mailboxes>>);

#[derive(Default)]
struct Mailboxes {
    limits: PrivateLimits,
    of: HashMap<GuestId, Mailbox>,
    /// What is kept, each message counted once.
    bytes: usize,
    /// The same by the guests who have sent it.
    sent: HashMap<GuestId, usize>,
}

/// The mailbox of a guest with a seat. Dropping it forgets what is in it, at the other guests' ends, too.
pub(super) struct SeatMailbox {
    messages: PrivateMessages,
    guest: GuestId,
    mailbox: Mailbox,
}

impl SeatMailbox {
    /// The mailbox, to be read.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }
}

impl fmt::Debug for SeatMailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SeatMailbox")
    }
}

impl Drop for SeatMailbox {
    fn drop(&mut self) {
        self.messages.lock().close(self.guest, &self.mailbox);
    }
}

impl fmt::Debug for PrivateMessages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateMessages")
    }
}

impl PrivateMessages {
    /// With other limits.
    #[cfg(test)]
    pub(super) fn with(limits: PrivateLimits) -> Self {
        Self(Arc::new(Mutex::new(Mailboxes { limits, ..Mailboxes::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Mailboxes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox of a guest who has a seat from now on.
    pub(super) fn open(&self, guest: GuestId) -> SeatMailbox {
        let mailbox = Mailbox::new();
        self.lock().of.insert(guest, mailbox.clone());
        SeatMailbox { messages: self.clone(), guest, mailbox }
    }

    /// The number of the message that a guest has sent with this id already.
    pub(super) fn sent(&self, from: GuestId, whisper: &Whisper) -> Option<u64> {
        self.lock().of.get(&from)?.sent(&whisper.id)
    }

    /// Delivers a message at this time of the room's clock; the number that it has for its author. `None` if one of the two
    /// has no seat.
    pub(super) fn deliver(&self, from: &Guest, to: &Guest, at: u64, whisper: Whisper) -> Option<u64> {
        let mut mailboxes = self.lock();
        let (own, other) = (mailboxes.of.get(&from.id)?.clone(), mailboxes.of.get(&to.id)?.clone());
        let message = Arc::new(PrivateMessage {
            at,
            from: from.id,
            name: from.name.clone(),
            to: to.id,
            to_name: to.name.clone(),
            id: whisper.id,
            text: whisper.text,
        });
        mailboxes.bytes += message.bytes();
        *mailboxes.sent.entry(from.id).or_default() += message.bytes();
        other.push(&message);
        let number = own.push(&message);
        own.note_sent(&message.id, number);
        mailboxes.keep_limits(&message);
        Some(number)
    }
}

impl Mailboxes {
    fn close(&mut self, guest: GuestId, mailbox: &Mailbox) {
        // The guest may have another seat by now.
        if !self.of.get(&guest).is_some_and(|own| own.is(mailbox)) {
            return mailbox.clear();
        }
        self.of.remove(&guest);
        let messages = mailbox.messages();
        messages.iter().for_each(|message| self.uncount(message));
        let others: HashSet<_> = messages.iter().map(|message| message.other(guest)).collect();
        others.iter().filter_map(|other| self.of.get(other)).for_each(|other| other.end(guest));
        mailbox.clear();
    }

    /// Forgets what is beyond the limits, after this message came; never the message itself.
    fn keep_limits(&mut self, new: &Arc<PrivateMessage>) {
        let PrivateLimits { pair, guest, room } = self.limits;
        self.keep_pair_limit(pair, new);
        for owner in [new.from, new.to] {
            let Some(mailbox) = self.of.get(&owner).cloned() else { continue };
            while mailbox.bytes() > guest {
                let messages = mailbox.messages();
                if !self.forget(victim(&messages, owner, guest, new)) {
                    break;
                }
            }
        }
        while self.bytes > room {
            let most =
                self.sent.iter().max_by_key(|(guest, bytes)| (**bytes, **guest)).map(|(guest, _)| *guest);
            let mailbox = most.and_then(|most| self.of.get(&most));
            let mut own = mailbox.map_or_else(Vec::new, Mailbox::messages);
            own.retain(|message| Some(message.from) == most);
            if !self.forget(oldest_of_most(&own, new)) {
                break;
            }
        }
    }

    /// Two guests have the same messages of each other, so one of their mailboxes says which.
    fn keep_pair_limit(&mut self, limit: usize, new: &Arc<PrivateMessage>) {
        let Some(mailbox) = self.of.get(&new.from).cloned() else { return };
        loop {
            let mut between = mailbox.messages();
            between.retain(|message| message.other(new.from) == new.to);
            if total(&between) <= limit || !self.forget(oldest_of_most(&between, new)) {
                return;
            }
        }
    }

    fn forget(&mut self, message: Option<Arc<PrivateMessage>>) -> bool {
        let Some(message) = message else { return false };
        for guest in [message.from, message.to] {
            if let Some(mailbox) = self.of.get(&guest) {
                mailbox.remove(&message);
            }
        }
        self.uncount(&message);
        true
    }

    fn uncount(&mut self, message: &PrivateMessage) {
        self.bytes -= message.bytes();
        if let Some(sent) = self.sent.get_mut(&message.from) {
            *sent -= message.bytes();
            if *sent == 0 {
                self.sent.remove(&message.from);
            }
        }
    }
}

fn total(messages: &[Arc<PrivateMessage>]) -> usize {
    messages.iter().map(|message| message.bytes()).sum()
}

/// The message that goes first where a mailbox has more than `limit`: of strangers where they have more than half of that.
fn victim(
    messages: &[Arc<PrivateMessage>],
    owner: GuestId,
    limit: usize,
    new: &Arc<PrivateMessage>,
) -> Option<Arc<PrivateMessage>> {
    let written_to: HashSet<_> =
        messages.iter().filter(|message| message.from == owner).map(|message| message.to).collect();
    let (strange, known): (Vec<_>, Vec<_>) = messages
        .iter()
        .cloned()
        .partition(|message| message.from != owner && !written_to.contains(&message.from));
    let (first, second) = if total(&strange) > limit / 2 { (strange, known) } else { (known, strange) };
    oldest_of_most(&first, new).or_else(|| oldest_of_most(&second, new))
}

/// The oldest message of the guest who has sent most of these, `new` aside.
fn oldest_of_most(
    messages: &[Arc<PrivateMessage>],
    new: &Arc<PrivateMessage>,
) -> Option<Arc<PrivateMessage>> {
    let others = || messages.iter().filter(|message| !Arc::ptr_eq(message, new));
    let mut sent: HashMap<GuestId, usize> = HashMap::new();
    others().for_each(|message| *sent.entry(message.from).or_default() += message.bytes());
    let (most, _) = sent.into_iter().max_by_key(|(guest, bytes)| (*bytes, *guest))?;
    others().find(|message| message.from == most).cloned()
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
