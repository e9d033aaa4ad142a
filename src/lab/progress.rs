//! What the lab is doing, in words.

use std::fmt;
use std::time::Duration;

/// One step of building the network. Its `Display` is a phrase for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The authorities' keys are being made.
    MakingKeys {
        /// For how many authorities.
        authorities: usize,
    },
    /// A directory authority is being started.
    StartingAuthority {
        /// Which one, from 1.
        number: usize,
        /// How many there will be.
        of: usize,
    },
    /// A relay is being started.
    StartingRelay {
        /// Which one, from 1.
        number: usize,
        /// How many there will be.
        of: usize,
    },
    /// The authorities are learning about the relays.
    Introducing {
        /// How many relays every authority knows, the authorities themselves included.
        known: usize,
        /// How many there are.
        of: usize,
    },
    /// The authorities are voting on the first consensus.
    Voting,
    /// The relays are fetching the consensus.
    Spreading {
        /// How many relays have it.
        have: usize,
        /// How many there are.
        of: usize,
    },
    /// The client is connecting.
    ConnectingClient {
        /// How far its bootstrap is, from 0 to 100.
        percent: u8,
    },
    /// Everything runs and circuits can be built.
    Ready {
        /// How long starting took.
        took: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::MakingKeys { authorities } => write!(to, "making keys for {authorities} authorities"),
            Progress::StartingAuthority { number, of } => write!(to, "starting authority {number} of {of}"),
            Progress::StartingRelay { number, of } => write!(to, "starting relay {number} of {of}"),
            Progress::Introducing { known, of } => {
                write!(to, "introducing the relays to the authorities: {known} of {of}")
            }
            Progress::Voting => write!(to, "waiting for the first consensus"),
            Progress::Spreading { have, of } => write!(to, "handing out the consensus: {have} of {of}"),
            Progress::ConnectingClient { percent } => write!(to, "connecting the client: {percent} %"),
            Progress::Ready { took } => write!(to, "the network is ready after {:.1} s", took.as_secs_f32()),
        }
    }
}
