//! The room's state in the file: one row, sealed as the entries are, and written in the transaction of each entry that
//! changes it. So however much is trimmed, and whenever the process is killed, the state is that after the newest entry.

use rusqlite::{Connection, OptionalExtension};

use super::error::{failed, keys_failed, no_keys};
use super::keys::{KeyFile, KeyId};
use super::rows::number;
use super::sealed;
use crate::log::{LogError, RoomState};

/// The row.
pub(super) struct StateRow {
    seq: u64,
    pub(super) key: KeyId,
    sealed: Vec<u8>,
}

/// The state, with the slot of the key that it is sealed with.
#[derive(Debug, Clone)]
pub(super) struct KeptState {
    pub(super) state: RoomState,
    pub(super) slot: u32,
}

impl StateRow {
    /// Reads it; `None` in a file that has none yet.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .query_row("SELECT seq, slot, key, sealed FROM state", [], |row| {
                Ok(Self {
                    seq: row.get::<_, i64>(0)?.unsigned_abs(),
                    key: KeyId { slot: row.get(1)?, id: row.get(2)? },
                    sealed: row.get(3)?,
                })
            })
            .optional()
    }

    /// Decrypts it; `None` if its key was erased or is another room's.
    pub(super) fn open(&self, keys: &mut KeyFile) -> std::io::Result<Option<KeptState>> {
        let Some(key) = keys.get(self.key)? else { return Ok(None) };
        let state = sealed::open_state(&key, self.seq, &self.sealed);
        let state = state.and_then(|state| RoomState::decode(&state));
        Ok(state.map(|state| KeptState { state, slot: self.key.slot }))
    }
}

/// Writes the state after the entry `seq`, with a key of its own, which is noted among those that were `taken`. Returns its
/// slot.
///
/// # Errors
/// There is no key ready, or the file cannot be written.
pub(super) fn save(
    connection: &Connection,
    keys: &mut KeyFile,
    taken: &mut Vec<u32>,
    seq: u64,
    state: &RoomState,
) -> Result<u32, LogError> {
    let (id, key) = keys.take().map_err(keys_failed)?.ok_or_else(no_keys)?;
    taken.push(id.slot);
    let sealed =
        sealed::seal_state(&key, seq, &state.encode()).map_err(|error| LogError(error.to_string()))?;
    connection.execute("DELETE FROM state", []).map_err(failed)?;
    connection
        .execute(
            "INSERT INTO state (seq, slot, key, sealed) VALUES (?1, ?2, ?3, ?4)",
            (number(seq), id.slot, id.id, sealed),
        )
        .map_err(failed)?;
    Ok(id.slot)
}
