//! Guests who come all at once, beside C Tor's onion service: `cargo bench -p onionroom-bench --bench joins`.
//!
//! On a private Tor network on this machine each guest has a circuit. In turn they come to onionroom and to an onion
//! service of C Tor that forwards to onionroom without Tor; measured is the time from the first knock until each has the
//! welcome, and how often one had to try again. Needs Linux and `tor`.

// Shared with the bench `onion`, which uses the rest of it.
#[allow(dead_code)]
#[path = "../onion/guests.rs"]
mod guests;
#[allow(dead_code)]
#[path = "../onion/service.rs"]
mod service;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::SinkExt;
use onionroom::lab::Plan;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit, turns};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use self::guests::{Guests, Route};
use self::service::{Kind, Service};

/// After this many attempts a guest counts as locked out.
const ATTEMPTS: u32 = 5;

/// Between one crowd and the next, in which circuits close and new ones are built in advance.
const REST: Duration = Duration::from_secs(10);

/// How many messages of a busy room not all guests have received.
const WINDOW: usize = 32;

/// A message of a busy room.
const TEXT: &str = "so we meet at the old mill, and bring the tea";

/// Measures how a crowd gets in beside C Tor's onion service.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each one, the services are measured one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How many guests come at once.
    #[arg(long, value_name = "NUMBERS", default_value = "16,40,100", value_delimiter = ',')]
    guests: Vec<usize>,
    /// One way from one relay to the next.
    #[arg(long, value_name = "TIMES", default_value = "0s,40ms", value_delimiter = ',')]
    distance: Vec<humantime::Duration>,
    /// So many guests are in the room already and talk as fast as all of them can read.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    busy: usize,
    /// The least timeout for building a circuit; 10ms lets the learned ones rule, as in the public network.
    #[arg(long, value_name = "TIME", default_value = "5s")]
    build_timeout_min: humantime::Duration,
    /// Another build to measure beside C Tor, in place of the present one; repeatable.
    #[arg(long = "program", value_name = "NAME=PATH")]
    programs: Vec<Build>,
    #[command(flatten)]
    output: Output,
}

/// One crowd at one service, over all rounds.
#[derive(Debug, Serialize)]
struct Row {
    distance_ms: u128,
    guests: usize,
    busy: usize,
    service: String,
    median_ms: Summary,
    slowest_ms: Summary,
    /// Attempts that failed, in all rounds.
    retries: u32,
    /// Guests who never got in, in all rounds.
    locked_out: usize,
    /// Deliveries a second to those who were there before.
    deliveries_per_second: Summary,
    /// Ratio of the slowest to C Tor's, taken within each round.
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest_to_c_tor: Option<Summary>,
}

/// One crowd in one round.
#[derive(Debug, Clone, Default)]
struct Crowd {
    /// Milliseconds, sorted.
    took: Vec<f64>,
    retries: u32,
    locked_out: usize,
    deliveries_per_second: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let mut builds = arguments.programs.clone();
    if builds.is_empty() {
        builds.push(Build::current().await?);
    }
    let mut rows = Vec::new();
    for distance in &arguments.distance {
        let plan =
            Plan { distance: **distance, build_timeout_min: *arguments.build_timeout_min, ..Plan::default() };
        let network = plan.prepare(|_| ()).await?.start(|step| eprintln!("{step}")).await?;
        let mut services = vec![Service::start(&Kind::CTor(builds[0].clone()), &network).await?];
        for build in &builds {
            services.push(Service::start(&Kind::Arti(build.clone(), None), &network).await?);
        }
        service::connect(&mut services, arguments.busy).await?;
        for &guests in &arguments.guests {
            let mut rounds: Vec<Vec<Crowd>> = vec![Vec::new(); services.len()];
            for round in 0..usize::from(arguments.rounds) {
                for index in turns(round, services.len()) {
                    sleep(REST).await;
                    let crowd = crowd(&mut services[index].guests, guests).await?;
                    let slowest = crowd.slowest_ms();
                    eprintln!(
                        "round {}, {guests} to {}: slowest {slowest:.0} ms",
                        round + 1,
                        services[index].name
                    );
                    rounds[index].push(crowd);
                }
            }
            for (index, service) in services.iter().enumerate() {
                let other = (index > 0).then_some(&rounds[0]);
                let mut row = Row::new(service.name.clone(), guests, &rounds[index], other);
                (row.distance_ms, row.busy) = (distance.as_millis(), arguments.busy);
                row.print();
                rows.push(row);
            }
        }
        for service in services {
            service.stop().await?;
        }
        network.stop().await;
    }
    arguments.output.write("joins", rows)
}

