//! What is on the disk: nothing readable, of trimmed messages no key, after a kill neither, and no more than is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use super::error::SqliteOpenError;
use super::fault::LOOK;
use super::schema::{MIGRATIONS, migrate};
use super::store::Store;
use super::tests::{KEEP, file, has_epoch, open};
use super::{Retention, Synchronous};
use crate::log::contract::{entry, message, name, sequence, text};
use crate::log::{Entry, Log};
use crate::protocol::{Body, Name};

pub(super) fn keep(messages: usize) -> Retention {
    Retention { messages, bytes: 0, age: None }
}

/// Everything that is on the disk.
pub(super) fn bytes(directory: &Path) -> Vec<u8> {
    fs::read_dir(directory).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

pub(super) fn contains(bytes: &[u8], what: impl AsRef<[u8]>) -> bool {
    let what = what.as_ref();
    bytes.windows(what.len()).any(|window| window == what)
}

/// The files, by name.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// The directory as a kill would leave it now.
pub(super) fn killed(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (path, bytes) in files(directory) {
        fs::write(copy.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    copy
}

/// The key of each message that has a row, by sequence number: read from the files alone.
pub(super) fn keys(directory: &Path) -> BTreeMap<u64, Vec<u8>> {
    let copy = killed(directory);
    let keys = fs::read(copy.path().join("messages.keys")).unwrap();
    let connection = Connection::open(copy.path().join("messages.sqlite")).unwrap();
    let mut statement = connection.prepare("SELECT seq, slot FROM messages").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))).unwrap();
    rows.map(|row| {
        let (seq, slot) = row.unwrap();
        let begin = 64 * (slot as usize + 1) + 8;
        (seq as u64, keys[begin..begin + 32].to_vec())
    })
    .collect()
}

#[tokio::test]
async fn nothing_that_is_said_is_readable_in_the_files() {
    let (directory, path) = file();
    let log = open(&path, keep(1)).unwrap();
    let name = Name::parse("Rumpelstiltskin").unwrap();
    let said = Entry { body: Body::Message { name, text: "text of first".into() }, ..entry(1, "first") };
    log.append(vec![said, entry(1, "second")]).await.unwrap();
    let readable = |directory: &Path| {
        let bytes = bytes(directory);
        ["text of first", "text of second", "Rumpelstiltskin"].into_iter().any(|text| contains(&bytes, text))
    };
    assert!(!readable(directory.path()), "not even while it is kept");
    drop(log);
    assert!(!readable(directory.path()));
    let log = open(&path, keep(1)).unwrap();
    assert_eq!(text(&log.read(0, 9).await.unwrap()[0]), "text of second");
}

