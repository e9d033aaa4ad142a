//! What stands in the way, in words: one sentence what is wrong, one what to do.

use std::time::Duration;

use arti_client::status::{BlockageKind, BootstrapStatus};

use super::Trouble;

/// How long nothing may move before that is called trouble. Arti takes a minute before it says so itself.
const QUIET: Duration = Duration::from_secs(10);

/// What keeps the bootstrap, which has not moved for `stalled`, from going on; `None` while it may just be
/// slow.
pub(super) fn of_bootstrap(status: &BootstrapStatus, stalled: Duration, private: bool) -> Option<Trouble> {
    let reached_a_relay = status.as_frac() > 0.0;
    match status.blocked().map(|blockage| blockage.kind()) {
        Some(BlockageKind::ClockSkewed) => Some(clock()),
        Some(BlockageKind::Filtering) => Some(filtered()),
        Some(BlockageKind::CantBootstrap) if stalled >= QUIET => Some(no_directory()),
        _ if stalled < QUIET => None,
        _ if reached_a_relay => Some(no_directory()),
        _ if private => Some(no_private_network()),
        _ => Some(no_relay()),
    }
}

/// The room does not find itself through Tor.
pub(super) fn of_self_check() -> Trouble {
    Trouble {
        what: "The room could not be reached through Tor just now.".into(),
        advice: "Check the internet connection; the program keeps trying and says when guests can come."
            .into(),
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
        what: "No authority of the private Tor network can be reached.".into(),
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
        what: "Connections to Tor relays are cut off; something on the way seems to filter them.".into(),
        advice: "Try another internet connection; the program keeps trying.".into(),
    }
}

fn clock() -> Trouble {
    Trouble {
        what: "This machine's clock seems to be wrong, so the Tor network's certificates do not hold.".into(),
        advice: "Set the clock and the time zone right; the program keeps trying.".into(),
    }
}
