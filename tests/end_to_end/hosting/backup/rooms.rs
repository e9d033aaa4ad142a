//! Backups of all rooms of an address.

use serde_json::Value;

use super::*;

async fn room(directory: &Path, words: &[&str]) {
    let output = run(&[&["room", "--data-dir", directory.to_str().unwrap()], words].concat(), &[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// The names of the other rooms, and whether each is listed.
async fn list(directory: &Path) -> Vec<(String, bool)> {
    let words = ["room", "--data-dir", directory.to_str().unwrap(), "list", "--json"];
    let list: Value = serde_json::from_slice(&run(&words, &[]).await.stdout).unwrap();
    let line = |room: &Value| (room["name"].as_str().unwrap().to_owned(), room["listed"] == true);
    list["rooms"].as_array().unwrap().iter().map(line).skip(1).collect()
}

impl Hosted {
    async fn guest_in(&self, room: &str, hello: Value) -> Guest {
        let (mut guest, mut hello) = (self.stranger().await, hello);
        hello["room"] = room.into();
        guest.hello_as(hello).await;
        guest
    }

    /// Puts this backup in a new directory, and opens it; with what the command said.
    async fn restored(&self, file: &Path, name: &str) -> (Self, String) {
        let (directory, passphrase) = (self.beside(name), self.beside("passphrase"));
        let words = ["restore", "--data-dir", directory.to_str().unwrap(), "--passphrase-file"];
        let words = [&words[..], &[passphrase.to_str().unwrap(), file.to_str().unwrap()]].concat();
        let done = run(&words, &[]).await;
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(0), "{said}");
        let (program, address) = start(&directory).await;
        (Self { program, directory, address, _outer: TempDir::new().unwrap() }, said)
    }

    async fn stop(&mut self) {
        self.program.signal("TERM").await;
        self.program.ended().await;
    }
}

#[tokio::test]
async fn every_room_comes_back_as_it_was() {
    let mut house = Hosted::open().await;
    let directory = house.directory.clone();
    room(&directory, &["add", "tea", "--title", "Tea at five"]).await;
    room(&directory, &["add", "attic", "--unlisted"]).await;
    room(&directory, &["add", "never-used"]).await;
    house.guest("Ann").await.say("1", "in the main room").await;
    let mut attic = house.guest_in("attic", json!({ "name": "Ann" })).await;
    attic.say("1", "in the attic").await;
    drop(attic);
    // From here on the attic is closed, and tea is open.
    house.stop().await;
    (house.program, house.address) = start(&directory).await;
    let mut tea = house.guest_in("tea", json!({ "name": "Cleo" })).await;
    tea.say("1", "over tea").await;
    let mut banned = house.guest_in("tea", json!({ "name": "Mallory" })).await;
    house.says(&["--room", "tea", "ban", "Mallory"]).await;
    banned.closed().await;
    house.says(&["--room", "tea", "title", "Tea at six"]).await;
    let first = house.beside("first.age");
    let said = String::from_utf8(house.back_up(&first).await.stderr).unwrap();
    assert!(said.contains("The messages and 3 other rooms are in "), "{said}");
    assert!(!directory.join("backing-up").exists());

    let after = tea.say("2", "said after the backup").await;
    let cursor =
        json!({ "token": tea.welcome["token"], "epoch": tea.welcome["room"]["epoch"], "after": after });
    room(&directory, &["remove", "attic", "--yes"]).await;
    house.stop().await;
    let second = house.beside("second.age");
    let said = String::from_utf8(house.back_up(&second).await.stderr).unwrap();
    assert!(said.contains("The messages and 2 other rooms are in "), "{said}");

    let (mut old, said) = house.restored(&first, "old").await;
    assert!(said.contains("The messages and 3 other rooms are restored"), "{said}");
    let all = [("attic", false), ("never-used", true), ("tea", true)];
    assert_eq!(list(&old.directory).await, all.map(|(name, listed)| (name.to_owned(), listed)));
    let mut cleo = old.guest_in("tea", cursor).await;
    assert_eq!(
        (&cleo.welcome["cursor"], &cleo.welcome["room"]["title"]),
        (&json!(after - 1), &json!("Tea at six"))
    );
    let mut stranger = old.stranger().await;
    stranger.send(json!({ "type": "hello", "room": "tea", "token": banned.welcome["token"] })).await;
    assert_eq!(stranger.expect_error().await, "banned");
    assert_eq!(old.guest_in("attic", json!({})).await.expect("message").await["text"], "in the attic");
    assert_eq!(old.guest_in("main", json!({})).await.expect("message").await["text"], "in the main room");
    assert_eq!(old.guest_in("never-used", json!({ "name": "Ann" })).await.say("1", "now it is").await, 1);
    cleo.say("3", "again").await;

    let (new, said) = house.restored(&second, "new").await;
    assert!(said.contains("The messages and 2 other rooms are restored"), "{said}");
    let left = [("never-used", true), ("tea", true)];
    assert_eq!(list(&new.directory).await, left.map(|(name, listed)| (name.to_owned(), listed)));
    assert!(!new.directory.join("rooms/attic").exists());

    // A wipe takes all of it, with what was restored over and what a killed backup has left.
    old.stop().await;
    let passphrase = house.beside("passphrase");
    let words = ["restore", "--data-dir", old.directory.to_str().unwrap(), "--passphrase-file"];
    let words = [&words[..], &[passphrase.to_str().unwrap(), second.to_str().unwrap()]].concat();
    let said = String::from_utf8(run(&words, &[]).await.stderr).unwrap();
    assert!(said.contains("replaced/1") && old.directory.join("replaced/1/rooms/attic").exists(), "{said}");
    for killed in ["backing-up/messages.sqlite", "restoring/rooms/tea/messages.keys", "rooms.json.new"] {
        let file = old.directory.join(killed);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "left").unwrap();
    }
    let words = ["wipe", "--data-dir", old.directory.to_str().unwrap(), "--yes"];
    assert_eq!(run(&words, &[]).await.status.code(), Some(0));
    let left: Vec<_> =
        fs::read_dir(&old.directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[tokio::test]
async fn a_removal_that_was_killed_is_finished_by_the_next_start() {
    let mut house = Hosted::open().await;
    let directory = house.directory.clone();
    room(&directory, &["add", "tea"]).await;
    house.guest_in("tea", json!({ "name": "Cleo" })).await.say("1", "a confession over tea").await;
    house.stop().await;
    // As the list is when the process is killed before the files are erased.
    fs::write(directory.join("rooms.json"), r#"{"rooms":[],"removed":["tea"]}"#).unwrap();
    (house.program, house.address) = start(&directory).await;
    assert!(!directory.join("rooms/tea").exists());
    assert!(!fs::read_to_string(directory.join("rooms.json")).unwrap().contains("tea"));
    room(&directory, &["add", "tea"]).await;
    assert_eq!(house.guest_in("tea", json!({ "name": "Cleo" })).await.welcome["head"], 0);
}
