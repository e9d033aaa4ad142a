//! The newest messages first, and the rest backwards: each kept one once, also while messages arrive and are trimmed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Guest, TestRoom, Visitor};

fn seqs(list: &Value) -> Vec<u64> {
    list["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

async fn say(guest: &mut Guest, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        guest.say(&number.to_string(), &format!("text {number}")).await;
    }
}

/// The next `count` messages.
async fn messages(guest: &mut Guest, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        seqs.push(guest.expect("message").await["seq"].as_u64().unwrap());
    }
    seqs
}

/// Guards against an open that brings the whole history, which 10,000 messages once did with 1.8 MB.
#[tokio::test]
async fn a_join_brings_the_newest_and_says_where_they_begin() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    say(&mut ann, 1..=20).await;
    let epoch = ann.welcome["room"]["epoch"].clone();
    for (hello, after) in [
        (json!({ "newest": 5 }), 15),
        (json!({ "newest": 0 }), 20),
        (json!({ "newest": 100 }), 0),
        (json!({}), 0),
        (json!({ "newest": 5, "after": 18, "epoch": epoch }), 18),
        (json!({ "newest": 5, "after": 2, "epoch": epoch }), 15),
        (json!({ "newest": 5, "after": 18, "epoch": "another" }), 15),
        (json!({ "newest": 5, "after": 99 }), 15),
    ] {
        let mut bob = room.stranger().await;
        bob.hello_as(hello.clone()).await;
        assert_eq!(bob.welcome["after"], after, "{hello}");
        let expected: Vec<u64> = (after + 1..=20).collect();
        assert_eq!(messages(&mut bob, expected.len()).await, expected, "{hello}");
        // What comes next is live.
        bob.send(json!({ "type": "ping" })).await;
        loop {
            let event = bob.next().await;
            assert!(!["gap", "message"].contains(&event["type"].as_str().unwrap()), "{hello}: {event}");
            if event["type"] == "pong" {
                break;
            }
        }
        bob.send(json!({ "type": "leave" })).await;
        bob.closed().await;
    }
    let visitor = Visitor::arrive(&room, "Eve").await;
    assert_eq!(visitor.welcome.get("after"), None, "nothing follows");
    let answer = visitor.messages("newest=3").await;
    assert_eq!((&answer["after"], seqs(&answer)), (&json!(17), vec![18, 19, 20]));
    let answer = visitor.messages("newest=3&after=19").await;
    assert_eq!((&answer["after"], seqs(&answer)), (&json!(19), vec![20]));
    let mut listener = visitor.listen("newest=2", &[]).await;
    assert_eq!(listener.expect("welcome").await["after"], 18);
    assert_eq!(listener.expect("message").await["seq"], 19);
    say(&mut ann, 21..=21).await;
    for seq in [20, 21] {
        assert_eq!(listener.expect("message").await["seq"], seq);
    }
}

#[tokio::test]
async fn pages_backwards_have_each_kept_message_once() {
    // Nine guests say one thing each, then one says much and pushes out their own: there are holes.
    let room = TestRoom::open_with(|settings| settings.history.messages = 30).await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=3 {
        let mut other = room.guest(&format!("Guest {number}")).await;
        say(&mut other, number..=number).await;
        say(&mut ann, number * 100..=number * 100 + 19).await;
    }
    let reader = Visitor::arrive(&room, "Bob").await;
    let kept = seqs(&reader.messages("").await);
    assert_eq!((kept.len(), kept[0], *kept.last().unwrap()), (30, 1, 63));
    for limit in [1, 7, 30, 200] {
        let (mut socket, mut over_http) = (Vec::new(), Vec::new());
        let (mut before, mut bob) = (64, room.guest("Carl").await);
        while before > 1 {
            bob.send(json!({ "type": "history", "before": before, "limit": limit })).await;
            let page = bob.expect("history").await;
            let answer = reader.messages(&format!("before={before}&limit={limit}")).await;
            assert_eq!((&page["after"], &page["messages"]), (&answer["after"], &answer["messages"]));
            assert_eq!((&page["before"], &answer["head"]), (&json!(before), &json!(63)));
            assert!(seqs(&page).len() <= limit);
            socket.splice(0..0, seqs(&page));
            over_http.splice(0..0, seqs(&answer));
            before = page["after"].as_u64().unwrap() + 1;
        }
        assert_eq!((&socket, &over_http), (&kept, &kept), "{limit}");
        bob.send(json!({ "type": "leave" })).await;
        bob.closed().await;
    }
}

