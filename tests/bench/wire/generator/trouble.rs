//! Guests as they should not be, among those who are counted.

use std::io;

use super::crowd::Crowd;
use super::framing::Stamped;
use super::guest::{Guest, Stage};
use crate::wire::orders::Trouble;

/// How much somebody slow reads at once, in bytes, and how often, in nanoseconds: 1 kB a second.
const SIP: usize = 100;
const SIP_EVERY: u64 = 100_000_000;
/// How many messages somebody who floods has ready.
const READY: usize = 64;
const DEADLINE: u64 = 10_000_000_000;

/// What trouble needs to be made.
pub(super) struct Troubled {
    flood: Stamped,
    /// How many messages of a flood were made.
    pub(super) said: u32,
    sipped: u64,
}

impl Troubled {
    /// Their messages have a mark that nobody counts.
    pub(super) fn new(says: &str) -> Self {
        Self { flood: Stamped::new(says, "F#"), said: 0, sipped: 0 }
    }
}

impl Crowd {
    /// Lets one more in.
    pub(crate) fn admit(&mut self, trouble: Trouble) -> io::Result<()> {
        let inside = self.door.inside;
        self.open(0, None, Some(trouble))?;
        let deadline = self.now() + DEADLINE;
        while self.door.inside == inside {
            self.round(deadline, false)?;
            if self.now() > deadline || self.tally.dead > 0 {
                return Err(io::Error::other("trouble is not let in"));
            }
        }
        self.door.arrived.clear();
        Ok(())
    }

    /// Resets the connections of everybody who is trouble.
    pub(crate) fn expel(&mut self) -> io::Result<()> {
        let counted = self.guests.iter().position(|guest| guest.trouble.is_some());
        let first = counted.unwrap_or(self.guests.len());
        self.door.inside -= self.guests[first..].iter().filter(|guest| guest.stage == Stage::Inside).count();
        self.guests[first..].iter_mut().for_each(Guest::reset);
        self.guests.truncate(first);
        self.settle()
    }

    /// What trouble does now.
    #[inline]
    pub(super) fn trouble(&mut self, now: u64) -> io::Result<()> {
        let Some(guest) = self.guests.last_mut() else { return Ok(()) };
        match guest.trouble {
            Some(Trouble::Slow) if now >= self.troubled.sipped + SIP_EVERY => {
                self.troubled.sipped = now;
                let begun = guest.begun.len();
                let sip = guest.read(&mut self.buffer[..begun + SIP]);
                guest.begun.clear();
                sip.map(drop)
            }
            Some(Trouble::Flooding) if guest.stage == Stage::Inside => {
                if guest.unsent.is_empty() {
                    for _ in 0..READY {
                        self.troubled.said = self.troubled.said.wrapping_add(1);
                        guest.unsent.extend_from_slice(self.troubled.flood.number(self.troubled.said));
                    }
                }
                guest.send_rest()
            }
            _ => Ok(()),
        }
    }
}
