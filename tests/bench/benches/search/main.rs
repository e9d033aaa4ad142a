//! What a search takes: `cargo bench -p onionroom-bench --bench search`.
//!
//! Rooms with logs in memory and in SQLite, full of messages of which none has what is searched for, so that each is looked at.
//! Beside it the least that it could take: a look at the same texts in one list, with neither decryption nor case.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use onionroom::config::{HistorySettings, RoomSettings};
use onionroom::hub::{Found, Room};
use onionroom::log::sqlite::Synchronous;
use onionroom::log::{Entry, Log, MemoryLog, Retention, SqliteLog};
use onionroom::protocol::search::Query;
use onionroom::protocol::{Body, GuestId, MessageId, Name, SearchRequest};
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit};
use serde::Serialize;

/// How many entries are appended at once.
const APPENDED: usize = 500;

/// How many authors there are.
const AUTHORS: usize = 30;

/// Searches that a room allows at once.
const AT_ONCE: usize = 40;

/// Measures searches.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each search is done.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    rounds: usize,
    /// How many messages are kept.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    messages: usize,
    /// How many bytes each has.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    bytes: usize,
    /// What is searched for. The messages do not have it.
    #[arg(long, value_name = "TEXT", default_value = "Nirgends")]
    text: String,
    #[command(flatten)]
    output: Output,
}

/// One log with one kind of texts.
#[derive(Debug, Serialize)]
struct Row {
    log: &'static str,
    script: &'static str,
    messages: usize,
    bytes: usize,
    /// How many requests it takes to look at all.
    requests: usize,
    /// One request.
    request_ms: Summary,
    /// All of them.
    search_ms: Summary,
    /// The look at one list.
    plain_ms: Summary,
    /// By how much a search takes longer than that, by the medians.
    ratio: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let mut rows = Vec::new();
    for (script, words) in [
        ("Latin", ["The kettle", "is on the", "stove, and", "tea for five", "at five"]),
        ("Cyrillic", ["Чайник", "на плите, и", "чай на пятерых", "Ещё в пять", "часов"]),
    ] {
        let texts: Vec<String> =
            (0..arguments.messages).map(|number| text(&words, number, arguments.bytes)).collect();
        let directory = tempfile::tempdir()?;
        let retention = Retention { messages: arguments.messages, bytes: 0, age: None };
        let disk = SqliteLog::open(&directory.path().join("log"), retention, Synchronous::Normal)?;
        let logs: [(_, Arc<dyn Log>); 2] =
            [("memory", Arc::new(MemoryLog::new(retention)?)), ("SQLite", Arc::new(disk))];
        for (name, log) in logs {
            fill(&*log, &texts).await?;
            let row = row(arguments, (name, script), &log, &texts).await?;
            eprintln!(
                "{name}, {script}: {} ms in {} requests of {} ms; a plain look {} ms, ratio {:.1}",
                row.search_ms, row.requests, row.request_ms, row.plain_ms, row.ratio
            );
            rows.push(row);
        }
    }
    arguments.output.write("search", rows)
}

async fn row(
    arguments: &Arguments,
    (name, script): (&'static str, &'static str),
    log: &Arc<dyn Log>,
    texts: &[String],
) -> Outcome<Row> {
    let (mut request_ms, mut search_ms, mut plain_ms, mut requests) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..arguments.rounds {
        // Another room each time: its budget is full.
        let mut room = open(log).await?;
        let (mut before, mut all) = (None, 0.0);
        requests = 0;
        loop {
            requests += 1;
            if requests % AT_ONCE == 0 {
                room = open(log).await?;
            }
            let (found, took) = search(&room, &arguments.text, before).await?;
            request_ms.push(took);
            all += took;
            before = Some(found.after + 1);
            if found.after == 0 {
                break;
            }
        }
        search_ms.push(all);
        let began = Instant::now();
        let found = texts.iter().filter(|text| text.contains(&arguments.text)).count();
        plain_ms.push(ms(began.elapsed()));
        assert_eq!(std::hint::black_box(found), 0, "the messages have what is searched for");
    }
    let ratio = median(&mut search_ms) / median(&mut plain_ms);
    Ok(Row {
        log: name,
        script,
        messages: arguments.messages,
        bytes: arguments.bytes,
        requests,
        request_ms: Summary::of(request_ms),
        search_ms: Summary::of(search_ms),
        plain_ms: Summary::of(plain_ms),
        ratio,
    })
}

async fn search(room: &Room, text: &str, before: Option<u64>) -> Outcome<(Found, f64)> {
    let query = Query::parse(text, false).map_err(|refusal| refusal.message)?;
    let request = SearchRequest { query, from: None, before, limit: 50 };
    let began = Instant::now();
    let found = room.search(request).await.map_err(|refusal| refusal.message)?;
    Ok((found, ms(began.elapsed())))
}

async fn open(log: &Arc<dyn Log>) -> Outcome<Room> {
    Ok(Room::open(&RoomSettings::default(), &HistorySettings::default(), Arc::clone(log)).await?)
}

async fn fill(log: &dyn Log, texts: &[String]) -> Outcome<()> {
    for (batch, texts) in texts.chunks(APPENDED).enumerate() {
        let mut entries = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let number = batch * APPENDED + place;
            let id = MessageId::parse(&number.to_string()).map_err(|_| "no id")?;
            let body = Body::Message {
                name: Name::parse("Ann").map_err(|refusal| refusal.message)?,
                text: text.clone(),
            };
            entries.push(Entry { at: 0, author: GuestId((number % AUTHORS) as u64 + 1), id, body });
        }
        log.append(entries).await?;
    }
    Ok(())
}

/// A text of words, with a number in it, of about so many bytes.
fn text(words: &[&str], number: usize, bytes: usize) -> String {
    let mut text = format!("{number}");
    for word in words.iter().cycle() {
        if text.len() + word.len() >= bytes {
            return text;
        }
        text = text + " " + word;
    }
    text
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
