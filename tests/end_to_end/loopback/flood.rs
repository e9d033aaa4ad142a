//! A guest who says more than one may.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{TestRoom, Visitor};

const MESSAGES: &str = "/rooms/main/messages";

/// How many messages may come at once in these rooms, where there is one a second.
const AT_ONCE: u64 = 10;

async fn slow_room() -> TestRoom {
    TestRoom::open_with(|settings| settings.room.messages_per_second = 1).await
}

/// Says one thing after another until that is refused; answers with how many were said and with the refusal.
async fn say_until_refused(visitor: &Visitor, from: u64) -> (u64, Answer) {
    for said in 0.. {
        let id = (from + said).to_string();
        let answer = visitor.post(MESSAGES, json!({ "id": id, "text": "flood" })).await;
        if answer.status != 201 {
            return (said, answer);
        }
    }
    unreachable!("numbers end later")
}

fn retry_after(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[tokio::test]
async fn requests_that_come_too_fast_are_told_how_long_to_wait() {
    let room = slow_room().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let bob = Visitor::arrive(&room, "Bob").await;
    let (said, refused) = say_until_refused(&ann, 1).await;
    assert!(said >= AT_ONCE, "{said} at once");
    let seconds = retry_after(&refused);
    let problem: Value = refused.json();
    assert_eq!((seconds, &problem["code"]), (1, &json!("too_fast")), "{problem}");
    assert_eq!(bob.say("b1", "undisturbed").await, said + 1);

    // Whoever waits as long as they were told is heard, once.
    sleep(Duration::from_secs(seconds)).await;
    assert_eq!(ann.say(&(said + 1).to_string(), "flood").await, said + 2);
    let heard = bob.messages("after=0").await;
    let heard: Vec<u64> =
        heard["messages"].as_array().unwrap().iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(heard, (1..=said + 2).collect::<Vec<_>>(), "what was refused was not said");
}

#[tokio::test]
async fn coming_back_or_another_transport_gives_no_more() {
    let room = slow_room().await;
    let mut socket = room.guest("Ann").await;
    let mut ann = Visitor::stranger(&room);
    ann.welcome = json!({ "token": socket.welcome["token"] });
    for number in 0..AT_ONCE {
        socket.say(&format!("s{number}"), "on a connection").await;
    }
    let (said, _) = say_until_refused(&ann, 0).await;
    assert!(said < AT_ONCE, "{said} more in requests");
    let mut again = room.stranger().await;
    again.hello_as(json!({ "name": "Ann", "token": ann.token() })).await;
    assert_eq!(again.welcome["resumed"], true);
    let (said, _) = say_until_refused(&ann, 100).await;
    assert!(said < AT_ONCE, "{said} more after coming back");
}

#[tokio::test]
async fn a_form_that_comes_too_fast_keeps_its_text() {
    let room = slow_room().await;
    let ann = NoscriptGuest::arrive(&room).await;
    for number in 0.. {
        let (form, text) = (format!("f{number}"), format!("number {number}"));
        let answer = ann.post(&[("form", &form), ("text", &text), ("do", "say")]).await;
        if answer.status == 303 {
            continue;
        }
        assert!(number >= AT_ONCE, "{number} at once");
        let (seconds, page) = (retry_after(&answer), answer.text());
        let note = page.split("role=\"alert\">").nth(1).unwrap().split('<').next().unwrap();
        assert!(note.contains("Wait a second") && note.contains("still here"), "{note}");
        assert_eq!(field(page, "form"), form, "the same form: sent again, it is the same message");
        assert!(page.contains(&format!("autofocus>\n{text}</textarea>")), "{page}");
        sleep(Duration::from_secs(seconds)).await;
        assert_eq!(ann.post(&[("form", &form), ("text", &text), ("do", "say")]).await.status, 303);
        return;
    }
}

#[tokio::test]
async fn a_flood_on_a_websocket_is_taken_in_its_turn_and_nothing_of_it_is_lost() {
    const SAID: u64 = 53;
    let room = TestRoom::open_with(|settings| settings.room.messages_per_second = 5).await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=SAID {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": "flood" })).await;
    }
    // Names are taken in their turn as well, and told in it.
    ann.send(json!({ "type": "rename", "name": "Anna" })).await;
    for number in 1..=SAID {
        let acknowledged = ann.expect("acknowledged").await;
        assert_eq!((&acknowledged["id"], &acknowledged["seq"]), (&json!(number.to_string()), &json!(number)));
    }
    assert_eq!(ann.expect("renamed").await["guest"]["name"], "Anna");
    let mut again = room.stranger().await;
    again.hello_as(json!({ "name": "Ann", "token": ann.welcome["token"] })).await;
    assert_eq!(again.welcome["resumed"], true, "another name in the hello is waited for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_heard_in_the_middle_of_a_flood() {
    // It would take a quarter of an hour.
    const FLOOD: u64 = 5000;
    let room = TestRoom::open_with(|settings| settings.room.messages_per_second = 5).await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let flood = async {
        for number in 1..=FLOOD {
            ann.send(json!({ "type": "say", "id": number.to_string(), "text": "flood" })).await;
        }
        std::future::pending::<()>().await;
    };
    let chat = async {
        while bob.expect("message").await["seq"] != 50 {}
        for number in 0..3 {
            let seq = bob.say(&number.to_string(), "may I?").await;
            assert!(seq < FLOOD, "{seq}: after the flood");
        }
    };
    tokio::select! {
        () = flood => {}
        () = chat => {}
    }
    room.close().await;
}

#[tokio::test]
async fn a_flood_of_mistakes_is_taken_up_in_parts() {
    const MISTAKES: usize = 2000;
    let room = TestRoom::open().await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    for _ in 0..MISTAKES {
        ann.send_frame(Message::text("{")).await;
    }
    let mut mistakes = 0;
    while mistakes == 0 {
        mistakes += usize::from(ann.next().await["type"] == "error");
    }
    bob.say("1", "in the middle").await;
    loop {
        match ann.next().await["type"].as_str() {
            Some("error") => mistakes += 1,
            Some("message") => break,
            _ => {}
        }
    }
    assert!(mistakes < MISTAKES, "all of them were taken up at once");
}
