//! A guest who speaks the protocol, over any stream.

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use onionroom::listen::Io;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::within;

/// One guest's side of a WebSocket.
pub(crate) struct Guest {
    socket: WebSocketStream<Box<dyn Io>>,
    /// The welcome, once there was one.
    pub(crate) welcome: Value,
}

impl Guest {
    /// Shakes hands over `io` with the room at `host`, offering `chat`.
    pub(crate) async fn connect(io: impl Io, host: &str) -> Self {
        Self::connect_with(io, host, &[]).await
    }

    /// The same with more headers.
    pub(crate) async fn connect_with(io: impl Io, host: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request = format!("ws://{host}/chat").into_client_request().unwrap();
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let io: Box<dyn Io> = Box::new(io);
        let (socket, _) = within("a handshake", client_async(request, io)).await.unwrap();
        Self { socket, welcome: Value::Null }
    }

    /// Says hello and keeps the welcome.
    pub(crate) async fn hello(&mut self, name: &str) -> Value {
        self.hello_as(json!({ "name": name })).await
    }

    /// Says hello with these members and keeps the welcome.
    pub(crate) async fn hello_as(&mut self, mut hello: Value) -> Value {
        hello["type"] = "hello".into();
        self.send(hello).await;
        self.welcome = self.expect("welcome").await;
        self.welcome.clone()
    }

    /// The number the room gave.
    pub(crate) fn id(&self) -> u64 {
        self.welcome["guest"]["id"].as_u64().unwrap()
    }

    /// Says something and waits for the acknowledgement; answers with the sequence number.
    pub(crate) async fn say(&mut self, id: &str, text: &str) -> u64 {
        self.send(json!({ "type": "say", "id": id, "text": text })).await;
        let acknowledged = self.expect("acknowledged").await;
        assert_eq!(acknowledged["id"], id);
        acknowledged["seq"].as_u64().unwrap()
    }

    /// Says 4 KiB after 4 KiB until a guest is away, because they do not read; answers with how many messages that
    /// took. At most what the buffers on the way can hold, several times over.
    pub(crate) async fn talk_until_away(&mut self) -> u64 {
        let text = "x".repeat(4096);
        for said in 1..=10_000 {
            self.send(json!({ "type": "say", "id": said.to_string(), "text": text })).await;
            loop {
                match self.next().await["type"].as_str().unwrap() {
                    "acknowledged" => break,
                    "away" => return said,
                    _ => {}
                }
            }
        }
        self.expect("away").await;
        10_000
    }

    /// Sends one frame.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends one text frame as it is.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_frame(Message::text(text)).await;
    }

    /// Sends any frame.
    pub(crate) async fn send_frame(&mut self, message: Message) {
        within("sending", self.socket.send(message)).await.unwrap();
    }

    /// The next event of this type; others are skipped.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] == kind {
                return event;
            }
            assert!(event["type"] != "error" || kind == "error", "an error in place of {kind}: {event}");
        }
    }

    /// The next event, which must be an error; answers with its code.
    pub(crate) async fn expect_error(&mut self) -> String {
        let event = self.next().await;
        assert_eq!(event["type"], "error", "{event}");
        assert!(event["message"].as_str().unwrap().ends_with('.'), "an error is a sentence: {event}");
        event["code"].as_str().unwrap().to_owned()
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match within("an event", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("not an event: {other:?}"),
            }
        }
    }

    /// Reads until so many pings have come, and answers each.
    pub(crate) async fn pinged(&mut self, times: usize) {
        let mut pings = 0;
        while pings < times {
            match within("a ping", self.socket.next()).await {
                Some(Ok(Message::Ping(_))) => pings += 1,
                Some(Ok(Message::Text(_) | Message::Pong(_))) => {}
                other => panic!("not a ping: {other:?}"),
            }
        }
    }

    /// Reads until the room closes; answers with the code and what came before it.
    pub(crate) async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut events = Vec::new();
        loop {
            match within("a close frame", self.socket.next()).await {
                Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => return (code.into(), events),
                Some(Ok(Message::Text(text))) => events.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(_)) => {}
                other => panic!("not a close frame: {other:?}"),
            }
        }
    }

    /// The stream, for bytes by hand after the handshake.
    pub(crate) fn into_stream(self) -> Box<dyn Io> {
        self.socket.into_inner()
    }

    /// Does something as a host or a moderator; the answer.
    pub(crate) async fn act(&mut self, id: &str, mut act: Value) -> Value {
        (act["type"], act["id"]) = ("act".into(), id.into());
        self.send(act).await;
        self.expect("acknowledged").await
    }

    /// Uses the link with this secret.
    pub(crate) async fn claim(&mut self, link: &str) {
        self.send(json!({ "type": "claim", "id": "claim", "link": link })).await;
        self.expect("acknowledged").await;
    }

    /// Reads until the connection is gone, however it goes.
    pub(crate) async fn gone(&mut self) {
        within("the end", self.read_to_the_end()).await;
    }

    /// The same, for as long as it takes.
    pub(crate) async fn read_to_the_end(&mut self) {
        loop {
            match self.socket.next().await {
                None | Some(Err(Error::ConnectionClosed | Error::Io(_) | Error::Protocol(_))) => return,
                Some(_) => {}
            }
        }
    }
}
