//! A handle to a room: what a guest can ask for.

mod among;
mod governing;
mod whispering;

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::actor::{FollowedLog, RoomActor};
use super::appends::Appends;
use super::catch_up::NodeShared;
use super::cluster::Cluster;
use super::command::{
    Command, Join, Present, PublishBatch, Published, Seat, Shared, Snapshot, StatelessJoin, closing,
    rate_limited, unknown_room,
};
use super::entrance::Entrance;
use super::house::{Facts, House};
use super::made_links::MadeLinks;
use super::presence::OccupancyBounds;
use super::ring::{RING_BYTES, Ring};
use super::roster::stateless_grace;
use super::speaker::Speaker;
use crate::config::{HistorySettings, RoomSettings};
use crate::language::Language;
use crate::log::{Log, LogError, RoomState};
use crate::protocol::event::Limits;
use crate::protocol::name::NAME_CHARACTERS_MAX;
use crate::protocol::request::Cursor;
use crate::protocol::{CircuitId, GuestId, Hello, Name, Refusal, Say, Token};

/// A handle to a room; cheap to clone. The room ends when the last handle and the last [`Seat`] are dropped.
#[derive(Clone)]
pub struct Room {
    // Not bounded by itself: a guest has at most one request under way, and guests are bounded.
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
    /// The circuit that requests through this handle are charged to.
    pub(super) circuit: CircuitId,
    /// The language of the guest whose requests come through it.
    pub(super) language: Language,
}

