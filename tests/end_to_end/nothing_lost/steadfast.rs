//! A guest's program that never gives up: it keeps what is not acknowledged, comes back with token, cursor and
//! epoch, and sends again under the same id.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use onionroom::listen::Io;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::crowd::{Account, Phase};
use crate::kit::dice::Dice;

/// A new connection to the room for the guest of this name, and what belongs into `Host`.
pub(crate) type Way =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<(Box<dyn Io>, String)>> + Send + Sync>;

/// How the guests' programs behave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manners {
    /// How many messages may be under way at once.
    pub(crate) under_way: usize,
    /// How long a way in, from connecting to the welcome, may take.
    pub(crate) welcome: Duration,
    /// After how long without a frame the program asks for a sign of life, and again gives up.
    pub(crate) silence: Duration,
    /// How long it waits at most before it tries again.
    pub(crate) pause: Duration,
}

/// One guest.
pub(crate) struct Steadfast {
    name: String,
    token: String,
    manners: Manners,
    way: Way,
    account: Arc<Account>,
    phase: watch::Receiver<Phase>,
    dice: Dice,
    /// Who the room says this is, and which run of numbers it has; the same for ever.
    known_as: Option<(u64, String)>,
    /// Said and not acknowledged, in the order it was said.
    unacknowledged: VecDeque<u64>,
    /// How many messages this guest has thought of.
    thought: u64,
    /// Everything that was heard; the cursor is its length.
    heard: Vec<Heard>,
}

/// A message as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) seq: u64,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A connection that broke; the guest tries again.
struct Broken;

type Socket = WebSocketStream<Box<dyn Io>>;

impl Heard {
    /// Out of a message of the room.
    pub(crate) fn of(event: &Value) -> Self {
        let text = |member: &str| event[member].as_str().unwrap().to_owned();
        Self { seq: event["seq"].as_u64().unwrap(), name: text("name"), id: text("id"), text: text("text") }
    }
}

/// What the guest of this name says as its message `number`: short and long, in several scripts and lines.
pub(crate) fn text(name: &str, number: u64) -> String {
    let beginning = format!("{name} says {number}\n");
    match number % 7 {
        0 => beginning + &"long ".repeat(300),
        1 => beginning + "Ξένος «θύρα» \"</script>\" \\ 🧅",
        _ => beginning,
    }
}

impl Steadfast {
    /// A guest outside.
    pub(crate) fn new(
        name: String,
        manners: Manners,
        way: Way,
        account: Arc<Account>,
        phase: watch::Receiver<Phase>,
        mut dice: Dice,
    ) -> Self {
        // Its own from the first hello on: whoever never heard the first welcome can still come back.
        let bytes: Vec<u8> = (0..32).map(|_| dice.below(256) as u8).collect();
        Self {
            name,
            token: BASE64URL_NOPAD.encode(&bytes),
            manners,
            way,
            account,
            phase,
            dice,
            known_as: None,
            unacknowledged: VecDeque::new(),
            thought: 0,
            heard: Vec::new(),
        }
    }

    /// Talks until the end and everything was heard; answers with it.
    pub(crate) async fn talk(mut self) -> Vec<Heard> {
        while let Err(Broken) = self.stay().await {
            sleep(self.dice.shorter_than(self.manners.pause)).await;
        }
        self.heard
    }

    /// One connection, from the hello to the end.
    async fn stay(&mut self) -> Result<(), Broken> {
        let mut socket = timeout(self.manners.welcome, self.enter()).await.map_err(|_| Broken)??;
        self.account.note_welcome();
        let mut sent = 0;
        let mut asked = false;
        loop {
            let phase = *self.phase.borrow_and_update();
            if phase == Phase::Talk {
                while self.unacknowledged.len() < self.manners.under_way {
                    self.thought += 1;
                    self.unacknowledged.push_back(self.thought);
                }
            }
            while sent < self.unacknowledged.len() {
                let number = self.unacknowledged[sent];
                let say =
                    json!({ "type": "say", "id": number.to_string(), "text": text(&self.name, number) });
                self.send(&mut socket, say).await?;
                sent += 1;
            }
            if self.unacknowledged.is_empty() {
                self.account.note_silent(&self.name);
            }
            if phase == Phase::End(self.heard.len() as u64) {
                let _ = self.send(&mut socket, json!({ "type": "leave" })).await;
                return Ok(());
            }
            let event = tokio::select! {
                event = timeout(self.manners.silence, next(&mut socket)) => event,
                _ = self.phase.changed() => continue,
            };
            match event {
                Ok(event) => {
                    asked = false;
                    let event = event?;
                    // To be said again, in its order.
                    if event["code"] == "not_kept" || event["code"] == "taken_over" {
                        return Err(Broken);
                    }
                    sent -= usize::from(self.hear(&event));
                }
                Err(_) if asked => return Err(Broken),
                Err(_) => {
                    asked = true;
                    self.send(&mut socket, json!({ "type": "ping" })).await?;
                }
            }
        }
    }

    async fn enter(&mut self) -> Result<Socket, Broken> {
        let (io, host) = (self.way)(self.name.clone()).await.map_err(|_| Broken)?;
        let (mut socket, _) = client_async(format!("ws://{host}/chat"), io).await.map_err(|_| Broken)?;
        let mut hello = json!({ "type": "hello", "name": self.name, "token": self.token });
        if let Some((_, epoch)) = &self.known_as {
            hello["after"] = self.heard.len().into();
            hello["epoch"] = epoch.as_str().into();
        }
        self.send(&mut socket, hello).await?;
        let welcome = next(&mut socket).await?;
        if welcome["code"] == "not_kept" {
            return Err(Broken);
        }
        assert_eq!(welcome["type"], "welcome", "{} is not let in: {welcome}", self.name);
        let epoch = welcome["room"]["epoch"].as_str().unwrap().to_owned();
        let id = welcome["guest"]["id"].as_u64().unwrap();
        if let Some((before, _)) = self.known_as.replace((id, epoch)) {
            assert_eq!(before, id, "the same guest, the same room");
            assert_eq!(welcome["cursor"], self.heard.len(), "it goes on after what {} heard", self.name);
        }
        assert!(
            welcome["head"].as_u64().unwrap() >= self.heard.len() as u64,
            "heard before it was kept: {welcome}"
        );
        Ok(socket)
    }

    /// Takes one event; true if it acknowledged the oldest message under way.
    fn hear(&mut self, event: &Value) -> bool {
        match event["type"].as_str().unwrap() {
            "acknowledged" => {
                let number = self.unacknowledged.pop_front().map(|number| number.to_string());
                assert_eq!(event["id"].as_str(), number.as_deref(), "{} asked in another order", self.name);
                self.account.note_acknowledged(&self.name, &number.unwrap(), event["seq"].as_u64().unwrap());
                true
            }
            "message" => {
                let heard = Heard::of(event);
                assert_eq!(
                    heard.seq,
                    self.heard.len() as u64 + 1,
                    "{} hears everything once, in order",
                    self.name
                );
                self.heard.push(heard);
                false
            }
            "gap" | "error" => panic!("{} is told: {event}", self.name),
            _ => false,
        }
    }

    async fn send(&self, socket: &mut Socket, frame: Value) -> Result<(), Broken> {
        let sent = timeout(self.manners.silence, socket.send(Message::text(frame.to_string()))).await;
        sent.map_err(|_| Broken)?.map_err(|_| Broken)
    }
}

/// The next event, or that there is none on this connection any more.
async fn next(socket: &mut Socket) -> Result<Value, Broken> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return Err(Broken),
        }
    }
}
