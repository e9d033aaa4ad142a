//! Reads an archive. Nothing in it is trusted before it was checked: a backup may come from anywhere, and be made to harm.
//!
//! Only plain files with the names that a data directory has are taken, each once, and nothing that an archive can have
//! beside them: no links, devices, sparse files or extended headers. What age has not authenticated is never written, and that
//! the archive is whole is known at its end, so what is extracted may be used only then.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use age::scrypt::Identity;
use age::{DecryptError, Decryptor};
use tar::{Entry, EntryType};

use super::names::{Count, Kind};
use super::{
    AGE, ArchiveError, FORMAT, Format, MANIFEST, Manifest, Parts, Passphrase, Progress, Step, Told, WORK_MOST,
};
use crate::log::sqlite::announced_length;
use crate::server::files::{KEYS_FILE, LOG_FILE, ROOMS_FILE};
use crate::storage::{create_new, make_private};

/// How many bytes the manifest has at most.
const SMALL: u64 = 1 << 20;

/// Within how many bytes the header of age ends: with one passphrase it has about 200.
const HEADER_MOST: usize = 1024;

/// How many bytes are copied at once.
const CHUNK: usize = 64 * 1024;

/// A backup that is to be read.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    file: BufReader<File>,
    bytes: u64,
}

impl Archive {
    /// Opens the file, and looks whether it can be a backup.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let unusable = |cause| ArchiveError::Unusable { path: path.into(), cause };
        // A named pipe would wait for a writer for ever.
        if !path.metadata().map_err(unusable)?.is_file() {
            return Err(ArchiveError::Foreign { path: path.into() });
        }
        let file = File::open(path).map_err(unusable)?;
        let bytes = file.metadata().map_err(unusable)?.len();
        let mut file = BufReader::with_capacity(CHUNK, file);
        let begin = file.fill_buf().map_err(unusable)?;
        let begin = &begin[..begin.len().min(HEADER_MOST)];
        if !begin.starts_with(AGE) {
            return Err(ArchiveError::Foreign { path: path.into() });
        }
        // Without an end the header would be read into memory, however long it is.
        if !begin.windows(5).any(|bytes| bytes == b"\n--- ") {
            return Err(ArchiveError::NoPassphrase { path: path.into() });
        }
        Ok(Self { path: path.into(), file, bytes })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Extracts everything to the directory `to`, which is empty. When this fails, what is there cannot be used.
    ///
    /// # Errors
    /// The passphrase is wrong, the archive is damaged or not of this program, or the disk is full.
    pub(in super::super) fn extract(
        self,
        passphrase: &Passphrase,
        to: &Path,
        told: Told<'_>,
    ) -> Result<Parts, ArchiveError> {
        let Self { path, file, bytes } = self;
        let mut done = 0;
        let file = Watched {
            file,
            read: |count| {
                done += count;
                told(Progress { step: Step::Reading, done, total: bytes });
            },
        };
        let refused = |cause| refused(&path, cause);
        let mut identity = Identity::new(passphrase.0.clone());
        identity.set_max_work_factor(WORK_MOST);
        let stream = Decryptor::new_buffered(file)
            .and_then(|encrypted| encrypted.decrypt(std::iter::once(&identity as _)))
            .map_err(refused)?;
        let mut extraction = Extraction { path: &path, to, files: BTreeSet::new(), count: Count::default() };
        let mut archive = tar::Archive::new(stream);
        let broken = |cause| extraction_failed(&path, cause);
        let mut manifest = None;
        for entry in archive.entries().map_err(broken)?.raw(true) {
            let entry = entry.map_err(broken)?;
            match manifest {
                None => manifest = Some(extraction.manifest(entry)?),
                Some(_) => extraction.file(entry)?,
            }
        }
        // That nothing is missing is known at the end.
        let mut rest = archive.into_inner().take(SMALL);
        io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
        if rest.limit() == 0 {
            return Err(extraction.damaged("something follows after its end"));
        }
        let Some(manifest) = manifest else { return Err(extraction.damaged("it is empty")) };
        extraction.complete(manifest)?;
        Ok(manifest)
    }
}

/// What is extracted.
struct Extraction<'a> {
    path: &'a Path,
    to: &'a Path,
    files: BTreeSet<String>,
    count: Count,
}

