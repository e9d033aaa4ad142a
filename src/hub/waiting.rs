//! The guests at this node who wait to be let in.
//!
//! They hold nothing but a line in a list, for as long as they ask again. The list is shared max-min fair between circuits: when it is
//! full, the circuit that has most lines gives up its newest for one of a circuit that has at least two fewer.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::name_index::NameIndex;
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Badge, CircuitId, GuestId, Name};

/// The most guests who are listed.
pub(super) const WAITING_MAX: usize = 100;

/// For how long a guest is listed who does not ask again.
pub(super) const LISTED: Duration = Duration::from_secs(60);

/// The guests who wait, those who have waited longest first.
#[derive(Debug, Default)]
pub(super) struct WaitingList {
    lines: Vec<Line>,
    /// Those with a passphrase who were let in, and when: until their name is reserved for them.
    kept: Vec<(GuestId, Instant)>,
}

/// A guest with a passphrase who was let in, and for whom a name is to be reserved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keeper {
    pub(super) name: Name,
    /// The name that the passphrase was made with.
    pub(super) under: Name,
    pub(super) circuit: CircuitId,
}

#[derive(Debug)]
struct Line {
    guest: GuestId,
    circuit: CircuitId,
    name: Option<Name>,
    /// The name that they asked with first, where they have a passphrase.
    under: Option<Name>,
    since: Instant,
    asked: Instant,
}

impl WaitingList {
    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// Whether this guest waits.
    pub(super) fn has(&self, guest: GuestId) -> bool {
        self.lines.iter().any(|line| line.guest == guest)
    }

    /// The circuit on which this guest asked last.
    pub(super) fn circuit(&self, guest: GuestId) -> Option<CircuitId> {
        self.lines.iter().find(|line| line.guest == guest).map(|line| line.circuit)
    }

    /// The name that this guest asks for.
    pub(super) fn name(&self, guest: GuestId) -> Option<&Name> {
        self.lines.iter().find(|line| line.guest == guest)?.name.as_ref()
    }

    /// Lists a guest who asks to come in, or notes that they asked again; whether they are listed then.
    pub(super) fn ask(
        &mut self,
        guest: GuestId,
        circuit: CircuitId,
        name: Option<&Name>,
        now: Instant,
    ) -> bool {
        if let Some(line) = self.lines.iter_mut().find(|line| line.guest == guest) {
            (line.circuit, line.asked) = (circuit, now);
            if let Some(name) = name {
                line.name = Some(name.clone());
            }
            return true;
        }
        if self.lines.len() >= WAITING_MAX && !self.make_room(circuit) {
            return false;
        }
        self.lines.push(Line { guest, circuit, name: name.cloned(), under: None, since: now, asked: now });
        true
    }

