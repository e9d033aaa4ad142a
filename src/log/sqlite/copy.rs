//! A copy of a log that is in use, while guests go on writing.
//!
//! The rows are read in slices between two appends, in the order of their numbers, and put into a file of their own; the last
//! of them together with the room's identity and state, in one moment. Their keys are read only when they are written out,
//! and go nowhere else: so what is erased meanwhile, by its key, is not in the copy, and the file alone can be read by
//! nothing. Keys that no row of the copy has are replaced by random ones: those in reserve would read what is said later.
//!
//! An entry's row is never changed, only deleted. So with what was acknowledged before the copy was begun, each entry is in it
//! once, unless it was erased since.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, params_from_iter};
use zeroize::Zeroizing;

use super::keys::{self, GROWTH, SLOT, fresh, head, identifier};
use super::mark::{Mark, State, fingerprint};
use super::schema::{MIGRATIONS, migrate};
use super::store::Store;
use super::store::copying::{ENTRIES, Rest, Table};
use super::{Request, SqliteLog};
use crate::log::LogError;

/// How many keys are read in one slice.
const SLICE_KEYS: u32 = 1024;

/// Why a log cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It cannot be read.
    #[error("The messages cannot be read: {0}.")]
    Log(#[from] LogError),
    /// The copy cannot be written.
    #[error("The copy of the messages cannot be written to {}: {cause}.", path.display())]
    Unusable {
        /// Its file.
        path: PathBuf,
        /// What SQLite said.
        cause: String,
    },
    /// It was given up, as `told` said.
    #[error("It was given up.")]
    GivenUp,
    /// The keys cannot be written out.
    #[error("The keys of the messages cannot be written out: {0}.")]
    Keys(io::Error),
}

/// The copy of a log. Its file has all rows, and is complete once the keys were written out.
pub struct LogCopy<'a> {
    log: &'a SqliteLog,
    path: PathBuf,
    file: Connection,
    pinned: BTreeMap<u32, Zeroizing<Vec<u8>>>,
    slots: u32,
    epoch: u64,
    head: u64,
}

impl SqliteLog {
    /// Copies the rows to a new file at `to`, which can be read by nothing without their keys. Blocks for as long as that
    /// takes; the log is held up for one slice at a time. `told` is told how many messages are copied, and
    /// of how many, and says whether to go on.
    ///
    /// # Errors
    /// The log cannot be read, the file cannot be written, or it was given up.
    pub fn copy(
        &self,
        to: &Path,
        told: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<LogCopy<'_>, CopyError> {
        let mut writing = Writing::create(to)?;
        let span = self.view.span();
        let number = |seq: i64| seq.unsigned_abs();
        let (mut after, mut more) = (0, true);
        while more {
            let (mut entries, any) = self.ask(move |store| store.copy_slice(after))?;
            (after, more) = (entries.last().unwrap_or(after), any);
            self.leave_trimmed_out(&mut entries);
            writing.insert(&[entries])?;
            let done = (number(after) + 1).saturating_sub(span.first);
            if told(done, done.max((span.head + 1).saturating_sub(span.first))).is_break() {
                return Err(CopyError::GivenUp);
            }
        }
        let Rest { mut tables, pinned } = self.ask(move |store| store.copy_rest(after))?;
        tables.iter_mut().for_each(|table| self.leave_trimmed_out(table));
        writing.insert(&tables)?;
        let pinned: BTreeMap<_, _> = pinned.into_iter().collect();
        let Writing { path, file } = writing;
        let failed = |error: rusqlite::Error| unusable(&path, &error);
        let (epoch, head): (String, i64) = file
            .query_row("SELECT epoch, head FROM room", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failed)?;
        let last: Option<u32> =
            file.query_row("SELECT max(slot) FROM messages", [], |row| row.get(0)).map_err(failed)?;
        let slots = last.max(pinned.keys().next_back().copied()).map_or(0, |last| last + 1);
        let slots = slots.max(1).next_multiple_of(GROWTH);
        let (epoch, head) = (fingerprint(&epoch), head.unsigned_abs());
        Ok(LogCopy { log: self, path, file, pinned, slots, epoch, head })
    }

    /// Leaves entries out that are beyond the retention and not erased yet.
    fn leave_trimmed_out(&self, table: &mut Table) {
        if table.name != ENTRIES {
            return;
        }
        let Some(place) = table.column("seq") else { return };
        let now = self.view.now();
        table.rows.retain(
            |row| matches!(row[place], Value::Integer(seq) if now.index.contains(seq.unsigned_abs())),
        );
    }

    /// Waits for what the writer thread makes of the store.
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Store) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let _ = self.requests.send(Request::Call(Box::new(move |store| drop(reply.send(call(store))))));
        answer.recv().unwrap_or_else(|_| Err(LogError("the log is closed".into())))
    }
}

