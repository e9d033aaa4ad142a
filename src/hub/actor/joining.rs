//! How guests get their seats and names.

use std::sync::Arc;

use tokio::time::Instant;

use super::RoomActor;
use crate::hub::command::{
    Join, Seat, StatelessJoin, closing, not_seated, rate_limited, storage_unavailable,
};
use crate::hub::pending::PendingAppend;
use crate::hub::reserving::check_reserved;
use crate::hub::roster::change::{Arrival, ClaimedName, PresenceChange, Wanted};
use crate::hub::speaker::Speaker;
use crate::log::{Entry, LogError, Span};
use crate::protocol::{Act, Body, CircuitId, GuestId, Hello, MessageId, Name, Refusal, Token, Welcome};

impl RoomActor {
    /// Joins a guest on a connection. With a claim, the request was charged when the claim was asked for.
    pub(super) async fn join(
        &mut self,
        hello: Hello,
        circuit: CircuitId,
        claimed: Option<ClaimedName>,
    ) -> Result<Join, Refusal> {
        let known = hello.token.as_ref().map(|token| token.guest(&self.identity.secret));
        if claimed.is_none() && !known.is_some_and(|guest| self.waiting.has(guest)) {
            self.charge_join(circuit)?;
        }
        let (span, token) = self.prepare(&hello).await?;
        let Some(commands) = self.seats.upgrade() else {
            return Err(closing());
        };
        let guest = token.guest(&self.identity.secret);
        self.let_in(guest, circuit, hello.name.as_ref(), hello.keeps)?;
        let name = hello.name.or_else(|| self.own_name(guest));
        let wanted = self.wanted(guest, name, claimed, hello.keeps)?;
        let wanted = Wanted { name: wanted, language: hello.language };
        let (arrival, connection) = self.roster.join(guest, wanted, circuit)?;
        self.budgets.begin(guest, Instant::now());
        self.announce(&arrival.changes);
        let seat =
            Seat { guest: arrival.guest.id, connection: connection.number, loss: connection.loss, commands };
        // The position after the guest's own arrival, which the welcome tells them already.
        let mailbox = self.roster.mailbox(guest).ok_or_else(not_seated)?;
        Ok(Join {
            welcome: self.welcome(arrival, token, span),
            seat,
            position: self.shared.position(),
            mailbox,
        })
    }

    pub(super) async fn join_stateless(
        &mut self,
        hello: Hello,
        circuit: CircuitId,
        claimed: Option<ClaimedName>,
    ) -> Result<StatelessJoin, Refusal> {
        let known = hello.token.as_ref().map(|token| token.guest(&self.identity.secret));
        let is_free = |guest| self.roster.has(guest) || self.waiting.has(guest);
        if claimed.is_none() && !known.is_some_and(is_free) {
            self.charge_join(circuit)?;
        }
        let (span, token) = self.prepare(&hello).await?;
        let guest = token.guest(&self.identity.secret);
        self.let_in(guest, circuit, hello.name.as_ref(), hello.keeps)?;
        let name = hello.name.or_else(|| self.own_name(guest));
        let wanted = self.wanted(guest, name, claimed, hello.keeps)?;
        let wanted = Wanted { name: wanted, language: hello.language };
        let arrival = self.roster.join_stateless(guest, wanted, circuit, Instant::now())?;
        self.budgets.begin(guest, Instant::now());
        self.announce(&arrival.changes);
        let mailbox = self.roster.mailbox(guest).ok_or_else(not_seated)?;
        Ok(StatelessJoin {
            welcome: self.welcome(arrival, token, span),
            position: self.shared.position(),
            mailbox,
        })
    }

    pub(super) async fn members(
        &mut self,
        hello: Hello,
        circuit: CircuitId,
        claimed: Option<ClaimedName>,
    ) -> Result<StatelessJoin, Refusal> {
        let mut join = self.join_stateless(hello, circuit, claimed).await?;
        join.welcome.guests = self.presence.all(&self.roster);
        Ok(join)
    }

    pub(super) async fn touch(
        &mut self,
        token: Token,
        circuit: CircuitId,
    ) -> Result<Option<StatelessJoin>, Refusal> {
        if self.roster.guest(token.guest(&self.identity.secret), None).is_none() {
            return Ok(None);
        }
        self.join_stateless(Hello { token: Some(token), ..Hello::default() }, circuit, None).await.map(Some)
    }

