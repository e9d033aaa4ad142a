//! A directory of the public network's size: `cargo bench -p onionroom-bench --bench directory`.
//!
//! The private network on this machine gets a directory with thousands of made-up relays in it, signed by its authorities;
//! its own relays hand it out. The program downloads it, starts again with what it has stored, and downloads the difference
//! to the next one, while a guest on the loopback address says something every two milliseconds. A second room, without
//! Tor, is measured at the same times: what it shows is the machine's. Needs Linux and `tor`.

mod authority;
mod consensus;
mod listener;
mod network;
mod random;
mod relays;
mod room;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use self::network::{LargeNetwork, Sizes};
use self::room::{Kind, Measured, Room};

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

/// How long is measured while nothing happens.
const QUIET: Duration = Duration::from_secs(10);

/// Measures what a large directory costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Made-up relays; the public network has about 8,000.
    #[arg(long, value_name = "NUMBER", default_value_t = 8000)]
    relays: usize,
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
    #[command(flatten)]
    output: Output,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What a build does with the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// From the start with an empty data directory.
    First,
    /// From the start with the directory stored.
    Stored,
    /// From when the next directory is asked for.
    Next,
    /// Nothing.
    Nothing,
}

/// One phase of one build, once.
#[derive(Debug, Clone, Copy)]
struct Sample {
    phase: Phase,
    /// From the beginning of the phase.
    complete_seconds: f64,
    /// The bytes that the caches have sent.
    received: f64,
    room: Measured,
    /// The room without Tor.
    control: Measured,
}

#[derive(Debug, Serialize)]
struct Row {
    program: String,
    phase: Phase,
    complete_seconds: Summary,
    received_bytes: Summary,
    cpu_seconds: Summary,
    resident_bytes: Summary,
    peak_bytes: Summary,
    median_ms: Summary,
    p99_ms: Summary,
    p999_ms: Summary,
    longest_ms: Summary,
    /// See [`listener::Period::computed`].
    computed_p99_ms: Summary,
    computed_p999_ms: Summary,
    computed_longest_ms: Summary,
    control_p999_ms: Summary,
    control_longest_ms: Summary,
}

#[derive(Debug, Serialize)]
struct Results {
    relays: usize,
    sizes: Sizes,
    rows: Vec<Row>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let current = match &arguments.current {
        Some(build) => build.clone(),
        None => Build::current().await?,
    };
    let others = arguments.programs.iter().map(|build| Kind { build: build.clone(), threads: None });
    let threads =
        |threads: &u16| Kind { build: current.clone(), threads: (*threads > 1).then_some(*threads) };
    let kinds: Vec<Kind> = others.chain(arguments.threads.iter().map(threads)).collect();
    let mut network = LargeNetwork::start(arguments.relays, arguments.directories, INTERVAL).await?;
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); kinds.len()];
    let mut sizes = None;
    for round in 0..usize::from(arguments.rounds) {
        for step in 0..kinds.len() {
            // Each round begins with another build.
            let index = (step + round) % kinds.len();
            let (size, found) = phases(&kinds[index], &current, &mut network).await?;
            samples[index].extend(found);
            sizes = Some(size);
        }
    }
    let mut rows = Vec::new();
    for phase in [Phase::Nothing, Phase::First, Phase::Stored, Phase::Next] {
        for (kind, samples) in kinds.iter().zip(&samples) {
            let samples: Vec<Sample> =
                samples.iter().filter(|sample| sample.phase == phase).copied().collect();
            let row = Row::new(kind.name(), phase, &samples);
            row.print();
            rows.push(row);
        }
    }
    network.stop().await;
    let sizes = sizes.ok_or("nothing was measured")?;
    arguments.output.write("directory", Results { relays: arguments.relays, sizes, rows })
}

