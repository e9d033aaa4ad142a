//! What goes wrong in OnionShare's chat, the closest relative, each reproduced there with version 2.7: here
//! it goes right. The numbers are those of its issue tracker.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::raw::{Raw, frame};
use crate::kit::{Guest, TestRoom, within};

/// The hello of somebody who was here before.
fn back(welcome: &Value, after: u64) -> Value {
    json!({ "token": welcome["token"], "epoch": welcome["room"]["epoch"], "after": after })
}

/// Everything up to the message with this number.
async fn up_to(guest: &mut Guest, seq: u64) -> Vec<Value> {
    let mut events = vec![guest.next().await];
    while events.last().unwrap()["seq"] != seq || events.last().unwrap()["type"] != "message" {
        events.push(guest.next().await);
    }
    events
}

/// There: refused because the ghost still holds the name, and the client gives up for ever.
#[tokio::test]
async fn a_link_that_drops_before_the_server_notices() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ghost = room.guest("Ann").await; // never read from again, never closed
    bob.expect("joined").await;

    // At once: the ghost would be noticed after two unanswered pings, the second of them after 90 seconds.
    let mut ann = room.stranger().await;
    ann.hello_as(back(&ghost.welcome, 0)).await;
    assert_eq!((ann.id(), &ann.welcome["guest"]["name"]), (ghost.id(), &json!("Ann")));

    // The ghost's end, whenever it is noticed, changes nothing.
    assert_eq!(ann.say("1", "here again").await, 1);
    drop(ghost);
    assert_eq!(ann.say("2", "and still here").await, 2);
    let heard = up_to(&mut bob, 2).await;
    assert!(heard.iter().all(|event| event["type"] == "message"), "no noise for the others: {heard:?}");
}

/// The same for somebody whose first welcome never arrived: their program made the token itself.
#[tokio::test]
async fn a_link_that_drops_before_the_first_welcome_arrives() {
    let room = TestRoom::open().await;
    let token = "A".repeat(43);
    let mut ghost = room.stranger().await;
    ghost.send(json!({ "type": "hello", "name": "Ann", "token": token })).await;
    let mut bob = room.guest("Bob").await;
    if bob.welcome["guests"].as_array().unwrap().len() == 1 {
        bob.expect("joined").await;
    }
    let mut ann = room.stranger().await;
    let welcome = ann.hello_as(json!({ "name": "Ann", "token": token })).await;
    assert_eq!((&welcome["guest"]["name"], &welcome["resumed"]), (&json!("Ann"), &json!(true)));
}

/// There: the five messages of the gap are lost, and so is the one being sent.
#[tokio::test]
async fn a_clean_drop() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(bob.say("0", "before").await, 1);
    assert_eq!(ann.expect("message").await["seq"], 1);

    let welcome = ann.welcome.clone();
    let being_sent = json!({ "type": "say", "id": "mine", "text": "being sent" });
    ann.send(being_sent.clone()).await;
    drop(ann); // without having read whether it arrived
    for number in 1..=5 {
        bob.say(&number.to_string(), "in the gap").await;
    }

    let mut ann = room.stranger().await;
    ann.hello_as(back(&welcome, 1)).await;
    ann.send(being_sent).await;
    let (mut heard, mut acknowledged) = (Vec::new(), None);
    while heard.len() < 6 || acknowledged.is_none() {
        let event = ann.next().await;
        match event["type"].as_str().unwrap() {
            "message" => heard.push(event),
            "acknowledged" => acknowledged = event["seq"].as_u64(),
            _ => {}
        }
    }
    let seqs: Vec<u64> = heard.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [2, 3, 4, 5, 6, 7]);
    let mine: Vec<&Value> = heard.iter().filter(|event| event["text"] == "being sent").collect();
    assert_eq!((mine.len(), mine[0]["seq"].as_u64()), (1, acknowledged), "once, under the number told");
    assert_eq!(heard.iter().filter(|event| event["text"] == "in the gap").count(), 5);
}

/// There: refused without a word. Here the newer one has the seat, and the older one is told why it is closed.
#[tokio::test]
async fn a_second_tab_with_the_same_token() {
    let room = TestRoom::open().await;
    let mut first = room.guest("Ann").await;
    let mut second = room.stranger().await;
    second.hello_as(back(&first.welcome, 0)).await;
    let (code, told) = first.closed().await;
    let last = told.last().unwrap();
    assert_eq!((code, &last["code"]), (4001, &json!("taken_over")));
    assert!(last["message"].as_str().unwrap().contains("another connection"), "{last}");
    assert_eq!(second.say("1", "this is the tab").await, 1);
    // And back again.
    let mut first = room.stranger().await;
    first.hello_as(back(&second.welcome, 1)).await;
    assert_eq!(second.closed().await.0, 4001);
    assert_eq!(first.say("2", "no, this").await, 2);
}

