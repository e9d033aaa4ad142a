//! The driver of one WebSocket connection: reads requests, writes events, keeps the deadlines.
//!
//! Each message of the room wakes every driver, so what is done then is what a message costs: look at the ring, write
//! everything new in one write, flush once, because on a circuit the unit of cost is the cell. Input, deadlines and
//! everything else are behind a [`WakeFilter`] and are polled only when they were woken themselves.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use futures_util::future::Fuse;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_util::sync::CancellationToken;

use super::codec::Codec;
use super::end::{End, SessionEnd, violation};
use super::input::{Input, Part};
use super::session::{ANSWERS_BYTES, Session};
use super::wake_filter::WakeFilter;
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::hub::direct::StreamHandle;
use crate::listen::{Io, Permit};
use crate::rooms::Rooms;

/// How much is read at once, into a buffer on the stack; so much may wait to be decoded.
const READ_BYTES: usize = 16 * 1024;

/// The same before the hello.
const STRANGER_READ_BYTES: usize = 2 * 1024;

/// What [`ANSWERS_BYTES`] is before the hello.
const STRANGER_ANSWERS_BYTES: usize = 1024;

/// How much the peer may send between the close frame and the answer to it before the connection is closed.
const CLOSE_BYTES_MAX: u64 = 64 * 1024;

/// How long the peer may take to answer a close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// Serves one guest until they leave, disconnect or break the protocol, the connection's permit is given to another
/// circuit, or `closing` is cancelled. `read_ahead` is what arrived together with the handshake. `io` must have a write
/// timeout of its own. Frames are charged to the circuit's budget, the bytes in them by `io`.
pub async fn serve(
    io: Box<dyn Io>,
    read_ahead: Bytes,
    rooms: Arc<Rooms>,
    room: Room,
    settings: &ListenSettings,
    permit: &Permit,
    closing: &CancellationToken,
) {
    let now = Instant::now();
    let io = StreamHandle::new(io);
    let session = Session::new(rooms, room, io.events());
    let mut driver = Driver {
        io,
        input: Input::new(Arc::clone(permit.budget())),
        codec: Codec::new(),
        session,
        settings,
        evicted: permit.evicted(),
        closing,
        out: BytesMut::new(),
        input_end: None,
        received: 0,
        last_input: now,
        hello_until: now + settings.hello,
        pinged: None,
    };
    driver.input.receive(&read_ahead);
    // Even when it is empty it may hold the whole buffer of the handshake.
    drop(read_ahead);
    let end = driver.run().await;
    driver.close(end).await;
}

struct Driver<'a> {
    io: StreamHandle<Box<dyn Io>>,
    /// What was received and is not decoded yet.
    input: Input,
    codec: Codec,
    session: Session,
    settings: &'a ListenSettings,
    /// Cancelled when the connection's permit was given to another circuit.
    evicted: &'a CancellationToken,
    closing: &'a CancellationToken,
    /// Encoded frames to write.
    out: BytesMut,
    /// Why no more can be received.
    input_end: Option<End>,
    /// How many bytes were received.
    received: u64,
    /// When the last bytes were received.
    last_input: Instant,
    /// The deadline for the hello.
    hello_until: Instant,
    /// When the unanswered ping was sent.
    pinged: Option<Instant>,
}

/// What the driver does next.
enum Next {
    /// Write what is in `out` and what is new in the ring.
    Write,
    /// A deadline has passed: no input, or no hello.
    Deadline,
    /// End.
    End(End),
}

