//! What stands in the way, in words: one sentence what is wrong, one what to do.

use std::time::Duration;

use arti_client::status::{BlockageKind, BootstrapStatus};

use super::Trouble;

/// How long nothing may move before that is called trouble. Arti takes a minute before it says so itself.
const QUIET: Duration = Duration::from_secs(10);

/// Arti's fraction from which on it is connected: it counts 0.075 for a connection to a relay, as much again
/// for the relay's having proved that it is one, and 0.85 for the directory.
pub(super) const CONNECTED: f32 = 0.15;

/// What keeps the bootstrap, which has not moved for `stalled`, from going on; `None` while it may just be
/// slow.
pub(super) fn of_bootstrap(status: &BootstrapStatus, stalled: Duration, private: bool) -> Option<Trouble> {
    let fraction = status.as_frac();
    match status.blocked().map(|blockage| blockage.kind()) {
        Some(BlockageKind::ClockSkewed) => Some(clock()),
        Some(BlockageKind::Filtering) => Some(filtered()),
        Some(BlockageKind::CantBootstrap) if stalled >= QUIET => Some(no_directory()),
        _ if stalled < QUIET => None,
        _ if fraction >= CONNECTED => Some(no_directory()),
        _ if fraction > 0.0 => Some(filtered()),
        _ if private => Some(no_private_network()),
        _ => Some(no_relay()),
    }
}

/// The room does not reach itself through Tor, and nothing is heard from any relay if it is `silent`.
pub(super) fn of_visits(silent: bool, private: bool) -> Trouble {
    match (silent, private) {
        (true, true) => no_private_network(),
        (true, false) => no_relay(),
        (false, _) => Trouble {
            what: "The room could not be reached through Tor just now.".into(),
            advice: "Check the internet connection and the clock; the program keeps trying and says when \
                     guests can come."
                .into(),
        },
    }
}

/// Arti did not start again.
pub(super) fn of_restart(reason: &str) -> Trouble {
    Trouble {
        what: format!("Tor had to be started anew, and that failed: {}", reason.trim_end_matches('.')) + ".",
        advice: "Check the data directory and the space on its disk; the program keeps trying.".into(),
    }
}

fn no_relay() -> Trouble {
    Trouble {
        what: "No relay of the Tor network can be reached from this machine.".into(),
        advice: "Check the internet connection, and whether a firewall blocks Tor; the program keeps trying."
            .into(),
    }
}

fn no_private_network() -> Trouble {
    Trouble {
        what: "No relay of the private Tor network can be reached.".into(),
        advice: "Start that network, for example with `onionroom lab`; the program keeps trying.".into(),
    }
}

fn no_directory() -> Trouble {
    Trouble {
        what: "Tor relays answer, but the directory of the network cannot be downloaded.".into(),
        advice:
            "Check that this machine's clock and time zone are right, and whether the connection is very \
                 slow; the program keeps trying."
                .into(),
    }
}

fn filtered() -> Trouble {
    Trouble {
        what: "Something answers in place of the Tor relays, or cuts the connections to them.".into(),
        advice: "See whether this network wants a login first, or try another; the program keeps trying."
            .into(),
    }
}

fn clock() -> Trouble {
    Trouble {
        what: "This machine's clock seems to be wrong, so the Tor network's certificates do not hold.".into(),
        advice: "Set the clock and the time zone right; the program keeps trying.".into(),
    }
}
