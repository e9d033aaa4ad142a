//! `onionroom invite`: who may find a private room.

use std::env;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::arguments::{InviteCommand, InviteFlags};
use super::failure::Failure;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
use crate::invitations::{Expiry, Invitation, Invitations, InviteeName};
use crate::storage;
use crate::tor::{self, ClientKey};

/// Does what was asked, in files alone: an open room sees them.
pub(super) fn run(flags: InviteFlags) -> Result<(), Failure> {
    let sources =
        Sources { file: flags.config.clone(), environment: env::vars_os().collect(), flags: flags.flags() };
    let settings = Settings::load(&sources, &StandardPaths::for_user())?;
    let data_dir = settings.data_dir.as_deref().ok_or(Failure::NothingInvited)?;
    let room =
        Room { data_dir, restricted: settings.onion.restricted, terminal: Terminal::of_this_process() };
    let invitations = Invitations::of_room(data_dir)?;
    match flags.command {
        InviteCommand::Add { name, expires, private } => room.add(&invitations, &name, expires, private),
        InviteCommand::List => room.list(&invitations),
        InviteCommand::Remove { name, keep_circuits } => room.remove(&invitations, &name, keep_circuits),
    }
}

/// The room, and where to say what was done.
struct Room<'a> {
    data_dir: &'a Path,
    /// Whether the settings say that it is private.
    restricted: bool,
    terminal: Terminal,
}

impl Room<'_> {
    fn add(
        &self,
        invitations: &Invitations,
        name: &InviteeName,
        expires: Option<Duration>,
        private: bool,
    ) -> Result<(), Failure> {
        let newly = !invitations.are_private() && (private || self.restricted);
        let key = ClientKey::generate();
        let expiry = expires.map_or(Expiry::Never, |time| Expiry::At(SystemTime::now() + time));
        if newly {
            invitations.add_first(name, &key.public(), expiry)?;
        } else {
            invitations.add(name, &key.public(), expiry)?;
        }
        self.print_key(name, &key, expiry);
        if newly {
            self.terminal.eprint("The room is private from now on: only those invited find it.");
        }
        self.terminal.eprint(if storage::is_in_use(self.data_dir) {
            "The room is open and takes the invitation now. It can take two minutes until the Tor network has it; before that \
             Tor Browser says that the key is wrong."
        } else {
            "The room is not open at the moment. The invitation counts when it is."
        });
        Ok(())
    }

    fn print_key(&self, name: &InviteeName, key: &ClientKey, expiry: Expiry) {
        let (written, address) = (key.written(), tor::address_in(self.data_dir));
        let line = address.map(|address| {
            let address = address.as_str().trim_end_matches(".onion").to_owned();
            format!("{address}:descriptor:x25519:{}", *written)
        });
        if !self.terminal.out.is_terminal {
            self.terminal.print(&format!("name: {name}\nexpires: {expiry}\nkey: {}", *written));
            if let Some(line) = line {
                self.terminal.print(&format!("auth_private: {line}"));
            }
            return;
        }
        let until = match expiry {
            Expiry::Never => String::new(),
            other => format!(" until {other}"),
        };
        let words = format!(
            "The invitation {name} is made{until}. Its key, which Tor Browser asks for when the address is opened; it is shown \
             this once and kept nowhere:"
        );
        self.terminal.paragraph(&words, &written);
        let words = "For the program tor: a file whose name ends in .auth_private, in the directory that ClientOnionAuthDir \
                     names, with this line:";
        match line {
            Some(line) => self.terminal.paragraph(words, &line),
            None => {
                let line = format!("ADDRESS:descriptor:x25519:{}", *written);
                self.terminal.paragraph(&format!("{words} (ADDRESS is the room's, without .onion)"), &line);
            }
        }
        self.terminal.print("");
    }

    fn list(&self, invitations: &Invitations) -> Result<(), Failure> {
        let all = invitations.list()?;
        let private = all.is_some() || self.restricted;
        let (all, now) = (all.unwrap_or_default(), SystemTime::now());
        let heading = if private {
            "only those invited find the room"
        } else {
            "no, all who know the address find the room"
        };
        self.terminal.print(&format!("private: {heading}"));
        for Invitation { name, key, expiry } in all {
            let state = match (key, expiry) {
                (None, _) | (_, Expiry::Unreadable) => {
                    "counts for nothing, its file cannot be read".to_owned()
                }
                (_, Expiry::Never) => "until it is removed".to_owned(),
                (_, expiry) if expiry.is_over(now) => format!("expired {expiry}"),
                (_, expiry) => format!("until {expiry}"),
            };
            self.terminal.print(&format!("{name}: {state}"));
        }
        Ok(())
    }

    fn remove(&self, invitations: &Invitations, name: &InviteeName, stay: bool) -> Result<(), Failure> {
        invitations.remove(name, stay)?;
        let open = storage::is_in_use(self.data_dir);
        self.terminal.eprint(match (open, stay) {
            (false, _) => "The invitation is removed. Its key is of no use when the room is opened again.",
            (true, false) => {
                "The invitation is removed. The room closes all circuits within seconds; guests who are still invited come \
                 back by themselves."
            }
            (true, true) => {
                "The invitation is removed. Who is inside stays, and a Tor client that has visited the room before may find \
                 it for some hours more. To shut it out now, close the room and open it again."
            }
        });
        Ok(())
    }
}
