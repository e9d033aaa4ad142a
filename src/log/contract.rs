//! What every log promises, tried on each of them.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::sqlite::Synchronous;
use super::{Appended, Entry, Follow, Log, MemoryLog, Retention, RoomState, Span, SqliteLog};
use crate::protocol::{Body, GuestId, MessageId, Name, Record};

/// Runs a promise against every log.
macro_rules! promises {
    ($($promise:ident: $messages:expr, $bytes:expr, $age:expr;)*) => {
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $promise() {
                let log = MemoryLog::new(Retention { messages: $messages, bytes: $bytes, age: $age }).unwrap();
                super::$promise(&log).await;
            })*
        }
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $promise() {
                let directory = tempfile::tempdir().unwrap();
                let retention = Retention { messages: $messages, bytes: $bytes, age: $age };
                let log = SqliteLog::open(&directory.path().join("log"), retention, Synchronous::Normal).unwrap();
                super::$promise(&log).await;
            })*
        }
        #[cfg(all(unix, feature = "cluster"))]
        mod jetstream {
            use super::*;
            use crate::cluster::servers::{Program, Servers};
            use crate::log::jetstream::tests::open;
            $(#[tokio::test]
            async fn $promise() {
                let servers = Servers::start(Program::Debian, 1);
                let retention = Retention { messages: $messages, bytes: $bytes, age: $age };
                let log = open(&servers, retention).await;
                super::$promise(&log).await;
            })*
        }
    };
}

/// What acts erase.
pub(super) mod erasing;
/// What waits for a host.
pub(super) mod holding;

promises! {
    numbers_count_up_and_a_repeated_id_keeps_its_number: 10, 0, None;
    reading_respects_cursor_and_limit: 10, 0, None;
    a_cursor_leaves_the_newest_before_a_number: 10, 0, None;
    pages_go_back_and_leave_nothing_out: 10, 0, None;
    only_the_newest_are_kept_and_numbers_go_on: 2, 0, None;
    what_is_too_old_is_not_kept: 10, 0, Some(Duration::from_secs(100));
    a_log_that_keeps_nothing_still_counts_and_recognises: 0, 0, None;
    who_says_much_pushes_out_their_own: 10, 0, None;
    no_more_bytes_are_kept_than_allowed: 100, 550, None;
    texts_come_back_as_they_went_in: 10, 0, None;
    every_kind_is_kept: 10, 0, None;
    who_follows_gets_everything_once_and_in_order: 100, 0, None;
    who_follows_gets_what_is_not_kept: 2, 0, None;
    the_state_outlives_the_entries: 1, 0, None;
    a_log_that_keeps_nothing_has_a_state: 0, 0, None;
    the_identity_stays: 10, 0, None;
    many_at_once_keep_their_order: 1000, 0, None;
}

pub(super) fn entry(guest: u64, id: &str) -> Entry {
    Entry {
        at: 0,
        author: GuestId(guest),
        id: MessageId::parse(id).unwrap(),
        body: message(format!("text of {id}")),
    }
}

/// A message by Ann.
pub(super) fn message(text: impl Into<String>) -> Body {
    Body::Message { name: Name::parse("Ann").unwrap(), text: text.into() }
}

