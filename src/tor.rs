//! The onion service: bootstrap, keys, self-checks and status, with Arti. The only module that names Arti's crates.

mod activity;
mod address;
mod admission;
mod backoff;
mod belonging;
mod build_timeout;
pub mod c_tor;
mod client;
mod client_key;
mod configuration;
mod diagnosis;
mod directory;
mod error;
mod guests;
mod identity;
mod instance;
mod launch_config;
mod options;
mod private_network;
mod rendezvous;
mod replacement;
mod self_check;
mod status;
mod storage;
mod supervisor;
mod tasks;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use address::OnionAddress;
pub use client_key::ClientKey;
pub use configuration::address_in;
pub use error::TorError;
pub use identity::{IdentityKey, KeystoreError};
pub use private_network::{Authority, PrivateNetwork, PrivateNetworkError};
pub use rendezvous::{ArtiCircuit, ArtiIntroduction};
pub use status::{Problem, Stage, Status};

use crate::config::OnionSettings;
use crate::invitations::Access;
use crate::storage::DataDirectory;
use instance::ArtiInstance;
use launch_config::{LaunchConfig, ServiceKeypair};
use options::ArtiOptions;
use storage::Storage;
use supervisor::Supervisor;

/// How many introductions may be queued for the accept loop. No more than it takes at once: where they wait before,
/// in Arti, those with more proof of work go first.
const INTRODUCTION_QUEUE: usize = 1;

/// The introductions that the onion service receives, for [`crate::listen::onion::accept`].
pub type Introductions = mpsc::Receiver<ArtiIntroduction>;

/// The room's onion service.
///
/// It owns all tasks that it starts. [`OnionService::shutdown`] ends them and waits for that; dropping it ends them
/// a little later.
#[derive(Debug)]
pub struct OnionService {
    address: OnionAddress,
    status: watch::Receiver<Status>,
    introductions: Option<Introductions>,
    supervisor: JoinHandle<()>,
    /// Cancels the supervisor when dropped.
    end: DropGuard,
}

impl OnionService {
    /// Launches the service. When this returns the key exists and the address is known; connecting, publishing
    /// and self-checks go on in the background, see [`OnionService::status`]. Needs no network.
    ///
    /// Keys and state are kept in `directory`. If that is ephemeral the key is new and only in memory. `access` says who
    /// may find the room: its first value from the beginning, later ones without a restart.
    ///
    /// # Errors
    /// When the directory cannot be written to, the description of a private network is wrong, or Arti does
    /// not start.
    pub async fn launch(
        settings: &OnionSettings,
        directory: Arc<DataDirectory>,
        access: watch::Receiver<Access>,
    ) -> Result<Self, TorError> {
        let (sender, introductions) = mpsc::channel(INTRODUCTION_QUEUE);
        let network = settings.network_file.as_deref().map(PrivateNetwork::read).transpose()?;
        let keypair = directory.is_ephemeral().then(ServiceKeypair::generate);
        let storage = Storage::within(directory, network.as_ref())?;
        let options = ArtiOptions::new(settings);
        tracing::debug!(?options, "what Arti is asked to limit");
        let threads = settings.threads;
        let own_key = ClientKey::generate();
        let config = LaunchConfig {
            storage,
            network,
            keypair,
            options,
            threads,
            access,
            own_key,
            introductions: sender,
        };
        let instance = ArtiInstance::start(&config)?;

        let address = instance.address.clone();
        let (status_sender, status) = watch::channel(Status::starting());
        let end = CancellationToken::new();
        let supervisor = Supervisor::new(config, settings.port, status_sender, end.clone());
        Ok(Self {
            address,
            status,
            introductions: Some(introductions),
            supervisor: tokio::spawn(supervisor.run(instance)),
            end: end.drop_guard(),
        })
    }

    /// The address that guests open.
    pub fn address(&self) -> &OnionAddress {
        &self.address
    }

    /// The status, now and as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The introductions, for one accept loop; `None` after the first call.
    pub fn introductions(&mut self) -> Option<Introductions> {
        self.introductions.take()
    }

    /// Ends the service: closes its circuits, ends its tasks and releases the data directory. Takes less than three
    /// seconds.
    pub async fn shutdown(self) {
        let Self { supervisor, end, .. } = self;
        drop(end);
        if let Err(error) = supervisor.await {
            tracing::debug!(%error, "the supervisor of the onion service did not end well");
        }
    }
}

#[cfg(test)]
mod tests;
