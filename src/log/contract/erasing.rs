//! What acts erase is not kept, in every log, and nothing else goes with it.

use super::*;
use crate::protocol::act::{Said, Target};
use crate::protocol::{Act, Emoji};

promises! {
    deleted_messages_are_not_kept: 100, 0, None;
    only_messages_are_deleted: 100, 0, None;
    all_that_an_author_said_is_deleted: 100, 0, None;
    an_act_that_pins_goes_with_its_pin: 100, 0, None;
    edits_and_reactions_are_replaced: 100, 0, None;
    a_deletion_takes_the_edit_with_it: 100, 0, None;
    replies_are_messages: 100, 0, None;
    what_is_deleted_makes_room: 3, 0, None;
    a_log_that_keeps_nothing_has_nothing_to_erase: 0, 0, None;
}

/// An act of the room itself.
pub(in crate::log) fn act(id: &str, act: Act) -> Entry {
    Entry { author: GuestId::ROOM, body: Body::Act(act), ..entry(1, id) }
}

pub(in crate::log) fn delete(id: &str, messages: &[u64]) -> Entry {
    act(id, Act::Delete { messages: messages.to_vec(), own: false })
}

pub(in crate::log) fn delete_all(id: &str, of: u64) -> Entry {
    act(id, Act::DeleteAll { target: Target { of: GuestId(of), name: None } })
}

pub(in crate::log) fn pin(id: &str, message: u64, by: u64) -> Entry {
    let said = Said { by: GuestId(by), name: "Ann".into(), text: "the pinned text".into() };
    act(id, Act::Pin { message, said: Some(said) })
}

async fn state(log: &dyn Log) -> RoomState {
    log.state(RoomState::new("tea")).await.unwrap()
}

async fn deleted_messages_are_not_kept(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), entry(2, "a"), entry(1, "b"), entry(1, "c")]).await.unwrap();
    let mut follow = log.follow(0).await.unwrap();
    assert_eq!(next(&mut follow, 4).await, [1, 2, 3, 4]);
    log.append(vec![delete("1", &[1, 3, 99])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 4, 5]);
    assert_eq!(log.span().await.unwrap(), Span { first: 2, head: 5, whole_from: 4 });
    assert_eq!((log.cursor_before(5, 1).await.unwrap(), log.cursor_before(5, 2).await.unwrap()), (2, 0));
    assert_eq!(next(&mut follow, 1).await, [5]);
    assert_eq!(next(&mut log.follow(0).await.unwrap(), 3).await, [2, 4, 5], "who comes later");
    assert_eq!(numbers(&log.append(vec![entry(1, "a")]).await.unwrap()), [(1, false)], "and not said again");
    // Said and deleted in one append.
    log.append(vec![entry(3, "a"), delete("2", &[6]), entry(3, "b")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 4, 5, 7, 8]);
    log.trim(0).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 4, 5, 7, 8]);
    assert_eq!(text(&log.read(0, 1).await.unwrap()[0]), "text of a");
}

async fn only_messages_are_deleted(log: &dyn Log) {
    state(log).await;
    let title = Entry { body: Body::Title { title: "cake".into() }, ..entry(0, "title") };
    let newer = Entry { body: Body::Unknown { kind: "pin".into(), data: Vec::new() }, ..entry(1, "x") };
    log.append(vec![entry(1, "a"), title, newer, act("1", Act::Lock { locked: true })]).await.unwrap();
    let of_a_guest = Entry { author: GuestId(7), ..delete("2", &[1]) };
    log.append(vec![of_a_guest, delete("3", &[2, 3, 4, 5, 6, 7]), entry(1, "b")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 2, 3, 4, 5, 6, 7], "nor by a guest, nor what is said later");
    let state = state(log).await;
    assert_eq!((state.title.as_str(), state.policy.locked, state.acts.len()), ("cake", true, 2));
}

async fn all_that_an_author_said_is_deleted(log: &dyn Log) {
    state(log).await;
    let newer = Entry { body: Body::Unknown { kind: "pin".into(), data: Vec::new() }, ..entry(1, "x") };
    log.append(vec![entry(1, "a"), entry(2, "a"), newer, entry(1, "b")]).await.unwrap();
    log.append(vec![entry(1, "c"), delete_all("1", 1), entry(1, "d")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 3, 6, 7]);
    log.append(vec![delete_all("2", 0), delete_all("3", 77)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 3, 6, 7, 8, 9], "the acts of the room stay");
    assert_eq!(log.span().await.unwrap(), Span { first: 2, head: 9, whole_from: 6 });
}

async fn an_act_that_pins_goes_with_its_pin(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), entry(1, "b"), pin("1", 1, 1)]).await.unwrap();
    assert_eq!(state(log).await.policy.pinned.unwrap().message, 1);
    log.append(vec![pin("2", 2, 1)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 2, 4]);
    log.append(vec![act("3", Act::Unpin), pin("4", 2, 1)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 2, 5, 6]);
    log.append(vec![delete("5", &[2])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 5, 7]);
    assert_eq!(state(log).await.policy.pinned, None);
    // Its text was read for this before it was deleted.
    log.append(vec![pin("6", 2, 1)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 5, 7]);
    let state = state(log).await;
    assert!(state.policy.pinned.is_none() && !state.encode().windows(6).any(|part| part == b"pinned"));
    assert_eq!(log.span().await.unwrap().head, 8);
}

