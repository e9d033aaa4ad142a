//! `onionroom cluster`: what a room on several machines needs before it is opened.

use super::arguments::ClusterCommand;
use super::failure::Failure;
use super::terminal::Terminal;
use crate::cluster::{ClusterSecret, SecretError};

/// Runs it.
pub(super) fn run(command: ClusterCommand) -> Result<(), Failure> {
    let ClusterCommand::Key { file } = command;
    ClusterSecret::random().map_err(SecretError::from)?.write(&file)?;
    Terminal::of_this_process().eprint(&format!(
        "The key is in {}. Copy that file to each machine of the room, and name it there with cluster.secret_file.",
        file.display()
    ));
    Ok(())
}
