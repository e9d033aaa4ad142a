//! A guest who listens on a response that does not end: server-sent events, as the
//! [HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html) has them.
//!
//! The stream is only asked for more when the last chunk was written, so a guest who does not read costs one
//! chunk and one cursor. What they say comes in requests beside.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::hub::{Reader, Room, Seat};
use crate::protocol::request::Cursor;
use crate::protocol::{Code, Hello, Refusal, event, frame};
use crate::session::tell_taken_over;

/// The content type of server-sent events.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// After how long without an event a comment is sent, so that both sides notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a browser is asked to wait before it connects again.
const RETRY: Duration = Duration::from_secs(2);

/// The same for one whose seat was taken over: two tabs must not take it from each other in turns.
const RETRY_TAKEN_OVER: Duration = Duration::from_secs(3600);

/// Takes a seat, held for as long as the stream is, and answers with the stream: the welcome, what was missed,
/// then what happens, everything that there is in one chunk. It ends when the room closes, the seat is taken over
/// or left, or the log cannot be read.
///
/// # Errors
/// What [`Room::enter`] says.
pub async fn open(
    room: &Room,
    mut hello: Hello,
    closing: CancellationToken,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + use<>, Refusal> {
    let cursor = hello.cursor.take();
    let entered = room.enter(hello).await?;
    let epoch = entered.welcome.epoch.clone();
    let reader = Reader::of_guest(room, &entered, cursor.and_then(|cursor| cursor.within(&epoch)));
    let mut events =
        Events { seat: entered.seat, reader, epoch, closing, frames: BytesMut::new(), out: vec![] };
    events.retry(RETRY);
    frame::text(&entered.welcome.event().encode(), &mut events.frames);
    events.encode_frames();
    Ok(unfold(Some(events), |events| async move {
        let (chunk, rest) = events?.next().await;
        chunk.map(|chunk| (Ok(chunk), rest))
    }))
}

/// Reads the cursor that a browser sends as `Last-Event-ID`: what stood in the `id` of the last event.
///
/// # Errors
/// `wrong_kind` if it is none.
pub fn cursor(last_event_id: &str) -> Result<Cursor, Refusal> {
    let split = last_event_id.rsplit_once('-').filter(|(epoch, _)| !epoch.is_empty());
    let cursor = split.and_then(|(epoch, seq)| {
        let digits = seq.bytes().all(|byte| byte.is_ascii_digit());
        let after = seq.parse().ok().filter(|_| digits)?;
        Some(Cursor { after, epoch: Some(epoch.to_owned()) })
    });
    cursor.ok_or_else(|| {
        Refusal::new(
            Code::WrongKind,
            "Last-Event-ID must be the id of an earlier event, an epoch and a number; leave it out to begin anew.",
        )
    })
}

struct Events {
    seat: Seat,
    reader: Reader,
    epoch: String,
    closing: CancellationToken,
    /// What was read and is not in `out` yet.
    frames: BytesMut,
    /// The chunk that is being put together.
    out: Vec<u8>,
}

impl Events {
    /// The next chunk, and who can give the one after; no chunk is the end.
    async fn next(mut self) -> (Option<Bytes>, Option<Self>) {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            if let Err(refusal) = self.reader.read(&mut self.frames).await {
                frame::text(&refusal.event().encode(), &mut self.frames);
                return self.last();
            }
            self.encode_frames();
            if !self.out.is_empty() {
                return self.chunk();
            }
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return (None, None),
                () = self.seat.replaced() => {
                    self.retry(RETRY_TAKEN_OVER);
                    tell_taken_over(&mut self.frames);
                    return self.last();
                }
                open = self.reader.wait() => {
                    if !open {
                        return (None, None);
                    }
                }
                () = sleep_until(heartbeat) => {
                    self.out.extend(b":\n\n");
                    return self.chunk();
                }
            }
        }
    }

    fn chunk(mut self) -> (Option<Bytes>, Option<Self>) {
        (Some(std::mem::take(&mut self.out).into()), Some(self))
    }

    fn last(mut self) -> (Option<Bytes>, Option<Self>) {
        self.encode_frames();
        (Some(self.out.into()), None)
    }

    fn retry(&mut self, after: Duration) {
        self.out.extend(format!("retry: {}\n\n", after.as_millis()).bytes());
    }

    /// Moves what was read to `out` as events.
    fn encode_frames(&mut self) {
        self.out.reserve(self.frames.len());
        for json in frame::payloads(&self.frames) {
            encode(json, &self.epoch, &mut self.out);
        }
        // What an idle guest does not need is not held for them.
        self.frames = BytesMut::new();
    }
}

/// Appends one encoded event. Its JSON is one line, so one `data` field holds it.
fn encode(json: &str, epoch: &str, out: &mut Vec<u8>) {
    for part in ["event: ", event::kind(json).unwrap_or("message"), "\n"] {
        out.extend(part.bytes());
    }
    if let Some(seq) = event::sequence_number(json) {
        out.extend(format!("id: {epoch}-{seq}\n").bytes());
    }
    for part in ["data: ", json, "\n\n"] {
        out.extend(part.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_an_id_and_nothing_else_has() {
        let mut out = Vec::new();
        encode(r#"{"type":"message","seq":7,"text":"a\nb"}"#, "5d0c", &mut out);
        encode(r#"{"type":"joined","at":3}"#, "5d0c", &mut out);
        let expected = "event: message\nid: 5d0c-7\ndata: {\"type\":\"message\",\"seq\":7,\"text\":\"a\\nb\"}\n\n\
                        event: joined\ndata: {\"type\":\"joined\",\"at\":3}\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_id_is_the_cursor() {
        assert_eq!(cursor("5d0c-7").unwrap(), Cursor { after: 7, epoch: Some("5d0c".into()) });
        for text in ["", "7", "-7", "5d0c-", "5d0c-x", "5d0c-+7", "5d0c--7 ", "5d0c-99999999999999999999"] {
            assert_eq!(cursor(text).unwrap_err().code, Code::WrongKind, "{text}");
        }
    }
}
