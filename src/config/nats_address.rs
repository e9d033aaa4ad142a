//! The addresses of NATS servers, whose passwords are not shown.

use std::fmt;

/// The address of a NATS server. Shown without what stands before an `@`: that is a password or a token.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsAddress(String);

impl NatsAddress {
    /// Checks an address, `nats://host:port` or `tls://host:port`; before the host may stand `user:password@` or `token@`, and
    /// the port is 4222 if it is missing.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("nats://")
            .or_else(|| text.strip_prefix("tls://"))
            .ok_or("it begins neither with nats:// nor with tls://")?;
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        if place.contains(['/', '?', '#']) || text.contains(char::is_whitespace) {
            return Err("there is nothing after the port".into());
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        if host.is_empty() || (host.contains(':') && !(host.starts_with('[') && host.ends_with(']'))) {
            return Err("it has no host; an IPv6 address stands in brackets".into());
        }
        if port.is_some_and(|port| {
            port.parse::<u16>().is_ok_and(|port| port == 0) || port.parse::<u16>().is_err()
        }) {
            return Err("its port is no number from 1 to 65535".into());
        }
        Ok(Self(text.into()))
    }

    /// The address with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the connection has to be encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("tls://")
    }
}

impl fmt::Display for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

impl fmt::Debug for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The text without the passwords of the addresses in it: what stands between `://` and `@` is shown as `***`.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        // Up to the next address or the end of this one: a password may have an @ and a comma in it.
        let end = after.find(['"', ' ']).unwrap_or(after.len()).min(after.find("://").unwrap_or(after.len()));
        rest = match after[..end].rfind('@') {
            Some(at) => {
                shown.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_host() {
        for right in [
            "nats://a",
            "tls://nats.example:4222",
            "nats://u:p@ss@a:1",
            "nats://token@[::1]:4222",
            "nats://[::1]",
        ] {
            assert!(NatsAddress::parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "a:4222",
            "http://a",
            "nats://",
            "nats://:1",
            "nats://a:0",
            "nats://a:x",
            "nats://::1:4222",
            "nats://a/b",
        ] {
            assert!(NatsAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let table = [
            ("nats://me:pass@one:4222", "nats://***@one:4222"),
            ("nats://p@s:s@one", "nats://***@one"),
            (
                "\"nats://a:b@one, nats://c@two\" and nats://three",
                "\"nats://***@one, nats://***@two\" and nats://three",
            ),
            ("[\"tls://x,y@one\", 3]", "[\"tls://***@one\", 3]"),
            ("nats://a:b@one,nats://c@two", "nats://***@one,nats://***@two"),
            ("no address", "no address"),
        ];
        for (text, shown) in table {
            assert_eq!(masked(text), shown);
        }
        let address = NatsAddress::parse("nats://me:pass@one").unwrap();
        assert_eq!(
            (format!("{address:?}"), address.expose()),
            ("nats://***@one".into(), "nats://me:pass@one")
        );
    }
}
