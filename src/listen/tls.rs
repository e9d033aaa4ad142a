//! The TLS listener: accepts connections from anywhere, and hands them on when their handshake is done.
//!
//! A handshake is a task of its own, so a slow one holds up nothing. What a stranger can ask for before the first request
//! is bounded: a handshake has a deadline, so many may be under way at once, shared between addresses as connections are,
//! and each is charged to the budget of its address.
//!
//! [`certificate`] reads a certificate and its key, [`reload`] follows the files while the room is open, `stream` is a
//! connection after its handshake.

pub mod certificate;
pub mod reload;
mod stream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::stream::{TlsIo, Wire};
use super::accept::{Acceptor, Listener};
use super::limiter::Permits;
use super::{Client, ConnectionLimiter, Peer, Permit};

/// The protocol that is offered (RFC 7301): WebSockets begin in HTTP/1.1.
const ALPN: &[u8] = b"http/1.1";

/// How long a handshake may take. Through Tor's exits, or from a bad network, it takes one or two seconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most handshakes that may be under way.
const HANDSHAKES_MAX: usize = 256;

/// What a handshake costs of an address's budget: about as much computation as so many requests, with an RSA key.
const HANDSHAKE_TOKENS: u32 = 5;

/// How long the sender of a request without TLS may take to read what it is told.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes of such a request that are read.
const REFUSED_BYTES_MAX: u64 = 64 * 1024;

/// The response to a request without TLS.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 49\r\n\
    Connection: close\r\n\r\nThis port speaks HTTPS. Write https:// before it.";

/// Connections over TLS 1.2 and 1.3 with the certificate that `certificates` has.
///
/// # Errors
/// Never with the versions and algorithms that are compiled in.
pub fn acceptor(certificates: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts connections until `closing` is cancelled. Handshakes under way end then.
pub async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    limiter: ConnectionLimiter,
    closing: CancellationToken,
) {
    let handshakes = Permits::new(HANDSHAKES_MAX, 0);
    let mut tasks = JoinSet::new();
    let mut sockets = Acceptor::new(Socket(listener), closing);
    loop {
        let accepted = tokio::select! {
            biased;
            Some(_ended) = tasks.join_next() => continue,
            accepted = sockets.next() => accepted,
        };
        let Some((stream, address)) = accepted else { break };
        let peer = peer(address.ip());
        // Without TLS there is nothing to refuse it with that a browser would show. The turn comes first: a connection that
        // has none must take no permit from another.
        let Some(turn) = handshakes.try_acquire(peer.circuit()) else { continue };
        let Some(permit) = limiter.try_acquire(peer.circuit()) else { continue };
        let (acceptor, limiter) = (acceptor.clone(), limiter.clone());
        tasks.spawn(async move {
            if let Some(io) = handshake_within(stream, acceptor, &permit, &turn).await {
                limiter.accept(io, peer, permit);
            }
        });
    }
    tasks.shutdown().await;
}

/// A listening socket whose connections are refused without a word.
struct Socket(TcpListener);

impl Listener for Socket {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.0.accept().await?;
        // Frames are written whole, so waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        Ok((stream, address))
    }

    fn try_write(_stream: &TcpStream, _bytes: &[u8]) -> io::Result<usize> {
        Ok(0)
    }
}

/// A client by its own address: it names no circuit of a Tor daemon, whatever the address looks like.
fn peer(address: IpAddr) -> Peer {
    Peer::Public(match Client::at(address) {
        Client::Circuit(_) => Client::Unknown,
        client => client,
    })
}

/// A connection after its handshake; `None` if it failed, took too long, or its place went to another address.
async fn handshake_within(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    permit: &Permit,
    turn: &Permit,
) -> Option<TlsIo<TcpStream>> {
    let handshake = timeout(HANDSHAKE_TIMEOUT, handshake(stream, acceptor, permit));
    let done = tokio::select! {
        biased;
        () = permit.evicted().cancelled() => return None,
        () = turn.evicted().cancelled() => return None,
        done = handshake => done,
    };
    match done {
        Ok(Ok(io)) => io,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a TLS handshake took too long");
            None
        }
    }
}

async fn handshake(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    permit: &Permit,
) -> io::Result<Option<TlsIo<TcpStream>>> {
    if let Some(wait) = permit.budget().take(HANDSHAKE_TOKENS) {
        wait.await;
    }
    if speaks_plain_http(&stream).await? {
        refuse(stream).await;
        return Ok(None);
    }
    let stream = acceptor.accept(Wire::new(stream)).await?;
    Ok(Some(TlsIo::new(stream, Arc::clone(permit.budget()))))
}

/// Whether the connection begins as a request without TLS: with a method, where TLS begins with the type of a record,
/// 22 (RFC 8446, section 5.1).
async fn speaks_plain_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let read = stream.peek(&mut first).await?;
    Ok(read == 1 && first[0].is_ascii_uppercase())
}

/// Says that this port speaks TLS. What was sent is read first: a connection that is closed before is reset, and the
/// response may be lost with it.
async fn refuse(mut stream: TcpStream) {
    let told = async {
        stream.write_all(PLAIN_HTTP).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(REFUSED_BYTES_MAX), &mut tokio::io::sink()).await
    };
    let _ = timeout(REFUSAL_TIMEOUT, told).await;
}

#[cfg(test)]
mod tests;
