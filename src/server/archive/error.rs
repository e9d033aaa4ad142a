//! Why a backup cannot be read.

use std::io;
use std::path::PathBuf;

/// Why a backup cannot be read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no encrypted file.
    #[error(
        "{} is neither a file that `onionroom backup` has written nor a copy of a data directory. An archive of another \
         kind has to be unpacked first.",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted in another way.
    #[error("{} is encrypted in another way than with a passphrase, so `onionroom backup` has not written it.", path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is wrong.
    #[error(
        "The passphrase is not the one of {}, or the file is damaged at its beginning. Nothing was changed; try again.",
        path.display()
    )]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// To find out would take too much memory.
    #[error(
        "To check a passphrase of {} would take {megabytes} MB of memory, more than a backup of this program takes. Nothing was \
         changed.",
        path.display()
    )]
    TooCostly {
        /// The file.
        path: PathBuf,
        /// How much it would take.
        megabytes: u64,
    },
    /// It was changed or cut off.
    #[error("The backup {} cannot be used: {what}. Nothing was changed; take another backup.", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A newer program wrote it.
    #[error(
        "The backup {} was written by onionroom {program}, and this version does not know its format ({format}). Nothing was \
         changed; restore it with that version or a newer one.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the program that wrote it.
        program: String,
        /// The number of the format.
        format: u32,
    },
    /// There is no room for what is in it.
    #[error("The backup {} has {needed} more bytes, and {free} are free on the disk. Nothing was changed.", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// How many bytes are needed.
        needed: u64,
        /// How many are free.
        free: u64,
    },
    /// The system refuses.
    #[error("The backup cannot be read: {} cannot be used: {cause}. Nothing was changed.", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}
