//! What was done to messages after they were said: which entry edits each, and the reactions to them.
//!
//! Texts are not here, because the state is written whole with each change: an edit's text is in its entry. Of each message one
//! edit counts, the newest, and of each guest one reaction to each message; the entries of those that do not count any more are
//! erased. So what guests do over and over again lets neither the log nor the state grow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quiet::Quiet;
use crate::protocol::{Act, Body, Emoji, GuestId, Reactions, Record};

/// How many edits are remembered, and how many reactions. Beyond that the oldest is erased.
pub const ANNOTATIONS_MAX: usize = 2000;

/// How many edits, and how many reactions, are remembered of one guest: so none pushes out those of all others.
pub const OF_GUEST_MAX: usize = 200;

/// The edits and reactions that count; cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations(Arc<Index>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Index {
    edits: Marks<()>,
    /// A reaction that was taken back stays, so that readers who had it before learn that, until the guest reacts again.
    reactions: Marks<Option<Emoji>>,
    quiet: Quiet,
}

/// What an entry is about: a message, and the guest who did it.
type Key = (u64, GuestId);

/// One entry of each guest for each message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marks<T> {
    by_message: BTreeMap<Key, (u64, T)>,
    by_entry: BTreeMap<u64, Key>,
    by_guest: BTreeSet<(GuestId, u64)>,
}

impl<T> Default for Marks<T> {
    fn default() -> Self {
        Self { by_message: BTreeMap::new(), by_entry: BTreeMap::new(), by_guest: BTreeSet::new() }
    }
}

impl<T> Marks<T> {
    /// Puts an entry in the place of the one before, and returns the numbers of those that do not count any more.
    fn put(&mut self, key: Key, entry: u64, mark: T) -> Vec<u64> {
        let mut gone: Vec<u64> = self.remove(key).into_iter().collect();
        self.by_message.insert(key, (entry, mark));
        self.by_entry.insert(entry, key);
        self.by_guest.insert((key.1, entry));
        let mut of_guest = self.by_guest.range((key.1, 0)..=(key.1, u64::MAX));
        let oldest = of_guest.next().map(|(_, entry)| *entry);
        if of_guest.count() >= OF_GUEST_MAX {
            gone.extend(oldest.and_then(|entry| self.remove_entry(entry)));
        }
        if self.by_entry.len() > ANNOTATIONS_MAX {
            let oldest = self.by_entry.first_key_value().map(|(entry, _)| *entry);
            gone.extend(oldest.and_then(|entry| self.remove_entry(entry)));
        }
        gone
    }

    fn remove(&mut self, key: Key) -> Option<u64> {
        let (entry, _) = self.by_message.remove(&key)?;
        self.by_entry.remove(&entry);
        self.by_guest.remove(&(key.1, entry));
        Some(entry)
    }

    fn remove_entry(&mut self, entry: u64) -> Option<u64> {
        let key = self.by_entry.get(&entry).copied()?;
        self.remove(key)
    }

    fn of_message(&self, message: u64) -> impl Iterator<Item = (GuestId, u64, &T)> {
        let all = (message, GuestId(0))..=(message, GuestId(u64::MAX));
        self.by_message.range(all).map(|((_, guest), (entry, mark))| (*guest, *entry, mark))
    }

    /// Forgets what is about a message, and returns the numbers of the entries.
    fn forget_message(&mut self, message: u64) -> Vec<u64> {
        let guests: Vec<GuestId> = self.of_message(message).map(|(guest, ..)| guest).collect();
        guests.into_iter().filter_map(|guest| self.remove((message, guest))).collect()
    }

    /// Forgets what a guest did, and returns the numbers of the entries.
    fn forget_guest(&mut self, guest: GuestId) -> Vec<u64> {
        let entries: Vec<u64> =
            self.by_guest.range((guest, 0)..=(guest, u64::MAX)).map(|(_, entry)| *entry).collect();
        entries.into_iter().filter_map(|entry| self.remove_entry(entry)).collect()
    }

    fn set_back(&mut self, first: u64) {
        for (entry, key) in self.by_entry.split_off(&first) {
            self.by_message.remove(&key);
            self.by_guest.remove(&(key.1, entry));
        }
    }
}

/// The numbers of entries that do not count any more.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Edits: they have a text.
    pub(super) edits: Vec<u64>,
    /// Reactions.
    pub(super) reactions: Vec<u64>,
}

