//! The broadcast: a chat as one would write it with axum and a broadcast channel of tokio, after axum's example `chat`.
//!
//! Each guest has a task that waits for the next message of the channel and sends it, and one that receives. The messages
//! have the bytes that onionroom sends, and the runtime has one thread, as there; there is no `acknowledged`, no cursor,
//! and a guest who lags behind the channel is disconnected.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use onionroom_bench::Outcome;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Messages that a guest may lag behind: more than the largest window.
const CAPACITY: usize = 16 * 1024;

struct Room {
    messages: broadcast::Sender<Utf8Bytes>,
    /// The sequence number of the newest message.
    seq: AtomicU64,
    /// The number of the newest guest, of as many digits as onionroom's.
    guests: AtomicU64,
    opened: Instant,
}

/// Runs until it is killed; prints its address.
///
/// # Errors
/// When the system gives it no socket.
pub(crate) fn run() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("local: http://{}/", listener.local_addr()?);
        io::stdout().flush()?;
        let room = Room {
            messages: broadcast::channel(CAPACITY).0,
            seq: AtomicU64::new(0),
            guests: AtomicU64::new(100_000_000_000_000),
            opened: Instant::now(),
        };
        let router = Router::new().route("/chat", get(upgrade)).with_state(Arc::new(room));
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        Ok(axum::serve(listener, router).await?)
    })
}

async fn upgrade(upgrade: WebSocketUpgrade, State(room): State<Arc<Room>>) -> Response {
    upgrade.protocols(["chat"]).on_upgrade(|socket| serve(socket, room))
}

async fn serve(mut socket: WebSocket, room: Arc<Room>) {
    let Some(Ok(Message::Text(hello))) = socket.recv().await else { return };
    let name = hello.strip_prefix(r#"{"type":"hello","name":""#).unwrap_or_default();
    let name = name.strip_suffix("\"}").unwrap_or_default().to_owned();
    let mut messages = room.messages.subscribe();
    let (mut sender, mut receiver) = socket.split();
    let sends = async move {
        let mut next = Utf8Bytes::from_static(r#"{"type":"welcome"}"#);
        while sender.send(Message::Text(next)).await.is_ok() {
            let Ok(message) = messages.recv().await else { break };
            next = message;
        }
    };
    let mut sends = tokio::spawn(sends);
    let guest = room.guests.fetch_add(1, Ordering::Relaxed);
    let receives = async move {
        while let Some(Ok(message)) = receiver.next().await {
            if let Message::Text(say) = message {
                room.say(guest, &name, &say);
            }
        }
    };
    tokio::select! {
        _ = &mut sends => {}
        () = receives => sends.abort(),
    }
}

impl Room {
    fn say(&self, guest: u64, name: &str, say: &str) {
        let say = say.strip_prefix(r#"{"type":"say","id":""#).and_then(|say| say.strip_suffix("\"}"));
        let Some((id, text)) = say.and_then(|say| say.split_once(r#"","text":""#)) else { return };
        let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
        let at = self.opened.elapsed().as_secs();
        let message = format!(
            r#"{{"type":"message","seq":{seq},"at":{at},"guest":{guest},"name":"{name}","id":"{id}","text":"{text}"}}"#
        );
        // Fails only when there are no guests.
        let _ = self.messages.send(message.into());
    }
}
