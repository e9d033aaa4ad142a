//! Whether anything at all comes from the Tor network.
//!
//! Arti does not tell when it has lost the network: connections that nobody closed stay open in its eyes, for
//! as long as the system keeps them, which can be a quarter of an hour. But relays send padding on connections
//! that rest, so a silent line is a sign. It is heard here, at the connections that Arti makes.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::tasks::Tasks;
use async_trait::async_trait;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::Empty;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{CompoundRuntime, NetStreamListener, NetStreamProvider, StreamOps};

/// A runtime for Arti whose connections are listened to.
pub(super) type ObservedRuntime = CompoundRuntime<
    Tasks,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    Observed<TokioRustlsRuntime>,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
>;

/// When something was last heard on any connection.
#[derive(Debug)]
pub(super) struct Traffic {
    started: Instant,
    /// Milliseconds from `started` to the newest byte that came in, but at least 1; 0 before any.
    heard: AtomicU64,
}

impl Traffic {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), heard: AtomicU64::new(0) })
    }

    /// How long nothing has come in.
    pub(super) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(heard)
    }

    /// Whether anything has come in yet.
    pub(super) fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed) > 0
    }

    fn hear(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.fetch_max(now.max(1), Ordering::Relaxed);
    }
}

/// A runtime on which Arti starts these tasks, with every connection reporting to `traffic`.
pub(super) fn observed(tasks: &Tasks, traffic: Arc<Traffic>) -> ObservedRuntime {
    let tokio = tasks.runtime();
    let connections = Observed { inner: tokio.clone(), traffic };
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

/// Something that is listened to: a maker of connections, or a connection.
#[derive(Debug, Clone)]
pub(super) struct Observed<T> {
    inner: T,
    traffic: Arc<Traffic>,
}

#[async_trait]
impl<P: NetStreamProvider<SocketAddr>> NetStreamProvider<SocketAddr> for Observed<P> {
    type Stream = Observed<P::Stream>;
    type Listener = NoListener<P::Stream>;
    type ConnectOptions = P::ConnectOptions;
    type ListenOptions = P::ListenOptions;

    async fn connect(&self, address: &SocketAddr, options: &P::ConnectOptions) -> io::Result<Self::Stream> {
        let inner = self.inner.connect(address, options).await?;
        Ok(Observed { inner, traffic: Arc::clone(&self.traffic) })
    }

    async fn listen(&self, _address: &SocketAddr, _options: &P::ListenOptions) -> io::Result<Self::Listener> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a client listens nowhere"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(1..))) {
            self.traffic.hear();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
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

impl<S: StreamOps> StreamOps for Observed<S> {
    fn set_tcp_notsent_lowat(&self, bytes: u32) -> io::Result<()> {
        self.inner.set_tcp_notsent_lowat(bytes)
    }

    fn new_handle(&self) -> Box<dyn StreamOps + Send + Unpin> {
        self.inner.new_handle()
    }
}

/// The listener that a client never has; no value of it exists.
pub(super) struct NoListener<S>(Infallible, PhantomData<fn() -> S>);

impl<S> NetStreamListener<SocketAddr> for NoListener<S>
where
    S: AsyncRead + AsyncWrite + StreamOps + Send + Sync + Unpin + 'static,
{
    type Stream = Observed<S>;
    type Incoming = Empty<io::Result<(Observed<S>, SocketAddr)>>;

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

    #[tokio::test]
    async fn what_comes_in_is_heard() {
        let relay = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let traffic = Traffic::new();
        let runtime = observed(&Tasks::here(), Arc::clone(&traffic));
        let (connection, accepted) =
            tokio::join!(connect(&runtime, relay.local_addr().unwrap()), relay.accept());
        let (mut connection, mut accepted) = (connection.unwrap(), accepted.unwrap().0);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!traffic.heard() && traffic.silence() >= Duration::from_millis(20));

        accepted.write_all(b"cell").await.unwrap();
        let (before, mut cell) = (traffic.silence(), [0; 4]);
        futures_util::AsyncReadExt::read_exact(&mut connection, &mut cell).await.unwrap();
        assert!(traffic.heard() && traffic.silence() < before);
    }

    async fn connect(runtime: &ObservedRuntime, address: SocketAddr) -> io::Result<impl AsyncRead> {
        NetStreamProvider::<SocketAddr>::connect(runtime, &address, &Default::default()).await
    }
}
