//! One reader on each transport, doing what the page, or a browser, does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::journal::Journal;
use crate::kit::Outcome;
use crate::kit::client::{self, Client};
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::Tally;

/// How often short polling asks.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// How long a long poll asks the room to wait, in seconds.
const LONG_POLL_SECONDS: u32 = 25;

/// A way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Transport {
    ShortPolling,
    LongPolling,
    Events,
    #[value(name = "websocket")]
    WebSocket,
    Page,
}

/// One reader: what they saw and what it cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    journal: Arc<Mutex<Journal>>,
    /// Bytes and requests.
    pub(crate) tally: Arc<Tally>,
}

impl Reader {
    /// Does something with the journal.
    pub(crate) fn journal<T>(&self, what: impl FnOnce(&mut Journal) -> T) -> T {
        what(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn client(&self, way: &Way) -> Outcome<Client> {
        let io = way.connect_counted(&new_user("reader"), &self.tally).await?;
        Ok(Client::new(io, &self.tally, &way.host))
    }
}

impl Transport {
    pub(crate) const ALL: [Self; 5] =
        [Self::ShortPolling, Self::LongPolling, Self::Events, Self::WebSocket, Self::Page];

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ShortPolling => "short polling, every 0.5 s",
            Self::LongPolling => "long polling",
            Self::Events => "server-sent events",
            Self::WebSocket => "WebSocket",
            Self::Page => "streamed page, no JavaScript",
        }
    }

    /// Enters the room, tells `ready`, and reads until dropped; only an error ends it.
    pub(crate) async fn read(self, way: Way, reader: Reader, ready: oneshot::Sender<()>) -> Outcome<()> {
        let ended = match self {
            Self::ShortPolling => poll(&way, &reader, ready, "", Some(POLL_EVERY)).await,
            Self::LongPolling => {
                poll(&way, &reader, ready, &format!("&wait={LONG_POLL_SECONDS}"), None).await
            }
            Self::Events => events(&way, &reader, ready).await,
            Self::WebSocket => websocket(&way, &reader, ready).await,
            Self::Page => page(&way, &reader, ready).await,
        };
        ended.map_err(|error| format!("{}: {error}", self.name()).into())
    }
}

async fn websocket(way: &Way, reader: &Reader, ready: oneshot::Sender<()>) -> Outcome<()> {
    let io = way.connect_counted(&new_user("reader"), &reader.tally).await?;
    let mut guest = Guest::connect(io, &reader.tally, &way.host).await?;
    guest.hello().await?;
    let _ = ready.send(());
    loop {
        let text = guest.text().await?;
        reader.journal(|journal| journal.look(text.as_bytes()));
    }
}

/// Enters without a connection; answers with the token, as a header, and where reading begins.
async fn enter(client: &mut Client) -> Outcome<(String, u64, String)> {
    let headers = format!("{}Content-Type: application/json\r\n", client::FETCH);
    let (head, body) = client.ask("POST /rooms/main/guests", &headers, "{}").await?;
    if !(200..300).contains(&head.status) {
        return Err(refused("a seat", head.status, &body));
    }
    let welcome: Value = serde_json::from_slice(&body)?;
    let token = welcome["token"].as_str().ok_or("a welcome without a token")?;
    let epoch = welcome["room"]["epoch"].as_str().ok_or("a welcome without an epoch")?;
    let after = welcome["head"].as_u64().ok_or("a welcome without a head")?;
    Ok((format!("Authorization: Bearer {token}\r\n"), after, epoch.to_owned()))
}

async fn poll(
    way: &Way,
    reader: &Reader,
    ready: oneshot::Sender<()>,
    wait: &str,
    every: Option<Duration>,
) -> Outcome<()> {
    let mut client = reader.client(way).await?;
    let (token, mut after, epoch) = enter(&mut client).await?;
    let _ = ready.send(());
    let mut ticks = every.map(interval);
    if let Some(ticks) = &mut ticks {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    // With this the answer "nothing new" is a head without a body.
    let mut tag = String::new();
    loop {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let headers = format!("{}{token}{tag}", client::FETCH);
        let request = format!("GET /rooms/main/messages?after={after}&epoch={epoch}{wait}");
        let (head, body) = client.ask(&request, &headers, "").await?;
        match head.status {
            200 => {}
            304 => continue,
            status => return Err(refused("messages", status, &body)),
        }
        reader.journal(|journal| journal.look(&body));
        let answer: Value = serde_json::from_slice(&body)?;
        let messages = answer["messages"].as_array().ok_or("an answer without messages")?;
        if let Some(last) = messages.last() {
            after = last["seq"].as_u64().ok_or("a message without a number")?;
            tag.clear();
        } else if let Some(value) = head.header("etag") {
            tag = format!("If-None-Match: {value}\r\n");
        }
    }
}

async fn events(way: &Way, reader: &Reader, ready: oneshot::Sender<()>) -> Outcome<()> {
    let mut client = reader.client(way).await?;
    let (token, ..) = enter(&mut client).await?;
    let headers = format!("{}{token}", client::EVENT_SOURCE);
    let head = client.open("GET /rooms/main/events", &headers, "").await?;
    if head.status != 200 {
        return Err(refused("events", head.status, b""));
    }
    follow(client, reader, ready).await
}

async fn page(way: &Way, reader: &Reader, ready: oneshot::Sender<()>) -> Outcome<()> {
    let mut client = reader.client(way).await?;
    let mut path = "/rooms/main/page".to_owned();
    let page = loop {
        let (head, body) = client.ask(&format!("GET {path}"), client::NAVIGATE, "").await?;
        match (head.status, head.header("location")) {
            (303, Some(location)) => path = location.to_owned(),
            (200, _) => break String::from_utf8(body)?,
            (status, _) => return Err(refused("the page", status, &body)),
        }
    };
    // The frame of the form is opened as well, once, and is no part of reading.
    let sources =
        page.split("<iframe").skip(1).filter_map(|rest| rest.split("src=\"").nth(1)?.split('"').next());
    let frame = sources.into_iter().find(|source| source.contains("/messages"));
    let frame = frame.ok_or("the page has no frame for the messages")?.replace("&amp;", "&");
    let head = client.open(&format!("GET /rooms/main/{frame}"), client::FRAME, "").await?;
    if head.status != 200 {
        return Err(refused("the messages", head.status, b""));
    }
    follow(client, reader, ready).await
}

/// Reads an answer that does not end.
async fn follow(mut client: Client, reader: &Reader, ready: oneshot::Sender<()>) -> Outcome<()> {
    let _ = ready.send(());
    while let Some(piece) = client.piece().await? {
        reader.journal(|journal| journal.look(&piece));
    }
    Err("the stream ended".into())
}

fn refused(what: &str, status: u16, body: &[u8]) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the room gives no {what}: {status} {}", String::from_utf8_lossy(body)).into()
}
