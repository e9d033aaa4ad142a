//! A way to a room that can be closed and opened again: what a node of several is to a proxy, as long as one process is the
//! room. A second process takes its place when several are one room.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::balancer::own_address;

/// An address that hands connections on to a room.
pub(crate) struct Node {
    address: SocketAddr,
    room: SocketAddr,
    tasks: JoinSet<()>,
    open: Option<AbortHandle>,
    accepted: Arc<AtomicUsize>,
}

impl Node {
    /// One that is open.
    pub(crate) async fn before(room: SocketAddr) -> Self {
        let mut node = Self {
            address: own_address(),
            room,
            tasks: JoinSet::new(),
            open: None,
            accepted: Arc::default(),
        };
        node.open().await;
        node
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Ends every connection, and refuses new ones, as a process that has ended. Returns when that is so.
    pub(crate) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.abort();
            self.tasks.join_next().await;
        }
    }

    /// Accepts connections again.
    pub(crate) async fn open(&mut self) {
        let (listener, room) = (TcpListener::bind(self.address).await.unwrap(), self.room);
        let accepted = Arc::clone(&self.accepted);
        self.open = Some(self.tasks.spawn(async move {
            // Owned here, so that they end with it.
            let mut lines = JoinSet::new();
            while let Ok((mut guest, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let _ = guest.set_nodelay(true);
                lines.spawn(async move {
                    let Ok(mut room) = TcpStream::connect(room).await else { return };
                    let _ = room.set_nodelay(true);
                    let _ = copy_bidirectional(&mut guest, &mut room).await;
                });
                while lines.try_join_next().is_some() {}
            }
        }));
    }
}
