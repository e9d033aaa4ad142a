//! All guests of a generator: connected, polled, read.

use std::io;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token};
use onionroom_bench::process;

use super::client::{Client, State, upgraded};
use super::frames::{self, Say};
use super::latency::Latency;
use crate::command::{Connected, Target};

/// Large enough for many messages in one read, small enough to stay in the cache of the core.
const BUFFER: usize = 256 * 1024;
const EVENTS: usize = 512;
/// Connections that are opened at the same time.
const OPENING: usize = 64;
const SECOND: u64 = 1_000_000_000;
/// For all connections together, in nanoseconds.
const DEADLINE: u64 = 100 * SECOND;
/// After so many nanoseconds without a byte, the events of joining have all arrived.
const QUIET: u64 = 13 * SECOND / 10;

/// What was received.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    pub(super) deliveries: u64,
    pub(super) bytes: u64,
    pub(super) reads: u64,
}

pub(super) struct Clients {
    poll: Poll,
    events: Events,
    pub(super) target: Target,
    pub(super) clients: Vec<Client>,
    joined: usize,
    pub(super) say: Say,
    /// Messages sent in all loads.
    pub(super) sent: u64,
    pub(super) counters: Counters,
    pub(super) latency: Latency,
    /// Whether deliveries are timed.
    pub(super) timed: bool,
    /// Nanoseconds of polls without an event and without a wait.
    pub(super) idle: u64,
    buffer: Vec<u8>,
    started: Instant,
}

impl Clients {
    pub(super) fn new(target: Target) -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            target,
            clients: Vec::new(),
            joined: 0,
            say: Say::new(),
            sent: 0,
            counters: Counters::default(),
            latency: Latency::new(),
            timed: false,
            idle: 0,
            buffer: vec![0; BUFFER],
            started: Instant::now(),
        })
    }

    /// Nanoseconds since the start.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Connects this many guests and waits until nothing more arrives.
    pub(super) fn connect(&mut self, guests: usize) -> io::Result<Connected> {
        let (resident, bytes) = (process::resident(self.target.process), self.counters.bytes);
        let deadline = self.now() + DEADLINE;
        while self.joined < guests {
            while self.clients.len() < guests.min(self.joined + OPENING) {
                let token = Token(self.clients.len());
                self.clients.push(Client::open(self.poll.registry(), token, self.target.address)?);
            }
            self.turn(deadline, false)?;
            if self.now() > deadline {
                return Err(io::Error::other(format!("only {} of {guests} guests joined", self.joined)));
            }
        }
        for client in &self.clients {
            client.stream.set_nodelay(true)?;
        }
        let (mut received, mut since) = (self.counters.bytes, self.now());
        while self.now() < since + QUIET {
            self.turn(since + QUIET, false)?;
            if self.counters.bytes != received {
                (received, since) = (self.counters.bytes, self.now());
            }
        }
        let resident = process::resident(self.target.process).saturating_sub(resident);
        Ok(Connected {
            guests,
            resident_bytes_per_guest: resident as f64 / guests as f64,
            received_bytes_per_guest: (received - bytes) as f64 / guests as f64,
        })
    }

    /// Handles what has arrived, or waits for it until `until`. Timers of epoll are no finer than a millisecond: with
    /// `spin`, the last millisecond is polled without waiting.
    pub(super) fn turn(&mut self, until: u64, spin: bool) -> io::Result<()> {
        let before = self.now();
        let wait = Duration::from_nanos(until.saturating_sub(before));
        let wait = if spin { Duration::from_millis(wait.as_millis() as u64) } else { wait };
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        if wait.is_zero() && self.events.is_empty() {
            self.idle += self.now() - before;
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let handled = events.iter().try_for_each(|event| self.handle(event));
        self.events = events;
        handled
    }

    fn handle(&mut self, event: &Event) -> io::Result<()> {
        let index = event.token().0;
        let client = &mut self.clients[index];
        if let Some(error) = client.stream.take_error().ok().flatten().filter(|_| event.is_error()) {
            return Err(error);
        }
        if event.is_writable() {
            client.send_rest()?;
        }
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(());
        }
        loop {
            let client = &mut self.clients[index];
            let partial = client.partial.len();
            let Some(filled) = client.read(&mut self.buffer)? else { return Ok(()) };
            self.counters.reads += 1;
            self.counters.bytes += (filled - partial) as u64;
            let parsed = self.parse(index, filled)?;
            self.clients[index].partial.extend_from_slice(&self.buffer[parsed..filled]);
            // Readiness is edge-triggered: after a short read there is another event for what arrives later.
            if filled < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Handles the frames in the buffer; returns how many of its bytes were complete frames.
    fn parse(&mut self, index: usize, filled: usize) -> io::Result<usize> {
        let now = if self.timed { self.now() } else { 0 };
        let client = &mut self.clients[index];
        let buffer = &self.buffer[..filled];
        let mut at = 0;
        if client.state == State::Upgrading {
            let Some(head) = upgraded(buffer)? else { return Ok(0) };
            at = head;
            client.state = State::Joining;
            let hello = format!(r#"{{"type":"hello","name":"Guest {index}"}}"#);
            client.send(&frames::masked(1, hello.as_bytes()))?;
        }
        let mut deliveries = 0;
        while let Some((opcode, begin, end)) = frames::parse(&buffer[at..]) {
            let Some(payload) = buffer.get(at + begin..at + end) else { break };
            at += end;
            match opcode {
                1 => match self.say.mark(payload) {
                    Some(digits) => {
                        deliveries += 1;
                        if self.timed {
                            self.latency.received(digits, now);
                        }
                    }
                    None if client.state == State::Joining
                        && payload.starts_with(br#"{"type":"welcome""#) =>
                    {
                        client.state = State::Joined;
                        self.joined += 1;
                    }
                    None => {}
                },
                9 => client.send(&frames::masked(10, payload))?,
                8 => return Err(io::Error::other("the server closed a connection")),
                _ => {}
            }
        }
        client.received += deliveries;
        self.counters.deliveries += deliveries;
        Ok(at)
    }
}
