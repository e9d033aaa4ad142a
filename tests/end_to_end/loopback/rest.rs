//! The room through single requests: seats, messages, and what is said when something is wrong.

use std::time::Duration;

use serde_json::json;

use crate::kit::raw::Answer;
use crate::kit::{TestRoom, Visitor};

const MESSAGES: &str = "/rooms/main/messages";
const AS_JSON: &str = "Content-Type: application/json";

/// Checks a problem; answers with its code.
fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{problem}");
    problem["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_guest_takes_a_seat_talks_and_leaves() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = Visitor::arrive(&room, "Ann").await;
    assert_eq!(ann.welcome["type"], "welcome");
    assert_eq!(bob.expect("joined").await["guest"]["name"], "Ann");

    let shown = ann.get("/rooms/main").await.json();
    assert_eq!(shown["room"], ann.welcome["room"]);
    assert_eq!(shown["guests"].as_array().unwrap().len(), 2);
    assert_eq!((&shown["head"], &shown["first"]), (&json!(0), &json!(1)));
    assert_eq!((&shown["limits"], &shown["kept"]), (&ann.welcome["limits"], &ann.welcome["kept"]));
    assert!(shown.get("token").is_none());

    assert_eq!(ann.say("a1", "good evening").await, 1);
    assert_eq!(bob.expect("message").await["text"], "good evening");

    let renamed = ann.request("PATCH", "/rooms/main/guests/me", &[AS_JSON], r#"{"name":"Anna"}"#).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Anna")));
    assert_eq!(bob.expect("renamed").await["was"], "Ann");

    for _ in 0..2 {
        assert_eq!(ann.request("DELETE", "/rooms/main/guests/me", &[], "").await.status, 204);
    }
    assert_eq!(bob.expect("left").await["guest"]["name"], "Anna");
    assert_eq!(bob.say("b1", "alone").await, 2);
    assert_eq!(bob.next().await["type"], "message", "leaving twice makes no noise");
}

#[tokio::test]
async fn a_seat_that_is_gone_is_given_back_to_its_token() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let again = ann.post("/rooms/main/guests", json!({ "token": ann.token() })).await.json();
    assert_eq!((&again["resumed"], &again["guest"]), (&json!(true), &ann.welcome["guest"]));

    ann.request("DELETE", "/rooms/main/guests/me", &[], "").await;
    let shown = ann.get("/rooms/main").await.json();
    assert_eq!(shown["guests"][0]["id"], ann.welcome["guest"]["id"]);
    ann.request("DELETE", "/rooms/main/guests/me", &[], "").await;
    let named = json!({ "token": ann.token(), "name": "Ann again" });
    assert_eq!(ann.post("/rooms/main/guests", named).await.status, 201);
    let shown = ann.get("/rooms/main").await.json();
    assert_eq!(shown["guests"][0]["name"], "Ann again");
}

#[tokio::test]
async fn a_guest_on_a_connection_can_use_requests_beside_it() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = Visitor::stranger(&room);
    ann.welcome = json!({ "token": bob.welcome["token"] });
    assert_eq!(ann.say("b1", "by request").await, 1);
    assert_eq!(ann.messages("after=0").await["messages"][0]["text"], "by request");
    assert_eq!(bob.expect("message").await["name"], "Bob");
    assert_eq!(bob.say("b1", "by request").await, 1, "one guest, one set of ids");
}

#[tokio::test]
async fn a_seat_needs_nothing_but_a_request() {
    let room = TestRoom::open().await;
    let stranger = Visitor::stranger(&room);
    let answer = stranger.request("POST", "/rooms/main/guests", &["Content-Length: 0"], "").await;
    assert_eq!((answer.status, answer.header("location")), (201, Some("guests/me")));
    assert!(!answer.json()["guest"]["name"].as_str().unwrap().is_empty(), "a name is suggested");
}

