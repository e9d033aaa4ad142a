//! The floor: what sending the messages costs at the very least, in one thread and with no more than the framing.
//!
//! Each frame that comes is unmasked and put into one frame that goes to everybody: with a write of its own for each
//! message and guest, or together with whatever else came in the same round, one write for each guest. There are no
//! names, no numbers, no log, no deadlines and no limits. A hub that does more can come near it, not below it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::kit::Outcome;

const LISTENER: Token = Token(usize::MAX);
const BUFFER: usize = 128 * 1024;
const EVENTS: usize = 512;

/// One guest.
struct Guest {
    stream: TcpStream,
    /// Whether hands were shaken.
    inside: bool,
    /// What has come of something that is not whole.
    begun: Vec<u8>,
    /// What could not be written yet.
    unsent: Vec<u8>,
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    guests: Vec<Option<Guest>>,
    free: Vec<usize>,
    /// Whether messages of a round go out together.
    together: bool,
    /// Frames for everybody.
    out: Vec<u8>,
    buffer: Vec<u8>,
}

/// Is the floor until it is killed; tells its address on standard output.
pub(crate) fn run(together: bool) -> Outcome<()> {
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("local: http://{}/", listener.local_addr()?);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (guests, free, out, buffer) = (Vec::new(), Vec::new(), Vec::new(), vec![0; BUFFER]);
    let mut floor = Floor { poll, listener, guests, free, together, out, buffer };
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match floor.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                LISTENER => floor.accept()?,
                Token(number) => {
                    if floor.attend(number, event.is_writable()).is_err()
                        && floor.guests[number].take().is_some()
                    {
                        floor.free.push(number);
                    }
                }
            }
        }
        floor.flush();
    }
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => continue,
            };
            let _ = stream.set_nodelay(true);
            let number = self.free.pop().unwrap_or_else(|| {
                self.guests.push(None);
                self.guests.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(number), interest)?;
            self.guests[number] =
                Some(Guest { stream, inside: false, begun: Vec::new(), unsent: Vec::new() });
        }
    }

    fn attend(&mut self, number: usize, writable: bool) -> io::Result<()> {
        let Some(guest) = &mut self.guests[number] else { return Ok(()) };
        if writable && !guest.unsent.is_empty() {
            let unsent = std::mem::take(&mut guest.unsent);
            guest.send(&unsent)?;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = self.read(number, &mut buffer);
        self.buffer = buffer;
        read
    }

    fn read(&mut self, number: usize, buffer: &mut [u8]) -> io::Result<()> {
        while let Some(guest) = &mut self.guests[number] {
            let begun = guest.begun.len();
            buffer[..begun].copy_from_slice(&guest.begun);
            let filled = match guest.stream.read(&mut buffer[begun..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => begun + read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            guest.begun.clear();
            let used = match guest.inside {
                true => self.relay(&mut buffer[..filled])?,
                false => guest.shake_hands(&buffer[..filled])?,
            };
            if let Some(guest) = &mut self.guests[number] {
                guest.begun.extend_from_slice(&buffer[used..filled]);
            }
            if filled < buffer.len() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts what is said where everybody gets it from; answers how much of it was whole.
    fn relay(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut at = 0;
        while let Some((opcode, payload, end)) = unmask(&mut bytes[at..]) {
            at += end;
            match opcode {
                1 | 2 => {
                    self.out.push(0x80 | opcode);
                    match payload.len() {
                        length @ ..126 => self.out.push(length as u8),
                        length => {
                            self.out.push(126);
                            self.out.extend((length as u16).to_be_bytes());
                        }
                    }
                    self.out.extend_from_slice(payload);
                }
                8 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
            if !self.together {
                self.flush();
            }
        }
        Ok(at)
    }

    /// Sends what there is to everybody.
    fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        for (number, place) in self.guests.iter_mut().enumerate() {
            if let Some(guest) = place.as_mut().filter(|guest| guest.inside)
                && guest.send(&self.out).is_err()
            {
                *place = None;
                self.free.push(number);
            }
        }
        self.out.clear();
    }
}

impl Guest {
    #[inline]
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let written = match self.stream.write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if written < bytes.len() {
            self.unsent.extend_from_slice(&bytes[written..]);
        }
        Ok(())
    }

    fn shake_hands(&mut self, head: &[u8]) -> io::Result<usize> {
        let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(0) };
        let text = std::str::from_utf8(&head[..end]).map_err(io::Error::other)?;
        let key = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = derive_accept_key(key.ok_or(ErrorKind::InvalidData)?.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.inside = true;
        self.send(answer.as_bytes())?;
        Ok(end + 4)
    }
}

/// The first masked frame in `bytes`, if it is whole: its opcode, its payload, unmasked in place, and its end.
fn unmask(bytes: &mut [u8]) -> Option<(u8, &[u8], usize)> {
    let length = usize::from(bytes.get(1)? & 0x7f);
    let (length, mask_at) = match length {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        127 => return None, // nobody says that much here
        _ => (length, 2),
    };
    let begin = mask_at + 4;
    let mask: [u8; 4] = bytes.get(mask_at..begin)?.try_into().ok()?;
    let opcode = bytes[0] & 0x0f;
    let payload = bytes.get_mut(begin..begin + length)?;
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= mask[index % 4];
    }
    Some((opcode, payload, begin + length))
}
