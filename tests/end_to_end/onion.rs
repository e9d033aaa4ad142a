//! Through Tor: a private network of real C Tor processes, its C Tor client as the visitor, our room as the
//! onion service.
//!
//! The network takes a dozen seconds to start, so one test has it for all that is to be seen on it, step by
//! step, and ends it; a test binary has no end of its own at which a shared one would be ended.

mod balanced;
mod behind;
mod blocked;
mod circuits;
mod command;
mod daemon;
mod distance;
mod ending;
mod introductions;
mod limits;
mod moved;
mod other_client;
mod ports;
mod private;
mod room;
mod socks;
pub(crate) mod visitor;
mod visits;

use std::sync::Arc;
use std::time::Instant;

use onionroom::config::Settings;
use onionroom::lab::Plan;
use tokio::sync::Mutex;

use crate::nothing_lost;
use other_client::OtherClient;
use room::OnionRoom;
use visitor::Visitors;

/// Held by a test with a network: two at once are slow on two cores, and what they wait for has deadlines.
static ONE_NETWORK: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_on_a_private_tor_network() {
    let _alone = ONE_NETWORK.lock().await;
    // Tells where the test is, for whoever reads why it failed or what took so long.
    let started = Instant::now();
    let step = |what: &str| println!("{:5.1} s  {what}", started.elapsed().as_secs_f32());

    step("the network is prepared, but nothing of it runs");
    let prepared = Plan::default().prepare(|_| ()).await.unwrap_or_else(|error| panic!("{error}"));
    // The second network starts beside the first.
    let far = tokio::spawn(distance::network());
    let data = tempfile::tempdir().unwrap();
    let room = OnionRoom::open(prepared.network_file(), Some(&data.path().join("room"))).await;

    step("the room says what stands in the way, and the local room works");
    blocked::the_room_says_what_is_wrong(&room).await;
    step("the network appears");
    let network = prepared
        .start(|progress| step(&progress.to_string()))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    step("the room becomes reachable without a restart");
    blocked::the_room_becomes_reachable(&room).await;
    let visitors = Arc::new(Visitors::of(&network));
    visitors.reach(room.host()).await;

    step("the page loads");
    visits::the_page_loads(&visitors, room.host()).await;
    step("the golden handshake");
    visits::the_golden_handshake(&visitors, room.host()).await;
    step("two guests on two circuits talk");
    visits::two_guests_talk(&visitors, room.host(), "good evening").await;
    step("a circuit that closes frees its guest's seat");
    circuits::a_closed_circuit_frees_the_seat(&visitors, room.host()).await;
    step("an unknown port is answered as C Tor would");
    ports::an_unknown_port_is_answered_as_c_tor_would(&visitors, room.host()).await;

    step("closing tells the guests");
    let host = room.host().to_owned();
    visits::closing_tells_the_guests(&visitors, room).await;
    step("the same data on another network, with distance: the address stays, and all get in");
    let far = far.await.unwrap();
    distance::the_same_room_on_a_network_with_distance(&far, &data.path().join("room"), &host).await;
    far.stop().await;
    step(
        "back on the first network, a restart keeps the address, also for a guest who knocked while nobody was there",
    );
    visitors.knock_in_vain(&host).await;
    let room = OnionRoom::open(network.network_file(), Some(&data.path().join("room"))).await;
    assert_eq!(room.host(), host);
    blocked::the_room_becomes_reachable(&room).await;
    visitors.reach(&host).await;
    room.close().await;

    step("circuits are closed again and again, and nothing is lost");
    let room = OnionRoom::open(network.network_file(), Some(&data.path().join("unbroken"))).await;
    visitors.reach(room.host()).await;
    nothing_lost::circuits::circuits_that_are_closed_again_and_again(&visitors, room.host()).await;
    room.close().await;

    step("an idle circuit ends, and a reload has a new one");
    let short = |settings: &mut Settings| settings.onion.idle_circuit = limits::IDLE;
    let room = OnionRoom::open_with(network.network_file(), None, short).await;
    visitors.reach(room.host()).await;
    limits::an_idle_circuit_ends_and_a_reload_has_a_new_one(&visitors, room.host()).await;
    room.close().await;

    step("behind C Tor's onion service each circuit has its budget");
    behind::c_tors_onion_service_tells_the_circuits(&visitors, &network).await;

    step("keys move between the room and C Tor");
    moved::keys_move_between_the_room_and_c_tor(&visitors, &network, &data.path().join("moved")).await;

    step("one address for two rooms");
    balanced::one_address_for_two_rooms(&visitors, &network).await;

    step("with threads for the circuits guests talk, and the room ends whole");
    let path = data.path().join("threads");
    let threads = |settings: &mut Settings| settings.onion.threads = 2;
    let room = OnionRoom::open_with(network.network_file(), Some(&path), threads).await;
    visitors.reach(room.host()).await;
    visits::two_guests_talk(&visitors, room.host(), "good evening").await;
    visits::closing_tells_the_guests(&visitors, room).await;
    OnionRoom::open_with(network.network_file(), Some(&path), threads).await.close().await;

    step("a full room knows that it is reachable");
    let full = |settings: &mut Settings| (settings.room.guests, settings.listen.connections) = (1, 1);
    let room = OnionRoom::open_with(network.network_file(), None, full).await;
    limits::a_full_room_knows_that_it_is_reachable(&room).await;
    room.close().await;

    let other = OtherClient::start(&network).await;
    let attackers = Arc::new(other.visitors);
    step("introductions over the rate limit do not come to the service");
    introductions::introduction_points_keep_the_rate(&attackers, network.network_file()).await;
    if cfg!(feature = "pow") {
        step("introductions with effort go first");
        // One whose view of the network the closed circuits of the steps before have not changed.
        let honest = OtherClient::start(&network).await;
        introductions::effort_goes_first(&honest.visitors, &attackers, network.network_file()).await;
    }

    step("the program: an ephemeral room leaves nothing on disk");
    let first = command::an_ephemeral_room_leaves_nothing(&visitors, network.network_file()).await;
    assert_ne!(first, host);
    step("the program: another ephemeral room has another address");
    let second = command::an_ephemeral_room_leaves_nothing(&visitors, network.network_file()).await;
    assert_ne!(first, second);

    step("the network ends and leaves nothing");
    ending::stopping_leaves_nothing(network).await;
}

/// On a network of its own: what a service publishes again waits for a minute, and the test above need not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_room_on_a_private_tor_network() {
    let _alone = ONE_NETWORK.lock().await;
    let started = Instant::now();
    let step = |what: &str| println!("{:5.1} s  {what}", started.elapsed().as_secs_f32());
    let plan = Plan { relays: 6, ..Plan::default() };
    let prepared = plan.prepare(|_| ()).await.unwrap_or_else(|error| panic!("{error}"));
    let network = prepared.start(|_| ()).await.unwrap_or_else(|error| panic!("{error}"));
    let data = tempfile::tempdir().unwrap();
    private::a_private_room(&network, &data.path().join("room"), step).await;
    network.stop().await;
}
