//! The file of the keys: one for each message, overwritten in place when the message is trimmed.
//!
//! A message is encrypted before it reaches SQLite, so what SQLite, the file system or the disk keep of a deleted row
//! cannot be read without its key; and a key is in this file and nowhere else (crypto-shredding).
//!
//! # Format
//! A head of 64 bytes: [`MAGIC`], the number of slots (32 bits, little-endian), 8 bytes of SHA-256 of both; the
//! fingerprint of the log's epoch (64 bits, little-endian), 8 bytes of SHA-256 of all before; zeros. Without an epoch,
//! as in files of earlier versions, all after the first checksum is zeros.
//! Then that many slots of 64 bytes: an identifier (64 bits, little-endian), a key (32 bytes), 24 bytes of SHA-256 of
//! both and the slot's number. A slot never crosses a sector of 512 bytes, which disks write whole.
//!
//! Every slot has a key at all times. To erase one is to overwrite it with a fresh one, random and with another
//! identifier, which encrypts a message later. So keys are on the disk before they are used, and an append waits for
//! nothing more than the transaction; and a slot whose checksum is wrong was damaged by something else.
//!
//! Keys are read where they are needed and stay in memory for no longer.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What the file begins with.
const MAGIC: &[u8; 20] = b"onionroom keys v1\n\0\0";

/// The length of the head and of a slot, in bytes.
pub(super) const SLOT: usize = 64;

/// How many slots are added at once.
pub(super) const GROWTH: u32 = 512;

/// How many slots are overwritten with one write.
const CHUNK: usize = 256;

/// A key for one message.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// Which key a message was encrypted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId {
    /// The slot's number.
    pub(super) slot: u32,
    /// The identifier of the key in it. The same slot has another one after the key was erased.
    pub(super) id: i64,
}

/// What is in a file of keys, before anything is changed.
#[derive(Debug)]
pub(super) enum Found {
    /// There is no file.
    Nothing,
    /// The file is damaged as a whole: in which way.
    Damaged(String),
    /// The identifier in each slot, or `None` for one that is damaged; and the fingerprint of the epoch in which the file
    /// was last opened, or 0.
    Slots(Vec<Option<i64>>, u64),
}

/// The open file.
#[derive(Debug)]
pub(super) struct KeyFile {
    file: File,
    slots: u32,
    /// The fingerprint of the log's epoch.
    epoch: u64,
    /// Those whose keys have encrypted nothing.
    free: BTreeSet<u32>,
}

impl Found {
    /// Reads the file, and changes nothing.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(error),
        };
        let mut slot = Zeroizing::new([0; SLOT]);
        if read_whole(&mut file, &mut *slot)?.is_none() {
            return Ok(Self::Damaged("it is too short".into()));
        }
        let Some(slots) = announced_slots(&slot) else {
            return Ok(Self::Damaged("it does not begin as such a file does".into()));
        };
        let epoch = u64::from_le_bytes(*slot[32..].first_chunk().unwrap_or(&[0; 8]));
        if file.metadata()?.len() < place(slots) {
            return Ok(Self::Damaged("its end is missing".into()));
        }
        let mut file = io::BufReader::with_capacity(CHUNK * SLOT, file);
        let mut found = Vec::new();
        for number in 0..slots {
            file.read_exact(&mut *slot)?;
            found.push(parse(number, &slot).map(|(id, _)| id));
        }
        Ok(Self::Slots(found, epoch))
    }
}

