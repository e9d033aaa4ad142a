//! Whether the files of a log belong together, before SQLite has looked at them: opening the wrong ones would change them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::error::SqliteOpenError;
use super::mark::{Mark, State, fingerprint, place};

/// Where SQLite keeps what is not in the file yet (https://www.sqlite.org/wal.html).
pub(super) fn write_ahead_log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Refuses what is in the place of one of the log's files and is none, or cannot be read and written. To open a named pipe
/// would wait for ever.
///
/// # Errors
/// There is such a file; nothing was changed.
pub(super) fn check_files(path: &Path) -> Result<(), SqliteOpenError> {
    for file in [path.to_owned(), path.with_extension("keys"), place(path)] {
        if let Err(error) = open(&file) {
            return Err(SqliteOpenError::Unusable { path: file, cause: error.to_string() });
        }
    }
    Ok(())
}

/// Refuses a file that is not the one that the write-ahead log and the mark beside it belong to.
///
/// # Errors
/// Such a file; nothing was changed.
pub(super) fn check(path: &Path, mark: Option<&Mark>) -> Result<(), SqliteOpenError> {
    let unusable =
        |error: io::Error| SqliteOpenError::Unusable { path: path.into(), cause: error.to_string() };
    let waiting = std::fs::metadata(write_ahead_log(path)).map_or(0, |data| data.len());
    let length = match open(path).map_err(unusable)? {
        Some(mut file) => {
            has_its_encoding(&mut file, path)?;
            Some(file.metadata().map_err(unusable)?.len())
        }
        None => None,
    };
    if waiting > 0 && length.unwrap_or(0) == 0 {
        // SQLite would delete it.
        return Err(SqliteOpenError::Orphaned { path: path.into() });
    }
    if length == Some(0) && was_used(path, mark) {
        return Err(SqliteOpenError::Emptied { path: path.into() });
    }
    if length.unwrap_or(0) == 0 {
        return Ok(());
    }
    match mark {
        Some(Mark { state: State::Closed, .. }) if waiting > 0 => {
            Err(SqliteOpenError::ForeignChanges { path: path.into() })
        }
        Some(Mark { state: State::Open, epoch, .. })
            if present_epoch(path).is_some_and(|name| name.as_deref().map(fingerprint) != Some(*epoch)) =>
        {
            Err(SqliteOpenError::Replaced { path: path.into() })
        }
        _ => Ok(()),
    }
}

/// Whether messages were in the log that the files beside it are of. A file that is made just now is empty, too, if the
/// process is killed before SQLite has written to it; that the mark has no messages then says so.
fn was_used(path: &Path, mark: Option<&Mark>) -> bool {
    mark.map_or_else(|| path.with_extension("keys").exists(), |mark| mark.head > 0)
}

/// The file, if it is there and can be read and written.
fn open(path: &Path) -> io::Result<Option<File>> {
    match std::fs::metadata(path) {
        Ok(data) if !data.is_file() => return Err(io::Error::other("it is not a file")),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match std::fs::symlink_metadata(path) {
                Ok(_) => Err(io::Error::other("it is a link to a file that is not there")),
                Err(_) => Ok(None),
            };
        }
        Err(error) => return Err(error),
    }
    OpenOptions::new().read(true).write(true).open(path).map(Some)
}

/// Refuses a file whose text encoding is not exactly UTF-8's number: SQLite looks at two bits of it at first, and fails
/// over the rest when the file has been changed ([file format](https://www.sqlite.org/fileformat.html), section 1.3.13).
/// Zero is no damage: it is not set yet in a file whose tables are in the write-ahead log alone, because the process was
/// killed before the first checkpoint.
fn has_its_encoding(file: &mut File, path: &Path) -> Result<(), SqliteOpenError> {
    let mut header = [0; 60];
    match (file.read_exact(&mut header), &header[56..]) {
        // What is shorter has its first page in the write-ahead log. What is no SQLite file is refused as that.
        (Err(_), _) | (Ok(()), [0, 0, 0, 0 | 1]) => Ok(()),
        _ if !header.starts_with(b"SQLite format 3\0") => Ok(()),
        _ => Err(SqliteOpenError::Damaged { path: path.into(), what: "its text encoding is unknown".into() }),
    }
}

/// The epoch that the file has without its write-ahead log: it is in the file from the start of the epoch on, on a page
/// that never moves. The outer `None` if SQLite cannot read it; that is refused in other words.
fn present_epoch(path: &Path) -> Option<Option<String>> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    // What is immutable has no write-ahead log (https://www.sqlite.org/uri.html).
    let connection =
        Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)?), flags).ok()?;
    let row = |row: &rusqlite::Row<'_>| row.get(0);
    match connection.query_row("SELECT epoch FROM room", [], row).optional() {
        // Another program's file, or a log that is new.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Some(None),
        Ok(epoch) => Some(epoch),
        Err(_) => None,
    }
}

/// A path for a URI.
#[cfg(unix)]
fn escaped(path: &Path) -> Option<String> {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;

    let mut escaped = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                escaped.push(char::from(*byte));
            }
            _ => write!(escaped, "%{byte:02X}").ok()?,
        }
    }
    Some(escaped)
}

#[cfg(not(unix))]
fn escaped(_path: &Path) -> Option<String> {
    None
}
