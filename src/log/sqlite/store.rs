//! The log's files, as the writer thread uses them.
//!
//! Trimmed messages are erased in slices, so that appends wait for one slice at most: their rows are deleted first, in
//! one transaction, and then their keys are overwritten. After a kill between the two the next start overwrites every
//! key that no row has. So no kept message loses its key, and no key of a deleted message stays.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::adopt::adopt;
use super::error::{SqliteOpenError, explain};
use super::fault::reached;
use super::identity::{self, Opened, RoomClock};
use super::keys::{Found, GROWTH, KeyFile, KeyId};
use super::rows::{self, number};
use super::schema::{self, ENCRYPTED, Synchronous, pragma};
use super::sealed;
use super::view::View;
use crate::log::dedup::DedupWindow;
use crate::log::index::{Facts, MessageIndex};
use crate::log::{Appended, DEDUP_WINDOW, Entry, LogError, Retention, RoomIdentity};
use crate::protocol::Message;

/// How many trimmed messages are erased in one slice.
const SLICE: usize = 512;

/// With so many trimmed messages to erase, appending has them erased without waiting for the next trim.
const BACKLOG: usize = 1024;

/// With fewer keys ready than this, more are made between two appends.
const KEYS_LOW: usize = GROWTH as usize / 4;

/// How many pages the file gives back in one slice.
const VACUUM_SLICE: i64 = 256;

/// How many slices a call of [`Store::trim`] does itself.
const TRIM_SLICES: usize = 4;

/// How long erasing may go on when the log is closed; the rest is done at the next start.
const CLOSE_MOST: Duration = Duration::from_secs(2);

/// The open files, and what is cached of them.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    keys: KeyFile,
    view: View,
    retention: Retention,
    identity: RoomIdentity,
    room_clock: RoomClock,
    dedup: DedupWindow,
    /// Keys that have encrypted something and belong to no row any more.
    to_erase: Vec<u32>,
    /// Whether a trim was begun and is not finished.
    trimming: bool,
    /// How many messages it has to erase still: those that were evicted when it began, so that it ends under a flood.
    to_trim: usize,
    /// Whether something was deleted since the write-ahead log was last emptied.
    deleted: bool,
    /// Whether erasing failed: then it is tried again at the next trim.
    stuck: bool,
}

impl Store {
    pub(super) fn open(
        path: &Path,
        retention: Retention,
        synchronous: Synchronous,
    ) -> Result<Self, SqliteOpenError> {
        let failed = |error| explain(path, &error);
        let keys_path = path.with_extension("keys");
        let unusable = |error: io::Error| SqliteOpenError::Unusable {
            path: keys_path.clone(),
            cause: error.to_string(),
        };
        let (mut connection, version) = schema::open(path)?;
        let found = Found::at(&keys_path).map_err(unusable)?;
        let facts =
            if version < ENCRYPTED { Vec::new() } else { rows::facts(&connection).map_err(failed)? };
        let lost = without_key(&keys_path, &found, facts.iter().map(|(seq, _, key)| (*seq, *key)))?;

        schema::prepare(&mut connection, path, synchronous)?;
        let kept = facts.iter().filter(|(seq, ..)| lost.binary_search(seq).is_err());
        let used: BTreeSet<u32> = kept.map(|(_, _, key)| key.slot).collect();
        let mut keys = KeyFile::open(&keys_path, &found, &used).map_err(unusable)?;
        adopt(&mut connection, path, &mut keys).map_err(failed)?;
        if !lost.is_empty() {
            tracing::warn!(
                messages = lost.len(),
                "some messages of the log are gone: the keys they were encrypted with are not there any more, as after \
                 putting back an older messages.sqlite or messages.keys alone"
            );
        }
        rows::delete(&mut connection, &lost).map_err(failed)?;

        let Opened { identity, room_clock, head } = identity::begin_epoch(&mut connection).map_err(failed)?;
        let mut index = MessageIndex::new(retention);
        for (seq, facts, _) in rows::facts(&connection).map_err(failed)? {
            index.insert(seq, facts);
        }
        index.end_at(head);
        let mut dedup = DedupWindow::new(DEDUP_WINDOW);
        for (guest, id, seq) in rows::newest_ids(&connection, DEDUP_WINDOW).map_err(failed)? {
            dedup.insert(guest, id, seq);
        }
        let mut store = Self {
            connection,
            keys,
            view: View::new(index, head, identity.clock),
            retention,
            identity,
            room_clock,
            dedup,
            to_erase: Vec::new(),
            trimming: false,
            to_trim: 0,
            deleted: !lost.is_empty(),
            stuck: false,
        };
        store.begin_trim();
        while store.has_work() {
            store.work().map_err(|error| SqliteOpenError::Unusable { path: path.into(), cause: error.0 })?;
        }
        Ok(store)
    }

