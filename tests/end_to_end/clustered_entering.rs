//! Newcomers to a closed room at two nodes: who was let in at one comes in at the other, and an invitation for one guest lets in one.

use futures_util::future::join_all;
use onionroom::protocol::Role;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clustered::node;
use crate::kit::{TestRoom, Visitor, within};
use crate::nats::{Program, Servers};

/// Asks until the answer is this: a node hears of an act a moment after the other.
async fn asked(room: &TestRoom, hello: &Value, wanted: &str) -> Value {
    let asking = async {
        loop {
            let mut guest = room.stranger().await;
            let mut frame = hello.clone();
            frame["type"] = "hello".into();
            guest.send(frame).await;
            let answer = guest.next().await;
            if answer["type"] == wanted || answer["code"] == wanted {
                return answer;
            }
            assert!(answer["code"].is_string() || answer["type"] == "welcome", "{answer}");
            if answer["type"] == "welcome" {
                guest.send(json!({ "type": "leave" })).await;
                guest.closed().await;
            }
        }
    };
    within("an answer", asking).await
}

#[tokio::test]
async fn who_is_let_in_at_one_node_comes_in_at_the_other() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let mut hanna = one.stranger().await;
    hanna.hello_as(json!({ "name": "Hanna", "invite": one.link(Role::Host).await })).await;
    let ann = other.guest("Ann").await;
    while hanna.expect("joined").await["guest"]["name"] != "Ann" {}
    hanna.act("1", json!({ "act": "approval", "approval": true })).await;
    let eves = json!({ "name": "Eve", "token": "E".repeat(42) + "A" });
    asked(&other, &eves, "waiting").await;
    let list = other.waiting().await;
    assert_eq!(list.len(), 1, "known to the node that they asked");
    assert!(one.waiting().await.is_empty());
    hanna.act("2", json!({ "act": "admit", "of": list[0] })).await;
    asked(&other, &eves, "welcome").await;
    asked(&one, &eves, "welcome").await;
    // Who was at the other node when newcomers began to wait.
    let anns = json!({ "token": ann.welcome["token"] });
    drop(ann);
    asked(&one, &anns, "welcome").await;

    hanna.act("3", json!({ "act": "approval", "approval": false })).await;
    hanna.act("4", json!({ "act": "password", "text": "five o'clock tea" })).await;
    let mut bobs = json!({ "name": "Bob", "token": "B".repeat(42) + "A" });
    asked(&other, &bobs, "password_needed").await;
    bobs["password"] = "five o'clock tea".into();
    asked(&other, &bobs, "welcome").await;
    bobs["password"].take();
    asked(&one, &bobs, "welcome").await;

    hanna.act("5", json!({ "act": "invited_only", "invited_only": true })).await;
    for round in 0..5 {
        let name = format!("one {round}");
        let made = hanna
            .act(&format!("i{round}"), json!({ "act": "invite", "name": name, "single_use": true }))
            .await;
        let rivals: Vec<_> = [&one, &other, &one, &other].map(Visitor::stranger).into_iter().collect();
        let bodies = (0..rivals.len()).map(|at| {
            // 43 characters: 32 bytes, and new ones each time.
            let token = format!("{:0<42}A", format!("R{round}{at}x"));
            json!({ "token": token, "invite": made["link"], "name": format!("Rival {round}{at}") })
        });
        // The other node knows of the invitation when it lets one in, or it refuses all.
        let answers =
            join_all(rivals.iter().zip(bodies).map(|(rival, body)| rival.post("/rooms/main/guests", body)))
                .await;
        let entered = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(
            entered,
            1,
            "{:?}",
            answers.iter().map(|answer| answer.text().to_owned()).collect::<Vec<_>>()
        );
    }
    drop(hanna);
    one.close().await;
    other.close().await;

    let again = node(&servers, &data[0]).await;
    asked(&again, &eves, "welcome").await;
    asked(&again, &json!({ "name": "Zoe" }), "invitation_needed").await;
    again.close().await;
}
