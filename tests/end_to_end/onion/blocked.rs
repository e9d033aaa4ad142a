//! A network that is not there, and then is.

use std::time::Duration;

use onionroom::tor::{Stage, Status};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::room::OnionRoom;
use crate::kit::Guest;
use crate::kit::raw::Raw;

/// How long it may take until a problem is told, and until the room is reachable once the network is there.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until the status is as wanted.
async fn wait_for(room: &OnionRoom, what: &str, wanted: impl FnMut(&Status) -> bool) -> Status {
    let mut status = room.status();
    let waiting = timeout(PATIENCE, status.wait_for(wanted)).await;
    match waiting {
        Ok(reached) => reached.unwrap().clone(),
        Err(_) => panic!("waited in vain for {what}: {:?}", room.status().borrow()),
    }
}

/// With nothing to connect to, the reason is told with what to do, and the local room works all the same.
pub(crate) async fn the_room_says_what_is_wrong(room: &OnionRoom) {
    let local = room.local_addr();
    let connect = || async { TcpStream::connect(local).await.unwrap() };
    let host = format!("Host: {local}");
    let answer = Raw::new(connect().await).request(&["GET / HTTP/1.1", &host]).await;
    assert_eq!(answer.status, 200, "at once");

    let status = wait_for(room, "a problem", |status| status.problem.is_some()).await;
    let problem = status.problem.unwrap();
    for sentence in [&problem.description, &problem.advice] {
        assert!(sentence.ends_with('.') && sentence.len() > 20, "a sentence: {sentence}");
    }
    assert_eq!(status.stage, Stage::Connecting);

    let mut guest = Guest::connect(connect().await, &local.to_string()).await;
    guest.hello("Hanna").await;
    guest.say("1", "nobody can come yet").await;
}

/// Once the network is there, the same room finds it by itself.
pub(crate) async fn the_room_becomes_reachable(room: &OnionRoom) {
    let status = wait_for(room, "being reachable", |status| status.stage == Stage::Reachable).await;
    assert_eq!(status.problem, None);
    assert!((status.fraction - 1.0).abs() < f32::EPSILON);
    assert!(status.bootstrap_took.is_some() && status.self_check_took.is_some(), "{status:?}");
}
