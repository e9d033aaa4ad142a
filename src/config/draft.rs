//! Settings while they are being filled in.

use std::path::PathBuf;

use super::cluster::ClusterDraft;
use super::settings::Settings;
use super::tls::TlsDraft;

/// The settings so far, and what is decided only when all are known.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) settings: Settings,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) ephemeral: bool,
    pub(super) tls: TlsDraft,
    pub(super) cluster: ClusterDraft,
    /// `listen.connections`, if it was given.
    pub(super) connections: Option<usize>,
}
