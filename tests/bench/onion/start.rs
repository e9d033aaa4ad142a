//! From the start of the process to the first visitor.

use std::path::Path;

use onionroom::lab::Network;
use tokio::time::Instant;

use super::c_tor;
use super::service::{Kind, Service};
use crate::kit::Outcome;
use crate::kit::figures::Sample;

/// Each since the process was started.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// Until the address was known.
    pub(crate) address: Sample,
    /// Until circuits could be built.
    pub(crate) ready: Sample,
    /// Until it had visited itself: the room does so and says it, C Tor is made to.
    pub(crate) reachable: Sample,
    /// Until a visitor who keeps trying had a connection. Only for a fresh address: a visitor to a kept one may
    /// still find the descriptor of the start before, and then what is measured is their client's patience.
    pub(crate) visitor: Sample,
}

/// Starts with an empty data directory, and with the one of the start before.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    pub(crate) fresh: Start,
    pub(crate) kept: Start,
}

/// Starts each `runs` times with empty directories, and again after each; one after the other in turn.
pub(crate) async fn side_by_side(
    kinds: &[Kind],
    network: &Network,
    runs: usize,
) -> Outcome<Vec<(Kind, Starts)>> {
    let mut starts: Vec<_> = kinds.iter().map(|kind| (*kind, Starts::default())).collect();
    for _ in 0..runs {
        for (kind, starts) in &mut starts {
            let home = tempfile::tempdir()?;
            for (start, fresh) in [(&mut starts.fresh, true), (&mut starts.kept, false)] {
                let service = Service::start_with(*kind, network, home.path(), c_tor::VISITING).await?;
                once(*kind, service, home.path(), start, fresh).await?;
            }
        }
    }
    Ok(starts)
}

async fn once(kind: Kind, mut service: Service, home: &Path, start: &mut Start, fresh: bool) -> Outcome<()> {
    let started = service.onion.started();
    start.address.add(service.address_known - started);
    let way = service.way.clone();
    let home = home.to_owned();
    let itself = (kind == Kind::CTor).then(|| tokio::spawn(async move { c_tor::visit(&home).await }));
    start.ready.add(service.ready().await? - started);
    let visitor = fresh.then(|| tokio::spawn(async move { way.reach().await.map(|()| Instant::now()) }));
    let reachable = match itself {
        Some(visit) => visit.await??,
        None => {
            let reachable = |line: &str| line.starts_with("reachable: ").then_some(());
            service.onion.heard("that it is reachable", reachable).await?.0
        }
    };
    start.reachable.add(reachable - started);
    if let Some(visitor) = visitor {
        start.visitor.add(visitor.await?? - started);
    }
    service.end().await
}
