//! A WebSocket, server-sent events, polls that wait, and the page without JavaScript, through each proxy.

use tokio::process::Command;

use super::room_behind;
use crate::kit::balancer::{Balancer, Kind};
use crate::kit::everyone::{everyone_hears_everyone_at_once, the_page_is_that_of_the_public_name};
use crate::kit::{Guest, within};

/// What Node says to a proxy.
const HTTP_2: &str = include_str!("http2.mjs");

async fn through(kind: Kind) {
    let room = room_behind(kind, |_| {}).await;
    let balancer = Balancer::start(kind, &[room.proxy()]).await;
    everyone_hears_everyone_at_once(balancer.dial()).await;
    the_page_is_that_of_the_public_name(&balancer.dial()).await;
}

#[tokio::test]
async fn every_transport_goes_through_nginx() {
    through(Kind::Nginx).await;
}

#[tokio::test]
async fn every_transport_goes_through_nginx_as_a_stream() {
    through(Kind::NginxStream).await;
}

#[tokio::test]
async fn every_transport_goes_through_haproxy() {
    through(Kind::Haproxy).await;
}

/// HAProxy makes a handshake of HTTP/1.1 of a WebSocket in HTTP/2 (RFC 8441); nginx does not offer that, so that browsers take
/// another connection for it.
#[tokio::test]
async fn a_websocket_in_http_2_goes_through_haproxy_and_is_not_offered_by_nginx() {
    for (kind, expected) in [
        (Kind::Haproxy, "extended connect true\nhealth 204\nchat 200 chat\nwelcome\n"),
        (Kind::Nginx, "extended connect false\n"),
    ] {
        let room = room_behind(kind, |_| {}).await;
        let balancer = Balancer::start(kind, &[room.proxy()]).await;
        let mut node = Command::new("node");
        node.args(["--input-type=module", "-e", HTTP_2, "--", &balancer.address().to_string()]);
        let output = within("node", node.kill_on_drop(true).output()).await.unwrap();
        let (said, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(said, expected, "{complaint}");
    }
}

/// Who forgets to turn buffering off gets responses without an end all the same: they say so themselves.
#[tokio::test]
async fn nginx_that_buffers_holds_no_response_without_an_end_back() {
    let room = room_behind(Kind::Nginx, |_| {}).await;
    let forget = |config: String| {
        assert!(config.contains("proxy_buffering off;"));
        config.replace("proxy_buffering off;", "")
    };
    let balancer = Balancer::start_changed(Kind::Nginx, &[room.proxy()], forget).await;
    everyone_hears_everyone_at_once(balancer.dial()).await;
}

/// The ping keeps a silent guest's connection open for longer than the proxy's timeouts, here in small: pings each second,
/// and five seconds in place of two minutes.
#[tokio::test]
async fn a_guest_who_is_silent_stays() {
    let shorten = |config: String| {
        let shorter = config.replace("120s", "5s");
        assert_ne!(shorter, config);
        shorter
    };
    let one = |kind| async move {
        let room =
            room_behind(kind, |settings| settings.listen.idle_ping = std::time::Duration::from_secs(1)).await;
        let balancer = Balancer::start_changed(kind, &[room.proxy()], shorten).await;
        let dial = balancer.dial();
        let mut guest = Guest::connect(dial.connect().await, &dial.host()).await;
        guest.hello("Silent").await;
        guest.pinged(8).await;
        guest.say("1", "still here").await;
    };
    let [first, second, third] = Kind::ALL.map(one);
    within("three silent guests", async { tokio::join!(first, second, third) }).await;
}
