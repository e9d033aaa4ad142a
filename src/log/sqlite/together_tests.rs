//! Files that do not belong together: refused in words, and left as they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::error::SqliteOpenError;
use super::tests::{KEEP, file, open};
use super::together::write_ahead_log;
use super::{Retention, SqliteLog, Synchronous};
use crate::log::contract::{entry, sequence};
use crate::log::{Entry, Log};

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files(directory: &Path) -> Files {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Puts exactly these files into the directory.
fn put(directory: &Path, wanted: &Files) {
    for (path, _) in files(directory) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in wanted {
        fs::write(path, bytes).unwrap();
    }
}

fn entries(ids: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    ids.map(|id| entry(1, &id.to_string())).collect()
}

/// What a kill leaves after a restart and nine messages, which are in the write-ahead log alone; and what was there
/// when the room had been closed before, with five.
async fn killed(synchronous: Synchronous) -> (TempDir, PathBuf, Files, Files) {
    let (directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(entries(1..=5)).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    let closed = files(directory.path());
    let log = SqliteLog::open(&path, KEEP, synchronous).unwrap();
    log.append(entries(6..=9)).await.unwrap();
    let killed = files(directory.path());
    drop(log);
    put(directory.path(), &killed);
    assert!(killed[&write_ahead_log(&path)].len() > 4096);
    (directory, path, killed, closed)
}

/// Opens what is there and must not be opened.
fn refused(directory: &Path, path: &Path) -> SqliteOpenError {
    let before = files(directory);
    let refused = open(path, KEEP).unwrap_err();
    let after = files(directory);
    assert!(after.keys().eq(before.keys()), "{:?} became {:?}: {refused}", before.keys(), after.keys());
    assert!(after == before, "{refused}");
    refused
}

#[tokio::test]
async fn a_write_ahead_log_without_its_file_is_kept() {
    let (directory, path, killed, _) = killed(Synchronous::Full).await;
    fs::write(&path, "").unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::Orphaned { .. }));
    fs::remove_file(&path).unwrap();
    let said = refused(directory.path(), &path).to_string();
    assert!(said.contains("messages.sqlite-wal beside it has messages"), "{said}");
    // What the sentence says: with the write-ahead log moved away, too, the room is empty.
    fs::remove_file(write_ahead_log(&path)).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, [0; 0]);
    put(directory.path(), &killed);
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_file_that_was_replaced_beside_its_write_ahead_log_is_refused() {
    let (directory, path, killed, closed) = killed(Synchronous::Full).await;
    fs::write(&path, &closed[&path]).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::Replaced { .. }));
    // Another room's, an empty one, and a file of another program.
    let (_other, other) = file();
    drop(open(&other, KEEP).unwrap());
    fs::copy(&other, &path).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::Replaced { .. }));
    fs::remove_file(&other).unwrap();
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE recipes (title TEXT)").unwrap();
    fs::copy(&other, &path).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::Replaced { .. }));

    // What the sentence says: without the files beside it, it is opened as it is.
    put(directory.path(), &killed);
    fs::write(&path, &closed[&path]).unwrap();
    fs::remove_file(write_ahead_log(&path)).unwrap();
    fs::remove_file(path.with_extension("state")).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=5).collect::<Vec<_>>());
}

/// As a backup does that is put over a killed room and knows of no write-ahead log.
#[tokio::test]
async fn a_closed_log_has_no_write_ahead_log() {
    let (directory, path, _, closed) = killed(Synchronous::Full).await;
    for (path, bytes) in &closed {
        fs::write(path, bytes).unwrap();
    }
    let refusal = refused(directory.path(), &path);
    assert!(matches!(refusal, SqliteOpenError::ForeignChanges { .. }), "{refusal}");
    assert!(refusal.to_string().contains("onionroom restore"), "{refusal}");
    fs::remove_file(write_ahead_log(&path)).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=5).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_ahead_log_that_is_gone_or_garbled_is_missed() {
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        let (directory, path, killed, _) = killed(synchronous).await;
        let changes = write_ahead_log(&path);
        let whole = killed[&changes].clone();
        for garbled in [&[][..], &whole[..40], &whole[..whole.len() - 4000]] {
            fs::write(&changes, garbled).unwrap();
            let refusal = refused(directory.path(), &path);
            assert!(matches!(refusal, SqliteOpenError::SetBack { promised: 9, .. }), "{refusal}");
        }
        for at in [3, 20, 40, whole.len() - 100] {
            let mut garbled = whole.clone();
            garbled[at] ^= 0x10;
            fs::write(&changes, &garbled).unwrap();
            assert!(matches!(refused(directory.path(), &path), SqliteOpenError::SetBack { .. }), "{at}");
        }
        fs::remove_file(&changes).unwrap();
        assert!(matches!(refused(directory.path(), &path), SqliteOpenError::SetBack { found: 5, .. }));
        put(directory.path(), &killed);
        assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=9).collect::<Vec<_>>());
        // To remove the mark is to accept what is there.
        put(directory.path(), &killed);
        fs::remove_file(&changes).unwrap();
        fs::remove_file(path.with_extension("state")).unwrap();
        assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=5).collect::<Vec<_>>());
    }
}

