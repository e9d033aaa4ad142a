//! The rows of the file: one entry each, its body sealed.

use rusqlite::{Connection, OptionalExtension, Row};

use super::keys::KeyId;
use super::sealed::{SealedRow, counted};
use crate::log::index::Facts;
use crate::log::{Entry, Erase};
use crate::protocol::record::{ACT, SAID};
use crate::protocol::{Body, GuestId, MessageId, Name, Record};

/// SQLite's integers have a sign; nothing here comes near its end.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::unsigned_abs)
}

/// A value that this program does not write: the file was changed by another.
fn foreign(index: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, what.to_owned().into())
}

/// Whether a value in the file is not what this program writes.
pub(super) fn is_foreign(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};

    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}

fn message_id(row: &Row<'_>, index: usize) -> rusqlite::Result<MessageId> {
    MessageId::parse(&row.get::<_, String>(index)?).map_err(|_| foreign(index, "not an id"))
}

/// The sequence number of the row with this entry's author and id.
pub(super) fn find(connection: &Connection, entry: &Entry) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT seq FROM messages WHERE guest = ?1 AND id = ?2")?
        .query_row((number(entry.author.0), entry.id.as_str()), |row| count(row, 0))
        .optional()
}

/// Inserts an entry that was sealed with this key.
pub(super) fn insert(
    connection: &Connection,
    record: &Record,
    key: KeyId,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO messages (seq, at, guest, id, kind, slot, key, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            number(record.seq),
            number(record.at),
            number(record.author.0),
            record.id.as_str(),
            record.body.kind(),
            key.slot,
            key.id,
            sealed,
        ))
        .map(drop)
}

/// Whether a row is at fault, and not the file.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    is_foreign(error) || error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
}

/// The row with this sequence number.
pub(super) fn read(connection: &Connection, seq: u64) -> rusqlite::Result<Option<SealedRow>> {
    connection
        .prepare_cached("SELECT seq, at, guest, id, kind, slot, key, sealed FROM messages WHERE seq = ?1")?
        .query_row([number(seq)], sealed_row)
        .optional()
}

fn sealed_row(row: &Row<'_>) -> rusqlite::Result<SealedRow> {
    Ok(SealedRow {
        seq: count(row, 0)?,
        at: count(row, 1)?,
        author: GuestId(count(row, 2)?),
        id: message_id(row, 3)?,
        kind: row.get(4)?,
        key: KeyId { slot: row.get(5)?, id: row.get(6)? },
        sealed: row.get(7)?,
    })
}

/// Rows that follow each other.
pub(super) struct Run {
    /// The rows, newest first.
    pub(super) rows: Vec<SealedRow>,
    /// The oldest of them.
    pub(super) first: u64,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

/// The newest rows with `after` < `seq` < `before`, until they have so many bytes.
pub(super) fn newest_between(
    connection: &Connection,
    after: u64,
    before: u64,
    bytes_max: usize,
) -> rusqlite::Result<Run> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, guest, id, kind, slot, key, sealed FROM messages WHERE seq > ?1 AND seq < ?2
         ORDER BY seq DESC",
    )?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut rows = statement.query((number(after), number(before)))?;
    while let Some(row) = rows.next()? {
        let row = sealed_row(row)?;
        bytes += row.sealed.len();
        let first = row.seq;
        found.push(row);
        if bytes >= bytes_max {
            return Ok(Run { rows: found, first, is_whole: false });
        }
    }
    let first = found.last().map_or(before, |row| row.seq);
    Ok(Run { rows: found, first, is_whole: true })
}

/// Deletes these rows in one transaction, and returns the slots of their keys.
pub(super) fn delete(connection: &mut Connection, seqs: &[u64]) -> rusqlite::Result<Vec<u32>> {
    let transaction = connection.transaction()?;
    let mut slots = Vec::with_capacity(seqs.len());
    {
        let mut statement =
            transaction.prepare_cached("DELETE FROM messages WHERE seq = ?1 RETURNING slot")?;
        for seq in seqs {
            let mut rows = statement.query([number(*seq)])?;
            while let Some(row) = rows.next()? {
                slots.push(row.get(0)?);
            }
        }
    }
    transaction.commit()?;
    Ok(slots)
}

