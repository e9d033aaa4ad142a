//! Passwords and passphrases: Argon2id, computed off the room's thread, one at a time, for few who ask.
//!
//! To guess a secret that a person has chosen shall cost the one who guesses, and the room as little as possible. So each
//! attempt is charged to its circuit and to the room ([`Attempts`]), before anything is computed; and [`key`] computes on a thread
//! of the blocking pool, one after the other for the whole process, so that all rooms together never use more than the memory of
//! one computation and of [`WAITING_MAX`] passwords that wait.

mod attempts;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use crate::protocol::{Passphrase, Refusal};
use crate::rate_limit::Turns;

pub use attempts::Attempts;

/// What one computation costs: 19 MiB, two passes, one lane, the least that OWASP's Password Storage Cheat Sheet
/// recommends. A change would give other keys: then nothing that was derived before opens anything.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many wait for their turn at most; more are refused.
pub const WAITING_MAX: usize = 64;

/// Whose turn it is to compute.
static TURNS: Turns = Turns::new(WAITING_MAX);

/// What is computed in. It is kept from the first computation on: given back and taken anew, it would come from the allocator's
/// arena of each thread that has computed once, and stay there.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// A key from a password or a passphrase: the same for the same text and salt. Charge it to [`Attempts`] first.
///
/// Where the answer is not waited for any more, one that waits gives up its place, and one that is computed is dropped. All
/// memory is overwritten.
///
/// # Errors
/// `too_fast`, with a second to wait, if too many wait already.
pub async fn key(password: &Passphrase, salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let (password, salt) = (password.clone(), *salt);
    let computed = TURNS.take(move || derive(password.as_bytes(), &salt)).await;
    computed.flatten().ok_or_else(|| too_fast(Duration::from_secs(1)))
}

/// `None` only for lengths that Argon2 does not take, and those given here are none.
fn derive(password: &[u8], salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(key.len())).ok()?;
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.resize(params.block_count(), Block::default());
    let hashed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password,
        salt,
        &mut key[..],
        &mut memory[..],
    );
    memory.iter_mut().for_each(Zeroize::zeroize);
    hashed.ok().map(|()| key)
}

/// The refusal of an attempt that comes too early.
fn too_fast(wait: Duration) -> Refusal {
    Refusal::too_fast("Passwords and passphrases are tried slowly here.", wait, "")
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use futures_util::FutureExt;

    use super::*;
    use crate::protocol::Code;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::parse("passphrase", text, 1).unwrap()
    }

    /// The expected key is that of the reference implementation, by Python's `argon2-cffi`: `hash_secret_raw(b"correct horse",
    /// b"1" * 32, 2, 19 * 1024, 1, 32, Type.ID, 19)`.
    #[tokio::test]
    async fn it_is_argon2id_as_others_compute_it() {
        let key = key(&passphrase("correct horse"), &[b'1'; 32]).await.unwrap();
        assert_eq!(
            HEXLOWER.encode(&key[..]),
            "84ef04c9ac05d1ce5fe907a4576cea809a2b941230479d774e3188348f53f60b"
        );
    }

    #[tokio::test]
    async fn too_many_are_refused_and_who_does_not_wait_gives_up_the_place() {
        let one = passphrase("one");
        // The other test may have a place.
        let mut waiting: Vec<_> = (0..WAITING_MAX + 10).map(|_| Box::pin(key(&one, &[1; 32]))).collect();
        let refused = waiting.iter_mut().filter_map(|asked| asked.now_or_never()).filter_map(Result::err);
        let refused: Vec<_> = refused.map(|refusal| (refusal.code, refusal.retry_after)).collect();
        assert!((1..=10).contains(&refused.len()), "{refused:?}");
        assert!(refused.iter().all(|it| *it == (Code::TooFast, Some(Duration::from_secs(1)))));
        drop(waiting);
        assert!(TURNS.free_places() >= WAITING_MAX - 1, "one is computed");
        assert_eq!(key(&one, &[1; 32]).await.unwrap(), key(&one, &[1; 32]).await.unwrap());
        assert_ne!(key(&one, &[1; 32]).await.unwrap(), key(&one, &[2; 32]).await.unwrap());
    }
}