impl KeyFile {
    /// Opens the file for this epoch, or creates it with the mode 0600. Every key that is not `used` is overwritten: it may be of a
    /// message that was deleted just before a crash, or come from a backup and have encrypted something already.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn open(path: &Path, found: &Found, used: &BTreeSet<u32>, epoch: u64) -> io::Result<Self> {
        let file = open_or_create(path)?;
        let before = match found {
            Found::Slots(slots, _) => slots.len() as u32,
            _ => 0,
        };
        let mut keys = Self { file, slots: before, epoch, free: BTreeSet::new() };
        let unused: Vec<u32> = (0..before).filter(|slot| !used.contains(slot)).collect();
        keys.erase(&unused)?;
        let last = used.last().map_or(0, |slot| slot + 1);
        let wanted = last.max(used.len() as u32 + GROWTH).next_multiple_of(GROWTH);
        if wanted < before {
            // The keys beyond are fresh ones: there is nothing to erase.
            keys.set_slots(wanted)?;
            keys.file.set_len(place(wanted))?;
        } else if wanted > before {
            keys.grow(wanted - before)?;
            sync_directory(path)?;
        } else {
            keys.set_slots(before)?;
        }
        Ok(keys)
    }

    /// How many keys are ready for use.
    pub(super) fn ready(&self) -> usize {
        self.free.len()
    }

    /// Adds slots with fresh keys; they are on the disk when this returns.
    ///
    /// # Errors
    /// The disk is full, or the system refuses. Then no slot was added.
    pub(super) fn grow(&mut self, slots: u32) -> io::Result<()> {
        let added: Vec<u32> = (self.slots..self.slots + slots).collect();
        self.overwrite(&added)?;
        self.set_slots(self.slots + slots)?;
        self.free.extend(added);
        Ok(())
    }

    fn set_slots(&mut self, slots: u32) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head(slots, self.epoch))?;
        self.file.sync_data()?;
        self.slots = slots;
        if let Some(beyond) = self.free.range(slots..).next().copied() {
            drop(self.free.split_off(&beyond));
        }
        Ok(())
    }

    /// Takes a key that has encrypted nothing; `None` if none is ready. It is never taken again before it was erased.
    ///
    /// # Errors
    /// The file cannot be read, or was damaged while it was open.
    pub(super) fn take(&mut self) -> io::Result<Option<(KeyId, Key)>> {
        let Some(slot) = self.free.pop_first() else { return Ok(None) };
        match self.read(slot)? {
            Some((id, key)) => Ok(Some((KeyId { slot, id }, key))),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "a key was damaged")),
        }
    }

    /// The key with this identifier; `None` if it was erased.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn get(&mut self, wanted: KeyId) -> io::Result<Option<Key>> {
        if wanted.slot >= self.slots {
            return Ok(None);
        }
        let found = self.read(wanted.slot)?;
        Ok(found.filter(|(id, _)| *id == wanted.id).map(|(_, key)| key))
    }

    /// The same of several: those that lie beside each other are read together.
    ///
    /// # Errors
    /// As [`KeyFile::get`].
    pub(super) fn get_many(&mut self, wanted: &[KeyId]) -> io::Result<Vec<Option<Key>>> {
        let mut order: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at].slot < self.slots).collect();
        order.sort_unstable_by_key(|at| wanted[*at].slot);
        let mut keys: Vec<Option<Key>> = wanted.iter().map(|_| None).collect();
        let mut rest = &order[..];
        while let Some(first) = rest.first().map(|at| wanted[*at].slot) {
            let run = rest.partition_point(|at| wanted[*at].slot - first < CHUNK as u32);
            let last = wanted[rest[run - 1]].slot;
            let bytes = self.slots_from(first, last - first + 1)?;
            for at in &rest[..run] {
                let KeyId { slot, id } = wanted[*at];
                let begin = (slot - first) as usize * SLOT;
                let found = bytes[begin..].first_chunk().and_then(|bytes| parse(slot, bytes));
                keys[*at] = found.filter(|(found, _)| *found == id).map(|(_, key)| key);
            }
            rest = &rest[run..];
        }
        Ok(keys)
    }

    /// The bytes of the slots from this one on, at most `count` of those that there are.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn slots_from(&mut self, first: u32, count: u32) -> io::Result<Zeroizing<Vec<u8>>> {
        let count = count.min(self.slots.saturating_sub(first));
        let mut bytes = Zeroizing::new(vec![0; count as usize * SLOT]);
        self.file.seek(SeekFrom::Start(place(first)))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn read(&mut self, slot: u32) -> io::Result<Option<(i64, Key)>> {
        let mut bytes = Zeroizing::new([0; SLOT]);
        self.file.seek(SeekFrom::Start(place(slot)))?;
        self.file.read_exact(&mut *bytes)?;
        Ok(parse(slot, &bytes))
    }

    /// Overwrites the keys in these slots with fresh ones, in place, and waits for the disk. They are ready for use
    /// then.
    ///
    /// # Errors
    /// The system refuses. Some may have been overwritten.
    pub(super) fn erase(&mut self, slots: &[u32]) -> io::Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        self.overwrite(slots)?;
        self.free.extend(slots);
        Ok(())
    }

    /// Neighbours are written together, in the order of their places.
    fn overwrite(&mut self, slots: &[u32]) -> io::Result<()> {
        let mut slots = slots.to_vec();
        slots.sort_unstable();
        for run in slots.chunk_by(|one, next| *next == one + 1).flat_map(|run| run.chunks(CHUNK)) {
            let bytes = fresh(run)?;
            self.file.seek(SeekFrom::Start(place(run[0])))?;
            self.file.write_all(&bytes)?;
        }
        self.file.sync_data()
    }
}

