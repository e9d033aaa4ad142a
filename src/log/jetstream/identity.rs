//! What the room is, in its bucket: the secret, the beginning of its clock, the epochs.
//!
//! The node that comes first creates it; all others read it. An epoch lasts as long as the stream does: a new one begins when
//! the stream was made anew, or ends before the number that the bucket remembers. The room's clock is that of the server that
//! writes to the bucket, so that nodes whose clocks differ agree; where it would go back, the newest entry counts.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::Info;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::cluster::{ApiError, Bucket, ClusterError, Connection};
use crate::log::{RoomIdentity, epoch_name};
use crate::protocol::epochs::{Epoch, Epochs};

const IDENTITY: &str = "identity";
const CLOCK: &str = "clock";
const HEAD: &str = "head";
const WHAT: &str = "the room's key-value bucket";

/// The form of what is kept.
const VERSION: u32 = 1;

/// How many epochs are kept.
const EPOCHS_MAX: usize = 1024;

/// How long a stream may be behind what the bucket remembers, until it counts: a new leader may have to catch up.
const BEHIND: Duration = Duration::from_secs(5);

/// What the bucket keeps.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// In hexadecimal digits.
    secret: String,
    /// When the room was first opened: Unix time in seconds, by the clock of a server.
    opened: i64,
    /// When the stream was made, in nanoseconds of Unix time.
    stream: String,
    /// The names of the epochs, and the first number of each, oldest first.
    epochs: Vec<(String, u64)>,
}

/// The identity of the room; created if there is none. The clock is that of the moment.
pub(super) async fn load(
    connection: &Connection,
    bucket: &Bucket,
    stream: &Info,
) -> Result<RoomIdentity, ClusterError> {
    let failed = |error: ApiError| error.about(WHAT);
    bucket.put(CLOCK, b"").await.map_err(failed)?;
    let written = bucket.get(CLOCK).await.map_err(failed)?.map_or(0, |kept| kept.written);
    let now = i64::try_from(written / 1_000_000_000).unwrap_or(0);
    let made = stream.created.unix_timestamp_nanos().to_string();
    let started = Instant::now();
    loop {
        let remembered = remembered_head(bucket).await.map_err(failed)?;
        let found = bucket.get(IDENTITY).await.map_err(failed)?;
        let last = connection
            .api::<Info>(&format!("STREAM.INFO.{}", stream.config.name), &())
            .await
            .map_err(|error| error.about("the room's stream"))?
            .state
            .last_sequence;
        let (mut kept, revision) = match found {
            Some(found) => {
                let value = found.value.ok_or_else(|| connection.other_key())?;
                let kept: Kept = serde_json::from_slice(&value).map_err(|_| connection.newer())?;
                (kept, found.revision)
            }
            None => (fresh(now, &made)?, 0),
        };
        if kept.version > VERSION {
            return Err(connection.newer());
        }
        let (anew, behind) = (kept.stream != made, last < remembered);
        if behind && !anew && started.elapsed() < BEHIND {
            sleep(Duration::from_millis(200)).await;
            continue;
        }
        if revision > 0 && !anew && !behind {
            return identity(&kept, now, connection);
        }
        if revision > 0 || last > 0 {
            kept.epochs.push((epoch_name()?, last + 1));
            kept.stream.clone_from(&made);
            let surplus = kept.epochs.len().saturating_sub(EPOCHS_MAX);
            kept.epochs.drain(..surplus);
        }
        let value = Zeroizing::new(serde_json::to_vec(&kept).unwrap_or_default());
        // Another node may have done the same: then its identity counts.
        if bucket.update(IDENTITY, &value, revision).await.map_err(failed)?.is_some() {
            if behind {
                tracing::warn!(last, "the room's stream went back: what was said between is lost");
                bucket.put(HEAD, last.to_string().as_bytes()).await.map_err(failed)?;
            }
            return identity(&kept, now, connection);
        }
    }
}

fn fresh(now: i64, made: &str) -> Result<Kept, ClusterError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut secret[..])?;
    let secret = HEXLOWER.encode(&secret[..]);
    Ok(Kept { version: VERSION, secret, opened: now, stream: made.into(), epochs: vec![(epoch_name()?, 1)] })
}

fn identity(kept: &Kept, now: i64, connection: &Connection) -> Result<RoomIdentity, ClusterError> {
    let mut secret = Zeroizing::new([0; 32]);
    let decoded = HEXLOWER.decode_mut(kept.secret.as_bytes().get(..64).unwrap_or_default(), &mut secret[..]);
    let mut epochs: Vec<Epoch> = kept
        .epochs
        .iter()
        .map(|(name, first)| Epoch { name: name.clone(), first: (*first).max(1) })
        .collect();
    match (decoded, epochs.pop()) {
        (Ok(32), Some(present)) => Ok(RoomIdentity {
            epochs: Arc::new(Epochs::new(epochs, present)),
            secret,
            clock: now.saturating_sub(kept.opened).max(0).unsigned_abs(),
        }),
        _ => Err(connection.newer()),
    }
}

async fn remembered_head(bucket: &Bucket) -> Result<u64, ApiError> {
    let kept = bucket.get(HEAD).await?.and_then(|kept| kept.value);
    Ok(kept.and_then(|value| str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0))
}

/// More than any stream has: the next start begins a new epoch, wherever the stream ends by then.
pub(super) const ANOTHER_EPOCH: u64 = u64::MAX;

/// Has the bucket remember that the stream went up to this number; what it remembers never goes back.
pub(super) async fn remember_head(bucket: &Bucket, head: u64) -> Result<(), ApiError> {
    loop {
        let kept = bucket.get(HEAD).await?;
        let (revision, value) = kept.map_or((0, None), |kept| (kept.revision, kept.value));
        let before: u64 = value.and_then(|value| str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0);
        if before >= head || bucket.update(HEAD, head.to_string().as_bytes(), revision).await?.is_some() {
            return Ok(());
        }
    }
}
