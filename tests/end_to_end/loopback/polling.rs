//! Messages asked for, again and again: cursors, gaps, tags, waiting, seats.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::kit::{TestRoom, Visitor, within};

fn seqs(answer: &Value) -> Vec<u64> {
    answer["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

async fn say(visitor: &Visitor, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        assert_eq!(visitor.say(&number.to_string(), &format!("text {number}")).await, number);
    }
}

#[tokio::test]
async fn a_cursor_gives_exactly_what_is_new() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    say(&ann, 1..=5).await;
    assert_eq!(seqs(&ann.messages("").await), [1, 2, 3, 4, 5], "without a cursor: what is kept");
    let answer = ann.messages("after=2&limit=2").await;
    assert_eq!(seqs(&answer), [3, 4]);
    assert_eq!((&answer["head"], &answer["first"]), (&json!(5), &json!(1)));
    assert_eq!(answer["epoch"], ann.welcome["room"]["epoch"]);
    assert!(answer["clock"].as_u64().unwrap() < 60 && answer.get("gap").is_none());
    assert_eq!(
        answer["messages"][0],
        json!({
            "type": "message", "seq": 3, "at": answer["messages"][0]["at"], "guest": ann.welcome["guest"]["id"],
            "name": "Ann", "id": "3", "text": "text 3",
        })
    );
    assert_eq!(seqs(&ann.messages("after=5").await), [0; 0]);
    let epoch = answer["epoch"].as_str().unwrap();
    assert_eq!(seqs(&ann.messages(&format!("after=4&epoch={epoch}")).await), [5]);
    assert_eq!(seqs(&ann.messages("after=4&epoch=another").await), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&ann.messages("after=99").await), [1, 2, 3, 4, 5], "a cursor from another world");
}

#[tokio::test]
async fn what_is_no_longer_kept_is_a_gap() {
    let room = TestRoom::open_with(|settings| settings.history.messages = 3).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    say(&ann, 1..=10).await;
    let answer = ann.messages("after=2").await;
    assert_eq!((&answer["gap"]["after"], &answer["gap"]["before"]), (&json!(2), &json!(8)));
    assert_eq!(seqs(&answer), [8, 9, 10]);
    let answer = ann.messages("after=2&limit=1&wait=60").await;
    assert_eq!((seqs(&answer), &answer["gap"]["before"]), (vec![8], &json!(8)));
}

