//! The processes of the nodes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::error::LabError;

/// How many lines of a node's log are shown when it ends unexpectedly.
const LOG_LINES: usize = 12;

/// A running `tor`. Dropping it kills the process and waits until it has ended.
#[derive(Debug)]
pub(super) struct Node {
    nickname: String,
    data: PathBuf,
    child: Child,
}

impl Node {
    /// Starts `tor` with `torrc` in the data directory `data`; its output goes to the file `log` there.
    pub(super) fn start(
        tor: &Path,
        nickname: &str,
        data: &Path,
        torrc: &Path,
        defaults: &Path,
    ) -> Result<Self, LabError> {
        let log = data.join("log");
        let file = |cause| LabError::File { path: log.clone(), cause };
        let output = File::create(&log).map_err(file)?;
        let errors = output.try_clone().map_err(file)?;
        let mut command = Command::new(tor);
        // Without this file tor would read the system's defaults.
        command.arg("--defaults-torrc").arg(defaults).arg("-f").arg(torrc);
        command.current_dir(data).stdin(Stdio::null()).stdout(output).stderr(errors);
        // A process group of its own, so that Ctrl-C in the terminal does not reach the nodes: the room closes its
        // connections while the network still runs.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|cause| LabError::Run { program: tor.into(), cause })?;
        Ok(Self { nickname: nickname.into(), data: data.into(), child })
    }

    /// Its nickname.
    pub(super) fn nickname(&self) -> &str {
        &self.nickname
    }

    /// Its data directory.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Checks that it runs.
    ///
    /// # Errors
    /// [`LabError::NodeEnded`] with the end of its log if it does not.
    pub(super) fn check(&mut self) -> Result<(), LabError> {
        let log = self.data.join("log");
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                Err(LabError::NodeEnded { node: self.nickname.clone(), status, log: end_of(&log) })
            }
            Err(cause) => Err(LabError::File { path: log, cause }),
        }
    }

    /// Sends SIGKILL, without waiting. Not SIGTERM: there is no state to save, and an orderly end of eleven relays
    /// takes long.
    fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Nodes that are ended together.
#[derive(Debug, Default)]
pub(super) struct Nodes(pub(super) Vec<Node>);

impl Drop for Nodes {
    fn drop(&mut self) {
        // All are killed before the first is waited for, so that they end concurrently.
        self.0.iter_mut().for_each(Node::kill);
    }
}

/// The last lines of a log.
fn end_of(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_node_that_ends_shows_the_end_of_its_log() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("torrc");
        // A shell does not know tor's options, says so and ends.
        let mut node = Node::start(Path::new("/bin/sh"), "relay9", data.path(), &file, &file).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let said = loop {
            match node.check() {
                Err(error) => break error.to_string(),
                Ok(()) => assert!(Instant::now() < deadline, "it does not end"),
            }
        };
        assert!(said.starts_with("relay9 ended") && said.lines().count() > 1, "{said}");
    }

    #[test]
    fn a_log_is_cut_to_its_end() {
        let data = tempfile::tempdir().unwrap();
        let log = data.path().join("log");
        let lines: Vec<_> = (1..=30).map(|number| number.to_string()).collect();
        std::fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(end_of(&log), lines[30 - LOG_LINES..].join("\n"));
        assert_eq!(end_of(&data.path().join("nothing")), "");
    }
}
