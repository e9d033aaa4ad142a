//! The grammar of `onionroom room`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Flag;

pub(super) const EXAMPLES: &str = "\
Examples:
  onionroom room add tea --title \"Tea at five\"
      Another room at the same address, open or closed now.
  onionroom room add attic --unlisted
      One that only those find who know its name.
  onionroom host --room tea lock
      What hosts do, in that room.";

/// Flags of `room`.
#[derive(Debug, Args)]
pub struct RoomsFlags {
    /// What to do.
    #[command(subcommand)]
    pub command: RoomsCommand,
    /// The rooms' data directory [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY", global = true)]
    data_dir: Option<OsString>,
    /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Print the answer as JSON, in one line
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `room` can do.
#[derive(Debug, Subcommand)]
pub enum RoomsCommand {
    /// Make another room at the same address; guests find it at once
    ///
    /// It has the limits and the history of the main room. A room with its own is written into the configuration file, see
    /// docs/configuration.md.
    Add {
        /// What stands in its address: 1 to 32 of a to z, 0 to 9 and -
        #[arg(value_name = "NAME")]
        name: String,
        /// Its title, 1 to 64 characters [default: its name]
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// Leave it out of the list that guests see
        #[arg(long)]
        unlisted: bool,
    },
    /// Say which rooms there are
    List,
    /// Put a room's guests out, close it, and make all that it has kept unreadable
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Do it without a question
        #[arg(long)]
        yes: bool,
    },
}

impl RoomsFlags {
    /// The flags that set keys, in the settings' terms.
    pub fn flags(&self) -> Vec<Flag> {
        self.data_dir.iter().map(|value| Flag { name: "--data-dir", value: Some(value.clone()) }).collect()
    }
}
