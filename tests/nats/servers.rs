//! Real NATS servers for a test: one, or three that are a cluster, with JetStream in directories of their own. They end with
//! the test, also when it fails.
//!
//! Debian's `nats-server` is what most have; its replicas come apart when servers are killed, so tests that do that use a
//! newer one, which `tests/run` installs and names in `ONIONROOM_TEST_NATS_SERVER`.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as BlockingListener, TcpStream as BlockingStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use onionroom::config::{ClusterSettings, NatsAddress};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a server may take to begin.
const BEGIN: Duration = Duration::from_secs(60);

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Of Debian: 2.9 in bookworm.
    Debian,
    /// One that keeps its replicas together: 2.11 or newer.
    Newer,
}

impl Program {
    fn path(self) -> PathBuf {
        match self {
            Self::Debian => ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"]
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
                .expect("nats-server is not installed: apt install nats-server, or start tests/run, which does"),
            Self::Newer => std::env::var_os("ONIONROOM_TEST_NATS_SERVER").map(PathBuf::from).expect(
                "ONIONROOM_TEST_NATS_SERVER does not name a nats-server of version 2.11 or newer: start tests/run, which \
                 installs one, or name yours",
            ),
        }
    }
}

/// The servers.
pub(crate) struct Servers {
    servers: Vec<Server>,
    program: PathBuf,
    disks: Option<Disks>,
    directory: tempfile::TempDir,
}

struct Server {
    child: Option<Child>,
    port: u16,
    monitor: u16,
}

impl Servers {
    /// Starts one server, or three that are a cluster.
    pub(crate) fn start(program: Program, count: usize) -> Self {
        Self::configured(program, count, |_| String::new())
    }

    /// The same where each has a small disk of its own, if this system lets a test mount them: [`Servers::disks`] says so.
    pub(crate) fn start_on_small_disks(program: Program, count: usize) -> Self {
        Self::start_on(program, count, |_| String::new(), true)
    }

    /// The same with more in the configuration of each: what is made of the directory.
    pub(crate) fn configured(program: Program, count: usize, more: impl Fn(&Path) -> String) -> Self {
        Self::start_on(program, count, more, false)
    }

    fn start_on(program: Program, count: usize, more: impl Fn(&Path) -> String, small_disks: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [ports, routes, monitors] = [free_ports(count), free_ports(count), free_ports(count)];
        for place in 0..count {
            let mut text = format!(
                "listen: 127.0.0.1:{}\nhttp: 127.0.0.1:{}\nserver_name: s{place}\njetstream {{ store_dir: {:?}",
                ports[place],
                monitors[place],
                directory.path().join(format!("s{place}")),
            );
            if program == Program::Newer {
                text.push_str(", sync_interval: always");
            }
            // Servers refuse a stream that may grow beyond their disk.
            if small_disks {
                text.push_str(", max_file_store: 1TB");
            }
            text.push_str(" }\n");
            if count > 1 {
                let others: Vec<String> =
                    routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
                writeln!(
                    text,
                    "cluster {{ name: test, listen: 127.0.0.1:{}, routes: {others:?} }}",
                    routes[place]
                )
                .unwrap();
            }
            text.push_str(&more(directory.path()));
            fs::write(directory.path().join(format!("s{place}.conf")), text).unwrap();
        }
        let servers = ports.into_iter().zip(monitors);
        let servers = servers.map(|(port, monitor)| Server { child: None, port, monitor }).collect();
        let mut servers = Self { servers, program: program.path(), disks: None, directory };
        if small_disks {
            let stores = (0..count).map(|place| servers.directory.path().join(format!("s{place}")));
            servers.disks = Disks::mount(stores.collect());
        }
        (0..count).for_each(|place| servers.begin(place));
        (0..count).for_each(|place| servers.wait(place));
        servers.write_secret();
        servers
    }

