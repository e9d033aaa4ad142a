//! The state of the room in its bucket, with the number of the entry after which it is that.
//!
//! Every node writes it after an entry that changed it, by compare and set, and none writes an older state over a newer one.
//! No entry is erased before the bucket has a state that takes account of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::shared::Shared;
use crate::cluster::ApiError;
use crate::log::RoomState;

const STATE: &str = "state";

/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
struct Kept {
    /// After this entry.
    seq: u64,
    /// The epoch that gave its number; older programs did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    state: Box<RawValue>,
}

/// Writes and reads the state when there is cause, until the log is closed.
pub(super) async fn run(shared: &Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.closing.cancelled() => return,
            () = shared.room.notified() => {}
        }
        while let Err(error) = sync(shared).await {
            tracing::debug!(%error, "the state of the room is not written yet");
            tokio::select! {
                () = shared.closing.cancelled() => return,
                () = sleep(PAUSE) => {}
            }
        }
    }
}

/// The bucket and the view have the same state after this: the newer of the two.
pub(super) async fn sync(shared: &Shared) -> Result<(), ApiError> {
    loop {
        let found = shared.bucket.get(STATE).await?;
        let revision = found.as_ref().map_or(0, |found| found.revision);
        let kept = found.and_then(|found| read(shared, &found.value?));
        let before = kept.as_ref().map_or(0, |(seq, _)| *seq);
        let ours = {
            let mut state = shared.locked();
            if let Some((seq, room)) = kept {
                state.view.set_room(&shared.wire, seq, room);
            }
            if state.view.room_changed <= before && revision > 0 {
                return Ok(());
            }
            let Some(room) = state.view.room() else { return Ok(()) };
            (state.view.room_changed, room.encode())
        };
        if write(shared, ours.0, &ours.1, revision).await? {
            let mut state = shared.locked();
            state.view.room_kept = state.view.room_kept.max(ours.0);
            return Ok(());
        }
    }
}

/// The state of the room; `initial` if the bucket has none.
pub(super) async fn state(shared: &Shared, initial: RoomState) -> Result<RoomState, ApiError> {
    loop {
        if let Some(room) = shared.locked().view.room() {
            return Ok(room.clone());
        }
        match shared.bucket.get(STATE).await? {
            Some(found) => match found.value.as_deref().and_then(|value| read(shared, value)) {
                Some((seq, room)) => shared.locked().view.set_room(&shared.wire, seq, room),
                None => return Err(ApiError::NoAnswer("the state of the room cannot be read".into())),
            },
            None => {
                let head = shared.locked().view.head();
                if write(shared, head, &initial.encode(), 0).await? {
                    shared.locked().view.set_room(&shared.wire, head, initial.clone());
                }
            }
        }
    }
}

fn read(shared: &Shared, value: &[u8]) -> Option<(u64, RoomState)> {
    let Kept { seq, epoch, state } = serde_json::from_slice(value).ok()?;
    let mut state = RoomState::decode(state.get().as_bytes())?;
    let (present, begins) = (shared.epochs.present(), shared.epochs.begins());
    if epoch.is_some_and(|epoch| epoch != present) && seq >= begins {
        // The stream went back, and gives these numbers to other entries.
        state.set_back(begins);
        return Some((begins.saturating_sub(1), state));
    }
    Some((seq, state))
}

async fn write(shared: &Shared, seq: u64, state: &[u8], revision: u64) -> Result<bool, ApiError> {
    let invalid = |error: serde_json::Error| ApiError::NoAnswer(error.to_string());
    let state = serde_json::from_slice(state).map_err(invalid)?;
    let epoch = Some(shared.epochs.present().to_owned());
    let value = serde_json::to_vec(&Kept { seq, epoch, state }).map_err(invalid)?;
    Ok(shared.bucket.update(STATE, &value, revision).await?.is_some())
}
