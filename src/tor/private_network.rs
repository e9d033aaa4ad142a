//! The description of a private Tor network: the directory authorities that replace the public ones.
//!
//! The lab writes the file, the room reads it (`onion.network_file`). It is TOML:
//!
//! ```toml
//! [[authorities]]
//! nickname = "authority1"
//! v3_identity = "…40 hexadecimal digits…"
//! rsa_identity = "…40 hexadecimal digits…"
//! ed25519_identity = "…43 characters of base64…"
//! or_address = "127.0.0.1:9001"
//! ```

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

/// A Tor network other than the public one, given by its directory authorities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateNetwork {
    /// Its directory authorities; at least one.
    pub authorities: Vec<Authority>,
}

/// One directory authority, which is also a relay and a fallback directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its nickname.
    pub nickname: String,
    /// The fingerprint of the key it signs consensuses with: SHA-1 in 40 hexadecimal digits
    /// ([dir-spec, "Creating key certificates"](https://spec.torproject.org/dir-spec/creating-key-certificates.html)).
    pub v3_identity: String,
    /// The fingerprint of its RSA relay key: SHA-1 in 40 hexadecimal digits.
    pub rsa_identity: String,
    /// Its ed25519 relay key: 32 bytes in base64 without padding, 43 characters.
    pub ed25519_identity: String,
    /// The address of its `ORPort`, where it takes Tor connections.
    pub or_address: SocketAddr,
}

/// Why a description could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateNetworkError {
    /// The file could not be read.
    #[error(
        "The description of the private Tor network could not be read: {}: {cause}. `onionroom lab` writes \
         one; give its path.",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The file could not be written.
    #[error("The description of the private Tor network could not be written: {}: {cause}.", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The file is not a description of a network.
    #[error("{} does not describe a private Tor network: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what is expected.
        reason: String,
    },
}

impl PrivateNetwork {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, lacks a key, has an unknown one or a value of the wrong
    /// form, or names no authority.
    pub fn read(path: &Path) -> Result<Self, PrivateNetworkError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| PrivateNetworkError::Read { path: path.into(), cause })?;
        Self::parse(&text).map_err(|reason| PrivateNetworkError::Content { path: path.into(), reason })
    }

    /// Writes the description, replacing what is there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PrivateNetworkError> {
        let text = toml::to_string(self)
            .map_err(|error| PrivateNetworkError::Content { path: path.into(), reason: error.to_string() })?;
        std::fs::write(path, text).map_err(|cause| PrivateNetworkError::Write { path: path.into(), cause })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let network: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if network.authorities.is_empty() {
            return Err("it needs at least one [[authorities]] section.".into());
        }
        network.authorities.iter().try_for_each(Authority::check)?;
        Ok(network)
    }
}

impl Authority {
    fn check(&self) -> Result<(), String> {
        for (key, value) in [("v3_identity", &self.v3_identity), ("rsa_identity", &self.rsa_identity)] {
            let bytes = HEXLOWER_PERMISSIVE.decode(value.as_bytes());
            if !bytes.is_ok_and(|bytes| bytes.len() == 20) {
                return Err(self.invalid(key, "40 hexadecimal digits"));
            }
        }
        let bytes = BASE64_NOPAD.decode(self.ed25519_identity.as_bytes());
        if !bytes.is_ok_and(|bytes| bytes.len() == 32) {
            return Err(self.invalid("ed25519_identity", "32 bytes in base64 without padding, 43 characters"));
        }
        Ok(())
    }

    fn invalid(&self, key: &str, form: &str) -> String {
        format!("{key} of the authority \"{}\" must be {form}.", self.nickname)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn network() -> PrivateNetwork {
        PrivateNetwork {
            authorities: vec![Authority {
                nickname: "authority1".into(),
                v3_identity: "0123456789ABCDEF0123456789ABCDEF01234567".into(),
                rsa_identity: "0123456789abcdef0123456789abcdef01234567".into(),
                ed25519_identity: BASE64_NOPAD.encode(&[7; 32]),
                or_address: SocketAddr::from(([127, 0, 0, 1], 9001)),
            }],
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("network.toml");
        network().write(&path).unwrap();
        assert_eq!(PrivateNetwork::read(&path).unwrap(), network());
    }

    #[test]
    fn a_missing_file_is_named() {
        let said = PrivateNetwork::read(Path::new("/nowhere/network.toml")).unwrap_err().to_string();
        assert!(said.contains("/nowhere/network.toml") && said.contains("onionroom lab"), "{said}");
    }

    #[test]
    fn a_bad_value_is_named_with_its_form() {
        for (key, bad) in [("v3_identity", "beef"), ("rsa_identity", "xyz"), ("ed25519_identity", "AAAA")] {
            let text = toml::to_string(&network()).unwrap();
            let text: String =
                text.lines()
                    .map(|line| {
                        if line.starts_with(key) {
                            format!("{key} = \"{bad}\"\n")
                        } else {
                            format!("{line}\n")
                        }
                    })
                    .collect();
            let said = PrivateNetwork::parse(&text).unwrap_err();
            assert!(said.contains(key) && said.contains("authority1"), "{said}");
        }
    }

    #[test]
    fn unknown_keys_and_an_empty_list_are_refused() {
        assert!(PrivateNetwork::parse("authorities = []").unwrap_err().contains("at least one"));
        assert!(PrivateNetwork::parse("authorities = []\nrelays = 3").unwrap_err().contains("relays"));
    }
}
