//! A room with an onion service.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use onionroom::config::{LocalAccess, Settings};
use onionroom::server::Server;
use onionroom::tor::Status;
use tokio::sync::watch;

/// How long these rooms keep the seat of a guest whose circuit is gone: longer than it takes to come back over
/// a new one, and not longer than a test can wait.
const AWAY: Duration = Duration::from_secs(10);

/// An open room on a private network; closed when dropped.
pub(crate) struct OnionRoom {
    server: Server,
    host: String,
}

impl OnionRoom {
    /// Opens it; whether the network is there does not matter.
    pub(crate) async fn open(network_file: &Path, data_dir: Option<&Path>) -> Self {
        Self::open_with(network_file, data_dir, |_| ()).await
    }

    /// The same with changed settings.
    pub(crate) async fn open_with(
        network_file: &Path,
        data_dir: Option<&Path>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        settings.listen.address = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.listen.local = LocalAccess::Open;
        settings.onion.network_file = Some(network_file.into());
        settings.room.away = AWAY;
        (settings.room.messages_per_minute, settings.room.room_messages_per_minute) = (0, 0);
        settings.room.joins_per_minute = 0;
        settings.history.messages = 1_000_000;
        settings.data_dir = data_dir.map(Into::into);
        change(&mut settings);
        let server = Server::open(&settings).await.unwrap();
        let url = server.onion_url().unwrap();
        let host = url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap().to_owned();
        assert!(host.len() == 62 && host.ends_with(".onion"), "known at once: {host}");
        Self { server, host }
    }

    /// The onion address, which is also what belongs into `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where the local room is.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.server.local_addr().unwrap()
    }

    /// How the onion service is.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.server.tor_status().unwrap()
    }

    /// Closes it in good order.
    pub(crate) async fn close(self) {
        self.server.close().await;
    }
}
