//! Backups there and back, and everything that can be wrong with one.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use age::secrecy::SecretString;
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;
use crate::log::{Entry, Log, Retention};
use crate::protocol::{Body, GuestId, MessageId, Name};
use crate::server::archive::{Archive, Progress, Step};
use crate::server::restore::{RestoreError, Restored, restore_archive};

/// What is no backup.
mod foreign;
/// Of several rooms.
mod rooms;

const ALL: Retention = Retention { messages: usize::MAX, bytes: 0, age: None };
const WORDS: &str = "five words taken at random";

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).unwrap()
}

fn key(number: u8) -> IdentityKey {
    use sha2::{Digest, Sha512};

    let mut bytes: [u8; 64] = Sha512::digest([number; 32]).into();
    bytes[0] &= 248;
    bytes[31] = (bytes[31] & 63) | 64;
    IdentityKey::from_expanded(&bytes).unwrap()
}

/// A closed room with so many messages and this key, in the directory `room`.
async fn room(messages: u64, number: u8) -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().canonicalize().unwrap().join("room");
    let directory = DataDirectory::open(&data).unwrap();
    let log = SqliteLog::open(&data.join(LOG_FILE), ALL, Synchronous::Normal).unwrap();
    let entry = |id: u64| Entry {
        at: 0,
        author: GuestId(u64::from(number)),
        id: MessageId::parse(&id.to_string()).unwrap(),
        body: Body::Message { name: Name::parse("Ann").unwrap(), text: format!("text of {id}") },
    };
    let entries = (0..messages).map(entry).collect();
    log.append(entries).await.unwrap();
    log.close().await.unwrap();
    key(number).write(&data).unwrap();
    fs::create_dir_all(data.join("tor/state/hss/room")).unwrap();
    fs::create_dir_all(data.join("tor/state/state")).unwrap();
    fs::write(data.join("tor/state/hss/room/ipts.json"), "{}").unwrap();
    fs::write(data.join("tor/state/state/guards.json"), format!("guards {number}")).unwrap();
    fs::write(data.join("tor/state/state/state.lock"), "").unwrap();
    drop(directory);
    (outer, data)
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.history.messages = 1_000_000;
    settings
}

fn back_up(data: &Path, to: &Path) -> Result<BackedUp, BackupError> {
    backup_closed(&settings(), data, to, || Ok(passphrase(WORDS)), &mut |_| ())
}

fn put_back(data: &Path, from: &Path, words: &str) -> Result<Restored, RestoreError> {
    restore_archive(data, Archive::open(from)?, || Ok(passphrase(words)), &mut |_| ())
}

/// A room that is private stays so: without the directory of its invitations it would open to all.
#[tokio::test]
async fn invitations_come_back_where_there_are_none() {
    let (outer, data) = room(2, 1).await;
    fs::create_dir(data.join("invited")).unwrap();
    fs::write(data.join("invited/lock"), "").unwrap();
    fs::write(data.join("invited/alice.auth"), "alice's key").unwrap();
    let file = outer.path().join("backup");
    back_up(&data, &file).unwrap();
    let (_other, fresh) = room(1, 2).await;
    put_back(&fresh, &file, WORDS).unwrap();
    assert_eq!(fs::read_to_string(fresh.join("invited/alice.auth")).unwrap(), "alice's key");
    // Who was removed since does not come back.
    fs::remove_file(fresh.join("invited/alice.auth")).unwrap();
    put_back(&fresh, &file, WORDS).unwrap();
    assert!(fresh.join("invited/lock").exists() && !fresh.join("invited/alice.auth").exists());
}

async fn kept(data: &Path) -> Vec<u64> {
    let log = SqliteLog::open(&data.join(LOG_FILE), ALL, Synchronous::Normal).unwrap();
    log.read(0, usize::MAX).await.unwrap().into_iter().map(|record| record.seq).collect()
}

/// Every file below, with what is in it.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(contents(&entry)),
            false => drop(found.insert(entry.clone(), fs::read(&entry).unwrap())),
        }
    }
    found
}

