//! The owner of a room's order.
//!
//! One task takes what guests ask for. Messages are appended to the log first and published after, so nobody
//! sees a message that the log does not have; whatever waits is appended and published together.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::bell::Ringer;
use super::pace::{Pace, too_fast};
use super::presence::{Bounds, Here, Presence, Told};
use super::room::{Command, Entered, Said, Seat, Shared, Snapshot, Speaker, Spoken, Visit, closing};
use super::roster::{Arrival, News, Roster};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Appended, Entry, Identity, LogError, Span};
use crate::protocol::event::{Event, Kept};
use crate::protocol::{Code, Guest, GuestId, Hello, MAIN_ROOM, Message, Name, Refusal, Say, Token, Welcome};

/// How many requests are taken up together at most.
const BATCH: usize = 1024;

/// How often seats are looked at whose time may be over.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// How often what is no longer kept is removed from the log for good.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// Messages on their way into the log, and who waits for their numbers.
#[derive(Default)]
struct Messages {
    entries: Vec<Entry>,
    waiting: Vec<Waiting>,
}

/// Somebody who waits to hear what became of their messages. Each was either refused before, or is the next of
/// the entries.
struct Waiting {
    refused: Vec<Option<Refusal>>,
    not_yet: Option<(Vec<Say>, Duration)>,
    reply: oneshot::Sender<Spoken>,
}

/// The task that owns a room.
pub(super) struct Owner {
    shared: Arc<Shared>,
    roster: Roster,
    presence: Presence,
    /// How often the number of a crowd may be told.
    count_every: Duration,
    title: String,
    kept: Kept,
    identity: Identity,
    opened: Instant,
    /// Weak, so that the owner does not keep itself alive.
    seats: mpsc::WeakUnboundedSender<Command>,
    ringer: Ringer,
}

