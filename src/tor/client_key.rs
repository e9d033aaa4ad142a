//! Keys of clients that find a private room (restricted discovery, which C Tor calls client authorisation).

use std::fmt;

use data_encoding::BASE32_NOPAD;
use tor_hscrypto::pk::HsClientDescEncSecretKey;
use tor_llcrypto::pk::curve25519::{PublicKey as Point, StaticSecret};
use tor_llcrypto::rng::CautiousRng;
use zeroize::Zeroizing;

use crate::invitations::PublicKey;

/// A client's x25519 key, both parts (`KS_hsc_desc_enc` and `KP_hsc_desc_enc`). `Debug` shows neither.
#[derive(Clone)]
pub struct ClientKey(StaticSecret);

impl ClientKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(StaticSecret::random_from_rng(CautiousRng))
    }

    /// The public part, which the room publishes something for.
    pub fn public(&self) -> PublicKey {
        PublicKey(Point::from(&self.0).to_bytes())
    }

    /// The private part in base32, 52 characters, as Tor Browser's prompt and C Tor take it.
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_bytes()))
    }

    /// The private part for Arti's client.
    pub(super) fn secret(&self) -> HsClientDescEncSecretKey {
        self.0.clone().into()
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientKey(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn what_is_written_is_the_private_part_of_the_public_one() {
        let key = ClientKey::generate();
        let written = key.written();
        assert_eq!(written.len(), 52);
        let bytes: [u8; 32] = BASE32_NOPAD.decode(written.as_bytes()).unwrap().try_into().unwrap();
        assert_eq!(PublicKey(Point::from(&StaticSecret::from(bytes)).to_bytes()), key.public());
        assert_ne!(ClientKey::generate().public(), key.public());
        assert!(!format!("{key:?}").contains(&*written));
    }
}