/// Slots with these numbers and fresh keys, one after the other.
///
/// # Errors
/// The operating system has no randomness.
pub(super) fn fresh(slots: &[u32]) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; slots.len() * SLOT]);
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    for (slot, bytes) in slots.iter().zip(bytes.chunks_exact_mut(SLOT)) {
        let check = check(*slot, &bytes[..40]);
        bytes[40..].copy_from_slice(&check);
    }
    Ok(bytes)
}

/// Opens a file beside the log, or creates it with the mode 0600.
///
/// # Errors
/// The system refuses.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Where a slot begins, or ends the one before it.
fn place(slot: u32) -> u64 {
    (u64::from(slot) + 1) * SLOT as u64
}

/// How many slots a file has that begins so; `None` if no file of keys does.
pub(super) fn announced_slots(begin: &[u8; SLOT]) -> Option<u32> {
    let slots = u32::from_le_bytes(*begin[MAGIC.len()..].first_chunk()?);
    let epoch = u64::from_le_bytes(*begin[32..].first_chunk()?);
    (*begin == head(slots, epoch)).then_some(slots)
}

/// What a file of so many slots begins with.
pub(super) fn head(slots: u32, epoch: u64) -> [u8; SLOT] {
    let mut head = [0; SLOT];
    let (text, check) = (MAGIC.len(), MAGIC.len() + 4);
    head[..text].copy_from_slice(MAGIC);
    head[text..check].copy_from_slice(&slots.to_le_bytes());
    let digest = Sha256::digest(&head[..check]);
    head[check..check + 8].copy_from_slice(&digest[..8]);
    if epoch != 0 {
        head[32..40].copy_from_slice(&epoch.to_le_bytes());
        let digest = Sha256::digest(&head[..40]);
        head[40..48].copy_from_slice(&digest[..8]);
    }
    head
}

fn check(slot: u32, id_and_key: &[u8]) -> [u8; 24] {
    let digest = Sha256::new().chain_update(slot.to_le_bytes()).chain_update(id_and_key).finalize();
    let mut check = [0; 24];
    check.copy_from_slice(&digest[..24]);
    check
}

/// The identifier of the key in a slot of this number; `None` if it is damaged.
pub(super) fn identifier(slot: u32, bytes: &[u8]) -> Option<i64> {
    parse(slot, bytes.try_into().ok()?).map(|(id, _)| id)
}

/// The identifier and the key in a slot, unless it is damaged.
fn parse(slot: u32, bytes: &[u8; SLOT]) -> Option<(i64, Key)> {
    let (id_and_key, sum) = bytes.split_at(40);
    let (id, key) = id_and_key.split_first_chunk()?;
    let mut copy = Zeroizing::new([0; 32]);
    copy.copy_from_slice(key);
    (check(slot, id_and_key) == *sum).then(|| (i64::from_le_bytes(*id), copy))
}

/// `None` if the file ends before.
fn read_whole(file: &mut File, bytes: &mut [u8]) -> io::Result<Option<()>> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new file is found after a loss of power only once its directory is on the disk.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
