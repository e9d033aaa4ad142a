//! Replies, edits, reactions and the deletion of one's own messages, over every transport: who sees what, after a restart, at another
//! node, and once a backup was put back.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clustered::node;
use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::{Guest, TestRoom, Visitor};
use crate::nats::{Program, Servers};

async fn history(guest: &mut Guest) -> Vec<Value> {
    guest.send(json!({ "type": "history", "before": 100_000 })).await;
    guest.expect("history").await["messages"].as_array().unwrap().clone()
}

/// A message as it is now.
async fn now(guest: &mut Guest, seq: u64) -> Option<Value> {
    history(guest).await.into_iter().find(|event| event["seq"] == seq)
}

/// Presses a button of a message's own page; what the page says after that.
async fn press(guest: &NoscriptGuest, of: u64, action: &str, text: &str) -> String {
    let query = format!("&of={of}");
    let page = guest.get("/message", &query).await;
    let (number, proof) = (field(page.text(), "form"), field(page.text(), "proof"));
    let of = of.to_string();
    let fields = [("form", number.as_str()), ("proof", &proof), ("of", &of), ("do", action), ("text", text)];
    let answer = guest.post_to("/message", &fields, &[]).await;
    match answer.status {
        303 => guest.get("/message", &query).await.text().to_owned(),
        _ => answer.text().to_owned(),
    }
}

#[tokio::test]
async fn what_is_done_to_a_message_is_the_same_on_every_transport() {
    let room = TestRoom::open().await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let vera = Visitor::arrive(&room, "Vera").await;
    let mut listener = Visitor::arrive(&room, "Lea").await.listen("", &[]).await;
    let nora = NoscriptGuest::arrive_as(&room, "Nora").await;
    let mut document = nora.stream("").await;
    let first = ann.say("a", "tae at five").await;

    // Answers, by the socket, by a request and by a form.
    bob.send(json!({ "type": "say", "id": "b", "text": "yes", "reply": first })).await;
    let by_socket = bob.expect("acknowledged").await["seq"].as_u64().unwrap();
    let body = json!({ "id": "v", "text": "gladly", "reply": first });
    let by_request = vera.post("/rooms/main/messages", body).await.json()["seq"].as_u64().unwrap();
    let page = press(&nora, first, "reply", "me too").await;
    assert!(page.contains("tae at five"), "{page}");
    for (event, text) in [(ann.expect("message").await, "tae at five"), (ann.expect("message").await, "yes")]
    {
        assert_eq!(event["text"], text);
    }
    for text in ["gladly", "me too"] {
        let event = ann.expect("message").await;
        assert_eq!((&event["text"], &event["reply"]), (&json!(text), &json!(first)));
    }
    assert_eq!(listener.expect("message").await.get("reply"), None);
    assert_eq!(listener.expect("message").await["reply"], first);
    let heard = document.until("me too").await;
    assert!(heard.contains(&format!("In reply to <a href=\"#m{first}\"")), "{heard}");

    // An edit and reactions.
    let edit = json!({ "act": "edit", "message": first, "text": "tea at five" });
    let done = ann.act("e", edit.clone()).await;
    assert_eq!(ann.act("e", edit).await["seq"], done["seq"], "sent again");
    bob.act("r", json!({ "act": "react", "message": first, "emoji": "👍" })).await;
    let good = json!({ "id": "r", "act": "react", "message": first, "emoji": "❤️" });
    assert_eq!(vera.post("/rooms/main/acts", good).await.status, 201);
    let page = press(&nora, first, "react 👍", "").await;
    assert!(
        page.contains("👍\u{a0}2") && page.contains("❤️\u{a0}1") && page.contains("Take back 👍"),
        "{page}"
    );
    let event = listener.expect("act").await;
    assert_eq!((&event["act"], &event["text"]), (&json!("edit"), &json!("tea at five")));
    assert_eq!(listener.expect("act").await["emoji"], "👍");
    let heard = document.until("tea at five").await;
    assert!(heard.contains("<bdi>Ann</bdi> edited "), "{heard}");
    let seen = now(&mut bob, first).await.unwrap();
    assert_eq!((&seen["text"], &seen["edited"]), (&json!("tea at five"), &json!(true)));
    assert_eq!(seen["reactions"]["👍"].as_array().unwrap().len(), 2);
    let paged = vera.messages("before=1000").await["messages"][0].clone();
    assert_eq!(paged, seen);
    // A document that is loaded now has the message as it is now.
    let again = NoscriptGuest::arrive_as(&room, "Otto").await.stream("").await.until("You came in").await;
    assert!(again.contains("tea at five") && !again.contains("tae at five"), "{again}");
    assert!(again.contains("edited ") && again.contains("👍\u{a0}2"), "{again}");
    // Who reads forwards has both, in the order.
    let forwards = vera.messages("after=0").await["messages"].clone();
    assert_eq!((&forwards[0]["text"], forwards[0].get("edited")), (&json!("tae at five"), None));

    // Others' messages cannot be changed.
    bob.send(json!({ "type": "act", "id": "x", "act": "edit", "message": first, "text": "cake" })).await;
    assert_eq!(bob.expect("error").await["code"], "not_allowed");
    let refused =
        vera.post("/rooms/main/acts", json!({ "id": "x", "act": "delete", "messages": [first] })).await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("not_allowed")));
    let page = press(&nora, first, "delete", "").await;
    assert!(page.contains("role=\"alert\"") && page.contains("your own messages"), "{page}");
    let page = nora.get("/message", &format!("&of={first}")).await.text().to_owned();
    assert!(!page.contains("value=\"edit\"") && !page.contains("value=\"delete\""), "{page}");

    // One's own can be deleted, and with it what was done to it.
    ann.act("d", json!({ "act": "delete", "messages": [first, by_socket] })).await;
    let gone = loop {
        let event = bob.expect("act").await;
        if event["act"] == "delete" {
            break event;
        }
    };
    assert_eq!((&gone["messages"], &gone["own"]), (&json!([first]), &json!(true)));
    let rest = serde_json::to_string(&history(&mut bob).await).unwrap();
    assert!(!rest.contains("at five") && rest.contains("yes") && rest.contains("gladly"), "{rest}");
    document.until("loads again without them").await;
    let page = nora.get("/message", &format!("&of={first}")).await.text().to_owned();
    assert!(page.contains("no such message any more"), "{page}");
    let act = json!({ "id": "all", "act": "delete_all", "of": vera.welcome["guest"]["id"] });
    assert_eq!(vera.post("/rooms/main/acts", act).await.status, 201);
    assert!(now(&mut bob, by_request).await.is_none());
}

