//! Guests without a WebSocket, who never give up either: server-sent events, long polls, and the page without JavaScript.
//! Each goes to a node drawn by chance, and to another one when that fails.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::wire::{Response, ask};
use crate::kit::dice::Dice;
use crate::nothing_lost::crowd::{Account, Phase};
use crate::nothing_lost::steadfast::{Heard, text};

/// Where the nodes are; `None` for one that was killed.
pub(super) type Nodes = Arc<Vec<watch::Receiver<Option<SocketAddr>>>>;

/// How long a guest waits before trying again.
const PAUSE: Duration = Duration::from_millis(200);

/// The address of a node drawn by chance, if it runs.
pub(super) fn any(nodes: &Nodes, dice: &mut Dice) -> io::Result<SocketAddr> {
    let node = dice.below(nodes.len() as u64) as usize;
    (*nodes[node].borrow()).ok_or_else(|| io::ErrorKind::NotConnected.into())
}

/// A guest of a transport other than the WebSocket.
pub(super) struct Plain {
    name: String,
    token: String,
    nodes: Nodes,
    account: Arc<Account>,
    phase: watch::Receiver<Phase>,
    dice: Mutex<Dice>,
    /// Where the guest has a seat, as far as is known.
    node: Mutex<Option<SocketAddr>>,
}

/// How such a guest reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// Server-sent events.
    Events,
    /// Long polls.
    Polls,
}

impl Plain {
    /// A guest outside.
    pub(super) fn new(
        name: String,
        nodes: Nodes,
        account: Arc<Account>,
        phase: watch::Receiver<Phase>,
        mut dice: Dice,
    ) -> Self {
        let token: Vec<u8> = (0..32).map(|_| dice.below(256) as u8).collect();
        let token = BASE64URL_NOPAD.encode(&token);
        Self { name, token, nodes, account, phase, dice: Mutex::new(dice), node: Mutex::new(None) }
    }

    /// Talks until the end and everything was heard; answers with it.
    pub(super) async fn talk(self, reading: Reading) -> Vec<Heard> {
        let mut heard = Vec::new();
        let read = async {
            let mut cursor = Cursor::default();
            while *self.phase.borrow() != Phase::End(heard.len() as u64) {
                let round = match reading {
                    Reading::Events => self.listen(&mut cursor, &mut heard).await,
                    Reading::Polls => self.poll(&mut cursor, &mut heard).await,
                };
                if round.is_err() {
                    self.stand_up().await;
                }
            }
        };
        tokio::join!(read, self.speak());
        heard
    }

    /// Says one message after another, each until it is acknowledged.
    async fn speak(&self) {
        let mut number = 0;
        while *self.phase.borrow() == Phase::Talk {
            number += 1;
            let say = json!({ "id": number.to_string(), "text": text(&self.name, number) }).to_string();
            loop {
                match self.say(&say).await {
                    Ok(seq) => {
                        self.account.note_acknowledged(&self.name, &number.to_string(), seq);
                        break;
                    }
                    Err(_) => self.stand_up().await,
                }
            }
            sleep(PAUSE).await;
        }
        self.account.note_silent(&self.name);
    }

    async fn say(&self, say: &str) -> io::Result<u64> {
        let node = self.seated().await?;
        let response =
            ask(node, "POST /rooms/main/messages", &[&self.bearer(), "Content-Type: application/json"], say)
                .await?;
        let said = taken(response, 201, &self.name).await?;
        said["seq"].as_u64().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The node where the guest has a seat; takes one under the own name at a node drawn by chance if there is none.
    async fn seated(&self) -> io::Result<SocketAddr> {
        let mut seat = self.node.lock().await;
        if let Some(node) = *seat {
            return Ok(node);
        }
        let node = any(&self.nodes, &mut *self.dice.lock().await)?;
        let hello = json!({ "name": self.name, "token": self.token }).to_string();
        let response =
            ask(node, "POST /rooms/main/guests", &["Content-Type: application/json"], &hello).await?;
        taken(response, 201, &self.name).await?;
        self.account.note_welcome();
        *seat = Some(node);
        Ok(node)
    }

    /// Goes to another node after a failure.
    async fn stand_up(&self) {
        *self.node.lock().await = None;
        sleep(PAUSE).await;
    }

    async fn listen(&self, cursor: &mut Cursor, heard: &mut Vec<Heard>) -> io::Result<()> {
        let node = self.seated().await?;
        let last = cursor.id.as_ref().map(|id| format!("Last-Event-ID: {id}"));
        let headers: Vec<String> = std::iter::once(self.bearer()).chain(last).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut response = ask(node, "GET /rooms/main/events", &headers, "").await?;
        if response.status != 200 {
            return Err(io::ErrorKind::Other.into());
        }
        let mut stream = String::new();
        let mut phase = self.phase.clone();
        loop {
            while let Some((event, rest)) = stream.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let Some(data) = field("data: ") {
                    let data: Value = serde_json::from_str(data)?;
                    assert_ne!(data["type"], "gap", "{} is told: {data}", self.name);
                    if data["type"] == "message" {
                        hear(&self.name, heard, &data);
                    }
                    if data["type"] == "error" {
                        return Err(io::ErrorKind::Other.into());
                    }
                }
                cursor.id = field("id: ").map(str::to_owned).or(cursor.id.take());
                stream = rest.to_owned();
            }
            if *phase.borrow_and_update() == Phase::End(heard.len() as u64) {
                return Ok(());
            }
            tokio::select! {
                chunk = response.chunk() => {
                    stream.push_str(std::str::from_utf8(&chunk?).map_err(|_| io::ErrorKind::InvalidData)?);
                }
                _ = phase.changed() => {}
            }
        }
    }

