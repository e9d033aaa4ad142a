//! Seats and names.

use super::*;

const GRACE: Duration = Duration::from_secs(90);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn roster(limit: usize) -> Roster {
    Roster::new(limit, GRACE, RateLimit::NONE)
}

fn guest(id: u64, text: &str) -> Guest {
    Guest { id: GuestId(id), name: name(text), away: false }
}

#[test]
fn a_name_is_free_again_when_its_guest_has_left_or_renamed() {
    let mut roster = roster(9);
    let (_, bob) = roster.join(GuestId(1), Some(name("Bob")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(
        roster.join(GuestId(2), Some(name("bоb")), CircuitId::LOOPBACK).unwrap_err().code,
        Code::NameTaken
    );
    roster.rename(GuestId(1), name("BOB")).unwrap();
    roster.rename(GuestId(1), name("Rob")).unwrap();
    roster.join(GuestId(2), Some(name("bоb")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(roster.rename(GuestId(2), name("rob")).unwrap_err().code, Code::NameTaken);
    assert_eq!(roster.leave(GuestId(1), Some(bob.number)), Some(PresenceChange::Left(guest(1, "Rob"))));
    roster.rename(GuestId(2), name("rob")).unwrap();
}

#[test]
fn a_ghost_is_taken_over_and_its_end_changes_nothing() {
    let mut roster = roster(1);
    let now = Instant::now();
    let (_, ghost) = roster.join(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    let (arrival, back) = roster.join(GuestId(1), None, CircuitId::LOOPBACK).unwrap();
    assert_eq!((arrival.guest, arrival.changes), (guest(1, "Ann"), vec![]));
    assert!(ghost.replaced.is_cancelled() && !back.replaced.is_cancelled());
    assert_eq!(roster.disconnect(GuestId(1), ghost.number, now), None);
    assert_eq!(roster.leave(GuestId(1), Some(ghost.number)), None);
    assert!(roster.guest(GuestId(1), Some(ghost.number)).is_none());
    assert!(roster.guest(GuestId(1), Some(back.number)).is_some());
}

#[test]
fn coming_back_under_a_taken_name_leaves_the_old_connection_alone() {
    let mut roster = roster(9);
    roster.join(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    let (_, bob) = roster.join(GuestId(2), Some(name("Bob")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(
        roster.join(GuestId(2), Some(name("ann")), CircuitId::LOOPBACK).unwrap_err().code,
        Code::NameTaken
    );
    assert!(!bob.replaced.is_cancelled());
    let (arrival, _) = roster.join(GuestId(2), Some(name("Eve")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(arrival.changes, [PresenceChange::Renamed { guest: guest(2, "Eve"), was: name("Bob") }]);
}

#[test]
fn who_drops_is_away_for_a_while_and_then_has_left() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    let (_, ann) = roster.join(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    let away = Guest { away: true, ..guest(1, "Ann") };
    assert_eq!(roster.disconnect(GuestId(1), ann.number, now), Some(PresenceChange::Away(away.clone())));
    assert_eq!(roster.guests(), [away]);
    assert_eq!(
        roster.join(GuestId(2), Some(name("ann")), CircuitId::LOOPBACK).unwrap_err().code,
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
        roster.join_stateless(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK, now).unwrap().changes,
        [PresenceChange::Joined(guest(1, "Ann"))]
    );
    now += GRACE / 2;
    assert_eq!(roster.join_stateless(GuestId(1), None, CircuitId::LOOPBACK, now).unwrap().changes, []);
    now += GRACE / 2;
    assert_eq!(roster.expire(now), []);
    let (_, connection) = roster.join(GuestId(1), None, CircuitId::LOOPBACK).unwrap();
    roster.join_stateless(GuestId(1), None, CircuitId::LOOPBACK, now).unwrap();
    assert!(!connection.replaced.is_cancelled());
    now += GRACE * 2;
    assert_eq!(roster.expire(now), [], "a connection keeps the seat");
    assert_eq!(roster.leave(GuestId(1), None), Some(PresenceChange::Left(guest(1, "Ann"))));
    assert!(connection.replaced.is_cancelled());
}

#[test]
fn visits_keep_a_seat_also_where_a_broken_connection_keeps_none() {
    let mut roster = Roster::new(9, Duration::ZERO, RateLimit::NONE);
    let now = Instant::now();
    roster.join_stateless(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK, now).unwrap();
    assert_eq!(roster.expire(now + STATELESS_GRACE_MIN / 2), []);
    assert_eq!(roster.expire(now + STATELESS_GRACE_MIN), [PresenceChange::Left(guest(1, "Ann"))]);
}

#[test]
fn a_full_room_refuses_unless_a_guest_is_away() {
    let mut roster = roster(2);
    let mut now = Instant::now();
    let (_, one) = roster.join(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    let (_, two) = roster.join(GuestId(2), Some(name("Bob")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(roster.join(GuestId(3), None, CircuitId::LOOPBACK).unwrap_err().code, Code::RoomFull);
    roster.disconnect(GuestId(2), two.number, now);
    now += GRACE / 2;
    roster.disconnect(GuestId(1), one.number, now);
    let (arrival, _) = roster.join(GuestId(3), Some(name("Eve")), CircuitId::LOOPBACK).unwrap();
    assert_eq!(
        arrival.changes,
        [PresenceChange::Left(guest(2, "Bob")), PresenceChange::Joined(guest(3, "Eve"))]
    );
}

#[test]
fn a_guest_who_comes_back_under_another_name_is_not_told_to_be_away() {
    let mut roster = roster(2);
    let (_, ann) = roster.join(GuestId(1), Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    roster.disconnect(GuestId(1), ann.number, Instant::now());
    let (arrival, _) = roster.join(GuestId(1), Some(name("Eve")), CircuitId::LOOPBACK).unwrap();
    let renamed = PresenceChange::Renamed { guest: guest(1, "Eve"), was: name("Ann") };
    assert_eq!(arrival.changes, [PresenceChange::Back(guest(1, "Ann")), renamed]);
    assert_eq!(arrival.guest, guest(1, "Eve"));
}

#[test]
fn what_a_guest_may_say_is_theirs_however_they_come_back() {
    let mut roster = Roster::new(9, GRACE, RateLimit::per_second(1, 10));
    let (one, mut now) = (GuestId(1), Instant::now());
    let second = Duration::from_secs(1);
    let (_, ann) = roster.join(one, Some(name("Ann")), CircuitId::LOOPBACK).unwrap();
    let charge = |roster: &mut Roster, connection, now| {
        roster.charge(one, connection, now).map(|charged| charged.map(|guest| guest.id))
    };
    for _ in 0..9 {
        assert_eq!(charge(&mut roster, Some(ann.number), now), Some(Ok(one)));
    }
    assert_eq!(roster.charge_rename(one, &name("Ann"), now), Ok(()), "no other name");
    assert_eq!(roster.charge_rename(one, &name("Anna"), now), Ok(()));
    assert_eq!(roster.charge_rename(one, &name("Anne"), now), Err(second));
    // A request, another connection, and one after the first broke.
    roster.join_stateless(one, None, CircuitId::LOOPBACK, now).unwrap();
    assert_eq!(charge(&mut roster, None, now), Some(Err(second)));
    let (_, ghost) = roster.join(one, None, CircuitId::LOOPBACK).unwrap();
    assert_eq!(charge(&mut roster, Some(ghost.number), now), Some(Err(second)));
    roster.disconnect(one, ghost.number, now);
    let (_, back) = roster.join(one, None, CircuitId::LOOPBACK).unwrap();
    now += second;
    assert_eq!(charge(&mut roster, Some(ghost.number), now), None, "a ghost costs nothing");
    assert_eq!(charge(&mut roster, Some(back.number), now), Some(Ok(one)));
    assert_eq!(charge(&mut roster, Some(back.number), now), Some(Err(second)));
    // Another guest has their own.
    roster.join(GuestId(2), Some(name("Bob")), CircuitId::LOOPBACK).unwrap();
    assert!(roster.charge(GuestId(2), None, now).unwrap().is_ok());
    assert_eq!(
        roster.charge_rename(GuestId(2), &name("Ann"), now),
        Ok(()),
        "a taken name is refused as such"
    );
}
