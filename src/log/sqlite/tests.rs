//! The file across restarts, damage, other programs and migrations.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::error::SqliteOpenError;
use super::schema::{MIGRATIONS, migrate};
use super::{Retention, SqliteLog, Synchronous, store::Store};
use crate::log::contract::{entry, name, sequence, text};
use crate::log::{Appended, Entry, Log};
use crate::protocol::request::Cursor;
use crate::protocol::{Body, Name};

pub(super) const KEEP: Retention = Retention { messages: 10, bytes: 0, age: None };

pub(super) fn open(path: &Path, retention: Retention) -> Result<SqliteLog, SqliteOpenError> {
    SqliteLog::open(path, retention, Synchronous::Full)
}

pub(super) fn file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("messages.sqlite");
    (directory, path)
}

/// Whether a cursor of this epoch counts.
pub(super) async fn has_epoch(log: &SqliteLog, name: &str) -> bool {
    log.identity().await.unwrap().epochs.resume(&Cursor { after: 0, epoch: Some(name.into()) }).is_some()
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(vec![entry(1, "a"), entry(1, "b")]).await.unwrap();
    let before = log.identity().await.unwrap();
    drop(log);
    let log = open(&path, KEEP).unwrap();
    let after = log.identity().await.unwrap();
    assert_eq!(before.secret, after.secret);
    assert_ne!(before.epochs.present(), after.epochs.present());
    let cursor = |after| Cursor { after, epoch: Some(before.epochs.present().to_owned()) };
    assert_eq!([1, 2].map(|seq| after.epochs.resume(&cursor(seq))), [Some(1), Some(2)], "a cursor goes on");
    assert!(after.clock >= before.clock);
    assert_eq!(sequence(&log, 0, 9).await, [1, 2]);
    log.append(vec![entry(1, "b"), entry(1, "c")]).await.unwrap();
    assert_eq!(sequence(&log, 0, 9).await, [1, 2, 3]);
}

/// A file of an earlier version has names that a guest could not take now; what was said under them stays readable.
#[tokio::test]
async fn names_that_earlier_versions_allowed_are_read_back() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    let names = ["Alice\u{1d159}", "ᴀlice", "Ann Ольга", "admin", "★"];
    for (number, name) in names.iter().enumerate() {
        assert!(Name::parse(name).is_err());
        let name = Name::from_stored((*name).to_owned()).unwrap();
        let body = Body::Message { name, text: "text".into() };
        log.append(vec![Entry { body, ..entry(1, &number.to_string()) }]).await.unwrap();
    }
    drop(log);
    let read = open(&path, KEEP).unwrap().read(0, 9).await.unwrap();
    assert_eq!(read.iter().map(name).collect::<Vec<_>>(), names);
}