/// Guards against deleting what was said since: without their keys these messages counted as trimmed.
#[tokio::test]
async fn older_keys_beside_a_newer_file_are_refused() {
    let (directory, path) = file();
    let keys = path.with_extension("keys");
    let log = open(&path, KEEP).unwrap();
    log.append(entries(1..=5)).await.unwrap();
    drop(log);
    let older = fs::read(&keys).unwrap();
    let log = open(&path, KEEP).unwrap();
    log.append(entries(6..=9)).await.unwrap();
    drop(log);
    let newer = fs::read(&keys).unwrap();
    fs::write(&keys, older).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::KeysOlder { .. }));
    fs::write(&keys, newer).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=9).collect::<Vec<_>>());
}

/// Guards against deleting every message and overwriting every key, because the one does not fit the other.
#[tokio::test]
async fn keys_of_another_log_are_refused() {
    let (directory, path, killed, closed) = killed(Synchronous::Full).await;
    let (_other, other) = file();
    let log = open(&other, KEEP).unwrap();
    log.append(entries(1..=3)).await.unwrap();
    log.close().await.unwrap();
    let name = |path: &Path, extension: &str| path.with_extension(extension);
    for files in [&killed, &closed] {
        put(directory.path(), files);
        fs::copy(name(&other, "keys"), name(&path, "keys")).unwrap();
        let refusal = refused(directory.path(), &path);
        assert!(matches!(refusal, SqliteOpenError::KeysForeign { .. }), "{refusal}");
        fs::remove_file(name(&path, "state")).unwrap();
        assert!(matches!(refused(directory.path(), &path), SqliteOpenError::KeysForeign { .. }));
    }
    // The other way round: another log's file alone.
    put(directory.path(), &closed);
    fs::copy(&other, &path).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::KeysForeign { .. }));
    put(directory.path(), &killed);
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, (1..=9).collect::<Vec<_>>());
}

/// As a copy that found the disk full leaves it. The room opened empty, and overwrote the keys of all messages.
#[tokio::test]
async fn a_file_that_was_emptied_is_refused() {
    let (directory, path, _, closed) = killed(Synchronous::Full).await;
    put(directory.path(), &closed);
    fs::write(&path, "").unwrap();
    let refusal = refused(directory.path(), &path);
    assert!(matches!(refusal, SqliteOpenError::Emptied { .. }), "{refusal}");
    fs::remove_file(path.with_extension("state")).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::Emptied { .. }));
    fs::remove_file(&path).unwrap();
    assert_eq!(sequence(&open(&path, KEEP).unwrap(), 0, 99).await, [0; 0]);
}

