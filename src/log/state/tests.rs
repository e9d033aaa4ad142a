use super::*;
use crate::protocol::act::{Act, Said, Target};
use crate::protocol::{MessageId, Name, Token};

pub(super) const HOST: GuestId = GuestId(1);
pub(super) const MODERATOR: GuestId = GuestId(2);
pub(super) const GUEST: GuestId = GuestId(3);

fn record(seq: u64, author: GuestId, body: Body) -> Record {
    Record { seq, at: seq * 10, author, id: MessageId::parse("a").unwrap(), body }
}

pub(super) fn target(of: GuestId) -> Target {
    Target { of, name: None }
}

/// A room with a host and a moderator, after entry 2.
pub(super) fn governed() -> RoomState {
    let mut state = RoomState::new("tea");
    for (seq, of, role) in [(1, HOST, Role::Host), (2, MODERATOR, Role::Moderator)] {
        let act = Act::Role { target: target(of), role, link: None };
        assert!(state.apply(&record(seq, GuestId::ROOM, Body::Act(act))).changed);
    }
    state
}

pub(super) fn act(state: &mut RoomState, seq: u64, author: GuestId, act: Act) -> Effect {
    state.apply(&record(seq, author, Body::Act(act)))
}

#[test]
fn the_state_follows_from_the_entries() {
    let mut state = RoomState::new("tea");
    for (body, changes, title) in [
        (Body::Title { title: "tea".into() }, false, "tea"),
        (Body::Title { title: "cake".into() }, true, "cake"),
        (Body::Message { name: Name::parse("Ann").unwrap(), text: "tea".into() }, false, "cake"),
        (Body::Unknown { kind: "pin".into(), data: Vec::new() }, false, "cake"),
    ] {
        assert_eq!(state.apply(&record(1, GuestId::ROOM, body)).changed, changes);
        assert_eq!(state.title, title);
    }
    assert_eq!(RoomState::decode(&state.encode()), Some(state));
}

