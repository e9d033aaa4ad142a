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

    /// The address without user and password.
    pub fn place(&self) -> String {
        match self.split() {
            (scheme, Some(_), place) => format!("{scheme}{place}"),
            (_, None, _) => self.0.clone(),
        }
    }

    /// The user and the password, or a token alone; `%` and two hexadecimal digits stand for a byte, as in every URL.
    pub fn credentials(&self) -> Option<(String, Option<String>)> {
        let (_, credentials, _) = self.split();
        Some(match credentials?.split_once(':') {
            Some((user, password)) => (decoded(user), Some(decoded(password))),
            None => (decoded(credentials?), None),
        })
    }

    fn split(&self) -> (&str, Option<&str>, &str) {
        let (scheme, rest) = self.0.split_at(self.0.find("://").map_or(0, |colon| colon + 3));
        match rest.rsplit_once('@') {
            Some((credentials, place)) => (scheme, Some(credentials), place),
            None => (scheme, None, rest),
        }
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

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *byte == b'%').and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
        let address = NatsAddress::parse("nats://me:p%40ss%@one:4222").unwrap();
        assert_eq!(format!("{address} {address:?}"), "nats://***@one:4222 nats://***@one:4222");
        assert_eq!(address.credentials(), Some(("me".into(), Some("p@ss%".into()))));
        assert_eq!(address.place(), "nats://one:4222");
        let token = NatsAddress::parse("tls://token@[::1]").unwrap();
        assert_eq!(
            (token.place().as_str(), token.credentials()),
            ("tls://[::1]", Some(("token".into(), None)))
        );
        assert_eq!(NatsAddress::parse("nats://one").unwrap().credentials(), None);
    }
}
