//! The room: its nodes, and the NATS servers that they share.

use std::fs;
use std::net::SocketAddr;

use onionroom_bench::Outcome;
use onionroom_bench::program::{Build, Program};
use tempfile::TempDir;
use tokio::process::Command;

use crate::servers::{Program as ServerProgram, Servers};

const SERVERS: usize = 3;

/// A room on this machine.
pub(crate) struct Room {
    nodes: Vec<(Program, SocketAddr)>,
    /// `None` for a node alone.
    servers: Option<Servers>,
    _directory: TempDir,
}

impl Room {
    /// Starts it; 0 nodes are one that keeps its messages in SQLite.
    pub(crate) async fn start(build: &Build, nodes: usize) -> Outcome<Self> {
        let directory = TempDir::new()?;
        let mut configuration = String::new();
        let mut room = Self { nodes: Vec::new(), servers: None, _directory: directory };
        let directory = room._directory.path().to_owned();
        if nodes > 0 {
            let servers = Servers::start(ServerProgram::Newer, SERVERS);
            let (nats, secret) = (servers.addresses(), servers.secret());
            configuration =
                format!("[cluster]\nnats = {nats:?}\nsecret_file = {secret:?}\nreplicas = {SERVERS}\n");
            room.servers = Some(servers);
        }
        for place in 0..nodes.max(1) {
            let home = directory.join(format!("node{place}"));
            fs::create_dir(&home)?;
            let file = home.join("onionroom.toml");
            fs::write(&file, &configuration)?;
            let mut command = Command::new("env");
            command.args(build.unlimited().await?).arg(&build.path).arg("serve").arg("--config").arg(&file);
            command
                .args(["--no-onion", "--listen", "127.0.0.1:0", "--guests", "10000", "--data-dir"])
                .arg(home.join("data"));
            let mut program = Program::start(command, &home)?;
            let url = program.line("local: ").await?;
            let address =
                url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).ok_or("no address")?;
            room.nodes.push((program, address.parse()?));
        }
        Ok(room)
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|(_, address)| *address).collect()
    }

    /// The process ids of the nodes.
    pub(crate) fn processes(&self) -> Outcome<Vec<u32>> {
        self.nodes.iter().map(|(program, _)| program.id()).collect()
    }

    /// The process ids of the NATS servers.
    pub(crate) fn servers(&self) -> Vec<u32> {
        self.servers.as_ref().map(Servers::processes).unwrap_or_default()
    }

    /// `kill -9`.
    pub(crate) async fn kill_first(&mut self) -> Outcome<()> {
        let (program, _) = self.nodes.remove(0);
        Command::new("kill").args(["-KILL", &program.id()?.to_string()]).status().await?;
        Ok(())
    }

    pub(crate) async fn stop(self) -> Outcome<()> {
        for (program, _) in self.nodes {
            program.terminate().await?;
        }
        Ok(())
    }
}