impl Driver<'_> {
    async fn run(&mut self) -> End {
        let mut closing = pin!(self.closing.cancelled());
        let mut evicted = pin!(self.evicted.cancelled());
        let mut lost = pin!(Fuse::terminated());
        let mut alarm = pin!(sleep_until(self.hello_until));
        let (mut filter, mut joined) = (WakeFilter::new(), 0);
        loop {
            if let Err(end) = self.write_events().await {
                return end;
            }
            if joined != self.session.joins()
                && let Some(loss) = self.session.lost()
            {
                joined = self.session.joins();
                lost.set(loss.fuse());
                alarm.as_mut().reset(self.deadline());
            }
            let next = poll_fn(|context| {
                // First, so that input is read between two writes, however busy the room.
                let rest = filter.poll(context, |context| {
                    if closing.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Next::End(SessionEnd::Closing.into()));
                    }
                    if evicted.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Next::End(End::Evicted));
                    }
                    if lost.as_mut().poll(context).is_ready() {
                        let end = self.session.loss(&mut self.out);
                        return Poll::Ready(Next::End(end.into()));
                    }
                    if let Poll::Ready(next) = self.poll_requests(context) {
                        return Poll::Ready(next);
                    }
                    while alarm.as_mut().poll(context).is_ready() {
                        // The alarm is not reset with every input, but when it goes off.
                        if self.deadline() <= alarm.deadline() {
                            return Poll::Ready(Next::Deadline);
                        }
                        alarm.as_mut().reset(self.deadline());
                    }
                    Poll::Pending
                });
                if rest.is_ready() {
                    return rest;
                }
                let end = ready!(self.session.poll_events(context));
                Poll::Ready(end.map_or(Next::Write, |end| Next::End(end.into())))
            })
            .await;
            let end = match next {
                Next::Write => None,
                Next::Deadline => self.deadline_passed(),
                Next::End(end) => Some(end),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// The next deadline: for the hello, for input before a ping is sent, or for the answer to a ping.
    fn deadline(&self) -> Instant {
        match self.session.has_joined() {
            // From the ping on, so that a pause of this process does not count as silence of the guest.
            true => self.pinged.unwrap_or(self.last_input) + self.settings.idle_ping,
            false => self.session.asks_until().map_or(self.hello_until, |until| until.max(self.hello_until)),
        }
    }

    fn deadline_passed(&mut self) -> Option<End> {
        if !self.session.has_joined() {
            return Some(End::Close(CloseCode::Policy, "no hello in time"));
        }
        if self.session.is_busy() || self.input.is_waiting() {
            // Nothing is read meanwhile, so the silence is not the guest's.
            self.last_input = Instant::now();
            self.pinged = None;
            return None;
        }
        if self.pinged.is_some() {
            return Some(End::Gone);
        }
        self.pinged = Some(Instant::now());
        self.codec.ping(&mut self.out);
        None
    }

    /// Receives and handles requests; ready when there is something to write, or an end.
    fn poll_requests(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.session.poll_answers(context, &mut self.out) {
                Poll::Ready(Some(end)) => return Poll::Ready(Next::End(end.into())),
                Poll::Ready(None) => {}
                Poll::Pending => break,
            }
            if let Some(end) = self.input_end.take() {
                return Poll::Ready(Next::End(end));
            }
            if self.out.len() >= self.stage(STRANGER_ANSWERS_BYTES, ANSWERS_BYTES) {
                break;
            }
            if self.poll_decode(context).is_pending() {
                break;
            }
        }
        if self.out.is_empty() { Poll::Pending } else { Poll::Ready(Next::Write) }
    }

    /// Decodes as many frames as can be answered now; ready when there are requests to answer, or an end.
    fn poll_decode(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let answers_bytes = self.stage(STRANGER_ANSWERS_BYTES, ANSWERS_BYTES);
        if self.session.has_joined() {
            self.codec.joined();
        }
        loop {
            match self.input.poll_part(context) {
                Poll::Ready(Some(part)) => {
                    let Self { codec, session, out, .. } = self;
                    let decoded = match part {
                        Part::Close(frame) => codec.answer_close(frame, out),
                        Part::Frame(bytes) => codec.decode(bytes, out, |message| match message {
                            Message::Text(text) => session.receive(&text),
                            Message::Binary(_) => session.receive_binary(),
                            _ => {} // the codec answers it
                        }),
                    };
                    self.input_end = decoded.err().map(|error| violation(&error));
                    self.input.decoded();
                }
                // What came together is handled together, and only what came later is waited for.
                Poll::Ready(None) if self.session.has_received() => return Poll::Ready(()),
                Poll::Ready(None) => ready!(self.poll_receive(context)),
                Poll::Pending if self.session.has_received() => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            if self.input_end.is_some() || !self.session.has_room() || self.out.len() >= answers_bytes {
                return Poll::Ready(());
            }
        }
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let most = self.stage(STRANGER_READ_BYTES, READ_BYTES);
        let mut buffer = ReadBuf::uninit(&mut space[..most]);
        match ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer)) {
            Ok(()) if !buffer.filled().is_empty() => {
                self.last_input = Instant::now();
                self.pinged = None;
                self.received += buffer.filled().len() as u64;
                self.input.receive(buffer.filled());
            }
            _ => self.input_end = Some(End::Gone),
        }
        Poll::Ready(())
    }

    /// The limit for a stranger before the hello, and for a guest after it.
    fn stage(&self, stranger: usize, guest: usize) -> usize {
        if self.session.has_joined() { guest } else { stranger }
    }

    /// Writes the answers and the events after the cursor, in one write.
    async fn write_events(&mut self) -> Result<(), End> {
        if let Some(end) = self.session.read(&mut self.out).await {
            return Err(end.into());
        }
        if self.out.is_empty() && !self.io.has_rest() {
            return Ok(());
        }
        let (closing, evicted) = (self.closing, self.evicted);
        tokio::select! {
            biased;
            written = self.write() => written.map_err(|_| End::Gone),
            // Inside a frame there is no place for a close frame.
            () = async { evicted.cancelled().await } => Err(End::Gone),
            () = closing_grace(closing) => Err(End::Gone),
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
            // An idle connection holds no buffer.
            self.out = BytesMut::new();
            Pin::new(&mut self.io).poll_flush(context)
        })
        .await
    }

    /// Sends the close frame and waits for the answer, so that the last frames are not lost in a reset.
    async fn close(mut self, end: End) {
        // The others see at once that this guest is away.
        self.session.disconnect();
        let evicted = self.evicted;
        let closing_handshake = async {
            match end {
                End::Close(code, reason) => {
                    self.codec.close(CloseFrame { code, reason: reason.into() }, &mut self.out);
                    self.write().await?;
                    self.close_answered().await;
                }
                End::Closed => self.write().await?,
                End::Evicted => {
                    let reason = "the room needs this connection for others".into();
                    self.codec.close(CloseFrame { code: CloseCode::Again, reason }, &mut self.out);
                    // Only if that needs no waiting.
                    let _ = self.write().now_or_never();
                    let _ = self.io.shutdown().now_or_never();
                    return Ok(());
                }
                End::Gone => return Ok(()),
            }
            self.io.shutdown().await
        };
        tokio::select! {
            biased;
            _ = timeout(CLOSE_WAIT, closing_handshake) => {}
            () = evicted.cancelled() => {}
        }
    }

    /// Waits for the peer's close frame, or for the end of the stream. Everything else is dropped as it came.
    async fn close_answered(&mut self) {
        let before = self.received;
        self.input_end = None;
        while !self.input.skip_to_close()
            && self.input_end.is_none()
            && self.received - before < CLOSE_BYTES_MAX
        {
            poll_fn(|context| self.poll_receive(context)).await;
        }
    }
}

/// Completes a moment after `closing` is cancelled: a write that does not progress must not hold up the close.
async fn closing_grace(closing: &CancellationToken) {
    closing.cancelled().await;
    tokio::time::sleep(CLOSE_WAIT / 2).await;
}