/// All phases of one build.
async fn phases(kind: &Kind, control: &Build, network: &mut LargeNetwork) -> Outcome<(Sizes, Vec<Sample>)> {
    let (home, quiet_home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let control = Kind { build: control.clone(), threads: None }.start(quiet_home.path(), None).await?;
    let mut samples = Vec::new();

    network.publish().await?;
    let description = network.description.clone();
    for phase in [Phase::First, Phase::Stored] {
        let sent = network.sent().await?;
        let mut room = kind.start(home.path(), Some(&description)).await?;
        let begin = Begin { at: room.started, cpu: 0.0, control_cpu: control.cpu()?, sent };
        room.program.containing(if phase == Phase::First { COMPLETE } else { STORED }).await?;
        samples.push(begin.sample(phase, &room, &control, network).await?);
        if phase == Phase::First {
            room.program.interrupt().await?;
            continue;
        }
        let quiet = Begin::now(&room, &control, network).await?;
        sleep(QUIET.saturating_sub(AFTERWARDS)).await;
        samples.push(quiet.sample(Phase::Nothing, &room, &control, network).await?);
        // The next directory is there before the program asks for it.
        let sizes = network.publish().await?;
        room.program.skip_lines();
        room.program.containing(ASKED).await?;
        let begin = Begin::now(&room, &control, network).await?;
        room.program.containing(COMPLETE).await?;
        samples.push(begin.sample(Phase::Next, &room, &control, network).await?);
        eprintln!("it has the next directory {:.0} s after that became valid", network.age().as_secs_f32());
        room.program.interrupt().await?;
        control.program.interrupt().await?;
        return Ok((sizes, samples));
    }
    Err("no phase".into())
}

/// What is known when a phase begins.
struct Begin {
    at: Instant,
    cpu: f64,
    control_cpu: f64,
    sent: u64,
}

impl Begin {
    async fn now(room: &Room, control: &Room, network: &mut LargeNetwork) -> Outcome<Self> {
        let sent = network.sent().await?;
        Ok(Self { at: Instant::now(), cpu: room.cpu()?, control_cpu: control.cpu()?, sent })
    }

    /// Ends the phase: what it had to do is done now.
    async fn sample(
        self,
        phase: Phase,
        room: &Room,
        control: &Room,
        network: &mut LargeNetwork,
    ) -> Outcome<Sample> {
        let complete_seconds = self.at.elapsed().as_secs_f64();
        sleep(AFTERWARDS).await;
        let sample = Sample {
            phase,
            complete_seconds,
            received: (network.sent().await? - self.sent) as f64,
            room: room.measured(self.at, self.cpu)?,
            control: control.measured(self.at, self.control_cpu)?,
        };
        eprintln!("{sample:?}");
        Ok(sample)
    }
}

impl Row {
    fn new(program: String, phase: Phase, samples: &[Sample]) -> Self {
        let summary = |figure: fn(&Sample) -> f64| Summary::of(samples.iter().map(figure));
        Self {
            program,
            phase,
            complete_seconds: summary(|it| it.complete_seconds),
            received_bytes: summary(|it| it.received),
            cpu_seconds: summary(|it| it.room.cpu_seconds),
            resident_bytes: summary(|it| it.room.resident),
            peak_bytes: summary(|it| it.room.peak),
            median_ms: summary(|it| it.room.period.latency.median),
            p99_ms: summary(|it| it.room.period.latency.p99),
            p999_ms: summary(|it| it.room.period.latency.p999),
            longest_ms: summary(|it| it.room.period.latency.longest),
            computed_p99_ms: summary(|it| it.room.period.computed.p99),
            computed_p999_ms: summary(|it| it.room.period.computed.p999),
            computed_longest_ms: summary(|it| it.room.period.computed.longest),
            control_p999_ms: summary(|it| it.control.period.latency.p999),
            control_longest_ms: summary(|it| it.control.period.latency.longest),
        }
    }

    /// One line on standard error.
    fn print(&self) {
        let Self {
            program,
            phase,
            complete_seconds,
            cpu_seconds,
            median_ms,
            p99_ms,
            p999_ms,
            longest_ms,
            ..
        } = self;
        eprintln!(
            "{phase:?}, {program}: complete after {complete_seconds} s, {cpu_seconds} s CPU, {} MB received, resident \
             {} MB, peak {} MB; median {median_ms} ms, 99th {p99_ms} ms, 99.9th {p999_ms} ms, longest {longest_ms} ms; \
             computed meanwhile: 99th {} ms, 99.9th {} ms, longest {} ms; without Tor 99.9th {} ms, longest {} ms",
            self.received_bytes.scaled(1e-6),
            self.resident_bytes.scaled(1e-6),
            self.peak_bytes.scaled(1e-6),
            self.computed_p99_ms,
            self.computed_p999_ms,
            self.computed_longest_ms,
            self.control_p999_ms,
            self.control_longest_ms,
        );
    }
}
