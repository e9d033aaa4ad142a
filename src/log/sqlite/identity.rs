//! The room's row in the file: its identity, its clock's beginning, and the newest sequence number.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension};

use crate::log::RoomIdentity;

/// By how much the room's clock may come to differ from the wall clock between two trims, in seconds.
const CLOCK_DEVIATION: u64 = 86_400;

/// What the file keeps of the room's clock: its rate is not the wall clock's, and it goes on from what it last showed.
#[derive(Debug)]
pub(super) struct RoomClock {
    /// When the room was opened first by the wall clock, if the room's clock had gone as that does; Unix time, in seconds.
    opened: i64,
}

impl RoomClock {
    /// Keeps what the room's clock shows. Returns whether it was kept: what differs by a day is no matter of rates, but
    /// the wall clock was set.
    pub(super) fn keep(&mut self, connection: &Connection, clock: u64) -> rusqlite::Result<bool> {
        let opened = wall_clock().saturating_sub(i64::try_from(clock).unwrap_or(i64::MAX));
        if opened.abs_diff(self.opened) > CLOCK_DEVIATION {
            return Ok(false);
        }
        if opened != self.opened {
            connection.execute("UPDATE room SET opened = ?1", [opened])?;
            self.opened = opened;
        }
        Ok(true)
    }
}

/// The room's row: what [`load_or_create`] finds or makes.
type Loaded = (RoomIdentity, RoomClock, u64);

/// The identity, the clock and the newest sequence number given; a new file gets a new identity.
pub(super) fn load_or_create(connection: &Connection) -> rusqlite::Result<Loaded> {
    load(connection)?.map_or_else(|| create(connection), Ok)
}

fn load(connection: &Connection) -> rusqlite::Result<Option<Loaded>> {
    // The room's clock does not go back, however the wall clock was set meanwhile.
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(at), 0) FROM messages", [], |row| row.get(0))?;
    connection
        .query_row("SELECT epoch, secret, opened, head FROM room", [], |row| {
            let opened = row.get(2)?;
            let clock = wall_clock().saturating_sub(opened).max(newest).max(0).unsigned_abs();
            Ok((
                RoomIdentity { epoch: row.get(0)?, secret: row.get::<_, [u8; 32]>(1)?.into(), clock },
                RoomClock { opened },
                row.get::<_, i64>(3)?.unsigned_abs(),
            ))
        })
        .optional()
}

fn create(connection: &Connection) -> rusqlite::Result<Loaded> {
    let identity =
        RoomIdentity::fresh().map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let opened = wall_clock();
    connection.execute(
        "INSERT INTO room (epoch, secret, opened, head) VALUES (?1, ?2, ?3, 0)",
        (&identity.epoch, &identity.secret[..], opened),
    )?;
    Ok((identity, RoomClock { opened }, 0))
}

fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
