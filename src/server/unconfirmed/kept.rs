//! The file of the last confirmation, `confirmed` in the data directory: three lines of a word and a number.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::count::Kept;
use crate::storage::erase;

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 256;

/// What it has; `None` if there is none, or if it is of no such form, which is said.
pub(super) fn read(path: &Path) -> Option<Kept> {
    let kept = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Ok(data) if data.is_file() && data.len() <= BYTES_MAX => {
            fs::read_to_string(path).ok().and_then(|text| parse(&text))
        }
        _ => None,
    };
    if kept.is_none() {
        tracing::warn!(
            "{} cannot be understood, so the time until the room is wiped begins anew.",
            path.display()
        );
    }
    kept
}

/// Writes it, whole or not at all, and waits for the disk.
pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    let Kept { at, open, overdue } = kept;
    write!(file, "confirmed {at}\nopen {open}\noverdue {overdue}\n")?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), erase::sync_directory)
}

fn parse(text: &str) -> Option<Kept> {
    let mut lines = text.lines();
    let mut number = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(' ')?.parse::<u64>().ok();
    let kept = Kept { at: number("confirmed")?, open: number("open")?, overdue: number("overdue")? };
    lines.next().is_none().then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("confirmed");
        assert_eq!(read(&path), None);
        for kept in [Kept::default(), Kept { at: 1_800_000_000, open: u64::MAX, overdue: 3610 }] {
            write(&path, &kept).unwrap();
            assert_eq!(read(&path), Some(kept));
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let whole = fs::read_to_string(&path).unwrap();
        for text in ["", "confirmed 1\n", "confirmed 1\nopen -1\noverdue 0\n", &format!("{whole}more\n")] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), None, "{text:?}");
        }
    }
}