/// The text of a message.
pub(super) fn text(record: &Record) -> &str {
    match &record.body {
        Body::Message { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

/// The name of its author.
pub(super) fn name(record: &Record) -> &str {
    match &record.body {
        Body::Message { name, .. } => name.as_str(),
        other => panic!("{other:?}"),
    }
}

fn entries(ids: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    ids.map(|id| entry(1, &id.to_string())).collect()
}

pub(super) async fn sequence(log: &dyn Log, after: u64, limit: usize) -> Vec<u64> {
    log.read(after, limit).await.unwrap().into_iter().map(|message| message.seq).collect()
}

/// The number of each, and whether it is new.
fn numbers(appended: &[Appended]) -> Vec<(u64, bool)> {
    appended
        .iter()
        .map(|appended| match appended {
            Appended::New(seq) => (*seq, true),
            Appended::Duplicate(seq) => (*seq, false),
        })
        .collect()
}

async fn numbers_count_up_and_a_repeated_id_keeps_its_number(log: &dyn Log) {
    let batch = vec![entry(1, "a"), entry(2, "a"), entry(1, "a"), entry(1, "b")];
    let appended = log.append(batch).await.unwrap();
    assert_eq!(numbers(&appended), [(1, true), (2, true), (1, false), (3, true)]);
    assert_eq!(
        numbers(&log.append(vec![entry(2, "a"), entry(2, "b")]).await.unwrap()),
        [(2, false), (4, true)]
    );
    assert_eq!(log.span().await.unwrap(), Span { first: 1, head: 4, whole_from: 1 });
}

async fn reading_respects_cursor_and_limit(log: &dyn Log) {
    assert_eq!(sequence(log, 0, 9).await, [] as [u64; 0]);
    log.append(entries(1..=5)).await.unwrap();
    assert_eq!(sequence(log, 0, 2).await, [1, 2]);
    assert_eq!(sequence(log, 3, 9).await, [4, 5]);
    assert_eq!(sequence(log, 5, 9).await, [] as [u64; 0]);
    assert_eq!(sequence(log, (1 << 53) - 1, 9).await, [] as [u64; 0]);
}

async fn a_cursor_leaves_the_newest_before_a_number(log: &dyn Log) {
    let cursor = async |before, count| log.cursor_before(before, count).await.unwrap();
    assert_eq!(cursor(1, 5).await, 0, "an empty log");
    log.append(vec![entry(1, "a"), entry(2, "a"), entry(1, "b")]).await.unwrap();
    log.append((0..20).map(|id| entry(9, &id.to_string())).collect()).await.unwrap();
    assert_eq!(sequence(log, 0, 99).await, [1, 2, 3, 17, 18, 19, 20, 21, 22, 23]);
    assert_eq!((cursor(24, 0).await, cursor(24, 2).await, cursor(20, 2).await), (23, 21, 17));
    assert_eq!((cursor(18, 1).await, cursor(18, 2).await), (3, 2), "the missing are passed over");
    assert_eq!((cursor(18, 3).await, cursor(18, 4).await, cursor(1, 0).await), (1, 0, 0));
    assert_eq!(cursor((1 << 53) - 1, usize::MAX).await, 0);
    assert_eq!(sequence(log, cursor(20, 3).await, 3).await, [17, 18, 19]);
}

async fn pages_go_back_and_leave_nothing_out(log: &dyn Log) {
    log.append(vec![entry(1, "a"), entry(2, "a"), entry(1, "b")]).await.unwrap();
    log.append((0..20).map(|id| entry(9, &id.to_string())).collect()).await.unwrap();
    let kept = log.read(0, 99).await.unwrap();
    for limit in 1..=kept.len() + 1 {
        let (mut before, mut seen) = (24, Vec::new());
        while before > 1 {
            let page = log.page_before(before, limit).await.unwrap();
            assert!(page.after + 1 < before);
            let records = (page.open)();
            assert!((1..=limit).contains(&records.len()) && records.iter().all(|one| one.seq > page.after));
            seen.splice(0..0, records);
            before = page.after + 1;
        }
        assert_eq!(seen, kept, "{limit}");
    }
}

async fn only_the_newest_are_kept_and_numbers_go_on(log: &dyn Log) {
    log.append(entries(1..=5)).await.unwrap();
    assert_eq!(log.span().await.unwrap(), Span { first: 4, head: 5, whole_from: 4 });
    assert_eq!(sequence(log, 0, 9).await, [4, 5]);
    log.trim(0).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [4, 5]);
    assert_eq!(
        numbers(&log.append(entries(1..=1)).await.unwrap()),
        [(1, false)],
        "trimmed, but not forgotten"
    );
    assert_eq!(numbers(&log.append(entries(6..=6)).await.unwrap()), [(6, true)]);
}

/// Guards against a flooder who pushes what others said out of the history, which a thousand messages once did.
async fn who_says_much_pushes_out_their_own(log: &dyn Log) {
    log.append(vec![entry(1, "a"), entry(2, "a"), entry(1, "b")]).await.unwrap();
    for batch in 0..20 {
        log.append((0..50).map(|id| entry(9, &format!("{batch}-{id}"))).collect()).await.unwrap();
    }
    assert_eq!(sequence(log, 0, 99).await, [1, 2, 3, 997, 998, 999, 1000, 1001, 1002, 1003]);
    assert_eq!(log.span().await.unwrap(), Span { first: 1, head: 1003, whole_from: 997 });
    assert_eq!(sequence(log, 1, 3).await, [2, 3, 997], "the missing are passed over");
    log.trim(0).await.unwrap();
    assert_eq!(sequence(log, 3, 2).await, [997, 998]);
    assert_eq!(
        numbers(&log.append(vec![entry(1, "a")]).await.unwrap()),
        [(1, false)],
        "kept, however long ago"
    );
    // As soon as all keep the same, it is the oldest.
    log.append((3..=9).map(|guest| entry(guest, "c")).collect()).await.unwrap();
    assert_eq!(sequence(log, 0, 99).await, [2, 3, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010]);
}

/// Guards against long messages, which a limit on their count alone lets grow the file without end.
async fn no_more_bytes_are_kept_than_allowed(log: &dyn Log) {
    let long = |guest, id: &str| Entry { body: message("x".repeat(100 - "Ann".len())), ..entry(guest, id) };
    log.append(vec![long(1, "a"), long(2, "a")]).await.unwrap();
    log.append((0..60).map(|id| long(9, &id.to_string())).collect()).await.unwrap();
    assert_eq!(sequence(log, 0, 99).await, [1, 2, 60, 61, 62]);
    log.append(vec![long(9, "again"), entry(1, "short")]).await.unwrap();
    assert_eq!(sequence(log, 0, 99).await, [1, 2, 61, 62, 63, 64]);
}

async fn what_is_too_old_is_not_kept(log: &dyn Log) {
    let at = |at, id| Entry { at, ..entry(1, id) };
    let now = log.identity().await.unwrap().clock;
    log.append(vec![at(now, "a"), at(now + 50, "b"), at(now + 90, "c")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 2, 3]);
    log.trim(now + 150).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 3]);
    log.trim(now + 5000).await.unwrap();
    assert_eq!(log.span().await.unwrap(), Span { first: 4, head: 3, whole_from: 4 });
    // The room's clock does not go back: what comes too late is too old at once.
    log.append(vec![at(now, "d")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [] as [u64; 0]);
}

async fn a_log_that_keeps_nothing_has_a_state(log: &dyn Log) {
    the_state_outlives_the_entries(log).await;
    who_follows_gets_what_is_new(log).await;
}

/// The numbers go on from where the log is.
async fn who_follows_gets_what_is_new(log: &dyn Log) {
    let head = log.span().await.unwrap().head;
    let mut follow = log.follow(head).await.unwrap();
    log.append(vec![entry(7, "a"), entry(7, "b")]).await.unwrap();
    assert_eq!(next(&mut follow, 2).await, [head + 1, head + 2]);
}

async fn a_log_that_keeps_nothing_still_counts_and_recognises(log: &dyn Log) {
    assert_eq!(
        numbers(&log.append(vec![entry(1, "a"), entry(1, "a")]).await.unwrap()),
        [(1, true), (1, false)]
    );
    assert_eq!(log.span().await.unwrap(), Span { first: 2, head: 1, whole_from: 2 });
    assert_eq!(sequence(log, 0, 9).await, [] as [u64; 0]);
    assert_eq!(
        numbers(&log.append(vec![entry(1, "a"), entry(1, "b")]).await.unwrap()),
        [(1, false), (2, true)]
    );
}

async fn texts_come_back_as_they_went_in(log: &dyn Log) {
    let text = "'; DROP TABLE messages; -- \u{0}\n\u{202e}👩🏽‍🚀".to_owned();
    let body = Body::Message { name: Name::parse("Ольга").unwrap(), text };
    let said = Entry { at: 7, body, ..entry((1 << 48) - 1, "x_-9") };
    let appended = log.append(vec![said.clone()]).await.unwrap();
    assert_eq!(appended, [Appended::New(1)]);
    assert_eq!(log.read(0, 1).await.unwrap(), [said.numbered(1)]);
}

/// What a newer program wrote is kept for it; each kind has its place in the one order.
async fn every_kind_is_kept(log: &dyn Log) {
    let bodies = [
        Body::Title { title: "Tee".into() },
        message("said"),
        Body::Unknown { kind: "pin".into(), data: vec![0, 255, 7] },
        Body::Unknown { kind: "empty".into(), data: Vec::new() },
    ];
    let entries: Vec<_> = (1..).zip(bodies).map(|(id, body)| Entry { body, ..entry(id, "a") }).collect();
    let appended = log.append(entries.clone()).await.unwrap();
    assert_eq!(numbers(&appended), [(1, true), (2, true), (3, true), (4, true)]);
    let expected: Vec<_> = entries.into_iter().zip(1..).map(|(entry, seq)| entry.numbered(seq)).collect();
    assert_eq!(log.read(0, 9).await.unwrap(), expected);
}

/// The next `count` entries.
async fn next(follow: &mut Follow, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        let batch = timeout(Duration::from_secs(60), follow.next()).await;
        seqs.extend(batch.expect("entries in time").expect("an open log").iter().map(|record| record.seq));
    }
    seqs
}

