//! A room beside the main one, over each transport.

use serde_json::{Value, json};

use super::{guest_in, two_more};
use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::{TestRoom, Visitor};

#[tokio::test]
async fn what_is_said_in_a_room_stays_in_it_over_every_transport() {
    let house = TestRoom::open_with(two_more).await;
    let mut main = house.guest("Ann").await;
    // The same name in another room: each has names of its own.
    let mut tea = guest_in(&house, "tea", "Ann").await;
    assert_eq!(tea.welcome["room"]["name"], "tea");
    assert_eq!(tea.welcome["room"]["title"], "Tea at five");
    assert_ne!(tea.welcome["room"]["epoch"], main.welcome["room"]["epoch"]);
    assert_eq!(main.say("1", "in the main room").await, 1);
    tea.say("1", "over tea").await;
    assert_eq!(tea.expect("message").await["text"], "over tea");
    assert_eq!(main.expect("message").await["text"], "in the main room");

    let mut bob = Visitor::stranger(&house);
    let joined = bob.post("/rooms/tea/guests", json!({ "name": "Bob" })).await;
    assert_eq!(joined.status, 201, "{}", joined.text());
    bob.welcome = joined.json();
    assert_eq!(bob.welcome["room"]["name"], "tea");
    assert_eq!(tea.expect("joined").await["guest"]["name"], "Bob");
    let said = bob.post("/rooms/tea/messages", json!({ "id": "b", "text": "with milk" })).await;
    assert_eq!(said.status, 201, "{}", said.text());
    assert_eq!(tea.expect("message").await["text"], "with milk");
    let texts = |answer: Value| -> Vec<String> {
        let messages = answer["messages"].as_array().unwrap().iter();
        messages.filter_map(|message| Some(message["text"].as_str()?.to_owned())).collect()
    };
    let polled = bob.get("/rooms/tea/messages?after=0").await;
    assert_eq!(texts(polled.json()), ["over tea", "with milk"]);
    // The same token is another guest elsewhere, and finds nothing of it there.
    let elsewhere = bob.get("/rooms/main/messages?after=0").await;
    assert_eq!(texts(elsewhere.json()), ["in the main room"]);
    let shown = bob.get("/rooms/tea").await.json();
    assert_eq!((&shown["room"]["name"], &shown["count"]), (&json!("tea"), &json!(2)));
    let mut events = bob.listen_in("tea", "after=0", &[]).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "with milk") {
        let event = events.next().await.unwrap();
        heard.extend(event["text"].as_str().map(str::to_owned));
    }
    assert_eq!(heard, ["over tea", "with milk"]);
}

#[tokio::test]
async fn the_list_has_the_rooms_that_are_listed_and_no_others() {
    let house = TestRoom::open_with(two_more).await;
    let mut tea = guest_in(&house, "tea", "Ann").await;
    let head = tea.say("1", "hello").await;
    let visitor = Visitor::stranger(&house);
    let listed = visitor.get("/rooms").await;
    assert_eq!(listed.status, 200);
    assert_eq!(
        listed.json()["rooms"],
        json!([
            { "name": "main", "title": "onionroom", "head": 0, "said": 0, "guests": 0 },
            { "name": "tea", "title": "Tea at five", "head": head, "said": head, "guests": 1 },
        ])
    );
    // It can be found by those who know its name.
    let attic = guest_in(&house, "attic", "Ben").await;
    assert_eq!(attic.welcome["room"]["title"], "attic");
    assert_eq!(visitor.get("/rooms").await.json()["rooms"].as_array().unwrap().len(), 2);
    assert_eq!(visitor.request("HEAD", "/rooms", &[], "").await.status, 200);
}

