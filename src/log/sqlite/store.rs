//! The log's files, as the writer thread uses them.
//!
//! Trimmed messages are erased in slices, so that appends wait for one slice at most: their rows are deleted first, in
//! one transaction, and then their keys are overwritten. After a kill between the two the next start overwrites every
//! key that no row has. So no kept message loses its key, and no key of a deleted message stays.

mod append;
pub(super) mod copying;
mod paging;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::{failed, keys_failed};
use super::fault::reached;
use super::identity::RoomClock;
use super::keys::{GROWTH, KeyFile};
use super::mark::{MarkFile, State};
use super::rows;
use super::schema::pragma;
use super::sealed;
use super::state::KeptState;
use super::together::write_ahead_log;
use super::view::View;
use crate::log::dedup::DedupWindow;
use crate::log::{LogError, Retention, RoomIdentity};
use crate::protocol::Record;

/// How many trimmed messages are erased, or pages given back, in one slice at most.
const SLICE: usize = 512;

/// How long a slice should take; it becomes smaller or larger by how long the last one took. So appends wait for it
/// only shortly, however large the messages are and however slow the disk is.
const SLICE_TIME: Duration = Duration::from_millis(20);

/// With so many trimmed messages to erase, appending has them erased without waiting for the next trim.
const BACKLOG: usize = 1024;

/// With fewer keys ready than this, more are made between two appends.
const KEYS_LOW: usize = GROWTH as usize / 4;

/// How many free pages the file keeps at least.
const SPARE_PAGES: i64 = 256;

/// How many slices a call of [`Store::trim`] does itself.
const TRIM_SLICES: usize = 4;

/// How long erasing may go on when the log is closed; the rest is done at the next start.
const CLOSE_MOST: Duration = Duration::from_secs(2);

/// The open files, and what is cached of them.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
    keys: KeyFile,
    mark: MarkFile,
    view: View,
    retention: Retention,
    identity: RoomIdentity,
    room_clock: RoomClock,
    dedup: DedupWindow,
    /// The state of the room, if it was ever asked for.
    room: Option<KeptState>,
    /// Keys that have encrypted something and belong to no row any more.
    to_erase: Vec<u32>,
    /// Whether a trim was begun and is not finished.
    trimming: bool,
    /// How many messages it has to erase still: those that were evicted when it began, so that it ends under a flood.
    to_trim: usize,
    /// How many messages or pages are done in one slice now.
    slice: usize,
    /// Whether this trim is one that a flood began.
    flooded: bool,
    /// Whether something was deleted since the write-ahead log was last emptied.
    deleted: bool,
    /// Whether erasing failed: then it is tried again at the next trim.
    stuck: bool,
}

/// The open files of a log, and what was read of them.
pub(super) struct Parts {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) keys: KeyFile,
    pub(super) mark: MarkFile,
    pub(super) view: View,
    pub(super) identity: RoomIdentity,
    pub(super) room_clock: RoomClock,
    pub(super) dedup: DedupWindow,
    pub(super) room: Option<KeptState>,
}

impl Store {
    /// A log of these parts, from which something was `deleted` just now or not.
    pub(super) fn new(parts: Parts, retention: Retention, deleted: bool) -> Self {
        let Parts { path, connection, keys, mark, view, identity, room_clock, dedup, room } = parts;
        Self {
            path,
            connection,
            keys,
            mark,
            view,
            retention,
            identity,
            room_clock,
            dedup,
            room,
            to_erase: Vec::new(),
            trimming: false,
            to_trim: 0,
            flooded: false,
            slice: SLICE / 4,
            deleted,
            stuck: false,
        }
    }

    /// The identity of the room.
    pub(super) fn identity(&self) -> RoomIdentity {
        RoomIdentity { clock: self.view.clock(), ..self.identity.clone() }
    }

    /// What is known without asking the file.
    pub(super) fn view(&self) -> View {
        self.view.clone()
    }

