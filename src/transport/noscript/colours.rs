//! The colours of guests in one document: `web/people.js` has the same rule, so that both pages give the same ones.

use std::collections::{HashMap, HashSet};

use crate::protocol::{Badge, GuestId};

/// How many colours `web/colours.css` has.
const COLOURS: usize = 12;

/// With more guests than this colours say little, and those who are not here any more give theirs up.
const KNOWN_MAX: usize = 10 * COLOURS;

/// Which guest has which colour: that of their badge's hue, or one as far from all others as can be where a guest who is here
/// or has spoken has that. No guest's colour changes while the document is open.
#[derive(Debug, Default)]
pub(super) struct Colours {
    given: HashMap<GuestId, usize>,
    /// How many guests have each colour.
    taken: [usize; COLOURS],
}

impl Colours {
    /// The class of the guest's colour.
    pub(super) fn class(&mut self, guest: GuestId) -> String {
        format!("h{}", self.of(guest))
    }

    /// Gives these guests theirs before later ones come, in an order that is the same in each window.
    pub(super) fn give(&mut self, present: impl Iterator<Item = GuestId>) {
        let mut present: Vec<_> = present.collect();
        present.sort_unstable_by_key(|guest| guest.0);
        if self.given.len() > KNOWN_MAX {
            let here: HashSet<_> = present.iter().collect();
            self.given.retain(|guest, _| here.contains(guest));
            self.taken = [0; COLOURS];
            self.given.values().for_each(|colour| self.taken[*colour] += 1);
        }
        present.into_iter().for_each(|guest| {
            self.of(guest);
        });
    }

    fn of(&mut self, guest: GuestId) -> usize {
        if let Some(colour) = self.given.get(&guest) {
            return *colour;
        }
        let own = usize::from(Badge::of(guest).hue()) * COLOURS / 360;
        let rarest = self.taken.iter().min().copied().unwrap_or_default();
        let mut best = own;
        if self.taken[own] > rarest {
            for colour in 0..COLOURS {
                if self.room(colour, rarest) > self.room(best, rarest) {
                    best = colour;
                }
            }
        }
        self.taken[best] += 1;
        self.given.insert(guest, best);
        best
    }

    /// How far the next colour is that more guests have than the rarest.
    fn room(&self, colour: usize, rarest: usize) -> usize {
        let more = |colour: usize| self.taken[colour % COLOURS] > rarest;
        (0..=COLOURS / 2).find(|far| more(colour + far) || more(colour + COLOURS - far)).unwrap_or(COLOURS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Up to twelve guests have twelve colours, whichever numbers they have, and keep them when others come.
        #[test]
        fn those_who_are_here_differ(guests in proptest::collection::hash_set(0..1_u64 << 40, 1..=COLOURS), later in any::<u64>()) {
            let guests: Vec<_> = guests.into_iter().map(GuestId).collect();
            let mut colours = Colours::default();
            colours.give(guests.iter().copied());
            let given: Vec<_> = guests.iter().map(|guest| colours.class(*guest)).collect();
            prop_assert_eq!(given.iter().collect::<HashSet<_>>().len(), guests.len());
            colours.give(guests.iter().copied().chain([GuestId(later)]));
            let again: Vec<_> = guests.iter().map(|guest| colours.class(*guest)).collect();
            prop_assert_eq!(given, again);
        }
    }

    #[test]
    fn of_many_those_who_are_here_keep_theirs() {
        let mut colours = Colours::default();
        let first = colours.class(GuestId(7));
        for guest in 100..400 {
            colours.give([GuestId(7), GuestId(guest)].into_iter());
            assert!(colours.given.len() <= KNOWN_MAX + 2);
        }
        assert_eq!(colours.class(GuestId(7)), first);
    }
}
