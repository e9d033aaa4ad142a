//! Several rooms at one address: over each transport, across restarts, as strangers attack them.

mod attacked;
mod entering;
mod lasting;
mod moving;
mod switching;
#[cfg(target_os = "linux")]
mod thousand;
mod transports;

use onionroom::config::Settings;

use crate::kit::{Guest, TestRoom};

/// Rooms of the names `tea` and `attic` beside the main one; `attic` is not listed.
fn two_more(settings: &mut Settings) {
    for (name, title, listed) in [("tea", Some("Tea at five"), true), ("attic", None, false)] {
        let room = settings.extra_room(name, title, listed).unwrap();
        settings.rooms.push(room);
    }
}

/// A guest in this room.
async fn guest_in(house: &TestRoom, room: &str, name: &str) -> Guest {
    let mut guest = house.stranger().await;
    guest.hello_as(serde_json::json!({ "name": name, "room": room })).await;
    guest
}
