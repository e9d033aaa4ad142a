//! Connections that are held open for as long as the room lets them.

use std::future::pending;
use std::time::Duration;

use onionroom_bench::Outcome;
use tokio::time::sleep;

use super::connection::text;
use super::{Stranger, noscript};
use crate::honest::token;

/// Between two bytes of a head.
const TRICKLE: Duration = Duration::from_secs(2);

/// Holds a connection of the kind that this number has, and opens it again when the room has closed it.
pub(super) async fn hold(stranger: Stranger, number: usize) {
    match number % 5 {
        0 => stranger.again(trickle).await,
        1 => stranger.again(silent).await,
        2 => stranger.again(unread_socket).await,
        3 => stranger.again(unread_events).await,
        _ => stranger.again(noscript::unread).await,
    }
}

/// The head of a request, byte by byte.
async fn trickle(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    let head = stranger.head("GET /", &format!("X: {}\r\n", "x".repeat(1000)));
    for byte in head.bytes() {
        connection.write(&[byte]).await?;
        sleep(TRICKLE).await;
    }
    Ok(())
}

/// A WebSocket without a hello.
async fn silent(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    connection.upgrade().await?;
    connection.event().await.map(drop)
}

/// A WebSocket that joins, asks for everything, and never reads again.
async fn unread_socket(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    connection.join(&token()).await?;
    let _present = connection.present();
    loop {
        // A sign of life, so that the room does not end the connection for its silence.
        connection.write(&text(r#"{"type":"ping"}"#)).await?;
        sleep(Duration::from_secs(10)).await;
    }
}

/// Server-sent events that are never read.
async fn unread_events(stranger: Stranger) -> Outcome<()> {
    let token = token();
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let mut connection = stranger.connect().await?;
    connection.write(stranger.head("GET /rooms/main/events?after=0", &authorization).as_bytes()).await?;
    let head = connection.head().await?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        stranger.refused(status);
        return Err(head.into());
    }
    // The end of the connection is not noticed without reading.
    pending().await
}
