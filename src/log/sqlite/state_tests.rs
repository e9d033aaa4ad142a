//! The state of the room in its file: it lasts as its entries do, and its key is as safe.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::error::SqliteOpenError;
use super::tests::{KEEP, file, open};
use super::{Retention, SqliteLog};
use crate::log::contract::{entry, sequence};
use crate::log::{Entry, Log, RoomState};
use crate::protocol::{Body, GuestId};

const NOTHING: Retention = Retention { messages: 0, bytes: 0, age: None };

fn title(id: &str, title: &str) -> Entry {
    Entry { author: GuestId::ROOM, body: Body::Title { title: title.into() }, ..entry(1, id) }
}

async fn state(log: &SqliteLog) -> String {
    log.state(RoomState::new("none")).await.unwrap().title
}

/// A log of this retention, with a state and no messages.
async fn decided(path: &Path, retention: Retention) {
    let log = open(path, retention).unwrap();
    assert_eq!(log.state(RoomState::new("tea")).await.unwrap().title, "tea");
    log.append(vec![title("1", "cake")]).await.unwrap();
    log.close().await.unwrap();
}

#[tokio::test]
async fn it_is_there_after_each_start_also_where_nothing_is_kept() {
    for retention in [KEEP, NOTHING] {
        let (_directory, path) = file();
        decided(&path, retention).await;
        for _ in 0..2 {
            assert_eq!(state(&open(&path, retention).unwrap()).await, "cake");
        }
    }
}

/// As a kill leaves the files: with what was acknowledged.
#[tokio::test]
async fn it_is_that_after_the_newest_acknowledged_entry() {
    let (directory, path) = file();
    decided(&path, KEEP).await;
    let log = open(&path, KEEP).unwrap();
    for change in 0..20 {
        let newest = format!("title {change}");
        log.append(vec![entry(1, &newest.replace(' ', "-")), title(&format!("t{change}"), &newest)])
            .await
            .unwrap();
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(directory.path()).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
        }
        let log = open(&copy.path().join("messages.sqlite"), KEEP).unwrap();
        assert_eq!(state(&log).await, newest);
    }
}

/// Each change has a key of its own; those before it do not pile up.
#[tokio::test]
async fn the_keys_of_earlier_states_are_used_again() {
    let (_directory, path) = file();
    decided(&path, NOTHING).await;
    let log = open(&path, NOTHING).unwrap();
    let size = || fs::metadata(path.with_extension("keys")).unwrap().len();
    let before = size();
    for change in 0..1_100 {
        log.append(vec![title(&format!("t{change}"), &format!("{change}"))]).await.unwrap();
        if change % 100 == 0 {
            log.trim(0).await.unwrap();
        }
    }
    assert_eq!(size(), before);
    log.close().await.unwrap();
    assert_eq!(state(&open(&path, NOTHING).unwrap()).await, "1099");
}

/// Guards against a room that forgets what was decided because its keys are another's, or gone: it had no messages that
/// would have told.
#[tokio::test]
async fn without_its_keys_it_is_refused() {
    for retention in [KEEP, NOTHING] {
        let (_directory, path) = file();
        decided(&path, retention).await;
        let (_other, other) = file();
        decided(&other, retention).await;
        let keys = path.with_extension("keys");
        let own = fs::read(&keys).unwrap();
        fs::copy(other.with_extension("keys"), &keys).unwrap();
        assert!(matches!(open(&path, retention), Err(SqliteOpenError::KeysForeign { .. })));
        fs::remove_file(&keys).unwrap();
        assert!(matches!(open(&path, retention), Err(SqliteOpenError::KeysMissing { .. })));
        fs::write(&keys, own).unwrap();
        assert_eq!(state(&open(&path, retention).unwrap()).await, "cake");
    }
}

/// A file from a backup beside newer keys: the messages whose keys are there still are read.
#[tokio::test]
async fn a_state_whose_key_was_erased_begins_anew() {
    let (_directory, path) = file();
    decided(&path, KEEP).await;
    let log = open(&path, KEEP).unwrap();
    log.append(vec![entry(1, "a")]).await.unwrap();
    log.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    let log = open(&path, KEEP).unwrap();
    log.append(vec![title("2", "pie")]).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    fs::write(&path, before).unwrap();
    let log = open(&path, KEEP).unwrap();
    assert_eq!(state(&log).await, "none");
    assert_eq!(sequence(&log, 0, 9).await, [1, 2]);
}

/// Guards against a file of keys that grows by 256 GiB: the number of a slot that no key has was taken for one in use.
#[tokio::test]
async fn a_state_without_a_key_needs_none() {
    for retention in [KEEP, NOTHING] {
        for slot in [1_000_000, u32::MAX] {
            let (_directory, path) = file();
            decided(&path, retention).await;
            Connection::open(&path).unwrap().execute("UPDATE state SET slot = ?1", [slot]).unwrap();
            let size = || fs::metadata(path.with_extension("keys")).unwrap().len();
            let before = size();
            let log = open(&path, retention).unwrap();
            assert_eq!(state(&log).await, "none");
            assert!(size() <= 2 * before);
        }
    }
}

/// The places of the row in the file: of its lengths and numbers, and of some of what is sealed.
fn places(path: &Path) -> std::ops::Range<usize> {
    let sealed: Vec<u8> =
        Connection::open(path).unwrap().query_row("SELECT sealed FROM state", [], |row| row.get(0)).unwrap();
    let file = fs::read(path).unwrap();
    let begin = file.windows(sealed.len()).position(|bytes| bytes == sealed).unwrap();
    begin - 20..begin + 4
}

/// Whatever byte of it is changed: the room is refused with what is wrong, or its state begins anew; what was said is there.
#[tokio::test]
async fn a_damaged_state_is_refused_or_begins_anew() {
    let (directory, path) = file();
    decided(&path, KEEP).await;
    let files = ["messages.sqlite", "messages.keys", "messages.state"];
    let whole = files.map(|name| fs::read(directory.path().join(name)).unwrap());
    let mut begun_anew = 0;
    for place in places(&path) {
        for change in [1, 0x80] {
            for (name, content) in files.iter().zip(&whole) {
                fs::write(directory.path().join(name), content).unwrap();
            }
            let mut damaged = whole[0].clone();
            damaged[place] ^= change;
            fs::write(&path, damaged).unwrap();
            match open(&path, KEEP) {
                Ok(log) => {
                    let found = state(&log).await;
                    assert!(["cake", "none"].contains(&found.as_str()), "{place}: {found}");
                    begun_anew += usize::from(found == "none");
                    assert_eq!(sequence(&log, 0, 9).await, [1], "{place}");
                    log.append(vec![entry(1, "a"), title("2", "pie")]).await.unwrap();
                    drop(log);
                    assert_eq!(state(&open(&path, KEEP).unwrap()).await, "pie", "{place}");
                    let size = fs::metadata(path.with_extension("keys")).unwrap().len();
                    assert!(size <= 2 * whole[1].len() as u64, "{place}");
                }
                Err(SqliteOpenError::Damaged { .. } | SqliteOpenError::Foreign { .. }) => {}
                Err(other) => panic!("{place}: {other}"),
            }
        }
    }
    assert!(begun_anew >= 2 * 4, "{begun_anew}");
}