#[tokio::test]
async fn many_long_messages_come_in_parts() {
    let room = TestRoom::open_with(|settings| settings.room.message_bytes = 32_000).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let text = "x".repeat(32_000);
    for number in 1..=60 {
        ann.say(&number.to_string(), &text).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 60 {
        let answer = ann.get(&format!("/rooms/main/messages?after={}&limit=1000", seen.len())).await;
        assert!(answer.body.len() < 512 * 1024, "{} bytes", answer.body.len());
        let new = seqs(&answer.json());
        assert!(!new.is_empty(), "there is more");
        seen.extend(new);
    }
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_new_is_not_sent_again() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    say(&ann, 1..=1).await;
    let path = "/rooms/main/messages?after=0";
    let first = ann.get(path).await;
    let tag = first.header("etag").unwrap().to_owned();
    for given in [tag.clone(), tag.trim_start_matches("W/").to_owned(), format!("\"x\", {tag}"), "*".into()] {
        let again = ann.request("GET", path, &[&format!("If-None-Match: {given}")], "").await;
        assert_eq!((again.status, again.header("etag")), (304, Some(tag.as_str())), "{given}");
        assert!(again.body.is_empty());
    }
    let header = format!("If-None-Match: {tag}");
    say(&ann, 2..=2).await;
    let new = ann.request("GET", path, &[&header], "").await;
    assert_eq!((new.status, seqs(&new.json())), (200, vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_its_answer() {
    let room = TestRoom::in_memory(|_| {}).await;
    let (ann, bob) = (Visitor::arrive(&room, "Ann").await, Visitor::arrive(&room, "Bob").await);
    let asked = Instant::now();
    assert_eq!(seqs(&ann.messages("after=0&wait=1").await), [0; 0], "an empty list in the end");
    assert_eq!(asked.elapsed().as_secs(), 1);

    let asked = Instant::now();
    let (answer, ()) = tokio::join!(ann.messages("after=0&wait=60"), async {
        // Somebody coming in is no message, and does not end the waiting.
        let _eve = room.guest("Eve").await;
        say(&bob, 1..=1).await;
    });
    assert_eq!(seqs(&answer), [1]);
    assert_eq!(answer["head"], 1);
    assert_eq!(asked.elapsed(), Duration::ZERO, "at once, not at the end of the time");
}

/// A guest whose seat is gone: their next request takes one.
fn returning(room: &TestRoom) -> Visitor {
    let mut visitor = Visitor::stranger(room);
    visitor.welcome = json!({ "token": "A".repeat(43) });
    visitor
}

/// A question that waits for an answer.
fn waiting(room: &TestRoom, visitor: &Visitor) -> String {
    let token = visitor.token();
    let head = "GET /rooms/main/messages?after=0&wait=60 HTTP/1.1";
    format!("{head}\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", room.host())
}

#[tokio::test]
async fn who_left_meanwhile_is_told_nothing_and_not_brought_back() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = returning(&room);
    let (answer, ()) = tokio::join!(ann.messages("after=0&wait=60"), async {
        // The seat it takes shows when the question has been understood.
        bob.expect("joined").await;
        ann.request("DELETE", "/rooms/main/guests/me", &[], "").await;
        bob.expect("left").await;
        bob.say("1", "among ourselves").await;
    });
    assert_eq!(seqs(&answer), [0; 0]);
    assert_eq!(bob.say("2", "still").await, 2);
    let mut next = bob.next().await;
    while next["seq"] != 2 {
        assert_ne!(next["type"], "joined");
        next = bob.next().await;
    }
}

#[tokio::test]
async fn a_room_that_closes_answers_those_who_wait() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut raw = room.raw().await;
    raw.write(waiting(&room, &returning(&room)).as_bytes()).await;
    // The seat it takes shows when the question has been understood.
    bob.expect("joined").await;
    // Which is over long before the 60 seconds.
    within("closing", room.close()).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, seqs(&answer.json())), (200, vec![]));
    assert!(raw.ended().await);
}

#[tokio::test]
async fn who_goes_away_while_waiting_gives_everything_back() {
    let room = TestRoom::open_with(|settings| {
        settings.room.away = Duration::from_secs(1);
        settings.listen.connections = 2;
    })
    .await;
    let mut bob = room.guest("Bob").await;
    let ann = returning(&room);
    let mut raw = room.raw().await;
    raw.write(waiting(&room, &ann).as_bytes()).await;
    let joined = bob.expect("joined").await;
    drop(raw);
    // The seat, long before the 60 seconds are over, and the place among the two connections.
    assert_eq!(bob.expect("left").await["guest"]["id"], joined["guest"]["id"]);
    assert_eq!(ann.get("/rooms/main").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_polls_stays_and_one_who_stopped_has_left() {
    let grace = Duration::from_secs(3);
    let room = TestRoom::in_memory(|settings| settings.room.away = grace).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let bob = Visitor::arrive(&room, "Bob").await;
    let mut listener = Visitor::arrive(&room, "Eve").await.listen("", &[]).await;
    let roster = |shown: Value| shown["guests"].as_array().unwrap().len();
    // Ann asks every now and then, Bob waits in one long question: three grace times.
    let polling = async {
        let mut ticks = interval(grace / 4);
        for _ in 0..12 {
            ticks.tick().await;
            ann.messages("after=0").await;
        }
        assert_eq!(roster(ann.get("/rooms/main").await.json()), 3);
    };
    tokio::join!(polling, bob.messages("after=0&wait=9"));
    let stopped = Instant::now();
    let mut left = vec![];
    while left.len() < 2 {
        let event = listener.next().await.unwrap();
        if event["type"] == "left" {
            left.push(event["guest"]["name"].as_str().unwrap().to_owned());
        }
    }
    left.sort();
    assert_eq!(left, ["Ann", "Bob"]);
    // At the next look at the seats after the grace time; there is one each second.
    let late = stopped.elapsed();
    assert!(late <= grace + Duration::from_secs(1), "{late:?}");
}
