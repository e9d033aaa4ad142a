//! Words that are kept out, over every transport: what waits, who sees it, and what becomes of it, also after a restart and
//! at another node.

use onionroom::protocol::Role;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clustered::node;
use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::{Guest, TestRoom, Visitor};
use crate::nats::{Program, Servers};

/// What is said in letters of another script; a part of it is searched for.
const TEXT: &str = "surely no ѕсаm";

/// A host of this room, who keeps a word out.
async fn host(room: &TestRoom) -> Guest {
    let mut host = room.host_guest("Hanna").await;
    host.act("words", json!({ "act": "words", "words": ["scam"] })).await;
    host
}

async fn held(host: &mut Guest) -> Value {
    host.send(json!({ "type": "held" })).await;
    host.expect("held").await
}

fn numbers(held: &Value) -> Vec<u64> {
    held["messages"].as_array().unwrap().iter().map(|one| one["seq"].as_u64().unwrap()).collect()
}

async fn says(guest: &mut Guest, id: &str) -> Value {
    guest.send(json!({ "type": "say", "id": id, "text": TEXT })).await;
    guest.expect("acknowledged").await
}

#[tokio::test]
async fn what_waits_is_seen_by_hosts_and_said_when_it_is_released() {
    let room = TestRoom::open().await;
    let mut hanna = host(&room).await;
    let (mut gus, mut eve) = (room.guest("Gus").await, room.guest("Eve").await);
    let vera = Visitor::arrive(&room, "Vera").await;
    let mut listener = Visitor::arrive(&room, "Lea").await.listen("", &[]).await;

    // Over the WebSocket, over HTTP and by the form.
    let by_socket = says(&mut gus, "a").await;
    assert_eq!(by_socket["held"], true);
    let body = json!({ "id": "v", "text": TEXT });
    let by_request = vera.post("/rooms/main/messages", body.clone()).await;
    assert_eq!((by_request.status, &by_request.json()["held"]), (202, &json!(true)));
    assert_eq!(vera.post("/rooms/main/messages", body).await.json(), by_request.json(), "sent again");
    let form = NoscriptGuest::arrive_as(&room, "Nora").await;
    let mut document = form.stream("").await;
    let composer = form.get("/say", "").await;
    let (number, proof) = (field(composer.text(), "form"), field(composer.text(), "proof"));
    let fields = [("form", number.as_str()), ("proof", &proof), ("text", TEXT), ("do", "say")];
    let answer = form.post_to("/say", &fields, &[]).await;
    assert!(answer.text().contains("Your message waits until a host"), "{}", answer.text());
    assert_ne!(field(answer.text(), "form"), number, "the form is for the next message");
    assert!(!answer.text().contains("surely"), "and empty");
    assert!(document.until("Your message waits").await.contains("Your message waits"));

    // Others have its place in the order and nothing else.
    for event in [eve.expect("unknown").await, listener.expect("unknown").await] {
        assert_eq!((&event["kind"], event.get("text"), event.get("name")), (&json!("held"), None, None));
    }
    let polled = vera.messages("after=0").await.to_string();
    assert!(polled.contains("\"kind\":\"held\"") && !polled.contains("surely"), "{polled}");
    eve.send(json!({ "type": "history", "before": 1000 })).await;
    assert!(!eve.expect("history").await.to_string().contains("surely"));
    let refused = vera.get("/rooms/main/held").await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("not_allowed")));
    eve.send(json!({ "type": "held" })).await;
    assert_eq!(eve.expect("error").await["code"], "not_allowed");

    let waiting = held(&mut hanna).await;
    assert_eq!(waiting["words"], json!(["scam"]));
    let texts = waiting["messages"].as_array().unwrap();
    assert_eq!(
        texts.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Gus", "Vera", "Nora"]
    );
    assert!(texts.iter().all(|one| one["text"] == TEXT));

    // The first two are released, each once however often that is asked for; the third is discarded.
    let [first, second, third] = numbers(&waiting)[..] else { panic!("{waiting}") };
    let release = json!({ "act": "release", "messages": [first, second] });
    let done = hanna.act("r", release.clone()).await;
    assert_eq!(hanna.act("r", release.clone()).await["seq"], done["seq"]);
    assert_eq!(hanna.act("again", release).await["seq"], done["seq"]);
    for (author, id) in [(gus.id(), "a"), (vera.welcome["guest"]["id"].as_u64().unwrap(), "v")] {
        for event in
            [eve.expect("message").await, listener.expect("message").await, gus.expect("message").await]
        {
            assert_eq!(
                (&event["guest"], &event["id"], &event["text"]),
                (&json!(author), &json!(id), &json!(TEXT))
            );
        }
    }
    hanna.act("d", json!({ "act": "delete", "messages": [third] })).await;
    assert!(numbers(&held(&mut hanna).await).is_empty());
    gus.say("end", "the end").await;
    assert_eq!(eve.expect("message").await["id"], "end", "nothing twice");
    document.until("the end").await;
    let mut late = room.guest("Late").await;
    let mut read = Vec::new();
    while read.last().is_none_or(|event: &Value| event["id"] != "end") {
        read.push(late.expect("message").await);
    }
    assert_eq!(read.len(), 3);
    let words = room.link(Role::Moderator).await;
    assert_eq!(vera.post("/rooms/main/claims", json!({ "id": "m", "link": words })).await.status, 201);
    let seen = vera.get("/rooms/main/held").await.json();
    assert_eq!(seen, json!({ "type": "held", "messages": [] }), "moderators are not told the words");
    let words = vera.post("/rooms/main/acts", json!({ "id": "w", "act": "words", "words": [] })).await;
    assert_eq!(words.status, 403);
}

