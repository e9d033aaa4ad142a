//! Copies of a log that is in use, opened as a room opens its own.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::tests::{file, has_epoch, open};
use super::{Retention, SqliteLog, announced_length};
use crate::log::contract::{entry, sequence};
use crate::log::{Appended, Entry, Log, RoomState};
use crate::protocol::{Body, GuestId};

const ALL: Retention = Retention { messages: usize::MAX, bytes: 0, age: None };

fn title(id: &str, title: &str) -> Entry {
    Entry { author: GuestId::ROOM, body: Body::Title { title: title.into() }, ..entry(1, id) }
}

/// Copies the log into this directory; `between` is done between the rows and the keys.
fn copy(log: &SqliteLog, to: &Path, between: impl FnOnce()) {
    let copy = log.copy(&to.join("messages.sqlite"), &mut |_, _| ControlFlow::Continue(())).unwrap();
    between();
    let (announced, mut keys) = (copy.keys_bytes(), Vec::new());
    let mark = copy.finish(&mut keys).unwrap();
    assert_eq!(keys.len() as u64, announced);
    assert_eq!(announced_length(keys.first_chunk().unwrap()), Some(announced));
    let rows = fs::read(to.join("messages.sqlite")).unwrap();
    assert_eq!(announced_length(rows.first_chunk().unwrap()), Some(rows.len() as u64));
    fs::write(to.join("messages.keys"), keys).unwrap();
    fs::write(to.join("messages.state"), mark).unwrap();
    assert_eq!(fs::read_dir(to).unwrap().count(), 3, "nothing of the rows is left beside them");
}

async fn append(log: &SqliteLog, ids: std::ops::Range<u64>) {
    let entries = ids.map(|id| entry(1, &id.to_string())).collect();
    log.append(entries).await.unwrap();
}

