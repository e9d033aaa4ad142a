//! How far the onion service is, in words for people.

use std::time::Duration;

/// What the Tor side is doing; watched by whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The step under way.
    pub stage: Stage,
    /// How much of the whole way is done, from 0 to 1; never goes back while the stage goes forward.
    pub fraction: f32,
    /// What stands in the way, if anything does.
    pub trouble: Option<Trouble>,
    /// How long Arti's bootstrap took, from launch until it was ready for traffic; once it is known.
    pub bootstrap_took: Option<Duration>,
    /// How long the newest successful self-check took to reach the room through Tor; once it is known.
    pub self_check_took: Option<Duration>,
}

/// The steps from start to reachable, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Connecting to a first relay.
    Connecting,
    /// Downloading the directory of relays.
    Directory,
    /// Building circuits.
    Circuits,
    /// Establishing introduction points.
    IntroductionPoints,
    /// Publishing the descriptor.
    Descriptor,
    /// The program is trying to reach its own address through Tor.
    SelfCheck,
    /// The self-check came through: guests can come.
    Reachable,
}

impl Stage {
    /// The step in words that complete "Tor: …".
    pub fn words(self) -> &'static str {
        match self {
            Stage::Connecting => "connecting to the network",
            Stage::Directory => "downloading the directory of relays",
            Stage::Circuits => "building circuits",
            Stage::IntroductionPoints => "establishing introduction points",
            Stage::Descriptor => "publishing the descriptor",
            Stage::SelfCheck => "checking that the address can be reached",
            Stage::Reachable => "reachable",
        }
    }
}

/// Why the room cannot be reached through Tor right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, in one sentence.
    pub what: String,
    /// What to do about it, in one sentence.
    pub advice: String,
}

impl Status {
    /// The status of a service that was just launched.
    pub fn starting() -> Self {
        Self {
            stage: Stage::Connecting,
            fraction: 0.0,
            trouble: None,
            bootstrap_took: None,
            self_check_took: None,
        }
    }
}
