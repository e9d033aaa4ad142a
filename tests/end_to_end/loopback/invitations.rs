//! Invitations: one that ends, one whose guests are muted together, and acts that are sent again.

use std::time::Duration;

use onionroom::protocol::Role;
use serde_json::{Value, json};

use crate::kit::noscript::NoscriptGuest;
use crate::kit::{Guest, TestRoom, Visitor};

const GUESTS: &str = "/rooms/main/guests";
const ACTS: &str = "/rooms/main/acts";

/// A host, who makes requests.
async fn host(room: &TestRoom) -> Visitor {
    let hanna = Visitor::arrive(room, "Hanna").await;
    room.appoint(hanna.welcome["guest"]["id"].as_u64().unwrap(), Role::Host).await;
    hanna
}

async fn act(host: &Visitor, id: &str, mut act: Value) -> Value {
    act["id"] = id.into();
    let answer = host.post(ACTS, act).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn invited(room: &TestRoom, name: &str, invite: &Value) -> Guest {
    let mut guest = room.stranger().await;
    guest.hello_as(json!({ "name": name, "invite": invite })).await;
    guest
}

/// Says something; the code of the refusal, or the kind of the answer.
async fn say(guest: &mut Guest, id: &str) -> String {
    guest.send(json!({ "type": "say", "id": id, "text": "tea?" })).await;
    loop {
        let event = guest.next().await;
        match event["type"].as_str().unwrap() {
            "error" => return event["code"].as_str().unwrap().to_owned(),
            "acknowledged" => return "acknowledged".to_owned(),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_invitation_lets_guests_in_until_it_ends() {
    let room = TestRoom::in_memory(|settings| settings.room.joins_per_minute = 0).await;
    let hanna = host(&room).await;
    act(&hanna, "1", json!({ "act": "invited_only", "invited_only": true })).await;
    let made = act(&hanna, "2", json!({ "act": "invite", "name": "week", "seconds": 5 })).await;
    let stranger = Visitor::stranger(&room);
    let asked = async || stranger.post(GUESTS, json!({ "invite": made["link"] })).await;
    let first = asked().await;
    assert_eq!(first.status, 201, "{}", first.text());
    let ended = async {
        loop {
            let answer = asked().await;
            if answer.status != 201 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends");
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("invitation_needed")));
    let list = hanna.get(ACTS).await.json();
    assert!(list["invitations"][0]["guests"].as_u64().unwrap() >= 1, "{list}");
    // Who came by it before stays let in, and comes back.
    let mut again = Visitor::stranger(&room);
    again.welcome = first.json();
    again.request("DELETE", "/rooms/main/guests/me", &[], "").await;
    assert_eq!(again.get("/rooms/main").await.status, 200);
    // Sent again with the same id, the secret is not given: it lets no guest in.
    let answer = hanna.post(ACTS, json!({ "id": "2", "act": "invite", "name": "week", "seconds": 5 })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("bad_id")), "{}", answer.text());
}

#[tokio::test]
async fn all_who_came_by_an_invitation_are_muted_together() {
    let room = TestRoom::open().await;
    let hanna = host(&room).await;
    act(&hanna, "1", json!({ "act": "invited_only", "invited_only": true })).await;
    let band = act(&hanna, "2", json!({ "act": "invite", "name": "band" })).await["link"].clone();
    let choir = act(&hanna, "3", json!({ "act": "invite", "name": "choir" })).await["link"].clone();
    let (mut eve, mut gus) = (invited(&room, "Eve", &band).await, invited(&room, "Gus", &band).await);
    let (mut ann, mut zoe) = (invited(&room, "Ann", &choir).await, invited(&room, "Zoe", &choir).await);
    act(&hanna, "4", json!({ "act": "mute", "of": eve.id(), "seconds": 600, "invitation": true })).await;
    assert_eq!((say(&mut eve, "1").await, say(&mut gus, "1").await), ("muted".into(), "muted".into()));
    assert_eq!(say(&mut ann, "1").await, "acknowledged", "who came by another one may talk");
    let answer = Visitor::stranger(&room).post(GUESTS, json!({ "invite": band })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("invitation_needed")));

    // The same by the form of the page without JavaScript.
    act(&hanna, "5", json!({ "act": "invited_only", "invited_only": false })).await;
    let nora = NoscriptGuest::arrive_as(&room, "Nora").await;
    let press = async |button: &str, text: &str| {
        let fields = [("form", button), ("do", button), ("text", text)];
        nora.post_to("/host", &fields, &["Sec-Fetch-Site: same-origin"]).await
    };
    assert_eq!(press("claim", &room.link(Role::Host).await).await.status, 303);
    let page = nora.request("GET /rooms/main/page/host", &[], "").await.text().to_owned();
    let button = format!("mute_invitation {}", ann.id());
    assert!(page.contains(&format!("value=\"{button}\"")), "{page}");
    assert_eq!(press(&button, "").await.status, 303);
    assert_eq!((say(&mut ann, "2").await, say(&mut zoe, "2").await), ("muted".into(), "muted".into()));
    let page = nora.request("GET /rooms/main/page/host", &[], "").await.text().to_owned();
    for guest in [&eve, &gus, &ann, &zoe] {
        assert!(page.contains(&format!("value=\"unmute {}\"", guest.id())), "{page}");
    }
}

/// The answer was lost: what was made is not lost with it, and no secret is handed out that opens nothing.
#[tokio::test]
async fn acts_that_are_sent_again_give_what_they_made() {
    let room = TestRoom::open().await;
    let hanna = host(&room).await;
    for (id, what) in [
        ("1", json!({ "act": "link", "role": "moderator" })),
        ("2", json!({ "act": "invite", "name": "Eve", "single_use": true })),
    ] {
        assert_eq!(act(&hanna, id, what.clone()).await, act(&hanna, id, what).await);
    }
    let link = act(&hanna, "1", json!({ "act": "link", "role": "moderator" })).await["link"].clone();
    let eve = Visitor::arrive(&room, "Eve").await;
    // A claim needs no id, and is the same when it is sent again.
    let claim = async || eve.post("/rooms/main/claims", json!({ "link": link })).await;
    let (first, again) = (claim().await, claim().await);
    assert_eq!((first.status, again.status), (201, 201), "{}", again.text());
    assert_eq!(first.json(), again.json());
    let other = Visitor::arrive(&room, "Zoe").await.post("/rooms/main/claims", json!({ "link": link })).await;
    assert_eq!((other.status, &other.json()["code"]), (403, &json!("not_allowed")));
    let spent = hanna.post(ACTS, json!({ "id": "1", "act": "link", "role": "moderator" })).await;
    assert_eq!((spent.status, &spent.json()["code"]), (400, &json!("bad_id")), "{}", spent.text());

    // A form that is sent again shows the same invitation; one that was changed after going back is another act.
    let nora = NoscriptGuest::arrive_as(&room, "Nora").await;
    let press = async |button: &str, text: &str, name: &str, password: &str| {
        let fields = [("form", "1"), ("do", button), ("text", text), ("name", name), ("password", password)];
        nora.post_to("/host", &fields, &["Sec-Fetch-Site: same-origin"]).await
    };
    assert_eq!(press("claim", &room.link(Role::Host).await, "", "").await.status, 303);
    let secret = |page: &str| page.split("/#invite=").nth(1).map(|rest| rest[..43].to_owned());
    let shown = secret(press("invite", "", "Gus", "").await.text());
    assert!(shown.is_some());
    assert_eq!(secret(press("invite", "", "Gus", "").await.text()), shown);
    let changed = secret(press("invite", "", "Ben", "").await.text());
    assert!(changed.is_some() && changed != shown);
    for password in ["five o'clock tea", "six o'clock tea!"] {
        assert_eq!(press("password", "", "", password).await.status, 303);
    }
    let answer = Visitor::stranger(&room).post(GUESTS, json!({ "password": "six o'clock tea!" })).await;
    assert_eq!(answer.status, 201, "the second one counts: {}", answer.text());
}
