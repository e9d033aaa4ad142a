//! One guest's stay: what they ask for, what they are answered, and their cursor. It knows no wire beyond the
//! encoded frames it hands on.
//!
//! Requests are taken up in the order in which they came, and answered in it. Messages that came together are
//! asked for together; meanwhile the guest goes on reading. Nobody is refused for being too fast: what it is not
//! their turn for waits, and they are not heard before it is done.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

use crate::hub::{Entered, Reader, Room, Seat, Spoken};
use crate::protocol::event::Event;
use crate::protocol::request::Cursor;
use crate::protocol::{Code, MessageId, Name, Refusal, Request, Say, frame};

/// How long the room is silent for each frame that is no request, a mistake or a control frame: a hundred a second may
/// come, and no program needs more.
const NOISE_EACH: Duration = Duration::from_millis(10);

/// How much of that may gather before there is a pause: fifty frames at once.
const NOISE_AT_ONCE: Duration = Duration::from_millis(500);

/// The longest pause.
const NOISE_PAUSE_MAX: Duration = Duration::from_secs(5);

/// A guest's stay, from the first frame to the last.
pub struct Session {
    room: Room,
    inside: Option<Inside>,
    /// What was asked for and not taken up yet. Small because nothing more is received while there is any.
    asked: VecDeque<Result<Request, Refusal>>,
    /// What the room is deciding about.
    under_way: Option<BoxFuture<'static, Decided>>,
    /// When the frames that were no requests will have been forgotten.
    noise: Instant,
}

struct Inside {
    seat: Seat,
    reader: Reader,
}

