//! The actor and claims: which requests need one, and what is done when it has come.

use super::RoomActor;
use crate::hub::claims::{Claimed, Purpose, TRIES, unavailable};
use crate::hub::cluster::ClaimError;
use crate::hub::command::{Command, storage_unavailable};
use crate::hub::roster::change::{ClaimedName, Outgoing};
use crate::hub::roster::taken;
use crate::language::Language;
use crate::log::LogError;
use crate::protocol::{CircuitId, GuestId, Hello, Name, Refusal, Token};

/// A claim that a request needs.
struct Need {
    guest: GuestId,
    name: Name,
    /// How many names were tried, where the guest has asked for none.
    tries: Option<u32>,
}

impl RoomActor {
    /// Keeps a command back that has to wait, for a claim or for an earlier command of the same guest; gives back any other.
    pub(super) fn hold_back(&mut self, mut command: Command) -> Option<Command> {
        let Some(claims) = &mut self.claims else { return Some(command) };
        if let Some(guest) = command.guest(&self.identity.secret) {
            command = claims.keep_behind(guest, command)?;
        }
        let need = match &mut command {
            Command::Join(hello, circuit, ..) => self.need_of_hello(hello, *circuit, true),
            Command::JoinStateless(hello, circuit, _) | Command::Members(hello, circuit, _) => {
                self.need_of_hello(hello, *circuit, false)
            }
            Command::Rename(speaker, name, _) => match self.roster.guest(speaker.guest, speaker.connection) {
                Some((known, _)) if known.name != *name => {
                    self.need_of_name(speaker.guest, name.clone(), false)
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        };
        let refused = match need {
            Ok(None) => return Some(command),
            Ok(Some(Need { guest, name, tries })) => {
                let refused = self.claims.as_mut()?.put_aside(guest, name, command, tries);
                refused.map(|command| (command, unavailable("too many claims are under way")))
            }
            Err(refusal) => Some((command, refusal)),
        };
        if let Some((command, refusal)) = refused {
            command.refuse(refusal);
        }
        None
    }

    /// The claim that a hello needs, after it was charged: none for a guest who has a seat here and asks for no other name.
    fn need_of_hello(
        &mut self,
        hello: &mut Hello,
        circuit: CircuitId,
        connects: bool,
    ) -> Result<Option<Need>, Refusal> {
        let guest = hello.token.as_ref().map(|token| token.guest(&self.identity.secret));
        let known = guest.and_then(|guest| self.roster.guest(guest, None)).map(|(known, _)| &known.name);
        if known.is_some_and(|known| hello.name.as_ref().is_none_or(|name| name == known)) {
            return Ok(None);
        }
        let (is_here, waits) = (known.is_some(), guest.is_some_and(|guest| self.waiting.has(guest)));
        if (connects || !is_here) && !waits {
            self.charge_join(circuit)?;
        }
        let guest = match guest {
            Some(guest) => guest,
            None => {
                let token =
                    Token::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?;
                hello.token.insert(token).guest(&self.identity.secret)
            }
        };
        if !is_here {
            // Before a name is claimed for a guest who does not come in.
            self.let_in(guest, circuit, hello.name.as_ref(), hello.keeps)?;
        }
        if let Some(name) = hello.name.clone() {
            return self.need_of_name(guest, name, hello.keeps);
        }
        let known = self.roster.name_elsewhere(guest).cloned().map(|name| (name, 0));
        let (name, tries) = match known.or_else(|| Some((self.own_name(guest)?, 0))) {
            Some(known) => known,
            None => (self.roster.suggest(guest, true, hello.language).ok_or_else(|| self.roster.full())?, 1),
        };
        Ok(Some(Need { guest, name, tries: Some(tries) }))
    }

    fn need_of_name(&mut self, guest: GuestId, name: Name, keeps: bool) -> Result<Option<Need>, Refusal> {
        self.charge_rename(guest, Some(&name))?;
        self.check_reserved(&name, guest, keeps)?;
        if !self.roster.is_free(&name, guest) {
            return Err(taken());
        }
        Ok(Some(Need { guest, name, tries: None }))
    }

    /// Goes on with what a claim was asked for.
    pub(super) async fn claimed(&mut self, claimed: Claimed) {
        let Claimed { guest, name, purpose, counts, result } = claimed;
        let number = result.as_ref().ok().copied();
        match purpose {
            Purpose::Request => self.request_claimed(guest, name.clone(), result).await,
            Purpose::Renewal => self.renewal_claimed(guest, &name, result, counts),
            Purpose::Late => {}
            Purpose::Replacement(tries) => self.replacement_claimed(guest, name.clone(), tries, result),
        }
        let Some(number) = number else { return };
        if !self.roster.holds(guest, &name, number) {
            match &mut self.claims {
                Some(claims) if self.roster.is_elsewhere(guest, &name) => {
                    claims.keep(guest, name.clone(), number)
                }
                Some(claims) => claims.cluster().release(guest, &name, number),
                None => {}
            }
            // The claim of the name that the guest has may have been the same one.
            if self.roster.is_called(guest, &name) && self.roster.doubt(guest) {
                self.renew(guest);
            }
        } else if !counts && self.roster.doubt(guest) {
            self.renew(guest);
        }
    }

    async fn request_claimed(&mut self, guest: GuestId, name: Name, result: Result<u64, ClaimError>) {
        let Some(claims) = &mut self.claims else { return };
        if result == Err(ClaimError::Taken)
            && claims.is_awaited(guest)
            && let Some(tries) = claims.tried(guest)
            && let Some(name) = self.roster.suggest(guest, tries < TRIES / 2, claims.language(guest))
        {
            return claims.ask(guest, name, Purpose::Request);
        }
        let Some(aside) = claims.take_aside(guest) else { return };
        match result {
            Ok(number) if aside.command.is_awaited() => {
                self.settle().await;
                self.handle(aside.command, Some(ClaimedName { name, claim: Some(number) })).await;
            }
            Ok(_) => {}
            Err(ClaimError::Taken) if aside.tries.is_none() => aside.command.refuse(taken()),
            Err(error) => aside.command.refuse(unavailable(&error.to_string())),
        }
        let mut behind = aside.behind;
        self.handle_all(&mut behind).await;
    }

    fn renewal_claimed(
        &mut self,
        guest: GuestId,
        name: &Name,
        result: Result<u64, ClaimError>,
        counts: bool,
    ) {
        let keeps = self.roster.unclaimed_name(guest) == Some(name);
        match result {
            Ok(number) => {
                self.roster.renew(guest, name, number);
                if self.roster.unclaimed_name(guest).is_some() {
                    self.renew(guest);
                }
            }
            Err(ClaimError::Taken) if keeps && counts => self.replace_name(guest, 1),
            Err(ClaimError::Unavailable(_)) => self.renew_later(guest),
            Err(ClaimError::Taken) => {}
        }
    }

    /// Claims another name for a guest who cannot keep theirs.
    fn replace_name(&mut self, guest: GuestId, tries: u32) {
        // Their language is not known: it is kept with no guest.
        let suggest = || self.roster.suggest(guest, tries < TRIES / 2, Language::English);
        let name = (tries <= TRIES).then(suggest).flatten();
        match (name, &mut self.claims) {
            (Some(name), Some(claims)) => claims.ask(guest, name, Purpose::Replacement(tries)),
            _ => self.renew_later(guest),
        }
    }

    fn replacement_claimed(
        &mut self,
        guest: GuestId,
        name: Name,
        tries: u32,
        result: Result<u64, ClaimError>,
    ) {
        if self.roster.unclaimed_name(guest).is_none() {
            return;
        }
        match result {
            Ok(number) => match self.roster.rename(guest, ClaimedName { name, claim: Some(number) }) {
                Ok(change) => {
                    if !self.announce(change.as_slice()) {
                        // Where only the occupancy is told, the guest still has to know.
                        let at = self.clock();
                        change.iter().for_each(|change| self.shared.publish_one(change.event(at)));
                    }
                }
                Err(_) => self.renew_later(guest),
            },
            Err(ClaimError::Taken) => self.replace_name(guest, tries + 1),
            Err(ClaimError::Unavailable(_)) => self.renew_later(guest),
        }
    }

    fn renew(&mut self, guest: GuestId) {
        self.claims.iter_mut().for_each(|claims| claims.renew(guest));
    }

    fn renew_later(&mut self, guest: GuestId) {
        self.claims.iter_mut().for_each(|claims| claims.renew_later(guest));
    }

    /// Tells the other nodes what has changed here, and asks for the claims that have to be made again.
    pub(super) fn tell_nodes(&mut self) {
        let Some(claims) = &mut self.claims else { return };
        for outgoing in self.roster.take_outgoing() {
            match outgoing {
                Outgoing::Tell(presence) => claims.cluster().tell(presence),
                Outgoing::Release(guest, name, number) => claims.cluster().release(guest, &name, number),
                Outgoing::Renew(guest) => claims.renew(guest),
            }
        }
        while let Some(guest) = claims.next_renewal() {
            if let Some(name) = self.roster.unclaimed_name(guest) {
                claims.ask(guest, name.clone(), Purpose::Renewal);
            }
        }
    }
}
