//! The actor and its hosts: acts that come in, and what follows from those that the log has.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RoomActor;
use crate::hub::admission::{banned, blocked, invitation_revoked, muted};
use crate::hub::command::{PublishBatch, not_seated, rate_limited, storage_unavailable};
use crate::hub::found::Found;
use crate::hub::made_links::made_before;
use crate::hub::pending::{PendingAppend, PendingPublish};
use crate::hub::roster::change::PresenceChange;
use crate::hub::speaker::Speaker;
use crate::log::{Effect, Entry, Erase, Restriction};
use crate::protocol::act::Said;
use crate::protocol::words::WordList;
use crate::protocol::{Act, Body, CircuitId, GuestId, MessageId, Record, Refusal, Role};

/// What these acts erase.
pub(super) fn erases(effects: &[(u64, Effect)]) -> Vec<Erase> {
    effects.iter().filter_map(|(_, effect)| effect.erases.clone()).collect()
}

impl RoomActor {
    /// Appends an act, if its author may do it; without a speaker the author is the room itself.
    pub(super) async fn act(
        &mut self,
        speaker: Option<Speaker>,
        id: MessageId,
        act: Act,
        found: &Found,
        reply: oneshot::Sender<PublishBatch>,
    ) {
        match self.admit_act(speaker, &id, act, found).await {
            Ok((author, Act::Release { messages })) => self.release(author, &id, messages, reply).await,
            Ok((author, act)) => {
                let entry = Entry { at: self.clock(), author, id, body: Body::Act(act) };
                let request = PendingPublish { results: vec![Ok(0)], rate_limited: None, reply };
                self.append(PendingAppend { entries: vec![entry], requests: vec![request] }).await;
            }
            Err(refusal) => {
                let _ = reply.send(PublishBatch::refused(refusal));
            }
        }
    }

    /// Charges an act, fills in what only the room may say, and checks whether its author may do it.
    async fn admit_act(
        &mut self,
        speaker: Option<Speaker>,
        id: &MessageId,
        mut act: Act,
        found: &Found,
    ) -> Result<(GuestId, Act), Refusal> {
        let author = match speaker {
            Some(Speaker { guest, connection }) => {
                let (_, circuit) = self.roster.guest(guest, connection).ok_or_else(not_seated)?;
                self.budgets.charge_message(guest, circuit, 0, Instant::now()).map_err(rate_limited)?;
                guest
            }
            None => GuestId::ROOM,
        };
        if let Act::Role { target, role, link: Some(link) } = &mut act {
            target.of = author;
            if self.state.has_claimed(author, id, link) {
                // The log knows it, and answers as it did.
                return Ok((author, act));
            }
            *role = self.state.link(link).unwrap_or(Role::Guest);
        }
        if let Some(target) = act.target_mut() {
            target.name = self.name_of(target.of);
        }
        if speaker.is_some() {
            self.delete_own(author, &mut act, found)?;
        }
        if let Act::Release { messages } = &act
            && self.is_released_already(author, messages)
        {
            return Ok((author, act));
        }
        if let Act::Words { words: Some(words), .. } = &act
            && !words.is_empty()
        {
            self.check_keeps()?;
        }
        if let Some(present) = act.present_mut() {
            *present = self.roster.guests().iter().map(|guest| guest.id).collect();
        }
        if let Act::Pin { message, said } = &mut act
            && self.state.role(author) > Role::Guest
        {
            *said = self.said_now(*message).await?;
        }
        let present = speaker.and_then(|Speaker { guest, connection }| self.roster.guest(guest, connection));
        let present = present.map(|(known, circuit)| (known.name.clone(), circuit));
        if let Act::Reserve { name, .. } = &mut act {
            *name = present.as_ref().map(|(present, _)| present.as_str().to_owned());
        }
        if self.state.role(author) == Role::Host && self.state.has_made(&act) {
            // Sent again because the answer was lost: the log knows it.
            return match self.state.stands(&act, self.clock()) {
                true => Ok((author, act)),
                false => Err(made_before()),
            };
        }
        self.state.permit(author, &act, self.clock())?;
        if let (Act::Reserve { .. }, Some((name, circuit))) = (&act, present)
            && !self.state.reserved.keeps(author, &name)
        {
            self.reservation_limits.charge(circuit, Instant::now())?;
        }
        Ok((author, act))
    }

    /// A message, with the text of its newest edit; `None` if there is none with this number.
    async fn said_now(&mut self, message: u64) -> Result<Option<Said>, Refusal> {
        let read = self.ask_log(|log| log.read(message - 1, 1)).await.map_err(storage_unavailable)?;
        let record = read.into_iter().find(|record| record.seq == message);
        let Some(record) = record.filter(|record| record.body.said().is_some()) else { return Ok(None) };
        let edit = match self.state.annotations.edit(message) {
            Some(edit) => self.ask_log(|log| log.read(edit - 1, 1)).await.map_err(storage_unavailable)?,
            None => Vec::new(),
        };
        let edited = edit.into_iter().find_map(|edit| match edit.body {
            Body::Act(Act::Edit { message: of, text }) if of == message => Some(text),
            _ => None,
        });
        let said = record.body.said().map(|(name, text)| Said {
            by: record.author,
            name: name.as_str().to_owned(),
            text: edited.unwrap_or_else(|| text.to_owned()),
        });
        Ok(said)
    }

