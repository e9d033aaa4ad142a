//! The way to a room: straight over the loopback, or through the private network's C Tor client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use onionroom::lab::Network;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::wire::{Counted, Tally};
use super::{DEADLINE, Outcome, socks, within};

/// How long one attempt to reach an onion address may take before another is made.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Where a room is and how one gets there.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// What belongs into `Host`.
    pub(crate) host: String,
    /// The Tor client and what it is asked for; none on the loopback.
    onion: Option<(SocketAddr, String)>,
}

impl Way {
    /// To the room at this loopback URL.
    pub(crate) fn loopback(url: &str) -> Self {
        Self { host: host(url), onion: None }
    }

    /// To the room at this onion URL, through the network's client.
    pub(crate) fn onion(url: &str, network: &Network) -> Self {
        let host = host(url);
        Self { onion: Some((network.socks(), host.clone())), host }
    }

    /// To the room at this loopback URL, through an onion service of C Tor that forwards to it. (The room answers
    /// on the loopback under its loopback name only, and a browser would not send that.)
    pub(crate) fn forwarded(url: &str, onion: &str, network: &Network) -> Self {
        Self { onion: Some((network.socks(), onion.to_owned())), host: host(url) }
    }

    /// Whether it leads through Tor.
    pub(crate) fn through_tor(&self) -> bool {
        self.onion.is_some()
    }

    /// A stream to the room. Through Tor, streams of the same `user` share a circuit, others do not.
    pub(crate) async fn connect(&self, user: &str) -> Outcome<TcpStream> {
        let Some((proxy, onion)) = &self.onion else {
            let stream = TcpStream::connect(&self.host).await?;
            stream.set_nodelay(true)?;
            return Ok(stream);
        };
        let stream = within("a stream through Tor", socks::connect(*proxy, user, onion, 80)).await?;
        stream.map_err(|refused| format!("the Tor client gives no stream: {refused:?}").into())
    }

    /// The same, counted from the first byte that the room sees.
    pub(crate) async fn connect_counted(&self, user: &str, tally: &Arc<Tally>) -> Outcome<Counted> {
        Ok(Counted::new(self.connect(user).await?, Arc::clone(tally)))
    }

    /// Comes back again and again, as somebody else, until there is a way: an address is known before its
    /// descriptor is everywhere.
    pub(crate) async fn reach(&self) -> Outcome<()> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match timeout(ATTEMPT, self.connect(&new_user("scout"))).await {
                Ok(Ok(_)) => return Ok(()),
                _ if Instant::now() > deadline => return Err(format!("{} is not found", self.host).into()),
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// A name that nobody had, and so a circuit that nobody had.
pub(crate) fn new_user(kind: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("{kind}{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn host(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}