/// Leave, and erase what was said: by the button of the page without scripts.
#[tokio::test]
async fn a_guest_leaves_and_nothing_stays() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let nora = NoscriptGuest::arrive_as(&room, "Nora").await;
    nora.say("something to regret").await;
    let said = bob.expect("message").await["seq"].as_u64().unwrap();
    press(&nora, said, "edit", "something else to regret").await;
    assert_eq!(now(&mut bob, said).await.unwrap()["text"], "something else to regret");
    let page = nora.get("", "").await;
    let (number, proof) = (field(page.text(), "form"), field(page.text(), "proof"));
    let answer = nora.post_to("/leave", &[("form", &number), ("proof", &proof), ("do", "erase")], &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    bob.expect("left").await;
    let rest = serde_json::to_string(&history(&mut bob).await).unwrap();
    assert!(!rest.contains("regret") && rest.contains("delete_all"), "{rest}");
}

/// What was done to messages is there after a restart, and goes back with a backup.
#[tokio::test]
async fn what_was_done_is_there_after_a_restart_and_not_in_an_older_copy() {
    let data = TempDir::new().unwrap();
    let open = || {
        let path = data.path().join("room");
        TestRoom::open_with(move |settings| settings.data_dir = Some(path))
    };
    let room = open().await;
    let mut ann = room.guest("Ann").await;
    let said = ann.say("a", "tae").await;
    ann.act("e1", json!({ "act": "edit", "message": said, "text": "tea" })).await;
    let token = ann.welcome["token"].clone();
    drop(ann);
    room.close().await;
    let copy = TempDir::new().unwrap();
    copy_all(&data.path().join("room"), &copy.path().join("room"));

    let room = open().await;
    let mut ann = room.stranger().await;
    ann.hello_as(json!({ "token": token })).await;
    assert_eq!(now(&mut ann, said).await.unwrap()["text"], "tea");
    ann.act("e2", json!({ "act": "edit", "message": said, "text": "cake" })).await;
    ann.act("r", json!({ "act": "react", "message": said, "emoji": "🎉" })).await;
    let seen = now(&mut ann, said).await.unwrap();
    assert_eq!((&seen["text"], seen["reactions"]["🎉"].as_array().map(Vec::len)), (&json!("cake"), Some(1)));
    drop(ann);
    room.close().await;

    std::fs::remove_dir_all(data.path().join("room")).unwrap();
    copy_all(&copy.path().join("room"), &data.path().join("room"));
    let room = open().await;
    let mut ann = room.stranger().await;
    ann.hello_as(json!({ "token": token })).await;
    let seen = now(&mut ann, said).await.unwrap();
    assert_eq!((&seen["text"], seen.get("reactions")), (&json!("tea"), None));
    ann.act("e2", json!({ "act": "edit", "message": said, "text": "cake" })).await;
    assert_eq!(now(&mut ann, said).await.unwrap()["text"], "cake");
    room.close().await;
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy_all(&entry.path(), &to.join(entry.file_name())),
            kind if kind.is_file() => {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
            _ => {}
        }
    }
}

/// A message that was said at one node is edited, reacted to and deleted at another.
#[tokio::test]
async fn two_nodes_have_the_same() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let (mut ann, mut bob) = (one.guest("Ann").await, other.guest("Bob").await);
    let said = ann.say("a", "tae").await;
    while bob.expect("message").await["seq"] != said {}
    bob.act("r", json!({ "act": "react", "message": said, "emoji": "😂" })).await;
    ann.act("e", json!({ "act": "edit", "message": said, "text": "tea" })).await;
    while bob.expect("act").await["act"] != "edit" {}
    let (here, there) = (now(&mut ann, said).await.unwrap(), now(&mut bob, said).await.unwrap());
    assert_eq!((&here, &here["text"]), (&there, &json!("tea")));
    // Their author goes to the other node, and deletes it there.
    let token = ann.welcome["token"].clone();
    let mut moved = other.stranger().await;
    moved.hello_as(json!({ "token": token })).await;
    moved.act("d", json!({ "act": "delete", "messages": [said] })).await;
    let mut eve = one.guest("Eve").await;
    eve.say("end", "the end").await;
    let rest = serde_json::to_string(&history(&mut eve).await).unwrap();
    assert!(!rest.contains("tea") && !rest.contains("tae"), "{rest}");
    one.close().await;
    other.close().await;
}
