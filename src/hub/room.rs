//! The way into a room: what a guest can ask for, and the seat they hold.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::bell::Bell;
use super::owner::Owner;
use super::pace::too_fast;
use super::presence::{Bounds, Here};
use super::ring::{RING_BYTES, Ring};
use super::roster::visit_grace;
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, LogError, Span};
use crate::protocol::event::Limits;
use crate::protocol::name::NAME_CHARACTERS_MAX;
use crate::protocol::{Code, GuestId, Hello, MAIN_ROOM, Name, Refusal, Say, Token, Welcome};

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
    pub(super) bell: Arc<Bell>,
    pub(super) log: Arc<dyn Log>,
    pub(super) limits: Limits,
    pub(super) visit_grace: Duration,
}

/// A guest's place in the room. Dropping it is a connection that broke: the seat is kept for the grace time.
pub struct Seat {
    pub(super) guest: GuestId,
    pub(super) connection: u64,
    pub(super) replaced: CancellationToken,
    pub(super) commands: mpsc::UnboundedSender<Command>,
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
    pub(super) here: Here,
    pub(super) position: u64,
    pub(super) span: Span,
}

/// Somebody who comes with single requests and holds no connection.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Who they are, and the state of the room.
    pub welcome: Welcome,
    /// Where the events after the welcome begin.
    pub(super) position: u64,
}

/// Who speaks: a guest, and the connection if they do so on one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    pub(super) guest: GuestId,
    pub(super) connection: Option<u64>,
}

/// What the owner is asked for.
pub(super) enum Command {
    Enter(Hello, Reply<Entered>),
    Visit(Hello, Reply<Visit>),
    Show(Hello, Reply<Visit>),
    Keep(Token, Reply<Option<Visit>>),
    Say(Speaker, Vec<Say>, oneshot::Sender<Spoken>),
    Rename(Speaker, Name, Reply<Option<String>>),
    Leave(Speaker),
    Drop(GuestId, u64),
    Snapshot(Reply<Snapshot>),
}

/// What became of one message: its sequence number once the log has it.
pub type Said = Result<u64, Refusal>;

/// What became of messages that were to be said together.
#[derive(Debug, Default)]
pub struct Spoken {
    /// What became of the first of them.
    pub said: Vec<Said>,
    /// The others, if there are any, given back: it is not this guest's turn for so long.
    pub not_yet: Option<(Vec<Say>, Duration)>,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

impl Room {
    /// Opens a room and starts its owner, which ends when every [`Room`] and [`Seat`] is gone.
    ///
    /// # Errors
    /// The log cannot say what it is.
    pub async fn open(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
    ) -> Result<Self, LogError> {
        Self::open_with(settings, history, log, Ring::new(RING_BYTES), Bounds::default()).await
    }

    pub(super) async fn open_with(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
        mut ring: Ring,
        bounds: Bounds,
    ) -> Result<Self, LogError> {
        let limits = Limits {
            message_bytes: settings.message_bytes,
            name_characters: NAME_CHARACTERS_MAX,
            guests: settings.guests,
        };
        let identity = log.identity().await?;
        // What was said before a restart is in the log alone.
        ring.begin_after(log.span().await?.head);
        let (ring, bell) = (RwLock::new(ring), Arc::default());
        let visit_grace = visit_grace(settings.away);
        let shared = Arc::new(Shared { ring, bell, log, limits, visit_grace });
        let (commands, inbox) = mpsc::unbounded_channel();
        let owner =
            Owner::new(settings, history, identity, Arc::clone(&shared), bounds, commands.downgrade());
        tokio::spawn(owner.run(inbox));
        Ok(Self { commands, shared })
    }

    /// What the room allows.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// How long a [visit](Room::visit) keeps the seat.
    pub fn visit_grace(&self) -> Duration {
        self.shared.visit_grace
    }

    /// Whether this is the name of a room that is here.
    ///
    /// # Errors
    /// `unknown_room`, naming the one there is.
    pub fn check_name(&self, name: &str) -> Result<(), Refusal> {
        known(Some(name))
    }

    /// Takes a seat for a connection.
    ///
    /// # Errors
    /// `unknown_room`, `name_taken`, `room_full`, `not_kept` when the log fails, or `too_fast` if whoever comes back
    /// wants another name and has used up what they may say.
    pub async fn enter(&self, hello: Hello) -> Result<Entered, Refusal> {
        known(hello.room.as_deref())?;
        self.ask(|reply| Command::Enter(hello, reply)).await
    }

    /// Takes a seat, or keeps the one there is, for a single request; it is kept for the grace time after.
    ///
    /// # Errors
    /// As [`Room::enter`].
    pub async fn visit(&self, hello: Hello) -> Result<Visit, Refusal> {
        known(hello.room.as_deref())?;
        self.ask(|reply| Command::Visit(hello, reply)).await
    }

