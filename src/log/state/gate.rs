//! Who was let in: the part of a room's state that decides whether a newcomer may come in.

use std::collections::{HashSet, VecDeque};

use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::protocol::GuestId;
use crate::protocol::act::LinkHash;
use crate::protocol::entering::{InvitationRef, Proof};

/// The most guests who are remembered as let in.
const ADMITTED_MAX: usize = 10_000;

/// The most invitations.
pub(super) const INVITATIONS_MAX: usize = 500;

/// What lets guests in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The guests who were let in.
    #[serde(default, skip_serializing_if = "Admitted::is_empty")]
    admitted: Admitted,
    /// The password's hash, in the PHC format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// The invitations, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    invitations: Vec<Invitation>,
}

/// An invitation: for one person, as the host knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// What the host calls the person.
    pub name: String,
    /// That of its secret.
    pub(super) hash: LinkHash,
    /// Whether it lets in one guest alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_use: bool,
    /// On the room's clock, until when it lets guests in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Whether a guest has come by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub used: bool,
    /// Whether it lets no guest in any more, and those who came by it are still let in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// Why a guest was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// A host or a moderator did it, or the guest was in the room when it was closed to newcomers.
    Approval,
    /// The invitation with this number.
    Invitation(u64),
    /// The password with this number.
    Password(u64),
}

/// The guests who were let in, oldest first: stored as 13 bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Admitted(VecDeque<(GuestId, By)>);

impl By {
    /// Whether it lets the guest in whatever newcomers need, and does not end with a password.
    pub fn is_lasting(self) -> bool {
        !matches!(self, Self::Password(_))
    }
}

impl Invitation {
    /// What names it for hosts: a number, below 2^48.
    pub fn id(&self) -> u64 {
        self.hash.number()
    }

    /// Whether it lets newcomers in when the room's clock shows `at`.
    pub fn counts(&self, at: u64) -> bool {
        let spent = self.single_use && self.used;
        !(self.closed || spent) && self.until.is_none_or(|until| at < until)
    }
}

impl Gate {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why this guest was let in.
    pub fn admitted(&self, guest: GuestId) -> Option<By> {
        self.admitted.0.iter().find(|(of, _)| *of == guest).map(|(_, by)| *by)
    }

    /// How many guests have come by the invitation with this number.
    pub fn came_by(&self, invitation: u64) -> usize {
        self.guests_of(invitation).count()
    }

    /// The password's hash and its number.
    pub fn password(&self) -> Option<(&str, u64)> {
        self.password.as_deref().map(|hash| (hash, number(hash)))
    }

    /// The invitations, oldest first.
    pub fn invitations(&self) -> &[Invitation] {
        &self.invitations
    }

    /// Whether a proof lets a guest in when the room's clock shows `at`.
    pub fn proves(&self, proof: &Proof, at: u64) -> bool {
        match proof {
            Proof::Invite(hash) => {
                self.invitations.iter().any(|invitation| invitation.hash == *hash && invitation.counts(at))
            }
            Proof::Password(known) => self.password().is_some_and(|(_, number)| number == *known),
            Proof::Room => false,
        }
    }

    pub(super) fn find(&self, given: &InvitationRef) -> Option<u64> {
        let is_it = |invitation: &&Invitation| match given {
            InvitationRef::Id(id) => invitation.id() == *id,
            InvitationRef::Name(name) => invitation.name == *name,
        };
        self.invitations.iter().find(is_it).map(Invitation::id)
    }

    pub(super) fn guests_of(&self, invitation: u64) -> impl Iterator<Item = GuestId> {
        let by = By::Invitation(invitation);
        self.admitted.0.iter().filter(move |(_, known)| *known == by).map(|(guest, _)| *guest)
    }

    /// The invitation by which a guest came.
    pub(super) fn invitation_of(&self, guest: GuestId) -> Option<u64> {
        match self.admitted(guest) {
            Some(By::Invitation(id)) => Some(id),
            _ => None,
        }
    }

    pub(super) fn admit(&mut self, guest: GuestId, by: By) {
        self.remove(guest);
        self.admitted.push(guest, by);
    }

