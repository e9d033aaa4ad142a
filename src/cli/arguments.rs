//! The grammar of the command line, and its help.
//!
//! Values are taken as they are typed; the settings check them, so that a flag is refused in the same words as its key.

mod host;
mod invite;
mod moving;
mod room;

use std::ffi::OsString;
use std::path::PathBuf;
#[cfg(feature = "lab")]
use std::time::Duration;

use clap::builder::styling::{Style, Styles};
use clap::{Args, Parser, Subcommand};

use crate::config::Flag;

pub(super) use host::Switch;
pub use host::{HostCommand, HostFlags};
pub use invite::{InviteCommand, InviteFlags};
pub use moving::{BackupFlags, DataFlags, KeyCommand, PassphraseFlags, RestoreFlags, WipeFlags};
pub use room::{RoomsCommand, RoomsFlags};

const EXAMPLES: &str = "\
Examples:
  onionroom
      A room with an address that stays the same.
  onionroom --ephemeral --title \"Tea at five\"
      A room for one evening: a fresh address, nothing left on disk.
  onionroom --no-onion
      The local room alone, without Tor.
  onionroom lab
      The whole thing on this machine, without the internet.

Every flag of the room and more can be set in a file or in the environment: see `onionroom config`.
Ctrl-C closes the room.";

#[cfg(feature = "lab")]
const LAB_EXAMPLES: &str = "\
Examples:
  onionroom lab
      3 authorities, 8 relays, a client and the room, all on 127.0.0.1.
  onionroom lab --relays 12 --socks-port 9250
      A larger network whose SOCKS port is known beforehand.
  onionroom lab --distance 40ms
      Relays as far from each other as in the public network.

Ctrl-C ends every process and removes the network's directory.";