#[tokio::test]
async fn nobody_reads_or_speaks_unseen() {
    let room = TestRoom::open().await;
    let mut stranger = Visitor::stranger(&room);
    for (method, path) in [
        ("GET", "/rooms/main"),
        ("HEAD", "/rooms/main"),
        ("GET", MESSAGES),
        ("POST", MESSAGES),
        ("GET", "/rooms/main/events"),
        ("PATCH", "/rooms/main/guests/me"),
        ("DELETE", "/rooms/main/guests/me"),
    ] {
        let answer = stranger.request(method, path, &[], "").await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        if method != "HEAD" {
            problem(&answer, 401);
            assert!(answer.text().contains("POST /rooms/main/guests"), "{}", answer.text());
        }
        stranger.welcome = json!({ "token": "short" });
        assert_eq!(stranger.request(method, path, &[], "").await.status, 401);
        stranger.welcome = json!(null);
    }
    let ann = Visitor::arrive(&room, "Ann").await;
    let lower = format!("authorization: bearer {}", ann.token());
    assert_eq!(stranger.request("GET", MESSAGES, &[&lower], "").await.status, 200);
    let basic = stranger.request("GET", MESSAGES, &["Authorization: Basic QTpC"], "").await;
    assert_eq!(basic.status, 401);
}

/// An address can be linked to, so neither who asks nor a name is in one; not beside the header either.
#[tokio::test]
async fn a_token_in_an_address_is_refused_and_the_header_named() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let (stranger, ann) = (Visitor::stranger(&room), Visitor::arrive(&room, "Ann").await);
    bob.expect("joined").await;
    for (method, path) in [
        ("GET", "/rooms/main"),
        ("GET", MESSAGES),
        ("POST", MESSAGES),
        ("GET", "/rooms/main/events"),
        ("POST", "/rooms/main/guests"),
        ("PATCH", "/rooms/main/guests/me"),
        ("DELETE", "/rooms/main/guests/me"),
        ("GET", "/chat"),
    ] {
        for asker in [&stranger, &ann] {
            let token = format!("{path}?after=0&token={}", ann.token());
            let answer = asker.request(method, &token, &[], "").await;
            problem(&answer, 400);
            assert!(answer.text().contains("Authorization: Bearer"), "{}", answer.text());
            problem(&asker.request(method, &format!("{path}?name=Anna"), &[], "").await, 400);
        }
    }
    // Nothing was done: the next thing that happens is this.
    bob.say("1", "still called Ann?").await;
    assert_eq!(bob.next().await["type"], "message");
    let names: Vec<_> = ann.get("/rooms/main").await.json()["guests"].as_array().unwrap().clone();
    assert_eq!(names.iter().map(|guest| guest["name"].as_str().unwrap()).collect::<Vec<_>>(), ["Bob", "Ann"]);
}

/// One seat per guest, and as many as there are seats, used to be held with `HEAD` alone, which costs nothing to send.
#[tokio::test(start_paused = true)]
async fn head_takes_no_seat_and_holds_none() {
    let grace = Duration::from_secs(3);
    let room = TestRoom::in_memory(|settings| settings.room.away = grace).await;
    let bob = Visitor::arrive(&room, "Bob").await;
    let count = async || bob.get("/rooms/main").await.json()["count"].clone();
    let mut stranger = Visitor::stranger(&room);
    stranger.welcome = json!({ "token": "A".repeat(43) });
    for path in ["/rooms/main", MESSAGES, "/rooms/main/messages?wait=60", "/rooms/main/events"] {
        assert_eq!(stranger.request("HEAD", path, &[], "").await.status, 200, "{path}");
        assert_eq!(count().await, 1, "{path}");
    }
    let ann = Visitor::arrive(&room, "Ann").await;
    assert_eq!(count().await, 2);
    for _ in 0..8 {
        tokio::time::sleep(grace / 4).await;
        for path in ["/rooms/main", MESSAGES, "/rooms/main/events"] {
            assert_eq!(ann.request("HEAD", path, &[], "").await.status, 200, "{path}");
        }
        assert!(count().await.as_u64().is_some(), "Bob stays");
    }
    assert_eq!(count().await, 1, "Ann has left");
}

