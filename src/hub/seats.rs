//! The seats of all rooms together.
//!
//! Each roster [tells](RoomSeats) of its own. Where no seat is free, the circuit that holds most gives one up to one that holds
//! at least two fewer: here, or in another room, which is asked to. Its seat is taken off the books at once, and the room owes
//! it until its roster has freed one of that circuit's, for whatever reason.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::CircuitId;

/// Asks a room to free a seat of this circuit; false if the room has ended.
type Ask = Box<dyn Fn(CircuitId) -> bool + Send + Sync>;

/// The books.
#[derive(Clone)]
pub(super) struct Seats(Arc<Mutex<Books>>);

struct Books {
    /// How many seats there are in all rooms together.
    limit: usize,
    total: usize,
    /// How many seats each circuit holds, in which room.
    held: HashMap<CircuitId, HashMap<u64, usize>>,
    /// How many seats a room is to free that count as free already.
    owed: HashMap<(u64, CircuitId), usize>,
    rooms: HashMap<u64, Ask>,
    next: u64,
}

/// Where a seat is given up for a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// In this room: one of this circuit's.
    Here(CircuitId),
    /// In another room, which was asked to.
    Elsewhere,
}

impl Seats {
    pub(super) fn new(limit: usize) -> Self {
        let books = Books {
            limit,
            total: 0,
            held: HashMap::new(),
            owed: HashMap::new(),
            rooms: HashMap::new(),
            next: 0,
        };
        Self(Arc::new(Mutex::new(books)))
    }

    /// The seats of one more room, which can be asked to free one.
    pub(super) fn of_room(&self, ask: impl Fn(CircuitId) -> bool + Send + Sync + 'static) -> RoomSeats {
        let mut books = self.lock();
        books.next += 1;
        let room = books.next;
        books.rooms.insert(room, Box::new(ask));
        drop(books);
        RoomSeats { seats: self.clone(), room }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn held_by(&self, circuit: CircuitId) -> usize {
        self.held.get(&circuit).map_or(0, |rooms| rooms.values().sum())
    }

    fn take_off(&mut self, room: u64, circuit: CircuitId) {
        let Some(rooms) = self.held.get_mut(&circuit) else { return };
        if let Some(count) = rooms.get_mut(&room) {
            *count -= 1;
            self.total -= 1;
            if *count == 0 {
                rooms.remove(&room);
            }
        }
        if rooms.is_empty() {
            self.held.remove(&circuit);
        }
    }
}

/// What one room's roster tells of its seats. Dropping it frees them all.
pub(super) struct RoomSeats {
    seats: Seats,
    room: u64,
}

impl RoomSeats {
    /// A guest on this circuit has a seat now.
    pub(super) fn take(&self, circuit: CircuitId) {
        let mut books = self.seats.lock();
        *books.held.entry(circuit).or_default().entry(self.room).or_default() += 1;
        books.total += 1;
    }

    /// A guest on this circuit has no seat any more.
    pub(super) fn free(&self, circuit: CircuitId) {
        let mut books = self.seats.lock();
        match books.owed.get_mut(&(self.room, circuit)) {
            Some(1) => drop(books.owed.remove(&(self.room, circuit))),
            Some(owed) => *owed -= 1,
            None => books.take_off(self.room, circuit),
        }
    }

    /// How many seats a circuit holds in all rooms.
    pub(super) fn held_by(&self, circuit: CircuitId) -> usize {
        self.seats.lock().held_by(circuit)
    }

    /// Whether this room is to free a seat of this circuit.
    pub(super) fn owes(&self, circuit: CircuitId) -> bool {
        self.seats.lock().owed.contains_key(&(self.room, circuit))
    }

    /// Whether a seat is free for a newcomer on this circuit. One beyond the limit is reserved for the host, and one for a guest
    /// who gives up their seat in another room for this one.
    pub(super) fn has_free_for(&self, circuit: CircuitId, moves: bool) -> bool {
        let books = self.seats.lock();
        let host = circuit == CircuitId::LOOPBACK && books.held_by(circuit) == 0;
        books.total < books.limit + usize::from(host) + usize::from(moves)
    }