/// Refused, and nothing was changed or left.
fn refused(data: &Path, from: &Path, words: &str, what: &str) {
    let before = contents(data);
    let said = put_back(data, from, words).unwrap_err().to_string();
    assert!(said.contains(what), "{what}: {said}");
    assert!(said.contains(from.to_str().unwrap()), "{said}");
    let left: Vec<_> = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "restoring" || name == "exchanging"), "{left:?}");
    assert!(contents(data) == before, "{what}");
}

#[tokio::test]
async fn a_room_moves_to_another_machine() {
    let (outer, data) = room(700, 1).await;
    let file = outer.path().join("backup");
    let done = back_up(&data, &file).unwrap();
    let size = fs::metadata(&file).unwrap();
    assert_eq!((done.messages, done.address, done.bytes), (true, Some(key(1).address()), size.len()));
    assert_eq!(size.permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!data.join(BACKING_UP).exists());
    assert_eq!(kept(&data).await, (1..=700).collect::<Vec<_>>(), "the room is as it was");

    let (_other, new) = room(3, 2).await;
    let restored = put_back(&new, &file, WORDS).unwrap();
    assert!(restored.messages && restored.address);
    assert_eq!(kept(&new).await, (1..=700).collect::<Vec<_>>());
    assert_eq!(IdentityKey::read(&new).unwrap().unwrap().address(), key(1).address());
    assert_eq!(fs::read_to_string(new.join("tor/state/state/guards.json")).unwrap(), "guards 1");
    assert!(!new.join("tor/state/hss").exists() && !new.join("tor/state/state/state.lock").exists());
    for file in contents(&new)
        .into_keys()
        .filter(|file| !file.ends_with("lock") && !file.starts_with(new.join("replaced")))
    {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }
    // What was there is kept, and can be put back.
    let replaced = restored.replaced.unwrap();
    crate::server::restore::restore(&new, &replaced).unwrap();
    assert_eq!(kept(&new).await, [1, 2, 3]);
    assert_eq!(IdentityKey::read(&new).unwrap().unwrap().address(), key(2).address());
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_made_of_nothing() {
    let (outer, data) = room(1, 1).await;
    let file = outer.path().join("backup");
    fs::write(&file, "precious").unwrap();
    assert!(matches!(back_up(&data, &file), Err(BackupError::Exists { .. })));
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let nothing = outer.path().join("nothing");
    assert!(matches!(back_up(&nothing, &outer.path().join("new")), Err(BackupError::Nothing { .. })));
    assert!(!nothing.exists());
    drop(DataDirectory::open(&nothing).unwrap());
    assert!(matches!(back_up(&nothing, &outer.path().join("new")), Err(BackupError::Nothing { .. })));
    let open = DataDirectory::open(&data).unwrap();
    assert!(matches!(back_up(&data, &outer.path().join("new")), Err(BackupError::Open { .. })));
    drop(open);
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 3, "no file is left");
    // What a killed process left is removed; what another one writes just now is not.
    let (dead, living) = (outer.path().join(".onionroom-backup-a"), outer.path().join(".onionroom-backup-b"));
    fs::write(&dead, "").unwrap();
    let held = File::create(&living).unwrap();
    held.try_lock().unwrap();
    back_up(&data, &outer.path().join("new")).unwrap();
    assert!(!dead.exists() && living.exists());
}

/// A file there would be left by a wipe, or be taken for one of the room's.
#[tokio::test]
async fn no_backup_is_made_in_the_data_directory() {
    let (outer, data) = room(1, 1).await;
    std::os::unix::fs::symlink(data.join("tor"), outer.path().join("link")).unwrap();
    let before = contents(&data);
    for to in [data.join("wiping"), data.join("tor/../backup"), outer.path().join("link/backup")] {
        let refused = back_up(&data, &to).unwrap_err().to_string();
        assert!(refused.contains("is in the data directory"), "{refused}");
    }
    assert_eq!(contents(&data), before);
    back_up(&data, &outer.path().join("room-2")).unwrap();
}

