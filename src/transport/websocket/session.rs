//! The session of one guest: their requests, the answers, and their cursor.
//!
//! Requests are handled and answered in the order in which they came. Messages that came together are published
//! together; meanwhile the guest goes on reading. The rate limit is backpressure here: a request beyond it waits, and
//! nothing more is received before it is done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::end::SessionEnd;
use super::outcome::{
    Outcome, answer, asks_again, check_received, do_act, hello_first, join, publish, rename, whisper,
};
use crate::hub::direct::EventStream;
use crate::hub::{Done, PublishBatch, Reader, Room, Seat, with_token};
use crate::language::Language;
use crate::protocol::event::Event;
use crate::protocol::private::PrivateEvent;
use crate::protocol::{Act, Code, Refusal, Request, Say, Token, Whisper, frame};
use crate::rooms::Rooms;

/// How many requests may wait to be handled. As many messages can be published together.
const REQUESTS_MAX: usize = 64;

/// After how many bytes of answers they are written: requests are not answered faster than their answers are written.
pub(super) const ANSWERS_BYTES: usize = 16 * 1024;

/// For how long a connection without a seat is kept whose hello may be sent again.
const ASKS_AGAIN: Duration = Duration::from_secs(60);

/// The session of one guest on one connection.
pub(super) struct Session {
    rooms: Arc<Rooms>,
    /// The room that the guest is in, or the main one.
    room: Room,
    /// The connection, for the room's task.
    stream: EventStream,
    joined: Option<Joined>,
    /// Requests that were received and not handled yet; at most [`REQUESTS_MAX`], and one before the hello.
    received: VecDeque<Result<Request, Refusal>>,
    /// The request that the room is handling.
    in_flight: Option<BoxFuture<'static, Outcome>>,
    /// The token of the guest who asks to come in.
    token: Option<Token>,
    /// Whether their last hello had none.
    made: bool,
    /// When the last hello was refused that may be sent again: by a guest who waits, or who has to type something.
    asked: Option<Instant>,
}

struct Joined {
    seat: Seat,
    reader: Reader,
    /// How many rooms the guest has joined on this connection.
    number: u64,
}

impl Session {
    /// A session before its hello.
    pub(super) fn new(rooms: Arc<Rooms>, room: Room, stream: EventStream) -> Self {
        Self {
            rooms,
            room,
            stream,
            joined: None,
            received: VecDeque::new(),
            in_flight: None,
            token: None,
            made: false,
            asked: None,
        }
    }

    /// Whether one more request may be received.
    pub(super) fn has_room(&self) -> bool {
        self.received.len() < if self.has_joined() { REQUESTS_MAX } else { 1 }
    }

    /// Whether there are requests that are not handled yet.
    pub(super) fn has_received(&self) -> bool {
        !self.received.is_empty()
    }

    /// Whether a request waits for its answer.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether the guest has joined.
    pub(super) fn has_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// Until when another hello may come from a guest who waits, or has to type something.
    pub(super) fn asks_until(&self) -> Option<Instant> {
        self.asked.map(|asked| asked + ASKS_AGAIN)
    }

    /// Gives up the connection: the seat is held for the grace time.
    pub(super) fn disconnect(&mut self) {
        self.joined = None;
    }

    /// Receives one text frame; [`Session::poll_answers`] answers it.
    pub(super) fn receive(&mut self, text: &str) {
        self.received.push_back(Request::decode(text, self.room.limits().message_bytes));
    }

    /// Receives one binary frame, which is always refused.
    pub(super) fn receive_binary(&mut self) {
        let sentence = "Binary frames are reserved for later; send JSON in a text frame.";
        self.received.push_back(Err(Refusal::new(Code::BinaryReserved, sentence)));
    }

