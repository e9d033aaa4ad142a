//! What guests are told of each other: by name among a few, as a number in a crowd.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use onionroom::protocol::{Badge, GuestId, OCCUPANCY_ABOVE, OCCUPANCY_UNTIL};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::kit::noscript::NoscriptGuest;
use crate::kit::scale::Scale;
use crate::kit::{Guest, TestRoom, Visitor, within};

/// What it costs until so many are in the room and know it, as bytes that all of them read. How often the number
/// is told on the way depends on how long the way takes, so it is not weighed, but held against that time.
async fn cost_of_joining(guests: usize) -> u64 {
    let room = TestRoom::in_memory(|settings| settings.room.guests = guests).await;
    let read = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut inside = Vec::new();
    for number in 0..guests {
        let io = Scale::new(room.connect().await, Arc::clone(&read));
        let mut guest = Guest::connect(io, &room.host()).await;
        guest.hello(&format!("Guest {number}")).await;
        inside.push(guest);
    }
    let mut numbers = 0;
    for guest in &mut inside {
        let (mut count, mut told) = (guest.welcome["count"].clone(), 0);
        while count != guests {
            let event = guest.next().await;
            if event["type"] == "crowd" {
                count = event["count"].clone();
                told += 1;
                numbers += 2 + event.to_string().len() as u64;
            }
        }
        assert!(told <= began.elapsed().as_secs() + 2, "told {told} times in {:?}", began.elapsed());
    }
    read.load(Ordering::Relaxed) - numbers
}

#[tokio::test(start_paused = true)]
async fn twice_the_guests_cost_twice_as_much_to_let_in() {
    let (some, twice) = (cost_of_joining(300).await, cost_of_joining(600).await);
    assert!(twice < 2 * some, "300 guests read {some} bytes, 600 read {twice}");
    let each = (twice - some) / 300;
    assert!(each < 1000, "one guest more costs everyone together {each} bytes");
}

/// Guests who come in together.
async fn join(room: &TestRoom, count: usize) -> Vec<Guest> {
    let mut guests = Vec::new();
    for _ in 0..count {
        let mut guest = room.stranger().await;
        guest.hello_as(json!({})).await;
        guests.push(guest);
    }
    guests
}

fn listed(answer: &Value) -> usize {
    answer["guests"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_comes_and_goes_on_every_way_in() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    let poller = Visitor::arrive(&room, "Polly").await;
    let mut listener = Visitor::arrive(&room, "Lea").await.listen("", &[]).await;
    let noscript = NoscriptGuest::arrive(&room).await;
    let mut page = noscript.stream("").await;
    page.until("4 here").await;

    // As many as are listed, and one more.
    let mut others = join(&room, OCCUPANCY_ABOVE - 4).await;
    assert_eq!(listed(&others[OCCUPANCY_ABOVE - 5].welcome), OCCUPANCY_ABOVE);
    others.extend(join(&room, 1).await);
    let full = OCCUPANCY_ABOVE + 1;
    let welcome = &others[OCCUPANCY_ABOVE - 4].welcome;
    assert_eq!((listed(welcome), &welcome["count"]), (1, &json!(full)));
    assert_eq!(welcome["guests"][0], welcome["guest"]);
    assert_eq!(ann.expect("crowd").await["count"], full);
    assert_eq!(listener.expect("crowd").await["count"], full);
    page.until(&format!("{full} here</label><p>{full} guests are here, too many to list.")).await;
    assert_eq!(poller.messages("").await["count"], full);
    let again = poller.post("/rooms/main/guests", json!({ "token": poller.token() })).await.json();
    assert_eq!((listed(&again), &again["count"]), (1, &json!(full)));

    // Who asks is told everybody by name; HEAD answers with no list.
    let shown = poller.get("/rooms/main").await.json();
    assert_eq!((listed(&shown), &shown["count"]), (full, &json!(full)));
    let head = poller.request("HEAD", "/rooms/main", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));

    // A new name is told to the one who wanted it, and stands on what they say.
    ann.send(json!({ "type": "rename", "name": "Anna" })).await;
    assert_eq!(ann.expect("renamed").await["guest"]["name"], "Anna");
    ann.say("1", "hello, all").await;
    loop {
        let event = listener.next().await.unwrap();
        assert_ne!(event["type"], "renamed", "{event}");
        if event["type"] == "message" {
            assert_eq!(event["name"], "Anna");
            break;
        }
    }

    // They leave, one by one, until those who stay are named again.
    for mut guest in others.drain(..full - OCCUPANCY_UNTIL) {
        guest.send(json!({ "type": "leave" })).await;
        guest.gone().await;
    }
    for roster in [ann.expect("roster").await, listener.expect("roster").await] {
        assert_eq!(listed(&roster), OCCUPANCY_UNTIL);
        assert!(roster["guests"].as_array().unwrap().iter().any(|guest| guest["name"] == "Anna"));
    }
    // The badge is what follows from the number, and ends an item of the list.
    let badge = Badge::of(GuestId(ann.id()));
    page.until(&format!("<path d=\"{}\"></path></svg></span></li>", badge.path())).await;
    let _eve = room.guest("Eve").await;
    // By her name again; after so many changes within a second it may stand in the next roster.
    within("the name of who came", async {
        loop {
            let event = ann.next().await;
            let named = |guest: &Value| guest["name"] == "Eve";
            if event["type"] == "joined" && named(&event["guest"])
                || event["type"] == "roster" && event["guests"].as_array().unwrap().iter().any(named)
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_number_of_a_crowd_is_right_in_the_end() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    let mut others = join(&room, OCCUPANCY_ABOVE + 20).await;
    for mut guest in others.drain(..10) {
        guest.send(json!({ "type": "leave" })).await;
        guest.gone().await;
    }
    within("the number of those who are here", async {
        while ann.expect("crowd").await["count"] != OCCUPANCY_ABOVE + 11 {}
    })
    .await;
}
