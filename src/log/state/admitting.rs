//! Acts about who may come in: who may do them, and what they change.

use super::acts::{RESTRICTIONS_MAX, restrict};
use super::gate::{By, INVITATIONS_MAX, Invitation};
use super::{Effect, RoomState};
use crate::protocol::act::{Act, Target};
use crate::protocol::entering::Proof;
use crate::protocol::{Code, GuestId, Record, Refusal, Role};

/// What keeps a newcomer out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hurdle {
    /// They need an invitation.
    Invitation,
    /// They have to give the password.
    Password,
    /// They have to be let in.
    Approval,
}

impl RoomState {
    /// What keeps a guest without a seat and without a role out; `None` if nothing does but a lock or a ban.
    pub fn hurdle(&self, guest: GuestId) -> Option<Hurdle> {
        let policy = &self.policy;
        if !(policy.invited_only || policy.password || policy.approval) {
            return None;
        }
        match self.gate.admitted(guest) {
            Some(by) if by.is_lasting() => None,
            _ if policy.invited_only => Some(Hurdle::Invitation),
            None if policy.password => Some(Hurdle::Password),
            _ => policy.approval.then_some(Hurdle::Approval),
        }
    }

    /// Checks what only the state says of an act about who may come in.
    pub(super) fn permit_admitting(&self, author: GuestId, act: &Act, at: u64) -> Result<(), Refusal> {
        let refuse = |sentence: &str| Err(Refusal::new(Code::NotAllowed, sentence));
        match act {
            Act::Admit { by: Some(proof), .. } if author != GuestId::ROOM || !self.gate.proves(proof, at) => {
                refuse("This lets no guest in any more.")
            }
            Act::Mute { target, invitation: true, .. } | Act::Ban { target, invitation: true, .. }
                if self.gate.invitation_of(target.of).is_none() =>
            {
                refuse("This guest did not come by an invitation, or it was taken back already.")
            }
            Act::Password { password: true, hash: None, .. } | Act::Invite { name: None, .. } => {
                refuse("Something is missing in this act.")
            }
            Act::Invite { link: None, .. } => refuse("Something is missing in this act."),
            Act::Invite { .. } if self.gate.invitations().len() >= INVITATIONS_MAX => {
                refuse("There are 500 invitations already; take some back first.")
            }
            Act::Invite { name: Some(name), link: Some(link), .. }
                if self.gate.invitations().iter().any(|one| one.name == *name || one.hash == *link) =>
            {
                refuse(
                    "There is an invitation of this name already; take it back first, or choose another name.",
                )
            }
            Act::RevokeInvite { invite } => match invite.as_ref().and_then(|invite| self.gate.find(invite)) {
                Some(_) => Ok(()),
                None => refuse("There is no such invitation."),
            },
            _ => Ok(()),
        }
    }

    /// Whether an act has made the link that it names, and the link gives something when the room's clock shows `at`; `false` for an
    /// act that makes none.
    pub fn stands(&self, act: &Act, at: u64) -> bool {
        match act {
            Act::Link { role, link: Some(hash) } => self.link(hash) == Some(*role),
            Act::Invite { name: Some(name), link: Some(hash), .. } => {
                let is_it = |one: &Invitation| one.hash == *hash && one.name == *name && one.counts(at);
                self.gate.invitations().iter().any(is_it)
            }
            _ => false,
        }
    }

    /// Whether the link that an act names was made before, whatever it gives now.
    pub fn has_made(&self, act: &Act) -> bool {
        match act {
            Act::Link { link: Some(hash), .. } => self.has_link(hash),
            Act::Invite { link: Some(hash), .. } => {
                self.gate.invitations().iter().any(|one| one.hash == *hash)
            }
            _ => false,
        }
    }

    /// Takes account of an act about who may come in, which its author may do; `None` for any other act.
    pub(super) fn apply_admitting(&mut self, record: &Record, act: &Act) -> Option<Effect> {
        let mut effect = Effect { changed: true, ..Effect::default() };
        match act {
            Act::Approval { approval, present } => {
                self.policy.approval = *approval;
                self.gate.admit_present(present, By::Approval);
            }
            Act::InvitedOnly { invited_only, present } => {
                self.policy.invited_only = *invited_only;
                self.gate.admit_present(present, By::Approval);
            }
            Act::Password { password, hash, present, .. } => {
                self.policy.password = *password;
                let number = self.gate.set_password(hash.clone().filter(|_| *password));
                self.gate.admit_present(present, By::Password(number));
            }
            // Who came by an invitation stays its guest, for when it is taken back.
            Act::Admit { target, by: None } if self.gate.invitation_of(target.of).is_none() => {
                self.gate.admit(target.of, By::Approval);
            }
            Act::Admit { target, by: Some(Proof::Invite(hash)) } => self.gate.use_invitation(target.of, hash),
            // Who was let in by more than a password stays so.
            Act::Admit { target, by: Some(Proof::Password(number)) }
                if self.gate.admitted(target.of).is_none() =>
            {
                self.gate.admit(target.of, By::Password(*number));
            }
            Act::Admit { .. } => {}
            Act::Reject { target, seconds } => {
                self.gate.remove(target.of);
                restrict(&mut self.banned, target, *seconds, false, record.at);
                effect.put_out.push(target.of);
            }
            Act::Invite { name: Some(name), link: Some(link), single_use, seconds } => {
                let until = seconds.map(|seconds| record.at.saturating_add(seconds));
                self.gate.invite(name.clone(), link.clone(), *single_use, until);
            }
            Act::RevokeInvite { invite } => {
                let id = invite.as_ref().and_then(|invite| self.gate.find(invite));
                effect.put_out = id.map(|id| self.gate.revoke(id)).unwrap_or_default();
            }
            Act::Mute { target, seconds, invitation: true } => {
                self.restrict_all(record, target, *seconds, true);
            }
            Act::Ban { target, seconds, invitation: true } => {
                effect.put_out = self.restrict_all(record, target, *seconds, false);
            }
            _ => return None,
        }
        Some(effect)
    }

    /// Mutes or bans all guests who came by the invitation of one of them, as far as they have less of a role than the
    /// author; the invitation lets no guest in any more. Those who are banned.
    fn restrict_all(
        &mut self,
        record: &Record,
        target: &Target,
        seconds: Option<u64>,
        mute: bool,
    ) -> Vec<GuestId> {
        let Some(id) = self.gate.invitation_of(target.of) else { return Vec::new() };
        let own = self.role(record.author);
        let spared =
            |guest: GuestId| guest != target.of && self.role(guest) > Role::Guest && self.role(guest) >= own;
        let of: Vec<_> = self.gate.guests_of(id).filter(|guest| !spared(*guest)).collect();
        let list = if mute { &mut self.muted } else { &mut self.banned };
        list.retain(|one| one.counts(record.at));
        // The target first: more than the list has room for are only put out.
        let others = of.iter().filter(|guest| **guest != target.of);
        for guest in std::iter::once(&target.of).chain(others) {
            if list.len() >= RESTRICTIONS_MAX && !list.iter().any(|one| one.of == *guest) {
                break;
            }
            let name = target.name.clone().filter(|_| *guest == target.of);
            restrict(list, &Target { of: *guest, name }, seconds, false, record.at);
        }
        match mute {
            true => self.gate.close(id),
            false => drop(self.gate.revoke(id)),
        }
        of
    }
}
