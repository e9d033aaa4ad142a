//! Seats and names.

use super::*;
use crate::protocol::Name;

const GRACE: Duration = Duration::from_secs(90);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn free(text: &str) -> ClaimedName {
    ClaimedName { name: name(text), claim: None }
}

fn roster(limit: usize) -> Roster {
    Roster::new(limit, GRACE)
}

fn guest(id: u64, text: &str) -> Guest {
    Guest { id: GuestId(id), name: name(text), away: false, kept: false }
}

#[test]
fn a_name_is_free_again_when_its_guest_has_left_or_renamed() {
    let mut roster = roster(9);
    let (_, bob) = roster.join(GuestId(1), Some(free("Bob")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(
        roster.join(GuestId(2), Some(free("вов")), CircuitId::LOOPBACK).unwrap_err().code,
        Code::NameTaken
    );
    roster.rename(GuestId(1), free("BOB")).unwrap();
    roster.rename(GuestId(1), free("Rob")).unwrap();
    roster.join(GuestId(2), Some(free("вов")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(roster.rename(GuestId(2), free("rob")).unwrap_err().code, Code::NameTaken);
    assert_eq!(roster.leave(GuestId(1), Some(bob.number)), Some(PresenceChange::Left(guest(1, "Rob"))));
    roster.rename(GuestId(2), free("rob")).unwrap();
}

#[test]
fn a_ghost_is_taken_over_and_its_end_changes_nothing() {
    let mut roster = roster(1);
    let now = Instant::now();
    let (_, ghost) = roster.join(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK).unwrap();
    let (arrival, back) = roster.join(GuestId(1), None, CircuitId::LOOPBACK).unwrap();
    assert_eq!((arrival.guest, arrival.changes), (guest(1, "Ann"), vec![]));
    assert!(ghost.loss.is_lost() && !back.loss.is_lost());
    assert_eq!(roster.disconnect(GuestId(1), ghost.number, now), None);
    assert_eq!(roster.leave(GuestId(1), Some(ghost.number)), None);
    assert!(roster.guest(GuestId(1), Some(ghost.number)).is_none());
    assert!(roster.guest(GuestId(1), Some(back.number)).is_some());
}

#[test]
fn coming_back_under_a_taken_name_leaves_the_old_connection_alone() {
    let mut roster = roster(9);
    roster.join(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK).unwrap();
    let (_, bob) = roster.join(GuestId(2), Some(free("Bob")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(
        roster.join(GuestId(2), Some(free("ann")), CircuitId::LOOPBACK).unwrap_err().code,
        Code::NameTaken
    );
    assert!(!bob.loss.is_lost());
    let (arrival, _) = roster.join(GuestId(2), Some(free("Eve")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(arrival.changes, [PresenceChange::Renamed { guest: guest(2, "Eve"), was: name("Bob") }]);
}

#[test]
fn who_drops_is_away_for_a_while_and_then_has_left() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    let (_, ann) = roster.join(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK).unwrap();
    let away = Guest { away: true, ..guest(1, "Ann") };
    assert_eq!(roster.disconnect(GuestId(1), ann.number, now), Some(PresenceChange::Away(away.clone())));
    assert_eq!(roster.guests(), [away]);
    assert_eq!(
        roster.join(GuestId(2), Some(free("ann")), CircuitId::LOOPBACK).unwrap_err().code,
        Code::NameTaken
    );

    now += GRACE / 2;
    assert_eq!(roster.expire(now), []);
    let (arrival, ann) = roster.join(GuestId(1), None, CircuitId::LOOPBACK).unwrap();
    assert_eq!(arrival.changes, [PresenceChange::Back(guest(1, "Ann"))]);

    roster.disconnect(GuestId(1), ann.number, now);
    now += GRACE;
    assert_eq!(roster.expire(now), [PresenceChange::Left(guest(1, "Ann"))]);
    assert_eq!(roster.guests(), []);
}

#[test]
fn visits_keep_a_seat_and_leave_a_connection_alone() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    assert_eq!(
        roster.join_stateless(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK, now).unwrap().changes,
        [PresenceChange::Joined(guest(1, "Ann"))]
    );
    now += GRACE / 2;
    assert_eq!(roster.join_stateless(GuestId(1), None, CircuitId::LOOPBACK, now).unwrap().changes, []);
    now += GRACE / 2;
    assert_eq!(roster.expire(now), []);
    let (_, connection) = roster.join(GuestId(1), None, CircuitId::LOOPBACK).unwrap();
    roster.join_stateless(GuestId(1), None, CircuitId::LOOPBACK, now).unwrap();
    assert!(!connection.loss.is_lost());
    now += GRACE * 2;
    assert_eq!(roster.expire(now), [], "a connection keeps the seat");
    assert_eq!(roster.leave(GuestId(1), None), Some(PresenceChange::Left(guest(1, "Ann"))));
    assert!(connection.loss.is_lost());
}

#[test]
fn visits_keep_a_seat_also_where_a_broken_connection_keeps_none() {
    let mut roster = Roster::new(9, Duration::ZERO);
    let now = Instant::now();
    roster.join_stateless(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK, now).unwrap();
    assert_eq!(roster.expire(now + STATELESS_GRACE_MIN / 2), []);
    assert_eq!(roster.expire(now + STATELESS_GRACE_MIN), [PresenceChange::Left(guest(1, "Ann"))]);
}

#[test]
fn a_full_room_refuses_unless_a_seat_is_not_in_use() {
    let mut roster = roster(2);
    let mut now = Instant::now();
    let (_, one) = roster.join(GuestId(1), Some(free("Ann")), CircuitId(1)).unwrap();
    let (_, two) = roster.join(GuestId(2), Some(free("Bob")), CircuitId(2)).unwrap();
    assert_eq!(roster.join(GuestId(3), None, CircuitId(3)).unwrap_err().code, Code::RoomFull);
    roster.note_spoken(GuestId(1));
    roster.disconnect(GuestId(1), one.number, now);
    assert_eq!(roster.join(GuestId(3), None, CircuitId(3)).unwrap_err().code, Code::RoomFull);
    now += GRACE / 2;
    roster.disconnect(GuestId(2), two.number, now);
    let (arrival, _) = roster.join(GuestId(3), Some(free("Eve")), CircuitId(3)).unwrap();
    assert_eq!(
        arrival.changes,
        [PresenceChange::Left(guest(2, "Bob")), PresenceChange::Joined(guest(3, "Eve"))]
    );
    assert!(roster.has(GuestId(1)), "an established guest who is away keeps name and seat");
}

/// One stranger on one circuit could fill a room, evict the guests who were away, and take their names.
#[test]
fn one_circuit_cannot_take_the_seats_of_others() {
    let mut roster = roster(250);
    let now = Instant::now();
    let (_, ann) = roster.join(GuestId(1), Some(free("Ann")), CircuitId(1)).unwrap();
    roster.note_spoken(GuestId(1));
    roster.disconnect(GuestId(1), ann.number, now);
    let (_, _bob) = roster.join(GuestId(2), Some(free("Bob")), CircuitId(2)).unwrap();
    for id in 3..1000 {
        let _ = roster.join_stateless(GuestId(id), None, CircuitId(3), now);
    }
    assert_eq!((roster.count(), roster.held_by(CircuitId(3))), (250, 248), "the free ones");
    assert_eq!(roster.rename(GuestId(999), free("Ann")).unwrap_err().code, Code::NameTaken);
    // Guests on circuits of their own still come in, and the flooder's seats go for them.
    for id in 1001..1200 {
        roster.join(GuestId(id), None, CircuitId(id)).unwrap();
    }
    assert_eq!(roster.held_by(CircuitId(3)), 248 - 199);
    let (back, _) = roster.join(GuestId(1), None, CircuitId(4)).unwrap();
    assert_eq!(back.changes, [PresenceChange::Back(guest(1, "Ann"))]);
    assert_eq!(roster.guest(GuestId(2), None).unwrap().0.name, name("Bob"));
}

#[test]
fn a_seat_that_was_only_asked_for_is_short_lived() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    roster.join_stateless(GuestId(1), Some(free("Ann")), CircuitId(1), now).unwrap();
    roster.join_stateless(GuestId(2), Some(free("Bob")), CircuitId(2), now).unwrap();
    now += ASKED_GRACE / 2;
    roster.join_stateless(GuestId(2), None, CircuitId(2), now).unwrap();
    now += ASKED_GRACE / 2;
    assert_eq!(roster.expire(now), [PresenceChange::Left(guest(1, "Ann"))]);
    now += GRACE - ASKED_GRACE;
    assert_eq!(roster.expire(now), [], "a second request holds it for the whole grace time");
}

#[test]
fn a_seat_is_reserved_for_the_host() {
    let mut roster = roster(3);
    for id in 1..=3 {
        roster.join(GuestId(id), None, CircuitId(id)).unwrap();
    }
    roster.join(GuestId(4), None, CircuitId::LOOPBACK).unwrap();
    let refused = roster.join(GuestId(5), None, CircuitId::LOOPBACK).unwrap_err();
    assert_eq!(refused.code, Code::RoomFull, "the host is one more circuit");
    assert_eq!(roster.join(GuestId(6), None, CircuitId(6)).unwrap_err().code, Code::RoomFull);
}

#[test]
fn a_guest_who_comes_back_under_another_name_is_not_told_to_be_away() {
    let mut roster = roster(2);
    let (_, ann) = roster.join(GuestId(1), Some(free("Ann")), CircuitId::LOOPBACK).unwrap();
    roster.disconnect(GuestId(1), ann.number, Instant::now());
    let (arrival, _) = roster.join(GuestId(1), Some(free("Eve")), CircuitId::LOOPBACK).unwrap();
    let renamed = PresenceChange::Renamed { guest: guest(1, "Eve"), was: name("Ann") };
    assert_eq!(arrival.changes, [PresenceChange::Back(guest(1, "Ann")), renamed]);
    assert_eq!(arrival.guest, guest(1, "Eve"));
}
