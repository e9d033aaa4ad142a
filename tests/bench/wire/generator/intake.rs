//! What comes from the hub: read, counted, and timed where that is wanted. This is what runs for each delivery.

use std::io;

use super::crowd::{Crowd, Door};
use super::framing::{self, MARK};
use super::guest::{Guest, Stage, answered};
use super::progress::Progress;

/// A frame longer than this is not waited for, only let pass.
const LONGEST: usize = 8 * 1024;
/// One guest in so many is timed where not all are.
const TIMED: usize = 16;
/// How much of a frame is searched for what lets a guest in.
const BEGIN: usize = 128;

impl Crowd {
    /// Reads what there is for this guest.
    pub(super) fn read(&mut self, number: usize) -> io::Result<()> {
        loop {
            let guest = &mut self.guests[number];
            let begun = guest.begun.len();
            let Some(filled) = guest.read(&mut self.buffer)? else { return Ok(()) };
            self.tally.reads += 1;
            self.tally.bytes += (filled - begun) as u64;
            let used = self.take(number, filled)?;
            if used < filled {
                self.guests[number].begun.extend_from_slice(&self.buffer[used..filled]);
            }
            // Edge-triggered readiness: after a short read, whatever comes is a new event.
            if filled < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Takes the frames in the buffer; answers how many bytes of it are done with.
    fn take(&mut self, number: usize, filled: usize) -> io::Result<usize> {
        let Self { guests, rooms, door, tally, watch, target, message, buffer, started, .. } = self;
        let guest = &mut guests[number];
        let room = &mut rooms[guest.room];
        let wanted = target.dialect.inside.as_deref().unwrap_or_default().as_bytes();
        let mut at = 0;
        if guest.stage == Stage::Upgrading {
            match answered(&buffer[..filled])? {
                None => return Ok(0),
                Some(head) => at = head,
            }
            guest.stage = Stage::Joining;
            match target.dialect.hello.as_deref().filter(|_| door.hello) {
                Some(hello) => guest.send(&framing::masked(1, hello.as_bytes()))?,
                None => come_in(number, guest, room, door),
            }
        }
        let skipped = guest.skip.min(filled - at);
        guest.skip -= skipped;
        at += skipped;

        let timed = watch.everybody || number % TIMED == 3;
        let now = if timed { started.elapsed().as_nanos() as u64 } else { 0 };
        let mut fresh = 0;
        while let Some((opcode, begin, end)) = framing::frame(&buffer[at..filled]) {
            if at + end > filled {
                if end > LONGEST {
                    let begun = &buffer[(at + begin).min(filled)..filled];
                    if guest.stage == Stage::Joining && lets_in(begun, wanted) {
                        come_in(number, guest, room, door);
                    }
                    guest.skip = at + end - filled;
                    at = filled;
                }
                break;
            }
            let payload = &buffer[at + begin..at + end];
            at += end;
            match opcode {
                1 | 2 => match framing::mark(payload, message.tail) {
                    Some(mark) => {
                        fresh += 1;
                        if timed {
                            watch.time(framing::number(&payload[mark + MARK.len()..]), now);
                        }
                    }
                    None if guest.stage == Stage::Joining && lets_in(payload, wanted) => {
                        come_in(number, guest, room, door);
                    }
                    None => {}
                },
                9 => {
                    tally.pings += 1;
                    guest.send(&framing::masked(10, payload))?;
                }
                8 => return Err(io::Error::other("the hub closed")),
                _ => {}
            }
        }
        if fresh > 0 && guest.stage == Stage::Inside && guest.trouble.is_none() {
            guest.got += fresh;
            tally.deliveries += fresh;
            room.advance(fresh);
        }
        Ok(at)
    }
}

fn lets_in(payload: &[u8], wanted: &[u8]) -> bool {
    payload[..payload.len().min(BEGIN)].windows(wanted.len().max(1)).any(|bytes| bytes == wanted)
}

fn come_in(number: usize, guest: &mut Guest, room: &mut Progress, door: &mut Door) {
    guest.stage = Stage::Inside;
    if guest.trouble.is_none() {
        guest.got = room.enter();
    }
    door.coming -= 1;
    door.inside += 1;
    door.arrived.push(number);
}
