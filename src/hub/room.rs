//! The owner of a room's order.
//!
//! One task takes what guests ask for. Messages are appended to the log first and published after, so nobody
//! sees a message that the log does not have; whatever waits is appended and published together, with one
//! wake-up for everyone.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ring::{RING_BYTES, Ring};
use super::roster::{How, Roster};
use crate::config::RoomSettings;
use crate::log::{Appended, Entry, Log, LogError, Span};
use crate::protocol::event::{Event, Limits};
use crate::protocol::name::NAME_CHARACTERS_MAX;
use crate::protocol::{Code, Guest, GuestId, Hello, MAIN_ROOM, Name, Refusal, Say, Token, Welcome};

/// How many requests are taken up together at most.
const BATCH: usize = 256;

/// The way into a room; cheap to clone. The room ends when the last one is gone.
#[derive(Clone)]
pub struct Room {
    // Not bounded by itself: a guest has at most one request under way, and guests are bounded.
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
}

/// What readers see without asking the owner.
pub(super) struct Shared {
    pub(super) ring: RwLock<Ring>,
    pub(super) published: watch::Sender<u64>,
    pub(super) log: Arc<dyn Log>,
    pub(super) limits: Limits,
}

/// A guest's place in the room; dropping it frees the seat.
pub struct Seat {
    guest: GuestId,
    connection: u64,
    replaced: CancellationToken,
    commands: mpsc::UnboundedSender<Command>,
}

/// What a guest who came in gets.
pub struct Entered {
    /// For the guest.
    pub welcome: Welcome,
    /// The seat, to be held for as long as they stay.
    pub seat: Seat,
    /// Where the events after the welcome begin.
    pub(super) position: u64,
}

/// The state of the room at one point of its order.
pub(super) struct Snapshot {
    pub(super) guests: Vec<Guest>,
    pub(super) position: u64,
    pub(super) span: Span,
}

enum Command {
    Enter(Hello, oneshot::Sender<Result<Entered, Refusal>>),
    Say(GuestId, u64, Say, oneshot::Sender<Result<u64, Refusal>>),
    Rename(GuestId, u64, Name, oneshot::Sender<Result<(), Refusal>>),
    Leave(GuestId, u64),
    Snapshot(oneshot::Sender<Result<Snapshot, Refusal>>),
}

impl Room {
    /// Opens a room and starts its owner, which ends when every [`Room`] and [`Seat`] is gone.
    ///
    /// # Errors
    /// The operating system has no randomness for the room's secret.
    pub fn open(settings: &RoomSettings, log: Arc<dyn Log>) -> Result<Self, getrandom::Error> {
        Self::open_with_ring(settings, log, Ring::new(RING_BYTES))
    }

    pub(super) fn open_with_ring(
        settings: &RoomSettings,
        log: Arc<dyn Log>,
        ring: Ring,
    ) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let limits = Limits {
            message_bytes: settings.message_bytes,
            name_characters: NAME_CHARACTERS_MAX,
            guests: settings.guests,
        };
        let shared =
            Arc::new(Shared { ring: RwLock::new(ring), published: watch::Sender::new(0), log, limits });
        let (commands, inbox) = mpsc::unbounded_channel();
        let owner = Owner {
            shared: Arc::clone(&shared),
            roster: Roster::new(settings.guests),
            title: settings.title.clone(),
            epoch: format!("{:016x}", getrandom::u64()?),
            secret,
            opened: Instant::now(),
            seats: commands.downgrade(),
        };
        tokio::spawn(owner.run(inbox));
        Ok(Self { commands, shared })
    }

    /// What the room allows.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Takes a seat.
    ///
    /// # Errors
    /// `unknown_room`, `name_taken`, `room_full`, or `not_kept` when the log fails.
    pub async fn enter(&self, hello: Hello) -> Result<Entered, Refusal> {
        if let Some(room) = hello.room.as_deref().filter(|room| *room != MAIN_ROOM) {
            let shown: String = room.chars().take(40).collect();
            return Err(Refusal::new(
                Code::UnknownRoom,
                format!("There is no room {shown:?} here; the one there is is called {MAIN_ROOM:?}."),
            ));
        }
        self.ask(|reply| Command::Enter(hello, reply)).await
    }

    /// Says something; answers with its sequence number once the log has it.
    ///
    /// # Errors
    /// `taken_over` if the seat now belongs to another connection, `not_kept` when the log fails.
    pub async fn say(&self, seat: &Seat, say: Say) -> Result<u64, Refusal> {
        let id = say.id.clone();
        self.ask(|reply| Command::Say(seat.guest, seat.connection, say, reply))
            .await
            .map_err(|refusal| refusal.about(Some(id)))
    }

    /// Changes the guest's name.
    ///
    /// # Errors
    /// `name_taken`, or `taken_over` if the seat now belongs to another connection.
    pub async fn rename(&self, seat: &Seat, name: Name) -> Result<(), Refusal> {
        self.ask(|reply| Command::Rename(seat.guest, seat.connection, name, reply)).await
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, Refusal> {
        self.ask(Command::Snapshot).await
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(command(reply));
        answer.await.unwrap_or_else(|_| Err(Refusal::new(Code::NotKept, "The room is closing.")))
    }
}

impl Seat {
    /// Who sits here.
    pub fn guest(&self) -> GuestId {
        self.guest
    }

    /// Completes when another connection has taken the seat over.
    pub async fn replaced(&self) {
        self.replaced.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Leave(self.guest, self.connection));
    }
}

