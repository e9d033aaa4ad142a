//! What nodes tell each other: JSON, sealed with the room's key, each kind of message under its own context.
//!
//! Every message says which node it is from and has a counter, so none can be replayed: heartbeats count themselves, changes count
//! changes. A page of a snapshot answers one request, whose random number it has in its context.

use serde::{Deserialize, Serialize};

use super::keys::NodeKeys;
use crate::hub::cluster::{Door, NodeId, Presence, SeatedGuest};
use crate::protocol::{Guest, GuestId, Name};

/// The longest origin of a door, in bytes.
const ORIGIN_MAX: usize = 256;

/// The longest message to all, in bytes: a name or an origin, as JSON at its longest.
const NEWS_MAX: usize = 4096;

const NEWS: &str = "news";
const ASK: &str = "ask";

/// What a node tells all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    pub(super) node: NodeId,
    pub(super) said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// A change of presence, and its number.
    Change(u64, Presence),
    Beat(Beat),
    /// The node closes, or goes on under another number.
    Goodbye,
}

/// A heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beat {
    /// The number of the heartbeat.
    pub(super) beat: u64,
    /// The number of the node's newest change of presence.
    pub(super) changes: u64,
    /// The revision of its lease.
    pub(super) lease: u64,
    pub(super) guests: u64,
    pub(super) door: Option<Door>,
}

/// A request for a page of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// Random.
    pub(super) nonce: String,
    /// The page begins after this guest.
    pub(super) after: Option<u64>,
}

/// A page of a snapshot, guests by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// The number of the node's newest change when the page was made.
    pub(super) changes: u64,
    /// Guests, each with the number of the change that made them so.
    pub(super) guests: Vec<(SeatedGuest, u64)>,
    pub(super) more: bool,
}

/// A guest on the wire: number, name, away, claim, number of the change.
type GuestOnWire = (u64, String, bool, u64, u64);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewsOnWire {
    node: u64,
    said: SaidOnWire,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SaidOnWire {
    Present(GuestOnWire),
    Absent(u64, u64),
    Beat { beat: u64, changes: u64, lease: u64, guests: u64, door: Option<(String, u64)> },
    Goodbye,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOnWire {
    changes: u64,
    guests: Vec<GuestOnWire>,
    more: bool,
}

impl News {
    /// # Errors
    /// The operating system has no randomness.
    pub(super) fn seal(&self, keys: &NodeKeys) -> Result<Vec<u8>, getrandom::Error> {
        let said = match &self.said {
            Said::Change(number, Presence::Present(seated)) => {
                SaidOnWire::Present(guest_on_wire(seated, *number))
            }
            Said::Change(number, Presence::Absent(guest)) => SaidOnWire::Absent(guest.0, *number),
            Said::Beat(Beat { beat, changes, lease, guests, door }) => SaidOnWire::Beat {
                beat: *beat,
                changes: *changes,
                lease: *lease,
                guests: *guests,
                door: door.as_ref().map(|door| (door.origin.clone(), door.seats as u64)),
            },
            Said::Goodbye => SaidOnWire::Goodbye,
        };
        keys.seal(NEWS, &json(&NewsOnWire { node: self.node.0, said }))
    }

    /// `None` for what is none of ours.
    pub(super) fn open(keys: &NodeKeys, sealed: &[u8]) -> Option<Self> {
        if sealed.len() > NEWS_MAX {
            return None; // before any work proportional to it
        }
        let NewsOnWire { node, said } = serde_json::from_slice(&keys.open(NEWS, sealed)?).ok()?;
        let said = match said {
            SaidOnWire::Present(guest) => {
                let (seated, number) = seated(guest)?;
                Said::Change(number, Presence::Present(seated))
            }
            SaidOnWire::Absent(guest, number) => Said::Change(number, Presence::Absent(GuestId(guest))),
            SaidOnWire::Beat { beat, changes, lease, guests, door } => {
                let door = match door {
                    Some((origin, _)) if origin.len() > ORIGIN_MAX => return None,
                    Some((origin, seats)) => {
                        let (guests, seats) = (usize::try_from(guests).ok()?, usize::try_from(seats).ok()?);
                        Some(Door { origin, guests, seats })
                    }
                    None => None,
                };
                Said::Beat(Beat { beat, changes, lease, guests, door })
            }
            SaidOnWire::Goodbye => Said::Goodbye,
        };
        Some(Self { node: NodeId(node), said })
    }
}

impl Ask {
    /// # Errors
    /// The operating system has no randomness.
    pub(super) fn new(after: Option<GuestId>) -> Result<Self, getrandom::Error> {
        let nonce = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
        Ok(Self { nonce, after: after.map(|guest| guest.0) })
    }

    pub(super) fn seal(&self, keys: &NodeKeys) -> Result<Vec<u8>, getrandom::Error> {
        keys.seal(ASK, &json(self))
    }

    pub(super) fn open(keys: &NodeKeys, sealed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&keys.open(ASK, sealed)?).ok()
    }
}

impl Page {
    pub(super) fn seal(&self, keys: &NodeKeys, ask: &Ask) -> Result<Vec<u8>, getrandom::Error> {
        let guests = self.guests.iter().map(|(seated, number)| guest_on_wire(seated, *number)).collect();
        let page = PageOnWire { changes: self.changes, guests, more: self.more };
        keys.seal(&page_context(ask), &json(&page))
    }

    pub(super) fn open(keys: &NodeKeys, ask: &Ask, sealed: &[u8]) -> Option<Self> {
        let PageOnWire { changes, guests, more } =
            serde_json::from_slice(&keys.open(&page_context(ask), sealed)?).ok()?;
        let guests: Vec<_> = guests.into_iter().map(seated).collect::<Option<_>>()?;
        // In order, and after the one that was asked for, so that the next page goes on.
        let numbers = ask.after.into_iter().chain(guests.iter().map(|(seated, _)| seated.guest.id.0));
        let is_sound = numbers.is_sorted_by(|one, next| one < next) && !(more && guests.is_empty());
        is_sound.then_some(Self { changes, guests, more })
    }
}

fn page_context(ask: &Ask) -> String {
    format!("page {} {:?}", ask.nonce, ask.after)
}

fn guest_on_wire(seated: &SeatedGuest, number: u64) -> GuestOnWire {
    let SeatedGuest { guest: Guest { id, name, away, .. }, claim } = seated;
    (id.0, name.as_str().to_owned(), *away, *claim, number)
}

fn seated((id, name, away, claim, number): GuestOnWire) -> Option<(SeatedGuest, u64)> {
    // Which names are reserved each node knows from the log.
    let guest = Guest { id: GuestId(id), name: Name::from_stored(name)?, away, kept: false };
    Some((SeatedGuest { guest, claim }, number))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("numbers and texts have a form in JSON")
}