    /// The identity of the room.
    pub(super) fn identity(&self) -> RoomIdentity {
        RoomIdentity { clock: self.view.clock(), ..self.identity.clone() }
    }

    /// What is known without asking the file.
    pub(super) fn view(&self) -> View {
        self.view.clone()
    }

    /// Appends in one transaction; when it fails nothing was appended.
    pub(super) fn append(&mut self, entries: Vec<Entry>) -> Result<Vec<Appended>, LogError> {
        if self.retention.messages > 0 {
            self.provide_keys(entries.len())?;
        }
        let mut taken = Vec::new();
        let appended = match self.insert(entries, &mut taken) {
            Ok(appended) => appended,
            Err(error) => {
                // What they encrypted may be in the write-ahead log.
                self.to_erase.append(&mut taken);
                return Err(error);
            }
        };
        let mut state = self.view.now();
        for message in appended.iter().filter_map(Appended::message) {
            self.dedup.insert(message.guest, message.id.clone(), message.seq);
            (state.head, state.clock) = (message.seq, state.clock.max(message.at));
            if self.retention.messages > 0 {
                state.index.insert(message.seq, Facts::from(message));
            }
        }
        let head = state.head;
        state.index.end_at(head);
        let clock = state.clock;
        state.index.evict(clock);
        Ok(appended)
    }

    /// Has so many keys ready. Nearly always they are.
    fn provide_keys(&mut self, count: usize) -> Result<(), LogError> {
        while self.keys.ready() < count && self.view.now().index.evicted_count() > 0 {
            self.begin_trim();
            self.erase_slice()?;
        }
        let missing = count.saturating_sub(self.keys.ready());
        if missing > 0 {
            let slots = u32::try_from(missing).unwrap_or(u32::MAX).next_multiple_of(GROWTH);
            self.keys.grow(slots).map_err(keys_failed)?;
        }
        Ok(())
    }

    fn insert(&mut self, entries: Vec<Entry>, taken: &mut Vec<u32>) -> Result<Vec<Appended>, LogError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        let mut appended = Vec::with_capacity(entries.len());
        let mut new = HashMap::with_capacity(entries.len());
        let mut head = self.view.now().head;
        for entry in entries {
            let key = (entry.guest, entry.id.clone());
            let before = new.get(&key).copied().or_else(|| self.dedup.find(entry.guest, &entry.id));
            let duplicate = match before {
                Some(seq) => Some(seq),
                None => rows::find(&transaction, &entry).map_err(failed)?,
            };
            if let Some(seq) = duplicate {
                appended.push(Appended::Duplicate(seq));
                continue;
            }
            head += 1;
            new.insert(key, head);
            let message = entry.numbered(head);
            if self.retention.messages > 0 {
                let (id, key) = self.keys.take().map_err(keys_failed)?.ok_or_else(no_keys)?;
                taken.push(id.slot);
                let sealed = sealed::seal(&key, &message).map_err(|error| LogError(error.to_string()))?;
                rows::insert(&transaction, &message, id, &sealed).map_err(failed)?;
            }
            appended.push(Appended::New(message));
        }
        transaction.execute("UPDATE room SET head = ?1", [number(head)]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        reached("appended");
        Ok(appended)
    }

    /// The oldest `limit` kept messages with `seq` > `after`. Those that cannot be decrypted are gone.
    pub(super) fn read(&mut self, mut after: u64, limit: usize) -> Result<Vec<Message>, LogError> {
        let mut messages = Vec::new();
        loop {
            let kept: Vec<u64> = self.view.now().index.after(after).take(limit - messages.len()).collect();
            let Some(newest) = kept.last().copied() else { return Ok(messages) };
            for seq in kept {
                match self.decrypted(seq)? {
                    Some(message) => messages.push(message),
                    None => {
                        tracing::error!(seq, "a message of the log is gone: it cannot be decrypted");
                        self.view.now().index.evict_one(seq);
                    }
                }
            }
            if messages.len() == limit {
                return Ok(messages);
            }
            after = newest;
        }
    }

    fn decrypted(&mut self, seq: u64) -> Result<Option<Message>, LogError> {
        let Some(row) = rows::read(&self.connection, seq).map_err(failed)? else { return Ok(None) };
        let key = self.keys.get(row.key).map_err(keys_failed)?;
        Ok(key.and_then(|key| sealed::open(&key, row.message, &row.sealed)))
    }

    /// Begins to erase what is beyond the retention when the room's clock shows `clock`. A little is erased when this
    /// returns, the rest by [`Store::work`].
    pub(super) fn trim(&mut self, clock: u64) -> Result<(), LogError> {
        if self.room_clock.keep(&self.connection, clock).map_err(failed)? {
            self.view.tell(clock);
        }
        self.view.now().index.evict(clock);
        self.begin_trim();
        self.stuck = false;
        for _ in 0..TRIM_SLICES {
            if self.has_work() {
                self.work()?;
            }
        }
        Ok(())
    }

