//! Opens a log's files: looks at all of them first, and changes none unless they belong together.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::adopt::adopt;
use super::error::{SqliteOpenError, explain};
use super::identity::{self, Opened, RoomRow};
use super::keys::{Found, KeyFile, KeyId};
use super::mark::{self, Mark, MarkFile, State, fingerprint};
use super::progress::{Opening, OpeningStep};
use super::rows;
use super::schema::{self, ENCRYPTED, EPOCHS, KINDS, Synchronous};
use super::state::StateRow;
use super::store::{Parts, Store};
use super::together;
use super::view::View;
use crate::log::dedup::DedupWindow;
use crate::log::index::{Facts, MessageIndex};
use crate::log::{DEDUP_WINDOW, Retention, epoch_name};

/// How many of SQLite's instructions are run before it is looked whether opening was called off.
const INSTRUCTIONS: i32 = 10_000;

/// How long a log that is opened erases at most before anything can be said; the rest is erased meanwhile.
const ERASE_MOST: Duration = Duration::from_secs(2);

/// In place of a sequence number: the state of the room. Entries count from 1.
const STATE: u64 = 0;

/// What is known of the messages in a file.
type Rows = Vec<(u64, Facts, KeyId)>;

impl Store {
    pub(super) fn open(
        path: &Path,
        retention: Retention,
        synchronous: Synchronous,
        opening: &Arc<Opening>,
    ) -> Result<Self, SqliteOpenError> {
        let opened = open(path, retention, synchronous, opening);
        opening.tell(OpeningStep::Ended);
        match opened {
            Err(_) if opening.is_cancelled() => Err(SqliteOpenError::Cancelled { path: path.into() }),
            opened => opened,
        }
    }
}

fn open(
    path: &Path,
    retention: Retention,
    synchronous: Synchronous,
    opening: &Arc<Opening>,
) -> Result<Store, SqliteOpenError> {
    let failed = |error| explain(path, &error);
    let (keys_path, mark_path) = (path.with_extension("keys"), mark::place(path));
    let unusable = in_file(path);
    let keys_unusable = in_file(&keys_path);
    let mark_unusable = in_file(&mark_path);

    together::check_files(path)?;
    let before = Mark::at(&mark_path).map_err(&mark_unusable)?;
    together::check(path, before.as_ref())?;
    let size = std::fs::metadata(path).map(|data| data.len()).ok();
    opening.tell(OpeningStep::Checking(size.unwrap_or(0)));
    let cancelled = Arc::clone(opening);
    let watch = move |connection: &Connection| {
        connection.progress_handler(INSTRUCTIONS, Some(move || cancelled.is_cancelled()))
    };
    let (mut connection, version) = schema::open(path, watch)?;
    opening.tell(OpeningStep::Reading);
    let head = known_head(&connection, path, version)?;
    // A file that is not there was moved away, to begin with an empty room.
    let promised = size.and(before.as_ref()).map_or(0, Mark::promised);
    if head < promised {
        return Err(SqliteOpenError::SetBack { path: path.into(), found: head, promised });
    }
    let found = Found::at(&keys_path).map_err(&keys_unusable)?;
    let facts = if version < ENCRYPTED {
        Rows::new()
    } else {
        rows::facts(&connection, version >= KINDS).map_err(failed)?
    };
    let state = if version < KINDS { None } else { StateRow::load(&connection).map_err(failed)? };
    let keys_of_entries = facts.iter().map(|(seq, _, key)| (*seq, *key));
    let key_of_state = state.as_ref().map(|state| (STATE, state.key));
    let mut lost = without_key(&keys_path, &found, keys_of_entries.chain(key_of_state))?;
    if version >= EPOCHS && !lost.is_empty() && older(&found, &connection).map_err(failed)? {
        return Err(SqliteOpenError::KeysOlder { path: keys_path });
    }
    if !lost.is_empty()
        && lost.len() == facts.len() + usize::from(state.is_some())
        && foreign(&found, before.as_ref(), &connection).map_err(failed)?
    {
        return Err(SqliteOpenError::KeysForeign { path: path.into(), keys: keys_path });
    }
    // The rest of what is read later: what cannot be is noticed before anything changes.
    match version {
        0 => {}
        1..EPOCHS => drop(identity::present_epoch(&connection).map_err(failed)?),
        _ => drop(identity::epochs(&connection).map_err(failed)?),
    }
    if opening.is_cancelled() {
        return Err(SqliteOpenError::Cancelled { path: path.into() });
    }

    // From here on the files change.
    let name = epoch_name().map_err(|error| unusable(io::Error::other(error)))?;
    let (epoch, synced) = (fingerprint(&name), synchronous == Synchronous::Full);
    let between = Mark::new(State::Between, epoch, head, synced);
    let mut mark = MarkFile::write(&mark_path, between).map_err(&mark_unusable)?;
    schema::prepare(&mut connection, path, synchronous)?;
    let had_state = state.is_some();
    let state = state.filter(|_| !lost.contains(&STATE));
    lost.retain(|seq| *seq != STATE);
    let kept: Rows = facts.into_iter().filter(|(seq, ..)| lost.binary_search(seq).is_err()).collect();
    let kept_keys = kept.iter().map(|(_, _, key)| key.slot);
    let used: BTreeSet<u32> = kept_keys.chain(state.as_ref().map(|state| state.key.slot)).collect();
    // The keys are of the new epoch before the file is: so they are never older than it, whenever the process is killed.
    let mut keys = KeyFile::open(&keys_path, &found, &used, epoch).map_err(&keys_unusable)?;
    let adopted = adopt(&mut connection, path, &mut keys).map_err(failed)?;
    if !lost.is_empty() {
        tracing::warn!(
            messages = lost.len(),
            "some messages of the log are gone: the keys they were encrypted with are not there any more, as after \
             putting back an older messages.sqlite alone"
        );
        rows::delete(&mut connection, &lost).map_err(failed)?;
    }
    let kept = if adopted { rows::facts(&connection, true).map_err(failed)? } else { kept };
    let room = match &state {
        Some(state) => state.open(&mut keys).map_err(&keys_unusable)?,
        None => None,
    };
    if had_state && room.is_none() {
        tracing::warn!(
            "the room's state is gone: it cannot be decrypted, as after putting back an older messages.sqlite alone"
        );
        connection.execute("DELETE FROM state", []).map_err(failed)?;
        let slot = state.map(|state| state.key.slot);
        keys.erase(slot.as_slice()).map_err(&keys_unusable)?;
    }

    let newest = kept.iter().map(|(_, facts, _)| facts.at).max().unwrap_or(0);
    let Opened { identity, room_clock, head } =
        identity::begin_epoch(&mut connection, name, newest).map_err(failed)?;
    let messages = kept.into_iter().map(|(seq, facts, _)| (seq, facts)).collect();
    let mut index = MessageIndex::of(retention, messages);
    index.end_at(head);
    let mut dedup = DedupWindow::new(DEDUP_WINDOW);
    for (guest, id, seq) in rows::newest_ids(&connection, DEDUP_WINDOW).map_err(failed)? {
        dedup.insert((guest, id), seq);
    }
    // The new epoch is in the file itself before the mark says so.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    mark.set(between.in_state(State::Open)).map_err(&mark_unusable)?;
    connection.progress_handler(0, None::<fn() -> bool>).map_err(failed)?;

    let view = View::new(index, head, identity.clock);
    let parts = Parts { path: path.into(), connection, keys, mark, view, identity, room_clock, dedup, room };
    let mut store = Store::new(parts, retention, !lost.is_empty());
    erase(&mut store, opening)
        .map_err(|error| SqliteOpenError::Unusable { path: path.into(), cause: error.0 })?;
    Ok(store)
}

