//! Why the room cannot be reached, for display: one sentence what is wrong, one what to do.

use std::time::Duration;

use arti_client::status::BlockageKind;
use tor_proto::ClockSkew;

use super::status::Problem;

/// How long the bootstrap may stall before the host is told. Arti itself reports it after a minute.
const STALL_REPORT: Duration = Duration::from_secs(10);

/// Arti's bootstrap fraction once it is connected: it counts 0.075 for a connection to a relay, 0.075 for the
/// handshake with it, and 0.85 for the directory.
pub(super) const CONNECTED_FRACTION: f32 = 0.15;

/// What is known about the progress of an instance of Arti.
#[derive(Debug, Clone)]
pub(super) struct Diagnostics {
    /// Arti's bootstrap progress, from 0 to 1.
    pub(super) fraction: f32,
    /// The kind of blockage that Arti reports.
    pub(super) blockage: Option<BlockageKind>,
    /// The clock's skew, if enough relays agree on one.
    pub(super) clock: ClockSkew,
    /// Whether anything was ever received on a connection to a relay's address, from the relay or a middlebox.
    pub(super) any_received: bool,
    /// Whether the network is a private one.
    pub(super) private: bool,
}

impl Diagnostics {
    /// Why the bootstrap has made no progress for `stalled`; `None` while it may just be slow.
    pub(super) fn bootstrap_problem(&self, stalled: Duration) -> Option<Problem> {
        if let Some(known) = self.clock_problem() {
            return Some(known);
        }
        if stalled < STALL_REPORT {
            return None;
        }
        Some(if matches!(self.blockage, Some(BlockageKind::Offline)) || self.fraction <= 0.0 {
            self.no_relay()
        } else if self.fraction >= CONNECTED_FRACTION {
            no_directory()
        } else if self.any_received {
            no_handshake()
        } else {
            filtered()
        })
    }

    /// Why the self-check fails. `idle`: no relay sends anything at present; `guests`: guests are connected.
    pub(super) fn self_check_problem(&self, idle: bool, guests: bool) -> Problem {
        match self.clock_problem() {
            Some(known) => known,
            None if idle => self.no_relay(),
            None if guests => unreachable_with_guests(),
            None => unreachable(),
        }
    }

    fn clock_problem(&self) -> Option<Problem> {
        match self.clock {
            ClockSkew::Slow(by) => Some(wrong_clock(&format!(" (about {} slow)", roughly(by)))),
            ClockSkew::Fast(by) => Some(wrong_clock(&format!(" (about {} fast)", roughly(by)))),
            ClockSkew::None => {
                matches!(self.blockage, Some(BlockageKind::ClockSkewed)).then(|| wrong_clock(""))
            }
        }
    }

    fn no_relay(&self) -> Problem {
        if self.private {
            Problem {
                description: "No relay of the private Tor network can be reached.".into(),
                advice: "Start that network, for example with `onionroom lab`; the program keeps trying."
                    .into(),
            }
        } else {
            Problem {
                description: "No relay of the Tor network can be reached from this machine.".into(),
                advice:
                    "Check the internet connection, and whether a firewall blocks Tor; the program keeps \
                         trying."
                        .into(),
            }
        }
    }
}

/// Arti could not be restarted; `reason` is a sentence or two.
pub(super) fn restart_failed(reason: &str) -> Problem {
    Problem {
        description: format!("Tor had to be started anew, and that failed. {reason}"),
        advice: "Check the data directory and the space on its disk; the program keeps trying.".into(),
    }
}

fn unreachable() -> Problem {
    Problem {
        description: "The room could not be reached through Tor just now.".into(),
        advice: "Check the internet connection and the clock; the program keeps trying and says when guests \
                 can come."
            .into(),
    }
}

fn unreachable_with_guests() -> Problem {
    Problem {
        description: "The room cannot reach itself; guests are connected, so Tor is not restarted.".into(),
        advice: "New guests may not come in at the moment; the program keeps trying, less and less often."
            .into(),
    }
}

