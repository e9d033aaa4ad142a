//! The other rooms, as the page of one has them: links, with what is unread in each since the guest looked last.
//!
//! Up to where a browser has looked is in a cookie of its own, which all rooms of the address get: names of rooms and numbers,
//! nothing that tells who it is.

use std::collections::BTreeMap;

use crate::protocol::event::RoomLine;
use crate::transport::noscript::documents::RoomLink;

/// Of so many rooms a browser keeps up to where it has looked.
const SEEN_MAX: usize = 64;

/// Up to where a browser has looked in each room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// What a cookie says; what is not understood is passed over.
    pub(super) fn parse(text: &str) -> Self {
        let one = |pair: &str| {
            let (name, said) = pair.split_once('.')?;
            Some((name.to_owned(), said.parse().ok()?))
        };
        Self(text.split('_').filter_map(one).take(SEEN_MAX).collect())
    }

    /// The same for a cookie.
    pub(super) fn encode(&self) -> String {
        self.0.iter().map(|(name, said)| format!("{name}.{said}")).collect::<Vec<_>>().join("_")
    }

    /// Notes that the guest looks at a room now, or did until now.
    pub(super) fn look(&mut self, rooms: &[RoomLine], name: &str) {
        let Some(room) = rooms.iter().find(|room| room.name == name) else { return };
        // Rooms that are gone make place first.
        self.0.retain(|name, _| rooms.iter().any(|room| room.name == *name));
        if self.0.len() < SEEN_MAX || self.0.contains_key(name) {
            self.0.insert(name.to_owned(), room.said);
        }
    }

    /// The links of a page in the room `here`; none where that is the only one.
    pub(super) fn links(&self, rooms: &[RoomLine], here: &str) -> Vec<RoomLink> {
        if rooms.len() < 2 {
            return Vec::new();
        }
        let link = |room: &RoomLine| RoomLink {
            address: format!("../{}/page?from={here}", room.name),
            title: room.title.clone(),
            guests: room.guests,
            unread: self.0.get(&room.name).map_or(0, |seen| room.said.saturating_sub(*seen)),
            here: room.name == here,
        };
        rooms.iter().map(link).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, said: u64) -> RoomLine {
        RoomLine { name: name.into(), title: name.to_uppercase(), head: 2 * said, said, guests: 0 }
    }

    #[test]
    fn what_was_said_since_the_last_look_is_unread() {
        let mut seen = Seen::parse("main.4_tea.x_..7__gone.9_tea.2");
        let rooms = [room("main", 7), room("tea", 9), room("attic", 3)];
        let links = seen.links(&rooms, "main");
        let unread: Vec<_> = links.iter().map(|link| (link.title.as_str(), link.unread, link.here)).collect();
        // Nothing is unread where the guest has never been.
        assert_eq!(unread, [("MAIN", 3, true), ("TEA", 7, false), ("ATTIC", 0, false)]);
        assert_eq!(links[1].address, "../tea/page?from=main");
        seen.look(&rooms, "tea");
        seen.look(&rooms, "nothing");
        assert_eq!(seen.encode(), "main.4_tea.9");
        assert_eq!(Seen::parse(&seen.encode()), seen);
        assert!(seen.links(&rooms[..1], "main").is_empty());
    }
}
