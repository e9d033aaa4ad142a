//! The flags and commands of `onionroom host`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::moving::PassphraseFlags;

pub(super) const EXAMPLES: &str = "\
Examples:
  onionroom host status
      How the room is, and where.
  onionroom host guests --json
      Who is here, for a script.
  onionroom host mute Ann --for 10m
      Ann says nothing for ten minutes.
  onionroom host --data-dir /var/lib/onionroom lock
      As root, for a room that systemd runs.

docs/hosting.md has the same for programs: the room's socket and what goes over it.";

/// Flags of `host`.
#[derive(Debug, Args)]
pub struct HostFlags {
    /// What to ask or to do.
    #[command(subcommand)]
    pub command: HostCommand,
    /// In which room, where there are several [default: main]
    #[arg(long, value_name = "NAME", global = true)]
    pub room: Option<String>,
    /// Print the answer as JSON, in one line
    #[arg(long, global = true)]
    pub json: bool,
    /// The data directory of the room [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY", global = true, conflicts_with = "ephemeral")]
    pub data_dir: Option<OsString>,
    /// The ephemeral room that this user runs
    #[arg(long, global = true)]
    pub ephemeral: bool,
    /// The configuration file; without this, onionroom.toml in the platform's directory, if it exists
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What `host` can do.
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// Print the title, the address, how many guests are here, and what was decided
    Status,
    /// Print who is here: number, badge, role and name
    Guests,
    /// Print who is a host or a moderator, here or not
    Roles,
    /// Print who is muted or banned, or was put out a moment ago
    Bans,
    /// Print which names are reserved, for whom, and how long they were not used
    Names,
    /// Print what hosts and moderators have done, without texts
    Log,
    /// Print the newest messages with their numbers, which delete and pin take
    Messages {
        /// How many, 1 to 1000
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        last: u64,
    },
    /// Make a link that makes the window that opens it a host's, once
    Link {
        /// A moderator's instead
        #[arg(long)]
        moderator: bool,
        /// Take back all links that were not used
        #[arg(long, conflicts_with = "moderator")]
        revoke: bool,
    },
    /// Put a guest out; they may come back in a minute
    Kick {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
    },
    /// Keep a guest from saying anything
    Mute {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
        /// For how long, such as 10m; until it is taken back if this is not said
        #[arg(long = "for", value_name = "TIME", value_parser = time)]
        time: Option<Duration>,
        /// All who came by the same invitation, which lets no guest in any more
        #[arg(long)]
        invitation: bool,
    },
    /// Take a mute back
    Unmute {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
    },
    /// Put a guest out and keep them out
    Ban {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
        /// For how long, such as 7d; until it is taken back if this is not said
        #[arg(long = "for", value_name = "TIME", value_parser = time)]
        time: Option<Duration>,
        /// All who came by the same invitation, which lets no guest in any more
        #[arg(long)]
        invitation: bool,
    },
    /// Take a ban back
    Unban {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
    },
    /// Delete messages everywhere, by their numbers
    Delete {
        /// The number of a message
        #[arg(value_name = "MESSAGE", required = true)]
        messages: Vec<u64>,
    },
    /// Print the messages that wait, because they have a word that is kept out
    Held,
    /// Let messages that wait be said, by their numbers; delete discards them
    Release {
        /// The number of a message
        #[arg(value_name = "MESSAGE", required = true)]
        messages: Vec<u64>,
    },
    /// Hold back messages that have certain words; without a file print these
    Words {
        /// A file with a word or a few on each line, or - for standard input; /dev/null for none
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Delete all messages of a guest
    DeleteAll {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
    },
    /// Let no one in who is not here already
    Lock,
    /// Let newcomers in again
    Unlock,
    /// Let newcomers in only when admit says so, or freely again
    Approval {
        /// on or off
        #[arg(value_name = "on|off")]
        set: Switch,
    },
    /// Print who waits to be let in at this machine
    Waiting,
    /// Let a guest in who waits
    Admit {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
    },
    /// Turn a guest away who waits, as ban does
    Reject {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
        /// For how long, such as 10m; until unban if this is not said
        #[arg(long = "for", value_name = "TIME", value_parser = time)]
        time: Option<Duration>,
    },
    /// Ask newcomers for a password, which is asked for here; --remove for none any more
    Password {
        /// Where the password comes from
        #[command(flatten)]
        passphrase: PassphraseFlags,
        /// Take the password away
        #[arg(long, conflicts_with = "passphrase_file")]
        remove: bool,
    },
    /// Let newcomers in only with an invitation, or freely again
    InvitedOnly {
        /// on or off
        #[arg(value_name = "on|off")]
        set: Switch,
    },
    /// Make a link that lets one person in, and print it with its QR code
    Invite {
        /// What to call the invitation; guests do not see it
        #[arg(value_name = "NAME")]
        name: String,
        /// Let in the first guest who opens it, and no other
        #[arg(long)]
        once: bool,
        /// For how long it lets guests in, such as 7d [default: until uninvite]
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires: Option<Duration>,
    },
    /// Print which invitations there are
    Invites,
    /// Take an invitation back, and put out who came by it
    Uninvite {
        /// What the invitation is called, or its number
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Let each guest say something only once in a while
    Slow {
        /// How long a guest waits between two messages, such as 10s; or off
        #[arg(value_name = "TIME", value_parser = time_or_off)]
        time: Duration,
    },
    /// Let in fewer guests than there are seats
    Cap {
        /// How many guests at most; or off
        #[arg(value_name = "NUMBER", value_parser = number_or_off)]
        guests: u64,
    },
    /// Say below the title what the room is about; '' for nothing
    Topic {
        /// One line
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Give the room another title
    Title {
        /// 1 to 64 characters
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Set what newcomers are to read first; /dev/null for nothing
    Rules {
        /// A file of text, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Keep a message in sight, by its number
    Pin {
        /// The number of the message
        #[arg(value_name = "MESSAGE")]
        message: u64,
    },
    /// Take the pinned message down
    Unpin,
    /// Say something as the room itself
    Announce {
        /// What to say
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Take a reserved name from its guest, so that others can have it
    Unreserve {
        /// The name, or the guest's number or badge
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Allow or forbid private messages between guests
    Private {
        /// Whether they are allowed
        #[arg(value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
        allowed: bool,
    },
    /// Tell guests who is writing something, or do not
    Typing {
        /// Whether it is told
        #[arg(value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
        told: bool,
    },
    /// Let in only guests with an identity: a passphrase, or the token of a reserved name
    Identities {
        /// Whether it is asked for
        #[arg(value_name = "on|off", value_parser = on_or_off, action = clap::ArgAction::Set)]
        required: bool,
    },
    /// Give a guest a role, or take it back with guest
    Role {
        /// The guest
        #[arg(value_name = "GUEST")]
        guest: String,
        /// The role
        #[arg(value_name = "ROLE")]
        role: RoleName,
    },
    /// Keep a room that wipes itself when no host gives a sign
    Confirm,
}

/// Whether something is to be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// A role, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Everything.
    Host,
    /// Keeps order.
    Moderator,
    /// Talks.
    Guest,
}

impl RoleName {
    /// The role as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Moderator => "moderator",
            Self::Guest => "guest",
        }
    }
}

/// A time with its unit, of at least a second.
fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.as_secs() > 0 => Ok(time),
        Ok(_) => Err("a second is the shortest time".to_owned()),
        Err(_) => Err("write a time with its unit, such as 30s, 10m, 2h or 7d".to_owned()),
    }
}

fn time_or_off(text: &str) -> Result<Duration, String> {
    if text == "off" { Ok(Duration::ZERO) } else { time(text).map_err(|wrong| format!("{wrong}; or off")) }
}

fn number_or_off(text: &str) -> Result<u64, String> {
    match text {
        "off" => Ok(0),
        _ => match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err("write a number of guests, or off".to_owned()),
        },
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("write on or off".to_owned()),
    }
}
