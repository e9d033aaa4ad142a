//! All guests of a generator, and what happens to their connections.

use std::io;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token, Waker};

use super::framing::{MARK, Stamped};
use super::guest::{self, Guest, Stage};
use super::progress::Progress;
use super::trouble::Troubled;
use super::watch::Watch;
use crate::wire::orders::{Target, Trouble};

/// Large enough for many messages in one read, small enough to stay in the core's cache.
const BUFFER: usize = 256 * 1024;
/// How many events are taken at once.
const EVENTS: usize = 512;
/// Belongs to no guest.
const WAKE: Token = Token(usize::MAX);

/// What was received.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) deliveries: u64,
    pub(super) bytes: u64,
    pub(super) reads: u64,
    pub(super) pings: u64,
    pub(super) dead: usize,
}

/// Who comes in.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// Whether guests say hello; otherwise they are in with the handshake.
    pub(super) hello: bool,
    /// How many are on their way.
    pub(super) coming: usize,
    /// How many are in.
    pub(super) inside: usize,
    /// Who came in last, until somebody looks.
    pub(super) arrived: Vec<usize>,
    /// Why the first one who was refused was refused.
    pub(super) refusal: Option<String>,
}

/// The guests.
pub(crate) struct Crowd {
    pub(super) poll: Poll,
    events: Events,
    pub(super) target: Target,
    /// What asks each room for a WebSocket.
    requests: Vec<Vec<u8>>,
    pub(super) guests: Vec<Guest>,
    pub(super) rooms: Vec<Progress>,
    pub(super) door: Door,
    pub(super) tally: Tally,
    pub(super) watch: Watch,
    /// Nanoseconds that passed looking for events in vain, instead of sleeping.
    pub(super) looked: u64,
    pub(super) message: Stamped,
    /// How many messages were said, in all rooms.
    pub(super) said: u32,
    pub(super) troubled: Troubled,
    pub(super) buffer: Vec<u8>,
    pub(super) started: Instant,
}

impl Crowd {
    pub(crate) fn new(target: Target) -> io::Result<Self> {
        let mark = std::str::from_utf8(MARK).unwrap_or_default();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            requests: target.rooms.iter().map(|host| guest::request(&target.dialect, *host)).collect(),
            guests: Vec::new(),
            rooms: target.rooms.iter().map(|_| Progress::default()).collect(),
            door: Door { hello: true, ..Door::default() },
            tally: Tally::default(),
            watch: Watch::new(),
            looked: 0,
            message: Stamped::new(&target.dialect.says, mark),
            said: 0,
            troubled: Troubled::new(&target.dialect.says),
            buffer: vec![0; BUFFER],
            started: Instant::now(),
            target,
        })
    }

    /// What interrupts [`Crowd::round`] from another thread.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    /// Nanoseconds since the generator was started.
    pub(crate) fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Takes what there is, or waits for something until then. The kernel's timers are no finer than a millisecond
    /// here: with `spin`, the last one is spent looking.
    pub(crate) fn round(&mut self, until: u64, spin: bool) -> io::Result<()> {
        let before = self.now();
        let wait = Duration::from_nanos(until.saturating_sub(before));
        let wait = if spin { Duration::from_millis(wait.as_millis() as u64) } else { wait };
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        if wait.is_zero() && self.events.is_empty() {
            self.looked += self.now() - before;
        }
        // Taken out meanwhile, so that the guests can be changed.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != WAKE) {
            let number = event.token().0;
            if let Err(error) = self.attend(number, event) {
                self.lose(number, &error);
            }
        }
        self.events = events;
        Ok(())
    }

    /// Rounds until then.
    pub(super) fn rounds_until(&mut self, until: u64) -> io::Result<()> {
        while self.now() < until {
            self.round(until, false)?;
        }
        Ok(())
    }

    /// Opens one more connection, or another one in this place.
    pub(super) fn open(
        &mut self,
        room: usize,
        place: Option<usize>,
        trouble: Option<Trouble>,
    ) -> io::Result<()> {
        let number = place.unwrap_or(self.guests.len());
        let address = self.target.rooms[room];
        let opened = self.now();
        let (registry, request) = (self.poll.registry(), &self.requests[room]);
        let guest = Guest::open(registry, Token(number), (room, address), request, opened, trouble)?;
        match place {
            Some(_) => self.guests[number] = guest,
            None => self.guests.push(guest),
        }
        self.door.coming += 1;
        Ok(())
    }

    fn attend(&mut self, number: usize, event: &Event) -> io::Result<()> {
        let guest = &mut self.guests[number];
        if guest.stage == Stage::Gone {
            return Ok(());
        }
        if event.is_error()
            && let Some(error) = guest.stream.take_error()?
        {
            return Err(error);
        }
        if event.is_writable() {
            guest.send_rest()?;
        }
        match (guest.stage, guest.trouble) {
            (Stage::Inside, Some(Trouble::Flooding)) => guest.forget(&mut self.buffer),
            (Stage::Inside, Some(_)) => Ok(()),
            _ if event.is_readable() || event.is_read_closed() => self.read(number),
            _ => Ok(()),
        }
    }

    /// A guest's connection broke, or was refused.
    pub(super) fn lose(&mut self, number: usize, error: &io::Error) {
        let guest = &mut self.guests[number];
        match guest.stage {
            Stage::Gone => return,
            Stage::Inside => {
                self.door.inside -= 1;
                if guest.trouble.is_none() {
                    self.rooms[guest.room].leave(guest.got);
                }
            }
            _ => {
                self.door.coming -= 1;
                self.door.refusal.get_or_insert_with(|| error.to_string());
            }
        }
        self.tally.dead += 1;
        guest.reset();
        let _ = self.poll.registry().deregister(&mut guest.stream);
    }
}
