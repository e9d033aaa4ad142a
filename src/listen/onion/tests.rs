//! The accept loop without a network: circuits and streams made of channels.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::listen::Connection;

pub(super) const PORT: u16 = 80;
const DEADLINE: Duration = Duration::from_secs(5);
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// An introduction whose circuit is ready when the test says so.
struct FakeIntroduction(oneshot::Receiver<FakeCircuit>);

struct FakeCircuit {
    requests: mpsc::UnboundedReceiver<FakeRequest>,
    _closed: oneshot::Sender<()>,
}

struct FakeRequest {
    port: Option<u16>,
    answer: oneshot::Sender<Answer>,
}

/// What the client sees of its request.
enum Answer {
    Connected(DuplexStream),
    Done,
}

impl Introduction for FakeIntroduction {
    type Circuit = FakeCircuit;

    async fn rendezvous(self) -> Option<FakeCircuit> {
        self.0.await.ok()
    }
}

impl RendezvousCircuit for FakeCircuit {
    type Request = FakeRequest;

    async fn next(&mut self) -> Option<FakeRequest> {
        self.requests.recv().await
    }
}

impl StreamRequest for FakeRequest {
    type Stream = DuplexStream;

    fn port(&self) -> Option<u16> {
        self.port
    }

    async fn accept(self) -> io::Result<DuplexStream> {
        let (here, there) = duplex(64);
        self.answer.send(Answer::Connected(there)).map_err(|_gone| io::ErrorKind::BrokenPipe)?;
        Ok(here)
    }

    async fn refuse(self) {
        let _ = self.answer.send(Answer::Done);
    }
}

/// The rendezvous point, as the test decides when the circuit to it is built.
pub(super) struct PendingRendezvous {
    point: oneshot::Sender<FakeCircuit>,
    circuit: FakeCircuit,
}

impl PendingRendezvous {
    pub(super) fn built(self) {
        assert!(self.point.send(self.circuit).is_ok(), "the introduction was dropped");
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.point.is_closed()
    }

    async fn dropped(mut self) {
        timeout(DEADLINE, self.point.closed()).await.unwrap();
    }
}

/// The client's end of a circuit.
pub(super) struct Client {
    requests: mpsc::UnboundedSender<FakeRequest>,
    closed: oneshot::Receiver<()>,
}

impl Client {
    async fn ask(&self, port: Option<u16>) -> Answer {
        let (answer, answered) = oneshot::channel();
        assert!(self.requests.send(FakeRequest { port, answer }).is_ok(), "the circuit is closed");
        timeout(DEADLINE, answered).await.unwrap().unwrap()
    }

    pub(super) async fn connect(&self) -> DuplexStream {
        match self.ask(Some(PORT)).await {
            Answer::Connected(stream) => stream,
            Answer::Done => panic!("refused"),
        }
    }

    pub(super) async fn refused(&self, port: Option<u16>) {
        assert!(matches!(self.ask(port).await, Answer::Done));
    }

    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    async fn closed(self) {
        timeout(DEADLINE, self.closed).await.unwrap().unwrap_err();
    }
}

/// The running loop and both its ends.
pub(super) struct Room {
    introductions: mpsc::Sender<FakeIntroduction>,
    connections: mpsc::UnboundedReceiver<Connection>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Room {
    pub(super) fn open(places: usize, streams_per_circuit: usize) -> Self {
        let (introductions, receiver) = mpsc::channel(1024);
        let (limiter, connections) = ConnectionLimiter::new(places, 0);
        let shutdown = CancellationToken::new();
        let limits = CircuitLimits { port: PORT, streams: streams_per_circuit, idle: IDLE };
        let task = tokio::spawn(accept(receiver, limiter, limits, shutdown.clone()));
        Self { introductions, connections, shutdown, task }
    }

    /// A client whose circuit is still to be built.
    pub(super) async fn introduce(&self) -> (Client, PendingRendezvous) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let (alive, closed) = oneshot::channel();
        let (point, introduction) = oneshot::channel();
        self.introductions.send(FakeIntroduction(introduction)).await.unwrap();
        let circuit = FakeCircuit { requests: receiver, _closed: alive };
        (Client { requests, closed }, PendingRendezvous { point, circuit })
    }

