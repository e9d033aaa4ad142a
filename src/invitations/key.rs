//! The public part of an invitation's key.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

/// What a line with a key begins with.
const PREFIX: &str = "descriptor:x25519:";

/// The x25519 key of which a client that finds the room has the private part (`KP_hsc_desc_enc` in
/// [rend-spec](https://spec.torproject.org/rend-spec/protocol-overview.html#CLIENT-AUTH)).
///
/// Written as C Tor keeps it in `authorized_clients`: `descriptor:x25519:` and 52 characters of base32.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not descriptor:x25519: and 52 characters of base32")]
pub struct MalformedKey;

impl FromStr for PublicKey {
    type Err = MalformedKey;

    fn from_str(text: &str) -> Result<Self, MalformedKey> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(MalformedKey)?.to_ascii_uppercase();
        let bytes = BASE32_NOPAD.decode(encoded.as_bytes()).map_err(|_| MalformedKey)?;
        bytes.try_into().map(Self).map_err(|_| MalformedKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", BASE32_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PublicKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C Tor's manual, in either case.
    #[test]
    fn keys_are_written_as_c_tor_writes_them() {
        let written = "descriptor:x25519:N2NU7BSRL6YODZCYPN4CREB54TYLKGIE2KYOQWLFYC23ZJVCE5DQ";
        let key: PublicKey = written.parse().expect("a key");
        assert_eq!(key.to_string(), written);
        let small = written.replace("N2NU7BSRL6YODZCYPN4C", "n2nu7bsrl6yodzcypn4c");
        assert_eq!(format!("{small}\n").parse(), Ok(key));
        let short = &written[..written.len() - 1];
        for wrong in ["", "descriptor:x25519:", "descriptor:rsa:AAAA", short, &written.replace('N', "1")] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(MalformedKey), "{wrong}");
        }
    }
}
