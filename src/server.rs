//! The server: opens a room from its settings, with its listeners, the hub, the log and the onion service, and closes it.

pub mod archive;
pub mod backup;
pub mod closed_rooms;
mod critical;
mod error;
mod files;
mod host;
mod host_rooms;
mod keeping;
pub mod keys;
mod local;
mod messages;
mod proxy;
pub mod restore;
mod room_list;
mod rooms;
mod serving;
mod storage;
mod tls;
mod unconfirmed;
pub mod wipe;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
#[cfg(unix)]
use crate::control;
use crate::control::answer::Failed;
use crate::http::guard::Hosts;
use crate::http::routes;
use crate::http::site::{Noscript, Site};
use crate::hub::cluster::Cluster;
use crate::hub::wiping::Wiping;
use crate::hub::{House, Room};
use crate::invitations::Access;
use crate::listen::onion::CircuitLimits;
use crate::listen::{ConnectionLimiter, descriptors, onion};
use crate::log::Log;
use crate::log::sqlite::Opening;
use crate::protocol::Role;
use crate::rooms::Rooms;
use crate::storage::DataDirectory;
use crate::tor;
use crate::tor::{OnionService, Status, TorError};
use backup::{OpenRoom, OpenRooms};
use critical::CriticalTask;
use host::RoomHost;
use local::LocalListener;
use proxy::ProxyListener;
use serving::serve;
use storage::Storage;
use tls::BoundTls;
use unconfirmed::Confirm;

pub use error::OpenError;
pub use keeping::WipeAsked;
pub use local::LocalError;
pub use messages::MessagesError;
pub use proxy::ProxyError;
pub use room_list::RoomListError;
pub use tls::{TlsError, TlsPlace};

/// How long connections and responses under way may take when the room closes.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// An open room. [`Server::close`] closes it in order; dropping it ends it at once.
pub struct Server {
    address: Option<SocketAddr>,
    local: Option<String>,
    proxy: Option<String>,
    tls: Option<TlsPlace>,
    public: Vec<String>,
    room: Room,
    wiping: Wiping,
    /// Where the room is wiped unless a host confirms it.
    confirm: Option<Confirm>,
    rooms: Arc<Rooms>,
    log: Arc<dyn Log>,
    /// The other nodes of a room on several machines.
    cluster: Option<Arc<dyn Cluster>>,
    /// Holds the data directory until the files in it are closed.
    on_disk: Arc<OpenRoom>,
    onion: Option<OnionService>,
    onion_port: u16,
    /// Who may find the onion service.
    access: Option<watch::Receiver<Access>>,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// Cancelled when a critical task has ended.
    failed: CancellationToken,
}

