//! Everything that costs the room work, as fast as one circuit carries it: a connection for each kind.

use std::iter;

use onionroom_bench::Outcome;
use tokio::task::JoinSet;

use super::Stranger;
use super::connection::{frame, text};
use crate::honest::token;

/// How many frames or requests are written at once.
const AT_ONCE: usize = 100;

const JSON_PING: &str = r#"{"type":"ping"}"#;

/// Begins all kinds on the circuit of this stranger. They are 15, one fewer than the streams that a circuit may have by
/// default, because the end of one stream and the begin of the next cross.
pub(super) fn begin(stranger: &Stranger, tasks: &mut JoinSet<()>) {
    let stranger = || stranger.clone();
    tasks.spawn(stranger().again(seats));
    tasks.spawn(stranger().again(joins_and_leaves));
    tasks.spawn(stranger().again(visits));
    tasks.spawn(stranger().again(|stranger| messages(stranger, 8)));
    tasks.spawn(stranger().again(|stranger| messages(stranger, 4000)));
    tasks.spawn(stranger().again(posts));
    tasks.spawn(stranger().again(|stranger| frames(stranger, true, text(JSON_PING))));
    tasks.spawn(stranger().again(|stranger| frames(stranger, false, text(""))));
    tasks.spawn(stranger().again(|stranger| frames(stranger, true, text(""))));
    tasks.spawn(stranger().again(|stranger| frames(stranger, true, frame(0x89, b"ping"))));
    tasks
        .spawn(stranger().again(|stranger| frames(stranger, false, text(r#"{"type":"hello","room":"no"}"#))));
    tasks.spawn(stranger().again(renames));
    tasks.spawn(stranger().again(continuations));
    tasks.spawn(stranger().again(unread_polls));
    tasks.spawn(stranger().again(pages));
}

/// New guests by HTTP, pipelined, none of whom ever does anything.
async fn seats(stranger: Stranger) -> Outcome<()> {
    let request = stranger.request("POST /rooms/main/guests", "", "{}").repeat(AT_ONCE);
    stranger.connect().await?.pour(true, || request.clone().into_bytes()).await
}

/// One guest who joins and leaves by HTTP, pipelined.
async fn joins_and_leaves(stranger: Stranger) -> Outcome<()> {
    let token = token();
    let join = stranger.request("POST /rooms/main/guests", "", &format!(r#"{{"token":"{token}"}}"#));
    let leave = stranger.head("DELETE /rooms/main/guests/me", &format!("Authorization: Bearer {token}\r\n"));
    let requests = (join + &leave).repeat(AT_ONCE);
    stranger.connect().await?.pour(true, || requests.clone().into_bytes()).await
}

/// One guest who joins, speaks and leaves by WebSocket.
async fn visits(stranger: Stranger) -> Outcome<()> {
    let token = token();
    while stranger.goes_on() {
        let mut connection = stranger.connect().await?;
        connection.join(&token).await?;
        connection.write(&text(&say("x"))).await?;
        connection.write(&text(r#"{"type":"leave"}"#)).await?;
        // Reads to the end.
        while connection.event().await.is_ok() {}
    }
    Ok(())
}

/// Messages over a WebSocket, of so many bytes each.
async fn messages(stranger: Stranger, length: usize) -> Outcome<()> {
    let words = "x".repeat(length);
    let mut connection = stranger.connect().await?;
    connection.join(&token()).await?;
    let _present = connection.present();
    connection.pour(true, || iter::repeat_with(|| text(&say(&words))).take(10).flatten().collect()).await
}

/// Messages over HTTP, pipelined, whatever the room answers.
async fn posts(stranger: Stranger) -> Outcome<()> {
    let token = token();
    let join = stranger.request("POST /rooms/main/guests", "", &format!(r#"{{"token":"{token}"}}"#));
    let mut connection = stranger.connect().await?;
    connection.write(join.as_bytes()).await?;
    connection.answer().await?;
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let post = || stranger.request("POST /rooms/main/messages", &authorization, &say("x")).into_bytes();
    connection.pour(true, || iter::repeat_with(post).take(AT_ONCE).flatten().collect()).await
}

/// The same frame, before or after a hello.
async fn frames(stranger: Stranger, joined: bool, frame: Vec<u8>) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    match joined {
        true => drop(connection.join(&token()).await?),
        false => connection.upgrade().await?,
    }
    let _present = joined.then(|| connection.present());
    let frames = frame.repeat(AT_ONCE);
    connection.pour(true, || frames.clone()).await
}

/// Changes to the name of another guest.
async fn renames(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    let welcome = connection.join(&token()).await?;
    let _present = connection.present();
    let taken = welcome["guests"][0]["name"].as_str().unwrap_or("Guest 01");
    let frames = text(&serde_json::json!({ "type": "rename", "name": taken }).to_string()).repeat(AT_ONCE);
    connection.pour(true, || frames.clone()).await
}

/// A message whose continuation frames are empty and never end.
async fn continuations(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    connection.join(&token()).await?;
    let _present = connection.present();
    connection.write(&frame(0x01, b"{")).await?;
    let frames = frame(0x00, b"").repeat(AT_ONCE);
    connection.pour(true, || frames.clone()).await
}

/// Polls for all messages, pipelined, whose answers are never read.
async fn unread_polls(stranger: Stranger) -> Outcome<()> {
    let token = token();
    let join = stranger.request("POST /rooms/main/guests", "", &format!(r#"{{"token":"{token}"}}"#));
    let poll =
        stranger.head("GET /rooms/main/messages?after=0", &format!("Authorization: Bearer {token}\r\n"));
    let mut connection = stranger.connect().await?;
    connection.write(join.as_bytes()).await?;
    connection.answer().await?;
    let polls = poll.repeat(AT_ONCE);
    connection.pour(false, || polls.clone().into_bytes()).await
}

/// The page, pipelined.
async fn pages(stranger: Stranger) -> Outcome<()> {
    let requests = stranger.head("GET /", "").repeat(AT_ONCE);
    stranger.connect().await?.pour(true, || requests.clone().into_bytes()).await
}

/// A message with an id of its own.
fn say(words: &str) -> String {
    let id = &token()[..16];
    format!(r#"{{"type":"say","id":"{id}","text":"{words}"}}"#)
}
