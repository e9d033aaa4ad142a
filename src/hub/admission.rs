//! Who may come in and who may speak, as hosts have decided, beside what the room's state says: what only this node knows,
//! and only for as long as it runs.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::log::Restriction;
use crate::protocol::{CircuitId, Code, GuestId, Refusal};

/// For how long a circuit or an address is kept out with a guest who was banned on it. A circuit hardly lives longer, and an
/// address may belong to others later.
const BLOCKED: Duration = Duration::from_secs(3600);

/// The most circuits that are kept out; beyond that the one that was for the longest time comes in again.
const BLOCKED_MAX: usize = 1000;

/// The circuits that are kept out, and when guests have spoken last.
#[derive(Debug, Default)]
pub(super) struct Admission {
    blocked: HashMap<CircuitId, Instant>,
    spoken: HashMap<GuestId, Instant>,
}

impl Admission {
    /// Keeps a circuit out, unless it is one for clients that cannot be told apart.
    pub(super) fn block(&mut self, circuit: CircuitId, now: Instant) {
        if circuit.is_shared() {
            return;
        }
        self.blocked.insert(circuit, now + BLOCKED);
        if self.blocked.len() > BLOCKED_MAX
            && let Some(oldest) =
                self.blocked.iter().min_by_key(|(_, until)| **until).map(|(circuit, _)| *circuit)
        {
            self.blocked.remove(&oldest);
        }
    }

    /// Lets every circuit in again.
    pub(super) fn unblock(&mut self) {
        self.blocked.clear();
    }

    /// Whether a circuit is kept out.
    pub(super) fn is_blocked(&self, circuit: CircuitId, now: Instant) -> bool {
        self.blocked.get(&circuit).is_some_and(|until| now < *until)
    }

    /// Whether nothing is remembered.
    pub(super) fn is_empty(&self) -> bool {
        self.blocked.is_empty() && self.spoken.is_empty()
    }

    /// Notes that a guest has spoken.
    pub(super) fn note_speech(&mut self, guest: GuestId, now: Instant) {
        self.spoken.insert(guest, now);
    }

    /// Checks whether a guest may speak, where each may do that once in `slow` seconds.
    ///
    /// # Errors
    /// `slow_mode`, with how long the guest has to wait.
    pub(super) fn check_speech(&self, guest: GuestId, slow: u64, now: Instant) -> Result<(), Refusal> {
        let wait = self.spoken.get(&guest).map_or(Duration::ZERO, |last| {
            (*last + Duration::from_secs(slow)).saturating_duration_since(now)
        });
        if wait.is_zero() {
            return Ok(());
        }
        let left = wait.as_millis().div_ceil(1000);
        let sentence = format!("Each guest may say something once in {slow} seconds here. Wait {left} more.");
        Err(Refusal::new(Code::SlowMode, sentence).retry_after(wait))
    }

    /// Forgets what does not count any more. To be called about once a second.
    pub(super) fn prune(&mut self, slow: u64, now: Instant) {
        self.blocked.retain(|_, until| now < *until);
        self.spoken.retain(|_, last| now < *last + Duration::from_secs(slow));
    }
}

/// Why a guest with this ban may not come in when the room's clock shows `at`.
pub(super) fn banned(ban: &Restriction, at: u64) -> Refusal {
    let what = if ban.kicked { "You were put out of this room." } else { "You are banned from this room." };
    Refusal::new(Code::Banned, format!("{what}{}", ends(ban, "You may come back", at)))
}

/// Why a guest on a circuit that is kept out may not come in.
pub(super) fn blocked() -> Refusal {
    Refusal::new(
        Code::Banned,
        "A guest was banned on this connection to the room. Come back a little later, over another one.",
    )
}

/// Why a guest with this mute may not speak when the room's clock shows `at`.
pub(super) fn muted(mute: &Restriction, at: u64) -> Refusal {
    Refusal::new(
        Code::Muted,
        format!("You may read here, and not write.{}", ends(mute, "You may write again", at)),
    )
}

