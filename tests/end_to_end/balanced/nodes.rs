//! A node is taken out and put back while people talk, in good order and by its end: nothing acknowledged is lost, nothing
//! comes twice, and no guest has to come back to the node where they were.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::room_behind;
use crate::kit::balancer::{Balancer, Kind};
use crate::kit::dice::Dice;
use crate::kit::everyone::everyone_hears_everyone_at_once;
use crate::kit::node::Node;
use crate::kit::raw::Raw;
use crate::kit::{DEADLINE, Guest, within};
use crate::nothing_lost::crowd::{Crowd, kept};
use crate::nothing_lost::steadfast::{Manners, Way};

const GUESTS: usize = 8;

/// Patient, because a handshake of TLS on a busy machine takes its time.
const MANNERS: Manners = Manners {
    under_way: 2,
    welcome: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    pause: Duration::from_millis(20),
};

async fn a_node_is_taken_out_and_put_back(kind: Kind) {
    let mut dice = Dice::thrown("nodes");
    let data = tempfile::tempdir().unwrap();
    let room = room_behind(kind, |settings| {
        settings.data_dir = Some(data.path().join("room"));
        settings.history.messages = 1_000_000;
        // All of them are one address here.
        settings.listen.requests_per_second = 0;
    })
    .await;
    let (mut a, mut b) = (Node::before(room.proxy()).await, Node::before(room.proxy()).await);
    let addresses = [("a", a.address()), ("b", b.address())];
    let balancer = Arc::new(Balancer::start(kind, &[a.address(), b.address()]).await);
    let way: Way = {
        let dial = balancer.dial();
        Arc::new(move |_| {
            let dial = dial.clone();
            async move { Ok((dial.connect().await, dial.host())) }.boxed()
        })
    };
    let mut crowd = Crowd::start(GUESTS, MANNERS, &way, &mut dice, DEADLINE);
    crowd.until("everyone", |progress| progress.welcomes >= GUESTS).await;

    // In good order: the proxy knows before the node closes.
    for (node, other) in [(&mut a, addresses[1]), (&mut b, addresses[0])] {
        balancer.send_new_guests_to(&[other]).await;
        let before = crowd.progress();
        crowd.until("talk", |progress| progress.acknowledged > before.acknowledged + GUESTS).await;
        node.close().await;
        // Whoever was there comes back at the other one, at the first attempt.
        let mut guest = Guest::connect(balancer.dial().connect().await, &balancer.dial().host()).await;
        guest.hello("New").await;
        guest.send(serde_json::json!({ "type": "leave" })).await;
        guest.gone().await;
        node.open().await;
        balancer.send_new_guests_to(&addresses).await;
        within("the node to be used again", is_used(node, &balancer)).await;
    }

    // By its end: the proxy finds out.
    for node in [&mut a, &mut b] {
        let before = crowd.progress();
        node.close().await;
        crowd.until("talk", |progress| progress.acknowledged > before.acknowledged + 2 * GUESTS).await;
        node.open().await;
        within("the node to be used again", is_used(node, &balancer)).await;
    }
    crowd.fall_silent().await;
    let kept = kept(room.stranger().await).await;
    println!("{kind:?}: {} messages, {} welcomes", kept.len(), crowd.progress().welcomes);
    crowd.agrees_with(&kept, 1).await;
}

/// Asks through the proxy until this node is asked.
async fn is_used(node: &Node, balancer: &Balancer) {
    let (dial, before) = (balancer.dial(), node.accepted());
    while node.accepted() == before {
        let mut raw = Raw::new(dial.connect().await);
        let host = format!("Host: {}", dial.host());
        // Directly after a node has ended there may be none to ask.
        let _ = raw.request(&["GET /health HTTP/1.1", &host, "Connection: close"]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_behind_nginx_is_taken_out_and_put_back_while_people_talk() {
    a_node_is_taken_out_and_put_back(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_behind_nginx_as_a_stream_is_taken_out_and_put_back_while_people_talk() {
    a_node_is_taken_out_and_put_back(Kind::NginxStream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_behind_haproxy_is_taken_out_and_put_back_while_people_talk() {
    a_node_is_taken_out_and_put_back(Kind::Haproxy).await;
}

/// Seats, cursors and polls over two nodes in turns, and with guests who are always sent to the same one.
#[tokio::test]
async fn it_does_not_matter_which_node_a_guest_comes_to() {
    let as_it_is = |config: String| config;
    let sticky = |config: String| {
        let sticky = config
            .replace("balance leastconn", "balance source")
            .replace("upstream onionroom {", "upstream onionroom {\n    hash $remote_addr;");
        assert_ne!(sticky, config);
        sticky
    };
    for kind in Kind::ALL {
        for (change, both) in [(as_it_is as fn(String) -> String, true), (sticky, false)] {
            let room = room_behind(kind, |_| {}).await;
            let (a, b) = (Node::before(room.proxy()).await, Node::before(room.proxy()).await);
            let balancer = Balancer::start_changed(kind, &[a.address(), b.address()], change).await;
            everyone_hears_everyone_at_once(balancer.dial()).await;
            let used = [a.accepted(), b.accepted()];
            // HAProxy asks both how they are, at times of its own.
            if both || kind != Kind::Haproxy {
                assert_eq!(!used.contains(&0), both, "{kind:?} {used:?}");
            }
        }
    }
}

/// HAProxy asks each node how it is: whether it can write, not only whether it answers.
#[tokio::test]
async fn haproxy_knows_which_nodes_are_well() {
    let room = room_behind(Kind::Haproxy, |_| {}).await;
    let (a, mut b) = (Node::before(room.proxy()).await, Node::before(room.proxy()).await);
    let balancer = Balancer::start(Kind::Haproxy, &[a.address(), b.address()]).await;
    let well = async |server: &str, well: bool| {
        loop {
            let state = balancer.command("show stat").await;
            let line = state.lines().find(|line| line.starts_with(&format!("onionroom,{server},"))).unwrap();
            // "UP", or "UP 1/2" while that changes; L7OK is the answer to the question.
            if well && line.contains(",UP,") && line.contains(",L7OK,") || !well && line.contains(",DOWN,") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("both well", async { tokio::join!(well("a", true), well("b", true)) }).await;
    b.close().await;
    within("one well", async { tokio::join!(well("a", true), well("b", false)) }).await;
}
