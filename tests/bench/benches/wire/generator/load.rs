//! The closed loop and the open loop.

use std::io;

use onionroom_bench::latencies::Latencies;
use onionroom_bench::process;

use super::clients::{Clients, Counters};
use crate::command::{Load, Measured};

/// The guests that send, in turn.
const SENDERS: u64 = 4;
/// Nanoseconds without a delivery after which a load is given up.
const STALLED: u64 = 5_000_000_000;

/// The counters when the measurement began.
struct Begin {
    at: u64,
    counters: Counters,
    server_cpu: f64,
    generator_cpu: f64,
    idle: u64,
}

impl Clients {
    /// Applies a load and waits until everything has arrived.
    pub(super) fn apply(&mut self, load: Load, warm_up: f64, seconds: f64) -> io::Result<Measured> {
        self.timed = matches!(load, Load::Rate(_));
        let (mut begin, mut late) = (None, Latencies::default());
        let start = self.now();
        let measured = start + (warm_up * 1e9) as u64;
        let end = measured + (seconds * 1e9) as u64;
        let (mut due, mut progress) = (start, (start, self.counters.deliveries));
        loop {
            let now = self.now();
            if now >= measured && begin.is_none() {
                begin = Some(self.begin(now));
                late.reset();
            }
            if progress.1 != self.counters.deliveries {
                progress = (now, self.counters.deliveries);
            }
            if now >= end || now - progress.0 > STALLED {
                break;
            }
            match load {
                Load::Window(window) => {
                    while self.sent < self.arrived() + window {
                        self.send(now)?;
                    }
                    // Without a wait: waking a sleeping generator would be work for the server.
                    self.turn(now, true)?;
                }
                Load::Rate(rate) => {
                    while due <= now {
                        self.send(due)?;
                        late.record(now - due);
                        due += (1e9 / rate) as u64;
                    }
                    self.turn(due.min(end), true)?;
                }
            }
        }
        self.finish(begin.ok_or_else(|| io::Error::other("the server stalled"))?, &late)
    }

    /// Messages that have arrived: deliveries divided by guests.
    #[inline]
    fn arrived(&self) -> u64 {
        self.counters.deliveries / self.clients.len() as u64
    }

    fn send(&mut self, due: u64) -> io::Result<()> {
        let number = self.sent as u32;
        let sender = (self.sent % SENDERS) as usize % self.clients.len();
        self.sent += 1;
        self.latency.sent(number, due);
        self.clients[sender].send(self.say.number(number))
    }

    fn begin(&mut self, at: u64) -> Begin {
        self.latency.begin(self.sent as u32);
        Begin {
            at,
            counters: self.counters,
            server_cpu: process::cpu(self.target.process),
            generator_cpu: process::thread_cpu(),
            idle: self.idle,
        }
    }

    fn finish(&mut self, begin: Begin, late: &Latencies) -> io::Result<Measured> {
        self.latency.end(self.sent as u32);
        let server_cpu = process::cpu(self.target.process) - begin.server_cpu;
        let idle = (self.idle - begin.idle) as f64 / 1e9;
        let generator_cpu = process::thread_cpu() - begin.generator_cpu - idle;
        let seconds = (self.now() - begin.at) as f64 / 1e9;
        let counters = self.counters;
        let lost = self.drain()?;
        Ok(Measured {
            seconds,
            deliveries: counters.deliveries - begin.counters.deliveries,
            bytes: counters.bytes - begin.counters.bytes,
            reads: counters.reads - begin.counters.reads,
            server_cpu,
            generator_cpu,
            median_ms: self.latency.latencies.quantile_ms(0.5),
            p99_ms: self.latency.latencies.quantile_ms(0.99),
            late_p99_ms: late.quantile_ms(0.99),
            lost,
        })
    }

    /// Waits for what is in flight; returns how many deliveries are missing.
    fn drain(&mut self) -> io::Result<i64> {
        let all = self.sent * self.clients.len() as u64;
        let mut progress = (self.now(), self.counters.deliveries);
        while self.counters.deliveries < all && self.now() < progress.0 + STALLED {
            self.turn(progress.0 + STALLED, false)?;
            if progress.1 != self.counters.deliveries {
                progress = (self.now(), self.counters.deliveries);
            }
        }
        let missing = self.clients.iter().map(|client| self.sent as i64 - client.received as i64);
        // A message that came twice to one guest must not make up for one that another did not get.
        Ok(missing.clone().find(|missing| *missing < 0).unwrap_or_else(|| missing.sum()))
    }
}