    /// The same for somebody who wants to know who is here: the welcome names everybody, also in a crowd.
    ///
    /// # Errors
    /// As [`Room::enter`].
    pub async fn show(&self, hello: Hello) -> Result<Visit, Refusal> {
        known(hello.room.as_deref())?;
        self.ask(|reply| Command::Show(hello, reply)).await
    }

    /// Keeps the seat that an earlier visit took for another grace time; `None` if there is none any more.
    ///
    /// # Errors
    /// `not_kept` when the log fails.
    pub async fn keep(&self, token: &Token) -> Result<Option<Visit>, Refusal> {
        self.ask(|reply| Command::Keep(token.clone(), reply)).await
    }

    /// Says something; answers with its sequence number once the log has it.
    ///
    /// # Errors
    /// `taken_over` if the seat now belongs to another connection, `not_kept` when the log fails, `too_fast` with
    /// how long to wait if this guest has said as much as one may.
    pub async fn say(&self, seat: &Seat, say: Say) -> Said {
        self.say_as(seat.speaker(), say).await
    }

    /// Says several things in their order, as one request to the room; answers as [`Room::say`] for each, but gives
    /// back what it is not the guest's turn for. What is asked for is said even when nobody waits for the answer.
    pub fn say_all(&self, seat: &Seat, says: Vec<Say>) -> impl Future<Output = Spoken> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.speak(speaker, says).await }
    }

    /// As [`Room::say`] for somebody who holds no connection; `guest` must just have [visited](Room::visit).
    ///
    /// # Errors
    /// As [`Room::say`].
    pub async fn say_as_visitor(&self, guest: GuestId, say: Say) -> Said {
        self.say_as(Speaker { guest, connection: None }, say).await
    }

    async fn say_as(&self, speaker: Speaker, say: Say) -> Said {
        let id = say.id.clone();
        let Spoken { mut said, not_yet } = self.speak(speaker, vec![say]).await;
        let refused = not_yet.map_or_else(closing, |(_, wait)| too_fast(wait).about(Some(id)));
        said.pop().unwrap_or(Err(refused))
    }

    async fn speak(&self, speaker: Speaker, says: Vec<Say>) -> Spoken {
        let ids: Vec<_> = says.iter().map(|say| say.id.clone()).collect();
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(Command::Say(speaker, says, reply));
        let Ok(mut spoken) = answer.await else {
            return Spoken { said: ids.iter().map(|_| Err(closing())).collect(), not_yet: None };
        };
        for (said, id) in spoken.said.iter_mut().zip(ids) {
            if let Err(refusal) = said {
                refusal.id = Some(id);
            }
        }
        spoken
    }

    /// Changes the guest's name. Everyone is told; in a crowd nobody is, and the answer is the encoded event for
    /// the guest themself.
    ///
    /// # Errors
    /// `name_taken`, `taken_over` if the seat now belongs to another connection, or `too_fast` with how long to wait:
    /// everyone is told a new name, so it counts as a message.
    pub fn rename(
        &self,
        seat: &Seat,
        name: Name,
    ) -> impl Future<Output = Result<Option<String>, Refusal>> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.ask(|reply| Command::Rename(speaker, name, reply)).await }
    }

    /// Frees the seat of somebody who holds no connection, or who said goodbye in a request.
    pub fn leave(&self, guest: GuestId) {
        let _ = self.commands.send(Command::Leave(Speaker { guest, connection: None }));
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
        answer.await.unwrap_or_else(|_| Err(closing()))
    }
}

pub(super) fn closing() -> Refusal {
    Refusal::new(Code::NotKept, "The room is closing.")
}

impl Seat {
    /// Frees the seat at once: the guest said goodbye.
    pub fn leave(self) {
        let _ = self.commands.send(Command::Leave(self.speaker()));
    }

    fn speaker(&self) -> Speaker {
        Speaker { guest: self.guest, connection: Some(self.connection) }
    }

    /// Completes when another connection has taken the seat over.
    pub fn replaced(&self) -> impl Future<Output = ()> + Send + use<> {
        self.replaced.clone().cancelled_owned()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Drop(self.guest, self.connection));
    }
}

fn known(room: Option<&str>) -> Result<(), Refusal> {
    match room {
        None | Some(MAIN_ROOM) => Ok(()),
        Some(room) => {
            let shown: String = room.chars().take(40).collect();
            Err(Refusal::new(
                Code::UnknownRoom,
                format!("There is no room {shown:?} here; the one there is is called {MAIN_ROOM:?}."),
            ))
        }
    }
}