    pub(super) async fn client(&self) -> Client {
        let (client, rendezvous) = self.introduce().await;
        rendezvous.built();
        client
    }

    /// How many introductions wait.
    pub(super) fn waiting(&self) -> usize {
        self.introductions.max_capacity() - self.introductions.capacity()
    }

    pub(super) async fn arrival(&mut self) -> Connection {
        timeout(DEADLINE, self.connections.recv()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_stream_becomes_a_connection_that_carries_bytes() {
    let mut room = Room::open(8, 8);
    let client = room.client().await;
    let mut there = client.connect().await;
    let mut here = room.arrival().await;
    assert_eq!(here.peer, Peer::Circuit(1));

    there.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    here.io.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
    here.io.write_all(b"good evening").await.unwrap();
    drop(here);
    let mut heard = String::new();
    there.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "good evening");
}

#[tokio::test]
async fn circuits_are_numbered_and_their_streams_share_the_number() {
    let mut room = Room::open(8, 8);
    let first = room.client().await;
    let _streams = (first.connect().await, first.connect().await);
    assert_eq!(room.arrival().await.peer, Peer::Circuit(1));
    assert_eq!(room.arrival().await.peer, Peer::Circuit(1));
    let second = room.client().await;
    let _stream = second.connect().await;
    assert_eq!(room.arrival().await.peer, Peer::Circuit(2));
}

#[tokio::test]
async fn streams_over_the_limit_are_refused_until_one_is_dropped() {
    let mut room = Room::open(8, 2);
    let client = room.client().await;
    let _streams = (client.connect().await, client.connect().await);
    let (first, _second) = (room.arrival().await, room.arrival().await);
    client.refused(Some(PORT)).await;

    drop(first);
    let _third = client.connect().await;
    client.refused(Some(PORT)).await;

    let other = room.client().await;
    let _own_limit = other.connect().await;
}

#[tokio::test]
async fn a_stream_to_another_port_is_refused_and_the_circuit_lives() {
    let mut room = Room::open(8, 8);
    let client = room.client().await;
    for port in [Some(PORT + 1), Some(0), None] {
        client.refused(port).await;
        let _stream = client.connect().await;
        assert_eq!(room.arrival().await.peer, Peer::Circuit(1));
    }
}

#[tokio::test]
async fn without_a_connection_permit_a_stream_is_refused_and_the_circuit_lives() {
    let mut room = Room::open(1, 8);
    let client = room.client().await;
    let _stream = client.connect().await;
    let open = room.arrival().await;
    client.refused(Some(PORT)).await;
    drop(open);
    let _next = client.connect().await;
}

#[tokio::test]
async fn a_slow_circuit_does_not_hold_up_others() {
    let mut room = Room::open(8, 8);
    let (slow, rendezvous) = room.introduce().await;
    let quick = room.client().await;
    let _stream = quick.connect().await;
    assert_eq!(room.arrival().await.peer, Peer::Circuit(2));
    rendezvous.built();
    let _stream = slow.connect().await;
    assert_eq!(room.arrival().await.peer, Peer::Circuit(1));
}

#[tokio::test]
async fn shutdown_ends_every_circuit_and_leaves_open_streams_to_their_holders() {
    let mut room = Room::open(8, 8);
    let open = room.client().await;
    let mut there = open.connect().await;
    let mut here = room.arrival().await;
    let (_client, building) = room.introduce().await;

    room.shutdown.cancel();
    timeout(DEADLINE, room.task).await.unwrap().unwrap();
    open.closed().await;
    building.dropped().await;
    here.io.write_all(b"goodbye").await.unwrap();
    drop(here);
    let mut heard = String::new();
    there.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "goodbye");
}

#[tokio::test]
async fn the_loop_ends_with_its_introductions() {
    let room = Room::open(8, 8);
    drop(room.introductions);
    timeout(DEADLINE, room.task).await.unwrap().unwrap();
}
