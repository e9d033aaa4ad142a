//! Newcomers to a closed room, over every transport: who waits, who gives the password, who is invited; and who tries without.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use onionroom::protocol::entering::InvitationRef;
use onionroom::protocol::{Act, Role};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{Guest, TestRoom, Visitor, within};

/// A host who came by the link alone.
async fn host(room: &TestRoom) -> Guest {
    let mut host = room.stranger().await;
    host.hello_as(json!({ "name": "Hanna", "invite": room.link(Role::Host).await })).await;
    host
}

/// A token of a guest's own making.
fn token(number: u8) -> String {
    BASE64URL_NOPAD.encode(&[number; 32])
}

async fn say_hello(guest: &mut Guest, members: Value) {
    let mut hello = members;
    hello["type"] = "hello".into();
    guest.send(hello).await;
}

/// Asks to come in; the error.
async fn refused(guest: &mut Guest, members: Value) -> Value {
    say_hello(guest, members).await;
    let error = guest.next().await;
    assert_eq!(error["type"], "error", "{error}");
    error
}

/// Asks again until the answer is the welcome.
async fn let_in(guest: &mut Guest, members: Value) -> Value {
    let asked = async {
        loop {
            say_hello(guest, members.clone()).await;
            let answer = guest.next().await;
            if answer["type"] == "welcome" {
                return answer;
            }
            assert_eq!(answer["code"], "waiting", "{answer}");
        }
    };
    within("being let in", asked).await
}

fn is_refused(answer: &Answer, code: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (403, &code.into()), "{}", answer.text());
}

async fn count(host: &mut Guest, wanted: u64) {
    while host.expect("waiting").await["count"] != wanted {}
}

