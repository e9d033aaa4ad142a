//! The names that guests have reserved for their identities.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::{GuestId, Name};

/// The most names that are reserved.
pub const RESERVATIONS_MAX: usize = 1000;

/// After how many seconds without use a reservation gives way to a new one where there are [`RESERVATIONS_MAX`]: 30 days.
pub const UNUSED_SECONDS: u64 = 30 * 86_400;

/// After how many seconds a use is noted again: a day.
const NOTED_SECONDS: u64 = 86_400;

/// A name that is reserved for a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The guest's number.
    pub of: GuestId,
    /// The name.
    pub name: Name,
    /// When it was used last, on the room's clock: made, moved, or its guest came in; exact to a day.
    pub used: u64,
    /// The name that the guest's passphrase was made with, where it is another one.
    pub under: Option<Name>,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    of: GuestId,
    name: String,
    used: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under: Option<String>,
}

/// All reservations; cheap to clone. Of each guest there is one at most, and no two are confusable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reservations(Arc<Index>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Index {
    by_guest: BTreeMap<GuestId, Reservation>,
    /// By both parts of the confusable keys.
    by_key: HashMap<String, GuestId>,
}

impl Reservations {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.by_guest.is_empty()
    }

    /// Whether these are the same ones, unchanged.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Reservation> {
        self.0.by_guest.values()
    }

    /// That of this guest.
    pub fn of(&self, guest: GuestId) -> Option<&Reservation> {
        self.0.by_guest.get(&guest)
    }

    /// The reservation, if any, of this name or one that is confusable with it.
    pub fn of_name(&self, name: &Name) -> Option<&Reservation> {
        if self.is_empty() {
            return None;
        }
        let holder = name.confusable_key().parts().iter().find_map(|key| self.0.by_key.get(key).copied());
        self.of(holder?)
    }

    /// Whether this name, or one confusable with it, is reserved for another guest than this one.
    pub fn is_of_another(&self, name: &Name, guest: GuestId) -> bool {
        let of_another = |key: &String| self.0.by_key.get(key).is_some_and(|holder| *holder != guest);
        !self.is_empty() && name.confusable_key().parts().iter().any(of_another)
    }

    /// Whether this name, or one confusable with it, is reserved for this guest.
    pub fn keeps(&self, guest: GuestId, name: &Name) -> bool {
        self.of(guest).is_some_and(|own| {
            own.name == *name || own.name.confusable_key().is_confusable_with(&name.confusable_key())
        })
    }

    /// Whether the use of a guest's reservation is to be noted, when the room's clock shows `at`.
    pub fn is_use_due(&self, guest: GuestId, at: u64) -> bool {
        self.of(guest).is_some_and(|own| at >= own.used.saturating_add(NOTED_SECONDS))
    }

    /// Whether one more can be made for this guest, when the room's clock shows `at`.
    pub fn has_room_for(&self, guest: GuestId, at: u64) -> bool {
        self.0.by_guest.len() < RESERVATIONS_MAX
            || self.of(guest).is_some()
            || self.oldest().is_some_and(|oldest| at >= oldest.used.saturating_add(UNUSED_SECONDS))
    }

    /// Reserves a name in place of the one that the guest had reserved. The one that was not used for the longest time gives way
    /// where there are too many.
    pub(super) fn put(&mut self, reservation: Reservation) {
        self.remove(reservation.of);
        if self.0.by_guest.len() >= RESERVATIONS_MAX
            && let Some(oldest) = self.oldest().map(|oldest| oldest.of)
        {
            self.remove(oldest);
        }
        let index = Arc::make_mut(&mut self.0);
        index.by_key.extend(reservation.name.confusable_key().parts().map(|key| (key, reservation.of)));
        index.by_guest.insert(reservation.of, reservation);
    }

    /// Gives up the name of a guest.
    pub(super) fn remove(&mut self, guest: GuestId) -> Option<Reservation> {
        self.of(guest)?;
        let index = Arc::make_mut(&mut self.0);
        let removed = index.by_guest.remove(&guest)?;
        for key in removed.name.confusable_key().parts() {
            index.by_key.remove(&key);
        }
        Some(removed)
    }

    fn oldest(&self) -> Option<&Reservation> {
        self.iter().min_by_key(|reservation| (reservation.used, reservation.of))
    }
}

impl Serialize for Reservations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|Reservation { of, name, used, under }| Stored {
            of: *of,
            name: name.as_str().to_owned(),
            used: *used,
            under: under.as_ref().map(|under| under.as_str().to_owned()),
        }))
    }
}

impl<'de> Deserialize<'de> for Reservations {
    /// Names that the present rules find confusable with an earlier one in the list are left out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut reservations = Self::default();
        for Stored { of, name, used, under } in Vec::<Stored>::deserialize(deserializer)? {
            let under = under.and_then(Name::from_stored);
            if let Some(name) = Name::from_stored(name)
                && !reservations.is_of_another(&name, of)
            {
                reservations.put(Reservation { of, name, used, under });
            }
        }
        Ok(reservations)
    }
}
