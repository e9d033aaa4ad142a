//! A guest on a WebSocket over a counted connection, shaking hands as Tor Browser would.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::wire::{Counted, Tally};
use super::{Outcome, client, within};

/// What a browser's handshake has beside what RFC 6455 asks for.
const HANDSHAKE: &str = "Accept: */*\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: \
     chat\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: websocket\r\n\
     Sec-Fetch-Site: same-origin\r\n";

/// One guest's side.
pub(crate) struct Guest {
    socket: WebSocketStream<Counted>,
}

impl Guest {
    /// Shakes hands.
    pub(crate) async fn connect(io: Counted, tally: &Arc<Tally>, host: &str) -> Outcome<Self> {
        let mut request = format!("ws://{host}/chat").into_client_request()?;
        let lines = [client::BROWSER, HANDSHAKE].concat() + &format!("Origin: http://{host}\r\n");
        for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
            request
                .headers_mut()
                .insert(HeaderName::try_from(name.to_lowercase())?, HeaderValue::try_from(value)?);
        }
        tally.request();
        let (socket, _) = within("a handshake", client_async(request, io)).await??;
        Ok(Self { socket })
    }

    /// Says hello and waits for the welcome.
    pub(crate) async fn hello(&mut self) -> Outcome<Value> {
        self.send(json!({ "type": "hello" })).await?;
        loop {
            let text = within("the welcome", self.text()).await??;
            let event: Value = serde_json::from_str(&text)?;
            match event["type"].as_str() {
                Some("welcome") => return Ok(event),
                Some("error") => return Err(format!("the room refuses: {}", event["message"]).into()),
                _ => {}
            }
        }
    }

    /// Says something and waits for the acknowledgement.
    pub(crate) async fn say(&mut self, id: &str, text: &str) -> Outcome<()> {
        self.send(json!({ "type": "say", "id": id, "text": text })).await?;
        loop {
            let event: Value = serde_json::from_str(&within("an acknowledgement", self.text()).await??)?;
            match event["type"].as_str() {
                Some("acknowledged") if event["id"] == id => return Ok(()),
                Some("error") => return Err(format!("the room refuses: {}", event["message"]).into()),
                _ => {}
            }
        }
    }

    /// Sends one frame.
    pub(crate) async fn send(&mut self, frame: Value) -> Outcome<()> {
        Ok(self.socket.send(Message::text(frame.to_string())).await?)
    }

    /// The next text frame, however long it takes. Pings are answered meanwhile.
    pub(crate) async fn text(&mut self) -> Outcome<Utf8Bytes> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(frame))) => return Err(format!("the room closed: {frame:?}").into()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err("the room is gone".into()),
            }
        }
    }
}
