//! The names of what a room has in its data directory, apart from the lock.

/// The message log's file.
pub(super) const LOG_FILE: &str = "messages.sqlite";

/// The file of the log's keys.
pub(super) const KEYS_FILE: &str = "messages.keys";

/// What belongs to the log, in the order in which it is moved away: the file last, since without it the others are of no
/// log.
pub(super) const LOG_FILES: [&str; 4] = ["messages.sqlite-wal", "messages.state", KEYS_FILE, LOG_FILE];

/// When a host has confirmed the room last.
pub(super) const CONFIRMED_FILE: &str = "confirmed";

/// The same while it is written.
pub(super) const NEW_CONFIRMED_FILE: &str = "confirmed.new";

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