/// Erases what is no longer kept, for a bounded time.
fn erase(store: &mut Store, opening: &Opening) -> Result<(), crate::log::LogError> {
    let began = Instant::now();
    store.begin_trim();
    while store.has_work() && began.elapsed() < ERASE_MOST && !opening.is_cancelled() {
        opening.tell(OpeningStep::Erasing(store.left_to_trim()));
        store.work()?;
    }
    Ok(())
}

/// A failure of the system with this file.
fn in_file(path: &Path) -> impl Fn(io::Error) -> SqliteOpenError + use<> {
    let path = PathBuf::from(path);
    move |error| {
        let cause = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full".into(),
            _ => error.to_string(),
        };
        SqliteOpenError::Unusable { path: path.clone(), cause }
    }
}

/// The newest number that the file has given, before anything is changed in it.
fn known_head(connection: &Connection, path: &Path, version: usize) -> Result<u64, SqliteOpenError> {
    if version == 0 {
        return Ok(0);
    }
    match RoomRow::load(connection) {
        Ok(row) => Ok(row.map_or(0, |row| row.head)),
        Err(error) if rows::is_foreign(&error) => {
            Err(SqliteOpenError::Damaged { path: path.into(), what: "the room's row cannot be read".into() })
        }
        Err(error) => Err(explain(path, &error)),
    }
}

/// Whether the keys are those of an epoch before the file's present one.
fn older(found: &Found, connection: &Connection) -> rusqlite::Result<bool> {
    let Found::Slots(_, of_keys) = found else { return Ok(false) };
    let epochs = identity::epochs(connection)?;
    let place = epochs.iter().position(|epoch| fingerprint(&epoch.name) == *of_keys);
    Ok(place.is_some_and(|place| place + 1 < epochs.len()))
}

/// Whether the keys are of another epoch than the file, and not because opening was interrupted between the two.
fn foreign(found: &Found, before: Option<&Mark>, connection: &Connection) -> rusqlite::Result<bool> {
    let Found::Slots(_, of_keys) = found else { return Ok(false) };
    let present = identity::present_epoch(connection)?;
    let interrupted = before.is_some_and(|mark| mark.state == State::Between && mark.epoch == *of_keys);
    Ok(!interrupted && present.is_none_or(|name| fingerprint(&name) != *of_keys))
}

/// The rows whose keys were erased.
///
/// # Errors
/// The keys of rows are missing or damaged.
fn without_key(
    keys_path: &Path,
    found: &Found,
    mut rows: impl Iterator<Item = (u64, KeyId)>,
) -> Result<Vec<u64>, SqliteOpenError> {
    let damaged = |what: &str| SqliteOpenError::KeysDamaged { path: keys_path.into(), what: what.into() };
    let mut lost = Vec::new();
    let slots = match found {
        Found::Slots(slots, _) => slots,
        // A file that is not finished yet is of no message.
        Found::Nothing | Found::Damaged(_) if rows.next().is_none() => return Ok(lost),
        Found::Nothing => return Err(SqliteOpenError::KeysMissing { path: keys_path.into() }),
        Found::Damaged(what) => return Err(damaged(what)),
    };
    for (seq, key) in rows {
        match slots.get(key.slot as usize) {
            Some(Some(id)) if *id == key.id => {}
            Some(None) => return Err(damaged("a checksum is wrong")),
            Some(Some(_)) | None => lost.push(seq),
        }
    }
    Ok(lost)
}
