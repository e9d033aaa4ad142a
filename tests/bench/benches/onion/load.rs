//! Loads on an onion service.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use onionroom_bench::Outcome;
use onionroom_bench::latencies::Latencies;
use tokio::time::{Instant, sleep, sleep_until};

use crate::service::Service;

/// Without a delivery for so long, what is missing counts as lost.
const STALLED: Duration = Duration::from_secs(15);

/// Messages before each measurement.
const WARM_UP: usize = 20;

/// With it a message is 150 to 160 bytes on the wire.
const TEXT: &str = "so we meet at the old mill, and bring the tea";

/// A number of guests and what is sent to them.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) guests: usize,
    pace: Pace,
    messages: usize,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Open loop: messages a second, in bursts.
    Rate { per_second: u32, burst: u32 },
    /// Closed loop: messages that not all guests have received.
    Window(usize),
}

pub(crate) const LOADS: [Load; 5] = [
    Load { name: "20 guests, 40 messages/s", guests: 20, pace: Pace::rate(40, 1), messages: 160 },
    Load { name: "50 guests, 40 messages/s", guests: 50, pace: Pace::rate(40, 1), messages: 160 },
    Load { name: "50 guests, 400 messages/s", guests: 50, pace: Pace::rate(400, 1), messages: 1200 },
    Load {
        name: "50 guests, 400 messages/s, bursts of 40",
        guests: 50,
        pace: Pace::rate(400, 40),
        messages: 1200,
    },
    Load { name: "50 guests, 32 in flight", guests: 50, pace: Pace::Window(32), messages: 1600 },
];

impl Pace {
    const fn rate(per_second: u32, burst: u32) -> Self {
        Self::Rate { per_second, burst }
    }
}

/// One load was applied once.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// CPU time of all processes of the service for each delivery, in microseconds.
    pub(crate) cpu_us: f64,
    /// Milliseconds from when a message was due to the read that brought it.
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
    /// From the first message to the last delivery.
    pub(crate) deliveries_per_second: f64,
    /// Deliveries that never arrived.
    pub(crate) lost: usize,
    /// Bytes at the end, all processes together.
    pub(crate) resident: f64,
}

impl Load {
    /// Applies the load once.
    pub(crate) async fn apply(&self, service: &mut Service) -> Outcome<Measured> {
        run(service, WARM_UP, Pace::rate(40, 1)).await?;
        let cpu = service.cpu()?;
        let (latencies, lost, took) = run(service, self.messages, self.pace).await?;
        let cpu = service.cpu()? - cpu;
        Ok(Measured {
            cpu_us: cpu * 1e6 / latencies.count().max(1) as f64,
            median_ms: latencies.quantile_ms(0.5),
            p99_ms: latencies.quantile_ms(0.99),
            deliveries_per_second: latencies.count() as f64 / took.as_secs_f64(),
            lost,
            resident: service.resident()? as f64,
        })
    }
}

/// Sends messages and waits for all deliveries; returns their latencies, how many were lost, and the time from the first
/// message to the last delivery.
async fn run(service: &mut Service, messages: usize, pace: Pace) -> Outcome<(Latencies, usize, Duration)> {
    let guests = service.guests.len();
    let begin = Instant::now();
    // Distinguishes the messages of this run from late ones of the run before.
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed).to_string();
    let mut due = Vec::with_capacity(messages);
    let (mut received, mut complete) = (vec![0; messages], 0);
    let (mut left, mut progress) = (guests * messages, begin);
    let mut latencies = Latencies::default();
    while left > 0 {
        let next = match pace {
            _ if due.len() == messages => None,
            Pace::Rate { per_second, burst } => {
                let group = due.len() as u32 / burst;
                Some(begin + Duration::from_secs(1) * (group * burst) / per_second)
            }
            Pace::Window(window) => (due.len() < complete + window).then(Instant::now),
        };
        tokio::select! {
            () = sleep_until(next.unwrap_or(begin)), if next.is_some() => {
                service.guests.send(due.len(), &format!("{run}-{}", due.len()), TEXT)?;
                due.extend(next);
            }
            delivery = service.guests.delivery() => {
                let delivery = delivery?;
                let number = delivery.id.strip_prefix(&run).and_then(|id| id.strip_prefix('-')?.parse().ok());
                let Some(number) = number.filter(|number: &usize| *number < due.len()) else { continue };
                latencies.record((delivery.at - due[number]).as_nanos() as u64);
                received[number] += 1;
                complete += usize::from(received[number] == guests);
                (left, progress) = (left - 1, delivery.at);
            }
            () = sleep_until(progress + STALLED), if next.is_none() => break,
        }
    }
    // Work that follows a delivery, such as that of the log, comes to its end.
    sleep(Duration::from_millis(100)).await;
    Ok((latencies, left, progress - begin))
}
