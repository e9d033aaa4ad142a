//! What waits, and what becomes of it.

use super::*;
use crate::protocol::act::{Act, Target};
use crate::protocol::record::Release;
use crate::protocol::{MessageId, Name};

const MODERATOR: GuestId = GuestId(2);
const GUEST: GuestId = GuestId(3);
const OTHER: GuestId = GuestId(4);

fn record(seq: u64, author: GuestId, body: Body) -> Record {
    Record { seq, at: seq * 10, author, id: MessageId::parse(&seq.to_string()).unwrap(), body }
}

fn target(of: GuestId) -> Target {
    Target { of, name: None }
}

fn name() -> Name {
    Name::parse("Ann").unwrap()
}

fn hold(state: &mut RoomState, seq: u64, author: GuestId) -> Effect {
    state.apply(&record(seq, author, Body::Held { name: name(), text: "scam".into(), to: None }))
}

fn release(state: &mut RoomState, seq: u64, author: GuestId, by: GuestId, held: u64) -> Effect {
    let release =
        Box::new(Release { by, held, said_as: MessageId::parse(&held.to_string()).unwrap(), to: None });
    state.apply(&record(seq, author, Body::Released { release, name: name(), text: "scam".into() }))
}

fn act(state: &mut RoomState, seq: u64, author: GuestId, act: Act) -> Effect {
    state.apply(&record(seq, author, Body::Act(act)))
}

/// A room with a moderator, after entry 1, in which 2 and 4 of a guest and 3 of another wait.
fn waiting() -> RoomState {
    let mut state = RoomState::new("tea");
    let role = Act::Role { target: target(MODERATOR), role: Role::Moderator, link: None };
    act(&mut state, 1, GuestId::ROOM, role);
    for (seq, author) in [(2, GUEST), (3, OTHER), (4, GUEST)] {
        let effect = hold(&mut state, seq, author);
        assert_eq!((effect.changed, effect.refused, effect.erases), (true, false, None));
    }
    state
}

fn held(state: &RoomState) -> Vec<u64> {
    state.held().iter().map(|line| line.seq).collect()
}

fn erased(effect: &Effect) -> Vec<u64> {
    effect.erases.iter().flat_map(|erase| erase.messages.iter().copied()).collect()
}

#[test]
fn a_message_is_released_once() {
    let mut state = waiting();
    assert_eq!(held(&state), [2, 3, 4]);
    let effect = release(&mut state, 5, GUEST, MODERATOR, 2);
    assert_eq!((effect.refused, erased(&effect)), (false, vec![2]));
    assert_eq!((held(&state), state.released_as(2), state.released_as(3)), (vec![3, 4], Some(5), None));
    let effect = release(&mut state, 6, GUEST, GuestId::ROOM, 2);
    assert_eq!((effect.refused, erased(&effect)), (true, vec![6]), "at another node, the same moment");
    let line = state.acts.back().unwrap();
    assert_eq!((line.by, line.act.as_str(), line.of), (MODERATOR, "release", Some(GUEST)));
    let stored = String::from_utf8(state.encode()).unwrap();
    assert!(!stored.contains("scam"));
    assert_eq!(RoomState::decode(stored.as_bytes()), Some(state));
}

#[test]
fn a_release_counts_from_who_may_do_it_and_for_what_waits() {
    for (author, by, message) in [(GUEST, GUEST, 2), (OTHER, MODERATOR, 2), (GUEST, MODERATOR, 9)] {
        let mut state = waiting();
        let effect = release(&mut state, 5, author, by, message);
        assert_eq!((effect.refused, erased(&effect)), (true, vec![5]), "{by:?}");
        assert_eq!((held(&state), state.acts.len()), (vec![2, 3, 4], 1));
    }
}

#[test]
fn what_waits_goes_with_its_author() {
    let of = || target(GUEST);
    for (done, expected) in [
        (Act::Kick { target: of() }, vec![2, 4]),
        (Act::Ban { target: of(), seconds: None, invitation: false }, vec![2, 4]),
        (Act::DeleteAll { target: of() }, vec![]),
        (Act::Mute { target: of(), seconds: None, invitation: false }, vec![]),
    ] {
        let mut state = waiting();
        let stays = matches!(done, Act::Mute { .. });
        let effect = act(&mut state, 5, MODERATOR, done);
        assert_eq!(erased(&effect), expected);
        assert_eq!(held(&state), if stays { vec![2, 3, 4] } else { vec![3] });
        assert_eq!(release(&mut state, 6, GUEST, MODERATOR, 2).refused, !stays);
    }
    let mut state = waiting();
    assert_eq!(erased(&act(&mut state, 5, MODERATOR, Act::Delete { messages: vec![4], own: false })), [4]);
    assert_eq!(held(&state), [2, 3]);
    assert!(state.permit(MODERATOR, &Act::Release { messages: vec![4] }, 0).is_err());
    assert!(state.permit(MODERATOR, &Act::Release { messages: vec![4, 3] }, 0).is_ok());
    assert!(state.permit(GUEST, &Act::Release { messages: vec![3] }, 0).is_err());
}

#[test]
fn a_log_that_was_set_back_forgets_what_waited() {
    let mut state = waiting();
    release(&mut state, 5, GUEST, MODERATOR, 2);
    state.set_back(4);
    assert_eq!((held(&state), state.released_as(2)), (vec![3], None));
}

/// A flood at several nodes: the list stays short, and what falls off it is erased.
#[test]
fn no_more_are_remembered_than_the_list_has() {
    let mut state = waiting();
    let mut gone = Vec::new();
    for seq in 5..1000 {
        gone.extend(erased(&hold(&mut state, seq, OTHER)));
    }
    assert_eq!((state.held().len(), state.held()[0].seq), (200, 800));
    assert_eq!(gone, (2..800).collect::<Vec<_>>());
}

#[test]
fn words_are_a_hosts_and_are_not_told() {
    let mut state = waiting();
    let words = || Act::Words { words: Some(vec!["scam".into(), "free money".into()]), count: None };
    assert!(act(&mut state, 5, MODERATOR, words()).refused);
    assert!(act(&mut state, 6, GuestId::ROOM, words()).changed);
    assert_eq!(state.words, ["scam", "free money"]);
    let told = record(6, GuestId::ROOM, Body::Act(words())).event().encode();
    assert!(told.contains("\"act\":\"words\",\"count\":2") && !told.contains("scam"), "{told}");
    assert!(!state.acts.iter().any(|line| line.act.contains("scam")));
    act(&mut state, 7, GuestId::ROOM, Act::Words { words: Some(Vec::new()), count: None });
    assert!(state.words.is_empty() && held(&state) == [2, 3, 4], "what waits still waits");
}