    /// The name that a guest is to get: the one that was claimed for them, or else what they ask for, which is charged.
    fn wanted(
        &mut self,
        guest: GuestId,
        name: Option<Name>,
        claimed: Option<ClaimedName>,
        keeps: bool,
    ) -> Result<Option<ClaimedName>, Refusal> {
        if claimed.is_none() {
            self.charge_rename(guest, name.as_ref())?;
        }
        let wanted = claimed.or(name.map(|name| ClaimedName { name, claim: None }));
        if let Some(ClaimedName { name, .. }) = &wanted {
            self.check_reserved(name, guest, keeps)?;
        }
        Ok(wanted)
    }

    /// The name that is reserved for a guest who comes in and asks for none, if it is free.
    pub(super) fn own_name(&self, guest: GuestId) -> Option<Name> {
        let own = self.state.reserved.of(guest).filter(|_| !self.roster.has(guest))?;
        self.roster.is_free(&own.name, guest).then(|| own.name.clone())
    }

    /// Checks whether a guest may have this name, as far as names are reserved. Who has it already keeps it.
    pub(super) fn check_reserved(&self, name: &Name, guest: GuestId, keeps: bool) -> Result<(), Refusal> {
        match self.roster.guest(guest, None) {
            Some((known, _)) if known.name == *name => Ok(()),
            _ => check_reserved(self.roster.reserved(), name, guest, keeps),
        }
    }

    /// Notes in the log that the guest has used their reserved name, at most once a day.
    pub(super) async fn note_use(&mut self, guest: Option<GuestId>) {
        let Some(guest) = guest else { return };
        let at = self.clock();
        if !self.state.reserved.is_use_due(guest, at) || !self.uses.insert(guest) {
            return;
        }
        let (Some(own), Ok(id)) = (self.state.reserved.of(guest), MessageId::random()) else { return };
        let act = Act::Reserve { name: Some(own.name.as_str().to_owned()), under: None };
        let entry = Entry { at, author: guest, id, body: Body::Act(act) };
        self.append(PendingAppend { entries: vec![entry], requests: Vec::new() }).await;
    }

    async fn prepare(&mut self, hello: &Hello) -> Result<(Span, Token), Refusal> {
        let span = self.span().await.map_err(storage_unavailable)?;
        let token = match &hello.token {
            Some(token) => token.clone(),
            None => Token::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?,
        };
        Ok((span, token))
    }

    fn welcome(&mut self, arrival: Arrival, token: Token, span: Span) -> Welcome {
        Welcome {
            resumed: !arrival.changes.contains(&PresenceChange::Joined(arrival.guest.clone())),
            guests: self.presence.visible_to(&arrival.guest, &self.roster),
            count: self.roster.count(),
            guest: arrival.guest,
            token,
            room: self.shared.facts.name().to_owned(),
            title: self.state.title.clone(),
            epochs: Arc::clone(&self.identity.epochs),
            cursor: None,
            head: span.head,
            said: self.state.said(span.head),
            first: span.first,
            after: None,
            clock: self.clock(),
            limits: self.shared.limits,
            kept: self.kept,
            doors: Arc::clone(self.notices.doors()),
            storage_available: self.notices.can_write(),
            waiting: self.waiting.count(),
            replaced: self.state.annotations.replaced_since(span.first),
            policy: Arc::clone(&self.policy),
            rooms: Arc::clone(&self.rooms),
        }
    }

    pub(super) fn rename(
        &mut self,
        speaker: Speaker,
        name: Name,
        claimed: Option<ClaimedName>,
    ) -> Result<Option<String>, Refusal> {
        if self.roster.guest(speaker.guest, speaker.connection).is_none() {
            return Err(not_seated());
        }
        let Some(wanted) = self.wanted(speaker.guest, Some(name), claimed, false)? else { return Ok(None) };
        let change = self.roster.rename(speaker.guest, wanted)?;
        let told_to_all = self.announce(change.as_slice());
        Ok(change.filter(|_| !told_to_all).map(|change| change.event(self.clock()).encode()))
    }

    /// Charges a join to the circuit, before anything is done for it.
    pub(super) fn charge_join(&mut self, circuit: CircuitId) -> Result<(), Refusal> {
        self.budgets.charge_join(circuit, Instant::now()).map_err(rate_limited)
    }

    /// A change of name is told to all, so it is charged as a message, whichever way it is asked for and whether the name
    /// is free or not. What is kept out is not told as a name either.
    pub(super) fn charge_rename(&mut self, guest: GuestId, name: Option<&Name>) -> Result<(), Refusal> {
        match (self.roster.guest(guest, None), name) {
            (Some((known, circuit)), Some(name)) if known.name != *name => {
                self.budgets.charge_message(guest, circuit, 0, Instant::now()).map_err(rate_limited)?;
                self.check_words_in(guest, name)
            }
            (None, Some(name)) => self.check_words_in(guest, name),
            _ => Ok(()),
        }
    }
}