#[tokio::test]
async fn newcomers_wait_on_every_transport_and_are_let_in() {
    let data = TempDir::new().unwrap();
    let open = || {
        let path = data.path().join("room");
        TestRoom::open_with(move |settings| {
            settings.data_dir = Some(path);
            settings.listen.hello = Duration::from_secs(1);
        })
    };
    let room = open().await;
    let (mut hanna, mut here) = (host(&room).await, room.guest("Ann").await);
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    while here.expect("act").await["approval"] != true {}

    // A WebSocket, which stays open beyond the time for a hello.
    let mut eve = room.stranger().await;
    let refusal = refused(&mut eve, json!({ "name": "Eve" })).await;
    assert_eq!((&refusal["code"], &refusal["retry_after"]), (&"waiting".into(), &5.into()));
    let mut second = room.stranger().await;
    let same = json!({ "name": "Eve", "token": refusal["token"] });
    assert_eq!(refused(&mut second, same).await.get("token"), None, "it is asked with it");
    count(&mut hanna, 1).await;
    // A request, which is told with which token to ask again.
    let mut vera = Visitor::stranger(&room);
    let answer = vera.post("/rooms/main/guests", json!({ "name": "Vera" })).await;
    is_refused(&answer, "waiting");
    assert_eq!(answer.header("retry-after"), Some("5"));
    vera.welcome = json!({ "token": answer.json()["token"] });
    for path in [
        "/rooms/main",
        "/rooms/main/messages?after=0",
        "/rooms/main/events",
        "/rooms/main/acts",
        "/rooms/main/waiting",
    ] {
        is_refused(&vera.get(path).await, "waiting");
        assert_eq!(vera.request("HEAD", path, &[], "").await.status, 403, "HEAD {path}");
    }
    is_refused(
        &vera.post("/rooms/main/messages", json!({ "id": "1", "text": "let me in" })).await,
        "waiting",
    );
    // The page without JavaScript.
    let mut nora = NoscriptGuest::stranger(&room);
    let entry = nora.open().await;
    let answer = nora.enter(&entry, "Nora").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("waiting")), "{}", answer.text());
    let page = nora.request("GET /rooms/main/page/waiting", &[], "").await;
    assert!(
        page.status == 200 && page.text().contains("http-equiv=\"refresh\" content=\"5\""),
        "{}",
        page.text()
    );
    assert!(page.text().contains("You ask to come in as <bdi>Nora</bdi>"), "{}", page.text());
    let inside = nora.request("GET /rooms/main/page", &[], "").await;
    assert_eq!((inside.status, inside.header("location")), (303, Some("page/waiting")));

    count(&mut hanna, 3).await;
    hanna.send(json!({ "type": "waiting" })).await;
    let list = hanna.expect("waiting").await;
    let of = |name: &str| {
        let line = list["guests"].as_array().unwrap().iter().find(|line| line["name"] == name);
        line.unwrap_or_else(|| panic!("no {name} in {list}"))["id"].clone()
    };
    here.send(json!({ "type": "waiting" })).await;
    assert_eq!(here.expect("error").await["code"], "not_allowed");
    // The hello deadline is over by now, whatever the scheduler did: the room has let a second of its clock pass.
    tokio::time::timeout(Duration::from_millis(1500), eve.closed()).await.expect_err("it stays open");

    for (id, name) in [("2", "Eve"), ("3", "Vera"), ("4", "Nora")] {
        hanna.act(id, json!({ "act": "admit", "of": of(name) })).await;
    }
    let welcome = let_in(&mut eve, json!({ "name": "Eve" })).await;
    assert_eq!((&welcome["guest"]["id"], &welcome["approval"]), (&of("Eve"), &true.into()));
    assert_eq!(vera.get("/rooms/main").await.status, 200);
    let page = nora.request("GET /rooms/main/page/waiting", &[], "").await;
    assert_eq!((page.status, page.header("location")), (303, Some("../page")), "{}", page.text());
    nora.keep(&page);
    nora.open().await;
    nora.say("inside").await;
    let (eves, anns) = (welcome["token"].clone(), here.welcome["token"].clone());
    drop((hanna, here, eve));
    room.close().await;

    // After a restart it is as it was, for those too who were here when it began.
    let room = open().await;
    for token in [eves, anns] {
        let mut again = room.stranger().await;
        again.hello_as(json!({ "token": token })).await;
    }
    let mut again = Visitor::stranger(&room);
    again.welcome = vera.welcome;
    assert_eq!(again.get("/rooms/main").await.status, 200);
    let mut stranger = room.stranger().await;
    assert_eq!(refused(&mut stranger, json!({})).await["code"], "waiting");
    room.close().await;
}

#[tokio::test]
async fn who_is_turned_away_is_told_so() {
    let room = TestRoom::open().await;
    let mut hanna = host(&room).await;
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    let mut eve = room.stranger().await;
    assert_eq!(refused(&mut eve, json!({ "name": "Eve", "token": token(1) })).await["code"], "waiting");
    count(&mut hanna, 1).await;
    hanna.send(json!({ "type": "waiting" })).await;
    let id = hanna.expect("waiting").await["guests"][0]["id"].clone();
    hanna.act("2", json!({ "act": "reject", "of": id, "seconds": 600 })).await;
    count(&mut hanna, 0).await;
    say_hello(&mut eve, json!({ "name": "Eve", "token": token(1) })).await;
    let (code, last) = eve.closed().await;
    assert_eq!((code, &last[0]["code"]), (4003, &"banned".into()));
}

