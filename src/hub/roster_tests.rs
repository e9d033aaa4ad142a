//! Seats and names.

use super::*;

const GRACE: Duration = Duration::from_secs(90);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn roster(limit: usize) -> Roster {
    Roster::new(limit, GRACE, Pace::new(0))
}

fn guest(id: u64, text: &str) -> Guest {
    Guest { id: GuestId(id), name: name(text), away: false }
}

#[test]
fn a_name_is_free_again_when_its_guest_has_left_or_renamed() {
    let mut roster = roster(9);
    let (_, bob) = roster.enter(GuestId(1), Some(name("Bob"))).unwrap();
    assert_eq!(roster.enter(GuestId(2), Some(name("bоb"))).unwrap_err().code, Code::NameTaken);
    roster.rename(GuestId(1), name("BOB")).unwrap();
    roster.rename(GuestId(1), name("Rob")).unwrap();
    roster.enter(GuestId(2), Some(name("bоb"))).unwrap();
    assert_eq!(roster.rename(GuestId(2), name("rob")).unwrap_err().code, Code::NameTaken);
    assert_eq!(roster.leave(GuestId(1), Some(bob.connection)), Some(News::Left(guest(1, "Rob"))));
    roster.rename(GuestId(2), name("rob")).unwrap();
}

#[test]
fn a_ghost_is_taken_over_and_its_end_changes_nothing() {
    let mut roster = roster(1);
    let now = Instant::now();
    let (_, ghost) = roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
    let (arrival, back) = roster.enter(GuestId(1), None).unwrap();
    assert_eq!((arrival.guest, arrival.news), (guest(1, "Ann"), vec![]));
    assert!(ghost.replaced.is_cancelled() && !back.replaced.is_cancelled());
    assert_eq!(roster.drop_connection(GuestId(1), ghost.connection, now), None);
    assert_eq!(roster.leave(GuestId(1), Some(ghost.connection)), None);
    assert!(roster.guest(GuestId(1), Some(ghost.connection)).is_none());
    assert!(roster.guest(GuestId(1), Some(back.connection)).is_some());
}

#[test]
fn coming_back_under_a_taken_name_leaves_the_old_connection_alone() {
    let mut roster = roster(9);
    roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
    let (_, bob) = roster.enter(GuestId(2), Some(name("Bob"))).unwrap();
    assert_eq!(roster.enter(GuestId(2), Some(name("ann"))).unwrap_err().code, Code::NameTaken);
    assert!(!bob.replaced.is_cancelled());
    let (arrival, _) = roster.enter(GuestId(2), Some(name("Eve"))).unwrap();
    assert_eq!(arrival.news, [News::Renamed { guest: guest(2, "Eve"), was: name("Bob") }]);
}

#[test]
fn who_drops_is_away_for_a_while_and_then_has_left() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    let (_, ann) = roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
    let away = Guest { away: true, ..guest(1, "Ann") };
    assert_eq!(roster.drop_connection(GuestId(1), ann.connection, now), Some(News::Away(away.clone())));
    assert_eq!(roster.guests(), [away]);
    assert_eq!(roster.enter(GuestId(2), Some(name("ann"))).unwrap_err().code, Code::NameTaken);

    now += GRACE / 2;
    assert_eq!(roster.expire(now), []);
    let (arrival, ann) = roster.enter(GuestId(1), None).unwrap();
    assert_eq!(arrival.news, [News::Back(guest(1, "Ann"))]);

    roster.drop_connection(GuestId(1), ann.connection, now);
    now += GRACE;
    assert_eq!(roster.expire(now), [News::Left(guest(1, "Ann"))]);
    assert_eq!(roster.guests(), []);
}

#[test]
fn visits_keep_a_seat_and_leave_a_connection_alone() {
    let mut roster = roster(9);
    let mut now = Instant::now();
    assert_eq!(
        roster.visit(GuestId(1), Some(name("Ann")), now).unwrap().news,
        [News::Joined(guest(1, "Ann"))]
    );
    now += GRACE / 2;
    assert_eq!(roster.visit(GuestId(1), None, now).unwrap().news, []);
    now += GRACE / 2;
    assert_eq!(roster.expire(now), []);
    let (_, attached) = roster.enter(GuestId(1), None).unwrap();
    roster.visit(GuestId(1), None, now).unwrap();
    assert!(!attached.replaced.is_cancelled());
    now += GRACE * 2;
    assert_eq!(roster.expire(now), [], "a connection keeps the seat");
    assert_eq!(roster.leave(GuestId(1), None), Some(News::Left(guest(1, "Ann"))));
    assert!(attached.replaced.is_cancelled());
}

