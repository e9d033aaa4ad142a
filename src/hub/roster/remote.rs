//! The roster and the guests at other nodes: who is shown, and which of two nodes has a guest.
//!
//! Of two nodes that have the same guest, the one with the higher claim has the seat. Of two guests whose names are
//! confusable, which is possible for a moment where a node lost its lease, one is shown: the one at this node, or else the
//! one with the higher claim. The other one is shown when the name is free, usually because they were renamed. A guest at
//! this node whose claim is the lower one has it made again, and gets another name where that is refused.

use tokio::time::Instant;

use super::Roster;
use super::change::{Outgoing, PresenceChange};
use super::occupant::SeatHold;
use super::others::Remote;
use crate::hub::cluster::{NodeId, Presence, SeatedGuest};
use crate::hub::suggested_name;
use crate::language::Language;
use crate::protocol::{Guest, GuestId, Name};

impl Roster {
    /// From now on other nodes serve the room, too, and have to be told of what changes here.
    pub(in crate::hub) fn share(&mut self) {
        self.outbox.get_or_insert_default();
    }

    /// What the other nodes have to be told, oldest first.
    pub(in crate::hub) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        self.outbox.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes that a guest is at another node.
    pub(in crate::hub) fn present(&mut self, node: NodeId, mut seated: SeatedGuest) -> Vec<PresenceChange> {
        let id = seated.guest.id;
        seated.guest.kept = self.reserved.keeps(id, &seated.guest.name);
        let held = self.occupant(id).map(|occupant| occupant.claim.number);
        let known = self.others.get(id).map(|remote| remote.seated.claim);
        let newest = held.max(known);
        if newest.is_some_and(|claim| claim > seated.claim) || self.others.is_stale(id, seated.claim) {
            return Vec::new();
        }
        if held.is_some() {
            self.lose_seat(id, node, &seated.guest.name);
        }
        let was = self.others.get(id).and_then(|known| Some((known.arrival?, known.seated.guest.clone())));
        let guest = seated.guest.clone();
        let has_way = self.make_way(id, &guest.name, seated.claim);
        if let Some((_, was)) = &was {
            self.names.remove(&was.name);
        }
        let arrival =
            has_way.then(|| was.as_ref().map_or_else(|| self.next_arrival(), |(arrival, _)| *arrival));
        if has_way {
            self.names.insert(&guest.name, id);
        }
        self.others.insert(Remote { node: Some(node), seated, arrival });
        match (was, has_way) {
            (Some((_, was)), true) => PresenceChange::between(&was, &guest),
            (Some((_, was)), false) => vec![PresenceChange::Left(Guest { away: false, ..was })],
            (None, true) => vec![PresenceChange::Joined(guest)],
            (None, false) => Vec::new(),
        }
    }

    /// Takes that a guest is not at that node any more. They are listed a moment longer, see [`Roster::expire`].
    pub(in crate::hub) fn absent(&mut self, node: NodeId, id: GuestId, now: Instant) {
        self.others.linger(node, id, now);
    }

    /// The guests at other nodes who have not come back in time.
    pub(super) fn expire_others(&mut self, now: Instant) -> Vec<PresenceChange> {
        let over = self.others.over(now);
        over.into_iter().filter_map(|id| self.forget(id, now)).collect()
    }

    /// Forgets a guest at another node; the change, if they were shown.
    fn forget(&mut self, id: GuestId, now: Instant) -> Option<PresenceChange> {
        let Remote { seated: SeatedGuest { guest, claim }, arrival, .. } = self.others.remove(id)?;
        self.others.end(id, claim, now);
        arrival?;
        self.names.remove(&guest.name);
        Some(PresenceChange::Left(Guest { away: false, ..guest }))
    }

