//! What the room answers on the host's socket.

mod backup;

use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::backup::OpenRoom;
use super::host_rooms;
use super::unconfirmed::Confirm;

use crate::control::answer::{
    Answer, BanKind, BanLine, Bans, Failed, GuestLine, Guests, Held, Link, Log, LogLine, MessageLine,
    Messages, NameLine, Names, RoleLine, Roles, Status, Who,
};
use crate::control::entering::{InvitationLine, Invitations, Invited, Waiting, WaitingLine};
use crate::control::request::{Question, Request};
use crate::control::task::{Progress, Task};
use crate::control::{Host, SOCKET_FILE};
use crate::hub::annotated::Annotated;
use crate::hub::wiping::{Wipe, WipedBy, Wiping};
use crate::hub::{Present, Room};
use crate::log::state::Invitation;
use crate::log::{Restriction, RoomState};
use crate::protocol::event::WaitingGuest;
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Act, Body, GuestId, Name, Record, Role, link_fragment};
use crate::rooms::Rooms;
use crate::storage::DataDirectory;
use crate::tor::{self, Stage};

/// A room and how it is reached.
#[derive(Clone)]
pub(super) struct RoomHost {
    pub(super) room: Room,
    pub(super) wiping: Wiping,
    pub(super) confirm: Option<Confirm>,
    pub(super) rooms: Arc<Rooms>,
    /// The onion URL.
    pub(super) address: Option<String>,
    pub(super) tor: Option<watch::Receiver<tor::Status>>,
    /// The URL of the local room, or `unix:` and the path of its socket.
    pub(super) local: Option<String>,
    pub(super) public: Vec<String>,
    /// Not held: the data directory is free for another process once the room is closed.
    pub(super) on_disk: Weak<OpenRoom>,
}

impl Host for RoomHost {
    async fn answer(
        &self,
        request: Request,
        told: watch::Sender<Option<Progress>>,
    ) -> Result<Answer, Failed> {
        match request {
            Request::Do(Task::Confirm) => {
                let Some(confirm) = &self.confirm else {
                    let sentence = "room.wipe_after_days is not set, so this room is not wiped by itself, and there is nothing to confirm.";
                    return Err(Failed::new("nothing_to_confirm", sentence));
                };
                confirm.confirm().await.map_err(|sentence| Failed::new("not_written", sentence))?;
                Ok(Answer::Confirmed { wipe: self.wiping.confirmation() })
            }
            Request::Do(Task::Wipe { confirm, address }) => {
                let wipe = Wipe { address, by: WipedBy::Terminal };
                self.wiping.ask(&self.room, &confirm, wipe).await?;
                Ok(Answer::Wiping { address })
            }
            Request::Do(Task::Backup(asked)) => {
                Ok(Answer::BackedUp(backup::write(&self.on_disk, asked, told).await?))
            }
            Request::Rooms(request) => host_rooms::answer(&self.rooms, request).await,
            Request::In(name, request) => {
                let room = self.rooms.find_for_host(&name).await?;
                let host = Self { room, ..self.clone() };
                host.of_a_room(*request).await
            }
            request => self.of_a_room(request).await,
        }
    }
}

impl RoomHost {
    async fn of_a_room(&self, request: Request) -> Result<Answer, Failed> {
        match request {
            Request::Ask(question) => self.tell(question).await,
            Request::Act(Act::Link { role, .. }) => Ok(Answer::Link(self.new_link(role).await?)),
            Request::Act(Act::Invite { name, single_use, seconds, .. }) => {
                let act = Act::Invite { name: name.clone(), single_use, seconds, link: None };
                Ok(Answer::Invited(self.invite(name.unwrap_or_default(), act).await?))
            }
            Request::Act(act) => Ok(Answer::Done { seq: self.room.govern(act).await?.seq }),
            Request::In(..) | Request::Rooms(_) | Request::Do(_) => {
                Err(Failed::new("wrong_kind", "A request is about one room, or about all."))
            }
        }
    }

