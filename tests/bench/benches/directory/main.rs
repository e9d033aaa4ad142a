//! A directory of the public network's size: `cargo bench -p onionroom-bench --bench directory`.
//!
//! The private network on this machine gets a directory with thousands of made-up relays in it, signed by its authorities;
//! its own relays hand it out. The program downloads it, starts again with what it has stored, and downloads the difference
//! to the next one, while a guest on the loopback address says something every two milliseconds. A second room, without
//! Tor, is measured at the same times: what it shows is the machine's. Needs Linux, `ss` and `tor`.

mod authority;
mod consensus;
mod listener;
mod network;
mod random;
mod relays;
mod room;
mod row;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::{DEADLINE, Outcome, exit, turns};
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use self::network::{LargeNetwork, Received, Sizes};
use self::room::{Kind, Room};
use self::row::{Phase, Row, Sample};

/// For how long a consensus is fresh. A client asks for the next one between 1.75 and 1.97 times as long after it became
/// valid. Until then all caches have it, and before it is published there is time for the other phases.
const INTERVAL: Duration = Duration::from_secs(60);

/// What Arti reports when a directory is there to its last microdescriptor.
const COMPLETE: &str = "Directory is complete.";

/// What Arti reports when it has read the directory that it has stored.
const STORED: &str = "Loaded a good directory from cache.";

/// What Arti reports when it asks for one.
const ASKED: &str = "Downloading a consensus";

/// How long is measured after that: the parts of Arti that use the directory are told of it.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// How often is looked what the program has received so far: what it asks for arrives sooner than one could look then.
const SNAPSHOTS: Duration = Duration::from_millis(500);

/// How long is measured while nothing happens.
const QUIET: Duration = Duration::from_secs(10);

/// Measures what a large directory costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Made-up relays, one network for each number; the public network has about 8,000.
    #[arg(long, value_name = "NUMBERS", default_value = "8000", value_delimiter = ',')]
    relays: Vec<usize>,
    /// Rounds; in each one, the builds are measured one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The made-up relays are directories of onion services as well. Then the room cannot be reached: they answer nowhere.
    #[arg(long)]
    directories: bool,
    /// How many threads the present build uses (`--threads`); repeatable.
    #[arg(long, value_name = "NUMBER", default_values_t = [1])]
    threads: Vec<u16>,
    /// Another build to measure beside the present one; repeatable.
    #[arg(long = "program", value_name = "NAME=PATH")]
    programs: Vec<Build>,
    /// In place of building the present source: measure this build of it.
    #[arg(long, value_name = "NAME=PATH")]
    current: Option<Build>,
    /// Only tries out the bench: one round of a start and a second one.
    #[arg(long)]
    smoke: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Directory {
    relays: usize,
    sizes: Sizes,
}

#[derive(Debug, Serialize)]
struct Results {
    directories: Vec<Directory>,
    rows: Vec<Row>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let current = Build::named_or_current(arguments.current.as_ref()).await?;
    let others = arguments.programs.iter().map(|build| Kind { build: build.clone(), threads: None });
    let threads =
        |threads: &u16| Kind { build: current.clone(), threads: (*threads > 1).then_some(*threads) };
    let kinds: Vec<Kind> = others.chain(arguments.threads.iter().map(threads)).collect();
    let (mut directories, mut rows) = (Vec::new(), Vec::new());
    for relays in &arguments.relays {
        let mut network = LargeNetwork::start(*relays, arguments.directories, INTERVAL).await?;
        let samples = rounds(arguments, &kinds, &current, &mut network).await?;
        for phase in [Phase::Idle, Phase::First, Phase::Stored, Phase::Next] {
            for (kind, samples) in kinds.iter().zip(&samples) {
                let samples: Vec<Sample> =
                    samples.iter().filter(|sample| sample.phase == phase).copied().collect();
                if samples.is_empty() {
                    continue;
                }
                let row = Row::new(*relays, kind.name(), phase, &samples);
                row.print();
                rows.push(row);
            }
        }
        directories.push(Directory { relays: *relays, sizes: network.sizes });
        network.stop().await;
    }
    arguments.output.write("directory", Results { directories, rows })
}

