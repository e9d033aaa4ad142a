use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

use super::*;
use crate::listen::Connection;
use crate::protocol::CircuitId;

/// Accepts what a test connects in memory.
struct Pipes(Mutex<UnboundedReceiver<DuplexStream>>);

impl Listener for Pipes {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        let stream = self.0.lock().await.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((stream, ([127, 0, 0, 1], 0).into()))
    }

    fn try_write(_: &DuplexStream, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

/// A listener, and the connections that it lets in.
struct Room {
    connect: UnboundedSender<DuplexStream>,
    accepted: UnboundedReceiver<Connection>,
    closing: CancellationToken,
}

impl Room {
    fn open(protocol: bool, connections: usize) -> Self {
        let (connect, pipes) = unbounded_channel();
        let (limiter, accepted) = ConnectionLimiter::new(connections, 20);
        let closing = CancellationToken::new();
        tokio::spawn(accept(Pipes(Mutex::new(pipes)), protocol, limiter, closing.clone()));
        Self { connect, accepted, closing }
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(16 * 1024);
        self.connect.send(theirs).unwrap();
        ours
    }

    async fn accepted(&mut self) -> Connection {
        self.accepted.recv().await.unwrap()
    }
}

const HEADER_LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";

fn address() -> Peer {
    Peer::Public(Client::at("192.0.2.1".parse().unwrap()))
}

#[tokio::test(start_paused = true)]
async fn without_the_protocol_nothing_is_read_and_all_share_a_budget() {
    let mut room = Room::open(false, 10);
    let mut client = room.connect();
    client.write_all(HEADER_LINE).await.unwrap();
    let mut connection = room.accepted().await;
    assert_eq!(connection.peer, Peer::Public(Client::Unknown));
    assert_eq!(connection.peer.circuit(), CircuitId::PROXY);
    let mut read = [0; HEADER_LINE.len()];
    connection.io.read_exact(&mut read).await.unwrap();
    assert_eq!(read, HEADER_LINE, "it is the client's own, and no header of HTTP");
}

#[tokio::test(start_paused = true)]
async fn a_header_in_pieces_is_read_and_what_follows_is_the_clients() {
    let mut room = Room::open(true, 10);
    let mut client = room.connect();
    let request = b"GET / HTTP/1.1\r\n";
    for byte in [HEADER_LINE, request].concat() {
        client.write_all(&[byte]).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    }
    let mut together = room.connect();
    together.write_all(&[HEADER_LINE, request].concat()).await.unwrap();
    for mut client in [client, together] {
        let mut connection = room.accepted().await;
        assert_eq!(connection.peer, address());
        client.write_all(b"Host: room.example\r\n").await.unwrap();
        connection.io.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        drop(client.shutdown().await);
        let mut read = String::new();
        connection.io.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "GET / HTTP/1.1\r\nHost: room.example\r\n");
        drop(connection);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "HTTP/1.1 200 OK\r\n");
    }
}

#[tokio::test(start_paused = true)]
async fn what_sends_no_header_or_a_slow_one_is_closed_without_a_word() {
    let mut room = Room::open(true, 10);
    let (mut silent, mut slow, mut wrong, mut ends) =
        (room.connect(), room.connect(), room.connect(), room.connect());
    let began = Instant::now();
    wrong.write_all(b"GET / HTTP/1.1\r\nHost: room.example\r\n\r\n").await.unwrap();
    ends.write_all(b"PROXY TCP4 192.0.2.1").await.unwrap();
    ends.shutdown().await.unwrap();
    let mut said = Vec::new();
    wrong.read_to_end(&mut said).await.unwrap();
    ends.read_to_end(&mut said).await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 0);
    let slow = async {
        for byte in HEADER_LINE {
            let _ = slow.write_all(&[*byte]).await;
            sleep(Duration::from_millis(500)).await;
        }
        slow
    };
    silent.read_to_end(&mut said).await.unwrap();
    assert_eq!(began.elapsed(), HEADER);
    slow.await.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"");
    assert!(room.accepted.try_recv().is_err(), "none of them is a connection");
}

/// A flood of connections without a header keeps one with a header waiting for a moment only.
#[tokio::test(start_paused = true)]
async fn many_without_a_header_do_not_keep_out_one_that_has_it() {
    let mut room = Room::open(true, 10);
    let flood: Vec<_> = (0..3 * WITHOUT_HEADER_MAX).map(|_| room.connect()).collect();
    let (began, mut client) = (Instant::now(), room.connect());
    client.write_all(HEADER_LINE).await.unwrap();
    assert_eq!(room.accepted().await.peer, address());
    let waited = began.elapsed();
    assert!(waited <= 4 * HEADER_TURN, "{waited:?} for {} before it", flood.len());
}

/// After a restart a proxy connects for all its clients at once.
#[tokio::test(start_paused = true)]
async fn a_thousand_at_once_with_their_headers_come_in_without_a_pause() {
    let mut room = Room::open(true, 2000);
    let (began, mut clients) = (Instant::now(), Vec::new());
    for _ in 0..1000 {
        let mut client = room.connect();
        client.write_all(HEADER_LINE).await.unwrap();
        clients.push((client, None));
    }
    for (_, connection) in &mut clients {
        *connection = Some(room.accepted().await);
    }
    assert_eq!(began.elapsed().as_millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_address_is_charged_for_its_connections() {
    let mut room = Room::open(true, 4);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = room.connect();
        client.write_all(HEADER_LINE).await.unwrap();
        clients.push((client, room.accepted().await));
    }
    let mut other = room.connect();
    other.write_all(b"PROXY TCP6 fc00:dead:beef:4dad::0:7 ::1 7 42\r\n").await.unwrap();
    let other = room.accepted().await;
    assert_eq!(other.peer, Peer::Public(Client::Circuit(7)));
    let evicted = clients.iter().filter(|(_, connection)| connection.permit.evicted().is_cancelled());
    assert_eq!(evicted.count(), 1, "the address that holds most gives one up");
}

#[tokio::test(start_paused = true)]
async fn closing_ends_those_without_a_header() {
    let room = Room::open(true, 10);
    let mut waits = room.connect();
    waits.write_all(&HEADER_LINE[..9]).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    let began = Instant::now();
    room.closing.cancel();
    waits.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 0);
}
