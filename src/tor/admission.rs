//! Tells Arti who may find the room, each time that it changes.
//!
//! Arti 0.47 forgets a change that comes while it is publishing: when that is done it takes the descriptor for published,
//! and comes back to it in an hour or two (`handle_upload_results` in tor-hsservice). So each change is published again a
//! few times. A configuration that differs in nothing would not be, so the room's own client has two names in turn.

use std::collections::VecDeque;
use std::future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::instance::ArtiInstance;
use super::launch_config::LaunchConfig;

/// When a change is published again: when most publications that were under way are over, and when that which a limit of one a
/// minute then held back is; and after the longest that Arti gives one.
const AGAIN_AFTER: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(70), Duration::from_secs(310)];

/// Tells Arti who may find the room, each time that it changes. Returns when the circuits are to be closed, or Arti
/// refuses: then the instance is to be replaced.
pub(super) async fn admit(instance: &ArtiInstance, config: &LaunchConfig) {
    let mut access = config.access.clone();
    let mut admitted = instance.admitted.clone();
    // When what was changed last is published again.
    let mut due: VecDeque<Instant> = VecDeque::new();
    let mut turn = false;
    loop {
        let wanted = access.borrow_and_update().clone();
        if wanted.closings != admitted.closings {
            return;
        }
        let changed = wanted != admitted;
        if changed {
            due = AGAIN_AFTER.iter().map(|after| Instant::now() + *after).collect();
            admitted = wanted;
        } else if due.front().is_none_or(|due| *due > Instant::now()) {
            let next = due.front().copied();
            tokio::select! {
                changed = access.changed() => if changed.is_err() {
                    return future::pending().await;
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
            continue;
        } else {
            due.pop_front();
        }
        turn = !turn;
        if let Err(error) = instance.admit(config, &admitted, turn) {
            tracing::warn!(%error, "Tor is started anew with those who are invited");
            return;
        }
    }
}
