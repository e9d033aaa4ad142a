//! The progress of preparing and starting a network, for display.

use std::fmt;
use std::time::Duration;

/// One step; its `Display` is a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The authorities' keys are being made.
    MakingKeys {
        /// The number of authorities.
        authorities: usize,
    },
    /// A directory authority is being started.
    StartingAuthority {
        /// Its number, from 1.
        number: usize,
        /// The number of all.
        of: usize,
    },
    /// A relay is being started.
    StartingRelay {
        /// Its number, from 1.
        number: usize,
        /// The number of all.
        of: usize,
    },
    /// The authorities are receiving the relays' descriptors.
    CollectingDescriptors {
        /// The number of descriptors that every authority has, those of authorities included.
        collected: usize,
        /// The number of all.
        of: usize,
    },
    /// The authorities are voting on the first consensus.
    Voting,
    /// The relays are fetching the consensus.
    DistributingConsensus {
        /// The number of relays that have it.
        updated: usize,
        /// The number of all.
        of: usize,
    },
    /// The client is connecting.
    ConnectingClient {
        /// Its bootstrap progress, from 0 to 100.
        percent: u8,
    },
    /// All nodes run and circuits can be built.
    Ready {
        /// The duration of the start.
        took: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::MakingKeys { authorities } => write!(to, "making keys for {authorities} authorities"),
            Progress::StartingAuthority { number, of } => write!(to, "starting authority {number} of {of}"),
            Progress::StartingRelay { number, of } => write!(to, "starting relay {number} of {of}"),
            Progress::CollectingDescriptors { collected, of } => {
                write!(to, "introducing the relays to the authorities: {collected} of {of}")
            }
            Progress::Voting => write!(to, "waiting for the first consensus"),
            Progress::DistributingConsensus { updated, of } => {
                write!(to, "handing out the consensus: {updated} of {of}")
            }
            Progress::ConnectingClient { percent } => write!(to, "connecting the client: {percent} %"),
            Progress::Ready { took } => write!(to, "the network is ready after {:.1} s", took.as_secs_f32()),
        }
    }
}