impl LogCopy<'_> {
    /// How many bytes [`LogCopy::finish`] writes.
    pub fn keys_bytes(&self) -> u64 {
        (u64::from(self.slots) + 1) * SLOT as u64
    }

    /// Writes the file of the keys to `out`, and completes the file of the rows. Returns the file of the mark.
    ///
    /// # Errors
    /// The log cannot be read, or something cannot be written.
    pub fn finish(self, out: &mut dyn Write) -> Result<[u8; 64], CopyError> {
        let failed = |error: rusqlite::Error| unusable(&self.path, &error);
        let mut lost: Vec<i64> = Vec::new();
        let mut statement =
            self.file.prepare("SELECT slot, key, seq FROM messages ORDER BY slot").map_err(failed)?;
        let mut used = statement.query([]).map_err(failed)?;
        let mut row = || -> rusqlite::Result<Option<(u32, i64, i64)>> {
            used.next()?.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()
        };
        let mut next = row().map_err(failed)?;

        out.write_all(&head(self.slots, self.epoch)).map_err(CopyError::Keys)?;
        for first in (0..self.slots).step_by(SLICE_KEYS as usize) {
            let numbers: Vec<u32> = (first..self.slots.min(first + SLICE_KEYS)).collect();
            let count = numbers.len() as u32;
            let present = self.log.ask(move |store| store.copy_keys(first, count))?;
            let mut slots = fresh(&numbers).map_err(CopyError::Keys)?;
            // What is no longer kept may have its key still.
            let kept = self.log.view.now();
            for (slot, bytes) in numbers.iter().zip(slots.chunks_exact_mut(SLOT)) {
                let place = (slot - first) as usize * SLOT;
                let present = present.get(place..place + SLOT);
                let id = present.and_then(|present| identifier(*slot, present));
                while let Some((_, key, seq)) = next.filter(|(number, ..)| number == slot) {
                    match present {
                        Some(present) if id == Some(key) && kept.index.contains(seq.unsigned_abs()) => {
                            bytes.copy_from_slice(present)
                        }
                        _ => lost.push(seq),
                    }
                    next = row().map_err(failed)?;
                }
                if let Some(pinned) = self.pinned.get(slot).filter(|pinned| pinned.len() == SLOT) {
                    bytes.copy_from_slice(pinned);
                }
            }
            drop(kept);
            out.write_all(&slots).map_err(CopyError::Keys)?;
        }
        drop(used);
        drop(statement);

        let delete = || {
            let transaction = self.file.unchecked_transaction()?;
            let mut delete = transaction.prepare("DELETE FROM messages WHERE seq = ?1")?;
            lost.iter().try_for_each(|seq| delete.execute([seq]).map(drop))?;
            drop(delete);
            transaction.commit()
        };
        delete().map_err(failed)?;
        self.file.close().map_err(|(_, error)| unusable(&self.path, &error))?;
        Ok(Mark::new(State::Closed, self.epoch, self.head, true).bytes())
    }
}

/// The file that the rows are put into.
struct Writing {
    path: PathBuf,
    file: Connection,
}

impl Writing {
    fn create(path: &Path) -> Result<Self, CopyError> {
        let create = || -> rusqlite::Result<Connection> {
            let file = Connection::open(path)?;
            // It is removed if anything fails, so nothing of it needs to survive that.
            file.execute_batch(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
                 PRAGMA locking_mode = EXCLUSIVE;",
            )?;
            file.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
            Ok(file)
        };
        let mut file = create().map_err(|error| unusable(path, &error))?;
        migrate(&mut file, path, MIGRATIONS)
            .map_err(|error| CopyError::Unusable { path: path.into(), cause: error.to_string() })?;
        Ok(Self { path: path.into(), file })
    }

    fn insert(&mut self, tables: &[Table]) -> Result<(), CopyError> {
        let mut insert = || {
            let transaction = self.file.transaction()?;
            for Table { name, columns, rows } in tables {
                let places = vec!["?"; columns.len()].join(", ");
                let columns: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
                let columns = columns.join(", ");
                let words = format!("INSERT INTO \"{name}\" ({columns}) VALUES ({places})");
                let mut insert = transaction.prepare_cached(&words)?;
                for row in rows {
                    insert.execute(params_from_iter(row.iter().map(|value| value as &dyn ToSql)))?;
                }
            }
            transaction.commit()
        };
        insert().map_err(|error: rusqlite::Error| unusable(&self.path, &error))
    }
}

/// How long the file of the messages or of the keys is that begins with these bytes; `None` if neither begins so.
pub fn announced_length(begin: &[u8; 64]) -> Option<u64> {
    let slots = keys::announced_slots(begin);
    if let Some(slots) = slots {
        return Some((u64::from(slots) + 1) * SLOT as u64);
    }
    // https://www.sqlite.org/fileformat.html#the_database_header
    let pages = u32::from_be_bytes(*begin[28..].first_chunk()?);
    let page = match u16::from_be_bytes(*begin[16..].first_chunk()?) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    begin.starts_with(b"SQLite format 3\0").then_some(u64::from(pages) * page)
}

fn unusable(path: &Path, error: &rusqlite::Error) -> CopyError {
    let cause = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".into(),
        _ => error.to_string(),
    };
    CopyError::Unusable { path: path.into(), cause }
}
