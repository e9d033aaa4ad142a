//! Settings from the configuration file, the environment and the command line.
//!
//! ```text
//! file        ─┐
//! environment ─┼─ assignments ── resolve ── Settings
//! flags       ─┘  (typed)        (checked)  (complete)
//! ```
//!
//! [`KEYS`] is the one table of what can be set: every source looks its names up there, so a key is spelled, checked
//! and explained the same way in each. [`Settings`] is validated and complete, and all that the rest of the program
//! sees. `docs/configuration.md` is the table for people.

mod cluster;
mod draft;
mod environment;
mod error;
mod extra_room;
mod file;
mod key;
mod keys;
mod limits;
mod nats_address;
mod public_origin;
mod raw;
mod resolve;
mod rooms;
mod settings;
mod standard_paths;
mod suggest;
mod texts;
mod title;
mod tls;

#[cfg(test)]
mod tests;

pub use error::SettingsError;
pub use extra_room::{ROOM_NAME_RULE, ROOMS_MAX, is_room_name};
pub use key::Key;
pub use keys::KEYS;
pub use limits::Limits;
pub use nats_address::NatsAddress;
pub use public_origin::PublicOrigin;
pub use raw::{Flag, Sources};
pub use settings::{
    CertificateSource, ClusterSettings, ExtraRoom, HistorySettings, ListenSettings, LocalAccess,
    OnionSettings, ProxyAddress, RoomSettings, Settings, TlsSettings,
};
pub use standard_paths::StandardPaths;

/// The commented example, every key at its default: `config/onionroom.toml`.
pub const EXAMPLE: &str = include_str!("../config/onionroom.toml");
