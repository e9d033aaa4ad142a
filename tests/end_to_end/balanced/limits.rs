//! What the room knows of its guests through a proxy: an address, as a budget.

use super::room_behind;
use crate::kit::balancer::{Balancer, Kind};
use crate::kit::raw::Raw;
use crate::kit::room::Dial;

/// A guest who asks for more than their limit holds up no other address, where the proxy says whose connection is whose.
async fn each_address_has_limits_of_its_own(kind: Kind) {
    let room = room_behind(kind, |settings| settings.listen.requests_per_second = 1).await;
    let balancer = Balancer::start(kind, &[room.proxy()]).await;
    let line = |dial: &Dial| format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", dial.host());
    let (greedy, modest) = (balancer.dial_from([127, 0, 0, 2]), balancer.dial_from([127, 0, 0, 3]));
    let mut raw = Raw::new(greedy.connect().await);
    // Ten come at once, the others one a second.
    raw.write(line(&greedy).repeat(200).as_bytes()).await;
    raw.answer().await;
    let answered = tokio::spawn(async move {
        for _ in 1..200 {
            raw.answer().await;
        }
    });
    let mut raw = Raw::new(modest.connect().await);
    raw.write(line(&modest).repeat(3).as_bytes()).await;
    for _ in 0..3 {
        assert_eq!(raw.answer().await.status, 204);
    }
    assert!(!answered.is_finished(), "the other one waits");
    answered.abort();
}

#[tokio::test]
async fn each_address_has_limits_of_its_own_behind_nginx_as_a_stream() {
    each_address_has_limits_of_its_own(Kind::NginxStream).await;
}

#[tokio::test]
async fn each_address_has_limits_of_its_own_behind_haproxy() {
    each_address_has_limits_of_its_own(Kind::Haproxy).await;
}
