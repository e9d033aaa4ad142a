//! Which messages are kept: the retention, applied in memory.
//!
//! Beyond the limits on their count and on their bytes, the oldest message of the author who keeps most goes first.
//! So the room is shared max-min fair between authors: one who says much loses their own messages, and never pushes out
//! those of an author who keeps less. Authors who keep equally much lose the oldest message among theirs, and with one
//! author it is oldest first. Age removes any author's.
//!
//! Every operation costs the logarithm of the number of kept messages at most, so a decision needs no query. One kept
//! message takes about 60 bytes here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::{Erase, Retention};
use crate::protocol::record::SAID;
use crate::protocol::{GuestId, Record};

/// What the retention needs to know of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its author.
    pub(super) guest: GuestId,
    /// When it was published, in seconds on the room's clock.
    pub(super) at: u64,
    /// The bytes of its text and its author's name, or of what stands in their place.
    pub(super) bytes: u32,
    /// Whether it is a message, said or held: no other kind is erased by its number or author.
    pub(super) message: bool,
}

impl From<&Record> for Facts {
    fn from(record: &Record) -> Self {
        let bytes = u32::try_from(record.body.bytes()).unwrap_or(u32::MAX);
        let message = SAID.contains(&record.body.kind());
        Self { guest: record.author, at: record.at, bytes, message }
    }
}

/// What one author keeps.
#[derive(Debug, Default)]
struct Share {
    /// The sequence numbers, oldest first.
    messages: VecDeque<u64>,
    bytes: u64,
}

/// An author's place among all, greatest last: by how much is kept, then by the oldest message.
type Rank = (u64, Reverse<u64>, GuestId);

/// The kept messages, and those that are no longer kept and not removed from the log yet.
#[derive(Debug)]
pub(super) struct MessageIndex {
    retention: Retention,
    kept: BTreeMap<u64, Facts>,
    authors: HashMap<GuestId, Share>,
    by_count: BTreeSet<Rank>,
    by_bytes: BTreeSet<Rank>,
    bytes: u64,
    /// The newest message that is not kept, or 0: all after it are kept.
    newest_gone: u64,
    /// Those to be removed from the log, in the order of their eviction.
    evicted: VecDeque<u64>,
}

