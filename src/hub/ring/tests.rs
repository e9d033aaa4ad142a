use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use super::*;

fn push(ring: &mut Ring, json: &str, seq: u64) {
    let kind = if seq > 0 { EventKind::Message } else { EventKind::Joined };
    ring.push(EncodedEvent { kind, seq: (seq > 0).then_some(seq), json }, GuestId(seq % 3));
}

fn frames(payloads: &[String]) -> Vec<u8> {
    let mut out = BytesMut::new();
    payloads.iter().for_each(|payload| frame::text(payload, &mut out));
    out.to_vec()
}

#[test]
fn a_reader_gets_everything_in_one_copy() {
    let mut ring = Ring::new(1000);
    let mut out = BytesMut::new();
    push(&mut ring, "one", 1);
    push(&mut ring, "joined", 0);
    assert_eq!(ring.copy(0, 1000, &mut out), Ok(Copied { position: ring.head(), seq: Some(1) }));
    assert_eq!(out[..], frames(&["one".into(), "joined".into()]));
    assert_eq!(ring.copy(ring.head(), 1000, &mut out), Ok(Copied { position: ring.head(), seq: None }));
}

#[test]
fn a_reader_that_is_too_far_behind_is_told() {
    let mut ring = Ring::new(10);
    push(&mut ring, "12345678", 1);
    push(&mut ring, "12345678", 2);
    let mut out = BytesMut::new();
    assert_eq!(ring.copy(0, 100, &mut out), Err(Lagged));
    assert_eq!(ring.copy_messages(0, 2, 100, &mut out), None);
    assert_eq!(ring.copy_messages(1, 2, 100, &mut out), Some(2));
    assert_eq!(out[..], frames(&["12345678".into()]));
}

#[test]
fn a_ring_that_was_given_up_has_no_buffer_and_goes_on() {
    let mut ring = Ring::new(1000);
    for seq in 1..=3 {
        push(&mut ring, "event", seq);
    }
    let head = ring.head();
    ring.give_up();
    assert_eq!((ring.head(), ring.bytes.capacity(), ring.events.capacity()), (head, 0, 0));
    let mut out = BytesMut::new();
    assert_eq!(ring.copy(head - 1, 1000, &mut out), Err(Lagged));
    assert_eq!(ring.copy_messages(2, 3, 1000, &mut out), None, "the log has them");
    push(&mut ring, "again", 4);
    let copied = ring.copy(head, 1000, &mut out).unwrap();
    assert_eq!((copied.seq, &out[..]), (Some(4), &frames(&["again".into()])[..]));
}

#[test]
fn messages_come_without_presence() {
    let mut ring = Ring::new(1000);
    for (json, seq) in [("a", 1), ("joined", 0), ("b", 2), ("c", 3)] {
        push(&mut ring, json, seq);
    }
    let mut out = BytesMut::new();
    assert_eq!(ring.copy_messages(0, 2, 1000, &mut out), Some(2));
    assert_eq!(out[..], frames(&["a".into(), "b".into()]));
    assert_eq!(ring.copy_messages(3, 3, 1000, &mut out), None);
}

#[test]
fn what_is_older_than_the_ring_is_not_skipped() {
    let mut ring = Ring::new(1000);
    ring.begin_after(5);
    push(&mut ring, "six", 6);
    let mut out = BytesMut::new();
    assert_eq!(ring.copy_messages(4, 6, 1000, &mut out), None);
    assert_eq!(ring.copy_messages(5, 6, 1000, &mut out), Some(6));
}

fn said(seq: u64, text: &str) -> String {
    format!(
        r#"{{"type":"message","seq":{seq},"at":1,"guest":{},"name":"Ann","id":"a","text":"{text}"}}"#,
        seq % 3
    )
}

fn delete(before: u64, messages: &[u64]) -> Erase {
    Erase { before, messages: messages.to_vec(), ..Erase::default() }
}

