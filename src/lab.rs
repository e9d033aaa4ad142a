//! A private Tor network on this machine: real directory authorities, relays and a client, all on 127.0.0.1.
//!
//! For tests, and for people who want to see the room work without the internet. Every node is a process of
//! the C program `tor`, none talks to anything beyond the loopback address, and all of them end with the
//! process that started them.
//!
//! ```no_run
//! # async fn see() -> Result<(), onionroom::lab::LabError> {
//! use onionroom::lab::Plan;
//!
//! let prepared = Plan::default().prepare(|step| println!("{step}")).await?;
//! println!("onion.network_file = {}", prepared.network_file().display());
//! let network = prepared.start(|step| println!("{step}")).await?;
//! println!("curl --socks5-hostname {} http://….onion/", network.socks());
//! network.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Plan`] → [`Prepared`] → [`Network`]: preparing makes keys and files and reserves ports, starting runs
//! the processes. They are separate so that a room can be started on a network that is not there yet.

mod control;
mod error;
mod files;
mod keys;
mod network;
mod plan;
mod ports;
mod process;
mod program;
mod progress;
mod start;
mod torrc;

pub use control::{Control, ControlError, Events};
pub use error::LabError;
pub use network::Network;
pub use plan::{Plan, Prepared};
pub use progress::Progress;
