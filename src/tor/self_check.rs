//! The self-check: a connection through Tor to the room's own address.

use std::error::Error;
use std::io;
use std::time::Duration;

use arti_client::StreamPrefs;
use arti_client::config::BoolOrAuto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tor_cell::relaycell::msg::EndReason;

use super::address::OnionAddress;
use super::client::Client;

/// How long one self-check may take. Arti itself gives up earlier on most things.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a self-check failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SelfCheckError {
    /// No circuit to the service: no descriptor, no introduction, no rendezvous.
    #[error("no connection: {0}")]
    Connect(#[from] arti_client::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The answer is not that of the room's web server.
    #[error("the answer was not HTTP")]
    NotHttp,
    /// No answer came in time.
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
}

impl SelfCheckError {
    /// Whether the service answered by refusing the stream. Then guests reach it, too; it is only full.
    fn is_refusal(&self) -> bool {
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(tor_proto::Error::EndReceived(EndReason::DONE)) = error.downcast_ref() {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// Connects to `address` as a guest does, on isolated circuits, and returns the time from the start to the first
/// bytes of the answer, or to the refusal of a room without a free connection.
///
/// # Errors
/// When the room is not reached within 30 seconds.
pub(super) async fn connect(
    client: Client,
    address: OnionAddress,
    port: u16,
) -> Result<Duration, SelfCheckError> {
    let started = Instant::now();
    match timeout(TIMEOUT, request(&client, &address, port)).await.map_err(|_| SelfCheckError::TimedOut)? {
        Err(error) if !error.is_refusal() => Err(error),
        Ok(()) | Err(_) => Ok(started.elapsed()),
    }
}

async fn request(client: &Client, address: &OnionAddress, port: u16) -> Result<(), SelfCheckError> {
    let mut preferences = StreamPrefs::new();
    preferences.connect_to_onion_services(BoolOrAuto::Explicit(true));
    let mut stream =
        client.isolated_client().connect_with_prefs((address.as_str(), port), &preferences).await?;
    stream.write_all(head(address, port).as_bytes()).await?;
    // Arti buffers what does not fill a cell until it is flushed.
    stream.flush().await?;
    let mut start = [0; 5];
    stream.read_exact(&mut start).await?;
    if &start == b"HTTP/" { Ok(()) } else { Err(SelfCheckError::NotHttp) }
}

fn head(address: &OnionAddress, port: u16) -> String {
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    format!("HEAD / HTTP/1.1\r\nHost: {address}{port}\r\nConnection: close\r\n\r\n")
}