/// Guards against a file that was changed before it was refused, with a sentence that had SQL in it.
#[tokio::test]
async fn a_foreign_file_with_our_number_is_left_alone() {
    let (directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    let own = fs::read(&path).unwrap();
    for change in [
        "DROP TABLE messages; CREATE TABLE recipes (title TEXT)",
        "ALTER TABLE room RENAME COLUMN secret TO sauce",
        "CREATE TABLE more (x)",
        "CREATE VIEW soup AS SELECT 1",
        "CREATE TRIGGER soup AFTER INSERT ON messages BEGIN DELETE FROM room; END",
        "PRAGMA user_version = 1",
    ] {
        fs::write(&path, &own).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch(&format!("PRAGMA journal_mode = DELETE; {change}"))
            .unwrap();
        let refusal = refused(directory.path(), &path);
        assert!(matches!(refusal, SqliteOpenError::Foreign { .. }), "{change}: {refusal}");
    }
    fs::write(&path, &own).unwrap();
    Connection::open(&path).unwrap().execute_batch("UPDATE room SET secret = x'00'").unwrap();
    let refusal = refused(directory.path(), &path);
    assert!(matches!(refusal, SqliteOpenError::Damaged { .. }), "{refusal}");
    assert!(!refusal.to_string().contains("SELECT"), "{refusal}");
}

/// Found by tests/fuzz: SQLite corrects the number of pages in the head of the file when a transaction begins, and closing
/// wrote that into a file that was refused.
#[tokio::test]
async fn what_sqlite_corrects_is_not_written_to_a_refused_file() {
    let (directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(entries(1..=5)).await.unwrap();
    drop(log);
    let mut changed = fs::read(&path).unwrap();
    changed[28..32].fill(0);
    fs::write(&path, changed).unwrap();
    let keys = path.with_extension("keys");
    let whole = fs::read(&keys).unwrap();
    fs::write(&keys, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(refused(directory.path(), &path), SqliteOpenError::KeysDamaged { .. }));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named() {
    let (directory, path) = file();
    std::os::unix::fs::symlink(directory.path().join("nowhere"), &path).unwrap();
    let said = open(&path, KEEP).unwrap_err().to_string();
    assert!(said.contains("a link to a file that is not there"), "{said}");
    assert!(!directory.path().join("nowhere").exists());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let said = open(&path, KEEP).unwrap_err().to_string();
    assert!(said.contains("it is not a file"), "{said}");
    fs::remove_dir(&path).unwrap();
    // To open one of these would wait for ever.
    for name in ["messages.sqlite", "messages.keys", "messages.state"] {
        let pipe = directory.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let said = open(&path, KEEP).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains("it is not a file"), "{said}");
        fs::remove_file(pipe).unwrap();
    }
}

/// SQLite called it "disk I/O error", and a file beside it was refused only after others had been changed.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let (directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    for name in ["messages.sqlite", "messages.keys", "messages.state"] {
        let file = directory.path().join(name);
        fs::set_permissions(&file, PermissionsExt::from_mode(0o444)).unwrap();
        // The superuser can write to every file.
        if fs::OpenOptions::new().write(true).open(&file).is_err() {
            let said = refused(directory.path(), &path).to_string();
            assert!(said.contains(name) && said.contains("Permission denied"), "{said}");
        }
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    }
}

/// Found by tests/fuzz: it was noticed when the files had been changed already.
#[tokio::test]
async fn an_epoch_that_cannot_be_read_is_noticed_before_anything_is_changed() {
    let (directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    let damage = "UPDATE epochs SET name = CAST(x'ff' AS TEXT)";
    Connection::open(&path).unwrap().execute_batch(damage).unwrap();
    let refused = refused(directory.path(), &path);
    assert!(matches!(refused, SqliteOpenError::Damaged { .. }), "{refused}");
}

/// One row that cannot be read is missing for all, and no reason to refuse the others.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_passed_over() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append(entries(1..=7)).await.unwrap();
    drop(log);
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "UPDATE messages SET id = 'not an id!' WHERE seq = 2; UPDATE messages SET sealed = x'00' WHERE seq = 4;
             UPDATE messages SET kind = 'not a kind!' WHERE seq = 5;
             UPDATE messages SET kind = CAST(x'ff' AS TEXT) WHERE seq = 6;",
        )
        .unwrap();
    let log = open(&path, KEEP).unwrap();
    for _ in 0..2 {
        assert_eq!(sequence(&log, 0, 99).await, [1, 3, 7]);
    }
    assert_eq!(log.span().await.unwrap().whole_from, 7);
    log.append(entries(8..=8)).await.unwrap();
    log.trim(0).await.unwrap();
    assert_eq!(sequence(&log, 0, 99).await, [1, 3, 7, 8]);
}

/// Guards against a room that is closed with more in its file than it keeps.
#[tokio::test]
async fn closing_erases_what_is_no_longer_kept() {
    let (_directory, path) = file();
    let log = open(&path, Retention { messages: 5, bytes: 0, age: None }).unwrap();
    log.append(entries(1..=40)).await.unwrap();
    log.close().await.unwrap();
    let count: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 5);
}

/// As a Ctrl-C while a large log is checked.
#[test]
fn opening_can_be_called_off() {
    let (directory, path) = file();
    drop(open(&path, KEEP).unwrap());
    let before = files(directory.path());
    let opening = std::sync::Arc::new(super::Opening::default());
    opening.cancel();
    let refused = SqliteLog::open_watched(&path, KEEP, Synchronous::Full, &opening).unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Cancelled { .. }), "{refused}");
    assert_eq!(opening.step(), super::OpeningStep::Ended);
    assert!(files(directory.path()) == before);
}
