use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use serde_json::Value;

use super::*;

const ANN: GuestId = GuestId(1);
const BOB: GuestId = GuestId(2);

fn message(from: GuestId, to: GuestId, text: &str) -> Arc<PrivateMessage> {
    Arc::new(PrivateMessage {
        at: 0,
        from,
        name: Name::parse("Someone").unwrap(),
        to,
        to_name: Name::parse("Another").unwrap(),
        id: MessageId::parse("a").unwrap(),
        text: Secret::new(text.to_owned()),
    })
}

/// What a reader takes now: `a 11`, `gap 12..14`, `end 15 2`.
fn taken(reader: &mut MailboxReader) -> Vec<String> {
    let short = |event: &EncodedPrivate| {
        let json: Value = serde_json::from_str(&event.json).unwrap();
        match event.kind {
            "private" => format!("{} {}", json["text"].as_str().unwrap(), json["number"]),
            "private_gap" => format!("gap {}..{}", json["after"], json["before"]),
            _ => format!("end {} {}", json["number"], json["guest"]),
        }
    };
    reader.take(usize::MAX).iter().map(short).collect()
}

#[test]
fn each_reader_gets_what_comes_after_its_cursor_and_is_told_of_what_is_gone() {
    let mailbox = Mailbox::begin_at(10);
    let mut live = MailboxReader::new(&mailbox, 0);
    let messages: Vec<_> = ["a", "b", "c", "d"].map(|text| message(ANN, BOB, text)).into();
    let numbers: Vec<_> = messages.iter().map(|message| mailbox.push(message)).collect();
    assert_eq!(numbers, [11, 12, 13, 14]);
    mailbox.remove(&messages[1]);
    assert_eq!(taken(&mut live), ["a 11", "gap 11..13", "c 13", "d 14"]);
    assert_eq!(taken(&mut MailboxReader::new(&mailbox, 13)), ["d 14"]);
    assert!(taken(&mut MailboxReader::new(&mailbox, 14)).is_empty());
    mailbox.remove(&messages[3]);
    assert_eq!(taken(&mut MailboxReader::new(&mailbox, 13)), ["gap 13..15"]);
    mailbox.remove(&messages[0]);
    let all = taken(&mut MailboxReader::new(&mailbox, 0));
    assert_eq!(all, ["c 13", "gap 13..15"], "who has nothing yet misses nothing before");
}

#[test]
fn the_end_of_what_was_exchanged_with_a_guest_is_told_in_its_place() {
    let mailbox = Mailbox::begin_at(10);
    mailbox.end(BOB);
    assert!(!MailboxReader::new(&mailbox, 10).poll(&Context::from_waker(Waker::noop())), "there was nothing");
    mailbox.push(&message(ANN, BOB, "a"));
    mailbox.push(&message(GuestId(3), ANN, "b"));
    mailbox.end(BOB);
    assert_eq!(taken(&mut MailboxReader::new(&mailbox, 11)), ["b 12", "end 13 2"]);
    mailbox.push(&message(BOB, ANN, "c"));
    mailbox.end(BOB);
    let read = taken(&mut MailboxReader::new(&mailbox, 10));
    assert_eq!(read, ["gap 10..12", "b 12", "gap 12..15", "end 15 2"], "one end for each guest");
    for guest in 100..300 {
        mailbox.push(&message(GuestId(guest), ANN, "d"));
        mailbox.end(GuestId(guest));
    }
    assert_eq!(mailbox.lock().entries.len(), ENDS_MAX + 1);
    assert_eq!(mailbox.bytes(), message(ANN, BOB, "b").bytes());
}

#[test]
fn a_cursor_of_an_earlier_mailbox_is_known_as_such() {
    let mailbox = Mailbox::begin_at(10);
    mailbox.push(&message(ANN, BOB, "a"));
    for cursor in [9, 12, 1 << 40] {
        let mut reader = MailboxReader::new(&mailbox, cursor);
        assert_eq!(taken(&mut reader), ["end 10 null", "a 11"], "{cursor}");
        assert_eq!(reader.after(), 11);
    }
    let bases: Vec<_> = (0..100).map(|_| Mailbox::new().lock().base).collect();
    assert!(bases.iter().all(|base| *base < 1 << 52) && bases[0] != bases[1]);
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn readers_that_wait_are_woken_once_and_readers_that_are_gone_leave_nothing() {
    let (mailbox, wakes) = (Mailbox::begin_at(10), Arc::new(Wakes::default()));
    let waker = Waker::from(Arc::clone(&wakes));
    let context = Context::from_waker(&waker);
    let mut readers: Vec<_> = (0..3).map(|_| MailboxReader::new(&mailbox, 0)).collect();
    for _ in 0..5 {
        assert!(readers.iter().all(|reader| !reader.poll(&context)));
    }
    readers.pop();
    mailbox.push(&message(ANN, BOB, "a"));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
    assert!(readers.iter().all(|reader| reader.poll(&context)));
    readers.iter_mut().for_each(|reader| assert_eq!(taken(reader), ["a 11"]));
    assert!(!readers[0].poll(&context));
    drop(readers);
    assert!(mailbox.lock().waiting.is_empty());
}

#[test]
fn a_long_mailbox_is_taken_in_parts() {
    let mailbox = Mailbox::begin_at(10);
    for _ in 0..50 {
        mailbox.push(&message(ANN, BOB, &"x".repeat(1000)));
    }
    let mut reader = MailboxReader::new(&mailbox, 0);
    let mut parts = Vec::new();
    while reader.poll(&Context::from_waker(Waker::noop())) {
        parts.push(reader.take(10_000).len());
    }
    assert_eq!(parts.iter().sum::<usize>(), 50);
    assert!(parts.len() > 4 && parts.iter().all(|part| *part <= 10), "{parts:?}");
}
