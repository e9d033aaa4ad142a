//! What a log in NATS has to do beyond the contract of every log: on real servers.

mod deletion;
mod erasure;
mod faults;
mod opening;
mod order;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use super::{JetStreamLog, Timing};
use crate::cluster::servers::Servers;
use crate::cluster::{ClusterError, Connection};
use crate::log::{Follow, Log, Retention};
use crate::protocol::Record;

/// Everything is kept.
const ALL: Retention = Retention { messages: 1_000_000, bytes: 0, age: None };

/// The name of the room in NATS.
const ROOM: &str = "tea";

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// Times for tests: nothing waits for long.
fn soon() -> Timing {
    Timing {
        append: Duration::from_secs(20),
        ask: Duration::from_secs(1),
        erase_own: Duration::ZERO,
        erase_others: Duration::ZERO,
        ..Timing::default()
    }
}

async fn connect(servers: &Servers, addresses: &[String]) -> Result<Arc<Connection>, ClusterError> {
    Connection::open(&servers.settings(ROOM, addresses)).await
}

/// The log of one more node.
pub(in crate::log) async fn open(servers: &Servers, retention: Retention) -> JetStreamLog {
    open_at(servers, &servers.addresses(), retention, soon()).await
}

async fn open_at(
    servers: &Servers,
    addresses: &[String],
    retention: Retention,
    timing: Timing,
) -> JetStreamLog {
    let opened = async {
        loop {
            let connection = connect(servers, addresses).await.unwrap();
            match JetStreamLog::open_with(connection, retention, timing).await {
                Ok(log) => return log,
                // Servers that were started a moment ago may not have agreed on a leader yet.
                Err(ClusterError::NoQuorum { .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(DEADLINE, opened).await.expect("a log in time")
}

/// Waits until the log has read up to this number.
async fn reaches(log: &JetStreamLog, head: u64) {
    let reached = async {
        while log.span().await.unwrap().head < head {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, reached).await.expect("the entries in time");
}

/// What comes until the entry `last`.
async fn until(follow: &mut Follow, last: u64) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    while records.last().is_none_or(|record| record.seq < last) {
        let batch = timeout(DEADLINE, follow.next()).await.expect("entries in time");
        records.extend(batch.expect("an open log"));
    }
    records
}

/// Asserts that no author's id is in it twice and the numbers count up.
fn assert_once(records: &[Record]) {
    assert!(records.is_sorted_by(|one, next| one.seq < next.seq), "numbers count up");
    let ids: HashSet<_> = records.iter().map(|record| (record.author, record.id.clone())).collect();
    assert_eq!(ids.len(), records.len(), "nothing twice");
}
