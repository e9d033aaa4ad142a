//! Messages: as many as there may be under way, or at a pace.

use std::io;

use super::crowd::{Crowd, Tally};
use super::histogram::Histogram;
use super::progress::Progress;
use crate::wire::orders::{Loaded, Span};
use crate::wire::proc;

/// Who speaks in a closed loop, in turn.
const SPEAKERS: usize = 4;
/// How long the last messages may take.
const DRAIN: u64 = 60_000_000_000;
/// Without any delivery for so long, there is no use in going on.
const STALL: u64 = 5_000_000_000;

/// Where everything stood when the measured span began.
struct Begin {
    at: u64,
    tally: Tally,
    server_cpu: f64,
    own_cpu: f64,
    looked: u64,
    said: u32,
    flooded: u32,
}

/// When a load begins to count and when it is over.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) measured: u64,
    pub(super) over: u64,
}

impl Times {
    pub(super) fn new(now: u64, span: Span) -> Self {
        let measured = now + (span.warm * 1e9) as u64;
        Self { measured, over: measured + (span.measured * 1e9) as u64 }
    }
}

impl Crowd {
    /// Closed loop: the next message is said when a delivery for each guest was made since the last.
    pub(crate) fn saturate(&mut self, window: u64, span: Span) -> io::Result<Loaded> {
        self.watch.everybody = false;
        let times = Times::new(self.now(), span);
        let mut begin = None;
        let (mut moved, mut deliveries) = (self.now(), self.tally.deliveries);
        loop {
            let now = self.now();
            if now >= times.measured && begin.is_none() {
                begin = Some(self.begin());
            }
            if self.tally.deliveries != deliveries {
                (moved, deliveries) = (now, self.tally.deliveries);
            }
            if now >= times.over || now - moved > STALL {
                break;
            }
            for room in 0..self.rooms.len() {
                while self.rooms[room].said < self.rooms[room].arrived() + window {
                    self.say(room, SPEAKERS, now)?;
                }
            }
            // Never asleep: to wake a sleeper is work for the hub, and the slower the hub the more of it.
            self.round(now, true)?;
        }
        self.finish(begin, Histogram::new())
    }

    /// Open loop. Whatever the hub does, messages are said when their time has come.
    pub(crate) fn pace(
        &mut self,
        rate: f64,
        burst: u32,
        speakers: usize,
        spin: bool,
        span: Span,
    ) -> io::Result<Loaded> {
        self.watch.everybody = true;
        let times = Times::new(self.now(), span);
        let interval = (1e9 * f64::from(burst) / rate) as u64;
        let (mut next, mut room) = (self.now(), 0);
        let mut lag = Histogram::new();
        let mut begin = None;
        while self.now() < times.over {
            let now = self.now();
            if now >= times.measured && begin.is_none() {
                begin = Some(self.begin());
            }
            while next <= now {
                for _ in 0..burst {
                    self.say(room, speakers, next)?;
                    room = (room + 1) % self.rooms.len();
                }
                if begin.is_some() {
                    lag.add(now - next);
                }
                next += interval;
            }
            self.trouble(now)?;
            self.round(next.min(times.over), spin)?;
        }
        self.finish(begin, lag)
    }

    /// The next speaker of a room says something that was to be said then.
    fn say(&mut self, room: usize, speakers: usize, meant: u64) -> io::Result<()> {
        let progress = &mut self.rooms[room];
        let rooms = self.target.rooms.len();
        // Guests were let in room by room, in turn.
        let speaker = (progress.said as usize % speakers) * rooms + room;
        let number = self.said;
        self.said = self.said.wrapping_add(1);
        progress.said += 1;
        self.watch.means(number, meant);
        self.guests[speaker].send(self.message.number(number))
    }

    fn begin(&mut self) -> Begin {
        self.watch.begin(self.said);
        Begin {
            at: self.now(),
            tally: self.tally,
            server_cpu: proc::cpu(self.target.process),
            own_cpu: proc::own_cpu(),
            looked: self.looked,
            said: self.said,
            flooded: self.troubled.said,
        }
    }

    /// Waits for what is still under way.
    fn drain(&mut self) -> io::Result<()> {
        let (mut moved, mut deliveries) = (self.now(), self.tally.deliveries);
        let deadline = moved + DRAIN;
        while !self.rooms.iter().all(Progress::is_over) && self.now() < deadline.min(moved + STALL) {
            self.round(moved + STALL, false)?;
            if self.tally.deliveries != deliveries {
                (moved, deliveries) = (self.now(), self.tally.deliveries);
            }
        }
        Ok(())
    }

    /// The span is over: what was it like? Then waits for what is still under way.
    fn finish(&mut self, begin: Option<Begin>, lag: Histogram) -> io::Result<Loaded> {
        let begin = begin.ok_or_else(|| io::Error::other("nothing arrived any more before it counted"))?;
        self.watch.until = self.said;
        let server_cpu = proc::cpu(self.target.process) - begin.server_cpu;
        let looked = (self.looked - begin.looked) as f64 / 1e9;
        let generator_cpu = proc::own_cpu() - begin.own_cpu - looked;
        let seconds = (self.now() - begin.at) as f64 / 1e9;
        let tally = self.tally;
        self.drain()?;
        let lost = self.guests.iter().filter(|guest| guest.counts());
        let lost = lost.map(|guest| self.rooms[guest.room].said as i64 - guest.got as i64).sum();
        Ok(Loaded {
            seconds,
            messages: u64::from(self.watch.until.wrapping_sub(begin.said)),
            deliveries: tally.deliveries - begin.tally.deliveries,
            bytes: tally.bytes - begin.tally.bytes,
            reads: tally.reads - begin.tally.reads,
            server_cpu,
            generator_cpu,
            median: self.watch.delays.percentile(0.5),
            late: self.watch.delays.percentile(0.99),
            lag: lag.percentile(0.99),
            lost,
            dead: self.tally.dead,
            flooded: u64::from(self.troubled.said - begin.flooded),
            resident: proc::resident(self.target.process),
        })
    }
}
