//! From the start of the process to the first visitor.

use onionroom::lab::Network;
use tokio::time::Instant;

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
    /// Until it had visited itself and said so; C Tor does not.
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
                let service = Service::start(*kind, network, home.path()).await?;
                once(*kind, service, start, fresh).await?;
            }
        }
    }
    Ok(starts)
}

async fn once(kind: Kind, mut service: Service, start: &mut Start, fresh: bool) -> Outcome<()> {
    let started = service.onion.started();
    start.address.add(service.address_known - started);
    start.ready.add(service.ready().await? - started);
    let way = service.way.clone();
    let visitor = fresh.then(|| tokio::spawn(async move { way.reach().await.map(|()| Instant::now()) }));
    if kind != Kind::CTor {
        let reachable = |line: &str| line.starts_with("reachable: ").then_some(());
        start.reachable.add(service.onion.heard("that it is reachable", reachable).await?.0 - started);
    }
    if let Some(visitor) = visitor {
        start.visitor.add(visitor.await?? - started);
    }
    service.end().await
}
