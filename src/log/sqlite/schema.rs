//! The file's schema: recognised, checked, migrated.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// SQLite's `application_id` (at byte 68 of the file): "onrm".
const APPLICATION_ID: i64 = 0x6f6e_726d;

/// The migrations, each from one version of the schema to the next; the file's `user_version` counts them.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE room (
        epoch TEXT NOT NULL,
        secret BLOB NOT NULL,
        opened INTEGER NOT NULL, -- Unix time, in seconds
        head INTEGER NOT NULL    -- the newest sequence number given
    ) STRICT;
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,     -- seconds on the room's own clock
        guest INTEGER NOT NULL,
        name TEXT NOT NULL,
        id TEXT NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (guest, id)
    ) STRICT;
"];

/// What an acknowledged message survives: SQLite's `synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// A loss of power: each transaction waits for the disk.
    #[default]
    Full,
    /// The end of the process. The messages of the last moments before a loss of power may be missing.
    Normal,
}

/// Why a log file cannot be used. It is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Not an SQLite file, or not one of this program's.
    #[error(
        "The file {} is not a message log of this program. Move it away, or choose another directory with --data-dir.",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite finds it damaged.
    #[error(
        "The message log {} is damaged ({what}). It was not changed. Move it away to begin with an empty room, or put \
         a backup in its place.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// Made by a newer version of this program.
    #[error(
        "The message log {} was made by a newer version of this program (its format is {found}, known are up to \
         {known}). Use that version, or choose another directory with --data-dir.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The newest known version.
        known: usize,
    },
    /// Another process has it open.
    #[error(
        "The message log {} is in use by another process. Close the other room, or choose another directory with \
         --data-dir.",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error(
        "The message log {} cannot be used: {cause}. Mend that, choose another directory with --data-dir, or use \
         --ephemeral for a room that keeps nothing.",
        path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        cause: String,
    },
}

/// Opens or creates the file, for this process alone.
pub(super) fn open(path: &Path, synchronous: Synchronous) -> Result<Connection, SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let interrupted = write_ahead_log(path).exists();
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // For this process alone, and at once: without the mode the lock would end with the transaction.
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;").map_err(failed)?;
    // A refused file is left as it was, with the write-ahead log that a killed process left beside it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, interrupted).map_err(failed)?;
    recognise(&connection, path)?;
    version(&connection, path, MIGRATIONS)?;
    check(&connection, path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    let synchronous = match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA secure_delete = ON;
             PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
        ))
        .map_err(failed)?;
    migrate(&mut connection, path, MIGRATIONS)?;
    Ok(connection)
}

/// Where SQLite keeps what is not in the file yet (https://www.sqlite.org/wal.html).
fn write_ahead_log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Refuses a file that has content and is not this program's.
fn recognise(connection: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let version = pragma(connection, "user_version").map_err(failed)?;
    let application = pragma(connection, "application_id").map_err(failed)?;
    let empty = tables == 0 && version == 0 && application == 0;
    if empty || application == APPLICATION_ID {
        Ok(())
    } else {
        Err(SqliteOpenError::Foreign { path: path.into() })
    }
}

fn check(connection: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| explain(path, &error))?;
    if found == "ok" {
        return Ok(());
    }
    // SQLite heads what it found with the name of the database, which is always the same here.
    let what: Vec<&str> = found.lines().filter(|line| !line.starts_with("***")).collect();
    Err(SqliteOpenError::Damaged { path: path.into(), what: what.join("; ") })
}

/// Brings the schema up to date, each version in a transaction of its own.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let done = version(connection, path, migrations)?;
    for (before, migration) in migrations.iter().enumerate().skip(done) {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(migration).map_err(failed)?;
        transaction
            .execute_batch(&format!(
                "PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION_ID};",
                before + 1
            ))
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// How many of the migrations the file has been through.
fn version(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<usize, SqliteOpenError> {
    let found = pragma(connection, "user_version").map_err(|error| explain(path, &error))?;
    match usize::try_from(found) {
        Ok(done) if done <= migrations.len() => Ok(done),
        _ => Err(SqliteOpenError::Newer { path: path.into(), found, known: migrations.len() }),
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// SQLite's error as what it means for opening a room.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> SqliteOpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => SqliteOpenError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => SqliteOpenError::Damaged { path, what: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqliteOpenError::InUse { path },
        _ => SqliteOpenError::Unusable { path, cause: error.to_string() },
    }
}
