//! Whatever was acknowledged is there, once, in one order for everyone, whichever node or NATS server is killed, stopped,
//! cut off or has no space left; names stay unique, and every node tells the same roster soon after.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use onionroom::listen::Io;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::guests::{Nodes, Plain, Reading, any, read_page};
use super::machines::Machines;
use super::names::{contend, roster, watch};
use super::wire::ask;
use crate::kit::Guest;
use crate::kit::dice::{Dice, rounds};
use crate::nats::{Program, Servers};
use crate::nothing_lost::crowd::{Crowd, kept};
use crate::nothing_lost::steadfast::{Manners, Way};

/// Guests on WebSockets.
const SOCKETS: usize = 36;
/// Guests on server-sent events, and as many on long polls.
const PLAIN: usize = 9;
/// Guests without JavaScript, who read.
const PAGES: usize = 6;
/// Guests who want the same name.
const CONTENDERS: usize = 4;

/// How many things break: each kind once.
const FAULTS: usize = KINDS.len();

/// How long a stopped process, or a cut, lasts at most.
const OUTAGE: Duration = Duration::from_secs(20);

/// How long the room may take until it goes on after a fault.
const PATIENCE: Duration = Duration::from_secs(90);

const MANNERS: Manners = Manners {
    under_way: 2,
    welcome: Duration::from_secs(10),
    silence: Duration::from_secs(5),
    pause: Duration::from_millis(400),
};

/// What breaks.
#[derive(Debug, Clone, Copy)]
enum Fault {
    NodeKilled,
    NodeStopped,
    ServerKilled,
    ServerStopped,
    LinesSilent,
    LinesCut,
    /// A server has no space left on its disk. The room goes on without it.
    DiskFull,
    /// No server has space left.
    DisksFull,
    /// A server is stopped, and meanwhile another machine's node is killed.
    ServerStoppedNodeKilled,
    /// A server is killed, and the node beside it, and the lines of the next node are cut meanwhile.
    MachineKilledLinesCut,
}

const KINDS: [Fault; 10] = [
    Fault::NodeKilled,
    Fault::ServerStopped,
    Fault::DiskFull,
    Fault::LinesSilent,
    Fault::ServerStoppedNodeKilled,
    Fault::ServerKilled,
    Fault::DisksFull,
    Fault::NodeStopped,
    Fault::MachineKilledLinesCut,
    Fault::LinesCut,
];

impl Fault {
    /// Breaks it at this place, and mends it.
    async fn happen(self, place: usize, machines: &mut Machines, crowd: &mut Crowd, dice: &mut Dice) {
        // Short ones that pass unnoticed, and long ones.
        let outage = Duration::from_millis(dice.spread(OUTAGE.as_millis() as u64 / 2)).min(OUTAGE);
        match self {
            Fault::NodeKilled => {
                machines.kill(place).await;
                sleep(outage / 4).await;
                machines.begin(place).await;
            }
            Fault::NodeStopped => {
                machines.program(place).signal("STOP").await;
                sleep(outage).await;
                machines.program(place).signal("CONT").await;
            }
            Fault::ServerKilled => {
                machines.servers.kill(place);
                sleep(outage).await;
                machines.servers.restart(place);
            }
            Fault::ServerStopped => {
                machines.servers.stop(place);
                sleep(outage).await;
                machines.servers.resume(place);
            }
            Fault::LinesSilent | Fault::LinesCut => {
                let silent = matches!(self, Fault::LinesSilent);
                machines
                    .lines(place)
                    .iter()
                    .for_each(|line| if silent { line.silence() } else { line.cut() });
                sleep(outage).await;
                machines.lines(place).iter().for_each(|line| line.mend());
            }
            Fault::DiskFull | Fault::DisksFull => {
                let servers = &mut machines.servers;
                if servers.disks().is_none() {
                    return;
                }
                let full =
                    if matches!(self, Fault::DiskFull) { place..place + 1 } else { 0..servers.count() };
                full.clone().for_each(|place| servers.disks().unwrap().fill(place));
                if matches!(self, Fault::DiskFull) {
                    let before = crowd.progress().acknowledged;
                    // More than what can have been under way.
                    crowd
                        .until("talk beside a full disk", |now| {
                            now.acknowledged > before + SOCKETS * MANNERS.under_way
                        })
                        .await;
                }
                sleep(outage).await;
                // A server that could not write has ended JetStream for as long as it runs. Restarted too soon it ends.
                if dice.once_in(2) {
                    servers.kill(place);
                    servers.try_restart(place);
                }
                for place in full {
                    servers.disks().unwrap().free(place);
                    servers.kill(place);
                    servers.restart(place);
                }
            }
            Fault::ServerStoppedNodeKilled => {
                machines.servers.stop(place);
                sleep(outage / 2).await;
                let other = (place + 1) % machines.count();
                machines.kill(other).await;
                sleep(outage / 4).await;
                // It starts while the server stands still.
                machines.begin(other).await;
                machines.servers.resume(place);
            }
            Fault::MachineKilledLinesCut => {
                let other = (place + 1) % machines.count();
                machines.servers.kill(place);
                machines.kill(place).await;
                machines.lines(other).iter().for_each(|line| line.cut());
                sleep(outage).await;
                machines.lines(other).iter().for_each(|line| line.mend());
                machines.begin(place).await;
                machines.servers.restart(place);
            }
        }
    }
}

