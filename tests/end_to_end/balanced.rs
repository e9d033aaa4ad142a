//! The room behind nginx and HAProxy, with the configurations of `config/`: every transport goes through, nothing is held
//! back, guests have limits of their own, and a node is taken out while people talk.
//!
//! Two nodes are two ways to one process here ([`crate::kit::node`]).

mod limits;
mod nodes;
mod symptoms;
mod transports;

use std::net::SocketAddr;

use onionroom::config::{ProxyAddress, PublicOrigin, Settings};

use crate::kit::TestRoom;
use crate::kit::balancer::Kind;
use crate::kit::elsewhere::NAME;

/// A room with a listener for this kind of proxy.
async fn room_behind(kind: Kind, change: impl FnOnce(&mut Settings)) -> TestRoom {
    TestRoom::open_with(|settings| {
        settings.listen.public = vec![PublicOrigin::parse(&format!("https://{NAME}")).unwrap()];
        settings.listen.proxy = Some(ProxyAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))));
        settings.listen.proxy_protocol = kind.tells_addresses();
        change(settings);
    })
    .await
}
