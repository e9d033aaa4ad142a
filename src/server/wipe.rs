//! Makes all that a room has kept unreadable, and by choice its address.
//!
//! Names, texts and the room's state are sealed under the keys of one file, so overwriting that file makes them unreadable;
//! it is the first thing that is done, and all else is thoroughness. Only what bears the name of a room's file is touched,
//! and no link is followed.
//!
//! The order is: a note of what was asked for (`wiping`), so that after a kill the next start goes on; the keys of the
//! messages, here and in what a restore has replaced; the keys of the address; the other files; then all of them are removed,
//! and the note last. Where the disk is too full for the note it goes without. What cannot be done is told at the end and
//! holds up nothing else.

use std::cell::RefCell;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::files::{
    ADDRESS, BACKING_UP, BESIDE, CONFIRMED_FILE, COPY, EXCHANGE, KEY_COPY, KEY_EXCHANGE, KEYS_FILE,
    LOCAL_KEY_FILE, LOG_FILES, NEW_CONFIRMED_FILE, NEW_ROOMS_FILE, REPLACED, ROOMS, ROOMS_FILE, other_rooms,
};
use crate::invitations;
use crate::storage::{DataDirectory, StorageError, erase, make_private};

/// Why a host cannot have this room wiped.
pub(super) const ELSEWHERE: &str = "This room is on several machines, and its messages are not on this one, so it cannot be wiped from \
    here. What to do on each machine is in docs/several-machines.md, under \"To wipe the room\".";

/// The note of a wipe that has begun.
const NOTE: &str = "wiping";

/// The note while it is written.
const NEW_NOTE: &str = "wiping.new";

/// What the note says.
const NOTES: [(&str, bool); 2] = [("messages\n", false), ("messages and address\n", true)];

/// What is removed with the address, below the data directory: Arti's keys and state, what is put aside for another
/// network, the downloaded directory and the network's name; and who may find the address. The key's directory is first.
const TOR: [&str; 6] = [ADDRESS, "tor/public", "tor/forgotten", "tor/network", CACHE, invitations::DIRECTORY];

/// It is removed and not overwritten: it is the public network's.
const CACHE: &str = "tor/cache";

/// Arti's keys.
const KEYSTORE: &str = "tor/state/keystore";

/// What was wiped.
#[derive(Debug, Default)]
pub struct Wiped {
    /// Whether the keys of the address are gone too; also because a wipe before was to do that and was interrupted.
    pub address: bool,
    /// What else is in the data directory, and was left.
    pub left: Vec<PathBuf>,
}

/// Why not all was wiped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WipeError {
    /// There is no room.
    #[error("There is no room in {}, and nothing was changed. Name its directory with --data-dir.", path.display())]
    NoRoom {
        /// The directory.
        path: PathBuf,
    },
    /// The room is open.
    #[error(
        "A room is running on {}, and nothing was changed. Close it first, with Ctrl-C where it runs or with SIGTERM, and then \
         wipe it.",
        path.display()
    )]
    Running {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The messages are not on this machine.
    #[error(
        "This room is on several machines, and nothing was wiped: its messages are on the NATS servers, and can be read with \
         the key in cluster.secret_file. Stop the room on every machine and overwrite that file on each, with `shred -u`. What \
         else there is to do is in docs/several-machines.md, under \"To wipe the room\"."
    )]
    SeveralMachines,
    /// Some of it could not be overwritten or removed.
    #[error(
        "Not everything was wiped. {} {}. Mend that and run `onionroom wipe` again.",
        if *readable { "The messages may still be readable." } else { "No message can be read any more." },
        problems.iter().map(|(path, cause)| format!("{}: {cause}", path.display())).collect::<Vec<_>>().join("; ")
    )]
    Incomplete {
        /// Whether there is a key of messages among it.
        readable: bool,
        /// The files and directories, with what was the matter.
        problems: Vec<(PathBuf, io::Error)>,
    },
}

/// A room that is closed, and held so that it cannot be opened meanwhile.
#[derive(Debug)]
pub struct ClosedRoom(DataDirectory);