#[tokio::test]
async fn the_key_of_a_trimmed_message_is_in_no_file() {
    let (directory, path) = file();
    let log = open(&path, keep(3)).unwrap();
    log.append((1..=40).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let before = keys(directory.path());
    assert_eq!(before.len(), 40);
    log.trim(0).await.unwrap();
    let now = bytes(directory.path());
    let readable: Vec<u64> =
        before.iter().filter(|(_, key)| contains(&now, key)).map(|(seq, _)| *seq).collect();
    assert_eq!(readable, [38, 39, 40]);
    drop(log);
    // A room that is opened with a smaller retention forgets the rest at once.
    let _log = open(&path, keep(0)).unwrap();
    let now = bytes(directory.path());
    assert!(before.values().all(|key| !contains(&now, key)));
}

/// A kill between any two steps: what was kept before and after is kept, and nothing else has a key after the next start.
#[test]
fn a_kill_loses_no_kept_message_and_leaves_no_key_of_another() {
    let (directory, path) = file();
    let mut store = Store::open(&path, keep(12), Synchronous::Normal, &Arc::default()).unwrap();
    let looks: Rc<RefCell<Vec<(&'static str, TempDir)>>> = Rc::default();
    let (seen, place) = (Rc::clone(&looks), directory.path().to_owned());
    LOOK.set(Some(Box::new(move |step| seen.borrow_mut().push((step, killed(&place))))));

    let mut every_key: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut steps = Vec::new();
    for round in 0..8 {
        // Others say one thing each, one says much.
        let mut said: Vec<Entry> = (0..7).map(|id| entry(9, &format!("{round}-{id}"))).collect();
        said.push(entry(round + 1, "once"));
        let before = store.read(0, 99).unwrap();
        store.append(said).unwrap();
        every_key.extend(keys(directory.path()));
        store.trim(0).unwrap();
        let after = store.read(0, 99).unwrap();
        for (step, copy) in looks.take() {
            let look = LOOK.take();
            let mut store = Store::open(
                &copy.path().join("messages.sqlite"),
                keep(12),
                Synchronous::Normal,
                &Arc::default(),
            )
            .unwrap();
            let kept = store.read(0, 99).unwrap();
            for message in before.iter().filter(|message| after.contains(message)) {
                assert!(kept.contains(message), "{} is lost after: {step}", message.seq);
            }
            let (count, files) = (kept.len(), bytes(copy.path()));
            assert!(count <= 12, "{count}");
            for (seq, key) in &every_key {
                let kept = kept.iter().any(|message| message.seq == *seq);
                assert_eq!(contains(&files, key), kept, "the key of {seq} after: {step}");
            }
            drop(store);
            LOOK.set(look);
            steps.push(step);
        }
    }
    LOOK.set(None);
    for step in ["appended", "rows deleted", "keys erased"] {
        assert!(steps.contains(&step), "{steps:?}");
    }
}

/// What a failed append encrypted may be in the write-ahead log: its keys are not used again.
#[test]
fn a_key_encrypts_no_second_message_after_a_failure() {
    let (directory, path) = file();
    let mut store = Store::open(&path, keep(1000), Synchronous::Normal, &Arc::default()).unwrap();
    let unused = fs::read(directory.path().join("messages.keys")).unwrap();
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    store.append((0..400).map(|id| entry(1, &id.to_string())).collect()).unwrap_err();
    store.connection().query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
    store.trim(0).unwrap();
    store.append(vec![entry(1, "a")]).unwrap();
    let first = &keys(directory.path())[&1];
    assert!(!contains(&unused, first), "it is a fresh one");
}

/// A file as the version before encryption wrote it, killed while a part of it was in the write-ahead log only.
#[tokio::test]
async fn an_older_file_is_encrypted_and_its_plaintext_gone() {
    let (old, path) = file();
    let mut connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    migrate(&mut connection, &path, &MIGRATIONS[..1]).unwrap();
    connection.execute("INSERT INTO room VALUES ('epoch', zeroblob(32), 0, 50)", []).unwrap();
    for seq in 1..=50 {
        let text = format!("plain {seq} ").repeat(1 + 500 * usize::from(seq % 7 == 0));
        let row = (seq, 5, 1 + seq % 2, "Rumpelstiltskin", seq.to_string(), text);
        connection.execute("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row).unwrap();
        if seq == 30 {
            connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        }
    }
    connection.execute("DELETE FROM messages WHERE seq = 3", []).unwrap();
    let directory = killed(old.path());
    assert!(
        contains(&bytes(directory.path()), "plain 3 ") && contains(&bytes(directory.path()), "plain 49 ")
    );
    let mut old_log = fs::File::open(directory.path().join("messages.sqlite-wal")).unwrap();

    let log = open(&directory.path().join("messages.sqlite"), keep(40)).unwrap();
    let messages = log.read(0, 99).await.unwrap();
    assert_eq!(messages.len(), 40);
    assert!(messages.iter().all(|message| text(message).starts_with(&format!("plain {} ", message.seq))));
    assert_eq!(name(&messages[0]), "Rumpelstiltskin");
    assert!(has_epoch(&log, "epoch").await);
    let mut now = bytes(directory.path());
    old_log.rewind().unwrap();
    old_log.read_to_end(&mut now).unwrap();
    assert!(!contains(&now, "plain ") && !contains(&now, "Rumpelstiltskin"), "the removed file, too");
    drop(log);
    let log = open(&directory.path().join("messages.sqlite"), keep(40)).unwrap();
    assert_eq!(log.read(0, 99).await.unwrap(), messages);
}

/// As a kill leaves it between the schema's migrations and the encryption of what is in the file.
#[tokio::test]
async fn an_older_file_is_read_also_when_its_migration_was_interrupted() {
    for done in 1..=MIGRATIONS.len() {
        let (_directory, path) = file();
        let mut connection = Connection::open(&path).unwrap();
        migrate(&mut connection, &path, &MIGRATIONS[..1]).unwrap();
        connection.execute("INSERT INTO room VALUES ('epoch', zeroblob(32), 0, 3)", []).unwrap();
        for seq in 1..=3 {
            let row = (seq, 5, 1, "Ann", seq.to_string(), "plain");
            connection.execute("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row).unwrap();
        }
        migrate(&mut connection, &path, &MIGRATIONS[..done]).unwrap();
        drop(connection);
        let log = open(&path, keep(2)).unwrap();
        assert_eq!(sequence(&log, 0, 9).await, [2, 3], "after {done} migrations");
    }
}

#[tokio::test]
async fn missing_or_damaged_keys_are_refused_and_all_left_alone() {
    let (directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(vec![entry(1, "a")]).await.unwrap();
    drop(log);
    let keys_path = directory.path().join("messages.keys");
    let whole = fs::read(&keys_path).unwrap();
    let refused = || {
        let before = files(directory.path());
        let refused = open(&path, KEEP).unwrap_err();
        assert!(files(directory.path()) == before, "{refused}");
        assert!(refused.to_string().contains("messages.keys"), "{refused}");
        refused
    };
    fs::remove_file(&keys_path).unwrap();
    assert!(matches!(refused(), SqliteOpenError::KeysMissing { .. }));
    let mut changed = whole.clone();
    changed[64 + 20] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &changed, b"Dear diary"] {
        fs::write(&keys_path, damaged).unwrap();
        assert!(matches!(refused(), SqliteOpenError::KeysDamaged { .. }));
    }
    fs::write(&keys_path, &whole).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 9).await, [1]);
}

/// Yesterday's messages.sqlite beside today's keys: what was trimmed since is gone, and the rest is there.
#[tokio::test]
async fn an_older_copy_without_its_keys_is_read_as_far_as_there_are_keys() {
    let (directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append((1..=10).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    drop(log);
    let yesterday = fs::read(&path).unwrap();
    let log = open(&path, KEEP).unwrap();
    log.append((11..=16).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    drop(log);
    fs::write(&path, yesterday).unwrap();
    let log = open(&path, KEEP).unwrap();
    assert_eq!(sequence(&log, 0, 99).await, [7, 8, 9, 10]);
    assert_eq!(text(&log.read(6, 1).await.unwrap()[0]), "text of 7");
    log.append(vec![entry(1, "later")]).await.unwrap();
    drop(log);
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, [7, 8, 9, 10, 11]);
    drop(directory);
}

/// Guards against a file that grows for as long as a flood lasts, and then stays as large.
#[tokio::test]
async fn a_flood_does_not_grow_the_files_and_they_shrink_again() {
    let (directory, path) = file();
    let size = || files(directory.path()).values().map(Vec::len).sum::<usize>();
    let retention = Retention { messages: 100_000, bytes: 400_000, age: None };
    let log = super::SqliteLog::open(&path, retention, Synchronous::Normal).unwrap();
    let mut most = 0;
    for batch in 0..40 {
        let long =
            |id: u64| Entry { body: message("x".repeat(8000)), ..entry(id % 3, &format!("{batch}-{id}")) };
        log.append((0..100).map(long).collect()).await.unwrap();
        most = most.max(size());
    }
    // Said are 32 MB, of which 0.4 MB are kept; a backlog has at most 1,024 messages and a batch, and the file a quarter
    // of that as reserve. The write-ahead log has 4 MB at most, and a batch and a slice of what is erased.
    assert!(most < 20_000_000, "{most}");
    log.close().await.unwrap();
    drop(log);
    // Closing takes a bounded time; what it left to erase, the next start erases.
    drop(open(&path, retention).unwrap());
    assert!(size() < 2_500_000, "{}", size());
    let _log = open(&path, keep(1)).unwrap();
    assert!(size() < 1_500_000, "{}", size());
}
