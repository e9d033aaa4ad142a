//! The connection to NATS, and the names of what a room has there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, Info};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::error::ClusterError;
use super::link::{self, Link};
use super::sealing::Sealer;
use super::secret::ClusterSecret;
use crate::config::ClusterSettings;

/// What all subjects and names of streams begin with.
const PREFIX: &str = "onionroom";

/// How long JetStream may take for one answer.
const REQUEST: Duration = Duration::from_secs(3);

/// How long it may take at the start, while servers that have just begun find each other.
const START: Duration = Duration::from_secs(15);

/// How often the client asks whether the server is still there; without two answers it looks for another.
const PING_EVERY: Duration = Duration::from_secs(3);

/// The connection of this process to NATS. It comes back by itself after it was lost.
pub struct Connection {
    client: Client,
    room: String,
    secret: ClusterSecret,
    /// For messages about it.
    secret_file: String,
    /// How many servers keep each message, for what is made anew.
    replicas: usize,
    /// Whether the settings say so.
    replicas_are_set: bool,
    link: watch::Receiver<Link>,
}

/// Why a request to JetStream failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// JetStream's own answer.
    #[error("{0}")]
    Refused(jetstream::Error),
    /// There was no answer; what was asked may have been done.
    #[error("{0}")]
    NoAnswer(String),
    /// There is no JetStream to answer.
    #[error("no JetStream answers")]
    NoJetStream,
}

impl ApiError {
    /// JetStream's number for the error.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.error_code()),
            Self::NoAnswer(_) | Self::NoJetStream => None,
        }
    }

    /// As the reason why `what` cannot be used.
    pub fn about(&self, what: &str) -> ClusterError {
        match self {
            Self::Refused(error) => ClusterError::of(what, error),
            Self::NoAnswer(reason) => ClusterError::NoQuorum { what: what.into(), reason: reason.clone() },
            Self::NoJetStream => ClusterError::NoJetStream,
        }
    }
}