    /// The guest has a higher claim at another node: the connection here is closed, and they stay in the roster.
    fn lose_seat(&mut self, id: GuestId, node: NodeId, name: &Name) {
        let Some(arrival) = self.arrivals.remove(&id) else { return };
        let Some(occupant) = self.seats.remove(&arrival) else { return };
        self.free_in_house(occupant.circuit);
        if let SeatHold::Connection(_, loss) = occupant.hold {
            loss.take_over();
        }
        self.tell(Outgoing::Tell(Presence::Absent(id)));
        if occupant.guest.name != *name && occupant.claim.held {
            // The other node has claimed another name.
            self.tell(Outgoing::Release(id, occupant.guest.name.clone(), occupant.claim.number));
        }
        let seated = SeatedGuest { guest: occupant.guest, claim: occupant.claim.number };
        self.others.insert(Remote { node: Some(node), seated, arrival: Some(arrival) });
    }

    /// Whether a guest with this claim may have this name here. Guests at other nodes with a lower claim, or who are gone, are
    /// not shown from then on: see [`Roster::take_displaced`].
    pub(super) fn make_way(&mut self, id: GuestId, name: &Name, claim: u64) -> bool {
        if self.names.is_available(name, id) {
            return true;
        }
        let holders = self.names.holders(name, id);
        let mut has_way = true;
        for holder in &holders {
            if let Some(occupant) = self.occupant(*holder) {
                has_way = false;
                if occupant.claim.held && occupant.claim.number < claim {
                    occupant.claim.held = false;
                    self.tell(Outgoing::Renew(*holder));
                }
            } else {
                has_way &= self.others.get(*holder).is_none_or(|remote| remote.yields_to(claim));
            }
        }
        if has_way {
            for holder in holders {
                self.displace(holder);
            }
        }
        has_way
    }

    fn displace(&mut self, id: GuestId) {
        let Some(remote) = self.others.get(id) else { return };
        let change = if remote.node.is_none() {
            self.forget(id, Instant::now())
        } else {
            self.others.remove(id).map(|remote| {
                let guest = remote.seated.guest.clone();
                self.names.remove(&guest.name);
                self.others.insert(Remote { arrival: None, ..remote });
                PresenceChange::Left(Guest { away: false, ..guest })
            })
        };
        self.displaced.extend(change);
    }

    /// The guests who had to make way, to be told before anything else.
    pub(in crate::hub) fn take_displaced(&mut self) -> Vec<PresenceChange> {
        std::mem::take(&mut self.displaced)
    }

    /// Whether there are guests to tell of who were not told of with a change.
    pub(in crate::hub) fn has_untold(&self) -> bool {
        !self.displaced.is_empty() || !self.others.hidden().is_empty()
    }

    /// The guests who can be shown now.
    pub(in crate::hub) fn reveal(&mut self) -> Vec<PresenceChange> {
        let mut revealed = Vec::new();
        if self.others.hidden().is_empty() {
            return revealed;
        }
        for id in self.others.hidden().clone() {
            let Some(SeatedGuest { guest, claim }) = self.others.get(id).map(|remote| remote.seated.clone())
            else {
                continue;
            };
            if self.make_way(id, &guest.name, claim)
                && let Some(remote) = self.others.remove(id)
            {
                let arrival = Some(self.next_arrival());
                self.names.insert(&guest.name, id);
                self.others.insert(Remote { arrival, ..remote });
                revealed.append(&mut self.displaced);
                revealed.push(PresenceChange::Joined(guest));
            }
        }
        revealed
    }

    /// Whether a node has or had this guest with a higher claim.
    pub(super) fn is_superseded(&self, id: GuestId, claim: u64) -> bool {
        self.others.get(id).is_some_and(|remote| remote.seated.claim > claim)
            || self.others.is_stale(id, claim)
    }

    /// Takes a guest from the other node whose seat they leave; where they stand, and as whom they are known, if they are
    /// shown.
    pub(super) fn take_over(&mut self, id: GuestId) -> Option<(u64, Guest)> {
        let Remote { seated, arrival, .. } = self.others.remove(id)?;
        let arrival = arrival?;
        self.names.remove(&seated.guest.name);
        Some((arrival, seated.guest))
    }

    /// The name of a guest who is at another node.
    pub(in crate::hub) fn name_elsewhere(&self, id: GuestId) -> Option<&Name> {
        self.others.get(id).map(|remote| &remote.seated.guest.name)
    }

