//! The grammar of the commands for keys and backups.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Flag;

/// Which room a command is about.
#[derive(Debug, Default, Args)]
pub struct DataFlags {
    /// The data directory of the room [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<OsString>,
    /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl DataFlags {
    /// The flags that set keys, in the settings' terms.
    pub fn flags(&self) -> Vec<Flag> {
        self.data_dir.iter().map(|value| Flag { name: "--data-dir", value: Some(value.clone()) }).collect()
    }
}

/// Where a passphrase comes from.
#[derive(Debug, Default, Args)]
pub struct PassphraseFlags {
    /// Read the passphrase from this file, which no other user may be able to read, instead of asking for it
    ///
    /// The file has one line. There is no environment variable for it: other programs can see those.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Flags of `backup`.
#[derive(Debug, Args)]
pub struct BackupFlags {
    /// The file to make; an existing one is not overwritten
    #[arg(value_name = "FILE")]
    pub to: PathBuf,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseFlags,
    /// Which room it is about.
    #[command(flatten)]
    pub data: DataFlags,
}

/// Flags of `restore`.
#[derive(Debug, Args)]
pub struct RestoreFlags {
    /// A file that `onionroom backup` has written, or a copy of a data directory
    #[arg(value_name = "BACKUP")]
    pub from: PathBuf,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseFlags,
    /// Which room it is about.
    #[command(flatten)]
    pub data: DataFlags,
}

/// Flags of `wipe`.
#[derive(Debug, Args)]
pub struct WipeFlags {
    /// Also the address, and Tor's other files
    #[arg(long)]
    pub address: bool,
    /// Do not ask; without a terminal this is needed
    #[arg(long)]
    pub yes: bool,
    /// Which room it is about.
    #[command(flatten)]
    pub data: DataFlags,
}

/// What `key` can do.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print the onion address, where its key lies, and who can read that; not the key itself
    Show(DataFlags),
    /// Write the key as C Tor keeps it: hs_ed25519_secret_key, hs_ed25519_public_key and hostname
    ///
    /// With this key anyone can be the room, and an onion address cannot be revoked. Nothing is overwritten. Do not use
    /// the same key in two places at once.
    Export {
        /// The directory to make, with mode 0700; or a file whose name is hs_ed25519_secret_key, for the key alone
        #[arg(value_name = "DIRECTORY|FILE")]
        to: PathBuf,
        /// Which room it is about.
        #[command(flatten)]
        data: DataFlags,
    },
    /// Take the key of an onion service of C Tor, and with it the address
    ///
    /// The room must be closed. Its messages stay.
    Import {
        /// The HiddenServiceDir of C Tor, or its file hs_ed25519_secret_key; no other user may be able to read it
        #[arg(value_name = "DIRECTORY|FILE")]
        from: PathBuf,
        /// Replace the key of the room; the old one is moved to the directory `replaced` inside the data directory
        #[arg(long)]
        replace: bool,
        /// Which room it is about.
        #[command(flatten)]
        data: DataFlags,
    },
}
