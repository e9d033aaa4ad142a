//! A room of the test's own, without Tor, on a port of its own.

use std::net::SocketAddr;

use onionroom::config::Settings;
use onionroom::server::Server;
use tokio::net::TcpStream;

use super::guest::Guest;
use super::raw::Raw;

/// An open room; closed when dropped.
pub(crate) struct TestRoom {
    server: Server,
}

impl TestRoom {
    /// A room with the default limits, but that guests may say as much as they like: most tests are in a hurry.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A room with other settings.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.listen.address = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.onion.enabled = false;
        settings.room.messages_per_second = 0;
        change(&mut settings);
        Self { server: Server::open(&settings).await.unwrap() }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// What belongs into `Host`.
    pub(crate) fn host(&self) -> String {
        self.address().to_string()
    }

    /// A connection with nothing said yet.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// A connection for bytes by hand.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::new(self.connect().await)
    }

    /// A guest who has not said hello.
    pub(crate) async fn stranger(&self) -> Guest {
        Guest::connect(self.connect().await, &self.host()).await
    }

    /// A guest inside, under this name.
    pub(crate) async fn guest(&self, name: &str) -> Guest {
        let mut guest = self.stranger().await;
        guest.hello(name).await;
        guest
    }

    /// Closes the room in good order.
    pub(crate) async fn close(self) {
        self.server.close().await;
    }
}
