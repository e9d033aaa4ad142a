//! What a room's actor is asked for, and what it answers with.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::catch_up::NodeShared;
use super::entrance::Entrance;
use super::facts::Facts;
use super::found::Found;
use super::gate::GateCommand;
use super::made_links::MadeLinks;
use super::mailbox::Mailbox;
use super::notices::NoticeSnapshot;
use super::notifier::WaitQueue;
use super::presence::RosterSnapshot;
use super::ring::Ring;
use super::searches::Searches;
use super::seat_loss::SeatLoss;
use super::speaker::{Reply, Speaker};
use crate::language::Language;
use crate::log::{Annotations, Erase, Log, LogError, RoomState, Span};
use crate::passwords::Attempts;
use crate::protocol::event::{Event, Limits, RoomLine};
use crate::protocol::{
    Act, CircuitId, Code, EncodedEvent, Guest, GuestId, Hello, MAIN_ROOM, MessageId, Name, Policy, Refusal,
    Say, Token, Welcome, Whisper,
};

pub use super::speaker::{PublishBatch, PublishResult, Published};

/// One request to the actor. A hello is in a box, because nearly all commands publish, and each is moved some times.
pub(super) enum Command {
    /// With whether the guest gives up a seat in another room for it.
    Join(Box<Hello>, CircuitId, bool, Reply<Join>),
    JoinStateless(Box<Hello>, CircuitId, Reply<StatelessJoin>),
    Members(Box<Hello>, CircuitId, Reply<StatelessJoin>),
    Touch(Token, CircuitId, Reply<Option<StatelessJoin>>),
    Publish(Speaker, Vec<Say>, oneshot::Sender<PublishBatch>),
    /// A message for one other guest; answered with its number.
    Whisper(Speaker, Whisper, Reply<u64>),
    /// The guest is writing something.
    Typing(Speaker),
    /// An act of a guest, or of the room itself.
    Act(Option<Speaker>, MessageId, Act, Box<Found>, oneshot::Sender<PublishBatch>),
    Rename(Speaker, Name, Reply<Option<String>>),
    Leave(Speaker),
    Disconnect(GuestId, u64),
    Present(Reply<Present>),
    Snapshot(Reply<Snapshot>),
    State(Reply<RoomState>),
    /// About newcomers.
    Gate(GateCommand),
    /// What the passphrase of the identity with this name is derived with.
    Salt(Name, Reply<[u8; 32]>),
    IsQuiet(Reply<bool>),
    /// Puts all guests out, and ends the room.
    End(Refusal, Reply<()>),
    /// What is told of all rooms of the address.
    Rooms(Arc<RoomsNews>),
    /// Frees a seat of this circuit, if that is still owed.
    GiveUpSeat(CircuitId),
}

impl Command {
    /// The guest whom it is about, as far as that is known before it is done.
    pub(super) fn guest(&self, secret: &[u8; 32]) -> Option<GuestId> {
        match self {
            Self::Join(hello, ..) | Self::JoinStateless(hello, ..) | Self::Members(hello, ..) => {
                hello.token.as_ref().map(|token| token.guest(secret))
            }
            Self::Touch(token, ..) => Some(token.guest(secret)),
            Self::Publish(Speaker { guest, .. }, ..)
            | Self::Whisper(Speaker { guest, .. }, ..)
            | Self::Typing(Speaker { guest, .. })
            | Self::Rename(Speaker { guest, .. }, ..)
            | Self::Leave(Speaker { guest, .. })
            | Self::Disconnect(guest, _) => Some(*guest),
            Self::Act(speaker, ..) => speaker.map(|speaker| speaker.guest),
            Self::Present(_)
            | Self::Snapshot(_)
            | Self::State(_)
            | Self::Gate(_)
            | Self::Salt(..)
            | Self::IsQuiet(_)
            | Self::End(..)
            | Self::GiveUpSeat(_)
            | Self::Rooms(_) => None,
        }
    }

    /// The language of a name that is suggested to who asks to come in.
    pub(super) fn language(&self) -> Language {
        match self {
            Self::Join(hello, ..) | Self::JoinStateless(hello, ..) | Self::Members(hello, ..) => {
                hello.language
            }
            _ => Language::English,
        }
    }

    /// Whether it only gives something up, and is never refused.
    pub(super) fn gives_up(&self) -> bool {
        matches!(self, Self::Leave(_) | Self::Disconnect(..))
    }

