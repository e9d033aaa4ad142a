//! Deleted messages are gone at every node, in the stream and from the servers' files, also where the node that was to erase
//! them has ended.

use futures_util::future::join_all;
use proptest::prelude::*;

use super::erasure::{is_on_disk, stored};
use super::*;
use crate::cluster::servers::Program;
use crate::log::contract::erasing::{act, delete, delete_all, edit, pin, react};
use crate::log::contract::{entry, sequence};
use crate::log::{Entry, RoomState};
use crate::protocol::Act;

/// Times at which nothing is erased in the stream.
fn never() -> Timing {
    Timing { erase_own: DEADLINE, erase_others: DEADLINE, erase_deleted: DEADLINE, ..soon() }
}

async fn governed(log: &JetStreamLog) -> RoomState {
    log.state(RoomState::new("tea")).await.unwrap()
}

/// Waits for something.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

/// By the node that appended the act, at once: no trim is waited for.
#[tokio::test]
async fn what_is_deleted_is_erased_at_once() {
    let servers = Servers::start(Program::Debian, 1);
    let timing = Timing { erase_deleted: Duration::ZERO, ..never() };
    let one = open_at(&servers, &servers.addresses(), ALL, timing).await;
    let other = open_at(&servers, &servers.addresses(), ALL, timing).await;
    governed(&one).await;
    governed(&other).await;
    one.append((1..=5).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    other.append(vec![entry(2, "a"), pin("pin", 2, 1)]).await.unwrap();
    reaches(&one, 7).await;
    let mut sealed = Vec::new();
    for seq in 1..=7 {
        sealed.push(stored(&one, seq).await);
    }
    other.append(vec![delete("1", &[2, 4, 7])]).await.unwrap();
    reaches(&one, 8).await;
    for log in [&one, &other] {
        assert_eq!(sequence(log, 0, 99).await, [1, 3, 5, 6, 8]);
        assert!(governed(log).await.policy.pinned.is_none());
    }
    let directory = servers.directory().join("s0");
    for seq in [2, 4, 7] {
        let sealed = &sealed[seq - 1];
        eventually("erased", async || {
            !is_on_disk(&directory, sealed) && !is_on_disk(&directory, &sealed[33..60])
        })
        .await;
    }
    for seq in [1, 3, 5, 6] {
        assert!(is_on_disk(&directory, &sealed[seq - 1]));
    }
    eventually("the other node hears of it", async || one.shared.locked().view.evicted.is_empty()).await;
}

/// The node that appended the act ends before it has erased anything: who starts later keeps the same, and erases it.
#[tokio::test]
async fn a_node_that_starts_later_keeps_what_was_not_deleted() {
    let servers = Servers::start(Program::Debian, 1);
    let retention = Retention { messages: 8, bytes: 0, age: None };
    let one = open_at(&servers, &servers.addresses(), retention, never()).await;
    governed(&one).await;
    one.append((1..=6).map(|id| entry(1 + id % 2, &id.to_string())).collect()).await.unwrap();
    one.append(vec![pin("pin", 1, 2), delete("1", &[1, 4]), delete_all("2", 1), entry(1, "later")])
        .await
        .unwrap();
    // As many as are kept, with what was deleted there would be more.
    one.append((11..=13).map(|id| entry(3, &id.to_string())).collect()).await.unwrap();
    let kept = one.read(0, 99).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.seq).collect::<Vec<_>>(), [3, 5, 8, 9, 10, 11, 12, 13]);
    eventually("the state is in the bucket", async || {
        let state = one.shared.locked();
        state.view.room_kept >= state.view.room_changed
    })
    .await;
    let sealed = stored(&one, 4).await;
    // Not closed: that would erase it.
    let span = one.span().await.unwrap();
    drop(one);
    for timing in [never(), soon()] {
        let log = open_at(&servers, &servers.addresses(), retention, timing).await;
        assert_eq!(log.read(0, 99).await.unwrap(), kept);
        assert_eq!(log.span().await.unwrap(), span);
        assert_eq!(governed(&log).await.acts.len(), 3);
        log.trim(0).await.unwrap();
    }
    assert!(!is_on_disk(&servers.directory().join("s0"), &sealed));
}

/// What was replaced is not noted among the deletions, because there is much of it: a node that starts later finds it by the state.
#[tokio::test]
async fn a_node_that_starts_later_keeps_no_edit_that_was_replaced() {
    let servers = Servers::start(Program::Debian, 1);
    let one = open_at(&servers, &servers.addresses(), ALL, never()).await;
    governed(&one).await;
    one.append(vec![entry(1, "a"), edit(1, "b", 1), react(2, "a", true)]).await.unwrap();
    one.append(vec![edit(1, "c", 1), react(2, "b", false), react(3, "a", true)]).await.unwrap();
    let kept = one.read(0, 99).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 4, 5, 6]);
    eventually("the state is in the bucket", async || {
        let state = one.shared.locked();
        state.view.room_kept >= state.view.room_changed
    })
    .await;
    let sealed = stored(&one, 2).await;
    // Not closed: that would erase it.
    drop(one);
    let log = open_at(&servers, &servers.addresses(), ALL, soon()).await;
    let state = governed(&log).await;
    assert_eq!(log.read(0, 99).await.unwrap(), kept);
    assert!(state.erased.is_empty() && state.annotations.edit(1) == Some(4));
    log.trim(0).await.unwrap();
    let directory = servers.directory().join("s0");
    eventually("erased", async || !is_on_disk(&directory, &sealed)).await;
}

