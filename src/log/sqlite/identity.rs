//! The room's row in the file: its identity, its clock's beginning, and the newest sequence number; and its epochs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row};
use zeroize::Zeroizing;

use super::rows::number;
use crate::log::{CLOCK_DEVIATION, RoomIdentity};
use crate::protocol::epochs::{Epoch, Epochs};

/// How many epochs are kept, one for each start. A guest whose cursor is of an older one gets everything that is kept.
const EPOCHS_MAX: i64 = 1024;

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

/// The room's row as it is in the file.
pub(super) struct RoomRow {
    secret: Zeroizing<[u8; 32]>,
    opened: i64,
    /// The newest sequence number given.
    pub(super) head: u64,
}

impl RoomRow {
    /// The row; `None` in a file that is new.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let row = |row: &Row<'_>| {
            let secret = row.get::<_, [u8; 32]>(0)?.into();
            Ok(Self { secret, opened: row.get(1)?, head: row.get::<_, i64>(2)?.unsigned_abs() })
        };
        connection.query_row("SELECT secret, opened, head FROM room", [], row).optional()
    }

    fn create(connection: &Connection) -> rusqlite::Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut secret[..]).map_err(no_randomness)?;
        let opened = wall_clock();
        let row = ("", &secret[..], opened);
        connection.execute("INSERT INTO room (epoch, secret, opened, head) VALUES (?1, ?2, ?3, 0)", row)?;
        Ok(Self { secret, opened, head: 0 })
    }
}

/// What is known of the room when its log is opened.
pub(super) struct Opened {
    pub(super) identity: RoomIdentity,
    pub(super) room_clock: RoomClock,
    /// The newest sequence number given.
    pub(super) head: u64,
}

/// The identity, the clock and the newest sequence number given, in a new epoch of this name; a new file gets a new
/// identity. `newest` is the time of the newest message, in seconds on the room's clock.
pub(super) fn begin_epoch(
    connection: &mut Connection,
    name: String,
    newest: u64,
) -> rusqlite::Result<Opened> {
    let transaction = connection.transaction()?;
    let RoomRow { secret, opened, head } = match RoomRow::load(&transaction)? {
        Some(row) => row,
        None => RoomRow::create(&transaction)?,
    };
    let earlier = epochs(&transaction)?;
    let present = Epoch { name, first: head + 1 };
    transaction.execute("UPDATE room SET epoch = ?1", [&present.name])?;
    transaction.execute(
        "INSERT INTO epochs (name, first) VALUES (?1, ?2)",
        (&present.name, number(present.first)),
    )?;
    transaction
        .execute("DELETE FROM epochs WHERE number <= (SELECT max(number) FROM epochs) - ?1", [EPOCHS_MAX])?;
    transaction.commit()?;
    // The room's clock does not go back, however the wall clock was set meanwhile.
    let clock = wall_clock().saturating_sub(opened).max(0).unsigned_abs().max(newest);
    let identity = RoomIdentity { epochs: Arc::new(Epochs::new(earlier, present)), secret, clock };
    Ok(Opened { identity, room_clock: RoomClock { opened }, head })
}

/// The epoch in which the file was last opened; `None` in a file that is new.
pub(super) fn present_epoch(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT epoch FROM room", [], |row| row.get(0)).optional()
}

/// The epochs in the file, oldest first.
pub(super) fn epochs(connection: &Connection) -> rusqlite::Result<Vec<Epoch>> {
    let mut statement = connection.prepare("SELECT name, first FROM epochs ORDER BY number")?;
    let rows = statement.query_map([], |row| {
        Ok(Epoch { name: row.get(0)?, first: row.get::<_, i64>(1)?.unsigned_abs().max(1) })
    })?;
    rows.collect()
}

fn no_randomness(error: getrandom::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