#[test]
fn what_a_newer_program_keeps_is_not_lost() {
    let newer = br#"{"title":"tea","doorbell":[1,2]}"#;
    let mut state = RoomState::decode(newer).unwrap();
    state.title = "cake".into();
    assert_eq!(state.encode(), br#"{"title":"cake","doorbell":[1,2]}"#);
    assert_eq!(RoomState::decode(b"{}"), None);
}

#[test]
fn all_that_hosts_decide_is_stored() {
    let mut state = governed();
    let said = Said { by: GUEST, name: "Ann".into(), text: "tea?".into() };
    let link = Some(LinkHash::of(&Token::random().unwrap()));
    for (seq, done) in [
        (3, Act::Mute { target: target(GUEST), seconds: Some(5), invitation: false }),
        (
            4,
            Act::Ban {
                target: Target { of: GuestId(4), name: Some("Bob".into()) },
                seconds: None,
                invitation: false,
            },
        ),
        (5, Act::Lock { locked: true }),
        (6, Act::Slow { seconds: 10 }),
        (7, Act::Cap { guests: 50 }),
        (8, Act::Topic { text: "tea".into() }),
        (9, Act::Rules { text: "be kind".into() }),
        (10, Act::Pin { message: 1, said: Some(said) }),
        (11, Act::Link { role: Role::Moderator, link }),
        (12, Act::Title { text: "cake".into() }),
    ] {
        assert!(act(&mut state, seq, HOST, done).changed);
    }
    let again = RoomState::decode(&state.encode()).unwrap();
    assert_eq!(again, state);
    assert_eq!((again.title.as_str(), again.configured_title()), ("cake", "tea"));
    assert_eq!((again.policy.slow, again.policy.cap, again.policy.locked), (10, 50, true));
    assert_eq!((again.role(MODERATOR), again.role(GUEST)), (Role::Moderator, Role::Guest));
    assert!(again.mute(GUEST, 34).is_some() && again.mute(GUEST, 35).is_none());
    assert!(again.ban(GuestId(4), u64::MAX).is_some());
    assert_eq!(again.acts.len(), 12);
}

#[test]
fn a_title_of_the_settings_counts_when_it_is_another_one() {
    let mut state = governed();
    act(&mut state, 3, HOST, Act::Title { text: "cake".into() });
    assert_eq!(state.configured_title(), "tea");
    let settings = Body::Title { title: "pie".into() };
    assert!(state.apply(&record(4, GuestId::ROOM, settings)).changed);
    assert_eq!((state.title.as_str(), state.configured_title()), ("pie", "pie"));
}

#[test]
fn an_act_counts_only_from_who_may_do_it() {
    let lock = Act::Lock { locked: true };
    let title = Act::Title { text: "cake".into() };
    let kick = |of| Act::Kick { target: target(of) };
    for (author, done, counts) in [
        (GUEST, lock.clone(), false),
        (MODERATOR, lock, true),
        (MODERATOR, title.clone(), false),
        (HOST, title, true),
        (GUEST, kick(GuestId(4)), false),
        (MODERATOR, kick(GUEST), true),
        (MODERATOR, kick(HOST), false),
        (MODERATOR, kick(MODERATOR), false),
        (HOST, kick(MODERATOR), true),
        (GuestId::ROOM, kick(HOST), true),
        (MODERATOR, Act::Role { target: target(GUEST), role: Role::Moderator, link: None }, false),
    ] {
        let (mut state, before) = (governed(), governed());
        let effect = act(&mut state, 3, author, done.clone());
        assert_eq!((effect.changed, effect.refused), (counts, !counts), "{author:?} {done:?}");
        assert_eq!(state != before, counts, "{author:?} {done:?}");
    }
}

#[test]
fn a_link_gives_its_role_once_and_to_who_uses_it() {
    let (mut state, secret) = (governed(), Token::random().unwrap());
    let link = Some(LinkHash::of(&secret));
    let claim = |of, role| Act::Role { target: target(of), role, link: link.clone() };
    assert!(act(&mut state, 3, GUEST, claim(GUEST, Role::Moderator)).refused, "before there is one");
    act(&mut state, 4, HOST, Act::Link { role: Role::Moderator, link: link.clone() });
    assert!(act(&mut state, 5, GUEST, claim(GUEST, Role::Host)).refused, "another role");
    assert!(act(&mut state, 6, GUEST, claim(GuestId(4), Role::Moderator)).refused, "for another guest");
    assert!(act(&mut state, 7, GUEST, claim(GUEST, Role::Moderator)).changed);
    assert_eq!(state.role(GUEST), Role::Moderator);
    assert!(act(&mut state, 8, GuestId(4), claim(GuestId(4), Role::Moderator)).refused, "twice");
    act(&mut state, 9, HOST, Act::Link { role: Role::Moderator, link: link.clone() });
    act(&mut state, 10, HOST, Act::RevokeLinks);
    assert!(act(&mut state, 11, GuestId(4), claim(GuestId(4), Role::Moderator)).refused, "taken back");
}

#[test]
fn who_was_put_out_may_come_back_in_a_minute() {
    let mut state = governed();
    act(&mut state, 3, MODERATOR, Act::Kick { target: target(GUEST) });
    assert!(state.ban(GUEST, 89).is_some_and(|ban| ban.kicked) && state.ban(GUEST, 90).is_none());
    act(&mut state, 4, MODERATOR, Act::Ban { target: target(GUEST), seconds: None, invitation: false });
    act(&mut state, 5, MODERATOR, Act::Kick { target: target(GUEST) });
    assert!(state.ban(GUEST, 1000).is_some_and(|ban| !ban.kicked), "a ban outlasts being put out");
    act(&mut state, 6, MODERATOR, Act::Unban { target: target(GUEST) });
    assert!(state.ban(GUEST, 60).is_none());
}

fn pin(message: u64) -> Act {
    Act::Pin { message, said: Some(Said { by: GUEST, name: "Ann".into(), text: "tea?".into() }) }
}

fn erase(before: u64, messages: &[u64], by: Option<GuestId>, pins: &[u64]) -> Option<Erase> {
    Some(Erase { before, messages: messages.to_vec(), by, pins: pins.to_vec(), replaced: Vec::new() })
}

#[test]
fn what_is_deleted_is_not_pinned_any_more() {
    let mut state = governed();
    act(&mut state, 5, HOST, pin(4));
    let effect = act(&mut state, 6, MODERATOR, Act::Delete { messages: vec![4, 9], own: false });
    assert_eq!(effect.erases, erase(6, &[4], None, &[5]), "none that comes later");
    assert_eq!(state.policy.pinned, None);
    act(
        &mut state,
        7,
        HOST,
        Act::Pin { message: 3, said: Some(Said { by: GUEST, name: "Ann".into(), text: "tea?".into() }) },
    );
    let effect = act(&mut state, 8, MODERATOR, Act::DeleteAll { target: target(GUEST) });
    assert_eq!(effect.erases, erase(8, &[], Some(GUEST), &[7]));
    assert_eq!(state.policy.pinned, None);
    assert!(act(&mut state, 9, HOST, Act::Pin { message: 1, said: None }).refused);
    assert_eq!(
        act(&mut state, 10, GUEST, Act::Delete { messages: vec![3], own: false }),
        Effect { refused: true, ..Effect::default() }
    );
}

/// Guards against a text that stays in the act that once pinned it.
#[test]
fn an_act_that_pins_goes_with_its_pin() {
    let mut state = governed();
    assert_eq!(act(&mut state, 6, HOST, pin(4)).erases, None);
    assert_eq!(act(&mut state, 7, HOST, pin(5)).erases, erase(7, &[], None, &[6]));
    assert_eq!(act(&mut state, 8, HOST, Act::Unpin).erases, erase(8, &[], None, &[7]));
    assert_eq!(act(&mut state, 9, HOST, Act::Unpin).erases, None);
    let refused = act(&mut state, 10, GUEST, pin(4));
    assert_eq!((refused.refused, refused.erases), (true, erase(10, &[], None, &[10])));
}

/// Guards against a message that comes back as the pinned one: its text was read before it was deleted.
#[test]
fn what_was_deleted_is_not_pinned_later() {
    let mut state = governed();
    act(&mut state, 6, MODERATOR, Act::Delete { messages: vec![4], own: false });
    let mut again = RoomState::decode(&state.encode()).unwrap();
    for (seq, state) in [(7, &mut state), (7, &mut again)] {
        let refused = act(state, seq, HOST, pin(4));
        assert_eq!((refused.refused, refused.erases), (true, erase(7, &[], None, &[7])));
        assert_eq!(state.policy.pinned, None);
        assert!(act(state, 8, HOST, pin(5)).changed);
        act(state, 9, HOST, Act::DeleteAll { target: target(GUEST) });
        assert!(act(state, 10, HOST, pin(8)).refused);
        assert!(act(state, 12, HOST, pin(11)).changed, "said after that");
    }
}

/// Guards against new messages that are erased because old ones had their numbers.
#[test]
fn a_log_that_is_set_back_gives_numbers_again() {
    let mut state = governed();
    act(&mut state, 10, HOST, Act::Delete { messages: vec![4, 8], own: false });
    act(&mut state, 11, HOST, Act::DeleteAll { target: target(GUEST) });
    act(&mut state, 12, HOST, pin(11));
    state.set_back(6);
    assert!(state.erased.has_message(4, GUEST) && state.erased.has_message(5, GUEST));
    assert!(!state.erased.has_message(8, GUEST) && !state.erased.has_message(6, GUEST));
    assert_eq!(act(&mut state, 6, HOST, Act::Unpin).erases, None, "the entry 12 is another one");
    state.set_back(1);
    assert!(state.erased.is_empty());
}

#[test]
fn lists_are_bounded() {
    let mut state = governed();
    for number in 0..1000 {
        act(
            &mut state,
            3 + number,
            HOST,
            Act::Ban { target: target(GuestId(100 + number)), seconds: None, invitation: false },
        );
    }
    assert!(
        act(&mut state, 2000, HOST, Act::Ban { target: target(GUEST), seconds: None, invitation: false })
            .refused
    );
    assert_eq!((state.banned.len(), state.acts.len()), (1000, 200));
    for _ in 0..20 {
        let link = Some(LinkHash::of(&Token::random().unwrap()));
        act(&mut state, 2001, HOST, Act::Link { role: Role::Host, link });
    }
    assert_eq!(state.links.len(), 16);
    for number in 0..200 {
        act(&mut state, 3000 + number, HOST, Act::Delete { messages: vec![1], own: false });
    }
    assert_eq!(state.erased.iter().count(), 100);
    for number in 0..20 {
        act(&mut state, 4000 + number, HOST, Act::Delete { messages: (1..=100).collect(), own: false });
    }
    assert_eq!(state.erased.iter().count(), 10);
}
