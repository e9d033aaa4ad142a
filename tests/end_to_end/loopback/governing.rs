//! Hosts and moderators over every transport: what they do is told to all, holds for all, and is there after a restart.

use onionroom::protocol::Role;
use serde_json::json;
use tempfile::TempDir;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::{TestRoom, Visitor};

#[tokio::test]
async fn a_banned_guest_is_out_on_every_transport() {
    let room = TestRoom::open().await;
    let mut hanna = room.host_guest("Hanna").await;
    let mut gus = room.guest("Gus").await;
    let visitor = Visitor::arrive(&room, "Vera").await;
    let mut listener = Visitor::arrive(&room, "Lea").await.listen("", &[]).await;
    let lea = listener.next().await.unwrap()["guest"]["id"].clone();

    hanna.act("1", json!({ "act": "ban", "of": gus.id() })).await;
    let (code, last) = gus.closed().await;
    assert_eq!((code, &last.last().unwrap()["code"]), (4003, &"banned".into()));
    let mut again = room.stranger().await;
    again.send(json!({ "type": "hello", "token": gus.welcome["token"] })).await;
    let (code, last) = again.closed().await;
    assert_eq!((code, &last[0]["code"]), (4003, &"banned".into()));
    assert!(last[0]["message"].as_str().unwrap().starts_with("You are banned"));

    let vera = visitor.welcome["guest"]["id"].clone();
    hanna.act("2", json!({ "act": "ban", "of": vera, "seconds": 86_400 })).await;
    for answer in [
        visitor.get("/rooms/main/messages?after=0").await,
        visitor.get("/rooms/main/events").await,
        visitor.post("/rooms/main/messages", json!({ "id": "1", "text": "still here" })).await,
        visitor.get("/rooms/main").await,
    ] {
        assert_eq!((answer.status, &answer.json()["code"]), (403, &"banned".into()), "{}", answer.text());
    }

    hanna.act("3", json!({ "act": "kick", "of": lea })).await;
    assert_eq!(listener.expect("error").await["code"], "banned");
    assert!(listener.next().await.is_none(), "the stream has ended");
}

#[tokio::test]
async fn who_is_muted_reads_on_and_is_told_why() {
    let room = TestRoom::open().await;
    let mut hanna = room.host_guest("Hanna").await;
    let mut gus = room.guest("Gus").await;
    let visitor = Visitor::arrive(&room, "Vera").await;
    for (id, guest) in
        [("1", gus.welcome["guest"]["id"].clone()), ("2", visitor.welcome["guest"]["id"].clone())]
    {
        hanna.act(id, json!({ "act": "mute", "of": guest, "seconds": 600 })).await;
    }
    gus.send(json!({ "type": "say", "id": "a", "text": "hello?" })).await;
    let refused = gus.expect("error").await;
    assert_eq!((&refused["code"], &refused["id"]), (&"muted".into(), &"a".into()));
    let answer = visitor.post("/rooms/main/messages", json!({ "id": "1", "text": "hello?" })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &"muted".into()));
    hanna.say("b", "I can").await;
    assert_eq!(gus.expect("message").await["text"], "I can");
}

