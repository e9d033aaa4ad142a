//! The Tor network: bootstrap, the onion service, its keys and its status. The only place that names Arti.

mod status;

pub use status::{Stage, Status, Trouble};