    async fn tell(&self, question: Question) -> Result<Answer, Failed> {
        if let Question::Messages { before, limit } = question {
            return self.messages(HistoryRequest::before(before, limit)).await.map(Answer::Messages);
        }
        if question == Question::Held {
            return self.held().await.map(Answer::Held);
        }
        if question == Question::Waiting {
            return Ok(Answer::Waiting(waiting(self.room.waiting().await?)));
        }
        let (present, state) = (self.room.present().await?, self.room.state().await?);
        Ok(match question {
            Question::Status => Answer::Status(Box::new(self.status(&present, state))),
            Question::Guests => Answer::Guests(guests(&present, &state)),
            Question::Roles => Answer::Roles(roles(&state)),
            Question::Bans => Answer::Bans(bans(&state, present.clock)),
            Question::Invitations => Answer::Invitations(invitations(&state, present.clock)),
            Question::Log | Question::Held | Question::Waiting | Question::Messages { .. } => {
                Answer::Log(log(&state, present.clock))
            }
            Question::Names => Answer::Names(names(&state, present.clock)),
        })
    }

    fn status(&self, present: &Present, state: RoomState) -> Status {
        let tor = self.tor.as_ref().map(|tor| tor.borrow().clone());
        let problem = tor.as_ref().filter(|tor| tor.stage != Stage::Reachable);
        let problem = problem.and_then(|tor| tor.problem.as_ref());
        let (words, held) = (state.words.len(), state.held().len());
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            title: state.title,
            address: self.address.clone(),
            tor: tor.as_ref().map(|tor| tor.stage.words().into()),
            problem: problem.map(|problem| format!("{} {}", problem.description, problem.advice)),
            local: self.local.clone(),
            public: self.public.clone(),
            guests: present.guests.len(),
            away: present.guests.iter().filter(|guest| guest.away).count(),
            seats: self.room.limits().guests,
            wipe: self.wiping.confirmation(),
            words,
            held,
            policy: state.policy,
        }
    }

    async fn messages(&self, request: HistoryRequest) -> Result<Messages, Failed> {
        let (page, clock) = (self.room.history(request).await?, self.room.present().await?.clock);
        let said = page.messages.into_iter().filter(|message| message.record.body.said().is_some());
        let line = |message: Annotated| {
            line(message.record, clock).map(|line| MessageLine { edited: message.edited, ..line })
        };
        Ok(Messages { messages: said.filter_map(line).collect() })
    }

    async fn held(&self) -> Result<Held, Failed> {
        let (waiting, clock) = (self.room.held(GuestId::ROOM).await?, self.room.present().await?.clock);
        let held = waiting.messages.into_iter().filter_map(|record| line(record, clock));
        Ok(Held { held: held.collect(), words: waiting.words.unwrap_or_default() })
    }

    /// Makes a link that gives this role.
    pub(super) async fn new_link(&self, role: Role) -> Result<Link, Failed> {
        let done = self.room.govern(Act::Link { role, link: None }).await?;
        let secret = done.link.map(|link| link.encode()).unwrap_or_default();
        let links = self.links("host", &secret);
        Ok(Link { seq: done.seq, role, secret, links })
    }

    async fn invite(&self, name: String, act: Act) -> Result<Invited, Failed> {
        let done = self.room.govern(act).await?;
        let secret = done.link.map(|link| link.encode()).unwrap_or_default();
        let links = self.links("invite", &secret);
        Ok(Invited { seq: done.seq, name, secret, links })
    }

    /// The addresses of the room with a secret in the fragment.
    fn links(&self, kind: &str, secret: &str) -> Vec<String> {
        // What is not a URL is a socket, which no browser opens.
        let local = self.local.iter().filter(|local| local.starts_with("http"));
        let places = self.address.iter().chain(local).chain(&self.public);
        let fragment = link_fragment(self.room.name(), kind, secret);
        places.map(|place| format!("{place}#{fragment}")).collect()
    }
}

