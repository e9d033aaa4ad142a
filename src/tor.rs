//! The Tor network: bootstrap, the onion service, its keys and its status. The only place that names Arti.

mod address;
mod backoff;
mod configuration;
mod error;
mod network;
mod rendezvous;
mod run;
mod self_check;
mod status;
mod storage;
mod supervisor;
mod tasks;
mod traffic;
mod trouble;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use address::OnionAddress;
pub use error::TorError;
pub use network::{Authority, PrivateNetwork, PrivateNetworkError};
pub use rendezvous::{ArtiCircuit, ArtiIntroduction};
pub use status::{Stage, Status, Trouble};

use crate::config::OnionSettings;
use crate::storage::DataDirectory;
use run::{Identity, Plan, Run};
use storage::Storage;
use supervisor::Supervisor;

/// How many introductions may wait for the accept loop to take them; more are dropped.
const INTRODUCTIONS_WAITING: usize = 64;

/// What the onion service brings: clients that ask to be met, for [`crate::listen::onion::accept`].
pub type Circuits = mpsc::Receiver<ArtiIntroduction>;

/// The room's onion service, from its key to its being reachable.
///
/// It owns everything that it starts. [`OnionService::shutdown`] ends it and waits for that; dropping it ends
/// it a little later.
#[derive(Debug)]
pub struct OnionService {
    address: OnionAddress,
    status: watch::Receiver<Status>,
    circuits: Option<Circuits>,
    supervisor: JoinHandle<()>,
    /// Tells the supervisor to end.
    end: DropGuard,
}

impl OnionService {
    /// Launches the service. When this returns the key exists and the address is known; connecting, publishing
    /// and checking go on in the background, see [`OnionService::status`]. Needs no network.
    ///
    /// Keys and state are kept in `directory`. If that is ephemeral the key is new and only in memory.
    ///
    /// # Errors
    /// When the directory cannot be written to, the description of a private network is wrong, or Arti does
    /// not start.
    pub async fn launch(settings: &OnionSettings, directory: Arc<DataDirectory>) -> Result<Self, TorError> {
        let (introductions, circuits) = mpsc::channel(INTRODUCTIONS_WAITING);
        let network = settings.network_file.as_deref().map(PrivateNetwork::read).transpose()?;
        let identity = directory.is_ephemeral().then(Identity::generate);
        let storage = Storage::within(directory)?;
        let plan = Plan { storage, network, identity, introductions };
        let run = Run::start(&plan)?;

        let address = run.address.clone();
        let (sender, status) = watch::channel(Status::starting());
        let end = CancellationToken::new();
        let supervisor = Supervisor::new(plan, settings.port, sender, end.clone());
        Ok(Self {
            address,
            status,
            circuits: Some(circuits),
            supervisor: tokio::spawn(supervisor.supervise(run)),
            end: end.drop_guard(),
        })
    }

    /// The address that guests open.
    pub fn address(&self) -> &OnionAddress {
        &self.address
    }

    /// How far the service is, now and from now on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The clients that ask to be met; once, for one accept loop.
    pub fn circuits(&mut self) -> Option<Circuits> {
        self.circuits.take()
    }

    /// Ends the service: its circuits, its tasks, its hold on the data directory. Takes less than three
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
