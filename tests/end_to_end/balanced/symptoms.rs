//! What a guest sees when a line of the configuration is missing, as `docs/behind-a-proxy.md` has it.

use super::room_behind;
use crate::kit::Visitor;
use crate::kit::balancer::{Balancer, Kind};
use crate::kit::raw::{Answer, Raw};

/// The configuration without the lines that begin like this.
fn without(config: &str, beginnings: &[&str]) -> String {
    let (gone, kept): (Vec<_>, Vec<_>) = config
        .lines()
        .partition(|line| beginnings.iter().any(|beginning| line.trim_start().starts_with(beginning)));
    assert_eq!(gone.len(), beginnings.len());
    kept.join("\n")
}

async fn asked(balancer: &Balancer, path: &str, more: &[&str]) -> Answer {
    let dial = balancer.dial();
    let (line, host) = (format!("GET {path} HTTP/1.1"), format!("Host: {}", dial.host()));
    Raw::new(dial.connect().await).request(&[&[line.as_str(), &host], more].concat()).await
}

#[tokio::test]
async fn without_the_upgrade_a_websocket_is_refused_and_the_rest_goes_on() {
    let in_http_1_0 = |config: String| {
        let upgrade = ["proxy_http_version", "proxy_set_header Upgrade", "proxy_set_header Connection"];
        without(&config, &upgrade)
    };
    let in_http_1_1 = |config: String| {
        let config = without(&config, &["proxy_set_header Upgrade", "proxy_set_header Connection"]);
        // As it is recommended for connections that are kept.
        config.replace("proxy_http_version 1.1;", "proxy_http_version 1.1; proxy_set_header Connection \"\";")
    };
    without_the_upgrade(in_http_1_0, 400).await;
    without_the_upgrade(in_http_1_1, 426).await;
}

async fn without_the_upgrade(change: fn(String) -> String, status: u16) {
    let room = room_behind(Kind::Nginx, |_| {}).await;
    let balancer = Balancer::start_changed(Kind::Nginx, &[room.proxy()], change).await;
    let handshake = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ];
    assert_eq!(asked(&balancer, "/chat", &handshake).await.status, status);
    let ann = Visitor::stranger_on(balancer.dial()).seated("Ann").await;
    let mut events = ann.listen("", &[]).await;
    ann.say("1", "hello").await;
    assert_eq!(events.expect("message").await["text"], "hello");
}

#[tokio::test]
async fn without_the_host_the_room_is_not_known_by_that_name() {
    let room = room_behind(Kind::Nginx, |_| {}).await;
    let change = |config: String| without(&config, &["proxy_set_header Host"]);
    let balancer = Balancer::start_changed(Kind::Nginx, &[room.proxy()], change).await;
    assert_eq!(asked(&balancer, "/health", &[]).await.status, 421);
}

#[tokio::test]
async fn a_protocol_that_one_side_alone_speaks_lets_nothing_through() {
    let expecting = room_behind(Kind::Haproxy, |_| {}).await;
    let balancer = Balancer::start(Kind::Nginx, &[expecting.proxy()]).await;
    assert_eq!(asked(&balancer, "/health", &[]).await.status, 502);
    let not_expecting = room_behind(Kind::Nginx, |_| {}).await;
    let balancer = Balancer::start(Kind::NginxStream, &[not_expecting.proxy()]).await;
    assert_eq!(asked(&balancer, "/health", &[]).await.status, 400);
    // HAProxy passes that on, until its question has failed twice.
    let balancer = Balancer::start(Kind::Haproxy, &[not_expecting.proxy()]).await;
    let status = asked(&balancer, "/health", &[]).await.status;
    assert!([400, 502, 503].contains(&status), "{status}");
}
