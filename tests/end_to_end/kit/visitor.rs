//! A guest who makes requests, and one who listens to server-sent events.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use super::TestRoom;
use super::raw::{Answer, Raw};
use super::room::Dial;

/// A guest without a connection: each request comes on one of its own.
#[derive(Clone)]
pub(crate) struct Visitor {
    dial: Dial,
    /// The welcome.
    pub(crate) welcome: Value,
}

impl Visitor {
    /// Somebody who has no seat yet.
    pub(crate) fn stranger(room: &TestRoom) -> Self {
        Self { dial: room.dial(), welcome: Value::Null }
    }

    /// The same in whatever room is at this address.
    pub(crate) fn stranger_at(address: SocketAddr) -> Self {
        Self { dial: Dial::Tcp(address), welcome: Value::Null }
    }

    /// The same in the room at the end of this way.
    pub(crate) fn stranger_on(dial: Dial) -> Self {
        Self { dial, welcome: Value::Null }
    }

    /// Somebody with a seat, under this name.
    pub(crate) async fn arrive(room: &TestRoom, name: &str) -> Self {
        Self::stranger(room).seated(name).await
    }

    /// Takes a seat under this name.
    pub(crate) async fn seated(mut self, name: &str) -> Self {
        let answer = self.post("/rooms/main/guests", json!({ "name": name })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        self.welcome = answer.json();
        self
    }

    /// The token.
    pub(crate) fn token(&self) -> &str {
        self.welcome["token"].as_str().unwrap_or_default()
    }

    /// `GET`, with the token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    /// `POST` of JSON, with the token if there is one.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, &["Content-Type: application/json"], &body.to_string()).await
    }

    /// Says something; answers with its sequence number.
    pub(crate) async fn say(&self, id: &str, text: &str) -> u64 {
        let answer = self.post("/rooms/main/messages", json!({ "id": id, "text": text })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["seq"].as_u64().unwrap()
    }

    /// Asks for messages with this query.
    pub(crate) async fn messages(&self, query: &str) -> Value {
        let answer = self.get(&format!("/rooms/main/messages?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Any request, with the token if there is one, `Content-Length` if there is a body.
    pub(crate) async fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut raw = Raw::new(self.dial.connect().await);
        raw.write(self.written(method, path, headers, body).as_bytes()).await;
        match method {
            "HEAD" => raw.head().await,
            _ => raw.answer().await,
        }
    }

    /// Listens to the room's events; the welcome comes first.
    pub(crate) async fn listen(&self, query: &str, headers: &[&str]) -> Listener {
        self.listen_in("main", query, headers).await
    }

    /// The same in another room.
    pub(crate) async fn listen_in(&self, room: &str, query: &str, headers: &[&str]) -> Listener {
        self.listen_over(Raw::new(self.dial.connect().await), room, query, headers).await
    }

    /// The same on a socket of one's own.
    pub(crate) async fn listen_on(&self, socket: TcpSocket, query: &str, headers: &[&str]) -> Listener {
        let raw = Raw::new(socket.connect(self.dial.address()).await.unwrap());
        self.listen_over(raw, "main", query, headers).await
    }

    async fn listen_over(&self, mut raw: Raw, room: &str, query: &str, headers: &[&str]) -> Listener {
        let path = format!("/rooms/{room}/events?{query}");
        raw.write(self.written("GET", &path, headers, "").as_bytes()).await;
        let answer = raw.head().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        Listener { raw, text: String::new(), last_id: None, chunks: 0 }
    }

    fn written(&self, method: &str, path: &str, headers: &[&str], body: &str) -> String {
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("Host: {}", self.dial.host())];
        if !self.token().is_empty() {
            lines.push(format!("Authorization: Bearer {}", self.token()));
        }
        if !body.is_empty() {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        format!("{}\r\n\r\n{body}", lines.join("\r\n"))
    }
}

/// The reading end of server-sent events.
pub(crate) struct Listener {
    raw: Raw,
    text: String,
    /// What a browser would send as `Last-Event-ID`.
    pub(crate) last_id: Option<String>,
    /// How many chunks came so far.
    pub(crate) chunks: usize,
}

impl Listener {
    /// The next event: the JSON of its data, which is of the type that the event is named after; `None` at the
    /// end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                self.last_id = field("id").or(self.last_id.take());
                if let Some(data) = field("data") {
                    let json: Value = serde_json::from_str(&data).unwrap();
                    assert_eq!(Some(json["type"].as_str().unwrap()), field("event").as_deref());
                    return Some(json);
                }
            }
            let chunk = self.chunk().await?;
            self.text.push_str(&chunk);
        }
    }

    /// The next event of this type; others are skipped.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the end in place of {kind}"));
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// One chunk (RFC 9112, section 7.1); `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let size = self.raw.line().await;
        let size = usize::from_str_radix(&size, 16).unwrap();
        let chunk = self.raw.bytes(size).await;
        self.raw.bytes(2).await;
        self.chunks += 1;
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }
}
