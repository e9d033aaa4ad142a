//! The onion address.

use std::fmt;

use safelog::DisplayRedacted as _;
use tor_hscrypto::pk::HsId;

/// The address of an onion service, `….onion`: 56 characters of base32 and the suffix
/// ([rend-spec, "Encoding onion addresses"](https://spec.torproject.org/rend-spec/encoding-onion-addresses.html)).
///
/// `Display` shows all of it. `Debug` shows only its end: the address is all that is needed to visit the room, and
/// `Debug` output gets into logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OnionAddress(String);

impl OnionAddress {
    /// The address that belongs to a service's identity key.
    pub(super) fn new(identity: HsId) -> Self {
        Self(identity.display_unredacted().to_string())
    }

    /// The whole address, suffix included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OnionAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for OnionAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.trim_end_matches(".onion");
        let end = name.get(name.len().saturating_sub(3)..).unwrap_or_default();
        write!(formatter, "OnionAddress(…{end}.onion)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_only_the_end() {
        let address = OnionAddress::new(HsId::from([7; 32]));
        let name = address.as_str().strip_suffix(".onion").expect("the suffix");
        assert_eq!(name.len(), 56);
        assert_eq!(format!("{address}"), address.as_str());
        assert_eq!(format!("{address:?}"), format!("OnionAddress(…{}.onion)", &name[53..]));
    }
}
