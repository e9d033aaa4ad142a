//! `onionroom cluster`: what a room on several machines needs before it is opened, and what is wrong with it.

use std::env;
use std::path::PathBuf;

use super::arguments::ClusterCommand;
use super::failure::Failure;
use super::serve::block_on;
use super::terminal::Terminal;
use crate::cluster::{ClusterSecret, SecretError};
use crate::config::{Settings, Sources, StandardPaths};
use crate::nodes::check::{Finding, Verdict, check};

/// Runs it.
pub(super) fn run(command: ClusterCommand) -> Result<(), Failure> {
    match command {
        ClusterCommand::Key { file } => {
            ClusterSecret::random().map_err(SecretError::from)?.write(&file)?;
            Terminal::of_this_process().eprint(&format!(
                "The key is in {}. Copy that file to each machine of the room, and name it there with cluster.secret_file.",
                file.display()
            ));
            Ok(())
        }
        ClusterCommand::Check { config } => run_check(config),
    }
}

/// Prints each finding as it comes.
fn run_check(file: Option<PathBuf>) -> Result<(), Failure> {
    let sources = Sources { file, environment: env::vars_os().collect(), flags: Vec::new() };
    let settings = Settings::load(&sources, &StandardPaths::for_user())?;
    let cluster = settings.cluster.ok_or(Failure::NoCluster)?;
    let terminal = Terminal::of_this_process();
    let mut wrong = 0;
    let mut tell = |Finding { verdict, text }: Finding| {
        let mark = match verdict {
            Verdict::Right => "right",
            Verdict::Note => "note ",
            Verdict::Wrong => "WRONG",
        };
        wrong += usize::from(verdict == Verdict::Wrong);
        terminal.print(&format!("{mark}  {text}"));
    };
    block_on(async {
        check(&cluster, &mut tell).await;
        Ok(())
    })?;
    if wrong == 0 { Ok(()) } else { Err(Failure::ClusterWrong(wrong)) }
}
