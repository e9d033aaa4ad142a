//! Files overwritten in place, so that what they had is not left in blocks that are free.
//!
//! Links are not followed: what one points at is not known to be the room's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// How much is overwritten with one write, in bytes: the keys of 16,000 messages.
const CHUNK: usize = 1 << 20;

/// Overwrites all of a file with random bytes, in place, and waits for the disk. Nothing is done where there is no file, or
/// something that holds no bytes, such as a socket. `step` is called before each write.
///
/// # Errors
/// It is a link or a directory, or the system refuses; some may have been overwritten.
pub fn overwrite(path: &Path, step: &dyn Fn()) -> io::Result<()> {
    let data = match fs::symlink_metadata(path) {
        Ok(data) => data,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if data.is_symlink() {
        return Err(is_a_link(path));
    }
    if data.is_dir() {
        return Err(io::Error::other("it is a directory, where the room has a file"));
    }
    if !data.is_file() {
        return Ok(());
    }
    let mut file = open(path)?;
    let mut left = file.metadata()?.len();
    let chunk = |left: u64| CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
    let mut bytes = vec![0; chunk(left)];
    while left > 0 {
        let length = chunk(left);
        getrandom::fill(&mut bytes[..length]).map_err(io::Error::other)?;
        step();
        file.write_all(&bytes[..length])?;
        left -= length as u64;
    }
    file.sync_all()
}

/// Overwrites every file in a directory and in those below it, or the one file that is there.
/// `failed` is told what could not be overwritten, and the others are nevertheless.
pub fn overwrite_tree(path: &Path, step: &dyn Fn(), failed: &mut dyn FnMut(&Path, io::Error)) {
    if !fs::symlink_metadata(path).is_ok_and(|data| data.is_dir()) {
        return overwrite(path, step).unwrap_or_else(|error| failed(path, error));
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return failed(path, error),
    };
    for entry in entries {
        match entry {
            Ok(entry) => overwrite_tree(&entry.path(), step, failed),
            Err(error) => failed(path, error),
        }
    }
}

/// That a path is a link, with what it points at.
pub fn is_a_link(path: &Path) -> io::Error {
    let to = fs::read_link(path).unwrap_or_default();
    let to = to.display();
    io::Error::other(format!(
        "it is a link to {to}, which was not followed; erase what is there by hand and remove the link"
    ))
}

/// Waits until the disk has what was made, renamed and removed in a directory.
///
/// # Errors
/// The system refuses.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Opens a file of which the lstat(2) says that it is one.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    // Should something else have come in its place: no link is followed, no reader of a pipe waited for.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed(),
    );
    options.open(path).or_else(|error| match error.kind() {
        // A file that its owner may only read, as one that was copied from a backup.
        ErrorKind::PermissionDenied => {
            make_writable(path)?;
            options.open(path)
        }
        _ => Err(error),
    })
}

#[cfg(unix)]
fn make_writable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_writable(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_overwritten_in_place_whatever_its_length_and_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        for length in [0, 1, 64, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            fs::write(&file, vec![b'x'; length]).unwrap();
            fs::set_permissions(&file, PermissionsExt::from_mode(0o400)).unwrap();
            let before = fs::metadata(&file).unwrap().ino();
            overwrite(&file, &|| {}).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().ino(), before);
            let bytes = fs::read(&file).unwrap();
            assert_eq!(bytes.len(), length);
            assert!(!bytes.windows(8).any(|bytes| bytes == b"xxxxxxxx"), "{length}");
            fs::remove_file(&file).unwrap();
        }
        overwrite(&file, &|| {}).unwrap();
    }

    #[test]
    fn links_are_named_and_not_followed_and_pipes_hold_nothing_up() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let directory = tempfile::tempdir().unwrap();
        let [target, link, pipe] = ["target", "link", "pipe"].map(|name| directory.path().join(name));
        fs::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let said = overwrite(&link, &|| {}).unwrap_err().to_string();
        assert!(said.contains(target.to_str().unwrap()), "{said}");
        assert!(open(&link).is_err());
        overwrite(&pipe, &|| {}).unwrap();
        assert!(overwrite(directory.path(), &|| {}).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
    }
}
