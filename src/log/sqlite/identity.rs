//! The room's row in the file: its identity, its clock's beginning, and the newest sequence number.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension};

use crate::log::RoomIdentity;

/// The identity and the newest sequence number given; a new file gets a new identity.
pub(super) fn load_or_create(connection: &Connection) -> rusqlite::Result<(RoomIdentity, u64)> {
    load(connection)?.map_or_else(|| create(connection), Ok)
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