/// It used to say `Content-Length: 0` where `GET` has more (RFC 9110, section 8.6).
#[tokio::test]
async fn head_says_no_other_length_than_get() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let cookie = format!("Cookie: guest{}={}", room.host().rsplit_once(':').unwrap().1, ann.token());
    for path in ["/", "/rooms/main", MESSAGES, "/rooms/main/page", "/rooms/main/page/say", "/nothing"] {
        let get = ann.request("GET", path, &[&cookie], "").await;
        let head = ann.request("HEAD", path, &[&cookie], "").await;
        assert_eq!(head.status, get.status, "{path}");
        let length = head.header("content-length");
        assert!(length.is_none() || length == get.header("content-length"), "{path}: {length:?}");
    }
    for endless in ["/rooms/main/events", "/rooms/main/page/messages"] {
        let head = ann.request("HEAD", endless, &[&cookie], "").await;
        assert_eq!((head.status, head.header("content-length")), (200, None), "{endless}");
    }
}

#[tokio::test]
async fn another_room_is_not_there() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for (method, path) in [
        ("GET", "/rooms/attic"),
        ("POST", "/rooms/attic/guests"),
        ("DELETE", "/rooms/attic/guests/me"),
        ("GET", "/rooms/attic/messages"),
        ("POST", "/rooms/%ff/messages"),
        ("GET", "/rooms/attic/events"),
    ] {
        let answer = ann.request(method, path, &[], "").await;
        assert_eq!(problem(&answer, 404), "unknown_room", "{path}");
        assert!(answer.text().contains("main"), "the one there is is named");
    }
    problem(&ann.get("/rooms/").await, 404);
    assert_eq!(ann.get("/rooms/m%61in").await.status, 200, "the same name, spelled another way");
}

