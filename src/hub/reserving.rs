//! Reserved names: how often they are reserved, and why a guest may not have one.

use std::time::Duration;

use tokio::time::Instant;

use crate::log::Reservations;
use crate::log::state::name_reserved;
use crate::protocol::{CircuitId, Code, GuestId, Name, Refusal};
use crate::rate_limit::{KeyedBuckets, RateLimit};

/// The reservations that are made: three at once on a circuit and one in ten minutes after that; a hundred at once in the room,
/// and one a minute. So the list is not filled within an hour, over however many circuits.
#[derive(Debug)]
pub(super) struct ReservationLimits(KeyedBuckets<CircuitId>);

impl Default for ReservationLimits {
    fn default() -> Self {
        let each = RateLimit::new(6, Duration::from_secs(3600), 3);
        Self(KeyedBuckets::new(each, RateLimit::per_minute(1, 100)))
    }
}

impl ReservationLimits {
    /// Whether nothing was charged lately.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.0.is_full(now)
    }

    /// Charges a new reservation, or one that is moved to another name.
    ///
    /// # Errors
    /// `too_fast`. It is not waited for: that may take minutes.
    pub(super) fn charge(&mut self, circuit: CircuitId, now: Instant) -> Result<(), Refusal> {
        let key = Some(circuit).filter(|circuit| !circuit.is_shared());
        self.0.try_take(key, now).map_err(|wait| {
            let minutes = wait.as_secs().div_ceil(60).max(1);
            let plural = if minutes == 1 { "" } else { "s" };
            let sentence = format!("Names are reserved slowly here. Try again in {minutes} minute{plural}.");
            Refusal::new(Code::TooFast, sentence)
        })
    }
}

/// Checks whether a guest may have this name, as far as names are reserved; `keeps` says whether they came with a passphrase.
///
/// # Errors
/// `name_reserved` or `identity_wrong`.
pub(super) fn check_reserved(
    reserved: &Reservations,
    name: &Name,
    guest: GuestId,
    keeps: bool,
) -> Result<(), Refusal> {
    match reserved.is_of_another(name, guest) {
        false => Ok(()),
        true if keeps => Err(Refusal::new(
            Code::IdentityWrong,
            "This name is reserved for a guest with another passphrase. Try again, or choose another name.",
        )),
        true => Err(name_reserved()),
    }
}

/// Why a guest without an identity may not come in.
pub(super) fn identity_needed() -> Refusal {
    Refusal::new(
        Code::IdentityNeeded,
        "Only guests with an identity come in here. Choose a name and a passphrase of at least 8 characters: the name is then \
         yours. If you have a key file of a reserved name, come in with that.",
    )
}