#[tokio::test]
async fn the_password_is_asked_for_on_every_transport() {
    let room = TestRoom::open().await;
    let mut hanna = host(&room).await;
    let secret = "five o'clock tea";
    hanna.act("1", json!({ "act": "password", "text": secret })).await;

    let mut eve = room.stranger().await;
    let eves = json!({ "name": "Eve" });
    assert_eq!(refused(&mut eve, eves.clone()).await["code"], "password_needed");
    let with = |text: &str| json!({ "name": "Eve", "password": text });
    assert_eq!(refused(&mut eve, with("five o'clock")).await["code"], "password_wrong");
    say_hello(&mut eve, with(secret)).await;
    let welcome = eve.expect("welcome").await;
    assert_eq!(welcome["password"], true);
    assert!(!welcome.to_string().contains("five o'clock"));

    let mut vera = Visitor::stranger(&room);
    let guests = "/rooms/main/guests";
    is_refused(&vera.post(guests, json!({ "token": token(2) })).await, "password_needed");
    is_refused(
        &vera.post(guests, json!({ "token": token(2), "password": "tea, please" })).await,
        "password_wrong",
    );
    let long = vera.post(guests, json!({ "token": token(2), "password": "x".repeat(300) })).await;
    assert_eq!(long.json()["code"], "bad_passphrase");
    let answer = vera.post(guests, json!({ "token": token(2), "password": secret })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    vera.welcome = answer.json();
    assert_eq!(vera.request("DELETE", "/rooms/main/guests/me", &[], "").await.status, 204);
    assert_eq!(vera.get("/rooms/main").await.status, 200, "let in for good");

    let mut nora = NoscriptGuest::stranger(&room);
    for (text, status, location) in
        [("", 403, None), ("wrong one", 403, None), (secret, 303, Some("../page"))]
    {
        let entry = nora.open().await;
        assert!(entry.text().contains("name=\"password\" type=\"password\""), "{}", entry.text());
        let (form, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
        let fields = [("form", form.as_str()), ("proof", &proof), ("name", "Nora"), ("password", text)];
        let answer = nora.post_to("/enter", &fields, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{}", answer.text());
        nora.keep(&answer);
    }
    nora.open().await;
    nora.say("inside").await;
}

#[tokio::test]
async fn invitations_let_in_on_every_transport() {
    let data = TempDir::new().unwrap();
    let open = || {
        let path = data.path().join("room");
        TestRoom::open_with(move |settings| settings.data_dir = Some(path))
    };
    let room = open().await;
    let mut hanna = host(&room).await;
    hanna.act("0", json!({ "act": "invited_only", "invited_only": true })).await;
    let mut secrets = Vec::new();
    for (id, name, once) in
        [("1", "Eve", true), ("2", "Vera", true), ("3", "Nora", true), ("4", "all", false)]
    {
        let made = hanna.act(id, json!({ "act": "invite", "name": name, "single_use": once })).await;
        secrets.push(made["link"].as_str().unwrap().to_owned());
    }
    let [eves, veras, noras, for_all] = secrets.try_into().unwrap();
    hanna.send(json!({ "type": "history", "before": 1000 })).await;
    let told = hanna.expect("history").await.to_string();
    assert!(
        told.contains("\"act\":\"invite\"") && !told.contains("Vera") && !told.contains(&veras),
        "{told}"
    );

    let mut eve = room.stranger().await;
    assert_eq!(refused(&mut eve, json!({})).await["code"], "invitation_needed");
    assert_eq!(refused(&mut eve, json!({ "invite": "short" })).await["code"], "wrong_kind");
    let hello = json!({ "name": "Eve", "token": token(1), "invite": eves });
    eve.hello_as(hello.clone()).await;
    let mut again = room.stranger().await;
    again.hello_as(hello).await;
    let mut thief = room.stranger().await;
    let stolen = json!({ "name": "Eva", "token": token(2), "invite": eves });
    assert_eq!(refused(&mut thief, stolen).await["code"], "invitation_needed", "used up");

    let guests = "/rooms/main/guests";
    let mut vera = Visitor::stranger(&room);
    is_refused(&vera.post(guests, json!({ "token": token(3) })).await, "invitation_needed");
    let answer = vera.post(guests, json!({ "token": token(3), "invite": veras })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    vera.welcome = answer.json();
    is_refused(&Visitor::stranger(&room).post(guests, json!({ "invite": veras })).await, "invitation_needed");
    // An invitation that is used up by a request that fails for another reason is not lost.
    let made = hanna.act("6", json!({ "act": "invite", "name": "six", "single_use": true })).await;
    let taken = Visitor::stranger(&room).post(guests, json!({ "name": "Eve", "invite": made["link"] })).await;
    assert_eq!((taken.status, &taken.json()["code"]), (409, &"name_taken".into()), "{}", taken.text());
    let body = json!({ "name": "Six", "token": taken.json()["token"] });
    assert_eq!(Visitor::stranger(&room).post(guests, body).await.status, 201);

    let mut nora = NoscriptGuest::stranger(&room);
    let entry = nora.open().await;
    let (form, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
    let link = format!("http://example.onion/#invite={noras}");
    let fields = [("form", form.as_str()), ("proof", &proof), ("name", "Nora"), ("invite", &link)];
    // The answer is lost, and the form sent again.
    for _ in 0..2 {
        let answer = nora.post_to("/enter", &fields, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("../page")), "{}", answer.text());
    }
    let answer = nora.post_to("/enter", &fields, &[]).await;
    nora.keep(&answer);
    nora.open().await;
    nora.say("inside").await;

    // Two at the same moment.
    let made = hanna.act("5", json!({ "act": "invite", "name": "one", "single_use": true })).await;
    let body = |number: u8| json!({ "token": token(number), "invite": made["link"] });
    let rivals: Vec<_> = (10..20).map(body).collect();
    let strangers: Vec<_> = rivals.iter().map(|_| Visitor::stranger(&room)).collect();
    let asked = strangers.iter().zip(rivals).map(|(stranger, body)| stranger.post(guests, body));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);

    let mut gus = room.stranger().await;
    gus.hello_as(json!({ "name": "Gus", "token": token(4), "invite": for_all })).await;
    drop((eve, again, thief, gus));
    room.close().await;

    let room = open().await;
    let mut again = Visitor::stranger(&room);
    again.welcome = vera.welcome;
    assert_eq!(again.get("/rooms/main").await.status, 200, "also after a restart");
    let mut gus = room.stranger().await;
    gus.hello_as(json!({ "token": token(4) })).await;
    room.govern(Act::RevokeInvite { invite: Some(InvitationRef::Name("all".into())) }).await;
    let (code, last) = gus.closed().await;
    assert_eq!((code, &last.last().unwrap()["code"]), (4003, &"invitation_needed".into()));
    let mut gus = room.stranger().await;
    assert_eq!(
        refused(&mut gus, json!({ "token": token(4), "invite": for_all })).await["code"],
        "invitation_needed"
    );
    room.close().await;
}

#[tokio::test]
async fn hosts_without_javascript_let_guests_in_and_invite_them() {
    let room = TestRoom::open().await;
    let hanna = NoscriptGuest::arrive_as(&room, "Hanna").await;
    let page = |guest: &NoscriptGuest| {
        let guest = guest.clone();
        async move { guest.request("GET /rooms/main/page/host", &[], "").await.text().to_owned() }
    };
    let press = |fields: Vec<(&'static str, String)>| {
        let hanna = hanna.clone();
        async move {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            hanna.post_to("/host", &fields, &["Sec-Fetch-Site: same-origin"]).await
        }
    };
    let secret = room.link(Role::Host).await;
    assert_eq!(press(vec![("form", "1".into()), ("do", "claim".into()), ("text", secret)]).await.status, 303);
    assert_eq!(press(vec![("form", "2".into()), ("do", "approval_on".into())]).await.status, 303);
    let mut eve = room.stranger().await;
    assert_eq!(refused(&mut eve, json!({ "name": "E & e" })).await["code"], "waiting");
    let shown = page(&hanna).await;
    assert!(shown.contains("<bdi>E &amp; e</bdi>"), "{shown}");
    let admit = shown.split("value=\"admit ").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(press(vec![("form", "3".into()), ("do", format!("admit {admit}"))]).await.status, 303);
    let_in(&mut eve, json!({ "name": "E & e" })).await;
    let made = press(vec![
        ("form", "4".into()),
        ("do", "invite".into()),
        ("name", "Zoe".into()),
        ("once", "1".into()),
    ]);
    let made = made.await.text().to_owned();
    let invite = made.split("/#invite=").nth(1).unwrap()[..43].to_owned();
    assert!(page(&hanna).await.contains("<bdi>Zoe</bdi> · for one guest"));
    let mut zoe = room.stranger().await;
    zoe.hello_as(json!({ "name": "Zoe", "invite": invite })).await;
    let set =
        press(vec![("form", "5".into()), ("do", "password".into()), ("password", "five o'clock tea".into())]);
    assert_eq!(set.await.status, 303);
    assert!(!page(&hanna).await.contains("clock"));
}

/// One circuit asks with hundreds of tokens: it fills the list and displaces no guest of another circuit, tries six passwords and
/// then slowly, and keeps no other circuit from either.
#[tokio::test]
async fn one_circuit_neither_fills_the_list_nor_guesses_for_others() {
    let room = TestRoom::in_memory(|settings| settings.room.joins_per_minute = 0).await;
    let mut hanna = room.guest_on(1, "Hanna").await;
    room.appoint(hanna.id(), Role::Host).await;
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    let mut shy = room.stranger_on(2).await;
    assert_eq!(refused(&mut shy, json!({ "name": "Shy" })).await["code"], "waiting");
    let mut flood = room.stranger_on(3).await;
    for number in 0..150 {
        assert_eq!(refused(&mut flood, json!({ "token": token(number) })).await["code"], "waiting");
    }
    count(&mut hanna, 100).await;
    let mut late = room.stranger_on(4).await;
    assert_eq!(refused(&mut late, json!({ "name": "Late" })).await["code"], "waiting");
    hanna.send(json!({ "type": "waiting" })).await;
    let list = hanna.expect("waiting").await;
    let list = if list["guests"].is_array() { list } else { hanna.expect("waiting").await };
    let named: Vec<_> =
        list["guests"].as_array().unwrap().iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!((named, &list["count"]), (vec!["Shy", "Late"], &100.into()));

    hanna.act("2", json!({ "act": "password", "text": "five o'clock tea" })).await;
    let mut codes = Vec::new();
    let mut guess = room.stranger_on(5).await;
    for number in 0..10 {
        let hello = json!({ "token": token(200 + number), "password": format!("guess number {number}") });
        let error = refused(&mut guess, hello).await;
        codes.push(error["code"].as_str().unwrap().to_owned());
        assert_eq!(error["retry_after"].is_number(), codes.last().unwrap() == "too_fast");
    }
    assert_eq!(codes.iter().filter(|code| *code == "password_wrong").count(), 6, "{codes:?}");
    hanna.act("3", json!({ "act": "approval", "approval": false })).await;
    let mut honest = room.stranger_on(6).await;
    honest.hello_as(json!({ "name": "Honest", "password": "five o'clock tea" })).await;
}

/// Guards against a wait that costs a try of the passphrase each time, and against one as another guest.
#[tokio::test]
async fn who_waits_with_a_passphrase_asks_again_with_its_token() {
    let room = TestRoom::open().await;
    let mut hanna = host(&room).await;
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    let (mut eve, mut again) = (room.stranger().await, room.stranger().await);
    let identity = json!({ "identity": { "name": "Eve", "passphrase": "tea at five, no sugar" } });
    let (first, second) = (refused(&mut eve, identity.clone()).await, refused(&mut again, identity).await);
    assert_eq!((&first["code"], &first["token"]), (&json!("waiting"), &second["token"]));
    assert!(first["token"].is_string(), "{first}");
    count(&mut hanna, 1).await;
    hanna.send(json!({ "type": "waiting" })).await;
    let eve_id = hanna.expect("waiting").await["guests"][0]["id"].clone();
    hanna.act("2", json!({ "act": "admit", "of": eve_id })).await;
    let welcome = let_in(&mut eve, json!({ "name": "Eve", "token": first["token"] })).await;
    assert_eq!(welcome["guest"]["id"], eve_id);
    room.close().await;
}