    /// The oldest `limit` kept messages with `seq` > `after`. Those that cannot be decrypted are gone.
    pub(super) fn read(&mut self, mut after: u64, limit: usize) -> Result<Vec<Record>, LogError> {
        let mut messages = Vec::new();
        loop {
            let kept: Vec<u64> = self.view.now().index.after(after).take(limit - messages.len()).collect();
            let Some(newest) = kept.last().copied() else { return Ok(messages) };
            for seq in kept {
                match self.decrypted(seq) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => {
                        tracing::error!(seq, "a message of the log is gone: it cannot be decrypted");
                        self.view.now().index.evict_one(seq);
                    }
                    // One that cannot be read does not keep the others from being read. It is told once: it is not
                    // looked for again.
                    Err(Unreadable::Row(error)) => {
                        tracing::error!(seq, %error, "a message of the log cannot be read, and is passed over");
                        self.view.now().index.pass_over(seq);
                    }
                    Err(Unreadable::Log(error)) => return Err(error),
                }
            }
            if messages.len() == limit {
                return Ok(messages);
            }
            after = newest;
        }
    }

    fn decrypted(&mut self, seq: u64) -> Result<Option<Record>, Unreadable> {
        let row = rows::read(&self.connection, seq).map_err(|error| {
            if rows::is_damage(&error) { Unreadable::Row(error) } else { Unreadable::Log(failed(error)) }
        })?;
        let Some(row) = row else { return Ok(None) };
        let key = self.keys.get(row.key).map_err(|error| Unreadable::Log(keys_failed(error)))?;
        Ok(key.and_then(|key| sealed::open(&key, row)))
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

    pub(super) fn begin_trim(&mut self) {
        self.flooded = false;
        (self.trimming, self.to_trim) = (true, self.view.now().index.evicted_count());
    }

    /// How many messages a trim has to erase still.
    pub(super) fn left_to_trim(&self) -> usize {
        self.to_trim
    }

    /// Whether [`Store::work`] has something to do now.
    pub(super) fn has_work(&self) -> bool {
        let backlog = || self.view.now().index.evicted_count() >= BACKLOG;
        let keys_low = self.retention.messages > 0 && self.keys.ready() < KEYS_LOW;
        !self.stuck && (self.trimming || keys_low || backlog())
    }

    /// Does one slice of what is to be done between appends: erases trimmed messages, makes keys, gives space back.
    pub(super) fn work(&mut self) -> Result<(), LogError> {
        let began = Instant::now();
        let worked = self.slice();
        self.stuck = worked.is_err();
        self.slice = match began.elapsed() {
            long if long > SLICE_TIME => (self.slice / 2).max(1),
            short if short < SLICE_TIME / 4 => (self.slice * 2).min(SLICE),
            _ => self.slice,
        };
        worked
    }

    fn slice(&mut self) -> Result<(), LogError> {
        if !self.trimming && self.view.now().index.evicted_count() >= BACKLOG {
            self.begin_trim();
            self.flooded = true;
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
        // While a flood lasts the next trim by the clock does it: in a file that grows again each sync costs two.
        if self.deleted && !self.flooded {
            // What fails is tried again with the next trim.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
            self.deleted = false;
        }
        self.trimming = false;
        Ok(())
    }

    fn erase_slice(&mut self) -> Result<(), LogError> {
        let evicted = self.view.now().index.evicted(self.slice.min(self.to_trim));
        if !evicted.is_empty() {
            let slots = rows::delete(&mut self.connection, &evicted).map_err(failed)?;
            self.to_erase.extend(slots);
            self.view.now().index.removed(evicted.len());
            self.to_trim -= evicted.len();
            self.deleted = true;
            reached("rows deleted");
        }
        self.erase_keys()
    }

    /// Overwrites the keys that have encrypted something and belong to no row any more.
    fn erase_keys(&mut self) -> Result<(), LogError> {
        self.keys.erase(&self.to_erase).map_err(keys_failed)?;
        self.to_erase.clear();
        reached("keys erased");
        Ok(())
    }

    /// Gives a slice of the file's free pages back, but for a quarter of its size, which the next messages will use.
    fn shrink(&mut self) -> rusqlite::Result<bool> {
        let (free, pages) =
            (pragma(&self.connection, "freelist_count")?, pragma(&self.connection, "page_count")?);
        let spare = SPARE_PAGES.max((pages - free) / 4);
        if free <= spare {
            return Ok(false);
        }
        let slice = i64::try_from(self.slice).unwrap_or(SPARE_PAGES).min(free - spare);
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
        self.stuck = false;
        while self.has_work() && began.elapsed() < CLOSE_MOST {
            if let Err(error) = self.work() {
                tracing::warn!(%error, "trimmed messages could not be erased; the next start does it");
            }
        }
        let between = self.mark.mark().in_state(State::Between);
        let closed = self.mark.set(between).map_err(|error| error.to_string());
        let closed = closed.and_then(|()| self.connection.close().map_err(|(_, error)| error.to_string()));
        // A write-ahead log that is still there has something that the file has not.
        let closed = closed.and_then(|()| match write_ahead_log(&self.path).exists() {
            true => Err("the write-ahead log could not be emptied".into()),
            false => self.mark.set(between.in_state(State::Closed)).map_err(|error| error.to_string()),
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the message log was not closed in good order; nothing is lost");
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Why a message cannot be read.
enum Unreadable {
    /// Its own row is at fault.
    Row(rusqlite::Error),
    /// Nothing can be read now.
    Log(LogError),
}
