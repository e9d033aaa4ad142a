//! Reserved names, as the fold decides on them.

use super::reservations::{RESERVATIONS_MAX, UNUSED_SECONDS};
use super::tests::{GUEST, HOST, MODERATOR, act, governed, target};
use super::*;
use crate::protocol::act::Act;
use crate::protocol::{MessageId, Name, Record};

fn reserve(name: &str) -> Act {
    Act::Reserve { name: Some(name.into()), under: None }
}

/// Whether a guest's act counts when the room's clock shows `at`.
fn counts(state: &mut RoomState, at: u64, author: u64, act: Act) -> bool {
    let id = MessageId::parse("a").unwrap();
    !state.apply(&Record { seq: 9, at, author: GuestId(author), id, body: Body::Act(act) }).refused
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn the_first_of_two_confusable_names_is_reserved() {
    let mut state = governed();
    for (author, wanted, first) in [
        (10, "Ann", true),
        (11, "ann", false),
        (11, "A-n-n", false),
        (11, "Αnn", false),
        (11, "Anne", true),
        (10, "Ann", true),
        // A later one moves it, and the earlier name is free.
        (10, "Bob", true),
        (12, "Ann", true),
        (10, "Ann", false),
    ] {
        let parsed = Name::parse(wanted).map_or(wanted.to_owned(), |name| name.as_str().to_owned());
        assert_eq!(counts(&mut state, 0, author, reserve(&parsed)), first, "{author} {wanted}");
    }
    let reserved = &state.reserved;
    assert_eq!(reserved.iter().count(), 3);
    assert!(reserved.keeps(GuestId(12), &name("ANN")) && !reserved.keeps(GuestId(10), &name("Ann")));
    assert!(
        reserved.is_of_another(&name("b0b"), GuestId(12))
            && !reserved.is_of_another(&name("Bob"), GuestId(10))
    );
    assert_eq!(RoomState::decode(&state.encode()), Some(state.clone()));
    assert!(state.acts.iter().all(|line| line.act == "role"), "it is no host's act");
}

#[test]
fn a_name_is_given_up_or_taken_by_a_host() {
    let mut state = governed();
    assert!(!counts(&mut state, 0, 3, Act::ReleaseName), "there is none");
    assert!(counts(&mut state, 0, 3, reserve("Ann")));
    for (author, done) in [(GUEST, false), (MODERATOR, false), (HOST, true), (HOST, false)] {
        let unreserve = Act::Unreserve { target: target(GUEST) };
        assert_eq!(!act(&mut state, 5, author, unreserve).refused, done, "{author:?}");
    }
    assert!(state.reserved.is_empty());
    assert!(counts(&mut state, 0, 3, reserve("Ann")) && counts(&mut state, 0, 3, Act::ReleaseName));
    assert!(state.reserved.of_name(&name("Ann")).is_none());
    for (act, counts_) in [(reserve("Ann"), false), (Act::ReleaseName, false)] {
        assert_eq!(counts(&mut state, 0, 0, act), counts_, "the room itself has no name");
    }
    assert!(!counts(&mut state, 0, 3, Act::Reserve { name: None, under: None }));
    assert!(!act(&mut state, 6, MODERATOR, Act::Identities { required: true }).changed);
    assert!(act(&mut state, 7, HOST, Act::Identities { required: true }).changed);
    assert!(state.policy.identities_required);
}

#[test]
fn a_passphrase_stays_with_the_name_that_it_was_made_with() {
    let mut state = governed();
    let under = |state: &RoomState| state.reserved.of(GuestId(3)).unwrap().under.clone();
    counts(&mut state, 0, 3, Act::Reserve { name: Some("Ann".into()), under: Some("Ann".into()) });
    counts(&mut state, 0, 3, reserve("Bob"));
    assert_eq!(under(&state), Some(name("Ann")));
    let told = Act::Reserve { name: Some("Bob".into()), under: Some("Ann".into()) };
    assert_eq!(*told.told(), reserve("Bob"), "guests are not told");
}

#[test]
fn a_full_list_takes_the_place_of_what_was_not_used_for_a_month() {
    let mut state = governed();
    let used = |number: u64| number * 60;
    for number in 0..RESERVATIONS_MAX as u64 {
        assert!(counts(&mut state, used(number), 100 + number, reserve(&format!("Guest {number}x"))));
    }
    let month = UNUSED_SECONDS;
    assert!(!counts(&mut state, month - 1, 5, reserve("Ann")));
    assert!(counts(&mut state, month - 1, 100, reserve("Other")), "who has one moves it, and has used it");
    assert!(!counts(&mut state, month, 5, reserve("Ann")));
    assert!(counts(&mut state, used(1) + month, 5, reserve("Ann")));
    assert!(!counts(&mut state, used(1) + month, 6, reserve("Bob")));
    assert!(state.reserved.of(GuestId(101)).is_none() && state.reserved.of(GuestId(102)).is_some());
    assert_eq!(state.reserved.iter().count(), RESERVATIONS_MAX);
    let stored = state.encode();
    assert!(stored.len() < 80_000, "{} bytes", stored.len());
    assert_eq!(RoomState::decode(&stored), Some(state.clone()));
    assert!(state.reserved.is_use_due(GuestId(102), used(2) + 86_400));
    assert!(!state.reserved.is_use_due(GuestId(102), used(2) + 86_399));
}

#[test]
fn what_is_stored_is_read_whatever_it_says() {
    for (stored, names) in [
        (r#"[{"of":7,"name":"Ann","used":5},{"of":8,"name":"ann","used":6}]"#, 1),
        (r#"[{"of":7,"name":"Ann","used":5},{"of":7,"name":"Bob","used":6}]"#, 1),
        (r#"[{"of":7,"name":"","used":5}]"#, 0),
    ] {
        let state =
            RoomState::decode(format!(r#"{{"title":"tea","reserved":{stored}}}"#).as_bytes()).unwrap();
        assert_eq!(state.reserved.iter().count(), names, "{stored}");
    }
}
