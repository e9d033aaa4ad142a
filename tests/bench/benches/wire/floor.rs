//! The floor: the fan-out of a hub and nothing else, as a single-threaded epoll loop.
//!
//! It sends the same bytes as onionroom: the `message` with its sequence number, time, author and id to each guest, and
//! `acknowledged` to the sender. Every guest has a cursor into one log of encoded frames and gets everything after it
//! in one write. Between groups of writes the loop reads what has arrived, so that the guests of the next group get it,
//! too. It checks nothing, keeps nothing and limits nothing.

mod guest;
mod log;

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use onionroom_bench::Outcome;

use self::guest::Guest;
use self::log::Log;

const LISTENER: Token = Token(usize::MAX);
/// Events of one `epoll_wait`.
const EVENTS: usize = 4096;
/// Bytes of one `read`.
const READ: usize = 128 * 1024;
/// Writes between two reads.
const GROUP: usize = 16;

struct Floor {
    poll: Poll,
    listener: TcpListener,
    guests: Vec<Guest>,
    log: Log,
    /// The guest whose turn to be written to is next.
    next: usize,
    /// Guests that may be behind the log, from `next` on.
    behind: usize,
    buffer: Vec<u8>,
}

/// Runs until it is killed; prints its address.
///
/// # Errors
/// When the system gives it no socket.
pub(crate) fn run() -> Outcome<()> {
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("local: http://{}/", listener.local_addr()?);
    io::stdout().flush()?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (guests, log, buffer) = (Vec::new(), Log::new(Instant::now()), vec![0; READ]);
    let mut floor = Floor { poll, listener, guests, log, next: 0, behind: 0, buffer };
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let wait = (floor.behind > 0).then_some(Duration::ZERO);
        match floor.poll.poll(&mut events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        let head = floor.log.head();
        for event in &events {
            match event.token() {
                LISTENER => floor.accept()?,
                Token(index) => floor.handle(index, event.is_writable()),
            }
        }
        if floor.log.head() != head {
            floor.behind = floor.guests.len();
        }
        floor.write();
    }
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(self.guests.len()), interest)?;
            self.guests.push(Guest::new(stream, self.guests.len() as u64));
        }
    }

    /// Reads everything that has arrived from a guest.
    fn handle(&mut self, index: usize, writable: bool) {
        let guest = &mut self.guests[index];
        let handled = guest.read(&mut self.buffer, &mut self.log);
        let handled = handled.and_then(|()| if writable { guest.unblock(&self.log) } else { Ok(()) });
        if handled.is_err() {
            guest.close();
        }
    }

    /// Writes to the next guests that are behind.
    fn write(&mut self) {
        let mut written = 0;
        while self.behind > 0 && written < GROUP {
            let guest = &mut self.guests[self.next];
            match guest.write(&self.log) {
                Ok(true) => written += 1,
                Ok(false) => {}
                Err(_) => guest.close(),
            }
            self.next = (self.next + 1) % self.guests.len();
            self.behind -= 1;
        }
        if self.log.is_large() {
            let oldest = self.guests.iter().filter_map(Guest::cursor).min();
            self.log.forget(oldest.unwrap_or(self.log.head()));
        }
    }
}