impl Extraction<'_> {
    fn damaged(&self, what: &str) -> ArchiveError {
        ArchiveError::Damaged { path: self.path.into(), what: what.into() }
    }

    /// What the archive says of itself.
    fn manifest(&self, mut entry: Entry<'_, impl Read>) -> Result<Parts, ArchiveError> {
        let foreign = || ArchiveError::Foreign { path: self.path.into() };
        if *entry.path_bytes() != *MANIFEST.as_bytes() || entry.size() > SMALL {
            return Err(foreign());
        }
        let mut json = Vec::new();
        entry.read_to_end(&mut json).map_err(|cause| extraction_failed(self.path, cause))?;
        let Format { format, program } = serde_json::from_slice(&json).map_err(|_| foreign())?;
        if format > FORMAT {
            // It is shown: no more of it than a version has.
            let program = program.chars().filter(char::is_ascii_graphic).take(32).collect();
            return Err(ArchiveError::Newer { path: self.path.into(), program, format });
        }
        let Manifest { parts, .. } = serde_json::from_slice(&json).map_err(|_| foreign())?;
        Ok(parts)
    }

    fn file(&mut self, mut entry: Entry<'_, impl Read>) -> Result<(), ArchiveError> {
        let name = std::str::from_utf8(&entry.path_bytes()).unwrap_or_default().to_owned();
        let size = entry.size();
        let plain = matches!(entry.header().entry_type(), EntryType::Regular);
        let Some(kind) = Kind::of(&name).filter(|_| plain) else {
            return Err(self.damaged("something is in it that is of no room"));
        };
        if self.files.contains(&name) {
            return Err(self.damaged("a file is in it twice"));
        }
        if !kind.may_have(size) || !self.count.add(kind) {
            return Err(self.damaged("more is in it than a room has"));
        }
        let mut begin = [0; 64];
        let mut begun = 0;
        if kind.is_long() {
            entry.read_exact(&mut begin).map_err(|cause| extraction_failed(self.path, cause))?;
            if announced_length(&begin) != Some(size) {
                return Err(self.damaged(&format!("{name} is not as a room writes it")));
            }
            begun = begin.len();
        }
        self.has_room(size)?;

        let place = self.to.join(&name);
        let unusable = |cause: io::Error| ArchiveError::Unusable {
            path: place.clone(),
            cause: match cause.kind() {
                io::ErrorKind::StorageFull => io::Error::other("the disk is full"),
                _ => cause,
            },
        };
        if let Some(parent) = place.parent() {
            make_private(parent).map_err(unusable)?;
        }
        let mut file = create_new(&place).map_err(unusable)?;
        file.write_all(&begin[..begun]).map_err(unusable)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            match entry.read(&mut chunk).map_err(|cause| extraction_failed(self.path, cause))? {
                0 => break,
                read => file.write_all(&chunk[..read]).map_err(unusable)?,
            }
        }
        file.sync_all().map_err(unusable)?;
        self.files.insert(name);
        Ok(())
    }

    /// Whether everything is there that the manifest says.
    fn complete(&self, parts: Parts) -> Result<(), ArchiveError> {
        let has = |name: &str| self.files.contains(name);
        let any =
            |wanted: fn(Kind<'_>) -> bool| self.files.iter().filter_map(|name| Kind::of(name)).any(wanted);
        let messages = has(LOG_FILE) && has(KEYS_FILE);
        let address = any(|kind| kind == Kind::State);
        let of_others = any(|kind| matches!(kind, Kind::Long(Some(_)) | Kind::Mark(Some(_))));
        let rooms = has(ROOMS_FILE);
        if (messages, address, rooms) != (parts.messages, parts.address, parts.rooms)
            || !(messages || address || rooms)
            || (of_others && !rooms)
        {
            return Err(self.damaged("a part of it is missing"));
        }
        Ok(())
    }

    #[cfg(unix)]
    fn has_room(&self, needed: u64) -> Result<(), ArchiveError> {
        // Where it cannot be said, writing shows it.
        let Ok(disk) = rustix::fs::statvfs(self.to) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed {
            return Err(ArchiveError::NoRoom { path: self.path.into(), needed, free });
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn has_room(&self, _needed: u64) -> Result<(), ArchiveError> {
        Ok(())
    }
}

/// Why the file cannot be decrypted.
fn refused(path: &Path, cause: DecryptError) -> ArchiveError {
    let path = PathBuf::from(path);
    match cause {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            ArchiveError::WrongPassphrase { path }
        }
        DecryptError::NoMatchingKeys => ArchiveError::NoPassphrase { path },
        DecryptError::ExcessiveWork { required, .. } => {
            let megabytes = 1024_u64.checked_shl(u32::from(required)).map_or(u64::MAX, |bytes| bytes >> 20);
            ArchiveError::TooCostly { path, megabytes }
        }
        DecryptError::Io(cause) => extraction_failed(&path, cause),
        other => ArchiveError::Damaged { path, what: format!("it is damaged ({other})") },
    }
}

/// A failure while the archive is read: what is wrong with it, or what the system said.
fn extraction_failed(path: &Path, cause: io::Error) -> ArchiveError {
    let path = PathBuf::from(path);
    let what = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "its end is missing",
        io::ErrorKind::InvalidData | io::ErrorKind::Other => "it is damaged",
        _ => return ArchiveError::Unusable { path, cause },
    };
    ArchiveError::Damaged { path, what: what.into() }
}

/// Tells how much is read of a file.
struct Watched<F: FnMut(u64)> {
    file: BufReader<File>,
    read: F,
}

impl<F: FnMut(u64)> Read for Watched<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        (self.read)(read as u64);
        Ok(read)
    }
}

impl<F: FnMut(u64)> BufRead for Watched<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.file.consume(bytes);
        (self.read)(bytes as u64);
    }
}
