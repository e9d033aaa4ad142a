//! Acts: who may do them, and what they change.

use super::{ActLine, Effect, Erase, Link, Reservation, Restriction, RoomState};
use crate::protocol::act::{Act, LinkHash, Said, Target};
use crate::protocol::policy::{Pinned, RoleOf};
use crate::protocol::{Code, GuestId, MessageId, Name, Record, Refusal, Role};

/// For how many seconds a guest who was put out stays outside.
const KICK_SECONDS: u64 = 60;

/// The most guests with a role.
const ROLES_MAX: usize = 64;

/// The most guests who are muted, and the most who are banned.
pub(super) const RESTRICTIONS_MAX: usize = 1000;

/// The most links that are remembered; beyond that the oldest is forgotten.
const LINKS_MAX: usize = 16;

/// How many of the newest acts are remembered.
const ACTS_MAX: usize = 200;

impl RoomState {
    /// The role of this guest; the room itself is a host.
    pub fn role(&self, guest: GuestId) -> Role {
        if guest == GuestId::ROOM { Role::Host } else { self.policy.role(guest) }
    }

    /// The mute of this guest, when the room's clock shows `at`.
    pub fn mute(&self, guest: GuestId, at: u64) -> Option<&Restriction> {
        find(&self.muted, guest, at)
    }

    /// The ban of this guest, when the room's clock shows `at`.
    pub fn ban(&self, guest: GuestId, at: u64) -> Option<&Restriction> {
        find(&self.banned, guest, at)
    }

    /// The role that this link gives, if it is not used up.
    pub fn link(&self, hash: &LinkHash) -> Option<Role> {
        let link = self.links.iter().find(|link| link.hash == *hash)?;
        link.used.is_none().then_some(link.role)
    }

    /// Whether this link is known, used or not.
    pub(super) fn has_link(&self, hash: &LinkHash) -> bool {
        self.links.iter().any(|link| link.hash == *hash)
    }

    /// Whether a guest has used a link with an act of this id: what is sent again because its answer was lost is no second use.
    pub fn has_claimed(&self, guest: GuestId, id: &MessageId, hash: &LinkHash) -> bool {
        let used =
            |link: &Link| link.used.as_ref().is_some_and(|(by, with)| *by == guest && with == id.as_str());
        self.links.iter().any(|link| link.hash == *hash && used(link))
    }

    /// Checks whether a guest may do something at this point of the order.
    ///
    /// # Errors
    /// `not_allowed`, in a sentence that says who may.
    pub fn permit(&self, author: GuestId, act: &Act, at: u64) -> Result<(), Refusal> {
        let refuse = |sentence: &str| Err(Refusal::new(Code::NotAllowed, sentence));
        if let Act::Role { target, role, link: Some(link) } = act {
            return match self.link(link) {
                Some(given) if target.of == author && given == *role => Ok(()),
                _ => refuse("This link was used already, or taken back. Ask a host for a new one."),
            };
        }
        if act.is_own(author) {
            return self.permit_own(author, act, at);
        }
        let own = self.role(author);
        match act {
            Act::Role { .. }
            | Act::Link { .. }
            | Act::RevokeLinks
            | Act::Cap { .. }
            | Act::Topic { .. }
            | Act::Title { .. }
            | Act::Rules { .. }
            | Act::Announce { .. }
            | Act::Words { .. }
            | Act::Password { .. }
            | Act::InvitedOnly { .. }
            | Act::Invite { .. }
            | Act::RevokeInvite { .. }
            | Act::Unreserve { .. }
            | Act::Private { .. }
            | Act::Typing { .. }
            | Act::Identities { .. }
                if own < Role::Host =>
            {
                return refuse("Only a host of this room can do that.");
            }
            _ if own < Role::Moderator => {
                return refuse("Only a host or a moderator of this room can do that.");
            }
            _ => {}
        }
        if let Act::Kick { target }
        | Act::Mute { target, .. }
        | Act::Ban { target, .. }
        | Act::Reject { target, .. } = act
        {
            if target.of == author {
                return refuse("You cannot do that to yourself; leave the room instead.");
            }
            if self.role(target.of) >= own && author != GuestId::ROOM {
                return refuse(
                    "This guest has the same role as you; only a host can take it from them first.",
                );
            }
        }
        let full =
            |list: &[Restriction]| list.iter().filter(|one| one.counts(at)).count() >= RESTRICTIONS_MAX;
        match act {
            Act::Role { role, .. } if *role > Role::Guest && self.policy.roles.len() >= ROLES_MAX => {
                refuse("There are 64 guests with a role already; take one back first.")
            }
            Act::Mute { .. } if full(&self.muted) => {
                refuse("A thousand guests are muted already; take some mutes back first.")
            }
            Act::Kick { .. } | Act::Ban { .. } | Act::Reject { .. } if full(&self.banned) => {
                refuse("A thousand guests are banned already; take some bans back first.")
            }
            Act::Release { messages } if !messages.iter().any(|seq| self.is_held(*seq)) => {
                refuse("There is no such message that waits any more.")
            }
            Act::Link { link: Some(hash), .. } if self.has_link(hash) => {
                refuse("This link was made already.")
            }
            Act::Pin { said: None, .. } => refuse("There is no such message any more."),
            Act::Unreserve { target } if self.reserved.of(target.of).is_none() => {
                refuse("This guest has no reserved name.")
            }
            // Deleted after its text was read for this.
            Act::Pin { message, said: Some(said) } if self.erased.has_message(*message, said.by) => {
                refuse("There is no such message any more.")
            }
            _ => self.permit_admitting(author, act, at),
        }
    }

