//! The identity key of the room's onion service: in Arti's keystore, and in the form in which C Tor keeps it.

use std::fmt;
use std::path::{Path, PathBuf};

use fs_mistrust::Mistrust;
use tor_hscrypto::pk::{HsIdKey, HsIdKeypair};
use tor_hsservice::{HsIdKeypairSpecifier, HsNickname};
use tor_keymgr::{ArtiNativeKeystore, KeyMgr, KeyMgrBuilder, KeystoreSelector};
use tor_llcrypto::pk::ed25519::ExpandedKeypair;
use zeroize::Zeroizing;

use super::address::OnionAddress;
use super::configuration::NICKNAME;

/// The keystore, in the directory of Arti's state.
pub(super) const KEYSTORE: &str = "keystore";

/// Where Arti 0.47 keeps the key in its keystore.
const FILE: &str = "hss/room/ks_hs_id.ed25519_expanded_private";

/// The order of the group of Ed25519 (RFC 8032, section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The key that an onion address is made of
/// ([rend-spec, "Encoding onion addresses"](https://spec.torproject.org/rend-spec/encoding-onion-addresses.html)). It is
/// overwritten in memory when it is dropped, and `Debug` does not show it.
pub struct IdentityKey(HsIdKeypair);

impl fmt::Debug for IdentityKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("IdentityKey").field(&self.address()).finish()
    }
}

/// Arti's keystore cannot be used, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeystoreError(String);

impl IdentityKey {
    /// The key in these bytes: the expanded secret key, a scalar and 32 bytes for signatures (RFC 8032, section 5.1.5).
    /// `None` if no key is written so.
    pub fn from_expanded(bytes: &[u8; 64]) -> Option<Self> {
        let key = Self(ExpandedKeypair::from_secret_key_bytes(*bytes)?.into());
        let as_it_is_kept: &ExpandedKeypair = key.0.as_ref();
        let kept = Zeroizing::new(as_it_is_kept.to_secret_key_bytes());
        let written = *kept == *bytes || *key.expanded() == *bytes;
        // The scalar 0 is the key of no address.
        (written && kept[..32] != [0; 32]).then_some(key)
    }

    /// The expanded secret key, its scalar as C Tor writes it: with the three lowest bits and the highest one cleared, and
    /// the one below that set. Arti keeps only its remainder; of a key that was never in that form the remainder is given.
    pub fn expanded(&self) -> Zeroizing<[u8; 64]> {
        let keypair: &ExpandedKeypair = self.0.as_ref();
        let mut bytes = Zeroizing::new(keypair.to_secret_key_bytes());
        let remainder = bytes.clone();
        for _ in 0..8 {
            if bytes[0] & 0b111 == 0 && bytes[31] >> 6 == 0b01 {
                return bytes;
            }
            let mut carry = 0;
            for (byte, order) in bytes.iter_mut().zip(ORDER) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
        }
        remainder
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        *HsIdKey::from(&self.0).id().as_ref()
    }

    /// The address.
    pub fn address(&self) -> OnionAddress {
        OnionAddress::new(HsIdKey::from(&self.0).id())
    }

    /// The file of the key below a data directory.
    pub fn place(data: &Path) -> PathBuf {
        data.join("tor/state").join(KEYSTORE).join(FILE)
    }

    /// Reads the key of the room in this data directory, and changes nothing; `None` if it has none yet.
    ///
    /// # Errors
    /// Arti's keystore cannot be read.
    pub fn read(data: &Path) -> Result<Option<Self>, KeystoreError> {
        if !Self::place(data).exists() {
            return Ok(None);
        }
        let (keys, specifier) = keystore(data)?;
        Ok(keys.get::<HsIdKeypair>(&specifier).map_err(failed)?.map(Self))
    }

    /// Writes the key into a new keystore below `data`, and waits for the disk.
    ///
    /// # Errors
    /// There is a key already, or the keystore cannot be written.
    pub fn write(self, data: &Path) -> Result<(), KeystoreError> {
        let (keys, specifier) = keystore(data)?;
        keys.insert(self.0, &specifier, KeystoreSelector::Primary, false).map_err(failed)?;
        std::fs::File::open(Self::place(data)).and_then(|file| file.sync_all()).map_err(failed)
    }
}

/// The keystore below a data directory, with the name of the key in it.
fn keystore(data: &Path) -> Result<(KeyMgr, HsIdKeypairSpecifier), KeystoreError> {
    // As in [`super::configuration::client`].
    let mistrust = Mistrust::new_dangerously_trust_everyone();
    let place = data.join("tor/state").join(KEYSTORE);
    let store = ArtiNativeKeystore::from_path_and_mistrust(place, &mistrust).map_err(failed)?;
    let keys = KeyMgrBuilder::default().primary_store(Box::new(store)).build().map_err(failed)?;
    let nickname: HsNickname = NICKNAME.parse().map_err(failed)?;
    Ok((keys, HsIdKeypairSpecifier::new(nickname)))
}

fn failed(cause: impl std::error::Error) -> KeystoreError {
    // Arti's errors say of themselves what failed, and of what caused them the rest.
    let mut said = cause.to_string();
    let mut cause = cause.source();
    while let Some(deeper) = cause {
        said = format!("{said}: {deeper}");
        cause = deeper.source();
    }
    KeystoreError(said)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha512};

    use super::*;

    /// An expanded key as C Tor makes it.
    fn expanded(number: u8) -> [u8; 64] {
        let mut bytes: [u8; 64] = Sha512::digest([number; 32]).into();
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 63) | 64;
        bytes
    }

    #[test]
    fn the_form_of_c_tor_comes_back_from_the_keystore() {
        for number in 0..32 {
            let directory = tempfile::tempdir().unwrap();
            let key = IdentityKey::from_expanded(&expanded(number)).unwrap();
            let address = key.address();
            assert!(IdentityKey::read(directory.path()).unwrap().is_none());
            key.write(directory.path()).unwrap();
            let key = IdentityKey::read(directory.path()).unwrap().unwrap();
            assert_eq!(*key.expanded(), expanded(number));
            assert_eq!(key.address(), address);
            assert!(key.write(directory.path()).is_err(), "it is not replaced");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let mut low_bits = expanded(1);
        low_bits[0] |= 1;
        let mut high_bit = expanded(1);
        high_bit[31] |= 128;
        for wrong in [[0; 64], [0xff; 64], low_bits, high_bit] {
            assert!(IdentityKey::from_expanded(&wrong).is_none());
        }
    }

    /// The secret key of 32 bytes 9d61… of RFC 8032, section 7.1.
    #[test]
    fn the_public_key_is_that_of_the_standard() {
        let secret = data_encoding::HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let mut bytes: [u8; 64] = Sha512::digest(secret).into();
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 63) | 64;
        let public = IdentityKey::from_expanded(&bytes).unwrap().public();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&public),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }

    #[test]
    fn debug_output_has_no_key() {
        let said = format!("{:?}", IdentityKey::from_expanded(&expanded(7)).unwrap());
        assert!(said.starts_with("IdentityKey(OnionAddress(…"), "{said}");
    }
}
