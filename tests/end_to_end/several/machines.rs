//! Three machines, in small: a program each, with a line of its own to each NATS server.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use super::guests::Nodes;
use crate::kit::program::Program;
use crate::nats::{Line, Servers};

/// How long a node may take to start: it reads all that is kept, and a build for tests is slow at that.
const START: Duration = Duration::from_secs(180);

/// The programs, and what they need of each other.
pub(super) struct Machines {
    pub(super) servers: Servers,
    machines: Vec<Machine>,
    _directory: TempDir,
}

struct Machine {
    words: Vec<String>,
    lines: Vec<Line>,
    program: Option<Program>,
    address: watch::Sender<Option<SocketAddr>>,
}

impl Machines {
    /// Starts as many nodes of one room.
    pub(super) async fn start(servers: Servers, count: usize) -> Self {
        let directory = TempDir::new().unwrap();
        let mut machines = Vec::new();
        for place in 0..count {
            let mut lines = Vec::new();
            for server in 0..servers.count() {
                lines.push(Line::to(servers.socket(server)).await);
            }
            let path = |name: &str| directory.path().join(format!("{name}{place}"));
            let config = configuration(&path("node.toml"), &lines, &servers);
            let words = [
                "serve",
                "--no-onion",
                "--local",
                "open",
                "--listen",
                "127.0.0.1:0",
                // A node reads all that is kept when it starts: what a long run says must stay within reason.
                "--messages-per-minute",
                "30",
                "--keep-messages",
                "1000000",
                "--config",
                config.to_str().unwrap(),
                "--data-dir",
                path("data").to_str().unwrap(),
            ]
            .map(str::to_owned)
            .to_vec();
            machines.push(Machine { words, lines, program: None, address: watch::Sender::new(None) });
        }
        let mut machines = Self { servers, machines, _directory: directory };
        for place in 0..count {
            machines.begin(place).await;
        }
        machines
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.machines.len()
    }

    /// Where they are at each moment.
    pub(super) fn nodes(&self) -> Nodes {
        Arc::new(self.machines.iter().map(|machine| machine.address.subscribe()).collect())
    }

    /// Where this one is; it runs.
    pub(super) fn address(&self, place: usize) -> SocketAddr {
        self.machines[place].address.borrow().expect("it runs")
    }

    /// Its program.
    pub(super) fn program(&self, place: usize) -> &Program {
        self.machines[place].program.as_ref().expect("it runs")
    }

    /// Its lines to the NATS servers.
    pub(super) fn lines(&self, place: usize) -> &[Line] {
        &self.machines[place].lines
    }

    /// Starts one that was killed, and waits until it answers.
    pub(super) async fn begin(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        let words: Vec<&str> = machine.words.iter().map(String::as_str).collect();
        let mut program = Program::start(&words);
        let url = timeout(START, local(&mut program)).await.expect("a node takes too long to start");
        let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap();
        machine.address.send_replace(Some(address.parse().unwrap()));
        machine.program = Some(program);
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        machine.address.send_replace(None);
        machine.program.take().expect("it runs").kill().await;
    }
}

/// The address that the program tells.
async fn local(program: &mut Program) -> String {
    loop {
        let line = program.out.next_line().await.unwrap().expect("standard output ended before the address");
        if let Some(url) = line.strip_prefix("local: ") {
            return url.to_owned();
        }
    }
}

fn configuration(file: &PathBuf, lines: &[Line], servers: &Servers) -> PathBuf {
    let nats: Vec<String> = lines.iter().map(Line::address).collect();
    let secret = servers.secret();
    fs::write(file, format!("[cluster]\nnats = {nats:?}\nsecret_file = {secret:?}\n")).unwrap();
    file.clone()
}
