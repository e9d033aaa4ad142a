//! Server-sent events ([HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html)): a response
//! that does not end.
//!
//! The stream is polled only when the last chunk was written, so a guest who does not read costs one chunk and one
//! cursor. Their messages come in requests beside.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::hub::{Reader, Room, Seat};
use crate::protocol::private::EncodedPrivate;
use crate::protocol::request::Cursor;
use crate::protocol::{Code, EncodedEvent, EventBatch, Hello, NUMBER_LIMIT, Refusal};

/// The content type of server-sent events.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// The time without an event after which a comment is sent, so that both sides notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a browser is asked to wait before it connects again.
const RETRY: Duration = Duration::from_secs(2);

/// The same after the seat was taken over: two tabs must not take it from each other in turns.
const RETRY_TAKEN_OVER: Duration = Duration::from_secs(3600);

/// Joins the room and returns the stream, which holds the seat: the welcome, the events after the cursor, then live
/// events, all that are new in one chunk. It ends when the room closes, the seat is taken over or left, or the log
/// cannot be read.
///
/// # Errors
/// As [`Room::join`].
pub async fn open(
    room: &Room,
    hello: Hello,
    closing: CancellationToken,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + use<>, Refusal> {
    let mut join = room.join(hello.clone()).await?;
    let reader = Reader::begin(room, &mut join, &hello).await?;
    let epoch = join.welcome.epochs.present().to_owned();
    let at = Position { epoch, seq: reader.after(), private: hello.private.filter(|number| *number > 0) };
    let batch = EventBatch::default();
    let mut events = Events { seat: join.seat, reader, at, closing, batch, out: vec![] };
    events.retry(RETRY);
    events.batch.push(&join.welcome.event());
    events.encode_batch();
    Ok(unfold(Some(events), |events| async move {
        let (chunk, rest) = events?.next().await;
        chunk.map(|chunk| (Ok(chunk), rest))
    }))
}

/// Parses what a browser sends as `Last-Event-ID`, the `id` of the last event it received: the cursor, and the number of the
/// newest private message where there was one.
///
/// # Errors
/// `wrong_kind` if it is none.
pub fn cursor(last_event_id: &str) -> Result<(Cursor, Option<u64>), Refusal> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number < NUMBER_LIMIT)
    };
    let cursor = last_event_id.rsplit_once('-').and_then(|(begin, seq)| {
        // It stands before the epoch: a program that knows no private messages takes both for an epoch that it does not know.
        let private = begin.split_once('.').and_then(|(private, epoch)| Some((number(private)?, epoch)));
        let (private, epoch) = private.map_or((None, begin), |(private, epoch)| (Some(private), epoch));
        let cursor = Cursor { after: number(seq)?, epoch: Some(epoch.to_owned()) };
        (!epoch.is_empty()).then_some((cursor, private))
    });
    cursor.ok_or_else(|| {
        Refusal::new(
            Code::WrongKind,
            "Last-Event-ID must be the id of an earlier event, an epoch and a number; leave it out to begin anew.",
        )
    })
}

/// The same after the seat went to another circuit because the room is full.
const RETRY_FULL: Duration = Duration::from_secs(15);

/// Where the stream is, which the ids of its events say.
struct Position {
    epoch: String,
    seq: u64,
    /// The newest private message, if there was one.
    private: Option<u64>,
}

struct Events {
    seat: Seat,
    reader: Reader,
    at: Position,
    closing: CancellationToken,
    /// Events that were read and are not in `out` yet.
    batch: EventBatch,
    /// The next chunk.
    out: Vec<u8>,
}