    /// Lets guests in who were in the room when it was closed to newcomers. Those who came by an invitation stay so.
    pub(super) fn admit_present(&mut self, guests: &[GuestId], by: By) {
        let stays = |known: By| match by {
            By::Password(_) => !matches!(known, By::Password(_)),
            _ => matches!(known, By::Invitation(_)),
        };
        let stay: HashSet<_> =
            self.admitted.0.iter().filter(|(_, known)| stays(*known)).map(|(guest, _)| *guest).collect();
        let fresh: HashSet<_> = guests.iter().filter(|guest| !stay.contains(guest)).copied().collect();
        self.admitted.0.retain(|(guest, _)| !fresh.contains(guest));
        // In the order given, each once.
        let mut left = fresh;
        guests.iter().filter(|guest| left.remove(guest)).for_each(|guest| self.admitted.push(*guest, by));
    }

    pub(super) fn remove(&mut self, guest: GuestId) {
        self.admitted.0.retain(|(of, _)| *of != guest);
    }

    /// Takes this password in place of the one before, which lets its guests in no more; its number.
    pub(super) fn set_password(&mut self, hash: Option<String>) -> u64 {
        self.admitted.0.retain(|(_, by)| !matches!(by, By::Password(_)));
        self.password = hash;
        self.password().map_or(0, |(_, number)| number)
    }

    pub(super) fn invite(&mut self, name: String, hash: LinkHash, single_use: bool, until: Option<u64>) {
        self.invitations.push(Invitation { name, hash, single_use, until, used: false, closed: false });
    }

    /// Lets a guest in by an invitation.
    pub(super) fn use_invitation(&mut self, guest: GuestId, hash: &LinkHash) {
        if let Some(invitation) = self.invitations.iter_mut().find(|invitation| invitation.hash == *hash) {
            invitation.used = true;
            let by = By::Invitation(invitation.id());
            self.admit(guest, by);
        }
    }

    /// The invitation lets no newcomer in any more.
    pub(super) fn close(&mut self, id: u64) {
        let known = self.invitations.iter_mut().find(|invitation| invitation.id() == id);
        known.into_iter().for_each(|invitation| invitation.closed = true);
    }

    /// Takes an invitation away, and what it has let in; the guests who came by it.
    pub(super) fn revoke(&mut self, id: u64) -> Vec<GuestId> {
        let guests = self.guests_of(id).collect();
        self.invitations.retain(|invitation| invitation.id() != id);
        self.admitted.0.retain(|(_, by)| *by != By::Invitation(id));
        guests
    }
}

/// What a password is known by without its hash: the first 48 bits of a digest.
fn number(hash: &str) -> u64 {
    let digest = Sha256::digest(hash);
    digest[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Admitted {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a guest. Beyond the limit the oldest of those goes who came in the same way as most: so one invitation that is
    /// used by thousands displaces no guest of another.
    fn push(&mut self, guest: GuestId, by: By) {
        self.0.push_back((guest, by));
        if self.0.len() <= ADMITTED_MAX {
            return;
        }
        let mut counts = std::collections::HashMap::new();
        self.0.iter().for_each(|(_, by)| *counts.entry(*by).or_insert(0_usize) += 1);
        let most = counts.values().copied().max().unwrap_or(0);
        if let Some(at) = self.0.iter().position(|(_, by)| counts.get(by) == Some(&most)) {
            self.0.remove(at);
        }
    }
}

impl Serialize for Admitted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(13 * self.0.len());
        for (guest, by) in &self.0 {
            let (kind, number) = match by {
                By::Approval => (0, 0),
                By::Invitation(id) => (1, *id),
                By::Password(number) => (2, *number),
            };
            bytes.extend_from_slice(&guest.0.to_be_bytes()[2..]);
            bytes.push(kind);
            bytes.extend_from_slice(&number.to_be_bytes()[2..]);
        }
        serializer.serialize_str(&BASE64_NOPAD.encode(&bytes))
    }
}

impl<'de> Deserialize<'de> for Admitted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_NOPAD.decode(text.as_bytes()).map_err(D::Error::custom)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let one = |entry: &[u8]| match entry[6] {
            0 => Some((GuestId(number(&entry[..6])), By::Approval)),
            1 => Some((GuestId(number(&entry[..6])), By::Invitation(number(&entry[7..])))),
            2 => Some((GuestId(number(&entry[..6])), By::Password(number(&entry[7..])))),
            _ => None,
        };
        Ok(Self(bytes.chunks_exact(13).filter_map(one).collect()))
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