#[tokio::test]
async fn what_is_given_up_leaves_no_file() {
    let (outer, data) = room(1500, 1).await;
    let directory = DataDirectory::open(&data).unwrap();
    let log = SqliteLog::open(&data.join(LOG_FILE), ALL, Synchronous::Normal).unwrap();
    for given_up_at in [None, Some(Step::Copying), Some(Step::Writing)] {
        let given_up = CancellationToken::new();
        if given_up_at.is_none() {
            given_up.cancel();
        }
        let told = &mut |progress: Progress| {
            if given_up_at == Some(progress.step) {
                given_up.cancel();
            }
        };
        let to = outer.path().join("backup");
        let logs = Logs { main: Some(&log), others: None };
        let outcome = backup_open(&directory, &logs, &to, &passphrase(WORDS), &given_up, told);
        assert!(matches!(outcome, Err(BackupError::GivenUp)), "{given_up_at:?}: {outcome:?}");
        let left = fs::read_dir(outer.path()).unwrap().count();
        assert!(left == 1 && !data.join(BACKING_UP).exists(), "the room alone");
    }
    log.close().await.unwrap();
    drop((log, directory));
    back_up(&data, &outer.path().join("backup")).unwrap();
}

#[tokio::test]
async fn a_wrong_passphrase_and_a_damaged_file_change_nothing() {
    let (outer, data) = room(1500, 1).await;
    let file = outer.path().join("backup");
    back_up(&data, &file).unwrap();
    let (_other, new) = room(2, 2).await;
    refused(&new, &file, "five words taken at randoM", "passphrase is not the one");
    let whole = fs::read(&file).unwrap();
    let with = |bytes: &[u8]| {
        let file = outer.path().join("damaged");
        fs::write(&file, bytes).unwrap();
        file
    };
    for length in [0, 10, 100] {
        refused(&new, &with(&whole[..length]), WORDS, "");
    }
    // The header ends with a line, and 16 bytes follow; then come chunks of 64 KiB, each with a tag.
    let header = whole.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 5 + 43 + 1;
    let (begin, chunk) = (header + 16, 64 * 1024 + 16);
    assert!(whole.len() > begin + 2 * chunk);
    for length in [
        header,
        header + 10,
        begin,
        begin + 1,
        begin + chunk,
        begin + 2 * chunk,
        whole.len() - 16,
        whole.len() - 1,
    ] {
        refused(&new, &with(&whole[..length]), WORDS, "cannot be used");
    }
    for place in [30, 120, 190, 250, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        refused(&new, &with(&damaged), WORDS, "");
    }
    let longer = [&whole[..], &[0; 1000]].concat();
    refused(&new, &with(&longer), WORDS, "cannot be used");
    put_back(&new, &file, WORDS).unwrap();
}

/// An archive of these files, as an attacker makes one who has had the passphrase of a host.
fn archive(outer: &Path, work: u8, files: &[(Header, &[u8])]) -> PathBuf {
    let file = outer.join("made");
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(WORDS.to_owned()));
    recipient.set_work_factor(work);
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap();
    let mut out = encryptor.wrap_output(File::create(&file).unwrap()).unwrap();
    for (header, bytes) in files {
        use io::Write;
        out.write_all(header.as_bytes()).unwrap();
        out.write_all(bytes).unwrap();
        out.write_all(&vec![0; bytes.len().next_multiple_of(512) - bytes.len()]).unwrap();
    }
    io::Write::write_all(&mut out, &[0; 1024]).unwrap();
    out.finish().unwrap();
    file
}

fn header(name: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_ustar();
    // As it is: `set_path` refuses what is to be tried.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_mode(0o777);
    header.set_cksum();
    header
}

fn plain(name: &str, bytes: &'static [u8]) -> (Header, &'static [u8]) {
    (header(name, bytes.len() as u64, EntryType::Regular), bytes)
}

const ADDRESS_ONLY: &[u8] = br#"{"format":1,"program":"0.1.0","messages":false,"address":true}"#;
const MESSAGES_ONLY: &[u8] = br#"{"format":1,"program":"0.1.0","messages":true,"address":false}"#;
const MANIFEST: &str = "onionroom-backup.json";

