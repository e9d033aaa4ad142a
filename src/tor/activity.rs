//! When the Tor network last sent anything.
//!
//! Arti does not report that it has lost the network: it takes connections for open as long as the system does, which
//! can be a quarter of an hour. But relays send padding on idle connections, so a connection without any input is a
//! sign. It is measured here, at the connections that Arti makes.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::Empty;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{CompoundRuntime, NetStreamListener, NetStreamProvider, StreamOps};

use super::tasks::Tasks;

/// A runtime for Arti whose connections record their input.
pub(super) type MonitoredRuntime = CompoundRuntime<
    Tasks,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    MonitoredConnector,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
>;

/// When a byte was last received on any connection.
#[derive(Debug)]
pub(super) struct Activity {
    started: Instant,
    /// Milliseconds from `started` to the last byte, at least 1; 0 before the first byte.
    last_received: AtomicU64,
}

impl Activity {
    /// Starts to measure.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), last_received: AtomicU64::new(0) })
    }

    /// The time since the last byte, or since the start.
    pub(super) fn idle(&self) -> Duration {
        let last_received = Duration::from_millis(self.last_received.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last_received)
    }

    /// Whether any byte was received yet.
    pub(super) fn any_received(&self) -> bool {
        self.last_received.load(Ordering::Relaxed) > 0
    }

    /// Records that a byte was received now.
    pub(super) fn record(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_received.fetch_max(now.max(1), Ordering::Relaxed);
    }
}

/// A runtime that spawns Arti's tasks into `tasks` and records the input of every connection in `activity`.
pub(super) fn monitored_runtime(tasks: &Tasks, activity: Arc<Activity>) -> MonitoredRuntime {
    let tokio = tasks.runtime();
    let connections = MonitoredConnector { tokio: tokio.clone(), handle: tasks.handle().clone(), activity };
    CompoundRuntime::new(
        tasks.clone(),
        tokio.clone(),
        tokio.clone(),
        connections,
        tokio.clone(),
        tokio.clone(),
        tokio.clone(),
    )
}

/// Makes connections that record their input.
#[derive(Debug, Clone)]
pub(super) struct MonitoredConnector {
    tokio: TokioRustlsRuntime,
    /// The runtime that tells them when they are ready.
    handle: Handle,
    activity: Arc<Activity>,
}

/// A connection that records its input.
#[derive(Debug)]
pub(super) struct Monitored<S> {
    inner: S,
    activity: Arc<Activity>,
}

/// What the connections are made of.
type Tcp = <TokioRustlsRuntime as NetStreamProvider<SocketAddr>>::Stream;

#[async_trait]
impl NetStreamProvider<SocketAddr> for MonitoredConnector {
    type Stream = Monitored<Tcp>;
    type Listener = NeverListener<Tcp>;
    type ConnectOptions = <TokioRustlsRuntime as NetStreamProvider<SocketAddr>>::ConnectOptions;
    type ListenOptions = <TokioRustlsRuntime as NetStreamProvider<SocketAddr>>::ListenOptions;

    async fn connect(
        &self,
        address: &SocketAddr,
        options: &Self::ConnectOptions,
    ) -> io::Result<Self::Stream> {
        let mut connecting = self.tokio.connect(address, options);
        // A connection belongs to the runtime that it is made in, and its reactor is a task of this one, also where the
        // room's own task has asked for a circuit.
        let connected = poll_fn(|context| {
            let _entered = self.handle.enter();
            connecting.as_mut().poll(context)
        });
        Ok(Monitored { inner: connected.await?, activity: Arc::clone(&self.activity) })
    }

    async fn listen(
        &self,
        _address: &SocketAddr,
        _options: &Self::ListenOptions,
    ) -> io::Result<Self::Listener> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a client listens nowhere"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Monitored<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(1..))) {
            self.activity.record();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Monitored<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

impl<S: StreamOps> StreamOps for Monitored<S> {
    fn set_tcp_notsent_lowat(&self, bytes: u32) -> io::Result<()> {
        self.inner.set_tcp_notsent_lowat(bytes)
    }

    fn new_handle(&self) -> Box<dyn StreamOps + Send + Unpin> {
        self.inner.new_handle()
    }
}

/// The listener type that the trait requires; it has no values, because a client does not listen.
pub(super) struct NeverListener<S>(Infallible, PhantomData<fn() -> S>);

impl<S> NetStreamListener<SocketAddr> for NeverListener<S>
where
    S: AsyncRead + AsyncWrite + StreamOps + Send + Sync + Unpin + 'static,
{
    type Stream = Monitored<S>;
    type Incoming = Empty<io::Result<(Monitored<S>, SocketAddr)>>;

    fn incoming(self) -> Self::Incoming {
        match self.0 {}
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn received_bytes_end_the_idle_time() {
        let relay = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let activity = Activity::new();
        let runtime = monitored_runtime(&Tasks::start(1).unwrap(), Arc::clone(&activity));
        let (connection, accepted) =
            tokio::join!(connect(&runtime, relay.local_addr().unwrap()), relay.accept());
        let (mut connection, mut accepted) = (connection.unwrap(), accepted.unwrap().0);
        let minute = Duration::from_secs(60);
        tokio::time::advance(minute).await;
        assert!(!activity.any_received());
        assert_eq!(activity.idle(), minute);

        accepted.write_all(b"cell").await.unwrap();
        let mut cell = [0; 4];
        futures_util::AsyncReadExt::read_exact(&mut connection, &mut cell).await.unwrap();
        assert!(activity.any_received());
        assert_eq!(activity.idle(), Duration::ZERO);
        tokio::time::advance(minute).await;
        assert_eq!(activity.idle(), minute);
    }

    async fn connect(runtime: &MonitoredRuntime, address: SocketAddr) -> io::Result<impl AsyncRead> {
        NetStreamProvider::<SocketAddr>::connect(runtime, &address, &Default::default()).await
    }
}
