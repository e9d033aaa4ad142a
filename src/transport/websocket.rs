//! A guest on a WebSocket.
//!
//! The room wakes every guest for every message, so what is done on that occasion is what a message costs: look
//! at the ring, write everything that is new in one go, flush once, because on a circuit the unit of cost is the
//! cell. Reading, deadlines and everything else stand behind a `gate` and are looked at only when they have
//! something to say. `codec` turns bytes into messages and back.

mod codec;
mod gate;

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use futures_util::future::Fuse;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

use self::codec::Codec;
use self::gate::Gate;
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::listen::Io;
use crate::session::{Ending, Session, tell_taken_over};

/// How much is read at once, into memory that is only borrowed meanwhile.
const READ_BYTES: usize = 16 * 1024;

/// How many bytes of answers may gather before they are written: a guest who asks and asks is not read faster
/// than they read.
const ANSWERS_BYTES: usize = 64 * 1024;

/// How long the other side may take to answer a close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The close code for [`Ending::TakenOver`]; 4000 to 4999 are for applications (RFC 6455, section 7.4.2).
pub const CLOSE_TAKEN_OVER: u16 = 4001;

/// Serves one guest until they leave, are gone, break the protocol, or `closing` is told. `read_ahead` is what
/// arrived together with the handshake. A write that stands still must fail by itself after a while.
pub async fn serve(
    io: Box<dyn Io>,
    read_ahead: Bytes,
    room: Room,
    settings: &ListenSettings,
    closing: &CancellationToken,
) {
    let now = Instant::now();
    let mut guest = Guest {
        io,
        codec: Codec::new(),
        session: Session::new(room),
        settings,
        closing,
        out: BytesMut::new(),
        broken: None,
        heard: now,
        hello_until: now + settings.hello,
        pinged: None,
    };
    if !read_ahead.is_empty() {
        guest.take(&read_ahead);
    }
    // Even when it is empty there may be the whole buffer of the handshake behind it.
    drop(read_ahead);
    let end = guest.stay().await;
    guest.part(end).await;
}

struct Guest<'a> {
    io: Box<dyn Io>,
    codec: Codec,
    session: Session,
    settings: &'a ListenSettings,
    closing: &'a CancellationToken,
    /// Encoded frames that are to be written.
    out: BytesMut,
    /// Why nothing more can be received, once that is so.
    broken: Option<End>,
    /// When the guest last gave a sign of life.
    heard: Instant,
    /// Until when there has to be a hello.
    hello_until: Instant,
    /// When a ping was sent that is unanswered.
    pinged: Option<Instant>,
}

/// Why the loop ended.
enum End {
    /// Close with this code and reason.
    Close(CloseCode, &'static str),
    /// The guest closed; the answer is to be written.
    Closed,
    /// The connection is gone: nothing more to say.
    Gone,
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Left => End::Close(CloseCode::Normal, ""),
            Ending::RoomFull => End::Close(CloseCode::Again, "the room is full"),
            Ending::TakenOver => {
                End::Close(CloseCode::from(CLOSE_TAKEN_OVER), "taken over by another connection")
            }
            Ending::Closing => End::Close(CloseCode::Away, "the room is closing"),
        }
    }
}

/// What a guest's loop has to do next.
enum Next {
    /// Write what is there.
    Write,
    /// The guest was silent for too long, or too long without a hello.
    Silence,
    /// End.
    End(End),
}

