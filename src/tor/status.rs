//! The status of the onion service, for display.

use std::time::Duration;

/// The status of the onion service at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The step under way.
    pub stage: Stage,
    /// Progress from launch to reachable, from 0 to 1; never decreases while the stage advances.
    pub fraction: f32,
    /// What prevents progress, if known.
    pub problem: Option<Problem>,
    /// The time from launch until Arti's bootstrap was done; `None` before.
    pub bootstrap_took: Option<Duration>,
    /// How long the newest successful self-check took; `None` before the first.
    pub self_check_took: Option<Duration>,
}

/// The steps from launch to reachable, in their order.
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
    /// Connecting to the own address through Tor.
    SelfCheck,
    /// The self-check succeeded: guests can connect.
    Reachable,
}

impl Stage {
    /// The step as a phrase to put after "Tor: ".
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
pub struct Problem {
    /// What is wrong, in one sentence.
    pub description: String,
    /// What to do about it, in one sentence.
    pub advice: String,
}

impl Status {
    /// The status of a service that was just launched.
    pub fn starting() -> Self {
        Self {
            stage: Stage::Connecting,
            fraction: 0.0,
            problem: None,
            bootstrap_took: None,
            self_check_took: None,
        }
    }
}
