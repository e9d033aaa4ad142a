//! A room with a host and guests, each with a connection through Tor.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use onionroom::lab::Network;
use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, within};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::guests::{Guests, Route, Socket};

/// For one attempt to connect while the descriptor may not be published yet.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Between one guest and the next, so that the client has circuits built in advance.
const PAUSE: Duration = Duration::from_millis(200);

/// What a guest has read: which guest, the event's type, id and number, and when.
struct Seen {
    kind: String,
    id: String,
    seq: u64,
    at: Instant,
}

/// A room with a host.
pub(crate) struct Governed {
    program: Program,
    route: Route,
    circuits: usize,
    host: mpsc::UnboundedSender<Value>,
    speaker: mpsc::UnboundedSender<Value>,
    guests: usize,
    seen: mpsc::UnboundedReceiver<Outcome<Seen>>,
    /// How many requests were made: their ids.
    requests: usize,
    _home: TempDir,
}

/// A guest who is to be put out.
pub(crate) struct Victim {
    pub(crate) number: u64,
    socket: Socket,
}

/// When an act was seen.
pub(crate) struct Reached {
    pub(crate) half_ms: f64,
    pub(crate) last_ms: f64,
    pub(crate) out_ms: Option<f64>,
}

impl Governed {
    /// Starts the room, and lets in the host and so many guests on so many circuits.
    pub(crate) async fn open(
        build: &Build,
        network: &Network,
        guests: usize,
        circuits: usize,
    ) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let data = home.path().join("data");
        let mut command = Command::new("env");
        command.args(build.unlimited().await?).arg(&build.path);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        command.arg("--network-file").arg(network.network_file());
        let mut program = Program::start(command, home.path())?;
        let url = program.line("room: http://").await?;
        let onion = url.trim_end_matches('/').to_owned();
        let route = Route { proxy: network.socks(), host: onion.clone(), onion };
        let probe = Guests::new(route.clone());
        let reached = async { while !matches!(timeout(ATTEMPT, probe.probe()).await, Ok(Ok(()))) {} };
        within("connection to the onion service", reached).await?;

        let mut link = Command::new(&build.path);
        link.args(["host", "link", "--json", "--data-dir"]).arg(&data);
        let link = link.env_clear().env("HOME", home.path()).output().await?;
        let link: Value = serde_json::from_slice(&link.stdout)?;
        let (mut socket, _) = route.join_on("host").await?;
        let claim = json!({ "type": "claim", "id": "claim", "link": link["secret"] });
        socket.send(Message::text(claim.to_string())).await?;
        let (report, seen) = mpsc::unbounded_channel();
        let host = followed(socket, None);
        let mut senders = Vec::new();
        for number in 0..guests {
            let (socket, _) = route.join_on(&format!("circuit{}", number % circuits)).await?;
            senders.push(followed(socket, Some(report.clone())));
            sleep(PAUSE).await;
        }
        let speaker = senders.first().ok_or("no guests")?.clone();
        // The others only read; what follows them ends with its sender.
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(senders);
        });
        Ok(Self { program, route, circuits, host, speaker, guests, seen, requests: 0, _home: home })
    }

    /// Has a guest say something, and returns its number once all have it.
    pub(crate) async fn said(&mut self) -> Outcome<u64> {
        let id = self.id();
        self.speaker.send(json!({ "type": "say", "id": id, "text": "what is to be deleted" }))?;
        Ok(self.all("message", &id).await?.1)
    }

    /// A guest more, on one of the circuits.
    pub(crate) async fn victim(&self, round: usize) -> Outcome<Victim> {
        let (socket, welcome) = self.route.join_on(&format!("circuit{}", round % self.circuits)).await?;
        let number = welcome["guest"]["id"].as_u64().ok_or("no number in the welcome")?;
        Ok(Victim { number, socket })
    }

    /// Does this as the host, and waits until all guests have seen it, and the victim is out.
    pub(crate) async fn act(&mut self, mut act: Value, victim: Option<Victim>) -> Outcome<Reached> {
        let id = self.id();
        (act["type"], act["id"]) = ("act".into(), id.as_str().into());
        let out = victim.map(|Victim { mut socket, .. }| {
            tokio::spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_close() {
                        break;
                    }
                }
                Instant::now()
            })
        });
        let begin = Instant::now();
        self.host.send(act)?;
        let (mut times, _) = self.all("act", &id).await?;
        times.sort();
        let since = |at: Instant| (at - begin).as_secs_f64() * 1e3;
        let out_ms = match out {
            Some(out) => Some(since(within("the end of who was put out", out).await??)),
            None => None,
        };
        Ok(Reached {
            half_ms: since(times[(times.len() - 1) / 2]),
            last_ms: since(times[times.len() - 1]),
            out_ms,
        })
    }

    /// Waits until all guests have this event; when each had it, and its number.
    async fn all(&mut self, kind: &str, id: &str) -> Outcome<(Vec<Instant>, u64)> {
        let (mut times, mut number) = (Vec::new(), 0);
        while times.len() < self.guests {
            let seen = within("event at all guests", self.seen.recv()).await?.ok_or("no guests")??;
            if seen.kind == kind && seen.id == id {
                times.push(seen.at);
                number = seen.seq;
            }
        }
        Ok((times, number))
    }

    fn id(&mut self) -> String {
        self.requests += 1;
        format!("r{}", self.requests)
    }

    /// Ends the process.
    pub(crate) async fn close(self) -> Outcome<()> {
        let Self { program, host, .. } = self;
        // Its connection is not to be missed.
        drop(host);
        program.terminate().await
    }
}

/// Sends what is ordered, and reports what is read, if that is wanted.
fn followed(
    mut socket: Socket,
    report: Option<mpsc::UnboundedSender<Outcome<Seen>>>,
) -> mpsc::UnboundedSender<Value> {
    let (sender, mut orders) = mpsc::unbounded_channel::<Value>();
    tokio::spawn(async move {
        loop {
            let read = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => match socket.send(Message::text(order.to_string())).await {
                        Ok(()) => continue,
                        Err(error) => Err(error.into()),
                    },
                    None => return,
                },
                read = socket.next() => match read {
                    Some(Ok(Message::Text(text))) => seen(&text),
                    Some(Ok(Message::Close(frame))) => Err(format!("a guest was closed: {frame:?}").into()),
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => Err(error.into()),
                    None => Err("a connection ended".into()),
                },
            };
            let failed = read.is_err();
            match &report {
                Some(report) => drop(report.send(read)),
                None if failed => eprintln!("the host's connection: {:?}", read.err()),
                None => {}
            }
            if failed {
                return;
            }
        }
    });
    sender
}

fn seen(text: &str) -> Outcome<Seen> {
    let at = Instant::now();
    let event: Value = serde_json::from_str(text)?;
    let kind = event["type"].as_str().unwrap_or_default().to_owned();
    if kind == "error" {
        return Err(format!("refused: {}", event["message"]).into());
    }
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    Ok(Seen { kind, id, seq: event["seq"].as_u64().unwrap_or(0), at })
}
