//! Coming in: all guests once, or handshake after handshake.

use std::io;

use super::crowd::Crowd;
use super::histogram::Histogram;
use super::load::Times;
use crate::wire::orders::{Joined, Knocked, Rested, Span};
use crate::wire::proc;

/// How many come in at once.
const AT_ONCE: usize = 64;
const SECOND: u64 = 1_000_000_000;
/// How long everybody may take.
const DEADLINE: u64 = 120 * SECOND;
/// Without a byte for so long, the news of everybody's coming is over.
const QUIET: u64 = 1_300_000_000;

impl Crowd {
    /// Lets so many guests into each room and waits until the hub has told everybody about everybody.
    pub(crate) fn join(&mut self, guests: usize) -> io::Result<Joined> {
        let process = self.target.process;
        let (resident, cpu, begun) = (proc::resident(process), proc::cpu(process), self.now());
        let bytes = self.tally.bytes;
        let (all, rooms) = (guests * self.target.rooms.len(), self.target.rooms.len());
        let deadline = begun + DEADLINE;
        let mut opened = 0;
        while self.door.inside < all {
            while opened < all && self.door.coming < AT_ONCE {
                self.open(opened % rooms, None, None)?;
                opened += 1;
            }
            self.round(deadline, false)?;
            if self.tally.dead > 0 || self.now() > deadline {
                let why = self.door.refusal.clone().unwrap_or_else(|| "too slow".into());
                return Err(io::Error::other(format!("{} of {all} are in: {why}", self.door.inside)));
            }
        }
        self.door.arrived.clear();
        for guest in &self.guests {
            guest.stream.set_nodelay(true)?;
        }
        let seconds = (self.now() - begun) as f64 / 1e9;
        self.settle()?;
        Ok(Joined {
            seconds,
            bytes: self.tally.bytes - bytes,
            resident: (resident, proc::resident(process)),
            server_cpu: proc::cpu(process) - cpu,
        })
    }

    /// Waits until nothing more comes.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let deadline = self.now() + DEADLINE;
        let (mut bytes, mut since) = (self.tally.bytes, self.now());
        while self.now() < since + QUIET && self.now() < deadline {
            self.round(since + QUIET, false)?;
            if self.tally.bytes != bytes {
                (bytes, since) = (self.tally.bytes, self.now());
            }
        }
        Ok(())
    }

    /// Nobody says anything; pings are answered.
    pub(crate) fn rest(&mut self, seconds: f64) -> io::Result<Rested> {
        let process = self.target.process;
        let (cpu, pings, begun) = (proc::cpu(process), self.tally.pings, self.now());
        self.rounds_until(begun + (seconds * 1e9) as u64)?;
        Ok(Rested {
            seconds: (self.now() - begun) as f64 / 1e9,
            server_cpu: proc::cpu(process) - cpu,
            pings: self.tally.pings - pings,
            dead: self.tally.dead,
            resident: proc::resident(process),
        })
    }

    /// Connects, shakes hands, says hello if wanted, resets the connection, and again, `at_once` at a time.
    pub(crate) fn knock(&mut self, at_once: usize, hello: bool, span: Span) -> io::Result<Knocked> {
        let process = self.target.process;
        self.door.hello = hello;
        let first = self.guests.len();
        let times = Times::new(self.now(), span);
        for _ in 0..at_once {
            self.open(0, None, None)?;
        }
        let (mut begin, mut done, mut delays) = (None, 0, Histogram::new());
        while self.now() < times.over {
            self.round(times.over, false)?;
            let now = self.now();
            if now >= times.measured && begin.is_none() {
                begin = Some((now, proc::cpu(process), proc::own_cpu(), self.tally.dead));
                (done, delays) = (0, Histogram::new());
            }
            for number in std::mem::take(&mut self.door.arrived) {
                let guest = &mut self.guests[number];
                delays.add(now - guest.opened);
                done += 1;
                self.rooms[guest.room].leave(guest.got);
                self.door.inside -= 1;
                guest.reset();
                self.open(0, Some(number), None)?;
            }
            for number in first..self.guests.len() {
                if self.guests[number].is_gone() {
                    self.open(0, Some(number), None)?;
                }
            }
        }
        let (at, cpu, own_cpu, dead) = begin.ok_or_else(|| io::Error::other("no time to measure"))?;
        let knocked = Knocked {
            seconds: (self.now() - at) as f64 / 1e9,
            handshakes: done,
            refused: (self.tally.dead - dead) as u64,
            server_cpu: proc::cpu(process) - cpu,
            generator_cpu: proc::own_cpu() - own_cpu,
            median: delays.percentile(0.5),
            late: delays.percentile(0.99),
        };
        self.guests[first..].iter_mut().for_each(super::guest::Guest::reset);
        self.guests.truncate(first);
        (self.door.coming, self.door.inside, self.tally.dead) = (0, first, 0);
        self.door.hello = true;
        Ok(knocked)
    }
}
