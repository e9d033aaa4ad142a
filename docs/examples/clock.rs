//! A clock over WebSocket, as small as it gets: `cargo run --example clock`, then open the address it prints.
//!
//! - `GET /` is the page.
//! - `GET /ws` is the WebSocket. A client that sends the text `start` on it gets a frame `{"now": "…"}` every second,
//!   with the time in RFC 3339, until they close.
//!
//! The port is the only argument (8080 without one, 0 for any free one). `websocat ws://localhost:8080/ws`
//! works as well as a browser.

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};

const PAGE: &str = include_str!("clock.html");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        None => 8080,
        Some(port) => {
            port.parse().map_err(|_| format!("{port:?} is no port: give a number from 0 to 65535"))?
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("port {port} cannot be had ({error}): give another one, or 0 for any"))?;
    println!("clock: http://localhost:{}/", listener.local_addr()?.port());
    serve(listener).await;
    Ok(())
}

/// Each connection gets a task of its own, so that clients do not wait for each other.
async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(converse(stream))),
            // Out of file descriptors, most likely: let some connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse(stream: TcpStream) {
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    if let Err(error) = connection.with_upgrades().await {
        eprintln!("a connection ended: {error}");
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(match request.uri().path() {
        "/" => with(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        "/ws" => upgrade(request),
        _ => with(StatusCode::NOT_FOUND, "text/plain", "The page is at / and the WebSocket at /ws.\n"),
    })
}

/// The handshake (RFC 6455, section 4.2): the answer is `101 Switching Protocols`, and after it the same
/// connection speaks WebSocket.
///
/// `Origin` is not looked at, so a page from anywhere (a file, another site) may open this clock in a visitor's
/// browser. That is fine for what is no secret and costs nothing. It would not be for a chat room: there any
/// site could read and speak in the guest's name. The room's own check is in src/http/guard.rs.
fn upgrade(request: Request<Incoming>) -> Response<String> {
    match create_response_with_body(&request, String::new) {
        Ok(response) => {
            tokio::spawn(async move {
                let Ok(io) = hyper::upgrade::on(request).await else { return };
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
                if let Err(error) = tell_the_time(socket).await {
                    eprintln!("a WebSocket ended: {error}");
                }
            });
            response
        }
        Err(error) => with(StatusCode::BAD_REQUEST, "text/plain", &format!("{error}\n")),
    }
}

/// One client's stay: nothing until `start`, then the time every second.
async fn tell_the_time(
    mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
) -> tungstenite::Result<()> {
    let mut started = false;
    let mut seconds = interval(Duration::from_secs(1));
    // For a client who was slow to read: the time now, not the times that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = seconds.tick(), if started => socket.send(Message::text(frame(SystemTime::now()))).await?,
            message = socket.next() => match message.transpose()? {
                Some(Message::Text(text)) if text == "start" => started = true,
                // Reading on sends the answer and finds the end.
                Some(Message::Close(_)) => started = false,
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }
}

fn frame(time: SystemTime) -> String {
    serde_json::json!({ "now": humantime::format_rfc3339_millis(time).to_string() }).to_string()
}

fn with(status: StatusCode, kind: &'static str, body: &str) -> Response<String> {
    let mut response = Response::new(body.to_owned());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
