//! Many guests, and slow ones among them.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Guest, TestRoom, narrow, within};

/// The sequence numbers and authors' ids of the next messages.
async fn messages(guest: &mut Guest, count: usize) -> Vec<(u64, String)> {
    let mut messages = Vec::with_capacity(count);
    while messages.len() < count {
        let event = guest.expect("message").await;
        messages.push((event["seq"].as_u64().unwrap(), event["id"].as_str().unwrap().to_owned()));
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_guests_see_the_same() {
    const GUESTS: usize = 200;
    let room = TestRoom::open().await;
    let mut guests = Vec::new();
    for number in 0..GUESTS {
        guests.push(room.guest(&format!("Guest {number}")).await);
    }
    let seen = join_all(guests.into_iter().enumerate().map(|(number, mut guest)| async move {
        guest.send(json!({ "type": "say", "id": format!("m{number}"), "text": "hello, all" })).await;
        messages(&mut guest, GUESTS).await
    }))
    .await;
    let expected: Vec<u64> = (1..=GUESTS as u64).collect();
    assert_eq!(seen[0].iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), expected);
    assert!(seen.iter().all(|one| *one == seen[0]), "everyone sees one order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_stops_reading_costs_the_others_nothing_and_is_told_of_the_gap() {
    const SAID: usize = 3000;
    let room = TestRoom::open_with(|settings| {
        settings.history.messages = 100;
        settings.listen.write_stall = Duration::from_secs(600);
    })
    .await;
    // Small buffers, so that the room notices soon that nobody reads.
    let socket = narrow();
    let mut stalled = Guest::connect(socket.connect(room.address()).await.unwrap(), &room.host()).await;
    stalled.hello("Stalled").await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);

    // More than the ring, the log and the sockets' buffers hold: 3,000 x 4 KiB.
    let text = "x".repeat(4096);
    let (_, heard) = tokio::join!(
        async {
            for number in 0..SAID {
                ann.say(&number.to_string(), &text).await;
            }
        },
        messages(&mut bob, SAID)
    );
    assert_eq!(heard.last().unwrap().0, SAID as u64);

    let mut events: Vec<Value> = Vec::new();
    within("the rest", async {
        while events.last().is_none_or(|event| event["seq"] != SAID) {
            events.push(stalled.next().await);
        }
    })
    .await;
    assert!(events.iter().any(|event| event["type"] == "roster"), "presence again, as a whole");
    let gap = events.iter().find(|event| event["type"] == "gap").expect("a gap is told");
    let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    for pair in seqs.windows(2) {
        let told = gap["after"] == pair[0] && gap["before"] == pair[1];
        assert!(pair[1] == pair[0] + 1 || told, "{pair:?} beside {gap}");
    }
}

#[tokio::test]
async fn a_guest_who_never_reads_again_is_let_go() {
    let room = TestRoom::open_with(|settings| settings.listen.write_stall = Duration::from_millis(300)).await;
    let socket = narrow();
    let mut stalled = Guest::connect(socket.connect(room.address()).await.unwrap(), &room.host()).await;
    stalled.hello("Stalled").await;
    let mut ann = room.guest("Ann").await;
    ann.talk_until_away().await;
}
