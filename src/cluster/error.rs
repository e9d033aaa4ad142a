//! Why NATS cannot be used, in sentences that say what to do.

use async_nats::jetstream::{self, ErrorCode};

use super::secret::SecretError;

/// Why NATS cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The key that texts are encrypted with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A file that a setting names.
    #[error("cluster.{key}: {reason}. Check the path and the file.")]
    File {
        /// The setting.
        key: &'static str,
        /// What is wrong with the file.
        reason: String,
    },
    /// No server answers.
    #[error(
        "No NATS server of cluster.nats ({servers}) can be reached: {reason}. Check the addresses, that nats-server runs there, and that no firewall is between."
    )]
    Unreachable {
        /// The addresses, without passwords.
        servers: String,
        /// The client's words.
        reason: String,
    },
    /// A server answers, and does not let the client in.
    #[error(
        "The NATS server refuses this client: {reason}. Check the user and password in cluster.nats, or cluster.credentials_file."
    )]
    Refused {
        /// The client's words.
        reason: String,
    },
    /// The encrypted connection does not come about.
    #[error(
        "No encrypted connection to a NATS server of cluster.nats ({servers}) comes about: {reason}. Check cluster.tls_ca, cluster.tls_certificate and cluster.tls_key, and that the server's certificate is for the host that the address names."
    )]
    Tls {
        /// The addresses, without passwords.
        servers: String,
        /// The client's words.
        reason: String,
    },
    /// A server without JetStream.
    #[error(
        "The NATS server keeps nothing: JetStream is not on for this account. Put `jetstream {{ store_dir: … }}` into nats-server.conf, or enable it for the account. If it was on before, the server's disk was most likely full: make room on it, and restart nats-server."
    )]
    NoJetStream,
    /// The servers know each other, and too few of them answer.
    #[error(
        "NATS can be reached, but {what} cannot be used: {reason}. Most likely fewer than half of its servers are up, or their disks were full; start the others, make room on the disks and restart those servers (`nats server report jetstream` shows them), then try again."
    )]
    NoQuorum {
        /// What of the room.
        what: String,
        /// The servers' words.
        reason: String,
    },
    /// The servers refuse what they are asked for.
    #[error("NATS refuses {what}: {reason}.{}", .hint)]
    Stream {
        /// What was asked for.
        what: String,
        /// The servers' words.
        reason: String,
        /// What to do, with a space before it; or nothing.
        hint: &'static str,
    },
    /// What is there was encrypted under another key.
    #[error(
        "The room {room:?} in NATS was encrypted with another key than the one in {}. Copy the file of a machine where the room works; or, for a new room, choose another name with cluster.room.",
        file
    )]
    OtherKey {
        /// The name of the room.
        room: String,
        /// The file of the key.
        file: String,
    },
    /// What is there is of a newer version.
    #[error(
        "The room {room:?} in NATS was written by a newer version of this program. Use that version on each machine."
    )]
    Newer {
        /// The name of the room.
        room: String,
    },
    /// The operating system gave no randomness.
    #[error("The operating system gives no randomness: {0}. Nothing secret can be made without it.")]
    Randomness(#[from] getrandom::Error),
}

impl ClusterError {
    /// What JetStream's error means for `what`.
    pub(crate) fn of(what: impl Into<String>, error: &jetstream::Error) -> Self {
        let (what, reason) = (what.into(), sentence(&error.to_string()));
        match error.error_code() {
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
                Self::NoJetStream
            }
            ErrorCode::CLUSTER_NOT_AVAILABLE
            | ErrorCode::CLUSTER_INCOMPLETE
            | ErrorCode::CLUSTER_NOT_LEADER => Self::NoQuorum { what, reason },
            // Not enough servers for the replicas; a single server has no replicas.
            ErrorCode::CLUSTER_NO_PEERS | ErrorCode(10074) => Self::Stream {
                what,
                reason,
                hint: " Start as many servers as cluster.replicas says, or make it smaller; restart those whose disk was full, with room on it.",
            },
            ErrorCode::STORAGE_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES | ErrorCode(10028) => {
                Self::Stream {
                    what,
                    reason,
                    hint: " Raise max_file_store in nats-server.conf, or make history.megabytes smaller.",
                }
            }
            ErrorCode::STREAM_CREATE => Self::Stream {
                what,
                reason,
                hint: " Most likely a server's disk is full: make room on it, and restart nats-server.",
            },
            _ => Self::Stream { what, reason, hint: "" },
        }
    }
}

/// The servers' words without a full stop.
fn sentence(reason: &str) -> String {
    reason.trim_end_matches('.').to_owned()
}