#[tokio::test]
async fn what_no_room_writes_is_refused() {
    let (outer, data) = room(2, 2).await;
    let of_address = |entry| archive(outer.path(), 2, &[plain(MANIFEST, ADDRESS_ONLY), entry]);
    for name in [
        "../escaped",
        "/tmp/escaped",
        "tor/state/../../../escaped",
        "tor/state/./x",
        "tor/state//x",
        "tor/state/",
        "tor/state",
        "tor/state/a\\..\\b",
        "tor/state/a b",
        "tor/cache/dir.sqlite3",
        "local-key",
        "lock",
        "replaced/1/x",
        "messages.sqlite-wal",
        "",
    ] {
        refused(&data, &of_address(plain(name, b"x")), WORDS, "of no room");
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ] {
        let mut header = header("tor/state/x", 0, kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        refused(&data, &of_address((header, b"")), WORDS, "of no room");
    }
    let twice = [plain(MANIFEST, ADDRESS_ONLY), plain("tor/state/x", b"1"), plain("tor/state/x", b"2")];
    refused(&data, &archive(outer.path(), 2, &twice), WORDS, "twice");
    refused(&data, &archive(outer.path(), 2, &[plain(MANIFEST, ADDRESS_ONLY)]), WORDS, "is missing");
    let other = [plain(MANIFEST, MESSAGES_ONLY), plain("tor/state/x", b"1")];
    refused(&data, &archive(outer.path(), 2, &other), WORDS, "is missing");
    refused(&data, &archive(outer.path(), 2, &[plain("tor/state/x", b"1")]), WORDS, "neither a file");
    refused(&data, &archive(outer.path(), 2, &[]), WORDS, "is empty");
    let newer = br#"{"format":3,"program":"9.9.9","rooms":["a","b"]}"#;
    refused(&data, &archive(outer.path(), 2, &[plain(MANIFEST, newer)]), WORDS, "9.9.9");
    // 32 GiB for one attempt.
    let costly = [plain(MANIFEST, ADDRESS_ONLY)];
    let file = archive(outer.path(), 2, &costly);
    let bytes = fs::read(&file).unwrap();
    let text = String::from_utf8_lossy(&bytes[..200]);
    let at = text.find(" 2\n").unwrap();
    fs::write(&file, [&bytes[..at], b" 25\n", &bytes[at + 3..]].concat()).unwrap();
    refused(&data, &file, WORDS, "32768 MB");
}

/// Nothing is written of what would fill the disk, and nothing of it is in memory.
#[tokio::test]
async fn a_bomb_is_refused_before_it_is_written() {
    let (outer, data) = room(2, 2).await;
    let huge = 10 << 30;
    static ZEROS: [u8; 1 << 20] = [0; 1 << 20];
    for name in ["messages.sqlite", "messages.keys"] {
        let bomb = (header(name, huge, EntryType::Regular), &ZEROS[..]);
        let file = archive(outer.path(), 2, &[plain(MANIFEST, MESSAGES_ONLY), bomb]);
        refused(&data, &file, WORDS, "not as a room writes it");
    }
    let bomb = (header("tor/state/x", huge, EntryType::Regular), &ZEROS[..]);
    let file = archive(outer.path(), 2, &[plain(MANIFEST, ADDRESS_ONLY), bomb]);
    refused(&data, &file, WORDS, "more is in it");
    // One that begins as a log does: the disk has no room for it.
    let pages: u32 = u32::MAX;
    let mut begin = ZEROS.to_vec();
    begin[..16].copy_from_slice(b"SQLite format 3\0");
    begin[16..18].copy_from_slice(&1_u16.to_be_bytes());
    begin[28..32].copy_from_slice(&pages.to_be_bytes());
    let bomb = (header("messages.sqlite", u64::from(pages) << 16, EntryType::Regular), &begin[..]);
    let file = archive(outer.path(), 2, &[plain(MANIFEST, MESSAGES_ONLY), bomb]);
    refused(&data, &file, WORDS, "are free");
    // Many small ones.
    let mut many: Vec<_> = (0..1001).map(|_| plain("tor/state/x", b"")).collect();
    for (number, (header, _)) in many.iter_mut().enumerate() {
        let name = format!("tor/state/x{number}");
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
    }
    many.insert(0, plain(MANIFEST, ADDRESS_ONLY));
    refused(&data, &archive(outer.path(), 2, &many), WORDS, "more is in it");
}