/// Messages arrive and are trimmed while one scrolls up: what is seen is in order, once, and every message that is
/// kept to the end was seen.
#[tokio::test]
async fn pages_meet_while_messages_arrive_and_are_trimmed() {
    let room = TestRoom::open_with(|settings| settings.history.messages = 200).await;
    let mut ann = room.guest("Ann").await;
    say(&mut ann, 1..=200).await;
    let mut bob = room.stranger().await;
    bob.hello_as(json!({ "newest": 20 })).await;
    let after = bob.welcome["after"].as_u64().unwrap();
    let (mut seen, mut before) = (Vec::new(), after + 1);
    while before > 1 {
        say(&mut ann, 1000 + before..=1000 + before + 7).await;
        bob.send(json!({ "type": "history", "before": before, "limit": 20 })).await;
        let page = bob.expect("history").await;
        assert!(seqs(&page).iter().all(|seq| *seq < before));
        seen.splice(0..0, seqs(&page));
        before = page["after"].as_u64().unwrap() + 1;
    }
    assert!(seen.is_sorted() && seen.len() > 100, "{seen:?}");
    assert_eq!(seen, (seen[0]..=after).collect::<Vec<_>>(), "one author: no holes");
    let first = bob.welcome["head"].as_u64().unwrap();
    assert!(seen[0] > 1 && first == 200, "the oldest were trimmed before they were asked for");
}

#[tokio::test]
async fn long_messages_come_in_small_pages_however_many_are_asked_for() {
    let room = TestRoom::open_with(|settings| settings.room.message_bytes = 32_000).await;
    let mut ann = room.guest("Ann").await;
    let text = "x".repeat(32_000);
    for number in 1..=20 {
        ann.say(&number.to_string(), &text).await;
    }
    let mut bob = room.stranger().await;
    bob.hello_as(json!({ "newest": 0 })).await;
    // All at once: the answers come in their order, and none is larger than a few messages.
    for before in 2..=21 {
        bob.send(json!({ "type": "history", "before": before, "limit": 1000 })).await;
    }
    for before in 2..=21_u64 {
        let page = bob.expect("history").await;
        let expected: Vec<u64> = (before.saturating_sub(3).max(1)..before).collect();
        assert_eq!(seqs(&page), expected, "before {before}");
    }
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_in_words() {
    let room = TestRoom::open().await;
    let mut stranger = room.stranger().await;
    stranger.send(json!({ "type": "history", "before": 9 })).await;
    assert_eq!(stranger.expect_error().await, "hello_first", "no guest reads unseen");
    for hello in [json!({ "newest": 1001 }), json!({ "newest": -1 }), json!({ "newest": "all" })] {
        let mut hello = hello;
        hello["type"] = "hello".into();
        stranger.send(hello).await;
        assert_eq!(stranger.expect_error().await, "wrong_kind");
    }
    let ann = Visitor::arrive(&room, "Ann").await;
    for query in
        ["before=0", "before=x", "before=5&limit=1001", "before=5&after=2", "before=5&wait=1", "newest=1001"]
    {
        let answer = ann.get(&format!("/rooms/main/messages?{query}")).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("wrong_kind")), "{query}");
    }
    assert_eq!(Visitor::stranger(&room).get("/rooms/main/messages?before=5").await.status, 401);
    let empty = ann.messages("before=5").await;
    assert_eq!((seqs(&empty), &empty["after"]), (vec![], &json!(0)));
}

/// Where nothing is kept there is nothing to scroll up to.
#[tokio::test]
async fn a_room_that_keeps_nothing_has_no_history() {
    let room = TestRoom::open_with(|settings| {
        settings.history.messages = 0;
        settings.room.away = Duration::from_secs(1);
    })
    .await;
    let mut ann = room.guest("Ann").await;
    say(&mut ann, 1..=5).await;
    ann.send(json!({ "type": "history", "before": 6 })).await;
    let page = ann.expect("history").await;
    assert_eq!((seqs(&page), &page["after"]), (vec![], &json!(0)));
    let mut bob = room.stranger().await;
    bob.hello_as(json!({ "newest": 3 })).await;
    assert_eq!((&bob.welcome["after"], &bob.welcome["head"]), (&json!(5), &json!(5)));
    say(&mut ann, 6..=6).await;
    assert_eq!(bob.expect("message").await["seq"], 6);
}