impl Annotations {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.edits.by_entry.is_empty() && self.0.reactions.by_entry.is_empty() && self.0.quiet.is_empty()
    }

    /// The entry that edits this message, if one does.
    pub fn edit(&self, message: u64) -> Option<u64> {
        self.0.edits.of_message(message).next().map(|(_, entry, ())| entry)
    }

    /// The reactions to a message.
    pub fn reactions(&self, message: u64) -> Reactions {
        let all = self.0.reactions.of_message(message);
        Reactions::of(all.filter_map(|(guest, _, emoji)| emoji.map(|emoji| (guest, emoji))))
    }

    /// What a guest has put to a message last, if they ever did, and in which entry; `None` inside is a reaction that was taken
    /// back.
    pub fn reaction_of(&self, guest: GuestId, message: u64) -> Option<(Option<Emoji>, u64)> {
        self.0.reactions.by_message.get(&(message, guest)).map(|(entry, emoji)| (*emoji, *entry))
    }

    /// Whether all entries with `after` < `seq` < `before` are ones that were replaced: who misses them misses nothing.
    pub fn is_quiet(&self, after: u64, before: u64) -> bool {
        self.0.quiet.has_all(after.saturating_add(1), before)
    }

    /// The runs of numbers of entries that were replaced, as far as they end at this number or later: the first of each, and the last.
    pub fn replaced_since(&self, first: u64) -> Vec<(u64, u64)> {
        self.0.quiet.since(first)
    }

    /// Whether this is an edit or a reaction that does not count, as of a state that takes account of it.
    pub fn is_replaced(&self, record: &Record) -> bool {
        let key = |message: &u64| (*message, record.author);
        let entry = match &record.body {
            Body::Act(Act::Edit { message, .. }) => {
                self.0.edits.by_message.get(&key(message)).map(|(entry, ())| *entry)
            }
            Body::Act(Act::React { message, .. }) => {
                self.0.reactions.by_message.get(&key(message)).map(|(entry, _)| *entry)
            }
            _ => return false,
        };
        entry != Some(record.seq)
    }

    /// Takes account of an edit by the author of a message.
    pub(super) fn put_edit(&mut self, message: u64, author: GuestId, entry: u64) -> Gone {
        let index = Arc::make_mut(&mut self.0);
        let edits = index.edits.put((message, author), entry, ());
        index.quiet.extend(&edits);
        Gone { edits, ..Gone::default() }
    }

    /// Takes account of a reaction.
    pub(super) fn put_reaction(
        &mut self,
        message: u64,
        guest: GuestId,
        entry: u64,
        emoji: Option<Emoji>,
    ) -> Gone {
        let index = Arc::make_mut(&mut self.0);
        let reactions = index.reactions.put((message, guest), entry, emoji);
        index.quiet.extend(&reactions);
        Gone { reactions, ..Gone::default() }
    }

    /// Forgets what is about messages.
    pub(super) fn forget_messages(&mut self, messages: &[u64]) -> Gone {
        let known = |message: &u64| {
            let (edits, reactions) = (&self.0.edits, &self.0.reactions);
            edits.of_message(*message).next().is_some() || reactions.of_message(*message).next().is_some()
        };
        if !messages.iter().any(known) {
            return Gone::default();
        }
        let Index { edits, reactions, quiet } = Arc::make_mut(&mut self.0);
        let edits: Vec<u64> = messages.iter().flat_map(|message| edits.forget_message(*message)).collect();
        let reactions: Vec<u64> =
            messages.iter().flat_map(|message| reactions.forget_message(*message)).collect();
        quiet.extend(&edits);
        quiet.extend(&reactions);
        Gone { edits, reactions }
    }

    /// Forgets the edits and the reactions of a guest.
    pub(super) fn forget_guest(&mut self, guest: GuestId) -> Gone {
        let Index { edits, reactions, quiet } = Arc::make_mut(&mut self.0);
        let gone = Gone { edits: edits.forget_guest(guest), reactions: reactions.forget_guest(guest) };
        quiet.extend(&gone.edits);
        quiet.extend(&gone.reactions);
        gone
    }

    /// Forgets the numbers of entries from `first` on.
    pub(super) fn set_back(&mut self, first: u64) {
        let index = Arc::make_mut(&mut self.0);
        index.edits.set_back(first);
        index.reactions.set_back(first);
        index.quiet.set_back(first);
    }
}

/// As it is stored: numbers, because the names of members would be most of it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    /// Message, author, entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<(u64, GuestId, u64)>,
    /// Message, guest, entry, and the emoji's place in [`Emoji::ALL`], from 1; 0 for one that was taken back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<(u64, GuestId, u64, usize)>,
    #[serde(skip_serializing_if = "Quiet::is_empty")]
    quiet: Quiet,
}

impl Serialize for Annotations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Index { edits, reactions, quiet } = &*self.0;
        let place = |emoji: Option<Emoji>| {
            emoji.and_then(|emoji| Emoji::ALL.iter().position(|known| *known == emoji)).map_or(0, |at| at + 1)
        };
        let edits =
            edits.by_message.iter().map(|((message, author), (entry, ()))| (*message, *author, *entry));
        let reactions = reactions.by_message.iter();
        let reactions =
            reactions.map(|((message, guest), (entry, emoji))| (*message, *guest, *entry, place(*emoji)));
        Stored { edits: edits.collect(), reactions: reactions.collect(), quiet: quiet.clone() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { edits, reactions, quiet } = Stored::deserialize(deserializer)?;
        let mut index = Index { quiet, ..Index::default() };
        for (message, author, entry) in edits {
            index.edits.put((message, author), entry, ());
        }
        for (message, guest, entry, place) in reactions {
            let emoji = place.checked_sub(1).and_then(|at| Emoji::ALL.get(at)).copied();
            index.reactions.put((message, guest), entry, emoji);
        }
        Ok(Self(Arc::new(index)))
    }
}
