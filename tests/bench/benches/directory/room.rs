//! The program, with a guest who listens.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, process};
use tokio::process::Command;
use tokio::time::Instant;

use crate::listener::{Listener, Period};

/// A build, and how many threads it is told to use; `None` for its default.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) build: Build,
    pub(crate) threads: Option<u16>,
}

/// A running room.
pub(crate) struct Room {
    pub(crate) program: Program,
    pub(crate) started: Instant,
    data: PathBuf,
    listener: Listener,
}

/// What was measured since an instant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) period: Period,
    pub(crate) cpu_seconds: f64,
    pub(crate) resident: f64,
    pub(crate) peak: f64,
    /// Of the data directory.
    pub(crate) stored: f64,
}

impl Kind {
    pub(crate) fn name(&self) -> String {
        match self.threads {
            None => self.build.name.clone(),
            Some(threads) => format!("{}, threads = {threads}", self.build.name),
        }
    }

    /// Starts the room; without a `network` it has no onion service.
    pub(crate) async fn start(&self, home: &Path, network: Option<&Path>) -> Outcome<Room> {
        let data = home.join("data");
        let mut command = Command::new("env");
        command.args(self.build.unlimited().await?);
        // Nothing is kept, so that no message waits for the disk.
        command.arg("ONIONROOM_HISTORY_MESSAGES=0").arg(&self.build.path);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        command.args(["--log", "onionroom=info,tor_dirmgr=debug"]);
        match network {
            Some(file) => command.arg("--network-file").arg(file),
            None => command.arg("--no-onion"),
        };
        if let (Some(threads), Some(_)) = (self.threads, network) {
            command.args(["--threads", &threads.to_string()]);
        }
        let started = Instant::now();
        let mut program = Program::start(command, home)?;
        let url = program.line("local: http://").await?;
        let address: SocketAddr = url.trim_end_matches('/').parse()?;
        let listener = Listener::start(address, program.id()?);
        Ok(Room { program, started, data, listener })
    }
}

impl Room {
    /// CPU seconds so far.
    pub(crate) fn cpu(&self) -> Outcome<f64> {
        Ok(process::cpu(self.program.id()?))
    }

    /// What was measured since `begin`, when the program had used so many CPU seconds.
    pub(crate) fn measured(&self, begin: Instant, cpu: f64) -> Outcome<Measured> {
        let id = self.program.id()?;
        Ok(Measured {
            period: self.listener.since(begin)?,
            cpu_seconds: process::cpu(id) - cpu,
            resident: process::resident(id) as f64,
            peak: process::peak(id) as f64,
            stored: occupied(&self.data) as f64,
        })
    }
}

/// The bytes that a file, or what is in a directory, occupies on the disk.
fn occupied(path: &Path) -> u64 {
    let inside = fs::read_dir(path).into_iter().flatten().flatten();
    let itself = fs::symlink_metadata(path).map_or(0, |metadata| metadata.blocks() * 512);
    itself + inside.map(|entry| occupied(&entry.path())).sum::<u64>()
}
