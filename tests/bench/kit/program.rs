//! The program itself, as people run it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;

use super::{Outcome, within};

/// The program as this bench's profile built it.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_onionroom");

/// A running `onionroom serve`; killed when dropped.
pub(crate) struct Program {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    /// What it says for people, for when it is needed.
    err: NamedTempFile,
    started: Instant,
}

impl Program {
    /// Starts `onionroom serve` on a free port with its data below `data`, and these further words. It sees nothing
    /// of this process's environment but `PATH`.
    pub(crate) fn serve(data: &Path, words: &[&OsStr]) -> Outcome<Self> {
        let err = NamedTempFile::new()?;
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.join("room")).args(words);
        command.env_clear().env("HOME", data).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(err.reopen()?).kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        Ok(Self { child, out: BufReader::new(out).lines(), err, started })
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Reads standard output up to the line with this key, and answers with its value.
    pub(crate) async fn told(&mut self, key: &str) -> Outcome<String> {
        let line = async {
            while let Some(line) = self.out.next_line().await? {
                if let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")) {
                    return Ok(value.to_owned());
                }
            }
            Err(format!("the program ended before it told {key:?}").into())
        };
        within(key, line).await.flatten().map_err(|error| {
            let said = std::fs::read_to_string(self.err.path()).unwrap_or_default();
            format!("{error}\n{said}").into()
        })
    }

    /// Resident memory (`VmRSS`) in bytes, where the system tells it.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Ends it as Ctrl-C would, and waits for its end.
    pub(crate) async fn end(mut self) -> Outcome<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
        within("the program's end", self.child.wait()).await??;
        Ok(())
    }
}
