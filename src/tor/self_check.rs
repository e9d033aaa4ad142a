//! The room's visit to itself: through Tor to its own address, and back.

use std::io;
use std::time::Duration;

use arti_client::StreamPrefs;
use arti_client::config::BoolOrAuto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::OnionAddress;
use super::run::Client;

/// How long one attempt may take. Arti itself gives up earlier on most things.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Why a visit failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SelfCheckError {
    /// No circuit to the service: no descriptor, no introduction, no rendezvous.
    #[error("no connection: {0}")]
    Connect(#[from] arti_client::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// Something answered that is not the room's web server.
    #[error("the answer was not HTTP")]
    NotHttp,
    /// Nothing came in time.
    #[error("no answer within {} seconds", ATTEMPT.as_secs())]
    TimedOut,
}

/// Visits `address` as any guest would, on circuits of its own, and tells how long it took from the first step
/// to the first line of the answer.
///
/// # Errors
/// When the way does not lead to the room within 30 seconds.
pub(super) async fn visit(
    client: Client,
    address: OnionAddress,
    port: u16,
) -> Result<Duration, SelfCheckError> {
    let started = Instant::now();
    timeout(ATTEMPT, ask(&client, &address, port)).await.map_err(|_| SelfCheckError::TimedOut)??;
    Ok(started.elapsed())
}

async fn ask(client: &Client, address: &OnionAddress, port: u16) -> Result<(), SelfCheckError> {
    let mut preferences = StreamPrefs::new();
    preferences.connect_to_onion_services(BoolOrAuto::Explicit(true));
    let mut stream =
        client.isolated_client().connect_with_prefs((address.as_str(), port), &preferences).await?;
    stream.write_all(request(address, port).as_bytes()).await?;
    // Arti keeps what does not fill a cell until it is told to send it.
    stream.flush().await?;
    let mut start = [0; 5];
    stream.read_exact(&mut start).await?;
    if &start == b"HTTP/" { Ok(()) } else { Err(SelfCheckError::NotHttp) }
}

fn request(address: &OnionAddress, port: u16) -> String {
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    format!("HEAD / HTTP/1.1\r\nHost: {address}{port}\r\nConnection: close\r\n\r\n")
}
