//! Request checks: a page of another site must not reach the room through a guest's or the host's browser.
//!
//! - `Host` must be one of the addresses of the listener that the request came on, or a name that a stranger points at
//!   127.0.0.1 (DNS rebinding) would be same-origin with the room: loopback names on the local listener, the onion address on
//!   circuits, the [public origins](PublicOrigin) on public listeners. Whatever a proxy says of `Host` in other headers, such
//!   as `X-Forwarded-Host`, does not count, nor does what it says of the scheme: the origin has that.
//! - `Origin`, where a browser sends it, must be that same address: WebSocket handshakes are not held back by
//!   the same-origin policy (RFC 6455, section 10.2). A browser that keeps addresses to itself sends `null` with
//!   a form of the room's own ([Fetch](https://fetch.spec.whatwg.org/#append-a-request-origin-header)), and so
//!   does a stranger's sandbox: only `Sec-Fetch-Site`, which no page can write, tells them apart.
//! - `Sec-Fetch-Site`, `Sec-Fetch-Mode` and `Sec-Fetch-Dest` (Fetch Metadata), where a browser sends them, must
//!   not say that another site asks for anything but a document for people, in a whole window. An address for programs
//!   is no document: a followed link to one is refused.
//! - A room that several machines serve has several origins, its doors, and its page at one of them makes two requests to
//!   another: `GET /health`, to see whether it answers, and the form of the page without JavaScript, which asks for a page to go
//!   on with. These two, and no others, are let in whatever the origin: Tor Browser does not tell it to another onion address, so
//!   that it could be compared with those of the doors is an illusion. So neither may do anything.

use std::sync::OnceLock;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::error::Problem;
use crate::config::PublicOrigin;
use crate::listen::Peer;

/// Where the form of the page without JavaScript leads that goes on from another door.
pub(super) const MOVED: &str = "/rooms/main/page/moved";

/// The names under which the room answers.
#[derive(Debug)]
pub struct Hosts {
    loopback_port: u16,
    onion: OnceLock<(String, u16)>,
    public: Vec<PublicOrigin>,
    doors: bool,
}

/// The host a request was for, checked to be this room's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The host, in lower case, with the port if it is not the scheme's own.
    pub host: String,
    /// Whether guests reach it by https. Then what is between them and the room is a proxy, or a listener for TLS.
    pub secure: bool,
}

impl Authority {
    /// One that guests reach by plain http, as that of an onion service.
    pub fn plain(host: impl Into<String>) -> Self {
        Self { host: host.into(), secure: false }
    }

    /// Whether this is its origin, as browsers write it.
    fn is_origin(&self, origin: &str) -> bool {
        let rest = origin.strip_prefix(if self.secure { "https://" } else { "http://" });
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(&self.host))
    }

    /// Its origin, as browsers write it.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.host)
    }

    /// Where a WebSocket to it leads: the beginning of its address.
    pub fn socket_origin(&self) -> String {
        format!("{}://{}", if self.secure { "wss" } else { "ws" }, self.host)
    }
}

impl Hosts {
    /// The loopback names with this port, and the origins of public listeners.
    pub fn new(loopback_port: u16, public: &[PublicOrigin]) -> Self {
        Self { loopback_port, onion: OnceLock::new(), public: public.to_vec(), doors: false }
    }

    /// Whether the room may have other doors, whose pages ask here whether this one answers.
    #[must_use]
    pub fn among_doors(self, doors: bool) -> Self {
        Self { doors, ..self }
    }

    /// Adds the onion address with the port it answers at; the first call counts.
    pub fn add_onion(&self, address: String, port: u16) {
        let _ = self.onion.set((address, port));
    }