/// A message, said or held; `None` for every other entry.
fn line(record: Record, clock: u64) -> Option<MessageLine> {
    match record.body {
        Body::Message { name, text }
        | Body::Reply { name, text, .. }
        | Body::Held { name, text, .. }
        | Body::Released { name, text, .. } => {
            let (who, ago) = (Who::new(record.author, Some(name.as_str())), clock.saturating_sub(record.at));
            Some(MessageLine { seq: record.seq, ago, who, text, edited: false })
        }
        _ => None,
    }
}

fn guests(present: &Present, state: &RoomState) -> Guests {
    let line = |guest: &crate::protocol::Guest| GuestLine {
        who: Who::new(guest.id, Some(guest.name.as_str())),
        role: state.role(guest.id),
        away: guest.away,
        muted: state.mute(guest.id, present.clock).is_some(),
        kept: guest.kept,
    };
    Guests { guests: present.guests.iter().map(line).collect() }
}

fn waiting(guests: Vec<WaitingGuest>) -> Waiting {
    let line = |guest: WaitingGuest| WaitingLine {
        who: Who::new(guest.id, guest.name.as_ref().map(Name::as_str)),
        seconds: guest.seconds,
    };
    Waiting { waiting: guests.into_iter().map(line).collect() }
}

fn invitations(state: &RoomState, clock: u64) -> Invitations {
    let line = |one: &Invitation| InvitationLine {
        id: one.id(),
        name: one.name.clone(),
        single_use: one.single_use,
        valid: one.counts(clock),
        seconds_left: one.until.map(|until| until.saturating_sub(clock)).filter(|left| *left > 0),
        guests: state.gate.came_by(one.id()),
    };
    Invitations { invitations: state.gate.invitations().iter().map(line).collect() }
}

fn roles(state: &RoomState) -> Roles {
    let lines = state.policy.roles.iter();
    let lines =
        lines.map(|entry| RoleLine { who: Who::new(entry.of, entry.name.as_deref()), role: entry.role });
    Roles { roles: lines.collect() }
}

fn bans(state: &RoomState, clock: u64) -> Bans {
    let counts = |one: &&Restriction| one.counts(clock);
    let line = |one: &Restriction, kind| BanLine {
        who: Who::new(one.of, one.name.as_deref()),
        kind,
        seconds_left: one.until.map(|until| until.saturating_sub(clock)),
    };
    let muted = state.muted.iter().filter(counts).map(|one| line(one, BanKind::Muted));
    let kind = |one: &Restriction| if one.kicked { BanKind::Kicked } else { BanKind::Banned };
    let banned = state.banned.iter().filter(counts).map(|one| line(one, kind(one)));
    Bans { bans: muted.chain(banned).collect() }
}

fn names(state: &RoomState, clock: u64) -> Names {
    let line = |own: &crate::log::state::Reservation| NameLine {
        who: Who::new(own.of, Some(own.name.as_str())),
        ago: clock.saturating_sub(own.used),
    };
    let mut names: Vec<_> = state.reserved.iter().map(line).collect();
    names.sort_by_key(|line| line.ago);
    Names { names }
}

fn log(state: &RoomState, clock: u64) -> Log {
    let acts = state.acts.iter().map(|line| LogLine {
        seq: line.seq,
        ago: clock.saturating_sub(line.at),
        by: (line.by != GuestId::ROOM).then(|| Who::new(line.by, state.policy.name(line.by))),
        act: line.act.clone(),
        of: line.of.map(|of| Who::new(of, line.name.as_deref())),
    });
    Log { acts: acts.collect() }
}

/// The socket in this directory; without one the room is open all the same, and says so in the log.
#[cfg(unix)]
pub(super) fn bind(directory: &DataDirectory) -> Option<crate::control::listener::HostSocket> {
    let path = directory.path().join(SOCKET_FILE);
    match crate::control::listener::HostSocket::bind(&path) {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::warn!(
                %error,
                "The socket {SOCKET_FILE} cannot be made in the data directory, so `onionroom host` does not reach this room. \
                 If a file of that name is there, remove it."
            );
            None
        }
    }
}
