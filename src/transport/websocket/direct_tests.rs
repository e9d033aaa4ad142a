//! Events that the room's task writes to a connection itself, through the real driver: connections that take little, that
//! stall, that end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use proptest::prelude::*;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpSocket;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use super::end::CLOSE_TAKEN_OVER;
use crate::config::{HistorySettings, ListenSettings, RoomSettings, Settings};
use crate::hub::{Join, Room};
use crate::listen::{ConnectionLimiter, Io};
use crate::log::{MemoryLog, Retention};

use crate::protocol::{CircuitId, Hello, MessageId, Say, Token};
use crate::rooms::Rooms;

/// The longest that a test waits for anything.
const DEADLINE: Duration = Duration::from_secs(60);

/// A room with one guest who speaks.
struct Chat {
    room: Room,
    speaker: Join,
    said: u64,
}

impl Chat {
    async fn open() -> Self {
        let settings = RoomSettings {
            messages_per_minute: 0,
            room_messages_per_minute: 0,
            joins_per_minute: 0,
            ..RoomSettings::default()
        };
        let log = MemoryLog::new(Retention { messages: 100_000, bytes: 0, age: None }).unwrap();
        let room = Room::open(&settings, &HistorySettings::default(), Arc::new(log)).await.unwrap();
        let speaker = room.join(Hello::default()).await.unwrap();
        Self { room, speaker, said: 0 }
    }

    async fn say(&mut self, length: usize) {
        self.said += 1;
        let id = MessageId::parse(&self.said.to_string()).unwrap();
        let says = vec![Say { id, text: "x".repeat(length), reply: None }];
        let published = self.room.publish(&self.speaker.seat, says).await;
        assert_eq!(published.results, [Ok(self.said)]);
    }

    /// Serves a connection.
    fn serve(&self, io: impl Io) -> JoinHandle<()> {
        let (room, settings) = (self.room.clone(), ListenSettings::default());
        let rooms = Rooms::only(room.clone(), &Settings::default());
        tokio::spawn(async move {
            let (limiter, _accepted) = ConnectionLimiter::new(1, 0);
            let permit = limiter.try_acquire(CircuitId(1)).unwrap();
            let (closing, io) = (CancellationToken::new(), Box::new(io));
            super::serve(io, Default::default(), rooms, room, &settings, &permit, &closing).await;
        })
    }
}

/// A guest's first frame, masked with zeros.
fn hello_frame(token: &Token) -> Vec<u8> {
    let json = format!(r#"{{"type":"hello","token":"{}"}}"#, token.encode());
    [&[0x81, 0x80 | u8::try_from(json.len()).unwrap(), 0, 0, 0, 0], json.as_bytes()].concat()
}

/// What a guest received, and may not be whole yet.
#[derive(Default)]
struct Received(Vec<u8>);

impl Received {
    async fn read(&mut self, io: &mut DuplexStream, most: usize) {
        let mut bytes = vec![0; most];
        let count = io.read(&mut bytes).await.unwrap();
        self.0.extend_from_slice(&bytes[..count]);
    }

    /// The numbers of the messages, which must be whole frames but for the last one.
    fn seqs(&self) -> Vec<u64> {
        let (mut bytes, mut seqs) = (&self.0[..], Vec::new());
        while let Some((json, rest)) = frame(bytes) {
            let event: Value = serde_json::from_slice(json).unwrap();
            bytes = rest;
            match event["type"].as_str().unwrap() {
                "message" => seqs.push(event["seq"].as_u64().unwrap()),
                "gap" => panic!("nothing is missing: {event}"),
                _ => {}
            }
        }
        seqs
    }
}

/// The payload of the first frame, and what follows; `None` if it is not complete.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    assert_eq!(*bytes.first()?, 0x81, "a text frame begins");
    let (begin, length) = match *bytes.get(1)? {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        length => (2, usize::from(length)),
    };
    Some((bytes.get(begin..begin + length)?, &bytes[begin + length..]))
}

/// One step of a chat.
#[derive(Debug, Clone)]
enum Step {
    Say(usize),
    /// One of the guests reads so many bytes, if there are any.
    Read(usize, usize),
    /// One of the guests asks for a pong, so that their task writes too.
    Ping(usize),
    /// So many turns for the others.
    Yield(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0usize..700).prop_map(Step::Say),
        3 => (0usize..3, 1usize..900).prop_map(|(guest, most)| Step::Read(guest, most)),
        1 => (0usize..3).prop_map(Step::Ping),
        2 => (0usize..6).prop_map(Step::Yield),
    ];
    prop::collection::vec(step, 1..120)
}

