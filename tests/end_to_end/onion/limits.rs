//! What the service limits, as a C Tor client sees it.

use std::time::Duration;

use onionroom::tor::Stage;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::room::OnionRoom;
use super::visitor::Visitors;
use crate::kit::Guest;
use crate::kit::raw::Raw;

/// How long the end of an idle circuit, or the self-check of a room that is full, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings' least.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// A circuit without streams is ended by the service; a guest who comes back has a new one at once.
pub(crate) async fn an_idle_circuit_ends_and_a_reload_has_a_new_one(visitors: &Visitors, host: &str) {
    let request = ["GET / HTTP/1.1", &format!("Host: {host}"), "Connection: close"];
    let began = Instant::now();
    assert_eq!(Raw::new(visitors.connect_as("Idle", host).await).request(&request).await.status, 200);
    let first_visit = began.elapsed();
    let first = visitors.circuit_of("Idle").await;

    let began = Instant::now();
    while visitors.circuits().await.iter().any(|(_, circuit)| *circuit == first) {
        assert!(began.elapsed() < PATIENCE, "the circuit does not end");
        sleep(Duration::from_millis(200)).await;
    }
    let ended = began.elapsed();
    let began = Instant::now();
    assert_eq!(Raw::new(visitors.connect_as("Idle", host).await).request(&request).await.status, 200);
    println!(
        "first visit {first_visit:.1?}; idle circuit ended after {ended:.1?}; reload {:.1?}",
        began.elapsed()
    );
    assert_ne!(visitors.circuit_of("Idle").await, first);
}

/// A room with no connection left is reachable all the same: it answers its self-check with a refusal.
pub(crate) async fn a_full_room_knows_that_it_is_reachable(room: &OnionRoom) {
    let local = room.local_addr();
    let mut guest = Guest::connect(TcpStream::connect(local).await.unwrap(), &local.to_string()).await;
    guest.hello("The only one").await;
    let mut status = room.status();
    let reached = status.wait_for(|status| status.stage == Stage::Reachable);
    timeout(PATIENCE, reached).await.expect("reachable").unwrap();
    guest.say("1", "still here").await;
}