async fn who_follows_gets_everything_once_and_in_order(log: &dyn Log) {
    log.append(entries(1..=3)).await.unwrap();
    let mut all = log.follow(0).await.unwrap();
    let mut rest = log.follow(2).await.unwrap();
    let mut new = log.follow(3).await.unwrap();
    let appends = (0..10).map(|guest| log.append(vec![entry(guest + 2, "a"), entry(guest + 2, "b")]));
    let appended = futures_util::future::join_all(appends).await;
    // A duplicate is not told again.
    assert_eq!(numbers(&log.append(entries(1..=1)).await.unwrap()), [(1, false)]);
    let newest = appended.iter().flat_map(|batch| numbers(batch.as_ref().unwrap())).map(|one| one.0).max();
    let log_order = log.read(0, 99).await.unwrap();
    assert_eq!((log_order.len(), newest), (23, log_order.last().map(|record| record.seq)));
    let seqs: Vec<_> = log_order.iter().map(|record| record.seq).collect();
    assert_eq!(next(&mut all, 23).await, seqs);
    assert_eq!(next(&mut rest, 21).await, seqs[2..]);
    assert_eq!(next(&mut new, 20).await, seqs[3..]);
    drop(all);
    log.append(vec![entry(99, "a")]).await.unwrap();
    assert_eq!(next(&mut new, 1).await.len(), 1);
    assert!(new.next().now_or_never().is_none(), "nothing twice");
    log.close().await.unwrap();
    assert_eq!(timeout(Duration::from_secs(60), new.next()).await.unwrap(), None);
}

