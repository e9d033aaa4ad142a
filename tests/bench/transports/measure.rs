//! The measurement: everyone in one room, first quiet, then a speaker.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::journal;
use super::readers::{Reader, Transport};
use crate::kit::figures::Sample;
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::{Counts, Tally};
use crate::kit::{Outcome, within};

/// How long the last message may take to reach the last reader.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing must have moved before the quiet time begins: everyone has then heard of everyone.
const SETTLED: Duration = Duration::from_secs(1);

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// First nobody speaks,
    pub(crate) silence: Duration,
    /// then somebody does.
    pub(crate) talk: Duration,
    /// Messages in a second, on average.
    pub(crate) rate: f64,
}

/// What one transport did.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) transport: Transport,
    /// From say to seen.
    pub(crate) delay: Sample,
    /// For each message, in a busy room.
    pub(crate) requests_per_message: f64,
    /// Both ways, for each message.
    pub(crate) bytes_per_message: f64,
    /// In a minute in which nobody says anything.
    pub(crate) requests_per_idle_minute: f64,
    /// Both ways, in such a minute.
    pub(crate) bytes_per_idle_minute: f64,
}

/// Seats one reader per transport, is silent for a while, and then speaks.
pub(crate) async fn measure(way: &Way, transports: &[Transport], load: Load) -> Outcome<Vec<Measured>> {
    // Dropped at the end, and every task in it with it.
    let mut tasks = JoinSet::new();
    let speaker = speaker(way, &mut tasks).await?;
    let mut readers = Vec::new();
    for &transport in transports {
        let (reader, (ready, is_ready)) = (Reader::default(), oneshot::channel());
        tasks.spawn(transport.read(way.clone(), reader.clone(), ready));
        readers.push((transport, reader));
        if within("a reader", is_ready).await?.is_err() {
            return Err(failure(&mut tasks).await);
        }
    }
    let numbers = tokio::select! {
        numbers = follow(&readers, speaker, load) => numbers?,
        error = failure(&mut tasks) => return Err(error),
    };
    Ok(numbers)
}

/// Both phases.
async fn follow(
    readers: &[(Transport, Reader)],
    speaker: mpsc::UnboundedSender<Value>,
    load: Load,
) -> Outcome<Vec<Measured>> {
    let counts = || readers.iter().map(|(_, reader)| reader.tally.read()).collect::<Vec<_>>();
    sleep(SETTLED).await;
    let before = counts();
    sleep(load.silence).await;
    let quiet = counts();
    let said = speak(&speaker, load).await?;
    let everyone_has = |count| readers.iter().all(|(_, reader)| reader.journal(|it| it.count()) == count);
    let all_seen = async {
        while !everyone_has(said.len()) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = timeout(PATIENCE, all_seen).await;
    let busy = counts();
    for (transport, reader) in readers {
        let (count, again) = reader.journal(|it| (it.count(), it.again()));
        if in_time.is_err() && count < said.len() || again > 0 {
            let (name, said) = (transport.name(), said.len());
            return Err(format!("{name}: {count} of {said} messages seen, {again} seen again").into());
        }
    }
    let minutes = load.silence.as_secs_f64() / 60.0;
    let lines = readers.iter().zip(before).zip(quiet).zip(busy);
    Ok(lines
        .map(|((((transport, reader), before), quiet), busy)| {
            let delays = said.iter().zip(0..).filter_map(|(said, number)| {
                Some(reader.journal(|it| it.when(number))?.saturating_duration_since(*said))
            });
            let (idle, talk): (Counts, Counts) = (quiet - before, busy - quiet);
            Measured {
                transport: *transport,
                delay: delays.collect(),
                requests_per_message: talk.requests as f64 / said.len() as f64,
                bytes_per_message: talk.bytes() as f64 / said.len() as f64,
                requests_per_idle_minute: idle.requests as f64 / minutes,
                bytes_per_idle_minute: idle.bytes() as f64 / minutes,
            }
        })
        .collect())
}

/// Says one message after another; answers with when each was said.
async fn speak(speaker: &mpsc::UnboundedSender<Value>, load: Load) -> Outcome<Vec<Instant>> {
    let number = (load.talk.as_secs_f64() * load.rate).round().max(1.0) as u32;
    let mut said = Vec::with_capacity(number as usize);
    let mut next = Instant::now();
    for number in 0..number {
        sleep_until(next).await;
        said.push(Instant::now());
        speaker.send(json!({ "type": "say", "id": format!("b{number}"), "text": journal::text(number) }))?;
        next += Duration::from_secs_f64(uneven(number) / load.rate);
    }
    Ok(said)
}

/// From 0.5 to 1.5, evenly spread and the same in every run: a speaker in step with the pollers would be seen too
/// early, or too late, every time. (The golden ratio's multiples fill the unit interval evenly.)
fn uneven(number: u32) -> f64 {
    0.5 + (f64::from(number) * 0.618_033_988_749_895).fract()
}

/// A guest who says what they are given, and reads so that they are not taken for gone.
async fn speaker(way: &Way, tasks: &mut JoinSet<Outcome<()>>) -> Outcome<mpsc::UnboundedSender<Value>> {
    let tally = std::sync::Arc::<Tally>::default();
    let io = way.connect_counted(&new_user("speaker"), &tally).await?;
    let mut guest = Guest::connect(io, &tally, &way.host).await?;
    guest.hello().await?;
    let (frames, mut to_say) = mpsc::unbounded_channel();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                text = guest.text() => {
                    let event: Value = serde_json::from_str(&text?)?;
                    if event["type"] == "error" {
                        return Err(format!("the room refuses: {}", event["message"]).into());
                    }
                }
                Some(frame) = to_say.recv() => guest.send(frame).await?,
            }
        }
    });
    Ok(frames)
}

/// The first error of any task; none of them ends well.
async fn failure(tasks: &mut JoinSet<Outcome<()>>) -> Box<dyn std::error::Error + Send + Sync> {
    match tasks.join_next().await {
        Some(Ok(Err(error))) => error,
        other => format!("a reader ended: {other:?}").into(),
    }
}