/// A node may learn the state from the bucket before it has read the entries that the state takes account of.
#[tokio::test]
async fn a_state_that_is_ahead_of_what_was_read_erases_it_all_the_same() {
    let servers = Servers::start(Program::Debian, 1);
    let one = open_at(&servers, &servers.addresses(), ALL, never()).await;
    let state = governed(&one).await;
    one.append(vec![entry(1, "a")]).await.unwrap();
    let other = open_at(&servers, &servers.addresses(), ALL, never()).await;
    let mut ahead = state;
    for (seq, entry) in (5..).zip([delete("1", &[1, 3]), act("2", Act::Lock { locked: true })]) {
        assert!(ahead.apply(&entry.numbered(seq)).changed);
    }
    other.shared.locked().view.set_room(&other.shared.wire, 6, ahead.clone());
    let mut follow = other.follow(0).await.unwrap();
    let acts =
        [delete("1", &[1, 3]), act("2", Act::Lock { locked: true }), act("3", Act::Slow { seconds: 9 })];
    let said = [entry(1, "b"), entry(1, "c"), entry(1, "d")];
    one.append(said.into_iter().chain(acts).collect()).await.unwrap();
    reaches(&other, 7).await;
    assert_eq!(sequence(&other, 0, 9).await, [2, 4, 5, 6, 7]);
    let told = until(&mut follow, 7).await;
    assert_eq!(told.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let state = governed(&other).await;
    assert_eq!((state.acts.len(), state.policy.slow), (3, 9), "each act counts once");
}

/// Guards against new messages that are erased, and acts that do not count, because old ones had their numbers.
#[tokio::test]
async fn a_stream_that_is_made_anew_begins_without_what_was_deleted() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    governed(&log).await;
    log.append((1..=9).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    log.append(vec![act("1", Act::Lock { locked: true }), delete_all("2", 1)]).await.unwrap();
    log.close().await.unwrap();
    let delete = format!("$JS.API.STREAM.DELETE.{}", log.shared.stream);
    log.shared.connection.client().request(delete, "".into()).await.unwrap();
    drop(log);
    let log = open(&servers, ALL).await;
    assert!(governed(&log).await.policy.locked, "what was decided lasts");
    log.append(vec![entry(1, "a"), act("3", Act::Lock { locked: false }), entry(1, "b")]).await.unwrap();
    assert_eq!(sequence(&log, 0, 99).await, [1, 2, 3]);
    assert!(!governed(&log).await.policy.locked);
    log.close().await.unwrap();
    let log = open(&servers, ALL).await;
    assert_eq!(sequence(&log, 0, 99).await, [1, 2, 3]);
    assert!(!governed(&log).await.policy.locked);
}

/// Whatever is said and deleted at whichever node, all keep the same, and so does one that starts then.
#[test]
fn nodes_delete_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let servers = Servers::start(Program::Debian, 1);
    let retention = Retention { messages: 30, bytes: 0, age: None };
    let logs: Vec<JetStreamLog> = runtime.block_on(async {
        let mut logs = Vec::new();
        for timing in [soon(), never(), Timing { erase_deleted: DEADLINE, ..soon() }] {
            logs.push(open_at(&servers, &servers.addresses(), retention, timing).await);
            governed(logs.last().unwrap()).await;
        }
        logs
    });
    let round = std::cell::Cell::new(0);
    let step = prop_oneof![
        4 => (0u64..3).prop_map(|author| (0, author)),
        1 => (1u64..30).prop_map(|back| (1, back)),
        1 => (0u64..3).prop_map(|author| (2, author)),
        1 => (1u64..30).prop_map(|back| (3, back)),
    ];
    let schedule = prop::collection::vec((0usize..3, prop::collection::vec(step, 1..6)), 1..10);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    runner
        .run(&schedule, |schedule| {
            runtime.block_on(async {
                let head = logs[0].span().await.unwrap().head;
                let mut count = 0;
                let appends = schedule.iter().map(|(node, steps)| {
                    let entries = steps.iter().map(|(kind, number)| {
                        round.set(round.get() + 1);
                        count += 1;
                        let (id, seq) = (round.get().to_string(), (head + 10).saturating_sub(*number).max(1));
                        match kind {
                            0 => entry(*number, &id),
                            1 => delete(&id, &[seq, seq + 2]),
                            2 => delete_all(&id, *number),
                            _ => pin(&id, seq, number % 3),
                        }
                    });
                    let entries: Vec<Entry> = entries.collect();
                    logs[*node].append(entries)
                });
                let appends: Vec<_> = appends.collect();
                for appended in join_all(appends).await {
                    appended.unwrap();
                }
                for log in &logs {
                    reaches(log, head + count).await;
                }
                logs[0].trim(0).await.unwrap();
                let later = open_at(&servers, &servers.addresses(), retention, never()).await;
                let (kept, span) = (logs[0].read(0, 999).await.unwrap(), logs[0].span().await.unwrap());
                let state = governed(&logs[0]).await;
                for log in logs[1..].iter().chain([&later]) {
                    assert_eq!(log.read(0, 999).await.unwrap(), kept);
                    assert_eq!(log.span().await.unwrap(), span);
                    assert_eq!(governed(log).await, state);
                }
            });
            Ok(())
        })
        .unwrap();
}
