//! The Tor network: bootstrap, the onion service, its keys and its status. The only place that names Arti.

mod network;
mod status;

pub use network::{Authority, PrivateNetwork, PrivateNetworkError};
pub use status::{Stage, Status, Trouble};