    /// Which seat is given up for a newcomer on this circuit, because another circuit holds at least two more; a room that is
    /// asked to is asked once.
    pub(super) fn give_up_for(&self, circuit: CircuitId) -> Option<GivenUp> {
        let mut books = self.seats.lock();
        let own = books.held_by(circuit);
        let most = books.held.keys().map(|of| books.held_by(*of)).max()?;
        if most < own + 2 {
            return None;
        }
        let most_held = |of: &&CircuitId| books.held_by(**of) == most;
        let holders: Vec<CircuitId> = books.held.keys().filter(most_held).copied().collect();
        let here = |of: &&CircuitId| books.held.get(of).is_some_and(|rooms| rooms.contains_key(&self.room));
        if let Some(of) = holders.iter().find(here) {
            return Some(GivenUp::Here(*of));
        }
        // Of several the same each time, whatever the order of the map.
        let of = holders.into_iter().min_by_key(|of| of.0)?;
        let rooms = books.held.get(&of)?;
        let room = *rooms.iter().max_by_key(|(room, count)| (**count, **room))?.0;
        if !books.rooms.get(&room)?(of) {
            return None;
        }
        // Before the room can answer: its task needs these books for that.
        books.take_off(room, of);
        *books.owed.entry((room, of)).or_default() += 1;
        Some(GivenUp::Elsewhere)
    }
}

impl fmt::Debug for RoomSeats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RoomSeats").field("room", &self.room).finish_non_exhaustive()
    }
}

impl Drop for RoomSeats {
    fn drop(&mut self) {
        let mut books = self.seats.lock();
        books.rooms.remove(&self.room);
        books.owed.retain(|(room, _), _| *room != self.room);
        let mut freed = 0;
        for rooms in books.held.values_mut() {
            freed += rooms.remove(&self.room).unwrap_or(0);
        }
        books.held.retain(|_, rooms| !rooms.is_empty());
        books.total -= freed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A room that notes what it is asked for.
    fn room(seats: &Seats) -> (RoomSeats, Arc<Mutex<Vec<CircuitId>>>) {
        let asked = Arc::<Mutex<Vec<CircuitId>>>::default();
        let noted = Arc::clone(&asked);
        let ask = move |circuit| {
            noted.lock().unwrap().push(circuit);
            true
        };
        (seats.of_room(ask), asked)
    }

    #[test]
    fn a_circuit_that_holds_most_gives_one_up_in_whichever_room() {
        let seats = Seats::new(4);
        let ((one, of_one), (two, _)) = (room(&seats), room(&seats));
        let (greedy, other, late) = (CircuitId(1), CircuitId(2), CircuitId(3));
        (0..3).for_each(|_| one.take(greedy));
        assert!(two.has_free_for(other, false));
        two.take(other);
        assert!(!two.has_free_for(late, false), "four in all rooms together");
        assert!(two.has_free_for(late, true), "who moves gives one up after that");
        assert!(two.has_free_for(CircuitId::LOOPBACK, false), "the host gets in");
        assert_eq!(two.give_up_for(late), Some(GivenUp::Elsewhere));
        assert_eq!(*of_one.lock().unwrap(), [greedy]);
        two.take(late);
        assert!(one.owes(greedy));
        one.free(greedy);
        assert!(!one.owes(greedy));
        assert_eq!((one.held_by(greedy), one.held_by(late)), (2, 1));
        assert_eq!(two.give_up_for(late), None, "with one more it would hold as many");
        assert_eq!(two.give_up_for(CircuitId(4)), Some(GivenUp::Elsewhere));
        // A guest of that circuit has left before the room has done it: nothing more is owed.
        one.free(greedy);
        assert!(!one.owes(greedy));
        assert_eq!(one.held_by(greedy), 1);
        drop(one);
        assert_eq!(two.held_by(greedy), 0);
        assert!(two.has_free_for(CircuitId(5), false));
    }

    #[test]
    fn a_room_gives_up_its_own_seat_first() {
        let seats = Seats::new(2);
        let ((one, asked), (two, _)) = (room(&seats), room(&seats));
        (0..2).for_each(|_| one.take(CircuitId(1)));
        assert_eq!(one.give_up_for(CircuitId(2)), Some(GivenUp::Here(CircuitId(1))));
        assert!(asked.lock().unwrap().is_empty());
        drop(two);
    }
}
