//! The actor and newcomers: who may come in, who waits, and what lets a guest in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RoomActor;
use crate::hub::admission::{banned, blocked, invitation_needed, locked, password_needed};
use crate::hub::command::{PublishBatch, not_seated, rate_limited, storage_unavailable};
use crate::hub::gate::{Entering, GateCommand, Step};
use crate::hub::pending::{PendingAppend, PendingPublish};
use crate::hub::reserving::identity_needed;
use crate::hub::speaker::Speaker;
use crate::hub::waiting::Keeper;
use crate::log::{Entry, Hurdle, LogError};
use crate::protocol::act::{LinkHash, Target};
use crate::protocol::entering::Proof;
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Act, Body, CircuitId, Code, GuestId, MessageId, Name, Refusal, Role, Token};

/// After how long a guest who waits is to ask again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl RoomActor {
    /// Does what is asked about newcomers.
    pub(super) async fn handle_gate(&mut self, command: GateCommand) {
        match command {
            GateCommand::Enter(entering, reply) => drop(reply.send(Ok(self.step(&entering)))),
            GateCommand::Append(author, act, reply) => self.append_admission(author, act, reply).await,
            GateCommand::List(guest, reply) => drop(reply.send(self.list_waiting(guest))),
            GateCommand::Waits(token, reply) => {
                let guest = token.guest(&self.identity.secret);
                drop(reply.send(Ok(self.waiting.has(guest).then_some(guest))));
            }
            GateCommand::Peek(token, circuit, reply) => drop(reply.send(self.peek(&token, circuit))),
            GateCommand::Role(guest, reply) => drop(reply.send(Ok(self.state.role(guest)))),
            GateCommand::Stands(act, reply) => drop(reply.send(Ok(self.state.stands(&act, self.clock())))),
            GateCommand::MayGovern(speaker, reply) => drop(reply.send(self.may_govern(speaker))),
        }
    }

    /// Checks whether a guest may come in, or back.
    fn check_admission(&self, guest: GuestId, circuit: CircuitId, keeps: bool) -> Result<(), Refusal> {
        let at = self.clock();
        if let Some(ban) = self.state.ban(guest, at) {
            return Err(banned(ban, at));
        }
        if self.roster.has(guest) || self.state.role(guest) > Role::Guest {
            return Ok(());
        }
        if self.admission.is_blocked(circuit, Instant::now()) {
            return Err(blocked());
        }
        if self.roster.name_elsewhere(guest).is_some() {
            return Ok(());
        }
        if self.state.policy.locked {
            return Err(locked());
        }
        let keeps = keeps || self.waiting.keeps(guest) || self.state.reserved.of(guest).is_some();
        if self.state.policy.identities_required && !keeps {
            return Err(identity_needed());
        }
        match self.state.hurdle(guest) {
            None => Ok(()),
            Some(Hurdle::Invitation) => Err(invitation_needed()),
            Some(Hurdle::Password) => Err(password_needed()),
            Some(Hurdle::Approval) => {
                let sentence = "A host or a moderator of this room has to let you in. Keep this open: it goes on by \
                                itself.";
                Err(Refusal::new(Code::Waiting, sentence).retry_after(ASK_AGAIN))
            }
        }
    }

    /// Lets a guest in, who `keeps` an identity or not, lists them among those who wait, or refuses them.
    pub(super) fn let_in(
        &mut self,
        guest: GuestId,
        circuit: CircuitId,
        name: Option<&Name>,
        keeps: bool,
    ) -> Result<(), Refusal> {
        let outcome = self.check_admission(guest, circuit, keeps);
        match &outcome {
            Err(Refusal { code: Code::Waiting, .. })
                if !self.waiting.ask(guest, circuit, name, Instant::now()) =>
            {
                let sentence =
                    "More guests wait to be let in than the room has places for. Ask again a little later.";
                return Err(Refusal::new(Code::Waiting, sentence).retry_after(4 * ASK_AGAIN));
            }
            Err(Refusal { code: Code::Waiting, .. }) if keeps => self.waiting.note_passphrase(guest),
            Err(Refusal { code: Code::Waiting, .. }) => {}
            _ => drop(self.waiting.remove(guest)),
        }
        self.notices.set_waiting(self.waiting.count());
        outcome
    }

    /// What is to be done before a guest joins who brings something.
    fn step(&self, entering: &Entering) -> Step {
        let guest = entering.token.guest(&self.identity.secret);
        let at = self.clock();
        if self.state.ban(guest, at).is_some() {
            return Step::Nothing;
        }
        if let Some(act) = entering.invite.as_ref().and_then(|hash| self.claim(guest, hash, entering)) {
            return Step::Append(guest, act);
        }
        let passes = self.roster.has(guest)
            || self.state.role(guest) > Role::Guest
            || self.roster.name_elsewhere(guest).is_some();
        if passes
            || self.state.policy.locked
            || self.admission.is_blocked(entering.circuit, Instant::now())
            || self.state.gate.admitted(guest).is_some_and(|by| by.is_lasting())
        {
            return Step::Nothing;
        }
        if let Some(hash) = &entering.invite {
            let proof = Proof::Invite(hash.clone());
            if self.state.gate.proves(&proof, at) {
                let target = Target { of: guest, name: None };
                return Step::Append(GuestId::ROOM, Act::Admit { target, by: Some(proof) });
            }
        }
        match (self.state.hurdle(guest), self.state.gate.password()) {
            (Some(Hurdle::Password), Some((hash, number))) if entering.password => {
                Step::Verify { guest, hash: hash.to_owned(), number }
            }
            _ => Step::Nothing,
        }
    }

    /// The act by which a guest uses a link that gives more of a role than they have.
    fn claim(&self, guest: GuestId, hash: &LinkHash, entering: &Entering) -> Option<Act> {
        let role = self.state.link(hash).filter(|role| *role > self.state.role(guest))?;
        let known = self.roster.guest(guest, None).map(|(known, _)| &known.name);
        let wanted = entering.name.as_ref().filter(|name| self.roster.is_free(name, guest));
        let name = known.or(wanted).map(|name| name.as_str().to_owned());
        Some(Act::Role { target: Target { of: guest, name }, role, link: Some(hash.clone()) })
    }

    async fn append_admission(&mut self, author: GuestId, act: Act, reply: oneshot::Sender<PublishBatch>) {
        let at = self.clock();
        let id = MessageId::random().map_err(|error| storage_unavailable(LogError(error.to_string())));
        match self.state.permit(author, &act, at).and(id) {
            Ok(id) => {
                let entry = Entry { at, author, id, body: Body::Act(act) };
                let request = PendingPublish { results: vec![Ok(0)], rate_limited: None, reply };
                self.append(PendingAppend { entries: vec![entry], requests: vec![request] }).await;
            }
            Err(refusal) => {
                let _ = reply.send(PublishBatch::refused(refusal));
            }
        }
    }

    fn list_waiting(&self, guest: Option<GuestId>) -> Result<Vec<WaitingGuest>, Refusal> {
        if guest.is_some_and(|guest| self.state.role(guest) < Role::Moderator) {
            let sentence = "Only a host or a moderator of this room can see who waits.";
            return Err(Refusal::new(Code::NotAllowed, sentence));
        }
        Ok(self.waiting.told(|name, guest| self.roster.is_free(name, guest), Instant::now()))
    }

    fn peek(&self, token: &Token, circuit: CircuitId) -> Result<Role, Refusal> {
        let guest = token.guest(&self.identity.secret);
        self.check_admission(guest, circuit, false)?;
        match self.roster.has_seat_for(guest, circuit) {
            true => Ok(self.state.role(guest)),
            false => Err(self.roster.full()),
        }
    }

    fn may_govern(&mut self, speaker: Option<Speaker>) -> Result<(), Refusal> {
        let Some(Speaker { guest, connection }) = speaker else { return Ok(()) };
        let (_, circuit) = self.roster.guest(guest, connection).ok_or_else(not_seated)?;
        if self.state.role(guest) < Role::Host {
            return Err(Refusal::new(Code::NotAllowed, "Only a host of this room can do that."));
        }
        self.budgets.charge_message(guest, circuit, 0, Instant::now()).map_err(rate_limited)
    }

    /// Reserves the name of a guest who waited with a passphrase and is let in, or of all who did: they come in with their token
    /// alone, which does not say that they are to keep it. Where it cannot be reserved they come in all the same.
    pub(super) fn reserve_let_in(&mut self, guest: Option<GuestId>) {
        let now = Instant::now();
        for (guest, Keeper { name, under, circuit }) in self.waiting.let_in(guest, now) {
            let text = |name: &Name| Some(name.as_str().to_owned());
            let act = Act::Reserve { name: text(&name), under: text(&under) };
            let at = self.clock();
            let may = self.roster.is_free(&name, guest)
                && self.check_words_in(guest, &name).is_ok()
                && self.state.permit(guest, &act, at).is_ok()
                && (self.state.reserved.keeps(guest, &name)
                    || self.reservation_limits.charge(circuit, now).is_ok());
            if let (true, Ok(id)) = (may, MessageId::random()) {
                let entry = Entry { at, author: guest, id, body: Body::Act(act) };
                let pending = PendingAppend { entries: vec![entry], requests: Vec::new() };
                match self.appends.is_full() {
                    true => self.backlog.extend(pending),
                    false => self.appends.begin(pending),
                }
            }
        }
    }

    /// Strikes a guest who was let in, turned away or banned from those who wait.
    pub(super) fn strike_waiting(&mut self, guest: GuestId) {
        if self.waiting.remove(guest) {
            self.notices.set_waiting(self.waiting.count());
        }
    }

    /// Forgets who does not ask any more, or need not.
    pub(super) fn expire_waiting(&mut self, now: Instant) {
        self.waiting.expire(now);
        if !self.state.policy.approval {
            self.waiting.clear();
        }
        self.notices.set_waiting(self.waiting.count());
    }

    /// The policy as guests are told it, after entries that may have changed it.
    pub(super) fn renew_policy(&mut self) {
        if *self.policy != self.state.policy {
            self.policy = Arc::new(self.state.policy.clone());
            self.shared.entrance.set(&self.policy);
        }
    }
}
