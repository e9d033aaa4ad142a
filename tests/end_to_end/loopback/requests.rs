//! Plain requests: the page, what is said beside it, who is turned away.

use crate::kit::TestRoom;
use crate::kit::raw::Answer;

async fn get(room: &TestRoom, lines: &[&str]) -> Answer {
    let host = format!("Host: {}", room.host());
    room.raw().await.request(&[lines, &[&host]].concat()).await
}

#[tokio::test]
async fn the_page_is_one_small_answer() {
    let room = TestRoom::open().await;
    let plain = get(&room, &["GET / HTTP/1.1"]).await;
    assert_eq!(plain.status, 200);
    assert_eq!(plain.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(plain.text().starts_with("<!doctype html>"));
    let small = get(&room, &["GET / HTTP/1.1", "Accept-Encoding: gzip, deflate, br"]).await;
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    assert!(small.body.len() <= 20_000, "{} bytes", small.body.len());
    let head = get(&room, &["HEAD / HTTP/1.1", "Connection: close"]).await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn no_answer_tells_of_the_host() {
    let room = TestRoom::open().await;
    let known = [
        "allow",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-security-policy",
        "content-type",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
        "referrer-policy",
        "sec-websocket-version",
        "upgrade",
        "vary",
        "x-content-type-options",
    ];
    for line in
        ["GET / HTTP/1.1", "GET /nothing HTTP/1.1", "POST / HTTP/1.1", "GET /chat HTTP/1.1", "GARBAGE"]
    {
        let answer = get(&room, &[line]).await;
        for (name, value) in &answer.headers {
            assert!(known.contains(&name.as_str()), "{line}: {name}: {value}");
        }
        if line != "GARBAGE" {
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{line}");
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }
}

#[tokio::test]
async fn strangers_names_and_other_sites_are_turned_away() {
    let room = TestRoom::open().await;
    let mut raw = room.raw().await;
    assert_eq!(raw.request(&["GET / HTTP/1.1", "Host: evil.example"]).await.status, 421);
    assert_eq!(room.raw().await.request(&["GET / HTTP/1.1"]).await.status, 400);
    assert_eq!(get(&room, &["GET / HTTP/1.1", "Host: evil.example"]).await.status, 400, "two hosts");
    assert_eq!(get(&room, &["GET http://evil.example/ HTTP/1.1"]).await.status, 400, "two answers to where");
    let fetch = ["GET / HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"];
    assert_eq!(get(&room, &fetch).await.status, 403);
    let link = ["GET / HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"];
    assert_eq!(get(&room, &link).await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let room = TestRoom::open().await;
    let answer = get(&room, &["GET /../../etc/passwd HTTP/1.1"]).await;
    assert_eq!(answer.status, 404);
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["status"], 404);
    assert!(problem["detail"].as_str().unwrap().ends_with('.'));
    let answer = get(&room, &["POST / HTTP/1.1", "Content-Length: 0"]).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
}
