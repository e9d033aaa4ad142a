#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use data_encoding::BASE64;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
#[cfg(target_os = "linux")]
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{Certificate, Files};
use super::reload::Certificates;
use super::*;
use crate::listen::Connection;

/// Writes a new pair for `localhost` into a directory.
pub(super) fn write_pair(directory: &Path) -> Files {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = Files { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") };
    let write = |path: &Path, label: &str, bytes: &[u8]| {
        let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(bytes));
        fs::write(path, text).unwrap();
    };
    write(&files.certificate, "CERTIFICATE", made.cert.der());
    write(&files.key, "PRIVATE KEY", made.signing_key.serialized_der());
    files
}

fn client_of(
    certificate: &CertificateDer<'static>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client that trusts this certificate, and the name that it is for.
pub(super) fn connector(certificate: &Certificate) -> (TlsConnector, ServerName<'static>) {
    let config = client_of(&certificate.certified.cert[0], rustls::ALL_VERSIONS);
    (TlsConnector::from(Arc::new(config)), ServerName::try_from("localhost").unwrap())
}

/// A listener whose connections come out of the channel.
struct Listening {
    address: SocketAddr,
    connections: mpsc::UnboundedReceiver<Connection>,
    certificate: CertificateDer<'static>,
    closing: CancellationToken,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

async fn listening(connections: usize) -> Listening {
    let certificate = Certificate::self_signed(&["localhost".to_owned()]).unwrap();
    let der = certificate.certified.cert[0].clone();
    let acceptor = acceptor(Arc::new(Certificates::of_one(certificate))).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (limiter, connections) = ConnectionLimiter::new(connections, 20);
    let closing = CancellationToken::new();
    tokio::spawn(accept(listener, acceptor, limiter, closing.clone()));
    Listening { address, connections, certificate: der, closing }
}

impl Listening {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsStream<TcpStream> {
        let mut config = self.client(versions);
        config.alpn_protocols = vec![b"h2".to_vec(), ALPN.to_vec()];
        self.connect_with(config).await.unwrap()
    }

    fn client(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConfig {
        client_of(&self.certificate, versions)
    }

    async fn connect_with(&self, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }
}

#[tokio::test]
async fn both_versions_carry_bytes_in_both_directions_and_ends_are_told_apart() {
    let mut listening = listening(100).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = listening.connect(&[version]).await;
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(ALPN));
        let mut server = listening.connections.recv().await.unwrap().io;
        client.write_all(b"question").await.unwrap();
        let mut read = [0; 8];
        server.read_exact(&mut read).await.unwrap();
        server.write_all(&[7; 100_000]).await.unwrap();
        server.flush().await.unwrap();
        let mut answer = vec![0; 100_000];
        client.read_exact(&mut answer).await.unwrap();
        // The client says that it is done, and still reads.
        client.shutdown().await.unwrap();
        assert_eq!(server.read(&mut read).await.unwrap(), 0);
        server.write_all(b"the last").await.unwrap();
        server.shutdown().await.unwrap();
        let mut last = Vec::new();
        client.read_to_end(&mut last).await.unwrap();
        assert_eq!(last, b"the last");
        // Without that it was cut off.
        let client = listening.connect(&[version]).await;
        let mut server = listening.connections.recv().await.unwrap().io;
        drop(client.into_inner().0);
        server.read(&mut read).await.unwrap_err();
    }
}

#[tokio::test]
async fn another_protocol_than_http_1_is_refused_in_the_handshake() {
    let listening = listening(100).await;
    let mut config = listening.client(&[&rustls::version::TLS13]);
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(listening.connect_with(config).await.is_err());
}

/// Only Linux has the whole of 127.0.0.0/8.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_handshake_that_does_not_go_on_holds_up_no_other_and_loses_its_place() {
    let mut listening = listening(100_000).await;
    // More than may be under way, all of another address.
    let stranger = async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(listening.address).await.unwrap()
    };
    let mut first = stranger().await;
    let mut held = Vec::new();
    for _ in 0..HANDSHAKES_MAX + 50 {
        held.push(stranger().await);
    }
    let client = listening.connect(rustls::ALL_VERSIONS).await;
    listening.connections.recv().await.unwrap();
    drop(client);
    assert!(matches!(first.read(&mut [0]).await, Ok(0) | Err(_)), "the oldest gave way");
}

/// Guards against strangers who lose their connections at once, for want of a turn, and took others' for that.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_without_a_turn_takes_no_other_ones_place() {
    let mut listening = listening(HANDSHAKES_MAX + 2).await;
    let mut guests = Vec::new();
    for _ in 0..2 {
        let client = listening.connect(rustls::ALL_VERSIONS).await;
        guests.push((client, listening.connections.recv().await.unwrap()));
    }
    let mut strangers = Vec::new();
    for number in 0..HANDSHAKES_MAX + 10 {
        let socket = TcpSocket::new_v4().unwrap();
        let address = [127, 9, (number / 200) as u8, (number % 200) as u8 + 1];
        socket.bind((address, 0).into()).unwrap();
        strangers.push(socket.connect(listening.address).await.unwrap());
    }
    let last = strangers.last_mut().unwrap();
    assert!(matches!(last.read(&mut [0]).await, Ok(0) | Err(_)), "it is closed");
    assert!(guests.iter().all(|(_, connection)| !connection.permit.evicted().is_cancelled()));
}

#[tokio::test]
async fn a_request_without_tls_is_told_so() {
    let listening = listening(100).await;
    let mut client = listening.tcp().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 ") && body.contains("https://"), "{answer}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{answer}");
}

#[tokio::test]
async fn what_is_not_tls_ends_the_connection_and_no_other() {
    let mut listening = listening(100).await;
    let records: [&[u8]; 6] = [
        &[0; 100],
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff",
        // A record of each kind that may not come first.
        b"\x17\x03\x03\x00\x01x",
        b"\x14\x03\x03\x00\x01\x01",
        b"\x15\x03\x03\x00\x02\x02\x00",
    ];
    for record in records {
        let mut client = listening.tcp().await;
        client.write_all(record).await.unwrap();
        let _ = client.shutdown().await;
        let mut read = Vec::new();
        let _ = client.read_to_end(&mut read).await;
        assert!(read.is_empty() || read[0] == 21, "an alert or nothing: {read:?}");
    }
    let _client = listening.connect(rustls::ALL_VERSIONS).await;
    listening.connections.recv().await.unwrap();
}
