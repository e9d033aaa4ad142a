//! From the start of the process to the first visitor.

use onionroom::lab::Network;

use super::service::{Kind, Service};
use crate::kit::figures::Sample;
use crate::kit::{Outcome, within};

/// Each since the process was started.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// Until the address was known.
    pub(crate) address: Sample,
    /// Until circuits could be built.
    pub(crate) ready: Sample,
    /// Until it had visited itself and said so; C Tor does not.
    pub(crate) reachable: Sample,
    /// Until a visitor who comes back ten times a second had a connection.
    pub(crate) visitor: Sample,
}

/// Starts with an empty data directory, and with the one of the start before.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    pub(crate) fresh: Start,
    pub(crate) kept: Start,
}

/// Starts it `runs` times with empty directories, and again after each.
pub(crate) async fn measure(kind: Kind, network: &Network, runs: usize) -> Outcome<Starts> {
    let mut starts = Starts::default();
    for _ in 0..runs {
        let home = tempfile::tempdir()?;
        for start in [&mut starts.fresh, &mut starts.kept] {
            forget_services(network).await?;
            let service = Service::start(kind, network, home.path()).await?;
            once(kind, service, start).await?;
        }
    }
    Ok(starts)
}

/// Makes the client forget every onion service: the visitor is one who has not been there, and does not look for
/// the introduction points of the start before.
async fn forget_services(network: &Network) -> Outcome<()> {
    let mut events = network.connect_control().await?.events("SIGNAL").await?;
    network.connect_control().await?.command("SIGNAL NEWNYM").await?;
    // The client takes this every ten seconds at most, and tells when it does.
    while !within("a new identity", events.next()).await??.contains("NEWNYM") {}
    Ok(())
}

async fn once(kind: Kind, mut service: Service, start: &mut Start) -> Outcome<()> {
    let started = service.onion.started();
    start.address.add(service.address_known - started);
    start.ready.add(service.ready().await? - started);
    let way = service.way.clone();
    let visitor = tokio::spawn(async move {
        way.reach().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(tokio::time::Instant::now())
    });
    if kind == Kind::Room {
        let reachable = |line: &str| line.starts_with("reachable: ").then_some(());
        start.reachable.add(service.onion.heard("that it is reachable", reachable).await?.0 - started);
    }
    start.visitor.add(visitor.await?? - started);
    service.end().await
}
