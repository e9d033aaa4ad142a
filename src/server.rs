//! The server: opens a room from its settings, with its listeners, the hub, the log and the onion service, and closes it.

mod local;
mod messages;
mod proxy;
pub mod restore;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{LocalAccess, Settings};
use crate::http::guard::Hosts;
use crate::http::index::Index;
use crate::http::local_key::LocalKey;
use crate::http::routes;
use crate::http::site::{Noscript, Site};
use crate::hub::Room;
use crate::hub::cluster::Cluster;
use crate::invitations::{Access, Follower, InvitationError};
use crate::listen::onion::CircuitLimits;
use crate::listen::{Connection, ConnectionLimiter, descriptors, onion};
use crate::log::sqlite::Opening;
use crate::log::{Log, LogError};
use crate::storage::{DataDirectory, StorageError};
use crate::tor::{OnionService, Status, TorError};
use crate::{http, tor};
use local::LocalListener;
use proxy::ProxyListener;
use tls::BoundTls;

pub use local::LocalError;
pub use messages::MessagesError;
pub use proxy::ProxyError;
pub use tls::{TlsError, TlsPlace};

/// How long connections and responses under way may take when the room closes.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// An open room. [`Server::close`] closes it in order; dropping it ends it at once.
pub struct Server {
    address: Option<SocketAddr>,
    local: Option<String>,
    proxy: Option<String>,
    tls: Option<TlsPlace>,
    room: Room,
    log: Arc<dyn Log>,
    /// The other nodes of a room on several machines.
    cluster: Option<Arc<dyn Cluster>>,
    /// Held until the files in it are closed.
    _directory: Option<Arc<DataDirectory>>,
    onion: Option<OnionService>,
    onion_port: u16,
    /// Who may find the onion service.
    access: Option<watch::Receiver<Access>>,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// Cancelled when a critical task has ended.
    failed: CancellationToken,
}

/// Held by a task that the room cannot do without: reports its end, unless the room is closing.
struct CriticalTask {
    closing: CancellationToken,
    failed: CancellationToken,
}

impl Drop for CriticalTask {
    fn drop(&mut self) {
        if !self.closing.is_cancelled() {
            self.failed.cancel();
        }
    }
}

/// Why a room could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The local room could not be opened.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The listener for proxies could not be opened.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The listener for TLS could not be opened.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It cannot be read who may find the room.
    #[error(transparent)]
    Invitations(#[from] InvitationError),
    /// A backup was not put in place completely.
    #[error(transparent)]
    Restore(#[from] restore::RestoreError),
    /// The message log could not be opened.
    #[error(transparent)]
    Log(#[from] MessagesError),
    /// The message log could not be read.
    #[error(transparent)]
    LogUnreadable(#[from] LogError),
    /// The onion service could not be set up.
    #[error(transparent)]
    Tor(#[from] TorError),
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
        let Storage { directory, log, key, invitations } = Storage::open(settings, opening).await?;
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
        let room =
            Room::open_in(&settings.room, &settings.history, Arc::clone(&log), cluster.clone()).await?;
        let hosts = Hosts::new(listener.port(), &public).among_doors(room.doors().is_some());
        let site = Arc::new(Site {
            room,
            noscript: Noscript::new(&settings.room, &settings.history),
            index: Index::assemble(),
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
            room: site.room.clone(),
            log,
            cluster,
            _directory: directory.clone(),
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
        Ok(server)
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
        let ((), (), log_closed) = tokio::join!(onion_closed, cluster_closed, self.log.close());
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

/// What the room has on a disk, or in memory in its place.
struct Storage {
    directory: Option<Arc<DataDirectory>>,
    /// `None` for a room whose log is not on this machine.
    log: Option<Arc<dyn Log>>,
    key: Option<LocalKey>,
    /// `None` without an onion service.
    invitations: Option<Follower>,
}

impl Storage {
    /// Opens it on a thread for what blocks: a large log takes many seconds, a file system that is far away may take any
    /// time, and meanwhile signals are to be answered. Dropped unfinished, it is called off; where the operating system
    /// does not answer, the thread goes on until the process ends.
    async fn open(settings: &Settings, opening: &Arc<Opening>) -> Result<Self, OpenError> {
        let (settings, watched) = (settings.clone(), Arc::clone(opening));
        let _call_off = CallOff(opening);
        match spawn_blocking(move || Self::open_blocking(&settings, &watched)).await {
            Ok(opened) => opened,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is ending, and this future with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    fn open_blocking(settings: &Settings, opening: &Arc<Opening>) -> Result<Self, OpenError> {
        DataDirectory::sweep();
        let directory = settings.data_dir.as_deref().map(DataDirectory::open).transpose()?.map(Arc::new);
        if let Some(directory) = &directory {
            restore::clear(directory.path())?;
        }
        let log = match settings.cluster {
            Some(_) => None,
            None => Some(messages::open(settings, directory.as_deref(), opening)?),
        };
        let key = local::key(&settings.listen, directory.as_deref())?;
        let needed = settings.onion.enabled || settings.listen.local == LocalAccess::Unix;
        let directory = match directory {
            None if needed => Some(Arc::new(DataDirectory::ephemeral(settings.ephemeral_on_disk)?)),
            directory => directory,
        };
        let follow =
            |directory: &Arc<DataDirectory>| Follower::start(directory.path(), settings.onion.restricted);
        let invitations = directory.as_ref().filter(|_| settings.onion.enabled).map(follow).transpose()?;
        Ok(Self { directory, log, key, invitations })
    }
}

/// Calls the opening of a log off when it is dropped; once the log is open, that does nothing.
struct CallOff<'a>(&'a Opening);

impl Drop for CallOff<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Serves every connection that comes in, each in its own task.
async fn serve(mut connections: mpsc::UnboundedReceiver<Connection>, router: Router, site: Arc<Site>) {
    loop {
        tokio::select! {
            biased;
            () = site.closing.cancelled() => return,
            connection = connections.recv() => match connection {
                Some(connection) => {
                    let (router, site) = (router.clone(), Arc::clone(&site));
                    site.tasks.clone().spawn(async move {
                        http::serve(connection, router, &site.settings, site.closing.clone()).await;
                    });
                }
                None => return,
            },
        }
    }
}