/// Why a guest without a seat may not come in.
pub(super) fn locked() -> Refusal {
    Refusal::new(Code::Locked, "This room is locked: only guests who are in it already can come back.")
}

/// Why a guest without an invitation may not come in.
pub(super) fn invitation_needed() -> Refusal {
    let sentence = "This room is for invited guests: open the link that you were given. Where you did, it was used already, \
                    taken back, or has expired; ask for a new one.";
    Refusal::new(Code::InvitationNeeded, sentence)
}

/// Why a guest loses the seat whose invitation was taken back.
pub(super) fn invitation_revoked() -> Refusal {
    Refusal::new(Code::InvitationNeeded, "The invitation by which you came in was taken back.")
}

/// Why a guest without the password may not come in.
pub(super) fn password_needed() -> Refusal {
    Refusal::new(Code::PasswordNeeded, "This room has a password. Give it to come in.")
}

/// When something ends, as a sentence with a space before it.
fn ends(restriction: &Restriction, what: &str, at: u64) -> String {
    let Some(until) = restriction.until else { return String::new() };
    let left = until.saturating_sub(at).max(1);
    format!(" {what} in {}.", length(left))
}

/// So many seconds, in words.
pub(super) fn length(left: u64) -> String {
    let (number, unit) = match left {
        ..=120 => (left, "second"),
        121..=7200 => (left.div_ceil(60), "minute"),
        7201..=172_800 => (left.div_ceil(3600), "hour"),
        _ => (left.div_ceil(86_400), "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_mode_counts_from_what_was_said() {
        let (mut admission, start) = (Admission::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(admission.check_speech(GuestId(1), 10, at(0)).is_ok());
        admission.note_speech(GuestId(1), at(0));
        let refusal = admission.check_speech(GuestId(1), 10, at(4)).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after), (Code::SlowMode, Some(Duration::from_secs(6))));
        assert!(refusal.message.ends_with("Wait 6 more."));
        assert!(admission.check_speech(GuestId(2), 10, at(4)).is_ok());
        assert!(admission.check_speech(GuestId(1), 10, at(10)).is_ok(), "what was refused does not count");
        admission.prune(10, at(30));
        assert!(admission.spoken.is_empty());
    }

    #[test]
    fn shared_circuits_are_never_kept_out() {
        let (mut admission, now) = (Admission::default(), Instant::now());
        for circuit in [CircuitId::LOOPBACK, CircuitId::PROXY, CircuitId(7)] {
            admission.block(circuit, now);
        }
        assert!(
            !admission.is_blocked(CircuitId::LOOPBACK, now) && !admission.is_blocked(CircuitId::PROXY, now)
        );
        assert!(
            admission.is_blocked(CircuitId(7), now) && !admission.is_blocked(CircuitId(7), now + BLOCKED)
        );
        (0..2000).for_each(|number| admission.block(CircuitId(number + 10), now));
        assert_eq!(admission.blocked.len(), BLOCKED_MAX);
        admission.prune(0, now + BLOCKED);
        assert!(admission.blocked.is_empty());
    }

    #[test]
    fn the_sentence_says_when_it_ends() {
        let ban = |until, kicked| Restriction { of: GuestId(1), name: None, until, kicked };
        for (restriction, sentence) in [
            (ban(Some(160), true), "You were put out of this room. You may come back in 60 seconds."),
            (ban(Some(101), false), "You are banned from this room. You may come back in 1 second."),
            (
                ban(Some(100 + 86_400 * 7), false),
                "You are banned from this room. You may come back in 7 days.",
            ),
            (ban(None, false), "You are banned from this room."),
        ] {
            assert_eq!(banned(&restriction, 100).message, sentence);
        }
        assert!(muted(&ban(Some(400), false), 100).message.ends_with("You may write again in 5 minutes."));
    }
}
