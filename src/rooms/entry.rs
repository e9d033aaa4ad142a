//! One room beside the main one: closed, or open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::listing::line;
use super::logs::OpenedLog;
use super::opener::Opener;
use crate::config::ExtraRoom;
use crate::hub::house::Facts;
use crate::hub::{Room, RoomsNews, unknown_room};
use crate::log::{Log, LogError};
use crate::protocol::event::{Kept, RoomLine};
use crate::protocol::{CircuitId, Code, Refusal};

/// The shortest time between two openings of a closed room to erase what is too old.
const ERASE_EVERY: Duration = Duration::from_secs(3600);

/// A room, as the registry has it.
pub(super) struct Entry {
    pub(super) settings: ExtraRoom,
    /// Whether it is in the configuration file.
    pub(super) configured: bool,
    /// Held while it is opened or closed.
    state: Arc<tokio::sync::Mutex<State>>,
    /// What it tells of itself, or told before it was closed; `None` before it was opened for the first time.
    facts: Mutex<Option<Arc<Facts>>>,
    open: AtomicBool,
}

enum State {
    /// With when it has to be opened next, to erase what is too old.
    Closed(Option<Instant>),
    Open(Open),
    Removed,
}

struct Open {
    /// The one handle that is not of a request or a seat.
    room: Room,
    log: Arc<dyn Log>,
    lasts: bool,
    /// When it was asked for last, or was seen to be in use.
    used: Instant,
}

/// What the registry has to do for a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// It is closed, and has something that is too old.
    Erasing,
    /// It is open, and nothing was asked of it since then.
    Closing(Instant),
}

impl Entry {
    pub(super) fn new(settings: ExtraRoom, configured: bool) -> Self {
        let state = Arc::new(tokio::sync::Mutex::new(State::Closed(None)));
        Self { settings, configured, state, facts: Mutex::default(), open: AtomicBool::new(false) }
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.room.name
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// What guests are told of it.
    pub(super) fn line(&self) -> RoomLine {
        match &*self.facts.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(facts) => line(facts),
            None => RoomLine {
                name: self.name().into(),
                title: self.settings.room.title.clone(),
                head: 0,
                said: 0,
                guests: 0,
            },
        }
    }

    /// The room, which is opened if it is closed: in a task of its own, so that it is opened and kept although it is not waited
    /// for any more.
    pub(super) async fn room(
        self: &Arc<Self>,
        opener: &Arc<Opener>,
        circuit: Option<CircuitId>,
    ) -> Result<Room, Refusal> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        match &mut *state {
            State::Open(open) => {
                open.used = Instant::now();
                return Ok(open.room.clone());
            }
            State::Removed => return Err(unknown_room(self.name())),
            State::Closed(_) => {}
        }
        if let Some(circuit) = circuit {
            opener.house.charge_opening(&self.settings.room, circuit)?;
        }
        let opening = tokio::spawn(Arc::clone(self).open(Arc::clone(opener), state));
        opening.await.unwrap_or_else(|_| Err(unavailable(&LogError("the process ends".into()))))
    }

    async fn open(
        self: Arc<Self>,
        opener: Arc<Opener>,
        mut state: OwnedMutexGuard<State>,
    ) -> Result<Room, Refusal> {
        let _turn = opener.turns.acquire().await;
        let OpenedLog { log, lasts } =
            opener.logs.open(&self.settings).await.map_err(|error| unavailable(&error))?;
        let ExtraRoom { room: settings, history, .. } = &self.settings;
        let opened = Room::open_among(settings, history, Arc::clone(&log), None, &opener.house).await;
        let room = match opened {
            Ok(room) => room,
            Err(error) => {
                let _ = log.close().await;
                return Err(unavailable(&error));
            }
        };
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(room.facts()));
        room.tell_rooms(&opener.listing.told());
        self.open.store(true, Ordering::Relaxed);
        *state = State::Open(Open { room: room.clone(), log, lasts, used: Instant::now() });
        opener.note_opened();
        Ok(room)
    }

    /// What is to be done for it now; nothing while it is being opened or closed.
    pub(super) fn due(&self, now: Instant) -> Due {
        let Ok(mut state) = self.state.try_lock() else { return Due::Nothing };
        match &mut *state {
            State::Open(open) if !open.lasts => Due::Nothing,
            State::Open(open) => {
                if open.room.handles() > 1 || open.room.facts().guests() > 0 {
                    open.used = now;
                    return Due::Nothing;
                }
                Due::Closing(open.used)
            }
            State::Closed(Some(due)) if *due <= now => Due::Erasing,
            State::Closed(_) | State::Removed => Due::Nothing,
        }
    }

    /// Closes the room, if nothing is lost by that. Requests for it wait meanwhile.
    pub(super) async fn close_if_quiet(&self, opener: &Opener) {
        let mut state = self.state.lock().await;
        let State::Open(Open { room, log, lasts: true, .. }) = &*state else { return };
        // While the lock is held no handle comes from here, and a handle comes from a handle alone.
        if room.handles() > 1 || !room.is_quiet().await || room.handles() > 1 {
            return;
        }
        let (log, due) = (Arc::clone(log), self.erasing_due(room, &**log).await);
        *state = State::Closed(due);
        self.open.store(false, Ordering::Relaxed);
        opener.note_closed();
        close(&*log).await;
    }

    /// When the oldest that is kept becomes too old; `None` where nothing ever does.
    async fn erasing_due(&self, room: &Room, log: &dyn Log) -> Option<Instant> {
        let age = self.settings.history.days.checked_mul(86_400).filter(|age| *age > 0)?;
        let oldest = log.read(0, 1).await.ok()?;
        let clock = room.present().await.ok()?.clock;
        let left = (oldest.first()?.at + age).saturating_sub(clock);
        Some(Instant::now() + Duration::from_secs(left).max(ERASE_EVERY))
    }

    /// Tells the guests of the room of the other ones, if it is open.
    pub(super) fn tell_rooms(&self, news: &Arc<RoomsNews>) {
        // While it is being opened it is told what there is.
        if let Ok(state) = self.state.try_lock()
            && let State::Open(open) = &*state
        {
            open.room.tell_rooms(news);
        }
    }

    /// Closes the room in good order when the process ends, also with guests in it.
    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        if let State::Open(Open { log, .. }) = std::mem::replace(&mut *state, State::Removed) {
            close(&*log).await;
        }
        self.open.store(false, Ordering::Relaxed);
    }

    /// Puts all guests out and closes the room for good.
    pub(super) async fn end(&self, opener: &Opener) {
        let mut state = self.state.lock().await;
        if let State::Open(Open { room, log, .. }) = std::mem::replace(&mut *state, State::Removed) {
            opener.note_closed();
            room.end(removed()).await;
            close(&*log).await;
        }
        self.open.store(false, Ordering::Relaxed);
    }
}

/// The retention, as guests are told of it.
pub(super) fn kept(settings: &ExtraRoom) -> Kept {
    Kept { messages: settings.history.messages, days: settings.history.days }
}

async fn close(log: &dyn Log) {
    if let Err(error) = log.close().await {
        tracing::warn!(%error, "the log of a room was not closed in good order");
    }
}

fn unavailable(error: &LogError) -> Refusal {
    tracing::error!(%error, "a room cannot be opened");
    let sentence = "This room cannot be opened at the moment. Try again a little later.";
    Refusal::new(Code::StorageUnavailable, sentence)
}

/// Why a room that was removed has put its guests out.
fn removed() -> Refusal {
    Refusal::new(Code::UnknownRoom, "This room was removed by its host.")
}
