//! The room: its nodes, and the NATS servers that they share.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, within};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

const SERVERS: usize = 3;

/// A room on this machine.
pub(crate) struct Room {
    nodes: Vec<(Program, SocketAddr)>,
    servers: Vec<Program>,
    _directory: TempDir,
}

impl Room {
    /// Starts it; 0 nodes are one that keeps its messages in SQLite.
    pub(crate) async fn start(build: &Build, nodes: usize, nats_server: &Path) -> Outcome<Self> {
        let directory = TempDir::new()?;
        let (servers, mut configuration) = (Vec::new(), String::new());
        let mut room = Self { nodes: Vec::new(), servers, _directory: directory };
        let directory = room._directory.path().to_owned();
        if nodes > 0 {
            let ports = free_ports(2 * SERVERS)?;
            let (clients, routes) = ports.split_at(SERVERS);
            for (place, port) in clients.iter().enumerate() {
                let file = directory.join(format!("server{place}.conf"));
                let store = directory.join(format!("server{place}"));
                let others: Vec<String> =
                    routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
                let own = routes[place];
                fs::write(
                    &file,
                    format!(
                        "listen: \"127.0.0.1:{port}\"\nserver_name: s{place}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\ncluster {{ name: bench, listen: \"127.0.0.1:{own}\", routes: {others:?} }}\n"
                    ),
                )?;
                let mut command = Command::new(nats_server);
                command.arg("-c").arg(&file);
                room.servers.push(Program::start(command, &directory)?);
            }
            for port in clients {
                within("NATS server", async {
                    while TcpStream::connect(("127.0.0.1", *port)).await.is_err() {
                        sleep(Duration::from_millis(20)).await;
                    }
                })
                .await?;
            }
            let secret = directory.join("secret");
            fs::write(&secret, "5".repeat(64))?;
            fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
            let nats: Vec<String> = clients.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
            configuration = format!("[cluster]\nnats = {nats:?}\nsecret_file = {secret:?}\nreplicas = 3\n");
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
        self.servers.iter().filter_map(|server| server.id().ok()).collect()
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

/// Ports that were free at the same time.
fn free_ports(count: usize) -> Outcome<Vec<u16>> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    Ok(listeners
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.port()))
        .collect::<Result<_, _>>()?)
}
