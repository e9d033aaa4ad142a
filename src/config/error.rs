//! What can be wrong with settings, in sentences that say what to do.

use std::io;
use std::path::PathBuf;

/// Why there are no settings. Each message is for the person who typed them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The configuration file cannot be read.
    #[error("The configuration file {} cannot be read: {source}. Check the path, or leave --config away.", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{}, line {line}: this is not TOML: {message}.", file.display())]
    NotToml {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
    /// A name that is not in the table.
    #[error("There is no {what} ({provenance}). {hint}")]
    Unknown {
        /// What was typed: `key room.guets`.
        what: String,
        /// Where: the file and line, or the variable.
        provenance: String,
        /// The nearest name that there is, or all of them.
        hint: String,
    },
    /// A value that its key does not take.
    #[error("{key} cannot be {given} ({provenance}){}. Allowed: {allowed}.", .reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    BadValue {
        /// The key: `room.guests`.
        key: String,
        /// What was given, as typed.
        given: String,
        /// Where: the file and line, the variable or the flag.
        provenance: String,
        /// Which rule it breaks, where `allowed` alone does not say.
        reason: Option<String>,
        /// What may be given.
        allowed: String,
    },
    /// A room without a name.
    #[error(
        "A room has no name ({provenance}). Write name = \"…\" after [[rooms]]: it is what stands in its address."
    )]
    UnnamedRoom {
        /// Where: the file and line.
        provenance: String,
    },
    /// Other rooms, and servers that keep the messages of one.
    #[error(
        "There are [[rooms]] beside the main one, and cluster.nats is set: only the main room can be on several machines. Leave the [[rooms]] away, or give each a directory, an address and a cluster.room of its own."
    )]
    ClusterRooms,
    /// Two values that do not go together.
    #[error(
        "listen.connections is {connections}, but room.guests is {guests}, and every guest needs a connection. Raise the one or lower the other."
    )]
    FewerConnectionsThanGuests {
        /// `listen.connections`.
        connections: usize,
        /// `room.guests`.
        guests: usize,
    },
    /// Neither a local listener nor an onion service.
    #[error(
        "listen.local is off and the onion service too, so there would be no way into the room. Say --local key, open or unix, leave --no-onion away, or set listen.proxy or listen.tls."
    )]
    NoWayIn,
    /// A listener for proxies, but no name to answer under.
    #[error(
        "listen.proxy is set, but listen.public is empty, so every request there would be refused. Name the addresses that your guests open, such as public = [\"https://room.example\"]."
    )]
    NoPublicOrigin,
    /// A certificate, but no address.
    #[error(
        "A certificate for TLS is set, but listen.tls is not. Say where with --tls, such as --tls 0.0.0.0:8443, or leave the certificate away."
    )]
    NoTlsAddress,
    /// An address for TLS without a certificate.
    #[error(
        "listen.tls is set, but the certificate is not. Name both of its files with --tls-certificate and --tls-key, or have one made for a try with --tls-self-signed."
    )]
    NoCertificate,
    /// A certificate of files, and one that is made.
    #[error("listen.tls_self_signed is set, and files of a certificate too. Leave one of them away.")]
    TwoCertificates,
    /// A listener for TLS, but no name to answer under.
    #[error(
        "listen.tls is set, but there is no https origin in listen.public, so every request there would be refused. Name the address that your guests open, such as public = [\"https://room.example\"]."
    )]
    NoSecureOrigin,
    /// Servers, but no key that the texts there are encrypted with.
    #[error(
        "cluster.nats is set, but cluster.secret_file is not. Make the key with `onionroom cluster key FILE`, give each machine of the room the same file, and name it there."
    )]
    NoClusterSecret,
    /// A certificate for NATS without its key, or a key without its certificate.
    #[error(
        "cluster.tls_certificate and cluster.tls_key belong together, and only one of them is set. Name both files, or neither."
    )]
    HalfClusterCertificate,
    /// A room that is to leave nothing, and servers that keep it.
    #[error(
        "The room is to be ephemeral, but cluster.nats is set, and those servers keep its messages. Leave one of them away."
    )]
    EphemeralCluster,
    /// A room that is to be wiped by itself, and servers that keep it.
    #[error(
        "room.wipe_after_days is set, but the messages of this room are on the servers of cluster.nats, which it cannot wipe. Leave one of them away."
    )]
    WipedElsewhere,
    /// A room that is to leave nothing, and invitations that are kept.
    #[error(
        "The room is to be ephemeral, but onion.restricted is set, and invitations are kept in a data directory. Leave --ephemeral away; a directory of its own with --data-dir can be removed after the evening."
    )]
    EphemeralInvitations,
    /// No directory for keys and state is known.
    #[error(
        "There is no home directory to keep the room's messages and keys in. Say where with --data-dir, or use --ephemeral to keep nothing."
    )]
    NoDataDirectory,
}
