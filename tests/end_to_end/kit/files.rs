//! How many files this process may open: two for each guest on the loopback.

use std::process::{Command, Stdio};

/// Raises the limit as far as the system lets everybody do. Where it cannot be raised a test that needs more says
/// so by itself.
pub(crate) fn as_many_as_allowed() {
    let process = std::process::id().to_string();
    let hard = Command::new("prlimit")
        .args(["--pid", &process, "--nofile", "--raw", "--noheadings", "--output", "HARD"])
        .stderr(Stdio::null())
        .output();
    let hard = hard.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let soft = format!("--nofile={}:", hard.trim());
    let _ = Command::new("prlimit").args(["--pid", &process, &soft]).stderr(Stdio::null()).status();
}