/// What a client decodes: the JSON of each frame.
fn decoded(bytes: &[u8]) -> Vec<String> {
    let socket = std::io::Cursor::new(bytes.to_vec());
    let mut socket = WebSocket::from_raw_socket(socket, Role::Client, None);
    std::iter::from_fn(|| socket.read().ok()).map(|frame| frame.to_text().unwrap().to_owned()).collect()
}

#[test]
fn what_is_deleted_is_overwritten_in_place() {
    let mut ring = Ring::new(10_000);
    let long = "x".repeat(300);
    for seq in 1..=6 {
        push(&mut ring, &said(seq, if seq == 4 { &long } else { "secret" }), seq);
        push(&mut ring, "joined", 0);
    }
    let (head, newest) = (ring.head(), ring.newest_message(0, ring.head()));
    // By its number, by its author (1 and 4), and none that came with the act or after it.
    ring.erase(&delete(6, &[2, 6, 99]));
    ring.erase(&Erase { before: 4, by: Some(GuestId(1)), ..Erase::default() });
    ring.erase(&Erase { before: 4, messages: vec![4], pins: vec![3], ..Erase::default() });
    assert_eq!((ring.head(), ring.newest_message(0, head)), (head, newest));
    let (mut out, mut batch) = (BytesMut::new(), EventBatch::default());
    ring.copy(0, 10_000, &mut out).unwrap();
    ring.copy(0, 10_000, &mut batch).unwrap();
    let frames = decoded(&out);
    assert_eq!(frames.len(), 12);
    for (place, (frame, event)) in frames.iter().zip(batch.iter()).enumerate() {
        let seq = place as u64 / 2 + 1;
        let expected = match (place % 2, seq) {
            (1, _) => "joined".to_owned(),
            (_, 1 | 2) => format!(r#"{{"type":"deleted","seq":{seq}}}"#),
            (_, 4) => said(4, &long),
            (_, seq) => said(seq, "secret"),
        };
        assert_eq!((frame.trim_end(), event.json), (expected.as_str(), expected.as_str()));
        let deleted = expected.contains("deleted");
        assert_eq!(event.kind == EventKind::Deleted, deleted);
        assert_eq!(event.seq, (place % 2 == 0).then_some(seq));
    }
    let mut rest = BytesMut::new();
    assert_eq!(ring.copy_messages(0, 2, 1000, &mut rest), Some(2));
    assert!(!rest.windows(6).any(|part| part == b"secret"));
}

/// What a process has in its memory between two addresses. Reading it so needs no unsafe code.
#[cfg(target_os = "linux")]
fn memory(from: usize, bytes: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;

    let mut found = vec![0; bytes];
    std::fs::File::open("/proc/self/mem").unwrap().read_exact_at(&mut found, from as u64).unwrap();
    found
}

/// Guards against texts in the part of the buffer that no event has any more.
#[cfg(target_os = "linux")]
#[test]
fn the_buffer_has_nothing_of_what_was_deleted_or_evicted() {
    let mut ring = Ring::new(1000);
    // Until the events go around the end of the buffer: their second part begins where it does.
    let mut seq = 0;
    while ring.bytes.as_slices().1.is_empty() {
        seq += 1;
        push(&mut ring, &said(seq, &format!("text number {seq};")), seq);
    }
    let (begin, capacity) = (ring.bytes.as_slices().1.as_ptr() as usize, ring.bytes.capacity());
    let found = |ring: &Ring, seq: u64| {
        assert_eq!(ring.bytes.capacity(), capacity);
        let needle = format!("text number {seq};");
        memory(begin, capacity).windows(needle.len()).any(|part| part == needle.as_bytes())
    };
    let first = ring.events.front().unwrap().seq;
    assert!(first > 1 && (first..=seq).all(|seq| found(&ring, seq)), "the search finds what is there");
    assert!((1..first).all(|seq| !found(&ring, seq)), "what was evicted");
    ring.erase(&delete(seq + 1, &[first + 1, seq]));
    for other in first..=seq {
        assert_eq!(found(&ring, other), ![first + 1, seq].contains(&other), "{other}");
    }
}

proptest! {
    /// However it is cut, a reader that keeps up sees every frame whole, once, in order; one that does
    /// not is told.
    #[test]
    fn readers_see_whole_frames_in_order(
        steps in prop::collection::vec((0usize..60, 1usize..80, any::<bool>()), 1..80),
        capacity in 20usize..200,
    ) {
        let mut ring = Ring::new(capacity);
        let (mut position, mut pending) = (0, Vec::new());
        for (number, (length, limit, read)) in steps.into_iter().enumerate() {
            let payload = format!("{number}:{}", "x".repeat(length));
            push(&mut ring, &payload, number as u64 + 1);
            pending.push(payload);
            if read {
                let (mut out, mut batch) = (BytesMut::new(), EventBatch::default());
                prop_assert_eq!(
                    ring.copy(position, limit, &mut out),
                    ring.copy(position, limit, &mut batch)
                );
                match ring.copy(position, limit, &mut BytesMut::new()) {
                    Ok(copied) => {
                        let taken = (1..=pending.len()).find(|count| frames(&pending[..*count]) == out[..]);
                        prop_assert!(taken.is_some(), "whole frames, in order");
                        let taken = taken.unwrap_or(0);
                        prop_assert!(batch.iter().map(|event| event.json).eq(&pending[..taken]));
                        prop_assert!(out.len() <= limit || taken == 1);
                        pending.drain(..taken);
                        position = copied.position;
                    }
                    Err(Lagged) => {
                        position = ring.head();
                        pending.clear();
                    }
                }
            }
        }
    }

    /// Whatever is deleted at whichever moment: a reader that keeps up gets every event once and in order, each as it was said
    /// or as deleted, and never anything between.
    #[test]
    fn readers_get_each_event_as_it_was_or_as_deleted(
        steps in prop::collection::vec((0usize..40, 1usize..300, 0u64..4, any::<bool>()), 1..60),
        capacity in 300usize..1500,
    ) {
        let mut ring = Ring::new(capacity);
        let (mut position, mut seen) = (0, 0);
        let mut deleted = std::collections::BTreeSet::new();
        for (number, (length, limit, back, read)) in steps.into_iter().enumerate() {
            let seq = number as u64 + 1;
            push(&mut ring, &said(seq, &"x".repeat(length)), seq);
            if back > 0 {
                ring.erase(&delete(seq, &[seq.saturating_sub(back)]));
                deleted.insert(seq.saturating_sub(back));
            }
            if !read {
                continue;
            }
            let (mut out, mut batch) = (BytesMut::new(), EventBatch::default());
            prop_assert_eq!(ring.copy(position, limit, &mut out), ring.copy(position, limit, &mut batch));
            match ring.copy(position, limit, &mut BytesMut::new()) {
                Ok(copied) => {
                    let frames = decoded(&out);
                    prop_assert_eq!(frames.len(), batch.iter().count());
                    for (frame, event) in frames.iter().zip(batch.iter()) {
                        seen += 1;
                        prop_assert_eq!(event.seq, Some(seen));
                        prop_assert_eq!(frame.trim_end(), event.json);
                        let kind = if deleted.contains(&seen) { EventKind::Deleted } else { EventKind::Message };
                        prop_assert_eq!(event.kind, kind);
                        let json: serde_json::Value = serde_json::from_str(frame).unwrap();
                        prop_assert_eq!((json["type"].as_str(), json["seq"].as_u64()), (Some(kind.as_str()), Some(seen)));
                        prop_assert_eq!(frame.contains("text"), kind == EventKind::Message);
                    }
                    position = copied.position;
                }
                Err(Lagged) => (position, seen) = (ring.head(), seq),
            }
        }
    }
}