impl Owner {
    pub(super) fn new(
        settings: &RoomSettings,
        history: &HistorySettings,
        identity: Identity,
        shared: Arc<Shared>,
        bounds: Bounds,
        seats: mpsc::WeakUnboundedSender<Command>,
    ) -> Self {
        Self {
            ringer: Ringer::new(Arc::clone(&shared.bell)),
            shared,
            roster: Roster::new(settings.guests, settings.away, Pace::new(settings.messages_per_second)),
            presence: Presence::new(bounds),
            count_every: bounds.every,
            title: settings.title.clone(),
            kept: Kept { messages: history.messages, days: history.days },
            identity,
            opened: Instant::now(),
            seats,
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut commands = Vec::with_capacity(BATCH);
        let (mut expire, mut trim) = (interval(EXPIRE_EVERY), interval(TRIM_EVERY));
        let mut count = interval(self.count_every);
        count.set_missed_tick_behavior(MissedTickBehavior::Delay);
        expire.set_missed_tick_behavior(MissedTickBehavior::Delay);
        trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                taken = inbox.recv_many(&mut commands, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    self.obey_all(&mut commands).await;
                }
                _ = expire.tick() => {
                    let news = self.roster.expire(Instant::now());
                    self.tell(&news);
                }
                _ = count.tick(), if self.presence.is_due() => {
                    let here = self.presence.tell(&self.roster);
                    self.tell_here(&here);
                }
                _ = trim.tick() => self.trim().await,
                // Until those who were woken have had their turn, and the system was asked for what came in.
                () = yield_now(), if self.ringer.is_due() => {}
            }
            self.ringer.announce(self.position());
            self.ringer.call_some();
        }
    }

    async fn obey_all(&mut self, commands: &mut Vec<Command>) {
        let mut messages = Messages::default();
        for command in commands.drain(..) {
            if let Command::Say(speaker, says, reply) = command {
                self.take(speaker, says, reply, &mut messages);
            } else {
                // What was said before somebody came or left stands before it.
                self.append(std::mem::take(&mut messages)).await;
                self.obey(command).await;
            }
        }
        self.append(messages).await;
    }

    fn take(
        &mut self,
        speaker: Speaker,
        says: Vec<Say>,
        reply: oneshot::Sender<Spoken>,
        messages: &mut Messages,
    ) {
        let (at, now) = (self.clock(), Instant::now());
        let (mut says, mut refused, mut not_yet) = (says.into_iter(), Vec::new(), None);
        while let Some(say) = says.next() {
            match self.roster.charge(speaker.guest, speaker.connection, now) {
                Some(Ok(Guest { id, name, .. })) => {
                    let (guest, name) = (*id, name.clone());
                    messages.entries.push(Entry { at, guest, name, id: say.id, text: say.text });
                    refused.push(None);
                }
                Some(Err(wait)) => not_yet = Some((std::iter::once(say).chain(&mut says).collect(), wait)),
                None => refused.push(Some(taken_over())),
            }
        }
        messages.waiting.push(Waiting { refused, not_yet, reply });
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Enter(hello, reply) => {
                // If the asker is gone, the seat inside the answer is dropped and frees itself.
                let _ = reply.send(self.enter(hello).await);
            }
            Command::Visit(hello, reply) => {
                let _ = reply.send(self.visit(hello).await);
            }
            Command::Show(hello, reply) => {
                let _ = reply.send(self.show(hello).await);
            }
            Command::Keep(token, reply) => {
                let _ = reply.send(self.keep(token).await);
            }
            Command::Rename(speaker, name, reply) => {
                let _ = reply.send(self.rename(speaker, name));
            }
            Command::Leave(Speaker { guest, connection }) => {
                let news = self.roster.leave(guest, connection);
                self.tell(news.as_slice());
            }
            Command::Drop(guest, connection) => {
                let news = self.roster.drop_connection(guest, connection, Instant::now());
                self.tell(news.as_slice());
            }
            Command::Snapshot(reply) => {
                let _ = reply.send(self.snapshot().await.map_err(not_kept));
            }
            Command::Say(..) => {}
        }
    }

    async fn enter(&mut self, hello: Hello) -> Result<Entered, Refusal> {
        let (span, token) = self.prepare(&hello).await?;
        let Some(commands) = self.seats.upgrade() else {
            return Err(closing());
        };
        let guest = token.guest(&self.identity.secret);
        self.charge_rename(guest, hello.name.as_ref())?;
        let (arrival, attached) = self.roster.enter(guest, hello.name)?;
        self.tell(&arrival.news);
        let seat = Seat {
            guest: arrival.guest.id,
            connection: attached.connection,
            replaced: attached.replaced,
            commands,
        };
        // The position after the news: who comes in knows from the welcome that they are here.
        Ok(Entered { welcome: self.welcome(arrival, token, span), seat, position: self.position() })
    }

    async fn visit(&mut self, hello: Hello) -> Result<Visit, Refusal> {
        let (span, token) = self.prepare(&hello).await?;
        let guest = token.guest(&self.identity.secret);
        self.charge_rename(guest, hello.name.as_ref())?;
        let arrival = self.roster.visit(guest, hello.name, Instant::now())?;
        self.tell(&arrival.news);
        Ok(Visit { welcome: self.welcome(arrival, token, span), position: self.position() })
    }

    async fn show(&mut self, hello: Hello) -> Result<Visit, Refusal> {
        let mut visit = self.visit(hello).await?;
        visit.welcome.guests = self.presence.everybody(&self.roster);
        Ok(visit)
    }

    async fn keep(&mut self, token: Token) -> Result<Option<Visit>, Refusal> {
        if self.roster.guest(token.guest(&self.identity.secret), None).is_none() {
            return Ok(None);
        }
        self.visit(Hello { token: Some(token), ..Hello::default() }).await.map(Some)
    }

    async fn prepare(&self, hello: &Hello) -> Result<(Span, Token), Refusal> {
        let span = self.shared.log.span().await.map_err(not_kept)?;
        let token = match &hello.token {
            Some(token) => token.clone(),
            None => Token::random().map_err(|error| not_kept(LogError(error.to_string())))?,
        };
        Ok((span, token))
    }

    fn welcome(&mut self, arrival: Arrival, token: Token, span: Span) -> Welcome {
        Welcome {
            resumed: !arrival.news.contains(&News::Joined(arrival.guest.clone())),
            guests: self.presence.around(&arrival.guest, &self.roster),
            count: self.roster.count(),
            guest: arrival.guest,
            token,
            room: MAIN_ROOM.to_owned(),
            title: self.title.clone(),
            epoch: self.identity.epoch.clone(),
            head: span.head,
            first: span.first,
            clock: self.clock(),
            limits: self.shared.limits,
            kept: self.kept,
        }
    }

    fn rename(&mut self, speaker: Speaker, name: Name) -> Result<Option<String>, Refusal> {
        if self.roster.guest(speaker.guest, speaker.connection).is_none() {
            return Err(taken_over());
        }
        self.charge_rename(speaker.guest, Some(&name))?;
        let news = self.roster.rename(speaker.guest, name)?;
        let everyone = self.tell(news.as_slice());
        Ok(news.filter(|_| !everyone).map(|news| news.event(self.clock()).encode()))
    }

    /// Another name is told to everyone, whichever way it is asked for.
    fn charge_rename(&mut self, guest: GuestId, name: Option<&Name>) -> Result<(), Refusal> {
        name.map_or(Ok(()), |name| self.roster.charge_rename(guest, name, Instant::now())).map_err(too_fast)
    }

    async fn snapshot(&mut self) -> Result<Snapshot, LogError> {
        let span = self.shared.log.span().await?;
        Ok(Snapshot { here: self.presence.here(&self.roster), position: self.position(), span })
    }

    async fn append(&mut self, messages: Messages) {
        let Messages { entries, waiting } = messages;
        if waiting.is_empty() {
            return;
        }
        let appended = match entries.is_empty() {
            true => Ok(Vec::new()),
            false => self.append_entries(entries).await,
        };
        match appended {
            Ok(appended) => {
                self.publish_all(appended.iter().filter_map(Appended::message));
                let mut numbers = appended.iter().map(|appended| Ok(appended.seq()));
                answer(waiting, || numbers.next().unwrap_or_else(|| Err(closing())));
            }
            Err(error) => {
                tracing::error!(%error, "messages were refused because they could not be written down");
                answer(waiting, || Err(not_kept(error.clone())));
            }
        }
    }

    /// While the log writes, those who are to be woken still are.
    async fn append_entries(&mut self, entries: Vec<Entry>) -> Result<Vec<Appended>, LogError> {
        let shared = Arc::clone(&self.shared);
        let mut appended = shared.log.append(entries);
        loop {
            tokio::select! {
                biased;
                appended = &mut appended => return appended,
                () = yield_now(), if self.ringer.is_due() => self.ringer.call_some(),
            }
        }
    }

    fn publish_all<'a>(&self, messages: impl Iterator<Item = &'a Message>) {
        // Encoded before, so that nobody who reads waits for it.
        let encoded: Vec<_> = messages.map(|message| (message.event().encode(), message.seq)).collect();
        let mut ring = self.shared.ring.write().unwrap_or_else(PoisonError::into_inner);
        encoded.iter().for_each(|(json, seq)| ring.push(json, *seq));
    }

    async fn trim(&self) {
        if let Err(error) = self.shared.log.trim(self.clock()).await {
            tracing::error!(%error, "old messages could not be removed");
        }
    }

    /// Tells everyone, or the number of a crowd later; whether the news itself was told.
    fn tell(&mut self, news: &[News]) -> bool {
        match self.presence.note(news, &self.roster) {
            Told::News => {
                let at = self.clock();
                news.iter().for_each(|news| self.publish(&news.event(at)));
                return true;
            }
            Told::Here(here) => self.tell_here(&here),
            Told::Later => {}
        }
        false
    }

    fn tell_here(&self, here: &Here) {
        self.publish(&here.event());
    }

    fn publish(&self, event: &Event<'_>) {
        let json = event.encode();
        self.shared.ring.write().unwrap_or_else(PoisonError::into_inner).push(&json, 0);
    }

    fn position(&self) -> u64 {
        self.shared.ring.read().unwrap_or_else(PoisonError::into_inner).head()
    }

    fn clock(&self) -> u64 {
        self.identity.clock + self.opened.elapsed().as_secs()
    }
}

/// Tells everyone who waits; `number` is called for each message that was not refused before, in their order.
fn answer(waiting: Vec<Waiting>, mut number: impl FnMut() -> Said) {
    for Waiting { refused, not_yet, reply } in waiting {
        let said = refused.into_iter().map(|refused| refused.map_or_else(&mut number, Err)).collect();
        let _ = reply.send(Spoken { said, not_yet });
    }
}

fn not_kept(error: LogError) -> Refusal {
    tracing::debug!(%error, "a request was refused");
    Refusal::new(
        Code::NotKept,
        "The room cannot write messages down at the moment. Try again a little later.",
    )
}

fn taken_over() -> Refusal {
    Refusal::new(Code::TakenOver, "This guest is now connected elsewhere.")
}