/// Has a crowd join at once, and leave when all are in. Those who were there before talk meanwhile.
async fn crowd(present: &mut Guests, guests: usize) -> Outcome<Crowd> {
    let (mut joining, begin) = (JoinSet::new(), Instant::now());
    for _ in 0..guests {
        joining.spawn(join(present.route.clone(), begin));
    }
    let mut crowd = Crowd::default();
    let mut sockets = Vec::new();
    let (mut said, mut received) = (0, 0);
    while sockets.len() + crowd.locked_out < guests {
        while present.len() > 0 && received + WINDOW * present.len() > said * present.len() {
            said += 1;
            present.send(said, &format!("{}-{said}", begin.elapsed().as_nanos()), TEXT)?;
        }
        tokio::select! {
            Some(joined) = joining.join_next() => {
                let (retries, joined) = joined?;
                crowd.retries += retries;
                match joined {
                    Some((took, socket)) => {
                        crowd.took.push(took.as_secs_f64() * 1e3);
                        sockets.push(socket);
                    }
                    None => crowd.locked_out += 1,
                }
            }
            delivery = present.delivery(), if present.len() > 0 => {
                delivery?;
                received += 1;
            }
        }
    }
    crowd.deliveries_per_second = received as f64 / begin.elapsed().as_secs_f64();
    while received < said * present.len() {
        present.delivery().await?;
        received += 1;
    }
    for mut socket in sockets {
        // One that is gone has left.
        let _ = socket.send(Message::text(r#"{"type":"leave"}"#)).await;
    }
    crowd.took.sort_by(f64::total_cmp);
    Ok(crowd)
}

/// Joins, trying again at once. Returns the failed attempts, and the time since `begin`.
async fn join(route: Route, begin: Instant) -> (u32, Option<(Duration, guests::Socket)>) {
    for retries in 0..ATTEMPTS {
        match route.join().await {
            Ok(socket) => return (retries, Some((begin.elapsed(), socket))),
            Err(error) => eprintln!("after {:.1} s: {error}", begin.elapsed().as_secs_f32()),
        }
    }
    (ATTEMPTS, None)
}

impl Crowd {
    fn slowest_ms(&self) -> f64 {
        self.took.last().copied().unwrap_or(f64::INFINITY)
    }
}

impl Row {
    fn new(service: String, guests: usize, rounds: &[Crowd], c_tor: Option<&Vec<Crowd>>) -> Self {
        Self {
            distance_ms: 0,
            guests,
            busy: 0,
            service,
            median_ms: Summary::of(
                rounds.iter().filter_map(|crowd| crowd.took.get(crowd.took.len() / 2).copied()),
            ),
            slowest_ms: Summary::of(rounds.iter().map(Crowd::slowest_ms)),
            retries: rounds.iter().map(|crowd| crowd.retries).sum(),
            locked_out: rounds.iter().map(|crowd| crowd.locked_out).sum(),
            deliveries_per_second: Summary::of(rounds.iter().map(|crowd| crowd.deliveries_per_second)),
            slowest_to_c_tor: c_tor.map(|others| Summary::of_ratios(rounds, others, Crowd::slowest_ms)),
        }
    }

    /// One line on standard error.
    fn print(&self) {
        let Self { distance_ms, guests, service, median_ms, slowest_ms, retries, locked_out, .. } = self;
        let ratio =
            self.slowest_to_c_tor.map_or_else(String::new, |ratio| format!("; slowest to C Tor's: {ratio}"));
        let busy = match self.busy {
            0 => String::new(),
            busy => format!(", {busy} talking, {} deliveries/s", self.deliveries_per_second),
        };
        eprintln!(
            "{distance_ms} ms, {guests} guests{busy}, {service}: median {median_ms} ms, slowest {slowest_ms} ms, \
             {retries} retries, {locked_out} locked out{ratio}"
        );
    }
}