    fn write_secret(&self) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.secret();
        fs::write(&file, "5".repeat(64)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A file with a key for the texts.
    pub(crate) fn secret(&self) -> PathBuf {
        self.directory.path().join("secret")
    }

    /// The small disks of the servers.
    pub(crate) fn disks(&self) -> Option<&Disks> {
        self.disks.as_ref()
    }

    /// Where the servers keep everything.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The settings of a node of this room that knows these addresses.
    pub(crate) fn settings(&self, room: &str, addresses: &[String]) -> ClusterSettings {
        ClusterSettings {
            nats: addresses.iter().map(|address| NatsAddress::parse(address).unwrap()).collect(),
            room: room.into(),
            replicas: self.count(),
            secret: self.secret(),
            credentials: None,
            ca: None,
            certificate: None,
            doors: true,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.servers.len()
    }

    pub(crate) fn address(&self, place: usize) -> String {
        format!("nats://127.0.0.1:{}", self.servers[place].port)
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        (0..self.count()).map(|place| self.address(place)).collect()
    }

    pub(crate) fn socket(&self, place: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.servers[place].port).into()
    }

    /// Starts a server that was killed, and waits until it answers.
    pub(crate) fn restart(&mut self, place: usize) {
        self.begin(place);
        self.wait(place);
    }

    fn begin(&mut self, place: usize) {
        let directory = self.directory.path();
        let log =
            File::options().create(true).append(true).open(directory.join(format!("s{place}.log"))).unwrap();
        let mut command = match &self.disks {
            Some(disks) => disks.command(&self.program),
            None => Command::new(&self.program),
        };
        let child = command
            .arg("-c")
            .arg(directory.join(format!("s{place}.conf")))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.servers[place].child = Some(child);
    }

    /// Starts a server that was killed, and waits until it answers or has ended; false if it has ended.
    pub(crate) fn try_restart(&mut self, place: usize) -> bool {
        self.begin(place);
        self.begins(place)
    }

    /// Waits until it greets.
    fn wait(&mut self, place: usize) {
        if !self.begins(place) {
            let log = fs::read_to_string(self.directory.path().join(format!("s{place}.log")));
            panic!("server {place} does not begin: {}", log.unwrap_or_default());
        }
    }

    /// Waits until it greets, or has ended.
    fn begins(&mut self, place: usize) -> bool {
        let (until, socket) = (Instant::now() + BEGIN, self.socket(place));
        loop {
            if let Ok(stream) = BlockingStream::connect_timeout(&socket, Duration::from_secs(1)) {
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                let mut greeting = String::new();
                if BufReader::new(stream).read_line(&mut greeting).is_ok() && greeting.starts_with("INFO") {
                    return true;
                }
            }
            let ended = self.servers[place].child.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, place: usize) {
        let mut child = self.servers[place].child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The process ids of those that run.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.servers.iter().filter_map(|server| server.child.as_ref()).map(Child::id).collect()
    }

    /// Where this server tells of itself over HTTP.
    pub(crate) fn monitor(&self, place: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.servers[place].monitor).into()
    }

    /// `SIGSTOP`.
    pub(crate) fn stop(&self, place: usize) {
        self.signal(place, Signal::STOP);
    }

    /// `SIGCONT`.
    pub(crate) fn resume(&self, place: usize) {
        self.signal(place, Signal::CONT);
    }

    fn signal(&self, place: usize, signal: Signal) {
        let child = self.servers[place].child.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in self.servers.iter_mut().filter_map(|server| server.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A small file system in memory for each server, all in a mount namespace of their own. They last until the end of the test,
/// also while the servers do not run.
pub(crate) struct Disks {
    /// Where they are mounted.
    stores: Vec<PathBuf>,
    /// What keeps the namespace. It ends with this process, because its standard input does.
    holder: Child,
}

impl Disks {
    /// Room for some hundred thousand messages, and little enough that the test may fill all of them.
    const OPTIONS: &str = "size=128m,mode=0700";

    /// `None`, and a line that says so, where nothing can be mounted.
    fn mount(stores: Vec<PathBuf>) -> Option<Self> {
        stores.iter().for_each(|store| fs::create_dir(store).unwrap());
        let script = "for at; do mount -t tmpfs -o \"$0\" none \"$at\" || exit; done; echo mounted; exec cat";
        let holder = Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c", script, Self::OPTIONS])
            .args(&stores)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let why = match holder {
            Ok(mut holder) => {
                let mut said = String::new();
                BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
                if said == "mounted\n" {
                    return Some(Self { stores, holder });
                }
                String::from_utf8_lossy(&holder.wait_with_output().unwrap().stderr).into_owned()
            }
            Err(error) => format!("unshare: {error}"),
        };
        let line =
            format!("NOT TESTED: nothing can be mounted for a test, so no disk was full: {}\n", why.trim());
        // Past the capture of what tests print.
        let _ = File::options()
            .write(true)
            .open("/proc/self/fd/2")
            .and_then(|mut told| told.write_all(line.as_bytes()));
        None
    }

    /// The program where the disks are mounted.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--mount", "--preserve-credentials"]);
        command.arg(format!("--target={}", self.holder.id())).arg(program);
        command
    }

    fn filler(&self, place: usize) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.stores[place].strip_prefix("/").unwrap()).join("filler")
    }

    /// Takes all the space that is left on this one.
    pub(crate) fn fill(&self, place: usize) {
        let mut filler = File::create(self.filler(place)).unwrap();
        // The last bytes, too.
        for size in [1 << 20, 4096, 1] {
            let zeros = vec![0; size];
            while filler.write_all(&zeros).is_ok() {}
        }
    }

    /// Gives it back.
    pub(crate) fn free(&self, place: usize) {
        fs::remove_file(self.filler(place)).unwrap();
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Ports that were free at the same time.
fn free_ports(count: usize) -> Vec<u16> {
    let taken: Vec<_> =
        (0..count).map(|_| BlockingListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    taken.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// What happens to the bytes on a [`Line`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// They pass.
    Whole,
    /// They do not, and neither end is told.
    Silent,
    /// The connections are closed, and new ones too.
    Closed,
}

/// A line between a node and a server that can be cut.
pub(crate) struct Line {
    port: u16,
    wire: watch::Sender<Wire>,
    accepting: JoinHandle<()>,
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (wire, watched) = watch::channel(Wire::Whole);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connect(near, server, watched.clone()));
            }
        });
        Self { port, wire, accepting }
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Lets nothing through any more, and tells neither end.
    pub(crate) fn silence(&self) {
        self.wire.send_replace(Wire::Silent);
    }

    /// Closes all connections, and every new one.
    pub(crate) fn cut(&self) {
        self.wire.send_replace(Wire::Closed);
    }

    /// Lets bytes through again: those of new connections, and of old ones that were not closed.
    pub(crate) fn mend(&self) {
        self.wire.send_replace(Wire::Whole);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
        self.wire.send_replace(Wire::Closed);
    }
}

async fn connect(near: TcpStream, server: SocketAddr, mut wire: watch::Receiver<Wire>) {
    if *wire.borrow() == Wire::Closed {
        return;
    }
    let Ok(far) = TcpStream::connect(server).await else { return };
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    let (there, back) = (wire.clone(), wire.clone());
    tokio::select! {
        () = pass(&mut near_in, &mut far_out, there) => {}
        () = pass(&mut far_in, &mut near_out, back) => {}
        _ = wire.wait_for(|wire| *wire == Wire::Closed) => {}
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut wire: watch::Receiver<Wire>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        if wire.wait_for(|wire| *wire == Wire::Whole).await.is_err()
            || to.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}
