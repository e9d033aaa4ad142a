//! `onionroom room`, and `onionroom host --room`: on open rooms, on closed ones, and by programs.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::{Hosted, start};
use crate::kit::Guest;
use crate::kit::program::run;

async fn room(directory: &Path, words: &[&str]) -> Output {
    run(&[&["room", "--data-dir", directory.to_str().unwrap()], words].concat(), &[]).await
}

async fn json(directory: &Path, words: &[&str]) -> Value {
    let output = room(directory, &[words, &["--json"]].concat()).await;
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{words:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn refused(directory: &Path, words: &[&str]) -> String {
    let output = room(directory, words).await;
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words:?} {err}");
    err
}

fn names(list: &Value) -> Vec<&str> {
    list["rooms"].as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap()).collect()
}

async fn guest_in(house: &Hosted, room: &str, name: &str) -> Guest {
    let mut guest = house.stranger().await;
    guest.hello_as(json!({ "room": room, "name": name })).await;
    guest
}

#[tokio::test]
async fn a_room_is_added_governed_and_removed_while_guests_are_there() {
    let house = Hosted::open().await;
    let directory = house.directory.as_path();
    let mut main = house.guest("Ann").await;
    assert_eq!(names(&json(directory, &["list"]).await), ["main"]);
    assert_eq!(json(directory, &["add", "tea", "--title", "Tea at five"]).await, json!({ "room": "tea" }));
    json(directory, &["add", "attic", "--unlisted"]).await;
    // The guests who are there are told of it.
    let news = main.expect("rooms").await;
    assert!(news["rooms"].as_array().unwrap().iter().any(|room| room["title"] == "Tea at five"), "{news}");
    let list = json(directory, &["list"]).await;
    assert_eq!(names(&list), ["main", "attic", "tea"]);
    assert_eq!(
        (&list["rooms"][1]["listed"], &list["rooms"][2]["title"]),
        (&json!(false), &json!("Tea at five"))
    );
    let said = refused(directory, &["add", "tea"]).await;
    assert!(said.contains("There is a room \"tea\" already."), "{said}");
    let said = refused(directory, &["add", "main"]).await;
    assert!(said.contains("already"), "{said}");
    for name in ["../tea", "Tea", "t\u{435}a", "", &"x".repeat(33)] {
        assert!(refused(directory, &["add", name]).await.contains("cannot be the name of a room"), "{name}");
    }
    assert!(refused(directory, &["add", "x", "--title", "a\nb"]).await.contains("control character"));

    let mut tea = guest_in(&house, "tea", "Cleo").await;
    tea.say("1", "a confession over tea").await;
    house.says(&["--room", "tea", "announce", "The kettle is on."]).await;
    assert_eq!(tea.expect("act").await["text"], "The kettle is on.");
    let status = house.json(&["--room", "tea", "status"]).await;
    assert_eq!((&status["title"], &status["guests"]), (&json!("Tea at five"), &json!(1)));
    assert_eq!(house.json(&["status"]).await["guests"], 1);
    assert!(house.refused(&["--room", "nothing", "status"]).await.contains("no room"));
    let link = house.json(&["--room", "tea", "link"]).await;
    assert!(link["links"][0].as_str().unwrap().contains("/#room=tea&host="), "{link}");

    let said = refused(directory, &["remove", "tea"]).await;
    assert!(said.contains("--yes"), "{said}");
    assert!(refused(directory, &["remove", "main", "--yes"]).await.contains("main room cannot be removed"));
    assert!(refused(directory, &["remove", "nothing", "--yes"]).await.contains("no room"));
    json(directory, &["remove", "tea", "--yes"]).await;
    let (code, events) = tea.closed().await;
    assert_eq!((code, &events.last().unwrap()["code"]), (4004, &json!("unknown_room")));
    assert!(!directory.join("rooms/tea").exists());
    loop {
        let news = main.expect("rooms").await;
        if news["gone"] == json!(["tea"]) {
            break;
        }
    }
    let mut late = house.stranger().await;
    late.send(json!({ "type": "hello", "room": "tea" })).await;
    assert_eq!(late.expect_error().await, "unknown_room");
    // Another one of that name has nothing of the first.
    json(directory, &["add", "tea"]).await;
    let mut again = guest_in(&house, "tea", "Cleo").await;
    assert_eq!((&again.welcome["head"], &again.welcome["room"]["title"]), (&json!(0), &json!("tea")));
    again.say("1", "the first here").await;
    main.say("1", "nothing happened here").await;
}

#[tokio::test]
async fn rooms_are_kept_and_changed_while_they_are_closed() {
    let house = Hosted::open().await;
    let directory = house.directory.clone();
    json(&directory, &["add", "tea"]).await;
    let mut tea = guest_in(&house, "tea", "Cleo").await;
    tea.say("1", "before").await;
    let Hosted { mut program, _outer, .. } = house;
    program.signal("TERM").await;
    program.ended().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(directory.join("rooms.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(names(&json(&directory, &["list"]).await), ["main", "tea"]);
    json(&directory, &["add", "attic"]).await;
    assert!(refused(&directory, &["add", "tea"]).await.contains("already"));
    assert!(refused(&directory, &["remove", "nothing", "--yes"]).await.contains("no room"));
    // One that the list does not have, as after it was taken out of the configuration.
    fs::create_dir(directory.join("rooms/cellar")).unwrap();
    fs::write(directory.join("rooms/cellar/messages.keys"), "keys").unwrap();
    json(&directory, &["remove", "cellar", "--yes"]).await;
    assert!(!directory.join("rooms/cellar").exists());

    let (mut program, address) = start(&directory).await;
    let house = Hosted { program, directory: directory.clone(), address, _outer };
    let mut again = guest_in(&house, "tea", "Ben").await;
    assert_eq!(again.expect("message").await["text"], "before");
    assert_eq!(names(&json(&directory, &["list"]).await), ["main", "attic", "tea"]);
    let Hosted { program: running, _outer, .. } = house;
    program = running;
    program.signal("TERM").await;
    program.ended().await;
    json(&directory, &["remove", "tea", "--yes"]).await;
    assert!(!directory.join("rooms/tea").exists());
    fs::write(
        directory.join("rooms.json"),
        "{\"rooms\":[{\"name\":\"../../etc\",\"title\":\"x\",\"listed\":true}]}",
    )
    .unwrap();
    let said = refused(&directory, &["list"]).await;
    assert!(said.contains("is not a list of rooms") && said.contains("cannot be the name"), "{said}");
}