fn of_guest(author: u64, id: &str, act: Act) -> Entry {
    Entry { author: GuestId(author), body: Body::Act(act), ..entry(author, id) }
}

pub(in crate::log) fn edit(author: u64, id: &str, message: u64) -> Entry {
    of_guest(author, id, Act::Edit { message, text: format!("the text of edit {id}") })
}

fn reacts(author: u64, id: &str, emoji: Option<Emoji>) -> Entry {
    of_guest(author, id, Act::React { message: 1, emoji })
}

/// A reaction to the first message, or that it is taken back.
pub(in crate::log) fn react(author: u64, id: &str, is_there: bool) -> Entry {
    reacts(author, id, is_there.then_some(Emoji::Good))
}

async fn edits_and_reactions_are_replaced(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), edit(1, "b", 1), react(2, "a", true)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 2, 3]);
    log.append(vec![edit(1, "c", 1)]).await.unwrap();
    log.append(vec![
        react(2, "b", false),
        reacts(3, "a", Some(Emoji::Sad)),
        reacts(2, "c", Some(Emoji::Sad)),
    ])
    .await
    .unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 4, 6, 7]);
    assert_eq!(numbers(&log.append(vec![edit(1, "b", 1)]).await.unwrap()), [(2, false)], "sent again");
    let state = state(log).await;
    assert_eq!(state.annotations.edit(1), Some(4));
    let guests: Vec<_> = state.annotations.reactions(1).iter().map(|(_, guests)| guests.to_vec()).collect();
    assert_eq!(guests, [[GuestId(2), GuestId(3)]]);
    for round in 0..100 {
        log.append(vec![react(2, &format!("r{round}"), round % 2 == 0)]).await.unwrap();
    }
    assert_eq!(sequence(log, 0, 9).await, [1, 4, 6, 107], "nothing grows");
}

async fn a_deletion_takes_the_edit_with_it(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), entry(1, "b"), entry(2, "a")]).await.unwrap();
    log.append(vec![edit(1, "e1", 1), edit(1, "e2", 2), react(2, "r", true)]).await.unwrap();
    log.append(vec![delete("1", &[1])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 3, 5, 7]);
    // At the very moment of the deletion.
    log.append(vec![edit(1, "e3", 2), delete("2", &[2]), edit(1, "e4", 2)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [3, 7, 9]);
    log.append(vec![entry(1, "c"), edit(1, "e5", 11), react(1, "s", true)]).await.unwrap();
    // Those of a guest by themselves, who may delete no others.
    let own = |id: &str, of: u64| {
        of_guest(1, id, Act::DeleteAll { target: Target { of: GuestId(of), name: None } })
    };
    log.append(vec![own("x", 2), own("y", 1)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [3, 7, 9, 14, 15]);
    let state = state(log).await;
    assert!(state.annotations.edit(11).is_none() && state.annotations.reaction_of(GuestId(1), 1).is_none());
    assert!(!state.acts.iter().any(|line| line.by == GuestId(1)));
}

async fn replies_are_messages(log: &dyn Log) {
    state(log).await;
    let name = crate::protocol::Name::parse("Ann").unwrap();
    let reply = Body::Reply { to: 1, name, text: "the answer".into() };
    log.append(vec![entry(1, "a"), Entry { body: reply.clone(), ..entry(1, "b") }]).await.unwrap();
    assert_eq!(log.read(1, 9).await.unwrap()[0].body, reply);
    log.append(vec![delete("1", &[2])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 3]);
    log.append(vec![Entry { body: reply, ..entry(2, "c") }, delete_all("2", 2)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 3, 5]);
}

async fn what_is_deleted_makes_room(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), entry(1, "b"), entry(2, "a")]).await.unwrap();
    log.append(vec![delete("1", &[2])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [1, 3, 4]);
    log.append(vec![entry(1, "c")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [3, 4, 5]);
}

async fn a_log_that_keeps_nothing_has_nothing_to_erase(log: &dyn Log) {
    state(log).await;
    log.append(vec![entry(1, "a"), pin("1", 1, 1)]).await.unwrap();
    assert!(state(log).await.policy.pinned.is_some());
    let appended = log.append(vec![delete("2", &[1]), delete_all("3", 1), entry(1, "b")]).await.unwrap();
    assert_eq!(numbers(&appended), [(3, true), (4, true), (5, true)]);
    assert_eq!(log.span().await.unwrap(), Span { first: 6, head: 5, whole_from: 6 });
    assert!(state(log).await.policy.pinned.is_none());
    assert_eq!(numbers(&log.append(vec![entry(1, "a")]).await.unwrap()), [(1, false)]);
}
