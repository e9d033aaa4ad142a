//! The keys of the nodes of a room: what names are hashed with, and what everything else is sealed with.
//!
//! Both are derived from the secret that the machines share, for one room each, so that NATS sees no name, and nothing of one room
//! can be passed to another. What is sealed has a context that says what it is, so that no kind of message can be taken for another.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::cluster::{Connection, Sealer};

/// How many bytes of a hash stand for a part of a name: no two names meet, and a subject stays short.
const KEY_BYTES: usize = 16;

/// The keys of one room.
pub(super) struct NodeKeys {
    names: Zeroizing<[u8; 32]>,
    sealer: Sealer,
}

impl NodeKeys {
    /// Those of the room that the connection is for.
    pub(super) fn of(connection: &Connection) -> Self {
        Self { names: connection.derive("names"), sealer: connection.sealer("nodes") }
    }

    #[cfg(test)]
    pub(super) fn for_test(key: u8) -> Self {
        Self { names: Zeroizing::new([key; 32]), sealer: Sealer::new(&[key + 1; 32]) }
    }

    /// What stands for a part of a name's confusable key in the bucket: 32 hexadecimal digits that tell nothing of it.
    pub(super) fn name(&self, part: &str) -> String {
        let hash = Sha256::new().chain_update(&self.names[..]).chain_update(part).finalize();
        HEXLOWER.encode(&hash[..KEY_BYTES])
    }

    /// Encrypts; `context` says what it is.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub(super) fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        self.sealer.seal(context.as_bytes(), plain)
    }

    /// Decrypts; `None` if it was not sealed with this key and context.
    pub(super) fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.sealer.open(context.as_bytes(), sealed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn only_the_same_key_and_context_open_it() {
        let keys = NodeKeys::for_test(7);
        let sealed = keys.seal("beat", b"said").unwrap();
        assert_eq!(keys.open("beat", &sealed).as_deref(), Some(&b"said"[..]));
        assert_eq!(keys.open("page", &sealed), None);
        assert_eq!(NodeKeys::for_test(8).open("beat", &sealed), None);
    }

    #[test]
    fn a_name_is_a_hash_under_the_key() {
        let keys = NodeKeys::for_test(7);
        let hashed = keys.name("folded bob");
        assert_eq!(hashed.len(), 32);
        assert_ne!(hashed, keys.name("typed bob"));
        assert_ne!(hashed, NodeKeys::for_test(8).name("folded bob"));
    }
}
