//! A room at several doors, for the tests of the page: each node has a port of its own, and all share a log in memory and an
//! in-process cluster. Each is a thread, whose end closes its connections as a killed process does.
//!
//! Arguments: for each node its origin, on a loopback name, with the number of its seats after a comma where that is limited.
//! Commands, a line each: `kill N`, `start N`, `write yes`, `write no`, `cut N` and `join N` for whether this node can claim
//! names; `act N {…}` for what the room itself does, at this node. Each is answered with `done`, and what a link that was made
//! has as its secret.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io::BufRead;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{self, BoxStream};
use onionroom::config::Settings;
use onionroom::http;
use onionroom::http::guard::Hosts;
use onionroom::http::site::{Noscript, Site};
use onionroom::hub::Room;
use onionroom::hub::cluster::{ClaimError, Cluster, ClusterEvent, Door, NodeId, Presence};
use onionroom::hub::wiping::Wiping;
use onionroom::listen::{ConnectionLimiter, loopback};
use onionroom::log::{
    Appended, Entry, Follow, Log, LogError, LogFuture, MemoryLog, Retention, RoomIdentity, RoomState, Span,
};

use onionroom::protocol::{Act, GuestId, Name, Record};
use onionroom::rooms::Rooms;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A log that fails to write when it is told to.
struct SharedLog {
    log: MemoryLog,
    writes: AtomicBool,
}

impl Log for SharedLog {
    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        match self.writes.load(Ordering::Relaxed) {
            true => self.log.append(entries),
            false => Box::pin(ready(Err(LogError("it is told to fail".into())))),
        }
    }

    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.log.identity()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.log.state(initial)
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        self.log.follow(after)
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        self.log.read(after, limit)
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        self.log.cursor_before(before, count)
    }

    fn span(&self) -> LogFuture<'_, Span> {
        self.log.span()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.log.trim(clock)
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.log.close()
    }
}

/// What the nodes have in common beside the log.
#[derive(Default)]
struct Nodes {
    claims: HashMap<String, GuestId>,
    claimed: u64,
    seated: HashMap<(usize, GuestId), Presence>,
    /// Those that cannot claim names.
    cut: HashSet<usize>,
    /// One for each node that lives.
    listeners: HashMap<usize, UnboundedSender<ClusterEvent>>,
}

/// One node's view of the others.
struct Member {
    number: usize,
    nodes: Arc<Mutex<Nodes>>,
    events: Mutex<Option<UnboundedReceiver<ClusterEvent>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn event(number: usize, presence: Presence) -> ClusterEvent {
    let node = NodeId(number as u64);
    match presence {
        Presence::Present(guest) => ClusterEvent::Present(node, guest),
        Presence::Absent(guest) => ClusterEvent::Absent(node, guest),
    }
}

impl Member {
    fn join(number: usize, origins: &[String], nodes: &Arc<Mutex<Nodes>>) -> Self {
        let (sender, events) = unbounded_channel();
        let others = origins.iter().enumerate().filter(|(other, _)| *other != number);
        let doors =
            others.map(|(_, origin)| Door { origin: origin.clone(), guests: 0, seats: 250 }).collect();
        let mut all = lock(nodes);
        all.seated.retain(|(node, _), _| *node != number);
        let _ = sender.send(ClusterEvent::Doors(doors));
        for ((node, _), presence) in &all.seated {
            let _ = sender.send(event(*node, presence.clone()));
        }
        all.listeners.insert(number, sender);
        drop(all);
        Self { number, nodes: Arc::clone(nodes), events: Mutex::new(Some(events)) }
    }
}

impl Cluster for Member {
    fn claim(&self, guest: GuestId, name: &Name) -> BoxFuture<'static, Result<u64, ClaimError>> {
        let mut nodes = lock(&self.nodes);
        if nodes.cut.contains(&self.number) {
            return Box::pin(ready(Err(ClaimError::Unavailable("this node is cut off".into()))));
        }
        let holder = *nodes.claims.entry(name.as_str().to_lowercase()).or_insert(guest);
        nodes.claimed += 1;
        Box::pin(ready(if holder == guest { Ok(nodes.claimed) } else { Err(ClaimError::Taken) }))
    }

    fn release(&self, guest: GuestId, name: &Name, _: u64) {
        let mut nodes = lock(&self.nodes);
        if nodes.claims.get(&name.as_str().to_lowercase()) == Some(&guest) {
            nodes.claims.remove(&name.as_str().to_lowercase());
        }
    }

    fn tell(&self, presence: Presence) {
        let mut nodes = lock(&self.nodes);
        match &presence {
            Presence::Present(seated) => {
                nodes.seated.insert((self.number, seated.guest.id), presence.clone());
            }
            Presence::Absent(guest) => {
                nodes.seated.remove(&(self.number, *guest));
            }
        }
        for (_, listener) in nodes.listeners.iter().filter(|(node, _)| **node != self.number) {
            let _ = listener.send(event(self.number, presence.clone()));
        }
    }

    fn open_door(&self, _: String, _: usize) {}

