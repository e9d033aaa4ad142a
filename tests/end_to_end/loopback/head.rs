//! `HEAD` for guests who may come in and who may not.

use data_encoding::BASE64URL_NOPAD;
use onionroom::protocol::Role;
use serde_json::json;

use crate::kit::{TestRoom, Visitor};

/// `HEAD` used to say `200` to all who have a token, whether they may come in or not.
#[tokio::test]
async fn head_says_to_newcomers_what_get_says() {
    let room = TestRoom::open().await;
    let mut hanna = room.stranger().await;
    hanna.hello_as(json!({ "name": "Hanna", "invite": room.link(Role::Host).await })).await;
    let token = BASE64URL_NOPAD.encode(&[1; 32]);
    let mut vera = Visitor::stranger(&room);
    vera.welcome = json!({ "token": token });
    let same = async |vera: &Visitor, headers: &[&str], expected: u16| {
        for path in [
            "/rooms/main",
            "/rooms/main/messages",
            "/rooms/main/acts",
            "/rooms/main/held",
            "/rooms/main/waiting",
            "/rooms/main/page",
            "/rooms/main/page/say",
            "/rooms/main/page/host",
            "/rooms/main/page/identity",
            "/rooms/main/page/message?of=1",
            "/rooms/main/page/search",
            "/rooms/main/page/context",
            "/rooms/main/page/private",
            "/rooms/main/page/waiting",
        ] {
            // The one without the other before it: HEAD notes nothing.
            let head = vera.request("HEAD", path, headers, "").await;
            let get = vera.request("GET", path, headers, "").await;
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.header("location"), get.header("location"), "{path}");
            if path == "/rooms/main" {
                assert_eq!(get.status, expected);
            }
        }
        assert_eq!(vera.request("HEAD", "/rooms/main/events", headers, "").await.status, expected);
    };
    let cookie = format!("Cookie: guest{}={}", room.host().rsplit_once(':').unwrap().1, token);
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    assert_eq!(vera.request("HEAD", "/rooms/main", &[], "").await.status, 403);
    hanna.send(json!({ "type": "waiting" })).await;
    assert_eq!(hanna.expect("waiting").await["count"], 0, "HEAD lists no guest");
    vera.get("/rooms/main").await;
    same(&vera, &[&cookie], 403).await;
    hanna.act("2", json!({ "act": "approval", "approval": false })).await;
    hanna.act("3", json!({ "act": "password", "text": "five o'clock tea" })).await;
    same(&vera, &[&cookie], 403).await;
    hanna.act("4", json!({ "act": "password", "text": "" })).await;
    hanna.act("5", json!({ "act": "lock", "locked": true })).await;
    same(&vera, &[&cookie], 403).await;
    hanna.act("6", json!({ "act": "lock", "locked": false })).await;
    // A guest, who may not see what hosts see.
    same(&vera, &[&cookie], 200).await;
    let id = vera.get("/rooms/main").await.json()["guests"][1]["id"].clone();
    hanna.act("7", json!({ "act": "ban", "of": id })).await;
    same(&vera, &[&cookie], 403).await;
}