    /// Whether the guest is at another node with a name that is confusable with this one, or the same.
    pub(in crate::hub) fn is_elsewhere(&self, id: GuestId, name: &Name) -> bool {
        self.name_elsewhere(id)
            .is_some_and(|known| known.confusable_key().is_confusable_with(&name.confusable_key()))
    }

    /// Whether the guest may have this name, as far as this node knows.
    pub(in crate::hub) fn is_free(&self, name: &Name, id: GuestId) -> bool {
        if self.reserved.is_of_another(name, id) {
            return false;
        }
        self.names.is_available(name, id)
            || self
                .names
                .holders(name, id)
                .into_iter()
                .all(|holder| self.others.get(holder).is_some_and(|remote| remote.node.is_none()))
    }

    /// A name in this language for a guest who asks for none; with a number in it, where `plain` ones were in vain.
    pub(in crate::hub) fn suggest(&self, id: GuestId, plain: bool, language: Language) -> Option<Name> {
        let guests = if plain { self.count() } else { usize::MAX };
        suggested_name::suggest(language, guests, |name| self.is_free(name, id))
    }

    /// The name of a guest at this node whose claim does not count.
    pub(in crate::hub) fn unclaimed_name(&self, id: GuestId) -> Option<&Name> {
        let occupant = self.seats.get(self.arrivals.get(&id)?)?;
        (!occupant.claim.held).then_some(&occupant.guest.name)
    }

    /// Whether the guest has a seat here with a name that is confusable with this one, or the same.
    pub(in crate::hub) fn is_called(&self, id: GuestId, name: &Name) -> bool {
        self.has(id) && self.names.is_held(name, id)
    }

    /// Whether the guest has a seat here with this claim of this name.
    pub(in crate::hub) fn holds(&self, id: GuestId, name: &Name, claim: u64) -> bool {
        let occupant = self.arrivals.get(&id).and_then(|arrival| self.seats.get(arrival));
        occupant.is_some_and(|occupant| occupant.guest.name == *name && occupant.claim.number == claim)
    }

    /// The claim of the guest's name does not count any more; whether they have a seat here.
    pub(in crate::hub) fn doubt(&mut self, id: GuestId) -> bool {
        let occupant = self.occupant(id);
        let seated = occupant.is_some();
        occupant.into_iter().for_each(|occupant| occupant.claim.held = false);
        seated
    }

    /// No claim counts any more; the guests at this node.
    pub(in crate::hub) fn doubt_all(&mut self) -> Vec<GuestId> {
        self.others.forget_ended();
        self.seats.values_mut().for_each(|occupant| occupant.claim.held = false);
        self.seats.values().map(|occupant| occupant.guest.id).collect()
    }

    /// Takes a claim of the name that a guest at this node has; whether it is needed.
    pub(in crate::hub) fn renew(&mut self, id: GuestId, name: &Name, claim: u64) -> bool {
        let Some(occupant) = self.occupant(id) else { return false };
        if occupant.guest.name != *name || occupant.claim.number >= claim {
            return false;
        }
        occupant.claim = Some(claim).into();
        self.tell_presence(id);
        true
    }

    pub(super) fn tell(&mut self, outgoing: Outgoing) {
        self.outbox.iter_mut().for_each(|outbox| outbox.push(outgoing.clone()));
    }

    /// Tells the other nodes of a guest at this one.
    pub(super) fn tell_presence(&mut self, id: GuestId) {
        if self.outbox.is_some()
            && let Some(presence) = self.occupant(id).and_then(|occupant| occupant.presence())
        {
            self.tell(Outgoing::Tell(presence));
        }
    }

    /// Tells the other nodes that a guest has left this one.
    pub(super) fn tell_left(&mut self, guest: &Guest, claim: super::occupant::Claim) {
        if self.outbox.is_none() {
            return;
        }
        self.others.end(guest.id, claim.number, Instant::now());
        self.tell(Outgoing::Tell(Presence::Absent(guest.id)));
        if claim.held {
            self.tell(Outgoing::Release(guest.id, guest.name.clone(), claim.number));
        }
    }

    pub(super) fn next_arrival(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