#[tokio::test]
async fn a_message_sent_again_gets_the_same_answer_and_is_said_once() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for headers in [[AS_JSON, "Idempotency-Key: k-1"], [AS_JSON, "Idempotency-Key: \"k-1\""]] {
        let answer = ann.request("POST", MESSAGES, &headers, r#"{"text":"once"}"#).await;
        assert_eq!((answer.status, answer.json()), (201, json!({ "id": "k-1", "seq": 1 })));
        assert_eq!(answer.header("location"), Some("messages?after=0&limit=1"));
    }
    assert_eq!(ann.say("k-1", "once").await, 1);
    assert_eq!(ann.messages("after=0").await["messages"].as_array().unwrap().len(), 1);

    let key = [AS_JSON, "Idempotency-Key: k-2"];
    let both = ann.request("POST", MESSAGES, &key, r#"{"text":"x","id":"k-3"}"#).await;
    assert_eq!(problem(&both, 400), "bad_id");
    let neither = ann.request("POST", MESSAGES, &[AS_JSON], r#"{"text":"x"}"#).await;
    assert_eq!(problem(&neither, 400), "missing_field");
    assert!(neither.text().contains("Idempotency-Key"));
}

#[tokio::test]
async fn every_refusal_has_its_status_and_code() {
    let room = TestRoom::open_with(|settings| settings.room.guests = 2).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let _bob = room.guest("Bob").await;
    for (body, status, code) in [
        ("good evening", 400, "not_json"),
        ("[]", 400, "not_an_object"),
        ("[[[[[[[[[1]]]]]]]]]", 400, "too_deep"),
        (r#"{"id":"1"}"#, 400, "missing_field"),
        (r#"{"id":1,"text":"x"}"#, 400, "wrong_kind"),
        (r#"{"id":"a b","text":"x"}"#, 400, "bad_id"),
        (r#"{"id":"1","text":" "}"#, 422, "text_empty"),
        (r#"{"id":"1","text":"\u0007"}"#, 422, "text_control"),
        (&json!({ "id": "1", "text": "x".repeat(4097) }).to_string(), 422, "text_too_long"),
        ("", 400, "not_json"),
    ] {
        let answer = ann.request("POST", MESSAGES, &[AS_JSON], body).await;
        assert_eq!(problem(&answer, status), code, "{body}");
    }
    for (name, status, code) in [
        ("ВОВ".to_owned(), 409, "name_taken"),
        (" ".to_owned(), 422, "name_empty"),
        ("x".repeat(33), 422, "name_too_long"),
        ("a\u{202e}b".to_owned(), 422, "name_forbidden"),
    ] {
        let body = json!({ "name": name }).to_string();
        let answer = ann.request("PATCH", "/rooms/main/guests/me", &[AS_JSON], &body).await;
        assert_eq!(problem(&answer, status), code, "{name}");
    }
    let stranger = Visitor::stranger(&room);
    let answer = stranger.post("/rooms/main/guests", json!({ "name": "Eve" })).await;
    assert_eq!(problem(&answer, 503), "room_full");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    let answer = stranger.post("/rooms/main/guests", json!({ "token": "short" })).await;
    assert_eq!(problem(&answer, 400), "wrong_kind");
    for query in
        ["after=-1", "after=x", "after=9007199254740992", "limit=0", "limit=1001", "wait=61", "wait=+5"]
    {
        assert_eq!(problem(&ann.get(&format!("{MESSAGES}?{query}")).await, 400), "wrong_kind", "{query}");
    }
}

#[tokio::test]
async fn bodies_have_a_type_a_limit_and_a_deadline() {
    let room =
        TestRoom::open_with(|settings| settings.listen.request_head = Duration::from_millis(300)).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let body = r#"{"id":"1","text":"x"}"#;
    for other in
        ["Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded", "X-Type: none"]
    {
        problem(&ann.request("POST", MESSAGES, &[other], body).await, 415);
    }
    let charset = "Content-Type: Application/JSON; charset=utf-8";
    assert_eq!(ann.request("POST", MESSAGES, &[charset], body).await.status, 201);
    let long = json!({ "id": "2", "text": "x".repeat(64 * 1024) }).to_string();
    problem(&ann.request("POST", MESSAGES, &[AS_JSON], &long).await, 413);

    let token = format!("Authorization: Bearer {}", ann.token());
    let host = format!("Host: {}", room.host());
    let head = ["POST /rooms/main/messages HTTP/1.1", &host, &token, AS_JSON].join("\r\n");
    let mut endless = room.raw().await;
    endless.write(format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\n").as_bytes()).await;
    endless.write(&[b' '; 0x11000]).await;
    problem(&endless.answer().await, 413);
    let mut slow = room.raw().await;
    slow.write(format!("{head}\r\nContent-Length: 5\r\n\r\n{{").as_bytes()).await;
    problem(&slow.answer().await, 408);
    let mut latin = room.raw().await;
    latin.write(format!("{head}\r\nContent-Length: 1\r\n\r\n").as_bytes()).await;
    latin.write(&[0xff]).await;
    problem(&latin.answer().await, 400);
}

#[tokio::test]
async fn methods_fit_their_addresses() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for (method, path, allow) in [
        ("POST", "/rooms/main", "GET,HEAD"),
        ("GET", "/rooms/main/guests", "POST"),
        ("GET", "/rooms/main/guests/me", "PATCH,DELETE"),
        ("DELETE", MESSAGES, "GET,HEAD,POST"),
        ("POST", "/rooms/main/events", "GET,HEAD"),
    ] {
        let answer = ann.request(method, path, &[], "").await;
        problem(&answer, 405);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    for path in ["/rooms/main", MESSAGES, "/rooms/main/events"] {
        assert_eq!(ann.request("HEAD", path, &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn another_site_is_turned_away_here_too() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let origin = ["Origin: http://evil.example", AS_JSON];
    problem(&ann.request("POST", MESSAGES, &origin, r#"{"id":"1","text":"x"}"#).await, 403);
    assert_eq!(ann.messages("after=0").await["head"], 0);
}
