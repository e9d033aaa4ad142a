//! `onionroom host`: asks a running room how it is, and governs it, over the socket in its data directory.

#[cfg(unix)]
mod entering;
mod error;
#[cfg(unix)]
mod guest;
#[cfg(unix)]
mod request;
#[cfg(unix)]
mod shown;
#[cfg(unix)]
mod words;

use std::env;
use std::path::PathBuf;

use serde_json::json;

use super::arguments::{HostFlags, ServeFlags};
use super::failure::Failure;
use super::serve::block_on;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
#[cfg(unix)]
use crate::control::client::Client;
use crate::storage::DataDirectory;

pub use error::HostError;

/// Asks or does it, and prints the answer.
pub(super) fn run(before: &ServeFlags, flags: &HostFlags) -> Result<(), Failure> {
    let directories = directories(before, flags)?;
    let terminal = Terminal::of_this_process();
    block_on(async {
        let outcome = answer(&directories, flags, &terminal).await;
        if let (true, Err(error)) = (flags.json, &outcome) {
            terminal.print(
                &json!({ "error": { "code": error.code(), "message": error.to_string() } }).to_string(),
            );
        }
        Ok(outcome?)
    })
}

/// Where the room may be: in one data directory, or in any of the ephemeral ones.
enum Directories {
    One(PathBuf),
    Ephemeral(Vec<PathBuf>),
}

/// What is named on the command line, also before `host`, or else in the settings.
fn directories(before: &ServeFlags, flags: &HostFlags) -> Result<Directories, Failure> {
    let ephemeral = || Directories::Ephemeral(DataDirectory::ephemeral_ones());
    if flags.ephemeral {
        return Ok(ephemeral());
    }
    // Also where the settings say something else.
    if let Some(directory) = flags.data_dir.as_ref().or(before.data_dir()) {
        return Ok(Directories::One(directory.into()));
    }
    if before.is_ephemeral() {
        return Ok(ephemeral());
    }
    let file = flags.config.as_ref().or(before.room.config.as_ref()).cloned();
    let sources = Sources { file, environment: env::vars_os().collect(), flags: Vec::new() };
    let settings = Settings::load(&sources, &StandardPaths::for_user())?;
    Ok(match settings.data_dir {
        Some(directory) => Directories::One(directory),
        None => ephemeral(),
    })
}

#[cfg(unix)]
async fn answer(directories: &Directories, flags: &HostFlags, terminal: &Terminal) -> Result<(), HostError> {
    let mut client = connect(directories).await?;
    client.speak_of(flags.room.clone());
    let requests = request::requests(&mut client, &flags.command, terminal).await?;
    for request in &requests {
        let answer = client.request_value(&request.json).await?;
        if flags.json {
            terminal.print(&answer.to_string());
        } else {
            words::print(terminal, &flags.command, request, answer)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
async fn answer(_: &Directories, _: &HostFlags, _: &Terminal) -> Result<(), HostError> {
    Err(HostError::NoSockets)
}

#[cfg(unix)]
async fn connect(directories: &Directories) -> Result<Client, HostError> {
    let candidates = match directories {
        Directories::One(directory) => return Ok(Client::connect(directory).await?),
        Directories::Ephemeral(candidates) => candidates,
    };
    let mut open = Vec::new();
    for directory in candidates {
        if let Ok(client) = Client::connect(directory).await {
            open.push((directory, client));
        }
    }
    if open.len() > 1 {
        return Err(HostError::SeveralEphemeral(
            open.into_iter().map(|(directory, _)| directory.clone()).collect(),
        ));
    }
    open.pop().map(|(_, client)| client).ok_or(HostError::NoEphemeral)
}
