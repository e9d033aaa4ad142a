//! Which window of a browser has a guest's stream.
//!
//! All windows of a browser have the same cookie, so they are one guest with one seat. A stream takes the seat over from
//! an older one of its own window, whose circuit may be dead, but from one of another window only after the button
//! "Continue here": a followed link, or a document that loads itself again, must not take over.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::protocol::Token;

/// How long a new stream waits for the present one to end. After a reload the room may notice the end of the old
/// connection a moment later than the beginning of the new one.
const RELOAD_WAIT: Duration = Duration::from_secs(1);

/// How many guests who lost their seat are remembered, so that their documents do not take it back.
const LOST_MAX: usize = 1024;

/// The windows that have streams. Cheap to clone.
#[derive(Clone, Default)]
pub struct Windows(Arc<Mutex<State>>);

/// A guest: the hash of a token, so that the token is in one place less.
type Key = [u8; 32];

#[derive(Default)]
struct State {
    holders: HashMap<Key, Holder>,
    /// Those of the holders that lost their seat, in that order.
    lost: VecDeque<(Key, u64)>,
    next: u64,
}

/// The newest stream of a guest.
struct Holder {
    /// The number of the stream.
    stream: u64,
    window: String,
    /// Another window that may take over.
    permitted: Option<String>,
    /// Whether the seat was lost to something that is no stream of these.
    lost: bool,
    /// Cancelled when the stream has ended.
    ended: CancellationToken,
}

/// The right to be a guest's stream; given back when dropped.
pub struct Claim {
    windows: Windows,
    key: Key,
    stream: u64,
    ended: CancellationToken,
}

impl Windows {
    /// Claims the guest's stream for a window. `None` if another window has it, or if this window lost the seat:
    /// then a [permission](Windows::permit) is needed. Takes at most a second.
    pub async fn claim(&self, token: &Token, window: &str) -> Option<Claim> {
        let (key, deadline) = (key(token), Instant::now() + RELOAD_WAIT);
        loop {
            match self.try_claim(key, window) {
                Ok(claim) => return Some(claim),
                Err(ended) => timeout_at(deadline, ended?.cancelled_owned()).await.ok()?,
            }
        }
    }

    /// Lets a window take over from the present one, once. Without a present one nothing is needed.
    pub fn permit(&self, token: &Token, window: &str) {
        if let Some(holder) = self.lock().holders.get_mut(&key(token)) {
            holder.permitted = Some(window.to_owned());
        }
    }

    /// The error is the end to wait for; `None` if waiting is of no use.
    fn try_claim(&self, key: Key, window: &str) -> Result<Claim, Option<CancellationToken>> {
        let mut state = self.lock();
        if let Some(holder) = state.holders.get(&key) {
            let permitted = holder.permitted.as_deref() == Some(window);
            if !permitted && holder.lost == (holder.window == window) {
                return Err((!holder.lost).then(|| holder.ended.clone()));
            }
        }
        state.next += 1;
        let (stream, ended) = (state.next, CancellationToken::new());
        let (window, permitted, lost) = (window.to_owned(), None, false);
        state.holders.insert(key, Holder { stream, window, permitted, lost, ended: ended.clone() });
        Ok(Claim { windows: self.clone(), key, stream, ended })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// The seat was taken from this stream. Returns whether another window has it; if not, this window does not take it
    /// back without a permission.
    pub fn lose(&self) -> bool {
        let mut state = self.windows.lock();
        let State { holders, lost, .. } = &mut *state;
        let Some(holder) = holders.get_mut(&self.key).filter(|holder| holder.stream == self.stream) else {
            return true;
        };
        holder.lost = true;
        lost.push_back((self.key, self.stream));
        if lost.len() > LOST_MAX
            && let Some((key, stream)) = lost.pop_front()
            && holders.get(&key).is_some_and(|holder| holder.stream == stream)
        {
            holders.remove(&key);
        }
        false
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.windows.lock();
        if state.holders.get(&self.key).is_some_and(|holder| holder.stream == self.stream && !holder.lost) {
            state.holders.remove(&self.key);
        }
        drop(state);
        self.ended.cancel();
    }
}

fn key(token: &Token) -> Key {
    Sha256::digest(token.encode()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::random().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn another_window_takes_over_with_a_permission_only() {
        let (windows, ann) = (Windows::default(), token());
        let first = windows.claim(&ann, "1").await.unwrap();
        assert!(windows.claim(&ann, "2").await.is_none());
        assert!(windows.claim(&token(), "2").await.is_some(), "another guest");
        windows.permit(&ann, "2");
        let second = windows.claim(&ann, "2").await.unwrap();
        assert!(first.lose(), "the other window has it");
        drop(first);
        assert!(windows.claim(&ann, "1").await.is_none(), "a refresh does not take it back");
        drop(second);
        assert!(windows.claim(&ann, "1").await.is_some(), "nobody has it any more");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_window_takes_over_from_itself() {
        let (windows, ann) = (Windows::default(), token());
        let first = windows.claim(&ann, "1").await.unwrap();
        let second = windows.claim(&ann, "1").await.unwrap();
        drop(first);
        assert!(
            windows.claim(&ann, "2").await.is_none(),
            "the end of the first is not the end of the second"
        );
        drop(second);
    }

    /// A reload: the new window's request is there before the old connection's end is noticed.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_a_moment_later_is_waited_for() {
        let (windows, ann) = (Windows::default(), token());
        let first = windows.claim(&ann, "1").await.unwrap();
        let ending = async {
            tokio::time::sleep(RELOAD_WAIT / 2).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(windows.claim(&ann, "2"), ending);
        assert!(second.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_seat_lost_to_another_transport_is_not_taken_back_by_the_same_window() {
        let (windows, ann) = (Windows::default(), token());
        let first = windows.claim(&ann, "1").await.unwrap();
        assert!(!first.lose());
        drop(first);
        assert!(windows.claim(&ann, "1").await.is_none());
        windows.permit(&ann, "1");
        assert!(windows.claim(&ann, "1").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let windows = Windows::default();
        for _ in 0..2 * LOST_MAX {
            windows.claim(&token(), "1").await.unwrap().lose();
        }
        assert_eq!(windows.lock().holders.len(), LOST_MAX);
    }
}