/// Three guests whose connections take at most `capacity` bytes at once: each gets every message once and in order,
/// whatever they read and say meanwhile.
async fn everyone_gets_everything(capacity: usize, steps: Vec<Step>) {
    let mut chat = Chat::open().await;
    let mut guests = Vec::new();
    for _ in 0..3 {
        let (near, mut far) = duplex(capacity);
        let served = chat.serve(near);
        far.write_all(&hello_frame(&Token::random().unwrap())).await.unwrap();
        let mut received = Received::default();
        while frame(&received.0).is_none() {
            received.read(&mut far, 10_000).await;
        }
        guests.push((far, received, served));
    }
    for step in steps {
        match step {
            Step::Say(length) => chat.say(length).await,
            Step::Read(guest, most) => {
                let (far, received, _) = &mut guests[guest];
                tokio::select! {
                    biased;
                    () = received.read(far, most) => {}
                    () = yield_now() => {}
                }
            }
            Step::Ping(guest) => {
                let ping = [&[0x81, 0x80 | 15, 0, 0, 0, 0][..], br#"{"type":"ping"}"#].concat();
                // A guest who does not read cannot send either.
                tokio::select! {
                    biased;
                    sent = guests[guest].0.write_all(&ping) => sent.unwrap(),
                    () = yield_now() => return,
                }
            }
            Step::Yield(turns) => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
        }
    }
    for (mut far, mut received, served) in guests {
        let expected: Vec<_> = (1..=chat.said).collect();
        while received.seqs().len() < expected.len() {
            timeout(DEADLINE, received.read(&mut far, 10_000)).await.unwrap();
        }
        assert_eq!(received.seqs(), expected);
        drop(far);
        served.await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_connection_takes_frames_stay_whole_and_in_order(capacity in 200usize..3000, steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(everyone_gets_everything(capacity, steps));
    }
}

/// A WebSocket client that has said hello, over any stream.
async fn client<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, token: &Token) -> WebSocketStream<S> {
    io.write_all(&hello_frame(token)).await.unwrap();
    let mut client = WebSocketStream::from_raw_socket(io, Role::Client, None).await;
    assert!(next(&mut client).await.unwrap().contains(r#""type":"welcome""#));
    client
}

/// The next text, or the close code.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(client: &mut WebSocketStream<S>) -> Result<String, u16> {
    loop {
        match timeout(DEADLINE, client.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => return Ok(text.as_str().to_owned()),
            Message::Close(frame) => return Err(frame.unwrap().code.into()),
            _ => {}
        }
    }
}

/// A guest on TCP, whose socket holds little, does not read for as long as 5,000 messages take, and then reads them all;
/// others go on meanwhile.
#[tokio::test]
async fn a_guest_who_stalled_and_resumes_has_missed_nothing() {
    let mut chat = Chat::open().await;
    let listener = TcpSocket::new_v4().unwrap();
    listener.set_send_buffer_size(4096).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.listen(8).unwrap();
    let mut clients = Vec::new();
    for _ in 0..2 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let connected = socket.connect(listener.local_addr().unwrap());
        let (connected, accepted) = tokio::join!(connected, listener.accept());
        chat.serve(accepted.unwrap().0);
        clients.push(client(connected.unwrap(), &Token::random().unwrap()).await);
    }
    let [stalled, other] = &mut clients[..] else { panic!("two") };
    for number in 1..=5000 {
        chat.say(100).await;
        let seq = format!(r#""seq":{number},"#);
        while !next(other).await.unwrap().contains(&seq) {}
    }
    let mut number = 0;
    while number < 5000 {
        let event: Value = serde_json::from_str(&next(stalled).await.unwrap()).unwrap();
        if event["type"] == "message" {
            number += 1;
            assert_eq!(event["seq"], number);
        }
    }
}

/// A guest whose connection is full in the middle of a frame loses the seat to another connection, or the room closes: the
/// frame is completed before what follows.
#[tokio::test(start_paused = true)]
async fn a_seat_that_is_lost_in_the_middle_of_a_frame_ends_after_it() {
    for capacity in [600, 650, 700, 750, 800] {
        let mut chat = Chat::open().await;
        let token = Token::random().unwrap();
        let (near, far) = duplex(capacity);
        let served = chat.serve(near);
        let mut first = client(far, &token).await;
        for _ in 0..20 {
            chat.say(100).await;
        }
        // Said, and taken over before the guest's task has run.
        let room = chat.room.clone();
        let join = room.join(Hello { token: Some(token), ..Hello::default() });
        let (second, ()) = tokio::join!(join, chat.say(50));
        let (mut seqs, mut last) = (Vec::new(), Value::Null);
        let code = loop {
            match next(&mut first).await {
                Ok(text) => last = serde_json::from_str(&text).unwrap(),
                Err(code) => break code,
            }
            seqs.extend(last["seq"].as_u64().filter(|_| last["type"] == "message"));
        };
        assert_eq!((code, &last["code"]), (CLOSE_TAKEN_OVER, &"taken_over".into()));
        assert!(!seqs.is_empty() && seqs.iter().copied().eq(1..=seqs.len() as u64), "{seqs:?}");
        drop((first, second));
        served.await.unwrap();
    }
}