/// There: two users both named `bob!`, an override of direction, a name of 200,034 characters. #1222: names
/// that look the same in other scripts.
#[tokio::test]
async fn names_that_deceive() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("bob!").await;
    let mut eve = room.stranger().await;
    for (name, code) in [
        ("bob!".to_owned(), "name_taken"),
        ("Bob!".to_owned(), "name_taken"),
        ("вов!".to_owned(), "name_taken"),     // in Cyrillic
        ("ΒΟΒ!".to_owned(), "name_taken"),     // in Greek
        ("bоb!".to_owned(), "name_forbidden"), // a Cyrillic o among Latin letters
        ("bοb!".to_owned(), "name_forbidden"), // a Greek one
        ("bob\u{200b}!".to_owned(), "name_forbidden"),
        ("\u{202e}!bob".to_owned(), "name_forbidden"),
        ("x".repeat(3_000), "name_too_long"),
        (" ".to_owned(), "name_empty"),
    ] {
        eve.send(json!({ "type": "hello", "name": name })).await;
        assert_eq!(eve.expect_error().await, code, "{}", &name[..name.len().min(40)]);
    }
    for name in ["Мария", "مريم", "美咲", "Zoë 🧅"] {
        let welcome = room.guest(name).await.welcome;
        assert_eq!(welcome["guest"]["name"], name, "nobody has to be called in Latin letters");
        assert_eq!(bob.expect("joined").await["guest"]["name"], name);
    }
    let mut long = room.stranger().await;
    long.send(json!({ "type": "hello", "name": "x".repeat(200_034) })).await;
    assert_eq!(long.closed().await.0, 1009);
}

/// There: all of these were broadcast. #1520: several lines are fine.
#[tokio::test]
async fn messages_that_are_none() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = room.guest("Ann").await;
    for (text, code) in [
        (json!(""), "text_empty"),
        (json!(" \n "), "text_empty"),
        (json!(7), "wrong_kind"),
        (json!(null), "missing_field"),
        (json!({ "a": 1 }), "wrong_kind"),
        (json!(["a"]), "wrong_kind"),
    ] {
        ann.send(json!({ "type": "say", "id": "1", "text": text })).await;
        assert_eq!(ann.expect_error().await, code, "{text}");
    }
    ann.send(json!({ "type": "say", "id": "1" })).await;
    assert_eq!(ann.expect_error().await, "missing_field");
    assert_eq!(ann.say("2", "two\nlines").await, 1);
    bob.expect("joined").await;
    let heard = bob.next().await;
    assert_eq!((&heard["text"], &heard["seq"]), (&json!("two\nlines"), &json!(1)), "and nothing before it");
}

/// There: 900 KB were broadcast, and 1.1 MB cut the sender off without a word.
#[tokio::test]
async fn messages_that_are_too_large() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = room.guest("Ann").await;
    bob.expect("joined").await;
    for size in [900_000, 1_100_000] {
        let mut large = room.stranger().await;
        large.hello_as(back(&ann.welcome, 0)).await;
        let say = json!({ "type": "say", "id": "1", "text": "x".repeat(size) });
        large.send_frame(Message::text(say.to_string())).await;
        assert_eq!(large.closed().await.0, 1009, "{size}");
    }
    let mut ann = {
        let mut again = room.stranger().await;
        again.hello_as(back(&ann.welcome, 0)).await;
        again
    };
    // What fits a frame and is still too long is refused, and the connection lives.
    ann.send(json!({ "type": "say", "id": "2", "text": "x".repeat(50_000) })).await;
    assert_eq!(ann.expect_error().await, "text_too_long");
    assert_eq!(ann.say("3", "short").await, 1);
    assert_eq!(bob.expect("message").await["text"], "short");
}

/// There: no limit of any kind. Here a guest is held to a rate, see `loopback::flood`; and in a room without one, as
/// here, all of it reaches the others in order, and who speaks is not cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_three_thousand() {
    const BURST: usize = 3000;
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = room.guest("Ann").await;
    let host = room.host();
    let mut flood = Raw::new(room.connect().await);
    let request =
        ["GET /chat HTTP/1.1", &format!("Host: {host}"), "Upgrade: websocket", "Connection: Upgrade"];
    let key = ["Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Version: 13"];
    assert_eq!(flood.request(&[&request[..], &key].concat()).await.status, 101);
    let (token, mut bytes) = (&ann.welcome["token"], Vec::new());
    bytes.extend(frame(0x81, true, json!({ "type": "hello", "token": token }).to_string().as_bytes()));
    for number in 0..BURST {
        let say = json!({ "type": "say", "id": number.to_string(), "text": format!("flood {number}") });
        bytes.extend(frame(0x81, true, say.to_string().as_bytes()));
    }
    flood.write(&bytes).await; // all at once, not reading meanwhile
    ann.closed().await;

    let mut acknowledged = 0;
    while acknowledged < BURST {
        let (first, payload) = flood.frame().await;
        assert_eq!(first, 0x81, "not cut off");
        let event: Value = serde_json::from_slice(&payload).unwrap();
        assert_ne!(event["type"], "error", "{event}");
        if event["type"] == "acknowledged" {
            assert_eq!(event["id"], acknowledged.to_string());
            acknowledged += 1;
        }
    }
    for number in 0..BURST {
        assert_eq!(bob.expect("message").await["id"], number.to_string());
    }
}