impl Connection {
    /// Connects to one of the servers.
    ///
    /// # Errors
    /// A file cannot be read, or no server lets this client in.
    pub async fn open(settings: &ClusterSettings) -> Result<Arc<Self>, ClusterError> {
        let secret = ClusterSecret::read(&settings.secret)?;
        let (sender, link) = watch::channel(Link::Up(0));
        let options = options(settings, sender).await?;
        let servers: Vec<String> = settings.nats.iter().map(ToString::to_string).collect();
        let addresses: Vec<String> = settings.nats.iter().map(|address| address.place()).collect();
        let client = options.connect(addresses).await.map_err(|error| refused(&error, servers.join(", ")))?;
        let info = client.server_info();
        let count = info.connect_urls.len().max(settings.nats.len());
        let replicas = match settings.replicas {
            0 if info.cluster.is_some() && count >= 3 => 3,
            0 => 1,
            set => set,
        };
        if replicas > 1 && !client.is_server_compatible(2, 11, 0) {
            tracing::warn!(
                "The NATS server has the version {}. Before 2.11, servers that are killed or stopped can come back with \
                 another history than the others have, also of messages that were acknowledged. Install a newer \
                 nats-server on each machine, or keep to one server with cluster.replicas = 1.",
                info.version
            );
        }
        Ok(Arc::new(Self {
            client,
            room: settings.room.clone(),
            secret,
            secret_file: settings.secret.display().to_string(),
            replicas,
            replicas_are_set: settings.replicas > 0,
            link,
        }))
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The state of the connection, which changes.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Whether the connection is up. What the client tells of changes may be lost when there are many.
    pub fn is_up(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// How many servers keep what is made anew.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// A subject of the room: `onionroom.<room>.<tail>`.
    pub fn subject(&self, tail: &str) -> String {
        format!("{PREFIX}.{}.{tail}", self.room)
    }

    /// The name of a stream or bucket of the room: `onionroom_<room>_<kind>`.
    pub fn name(&self, kind: &str) -> String {
        format!("{PREFIX}_{}_{kind}", self.room)
    }

    /// What encrypts for one purpose in this room.
    pub fn sealer(&self, purpose: &str) -> Sealer {
        self.secret.sealer(purpose, &self.room)
    }

    /// A key for one purpose in this room.
    pub fn derive(&self, purpose: &str) -> zeroize::Zeroizing<[u8; 32]> {
        self.secret.derive(purpose, &self.room)
    }

    /// That what is there was encrypted with another key.
    pub fn other_key(&self) -> ClusterError {
        ClusterError::OtherKey { room: self.room.clone(), file: self.secret_file.clone() }
    }

    /// That what is there was written by a newer version.
    pub fn newer(&self) -> ClusterError {
        ClusterError::Newer { room: self.room.clone() }
    }

    /// Asks JetStream: `$JS.API.<subject>`.
    ///
    /// # Errors
    /// It refuses, or does not answer in three seconds.
    pub async fn api<V: DeserializeOwned>(
        &self,
        subject: &str,
        payload: &impl Serialize,
    ) -> Result<V, ApiError> {
        let payload = serde_json::to_vec(payload).map_err(|error| ApiError::NoAnswer(error.to_string()))?;
        let request = async_nats::Request::new().payload(payload.into()).timeout(Some(REQUEST));
        let asked = self.client.send_request(format!("$JS.API.{subject}"), request);
        // The client waits for a connection before it begins to count.
        let answer = match tokio::time::timeout(REQUEST + Duration::from_secs(1), asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.kind() == async_nats::RequestErrorKind::NoResponders => {
                return Err(ApiError::NoJetStream);
            }
            Ok(Err(error)) => return Err(ApiError::NoAnswer(error.to_string())),
            Err(_) => return Err(ApiError::NoAnswer("timed out".into())),
        };
        match serde_json::from_slice(&answer.payload) {
            Ok(Response::Ok(value)) => Ok(value),
            Ok(Response::Err { error }) => Err(ApiError::Refused(error)),
            Err(error) => Err(ApiError::NoAnswer(error.to_string())),
        }
    }

    /// The stream of this name, as `config` has it; made if it is not there. What exists keeps its replicas, unless the
    /// settings have a number. Waits up to 15 seconds for servers that have just started.
    ///
    /// # Errors
    /// The servers refuse it, or do not answer.
    pub async fn stream(&self, what: &str, config: Config) -> Result<Info, ClusterError> {
        let deadline = Instant::now() + START;
        loop {
            match self.try_stream(&config).await {
                Ok(info) => return Ok(info),
                Err(error) if Instant::now() < deadline && is_temporary(&error) => {
                    tracing::debug!(%error, "JetStream is asked again");
                    sleep(Duration::from_millis(250)).await;
                }
                Err(error) => return Err(error.about(what)),
            }
        }
    }

    async fn try_stream(&self, config: &Config) -> Result<Info, ApiError> {
        let info = match self.api::<Info>(&format!("STREAM.INFO.{}", config.name), &()).await {
            Err(error) if error.code() == Some(ErrorCode::STREAM_NOT_FOUND) => {
                let made = Config { num_replicas: self.replicas, ..config.clone() };
                return self.api(&format!("STREAM.CREATE.{}", made.name), &made).await;
            }
            info => info?,
        };
        let there = &info.config;
        let replicas = if self.replicas_are_set { self.replicas } else { there.num_replicas };
        let limits = |config: &Config| {
            (config.max_messages, config.max_bytes, config.max_age, config.max_messages_per_subject)
        };
        if limits(there) == limits(config) && there.num_replicas == replicas {
            return Ok(info);
        }
        let changed = Config { num_replicas: replicas, ..config.clone() };
        self.api(&format!("STREAM.UPDATE.{}", changed.name), &changed).await
    }
}

/// Whether the same request may succeed later.
fn is_temporary(error: &ApiError) -> bool {
    match error {
        ApiError::NoAnswer(_) | ApiError::NoJetStream => true,
        ApiError::Refused(error) => matches!(
            error.error_code(),
            ErrorCode::CLUSTER_NOT_AVAILABLE
                | ErrorCode::CLUSTER_NOT_LEADER
                | ErrorCode::CLUSTER_INCOMPLETE
                | ErrorCode::CLUSTER_NO_PEERS
                | ErrorCode::STREAM_NAME_EXIST
        ),
    }
}

async fn options(
    settings: &ClusterSettings,
    sender: watch::Sender<Link>,
) -> Result<ConnectOptions, ClusterError> {
    let count = AtomicU64::new(0);
    let mut options = ConnectOptions::new()
        .name("onionroom")
        .ping_interval(PING_EVERY)
        .connection_timeout(Duration::from_secs(3))
        // A server that is away is tried again soon: the room cannot write meanwhile.
        .reconnect_delay_callback(|attempts| Duration::from_millis(50 * attempts.min(20) as u64))
        .event_callback(move |event| {
            match event {
                Event::Connected => link::note(&sender, true, count.fetch_add(1, Ordering::Relaxed) + 1),
                Event::Disconnected | Event::Closed => link::note(&sender, false, 0),
                _ => {}
            }
            tracing::debug!(%event, "NATS");
            std::future::ready(())
        });
    let file = |key, reason: String| ClusterError::File { key, reason };
    // The client does not look for them in addresses.
    match settings.nats.iter().find_map(crate::config::NatsAddress::credentials) {
        Some((user, Some(password))) => options = options.user_and_password(user, password),
        Some((token, None)) => options = options.token(token),
        None => {}
    }
    if let Some(path) = &settings.credentials {
        options = options.credentials_file(path).await.map_err(|error| {
            file("credentials_file", format!("{} cannot be used: {error}", path.display()))
        })?;
    }
    if let Some(path) = &settings.ca {
        readable("tls_ca", path)?;
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &settings.certificate {
        readable("tls_certificate", certificate)?;
        readable("tls_key", key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    let encrypted = settings.nats.iter().any(crate::config::NatsAddress::is_tls);
    if encrypted || settings.ca.is_some() || settings.certificate.is_some() {
        options = options.require_tls(true);
    }
    Ok(options)
}

fn readable(key: &'static str, path: &std::path::Path) -> Result<(), ClusterError> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(ClusterError::File { key, reason: format!("{} cannot be read: {error}", path.display()) })
        }
    }
}

fn refused(error: &ConnectError, servers: String) -> ClusterError {
    let reason = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ClusterError::Refused { reason }
        }
        // Most of what goes wrong in a handshake is told as an error of the socket.
        ConnectErrorKind::Io
            if ["certificate", "alert", "tls"].iter().any(|word| reason.to_lowercase().contains(word)) =>
        {
            ClusterError::Tls { servers, reason }
        }
        ConnectErrorKind::Tls => ClusterError::Tls { servers, reason },
        _ => ClusterError::Unreachable { servers, reason },
    }
}