    fn begin_trim(&mut self) {
        (self.trimming, self.to_trim) = (true, self.view.now().index.evicted_count());
    }

    /// Whether [`Store::work`] has something to do now.
    pub(super) fn has_work(&self) -> bool {
        let backlog = || self.view.now().index.evicted_count() >= BACKLOG;
        let keys_low = self.retention.messages > 0 && self.keys.ready() < KEYS_LOW;
        !self.stuck && (self.trimming || keys_low || backlog())
    }

    /// Does one slice of what is to be done between appends: erases trimmed messages, makes keys, gives space back.
    pub(super) fn work(&mut self) -> Result<(), LogError> {
        let worked = self.slice();
        self.stuck = worked.is_err();
        worked
    }

    fn slice(&mut self) -> Result<(), LogError> {
        if !self.trimming && self.view.now().index.evicted_count() >= BACKLOG {
            self.begin_trim();
        }
        if self.to_trim > 0 || !self.to_erase.is_empty() {
            return self.erase_slice();
        }
        if self.retention.messages > 0 && self.keys.ready() < KEYS_LOW {
            return self.keys.grow(GROWTH).map_err(keys_failed);
        }
        if self.shrink().map_err(failed)? {
            return Ok(());
        }
        if std::mem::take(&mut self.deleted) {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
        }
        self.trimming = false;
        Ok(())
    }

    fn erase_slice(&mut self) -> Result<(), LogError> {
        let evicted = self.view.now().index.evicted(SLICE.min(self.to_trim));
        if !evicted.is_empty() {
            let slots = rows::delete(&mut self.connection, &evicted).map_err(failed)?;
            self.to_erase.extend(slots);
            self.view.now().index.removed(evicted.len());
            self.to_trim -= evicted.len();
            self.deleted = true;
            reached("rows deleted");
        }
        self.keys.erase(&self.to_erase).map_err(keys_failed)?;
        self.to_erase.clear();
        reached("keys erased");
        Ok(())
    }

    /// Gives a slice of the file's free pages back, but for a quarter of its size, which the next messages will use.
    fn shrink(&mut self) -> rusqlite::Result<bool> {
        let (free, pages) =
            (pragma(&self.connection, "freelist_count")?, pragma(&self.connection, "page_count")?);
        let spare = VACUUM_SLICE.max((pages - free) / 4);
        if free <= spare {
            return Ok(false);
        }
        let slice = VACUUM_SLICE.min(free - spare);
        let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({slice})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        self.deleted = true;
        reached("space given back");
        Ok(true)
    }

    /// Erases what is left, for a bounded time, and closes the files.
    pub(super) fn close(mut self) {
        let began = Instant::now();
        self.begin_trim();
        while self.has_work() && began.elapsed() < CLOSE_MOST {
            if let Err(error) = self.work() {
                tracing::warn!(%error, "trimmed messages could not be erased; the next start does it");
            }
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the message log was not closed in good order; nothing is lost");
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// The rows whose keys were erased.
///
/// # Errors
/// The keys of rows are missing or damaged.
fn without_key(
    keys_path: &Path,
    found: &Found,
    mut rows: impl Iterator<Item = (u64, KeyId)>,
) -> Result<Vec<u64>, SqliteOpenError> {
    let damaged = |what: &str| SqliteOpenError::KeysDamaged { path: keys_path.into(), what: what.into() };
    let mut lost = Vec::new();
    let slots = match found {
        Found::Slots(slots) => slots,
        // A file that is not finished yet is of no message.
        Found::Nothing | Found::Damaged(_) if rows.next().is_none() => return Ok(lost),
        Found::Nothing => return Err(SqliteOpenError::KeysMissing { path: keys_path.into() }),
        Found::Damaged(what) => return Err(damaged(what)),
    };
    for (seq, key) in rows {
        match slots.get(key.slot as usize) {
            Some(Some(id)) if *id == key.id => {}
            Some(None) => return Err(damaged("a checksum is wrong")),
            Some(Some(_)) | None => lost.push(seq),
        }
    }
    Ok(lost)
}

const DISK_FULL: &str = "the disk is full; make room on it and the room goes on";

fn failed(error: rusqlite::Error) -> LogError {
    LogError(match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => DISK_FULL.into(),
        _ => format!("the message log cannot be used: {error}"),
    })
}

fn keys_failed(error: io::Error) -> LogError {
    LogError(match error.kind() {
        io::ErrorKind::StorageFull => DISK_FULL.into(),
        _ => format!("the keys of the message log cannot be used: {error}"),
    })
}

fn no_keys() -> LogError {
    LogError("the message log has no keys left".into())
}
