//! QR codes for pages, drawn off the tasks that serve guests: one at a time, and few for guests without a role.
//!
//! To draw one takes some milliseconds, for which a task would serve no guest. So it is done on a thread of the blocking pool, for
//! the whole process one after the other, and what strangers ask for is charged to their circuit and to all of them together
//! before. Hosts and moderators are not charged, so no stranger keeps them from it.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::protocol::{CircuitId, Code, Refusal, Role};
use crate::qr::{Drawing, TEXT_BYTES_MAX};
use crate::rate_limit::{KeyedBuckets, RateLimit, Turns};

/// How many wait for their turn at most; more are refused.
const WAITING_MAX: usize = 16;

/// Whose turn it is to draw.
static TURNS: Turns = Turns::new(WAITING_MAX);

/// What guests without a role are charged: ten at once on a circuit and one a second after that, forty at once for all of them
/// and ten a second. Clients that are not told apart share the latter alone.
static LIMITS: LazyLock<Mutex<KeyedBuckets<CircuitId>>> = LazyLock::new(|| {
    Mutex::new(KeyedBuckets::new(RateLimit::per_second(1, 10), RateLimit::per_second(10, 40)))
});

/// Charges a drawing to a circuit, if it is for a guest without a role.
///
/// # Errors
/// `too_fast`, with how long to wait; nothing was charged.
pub(super) fn charge(circuit: CircuitId, role: Role) -> Result<(), Refusal> {
    if role > Role::Guest {
        return Ok(());
    }
    let key = Some(circuit).filter(|circuit| !circuit.is_shared());
    let mut limits = LIMITS.lock().unwrap_or_else(PoisonError::into_inner);
    limits.try_take(key, Instant::now()).map_err(too_fast)
}

/// The code of a text, which is overwritten in memory after that.
///
/// # Errors
/// `text_too_long`, or `too_fast` if too many wait already.
pub(super) async fn draw(text: String) -> Result<Drawing, Refusal> {
    let text = Zeroizing::new(text);
    let drawn = TURNS.take(move || Drawing::of(&text)).await;
    drawn.ok_or_else(|| too_fast(Duration::from_secs(1)))?.ok_or_else(|| {
        let sentence = format!("A QR code has at most {TEXT_BYTES_MAX} bytes here.");
        Refusal::new(Code::TextTooLong, sentence)
    })
}

fn too_fast(wait: Duration) -> Refusal {
    Refusal::too_fast("QR codes are drawn slowly here.", wait, ", and ask again")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// On a runtime with one thread, as a room may have: what is drawn there would not wait for anything.
    #[tokio::test]
    async fn it_is_drawn_on_another_thread_and_few_wait() {
        let link = "http://room.onion/#invite=secret";
        let mut asked: Vec<_> = (0..WAITING_MAX + 9).map(|_| Box::pin(draw(link.to_owned()))).collect();
        let outcomes: Vec<_> = asked.iter_mut().map(|asked| asked.now_or_never()).collect();
        let refused: Vec<_> = outcomes.into_iter().flatten().filter_map(Result::err).collect();
        // On a busy machine some are drawn before the last is asked for.
        assert!((1..=9).contains(&refused.len()), "{refused:?}");
        assert!(refused.iter().all(|it| it.code == Code::TooFast && it.retry_after.is_some()));
        drop(asked);
        // Who does not wait gives up the place, but for the one that is drawn.
        assert!(TURNS.free_places() >= WAITING_MAX);
        assert_eq!(draw(link.to_owned()).await.unwrap(), Drawing::of(link).unwrap());
        assert_eq!(draw("x".repeat(TEXT_BYTES_MAX + 1)).await.unwrap_err().code, Code::TextTooLong);
    }

    #[test]
    fn strangers_are_charged_and_hosts_are_not() {
        let asked = |circuit, role, times| (0..times).filter(|_| charge(circuit, role).is_ok()).count();
        let one = asked(CircuitId(u64::MAX), Role::Guest, 20);
        assert!((10..=11).contains(&one), "{one}");
        let many: usize =
            (0..50).map(|number| asked(CircuitId(u64::MAX - 1 - number), Role::Guest, 10)).sum();
        assert!((30..=40).contains(&many), "{many}");
        assert_eq!(asked(CircuitId(u64::MAX), Role::Moderator, 100), 100);
    }
}