impl Guest<'_> {
    async fn stay(&mut self) -> End {
        let mut closing = pin!(self.closing.cancelled());
        let mut replaced = pin!(Fuse::terminated());
        let mut alarm = pin!(sleep_until(self.hello_until));
        let (mut gate, mut inside) = (Gate::new(), false);
        loop {
            if let Err(end) = self.write_news().await {
                return end;
            }
            if !inside && let Some(replacement) = self.session.replaced() {
                inside = true;
                replaced.set(replacement.fuse());
                alarm.as_mut().reset(self.deadline());
            }
            let next = poll_fn(|context| {
                // First, so that a guest is heard between two writes, however busy the room.
                let rest = gate.poll(context, |context| {
                    if closing.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Next::End(Ending::Closing.into()));
                    }
                    if replaced.as_mut().poll(context).is_ready() {
                        tell_taken_over(&mut self.out);
                        return Poll::Ready(Next::End(Ending::TakenOver.into()));
                    }
                    if let Poll::Ready(next) = self.poll_requests(context) {
                        return Poll::Ready(next);
                    }
                    while alarm.as_mut().poll(context).is_ready() {
                        // The alarm is not moved with every sign of life, but when it goes off.
                        if self.deadline() <= alarm.deadline() {
                            return Poll::Ready(Next::Silence);
                        }
                        alarm.as_mut().reset(self.deadline());
                    }
                    Poll::Pending
                });
                if rest.is_ready() {
                    return rest;
                }
                let news = ready!(self.session.poll_news(context));
                Poll::Ready(news.map_or(Next::Write, |ending| Next::End(ending.into())))
            })
            .await;
            let end = match next {
                Next::Write => None,
                Next::Silence => self.silence(),
                Next::End(end) => Some(end),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// When the guest has been silent for too long.
    fn deadline(&self) -> Instant {
        match self.session.is_inside() {
            // From the ping on, so that a pause of this program is no silence of the guest's.
            true => self.pinged.unwrap_or(self.heard) + self.settings.idle_ping,
            false => self.hello_until,
        }
    }

    fn silence(&mut self) -> Option<End> {
        if !self.session.is_inside() {
            return Some(End::Close(CloseCode::Policy, "no hello in time"));
        }
        if self.pinged.is_some() {
            return Some(End::Gone);
        }
        self.pinged = Some(Instant::now());
        self.codec.ping(&mut self.out);
        None
    }

    /// Takes up what the guest asks for; ready when there is something to write, or an end.
    fn poll_requests(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.session.poll_answers(context, &mut self.out) {
                Poll::Ready(Some(ending)) => return Poll::Ready(Next::End(ending.into())),
                Poll::Ready(None) => {}
                Poll::Pending => break,
            }
            if let Some(end) = self.broken.take() {
                return Poll::Ready(Next::End(end));
            }
            if self.out.len() >= ANSWERS_BYTES || self.poll_receive(context).is_pending() {
                break;
            }
        }
        if self.out.is_empty() { Poll::Pending } else { Poll::Ready(Next::Write) }
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        match ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer)) {
            Ok(()) => self.take(buffer.filled()),
            Err(_) => self.broken = Some(End::Gone),
        }
        Poll::Ready(())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.heard = Instant::now();
        self.pinged = None;
        let Self { codec, session, out, .. } = self;
        let taken = codec.take(bytes, out, |message| match message {
            Message::Text(text) => session.receive(&text),
            Message::Binary(_) => session.receive_binary(),
            _ => session.receive_control(), // the codec answers it
        });
        self.broken = taken.err().map(|error| violation(&error));
    }

    /// Writes the direct answers and what comes after the cursor, in one go.
    async fn write_news(&mut self) -> Result<(), End> {
        if let Some(ending) = self.session.read(&mut self.out).await {
            return Err(ending.into());
        }
        if self.out.is_empty() {
            return Ok(());
        }
        let closing = self.closing;
        tokio::select! {
            biased;
            written = self.write() => written.map_err(|_| End::Gone),
            () = patience_at(closing) => Err(End::Gone),
        }
    }

    /// Writes and flushes `out`.
    async fn write(&mut self) -> std::io::Result<()> {
        poll_fn(|context| {
            while !self.out.is_empty() {
                let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.out))?;
                if written == 0 {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                self.out.advance(written);
            }
            // What an idle guest does not need is not held for them.
            self.out = BytesMut::new();
            Pin::new(&mut self.io).poll_flush(context)
        })
        .await
    }

    /// Says goodbye and waits a moment for the answer, so that the last words are not lost in a reset.
    async fn part(mut self, end: End) {
        // Others need not wait for the goodbye to see that this guest is gone.
        self.session.disconnect();
        let goodbye = async {
            match end {
                End::Close(code, reason) => {
                    self.codec.close(CloseFrame { code, reason: reason.into() }, &mut self.out);
                    self.write().await?;
                    self.broken = None;
                    while self.broken.is_none() {
                        poll_fn(|context| self.poll_receive(context)).await;
                    }
                }
                End::Closed => self.write().await?,
                End::Gone => return Ok(()),
            }
            self.io.shutdown().await
        };
        let _ = timeout(CLOSE_WAIT, goodbye).await;
    }
}

/// Completes a moment after the room began to close: a write that is stuck must not hold that up.
async fn patience_at(closing: &CancellationToken) {
    closing.cancelled().await;
    tokio::time::sleep(CLOSE_WAIT / 2).await;
}

/// The close code that RFC 6455, section 7.4.1, has for what the guest did.
fn violation(error: &Error) -> End {
    match error {
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "text that is not UTF-8"),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Close(CloseCode::Size, "larger than 64 KiB")
        }
        Error::ConnectionClosed => End::Closed,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "not WebSocket"),
        _ => End::Gone,
    }
}