impl ClosedRoom {
    /// Takes the room in this directory, which is not created.
    ///
    /// # Errors
    /// There is no room, it is open, or the directory cannot be used.
    pub fn hold(data_dir: &Path) -> Result<Self, WipeError> {
        let names = LOG_FILES.into_iter().chain([ADDRESS, LOCAL_KEY_FILE, NOTE, REPLACED, "lock"]);
        if !names.into_iter().any(|name| fs::symlink_metadata(data_dir.join(name)).is_ok()) {
            return Err(WipeError::NoRoom { path: data_dir.into() });
        }
        match DataDirectory::open(data_dir) {
            Err(StorageError::InUse { path }) => Err(WipeError::Running { path }),
            held => Ok(Self(held?)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Wipes it. A wipe that was interrupted is gone on with, and one that is complete is no error.
    ///
    /// # Errors
    /// Something could not be overwritten or removed, and is named.
    pub fn wipe(self, address: bool) -> Result<Wiped, WipeError> {
        wipe(&self.0, address)
    }
}

/// Wipes a room whose files are closed.
///
/// # Errors
/// Something could not be overwritten or removed, and is named.
pub(super) fn wipe(directory: &DataDirectory, address: bool) -> Result<Wiped, WipeError> {
    Wipe::begin(directory.path(), address, &|| {}).run()
}

/// Goes on with a wipe that was interrupted, if one was.
///
/// # Errors
/// As [`wipe`].
pub(super) fn finish(data: &Path) -> Result<(), WipeError> {
    if noted(data).is_some() {
        tracing::warn!("A wipe of this room was interrupted, and is finished now.");
        Wipe::begin(data, false, &|| {}).run()?;
    }
    Ok(())
}

/// What the note asks for, if there is one: whether the address is to go too.
fn noted(data: &Path) -> Option<bool> {
    let note = data.join(NOTE);
    fs::symlink_metadata(&note).ok().filter(fs::Metadata::is_file)?;
    let text = fs::read_to_string(&note).ok()?;
    NOTES.iter().find(|(words, _)| *words == text).map(|(_, address)| *address)
}

struct Wipe<'a> {
    data: &'a Path,
    address: bool,
    /// Called before each change, where a test ends it.
    step: &'a dyn Fn(),
    problems: RefCell<Vec<(PathBuf, io::Error)>>,
}

impl<'a> Wipe<'a> {
    fn begin(data: &'a Path, address: bool, step: &'a dyn Fn()) -> Self {
        let address = address || noted(data) == Some(true);
        Self { data, address, step, problems: RefCell::default() }
    }

    fn run(self) -> Result<Wiped, WipeError> {
        // Without it a kill leaves files that the next start refuses, and nothing worse.
        if noted(self.data) != Some(self.address) {
            let _ = self.note();
        }
        let places = self.places();
        for place in &places {
            self.overwrite(&place.join(KEYS_FILE));
        }
        let readable = !self.problems.borrow().is_empty();
        self.settle_address();
        // What is only a copy goes in any case.
        let copies = [COPY, EXCHANGE, KEY_COPY, BACKING_UP].map(|name| self.data.join(name));
        let kept = |place: &Path| !self.address && !copies.iter().any(|copy| copy == place);
        let tor: Vec<&PathBuf> = places.iter().filter(|place| !kept(place)).collect();
        tor.iter().for_each(|place| self.overwrite_tree(&place.join(KEYSTORE)));
        self.overwrite(&self.data.join(LOCAL_KEY_FILE));
        let files = || LOG_FILES.into_iter().chain(BESIDE).chain([NEW_ROOMS_FILE, ROOMS_FILE]);
        for place in &places {
            files().filter(|name| *name != KEYS_FILE).for_each(|name| self.overwrite(&place.join(name)));
        }
        for place in &tor {
            TOR.iter().filter(|name| **name != CACHE).for_each(|name| self.overwrite_tree(&place.join(name)));
        }

        for place in &places {
            files().for_each(|name| self.remove(&place.join(name)));
        }
        for place in &tor {
            TOR.iter().for_each(|name| self.remove_tree(&place.join(name)));
        }
        [LOCAL_KEY_FILE, CONFIRMED_FILE, NEW_CONFIRMED_FILE]
            .iter()
            .for_each(|name| self.remove(&self.data.join(name)));
        self.remove_sockets();
        // Those inside first; what has something else in it stays.
        for place in places.iter().rev().filter(|place| *place != self.data) {
            self.remove_empty(&place.join("tor"));
            self.remove_empty(&place.join(ROOMS));
            self.remove_empty(place);
        }
        self.remove_empty(&self.data.join(ROOMS));
        if self.address {
            self.remove_empty(&self.data.join("tor"));
        }
        self.remove_empty(&self.data.join(REPLACED));
        self.sync(self.data);
        self.end(readable)
    }

    /// Removes the note, unless something is left to do.
    fn end(self, readable: bool) -> Result<Wiped, WipeError> {
        if self.problems.borrow().is_empty() {
            [NEW_NOTE, NOTE].iter().for_each(|name| self.remove(&self.data.join(name)));
            self.sync(self.data);
        }
        let left = self.left();
        let problems = self.problems.into_inner();
        if problems.is_empty() {
            Ok(Wiped { address: self.address, left })
        } else {
            Err(WipeError::Incomplete { readable, problems })
        }
    }

    /// Writes the note, whole or not at all.
    fn note(&self) -> io::Result<()> {
        let (new, note) = (self.data.join(NEW_NOTE), self.data.join(NOTE));
        let words = NOTES[usize::from(self.address)].0;
        (self.step)();
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::File::create_new(&new)?;
        file.write_all(words.as_bytes())?;
        file.sync_all()?;
        (self.step)();
        fs::rename(&new, &note)?;
        erase::sync_directory(self.data)
    }

    /// The directories that have a log or an address: the data directory, what a restore was making, what one replaced.
    fn places(&self) -> Vec<PathBuf> {
        let mut places = vec![self.data.to_owned()];
        let working = [COPY, EXCHANGE, KEY_COPY, KEY_EXCHANGE, BACKING_UP];
        places.extend(working.map(|name| self.data.join(name)));
        let replaced = self.data.join(REPLACED);
        places.retain(|place| self.is_inside(place) && (place == self.data || place.exists()));
        if self.is_inside(&replaced)
            && let Ok(entries) = fs::read_dir(&replaced)
        {
            let numbered = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            let mut names: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            names.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(numbered));
            names.retain(|path| self.is_inside(path) && path.is_dir());
            places.extend(names);
        }
        let rooms = places.iter().filter(|place| self.is_inside(&place.join(ROOMS)));
        places.extend(rooms.flat_map(|place| other_rooms(place)).collect::<Vec<_>>());
        places
    }

    /// Puts in place the address that a restore was putting there when it was interrupted: the one before is in `replaced`
    /// already.
    fn settle_address(&self) {
        let (copy, place) = (self.data.join(EXCHANGE).join(ADDRESS), self.data.join(ADDRESS));
        let inside = self.is_inside(&copy) && self.is_inside(&place);
        if self.address || !inside || !copy.is_dir() || place.exists() {
            return;
        }
        let tor = self.data.join("tor");
        (self.step)();
        let moved = make_private(&tor).and_then(|()| fs::rename(&copy, &place));
        self.check(&place, moved.and_then(|()| erase::sync_directory(&tor)));
    }

    /// Whether no directory on the way to a path, and not the path itself, is a link out of the data directory.
    fn is_inside(&self, path: &Path) -> bool {
        let links = path.ancestors().take_while(|above| *above != self.data);
        let link = links.filter(|above| above.is_symlink()).last();
        if let Some(link) = link {
            self.check(link, Err(erase::is_a_link(link)));
        }
        link.is_none()
    }

    fn overwrite(&self, path: &Path) {
        if self.is_inside(path) {
            self.check(path, erase::overwrite(path, self.step));
        }
    }

    fn overwrite_tree(&self, path: &Path) {
        if self.is_inside(path) {
            erase::overwrite_tree(path, self.step, &mut |path, error| self.check(path, Err(error)));
        }
    }

    fn remove(&self, file: &Path) {
        if self.may_remove(file) {
            (self.step)();
            self.check(file, fs::remove_file(file));
        }
    }

    fn remove_tree(&self, path: &Path) {
        if path.is_dir() && self.may_remove(path) {
            (self.step)();
            self.check(path, fs::remove_dir_all(path));
        } else {
            self.remove(path);
        }
    }

    /// Whether all in it was overwritten: otherwise it stays, so that another attempt finds it.
    fn may_remove(&self, path: &Path) -> bool {
        let stays =
            |(problem, _): &(PathBuf, io::Error)| problem.starts_with(path) || path.starts_with(problem);
        self.is_inside(path) && !self.problems.borrow().iter().any(stays)
    }

    /// The sockets of a room that was killed.
    fn remove_sockets(&self) {
        #[cfg(unix)]
        for entry in fs::read_dir(self.data).into_iter().flatten().flatten() {
            let socket = entry.file_type().is_ok_and(|kind| std::os::unix::fs::FileTypeExt::is_socket(&kind));
            if socket && entry.path().extension().is_some_and(|extension| extension == "sock") {
                self.remove(&entry.path());
            }
        }
    }

    fn remove_empty(&self, directory: &Path) {
        if directory.is_symlink() || !directory.is_dir() {
            return;
        }
        self.sync(directory);
        (self.step)();
        match fs::remove_dir(directory) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            removed => self.check(directory, removed),
        }
    }

    fn sync(&self, directory: &Path) {
        (self.step)();
        self.check(directory, erase::sync_directory(directory));
    }

    /// Remembers what could not be done; once for each path.
    fn check(&self, path: &Path, outcome: io::Result<()>) {
        let mut problems = self.problems.borrow_mut();
        // Below what is no directory there is nothing either.
        let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        if let Err(error) = outcome
            && !absent.contains(&error.kind())
            && !problems.iter().any(|(known, _)| known == path)
        {
            problems.push((path.into(), error));
        }
    }

    /// What is still there, apart from the lock and what stays with the address.
    fn left(&self) -> Vec<PathBuf> {
        let with_address = |path: &PathBuf| path.ends_with("tor") || path.ends_with(invitations::DIRECTORY);
        let stays = |path: &PathBuf| path.ends_with("lock") || (!self.address && with_address(path));
        let entries = fs::read_dir(self.data).into_iter().flatten().flatten();
        let mut left: Vec<_> = entries.map(|entry| entry.path()).filter(|path| !stays(path)).collect();
        left.sort();
        left
    }
}

#[cfg(test)]
#[path = "wipe_tests.rs"]
mod tests;