#[tokio::test]
async fn scripts_govern_over_http() {
    let room = TestRoom::open().await;
    let script = Visitor::arrive(&room, "Script").await;
    let acts = "/rooms/main/acts";
    assert_eq!(script.get(acts).await.status, 403);
    let announce = json!({ "id": "a", "act": "announce", "text": "Tea" });
    assert_eq!(script.post(acts, announce.clone()).await.status, 403);
    let claim = json!({ "id": "c", "link": room.link(Role::Host).await });
    let claimed = script.post("/rooms/main/claims", claim.clone()).await;
    assert_eq!(claimed.status, 201, "{}", claimed.text());
    // An answer that was lost is asked for again.
    assert_eq!(script.post("/rooms/main/claims", claim.clone()).await.json(), claimed.json());
    let (anew, other) = (json!({ "id": "n", "link": claim["link"] }), Visitor::arrive(&room, "Otto").await);
    assert_eq!(script.post("/rooms/main/claims", anew).await.status, 403, "it is used up");
    assert_eq!(other.post("/rooms/main/claims", claim).await.status, 403);
    let first = script.post(acts, announce.clone()).await.json();
    assert_eq!(script.post(acts, announce).await.json(), first, "it is done once");
    let link = script.post(acts, json!({ "id": "l", "act": "link", "role": "moderator" })).await.json();
    let moderator = Visitor::arrive(&room, "Mona").await;
    let claimed = moderator.post("/rooms/main/claims", json!({ "id": "m", "link": link["link"] })).await;
    assert_eq!(claimed.status, 201, "{}", claimed.text());
    let title = moderator.post(acts, json!({ "id": "t", "act": "title", "text": "Mine" })).await;
    assert_eq!((title.status, &title.json()["code"]), (403, &"not_allowed".into()));
    assert_eq!(moderator.post(acts, json!({ "id": "k", "act": "lock", "locked": true })).await.status, 201);

    let state = moderator.get("/rooms/main").await.json();
    assert_eq!((&state["locked"], state["roles"].as_array().unwrap().len()), (&true.into(), 2));
    let log = script.get(acts).await.json();
    let names: Vec<_> =
        log["acts"].as_array().unwrap().iter().map(|line| line["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["link", "role", "announce", "link", "role", "lock"]);
    let stranger = Visitor::stranger(&room).post("/rooms/main/guests", json!({})).await;
    assert_eq!((stranger.status, &stranger.json()["code"]), (403, &"locked".into()));
    for (body, code) in [
        (json!({ "id": "x", "act": "dance" }), "wrong_kind"),
        (json!({ "id": "x", "act": "kick" }), "missing_field"),
        (json!({ "act": "unpin" }), "missing_field"),
        (json!({ "id": "x", "act": "delete", "messages": [] }), "wrong_kind"),
        (json!({ "id": "x", "act": "slow", "seconds": 1_000_000 }), "wrong_kind"),
        (json!({ "id": "x", "act": "topic", "text": "two\nlines" }), "text_control"),
    ] {
        let answer = script.post(acts, body).await;
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
    }
}

#[tokio::test]
async fn decisions_are_there_after_a_restart() {
    let data = TempDir::new().unwrap();
    let open = || {
        let path = data.path().join("room");
        TestRoom::open_with(move |settings| settings.data_dir = Some(path))
    };
    let room = open().await;
    let mut hanna = room.host_guest("Hanna").await;
    let gus = room.guest("Gus").await;
    let said = hanna.say("1", "the pinned one").await;
    for (id, one) in [
        ("a", json!({ "act": "ban", "of": gus.id() })),
        ("b", json!({ "act": "pin", "message": said })),
        ("c", json!({ "act": "title", "text": "Cake" })),
        ("d", json!({ "act": "slow", "seconds": 30 })),
    ] {
        hanna.act(id, one).await;
    }
    let (token, banned) = (hanna.welcome["token"].clone(), gus.welcome["token"].clone());
    drop((hanna, gus));
    room.close().await;

    let room = open().await;
    let mut hanna = room.stranger().await;
    let welcome = hanna.hello_as(json!({ "token": token })).await;
    assert_eq!((&welcome["room"]["title"], &welcome["slow"]), (&"Cake".into(), &30.into()));
    assert_eq!(
        (&welcome["pinned"]["text"], &welcome["roles"][0]["role"]),
        (&"the pinned one".into(), &"host".into())
    );
    hanna.act("e", json!({ "act": "unpin" })).await;
    let mut gus = room.stranger().await;
    gus.send(json!({ "type": "hello", "token": banned })).await;
    assert_eq!(gus.closed().await.0, 4003);
    room.close().await;
}

#[tokio::test]
async fn a_role_is_taken_back_while_its_guest_is_there() {
    let room = TestRoom::open().await;
    let mut hanna = room.host_guest("Hanna").await;
    let mut mona = room.guest("Mona").await;
    room.appoint(mona.id(), Role::Moderator).await;
    mona.act("1", json!({ "act": "slow", "seconds": 5 })).await;
    hanna.act("2", json!({ "act": "role", "of": mona.id(), "role": "guest" })).await;
    mona.send(json!({ "type": "act", "id": "3", "act": "slow", "seconds": 0 })).await;
    let refused = mona.expect("error").await;
    assert_eq!((&refused["code"], &refused["id"]), (&"not_allowed".into(), &"3".into()));
}

/// Presses a button of the page for hosts, with what is written beside it; follows where that leads.
async fn press(guest: &NoscriptGuest, button: &str, text: &str) -> (u16, String) {
    let page = guest.get("/host", "").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let (form, proof) = (field(page.text(), "form"), field(page.text(), "proof"));
    let fields = [("form", form.as_str()), ("proof", &proof), ("do", button), ("text", text)];
    let answer = guest.post_to("/host", &fields, &[]).await;
    match answer.header("location") {
        Some(location) => {
            assert_eq!((answer.status, location), (303, "host"));
            (303, guest.get("/host", "").await.text().to_owned())
        }
        None => (answer.status, answer.text().to_owned()),
    }
}

#[tokio::test]
async fn a_host_without_scripts_does_everything_by_forms() {
    let room = TestRoom::open().await;
    let (hanna, mona) =
        (NoscriptGuest::arrive_as(&room, "Hanna").await, NoscriptGuest::arrive_as(&room, "Mona").await);
    let gus = NoscriptGuest::arrive_as(&room, "Gus").await;
    let mut witness = room.guest("Wanda").await;
    let id = |name: &str| {
        let guests = witness.welcome["guests"].as_array().unwrap();
        guests.iter().find(|guest| guest["name"] == name).unwrap()["id"].as_u64().unwrap()
    };
    let (mona_id, gus_id) = (id("Mona"), id("Gus"));
    let before = hanna.get("/host", "").await;
    assert!(before.text().contains("Use the link") && !before.text().contains("Put out"));
    let link = format!("http://room.onion/#host={}", room.link(Role::Host).await);
    let (status, page) = press(&hanna, "claim", &link).await;
    assert!(status == 303 && page.contains("a host of this room") && page.contains("Put out"), "{page}");
    assert_eq!(press(&mona, "claim", &link).await.0, 403, "it is used up");

    gus.say("something <b>bad</b>").await;
    let bad = witness.expect("message").await["seq"].as_u64().unwrap();
    let mut stream = gus.stream("").await;
    stream.until("something").await;
    let (status, page) = press(&hanna, &format!("moderator {mona_id}"), "").await;
    assert!(status == 303 && page.contains("a moderator of this room").eq(&false), "{page}");
    assert!(press(&mona, &format!("pin {bad}"), "").await.1.contains("Unpin the message"));
    assert!(stream.until("Pinned").await.contains("Mona</bdi> is a moderator now"));
    press(&mona, &format!("delete {bad}"), "").await;
    let rest = stream.rest().await;
    assert!(rest.contains("A message was deleted by") && rest.contains("loads again"), "{rest}");
    for (button, text, shown) in [
        ("topic", "Tea & cake", "Tea &amp; cake"),
        ("rules", "Be kind.\r\nNo shouting.", "No shouting."),
        ("slow", "30", "value=\"30\""),
        ("cap", "9", "value=\"9\""),
        ("lock", "", "Open the room"),
        ("announce", "It is five", "announce"),
    ] {
        let (status, page) = press(&hanna, button, text).await;
        assert!(status == 303 && page.contains(shown), "{button}: {page}");
    }
    let fresh = gus.stream("&plain=20").await.rest().await;
    for shown in ["Tea &amp; cake", "No shouting.", "The host says: ", "The room is locked", "Slow mode"] {
        assert!(fresh.contains(shown), "{shown}: {fresh}");
    }
    let (status, page) = press(&hanna, "link_moderator", "").await;
    assert!(status == 200 && page.contains("<code>/#host="), "{page}");
    assert_eq!(press(&mona, "title", "Mine").await.0, 403);
    assert_eq!(press(&hanna, "slow", "often").await.0, 422);
    let (_, page) = press(&mona, &format!("ban {gus_id}"), "").await;
    assert!(page.contains("Banned") && page.contains("Let them come back"), "{page}");
    let out = gus.get("/say", "").await;
    assert!(out.status == 403 && out.text().contains("You are banned"), "{}", out.text());
    assert!(press(&mona, &format!("unban {gus_id}"), "").await.1.contains("unban"));
    press(&mona, "unlock", "").await;
    assert_eq!(gus.get("/say", "").await.status, 200);
}