fn no_directory() -> Problem {
    Problem {
        description: "Tor relays answer, but the directory of the network cannot be downloaded.".into(),
        advice:
            "Check that this machine's clock and time zone are right, and whether the connection is very \
                 slow; the program keeps trying."
                .into(),
    }
}

fn no_handshake() -> Problem {
    Problem {
        description: "Tor relays answer, but no connection to them holds.".into(),
        advice: "Check that this machine's clock and time zone are right, or try another network, which may \
                 filter less; the program keeps trying."
            .into(),
    }
}

fn filtered() -> Problem {
    Problem {
        description:
            "Connections to Tor relays open, but nothing comes back; something on the way filters them."
                .into(),
        advice: "See whether this network wants a login first, or try another; the program keeps trying."
            .into(),
    }
}

fn wrong_clock(by: &str) -> Problem {
    Problem {
        description: format!(
            "This machine's clock is wrong{by}, so the Tor network's certificates do not hold."
        ),
        advice: "Set the clock and the time zone right; the program keeps trying.".into(),
    }
}

/// A duration in minutes, hours or days.
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

    const NOTHING: Diagnostics = Diagnostics {
        fraction: 0.0,
        blockage: None,
        clock: ClockSkew::None,
        any_received: false,
        private: false,
    };

    fn said(evidence: &Diagnostics) -> String {
        evidence.bootstrap_problem(STALL_REPORT).expect("something is in the way").description
    }

    #[test]
    fn nothing_is_said_at_first() {
        assert_eq!(NOTHING.bootstrap_problem(STALL_REPORT / 2), None);
    }

    #[test]
    fn how_far_it_came_tells_what_is_wrong() {
        assert!(said(&NOTHING).starts_with("No relay of the Tor network"));
        assert!(said(&Diagnostics { private: true, ..NOTHING }).starts_with("No relay of the private"));
        assert!(said(&Diagnostics { fraction: 0.075, ..NOTHING }).contains("filters"));
        assert!(said(&Diagnostics { fraction: 0.075, any_received: true, ..NOTHING }).contains("holds"));
        assert!(said(&Diagnostics { fraction: 0.2, any_received: true, ..NOTHING }).contains("directory"));
    }

    #[test]
    fn a_wrong_clock_is_said_at_once_and_how_wrong() {
        let slow = Diagnostics { clock: ClockSkew::Slow(Duration::from_secs(3 * 3600)), ..NOTHING };
        let problem = slow.bootstrap_problem(Duration::ZERO).expect("a known clock");
        assert!(problem.description.contains("about 3 hours slow"), "{}", problem.description);
        assert_eq!(slow.self_check_problem(true, true), problem);
        let blocked = Diagnostics { blockage: Some(BlockageKind::ClockSkewed), ..NOTHING };
        assert!(said(&blocked).contains("clock is wrong,"));
    }

    #[test]
    fn guests_are_told_apart_while_relays_answer() {
        let told = |idle, guests| NOTHING.self_check_problem(idle, guests).description;
        assert!(told(false, true).contains("guests are connected, so Tor is not restarted"));
        assert_ne!(told(false, false), told(false, true));
        assert_eq!(told(true, true), told(true, false));
    }

    #[test]
    fn every_problem_is_a_sentence_with_advice() {
        for problem in [
            NOTHING.no_relay(),
            Diagnostics { private: true, ..NOTHING }.no_relay(),
            unreachable(),
            unreachable_with_guests(),
            no_directory(),
            no_handshake(),
            filtered(),
            wrong_clock(" (about 2 days fast)"),
            restart_failed("The disk is full."),
        ] {
            for text in [&problem.description, &problem.advice] {
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
            }
            assert!(problem.advice.contains("keeps trying"), "{}", problem.advice);
        }
    }
}