    /// The name of a guest: of one who is here or at another node, or as it was when they were last acted on.
    fn name_of(&self, guest: GuestId) -> Option<String> {
        let present = self.roster.guest(guest, None).map(|(known, _)| &known.name);
        let present = present.or_else(|| self.roster.name_elsewhere(guest));
        let of =
            |list: &[Restriction]| list.iter().find(|one| one.of == guest).and_then(|one| one.name.clone());
        present
            .map(|name| name.as_str().to_owned())
            .or_else(|| self.state.policy.name(guest).map(str::to_owned))
            .or_else(|| of(&self.state.banned))
            .or_else(|| of(&self.state.muted))
            .or_else(|| {
                let wanted = self.waiting.name(guest).filter(|name| self.roster.is_free(name, guest));
                wanted.map(|name| name.as_str().to_owned())
            })
    }

    /// Takes account of entries that the log has; what the acts among them do, by their numbers.
    pub(super) fn fold(&mut self, records: &[Record]) -> Vec<(u64, Effect)> {
        let mut effects = Vec::new();
        for record in records {
            let effect = self.state.apply(record);
            match record.body {
                Body::Act(_) | Body::Released { .. } => effects.push((record.seq, effect)),
                Body::Held { .. } => {
                    self.holding.held(record);
                    effects.push((record.seq, effect));
                }
                _ => {}
            }
        }
        if !effects.is_empty() {
            self.renew_policy();
        }
        if !self.state.reserved.is_same(self.roster.reserved()) {
            self.roster.set_reserved(self.state.reserved.clone());
            self.presence.forget_list();
        }
        effects
    }

    /// Does what follows at this node from acts that were published.
    pub(super) fn enforce_all(&mut self, records: &[Record], effects: &[(u64, Effect)]) {
        for (seq, effect) in effects.iter().filter(|(_, effect)| !effect.refused) {
            let record = records.iter().find(|record| record.seq == *seq);
            if let Some(record) = record
                && let Body::Act(act) = &record.body
            {
                self.enforce(record, act, &effect.put_out);
            }
        }
    }

    /// Does what follows at this node from an act that counts.
    fn enforce(&mut self, record: &Record, act: &Act, put_out: &[GuestId]) {
        match act {
            Act::Kick { target } => self.put_out(target.of, record.at, None),
            Act::Ban { target, .. } => {
                let others = put_out.iter().copied().filter(|guest| *guest != target.of);
                for guest in std::iter::once(target.of).chain(others) {
                    let circuit = self.circuit_of(guest);
                    self.put_out(guest, record.at, circuit);
                }
            }
            Act::Reject { target, seconds } => {
                let circuit = self.circuit_of(target.of).filter(|_| seconds.is_none());
                self.put_out(target.of, record.at, circuit);
            }
            Act::RevokeInvite { .. } => {
                let guests = put_out.iter().filter(|guest| self.state.role(**guest) == Role::Guest);
                let changes: Vec<_> =
                    guests.filter_map(|guest| self.roster.expel(*guest, &invitation_revoked())).collect();
                self.announce(&changes);
            }
            Act::Admit { target, .. } => {
                self.reserve_let_in(Some(target.of));
                self.strike_waiting(target.of);
            }
            Act::Approval { approval: false, .. } => {
                self.reserve_let_in(None);
                self.expire_waiting(Instant::now());
            }
            Act::Unban { .. } => self.admission.unblock(),
            Act::Cap { guests } => self.roster.set_cap(*guests),
            Act::Words { .. } => self.words = WordList::new(&self.state.words),
            _ => {}
        }
    }

    /// The circuit of a guest who is here or waits, unless it is one for clients that cannot be told apart.
    fn circuit_of(&self, guest: GuestId) -> Option<CircuitId> {
        let seated = self.roster.guest(guest, None).map(|(_, circuit)| circuit);
        seated.or_else(|| self.waiting.circuit(guest)).filter(|circuit| !circuit.is_shared())
    }

    /// Frees the seat of a guest who is banned, and those of all guests on this circuit, which is kept out.
    fn put_out(&mut self, guest: GuestId, at: u64, circuit: Option<CircuitId>) {
        let refusal = self.state.ban(guest, at).map_or_else(blocked, |ban| banned(ban, at));
        self.strike_waiting(guest);
        let mut changes: Vec<PresenceChange> = self.roster.expel(guest, &refusal).into_iter().collect();
        if let Some(circuit) = circuit {
            self.admission.block(circuit, Instant::now());
            for other in self.roster.guests_on(circuit) {
                if self.state.role(other) == Role::Guest {
                    changes.extend(self.roster.expel(other, &blocked()));
                }
            }
        }
        self.announce(&changes);
    }

    /// Checks whether a guest may say something now.
    pub(super) fn check_speech(&self, guest: GuestId, at: u64, now: Instant) -> Result<(), Refusal> {
        if let Some(mute) = self.state.mute(guest, at) {
            return Err(muted(mute, at));
        }
        match self.state.policy.slow {
            0 => Ok(()),
            _ if self.state.role(guest) > Role::Guest => Ok(()),
            slow => self.admission.check_speech(guest, slow, now),
        }
    }

    /// Notes that a guest has said something, where that counts.
    pub(super) fn note_speech(&mut self, guest: GuestId, now: Instant) {
        if self.state.policy.slow > 0 {
            self.admission.note_speech(guest, now);
        }
    }
}