impl MessageIndex {
    /// An empty index.
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            retention,
            kept: BTreeMap::new(),
            authors: HashMap::new(),
            by_count: BTreeSet::new(),
            by_bytes: BTreeSet::new(),
            bytes: 0,
            newest_gone: 0,
            evicted: VecDeque::new(),
        }
    }

    /// An index of these messages, oldest first; none beside them is kept. Costs less than to insert one after the other.
    pub(super) fn of(retention: Retention, messages: Vec<(u64, Facts)>) -> Self {
        let mut index = Self::new(retention);
        let mut next = 1;
        for (seq, Facts { guest, bytes, .. }) in &messages {
            let share = index.authors.entry(*guest).or_default();
            share.messages.push_back(*seq);
            share.bytes += u64::from(*bytes);
            index.bytes += u64::from(*bytes);
            if *seq != next {
                index.newest_gone = seq - 1;
            }
            next = seq + 1;
        }
        for (guest, share) in &index.authors {
            let ranks = share.ranks(*guest);
            index.by_count.extend(ranks.map(|[count, _]| count));
            index.by_bytes.extend(ranks.map(|[_, bytes]| bytes));
        }
        index.kept = messages.into_iter().collect();
        index
    }

    /// Inserts a message that is newer than all before. The numbers between are not kept.
    pub(super) fn insert(&mut self, seq: u64, facts: Facts) {
        let newest = self.kept.last_key_value().map_or(self.newest_gone, |(seq, _)| *seq);
        if seq > newest.max(self.newest_gone) + 1 {
            self.newest_gone = seq - 1;
        }
        self.kept.insert(seq, facts);
        self.bytes += u64::from(facts.bytes);
        self.change_share(facts.guest, |share| {
            share.messages.push_back(seq);
            share.bytes += u64::from(facts.bytes);
        });
    }

    /// Says that no message up to `head` is kept but those that were inserted.
    pub(super) fn end_at(&mut self, head: u64) {
        let newest = self.kept.last_key_value().map_or(0, |(seq, _)| *seq);
        if head > newest {
            self.newest_gone = self.newest_gone.max(head);
        }
    }

    /// Evicts what is beyond the retention when the room's clock shows `clock`.
    pub(super) fn evict(&mut self, clock: u64) {
        let since = self.retention.since(clock);
        while let Some((seq, facts)) = self.kept.first_key_value()
            && facts.at < since
        {
            self.evict_one(*seq);
        }
        while self.kept.len() > self.retention.messages
            && let Some((_, Reverse(oldest), _)) = self.by_count.last()
        {
            self.evict_one(*oldest);
        }
        while self.retention.bytes > 0
            && self.bytes > self.retention.bytes
            && let Some((_, Reverse(oldest), _)) = self.by_bytes.last()
        {
            self.evict_one(*oldest);
        }
    }

    /// Evicts this message, whatever the retention says.
    pub(super) fn evict_one(&mut self, seq: u64) {
        if self.pass_over(seq) {
            self.evicted.push_back(seq);
        }
    }

    /// Takes this message out of the kept ones, and leaves it in the log. Returns whether it was kept.
    pub(super) fn pass_over(&mut self, seq: u64) -> bool {
        let Some(facts) = self.kept.remove(&seq) else { return false };
        self.newest_gone = self.newest_gone.max(seq);
        self.bytes -= u64::from(facts.bytes);
        self.change_share(facts.guest, |share| {
            // Nearly always the first.
            if let Ok(place) = share.messages.binary_search(&seq) {
                share.messages.remove(place);
            }
            share.bytes -= u64::from(facts.bytes);
        });
        true
    }

    /// Takes out what an act erases, and returns the numbers of those that were kept: the log removes them itself.
    pub(super) fn erase(&mut self, erase: &Erase) -> Vec<u64> {
        let is_message = |seq: &&u64| self.kept.get(*seq).is_some_and(|facts| facts.message);
        let author = erase.by.and_then(|author| self.authors.get(&author));
        let of_author = author.into_iter().flat_map(|share| &share.messages);
        let messages = erase.messages.iter().chain(of_author.filter(|seq| **seq < erase.before));
        let mut erased: Vec<u64> = messages.filter(is_message).chain(erase.acts()).copied().collect();
        erased.retain(|seq| self.pass_over(*seq));
        erased
    }

    /// Changes what an author keeps, and their ranks with it.
    fn change_share(&mut self, guest: GuestId, change: impl FnOnce(&mut Share)) {
        let share = self.authors.entry(guest).or_default();
        if let Some([count, bytes]) = share.ranks(guest) {
            self.by_count.remove(&count);
            self.by_bytes.remove(&bytes);
        }
        change(share);
        match share.ranks(guest) {
            Some([count, bytes]) => {
                self.by_count.insert(count);
                self.by_bytes.insert(bytes);
            }
            None => drop(self.authors.remove(&guest)),
        }
    }

    /// Up to `limit` evicted messages to be removed from the log; they stay in the index until
    /// [`MessageIndex::removed`].
    pub(super) fn evicted(&self, limit: usize) -> Vec<u64> {
        self.evicted.iter().take(limit).copied().collect()
    }

    /// How many are to be removed from the log.
    pub(super) fn evicted_count(&self) -> usize {
        self.evicted.len()
    }

    /// Forgets the first `count` of the evicted messages: they were removed from the log.
    pub(super) fn removed(&mut self, count: usize) {
        self.evicted.drain(..count);
    }

    /// The oldest kept message.
    pub(super) fn first(&self) -> Option<u64> {
        self.kept.first_key_value().map(|(seq, _)| *seq)
    }

    /// The number from which on every message is kept.
    pub(super) fn whole_from(&self) -> u64 {
        self.newest_gone + 1
    }

    /// The kept messages after this one, in order.
    pub(super) fn after(&self, after: u64) -> impl Iterator<Item = u64> {
        self.kept.range(after.saturating_add(1)..).map(|(seq, _)| *seq)
    }

    /// The cursor after which exactly the newest `count` of the kept messages below `before` lie; 0 if there are no more
    /// than those.
    pub(super) fn cursor_before(&self, before: u64, count: usize) -> u64 {
        self.kept.range(..before).rev().nth(count).map_or(0, |(seq, _)| *seq)
    }

    /// Whether this message is kept.
    pub(super) fn contains(&self, seq: u64) -> bool {
        self.kept.contains_key(&seq)
    }
}