    /// Appends the answers to all received requests to `out`; ready when none is left. A [`SessionEnd`] means: write
    /// `out`, then close.
    pub(super) fn poll_answers(
        &mut self,
        context: &mut Context<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<SessionEnd>> {
        loop {
            if let Some(in_flight) = &mut self.in_flight {
                let outcome = ready!(in_flight.poll_unpin(context));
                self.in_flight = None;
                if let Some(end) = self.answer(outcome, out) {
                    return Poll::Ready(Some(end));
                }
                // Messages beyond the rate limit are in flight again, before anything else.
                continue;
            }
            if out.len() >= ANSWERS_BYTES && !self.received.is_empty() {
                // Pages of the history are large: they are read no faster than they are written.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(request) = self.received.pop_front() else {
                // An idle session holds no memory for requests.
                self.received = VecDeque::new();
                return Poll::Ready(None);
            };
            match request.and_then(|request| self.handle(request, out)) {
                Ok(None) => {}
                Ok(Some(end)) => return Poll::Ready(Some(end)),
                Err(refusal) => {
                    refuse(&refusal, self.room.language(), out);
                }
            }
        }
    }

    fn handle(&mut self, request: Request, out: &mut BytesMut) -> Result<Option<SessionEnd>, Refusal> {
        let room = self.room.clone();
        match (request, &self.joined) {
            (Request::Ping, _) => frame::text(&Event::Pong.encode(), out),
            (Request::Leave, _) => {
                if let Some(joined) = self.joined.take() {
                    joined.seat.leave();
                }
                return Ok(Some(SessionEnd::Left));
            }
            (Request::Hello(hello), Some(_))
                if hello.room.as_deref().is_none_or(|name| name == room.name()) =>
            {
                let sentence =
                    "You are in the room already; use \"rename\" for a new name, or name another room.";
                return Err(Refusal::new(Code::HelloAgain, sentence));
            }
            (Request::Hello(mut hello), _) => {
                self.made = hello.token.is_none() && hello.identity.is_none();
                if hello.identity.is_none() {
                    // All hellos of a connection that have none are of one guest. An identity has its own.
                    self.token = hello.token.clone().or(self.token.take()).or_else(|| Token::random().ok());
                    hello.token.clone_from(&self.token);
                }
                let (rooms, caller) = (Arc::clone(&self.rooms), (room.circuit(), room.language()));
                let moves = self.has_joined();
                let join =
                    async move { Outcome::Joined(join(&rooms, caller, hello, moves).await.map(Box::new)) };
                self.in_flight = Some(join.boxed());
            }
            (Request::Say(say), Some(joined)) => {
                let mut says = vec![say];
                while matches!(self.received.front(), Some(Ok(Request::Say(_)))) {
                    if let Some(Ok(Request::Say(say))) = self.received.pop_front() {
                        says.push(say);
                    }
                }
                self.in_flight = Some(publish(&room, &joined.seat, says, Duration::ZERO));
            }
            (Request::Whisper(message), Some(joined)) => {
                self.in_flight = Some(whisper(&room, &joined.seat, message, Duration::ZERO));
            }
            (Request::Typing, Some(joined)) => room.typing(&joined.seat),
            (Request::Act(id, act), Some(joined)) => {
                self.in_flight = Some(do_act(&room, &joined.seat, id, act, Duration::ZERO));
            }
            (Request::Claim(id, link), Some(joined)) => {
                let act = Act::claim(&link);
                self.in_flight = Some(do_act(&room, &joined.seat, id, act, Duration::ZERO));
            }
            (
                Request::Say(Say { id, .. })
                | Request::Whisper(Whisper { id, .. })
                | Request::Act(id, _)
                | Request::Claim(id, _),
                None,
            ) => return Err(hello_first().about(Some(id))),
            (Request::Rename(name), Some(joined)) => {
                self.in_flight = Some(rename(&room, &joined.seat, name, Duration::ZERO));
            }
            (Request::History(request), Some(_)) => {
                self.in_flight =
                    Some(answer(async move { Ok(room.history(request).await?.event().encode()) }));
            }
            (Request::Search(request), Some(_)) => {
                self.in_flight =
                    Some(answer(async move { Ok(room.search(request).await?.event().encode()) }));
            }
            (Request::Held, Some(joined)) => {
                let held = room.held_for(&joined.seat);
                self.in_flight = Some(answer(async move { Ok(held.await?.event().encode()) }));
            }
            (Request::Waiting, Some(joined)) => {
                let guest = joined.seat.guest();
                let listed = async move {
                    let guests = room.waiting_for(guest).await?;
                    Ok(Event::Waiting { count: guests.len(), guests: Some(&guests) }.encode())
                };
                self.in_flight = Some(answer(listed));
            }
            (
                Request::Rename(_)
                | Request::History(_)
                | Request::Search(_)
                | Request::Held
                | Request::Waiting
                | Request::Typing,
                None,
            ) => return Err(hello_first()),
        }
        Ok(None)
    }

    fn answer(&mut self, outcome: Outcome, out: &mut BytesMut) -> Option<SessionEnd> {
        match outcome {
            Outcome::Joined(Ok(joined)) => {
                let (room, join, mut reader) = *joined;
                let number = self.joined.as_ref().map_or(0, |joined| joined.number) + 1;
                // In the room before nothing is held any more: not the seat, and not the connection.
                if let Some(before) = self.joined.take() {
                    drop(before.reader);
                    before.seat.leave();
                }
                self.room = room;
                check_received(&mut self.received, self.room.limits().message_bytes);
                frame::text(&join.welcome.event().encode(), out);
                reader.write_to(self.stream.clone());
                self.joined = Some(Joined { seat: join.seat, reader, number });
                None
            }
            Outcome::Joined(Err(refusal)) => {
                if asks_again(refusal.code) {
                    self.asked = Some(Instant::now());
                }
                let refusal = with_token(refusal, self.token.as_ref().filter(|_| self.made), false);
                // One who has a seat in another room stays there.
                refuse(&refusal, self.room.language(), out).filter(|_| self.joined.is_none())
            }
            Outcome::Answered(Err(refusal)) => refuse(&refusal, self.room.language(), out),
            Outcome::Answered(Ok(event)) => {
                frame::text(&event, out);
                None
            }
            Outcome::Published(ids, PublishBatch { results, held, rate_limited }) => {
                for (id, result) in ids.iter().zip(results) {
                    match result {
                        Ok(seq) => {
                            let (id, held) = (id.as_str(), held.contains(&seq));
                            frame::text(&Event::Acknowledged { id, seq, link: None, held }.encode(), out);
                        }
                        Err(refusal) => {
                            refuse(&refusal, self.room.language(), out);
                        }
                    }
                }
                if let (Some((says, wait)), Some(joined)) = (rate_limited, &self.joined) {
                    self.in_flight = Some(publish(&self.room, &joined.seat, says, wait));
                }
                None
            }
            Outcome::Whispered(message, Err(Refusal { retry_after: Some(wait), .. })) => {
                let again = |joined: &Joined| whisper(&self.room, &joined.seat, message, wait);
                self.in_flight = self.joined.as_ref().map(again);
                None
            }
            Outcome::Whispered(Whisper { id, .. }, Ok(number)) => {
                frame::text(&PrivateEvent::Acknowledged { id: id.as_str(), number }.encode(), out);
                None
            }
            Outcome::Acted(id, act, Err(Refusal { retry_after: Some(wait), .. })) => {
                let again = |joined: &Joined| do_act(&self.room, &joined.seat, id, act, wait);
                self.in_flight = self.joined.as_ref().map(again);
                None
            }
            Outcome::Acted(id, _, Ok(Done { seq, link })) => {
                let (id, link) = (id.as_str(), link.map(|link| link.encode()));
                frame::text(
                    &Event::Acknowledged { id, seq, link: link.as_deref(), held: false }.encode(),
                    out,
                );
                None
            }
            Outcome::Acted(_, _, Err(refusal)) | Outcome::Whispered(_, Err(refusal)) => {
                refuse(&refusal, self.room.language(), out)
            }
            Outcome::Renamed(name, Err(Refusal { retry_after: Some(wait), .. })) => {
                let again = |joined: &Joined| rename(&self.room, &joined.seat, name, wait);
                self.in_flight = self.joined.as_ref().map(again);
                None
            }
            Outcome::Renamed(_, Ok(event)) => {
                event.iter().for_each(|event| frame::text(event, out));
                None
            }
            Outcome::Renamed(_, Err(refusal)) => refuse(&refusal, self.room.language(), out),
        }
    }

    /// Appends new events of the room to `out`.
    pub(super) async fn read(&mut self, out: &mut BytesMut) -> Option<SessionEnd> {
        let read = match &mut self.joined {
            Some(joined) => joined.reader.read_frames(out).await,
            None => Ok(()),
        };
        read.err().map(|refusal| {
            refuse(&refusal, self.room.language(), out);
            SessionEnd::Unreadable
        })
    }

    /// Ready when there are events to read or to write on, or with why the session has ended; never before the hello. While
    /// it is pending the room's task may write events.
    pub(super) fn poll_events(&mut self, context: &Context<'_>) -> Poll<Option<SessionEnd>> {
        let busy = self.is_busy();
        let Some(joined) = &mut self.joined else { return Poll::Pending };
        let open = match busy {
            // The answer comes before the events that follow from it, and in the same write.
            true => joined.reader.poll_wait(context),
            false => joined.reader.poll_written(context),
        };
        open.map(|open| (!open).then_some(SessionEnd::Closing))
    }

    /// How many rooms the guest has joined on this connection.
    pub(super) fn joins(&self) -> u64 {
        self.joined.as_ref().map_or(0, |joined| joined.number)
    }

    /// Completes when this connection has lost the seat; `None` before the hello.
    pub(super) fn lost(&self) -> Option<impl Future<Output = ()> + use<>> {
        self.joined.as_ref().map(|joined| joined.seat.lost())
    }

    /// Appends why the seat was lost to `out`, and returns it as an end.
    pub(super) fn loss(&self, out: &mut BytesMut) -> SessionEnd {
        let Some(loss) = self.joined.as_ref().map(|joined| joined.seat.loss()) else {
            return SessionEnd::TakenOver;
        };
        let other = match loss.code {
            Code::InvitationNeeded => SessionEnd::Banned,
            Code::UnknownRoom => SessionEnd::Removed,
            _ => SessionEnd::TakenOver,
        };
        refuse(&loss, self.room.language(), out).unwrap_or(other)
    }
}

fn refuse(refusal: &Refusal, language: Language, out: &mut BytesMut) -> Option<SessionEnd> {
    frame::text(&refusal.translated(language).event().encode(), out);
    match refusal.code {
        Code::RoomFull => Some(SessionEnd::RoomFull),
        Code::Banned => Some(SessionEnd::Banned),
        Code::Locked => Some(SessionEnd::Locked),
        _ => None,
    }
}