#[test]
fn visits_keep_a_seat_also_where_a_broken_connection_keeps_none() {
    let mut roster = Roster::new(9, Duration::ZERO, Pace::new(0));
    let now = Instant::now();
    roster.visit(GuestId(1), Some(name("Ann")), now).unwrap();
    assert_eq!(roster.expire(now + VISIT_AT_LEAST / 2), []);
    assert_eq!(roster.expire(now + VISIT_AT_LEAST), [News::Left(guest(1, "Ann"))]);
}

#[test]
fn a_full_room_refuses_unless_somebody_is_away() {
    let mut roster = roster(2);
    let mut now = Instant::now();
    let (_, one) = roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
    let (_, two) = roster.enter(GuestId(2), Some(name("Bob"))).unwrap();
    assert_eq!(roster.enter(GuestId(3), None).unwrap_err().code, Code::RoomFull);
    roster.drop_connection(GuestId(2), two.connection, now);
    now += GRACE / 2;
    roster.drop_connection(GuestId(1), one.connection, now);
    let (arrival, _) = roster.enter(GuestId(3), Some(name("Eve"))).unwrap();
    assert_eq!(arrival.news, [News::Left(guest(2, "Bob")), News::Joined(guest(3, "Eve"))]);
}

#[test]
fn whoever_comes_back_under_another_name_is_not_told_to_be_away() {
    let mut roster = roster(2);
    let (_, ann) = roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
    roster.drop_connection(GuestId(1), ann.connection, Instant::now());
    let (arrival, _) = roster.enter(GuestId(1), Some(name("Eve"))).unwrap();
    let renamed = News::Renamed { guest: guest(1, "Eve"), was: name("Ann") };
    assert_eq!(arrival.news, [News::Back(guest(1, "Ann")), renamed]);
    assert_eq!(arrival.guest, guest(1, "Eve"));
}

#[test]
fn what_a_guest_may_say_is_theirs_however_they_come_back() {
    let mut roster = Roster::new(9, GRACE, Pace::new(1));
    let (one, mut now) = (GuestId(1), Instant::now());
    let second = Duration::from_secs(1);
    let (_, ann) = roster.enter(one, Some(name("Ann"))).unwrap();
    let charge = |roster: &mut Roster, connection, now| {
        roster.charge(one, connection, now).map(|charged| charged.map(|guest| guest.id))
    };
    for _ in 0..9 {
        assert_eq!(charge(&mut roster, Some(ann.connection), now), Some(Ok(one)));
    }
    assert_eq!(roster.charge_rename(one, &name("Ann"), now), Ok(()), "no other name");
    assert_eq!(roster.charge_rename(one, &name("Anna"), now), Ok(()));
    assert_eq!(roster.charge_rename(one, &name("Anne"), now), Err(second));
    // A request, another connection, and one after the first broke.
    roster.visit(one, None, now).unwrap();
    assert_eq!(charge(&mut roster, None, now), Some(Err(second)));
    let (_, ghost) = roster.enter(one, None).unwrap();
    assert_eq!(charge(&mut roster, Some(ghost.connection), now), Some(Err(second)));
    roster.drop_connection(one, ghost.connection, now);
    let (_, back) = roster.enter(one, None).unwrap();
    now += second;
    assert_eq!(charge(&mut roster, Some(ghost.connection), now), None, "a ghost costs nothing");
    assert_eq!(charge(&mut roster, Some(back.connection), now), Some(Ok(one)));
    assert_eq!(charge(&mut roster, Some(back.connection), now), Some(Err(second)));
    // Another guest has their own.
    roster.enter(GuestId(2), Some(name("Bob"))).unwrap();
    assert!(roster.charge(GuestId(2), None, now).unwrap().is_ok());
    assert_eq!(
        roster.charge_rename(GuestId(2), &name("Ann"), now),
        Ok(()),
        "a taken name is refused as such"
    );
}
