//! An append that takes long, as while a cluster has no quorum, holds up no guest who reads, comes or goes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};

use super::faulty_log_tests::FaultyLog;
use super::slow_log_tests::{hello, idle};
use super::tests::unlimited;
use super::{Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::protocol::{EventBatch, Hello, MessageId, Name, Say};

/// Longer than the room waits for the log, and far shorter than a guest would.
const SOON: Duration = Duration::from_secs(2);

const AWAY: Duration = Duration::from_secs(90);

fn say(id: u64) -> Say {
    Say { id: MessageId::parse(&id.to_string()).unwrap(), text: format!("text {id}"), reply: None }
}

async fn kinds(reader: &mut Reader) -> Vec<String> {
    let mut kinds = Vec::new();
    loop {
        let mut events = EventBatch::default();
        reader.read_events(&mut events).await.unwrap();
        if events.is_empty() {
            return kinds;
        }
        kinds.extend(events.iter().map(|event| match event.seq {
            Some(seq) => format!("{} {seq}", event.kind.as_str()),
            None => event.kind.as_str().to_owned(),
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_answer_holds_up_no_guest_who_reads_comes_or_goes() {
    let log = FaultyLog::new(vec![false]);
    let settings = RoomSettings { away: AWAY, ..unlimited() };
    let of_room = Arc::<FaultyLog>::clone(&log);
    let room = Room::open(&settings, &HistorySettings::default(), of_room).await.unwrap();
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    // More than are under way at once.
    let mut answers = Vec::new();
    for id in 1..=5 {
        let mut answer = room.publish(&ann.seat, vec![say(id)]).boxed();
        assert!(answer.as_mut().now_or_never().is_none());
        answers.push(answer);
        idle().await;
    }
    let bob = timeout(SOON, room.join(hello("Bob"))).await.unwrap().unwrap();
    assert_eq!(bob.welcome.head, 0);
    let token = bob.welcome.token.clone();
    assert!(timeout(SOON, room.touch(&token)).await.unwrap().unwrap().is_some());
    timeout(SOON, room.snapshot()).await.unwrap().unwrap();
    timeout(SOON, room.rename(&ann.seat, Name::parse("Anna").unwrap())).await.unwrap().unwrap();
    drop(bob);
    let back = Hello { token: Some(token), ..Hello::default() };
    let bob = timeout(SOON, room.join(back)).await.unwrap().unwrap();
    drop(bob);
    sleep(AWAY + SOON).await;
    assert_eq!(kinds(&mut reader).await, ["joined", "renamed", "away", "back", "away", "left"]);
    // What is said now is published after what was said before, under the name of its time.
    let mut last = room.publish(&ann.seat, vec![say(6)]).boxed();
    assert!(last.as_mut().now_or_never().is_none());
    idle().await;
    assert!(last.as_mut().now_or_never().is_none(), "nothing is acknowledged that the log has not");
    log.allow(|allowed| allowed.all = true);
    for (answer, seq) in answers.into_iter().chain([last]).zip(1..) {
        assert_eq!(answer.await.results, [Ok(seq)]);
    }
    let records = room.shared().log.read(0, 10).await.unwrap();
    let said: Vec<_> = records.iter().map(|record| (record.seq, record.id.as_str().to_owned())).collect();
    assert_eq!(said, [1, 2, 3, 4, 5, 6].map(|id| (id, id.to_string())));
    assert_eq!(kinds(&mut reader).await.len(), 6);
}

/// Once the log answers again, what was said before a guest comes is published before.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_late_is_waited_for_again() {
    let log = FaultyLog::new(vec![false]);
    let of_room = Arc::<FaultyLog>::clone(&log);
    let room = Room::open(&unlimited(), &HistorySettings::default(), of_room).await.unwrap();
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    for (round, order) in [["joined", "message"], ["message", "joined"]].into_iter().enumerate() {
        let mut said = room.publish(&ann.seat, vec![say(round as u64)]).boxed();
        assert!(said.as_mut().now_or_never().is_none());
        let mut joining = room.join(hello(&format!("Guest {round}"))).boxed();
        assert!(joining.as_mut().now_or_never().is_none());
        idle().await;
        if round == 0 {
            sleep(SOON).await;
        }
        log.allow(|allowed| {
            allowed.answers.insert(round);
            allowed.told += 1;
        });
        said.await;
        let join = joining.await.unwrap();
        let told = kinds(&mut reader).await;
        let told: Vec<_> = told.iter().map(|kind| kind.split(' ').next().unwrap()).collect();
        assert_eq!(told, order);
        join.seat.leave();
        kinds(&mut reader).await;
        idle().await;
        kinds(&mut reader).await;
    }
}
