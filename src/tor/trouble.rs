//! What stands in the way, in words: one sentence what is wrong, one what to do.

use std::time::Duration;

use arti_client::status::BlockageKind;
use tor_proto::ClockSkew;

use super::Trouble;

/// How long nothing may move before that is called trouble. Arti takes a minute before it says so itself.
const QUIET: Duration = Duration::from_secs(10);

/// Arti's fraction from which on it is connected: it counts 0.075 for a connection to a relay, as much again
/// for the relay's having proved that it is one, and 0.85 for the directory.
pub(super) const CONNECTED: f32 = 0.15;

/// What is known about a run that does not get on.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Arti's own count of how far its bootstrap is, from 0 to 1.
    pub(super) fraction: f32,
    /// What Arti itself says is wrong.
    pub(super) blockage: Option<BlockageKind>,
    /// How wrong the clock is, as far as enough relays have told.
    pub(super) clock: ClockSkew,
    /// Whether a relay, or whatever is in its place, has ever sent anything in this run.
    pub(super) heard: bool,
    /// Whether the network is a private one.
    pub(super) private: bool,
}

impl Evidence {
    /// What keeps the bootstrap, which has not moved for `stalled`, from going on; `None` while it may just
    /// be slow.
    pub(super) fn of_bootstrap(&self, stalled: Duration) -> Option<Trouble> {
        if let Some(known) = self.clock() {
            return Some(known);
        }
        if stalled < QUIET {
            return None;
        }
        Some(if matches!(self.blockage, Some(BlockageKind::Offline)) || self.fraction <= 0.0 {
            self.no_relay()
        } else if self.fraction >= CONNECTED {
            no_directory()
        } else if self.heard {
            no_handshake()
        } else {
            filtered()
        })
    }

    /// Why the room does not reach itself through Tor; `silent` is that no relay is heard just now.
    pub(super) fn of_visits(&self, silent: bool) -> Trouble {
        match self.clock() {
            Some(known) => known,
            None if silent => self.no_relay(),
            None => unreachable(),
        }
    }

    fn clock(&self) -> Option<Trouble> {
        match self.clock {
            ClockSkew::Slow(by) => Some(clock(&format!(" (about {} slow)", roughly(by)))),
            ClockSkew::Fast(by) => Some(clock(&format!(" (about {} fast)", roughly(by)))),
            ClockSkew::None => matches!(self.blockage, Some(BlockageKind::ClockSkewed)).then(|| clock("")),
        }
    }

    fn no_relay(&self) -> Trouble {
        if self.private {
            Trouble {
                what: "No relay of the private Tor network can be reached.".into(),
                advice: "Start that network, for example with `onionroom lab`; the program keeps trying."
                    .into(),
            }
        } else {
            Trouble {
                what: "No relay of the Tor network can be reached from this machine.".into(),
                advice:
                    "Check the internet connection, and whether a firewall blocks Tor; the program keeps \
                         trying."
                        .into(),
            }
        }
    }
}

/// Arti did not start again, for `reason`, which is a sentence or two.
pub(super) fn of_restart(reason: &str) -> Trouble {
    Trouble {
        what: format!("Tor had to be started anew, and that failed. {reason}"),
        advice: "Check the data directory and the space on its disk; the program keeps trying.".into(),
    }
}

fn unreachable() -> Trouble {
    Trouble {
        what: "The room could not be reached through Tor just now.".into(),
        advice: "Check the internet connection and the clock; the program keeps trying and says when guests \
                 can come."
            .into(),
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

fn no_handshake() -> Trouble {
    Trouble {
        what: "Tor relays answer, but no connection to them holds.".into(),
        advice: "Check that this machine's clock and time zone are right, or try another network, which may \
                 filter less; the program keeps trying."
            .into(),
    }
}

fn filtered() -> Trouble {
    Trouble {
        what: "Connections to Tor relays open, but nothing comes back; something on the way filters them."
            .into(),
        advice: "See whether this network wants a login first, or try another; the program keeps trying."
            .into(),
    }
}

fn clock(by: &str) -> Trouble {
    Trouble {
        what: format!("This machine's clock is wrong{by}, so the Tor network's certificates do not hold."),
        advice: "Set the clock and the time zone right; the program keeps trying.".into(),
    }
}

/// A span of time as people say it.
fn roughly(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0..=119 => format!("{minutes} minutes"),
        120..=2879 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / (60 * 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Evidence =
        Evidence { fraction: 0.0, blockage: None, clock: ClockSkew::None, heard: false, private: false };

    fn said(evidence: &Evidence) -> String {
        evidence.of_bootstrap(QUIET).expect("something is in the way").what
    }

    #[test]
    fn nothing_is_said_at_first() {
        assert_eq!(NOTHING.of_bootstrap(QUIET / 2), None);
    }

    #[test]
    fn how_far_it_came_tells_what_is_wrong() {
        assert!(said(&NOTHING).starts_with("No relay of the Tor network"));
        assert!(said(&Evidence { private: true, ..NOTHING }).starts_with("No relay of the private"));
        assert!(said(&Evidence { fraction: 0.075, ..NOTHING }).contains("filters"));
        assert!(said(&Evidence { fraction: 0.075, heard: true, ..NOTHING }).contains("holds"));
        assert!(said(&Evidence { fraction: 0.2, heard: true, ..NOTHING }).contains("directory"));
    }

    #[test]
    fn a_wrong_clock_is_said_at_once_and_how_wrong() {
        let slow = Evidence { clock: ClockSkew::Slow(Duration::from_secs(3 * 3600)), ..NOTHING };
        let trouble = slow.of_bootstrap(Duration::ZERO).expect("a known clock");
        assert!(trouble.what.contains("about 3 hours slow"), "{}", trouble.what);
        assert_eq!(slow.of_visits(true), trouble);
        let blocked = Evidence { blockage: Some(BlockageKind::ClockSkewed), ..NOTHING };
        assert!(said(&blocked).contains("clock is wrong,"));
    }

    #[test]
    fn every_trouble_is_a_sentence_with_advice() {
        for trouble in [
            NOTHING.no_relay(),
            Evidence { private: true, ..NOTHING }.no_relay(),
            unreachable(),
            no_directory(),
            no_handshake(),
            filtered(),
            clock(" (about 2 days fast)"),
            of_restart("The disk is full."),
        ] {
            for text in [&trouble.what, &trouble.advice] {
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
            }
            assert!(trouble.advice.contains("keeps trying"), "{}", trouble.advice);
        }
    }
}
