//! Distance between the nodes: before each OR port a TCP forwarder that delivers later what it was given.
//!
//! A relay advertises the forwarder's port and listens behind it. So every connection of the network crosses one
//! forwarder, whichever node opened it, and every cell takes the time of one way on each hop. What waits is in user space:
//! nothing of the machine's network is changed, and no privilege is needed.
//!
//! The forwarders have a thread of their own. A room in the same process does not hold them up, and they do not hold it
//! up.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// The longest distance. A circuit to a room crosses seven hops and is built one hop after the other, so with more
/// than this it takes longer than clients wait.
pub(super) const MAX: Duration = Duration::from_millis(200);

/// How many bytes of one direction of a connection may be on their way. At the longest distance that is still
/// 20 MB a second; it is memory, so it has a bound.
const WINDOW: usize = 4 << 20;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// The pause after a connection could not be accepted, such as for lack of a file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Forwarders with one distance. Dropping it ends them and every connection through them.
#[derive(Debug)]
pub(super) struct Forwarders {
    /// Dropping it ends the thread.
    routes: Option<mpsc::UnboundedSender<Route>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Where connections are taken, and where they lead.
#[derive(Debug)]
struct Route {
    from: StdListener,
    to: SocketAddr,
}

impl Forwarders {
    /// Starts the thread; `distance` is the time of one way.
    ///
    /// # Errors
    /// When the system gives no thread or no poll descriptor.
    pub(super) fn new(distance: Duration) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (routes, received) = mpsc::unbounded_channel();
        let work = move || run(&runtime, received, distance);
        let thread = thread::Builder::new().name("distance".into()).spawn(work)?;
        Ok(Self { routes: Some(routes), thread: Some(thread) })
    }

    /// Forwards the connections that `from` accepts to `to`.
    ///
    /// # Errors
    /// When the listener cannot be used in another thread.
    pub(super) fn add(&self, from: TcpListener, to: SocketAddr) -> io::Result<()> {
        let route = Route { from: from.into_std()?, to };
        let sent = self.routes.as_ref().map(|routes| routes.send(route));
        sent.and_then(Result::ok).ok_or_else(|| io::Error::other("the forwarders have ended"))
    }
}

impl Drop for Forwarders {
    fn drop(&mut self) {
        self.routes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves the routes until their sender is dropped.
fn run(runtime: &Runtime, mut routes: mpsc::UnboundedReceiver<Route>, distance: Duration) {
    runtime.block_on(async {
        let mut listeners = JoinSet::new();
        while let Some(Route { from, to }) = routes.recv().await {
            match TcpListener::from_std(from) {
                Ok(from) => drop(listeners.spawn(accept(from, to, distance))),
                Err(error) => tracing::warn!(%error, "a relay of the private network cannot be reached"),
            }
        }
    });
}

async fn accept(listener: TcpListener, to: SocketAddr, distance: Duration) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((from, _)) => drop(connections.spawn(connection(from, to, distance))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(from: TcpStream, to: SocketAddr, distance: Duration) -> io::Result<()> {
    // Over a distance TCP's handshake takes a round trip before the first byte is sent (RFC 9293, 3.5).
    sleep(distance * 2).await;
    let to = TcpStream::connect(to).await?;
    from.set_nodelay(true)?;
    to.set_nodelay(true)?;
    let ((from_reads, from_writes), (to_reads, to_writes)) = (from.into_split(), to.into_split());
    tokio::try_join!(carry(from_reads, to_writes, distance), carry(to_reads, from_writes, distance))?;
    Ok(())
}

/// Carries one direction, in order, until its end has been delivered.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    distance: Duration,
) -> io::Result<()> {
    let window = Semaphore::new(WINDOW);
    let (sender, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async {
        let sender = sender;
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = from.read(&mut buffer).await?;
            let Ok(permits) = u32::try_from(length) else { return Ok(()) };
            if let Ok(places) = window.acquire_many(permits).await {
                places.forget();
            }
            // An empty chunk is the end.
            let sent = sender.send((Instant::now() + distance, buffer[..length].to_vec()));
            if length == 0 || sent.is_err() {
                return Ok(());
            }
        }
    };
    let writing = async {
        while let Some((due, chunk)) = under_way.recv().await {
            sleep_until(due).await;
            if chunk.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&chunk).await?;
            window.add_permits(chunk.len());
        }
        Ok(())
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    const DISTANCE: Duration = Duration::from_millis(40);

    #[tokio::test(start_paused = true)]
    async fn each_byte_takes_the_time_of_one_way_and_none_waits_for_another() {
        let (mut sender, from) = tokio::io::duplex(1 << 20);
        let (to, mut receiver) = tokio::io::duplex(1 << 20);
        let carried = tokio::spawn(carry(from, to, DISTANCE));
        let start = Instant::now();
        for number in 0..10_u8 {
            sender.write_all(&[number; 1000]).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        drop(sender);
        for number in 0..10_u8 {
            let mut chunk = [0; 1000];
            receiver.read_exact(&mut chunk).await.unwrap();
            assert_eq!(chunk, [number; 1000]);
        }
        // Read late, so it says only that nothing was held up by what came before it.
        assert!(start.elapsed() < Duration::from_millis(100) + DISTANCE + DISTANCE, "{:?}", start.elapsed());
        assert_eq!(receiver.read(&mut [0]).await.unwrap(), 0, "the end follows");
        carried.await.unwrap().unwrap();

        let (mut sender, from) = tokio::io::duplex(64);
        let (to, mut receiver) = tokio::io::duplex(64);
        let _carried = tokio::spawn(carry(from, to, DISTANCE));
        let start = Instant::now();
        sender.write_all(b"x").await.unwrap();
        receiver.read_exact(&mut [0]).await.unwrap();
        assert!(start.elapsed() >= DISTANCE, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_is_bounded() {
        let (mut sender, from) = tokio::io::duplex(64);
        // Nothing is read here.
        let (to, _receiver) = tokio::io::duplex(64);
        let _carried = tokio::spawn(carry(from, to, DISTANCE));
        let mut sent = 0;
        let chunk = [0; 4096];
        while let Ok(Ok(length)) = tokio::time::timeout(DISTANCE * 3, sender.write(&chunk)).await {
            sent += length;
        }
        assert!((WINDOW..WINDOW + 2 * CHUNK).contains(&sent), "{sent}");
    }

    #[tokio::test]
    async fn connections_go_both_ways_and_end_with_the_forwarders() {
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let advertised = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = advertised.local_addr().unwrap();
        let forwarders = Forwarders::new(Duration::from_millis(1)).unwrap();
        forwarders.add(advertised, relay.local_addr().unwrap()).unwrap();
        let mut near = TcpStream::connect(address).await.unwrap();
        let mut far = relay.accept().await.unwrap().0;
        near.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        far.read_exact(&mut answer).await.unwrap();
        far.write_all(&answer).await.unwrap();
        near.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");
        tokio::task::spawn_blocking(move || drop(forwarders)).await.unwrap();
        assert!(matches!(near.read(&mut answer).await, Ok(0) | Err(_)));
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