    async fn poll(&self, cursor: &mut Cursor, heard: &mut Vec<Heard>) -> io::Result<()> {
        let node = self.seated().await?;
        let epoch = cursor.id.as_ref().map_or_else(String::new, |epoch| format!("&epoch={epoch}"));
        let line = format!("GET /rooms/main/messages?after={}&wait=2{epoch}", heard.len());
        let polled = taken(ask(node, &line, &[&self.bearer()], "").await?, 200, &self.name).await?;
        assert_eq!(polled.get("gap"), None, "{}", self.name);
        if !epoch.is_empty() {
            assert_eq!(polled["cursor"], heard.len(), "it goes on after what {} heard", self.name);
        }
        cursor.id = polled["epoch"].as_str().map(str::to_owned);
        for message in polled["messages"].as_array().into_iter().flatten() {
            hear(&self.name, heard, message);
        }
        Ok(())
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }
}

/// What goes back to the room so that it goes on where this guest was: the last event's id, or the epoch.
#[derive(Default)]
struct Cursor {
    id: Option<String>,
}

fn hear(name: &str, list: &mut Vec<Heard>, message: &Value) {
    let heard = Heard::of(message);
    assert_eq!(heard.seq, list.len() as u64 + 1, "{name} hears everything once, in order");
    list.push(heard);
}

/// The answer, if it is what was asked for; one that is to be asked for again is an error.
async fn taken(response: Response, wanted: u16, name: &str) -> io::Result<Value> {
    let status = response.status;
    let body = response.body().await?;
    if status == wanted {
        return Ok(serde_json::from_str(&body)?);
    }
    assert!([401, 409, 429, 503].contains(&status), "{name}: {status} {body}");
    Err(io::ErrorKind::Other.into())
}

/// Reads the document of messages of the page without JavaScript until the end is reached; answers with what was heard on
/// each connection. The texts have no numbers there.
pub(super) async fn read_page(
    number: u8,
    nodes: Nodes,
    mut phase: watch::Receiver<Phase>,
    mut dice: Dice,
) -> Vec<Vec<String>> {
    let token = BASE64URL_NOPAD.encode(&[number; 32]);
    let mut runs = Vec::new();
    while !matches!(*phase.borrow(), Phase::End(_)) {
        let mut run = Vec::new();
        let _ = page_run(&token, &nodes, &mut phase, &mut dice, &mut run).await;
        runs.push(run);
        sleep(PAUSE).await;
    }
    runs
}

async fn page_run(
    token: &str,
    nodes: &Nodes,
    phase: &mut watch::Receiver<Phase>,
    dice: &mut Dice,
    run: &mut Vec<String>,
) -> io::Result<()> {
    const BEGIN: &str = " dir=\"auto\">";
    const END: &str = "</p><a href=\"message?of=";
    let node = any(nodes, dice)?;
    let cookie = format!("Cookie: guest{}={token}", node.port());
    let mut response = ask(node, "GET /rooms/main/page/messages?window=1", &[&cookie], "").await?;
    if response.status != 200 {
        return Err(io::ErrorKind::Other.into());
    }
    let mut markup = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&markup).into_owned();
        if let Some(end) = text.rfind(END) {
            let whole = &text[..end + END.len()];
            for article in whole.split_inclusive(END).filter(|article| article.ends_with(END)) {
                let end = article.len() - END.len();
                let begin = article[..end].rfind(BEGIN).ok_or(io::ErrorKind::InvalidData)? + BEGIN.len();
                run.push(article[begin..end].to_owned());
            }
            markup.drain(..whole.len());
        }
        tokio::select! {
            chunk = response.chunk() => markup.extend(chunk?),
            _ = phase.wait_for(|phase| matches!(phase, Phase::End(_))) => return Ok(()),
        }
    }
}