/// Deletes the rows of what an act erases, and adds the slots of their keys. That the pins are acts and the others are
/// messages is looked at here, too: another entry is not lost, whatever numbers there are.
pub(super) fn erase(connection: &Connection, erase: &Erase, slots: &mut Vec<u32>) -> rusqlite::Result<()> {
    let mut by_number = connection.prepare_cached(
        "DELETE FROM messages WHERE seq = ?1 AND kind IN (?2, ?3, ?4, ?5, ?6, ?7) RETURNING slot",
    )?;
    let messages = erase.messages.iter().map(|seq| (seq, SAID));
    for (seq, [a, b, c, d, e, f]) in messages.chain(erase.acts().map(|seq| (seq, [ACT; SAID.len()]))) {
        let mut rows = by_number.query((number(*seq), a, b, c, d, e, f))?;
        while let Some(row) = rows.next()? {
            slots.push(row.get(0)?);
        }
    }
    if let Some(author) = erase.by {
        let mut by_author = connection.prepare_cached(
            "DELETE FROM messages WHERE guest = ?1 AND seq < ?2 AND kind IN (?3, ?4, ?5, ?6, ?7, ?8) RETURNING slot",
        )?;
        let [a, b, c, d, e, f] = SAID;
        let mut rows = by_author.query((number(author.0), number(erase.before), a, b, c, d, e, f))?;
        while let Some(row) = rows.next()? {
            slots.push(row.get(0)?);
        }
    }
    Ok(())
}

/// What the index needs to know of all rows, oldest first. `kinds` is whether the file has kinds yet.
pub(super) fn facts(connection: &Connection, kinds: bool) -> rusqlite::Result<Vec<(u64, Facts, KeyId)>> {
    let kind = if kinds { "kind" } else { "'message'" };
    let mut statement = connection.prepare(&format!(
        "SELECT seq, at, guest, slot, key, length(sealed), {kind} FROM messages ORDER BY seq"
    ))?;
    let rows = statement.query_map([], |row| {
        let sealed = usize::try_from(count(row, 5)?).unwrap_or(usize::MAX);
        // What is no text is the name of no kind; that row is passed over when it is read.
        let kind = row.get_ref(6)?.as_str().unwrap_or_default();
        let bytes = u32::try_from(counted(kind, sealed)).unwrap_or(u32::MAX);
        let facts = Facts {
            guest: GuestId(count(row, 2)?),
            at: count(row, 1)?,
            bytes,
            message: SAID.contains(&kind),
        };
        Ok((count(row, 0)?, facts, KeyId { slot: row.get(3)?, id: row.get(4)? }))
    })?;
    rows.collect()
}

/// The newest ids, at most `limit`, oldest first. One that is none is passed over.
pub(super) fn newest_ids(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<(GuestId, MessageId, u64)>> {
    let mut statement = connection.prepare(
        "SELECT guest, id, seq FROM (SELECT * FROM messages ORDER BY seq DESC LIMIT ?1) ORDER BY seq",
    )?;
    let rows = statement.query_map([number(limit as u64)], |row| {
        Ok((GuestId(count(row, 0)?), message_id(row, 1)?, count(row, 2)?))
    })?;
    rows.filter(|row| !row.as_ref().is_err_and(is_foreign)).collect()
}

/// Calls `each` with the messages of a file from before they were encrypted, oldest first.
pub(super) fn plain(
    connection: &Connection,
    mut each: impl FnMut(Record) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT seq, at, guest, name, id, text FROM plain ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = Name::from_stored(row.get(3)?).ok_or_else(|| foreign(3, "not a name"))?;
        let (seq, at, author) = (count(row, 0)?, count(row, 1)?, GuestId(count(row, 2)?));
        let body = Body::Message { name, text: row.get(5)? };
        each(Record { seq, at, author, id: message_id(row, 4)?, body })?;
    }
    Ok(())
}
