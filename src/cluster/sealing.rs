//! Encryption of what goes to NATS: XChaCha20-Poly1305.
//!
//! The sealed bytes are the nonce (24 random bytes), the ciphertext, the tag (16 bytes). One key seals everything of one
//! purpose, so the nonce has to be long enough to be drawn at random by any number of machines.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

const NONCE: usize = 24;
const TAG: usize = 16;

/// Encrypts and decrypts under one key.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// How many bytes the sealed form has beyond what is encrypted.
    pub const OVERHEAD: usize = NONCE + TAG;

    /// One for this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Appends to `out` the sealed form of the bytes that `fill` appends to it. `context` has to be the same to open it.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn seal_into(
        &self,
        out: &mut Vec<u8>,
        context: &[u8],
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), getrandom::Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        out.extend(nonce);
        let start = out.len();
        fill(out);
        let tag = self
            .0
            .encrypt_inout_detached(&XNonce::from(nonce), context, (&mut out[start..]).into())
            .expect("what is sent is shorter than 256 GiB");
        out.extend(tag);
        Ok(())
    }

    /// The sealed form of `plain`.
    ///
    /// # Errors
    /// As [`Sealer::seal_into`].
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        let mut out = Vec::with_capacity(Self::OVERHEAD + plain.len());
        self.seal_into(&mut out, context, |out| out.extend(plain))?;
        Ok(out)
    }

    /// What was sealed; `None` if the bytes, the context or the key are others.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_after(&[], context, sealed)
    }

    /// The same after a prefix of the caller's.
    pub fn open_after(&self, prefix: &[u8], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        let mut plain = Vec::with_capacity(prefix.len() + ciphertext.len());
        plain.extend(prefix);
        plain.extend(ciphertext);
        let text = (&mut plain[prefix.len()..]).into();
        self.0.decrypt_inout_detached(&XNonce::from(*nonce), context, text, &(*tag).into()).ok()?;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn only_the_same_context_opens_it() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal(b"context", b"said").unwrap();
        assert_eq!(sealed.len(), Sealer::OVERHEAD + 4);
        assert_eq!(sealer.open(b"context", &sealed).as_deref(), Some(&b"said"[..]));
        assert_eq!(sealer.open(b"contexts", &sealed), None);
        assert_eq!(Sealer::new(&[8; 32]).open(b"context", &sealed), None);
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert_eq!(sealer.open(b"context", &changed), None);
            assert_eq!(sealer.open(b"context", &sealed[..byte]), None);
        }
        assert_ne!(sealer.seal(b"context", b"said").unwrap(), sealed, "a nonce of its own each time");
    }
}
