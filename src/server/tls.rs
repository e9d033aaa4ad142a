//! The TLS listener, as the settings want it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::ServerName;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::{CertificateSource, ListenSettings, PublicOrigin, TlsSettings};
use crate::listen::ConnectionLimiter;
use crate::listen::tls::certificate::{Certificate, CertificateError, Files};
use crate::listen::tls::reload::Certificates;
use crate::listen::tls::{accept, acceptor};

/// Why there is no TLS listener.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The address could not be bound.
    #[error("Cannot listen for TLS on {address}: {error}. Choose another address with listen.tls.")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// What the operating system said.
        error: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// rustls refuses what it is configured with.
    #[error("TLS cannot be set up: {0}.")]
    Unusable(#[from] rustls::Error),
}

/// A bound listener with its certificate.
pub(super) struct BoundTls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
    /// What is known of it.
    pub(super) place: TlsPlace,
}

/// How the TLS listener is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPlace {
    /// Where it listens.
    pub address: SocketAddr,
    /// The origins under which the room answers there.
    pub origins: Vec<PublicOrigin>,
    /// The SHA-256 of a certificate that was made for a try, as browsers show it.
    pub fingerprint: Option<String>,
}

impl BoundTls {
    /// Binds the address and reads or makes the certificate, if the settings want it. Also returns the origins under which
    /// the room answers on public listeners: those of the settings, and with a certificate for a try those of the listener's
    /// own address.
    pub(super) async fn bind(listen: &ListenSettings) -> Result<(Option<Self>, Vec<PublicOrigin>), TlsError> {
        let public = listen.public.clone();
        let Some(settings) = &listen.tls else { return Ok((None, public)) };
        let bound = Self::bind_to(settings, &public).await?;
        let own = bound.place.origins.iter().filter(|origin| !public.contains(origin)).cloned();
        let public = public.iter().cloned().chain(own).collect();
        Ok((Some(bound), public))
    }

    async fn bind_to(settings: &TlsSettings, public: &[PublicOrigin]) -> Result<Self, TlsError> {
        let failed = |error| TlsError::Listen { address: settings.address, error };
        let listener = TcpListener::bind(settings.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut origins: Vec<_> = public.iter().filter(|origin| origin.is_secure()).cloned().collect();
        let (certificates, fingerprint) = match &settings.certificate {
            CertificateSource::Files { certificate, key } => {
                let files = Files { certificate: certificate.clone(), key: key.clone() };
                let certificates = read(files).await?;
                warn_of_other_names(&certificates.current(), &origins);
                (certificates, None)
            }
            CertificateSource::SelfSigned => {
                origins.extend(own_origins(address));
                let names: BTreeSet<_> = origins.iter().map(PublicOrigin::name).collect();
                let names: Vec<_> = names.into_iter().collect();
                let certificate = Certificate::self_signed(&names)?;
                let fingerprint = certificate.fingerprint();
                (Certificates::of_one(certificate), Some(fingerprint))
            }
        };
        let certificates = Arc::new(certificates);
        let acceptor = acceptor(Arc::clone(&certificates) as _)?;
        let place = TlsPlace { address, origins, fingerprint };
        Ok(Self { listener, acceptor, certificates, place })
    }

    /// Accepts connections, and follows the certificate's files, until `closing` is cancelled.
    pub(super) async fn accept(self, limiter: ConnectionLimiter, closing: CancellationToken) {
        tokio::join!(
            accept(self.listener, self.acceptor, limiter, closing.clone()),
            self.certificates.follow(closing),
        );
    }
}

/// Reads the files on a thread for what blocks.
async fn read(files: Files) -> Result<Certificates, CertificateError> {
    match spawn_blocking(move || Certificates::of_files(files)).await {
        Ok(read) => read,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// How a browser of this machine, or of one that can reach this address, names it.
fn own_origins(address: SocketAddr) -> Vec<PublicOrigin> {
    let port = address.port();
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
    if !address.ip().is_unspecified() && !address.ip().is_loopback() {
        hosts.insert(
            0,
            match address.ip() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            },
        );
    }
    hosts.iter().filter_map(|host| PublicOrigin::parse(&format!("https://{host}:{port}")).ok()).collect()
}

/// Says in the log which of the room's names a certificate does not have, if it has none of them: with others there may be
/// a proxy.
fn warn_of_other_names(certificate: &Certificate, origins: &[PublicOrigin]) {
    let Some(parsed) =
        certificate.certified.cert.first().and_then(|der| ParsedCertificate::try_from(der).ok())
    else {
        return;
    };
    let has = |origin: &PublicOrigin| {
        ServerName::try_from(origin.name()).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    if !origins.iter().any(has) {
        tracing::warn!(
            "The TLS certificate is for none of the https origins in listen.public: browsers will refuse it. Get one for \
             their name, or correct the list."
        );
    }
}
