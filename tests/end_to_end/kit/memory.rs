//! A room that is reached through pipes in memory. Nothing of it waits for the operating system, so that tokio's paused
//! clock goes on only when everything waits for a time: what takes half an hour takes no time, and exactly that long.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use onionroom::config::{ExtraRoom, Settings};
use onionroom::http::guard::Hosts;
use onionroom::http::routes;
use onionroom::http::site::{Noscript, Site};
use onionroom::hub::wiping::Wiping;
use onionroom::hub::{House, Room};
use onionroom::listen::{Connection, ConnectionLimiter, Io, Peer};
use onionroom::log::{LogError, MemoryLog, Retention};

use onionroom::rooms::{Logs, OpenedLog, Rooms};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How much a pipe holds in one direction, in bytes: about as much as a socket.
const PIPE_BYTES: usize = 256 * 1024;

/// The onion address of these rooms.
pub(crate) const ONION: &str = "strangersstrangersstrangersstrangersstrangersstrangersad.onion";

/// An open room without a listener; closed when dropped.
pub(crate) struct MemoryRoom {
    limiter: ConnectionLimiter,
    #[allow(dead_code, reason = "the fuzz targets share this file, and govern no room")]
    room: Room,
    _closing: DropGuard,
}

impl MemoryRoom {
    /// A room with these settings, as [`onionroom::server`] puts it together.
    pub(super) async fn open(settings: &Settings) -> Self {
        let retention = Retention {
            messages: settings.history.messages,
            bytes: settings.history.megabytes * 1_000_000,
            age: None,
        };
        let log = Arc::new(MemoryLog::new(retention).unwrap());
        let closing = CancellationToken::new();
        let hosts = Hosts::new(settings.listen.address.port(), &settings.listen.public);
        hosts.add_onion(ONION.into(), 80);
        let house = Arc::new(House::new(settings.room.guests));
        let room = Room::open_among(&settings.room, &settings.history, log, None, &house).await.unwrap();

        let others = settings.rooms.iter().map(|room| (room.clone(), true)).collect();
        let rooms = Rooms::new(room.clone(), settings.main_room(), others, Arc::new(MemoryLogs), house);
        tokio::spawn(Arc::clone(&rooms).keep(closing.clone()));
        let site = Site {
            rooms,
            room: room.clone(),
            wiping: Wiping::new(None),
            noscript: Noscript::default(),
            hosts,
            settings: Arc::new(settings.listen.clone()),
            tasks: TaskTracker::new(),
            closing: closing.clone(),
        };
        let (limiter, connections) =
            ConnectionLimiter::new(settings.listen.connections, settings.listen.requests_per_second);
        tokio::spawn(serve(connections, Arc::new(site)));
        Self { limiter, room, _closing: closing.drop_guard() }
    }

    /// The room itself.
    #[allow(dead_code, reason = "the fuzz targets share this file, and govern no room")]
    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    /// A new connection, as if from there; `None` at the limit.
    pub(super) fn connect(&self, peer: Peer) -> Option<impl Io + use<>> {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let permit = self.limiter.try_acquire(peer.circuit())?;
        self.limiter.accept(theirs, peer, permit);
        Some(ours)
    }
}

async fn serve(mut connections: UnboundedReceiver<Connection>, site: Arc<Site>) {
    let router = routes::router(Arc::clone(&site));
    while let Some(connection) = connections.recv().await {
        let (router, site) = (router.clone(), Arc::clone(&site));
        tokio::spawn(async move {
            onionroom::http::serve(connection, router, &site.settings, site.closing.clone()).await;
        });
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send>>;

/// The logs of other rooms, which end with them.
struct MemoryLogs;

impl Logs for MemoryLogs {
    fn open(&self, room: &ExtraRoom) -> Answer<OpenedLog> {
        let retention = Retention { messages: room.history.messages, bytes: 0, age: None };
        let log = MemoryLog::new(retention).map_err(|error| LogError(error.to_string()));
        Box::pin(ready(log.map(|log| OpenedLog { log: Arc::new(log), lasts: false })))
    }

    fn exists(&self, _: &str) -> bool {
        false
    }

    fn erase(&self) -> Answer<()> {
        Box::pin(ready(Ok(())))
    }

    fn keep(&self, _: &[ExtraRoom], _: Option<&str>) -> Answer<()> {
        Box::pin(ready(Ok(())))
    }
}
