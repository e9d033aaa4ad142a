//! Several nodes have one order, and each entry once.

use std::collections::HashMap;

use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;
use crate::cluster::servers::Program;
use crate::log::contract::entry;
use crate::log::{Appended, Entry, RoomState};
use crate::protocol::{Body, GuestId, MessageId};

/// Guards against nodes that tell their guests different orders or numbers, also of what is said at two of them at once.
#[test]
fn nodes_have_one_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let servers = Servers::start(Program::Debian, 1);
    let logs: Vec<JetStreamLog> = runtime.block_on(async {
        let mut logs = Vec::new();
        for _ in 0..3 {
            logs.push(open(&servers, ALL).await);
        }
        logs
    });
    let mut told: HashMap<(u64, u64), u64> = HashMap::new();
    let mut round = 0;
    // Which node appends which entries of which author: the same more than once, here and there.
    let schedule =
        prop::collection::vec((0usize..3, prop::collection::vec((1u64..4, 0u64..12), 1..12)), 1..12);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    let told = std::cell::RefCell::new(&mut told);
    let round = std::cell::RefCell::new(&mut round);
    runner
        .run(&schedule, |schedule| {
            **round.borrow_mut() += 100;
            let base = **round.borrow();
            runtime.block_on(async {
                let appends = schedule.iter().map(|(node, entries)| {
                    let entries =
                        entries.iter().map(|(author, id)| entry(*author, &(base + id).to_string())).collect();
                    logs[*node].append(entries)
                });
                let appended = join_all(appends).await;
                let mut new = 0;
                for ((_, entries), appended) in schedule.iter().zip(appended) {
                    let appended = appended.unwrap();
                    assert_eq!(appended.len(), entries.len());
                    for ((author, id), appended) in entries.iter().zip(appended) {
                        new += usize::from(matches!(appended, Appended::New(_)));
                        let mut told = told.borrow_mut();
                        let seq = *told.entry((*author, base + id)).or_insert(appended.seq());
                        assert_eq!(seq, appended.seq(), "one number for one entry");
                    }
                }
                let different: HashSet<_> = schedule.iter().flat_map(|(_, entries)| entries).collect();
                assert_eq!(new, different.len(), "new once");
                let head = told.borrow().len() as u64;
                let mut orders = Vec::new();
                for log in &logs {
                    reaches(log, head).await;
                    orders.push(log.read(0, usize::MAX).await.unwrap());
                }
                assert_once(&orders[0]);
                assert_eq!(orders[0].len() as u64, head, "numbers without holes");
                assert!(orders.iter().all(|order| *order == orders[0]));
            });
            Ok(())
        })
        .unwrap();
}

/// A node that comes later has the same, and so has one that comes back.
#[tokio::test]
async fn a_node_that_starts_later_has_the_same() {
    let servers = Servers::start(Program::Debian, 1);
    let retention = Retention { messages: 50, bytes: 0, age: None };
    let one = open(&servers, retention).await;
    let cake =
        Entry { author: GuestId::ROOM, body: Body::Title { title: "cake".into() }, ..entry(1, "title") };
    one.state(RoomState::new("tea")).await.unwrap();
    one.append(vec![cake]).await.unwrap();
    for batch in 0..20 {
        let said = |id: u64| entry(id % 7 % 3, &format!("{batch}-{id}"));
        one.append((0..30).map(said).collect()).await.unwrap();
        one.trim(0).await.unwrap();
    }
    let identity = one.identity().await.unwrap();
    let (kept, span) = (one.read(0, 99).await.unwrap(), one.span().await.unwrap());
    let other = open(&servers, retention).await;
    for log in [&one, &other] {
        assert_eq!(log.state(RoomState::new("another")).await.unwrap().title, "cake");
        assert_eq!(log.span().await.unwrap(), span);
        assert_eq!(log.read(0, 99).await.unwrap(), kept);
    }
    let again = other.append(vec![entry(1, "19-29"), entry(7, "new")]).await.unwrap();
    assert_eq!(again[1], Appended::New(span.head + 1));
    one.close().await.unwrap();
    other.close().await.unwrap();
    let back = open(&servers, retention).await;
    let there = back.identity().await.unwrap();
    assert_eq!((&there.epochs, &there.secret), (&identity.epochs, &identity.secret), "cursors stay valid");
    assert!(there.clock >= identity.clock);
    reaches(&back, span.head + 1).await;
}

/// Guards against two identities of one room when its nodes start at the same time.
#[tokio::test]
async fn nodes_that_start_at_once_are_one_room() {
    let servers = Servers::start(Program::Debian, 1);
    let logs = join_all((0..5).map(|_| open(&servers, ALL))).await;
    let states =
        join_all(logs.iter().enumerate().map(|(node, log)| log.state(RoomState::new(&node.to_string()))))
            .await;
    let first = logs[0].identity().await.unwrap();
    for (log, state) in logs.iter().zip(&states) {
        let identity = log.identity().await.unwrap();
        assert_eq!((&identity.epochs, &identity.secret), (&first.epochs, &first.secret));
        assert_eq!(state.as_ref().unwrap(), states[0].as_ref().unwrap(), "the first title counts");
    }
}

/// The stream refuses what it has, however long ago, also to a node whose own memory of it has ended.
#[tokio::test]
async fn what_is_in_the_stream_is_a_duplicate_however_many_came_after() {
    let servers = Servers::start(Program::Debian, 1);
    let retention = Retention { messages: 1, bytes: 0, age: None };
    let timing = Timing { erase_own: DEADLINE, erase_others: DEADLINE, ..soon() };
    let log = open_at(&servers, &servers.addresses(), retention, timing).await;
    log.append(vec![entry(1, "first")]).await.unwrap();
    for batch in 0..5 {
        log.append((0..1000).map(|id| entry(2, &format!("{batch}-{id}"))).collect()).await.unwrap();
    }
    log.trim(0).await.unwrap();
    assert_eq!(log.append(vec![entry(1, "first")]).await.unwrap(), [Appended::Duplicate(1)]);
    assert_eq!(log.append(vec![entry(1, "second")]).await.unwrap(), [Appended::New(5002)]);
}

/// An id may have every character that it is allowed, and the longest text fits.
#[tokio::test]
async fn whatever_a_guest_may_say_fits() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    let id = MessageId::parse(&"_-Az09xx".repeat(8)).unwrap();
    let body = crate::log::contract::message("\u{1f469}".repeat(8000));
    let said = Entry { id, body, ..entry((1 << 48) - 1, "x") };
    assert_eq!(log.append(vec![said.clone()]).await.unwrap(), [Appended::New(1)]);
    assert_eq!(log.read(0, 9).await.unwrap(), [said.numbered(1)]);
}
