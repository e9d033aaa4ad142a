//! The origins under which a room answers: `https://room.example`, `http://….onion`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE32_NOPAD;
use sha3::{Digest, Sha3_256};

/// The most characters of a host name ([RFC 1035, section 2.3.4](https://www.rfc-editor.org/rfc/rfc1035)).
const HOST_MAX: usize = 253;

/// The most characters between two dots of it, by the same section.
const LABEL_MAX: usize = 63;

/// An origin ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)) with the scheme http or https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    secure: bool,
    host: String,
    port: u16,
}

impl PublicOrigin {
    /// Reads an origin: scheme, host and, if it is not the scheme's own, port. A slash at the end is left out.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (secure, rest) = match lower.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err("an origin begins with http:// or https://".into()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err("an origin has no path, query or fragment; a room is at the root of its host".into());
        }
        if rest.contains('@') {
            return Err("an origin has no user name".into());
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let port = match port {
            None => default_port(secure),
            // `u16` would take a sign as well.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535")?
            }
            Some(_) => return Err("a port is a number from 1 to 65535".into()),
        };
        Ok(Self { secure, host: checked_host(host)?, port })
    }

    /// Whether its scheme is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a request whose `Host` has this host, in lower case, and this port is for it. Without a port it is for that
    /// of the scheme.
    pub fn is_for(&self, host: &str, port: Option<u16>) -> bool {
        self.host == host && self.port == port.unwrap_or(default_port(self.secure))
    }

    /// The host as certificates name it: that is an address of IPv6 without brackets.
    pub fn name(&self) -> String {
        self.host.trim_matches(['[', ']']).to_owned()
    }

    /// The host and the port, if it is not the scheme's own, as browsers write them.
    pub fn authority(&self) -> String {
        if self.port == default_port(self.secure) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether there is a `Host` that is for both.
    pub(super) fn shares_hosts_with(&self, other: &Self) -> bool {
        let ports = [None, Some(self.port), Some(other.port)];
        ports.into_iter().any(|port| self.is_for(&self.host, port) && other.is_for(&self.host, port))
    }
}

impl fmt::Display for PublicOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.authority())
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// The host as a browser sends it.
fn checked_host(host: &str) -> Result<String, String> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr =
            address.parse().map_err(|_| "there is no IPv6 address between the brackets")?;
        return Ok(format!("[{address}]"));
    }
    if !host.is_ascii() {
        return Err("write the host as browsers send it, with xn-- for letters beyond a to z".into());
    }
    let label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if host.len() > HOST_MAX || !host.split('.').all(label) {
        return Err("a host is a name of letters, digits, hyphens and dots, or an address".into());
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_err() {
        return Err("that is no IPv4 address".into());
    }
    match host.strip_suffix(".onion") {
        Some(name) if !is_onion(name.rsplit('.').next().unwrap_or_default()) => {
            Err("that is no onion address of version 3; a character may be wrong or missing".into())
        }
        _ => Ok(host.to_owned()),
    }
}

/// Whether these are the characters before `.onion` of an address of version 3, with the right checksum
/// ([rend-spec, "Encoding onion addresses"](https://spec.torproject.org/rend-spec/encoding-onion-addresses.html)).
fn is_onion(name: &str) -> bool {
    let Ok(bytes) = BASE32_NOPAD.decode(name.to_ascii_uppercase().as_bytes()) else { return false };
    let Some((key, [first, second, version])) =
        bytes.split_first_chunk::<32>().and_then(|(key, rest)| Some((key, <[u8; 3]>::try_from(rest).ok()?)))
    else {
        return false;
    };
    let hash = Sha3_256::new().chain_update(".onion checksum").chain_update(key).chain_update([version]);
    version == 3 && hash.finalize()[..2] == [first, second]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn parsed(text: &str) -> Result<String, String> {
        PublicOrigin::parse(text).map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_is_read_and_written_as_browsers_do() {
        for (text, origin) in [
            ("https://room.example", "https://room.example"),
            (" HTTPS://Room.Example:443/ ", "https://room.example"),
            ("http://room.example:80", "http://room.example"),
            ("http://room.example:443", "http://room.example:443"),
            ("https://xn--bcher-kva.example:8443", "https://xn--bcher-kva.example:8443"),
            ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
            ("http://[2001:DB8:0:0::1]:81/", "http://[2001:db8::1]:81"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(origin), "{text}");
        }
        for onion in [ONION.to_owned(), ONION.to_uppercase(), format!("www.{ONION}:8080")] {
            assert_eq!(parsed(&format!("http://{onion}")), Ok(format!("http://{}", onion.to_lowercase())));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_in_words() {
        for (text, words) in [
            ("room.example", "http:// or https://"),
            ("wss://room.example", "http:// or https://"),
            ("https://room.example/chat", "no path"),
            ("https://room.example?x", "no path"),
            ("https://room.example#x", "no path"),
            ("https://ann@room.example", "no user name"),
            ("https://", "a host is"),
            ("https://:443", "a host is"),
            ("https://room..example", "a host is"),
            ("https://room.example.", "a host is"),
            ("https://room_1.example", "a host is"),
            ("https://*.example", "a host is"),
            ("https://room.example:", "a port is"),
            ("https://room.example:0", "a port is"),
            ("https://room.example:+80", "a port is"),
            ("https://room.example:65536", "a port is"),
            ("https://bücher.example", "xn--"),
            ("https://[::1", "a host is"),
            ("https://[room]", "no IPv6 address"),
            ("http://127.1", "no IPv4 address"),
            ("http://abc.onion", "no onion address"),
            ("http://.onion", "a host is"),
            (&format!("http://a{}", &ONION[1..]), "no onion address"),
            (&format!("http://{}", &ONION[1..]), "no onion address"),
        ] {
            let reason = parsed(text).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    #[test]
    fn a_host_without_a_port_is_at_that_of_the_scheme() {
        let origin = |text| PublicOrigin::parse(text).unwrap();
        let (https, http) = (origin("https://a.example"), origin("http://a.example"));
        assert!(https.is_for("a.example", None) && https.is_for("a.example", Some(443)));
        assert!(!https.is_for("a.example", Some(80)) && !https.is_for("b.example", None));
        assert!(http.is_for("a.example", Some(80)) && !http.is_for("a.example", Some(443)));
        for (text, shares) in [
            ("http://a.example", true),
            ("https://a.example:443", true),
            ("http://a.example:443", true),
            ("http://a.example:81", false),
            ("https://b.example", false),
        ] {
            assert_eq!(https.shares_hosts_with(&origin(text)), shares, "{text}");
            assert_eq!(origin(text).shares_hosts_with(&https), shares, "{text}");
        }
    }

    proptest! {
        /// What is accepted can be put into a header, and reads as itself.
        #[test]
        fn what_is_accepted_is_plain(text in "(http|https)://[a-z0-9.:@/é\\[\\]-]{0,30}") {
            if let Ok(origin) = PublicOrigin::parse(&text) {
                prop_assert_eq!(PublicOrigin::parse(&origin.to_string()), Ok(origin.clone()));
                let plain = origin.authority().bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
                prop_assert!(plain);
            }
        }
    }
}
