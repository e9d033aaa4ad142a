//! The log's file, as the writer thread uses it.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::schema::{self, SqliteOpenError, Synchronous};
use crate::log::dedup::DedupWindow;
use crate::log::{Appended, DEDUP_WINDOW, Entry, LogError, Retention, RoomIdentity, Span};
use crate::protocol::{GuestId, Message, MessageId, Name};

/// The open file, and what is cached of it.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    retention: Retention,
    identity: RoomIdentity,
    opened: Instant,
    head: u64,
    dedup: DedupWindow,
}

impl Store {
    pub(super) fn open(
        path: &Path,
        retention: Retention,
        synchronous: Synchronous,
    ) -> Result<Self, SqliteOpenError> {
        let connection = schema::open(path, synchronous)?;
        let (identity, head) = load(&connection)
            .and_then(|loaded| loaded.map_or_else(|| create(&connection), Ok))
            .map_err(|error| schema::explain(path, &error))?;
        let dedup = load_dedup(&connection).map_err(|error| schema::explain(path, &error))?;
        let mut store = Self { connection, retention, identity, opened: Instant::now(), head, dedup };
        store
            .trim(store.clock())
            .map_err(|error| SqliteOpenError::Unusable { path: path.into(), cause: error.0 })?;
        Ok(store)
    }

    pub(super) fn identity(&self) -> RoomIdentity {
        RoomIdentity { clock: self.clock(), ..self.identity.clone() }
    }

    /// The room's clock, computed as the actor does, from the same start.
    fn clock(&self) -> u64 {
        self.identity.clock + self.opened.elapsed().as_secs()
    }

    /// Appends in one transaction; when it fails nothing was appended.
    pub(super) fn append(&mut self, entries: Vec<Entry>) -> Result<Vec<Appended>, LogError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        let mut appended = Vec::with_capacity(entries.len());
        let mut head = self.head;
        for entry in entries {
            let duplicate = find(&transaction, &entry).map_err(failed)?.or_else(|| {
                let new = |appended: &Appended| match appended {
                    Appended::New(new) if new.guest == entry.guest && new.id == entry.id => Some(new.seq),
                    _ => None,
                };
                self.dedup.find(entry.guest, &entry.id).or_else(|| appended.iter().find_map(new))
            });
            if let Some(seq) = duplicate {
                appended.push(Appended::Duplicate(seq));
                continue;
            }
            head += 1;
            let message = entry.numbered(head);
            if self.retention.messages > 0 {
                insert(&transaction, &message).map_err(failed)?;
            }
            appended.push(Appended::New(message));
        }
        transaction.execute("UPDATE room SET head = ?1", [head as i64]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.head = head;
        for message in appended.iter().filter_map(Appended::message) {
            self.dedup.insert(message.guest, message.id.clone(), message.seq);
        }
        Ok(appended)
    }

    pub(super) fn read(&self, after: u64, limit: usize) -> Result<Vec<Message>, LogError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT seq, at, guest, name, id, text FROM messages
                 WHERE seq > max(:after, :oldest - 1) AND at >= :since ORDER BY seq LIMIT :limit",
            )
            .map_err(failed)?;
        let parameters = named_params! {
            ":after": number(after),
            ":oldest": number(self.oldest_allowed()),
            ":since": number(self.retention.since(self.clock())),
            ":limit": number(limit as u64),
        };
        let rows = statement.query_map(parameters, message).map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    pub(super) fn span(&self) -> Result<Span, LogError> {
        let first = self.read(0, 1)?.first().map_or(self.head + 1, |message| message.seq);
        Ok(Span { first, head: self.head })
    }

    /// Deletes, overwrites and empties the write-ahead log, so that the text is in none of the files.
    pub(super) fn trim(&mut self, clock: u64) -> Result<(), LogError> {
        let deleted = self
            .connection
            .execute(
                "DELETE FROM messages WHERE seq < ?1 OR at < ?2",
                [number(self.oldest_allowed()), number(self.retention.since(clock))],
            )
            .map_err(failed)?;
        if deleted > 0 {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
        }
        Ok(())
    }

    /// The oldest sequence number that the limit on their count allows.
    fn oldest_allowed(&self) -> u64 {
        (self.head + 1).saturating_sub(self.retention.messages as u64)
    }

    pub(super) fn close(self) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the message log was not closed in good order; nothing is lost");
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// SQLite's integers have a sign; nothing here comes near its end.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn find(connection: &Connection, entry: &Entry) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT seq FROM messages WHERE guest = ?1 AND id = ?2")?
        .query_row((number(entry.guest.0), entry.id.as_str()), |row| row.get::<_, i64>(0))
        .optional()
        .map(|seq| seq.map(i64::unsigned_abs))
}

fn insert(connection: &Connection, message: &Message) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO messages (seq, at, guest, name, id, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            number(message.seq),
            number(message.at),
            number(message.guest.0),
            message.name.as_str(),
            message.id.as_str(),
            &message.text,
        ))
        .map(drop)
}

/// A value that this program does not write: the file was changed by another.
fn foreign(index: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, what.to_owned().into())
}

fn message_id(row: &Row<'_>, index: usize) -> rusqlite::Result<MessageId> {
    MessageId::parse(&row.get::<_, String>(index)?).map_err(|_| foreign(index, "not an id"))
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
    Ok(Message {
        seq: count(0)?,
        at: count(1)?,
        guest: GuestId(count(2)?),
        name: Name::parse(&row.get::<_, String>(3)?).map_err(|_| foreign(3, "not a name"))?,
        id: message_id(row, 4)?,
        text: row.get(5)?,
    })
}

/// The newest ids of the kept messages: they are recognised for as long as the log is open, even once trimmed.
fn load_dedup(connection: &Connection) -> rusqlite::Result<DedupWindow> {
    let mut dedup = DedupWindow::new(DEDUP_WINDOW);
    let mut statement = connection.prepare(
        "SELECT guest, id, seq FROM (SELECT * FROM messages ORDER BY seq DESC LIMIT ?1) ORDER BY seq",
    )?;
    let mut rows = statement.query([number(DEDUP_WINDOW as u64)])?;
    while let Some(row) = rows.next()? {
        let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        dedup.insert(GuestId(count(0)?), message_id(row, 1)?, count(2)?);
    }
    Ok(dedup)
}

fn load(connection: &Connection) -> rusqlite::Result<Option<(RoomIdentity, u64)>> {
    // The room's clock does not go back, however the wall clock was set meanwhile.
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(at), 0) FROM messages", [], |row| row.get(0))?;
    connection
        .query_row("SELECT epoch, secret, opened, head FROM room", [], |row| {
            let clock = wall_clock().saturating_sub(row.get::<_, i64>(2)?).max(newest).max(0).unsigned_abs();
            Ok((
                RoomIdentity { epoch: row.get(0)?, secret: row.get(1)?, clock },
                row.get::<_, i64>(3)?.unsigned_abs(),
            ))
        })
        .optional()
}

fn create(connection: &Connection) -> rusqlite::Result<(RoomIdentity, u64)> {
    let identity =
        RoomIdentity::fresh().map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute(
        "INSERT INTO room (epoch, secret, opened, head) VALUES (?1, ?2, ?3, 0)",
        (&identity.epoch, &identity.secret, wall_clock()),
    )?;
    Ok((identity, 0))
}

fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> LogError {
    LogError(match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            "the disk is full; make room on it and the room goes on".into()
        }
        _ => format!("the message log cannot be used: {error}"),
    })
}