/// A chat room on the Tor network, in one program.
///
/// Start it, give the printed .onion address to your friends, and talk: they open it in Tor Browser. The
/// room lives on this machine and nowhere else.
#[derive(Debug, Parser)]
#[command(name = "onionroom", version, after_help = EXAMPLES, max_term_width = 100, styles = styles())]
#[command(subcommand_help_heading = "Commands (without one: serve)")]
#[command(override_usage = "onionroom [FLAGS]\n       onionroom <COMMAND> [FLAGS]")]
pub struct Arguments {
    /// The flags before the command, or without one: those of `serve`.
    #[command(flatten)]
    pub before: ServeFlags,
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
#[cfg_attr(not(feature = "lab"), expect(clippy::large_enum_variant, reason = "made once"))]
pub enum Command {
    /// Open the room and publish it on the Tor network
    #[command(after_help = EXAMPLES)]
    Serve(ServeFlags),
    /// Open the room on a private Tor network on this machine
    ///
    /// Starts real directory authorities, relays and a client of the C program `tor`, all on 127.0.0.1, and
    /// the room on them. For trying it out without the internet, and for tests.
    #[cfg(feature = "lab")]
    #[command(after_help = LAB_EXAMPLES)]
    Lab(LabFlags),
    /// Ask a running room how it is, and govern it
    ///
    /// Speaks to the room of the data directory, for the user who runs it. GUEST is a guest's number, their badge or the name they
    /// have now, as `onionroom host guests` lists them; what could be two guests is refused. number:7, badge:0007 and
    /// name:Ann say which of these is meant.
    #[command(after_help = host::EXAMPLES)]
    Host(HostFlags),
    /// Make, list and remove rooms beside the main one, at the same address
    #[command(after_help = room::EXAMPLES)]
    Room(RoomsFlags),
    /// Print the commented example of the configuration file
    Config,
    /// Prepare and check a room on several machines
    #[cfg(feature = "cluster")]
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Say who may find the room, which makes it private
    Invite(InviteFlags),
    /// Write the messages of all rooms and the key of the address to a file, encrypted with a passphrase
    ///
    /// Rooms that are open go on meanwhile; their own process writes the file then. The file is in the format of age
    /// (age-encryption.org) and has a tar archive inside. What is erased in the room later is still in it.
    Backup(BackupFlags),
    /// Put a backup in place of the messages of all rooms and the address
    ///
    /// What is there is moved to the directory `replaced` inside the data directory, and only after the backup was read
    /// without a fault. The room must be closed.
    Restore(RestoreFlags),
    /// Show the key of the address, write it out for C Tor, or take one from C Tor
    #[command(subcommand)]
    Key(KeyCommand),
    /// Overwrite and remove everything that a room has kept, so that it is unreadable for ever
    ///
    /// A room that is open ends for all its guests. What flash, file systems, backups and swap keep is in docs/configuration.md.
    Wipe(WipeFlags),
}

/// Flags of every command that opens a room.
#[derive(Debug, Default, Args)]
pub struct RoomFlags {
    /// The room's title, 1 to 64 characters
    #[arg(long, value_name = "TEXT", help_heading = "Room")]
    title: Option<OsString>,
    /// How many guests may be in the room at once, 1 to 10000 [default: 250]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    guests: Option<OsString>,
    /// How many messages a minute one guest may publish over time, 0 for any number [default: 30]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    messages_per_minute: Option<OsString>,
    /// How many of the newest messages are kept, 0 for none [default: 1000]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    keep_messages: Option<OsString>,
    /// For how many days messages are kept at most, 0 for any time [default: 7]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    keep_days: Option<OsString>,
    /// After how many days without a sign of a host the room wipes itself, 0 for never [default: 0]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    wipe_after_days: Option<OsString>,
    /// Where the local room answers; loopback only [default: 127.0.0.1:8646, or a free port if that is busy]
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Room")]
    listen: Option<OsString>,
    /// Who may use the local room: those with its link (key), all of this machine (open), its user through a Unix
    /// socket (unix), or none (off) [default: key]
    #[arg(long, value_name = "WHO", help_heading = "Room")]
    local: Option<OsString>,
    /// The port of the onion address [default: 80]
    #[arg(long, value_name = "PORT", help_heading = "Room")]
    onion_port: Option<OsString>,
    /// How many threads the room and its circuits have together, 1 to 64 [default: 1]
    #[arg(long, value_name = "NUMBER", help_heading = "Room")]
    threads: Option<OsString>,
    /// The directory that keeps the address, the messages and Tor's state [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY", help_heading = "Room")]
    data_dir: Option<OsString>,
    /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What is logged to standard error, such as debug or onionroom=debug,arti_client=info
    #[arg(long, value_name = "FILTER")]
    log: Option<OsString>,
}

/// Flags of `serve`.
#[derive(Debug, Default, Args)]
pub struct ServeFlags {
    /// Those it shares with `lab`.
    #[command(flatten)]
    pub room: RoomFlags,
    /// A fresh address that leaves nothing on disk
    #[arg(long, help_heading = "Room", conflicts_with = "data_dir")]
    ephemeral: bool,
    /// Only those invited with `onionroom invite` find the room
    #[arg(long, help_heading = "Tor", conflicts_with_all = ["ephemeral", "no_onion"])]
    restricted: bool,
    /// Without an onion service of its own: the local room, and the listener for proxies if it is set
    #[arg(long, help_heading = "Tor", conflicts_with_all = ["network_file", "onion_port", "threads"])]
    no_onion: bool,
    /// Where TLS connections are accepted, such as 0.0.0.0:8443, for https and wss without a proxy [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "TLS")]
    tls: Option<OsString>,
    /// The PEM file of the certificate for TLS; it is read again when it changes, and so is the key
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_certificate: Option<OsString>,
    /// The PEM file of its private key
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_key: Option<OsString>,
    /// Make a certificate for a try, which browsers warn of
    #[arg(long, help_heading = "TLS")]
    tls_self_signed: bool,
    /// Use the private Tor network that this file describes; `onionroom lab` writes one
    #[arg(long, value_name = "FILE", help_heading = "Tor")]
    network_file: Option<OsString>,
}

/// What `cluster` can do.
#[cfg(feature = "cluster")]
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Make the key that names and texts are encrypted with before they go to NATS
    ///
    /// The file is made with mode 0600, and an existing one is not replaced. Copy it to each machine of the room and name it
    /// there with cluster.secret_file. Without it the messages cannot be read.
    Key {
        /// The file to make
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say what is right and what is wrong with the servers of the room, and what to do
    ///
    /// Changes nothing of the room, open or closed, and ends with the status 0 only if nothing is wrong.
    Check {
        /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Flags of `lab`.
#[cfg(feature = "lab")]
#[derive(Debug, Default, Args)]
pub struct LabFlags {
    /// Those it shares with `serve`.
    #[command(flatten)]
    pub room: RoomFlags,
    /// How many relays to start beside the authorities, 3 to 50 [default: 8]
    #[arg(
        long,
        value_name = "NUMBER",
        help_heading = "Network",
        default_value_t = 8,
        hide_default_value = true
    )]
    pub relays: usize,
    /// How many directory authorities to start, 1 to 9 [default: 3]
    #[arg(
        long,
        value_name = "NUMBER",
        help_heading = "Network",
        default_value_t = 3,
        hide_default_value = true
    )]
    pub authorities: usize,
    /// The SOCKS port of the client, for browsers and curl [default: any free one]
    #[arg(
        long,
        value_name = "PORT",
        help_heading = "Network",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub socks_port: u16,
    /// The control port of the client [default: any free one]
    #[arg(
        long,
        value_name = "PORT",
        help_heading = "Network",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub control_port: u16,
    /// The time of one way on each hop from relay to relay, such as 40ms, at most 200ms [default: 0]
    #[arg(
        long,
        value_name = "TIME",
        help_heading = "Network",
        default_value = "0s",
        hide_default_value = true,
        value_parser = distance
    )]
    pub distance: Duration,
    /// The program `tor` [default: the one on PATH]
    #[arg(long, value_name = "PATH", help_heading = "Network")]
    pub tor: Option<PathBuf>,
}

