//! `onionroom room`: the rooms beside the main one, of an address that is open or closed.

mod error;

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{RoomsCommand, RoomsFlags};
use super::failure::Failure;
use super::serve::block_on;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
#[cfg(unix)]
use crate::control::client::Client;
use crate::control::room_list::{RoomLine, RoomList};
use crate::server::closed_rooms::ClosedRooms;
use crate::storage;

pub use error::RoomsCommandError;

/// What has to be typed before a room is removed: its name.
const ASKED: &str = "makes unreadable for ever all that was said and decided in it, and puts its guests out";

/// Does what was asked.
pub(super) fn run(flags: &RoomsFlags) -> Result<(), Failure> {
    let sources =
        Sources { file: flags.config.clone(), environment: env::vars_os().collect(), flags: flags.flags() };
    let settings = Settings::load(&sources, &StandardPaths::for_user())?;
    let terminal = Terminal::of_this_process();
    block_on(async { Ok(done(&settings, flags, &terminal).await?) })
}

async fn done(settings: &Settings, flags: &RoomsFlags, terminal: &Terminal) -> Result<(), RoomsCommandError> {
    let data_dir = settings.data_dir.as_deref().ok_or(RoomsCommandError::NothingKept)?;
    if let RoomsCommand::Remove { name, yes: false } = &flags.command {
        confirm(name, terminal)?;
    }
    let answer = if storage::is_in_use(data_dir) {
        open(data_dir, flags).await?
    } else {
        closed(settings, data_dir, flags)?
    };
    if flags.json {
        terminal.print(&answer.to_string());
        return Ok(());
    }
    match &flags.command {
        RoomsCommand::Add { name, .. } => terminal.eprint(&format!("There is a room {name} now.")),
        RoomsCommand::Remove { name, .. } => terminal.eprint(&format!("The room {name} is removed.")),
        RoomsCommand::List => {
            let list: RoomList = serde_json::from_value(answer).unwrap_or(RoomList { rooms: Vec::new() });
            list.rooms.iter().for_each(|room| terminal.print(&words(room)));
        }
    }
    Ok(())
}

fn words(room: &RoomLine) -> String {
    let guests = room.guests.map(|guests| format!("  guests: {guests}")).unwrap_or_default();
    let listed = if room.listed { "" } else { "  unlisted" };
    format!("{}  {:?}{guests}{listed}", room.name, room.title)
}

fn confirm(name: &str, terminal: &Terminal) -> Result<(), RoomsCommandError> {
    if !io::stdin().is_terminal() {
        return Err(RoomsCommandError::Unasked);
    }
    terminal.eprint(&format!(
        "To remove the room {name:?} {ASKED}.\nType its name to do it, anything else to leave it:"
    ));
    let mut typed = String::new();
    // What cannot be read is no yes.
    match io::stdin().read_line(&mut typed) {
        Ok(_) if typed.trim() == name => Ok(()),
        _ => Err(RoomsCommandError::NotConfirmed),
    }
}

#[cfg(unix)]
async fn open(data_dir: &Path, flags: &RoomsFlags) -> Result<Value, RoomsCommandError> {
    let request = match &flags.command {
        RoomsCommand::List => json!({ "rooms": "list" }),
        RoomsCommand::Add { name, title, unlisted } => {
            let mut request = json!({ "rooms": "add", "name": name, "listed": !unlisted });
            if let Some(title) = title {
                request["title"] = title.as_str().into();
            }
            request
        }
        RoomsCommand::Remove { name, .. } => json!({ "rooms": "remove", "name": name }),
    };
    Ok(Client::connect(data_dir).await?.request_value(&request).await?)
}

#[cfg(not(unix))]
async fn open(data_dir: &Path, _: &RoomsFlags) -> Result<Value, RoomsCommandError> {
    Err(RoomsCommandError::InUse(data_dir.to_owned()))
}

fn closed(settings: &Settings, data_dir: &Path, flags: &RoomsFlags) -> Result<Value, RoomsCommandError> {
    let rooms = ClosedRooms::hold(settings, data_dir)?;
    Ok(match &flags.command {
        RoomsCommand::List => json!(rooms.list()),
        RoomsCommand::Add { name, title, unlisted } => {
            rooms.add(name, title.as_deref(), !unlisted)?;
            json!({ "room": name })
        }
        RoomsCommand::Remove { name, .. } => {
            rooms.remove(name)?;
            json!({ "room": name })
        }
    })
}