    /// Whether its answer is still waited for.
    pub(super) fn is_awaited(&self) -> bool {
        match self {
            Self::Join(.., reply) => !reply.is_closed(),
            Self::JoinStateless(.., reply) | Self::Members(.., reply) => !reply.is_closed(),
            Self::Touch(.., reply) => !reply.is_closed(),
            Self::Publish(.., reply) | Self::Act(.., reply) => !reply.is_closed(),
            Self::Whisper(.., reply) => !reply.is_closed(),
            Self::Rename(.., reply) => !reply.is_closed(),
            Self::Present(reply) => !reply.is_closed(),
            Self::Snapshot(reply) => !reply.is_closed(),
            Self::State(reply) => !reply.is_closed(),
            Self::Salt(_, reply) => !reply.is_closed(),
            Self::IsQuiet(reply) => !reply.is_closed(),
            Self::End(..)
            | Self::GiveUpSeat(_)
            | Self::Rooms(_)
            | Self::Typing(_)
            | Self::Leave(_)
            | Self::Disconnect(..)
            | Self::Gate(_) => true,
        }
    }

    /// Answers that it is not done.
    pub(super) fn refuse(self, refusal: Refusal) {
        match self {
            Self::Join(.., reply) => drop(reply.send(Err(refusal))),
            Self::JoinStateless(.., reply) | Self::Members(.., reply) => drop(reply.send(Err(refusal))),
            Self::Touch(.., reply) => drop(reply.send(Err(refusal))),
            Self::Publish(_, says, reply) => {
                let results = says.iter().map(|_| Err(refusal.clone())).collect();
                drop(reply.send(PublishBatch { results, ..PublishBatch::default() }));
            }
            Self::Act(.., reply) => {
                drop(reply.send(PublishBatch::refused(refusal)));
            }
            Self::Whisper(.., reply) => drop(reply.send(Err(refusal))),
            Self::Rename(.., reply) => drop(reply.send(Err(refusal))),
            Self::Present(reply) => drop(reply.send(Err(refusal))),
            Self::Snapshot(reply) => drop(reply.send(Err(refusal))),
            Self::State(reply) => drop(reply.send(Err(refusal))),
            Self::Salt(_, reply) => drop(reply.send(Err(refusal))),
            Self::IsQuiet(reply) => drop(reply.send(Err(refusal))),
            Self::End(_, reply) => drop(reply.send(Err(refusal))),
            // The answer to what is dropped is that the room is closing.
            Self::Typing(_)
            | Self::GiveUpSeat(_)
            | Self::Rooms(_)
            | Self::Leave(_)
            | Self::Disconnect(..)
            | Self::Gate(_) => {}
        }
    }
}

/// What readers use without asking the actor.
pub(super) struct Shared {
    pub(super) ring: RwLock<Ring>,
    pub(super) wait_queue: Arc<WaitQueue>,
    pub(super) log: Arc<dyn Log>,
    pub(super) limits: Limits,
    pub(super) stateless_grace: Duration,
    /// `None` where one node serves the room alone.
    pub(super) nodes: Option<NodeShared>,
    /// How often passwords and passphrases may be tried.
    pub(super) attempts: Arc<Attempts>,
    /// What newcomers need.
    pub(super) entrance: Entrance,
    /// Whose turn it is to search.
    pub(super) searches: Arc<Searches>,
    /// What is told of the room to those who are not in it.
    pub(super) facts: Arc<Facts>,
    /// The secrets of links, for acts that are sent again.
    pub(super) made_links: MadeLinks,
    /// Edits and reactions, up to the newest entry in the ring or a newer one.
    pub(super) annotations: RwLock<Annotations>,
}

impl Shared {
    /// The ring's position after the newest event.
    pub(super) fn position(&self) -> u64 {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).head()
    }

    /// Edits and reactions up to the newest entry in the ring at least.
    pub(super) fn annotations(&self) -> Annotations {
        self.annotations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of edits and reactions, before the entries behind them are put into the ring.
    pub(super) fn set_annotations(&self, annotations: &Annotations) {
        *self.annotations.write().unwrap_or_else(PoisonError::into_inner) = annotations.clone();
    }

    /// Puts an event into the ring.
    pub(super) fn publish_one(&self, event: Event<'_>) {
        self.publish(std::iter::once(event), &[]);
    }

    /// Puts events into the ring, and erases there what the acts among them erase: no reader has such an act before that.
    pub(super) fn publish<'a>(&self, events: impl Iterator<Item = Event<'a>>, erases: &[Erase]) {
        // Encoded before the lock is taken, so that no reader waits for it.
        let encoded: Vec<_> =
            events.map(|event| (event.kind(), event.seq(), author(&event), event.encode())).collect();
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for (kind, seq, author, json) in &encoded {
            ring.push(EncodedEvent { kind: *kind, seq: *seq, json }, *author);
        }
        erases.iter().for_each(|erase| ring.erase(erase));
    }

    /// The newest message that was published.
    pub(super) fn newest(&self) -> u64 {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).newest()
    }

    /// How often something was erased in the ring.
    pub(super) fn erasures(&self) -> u64 {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).erasures()
    }
}

