//! The grammar of `onionroom invite`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::config::Flag;
use crate::invitations::InviteeName;

/// The longest time that an invitation may be good for.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// Flags of `invite`.
#[derive(Debug, Args)]
pub struct InviteFlags {
    /// What to do.
    #[command(subcommand)]
    pub command: InviteCommand,
    /// The room's data directory [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY", global = true)]
    data_dir: Option<OsString>,
    /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What `invite` can do.
#[derive(Debug, Subcommand)]
pub enum InviteCommand {
    /// Make a key for one person, and print it once
    ///
    /// The room may be open: it takes the invitation without a restart, within two minutes. The key is kept nowhere here;
    /// if it is lost, remove the invitation and make another. Needs a private room, see --private.
    Add {
        /// What to call the invitation: 1 to 32 of a to z, 0 to 9, - and _; guests do not see it
        #[arg(value_name = "NAME")]
        name: InviteeName,
        /// For how long it is good, such as 7d or 12h [default: until it is removed]
        #[arg(long, value_name = "TIME", value_parser = lifetime)]
        expires: Option<Duration>,
        /// Make the room private, if it is open to all: from then on only those invited find it
        #[arg(long)]
        private: bool,
    },
    /// Say whether the room is private, and who is invited until when
    List,
    /// Shut out those who have this invitation's key
    ///
    /// An open room closes all circuits and changes its introduction points, because it cannot tell whose they are. Other
    /// guests come back by themselves within seconds.
    Remove {
        /// What the invitation is called
        #[arg(value_name = "NAME")]
        name: InviteeName,
        /// Close no circuits: who is inside stays, and a Tor client that has visited before finds the room for hours
        #[arg(long)]
        keep_circuits: bool,
    },
}

impl InviteFlags {
    /// The flags that set keys, in the settings' terms.
    pub fn flags(&self) -> Vec<Flag> {
        self.data_dir.iter().map(|value| Flag { name: "--data-dir", value: Some(value.clone()) }).collect()
    }
}

/// A time with its unit, as in `7d`.
fn lifetime(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    let time = time.filter(|time| (Duration::from_secs(1)..=LONGEST).contains(time));
    time.ok_or_else(|| "write a time with its unit, such as 12h or 7d, of at most 3650d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_a_unit_and_an_end() {
        assert_eq!(lifetime("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(lifetime("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "7", "0s", "-1d", "tomorrow", "3651d", "99999999999y"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
