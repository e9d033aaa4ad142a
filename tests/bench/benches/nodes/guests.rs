//! The guests, each on a WebSocket at one of the nodes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use onionroom_bench::latencies::Latencies;
use onionroom_bench::{Outcome, within};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::REST;

type Socket = WebSocketStream<TcpStream>;

/// So that a guest who comes back is known again.
#[derive(Clone)]
struct Seat {
    node: usize,
    name: String,
    token: String,
}

/// What all guests of a node have received.
#[derive(Default)]
struct Received {
    latencies: Latencies,
    deliveries: Vec<u64>,
}

/// Guests who are there.
pub(crate) struct Guests {
    addresses: Vec<SocketAddr>,
    seats: Vec<Seat>,
    say: Vec<mpsc::UnboundedSender<String>>,
    received: Arc<Mutex<Received>>,
    begin: Instant,
    tasks: JoinSet<()>,
}

impl Guests {
    /// Has them join, in turn at each node.
    pub(crate) async fn join(addresses: &[SocketAddr], count: usize) -> Outcome<Self> {
        let received = Received { deliveries: vec![0; addresses.len()], ..Received::default() };
        let mut guests = Self {
            addresses: addresses.to_vec(),
            seats: Vec::new(),
            say: Vec::new(),
            received: Arc::new(Mutex::new(received)),
            begin: Instant::now(),
            tasks: JoinSet::new(),
        };
        for number in 0..count {
            let node = number % addresses.len();
            let name = format!("Guest {number}");
            let (socket, token) = enter(addresses[node], &name, None).await?;
            let (say, said) = mpsc::unbounded_channel();
            guests.tasks.spawn(stay(socket, node, said, Arc::clone(&guests.received), guests.begin));
            guests.say.push(say);
            guests.seats.push(Seat { node, name, token });
        }
        sleep(REST).await;
        Ok(guests)
    }

    /// Talks at this rate for this time, and waits until all is received. Answers with the latencies, and how much was
    /// delivered by each node.
    pub(crate) async fn talk(&mut self, rate: f64, time: Duration) -> Outcome<(Latencies, Vec<u64>)> {
        let (begin, every) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
        let count = (time.as_secs_f64() * rate) as u32;
        for number in 0..count {
            let due = begin + every * number;
            sleep_until(due).await;
            let text = (due - self.begin).as_nanos().to_string();
            let say = json!({ "type": "say", "id": number.to_string(), "text": text }).to_string();
            self.say[number as usize % self.say.len()].send(say)?;
        }
        let all = u64::from(count) * self.say.len() as u64;
        let received = Arc::clone(&self.received);
        let locked = || received.lock().unwrap_or_else(PoisonError::into_inner);
        within("every delivery", async {
            while locked().deliveries.iter().sum::<u64>() < all {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await?;
        let mut received = locked();
        Ok((std::mem::take(&mut received.latencies), received.deliveries.clone()))
    }

    /// Has the guests of the first node, which has ended, go on at the others.
    pub(crate) async fn move_from_first(&mut self) -> Outcome<()> {
        let others = self.addresses.len() - 1;
        let mut moving = JoinSet::new();
        for (number, seat) in self.seats.iter().filter(|seat| seat.node == 0).cloned().enumerate() {
            let address = self.addresses[1 + number % others];
            moving.spawn(async move {
                loop {
                    if let Ok(entered) = enter(address, &seat.name, Some(&seat.token)).await {
                        return entered;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            });
        }
        within("every guest to move", moving.join_all()).await?;
        Ok(())
    }
}

async fn enter(node: SocketAddr, name: &str, token: Option<&str>) -> Outcome<(Socket, String)> {
    let stream = TcpStream::connect(node).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = client_async(format!("ws://{node}/chat"), stream).await?;
    let mut hello = json!({ "type": "hello", "name": name });
    if let Some(token) = token {
        hello["token"] = token.into();
    }
    socket.send(Message::text(hello.to_string())).await?;
    let welcome = within("welcome", socket.next()).await?.ok_or("the end")??;
    let welcome: Value = serde_json::from_str(welcome.to_text()?)?;
    let token = welcome["token"].as_str().ok_or_else(|| format!("not let in: {welcome}"))?;
    Ok((socket, token.to_owned()))
}

/// Sends what is to be said, and times what is heard.
async fn stay(
    mut socket: Socket,
    node: usize,
    mut said: mpsc::UnboundedReceiver<String>,
    received: Arc<Mutex<Received>>,
    begin: Instant,
) {
    loop {
        tokio::select! {
            Some(say) = said.recv() => {
                if socket.send(Message::text(say)).await.is_err() {
                    return;
                }
            }
            event = socket.next() => {
                let Some(Ok(event)) = event else { return };
                let Ok(text) = event.to_text() else { continue };
                if !text.starts_with(r#"{"type":"message""#) {
                    continue;
                }
                let Some(due) = text.rsplit_once(r#""text":""#).and_then(|(_, due)| due.split('"').next()?.parse().ok())
                else {
                    continue;
                };
                let late = begin.elapsed().saturating_sub(Duration::from_nanos(due));
                let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
                received.latencies.record(late.as_nanos() as u64);
                received.deliveries[node] += 1;
            }
        }
    }
}
