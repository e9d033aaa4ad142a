//! `onionroom host` and newcomers: who waits, who is invited, and the password.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::Hosted;
use crate::kit::Guest;

async fn refused(guest: &mut Guest, mut hello: serde_json::Value) -> String {
    hello["type"] = "hello".into();
    guest.send(hello).await;
    guest.expect_error().await
}

#[tokio::test]
async fn guests_are_let_in_and_turned_away() {
    let room = Hosted::open().await;
    assert_eq!(room.says(&["waiting"]).await, "No guest waits at this machine.\n");
    assert!(room.says(&["approval", "on"]).await.starts_with("Newcomers wait now"));
    assert!(room.says(&["status"]).await.contains("  let in   newcomers need to be let in\n"));
    let (mut ann, mut eve) = (room.stranger().await, room.stranger().await);
    for (guest, name) in [(&mut ann, "Ann"), (&mut eve, "Eve")] {
        assert_eq!(refused(guest, json!({ "name": name })).await, "waiting");
    }
    let list = room.json(&["waiting"]).await;
    assert_eq!((&list["waiting"][0]["name"], &list["waiting"][1]["name"]), (&json!("Ann"), &json!("Eve")));
    let words = room.says(&["waiting"]).await;
    assert!(words.lines().nth(1).unwrap().ends_with("  Ann"), "{words}");
    assert!(room.says(&["admit", "Ann"]).await.ends_with(") is let in.\n"));
    ann.hello("Ann").await;
    assert!(room.says(&["reject", "eve", "--for", "10m"]).await.contains("is turned away for 10m."));
    eve.send(json!({ "type": "hello", "name": "Eve" })).await;
    assert_eq!(eve.closed().await.0, 4003);
    assert!(room.refused(&["admit", "Nobody"]).await.contains("No guest is called"));
    let status = room.json(&["status"]).await;
    assert_eq!(status["approval"], true);
    assert_eq!(room.says(&["approval", "off"]).await, "Newcomers need not wait any more.\n");
}

#[tokio::test]
async fn a_password_is_read_from_a_file_and_never_shown() {
    let room = Hosted::open().await;
    let file = room.directory.parent().unwrap().join("password");
    fs::write(&file, "five o'clock tea\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let words = ["password", "--passphrase-file", file.to_str().unwrap()];
    let said = room.says(&words).await;
    assert!(said.starts_with("Newcomers give this password now.") && !said.contains("clock"), "{said}");
    let mut eve = room.stranger().await;
    assert_eq!(refused(&mut eve, json!({ "name": "Eve" })).await, "password_needed");
    eve.hello_as(json!({ "name": "Eve", "password": "five o'clock tea" })).await;
    fs::write(&file, "short\n").unwrap();
    assert!(room.refused(&words).await.contains("at least 8 characters"));
    assert!(room.refused(&["password"]).await.contains("There is no terminal"));
    assert_eq!(room.says(&["password", "--remove"]).await, "The room has no password any more.\n");
    let mut zoe = room.stranger().await;
    zoe.hello("Zoe").await;
    assert!(!room.says(&["log", "--json"]).await.contains("clock"));
}

#[tokio::test]
async fn people_are_invited_and_uninvited() {
    let room = Hosted::open().await;
    assert!(room.says(&["invited-only", "on"]).await.starts_with("Newcomers need an invitation now"));
    let said = room.says(&["invite", "Eve", "--once", "--expires", "7d"]).await;
    let link = said.lines().nth(1).unwrap().trim().to_owned();
    assert!(
        said.starts_with("This link for Eve lets the first guest who opens it in, for 7days:\n"),
        "{said}"
    );
    let (address, secret) = link.split_once("#invite=").unwrap();
    assert_eq!((address, secret.len()), (format!("http://{}/", room.address).as_str(), 43));
    let made = room.json(&["invite", "Bob"]).await;
    assert!(made["links"][0].as_str().unwrap().ends_with(made["secret"].as_str().unwrap()));
    assert!(room.refused(&["invite", "Bob"]).await.contains("of this name already"));

    let (mut eve, mut bob) = (room.stranger().await, room.stranger().await);
    assert_eq!(refused(&mut eve, json!({})).await, "invitation_needed");
    eve.hello_as(json!({ "name": "Eve", "invite": secret })).await;
    bob.hello_as(json!({ "name": "Bob", "invite": made["secret"] })).await;
    let list = room.json(&["invites"]).await;
    let line = &list["invitations"][0];
    assert_eq!((&line["name"], &line["guests"], &line["valid"]), (&json!("Eve"), &json!(1), &json!(false)));
    let words = room.says(&["invites"]).await;
    assert!(
        words.contains("  used     1 guest  Eve, ends in ") && words.contains("  valid    1 guest  Bob\n"),
        "{words}"
    );
    assert!(!words.contains(secret) && !list.to_string().contains(secret));
    assert!(room.says(&["uninvite", "Eve"]).await.contains("who came by it is put out"));
    assert_eq!(eve.closed().await.0, 4003);
    let banned = room.says(&["ban", "Bob", "--invitation"]).await;
    assert!(banned.contains("is banned until"), "{banned}");
    assert_eq!(bob.closed().await.0, 4003);
    assert!(room.says(&["invites"]).await.starts_with("There is no invitation."));
    assert!(room.refused(&["uninvite", "Eve"]).await.contains("There is no such invitation."));
}

#[tokio::test]
async fn nothing_is_done_about_the_room_itself() {
    let room = Hosted::open().await;
    let mut client = room.connect().await;
    for act in ["role", "admit", "reject", "mute", "ban", "unban", "kick", "delete_all", "unreserve"] {
        let answer = client.ask(&json!({ "act": act, "of": 0, "role": "host" })).await;
        assert_eq!(answer["error"]["code"], "wrong_kind", "{act}: {answer}");
    }
    for act in [json!({ "act": "pin", "message": 0 }), json!({ "act": "delete", "messages": [0] })] {
        assert_eq!(client.ask(&act).await["error"]["code"], "wrong_kind", "{act}");
    }
    assert_eq!(room.says(&["log"]).await, "Nothing was done yet.\n");
    assert_eq!(room.json(&["roles"]).await, json!({ "roles": [] }));
}