/// The samples of each build.
async fn rounds(
    arguments: &Arguments,
    kinds: &[Kind],
    control: &Build,
    network: &mut LargeNetwork,
) -> Outcome<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); kinds.len()];
    for round in 0..if arguments.smoke { 1 } else { usize::from(arguments.rounds) } {
        for index in turns(round, kinds.len()) {
            samples[index].extend(phases(&kinds[index], control, network, arguments.smoke).await?);
        }
    }
    Ok(samples)
}

/// All phases of one build; only the first two of them if it is to be `brief`.
async fn phases(
    kind: &Kind,
    control: &Build,
    network: &mut LargeNetwork,
    brief: bool,
) -> Outcome<Vec<Sample>> {
    let (home, quiet_home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let control = Kind { build: control.clone(), threads: None }.start(quiet_home.path(), None).await?;
    if !brief {
        network.publish().await?;
    }
    let description = network.description.clone();
    let mut samples = Vec::new();

    let mut begin = Begin::now(None, &control, network).await?;
    let mut room = kind.start(home.path(), Some(&description)).await?;
    begin.at = room.started;
    let (complete, _) = room.program.containing(&[COMPLETE]).await?;
    samples.push(begin.sample(Phase::First, complete, &room, &control, network).await?);
    room.program.terminate().await?;

    let mut begin = Begin::now(None, &control, network).await?;
    let mut room = kind.start(home.path(), Some(&description)).await?;
    begin.at = room.started;
    let (loaded, _) = room.program.containing(&[STORED]).await?;
    samples.push(begin.sample(Phase::Stored, loaded, &room, &control, network).await?);

    if !brief {
        let begin = Begin::now(Some(&room), &control, network).await?;
        sleep(QUIET.saturating_sub(AFTERWARDS)).await;
        samples.push(begin.sample(Phase::Idle, Instant::now(), &room, &control, network).await?);
        room.program.skip_lines();
        network.publish().await?;
        let (begin, complete) = next(&mut room, &control, network).await?;
        samples.push(begin.sample(Phase::Next, complete, &room, &control, network).await?);
        eprintln!("it has the next directory {:.0} s after that became valid", network.age().as_secs_f32());
    }
    room.program.terminate().await?;
    control.program.terminate().await?;
    Ok(samples)
}

/// Waits until the room has the next directory; returns what was known when it asked for it, and when it had it.
async fn next(room: &mut Room, control: &Room, network: &LargeNetwork) -> Outcome<(Begin, Instant)> {
    let mut known = vec![Begin::now(Some(room), control, network).await?];
    let mut begin = known[0].clone();
    let began = Instant::now();
    loop {
        match timeout(SNAPSHOTS, room.program.containing(&[ASKED, COMPLETE])).await {
            // It asks again if its guard has no newer one yet.
            Ok(found) => match found? {
                (at, COMPLETE) => return Ok((begin, at)),
                (at, _) => {
                    let before = known.iter().rfind(|known| known.at <= at);
                    begin = Begin { at, ..before.unwrap_or(&known[0]).clone() };
                }
            },
            Err(_) if began.elapsed() > DEADLINE => return Err("the room does not ask".into()),
            Err(_) => known.push(Begin::now(Some(room), control, network).await?),
        }
    }
}

/// What is known when a phase begins.
#[derive(Debug, Clone)]
struct Begin {
    at: Instant,
    cpu: f64,
    control_cpu: f64,
    received: Received,
}

impl Begin {
    /// Without a `room`: it has not been started yet.
    async fn now(room: Option<&Room>, control: &Room, network: &LargeNetwork) -> Outcome<Self> {
        let received = network.received().await?;
        let cpu = room.map_or(Ok(0.0), Room::cpu)?;
        Ok(Self { at: Instant::now(), cpu, control_cpu: control.cpu()?, received })
    }

    /// Ends the phase, which had done at `complete` what it had to do.
    async fn sample(
        self,
        phase: Phase,
        complete: Instant,
        room: &Room,
        control: &Room,
        network: &LargeNetwork,
    ) -> Outcome<Sample> {
        let complete_seconds = complete.saturating_duration_since(self.at).as_secs_f64();
        sleep(AFTERWARDS).await;
        let sample = Sample {
            phase,
            complete_seconds,
            received: network.received().await?.since(&self.received) as f64,
            room: room.measured(self.at, self.cpu)?,
            control: control.measured(self.at, self.control_cpu)?,
        };
        eprintln!("{sample:?}");
        Ok(sample)
    }
}
