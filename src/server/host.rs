//! What the room answers on the host's socket.

mod backup;

use std::sync::Weak;

use tokio::sync::watch;

use super::backup::OpenRoom;
use super::unconfirmed::Confirm;

use crate::control::answer::{
    Answer, BanKind, BanLine, Bans, Failed, GuestLine, Guests, Link, Log, LogLine, MessageLine, Messages,
    RoleLine, Roles, Status, Who,
};
use crate::control::request::{Question, Request};
use crate::control::task::{Progress, Task};
use crate::control::{Host, SOCKET_FILE};
use crate::hub::wiping::{Wipe, WipedBy, Wiping};
use crate::hub::{Present, Room};
use crate::log::{Restriction, RoomState};
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Act, Body, GuestId, Role};
use crate::storage::DataDirectory;
use crate::tor::{self, Stage};

/// A room and how it is reached.
pub(super) struct RoomHost {
    pub(super) room: Room,
    pub(super) wiping: Wiping,
    pub(super) confirm: Option<Confirm>,
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
            Request::Ask(question) => self.tell(question).await,
            Request::Act(Act::Link { role, .. }) => Ok(Answer::Link(self.new_link(role).await?)),
            Request::Act(act) => Ok(Answer::Done { seq: self.room.govern(act).await?.seq }),
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
        }
    }
}

impl RoomHost {
    async fn tell(&self, question: Question) -> Result<Answer, Failed> {
        if let Question::Messages { before, limit } = question {
            return self.messages(HistoryRequest { before, limit }).await.map(Answer::Messages);
        }
        let (present, state) = (self.room.present().await?, self.room.state().await?);
        Ok(match question {
            Question::Status => Answer::Status(Box::new(self.status(&present, state))),
            Question::Guests => Answer::Guests(guests(&present, &state)),
            Question::Roles => Answer::Roles(roles(&state)),
            Question::Bans => Answer::Bans(bans(&state, present.clock)),
            Question::Log | Question::Messages { .. } => Answer::Log(log(&state, present.clock)),
        })
    }

    fn status(&self, present: &Present, state: RoomState) -> Status {
        let tor = self.tor.as_ref().map(|tor| tor.borrow().clone());
        let problem = tor.as_ref().filter(|tor| tor.stage != Stage::Reachable);
        let problem = problem.and_then(|tor| tor.problem.as_ref());
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
            policy: state.policy,
        }
    }

    async fn messages(&self, request: HistoryRequest) -> Result<Messages, Failed> {
        let (page, clock) = (self.room.history(request).await?, self.room.present().await?.clock);
        let line = |record| match record {
            crate::protocol::Record { seq, at, author, body: Body::Message { name, text }, .. } => {
                let who = Who::new(author, Some(name.as_str()));
                Some(MessageLine { seq, ago: clock.saturating_sub(at), who, text })
            }
            _ => None,
        };
        Ok(Messages { messages: page.messages.into_iter().filter_map(line).collect() })
    }

    /// Makes a link that gives this role.
    pub(super) async fn new_link(&self, role: Role) -> Result<Link, Failed> {
        let done = self.room.govern(Act::Link { role, link: None }).await?;
        let secret = done.link.map(|link| link.encode()).unwrap_or_default();
        // What is not a URL is a socket, which no browser opens.
        let local = self.local.iter().filter(|local| local.starts_with("http"));
        let places = self.address.iter().chain(local).chain(&self.public);
        let links = places.map(|place| format!("{place}#host={secret}")).collect();
        Ok(Link { seq: done.seq, role, secret, links })
    }
}

fn guests(present: &Present, state: &RoomState) -> Guests {
    let line = |guest: &crate::protocol::Guest| GuestLine {
        who: Who::new(guest.id, Some(guest.name.as_str())),
        role: state.role(guest.id),
        away: guest.away,
        muted: state.mute(guest.id, present.clock).is_some(),
    };
    Guests { guests: present.guests.iter().map(line).collect() }
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