/// Guests write while it is copied, again and again: what was acknowledged before is there, once, and without a gap.
#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_before_is_there_once_however_much_is_written_meanwhile() {
    let (_directory, path) = file();
    let log = Arc::new(open(&path, ALL).unwrap());
    append(&log, 0..2000).await;
    log.state(RoomState::new("tea")).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|writer: u64| {
            let (log, done) = (Arc::clone(&log), Arc::clone(&done));
            tokio::spawn(async move {
                for round in 0..300 {
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                    let first = (writer + 1) * 1_000_000 + round * 5;
                    append(&log, first..first + 5).await;
                    if round % 7 == 0 {
                        let changed = format!("{writer}-{round}");
                        log.append(vec![title(&changed, &changed)]).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let before = log.span().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (Arc::clone(&log), directory.path().to_owned());
        tokio::task::spawn_blocking(move || copy(&from, &to, || ())).await.unwrap();
        let copied = open(&directory.path().join("messages.sqlite"), ALL).unwrap();
        let span = copied.span().await.unwrap();
        assert!(span.head >= before.head, "{span:?} {before:?}");
        let numbers = sequence(&copied, 0, usize::MAX).await;
        assert_eq!(numbers, (1..=span.head).collect::<Vec<_>>());
        let records = copied.read(0, usize::MAX).await.unwrap();
        let ids: HashSet<_> = records.iter().map(|record| (record.author, record.id.clone())).collect();
        assert_eq!(ids.len(), records.len());
        // The state is that after the newest entry.
        let newest = records.iter().rev().find_map(|record| match &record.body {
            Body::Title { title } => Some(title.clone()),
            _ => None,
        });
        let state = copied.state(RoomState::new("none")).await.unwrap();
        assert_eq!(Some(state.title), newest.or_else(|| Some("tea".into())));
        // It goes on as the same room: a message that is sent again is a duplicate.
        assert_eq!(copied.append(vec![entry(1, "7")]).await.unwrap(), [Appended::Duplicate(8)]);
        let (one, other) = (log.identity().await.unwrap(), copied.identity().await.unwrap());
        assert_eq!(one.secret, other.secret);
        assert!(has_epoch(&copied, one.epochs.present()).await);
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

/// A flood pushes messages out all the time: what is in the copy can be read, and nothing of what is trimmed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_trimmed_meanwhile_is_not_in_it() {
    let (_directory, path) = file();
    let keep = Retention { messages: 1500, bytes: 0, age: None };
    let log = Arc::new(open(&path, keep).unwrap());
    append(&log, 0..1500).await;
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (log, done) = (Arc::clone(&log), Arc::clone(&done));
        tokio::spawn(async move {
            for round in 100..500 {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                append(&log, round * 50..(round + 1) * 50).await;
            }
        })
    };
    for _ in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (Arc::clone(&log), directory.path().to_owned());
        tokio::task::spawn_blocking(move || copy(&from, &to, || ())).await.unwrap();
        let copied = open(&directory.path().join("messages.sqlite"), ALL).unwrap();
        let span = copied.span().await.unwrap();
        let numbers = sequence(&copied, 0, usize::MAX).await;
        assert!(numbers.is_sorted());
        // Of those that are trimmed while the keys are read, some may be there.
        let kept = (log.span().await.unwrap().head + 1).saturating_sub(1500).max(span.first);
        let kept: Vec<_> = (kept..=span.head).collect();
        assert!(numbers.ends_with(&kept), "{} of {} to {:?}", numbers.len(), kept.len(), kept.last());
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

/// The rows are copied first. What is erased before the keys are read can be read by nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_before_the_keys_are_read_is_not_in_it() {
    let (_directory, path) = file();
    let log = open(&path, Retention { messages: 10, bytes: 0, age: None }).unwrap();
    append(&log, 0..10).await;
    let directory = tempfile::tempdir().unwrap();
    copy(&log, directory.path(), || {
        thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    append(&log, 10..14).await;
                    log.trim(1).await.unwrap();
                    // Their slots are used again, by messages that are not in the copy.
                    append(&log, 14..16).await;
                });
            });
        });
    });
    let copied = open(&directory.path().join("messages.sqlite"), ALL).unwrap();
    let numbers = sequence(&copied, 0, usize::MAX).await;
    assert_eq!(numbers, (7..=10).collect::<Vec<_>>());
    assert_eq!(copied.span().await.unwrap().head, 10);
}

/// Neither can the rows be read without the keys, nor has the copy a key that reads what is said after it.
#[tokio::test(flavor = "multi_thread")]
async fn it_has_the_keys_of_its_own_messages_and_no_others() {
    let (_directory, path) = file();
    let log = open(&path, ALL).unwrap();
    log.append(vec![entry(1, "to-be-read-by-nothing")]).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    copy(&log, directory.path(), || ());
    let rows = fs::read(directory.path().join("messages.sqlite")).unwrap();
    assert!(!rows.windows(8).any(|bytes| bytes == b"text of "));
    let slots = |path: &Path| -> BTreeSet<Vec<u8>> {
        fs::read(path).unwrap()[64..].chunks(64).map(<[u8]>::to_vec).collect()
    };
    let (ours, copied) =
        (slots(&path.with_extension("keys")), slots(&directory.path().join("messages.keys")));
    assert_eq!(ours.intersection(&copied).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_messages_is_copied() {
    let (_directory, path) = file();
    let log = open(&path, Retention { messages: 0, bytes: 0, age: None }).unwrap();
    log.state(RoomState::new("tea")).await.unwrap();
    append(&log, 0..3).await;
    let directory = tempfile::tempdir().unwrap();
    copy(&log, directory.path(), || ());
    let copied = open(&directory.path().join("messages.sqlite"), ALL).unwrap();
    assert_eq!(copied.state(RoomState::new("none")).await.unwrap().title, "tea");
    assert_eq!((copied.span().await.unwrap().head, sequence(&copied, 0, 9).await), (3, vec![]));
}