    /// Notes that a guest who is listed came with a passphrase that belongs to the name that they ask for. They ask again with their
    /// token, which does not say it.
    pub(super) fn note_passphrase(&mut self, guest: GuestId) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.guest == guest) {
            line.under.clone_from(&line.name);
        }
    }

    /// Whether this guest waits with a passphrase, or was let in with one just now.
    pub(super) fn keeps(&self, guest: GuestId) -> bool {
        self.lines.iter().any(|line| line.guest == guest && line.under.is_some())
            || self.kept.iter().any(|(kept, _)| *kept == guest)
    }

    /// Those of these guests who wait with a passphrase, and are let in; all who do so without any.
    pub(super) fn let_in(&mut self, guest: Option<GuestId>, now: Instant) -> Vec<(GuestId, Keeper)> {
        let mut keepers = Vec::new();
        for line in self.lines.iter_mut().filter(|line| guest.is_none_or(|guest| line.guest == guest)) {
            if let (Some(name), Some(under)) = (line.name.clone(), line.under.take()) {
                self.kept.push((line.guest, now));
                keepers.push((line.guest, Keeper { name, under, circuit: line.circuit }));
            }
        }
        keepers
    }

    /// Takes the newest line of the circuit that has most, if it has at least two more than this one.
    fn make_room(&mut self, circuit: CircuitId) -> bool {
        let mut held: HashMap<CircuitId, usize> = HashMap::new();
        self.lines.iter().for_each(|line| *held.entry(line.circuit).or_default() += 1);
        let own = held.get(&circuit).copied().unwrap_or(0);
        let most = held.values().copied().max().unwrap_or(0);
        let newest = self.lines.iter().rposition(|line| held.get(&line.circuit) == Some(&most));
        newest.filter(|_| most >= own + 2).map(|at| self.lines.remove(at)).is_some()
    }

    /// Strikes a guest who came in or was turned away; whether they were listed.
    pub(super) fn remove(&mut self, guest: GuestId) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| line.guest != guest);
        self.lines.len() < before
    }

    /// Strikes all.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Strikes those who ask no more.
    pub(super) fn expire(&mut self, now: Instant) {
        self.lines.retain(|line| now < line.asked + LISTED);
        self.kept.retain(|(_, since)| now < *since + LISTED);
    }

    /// What hosts and moderators are told. A name is told where it `is_free` for this guest, and is not that of one who
    /// waits longer.
    pub(super) fn told(&self, is_free: impl Fn(&Name, GuestId) -> bool, now: Instant) -> Vec<WaitingGuest> {
        let mut names = NameIndex::default();
        let mut told = Vec::with_capacity(self.lines.len());
        for Line { guest, name, since, .. } in &self.lines {
            let name = name.clone().filter(|name| is_free(name, *guest) && names.is_available(name, *guest));
            name.iter().for_each(|name| names.insert(name, *guest));
            let seconds = now.saturating_duration_since(*since).as_secs();
            told.push(WaitingGuest { id: *guest, badge: Badge::of(*guest), name, seconds });
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn who_asks_again_stays_and_who_does_not_is_struck() {
        let (mut list, start) = (WaitingList::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(list.ask(GuestId(1), CircuitId(1), Some(&name("Ann")), at(0)));
        assert!(list.ask(GuestId(2), CircuitId(2), None, at(10)));
        assert!(list.ask(GuestId(1), CircuitId(3), None, at(50)), "on another circuit, too");
        list.expire(at(70));
        assert!(list.has(GuestId(1)) && !list.has(GuestId(2)));
        let told = list.told(|_, _| true, at(71));
        assert_eq!((told[0].name.clone(), told[0].seconds), (Some(name("Ann")), 71));
        assert_eq!(list.circuit(GuestId(1)), Some(CircuitId(3)));
        assert!(list.remove(GuestId(1)) && !list.remove(GuestId(1)));
    }

    #[test]
    fn a_passphrase_is_remembered_until_its_guest_is_in() {
        let (mut list, now) = (WaitingList::default(), Instant::now());
        for (guest, text) in [(1, "Ann"), (2, "Bob"), (3, "Eve")] {
            list.ask(GuestId(guest), CircuitId(guest), Some(&name(text)), now);
        }
        list.note_passphrase(GuestId(1));
        list.note_passphrase(GuestId(3));
        list.ask(GuestId(1), CircuitId(9), Some(&name("Anna")), now);
        assert!(list.keeps(GuestId(1)) && !list.keeps(GuestId(2)));
        assert_eq!(list.let_in(Some(GuestId(2)), now), []);
        let ann = Keeper { name: name("Anna"), under: name("Ann"), circuit: CircuitId(9) };
        assert_eq!(list.let_in(Some(GuestId(1)), now), [(GuestId(1), ann)]);
        assert_eq!(list.let_in(Some(GuestId(1)), now), [], "once");
        list.remove(GuestId(1));
        assert!(list.keeps(GuestId(1)), "until they come in");
        assert_eq!(list.let_in(None, now).len(), 1);
        list.expire(now + LISTED);
        assert!(!list.keeps(GuestId(1)) && !list.keeps(GuestId(3)));
    }

    #[test]
    fn one_circuit_cannot_fill_the_list_for_others() {
        let (mut list, now) = (WaitingList::default(), Instant::now());
        for guest in 0..1000 {
            list.ask(GuestId(guest), CircuitId(1), None, now);
        }
        assert_eq!(list.count(), WAITING_MAX);
        for circuit in 2..=60 {
            assert!(list.ask(GuestId(circuit * 1000), CircuitId(circuit), None, now), "{circuit}");
        }
        assert!((2..=60).all(|circuit| list.has(GuestId(circuit * 1000))));
        assert!(list.has(GuestId(0)), "the newest of the circuit with most gave way");
        assert!(!list.ask(GuestId(999_999), CircuitId(1), None, now));
        assert_eq!(list.count(), WAITING_MAX);
    }

    #[test]
    fn no_name_is_shown_that_another_guest_has() {
        let (mut list, now) = (WaitingList::default(), Instant::now());
        for (guest, text) in [(1, "Hanna"), (2, "Ann"), (3, "A n n"), (4, "Bob")] {
            list.ask(GuestId(guest), CircuitId(guest), Some(&name(text)), now);
        }
        let told = list.told(|wanted, _| *wanted != name("Hanna"), now);
        let names: Vec<_> = told.iter().map(|line| line.name.as_ref().map(Name::as_str)).collect();
        assert_eq!(names, [None, Some("Ann"), None, Some("Bob")]);
    }
}
