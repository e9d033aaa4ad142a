//! The file that `onionroom backup` writes: a tar archive (POSIX ustar), encrypted with a passphrase in the format of age
//! (<https://age-encryption.org/v1>, a recipient of the type scrypt), so that other programs can read it as well.
//!
//! The archive begins with a manifest; what follows has the names that it has in a data directory. `writing` and `reading`
//! work in a stream, and hold no more than a few chunks of 64 KiB, beside the memory of scrypt.

mod error;
mod names;
mod reading;
mod writing;

use std::fmt;

use age::secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::protocol::visible::{is_blank, shown};

pub use error::ArchiveError;
pub use reading::Archive;
pub(super) use writing::ArchiveWriter;

/// What every file in the format of age begins with.
const AGE: &[u8] = b"age-encryption.org/";

/// The first file of the archive.
const MANIFEST: &str = "onionroom-backup.json";

/// The format that this program writes; it reads those up to it. The first has the main room alone.
const FORMAT: u32 = 2;

/// The cost of a passphrase: scrypt with N = 2^17, r = 8 and p = 1 takes 128 MiB, and about half a second. That is what
/// OWASP recommends at least; a machine with a small memory can still pay for it beside a room.
const WORK: u8 = if cfg!(test) { 10 } else { 17 };

/// The highest cost that is paid for a file that is read: 256 MiB, what other programs take.
const WORK_MOST: u8 = 18;

/// A passphrase. It is overwritten in memory when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// How many characters the passphrase of a new backup has at least.
    pub const LEAST: usize = 12;

    /// The passphrase with these characters; `None` if there are none.
    pub fn new(mut text: String) -> Option<Self> {
        let passphrase = (!text.is_empty()).then(|| Self(SecretString::from(text.clone())));
        text.zeroize();
        passphrase
    }

    /// Its characters.
    pub(crate) fn expose(&self) -> &str {
        use age::secrecy::ExposeSecret;

        self.0.expose_secret()
    }

    /// Whether it has so many characters that a new backup may be encrypted with it. Those that show nothing do not count, and one
    /// of which nothing can be seen has none.
    pub fn is_long(&self) -> bool {
        !is_blank(self.expose()) && shown(self.expose()) >= Self::LEAST
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

/// What is in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// The messages and the state of the main room.
    pub(super) messages: bool,
    /// The key of the address.
    pub(super) address: bool,
    /// The list of the other rooms, and what they have kept.
    #[serde(default)]
    pub(super) rooms: bool,
}

/// [`MANIFEST`], as JSON. Members that are not known are passed over.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the program that wrote it.
    program: String,
    #[serde(flatten)]
    parts: Parts,
}

/// The part of it that stays the same in every format.
#[derive(Deserialize)]
struct Format {
    format: u32,
    #[serde(default)]
    program: String,
}

/// How far a backup is that is written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub step: Step,
    /// How much of it is done.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// What is done with a backup. Each may take minutes when much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The messages are copied from the log; counted in messages.
    Copying,
    /// The archive is written; counted in bytes.
    Writing,
    /// The other rooms are copied and written; counted in hundredths of a room.
    OtherRooms,
    /// The archive is read; counted in bytes.
    Reading,
    /// What was read is opened and checked; counted in rooms.
    Checking,
}

/// Who is told how far it is.
pub type Told<'a> = &'a mut (dyn FnMut(Progress) + Send);
