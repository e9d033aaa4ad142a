//! An echo over WebSocket: text comes back as text, binary as binary. `cargo run --example echo`, then connect to the
//! address it prints, with `websocat ws://localhost:8081` or in a browser's console:
//!
//! ```js
//! const socket = new WebSocket('ws://localhost:8081');
//! socket.binaryType = 'arraybuffer';
//! socket.onmessage = (e) => console.log(typeof e.data === 'string' ? e.data : new Uint8Array(e.data));
//! socket.send('text');
//! socket.send(new Uint8Array([0, 128, 255]));
//! ```
//!
//! A message may have 1 MiB. What ends a connection (RFC 6455, section 7.4.1): a larger message 1009, text that is not
//! UTF-8 1007, what is not WebSocket 1002, Ctrl-C 1001; and a client's own close frame comes back as it is (but for
//! 1014, which tungstenite does not know). The port is the only argument (8081 without one, 0 for any free one).

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// What a client can make this program hold: one message, in whatever number of frames it comes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// How long a client may take to end a connection after the close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        None => 8081,
        Some(port) => {
            port.parse().map_err(|_| format!("{port:?} is no port: give a number from 0 to 65535"))?
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("port {port} cannot be had ({error}): give another one, or 0 for any"))?;
    println!("echo: ws://localhost:{}", listener.local_addr()?.port());

    let echo = Echo::default();
    tokio::select! {
        () = echo.serve(&listener) => {}
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    // Every client is told; one that takes nothing more is not waited for.
    echo.closing.cancel();
    echo.sockets.close();
    let _ = timeout(CLOSE_WAIT, echo.sockets.wait()).await;
    Ok(())
}

/// What all connections share.
#[derive(Clone, Default)]
struct Echo {
    /// The tasks of all WebSockets.
    sockets: TaskTracker,
    /// Cancelled at Ctrl-C.
    closing: CancellationToken,
}

impl Echo {
    /// Each connection gets a task of its own, so that clients do not wait for each other.
    async fn serve(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().converse(stream))),
                // Out of file descriptors, most likely: let some connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn converse(self, stream: TcpStream) {
        let service = service_fn(async |request| Ok::<_, Infallible>(self.upgrade(request)));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.with_upgrades().await {
            eprintln!("a connection ended: {error}");
        }
    }

    /// The handshake (RFC 6455, section 4.2), on any path. As with the clock beside this, a page from anywhere may ask.
    fn upgrade(&self, request: Request<Incoming>) -> Response<String> {
        match create_response_with_body(&request, String::new) {
            Ok(response) => {
                let closing = self.closing.clone();
                self.sockets.spawn(async move {
                    let Ok(io) = hyper::upgrade::on(request).await else { return };
                    let config = WebSocketConfig::default()
                        .max_message_size(Some(MESSAGE_BYTES_MAX))
                        .max_frame_size(Some(MESSAGE_BYTES_MAX));
                    let io = TokioIo::new(io);
                    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
                    if let Err(error) = echo(socket, &closing).await {
                        eprintln!("a WebSocket ended: {error}");
                    }
                });
                response
            }
            Err(error) => {
                let mut response = Response::new(format!("{error}\nThis is a WebSocket.\n"));
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
        }
    }
}

/// One client's stay. A message is read only after the last one was sent back, so a client who sends and does not read
/// is held back by TCP, and fills no memory here.
async fn echo(mut socket: Socket, closing: &CancellationToken) -> tungstenite::Result<()> {
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            () = closing.cancelled() => return close(socket, CloseCode::Away, "the echo is closing").await,
        };
        match message {
            // Whole, in however many frames it came, and with its kind: `Text` is known to be UTF-8.
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => socket.send(message).await?,
            // Pings and the close frame: reading on sends the answer, and finds the end.
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                return match violation(&error) {
                    Some((code, reason)) => close(socket, code, reason).await,
                    None => Err(error),
                };
            }
            None => return Ok(()),
        }
    }
}

/// The close code and reason for what a client did; `None` if there is nobody left to tell.
fn violation(error: &tungstenite::Error) -> Option<(CloseCode, &'static str)> {
    match error {
        tungstenite::Error::Capacity(_) => Some((CloseCode::Size, "more than 1 MiB")),
        tungstenite::Error::Utf8(_) => Some((CloseCode::Invalid, "text that is not UTF-8")),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some((CloseCode::Protocol, "not WebSocket")),
        _ => None,
    }
}

/// Sends the close frame, then reads to the end without looking: a TCP connection that is closed while something unread
/// lies in it is reset, and the client could lose the close frame by that.
async fn close(mut socket: Socket, code: CloseCode, reason: &'static str) -> tungstenite::Result<()> {
    socket.close(Some(CloseFrame { code, reason: reason.into() })).await?;
    let mut io = socket.into_inner();
    io.shutdown().await?;
    let _ = timeout(CLOSE_WAIT, tokio::io::copy(&mut io, &mut tokio::io::sink())).await;
    Ok(())
}
