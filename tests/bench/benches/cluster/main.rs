//! How many entries a second a log in NATS appends, beside a bare publisher on the same server in the same run, and how much
//! memory a node takes for each.
//!
//! ```text
//! cargo bench -p onionroom-bench --bench cluster -- --entries 100000 --rounds 5
//! ```
//!
//! The bare publisher is the same client, with payloads as long as an entry's and as many under way, and awaits JetStream's
//! acknowledgements; it neither encrypts nor reads. The log's append returns when the entry came back from the stream. Debian's
//! `nats-server` is used, or with `--newer` the one of `ONIONROOM_TEST_NATS_SERVER`, which syncs each write to the disk.

#[path = "../../../nats/servers.rs"]
mod servers;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use clap::Parser;
use onionroom::cluster::Connection;
use onionroom::log::{Entry, JetStreamLog, Log, Retention};
use onionroom::protocol::{Body, GuestId, MessageId, Name};
use onionroom_bench::{Outcome, exit, process};
use servers::{Program, Servers};

/// How many are under way at once.
const UNDER_WAY: usize = 2048;

/// How many entries are in one append.
const BATCH: usize = 64;

/// The text of each.
const TEXT: &str = "What does the fox say when nobody is there to listen to it? Not much.";

/// How many bytes the payload of an entry with that text has.
const PAYLOAD: usize = 170;

#[derive(Parser)]
struct Flags {
    /// How many entries in each round
    #[arg(long, default_value_t = 50_000)]
    entries: usize,
    /// How many rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many servers: 1 or 3
    #[arg(long, default_value_t = 1)]
    servers: usize,
    /// The newer server, which syncs each write
    #[arg(long)]
    newer: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    exit(runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(measure(&Flags::parse()))))
}

async fn measure(flags: &Flags) -> Outcome<()> {
    let program = if flags.newer { Program::Newer } else { Program::Debian };
    let servers = Servers::start(program, flags.servers);
    let before = process::resident(std::process::id());
    // First, because it waits until the servers have found each other.
    let log = open(&servers).await?;
    let bare = bare(&servers, flags.servers).await?;
    let mut ratios = Vec::new();
    for round in 0..flags.rounds {
        let (mut log_took, mut bare_took) = (Duration::ZERO, Duration::ZERO);
        for turn in onionroom_bench::turns(round, 2) {
            match turn {
                0 => log_took = append(&log, round, flags.entries).await?,
                _ => bare_took = publish(&bare, round, flags.entries).await?,
            }
        }
        let per_second = |took: Duration| flags.entries as f64 / took.as_secs_f64();
        let ratio = per_second(log_took) / per_second(bare_took);
        println!(
            "round {}: log {:.0} entries/s, bare publisher {:.0}/s, ratio {ratio:.2}",
            round + 1,
            per_second(log_took),
            per_second(bare_took)
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    let kept = log.span().await?.head;
    let grown = process::resident(std::process::id()).saturating_sub(before);
    println!("{kept} kept entries, {:.0} bytes of memory for each", grown as f64 / kept as f64);
    drop(log);
    let since = Instant::now();
    let log = open(&servers).await?;
    println!("a node that starts has read them after {:.1} s", since.elapsed().as_secs_f64());
    let again = log.append(vec![entry(0, 0)]).await?;
    println!("the first of all again is {:?}", again[0]);
    Ok(())
}

async fn open(servers: &Servers) -> Outcome<JetStreamLog> {
    let settings = servers.settings("bench", &servers.addresses());
    let retention = Retention { messages: 10_000_000, bytes: 0, age: None };
    Ok(JetStreamLog::open(Connection::open(&settings).await?, retention).await?)
}

fn entry(round: usize, number: usize) -> Entry {
    Entry {
        at: 0,
        author: GuestId(1 + number as u64 % 50),
        id: MessageId::parse(&format!("{round:08x}{number:08x}")).expect("an id"),
        body: Body::Message { name: Name::parse("Ann").expect("a name"), text: TEXT.into() },
    }
}

async fn append(log: &JetStreamLog, round: usize, entries: usize) -> Outcome<Duration> {
    let name = Name::parse("Ann").expect("a name");
    let prepared: Vec<Vec<Entry>> = (0..entries)
        .collect::<Vec<_>>()
        .chunks(BATCH)
        .map(|numbers| {
            let one = |number: &usize| Entry {
                at: 0,
                author: GuestId(1 + *number as u64 % 50),
                id: MessageId::parse(&format!("{round:08x}{number:08x}")).expect("an id"),
                body: Body::Message { name: name.clone(), text: TEXT.into() },
            };
            numbers.iter().map(one).collect()
        })
        .collect();
    let since = Instant::now();
    let mut under_way = VecDeque::new();
    for batch in prepared {
        if under_way.len() >= UNDER_WAY / BATCH
            && let Some(oldest) = under_way.pop_front()
        {
            let oldest: onionroom::log::LogFuture<'_, _> = oldest;
            oldest.await?;
        }
        under_way.push_back(log.append(batch));
    }
    for append in under_way {
        append.await?;
    }
    Ok(since.elapsed())
}

async fn bare(servers: &Servers, replicas: usize) -> Outcome<Arc<jetstream::Context>> {
    let client = async_nats::connect(servers.addresses()).await?;
    let context = jetstream::new(client);
    let config = jetstream::stream::Config {
        name: "bare".into(),
        subjects: vec!["bare.*".into()],
        num_replicas: replicas,
        ..jetstream::stream::Config::default()
    };
    context.create_stream(config).await?;
    Ok(Arc::new(context))
}

async fn publish(context: &jetstream::Context, round: usize, entries: usize) -> Outcome<Duration> {
    let payload = bytes::Bytes::from(vec![7; PAYLOAD]);
    let since = Instant::now();
    let mut under_way = VecDeque::new();
    for number in 0..entries {
        if under_way.len() >= UNDER_WAY
            && let Some(oldest) = under_way.pop_front()
        {
            let ack: jetstream::context::PublishAckFuture = oldest;
            ack.await?;
        }
        let subject = format!("bare.{round:08x}{number:014x}");
        under_way.push_back(context.publish(subject, payload.clone()).await?);
    }
    for ack in under_way {
        ack.await?;
    }
    Ok(since.elapsed())
}