/// There: none. #1647.
#[tokio::test]
async fn a_cap_on_guests() {
    let room = TestRoom::open_with(|settings| settings.room.guests = 2).await;
    let (mut ann, _bob) = (room.guest("Ann").await, room.guest("Bob").await);
    assert_eq!(ann.welcome["limits"]["guests"], 2);
    let mut eve = room.stranger().await;
    eve.send(json!({ "type": "hello", "name": "Eve" })).await;
    let (code, told) = eve.closed().await;
    assert_eq!((code, &told[0]["code"]), (1013, &json!("room_full")));
    assert!(told[0]["message"].as_str().unwrap().contains("Come back"), "{told:?}");
    assert_eq!(ann.say("1", "we are full").await, 1);
}

/// #1168: shown as "left" when idle.
#[tokio::test(start_paused = true)]
async fn somebody_who_only_listens() {
    let room = TestRoom::in_memory(|settings| settings.listen.idle_ping = Duration::from_millis(300)).await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    ann.expect("joined").await;
    // Some pings, which Bob's program answers while it listens.
    let silent = async { (tokio::time::timeout(Duration::from_secs(2), bob.next()).await).is_err() };
    let (undisturbed, alone) = tokio::join!(silent, tokio::time::timeout(Duration::from_secs(2), ann.next()));
    assert!(undisturbed && alone.is_err(), "nobody left, nobody came");
    assert_eq!(bob.say("1", "still here").await, 1);
}

/// #1296: gone after the screen was locked.
#[tokio::test(start_paused = true)]
async fn a_screen_that_was_locked() {
    let ping = Duration::from_secs(10);
    let room = TestRoom::in_memory(|settings| settings.listen.idle_ping = ping).await;
    let mut ann = room.guest("Ann").await;
    let locked = room.guest("Bob").await; // nothing of it runs, so nobody answers
    let welcome = locked.welcome.clone();
    let since = Instant::now();
    assert_eq!(ann.expect("away").await["guest"]["name"], "Bob", "noticed, and not said to have left");
    assert_eq!(since.elapsed().as_secs(), 2 * ping.as_secs());
    ann.say("1", "while you slept").await;
    drop(locked);
    let mut bob = room.stranger().await;
    assert_eq!(bob.hello_as(back(&welcome, 0)).await["resumed"], true);
    assert_eq!(bob.expect("message").await["text"], "while you slept");
    assert_eq!(ann.expect("back").await["guest"]["name"], "Bob");
}

/// #1714: history, or say that there is none.
#[tokio::test]
async fn what_is_kept_is_told() {
    for messages in [0, 1000] {
        let room = TestRoom::open_with(|settings| settings.history.messages = messages).await;
        let mut ann = room.guest("Ann").await;
        ann.say("1", "before").await;
        let mut bob = room.guest("Bob").await;
        assert_eq!(bob.welcome["kept"], json!({ "messages": messages, "days": 7 }));
        ann.say("2", "after").await;
        let first = bob.expect("message").await;
        assert_eq!(first["text"], if messages == 0 { "after" } else { "before" });
    }
}

/// In Firefox `tests/browser` looks at links and the count of unread messages. There: 70 KB of a library used for one function; no viewport, language, live region, times, lines, links
/// or unread count; #1391: a blank page without JavaScript.
#[tokio::test]
async fn the_page() {
    let room = TestRoom::open().await;
    let host = format!("Host: {}", room.host());
    let answer = room.raw().await.request(&["GET / HTTP/1.1", &host]).await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "nothing from elsewhere: {policy}");
    // With quotation marks around attributes or without.
    let page = answer.text().replace('"', "");
    for elsewhere in ["<script src", "<link rel=stylesheet", "@import", "url(http", "jQuery", "src=http"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    for (what, sign) in [
        ("a viewport", "<meta name=viewport content=width=device-width"),
        ("a language", "<html lang=en>"),
        ("a live region", "role=log"),
        ("several lines", "<textarea"),
        ("times", "`time`"),
        ("something without JavaScript", "<noscript"),
    ] {
        assert!(page.contains(sign), "{what}");
    }
    // Whatever the answer holds, it came in one connection's one answer, and there is nothing more to load.
    let mut io = room.connect().await;
    let request = format!("GET / HTTP/1.1\r\n{host}\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut whole = Vec::new();
    within("the page", io.read_to_end(&mut whole)).await.unwrap();
    assert!(whole.len() < 25_000, "{} bytes", whole.len());
}
