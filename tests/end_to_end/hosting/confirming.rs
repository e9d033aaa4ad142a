//! A room that wipes itself unless a host gives a sign: what a process says of it, and what is a sign.

use std::fs;

use serde_json::json;

use super::*;

const DAY: u64 = 24 * 60 * 60;

/// A room that is to be wiped after this many days, last confirmed `ago` seconds before now.
async fn open(directory: &Path, ago: Option<u64>, days: &str) -> (Program, String) {
    if let Some(ago) = ago {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        fs::write(directory.join("confirmed"), format!("confirmed {}\nopen 0\noverdue 0\n", now - ago))
            .unwrap();
    }
    let place = directory.to_str().unwrap();
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--data-dir", place];
    let mut program = Program::start(&[&words[..], &["--wipe-after-days", days]].concat());
    let url = program.told("local").await;
    (program, url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned())
}

#[tokio::test]
async fn a_room_warns_for_an_hour_and_a_sign_keeps_it() {
    let mut room = Hosted::open().await;
    let nothing = room.refused(&["confirm"]).await;
    assert!(nothing.contains("room.wipe_after_days is not set"), "{nothing}");
    assert!(!room.says(&["status"]).await.contains("wipe"));
    room.program.signal("KILL").await;
    room.program.ended().await;
    assert!(!room.directory.join("confirmed").exists());

    // Closed for too long: by a service, since this is no terminal.
    (room.program, room.address) = open(&room.directory, Some(40 * DAY), "30").await;
    let warning = room.program.noted("No host has confirmed the room for 30 days").await;
    assert!(warning.contains("it is wiped") && warning.contains("onionroom host confirm"), "{warning}");
    let wipe = room.json(&["status"]).await["wipe"].clone();
    assert_eq!(
        (&wipe["overdue"], &wipe["after_days"], &wipe["address"]),
        (&json!(true), &json!(30), &json!(false))
    );
    assert!((3000..=3600).contains(&wipe["seconds_left"].as_u64().unwrap()), "{wipe}");
    assert!(room.says(&["status"]).await.contains("unless you say `onionroom host confirm` now"));
    // What a script may do is no sign.
    room.says(&["announce", "still here"]).await;
    let ann = room.guest("Ann").await;
    assert_eq!(room.json(&["status"]).await["wipe"]["overdue"], true);
    drop(ann);

    assert!(room.says(&["confirm"]).await.contains("begins anew"));
    let wipe = room.json(&["status"]).await["wipe"].clone();
    assert!(wipe["seconds_left"].as_u64().unwrap() > 29 * DAY && wipe["overdue"] == false, "{wipe}");
    room.program.signal("KILL").await;
    room.program.ended().await;
    (room.program, room.address) = open(&room.directory, None, "30").await;
    assert!(
        room.json(&["status"]).await["wipe"]["seconds_left"].as_u64().unwrap() > 29 * DAY,
        "it was on the disk"
    );
}

/// The file says that the hour is over but for the last look: a process that is killed then goes on with the next start.
#[tokio::test]
async fn when_the_hour_is_over_the_room_is_wiped() {
    let mut room = Hosted::open().await;
    room.guest("Ann").await.say("1", "a confession").await;
    room.program.signal("TERM").await;
    room.program.ended().await;
    fs::write(room.directory.join("confirmed"), "confirmed 1700000000\nopen 0\noverdue 3605\n").unwrap();
    (room.program, room.address) = open(&room.directory, None, "30").await;
    assert_eq!(room.program.ended().await.code(), Some(0));
    let words = room.program.rest_of_err().await;
    assert!(
        words.contains("No host has confirmed the room in time") && words.contains("The room is wiped."),
        "{words}"
    );
    let left: Vec<_> =
        fs::read_dir(&room.directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

/// The program looks for signs from time to time; what a host did since the last look is not lost where it is closed.
#[tokio::test]
async fn what_a_host_does_just_before_the_room_is_closed_is_a_sign() {
    let mut room = Hosted::open().await;
    room.program.signal("KILL").await;
    room.program.ended().await;
    (room.program, room.address) = open(&room.directory, Some(20 * DAY), "30").await;
    let secret = room.json(&["link"]).await["secret"].clone();
    let left = room.json(&["status"]).await["wipe"]["seconds_left"].as_u64().unwrap();
    assert!(left < 11 * DAY, "what a script does is no sign: {left}");
    let mut hanna = room.stranger().await;
    hanna.hello_as(json!({ "name": "Hanna", "invite": secret })).await;
    hanna.act("1", json!({ "act": "announce", "text": "still here" })).await;
    room.program.signal("TERM").await;
    room.program.ended().await;
    (room.program, room.address) = open(&room.directory, None, "30").await;
    let left = room.json(&["status"]).await["wipe"]["seconds_left"].as_u64().unwrap();
    assert!(left > 29 * DAY, "{left}");
}
