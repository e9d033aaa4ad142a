//! What was said is found over each transport, by those alone who are in the room, and nothing else is.

use std::time::Duration;

use onionroom::protocol::Act;
use serde_json::{Value, json};

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::{Guest, TestRoom, Visitor, within};

fn seqs(list: &Value) -> Vec<u64> {
    list["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

async fn search(guest: &mut Guest, members: Value) -> Value {
    let mut frame = members;
    frame["type"] = "search".into();
    guest.send(frame).await;
    guest.expect("search").await
}

/// The numbers of the messages that a page has links to.
fn linked(page: &str) -> Vec<u64> {
    let links = page.split("href=\"context?message=").skip(1);
    links.map(|link| link.split('#').next().unwrap().parse().unwrap()).collect()
}

async fn searched(guest: &NoscriptGuest, fields: &[(&str, &str)]) -> crate::kit::raw::Answer {
    let form = guest.get("/search", "").await;
    let (number, proof) = (field(form.text(), "form"), field(form.text(), "proof"));
    let own = [("form", number.as_str()), ("proof", proof.as_str())];
    guest.post_to("/search", &[&own, fields].concat(), &[]).await
}

#[tokio::test]
async fn each_transport_finds_the_same_and_goes_on() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    for (number, text) in ["Green tea?", "coffee", "TEA, please", "a café", "te a"].iter().enumerate() {
        ann.say(&number.to_string(), text).await;
    }
    let bob = Visitor::arrive(&room, "Bob").await;
    assert_eq!(bob.say("b", "my tea <b>is</b> cold").await, 6);
    let eve = NoscriptGuest::arrive(&room).await;

    let found = search(&mut ann, json!({ "text": "tea" })).await;
    assert_eq!((&found["before"], &found["after"], seqs(&found)), (&7.into(), &0.into(), vec![6, 3, 1]));
    assert_eq!(found["messages"][0]["text"], "my tea <b>is</b> cold");
    let first = search(&mut ann, json!({ "text": "tea", "limit": 2 })).await;
    let after = first["after"].as_u64().unwrap();
    let rest = search(&mut ann, json!({ "text": "tea", "before": after + 1 })).await;
    assert_eq!((seqs(&first), seqs(&rest)), (vec![6, 3], vec![1]));
    let own = ann.welcome["guest"]["id"].clone();
    assert_eq!(seqs(&search(&mut ann, json!({ "text": "TÉA", "from": own })).await), [3, 1]);
    assert_eq!(seqs(&search(&mut ann, json!({ "text": "\"green  tea\" cafe" })).await), [] as [u64; 0]);
    assert_eq!(seqs(&search(&mut ann, json!({ "text": "cafe" })).await), [4]);
    for (text, code) in [(" ".to_owned(), "text_empty"), ("x".repeat(513), "text_too_long")] {
        ann.send(json!({ "type": "search", "text": text })).await;
        assert_eq!(ann.expect("error").await["code"], code);
    }

    let answer = bob.post("/rooms/main/search", json!({ "text": "tea", "limit": 2 })).await;
    assert_eq!((answer.status, seqs(&answer.json())), (200, vec![6, 3]), "{}", answer.text());
    assert!(answer.json()["clock"].is_u64());

    let page = searched(&eve, &[("text", "tea")]).await;
    assert_eq!((page.status, linked(page.text())), (200, vec![6, 3, 1]), "{}", page.text());
    assert!(page.text().contains("my tea &lt;b&gt;is") && page.text().contains("ago, in its place"));
    let place = eve.get("/context", "&message=3").await;
    assert_eq!((place.status, linked(place.text())), (200, vec![1, 2, 3, 4, 5, 6]));
    assert!(place.text().contains("<article id=\"m3\" class=\"meant\">"), "{}", place.text());
    let link = eve.request("GET /rooms/main/page?message=3", &[], "").await;
    assert_eq!((link.status, link.header("location")), (303, Some("page/context?message=3#m3")));
    for (text, status) in [(" ", 422), (&*"x".repeat(513), 422)] {
        assert_eq!(searched(&eve, &[("text", text)]).await.status, status);
    }
}

/// A link to a message leads a visitor through the entry to it.
#[tokio::test]
async fn a_link_to_a_message_survives_the_entry() {
    let room = TestRoom::open().await;
    room.guest("Ann").await.say("1", "meant").await;
    let mut eve = NoscriptGuest::stranger(&room);
    let entry = eve.request("GET /rooms/main/page?message=1", &[], "").await;
    eve.keep(&entry);
    assert!(entry.text().contains("action=\"page/enter?message=1\""), "{}", entry.text());
    let (number, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
    let fields = [("form", number.as_str()), ("proof", &proof), ("name", "Eve")];
    let answer = eve.post_to("/enter?message=1", &fields, &[]).await;
    assert_eq!(answer.header("location"), Some("../page?message=1"));
    for odd in ["0", "x", "-1", "1%22%3E"] {
        let entry = NoscriptGuest::stranger(&room)
            .request(&format!("GET /rooms/main/page?message={odd}"), &[], "")
            .await;
        assert!(entry.text().contains("action=\"page/enter\""), "{odd}");
    }
}

#[tokio::test]
async fn who_is_not_in_the_room_finds_nothing() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    ann.say("1", "secret tea").await;
    let asked = json!({ "text": "tea" });
    let path = "/rooms/main/search";
    assert_eq!(Visitor::stranger(&room).post(path, asked.clone()).await.status, 401);
    let mut stranger = room.stranger().await;
    stranger.send(json!({ "type": "search", "text": "tea" })).await;
    assert_eq!(stranger.expect("error").await["code"], "hello_first");
    // In an address it would be in logs.
    let bob = Visitor::arrive(&room, "Bob").await;
    let listed =
        bob.request("POST", "/rooms/main/search?text=tea", &["Content-Type: application/json"], "{}").await;
    assert_eq!(listed.status, 400, "{}", listed.text());
    assert_eq!(NoscriptGuest::stranger(&room).get("/search", "").await.status, 303);
    assert_eq!(
        NoscriptGuest::stranger(&room).get("/context", "&message=1").await.header("location"),
        Some("../page?message=1")
    );

    let of = bob.welcome["guest"]["id"].as_u64().unwrap();
    assert_eq!(seqs(&bob.post(path, asked.clone()).await.json()), [1]);
    let target = onionroom::protocol::act::Target { of: onionroom::protocol::GuestId(of), name: None };
    room.govern(Act::Ban { target, seconds: None, invitation: false }).await;
    assert_eq!(bob.post(path, asked.clone()).await.status, 403, "banned");
    room.govern(Act::Approval { approval: true, present: Vec::new() }).await;
    let mut waiting = Visitor::stranger(&room);
    waiting.welcome = json!({ "token": "B".repeat(42) + "A" });
    assert_eq!(waiting.post(path, asked).await.status, 403, "waits");
    // A form of another site.
    let eve = NoscriptGuest::stranger(&room);
    assert_eq!(eve.post_to("/search", &[("text", "tea")], &["Sec-Fetch-Site: cross-site"]).await.status, 403);
}

/// What was deleted is found by none, over any transport; searches of many guests take turns, and are refused or answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_take_turns_and_do_not_find_what_was_deleted() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=300 {
        ann.say(&number.to_string(), &format!("tea {number} {}", "x".repeat(500))).await;
    }
    let mut guests = Vec::new();
    for number in 0..60 {
        guests.push(Visitor::arrive(&room, &format!("Guest {number}")).await);
    }
    let asked =
        guests.iter().map(|guest| guest.post("/rooms/main/search", json!({ "text": "TEA 2", "limit": 200 })));
    let answers = within("all answers", futures_util::future::join_all(asked)).await;
    let mut answered = 0;
    for answer in answers {
        match answer.status {
            200 => {
                let found = answer.json();
                assert!(!seqs(&found).is_empty() && answer.body.len() < 150_000, "{}", answer.body.len());
                answered += 1;
            }
            status => {
                assert_eq!(status, 429, "{}", answer.text());
                assert!(answer.header("retry-after").is_some());
            }
        }
    }
    assert!(answered > 0);
    room.govern(Act::Delete { messages: (200..=300).collect(), own: false }).await;
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    let found = loop {
        let answer = guests[0].post("/rooms/main/search", json!({ "text": "tea 2", "limit": 200 })).await;
        if answer.status == 200 {
            break answer.json();
        }
        assert!(tokio::time::Instant::now() < until, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(seqs(&found).iter().all(|seq| *seq < 200), "{found}");
}

/// Pages go on both ways from a message, until what is live.
#[tokio::test]
async fn a_message_is_shown_in_its_place_over_each_transport() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=30 {
        ann.say(&number.to_string(), &format!("text {number}")).await;
    }
    ann.send(json!({ "type": "history", "around": 10, "limit": 6 })).await;
    let page = ann.expect("history").await;
    assert_eq!((seqs(&page), &page["after"], &page["before"]), ((7..=12).collect(), &6.into(), &13.into()));
    ann.send(json!({ "type": "history", "after": 12, "limit": 100 })).await;
    let newer = ann.expect("history").await;
    assert_eq!(
        (seqs(&newer), &newer["after"], &newer["before"]),
        ((13..=30).collect(), &12.into(), &31.into())
    );
    ann.send(json!({ "type": "history", "before": 7, "limit": 3 })).await;
    assert_eq!(seqs(&ann.expect("history").await), [4, 5, 6]);
    ann.send(json!({ "type": "history", "before": 7, "after": 3 })).await;
    assert_eq!(ann.expect("error").await["code"], "wrong_kind");

    let bob = Visitor::arrive(&room, "Bob").await;
    let page = bob.messages("around=10&limit=6").await;
    assert_eq!((seqs(&page), &page["after"], &page["before"]), ((7..=12).collect(), &6.into(), &13.into()));
    let epoch = page["epoch"].as_str().unwrap();
    let known = bob.messages(&format!("around=10&limit=1&epoch={epoch}")).await;
    assert_eq!((seqs(&known), &known["cursor"]), (vec![10], &10.into()));
    assert_eq!(bob.messages("around=10&limit=1&epoch=another").await["cursor"], Value::Null);
    for query in ["around=1&before=2", "around=1&after=2", "around=0"] {
        assert_eq!(bob.get(&format!("/rooms/main/messages?{query}")).await.status, 400, "{query}");
    }
    let eve = NoscriptGuest::arrive(&room).await;
    let older = eve.get("/context", "&before=11").await;
    assert_eq!(linked(older.text()), (1..=10).collect::<Vec<_>>());
    assert!(older.text().contains("context?after=10") && !older.text().contains("Older messages"));
    let newest = eve.get("/context", "").await;
    assert!(newest.text().contains("These are the newest"), "{}", newest.text());
}