impl Server {
    /// Opens the room: when this returns it answers on this machine's listeners, and the onion address is known; the onion
    /// service goes on starting in the background.
    ///
    /// # Errors
    /// The address cannot be bound, or the data directory cannot be used.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        Self::open_watched(settings, &Arc::default()).await
    }

    /// The same, with `opening` to see how far the log is; it is called off when this is dropped unfinished.
    ///
    /// # Errors
    /// As [`Server::open`].
    pub async fn open_watched(settings: &Settings, opening: &Arc<Opening>) -> Result<Self, OpenError> {
        let tasks = TaskTracker::new();
        let closing = CancellationToken::new();
        let Storage { directory, log, file, key, invitations } = Storage::open(settings, opening).await?;
        let (log, cluster) = match log {
            Some(log) => (log, None),
            None => {
                let (log, cluster) = messages::open_cluster(settings).await?;
                (log, Some(cluster))
            }
        };
        let listener = LocalListener::bind(&settings.listen, directory.as_deref()).await?;
        let url = listener.url(key.as_ref());
        let proxy = ProxyListener::bind(&settings.listen).await?;
        let (tls, public) = BoundTls::bind(&settings.listen).await?;
        let house = Arc::new(House::new(settings.room.guests));
        let room =
            Room::open_among(&settings.room, &settings.history, Arc::clone(&log), cluster.clone(), &house)
                .await?;
        let (rooms, logs) = rooms::open(settings, &room, directory.as_ref(), house)?;
        let others = settings.cluster.is_none().then(|| OpenRooms { rooms: Arc::clone(&rooms), logs });
        let hosts = Hosts::new(listener.port(), &public).among_doors(room.doors().is_some());
        let wiping = Wiping::new(cluster.is_some().then_some(wipe::ELSEWHERE));
        let site = Arc::new(Site {
            room,
            wiping: wiping.clone(),
            rooms: Arc::clone(&rooms),
            noscript: Noscript::default(),
            hosts,
            settings: Arc::new(settings.listen.clone()),
            tasks: tasks.clone(),
            closing: closing.clone(),
        });
        let (limiter, connections) =
            ConnectionLimiter::new(settings.listen.connections, settings.listen.requests_per_second);
        let router = local::behind(key, routes::router(Arc::clone(&site)));

        let onion_port = settings.onion.port;
        let mut server = Self {
            address: listener.address(),
            local: url,
            proxy: proxy.place(),
            tls: tls.as_ref().map(|tls| tls.place.clone()),
            public: settings.listen.public.iter().map(|origin| format!("{origin}/")).collect(),
            room: site.room.clone(),
            wiping,
            confirm: None,
            rooms: Arc::clone(&rooms),
            log,
            cluster,
            on_disk: Arc::new(OpenRoom::new(directory.clone(), file, others)),
            onion: None,
            onion_port,
            access: None,
            tasks,
            closing,
            failed: CancellationToken::new(),
        };
        if server.local.is_some() || server.proxy.is_some() || server.tls.is_some() {
            limiter.limit_files(descriptors::for_connections(settings.listen.connections));
        }
        server.spawn_critical(rooms.keep(server.closing.clone()));
        server.spawn_critical(serve(connections, router, Arc::clone(&site)));
        server.spawn_critical(listener.accept(limiter.clone(), server.closing.clone()));
        let protocol = settings.listen.proxy_protocol;
        server.spawn_critical(proxy.accept(protocol, limiter.clone(), server.closing.clone()));
        if let Some(tls) = tls {
            server.spawn_critical(tls.accept(limiter.clone(), server.closing.clone()));
        }
        if settings.onion.enabled
            && let (Some(directory), Some(invitations)) = (directory, invitations)
        {
            let access = invitations.access();
            if access.borrow().is_private() && (server.proxy.is_some() || server.tls.is_some()) {
                tracing::warn!(
                    "The room is private on the Tor network alone: listen.tls and listen.proxy let in all who reach them."
                );
            }
            server.access = Some(access.clone());
            server.spawn_critical(invitations.follow(server.closing.clone()));
            server.open_onion(settings, directory, access, &site.hosts, limiter).await?;
        }
        server.open_door(settings);
        server.watch_unconfirmed(settings).await;
        #[cfg(unix)]
        server.open_control();
        Ok(server)
    }

    /// Opens the host's socket, in the data directory.
    #[cfg(unix)]
    fn open_control(&self) {
        if let Some(socket) = self.on_disk.directory().and_then(host::bind) {
            let (host, tasks) = (Arc::new(self.host()), self.tasks.clone());
            self.spawn_critical(control::listener::serve(socket, host, tasks, self.closing.clone()));
        }
    }

    fn host(&self) -> RoomHost {
        RoomHost {
            room: self.room.clone(),
            wiping: self.wiping.clone(),
            confirm: self.confirm.clone(),
            rooms: Arc::clone(&self.rooms),
            address: self.onion_url(),
            tor: self.tor_status(),
            local: self.local.clone(),
            public: self.public.clone(),
            on_disk: Arc::downgrade(&self.on_disk),
        }
    }

    /// A new link that makes the window that opens it a host's, once: at each of the room's addresses, the onion address
    /// first.
    ///
    /// # Errors
    /// The log cannot be written, or the room is closing.
    pub async fn new_host_link(&self) -> Result<Vec<String>, Failed> {
        Ok(self.host().new_link(Role::Host).await?.links)
    }

    async fn open_onion(
        &mut self,
        settings: &Settings,
        directory: Arc<DataDirectory>,
        access: watch::Receiver<Access>,
        hosts: &Hosts,
        limiter: ConnectionLimiter,
    ) -> Result<(), TorError> {
        let mut service = OnionService::launch(&settings.onion, directory, access).await?;
        hosts.add_onion(service.address().to_string(), settings.onion.port);
        if let Some(introductions) = service.introductions() {
            let limits = CircuitLimits::new(&settings.onion);
            self.spawn_critical(onion::accept(introductions, limiter, limits, self.closing.clone()));
        }
        self.onion = Some(service);
        Ok(())
    }

    /// Tells the other nodes where guests reach this one: at its onion address, or at its first public origin.
    fn open_door(&self, settings: &Settings) {
        let Some(cluster) = &self.cluster else { return };
        let onion = self.onion_url().map(|url| url.trim_end_matches('/').to_owned());
        let public = || settings.listen.public.first().map(ToString::to_string);
        if let Some(origin) = onion.or_else(public) {
            cluster.open_door(origin, settings.room.guests);
        }
    }

    fn spawn_critical(&self, task: impl Future<Output = ()> + Send + 'static) {
        let critical = CriticalTask { closing: self.closing.clone(), failed: self.failed.clone() };
        self.tasks.spawn(async move {
            let _critical = critical;
            task.await;
        });
    }

    /// Completes when a critical task has ended before the room was closed: then close it and report the failure.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// The loopback address; `None` without a listener there.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    /// How the local room is reached: its URL, with its key if there is one, or `unix:` and the path of the socket; `None`
    /// without a local listener.
    pub fn local_url(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// Where reverse proxies connect to: an address with a port, or `unix:` and the path of the socket; `None` without a
    /// listener for them.
    pub fn proxy_place(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// How the listener for TLS is reached; `None` without one.
    pub fn tls(&self) -> Option<&TlsPlace> {
        self.tls.as_ref()
    }

    /// The onion URL to share; `None` without an onion service.
    pub fn onion_url(&self) -> Option<String> {
        let address = self.onion.as_ref()?.address();
        Some(match self.onion_port {
            80 => format!("http://{address}/"),
            port => format!("http://{address}:{port}/"),
        })
    }

    /// The room, for what its host does.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// All rooms of the address, for what their hosts do.
    pub fn rooms(&self) -> &Arc<Rooms> {
        &self.rooms
    }

    /// Who may find the onion service, now and as it changes; `None` without one.
    pub fn access(&self) -> Option<watch::Receiver<Access>> {
        self.access.clone()
    }

    /// The status of the onion service; `None` without one.
    pub fn tor_status(&self) -> Option<watch::Receiver<Status>> {
        self.onion.as_ref().map(tor::OnionService::status)
    }

    /// Closes the room: WebSockets get a close frame, responses under way a second, every task ends. Takes less than
    /// five seconds.
    pub async fn close(mut self) {
        self.closing.cancel();
        self.tasks.close();
        if timeout(CLOSE_WAIT, self.tasks.wait()).await.is_err() {
            tracing::debug!("some connections did not end in time");
        }
        // Last: the guests' close frames go through it. Meanwhile the log erases what is no longer kept.
        let onion = self.onion.take();
        let onion_closed = async {
            if let Some(service) = onion {
                service.shutdown().await;
            }
        };
        let cluster_closed = async {
            if let Some(cluster) = &self.cluster {
                cluster.close().await;
            }
        };
        let closed = async { tokio::join!(onion_closed, cluster_closed, self.rooms.close()) };
        let (_, log_closed) = tokio::join!(closed, self.log.close());
        if let Err(error) = log_closed {
            tracing::warn!(%error, "the message log was not closed in good order");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}
