//! A guest on a WebSocket.
//!
//! tungstenite decodes what the guest sends and answers control frames. What the room sends is already
//! encoded, so it goes past tungstenite straight to the stream: everything that is there, in one write and
//! one flush, because on a circuit the unit of cost is the cell. The two never mix inside a frame:
//! tungstenite's own output is flushed before, and reading, which may produce more of it, waits meanwhile.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

use crate::config::ListenSettings;
use crate::hub::Room;
use crate::listen::Io;
use crate::protocol::FRAME_BYTES_MAX;
use crate::session::{Ending, Session, tell_taken_over};

/// How much is read at once. tungstenite fills its buffer with zeros before each read, and keeps one for
/// every connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// How long the other side may take to answer a close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// The close code for [`Ending::TakenOver`]; 4000 to 4999 are for applications (RFC 6455, section 7.4.2).
pub const CLOSE_TAKEN_OVER: u16 = 4001;

/// Serves one guest until they leave, are gone, break the protocol, or `closing` is told. `read_ahead` is what
/// arrived together with the handshake.
pub async fn serve(
    io: Box<dyn Io>,
    read_ahead: Bytes,
    room: Room,
    settings: &ListenSettings,
    closing: &CancellationToken,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let socket =
        WebSocketStream::from_partially_read(io, read_ahead.to_vec(), Role::Server, Some(config)).await;
    let now = Instant::now();
    let mut guest = Guest {
        socket,
        session: Session::new(room),
        settings,
        closing,
        out: BytesMut::new(),
        heard: now,
        pinged: false,
    };
    let end = guest.stay(now + settings.hello).await;
    guest.part(end).await;
}

struct Guest<'a> {
    socket: WebSocketStream<Box<dyn Io>>,
    session: Session,
    settings: &'a ListenSettings,
    closing: &'a CancellationToken,
    /// Encoded frames that are to be written.
    out: BytesMut,
    /// When the guest last gave a sign of life.
    heard: Instant,
    /// Whether a ping is unanswered.
    pinged: bool,
}

/// Why the loop ended.
enum End {
    /// Close with this code and reason.
    Close(CloseCode, &'static str),
    /// The guest closed, or the connection is gone: nothing more to say.
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

impl Guest<'_> {
    async fn stay(&mut self, hello_until: Instant) -> End {
        loop {
            let written = match self.write_some().await {
                Ok(written) => written,
                Err(end) => return end,
            };
            let deadline = match self.session.is_inside() {
                true => self.heard + self.settings.idle_ping * (1 + u32::from(self.pinged)),
                false => hello_until,
            };
            let event = tokio::select! {
                biased;
                () = self.closing.cancelled() => return Ending::Closing.into(),
                frame = self.socket.next() => Event::Frame(frame),
                ending = self.session.wait() => Event::Wake(ending),
                () = sleep_until(deadline) => Event::Silence,
                // There may be more to write, but a guest is heard between two writes, however busy the room.
                () = std::future::ready(()), if written => continue,
            };
            let end = match event {
                Event::Frame(frame) => self.receive(frame).await,
                Event::Wake(ending) => ending.map(|ending| {
                    if ending == Ending::TakenOver {
                        tell_taken_over(&mut self.out);
                    }
                    ending.into()
                }),
                Event::Silence => self.silence().await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn receive(&mut self, frame: Option<Result<Message, Error>>) -> Option<End> {
        self.heard = Instant::now();
        self.pinged = false;
        match frame {
            Some(Ok(Message::Text(text))) => self.session.receive(&text, &mut self.out).await.map(End::from),
            Some(Ok(Message::Binary(_))) => {
                self.session.receive_binary(&mut self.out);
                None
            }
            Some(Ok(_)) => None, // control frames: tungstenite answers them, also a close
            Some(Err(error)) => Some(violation(&error)),
            None => Some(End::Gone),
        }
    }

    async fn silence(&mut self) -> Option<End> {
        if !self.session.is_inside() {
            return Some(End::Close(CloseCode::Policy, "no hello in time"));
        }
        if self.pinged {
            return Some(End::Gone);
        }
        self.pinged = true;
        let ping = self.socket.send(Message::Ping(Bytes::new()));
        let sent = timeout(self.settings.write_stall, ping).await;
        (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
    }

    /// Writes the direct answers and what comes after the cursor, in one go; whether there was anything.
    async fn write_some(&mut self) -> Result<bool, End> {
        if let Some(ending) = self.session.read(&mut self.out).await {
            return Err(ending.into());
        }
        if self.out.is_empty() {
            return Ok(false);
        }
        let closing = self.closing;
        let written = tokio::select! {
            written = self.write() => written,
            () = patience_at(closing) => false,
        };
        if written { Ok(true) } else { Err(End::Gone) }
    }

    /// Writes and flushes `out`; false if the guest is gone or did not read for too long.
    async fn write(&mut self) -> bool {
        let stall = self.settings.write_stall;
        if !matches!(timeout(stall, self.socket.flush()).await, Ok(Ok(()))) {
            return false;
        }
        let io = self.socket.get_mut();
        while !self.out.is_empty() {
            match timeout(stall, io.write_buf(&mut self.out)).await {
                Ok(Ok(written)) if written > 0 => {}
                _ => return false,
            }
        }
        // What an idle guest does not need is not held for them.
        self.out = BytesMut::new();
        matches!(timeout(stall, io.flush()).await, Ok(Ok(())))
    }

    /// Says goodbye and waits a moment for the answer, so that the last words are not lost in a reset.
    async fn part(mut self, end: End) {
        // Others need not wait for the goodbye to see that this guest is gone.
        self.session.disconnect();
        let End::Close(code, reason) = end else { return };
        let goodbye = async {
            if self.write().await {
                let _ = self.socket.close(Some(CloseFrame { code, reason: reason.into() })).await;
                while let Some(Ok(_)) = self.socket.next().await {}
                let _ = self.socket.get_mut().shutdown().await;
            }
        };
        let _ = timeout(CLOSE_WAIT, goodbye).await;
    }
}

enum Event {
    Frame(Option<Result<Message, Error>>),
    Wake(Option<Ending>),
    Silence,
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
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "not WebSocket"),
        _ => End::Gone,
    }
}
