//! The opening handshake of WebSocket, server side (RFC 6455, section 4.2): headers in, decision out.

use data_encoding::BASE64;
use http::header::{
    ALLOW, CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::protocol::SUBPROTOCOL;

/// The supported version (RFC 6455, section 4.1, item 9).
const VERSION: &str = "13";

/// A handshake that may go on with `101 Switching Protocols`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `Sec-WebSocket-Accept`.
    pub(super) accept: String,
    /// Whether to answer with `Sec-WebSocket-Protocol: chat`; not if the client offered none.
    pub(super) subprotocol: bool,
}

impl Accepted {
    /// The headers of the response (RFC 6455, section 4.2.2).
    pub(super) fn headers(self) -> HeaderMap {
        let mut headers = upgrade_headers();
        if let Ok(accept) = HeaderValue::try_from(self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if self.subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        headers
    }
}

/// Why a handshake was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Not a GET.
    Method,
    /// Older than HTTP/1.1.
    Http,
    /// Not an upgrade to WebSocket.
    Upgrade,
    /// Another version.
    Version,
    /// No key, several, or not 16 bytes of base64.
    Key,
    /// Only unsupported subprotocols.
    Subprotocol,
}

impl Refused {
    /// What is wrong and what would be right, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Refused::Method => "A WebSocket handshake is a GET.",
            Refused::Http => "A WebSocket handshake needs HTTP/1.1.",
            Refused::Upgrade => {
                "This address speaks WebSocket: send \"Connection: Upgrade\" and \"Upgrade: websocket\"."
            }
            Refused::Version => "The WebSocket version spoken here is 13 (RFC 6455).",
            Refused::Key => "Sec-WebSocket-Key must be there once, with 16 random bytes in base64.",
            Refused::Subprotocol => {
                "The WebSocket subprotocol spoken here is \"chat\": offer it in Sec-WebSocket-Protocol, or offer none."
            }
        }
    }

    /// The status of the response.
    pub fn status(self) -> StatusCode {
        match self {
            Refused::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refused::Upgrade | Refused::Version => StatusCode::UPGRADE_REQUIRED,
            Refused::Http | Refused::Key | Refused::Subprotocol => StatusCode::BAD_REQUEST,
        }
    }

    /// The headers that belong to the status: what would be accepted.
    pub fn headers(self) -> HeaderMap {
        match self {
            Refused::Method => HeaderMap::from_iter([(ALLOW, HeaderValue::from_static("GET"))]),
            Refused::Upgrade | Refused::Version => {
                let mut headers = upgrade_headers();
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
                headers
            }
            Refused::Http | Refused::Key | Refused::Subprotocol => HeaderMap::new(),
        }
    }
}

fn upgrade_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
    ])
}

/// Checks a handshake.
///
/// # Errors
/// The first condition of RFC 6455, section 4.2.1, that is not met.
pub(super) fn negotiate(method: &Method, version: Version, headers: &HeaderMap) -> Result<Accepted, Refused> {
    if method != Method::GET {
        return Err(Refused::Method);
    }
    if version < Version::HTTP_11 {
        return Err(Refused::Http);
    }
    let named = |name, wanted: &str| tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted));
    if !named(UPGRADE, "websocket") || !named(CONNECTION, "upgrade") {
        return Err(Refused::Upgrade);
    }
    if only(headers, SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        return Err(Refused::Version);
    }
    let key = only(headers, SEC_WEBSOCKET_KEY).filter(|key| is_key(key)).ok_or(Refused::Key)?;
    let offers = headers.contains_key(SEC_WEBSOCKET_PROTOCOL);
    if offers && !tokens(headers, SEC_WEBSOCKET_PROTOCOL).any(|token| token == SUBPROTOCOL) {
        return Err(Refused::Subprotocol);
    }
    Ok(Accepted { accept: derive_accept_key(key.as_bytes()), subprotocol: offers })
}

/// The elements of a comma-separated header (RFC 9110, section 5.6.1), over all its lines.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|token| token.trim_matches([' ', '\t']))
}

/// The header's value, if it is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next()?.to_str().ok()?;
    lines.next().is_none().then(|| first.trim_matches([' ', '\t']))
}

fn is_key(key: &str) -> bool {
    BASE64.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request of RFC 6455, section 1.3, with one header replaced, or removed by an empty value.
    fn with(name: &'static str, value: &str) -> Result<Accepted, Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "chat, superchat"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers.remove(name);
        if !value.is_empty() {
            headers.insert(name, value.parse().unwrap());
        }
        negotiate(&Method::GET, Version::HTTP_11, &headers)
    }

    #[test]
    fn the_example_of_the_specification() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        assert_eq!(with("origin", ""), Ok(Accepted { accept, subprotocol: true }));
    }

    #[test]
    fn what_browsers_send() {
        assert!(with("connection", "keep-alive, Upgrade").is_ok());
        assert!(with("upgrade", "WebSocket").is_ok());
        assert!(!with("sec-websocket-protocol", "").unwrap().subprotocol);
        assert!(with("sec-websocket-protocol", "superchat,chat").unwrap().subprotocol);
    }

    #[test]
    fn every_condition_is_checked() {
        for (name, value, refused) in [
            ("upgrade", "", Refused::Upgrade),
            ("upgrade", "h2c", Refused::Upgrade),
            ("connection", "", Refused::Upgrade),
            ("connection", "keep-alive", Refused::Upgrade),
            ("sec-websocket-version", "", Refused::Version),
            ("sec-websocket-version", "8", Refused::Version),
            ("sec-websocket-version", "013", Refused::Version),
            ("sec-websocket-key", "", Refused::Key),
            ("sec-websocket-key", "short", Refused::Key),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ", Refused::Key),
            ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAAA=", Refused::Key),
            ("sec-websocket-protocol", "superchat", Refused::Subprotocol),
            ("sec-websocket-protocol", "CHAT", Refused::Subprotocol),
        ] {
            assert_eq!(with(name, value), Err(refused), "{name}: {value}");
        }
        assert_eq!(negotiate(&Method::POST, Version::HTTP_11, &HeaderMap::new()), Err(Refused::Method));
        assert_eq!(negotiate(&Method::GET, Version::HTTP_10, &HeaderMap::new()), Err(Refused::Http));
    }

    #[test]
    fn a_repeated_key_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", "websocket".parse().unwrap());
        headers.insert("connection", "upgrade".parse().unwrap());
        headers.insert("sec-websocket-version", "13".parse().unwrap());
        headers.append("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        headers.append("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        assert_eq!(negotiate(&Method::GET, Version::HTTP_11, &headers), Err(Refused::Key));
    }
}