/// Guards against a follower that is told only of what is kept: an entry that goes at once was said all the same.
async fn who_follows_gets_what_is_not_kept(log: &dyn Log) {
    let mut follow = log.follow(0).await.unwrap();
    log.append(entries(1..=5)).await.unwrap();
    assert_eq!(next(&mut follow, 5).await, [1, 2, 3, 4, 5]);
}

async fn the_state_outlives_the_entries(log: &dyn Log) {
    let title = |id: &str, title: &str| Entry {
        author: GuestId::ROOM,
        body: Body::Title { title: title.into() },
        ..entry(1, id)
    };
    let state = async |initial| log.state(RoomState::new(initial)).await.unwrap().title;
    assert_eq!(state("tea").await, "tea");
    assert_eq!(state("another").await, "tea", "the first is the one that counts");
    log.append(vec![title("1", "cake"), title("2", "pie"), entry(1, "a")]).await.unwrap();
    assert_eq!(state("tea").await, "pie");
    assert_eq!(log.append(vec![title("1", "cake")]).await.unwrap()[0].seq(), 1, "a duplicate");
    log.append(entries(1..=20)).await.unwrap();
    log.trim(0).await.unwrap();
    assert!(sequence(log, 0, 99).await.iter().all(|seq| *seq > 2), "the entries are gone");
    assert_eq!(state("tea").await, "pie");
}

async fn the_identity_stays(log: &dyn Log) {
    let (one, other) = (log.identity().await.unwrap(), log.identity().await.unwrap());
    assert_eq!((&one.epochs, &one.secret), (&other.epochs, &other.secret));
    assert_ne!(*one.secret, [0; 32]);
}

async fn many_at_once_keep_their_order(log: &dyn Log) {
    let appends = (0..20).map(|guest| log.append((0..20).map(|id| entry(guest, &id.to_string())).collect()));
    let appended = futures_util::future::join_all(appends).await;
    let all: Vec<u64> =
        appended.iter().flat_map(|batch| numbers(batch.as_ref().unwrap())).map(|(seq, _)| seq).collect();
    assert_eq!(all, (1..=400).collect::<Vec<_>>());
    assert_eq!(sequence(log, 0, 1000).await, all);
}
