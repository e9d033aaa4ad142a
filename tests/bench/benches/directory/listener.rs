//! A guest on the loopback address who says something at a steady rate and measures when it comes back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use onionroom_bench::latencies::Latencies;
use onionroom_bench::{Outcome, process, within};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Between two messages. Each costs the room some 50 µs, so that it is idle for most of the time.
const PACE: Duration = Duration::from_millis(2);

/// A guest at work, on a thread of their own, until this is dropped.
pub(crate) struct Listener {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    messages: Vec<Returned>,
    broken: Option<String>,
}

/// A message that came back.
struct Returned {
    due: Instant,
    /// How long after that it was read.
    latency: Duration,
    /// How long the room's thread has computed meanwhile.
    computed: Duration,
}

/// Latencies of the messages that were due within a period, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Latency {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) longest: f64,
}

/// What a period was like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Period {
    /// By the clock. On a machine with other things to do it is mostly the wait for a core.
    pub(crate) latency: Latency,
    /// The CPU time that the room's thread has used while a message waited for it: what the latency would be if it always had
    /// a core.
    pub(crate) computed: Latency,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    id: Option<String>,
}

impl Listener {
    /// Connects to the room at `address`, whose process has this number.
    pub(crate) fn start(address: SocketAddr, room: u32) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let weak = Arc::downgrade(&seen);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let ended = match runtime {
                Ok(runtime) => runtime.block_on(listen(address, room, |returned| match weak.upgrade() {
                    Some(seen) => {
                        lock(&seen).messages.push(returned);
                        true
                    }
                    None => false,
                })),
                Err(error) => Err(error.into()),
            };
            if let (Err(error), Some(seen)) = (ended, weak.upgrade()) {
                lock(&seen).broken = Some(error.to_string());
            }
        });
        Self { seen }
    }

    /// The messages that were due from then on until now.
    pub(crate) fn since(&self, begin: Instant) -> Outcome<Period> {
        let seen = lock(&self.seen);
        if let Some(error) = &seen.broken {
            return Err(error.clone().into());
        }
        let messages = || seen.messages.iter().filter(|message| message.due >= begin);
        Ok(Period {
            latency: Latency::of(messages().map(|message| message.latency)),
            computed: Latency::of(messages().map(|message| message.computed)),
        })
    }
}

impl Latency {
    fn of(values: impl Iterator<Item = Duration>) -> Self {
        let mut latencies = Latencies::default();
        let mut longest = Duration::ZERO;
        for latency in values {
            latencies.record(latency.as_nanos() as u64);
            longest = longest.max(latency);
        }
        Self {
            median: latencies.quantile_ms(0.5),
            p99: latencies.quantile_ms(0.99),
            p999: latencies.quantile_ms(0.999),
            longest: longest.as_secs_f64() * 1e3,
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says and reads until `record` returns false.
async fn listen(address: SocketAddr, room: u32, record: impl Fn(Returned) -> bool) -> Outcome<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/chat").into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", "chat".parse()?);
    request.headers_mut().insert("Origin", format!("http://{address}").parse()?);
    let (socket, _) = within("WebSocket", client_async(request, stream)).await??;
    let (mut write, mut read) = socket.split();
    write.send(Message::text(r#"{"type":"hello"}"#)).await?;
    let begin = Instant::now();
    let due = |number: u32| begin + PACE * number;
    // What the room's thread had computed when each message was sent.
    let mut before = Vec::new();
    loop {
        tokio::select! {
            () = sleep_until(due(before.len() as u32)) => {
                let number = before.len();
                let say = format!(r#"{{"type":"say","id":"{number}","text":"so we meet at the old mill"}}"#);
                before.push(process::first_thread_cpu(room));
                write.send(Message::text(say)).await?;
            }
            frame = read.next() => {
                let now = Instant::now();
                let Message::Text(text) = frame.ok_or("the room closed the connection")?? else { continue };
                let event: Event = serde_json::from_str(&text)?;
                if event.r#type == "error" {
                    return Err(text.to_string().into());
                }
                let number = event.id.and_then(|id| id.parse::<u32>().ok());
                let (Some(number), "message") = (number, event.r#type.as_str()) else { continue };
                let due = due(number);
                let computed = process::first_thread_cpu(room) - before[number as usize];
                let computed = Duration::from_secs_f64(computed.max(0.0));
                if !record(Returned { due, latency: now.saturating_duration_since(due), computed }) {
                    return Ok(());
                }
            }
        }
    }
}
