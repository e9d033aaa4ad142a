//! A file from before messages were encrypted: its messages are encrypted, and nothing of the plaintext stays in it.
//!
//! Each step can be interrupted; the next start does it again.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use rusqlite::Connection;

use super::keys::KeyFile;
use super::schema::pragma;
use super::together::write_ahead_log;
use super::{rows, sealed};

/// `auto_vacuum` of a file that can give pages back in slices.
const INCREMENTAL: i64 = 2;

/// Encrypts the messages of such a file, and compacts a file that was made before it could shrink. Returns whether there were
/// messages to encrypt.
pub(super) fn adopt(connection: &mut Connection, path: &Path, keys: &mut KeyFile) -> rusqlite::Result<bool> {
    let plain: i64 =
        connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'plain'", [], |row| row.get(0))?;
    if plain > 0 {
        encrypt(connection, keys)?;
    }
    if pragma(connection, "auto_vacuum")? != INCREMENTAL {
        compact(connection, path)?;
    }
    Ok(plain > 0)
}

fn encrypt(connection: &mut Connection, keys: &mut KeyFile) -> rusqlite::Result<()> {
    let failed = |error: io::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let transaction = connection.transaction()?;
    let count: u32 = transaction.query_row("SELECT count(*) FROM plain", [], |row| row.get(0))?;
    keys.grow(count).map_err(failed)?;
    rows::plain(&transaction, |record| {
        let taken = keys.take().map_err(failed)?;
        let (id, key) = taken.ok_or_else(|| failed(io::Error::other("there are too few keys")))?;
        let sealed = sealed::seal(&key, &record).map_err(|error| failed(io::Error::other(error)))?;
        rows::insert(&transaction, &record, id, &sealed)
    })?;
    // `secure_delete` overwrites its pages with zeros.
    transaction.execute_batch("DROP TABLE plain")?;
    transaction.commit()
}

/// Makes the file anew, and overwrites the write-ahead log that was beside it.
fn compact(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    // SQLite only removes the file, which leaves what was in it on the disk. This handle keeps it for that long.
    let old_log = OpenOptions::new().write(true).open(write_ahead_log(path)).ok();
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    if let Some(mut old_log) = old_log {
        let overwritten = old_log.metadata().and_then(|data| {
            io::copy(&mut io::Read::take(io::repeat(0), data.len()), &mut old_log)?;
            old_log.flush()?;
            old_log.sync_data()
        });
        overwritten.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    }
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}
