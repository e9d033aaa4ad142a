//! The names of what a room has in its data directory, apart from the lock.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use crate::config::is_room_name;

/// The message log's file.
pub(super) const LOG_FILE: &str = "messages.sqlite";

/// The file of the log's keys.
pub(super) const KEYS_FILE: &str = "messages.keys";

/// The mark of the log.
pub(super) const MARK_FILE: &str = "messages.state";

/// What belongs to the log, in the order in which it is moved away: the file last, since without it the others are of no
/// log.
pub(super) const LOG_FILES: [&str; 4] = ["messages.sqlite-wal", MARK_FILE, KEYS_FILE, LOG_FILE];

/// When a host has confirmed the room last.
pub(super) const CONFIRMED_FILE: &str = "confirmed";

/// The same while it is written.
pub(super) const NEW_CONFIRMED_FILE: &str = "confirmed.new";

/// What SQLite has beside the log's file, apart from the write-ahead log.
pub(super) const BESIDE: [&str; 2] = ["messages.sqlite-shm", "messages.sqlite-journal"];

/// All files of a log, that of its keys first: without it nothing in the others can be read.
pub(super) fn room_files() -> impl Iterator<Item = &'static str> {
    let others = LOG_FILES.into_iter().filter(|name| *name != KEYS_FILE);
    std::iter::once(KEYS_FILE).chain(others).chain(BESIDE)
}

/// Where the key of the address is. The directory of relays beside it is downloaded again.
pub(super) const ADDRESS: &str = "tor/state";

/// Where a restore makes the copy of a backup.
pub(super) const COPY: &str = "restoring";

/// What the copy is called while it is put in place. Until then nothing was changed.
pub(super) const EXCHANGE: &str = "exchanging";

/// Where a key is made that is imported.
pub(super) const KEY_COPY: &str = "importing";

/// What that is called while it is put in place.
pub(super) const KEY_EXCHANGE: &str = "exchanging-key";

/// Where a backup of the room is made.
pub(super) const BACKING_UP: &str = "backing-up";

/// Where what a restore replaces goes, in directories `1`, `2` and so on.
pub(super) const REPLACED: &str = "replaced";

/// The key of the local room.
pub(super) const LOCAL_KEY_FILE: &str = "local-key";

/// The Unix socket of the local room.
#[cfg(unix)]
pub(super) const SOCKET_FILE: &str = "room.sock";

/// Where the other rooms have their logs, each in a directory of its name.
pub(super) const ROOMS: &str = "rooms";

/// The list of the other rooms that are not in the configuration file.
pub(super) const ROOMS_FILE: &str = "rooms.json";

/// The list while it is written.
pub(super) const NEW_ROOMS_FILE: &str = "rooms.json.new";

/// The directories of the other rooms below `place`, which has what a data directory has. Links lead nowhere.
pub(super) fn other_rooms(place: &Path) -> Vec<PathBuf> {
    let rooms = place.join(ROOMS);
    if rooms.is_symlink() {
        return Vec::new();
    }
    let entries = std::fs::read_dir(rooms).into_iter().flatten().flatten();
    let directory = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let named = |entry: &DirEntry| entry.file_name().to_str().is_some_and(is_room_name);
    let mut found: Vec<_> =
        entries.filter(|entry| directory(entry) && named(entry)).map(|entry| entry.path()).collect();
    found.sort();
    found
}
