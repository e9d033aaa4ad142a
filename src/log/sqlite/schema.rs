//! The file's schema: recognised, checked, migrated.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{SqliteOpenError, explain};
use super::together::write_ahead_log;

/// SQLite's `application_id` (at byte 68 of the file): "onrm".
const APPLICATION_ID: i64 = 0x6f6e_726d;

/// The migrations, each from one version of the schema to the next; the file's `user_version` counts them.
pub(super) const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    -- `adopt` encrypts these into the new table, and drops this one.
    ALTER TABLE messages RENAME TO plain;
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        guest INTEGER NOT NULL,
        id TEXT NOT NULL,
        slot INTEGER NOT NULL,   -- where the key is in the file of the keys
        key INTEGER NOT NULL,    -- the key's identifier there
        sealed BLOB NOT NULL,    -- name and text, encrypted
        UNIQUE (guest, id)
    ) STRICT;
",
    "
    CREATE TABLE epochs (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        first INTEGER NOT NULL   -- the first sequence number that it gives
    ) STRICT;
    -- The row of the room keeps the name of the present epoch.
    INSERT INTO epochs SELECT 1, epoch, 1 FROM room;
",
    "
    -- The table keeps its name: messages were the first kind of entry.
    ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'message';
    CREATE TABLE state (         -- of the room: one row, or none yet
        seq INTEGER PRIMARY KEY, -- of the last entry that it takes account of
        slot INTEGER NOT NULL,
        key INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
",
];

/// The version from which on messages are encrypted.
pub(super) const ENCRYPTED: usize = 2;

/// The version from which on the file has epochs.
pub(super) const EPOCHS: usize = 3;

/// The version from which on entries have a kind, and the file has the room's state.
pub(super) const KINDS: usize = 4;

/// What an acknowledged message survives: SQLite's `synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// A loss of power: each transaction waits for the disk.
    #[default]
    Full,
    /// The end of the process. The messages of the last moments before a loss of power may be missing.
    Normal,
}

/// Opens or creates the file, for this process alone, checks it and changes nothing yet. Returns with it how many of the
/// migrations it has been through.
/// `watch` sees the connection before anything is done with it.
pub(super) fn open(
    path: &Path,
    watch: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(Connection, usize), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let interrupted = write_ahead_log(path).exists();
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    watch(&connection).map_err(failed)?;
    // A refused file is left as it was, with the write-ahead log that a killed process left beside it: a checkpoint,
    // even of nothing, would fill up a file that was cut off.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    // For this process alone, and at once: without the mode the lock would end with the transaction. Rolled back, because
    // SQLite corrects the size of the file in its header as soon as it may write.
    let locked = connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK;");
    let checked = (locked.map_err(failed))
        .and_then(|()| recognise(&connection, path))
        .and_then(|()| version(&connection, path, MIGRATIONS))
        .and_then(|version| has_its_tables(&connection, path, version).map(|()| version))
        .and_then(|version| check(&connection, path).map(|()| version));
    if checked.as_ref().is_err_and(|error| !matches!(error, SqliteOpenError::InUse { .. })) && !interrupted {
        // Empty, and made by opening the file; nothing else would remove it now.
        let _ = std::fs::remove_file(write_ahead_log(path));
    }
    let version = checked?;
    // Nothing is wrong with the file: closing it may remove its write-ahead log, if it was not there before.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, interrupted).map_err(failed)?;
    Ok((connection, version))
}

/// Makes a file that was checked ready for use, with the newest schema.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    synchronous: Synchronous,
) -> Result<(), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    let synchronous = match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    // The first has an effect on a new file only; `adopt` has an old one made anew for it.
    connection
        .execute_batch(&format!(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
             PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;"
        ))
        .map_err(failed)?;
    migrate(connection, path, MIGRATIONS)
}

/// Refuses a file that has content and is not this program's.
fn recognise(connection: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let version = pragma(connection, "user_version").map_err(failed)?;
    let application = pragma(connection, "application_id").map_err(failed)?;
    // Both numbers are set together with the tables, so a log without a version is none.
    let empty = tables == 0 && version == 0 && application == 0;
    match empty {
        true => Ok(()),
        false if application == APPLICATION_ID && version != 0 => Ok(()),
        false => Err(SqliteOpenError::Foreign { path: path.into() }),
    }
}

/// Refuses a file that has other tables than its version of a log: it would be changed before that is noticed.
fn has_its_tables(connection: &Connection, path: &Path, version: usize) -> Result<(), SqliteOpenError> {
    let failed = |error| explain(path, &error);
    if version == 0 {
        return Ok(());
    }
    let mut model = Connection::open_in_memory().map_err(failed)?;
    migrate(&mut model, path, &MIGRATIONS[..version])?;
    if columns(connection).map_err(failed)? != columns(&model).map_err(failed)? {
        return Err(SqliteOpenError::Foreign { path: path.into() });
    }
    Ok(())
}

/// A column: the table's name, its own and its type, whether it may be NULL, and its place in the primary key.
type Column = (String, String, String, i64, i64);

/// The columns of all tables, and how many views and triggers there are. `plain` may be there or not: a migration that
/// was interrupted leaves it.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<Column>> {
    let mut statement = connection.prepare(
        "SELECT tables.name, columns.name, columns.type, columns.\"notnull\", columns.pk
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name != 'plain'
         UNION ALL SELECT '', name, type, 0, 0 FROM sqlite_schema WHERE type IN ('view', 'trigger')
         ORDER BY 1, 2",
    )?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    rows.collect()
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

/// A number that SQLite keeps of the file, such as `user_version`.
pub(super) fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}
