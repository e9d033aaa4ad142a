//! A guest who says more than one may.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{TestRoom, Visitor};

const MESSAGES: &str = "/rooms/main/messages";

/// How many messages may come at once in these rooms, where there is one a second.
const AT_ONCE: u64 = 10;

/// A room in memory: these tests wait for times, and those are exact there.
async fn slow_room(messages_per_second: u32) -> TestRoom {
    TestRoom::in_memory(|settings| {
        settings.room.messages_per_minute = 60 * messages_per_second;
        settings.room.messages_at_once = 10 * messages_per_second.max(1);
    })
    .await
}

/// A new guest's bucket begins with a third of what it holds.
async fn fill_bucket() {
    sleep(Duration::from_secs(10)).await;
}

/// Says one thing after another until that is refused; answers with how many were said and with the refusal.
async fn say_until_refused(visitor: &Visitor, from: u64) -> (u64, Answer) {
    for said in 0..10 * AT_ONCE {
        let id = (from + said).to_string();
        let answer = visitor.post(MESSAGES, json!({ "id": id, "text": "flood" })).await;
        if answer.status != 201 {
            return (said, answer);
        }
    }
    panic!("nothing is refused")
}

fn retry_after(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_too_fast_are_told_how_long_to_wait() {
    let room = slow_room(1).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let bob = Visitor::arrive(&room, "Bob").await;
    assert_eq!(say_until_refused(&ann, 100).await.0, AT_ONCE / 3, "a new guest");
    fill_bucket().await;
    let (said, refused) = say_until_refused(&ann, 1).await;
    assert_eq!(said, AT_ONCE);
    let seconds = retry_after(&refused);
    let problem: Value = refused.json();
    assert_eq!((seconds, &problem["code"]), (1, &json!("too_fast")), "{problem}");
    assert_eq!(bob.say("b1", "undisturbed").await, AT_ONCE / 3 + said + 1);

    // Heard once after as long as was told, and then refused again.
    sleep(Duration::from_secs(seconds)).await;
    assert_eq!(say_until_refused(&ann, said + 1).await.0, 1);
    let heard = bob.messages("after=0").await;
    let heard: Vec<u64> =
        heard["messages"].as_array().unwrap().iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(heard, (1..=AT_ONCE / 3 + said + 2).collect::<Vec<_>>(), "what was refused was not said");
}

#[tokio::test(start_paused = true)]
async fn coming_back_or_another_transport_gives_no_more() {
    let room = slow_room(1).await;
    let mut socket = room.guest("Ann").await;
    let mut ann = Visitor::stranger(&room);
    ann.welcome = json!({ "token": socket.welcome["token"] });
    socket.say("first", "on a connection").await;
    fill_bucket().await;
    for number in 0..AT_ONCE {
        socket.say(&format!("s{number}"), "on a connection").await;
    }
    assert_eq!(say_until_refused(&ann, 0).await.0, 0);
    let mut again = room.stranger().await;
    again.hello_as(json!({ "name": "Ann", "token": ann.token() })).await;
    assert_eq!(again.welcome["resumed"], true);
    assert_eq!(say_until_refused(&ann, 100).await.0, 0, "after coming back");
}

#[tokio::test]
async fn a_form_that_comes_too_fast_keeps_its_text() {
    let room = TestRoom::open_with(|settings| settings.room.messages_per_minute = 60).await;
    let ann = NoscriptGuest::arrive(&room).await;
    for number in 0..10 * AT_ONCE {
        let (form, text) = (format!("f{number}"), format!("number {number}"));
        let answer = ann.post(&[("form", &form), ("text", &text), ("do", "say")]).await;
        if answer.status == 303 {
            continue;
        }
        assert!(number >= 5, "{number} at once");
        let (seconds, page) = (retry_after(&answer), answer.text());
        let note = page.split("role=\"alert\">").nth(1).unwrap().split('<').next().unwrap();
        assert!(note.contains("Wait a second") && note.contains("still here"), "{note}");
        assert_eq!(field(page, "form"), form, "the same form: sent again, it is the same message");
        assert!(page.contains(&format!("autofocus>\n{text}</textarea>")), "{page}");
        sleep(Duration::from_secs(seconds)).await;
        assert_eq!(ann.post(&[("form", &form), ("text", &text), ("do", "say")]).await.status, 303);
        return;
    }
    panic!("nothing is refused");
}

#[tokio::test(start_paused = true)]
async fn a_flood_on_a_websocket_is_taken_in_its_turn_and_nothing_of_it_is_lost() {
    const SAID: u64 = 53;
    let room = slow_room(5).await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(ann.say("0", "the first").await, 1);
    fill_bucket().await;
    let began = Instant::now();
    for number in 1..=SAID {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": "flood" })).await;
    }
    // Names are taken in their turn as well, and told in it.
    ann.send(json!({ "type": "rename", "name": "Anna" })).await;
    for number in 1..=SAID {
        let acknowledged = ann.expect("acknowledged").await;
        assert_eq!(
            (&acknowledged["id"], &acknowledged["seq"]),
            (&json!(number.to_string()), &json!(number + 1))
        );
    }
    assert_eq!(began.elapsed().as_millis(), 600, "ten seconds' worth at once, and three more");
    assert_eq!(ann.expect("renamed").await["guest"]["name"], "Anna");
    let mut again = room.stranger().await;
    again.hello_as(json!({ "name": "Ann", "token": ann.welcome["token"] })).await;
    assert_eq!(again.welcome["resumed"], true, "another name in the hello is waited for");
}

#[tokio::test(start_paused = true)]
async fn others_are_heard_in_the_middle_of_a_flood() {
    // It would take a quarter of an hour.
    const FLOOD: u64 = 5000;
    let room = slow_room(5).await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    assert_eq!(ann.say("0", "the first").await, 1);
    fill_bucket().await;
    let flood = async {
        for number in 1..=FLOOD {
            ann.send(json!({ "type": "say", "id": number.to_string(), "text": "flood" })).await;
        }
        std::future::pending::<()>().await;
    };
    let chat = async {
        while bob.expect("message").await["seq"] != 51 {}
        let began = Instant::now();
        for number in 52..=54 {
            assert_eq!(bob.say(&number.to_string(), "may I?").await, number);
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "while the flood waits");
    };
    tokio::select! {
        () = flood => {}
        () = chat => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_mistakes_is_taken_up_in_parts() {
    const MISTAKES: usize = 500;
    let room = slow_room(0).await;
    let (mut ann, mut bob) = (room.guest_on(1, "Ann").await, room.guest_on(2, "Bob").await);
    let began = Instant::now();
    let flood = async {
        for _ in 0..MISTAKES {
            ann.send_frame(Message::text("{")).await;
        }
        let mut before = 0;
        for number in 0..MISTAKES {
            while ann.next().await["type"] != "error" {}
            before = if began.elapsed().is_zero() { number + 1 } else { before };
        }
        before
    };
    let chat = async {
        for number in 0..10 {
            sleep(Duration::from_secs(1)).await;
            bob.say(&number.to_string(), "in the middle").await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(10), "Bob does not wait for Ann");
    };
    let (before, ()) = tokio::join!(flood, chat);
    assert_eq!(before, 197, "200, but for the connection, the handshake and the hello");
    // Twenty a second.
    assert_eq!(began.elapsed().as_secs(), 15, "{:?}", began.elapsed());
}
