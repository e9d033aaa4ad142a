//! Guests of one service, each with a circuit and a task of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use onionroom_bench::{Outcome, within};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_socks::tcp::Socks5Stream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A guest's side of a WebSocket.
pub(crate) type Socket = WebSocketStream<Socks5Stream<TcpStream>>;

/// How a service is reached.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The SOCKS port of the Tor client.
    pub(crate) proxy: SocketAddr,
    pub(crate) onion: String,
    /// What the room expects in `Host`: behind C Tor its loopback address.
    pub(crate) host: String,
}

/// A message that one guest has received.
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) at: Instant,
}

pub(crate) struct Guests {
    pub(crate) route: Route,
    /// To each guest: JSON to send.
    guests: Vec<mpsc::UnboundedSender<String>>,
    delivered: mpsc::UnboundedSender<Outcome<Delivery>>,
    deliveries: mpsc::UnboundedReceiver<Outcome<Delivery>>,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    seq: Option<u64>,
    id: Option<String>,
    message: Option<String>,
}

impl Guests {
    pub(crate) fn new(route: Route) -> Self {
        let (delivered, deliveries) = mpsc::unbounded_channel();
        Self { route, guests: Vec::new(), delivered, deliveries }
    }

    pub(crate) fn len(&self) -> usize {
        self.guests.len()
    }

    /// Opens a connection and closes it.
    pub(crate) async fn probe(&self) -> Outcome<()> {
        self.route.connect(&user()).await.map(drop)
    }

    /// Connects one more guest.
    pub(crate) async fn connect(&mut self) -> Outcome<()> {
        let socket = self.route.join().await?;
        let (sender, orders) = mpsc::unbounded_channel();
        self.guests.push(sender);
        let delivered = self.delivered.clone();
        tokio::spawn(async move {
            if let Err(error) = follow(socket, orders, &delivered).await {
                let _ = delivered.send(Err(error));
            }
        });
        Ok(())
    }

    /// Has one of the guests, in turn, send a message.
    pub(crate) fn send(&self, number: usize, id: &str, text: &str) -> Outcome<()> {
        let say = serde_json::json!({ "type": "say", "id": id, "text": text });
        Ok(self.guests[number % self.guests.len()].send(say.to_string())?)
    }

    /// The next delivery to any guest.
    ///
    /// # Errors
    /// When a guest has lost its connection, was refused something, or has missed a message.
    pub(crate) async fn delivery(&mut self) -> Outcome<Delivery> {
        self.deliveries.recv().await.ok_or("no guests")?
    }
}

impl Route {
    /// Joins the room over a new circuit, and returns after the welcome.
    pub(crate) async fn join(&self) -> Outcome<Socket> {
        Ok(self.join_on(&user()).await?.0)
    }

    /// The same over the circuit of this SOCKS user; with the welcome.
    pub(crate) async fn join_on(&self, user: &str) -> Outcome<(Socket, serde_json::Value)> {
        let mut request = format!("ws://{}/chat", self.host).into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "chat".parse()?);
        request.headers_mut().insert("Origin", format!("http://{}", self.host).parse()?);
        let stream = within("stream through Tor", self.connect(user)).await??;
        let (mut socket, _) = within("WebSocket", client_async(request, stream)).await??;
        socket.send(Message::text(r#"{"type":"hello"}"#)).await?;
        let welcome = loop {
            let text = within("welcome", text(&mut socket)).await??;
            let event: serde_json::Value = serde_json::from_str(&text)?;
            match event["type"].as_str() {
                Some("welcome") => break event,
                Some("error") => return Err(event["message"].to_string().into()),
                _ => {}
            }
        };
        Ok((socket, welcome))
    }

    /// A stream on the circuit of this user: C Tor isolates streams by SOCKS user.
    async fn connect(&self, user: &str) -> Outcome<Socks5Stream<TcpStream>> {
        let target = (self.onion.as_str(), 80);
        Ok(Socks5Stream::connect_with_password(self.proxy, target, user, "password").await?)
    }
}

/// A SOCKS user who has no circuit yet.
fn user() -> String {
    static USER: AtomicU64 = AtomicU64::new(0);
    format!("guest{}", USER.fetch_add(1, Ordering::Relaxed))
}

/// Sends what is ordered and reports each message, until there are no more orders.
async fn follow(
    mut socket: Socket,
    mut orders: mpsc::UnboundedReceiver<String>,
    delivered: &mpsc::UnboundedSender<Outcome<Delivery>>,
) -> Outcome<()> {
    let mut newest = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(json) => socket.send(Message::text(json)).await?,
                None => return Ok(()),
            },
            event = event(&mut socket) => {
                let (at, event) = (Instant::now(), event?);
                let (Some(seq), Some(id), "message") = (event.seq, event.id, event.r#type.as_str()) else {
                    continue;
                };
                if newest.is_some_and(|newest| newest + 1 != seq) {
                    return Err(format!("message {seq} came after {newest:?}").into());
                }
                newest = Some(seq);
                delivered.send(Ok(Delivery { id, at }))?;
            }
        }
    }
}

/// The next event.
async fn event(socket: &mut Socket) -> Outcome<Event> {
    let event: Event = serde_json::from_str(&text(socket).await?)?;
    match event.r#type.as_str() {
        "error" => Err(event.message.unwrap_or_default().into()),
        _ => Ok(event),
    }
}

/// The next text; pings are answered meanwhile.
async fn text(socket: &mut Socket) -> Outcome<String> {
    loop {
        match socket.next().await.ok_or("the connection ended")?? {
            Message::Text(text) => return Ok(text.to_string()),
            Message::Close(frame) => return Err(format!("the room closed the connection: {frame:?}").into()),
            _ => {}
        }
    }
}