#[tokio::test]
async fn without_javascript_each_room_has_its_entry_and_its_cookies() {
    let house = TestRoom::open_with(|settings| {
        two_more(settings);
        settings.rooms[0].room.message_bytes = 32 * 1024;
    })
    .await;
    let mut tea = guest_in(&house, "tea", "Ann").await;
    let mut ben = Visitor::stranger(&house);
    let entry = ben.get("/rooms/tea/page").await;
    assert_eq!(entry.status, 200);
    assert!(entry.text().contains("<h1 dir=\"auto\">Tea at five</h1>"), "{}", entry.text());
    let cookies = |answer: &crate::kit::raw::Answer| -> Vec<String> {
        let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.map(|(_, value)| {
            assert!(value.contains("; Path=/rooms/tea/page;"), "{value}");
            value.split(';').next().unwrap().to_owned()
        })
        .collect()
    };
    let secret = cookies(&entry).join("; ");
    let form = [("form", field(entry.text(), "form")), ("proof", field(entry.text(), "proof"))];
    let body = format!("form={}&proof={}&name=Ben", form[0].1, form[1].1);
    let headers = [&format!("Cookie: {secret}"), "Content-Type: application/x-www-form-urlencoded"];
    let entered = ben.request("POST", "/rooms/tea/page/enter", &headers, &body).await;
    assert_eq!((entered.status, entered.header("location")), (303, Some("../page")), "{}", entered.text());
    assert_eq!(tea.expect("joined").await["guest"]["name"], "Ben");
    let cookie = format!("Cookie: {}", cookies(&entered).join("; "));
    ben.welcome = Value::Null;
    let composer = ben.request("GET", "/rooms/tea/page/say", &[&cookie], "").await;
    let form = [field(composer.text(), "form"), field(composer.text(), "proof")];
    let body = format!("form={}&proof={}&text=over+tea&do=say", form[0], form[1]);
    let said = ben.request("POST", "/rooms/tea/page/say", &[&cookie, headers[1]], &body).await;
    assert_eq!(said.status, 303, "{}", said.text());
    assert_eq!(tea.expect("message").await["text"], "over tea");

    // How long a message may be is the room's own affair.
    let composer = ben.request("GET", "/rooms/tea/page/say", &[&cookie], "").await;
    let form = [field(composer.text(), "form"), field(composer.text(), "proof")];
    let long = "x".repeat(30_000);
    let body = format!("form={}&proof={}&text={long}&do=say", form[0], form[1]);
    let said = ben.request("POST", "/rooms/tea/page/say", &[&cookie, headers[1]], &body).await;
    assert_eq!(said.status, 303, "{}", said.text());
    assert_eq!(tea.expect("message").await["text"], long);

    // The cookie is of one room: in another this browser is a visitor.
    let main = ben.request("GET", "/rooms/main/page", &[], "").await;
    assert!(main.text().contains("action=\"page/enter\""));
    let missing = ben.get("/rooms/nothing/page").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn roles_and_what_hosts_decide_are_each_rooms_own() {
    let house = TestRoom::open_with(two_more).await;
    let mut ann = house.guest("Ann").await;
    house.appoint(ann.id(), onionroom::protocol::Role::Host).await;
    ann.send(json!({ "type": "act", "id": "l", "act": "lock", "locked": true })).await;
    ann.expect("acknowledged").await;
    // Ann's token is a host in the main room and a guest elsewhere; the main room is locked and the other is not.
    let token = ann.welcome["token"].clone();
    let mut tea = house.stranger().await;
    tea.hello_as(json!({ "room": "tea", "token": token, "name": "Ann" })).await;
    tea.send(json!({ "type": "act", "id": "m", "act": "topic", "text": "cake" })).await;
    loop {
        let event = tea.next().await;
        if event["type"] == "error" {
            break assert_eq!(event["code"], "not_allowed");
        }
    }
    let mut late = house.stranger().await;
    late.send(json!({ "type": "hello", "name": "Ben" })).await;
    assert_eq!(late.expect_error().await, "locked");
}

#[tokio::test]
async fn without_javascript_the_rooms_are_listed_with_what_is_unread() {
    let house = TestRoom::open_with(two_more).await;
    let mut ann = NoscriptGuest::arrive_as(&house, "Ann").await;
    let port = house.address().port();
    let seen = format!("seen{port}");
    assert!(ann.cookies.contains(&(seen.clone(), "main.0".into())), "{:?}", ann.cookies);
    let mut tea = guest_in(&house, "tea", "Cleo").await;
    let head = tea.say("1", "over tea").await;
    let page = ann.open().await;
    let link = "<a href=\"../tea/page?from=main\"><bdi>Tea at five</bdi></a>";
    assert!(page.text().contains(link) && !page.text().contains("unread"), "{}", page.text());
    assert!(!page.text().contains("attic"), "it is not listed");
    // She has looked at it before that was said.
    ann.cookies.iter_mut().find(|(name, _)| *name == seen).unwrap().1 = "main.0_tea.0".into();
    let page = ann.open().await;
    assert!(page.text().contains(&format!("Rooms ({head} unread)")), "{}", page.text());
    // A link of another site does not say that she has looked at something; one of the room does.
    let path = "GET /rooms/main/page?from=tea";
    for (site, kept) in [("cross-site", "main.0_tea.0"), ("same-origin", &*format!("main.0_tea.{head}"))] {
        let headers = [
            format!("Sec-Fetch-Site: {site}"),
            "Sec-Fetch-Mode: navigate".into(),
            "Sec-Fetch-Dest: document".into(),
        ];
        let answer = ann.request(path, &headers.each_ref().map(String::as_str), "").await;
        let set =
            answer.headers.iter().find(|(name, value)| name == "set-cookie" && value.starts_with(&seen));
        let set = &set.unwrap().1;
        assert!(set.starts_with(&format!("{seen}={kept}; Path=/rooms; HttpOnly")), "{set}");
    }
}