impl RoomFlags {
    /// The flags that set keys, in the settings' terms.
    pub fn flags(&self) -> Vec<Flag> {
        [
            ("--title", &self.title),
            ("--guests", &self.guests),
            ("--messages-per-minute", &self.messages_per_minute),
            ("--keep-messages", &self.keep_messages),
            ("--keep-days", &self.keep_days),
            ("--wipe-after-days", &self.wipe_after_days),
            ("--listen", &self.listen),
            ("--local", &self.local),
            ("--onion-port", &self.onion_port),
            ("--threads", &self.threads),
            ("--data-dir", &self.data_dir),
            ("--log", &self.log),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(Flag { name, value: Some(value.clone()?) }))
        .collect()
    }
}

impl ServeFlags {
    /// The data directory, if a flag names one.
    pub fn data_dir(&self) -> Option<&OsString> {
        self.room.data_dir.as_ref()
    }

    /// Whether a flag asks for an ephemeral room.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// The flags that set keys, in the settings' terms.
    pub fn flags(&self) -> Vec<Flag> {
        let mut flags = self.room.flags();
        flags.extend(self.only_for_serve());
        flags
    }

    /// Those of them that `lab` has not.
    pub fn only_for_serve(&self) -> Vec<Flag> {
        let switches = [
            ("--ephemeral", self.ephemeral),
            ("--no-onion", self.no_onion),
            ("--restricted", self.restricted),
            ("--tls-self-signed", self.tls_self_signed),
        ];
        let switches = switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| Flag { name, value: None });
        let values = [
            ("--tls", &self.tls),
            ("--tls-certificate", &self.tls_certificate),
            ("--tls-key", &self.tls_key),
            ("--network-file", &self.network_file),
        ];
        let values =
            values.into_iter().filter_map(|(name, value)| Some(Flag { name, value: Some(value.clone()?) }));
        switches.chain(values).collect()
    }
}

/// A time with its unit, as in `40ms` or `0.2s`; `0` needs none.
#[cfg(feature = "lab")]
fn distance(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time with its unit, such as 40ms".to_owned())
}

/// Bold headings and flags and no colour: readable on every background.
fn styles() -> Styles {
    let bold = Style::new().bold();
    Styles::plain().header(bold).usage(bold).literal(bold)
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
