//! What is needed to launch the onion service, and to launch it again.

use tokio::sync::{mpsc, watch};
use tor_hscrypto::pk::HsIdKeypair;
use tor_llcrypto::pk::ed25519;
use tor_llcrypto::rng::CautiousRng;

use super::client_key::ClientKey;
use super::options::ArtiOptions;
use super::private_network::PrivateNetwork;
use super::rendezvous::ArtiIntroduction;
use super::storage::Storage;
use crate::invitations::Access;

/// What every instance of Arti of one room needs.
pub(super) struct LaunchConfig {
    pub(super) storage: Storage,
    /// The private Tor network to use in place of the public one.
    pub(super) network: Option<PrivateNetwork>,
    /// The key of an ephemeral room, which no keystore keeps from one instance to the next.
    pub(super) keypair: Option<ServiceKeypair>,
    /// What Arti is asked to limit.
    pub(super) options: ArtiOptions,
    /// See [`crate::config::OnionSettings::threads`].
    pub(super) threads: usize,
    /// Who may find the room.
    pub(super) access: watch::Receiver<Access>,
    /// The key of the room's own client, in a private room.
    pub(super) own_key: ClientKey,
    /// Where introductions are sent.
    pub(super) introductions: mpsc::Sender<ArtiIntroduction>,
}

/// An onion service's identity key, in memory only
/// ([rend-spec, "Deriving keys"](https://spec.torproject.org/rend-spec/deriving-keys.html)).
pub(super) struct ServiceKeypair(ed25519::Keypair);

impl ServiceKeypair {
    /// A new random key.
    pub(super) fn generate() -> Self {
        Self(ed25519::Keypair::generate(&mut CautiousRng))
    }

    /// The key in the form in which Arti takes it.
    pub(super) fn expanded(&self) -> HsIdKeypair {
        ed25519::ExpandedKeypair::from(&self.0).into()
    }
}
