//! A private Tor network on this machine: real directory authorities, relays and a client, all on 127.0.0.1.
//!
//! For tests, and to try the room without the internet. Every node is a process of the C program `tor`. The nodes
//! connect to the loopback address only, and end with the process that started them. The module is the cargo feature
//! `lab`, on by default.
//!
//! ```no_run
//! # async fn example() -> Result<(), onionroom::lab::LabError> {
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
//! [`Plan`] → [`Prepared`] → [`Network`]: preparing makes keys and files and reserves ports, starting runs the
//! processes. They are separate so that a room can be opened on a network that does not run yet.

mod control;
mod distance;
mod error;
mod files;
mod keys;
mod network;
mod node_spec;
mod plan;
mod ports;
mod process;
mod programs;
mod progress;
mod start;
mod torrc;

pub use control::{Control, ControlError, Events};
pub use error::LabError;
pub use network::Network;
pub use plan::{Plan, Prepared};
pub use progress::Progress;