/// A message on its way into the log, and who waits for its number.
type Waiting = (Entry, oneshot::Sender<Result<u64, Refusal>>);

struct Owner {
    shared: Arc<Shared>,
    roster: Roster,
    title: String,
    epoch: String,
    secret: [u8; 32],
    opened: Instant,
    /// Weak, so that the owner does not keep itself alive.
    seats: mpsc::WeakUnboundedSender<Command>,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut commands = Vec::with_capacity(BATCH);
        while inbox.recv_many(&mut commands, BATCH).await > 0 {
            let mut messages = Vec::new();
            for command in commands.drain(..) {
                if let Command::Say(guest, connection, say, reply) = command {
                    match self.entry(guest, connection, say) {
                        Ok(entry) => messages.push((entry, reply)),
                        Err(refusal) => drop(reply.send(Err(refusal))),
                    }
                } else {
                    // What was said before somebody came or left stands before it.
                    self.append(std::mem::take(&mut messages)).await;
                    self.obey(command).await;
                }
            }
            self.append(messages).await;
            self.wake();
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Enter(hello, reply) => {
                // If the asker is gone, the seat inside the answer is dropped and frees itself.
                let _ = reply.send(self.enter(hello).await);
            }
            Command::Rename(guest, connection, name, reply) => {
                let _ = reply.send(self.rename(guest, connection, name));
            }
            Command::Leave(guest, connection) => {
                if let Some(guest) = self.roster.leave(guest, connection) {
                    self.publish(&Event::Left { guest: &guest, at: self.clock() }, 0);
                }
            }
            Command::Snapshot(reply) => {
                let _ = reply.send(self.snapshot().await.map_err(not_kept));
            }
            Command::Say(..) => {}
        }
    }

    async fn enter(&mut self, hello: Hello) -> Result<Entered, Refusal> {
        let span = self.shared.log.span().await.map_err(not_kept)?;
        let Some(commands) = self.seats.upgrade() else {
            return Err(Refusal::new(Code::NotKept, "The room is closing."));
        };
        let token = match hello.token {
            Some(token) => token,
            None => Token::random().map_err(|error| not_kept(LogError(error.to_string())))?,
        };
        let arrival = self.roster.enter(token.guest(&self.secret), hello.name)?;
        let at = self.clock();
        match &arrival.how {
            How::Joined => self.publish(&Event::Joined { guest: &arrival.guest, at }, 0),
            How::ResumedAs(was) => self.publish(&Event::Renamed { guest: &arrival.guest, was, at }, 0),
            How::Resumed => {}
        }
        let seat = Seat {
            guest: arrival.guest.id,
            connection: arrival.connection,
            replaced: arrival.replaced,
            commands,
        };
        let welcome = Welcome {
            guest: arrival.guest,
            token,
            resumed: arrival.how != How::Joined,
            room: MAIN_ROOM.to_owned(),
            title: self.title.clone(),
            epoch: self.epoch.clone(),
            guests: self.roster.guests(),
            head: span.head,
            first: span.first,
            clock: at,
            limits: self.shared.limits,
        };
        // After the joined event: who comes in knows from the welcome that they are here.
        Ok(Entered { welcome, seat, position: self.position() })
    }

    fn rename(&mut self, guest: GuestId, connection: u64, name: Name) -> Result<(), Refusal> {
        if self.roster.guest(guest, connection).is_none() {
            return Err(taken_over());
        }
        if let Some(was) = self.roster.rename(guest, name)? {
            let now = self.roster.guest(guest, connection).cloned().ok_or_else(taken_over)?;
            self.publish(&Event::Renamed { guest: &now, was: &was, at: self.clock() }, 0);
        }
        Ok(())
    }

    async fn snapshot(&mut self) -> Result<Snapshot, LogError> {
        let span = self.shared.log.span().await?;
        Ok(Snapshot { guests: self.roster.guests(), position: self.position(), span })
    }

    fn entry(&mut self, guest: GuestId, connection: u64, say: Say) -> Result<Entry, Refusal> {
        let at = self.clock();
        let guest = self.roster.guest(guest, connection).ok_or_else(taken_over)?;
        Ok(Entry { at, guest: guest.id, name: guest.name.clone(), id: say.id, text: say.text })
    }

    async fn append(&mut self, messages: Vec<Waiting>) {
        if messages.is_empty() {
            return;
        }
        let (entries, replies): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        match self.shared.log.append(entries).await {
            Ok(appended) => {
                for (appended, reply) in appended.into_iter().zip(replies) {
                    let seq = match appended {
                        Appended::New(message) => {
                            self.publish(&message.event(), message.seq);
                            message.seq
                        }
                        Appended::Before(seq) => seq,
                    };
                    let _ = reply.send(Ok(seq));
                }
            }
            Err(error) => {
                tracing::error!(%error, "messages were refused because they could not be written down");
                for reply in replies {
                    let _ = reply.send(Err(not_kept(error.clone())));
                }
            }
        }
    }

    fn publish(&self, event: &Event<'_>, seq: u64) {
        let json = event.encode();
        self.shared.ring.write().unwrap_or_else(PoisonError::into_inner).push(&json, seq);
    }

    fn position(&self) -> u64 {
        self.shared.ring.read().unwrap_or_else(PoisonError::into_inner).head()
    }

    fn wake(&self) {
        let position = self.position();
        self.shared
            .published
            .send_if_modified(|published| std::mem::replace(published, position) != position);
    }

    fn clock(&self) -> u64 {
        self.opened.elapsed().as_secs()
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