/// What the room says to a request.
enum Decided {
    /// Nothing: it was only a pause.
    Nothing,
    Entered(Result<Box<Entered>, Refusal>, Option<Cursor>),
    Spoken(Vec<MessageId>, Spoken),
    Renamed(Name, Result<Option<String>, Refusal>),
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
        Self { room, inside: None, asked: VecDeque::new(), under_way: None, noise: Instant::now() }
    }

    /// Whether the guest has been welcomed.
    pub fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// The connection is over: from here on the seat is only kept for a while.
    pub fn disconnect(&mut self) {
        self.inside = None;
    }

    /// Takes one text frame; [`Session::poll_answers`] has the answer.
    pub fn receive(&mut self, text: &str) {
        self.asked.push_back(Request::decode(text, self.room.limits().message_bytes));
    }

    /// Takes note of a control frame, which somebody else answers: too many of them are taken up in parts.
    pub fn receive_control(&mut self) {
        self.noise = self.noise.max(Instant::now()) + NOISE_EACH;
    }

    /// Takes one binary frame: there is no use for them yet.
    pub fn receive_binary(&mut self) {
        let sentence = "Binary frames are reserved for later; send JSON in a text frame.";
        self.asked.push_back(Err(Refusal::new(Code::BinaryReserved, sentence)));
    }

    /// Appends the answers to what was received to `out`; ready when all are there. An [`Ending`] means: send
    /// `out`, close.
    pub fn poll_answers(&mut self, context: &mut Context<'_>, out: &mut BytesMut) -> Poll<Option<Ending>> {
        loop {
            if let Some(under_way) = &mut self.under_way {
                let decided = ready!(under_way.poll_unpin(context));
                self.under_way = None;
                if let Some(ending) = self.decided(decided, out) {
                    return Poll::Ready(Some(ending));
                }
                // What it is not the guest's turn for is under way again, before anything else.
                continue;
            }
            let noise = self.noise.saturating_duration_since(Instant::now());
            if noise > NOISE_AT_ONCE {
                let pause = noise.min(NOISE_PAUSE_MAX);
                self.noise = Instant::now() + pause;
                self.under_way = Some(sleep(pause).map(|()| Decided::Nothing).boxed());
                continue;
            }
            let Some(asked) = self.asked.pop_front() else {
                // An idle guest holds no memory for what they might ask.
                self.asked = VecDeque::new();
                return Poll::Ready(None);
            };
            match asked.and_then(|request| self.take_up(request, out)) {
                Ok(None) => {}
                Ok(Some(ending)) => return Poll::Ready(Some(ending)),
                Err(refusal) => {
                    self.receive_control();
                    refuse(&refusal, out);
                }
            }
        }
    }

    fn take_up(&mut self, request: Request, out: &mut BytesMut) -> Result<Option<Ending>, Refusal> {
        let room = self.room.clone();
        match (request, &self.inside) {
            (Request::Ping, _) => frame::text(&Event::Pong.encode(), out),
            (Request::Leave, _) => {
                if let Some(inside) = self.inside.take() {
                    inside.seat.leave();
                }
                return Ok(Some(Ending::Left));
            }
            (Request::Hello(_), Some(_)) => {
                let sentence = "You are in the room already; use \"rename\" for a new name.";
                return Err(Refusal::new(Code::HelloAgain, sentence));
            }
            (Request::Hello(mut hello), None) => {
                let cursor = hello.cursor.take();
                let enter = async move {
                    let entered = in_turn(|| room.enter(hello.clone())).await;
                    Decided::Entered(entered.map(Box::new), cursor)
                };
                self.under_way = Some(enter.boxed());
            }
            (Request::Say(say), Some(inside)) => {
                let mut says = vec![say];
                while matches!(self.asked.front(), Some(Ok(Request::Say(_)))) {
                    if let Some(Ok(Request::Say(say))) = self.asked.pop_front() {
                        says.push(say);
                    }
                }
                self.under_way = Some(speak(&room, &inside.seat, says, Duration::ZERO));
            }
            (Request::Say(Say { id, .. }), None) => return Err(hello_first().about(Some(id))),
            (Request::Rename(name), Some(inside)) => {
                self.under_way = Some(rename(&room, &inside.seat, name, Duration::ZERO));
            }
            (Request::Rename(_), None) => return Err(hello_first()),
        }
        Ok(None)
    }

    fn decided(&mut self, decided: Decided, out: &mut BytesMut) -> Option<Ending> {
        match decided {
            Decided::Nothing => None,
            Decided::Entered(Ok(entered), cursor) => {
                frame::text(&entered.welcome.event().encode(), out);
                let after = cursor.and_then(|cursor| cursor.within(&entered.welcome.epoch));
                let reader = Reader::of_guest(&self.room, &entered, after);
                self.inside = Some(Inside { seat: entered.seat, reader });
                None
            }
            Decided::Entered(Err(refusal), _) => refuse(&refusal, out),
            Decided::Spoken(ids, Spoken { said, not_yet }) => {
                for (id, said) in ids.iter().zip(said) {
                    match said {
                        Ok(seq) => frame::text(&Event::Acknowledged { id: id.as_str(), seq }.encode(), out),
                        Err(refusal) => {
                            refuse(&refusal, out);
                        }
                    }
                }
                if let (Some((says, wait)), Some(inside)) = (not_yet, &self.inside) {
                    self.under_way = Some(speak(&self.room, &inside.seat, says, wait));
                }
                None
            }
            Decided::Renamed(name, Err(Refusal { wait: Some(wait), .. })) => {
                let again = |inside: &Inside| rename(&self.room, &inside.seat, name, wait);
                self.under_way = self.inside.as_ref().map(again);
                None
            }
            Decided::Renamed(_, Ok(event)) => {
                event.iter().for_each(|event| frame::text(event, out));
                None
            }
            Decided::Renamed(_, Err(refusal)) => refuse(&refusal, out),
        }
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

    /// Ready when there is something to read, or with why the stay is over; never before the hello.
    pub fn poll_news(&mut self, context: &Context<'_>) -> Poll<Option<Ending>> {
        let Some(inside) = &mut self.inside else { return Poll::Pending };
        inside.reader.poll_wait(context).map(|open| (!open).then_some(Ending::Closing))
    }

    /// Completes when somebody else has taken the seat over; `None` before the hello.
    pub fn replaced(&self) -> Option<impl Future<Output = ()> + use<>> {
        self.inside.as_ref().map(|inside| inside.seat.replaced())
    }
}

/// Says all of it, after a pause.
fn speak(room: &Room, seat: &Seat, says: Vec<Say>, pause: Duration) -> BoxFuture<'static, Decided> {
    let ids = says.iter().map(|say| say.id.clone()).collect();
    let spoken = room.say_all(seat, says);
    after(pause, async { Decided::Spoken(ids, spoken.await) })
}

/// Asks for another name, after a pause.
fn rename(room: &Room, seat: &Seat, name: Name, pause: Duration) -> BoxFuture<'static, Decided> {
    let renamed = room.rename(seat, name.clone());
    after(pause, async { Decided::Renamed(name, renamed.await) })
}

fn after<T: Future + Send + 'static>(pause: Duration, then: T) -> BoxFuture<'static, T::Output> {
    match pause {
        Duration::ZERO => then.boxed(),
        pause => sleep(pause).then(|()| then).boxed(),
    }
}

/// Asks until it is the guest's turn.
async fn in_turn<T, A>(mut ask: impl FnMut() -> A) -> Result<T, Refusal>
where
    A: Future<Output = Result<T, Refusal>>,
{
    loop {
        match ask().await {
            Err(Refusal { wait: Some(wait), .. }) => sleep(wait).await,
            answer => return answer,
        }
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