/// The author of a message; the room for every other event.
fn author(event: &Event<'_>) -> GuestId {
    if let Event::Message { guest, .. } = event { *guest } else { GuestId::ROOM }
}

/// A guest's seat, held by a connection. Dropping it means that the connection broke: the seat is kept for the
/// grace time.
pub struct Seat {
    pub(super) guest: GuestId,
    pub(super) connection: u64,
    pub(super) loss: SeatLoss,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

impl Seat {
    /// Frees the seat at once, without the grace time.
    pub fn leave(self) {
        let _ = self.commands.send(Command::Leave(self.speaker()));
    }

    /// The guest who has it.
    pub fn guest(&self) -> GuestId {
        self.guest
    }

    pub(super) fn speaker(&self) -> Speaker {
        Speaker { guest: self.guest, connection: Some(self.connection) }
    }

    /// Completes when this connection has lost the seat.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        self.loss.lost()
    }

    /// Why the seat was lost: `room_full` if a full room gave it to another circuit, otherwise `taken_over`.
    pub fn loss(&self) -> Refusal {
        self.loss.refusal()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Disconnect(self.guest, self.connection));
    }
}

/// A guest has joined on a connection.
pub struct Join {
    /// For the guest.
    pub welcome: Welcome,
    /// The seat, to be held for as long as the connection lasts.
    pub seat: Seat,
    /// The ring's position after the welcome.
    pub(super) position: u64,
    /// The guest's private messages.
    pub(super) mailbox: Mailbox,
}

/// A guest has joined with a single request and holds no connection.
#[derive(Debug, Clone)]
pub struct StatelessJoin {
    /// The guest, and the state of the room.
    pub welcome: Welcome,
    /// The ring's position after the welcome.
    pub(super) position: u64,
    /// The guest's private messages.
    pub(super) mailbox: Mailbox,
}

/// Who is in the room, as the host sees it.
#[derive(Debug, Clone)]
pub struct Present {
    /// All guests, at other nodes too, in the order of arrival.
    pub guests: Arc<[Guest]>,
    /// The room's clock.
    pub clock: u64,
}

/// What has changed in the rooms of the address.
#[derive(Debug, Default)]
pub struct RoomsNews {
    /// All that are listed.
    pub all: Arc<[RoomLine]>,
    /// Those of them that are new, or of which something is.
    pub changed: Vec<RoomLine>,
    /// The names of those that are not listed any more.
    pub gone: Vec<String>,
}

/// The state of the room at one point of its order.
pub(super) struct Snapshot {
    pub(super) roster: RosterSnapshot,
    pub(super) notices: NoticeSnapshot,
    /// `None` where hosts have not decided anything yet.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) rooms: Arc<[RoomLine]>,
    pub(super) position: u64,
    pub(super) span: Span,
}

/// An act that was done.
#[derive(Debug)]
pub struct Done {
    /// Its number in the room's order.
    pub seq: u64,
    /// The secret of the link that it has made.
    pub link: Option<Token>,
}

/// The refusal for requests that the actor no longer answers.
pub(super) fn closing() -> Refusal {
    Refusal::new(Code::StorageUnavailable, "The room is closing.")
}

/// The refusal for a request that a bucket has no tokens for.
pub(super) fn rate_limited(wait: Duration) -> Refusal {
    let sentence = "That is more than one guest may say here at once. Wait a second, and send it again.";
    Refusal::new(Code::TooFast, sentence).retry_after(wait)
}

/// The refusal for a request that the log failed.
pub(super) fn storage_unavailable(error: LogError) -> Refusal {
    tracing::debug!(%error, "a request was refused");
    Refusal::new(
        Code::StorageUnavailable,
        "The room cannot write messages down at the moment. Try again a little later.",
    )
}

/// The refusal for a request on a connection that does not hold the guest's seat.
pub(super) fn not_seated() -> Refusal {
    Refusal::new(Code::TakenOver, "This guest is now connected elsewhere.")
}

/// The refusal for the name of a room that is not there.
pub fn unknown_room(name: &str) -> Refusal {
    let shown: String = name.chars().take(40).collect();
    let sentence = format!(
        "There is no room {shown:?} here. GET /rooms lists those that are open to all; the first one is {MAIN_ROOM:?}."
    );
    Refusal::new(Code::UnknownRoom, sentence)
}
