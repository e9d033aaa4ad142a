//! Counting instructions: a program under valgrind's callgrind.

use std::io::ErrorKind;
use std::process::Stdio;

use tokio::process::Command;

use crate::kit::{Outcome, within};

/// How callgrind begins the line with the number of instructions.
const COLLECTED: &str = "Collected :";

/// Whether there is a valgrind.
pub(crate) async fn is_there() -> Outcome<bool> {
    match Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().await {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How many instructions this program executes when it is started with these words.
pub(crate) async fn instructions(words: &[String]) -> Outcome<u64> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=callgrind.out"]);
    command.arg(std::env::current_exe()?).args(words);
    command.current_dir(directory.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = within("valgrind", command.output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once(COLLECTED)?.1.trim().parse().ok());
    match collected {
        Some(instructions) if output.status.success() => Ok(instructions),
        _ => Err(format!("valgrind did not count:\n{said}").into()),
    }
}