    /// What a request from `peer` for `host` is for, if that is the room. What comes through Tor must be for the onion
    /// address, what comes from this machine for the loopback, and what comes over a public listener for a public origin:
    /// nothing else is ever sent by a browser that was not misled. So a name that is public opens nothing on this machine's
    /// own listener, and the other way round.
    fn find(&self, peer: Peer, host: &str, port: Option<u16>) -> Option<Authority> {
        let http_port = port.unwrap_or(80);
        let plain = |has: bool| {
            let port = if http_port == 80 { String::new() } else { format!(":{http_port}") };
            has.then(|| Authority::plain(format!("{host}{port}")))
        };
        match peer {
            Peer::Loopback(_) => {
                plain(http_port == self.loopback_port && matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
            }
            Peer::Circuit(_) => {
                plain(self.onion.get().is_some_and(|(address, port)| host == address && http_port == *port))
            }
            Peer::Public(_) => {
                let origin = self.public.iter().find(|origin| origin.is_for(host, port))?;
                Some(Authority { host: origin.authority(), secure: origin.is_secure() })
            }
        }
    }

    /// Checks a request; answers with the host it is for.
    ///
    /// # Errors
    /// 400 without a usable `Host`, 421 for another host, 403 when another site asks.
    pub fn check(
        &self,
        peer: Peer,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Authority, Problem> {
        let given = authority(uri, headers).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "A request needs exactly one Host, a name with an optional port.",
            )
        })?;
        let (host, port) = split(&given);
        let authority = self.find(peer, host, port).ok_or_else(|| {
            Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "This room does not answer under that name; use the address that its host gave you.",
            )
        })?;
        if is_navigation(headers) && !is_same_origin(headers) && is_for_programs(uri.path()) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "This address is for programs; open the room's own address instead.",
            ));
        }
        if self.doors && may_be_asked_by_a_door(method, uri.path(), headers) {
            return Ok(authority);
        }
        if !same_origin(headers, &authority) || asked_by_another_site(method, headers) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "A page of another site asked for this; open the room's own address instead.",
            ));
        }
        Ok(authority)
    }
}

/// The authority of a request (RFC 9112, section 3.2): one `Host`, and the same if the target has its own.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(HOST).into_iter();
    let host = lines.next()?.to_str().ok()?.to_ascii_lowercase();
    let plain =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if lines.next().is_some() || !plain {
        return None;
    }
    let same = uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
    same.then_some(host)
}

/// Host and port, if there is one. A port that is not one becomes 0, which no authority has.
fn split(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().unwrap_or(0))),
        _ => (authority, None),
    }
}

fn same_origin(headers: &HeaderMap, authority: &Authority) -> bool {
    headers.get_all(ORIGIN).into_iter().all(|origin| match origin.to_str().unwrap_or_default() {
        "null" => value(headers, "sec-fetch-site") == Some("same-origin"),
        origin => authority.is_origin(origin),
    })
}

fn asked_by_another_site(method: &Method, headers: &HeaderMap) -> bool {
    let another = matches!(value(headers, "sec-fetch-site"), Some("cross-site" | "same-site"));
    let whole_window = is_navigation(headers)
        && value(headers, "sec-fetch-dest").is_none_or(|destination| destination == "document");
    another && !(whole_window && matches!(*method, Method::GET | Method::HEAD))
}

/// Whether this is what the page at another door of the room asks for: whether this one answers, without any cookie, or the
/// page that says who would go on here, in a whole window. A browser that sends no Fetch Metadata is believed.
fn may_be_asked_by_a_door(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let says = |name, expected| !headers.contains_key(name) || value(headers, name) == Some(expected);
    match (method, path) {
        (&Method::GET, "/health") => says("sec-fetch-mode", "no-cors") && says("sec-fetch-dest", "empty"),
        (&Method::POST, MOVED) => says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document"),
        _ => false,
    }
}

/// Whether a browser opens this address in a window or frame, as it says itself.
fn is_navigation(headers: &HeaderMap) -> bool {
    value(headers, "sec-fetch-mode") == Some("navigate")
}

/// Whether a page of the room itself asks, as the browser says.
fn is_same_origin(headers: &HeaderMap) -> bool {
    value(headers, "sec-fetch-site") == Some("same-origin")
}

/// Whether an address is of the interface for programs, and not a document for people.
fn is_for_programs(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/rooms/") else { return path == "/chat" };
    rest.split('/').nth(1) != Some("page")
}

/// A header that is there once.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut lines = headers.get_all(name).into_iter();
    let line = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some(line)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
