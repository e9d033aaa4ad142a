//! What waits for a host is kept as messages are, and goes when it is released or discarded, in every log.

use super::erasing::{act, delete, delete_all};
use super::*;
use crate::protocol::Act;
use crate::protocol::record::Release;

promises! {
    what_waits_is_kept_and_goes_with_its_release: 100, 0, None;
    what_waits_is_discarded_as_messages_are_deleted: 100, 0, None;
    what_was_released_is_deleted_as_messages_are: 100, 0, None;
    what_waits_has_a_share_of_what_is_kept: 3, 0, None;
}

/// A message that waits.
pub(in crate::log) fn held(guest: u64, id: &str) -> Entry {
    Entry {
        body: Body::Held { name: Name::parse("Ann").unwrap(), text: format!("text of {id}"), to: None },
        ..entry(guest, id)
    }
}

/// The same when it is released by the room itself.
pub(in crate::log) fn released(guest: u64, id: &str, held: u64, said_as: &str) -> Entry {
    let text = format!("text of {said_as}");
    let release = Release { by: GuestId::ROOM, held, said_as: MessageId::parse(said_as).unwrap(), to: None };
    let body = Body::Released { release: Box::new(release), name: Name::parse("Ann").unwrap(), text };
    Entry { body, ..entry(guest, id) }
}

async fn state(log: &dyn Log) -> RoomState {
    log.state(RoomState::new("tea")).await.unwrap()
}

async fn waiting(log: &dyn Log) -> Vec<u64> {
    state(log).await.held().iter().map(|line| line.seq).collect()
}

async fn what_waits_is_kept_and_goes_with_its_release(log: &dyn Log) {
    state(log).await;
    let mut follow = log.follow(0).await.unwrap();
    log.append(vec![entry(1, "a"), held(1, "b"), held(2, "b")]).await.unwrap();
    assert_eq!(next(&mut follow, 3).await, [1, 2, 3]);
    assert_eq!(waiting(log).await, [2, 3]);
    let read = log.read(1, 1).await.unwrap().remove(0);
    assert_eq!((read.body.clone(), read.id), (held(1, "b").body, MessageId::parse("b").unwrap()));
    assert_eq!(numbers(&log.append(vec![held(1, "b"), entry(1, "b")]).await.unwrap()), [(2, false); 2]);
    // Twice: the first counts, and the text of the second is not kept.
    log.append(vec![released(1, "r1", 2, "b"), released(1, "r2", 2, "b")]).await.unwrap();
    assert_eq!(next(&mut follow, 2).await, [4, 5], "who follows decides by the state");
    assert_eq!(sequence(log, 0, 9).await, [1, 3, 4]);
    assert_eq!(waiting(log).await, [3]);
    assert_eq!(state(log).await.released_as(2), Some(4));
    assert_eq!(log.read(3, 1).await.unwrap()[0].body, released(1, "r1", 2, "b").body);
    assert_eq!(numbers(&log.append(vec![released(1, "r1", 2, "b")]).await.unwrap()), [(4, false)]);
    assert_eq!(
        numbers(&log.append(vec![held(1, "b")]).await.unwrap()),
        [(2, false)],
        "nor does it wait again"
    );
}

async fn what_waits_is_discarded_as_messages_are_deleted(log: &dyn Log) {
    state(log).await;
    log.append(vec![held(1, "a"), held(1, "b"), held(2, "a"), held(3, "a")]).await.unwrap();
    log.append(vec![delete("1", &[1])]).await.unwrap();
    assert_eq!((sequence(log, 0, 9).await, waiting(log).await), (vec![2, 3, 4, 5], vec![2, 3, 4]));
    log.append(vec![delete_all("2", 1)]).await.unwrap();
    let target = crate::protocol::act::Target { of: GuestId(2), name: None };
    log.append(vec![act("3", Act::Kick { target })]).await.unwrap();
    assert_eq!((sequence(log, 0, 9).await, waiting(log).await), (vec![4, 5, 6, 7], vec![4]));
    // Its text was read for this before it was discarded.
    log.append(vec![released(2, "r", 3, "a")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [4, 5, 6, 7]);
}

async fn what_was_released_is_deleted_as_messages_are(log: &dyn Log) {
    state(log).await;
    log.append(vec![held(1, "a"), held(1, "b"), held(2, "a")]).await.unwrap();
    log.append(vec![released(1, "r1", 1, "a"), released(1, "r2", 2, "b"), released(2, "r3", 3, "a")])
        .await
        .unwrap();
    assert_eq!(sequence(log, 0, 9).await, [4, 5, 6]);
    log.append(vec![delete("1", &[4])]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [5, 6, 7]);
    log.append(vec![delete_all("2", 1)]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [6, 7, 8]);
}

async fn what_waits_has_a_share_of_what_is_kept(log: &dyn Log) {
    state(log).await;
    log.append(vec![held(1, "a"), entry(1, "b"), entry(2, "a"), entry(1, "c")]).await.unwrap();
    assert_eq!(sequence(log, 0, 9).await, [2, 3, 4]);
    log.trim(0).await.unwrap();
    assert_eq!(log.span().await.unwrap(), Span { first: 2, head: 4, whole_from: 2 });
}