/// A connection to a node drawn by chance.
fn way(nodes: Nodes, dice: Dice) -> Way {
    let dice = Arc::new(std::sync::Mutex::new(dice));
    Arc::new(move |_| {
        let address = any(&nodes, &mut dice.lock().unwrap());
        async move {
            let address = address?;
            let io: Box<dyn Io> = Box::new(TcpStream::connect(address).await?);
            Ok((io, address.to_string()))
        }
        .boxed()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_and_servers_that_are_killed_stopped_and_cut_off() {
    let mut dice = Dice::thrown("several");
    let mut machines = Machines::start(Servers::start_on_small_disks(Program::Newer, 3), 3).await;
    let nodes = machines.nodes();
    let way = way(Arc::clone(&nodes), dice.fork());
    let mut crowd = Crowd::start(SOCKETS, MANNERS, &way, &mut dice, PATIENCE);
    for (reading, kind) in [(Reading::Events, "Events"), (Reading::Polls, "Polls")] {
        for number in 1..=PLAIN {
            let (name, nodes, dice) = (format!("{kind} {number}"), Arc::clone(&nodes), dice.fork());
            crowd.bring(|account, phase| Plain::new(name, nodes, account, phase, dice).talk(reading));
        }
    }
    let mut pages = JoinSet::new();
    for number in 1..=PAGES {
        pages.spawn(read_page(number as u8, Arc::clone(&nodes), crowd.phase(), dice.fork()));
    }
    let mut names = JoinSet::new();
    names.spawn(watch(Arc::clone(&nodes)));
    (0..CONTENDERS).for_each(|_| drop(names.spawn(contend(Arc::clone(&nodes), dice.fork()))));
    crowd.until("everyone", |progress| progress.welcomes >= SOCKETS + 2 * PLAIN).await;

    let since = Instant::now();
    let faults = rounds(FAULTS);
    let mut longest = Duration::ZERO;
    for round in 0..faults {
        let (kind, place) = (KINDS[round % KINDS.len()], dice.below(machines.count() as u64) as usize);
        let before = crowd.progress().acknowledged;
        kind.happen(place, &mut machines, &mut crowd, &mut dice).await;
        let mended = Instant::now();
        every_node_writes(&machines).await;
        every_replica_is_current(&machines).await;
        crowd.until("talk", |progress| progress.acknowledged > before + SOCKETS).await;
        longest = longest.max(mended.elapsed());
        assert!(names.try_join_next().is_none(), "a watcher of names has failed");
        println!(
            "{round}: {kind:?} {place}, {:.1} s, whole after {:.1} s",
            since.elapsed().as_secs_f32(),
            mended.elapsed().as_secs_f32()
        );
    }
    crowd.fall_silent().await;
    names.abort_all();
    while let Some(ended) = names.join_next().await {
        assert!(ended.is_err_and(|error| error.is_cancelled()), "a watcher of names has failed");
    }
    let agreed = Instant::now();
    rosters_agree(&machines).await;
    let agreed = agreed.elapsed();

    let address = machines.address(0);
    let stranger = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    let kept = kept(stranger).await;
    println!(
        "several: {faults} faults, {} messages, {} welcomes, {:.0} s; whole again after at most {:.1} s; rosters equal after {:.1} s",
        kept.len(),
        crowd.progress().welcomes,
        since.elapsed().as_secs_f32(),
        longest.as_secs_f32(),
        agreed.as_secs_f32(),
    );
    let early = crowd.agrees_with(&kept, MANNERS.under_way as u64).await;
    println!("several: {early} messages came before one that their author had said just before");
    let texts: Vec<&str> = kept.iter().map(|heard| heard.text.as_str()).collect();
    while let Some(runs) = pages.join_next().await {
        for run in runs.unwrap() {
            is_a_part_of(&run, &texts);
        }
    }
}

/// Every node says that it is well, which it does not while it cannot write.
async fn every_node_writes(machines: &Machines) {
    let since = Instant::now();
    for place in 0..machines.count() {
        while !ask(machines.address(place), "GET /health", &[], "")
            .await
            .is_ok_and(|answer| answer.status == 204)
        {
            assert!(since.elapsed() < PATIENCE, "node {place} is not well");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The servers say that all of them have everything, so that the next fault may take any of them.
async fn every_replica_is_current(machines: &Machines) {
    let since = Instant::now();
    loop {
        let (mut streams, mut whole) = (BTreeSet::new(), BTreeSet::new());
        for place in 0..machines.servers.count() {
            let _ = ask_server(machines.servers.monitor(place), place, &mut streams, &mut whole).await;
        }
        if !streams.is_empty() && streams == whole {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "of {streams:?} only {whole:?} have all replicas current");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Adds what this server knows: all its streams, and those that it leads and whose replicas are current.
async fn ask_server(
    monitor: SocketAddr,
    place: usize,
    streams: &mut BTreeSet<String>,
    whole: &mut BTreeSet<String>,
) -> std::io::Result<()> {
    let answer = ask(monitor, "GET /jsz?streams=true", &[], "").await?.body().await?;
    let said: Value = serde_json::from_str(&answer)?;
    let accounts = said["account_details"].as_array().into_iter().flatten();
    for stream in accounts.flat_map(|account| account["stream_detail"].as_array().into_iter().flatten()) {
        let name = stream["name"].as_str().unwrap_or_default().to_owned();
        let cluster = &stream["cluster"];
        let current = |replica: &Value| replica["current"] == true && replica["offline"] != true;
        if cluster["leader"] == format!("s{place}")
            && cluster["replicas"]
                .as_array()
                .is_some_and(|replicas| replicas.len() == 2 && replicas.iter().all(current))
        {
            whole.insert(name.clone());
        }
        streams.insert(name);
    }
    Ok(())
}

/// Waits until every node tells the same roster.
async fn rosters_agree(machines: &Machines) {
    let since = Instant::now();
    loop {
        let mut rosters = Vec::new();
        for place in 0..machines.count() {
            rosters.push(roster(machines.address(place)).await.unwrap_or_default());
        }
        if !rosters[0].is_empty() && rosters.iter().all(|roster| *roster == rosters[0]) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{rosters:#?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Whether the texts of one connection of the page are a part of what is kept, without a hole.
fn is_a_part_of(run: &[String], kept: &[&str]) {
    let Some(first) = run.first() else { return };
    let begin =
        kept.iter().position(|text| same(text, first)).unwrap_or_else(|| panic!("never said: {first}"));
    for (heard, said) in run.iter().zip(&kept[begin..]) {
        assert!(same(said, heard), "{heard:?} in place of {said:?}");
    }
}

/// The page has markup in place of some characters; the first line says enough.
fn same(said: &str, heard: &str) -> bool {
    let line = said.lines().next().unwrap();
    heard.lines().next() == Some(line)
}
