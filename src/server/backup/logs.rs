//! Writes logs into an archive: that of the main room, and those of the others, one after the other, so that the disk needs no more
//! than for the largest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::error::BackupError;
use super::file::NewFile;
use super::others::OtherRoom;
use crate::log::SqliteLog;
use crate::log::sqlite::LogCopy;
use crate::server::archive::{ArchiveWriter, Progress, Step, Told};
use crate::server::files::{KEYS_FILE, LOG_FILE, MARK_FILE, ROOMS, ROOMS_FILE};
use crate::server::room_list;

/// How many bytes are copied at once.
const CHUNK: usize = 64 * 1024;

/// For how much a room counts in what is told of all others than the main one.
const ROOM: u64 = 100;

/// Copies the rows of a log to a file.
pub(super) fn copy_rows<'a>(
    log: &'a SqliteLog,
    rows: &Path,
    given_up: &CancellationToken,
    told: Told<'_>,
) -> Result<LogCopy<'a>, BackupError> {
    let copying = &mut |done, total| {
        told(Progress { step: Step::Copying, done, total });
        if given_up.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(log.copy(rows, copying)?)
}

/// Writes the files of a log, with this before their names. The keys are first: only when they were read is it known which rows have one.
/// Returns whether the log is whole in the archive: where `removed` says so when the keys cannot be read, it is not.
pub(super) fn write_log(
    archive: &mut ArchiveWriter<NewFile>,
    before: &str,
    copy: LogCopy<'_>,
    rows: &Path,
    removed: &dyn Fn() -> bool,
    told: Told<'_>,
) -> Result<bool, BackupError> {
    let keys = copy.keys_bytes();
    let mark = archive.file(&format!("{before}{KEYS_FILE}"), keys, |out| {
        let mut rest = Rest { out, bytes: keys };
        match copy.finish(&mut rest) {
            Ok(mark) => Ok(Some(mark)),
            Err(error) if !removed() => Err(BackupError::from(error)),
            // What has begun cannot be taken back, but it is not in the list.
            Err(_) => rest.fill().map(|()| None).map_err(BackupError::from),
        }
    })?;
    let Some(mark) = mark else { return Ok(false) };
    let mut file = File::open(rows)?;
    let size = file.metadata()?.len();
    archive.file(&format!("{before}{LOG_FILE}"), size, |out| {
        let (mut chunk, mut done) = (vec![0; CHUNK], 0);
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok::<(), BackupError>(());
            }
            out.write_all(&chunk[..read])?;
            done += read as u64;
            told(Progress { step: Step::Writing, done, total: size });
        }
    })?;
    archive.bytes(&format!("{before}{MARK_FILE}"), &mark)?;
    Ok(true)
}

/// Writes the rooms beside the main one, and the list of those that are whole. Returns how many that are.
pub(super) fn write_others(
    archive: &mut ArchiveWriter<NewFile>,
    others: &[Box<dyn OtherRoom + '_>],
    working: &Path,
    given_up: &CancellationToken,
    told: Told<'_>,
) -> Result<usize, BackupError> {
    let total = others.len() as u64 * ROOM;
    let mut whole = Vec::new();
    for (place, other) in others.iter().enumerate() {
        let name = &other.settings().room.name;
        let begin = place as u64 * ROOM;
        // The rows are read in the first half, and written in the second.
        let told = &mut |progress: Progress| {
            let half = (ROOM / 2).saturating_mul(progress.done) / progress.total.max(1);
            let half = half.min(ROOM / 2) + if progress.step == Step::Writing { ROOM / 2 } else { 0 };
            told(Progress { step: Step::OtherRooms, done: begin + half, total });
        };
        let written = write_other(archive, &**other, working, given_up, told);
        let written = written.map_err(|error| error.of_room(name))?;
        if written {
            whole.push(other);
        }
    }
    // A room that was removed after it was written stays removed.
    whole.retain(|other| other.is_there());
    let list: Vec<_> = whole.iter().map(|other| other.settings().clone()).collect();
    archive.bytes(ROOMS_FILE, &room_list::encode(&list)?)?;
    Ok(list.len())
}

/// Whether the room is whole in the archive.
fn write_other(
    archive: &mut ArchiveWriter<NewFile>,
    other: &dyn OtherRoom,
    working: &Path,
    given_up: &CancellationToken,
    told: Told<'_>,
) -> Result<bool, BackupError> {
    if given_up.is_cancelled() {
        return Err(BackupError::GivenUp);
    }
    let Some(held) = other.open()? else { return Ok(other.is_there()) };
    let rows = working.join(LOG_FILE);
    match fs::remove_file(&rows) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let removed = || !other.is_there();
    let written = match copy_rows(&held.log, &rows, given_up, told) {
        Ok(copy) => {
            let before = format!("{ROOMS}/{}/", other.settings().room.name);
            write_log(archive, &before, copy, &rows, &removed, told)
        }
        Err(BackupError::Copy(_)) if removed() => Ok(false),
        Err(error) => Err(error),
    };
    let was_open = held.was_open;
    drop(held);
    other.done(was_open);
    written
}

/// A part of the archive with the number of bytes that it has still to get.
struct Rest<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Rest<'_> {
    /// Writes zeros for what is missing.
    fn fill(mut self) -> io::Result<()> {
        let zeros = vec![0; CHUNK];
        while self.bytes > 0 {
            let length = usize::try_from(self.bytes).unwrap_or(CHUNK).min(CHUNK);
            self.write_all(&zeros[..length])?;
        }
        Ok(())
    }
}

impl Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes = self.bytes.saturating_sub(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