    fn events(&self) -> BoxStream<'static, ClusterEvent> {
        match lock(&self.events).take() {
            Some(events) => stream::unfold(events, |mut events| async {
                events.recv().await.map(|event| (event, events))
            })
            .boxed(),
            None => stream::pending().boxed(),
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

/// A node that runs.
struct Node {
    room: Arc<OnceLock<Room>>,
    killed: CancellationToken,
    thread: JoinHandle<()>,
}

impl Node {
    fn start(
        number: usize,
        all: &[(String, usize)],
        log: &Arc<SharedLog>,
        nodes: &Arc<Mutex<Nodes>>,
    ) -> Result<Self, Box<dyn Error>> {
        let origins: Vec<_> = all.iter().map(|(origin, _)| origin.clone()).collect();
        let mut settings = Settings::default();
        settings.room.guests = all[number].1;
        settings.room.messages_per_minute = 0;
        settings.room.room_messages_per_minute = 0;
        settings.room.joins_per_minute = 0;
        let port = origins[number].rsplit(':').next().unwrap_or_default().parse()?;
        let (log, member) = (Arc::clone(log), Member::join(number, &origins, nodes));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)))?;
        let killed = CancellationToken::new();
        let end = killed.clone();
        let room: Arc<OnceLock<Room>> = Arc::default();
        let opened = Arc::clone(&room);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = end.cancelled() => {}
                    served = serve(settings, port, listener, log, member, opened) => {
                        if let Err(error) = served {
                            eprintln!("node {number}: {error}");
                        }
                    }
                }
            });
            // With it all tasks and their sockets end, without a word to anyone.
            drop(runtime);
        });
        Ok(Self { room, killed, thread })
    }

    /// Does what the room itself does; the secret of the link, if one was made.
    fn act(&self, act: Act) -> Result<String, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let done = runtime.block_on(self.room.wait().govern(act)).map_err(|refusal| refusal.message)?;
        Ok(done.link.map_or_else(String::new, |link| format!(" {}", link.encode())))
    }

    fn kill(self) {
        self.killed.cancel();
        let _ = self.thread.join();
    }
}

/// Serves a node as `onionroom::server` does, without the onion service.
async fn serve(
    settings: Settings,
    port: u16,
    listener: TcpListener,
    log: Arc<SharedLog>,
    member: Member,
    opened: Arc<OnceLock<Room>>,
) -> Result<(), Box<dyn Error>> {
    let closing = CancellationToken::new();
    let room = Room::open_in(&settings.room, &settings.history, log, Some(Arc::new(member))).await?;
    let _ = opened.set(room.clone());
    let hosts = Hosts::new(port, &[]).among_doors(room.doors().is_some());

    let site = Arc::new(Site {
        rooms: Rooms::only(room.clone(), &settings),
        room,
        wiping: Wiping::new(None),
        noscript: Noscript::default(),
        hosts,
        settings: Arc::new(settings.listen.clone()),
        tasks: TaskTracker::new(),
        closing: closing.clone(),
    });
    let (limiter, mut connections) =
        ConnectionLimiter::new(settings.listen.connections, settings.listen.requests_per_second);
    tokio::spawn(loopback::accept(listener, limiter, closing));
    let router = http::routes::router(Arc::clone(&site));
    while let Some(connection) = connections.recv().await {
        let (router, site) = (router.clone(), Arc::clone(&site));
        tokio::spawn(async move {
            http::serve(connection, router, &site.settings, site.closing.clone()).await;
        });
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for argument in std::env::args().skip(1) {
        let (origin, seats) = argument.split_once(',').unwrap_or((&argument, "250"));
        all.push((origin.to_owned(), seats.parse()?));
    }
    let log = MemoryLog::new(Retention { messages: 1000, bytes: 0, age: None })?;
    let log = Arc::new(SharedLog { log, writes: AtomicBool::new(true) });
    let nodes: Arc<Mutex<Nodes>> = Arc::default();
    let mut running = HashMap::new();
    for number in 0..all.len() {
        running.insert(number, Node::start(number, &all, &log, &nodes)?);
    }
    println!("done");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (verb, which) = line.split_once(' ').unwrap_or((&line, ""));
        let mut answer = String::new();
        match verb {
            "kill" => {
                if let Some(node) = running.remove(&which.parse()?) {
                    node.kill();
                }
            }
            "start" => {
                let number = which.parse()?;
                running.insert(number, Node::start(number, &all, &log, &nodes)?);
            }
            "cut" => {
                lock(&nodes).cut.insert(which.parse()?);
            }
            "join" => {
                lock(&nodes).cut.remove(&which.parse()?);
            }
            "write" => {
                log.writes.store(which == "yes", Ordering::Relaxed);
                for listener in lock(&nodes).listeners.values() {
                    let _ = listener.send(ClusterEvent::Available(which == "yes"));
                }
            }
            "act" => {
                let (number, act) = which.split_once(' ').unwrap_or((which, ""));
                let node = running.get(&number.parse()?).ok_or("this node does not run")?;
                answer = node.act(serde_json::from_str(act)?)?;
            }
            _ => return Err(format!("unknown command {line:?}").into()),
        }
        println!("done{answer}");
    }
    Ok(())
}