impl Share {
    /// By count and by bytes; `None` for an author who keeps nothing.
    fn ranks(&self, guest: GuestId) -> Option<[Rank; 2]> {
        let oldest = Reverse(*self.messages.front()?);
        Some([(self.messages.len() as u64, oldest, guest), (self.bytes, oldest, guest)])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(messages: usize, bytes: u64) -> MessageIndex {
        MessageIndex::new(Retention { messages, bytes, age: None })
    }

    fn say(index: &mut MessageIndex, seq: u64, author: u64, bytes: u32) {
        index.insert(seq, Facts { guest: GuestId(author), at: 0, bytes, message: true });
        index.evict(0);
    }

    fn kept(index: &MessageIndex) -> Vec<u64> {
        index.after(0).collect()
    }

    /// Guards against a flooder who wipes the history: 1,000 messages of one author in a history of 20 leave those of
    /// the others.
    #[test]
    fn who_says_much_pushes_out_their_own() {
        let mut index = index(20, 0);
        for seq in 1..=9 {
            say(&mut index, seq, seq % 3, 10);
        }
        for seq in 10..1010 {
            say(&mut index, seq, 9, 10);
        }
        let expected: Vec<u64> = (1..=9).chain(999..1010).collect();
        assert_eq!(kept(&index), expected);
        assert_eq!(index.whole_from(), 999);
        // The limit holds as more authors talk.
        for seq in 1010..1040 {
            say(&mut index, seq, seq % 4, 10);
        }
        assert_eq!(kept(&index).len(), 20);
    }

    #[test]
    fn bytes_are_shared_as_messages_are() {
        let mut index = index(1000, 1000);
        for seq in 1..=5 {
            say(&mut index, seq, 1, 20);
        }
        for seq in 6..=60 {
            say(&mut index, seq, 2, 300);
        }
        assert_eq!(kept(&index), [1, 2, 3, 4, 5, 58, 59, 60]);
        say(&mut index, 61, 3, 5000);
        assert_eq!(kept(&index), [1, 2, 3, 4, 5, 58, 59, 60], "larger than all that is kept");
    }

    #[test]
    fn one_author_alone_loses_the_oldest() {
        let mut index = index(3, 0);
        (1..=5).for_each(|seq| say(&mut index, seq, 1, 1));
        assert_eq!(kept(&index), [3, 4, 5]);
        assert_eq!(index.evicted(9), [1, 2]);
    }

    /// A message that is said, by its author and with so many bytes, and what is erased with it.
    type Said = (u64, u32, Option<Erase>);

    fn said() -> impl Strategy<Value = Vec<Said>> {
        let erase = (0u64..60, prop::collection::vec(0u64..60, 0..3), prop::option::of(0u64..5));
        let erase = erase.prop_map(|(before, messages, by)| {
            let messages = messages.into_iter().filter(|seq| *seq < before).collect();
            Erase { before, messages, by: by.map(GuestId), ..Erase::default() }
        });
        let erase = prop_oneof![4 => Just(None), 1 => erase.prop_map(Some)];
        prop::collection::vec((0u64..5, 1u32..60, erase), 0..60)
    }

    /// The same decisions as a model that looks at all messages each time.
    fn model(messages: usize, bytes: u64, said: &[Said]) -> Vec<u64> {
        let mut kept: Vec<(u64, u64, u64)> = Vec::new();
        for (seq, (author, size, erase)) in said.iter().enumerate() {
            kept.push((seq as u64 + 1, *author, u64::from(*size)));
            kept.retain(|(seq, author, _)| {
                erase.as_ref().is_none_or(|erase| !erase.has_message(*seq, GuestId(*author)))
            });
            let greatest = |kept: &Vec<(u64, u64, u64)>, of: fn(&(u64, u64, u64)) -> u64| {
                let sum = |author| kept.iter().filter(|one| one.1 == author).map(of).sum::<u64>();
                // The first among equals is the oldest of theirs.
                let most = kept.iter().map(|one| sum(one.1)).max().unwrap();
                kept.iter().position(|one| sum(one.1) == most).unwrap()
            };
            while kept.len() > messages {
                kept.remove(greatest(&kept, |_| 1));
            }
            while bytes > 0 && kept.iter().map(|one| one.2).sum::<u64>() > bytes {
                kept.remove(greatest(&kept, |one| one.2));
            }
        }
        kept.iter().map(|one| one.0).collect()
    }

    proptest! {
        #[test]
        fn any_talk_is_shared_as_the_model_does(
            messages in 0usize..12,
            bytes in prop_oneof![Just(0u64), 10u64..300],
            said in said(),
        ) {
            let mut index = index(messages, bytes);
            let mut erased = 0;
            for (seq, (author, size, erase)) in said.iter().enumerate() {
                let facts = Facts { guest: GuestId(*author), at: 0, bytes: *size, message: true };
                index.insert(seq as u64 + 1, facts);
                erased += erase.as_ref().map_or(0, |erase| index.erase(erase).len());
                index.evict(0);
            }
            prop_assert_eq!(kept(&index), model(messages, bytes, &said));
            let head = said.len() as u64;
            let whole = (1..=head + 1).find(|from| (*from..=head).all(|seq| index.contains(seq)));
            prop_assert_eq!(Some(index.whole_from()), whole);
            prop_assert_eq!(index.evicted_count() + erased + kept(&index).len(), said.len());
            // A log that is opened again has the same index, and goes on in the same way.
            let mut again = MessageIndex::of(index.retention, index.kept.clone().into_iter().collect());
            again.end_at(head);
            for (seq, author) in [(head + 1, 0), (head + 2, 3)] {
                prop_assert_eq!(kept(&again), kept(&index));
                prop_assert_eq!((again.whole_from(), again.bytes), (index.whole_from(), index.bytes));
                say(&mut index, seq, author, 20);
                say(&mut again, seq, author, 20);
            }
        }
    }
}