/// The page of hosts without JavaScript.
#[tokio::test]
async fn a_host_without_scripts_keeps_words_out() {
    let room = TestRoom::open().await;
    let (host, mut gus) = (NoscriptGuest::arrive_as(&room, "Hanna").await, room.guest("Gus").await);
    let link = room.link(Role::Host).await;
    let submit = async |action: &str, text: &str| {
        let page = host.get("/host", "").await;
        let (number, proof) = (field(page.text(), "form"), field(page.text(), "proof"));
        let fields = [("form", number.as_str()), ("proof", &proof), ("do", action), ("text", text)];
        let answer = host.post_to("/host", &fields, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        host.get("/host", "").await.text().to_owned()
    };
    submit("claim", &link).await;
    let page = submit("words", "scam\r\n\r\n free money \r\n").await;
    assert!(page.contains("scam\nfree money</textarea>"), "{page}");
    let waits = says(&mut gus, "a").await;
    gus.send(json!({ "type": "say", "id": "b", "text": "Free, money!" })).await;
    let other = gus.expect("acknowledged").await;
    let page = host.get("/host", "").await.text().to_owned();
    assert!(page.contains("Messages that wait") && page.contains(TEXT), "{page}");
    assert!(submit(&format!("release {}", waits["seq"]), "").await.contains("Free, money!"));
    assert_eq!(gus.expect("message").await["text"], TEXT);
    let page = submit(&format!("delete {}", other["seq"]), "").await;
    assert!(!page.contains("Messages that wait") && !page.contains("Free, money!"), "{page}");
    submit("words", "").await;
    gus.say("c", "free money").await;
}

#[tokio::test]
async fn what_waits_is_there_after_a_restart() {
    let data = TempDir::new().unwrap();
    let open = || {
        let path = data.path().join("room");
        TestRoom::open_with(move |settings| settings.data_dir = Some(path))
    };
    let room = open().await;
    let (mut hanna, mut gus) = (host(&room).await, room.guest("Gus").await);
    let waits = says(&mut gus, "a").await["seq"].clone();
    says(&mut gus, "b").await;
    hanna.act("d", json!({ "act": "delete", "messages": [waits] })).await;
    let tokens = [&hanna, &gus].map(|guest| guest.welcome["token"].clone());
    drop((hanna, gus));
    room.close().await;

    let room = open().await;
    let (mut hanna, mut gus) = (room.stranger().await, room.stranger().await);
    for (guest, token) in [&mut hanna, &mut gus].into_iter().zip(tokens) {
        guest.hello_as(json!({ "token": token })).await;
    }
    let waiting = numbers(&held(&mut hanna).await);
    assert_eq!(waiting.len(), 1);
    let again = says(&mut gus, "b").await;
    assert_eq!((&again["seq"], &again["held"]), (&json!(waiting[0]), &json!(true)), "sent again");
    assert_eq!(says(&mut gus, "c").await["held"], true, "the words are kept out still");
    hanna.act("r", json!({ "act": "release", "messages": waiting })).await;
    assert_eq!(gus.expect("message").await["id"], "b");
    room.close().await;
}

/// What waits at one node is released at another; where both do it at the same moment, it is said once.
#[tokio::test]
async fn two_nodes_release_a_message_once() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let mut hanna = host(&one).await;
    let (mut gus, mut mona) = (other.guest("Gus").await, other.guest("Mona").await);
    hanna.act("role", json!({ "act": "role", "of": mona.id(), "role": "moderator" })).await;
    while mona.expect("act").await["act"] != "role" {}
    let mut waits = Vec::new();
    for number in 0..10 {
        let answer = says(&mut gus, &number.to_string()).await;
        assert_eq!(answer["held"], true, "the other node has the words");
        waits.push(answer["seq"].as_u64().unwrap());
    }
    gus.send(json!({ "type": "say", "id": "x", "text": TEXT })).await;
    assert_eq!(gus.expect("error").await["code"], "not_held");
    while hanna.expect("unknown").await["seq"] != waits[9] {}
    for (number, seq) in waits.iter().enumerate() {
        for guest in [&mut hanna, &mut mona] {
            let id = format!("r{number}");
            guest.send(json!({ "type": "act", "id": id, "act": "release", "messages": [seq] })).await;
        }
    }
    hanna.send(json!({ "type": "say", "id": "end", "text": "the end" })).await;
    mona.send(json!({ "type": "say", "id": "end", "text": "the end" })).await;
    let mut heard = [Vec::new(), Vec::new()];
    for (guest, heard) in [&mut hanna, &mut mona].into_iter().zip(&mut heard) {
        let mut ends = 0;
        while ends < 2 {
            let event = guest.next().await;
            match event["type"].as_str().unwrap() {
                "message" if event["id"] == "end" => ends += 1,
                "message" => heard.push((event["seq"].clone(), event["id"].clone())),
                "unknown" => assert!(event.get("text").is_none()),
                "error" => assert_eq!(event["code"], "not_allowed", "{event}"),
                _ => {}
            }
        }
    }
    assert_eq!(heard[0], heard[1]);
    let mut ids: Vec<_> = heard[0].iter().map(|(_, id)| id.as_str().unwrap().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(numbers(&held(&mut hanna).await).is_empty() && numbers(&held(&mut mona).await).is_empty());

    // It waits over a restart of both.
    let mut eve = one.guest("Eve").await;
    says(&mut eve, "e").await;
    let token = hanna.welcome["token"].clone();
    drop((hanna, gus, mona, eve));
    one.close().await;
    other.close().await;
    let again = node(&servers, &data[1]).await;
    let mut hanna = again.stranger().await;
    hanna.hello_as(json!({ "token": token })).await;
    let waiting = held(&mut hanna).await;
    assert_eq!((waiting["messages"][0]["name"].as_str(), &waiting["words"]), (Some("Eve"), &json!(["scam"])));
    hanna.act("last", json!({ "act": "release", "messages": numbers(&waiting) })).await;
    while hanna.expect("message").await["id"] != "e" {}
    again.close().await;
}
