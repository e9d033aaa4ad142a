//! Errors of preparing and starting a private network.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::control::ControlError;
use crate::tor::PrivateNetworkError;

/// Why the private network could not be prepared or started; each message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A number in the plan is outside of what works.
    #[error("{name} must be {least} to {most}, not {given}: {why}.")]
    OutOfRange {
        /// Which number.
        name: &'static str,
        /// The least that works.
        least: usize,
        /// The most that is allowed.
        most: usize,
        /// What was given.
        given: usize,
        /// Why there is such a limit.
        why: &'static str,
    },
    /// The distance between nodes is longer than what works.
    #[error(
        "The distance must be 0 to {} ms, not {}: it is the time of one way on one hop, and over a longer one circuits \
         are not built in the time that clients wait.",
        most.as_millis(),
        humantime::format_duration(*given)
    )]
    TooFar {
        /// What was given.
        given: Duration,
        /// The longest that is allowed.
        most: Duration,
    },
    /// The forwarders that make the distance could not be started.
    #[error("The distance between the nodes could not be made: {0}.")]
    Distance(#[source] io::Error),
    /// A program is not installed.
    #[error(
        "The program `{program}` was not found. It belongs to Tor; install it with `apt install tor` \
         (Debian, Ubuntu), `dnf install tor` (Fedora), `pacman -S tor` (Arch) or `brew install tor` (macOS)."
    )]
    NotInstalled {
        /// Its name.
        program: &'static str,
    },
    /// The path given for `tor` is not an executable file.
    #[error("{} is not a program. Give the path of `tor`, or nothing to have it found on PATH.", .0.display())]
    NotAProgram(PathBuf),
    /// A port is in use or not allowed.
    #[error("Port {port} on 127.0.0.1 cannot be used: {cause}. Choose another one, or 0 for any free one.")]
    Port {
        /// The port.
        port: u16,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The path of the directory cannot be written in a torrc file.
    #[error("{} cannot be written in tor's configuration; choose a directory with a plainer name.", .0.display())]
    DirectoryName(PathBuf),
    /// A file or directory could not be read or written.
    #[error("{}: {cause}.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The description of the network could not be written.
    #[error(transparent)]
    Description(#[from] PrivateNetworkError),
    /// A program could not be run at all.
    #[error("{} could not be run: {cause}.", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// An authority's keys could not be made.
    #[error("The keys of {node} could not be made: {reason}.")]
    Keys {
        /// The authority.
        node: String,
        /// What the program reported.
        reason: String,
    },
    /// A node ended unexpectedly.
    #[error("{node} ended ({status}). The last lines of its log:\n{log}")]
    NodeEnded {
        /// The node.
        node: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// A request to a node's control port failed.
    #[error("{node} could not be controlled: {cause}.")]
    Control {
        /// The node.
        node: String,
        /// What went wrong.
        #[source]
        cause: ControlError,
    },
    /// The network was not ready in time.
    #[error(
        "After {} seconds the network was still {step}. This machine may be too busy; try again with \
         fewer relays.",
        after.as_secs()
    )]
    Deadline {
        /// The step that was under way.
        step: String,
        /// The limit.
        after: Duration,
    },
}
