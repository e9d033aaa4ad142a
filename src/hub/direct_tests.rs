//! The turns of task and room at one connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::direct::{Progress, StreamHandle};
use super::notifier::{Notifier, WaitQueue, Waiter};
use super::ring::Ring;
use super::woken::Woken;
use crate::log::Erase;
use crate::protocol::{EncodedEvent, EventKind, GuestId};

/// A connection that takes so many bytes, and flushes or not.
#[derive(Clone, Default)]
struct Connection(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    room: usize,
    stuck: bool,
    written: Vec<u8>,
}

impl Connection {
    fn holds(&self, bytes: usize) {
        self.0.lock().unwrap().room = bytes;
    }

    fn stuck(&self, stuck: bool) {
        self.0.lock().unwrap().stuck = stuck;
    }

    fn written(&self) -> usize {
        self.0.lock().unwrap().written.len()
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        let taken = bytes.len().min(state.room);
        state.room -= taken;
        state.written.extend_from_slice(&bytes[..taken]);
        if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.lock().unwrap().stuck { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A ring, its notifier, and one guest at its head.
struct Table {
    ring: Ring,
    notifier: Notifier,
    queue: Arc<WaitQueue>,
    connection: Connection,
    handle: StreamHandle<Connection>,
    waiter: Waiter,
    woken: Arc<Woken>,
}

/// What [`Table::push`] appends: a header of two bytes, and the JSON.
const FRAME: usize = 2 + 5;

impl Table {
    fn new() -> Self {
        let (queue, connection) = (Arc::<WaitQueue>::default(), Connection::default());
        let handle = StreamHandle::new(connection.clone());
        let mut waiter = Waiter::new(&queue);
        waiter.write_to(handle.events().0);
        let (ring, notifier, woken) = (Ring::new(1000), Notifier::new(Arc::clone(&queue)), Arc::default());
        Self { ring, notifier, queue, connection, handle, waiter, woken }
    }

    fn push(&mut self, seq: u64) {
        self.ring.push(EncodedEvent { kind: EventKind::Message, seq: Some(seq), json: "event" }, GuestId(1));
    }

    fn notify(&mut self) {
        self.notifier.set_head(self.ring.head());
        while self.notifier.is_due() {
            self.notifier.notify_some(&self.ring);
        }
    }

    fn poll(&mut self, position: u64, directly: bool) -> Poll<bool> {
        self.waiter.poll(position, directly, &Context::from_waker(&self.woken.waker()))
    }

    /// How often the task was woken, and how many bytes the connection has.
    fn seen(&self) -> (usize, usize) {
        (self.woken.count(), self.connection.written())
    }
}

#[test]
fn the_room_writes_while_the_task_waits_and_does_not_wake_it() {
    let mut table = Table::new();
    table.connection.holds(1000);
    assert_eq!(table.poll(0, true), Poll::Pending);
    for seq in 1..=3 {
        table.push(seq);
        table.notify();
    }
    assert_eq!(table.seen(), (0, 3 * FRAME));
    let position = table.ring.head();
    assert_eq!(table.waiter.take_turn(), Some(Progress { position, seq: Some(3) }));
    assert_eq!(table.waiter.take_turn(), None);
}

#[test]
fn a_task_that_is_at_work_or_wants_to_write_is_left_its_turn() {
    let mut table = Table::new();
    table.connection.holds(1000);
    assert_eq!(table.poll(0, false), Poll::Pending);
    table.push(1);
    table.notify();
    assert_eq!(table.seen(), (1, 0), "it wants to write first");
    assert_eq!(table.poll(table.ring.head(), true), Poll::Pending);
    table.waiter.take_turn();
    table.push(2);
    table.notify();
    assert_eq!(table.seen(), (1, 0), "it is at work");
    assert_eq!(table.poll(FRAME as u64, true), Poll::Ready(true));
}

#[test]
fn what_a_full_connection_does_not_take_is_for_the_task() {
    let mut table = Table::new();
    assert_eq!(table.poll(0, true), Poll::Pending);
    table.push(1);
    table.notify();
    assert_eq!(table.seen(), (1, 0));
    assert_eq!(table.waiter.take_turn(), Some(Progress { position: 0, seq: None }), "nothing was taken");

    // Of two events, the second in part; the third comes while the connection is full.
    assert_eq!(table.poll(FRAME as u64, true), Poll::Pending);
    table.push(2);
    table.push(3);
    table.push(4);
    table.connection.holds(FRAME + 3);
    table.notify();
    assert_eq!(table.seen(), (2, FRAME + 3));
    let position = 3 * FRAME as u64;
    assert_eq!(table.waiter.take_turn(), Some(Progress { position, seq: Some(3) }));
    assert!(table.handle.has_rest());
    assert_eq!(table.poll(table.ring.head(), true), Poll::Ready(true), "the rest is to be written");
    table.connection.holds(2);
    assert!(table.handle.write(b"next").now_or_never().is_none());
    table.connection.holds(1000);
    assert_eq!(table.handle.write(b"next").now_or_never().unwrap().unwrap(), 4);
    assert!(!table.handle.has_rest());
    assert_eq!(table.connection.0.lock().unwrap().written, b"\x81\x05event\x81\x05eventnext");
}

/// Guards against a frame that begins as one event and goes on as another.
#[test]
fn what_is_deleted_while_a_frame_is_cut_leaves_the_frame_whole() {
    let said = |seq: u64| format!(r#"{{"type":"message","seq":{seq},"text":"a secret of some length"}}"#);
    for cut in 1..2 * (2 + said(1).len()) {
        let mut table = Table::new();
        assert_eq!(table.poll(0, true), Poll::Pending);
        for seq in 1..=2 {
            let event = EncodedEvent { kind: EventKind::Message, seq: Some(seq), json: &said(seq) };
            table.ring.push(event, GuestId(1));
        }
        table.connection.holds(cut);
        table.notify();
        table.ring.erase(&Erase { before: 3, messages: vec![1, 2], ..Erase::default() });
        table.connection.holds(1000);
        // As the task does: the rest first, then the ring.
        let position = table.waiter.take_turn().unwrap().position;
        let [front, back] = table.ring.after(position).unwrap();
        for part in [front, back] {
            table.handle.write_all(part).now_or_never().unwrap().unwrap();
        }
        table.handle.flush().now_or_never().unwrap().unwrap();
        let written = table.connection.0.lock().unwrap().written.clone();
        let events = super::tests::decoded(written);
        let begun = cut.div_ceil(2 + said(1).len());
        for (seq, event) in (1..=2).zip(&events) {
            let kind = if seq <= begun { "message" } else { "deleted" };
            assert_eq!(
                (event["type"].as_str(), event["seq"].as_u64()),
                (Some(kind), Some(seq as u64)),
                "{cut}"
            );
        }
        assert_eq!(events.len(), 2, "{cut}");
    }
}

#[test]
fn a_flush_that_waits_is_for_the_task() {
    let mut table = Table::new();
    table.connection.holds(1000);
    table.connection.stuck(true);
    assert_eq!(table.poll(0, true), Poll::Pending);
    table.push(1);
    table.notify();
    assert_eq!(table.seen(), (1, FRAME));
    assert_eq!(table.poll(table.ring.head(), true), Poll::Ready(true));
    table.connection.stuck(false);
    table.handle.flush().now_or_never().unwrap().unwrap();
    assert_eq!(table.poll(table.ring.head(), true), Poll::Pending);
}

#[test]
fn a_connection_whose_reader_is_dropped_is_in_no_queue() {
    let mut table = Table::new();
    assert_eq!(table.poll(0, true), Poll::Pending);
    table.waiter = Waiter::new(&table.queue);
    let held = Arc::strong_count(&table.connection.0);
    drop(table.handle);
    assert_eq!(Arc::strong_count(&table.connection.0), held - 1, "closed at once");
}

#[test]
fn the_end_of_the_room_wakes_the_task() {
    let mut table = Table::new();
    assert_eq!(table.poll(0, true), Poll::Pending);
    table.notifier = Notifier::new(Arc::default());
    assert_eq!((table.seen().0, table.poll(0, true)), (1, Poll::Ready(false)));
}