    /// The same for what a guest does about themselves.
    fn permit_own(&self, author: GuestId, act: &Act, at: u64) -> Result<(), Refusal> {
        let refuse = |sentence: &str| Err(Refusal::new(Code::NotAllowed, sentence));
        match act {
            Act::Edit { .. } | Act::React { .. } | Act::Delete { .. } | Act::DeleteAll { .. } => {
                self.permit_annotating(author, act)
            }
            _ if author == GuestId::ROOM => refuse("The room itself has no name to reserve."),
            Act::Reserve { name, .. } => match name.clone().and_then(Name::from_stored) {
                None => refuse("You have no name in this room yet."),
                Some(name) if self.reserved.is_of_another(&name, author) => Err(name_reserved()),
                Some(_) if !self.reserved.has_room_for(author, at) => {
                    refuse("A thousand names are reserved here already; a host can take some back.")
                }
                Some(_) => Ok(()),
            },
            _ if self.reserved.of(author).is_none() => refuse("You have no reserved name here."),
            _ => Ok(()),
        }
    }

    fn reserve(&mut self, record: &Record, name: Option<&String>, under: Option<&String>) {
        let Some(name) = name.cloned().and_then(Name::from_stored) else { return };
        let of = record.author;
        let under = match under {
            Some(under) => Name::from_stored(under.clone()),
            // A passphrase stays with the name that it was made with, whichever name is reserved later.
            None => self.reserved.of(of).and_then(|own| own.under.clone()),
        };
        self.reserved.put(Reservation { of, name, used: record.at, under });
    }