impl Events {
    /// The next chunk, and the state for the one after; no chunk is the end.
    async fn next(mut self) -> (Option<Bytes>, Option<Self>) {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            if let Err(refusal) = self.reader.read_events(&mut self.batch).await {
                self.batch.push(&refusal.translated(self.reader.room().language()).event());
                return self.last();
            }
            self.encode_batch();
            for event in self.reader.take_private() {
                encode_private(&event, &mut self.at, &mut self.out);
            }
            if !self.out.is_empty() {
                return self.chunk();
            }
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return (None, None),
                () = self.seat.lost() => {
                    let loss = self.seat.loss();
                    self.retry(if loss.code == Code::TakenOver { RETRY_TAKEN_OVER } else { RETRY_FULL });
                    self.batch.push(&loss.translated(self.reader.room().language()).event());
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
        self.encode_batch();
        (Some(self.out.into()), None)
    }

    fn retry(&mut self, after: Duration) {
        self.out.extend(format!("retry: {}\n\n", after.as_millis()).bytes());
    }

    /// Moves the events that were read to `out`.
    fn encode_batch(&mut self) {
        self.out.reserve(self.batch.json_bytes());
        for event in self.batch.iter() {
            encode(event, &mut self.at, &mut self.out);
        }
        // An idle connection holds no buffer.
        self.batch = EventBatch::default();
    }
}

/// Appends one event. Its JSON is one line, so one `data` field holds it.
fn encode(event: EncodedEvent<'_>, at: &mut Position, out: &mut Vec<u8>) {
    at.seq = event.seq.unwrap_or(at.seq);
    let id = event.seq.map(|_| at.id());
    write(event.kind.as_str(), id.as_deref(), event.json, out);
}

/// Appends one event about private messages.
fn encode_private(event: &EncodedPrivate, at: &mut Position, out: &mut Vec<u8>) {
    at.private = Some(event.cursor);
    write(event.kind, Some(&at.id()), &event.json, out);
}

fn write(kind: &str, id: Option<&str>, json: &str, out: &mut Vec<u8>) {
    for part in ["event: ", kind, "\n"] {
        out.extend(part.bytes());
    }
    if let Some(id) = id {
        for part in ["id: ", id, "\n"] {
            out.extend(part.bytes());
        }
    }
    for part in ["data: ", json, "\n\n"] {
        out.extend(part.bytes());
    }
}

impl Position {
    /// The id of the event that has led here. Where there was no private message it is as it always was.
    fn id(&self) -> String {
        let Self { epoch, seq, private } = self;
        let private = private.map(|number| format!("{number}.")).unwrap_or_default();
        format!("{private}{epoch}-{seq}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::EventKind;

    #[test]
    fn messages_have_an_id_and_nothing_else_has() {
        let (mut out, mut at) = (Vec::new(), Position { epoch: "5d0c".into(), seq: 3, private: None });
        let json = r#"{"type":"message","seq":7,"text":"a\nb"}"#;
        encode(EncodedEvent { kind: EventKind::Message, seq: Some(7), json }, &mut at, &mut out);
        let json = r#"{"type":"joined","at":3}"#;
        encode(EncodedEvent { kind: EventKind::Joined, seq: None, json }, &mut at, &mut out);
        let expected = "event: message\nid: 5d0c-7\ndata: {\"type\":\"message\",\"seq\":7,\"text\":\"a\\nb\"}\n\n\
                        event: joined\ndata: {\"type\":\"joined\",\"at\":3}\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn once_there_was_a_private_message_all_ids_say_so() {
        let (mut out, mut at) = (Vec::new(), Position { epoch: "5d0c".into(), seq: 3, private: None });
        let private = EncodedPrivate { kind: "private", cursor: 11, json: "{}".to_owned().into() };
        encode_private(&private, &mut at, &mut out);
        let json = r#"{"type":"message"}"#;
        encode(EncodedEvent { kind: EventKind::Message, seq: Some(7), json }, &mut at, &mut out);
        let out = String::from_utf8(out).unwrap();
        let ids: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        assert_eq!(ids, ["11.5d0c-3", "11.5d0c-7"]);
    }

    #[test]
    fn the_id_is_the_cursor() {
        let known = |private| (Cursor { after: 7, epoch: Some("5d0c".into()) }, private);
        assert_eq!(cursor("5d0c-7").unwrap(), known(None));
        assert_eq!(cursor("11.5d0c-7").unwrap(), known(Some(11)));
        for text in [
            "",
            "7",
            "-7",
            "5d0c-",
            "5d0c-x",
            "5d0c-+7",
            "5d0c--7 ",
            "5d0c-7.",
            "5d0c.7",
            "11.-7",
            "5d0c-9007199254740992",
        ] {
            assert_eq!(cursor(text).unwrap_err().code, Code::WrongKind, "{text}");
        }
    }
}
