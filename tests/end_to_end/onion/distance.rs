//! A second network, on which a byte takes its time from one relay to the next: what depends on round trips is seen only
//! here. It is also another network than that which the room's data was used on before.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onionroom::lab::{Network, Plan};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::room::OnionRoom;
use super::visitor::Visitors;
use super::{blocked, circuits, visits};

/// As between relays of the public network.
const DISTANCE: Duration = Duration::from_millis(40);

/// How many guests come at once, each over a circuit of their own.
const CROWD: usize = 16;

/// The network's least timeout for building a circuit: less than a room's own. In the public network it is even less.
const NETWORK_LEAST: Duration = Duration::from_secs(1);

/// What a room gives a circuit in any case, in milliseconds.
const ROOM_LEAST: u64 = 1500;

/// Where Arti keeps what it has learned of building times (tor-circmgr 0.47), in the data directory.
const LEARNED: &str = "tor/state/state/circuit_timeouts.json";

/// Starts it, with as few nodes as work.
pub(crate) async fn network() -> Network {
    let plan = Plan {
        relays: 4,
        authorities: 1,
        distance: DISTANCE,
        build_timeout_min: NETWORK_LEAST,
        ..Plan::default()
    };
    let prepared = plan.prepare(|_| ()).await.unwrap_or_else(|error| panic!("{error}"));
    prepared.start(|_| ()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The data directory has been used on another network. The room becomes reachable under the same address, still has what
/// was said, and works with distance.
pub(crate) async fn the_same_room_on_a_network_with_distance(network: &Network, data: &Path, host: &str) {
    let room = OnionRoom::open(network.network_file(), Some(data)).await;
    assert_eq!(room.host(), host);
    blocked::the_room_becomes_reachable(&room).await;
    let visitors = Arc::new(Visitors::of(network));
    visitors.reach(host).await;
    visits::hears(&mut visitors.guest("Reader", host).await, "good evening").await;
    visits::the_page_loads(&visitors, host).await;
    visits::two_guests_talk(&visitors, host, "good morning").await;
    circuits::a_closed_circuit_frees_the_seat(&visitors, host).await;
    a_crowd_gets_in(&visitors, host).await;
    visits::closing_tells_the_guests(&visitors, room).await;
    circuits_get_their_time(network, data).await;
}

/// A room that has learned from a thousand quick circuits still gives each its least time. On its way to be reachable it builds
/// some, and at its end it writes down what it gives them.
async fn circuits_get_their_time(network: &Network, data: &Path) {
    let learned = ROOM_LEAST - 295;
    let file = data.join(LEARNED);
    assert!(file.exists(), "Arti keeps it elsewhere now");
    let quick = json!({ "version": 1, "histogram": [[learned, 1000]], "current_timeout": learned });
    fs::write(&file, quick.to_string()).unwrap();
    let room = OnionRoom::open(network.network_file(), Some(data)).await;
    blocked::the_room_becomes_reachable(&room).await;
    room.close().await;
    let state: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(state["current_timeout"].as_u64() >= Some(ROOM_LEAST), "{state}");
}

/// Many at once, and none of them has to try again.
async fn a_crowd_gets_in(visitors: &Arc<Visitors>, host: &str) {
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (visitors, host) = (Arc::clone(visitors), host.to_owned());
        crowd.spawn(async move {
            let name = visitors.new_name();
            visitors.guest(&name, &host).await
        });
    }
    let guests = crowd.join_all().await;
    let most = guests.iter().map(|guest| guest.welcome["guests"].as_array().map_or(0, Vec::len)).max();
    assert!(most >= Some(CROWD), "the last to come finds the others: {most:?}");
}
