//! A room that is reached under a public name: over TLS, or through a proxy.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use futures_util::future::BoxFuture;
use onionroom::config::{CertificateSource, PublicOrigin, Settings, TlsSettings};
use onionroom::listen::Io;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::room::Dial;
use super::within;

/// The name of the room in all of these tests.
pub(crate) const NAME: &str = "room.example";

type Connect = dyn Fn() -> BoxFuture<'static, Box<dyn Io>> + Send + Sync;

/// A way to a room, and what belongs into `Host` there.
pub(crate) struct Elsewhere {
    host: String,
    connect: Box<Connect>,
}

impl Elsewhere {
    /// What belongs into `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A connection with nothing said yet.
    pub(crate) async fn connect(&self) -> Box<dyn Io> {
        (self.connect)().await
    }
}

/// A certificate for [`NAME`], with its key, that nothing but these tests trusts.
pub(crate) struct Pair {
    /// The certificate.
    pub(crate) certificate: CertificateDer<'static>,
    /// Both, as PEM.
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

impl Pair {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self::made(rcgen::CertificateParams::new([NAME.to_owned()]).unwrap())
    }

    /// One for this name that has expired long ago.
    pub(crate) fn expired(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        Self::made(params)
    }

    fn made(params: rcgen::CertificateParams) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let pem = |label: &str, bytes: &[u8]| {
            // Lines of 64 characters (RFC 7468, section 2): some programs read no longer ones.
            let text = BASE64.encode(bytes);
            let lines: Vec<_> =
                text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
        };
        Self {
            certificate: made.der().clone(),
            certificate_pem: pem("CERTIFICATE", made.der()),
            key_pem: pem("PRIVATE KEY", key.serialized_der()),
        }
    }

    /// Writes both into a directory, as `certificate.pem` and `key.pem`.
    pub(crate) fn write(&self, directory: &Path) {
        std::fs::write(directory.join("certificate.pem"), &self.certificate_pem).unwrap();
        std::fs::write(directory.join("key.pem"), &self.key_pem).unwrap();
    }
}

/// Gives a room a listener for TLS with the [`Pair`] that was written into this directory.
pub(crate) fn with_tls(settings: &mut Settings, directory: &Path) {
    settings.listen.public = vec![PublicOrigin::parse(&format!("https://{NAME}")).unwrap()];
    settings.listen.tls = Some(TlsSettings {
        address: ([127, 0, 0, 1], 0).into(),
        certificate: CertificateSource::Files {
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
        },
    });
}

/// A client that trusts one certificate, and wants [`NAME`].
#[derive(Clone)]
pub(crate) struct TlsClient(TlsConnector);

impl TlsClient {
    /// For this certificate, asking for HTTP/1.1 as for a WebSocket.
    pub(crate) fn trusting(certificate: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// A handshake over this connection.
    pub(crate) async fn over(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(NAME).unwrap();
        within("a TLS handshake", self.0.connect(name, tcp)).await
    }

    /// The room at this address, under [`NAME`].
    pub(crate) fn dial(&self, address: SocketAddr) -> Dial {
        self.dial_from([127, 0, 0, 1], address)
    }

    /// The same from an address of this machine's own network.
    pub(crate) fn dial_from(&self, from: [u8; 4], address: SocketAddr) -> Dial {
        let client = self.clone();
        let connect = move || -> BoxFuture<'static, Box<dyn Io>> {
            let client = client.clone();
            Box::pin(async move {
                let tcp = connect_from(from, address).await;
                let io: Box<dyn Io> = Box::new(client.over(tcp).await.unwrap());
                io
            })
        };
        Dial::Elsewhere(Arc::new(Elsewhere { host: NAME.to_owned(), connect: Box::new(connect) }))
    }
}

/// A connection from an address of this machine's own network.
pub(crate) async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    within("a connection", socket.connect(to)).await.unwrap()
}