    /// Takes account of an act, if its author may do it.
    pub(super) fn apply_act(&mut self, record: &Record, act: &Act) -> Effect {
        if matches!(act, Act::Edit { .. } | Act::React { .. }) {
            return self.annotate(record, act);
        }
        let mut erases = Erase { before: record.seq, ..Erase::default() };
        if self.permit(record.author, act, record.at).is_err() {
            if let Act::Pin { said: Some(_), .. } = act {
                erases.pins.push(record.seq);
            }
            let erases = self.erased.note(erases);
            return Effect { changed: erases.is_some(), refused: true, erases, put_out: Vec::new() };
        }
        if let Some(mut effect) = self.apply_admitting(record, act) {
            if matches!(act, Act::Ban { .. } | Act::Reject { .. }) {
                let discarded = effect.put_out.iter().flat_map(|guest| self.discard_of(*guest));
                erases.messages.extend(discarded);
                effect.erases = self.erased.note(erases);
            }
            self.note(record, act);
            return effect;
        }
        match act {
            Act::Role { target, role, link } => {
                if let Some(known) = self.links.iter_mut().find(|known| Some(&known.hash) == link.as_ref()) {
                    known.used = Some((record.author, record.id.as_str().to_owned()));
                }
                let policy = &mut self.policy;
                policy.roles.retain(|entry| entry.of != target.of);
                if *role > Role::Guest {
                    policy.roles.push(RoleOf { of: target.of, name: target.name.clone(), role: *role });
                }
            }
            Act::Link { role, link } => {
                self.links.extend(link.clone().map(|hash| Link { hash, role: *role, used: None }));
                let excess = self.links.len().saturating_sub(LINKS_MAX);
                self.links.drain(..excess);
            }
            Act::RevokeLinks => self.links.clear(),
            Act::Kick { target } => {
                erases.messages.extend(self.discard_of(target.of));
                // Who is banned stays so.
                if self.ban(target.of, record.at).is_none() {
                    restrict(&mut self.banned, target, Some(KICK_SECONDS), true, record.at);
                }
            }
            Act::Mute { target, seconds, .. } => {
                restrict(&mut self.muted, target, *seconds, false, record.at);
            }
            Act::Ban { target, seconds, .. } => {
                erases.messages.extend(self.discard_of(target.of));
                restrict(&mut self.banned, target, *seconds, false, record.at);
            }
            Act::Unmute { target } => self.muted.retain(|one| one.of != target.of),
            Act::Unban { target } => self.banned.retain(|one| one.of != target.of),
            Act::Delete { messages, .. } => {
                erases.messages.extend(messages.iter().filter(|seq| **seq < record.seq));
                self.discard(messages);
                erases.pins.extend(self.unpin_if(|pinned| messages.contains(&pinned.message)));
                self.forget_messages(messages, &mut erases);
            }
            Act::DeleteAll { target } => {
                erases.by = Some(target.of);
                self.discard_of(target.of);
                erases.pins.extend(self.unpin_if(|pinned| pinned.said.by == target.of));
                self.forget_annotations_of(target.of, &mut erases);
            }
            Act::Lock { locked } => self.policy.locked = *locked,
            Act::Slow { seconds } => self.policy.slow = *seconds,
            Act::Cap { guests } => self.policy.cap = *guests,
            Act::Topic { text } => self.policy.topic.clone_from(text),
            Act::Rules { text } => self.policy.rules.clone_from(text),
            Act::Title { text } => {
                self.configured_title = Some(self.configured_title().to_owned());
                self.title.clone_from(text);
            }
            // What pinned another message has its text, and goes: so of each text there is one copy at most that a
            // deletion has to find.
            Act::Pin { message, said } => {
                erases.pins.extend(self.unpin_if(|_| true));
                self.set_pin(record.seq, *message, said.clone());
            }
            Act::Unpin => erases.pins.extend(self.unpin_if(|_| true)),
            Act::Words { words, .. } => self.words = words.clone().unwrap_or_default(),
            Act::Reserve { name, under } => self.reserve(record, name.as_ref(), under.as_ref()),
            Act::ReleaseName => drop(self.reserved.remove(record.author)),
            Act::Unreserve { target } => drop(self.reserved.remove(target.of)),
            Act::Private { private } => self.policy.no_private = !private,
            Act::Typing { typing } => self.policy.typing = *typing,
            Act::Identities { required } => self.policy.identities_required = *required,
            // What is left is told to guests, was done before, or is an entry of its own kind.
            _ => {}
        }
        if !act.is_own(record.author) {
            self.note(record, act);
        }
        Effect { changed: true, erases: self.erased.note(erases), ..Effect::default() }
    }

    fn set_pin(&mut self, entry: u64, message: u64, said: Option<Said>) {
        self.pin = said.is_some().then_some(entry);
        self.policy.pinned = said.map(|said| Pinned { message, said });
    }

    /// Takes the pinned message down if it is this one; the entry that pinned it has its text.
    fn unpin_if(&mut self, is_it: impl FnOnce(&Pinned) -> bool) -> Option<u64> {
        if !self.policy.pinned.as_ref().is_some_and(is_it) {
            return None;
        }
        self.policy.pinned = None;
        self.pin.take()
    }

    fn note(&mut self, record: &Record, act: &Act) {
        // That a guest had a proof is no act of a host.
        if matches!(act, Act::Admit { by: Some(_), .. }) {
            return;
        }
        let target = act.target();
        self.note_line(ActLine {
            seq: record.seq,
            at: record.at,
            by: record.author,
            act: act.name().to_owned(),
            of: target.map(|target| target.of),
            name: target.and_then(|target| target.name.clone()),
        });
    }

    pub(super) fn note_line(&mut self, line: ActLine) {
        self.acts.push_back(line);
        let excess = self.acts.len().saturating_sub(ACTS_MAX);
        self.acts.drain(..excess);
    }
}

/// The refusal for a name that is reserved for another guest.
pub fn name_reserved() -> Refusal {
    let sentence = "This name, or one that looks like it, is reserved for a guest of this room. If you are that guest, come in \
                    with your passphrase or your key file. Otherwise choose another name.";
    Refusal::new(Code::NameReserved, sentence)
}

impl Restriction {
    /// Whether it holds when the room's clock shows `at`.
    pub fn counts(&self, at: u64) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

fn find(list: &[Restriction], guest: GuestId, at: u64) -> Option<&Restriction> {
    list.iter().find(|one| one.of == guest && one.counts(at))
}

pub(super) fn restrict(
    list: &mut Vec<Restriction>,
    target: &Target,
    seconds: Option<u64>,
    kicked: bool,
    at: u64,
) {
    list.retain(|one| one.of != target.of && one.counts(at));
    let until = seconds.map(|seconds| at.saturating_add(seconds));
    list.push(Restriction { of: target.of, name: target.name.clone(), until, kicked });
}
