//! One guest's stay: what they ask for, what they are answered, and their cursor. It knows no wire beyond the
//! encoded frames it hands on.

use bytes::BytesMut;

use crate::hub::{Reader, Room, Seat};
use crate::protocol::event::Event;
use crate::protocol::{Code, Hello, Refusal, Request, Say, frame};

/// A guest's stay, from the first frame to the last.
pub struct Session {
    room: Room,
    inside: Option<Inside>,
}

struct Inside {
    seat: Seat,
    reader: Reader,
}

/// Why a stay is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The guest said goodbye.
    Left,
    /// There was no seat.
    RoomFull,
    /// The same guest came in on another connection.
    TakenOver,
    /// The room is closing.
    Closing,
}

impl Session {
    /// A stay that begins before the door.
    pub fn new(room: Room) -> Self {
        Self { room, inside: None }
    }

    /// Whether the guest has been welcomed.
    pub fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// The connection is over: from here on the seat is only kept for a while.
    pub fn disconnect(&mut self) {
        self.inside = None;
    }

    /// Takes one text frame; the direct answer is appended to `out`. An [`Ending`] means: send `out`, close.
    pub async fn receive(&mut self, text: &str, out: &mut BytesMut) -> Option<Ending> {
        let request = match Request::decode(text, self.room.limits().message_bytes) {
            Ok(request) => request,
            Err(refusal) => return refuse(&refusal, out),
        };
        let answered = match request {
            Request::Ping => {
                frame::text(&Event::Pong.encode(), out);
                Ok(())
            }
            Request::Leave => {
                if let Some(inside) = self.inside.take() {
                    inside.seat.leave();
                }
                return Some(Ending::Left);
            }
            Request::Hello(hello) => self.hello(hello, out).await,
            Request::Say(say) => self.say(say, out).await,
            Request::Rename(name) => match &self.inside {
                Some(inside) => self.room.rename(&inside.seat, name).await,
                None => Err(hello_first()),
            },
        };
        answered.err().and_then(|refusal| refuse(&refusal, out))
    }

    /// Takes one binary frame: there is no use for them yet.
    pub fn receive_binary(&mut self, out: &mut BytesMut) {
        let sentence = "Binary frames are reserved for later; send JSON in a text frame.";
        refuse(&Refusal::new(Code::BinaryReserved, sentence), out);
    }

    /// Appends what happened since the last call to `out`; nothing if nothing did.
    pub async fn read(&mut self, out: &mut BytesMut) -> Option<Ending> {
        let read = match &mut self.inside {
            Some(inside) => inside.reader.read(out).await,
            None => Ok(()),
        };
        read.err().map(|refusal| {
            refuse(&refusal, out);
            Ending::Closing
        })
    }

    /// Completes when there may be something to read, or with why the stay is over; never before the hello.
    pub async fn wait(&mut self) -> Option<Ending> {
        let Some(Inside { seat, reader }) = &mut self.inside else { return std::future::pending().await };
        tokio::select! {
            biased;
            () = seat.replaced() => Some(Ending::TakenOver),
            open = reader.wait() => (!open).then_some(Ending::Closing),
        }
    }

    async fn hello(&mut self, mut hello: Hello, out: &mut BytesMut) -> Result<(), Refusal> {
        if self.inside.is_some() {
            return Err(Refusal::new(
                Code::HelloAgain,
                "You are in the room already; use \"rename\" for a new name.",
            ));
        }
        let cursor = hello.cursor.take();
        let entered = self.room.enter(hello).await?;
        frame::text(&entered.welcome.event().encode(), out);
        let after = cursor.and_then(|cursor| cursor.within(&entered.welcome.epoch));
        let reader = Reader::of_guest(&self.room, &entered, after);
        self.inside = Some(Inside { seat: entered.seat, reader });
        Ok(())
    }

    async fn say(&mut self, say: Say, out: &mut BytesMut) -> Result<(), Refusal> {
        let id = say.id.clone();
        let Some(inside) = &self.inside else { return Err(hello_first().about(Some(id))) };
        let seq = self.room.say(&inside.seat, say).await?;
        frame::text(&Event::Acknowledged { id: id.as_str(), seq }.encode(), out);
        Ok(())
    }
}

/// The last frame to somebody whose seat was taken over.
pub fn tell_taken_over(out: &mut BytesMut) {
    let sentence = "This guest came in on another connection, so this one is closed.";
    refuse(&Refusal::new(Code::TakenOver, sentence), out);
}

fn refuse(refusal: &Refusal, out: &mut BytesMut) -> Option<Ending> {
    frame::text(&refusal.event().encode(), out);
    match refusal.code {
        Code::RoomFull => Some(Ending::RoomFull),
        _ => None,
    }
}

fn hello_first() -> Refusal {
    Refusal::new(Code::HelloFirst, "The first frame is a \"hello\"; nothing else counts before it.")
}