/// Guards against taking such a file for damaged: of a room that is killed before its first checkpoint everything is in
/// the write-ahead log, and the file has a first page without tables and without their encoding.
#[tokio::test]
async fn a_room_that_was_killed_before_its_first_checkpoint_opens_again() {
    for messages in [0, 5] {
        let (old, path) = file();
        let mut connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        migrate(&mut connection, &path, &MIGRATIONS[..1]).unwrap();
        connection.execute("INSERT INTO room VALUES ('epoch', zeroblob(32), 0, ?1)", [messages]).unwrap();
        for seq in 1..=messages {
            let row = (seq, 5, 1, "Ann", seq.to_string(), "said before");
            connection.execute("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row).unwrap();
        }
        let (killed, path) = file();
        for name in ["messages.sqlite", "messages.sqlite-wal"] {
            fs::copy(old.path().join(name), killed.path().join(name)).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap()[56..60], [0; 4], "no encoding yet");
        for _ in 0..2 {
            let log = open(&path, KEEP).unwrap();
            assert!(has_epoch(&log, "epoch").await);
            assert_eq!(log.read(0, 9).await.unwrap().len(), messages as usize);
            log.close().await.unwrap();
        }
        drop(connection);
    }
}

#[tokio::test]
async fn what_is_trimmed_after_a_restart_is_still_recognised() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(vec![entry(1, "before")]).await.unwrap();
    drop(log);
    let log = open(&path, Retention { messages: 0, bytes: 0, age: None }).unwrap();
    assert_eq!(sequence(&log, 0, 9).await, [] as [u64; 0]);
    assert_eq!(log.append(vec![entry(1, "before")]).await.unwrap(), [Appended::Duplicate(1)]);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    assert!(matches!(open(&path, KEEP), Err(SqliteOpenError::InUse { .. })));
    drop(log);
    open(&path, KEEP).unwrap();
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let (_directory, path) = file();
    fs::write(&path, "Dear diary, this is not a database at all. ".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path, KEEP), Err(SqliteOpenError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();

    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (title TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path, KEEP), Err(SqliteOpenError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();

    // Found by tests/fuzz: with this program's number and no version it was changed before it was refused.
    drop(open(&path, KEEP).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 0").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path, KEEP), Err(SqliteOpenError::Foreign { .. })));
    assert!(fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let (_directory, path) = file();
    let log = open(&path, Retention { messages: 1000, bytes: 0, age: None }).unwrap();
    log.append((0..500).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    drop(log);
    let mut damaged = fs::read(&path).unwrap();
    damaged[4096 + 8..3 * 4096].fill(0xa5);
    fs::write(&path, &damaged).unwrap();
    let refused = open(&path, KEEP).unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Damaged { .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), damaged);
}

/// Found by tests/fuzz: closing the refused file made a checkpoint, which filled it up to whole pages.
#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_and_left_alone() {
    let (directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    let whole = fs::read(&path).unwrap();
    for length in [41, 99, 100, 4096, 8192] {
        fs::write(&path, &whole[..length]).unwrap();
        let refused = open(&path, KEEP).unwrap_err();
        assert!(matches!(refused, SqliteOpenError::Damaged { .. }), "{length}: {refused}");
        assert!(fs::read(&path).unwrap() == whole[..length], "{length}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "the file, its keys and its mark");
    }
}

#[test]
fn a_newer_file_is_refused() {
    let (_directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(open(&path, KEEP), Err(SqliteOpenError::Newer { found: 99, .. })));
}

#[test]
fn an_unusable_place_is_named() {
    let (directory, _) = file();
    let refused = open(&directory.path().join("nowhere/messages.sqlite"), KEEP).unwrap_err();
    assert!(
        matches!(&refused, SqliteOpenError::Unusable { .. }) && refused.to_string().contains("nowhere"),
        "{refused}"
    );
    assert!(open(directory.path(), KEEP).is_err(), "a directory is no file");
}

#[test]
fn a_schema_moves_forward_with_what_is_in_it() {
    let (_directory, path) = file();
    let mut connection = Connection::open(&path).unwrap();
    let later =
        [MIGRATIONS[0], "ALTER TABLE messages ADD COLUMN colour TEXT", "CREATE INDEX later ON messages (at)"];
    migrate(&mut connection, &path, &later[..1]).unwrap();
    connection.execute("INSERT INTO messages VALUES (1, 0, 1, 'Ann', 'a', 'kept')", []).unwrap();
    migrate(&mut connection, &path, &later).unwrap();
    migrate(&mut connection, &path, &later).unwrap();
    let row: (String, Option<String>, i64) = connection
        .query_row(
            "SELECT text, colour, (SELECT user_version FROM pragma_user_version) FROM messages",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(row, ("kept".to_owned(), None, 3));
}

#[test]
fn a_migration_that_fails_leaves_the_version_before() {
    let (_directory, path) = file();
    let mut connection = Connection::open(&path).unwrap();
    let broken = [MIGRATIONS[0], "CREATE TABLE half (x); CREATE TABLE nonsense ("];
    assert!(migrate(&mut connection, &path, &broken).is_err());
    let state: (i64, i64) = connection
        .query_row(
            "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema WHERE name = 'half')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(state, (1, 0));
}

#[test]
fn a_full_disk_refuses_messages_and_loses_none() {
    let (_directory, path) = file();
    let mut store = Store::open(
        &path,
        Retention { messages: 10_000, bytes: 0, age: None },
        Synchronous::Full,
        &Arc::default(),
    )
    .unwrap();
    store.append(vec![entry(1, "before")]).unwrap();
    // SQLite's own limit gives the same error as a disk without space.
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    let many = || (0..1000).map(|id| entry(1, &id.to_string())).collect();
    let refused = store.append(many()).unwrap_err();
    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    assert_eq!(store.view().span().head, 1);
    store.connection().query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
    store.append(many()).unwrap();
    assert_eq!(store.view().span().head, 1001);
    assert_eq!(text(&store.read(0, 1).unwrap()[0]), "text of before");
}
