//! Which seat a full room gives up for a newcomer.
//!
//! Seats are shared max-min fair between circuits: the circuit that holds most gives up the seat that is least
//! established, and among equal ones the newest. A guest who is alone on a circuit loses nothing to another circuit
//! as long as any circuit has two seats. When none has, only a seat that is not in use is given up, and a circuit that holds
//! its share gives up one of its own whose guest is away.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::protocol::{CircuitId, GuestId};

/// How established a seat is: it counts for more when it was held for a while, and when its guest has published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SeatRank {
    /// A connection has held it, or requests have for a while.
    pub(super) held: bool,
    /// Its guest has published a message.
    pub(super) spoken: bool,
}

impl SeatRank {
    /// The order in which seats are given up, lowest first; a guest who is present counts for more than one who is away.
    pub(super) fn order(self, present: bool) -> u8 {
        match self {
            Self { held: true, spoken: true } => 4 + u8::from(present),
            Self { held: false, spoken: false } => 0,
            _ => 1 + u8::from(present),
        }
    }

    /// Whether a seat of this order may be given up also where no circuit holds more than its share.
    /// Whether the seat is not in use.
    pub(super) fn is_idle(self, present: bool) -> bool {
        Self::is_idle_order(self.order(present))
    }

    fn is_idle_order(order: u8) -> bool {
        order <= 1
    }
}

/// The guest who loses the seat when one on `circuit` joins a full room; `None` if no seat is given up. `seats` are in the order of
/// arrival, each with its guest, circuit and rank, and whether the guest is present.
pub(super) fn victim(
    seats: impl Iterator<Item = (GuestId, CircuitId, SeatRank, bool)> + Clone,
    circuit: CircuitId,
) -> Option<GuestId> {
    let mut held: HashMap<CircuitId, usize> = HashMap::new();
    for (_, of, ..) in seats.clone() {
        *held.entry(of).or_default() += 1;
    }
    let own = held.get(&circuit).copied().unwrap_or(0);
    let most = held.values().copied().max()?;
    let mut weakest = None;
    let mut own_away = None;
    for (arrival, (guest, of, rank, present)) in seats.enumerate() {
        // The newest of equal ones.
        let seat = Some((Reverse(rank.order(present)), arrival, guest));
        if held.get(&of) == Some(&most) {
            weakest = weakest.max(seat);
        }
        if of == circuit && !present {
            own_away = own_away.max(seat);
        }
    }
    let idle =
        |seat: Option<(Reverse<u8>, usize, GuestId)>| seat.filter(|seat| SeatRank::is_idle_order(seat.0.0));
    // With one seat more here and one fewer there, this circuit would still not hold more; or the seat is not in use.
    let given_up = match most {
        most if most >= own + 2 => weakest,
        most if most == own + 1 => idle(weakest).or(idle(own_away)),
        _ => idle(own_away),
    };
    given_up.map(|(_, _, guest)| guest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: SeatRank = SeatRank { held: false, spoken: false };
    const READS: SeatRank = SeatRank { held: true, spoken: false };
    const KNOWN: SeatRank = SeatRank { held: true, spoken: true };

    /// Guests are numbered from 1, in the order of arrival.
    fn lost(seats: &[(u64, SeatRank, bool)], circuit: u64) -> Option<u64> {
        let seats = seats.iter().enumerate().map(|(at, (circuit, rank, present))| {
            (GuestId(at as u64 + 1), CircuitId(*circuit), *rank, *present)
        });
        victim(seats, CircuitId(circuit)).map(|guest| guest.0)
    }

    #[test]
    fn the_circuit_that_holds_most_gives_up_its_newest_seat() {
        let seats =
            [(1, KNOWN, true), (2, READS, true), (2, READS, true), (2, KNOWN, true), (3, ASKED, true)];
        assert_eq!(lost(&seats, 9), Some(3), "the newest of those that are least established");
        assert_eq!(lost(&seats, 3), Some(3));
        assert_eq!(lost(&seats, 2), None, "a circuit that holds most gets nothing more");
    }

    #[test]
    fn a_guest_alone_on_a_circuit_loses_nothing() {
        for rank in [READS, KNOWN] {
            assert_eq!(lost(&[(1, rank, true), (2, rank, true)], 9), None);
        }
        assert_eq!(lost(&[(1, KNOWN, false), (2, KNOWN, false)], 9), None, "also while away");
    }

    #[test]
    fn a_seat_that_is_not_in_use_is_given_up() {
        assert_eq!(lost(&[(1, READS, true), (2, ASKED, true)], 9), Some(2));
        assert_eq!(lost(&[(1, READS, false), (2, KNOWN, true)], 9), Some(1));
        assert_eq!(lost(&[(1, READS, true), (2, ASKED, true)], 1), None, "not for a second one");
        assert_eq!(lost(&[(1, READS, true), (1, READS, false), (2, READS, true)], 1), Some(2), "its own");
    }
}