impl Room {
    /// Opens a room and spawns its actor, which ends when every [`Room`] and [`Seat`] is dropped.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn open(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
    ) -> Result<Self, LogError> {
        Self::open_in(settings, history, log, None).await
    }

    /// The same for a room that other nodes serve, too: `cluster` is what this one needs of them.
    ///
    /// # Errors
    /// As [`Room::open`].
    pub async fn open_in(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
        cluster: Option<Arc<dyn Cluster>>,
    ) -> Result<Self, LogError> {
        let house = Arc::default();
        Self::open_among(settings, history, log, cluster, &house).await
    }

    /// The same for one of several rooms at one address: `house` is what they share.
    ///
    /// # Errors
    /// As [`Room::open`].
    pub async fn open_among(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
        cluster: Option<Arc<dyn Cluster>>,
        house: &Arc<House>,
    ) -> Result<Self, LogError> {
        let (ring, bounds) = (Ring::new(RING_BYTES), OccupancyBounds::default());
        Self::open_parts(settings, history, log, ring, bounds, cluster, house).await
    }

    /// A room with a ring and bounds of its own, alone at its address.
    #[cfg(test)]
    pub(super) async fn open_with(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
        ring: Ring,
        bounds: OccupancyBounds,
        cluster: Option<Arc<dyn Cluster>>,
    ) -> Result<Self, LogError> {
        Self::open_parts(settings, history, log, ring, bounds, cluster, &Arc::default()).await
    }

    async fn open_parts(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: Arc<dyn Log>,
        mut ring: Ring,
        bounds: OccupancyBounds,
        cluster: Option<Arc<dyn Cluster>>,
        house: &Arc<House>,
    ) -> Result<Self, LogError> {
        let limits = Limits {
            message_bytes: settings.message_bytes,
            name_characters: NAME_CHARACTERS_MAX,
            guests: settings.guests,
            edit_seconds: settings.edit_seconds,
        };
        let identity = log.identity().await?;
        // Entries from before a restart are in the log alone.
        let head = log.span().await?.head;
        // After the head: what another process appends between the two is followed, too.
        let state = log.state(RoomState::new(&settings.title)).await?;
        ring.begin_after(head);
        let appends = Appends::follow(Arc::clone(&log), head).await?;
        let nodes = cluster.is_some().then(|| NodeShared::new(head, Arc::clone(&identity.epochs)));
        let facts = Facts::new(&house.changed, &settings.name, &state.title, head, state.said(head));
        house.tell();
        let annotations = RwLock::new(state.annotations.clone());
        let followed = FollowedLog { identity, state, appends, cluster };
        let (ring, wait_queue) = (RwLock::new(ring), Arc::default());
        let stateless_grace = stateless_grace(settings.away);
        let (attempts, entrance) = (Arc::clone(&house.attempts), Entrance::default());
        let made_links = MadeLinks::default();
        let searches = Arc::clone(&house.searches);
        let shared = Arc::new(Shared {
            ring,
            wait_queue,
            log,
            limits,
            stateless_grace,
            nodes,
            attempts,
            entrance,
            searches,
            facts,
            made_links,
            annotations,
        });
        let (commands, inbox) = mpsc::unbounded_channel();
        let actor = RoomActor::new(
            settings,
            history,
            followed,
            Arc::clone(&shared),
            bounds,
            commands.downgrade(),
            house,
        );
        tokio::spawn(actor.run(inbox));
        Ok(Self { commands, shared, circuit: CircuitId::LOOPBACK, language: Language::English })
    }

    /// A handle for the requests that come on this circuit; other handles are for the loopback.
    pub fn on(&self, circuit: CircuitId) -> Self {
        Self { circuit, ..self.clone() }
    }

    /// The room's limits.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// The origins at which other nodes serve the room, the least busy first, as far as they are known now; `None` where
    /// there are no other nodes, nor can be.
    pub fn doors(&self) -> Option<Arc<[String]>> {
        self.shared.nodes.as_ref().map(NodeShared::doors)
    }

    /// Whether new guests can get in, as far as that depends on other nodes: names cannot be claimed without a quorum of the
    /// cluster.
    pub fn takes_guests(&self) -> bool {
        self.shared.nodes.as_ref().is_none_or(NodeShared::is_available)
    }

    /// How long a [stateless join](Room::join_stateless) holds the seat.
    pub fn stateless_grace(&self) -> Duration {
        self.shared.stateless_grace
    }

    /// Waits until this node has published what a guest with this cursor has read, perhaps at another node. A cursor beyond
    /// everything that there is anywhere is let through after a while.
    ///
    /// # Errors
    /// `not_kept` when that takes too long.
    pub async fn catch_up(&self, cursor: Option<&Cursor>) -> Result<(), Refusal> {
        match (&self.shared.nodes, cursor) {
            (Some(nodes), Some(cursor)) => nodes.catch_up(cursor, &*self.shared.log).await,
            _ => Ok(()),
        }
    }

    /// Takes a seat for a connection.
    ///
    /// # Errors
    /// `unknown_room`, `name_taken`, `name_reserved`, `room_full`, those of [`Room::identify`], `not_kept` when the log fails or as [`Room::catch_up`], or `too_fast` if a present guest
    /// asks for another name and their rate limit is reached.
    pub async fn join(&self, hello: Hello) -> Result<Join, Refusal> {
        self.join_moving(hello, false).await
    }

    /// The same for a guest who, if `moves`, gives up a seat in another room of the address for this one. Where all seats are
    /// taken, they get in nevertheless.
    ///
    /// # Errors
    /// As [`Room::join`].
    pub async fn join_moving(&self, hello: Hello, moves: bool) -> Result<Join, Refusal> {
        self.is_meant(&hello)?;
        self.catch_up(hello.cursor.as_ref()).await?;
        let hello = self.identify(hello).await?;
        let under = hello.name.clone().filter(|_| hello.keeps);
        let command = |hello, circuit, reply| Command::Join(hello, circuit, moves, reply);
        let mut join = self.ask_as(hello, command).await?;
        match self.reserve_for(&mut join.welcome, join.seat.speaker(), under).await {
            Ok(()) => Ok(join),
            Err(refusal) => {
                if !join.welcome.resumed {
                    join.seat.leave();
                }
                Err(refusal)
            }
        }
    }

    /// Takes a seat, or holds the one there is, for a single request; it is held for
    /// [`Room::stateless_grace`] after.
    ///
    /// # Errors
    /// As [`Room::join`].
    pub async fn join_stateless(&self, hello: Hello) -> Result<StatelessJoin, Refusal> {
        self.is_meant(&hello)?;
        let hello = self.identify(hello).await?;
        let under = hello.name.clone().filter(|_| hello.keeps);
        let mut join = self.ask_as(hello, Command::JoinStateless).await?;
        let guest = join.welcome.guest.id;
        let reserved = self.reserve_for(&mut join.welcome, Speaker { guest, connection: None }, under).await;
        if reserved.is_err() && !join.welcome.resumed {
            self.leave(guest);
        }
        reserved.map(|()| join)
    }

    /// As [`Room::join_stateless`], with all members in the welcome, however many there are.
    ///
    /// # Errors
    /// As [`Room::join`].
    pub async fn members(&self, hello: Hello) -> Result<StatelessJoin, Refusal> {
        self.is_meant(&hello)?;
        self.ask_as(hello, Command::Members).await
    }

    /// Holds the seat of an earlier stateless join for another grace time; `None` if there is no such seat.
    ///
    /// # Errors
    /// `not_kept` when the log fails.
    pub async fn touch(&self, token: &Token) -> Result<Option<StatelessJoin>, Refusal> {
        self.ask(|reply| Command::Touch(token.clone(), self.circuit, reply)).await
    }

    /// Publishes messages in their order, as one request to the actor. They are published even when the answer is
    /// not awaited.
    ///
    /// Each result is the sequence number, or `taken_over` if the seat now belongs to another connection, or
    /// `not_kept` when the log fails. From the message on that the rate limit does not allow, messages are given
    /// back.
    pub fn publish(&self, seat: &Seat, says: Vec<Say>) -> impl Future<Output = PublishBatch> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.publish_as(speaker, says).await }
    }

    /// Publishes one message of a guest without a connection, who must have [joined](Room::join_stateless).
    ///
    /// # Errors
    /// `taken_over` if the guest has no seat, `not_held` when no more can wait, `not_kept` when the log fails, `too_fast` with how long to wait when
    /// the guest's rate limit is reached.
    pub async fn publish_stateless(&self, guest: GuestId, say: Say) -> Result<Published, Refusal> {
        let id = say.id.clone();
        let batch = self.publish_as(Speaker { guest, connection: None }, vec![say]).await;
        let PublishBatch { mut results, held, rate_limited: limited } = batch;
        let refusal = limited.map_or_else(closing, |(_, wait)| rate_limited(wait).about(Some(id)));
        let seq = results.pop().unwrap_or(Err(refusal))?;
        Ok(Published { seq, held: held.contains(&seq) })
    }

    async fn publish_as(&self, speaker: Speaker, says: Vec<Say>) -> PublishBatch {
        let ids: Vec<_> = says.iter().map(|say| say.id.clone()).collect();
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(Command::Publish(speaker, says, reply));
        let Ok(mut batch) = answer.await else {
            let results = ids.iter().map(|_| Err(closing())).collect();
            return PublishBatch { results, ..PublishBatch::default() };
        };
        for (result, id) in batch.results.iter_mut().zip(ids) {
            if let Err(refusal) = result {
                refusal.id = Some(id);
            }
        }
        batch
    }

    /// The state of the room, as far as it is published.
    ///
    /// # Errors
    /// The room is closing.
    pub async fn state(&self) -> Result<RoomState, Refusal> {
        self.ask(Command::State).await
    }

    /// Changes the guest's name. All guests are told; where only the occupancy is told, the answer is the encoded
    /// event for the guest.
    ///
    /// # Errors
    /// `name_taken`, `taken_over` if the seat now belongs to another connection, or `too_fast` with how long to
    /// wait: a change of name is told to all, so it takes as much from the guest's rate limit as a message.
    pub fn rename(
        &self,
        seat: &Seat,
        name: Name,
    ) -> impl Future<Output = Result<Option<String>, Refusal>> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.ask(|reply| Command::Rename(speaker, name, reply)).await }
    }

    /// Frees the seat of a guest without a connection, or whatever connection they hold.
    pub fn leave(&self, guest: GuestId) {
        let _ = self.commands.send(Command::Leave(Speaker { guest, connection: None }));
    }

    /// Who is here.
    ///
    /// # Errors
    /// The room is closing.
    pub async fn present(&self) -> Result<Present, Refusal> {
        self.ask(Command::Present).await
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, Refusal> {
        self.ask(Command::Snapshot).await
    }

    pub(super) fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn is_meant(&self, hello: &Hello) -> Result<(), Refusal> {
        match hello.room.as_deref() {
            Some(room) if room != self.name() => Err(unknown_room(room)),
            _ => Ok(()),
        }
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(command(reply));
        answer.await.unwrap_or_else(|_| Err(closing()))
    }
}
