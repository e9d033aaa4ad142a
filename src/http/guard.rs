//! Request checks: a page of another site must not reach the room through a guest's or the host's browser.
//!
//! - `Host` must be one of the room's own addresses, or a name that a stranger points at 127.0.0.1 (DNS
//!   rebinding) would be same-origin with the room.
//! - `Origin`, where a browser sends it, must be that same address: WebSocket handshakes are not held back by
//!   the same-origin policy (RFC 6455, section 10.2). A browser that keeps addresses to itself sends `null` with
//!   a form of the room's own ([Fetch](https://fetch.spec.whatwg.org/#append-a-request-origin-header)), and so
//!   does a stranger's sandbox: only `Sec-Fetch-Site`, which no page can write, tells them apart.
//! - `Sec-Fetch-Site`, `Sec-Fetch-Mode` and `Sec-Fetch-Dest` (Fetch Metadata), where a browser sends them, must
//!   not say that another site asks for anything but a document for people, in a whole window. An address for programs
//!   is no document: a followed link to one is refused.

use std::sync::OnceLock;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::error::Problem;
use crate::listen::Peer;

/// The names under which the room answers.
#[derive(Debug)]
pub struct Hosts {
    loopback_port: u16,
    onion: OnceLock<(String, u16)>,
}

/// The host a request was for, checked to be this room's: as in `Host`, lower case, without `:80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(pub String);

impl Hosts {
    /// The loopback names with this port.
    pub fn new(loopback_port: u16) -> Self {
        Self { loopback_port, onion: OnceLock::new() }
    }

    /// Adds the onion address with the port it answers at; the first call counts.
    pub fn add_onion(&self, address: String, port: u16) {
        let _ = self.onion.set((address, port));
    }

    /// Whether a request from `peer` may be for `host` at `port`. What comes through Tor must be for the onion
    /// address and what comes from this machine for the loopback: nothing else is ever sent by a browser that
    /// was not misled.
    fn has(&self, peer: Peer, host: &str, port: u16) -> bool {
        match peer {
            Peer::Loopback(_) => {
                port == self.loopback_port && matches!(host, "localhost" | "127.0.0.1" | "[::1]")
            }
            Peer::Circuit(_) => {
                self.onion.get().is_some_and(|(address, onion_port)| host == address && port == *onion_port)
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
        let authority = authority(uri, headers).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "A request needs exactly one Host, a name with an optional port.",
            )
        })?;
        let (host, port) = split(&authority);
        if !self.has(peer, host, port) {
            return Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "This room does not answer under that name; use the address that its host gave you.",
            ));
        }
        let authority = if port == 80 { host.to_owned() } else { authority };
        if is_navigation(headers) && !is_same_origin(headers) && is_for_programs(uri.path()) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "This address is for programs; open the room's own address instead.",
            ));
        }
        if !same_origin(headers, &authority) || asked_by_another_site(method, headers) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "A page of another site asked for this; open the room's own address instead.",
            ));
        }
        Ok(Authority(authority))
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

/// Host and port; the port of `http` is 80. A port that is not one becomes 0, which no authority has.
fn split(authority: &str) -> (&str, u16) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(0)),
        _ => (authority, 80),
    }
}

fn same_origin(headers: &HeaderMap, authority: &str) -> bool {
    headers.get_all(ORIGIN).into_iter().all(|origin| match origin.to_str().unwrap_or_default() {
        "null" => value(headers, "sec-fetch-site") == Some("same-origin"),
        origin => origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(authority)),
    })
}

fn asked_by_another_site(method: &Method, headers: &HeaderMap) -> bool {
    let another = matches!(value(headers, "sec-fetch-site"), Some("cross-site" | "same-site"));
    let whole_window = is_navigation(headers)
        && value(headers, "sec-fetch-dest").is_none_or(|destination| destination == "document");
    another && !(whole_window && matches!(*method, Method::GET | Method::HEAD))
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
mod tests {
    use super::*;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn check(peer: Peer, pairs: &[(&'static str, &str)]) -> Result<String, u16> {
        check_of(peer, &Method::GET, "/", pairs)
    }

    fn check_of(
        peer: Peer,
        method: &Method,
        path: &'static str,
        pairs: &[(&'static str, &str)],
    ) -> Result<String, u16> {
        let hosts = Hosts::new(8646);
        hosts.add_onion(ONION.to_owned(), 80);
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        let checked = hosts.check(peer, method, &Uri::from_static(path), &headers);
        checked.map(|authority| authority.0).map_err(|problem| problem.status.as_u16())
    }

    fn local(pairs: &[(&'static str, &str)]) -> Result<String, u16> {
        check(Peer::Loopback(([127, 0, 0, 1], 5).into()), pairs)
    }

    #[test]
    fn the_rooms_own_names_are_served() {
        for host in ["localhost:8646", "127.0.0.1:8646", "[::1]:8646", "LOCALHOST:8646"] {
            assert_eq!(local(&[("host", host)]), Ok(host.to_lowercase()));
        }
        for host in [ONION.to_owned(), format!("{ONION}:80"), ONION.to_uppercase()] {
            assert_eq!(check(Peer::Circuit(1), &[("host", &host)]), Ok(ONION.to_owned()));
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "evil.example:8646",
            "localhost",
            "localhost:80",
            "localhost:x",
            "localhost:8646.",
            "127.0.0.1.nip.io:8646",
            "[::1]",
            ONION,
        ] {
            assert_eq!(local(&[("host", host)]), Err(421), "{host}");
        }
        for host in
            ["localhost:8646", "127.0.0.1:8646", "x.onion", &format!("{ONION}:81"), &format!("www.{ONION}")]
        {
            assert_eq!(check(Peer::Circuit(1), &[("host", host)]), Err(421), "{host}");
        }
    }

    #[test]
    fn a_host_is_there_once() {
        assert_eq!(local(&[]), Err(400));
        assert_eq!(local(&[("host", "")]), Err(400));
        assert_eq!(local(&[("host", "a b")]), Err(400));
        assert_eq!(local(&[("host", "localhost:8646"), ("host", "localhost:8646")]), Err(400));
    }

    #[test]
    fn a_target_with_another_host_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost:8646".parse().unwrap());
        let peer = Peer::Loopback(([127, 0, 0, 1], 5).into());
        let check =
            |uri| Hosts::new(8646).check(peer, &Method::GET, &Uri::from_static(uri), &headers).is_ok();
        assert!(check("http://localhost:8646/"));
        assert!(!check("http://evil.example/"));
    }

    #[test]
    fn other_origins_are_refused() {
        let host = ("host", "localhost:8646");
        assert!(local(&[host, ("origin", "http://localhost:8646")]).is_ok());
        for origin in [
            "null",
            "",
            "http://evil.example",
            "https://localhost:8646",
            "http://localhost",
            "http://127.0.0.1:8646",
            "http://localhost:3000",
        ] {
            assert_eq!(local(&[host, ("origin", origin)]), Err(403), "{origin}");
        }
        let onion = ("host", ONION);
        assert!(check(Peer::Circuit(1), &[onion, ("origin", &format!("http://{ONION}"))]).is_ok());
    }

    #[test]
    fn an_origin_kept_secret_is_the_rooms_own_only_where_the_browser_vouches_for_it() {
        let (host, null) = (("host", "localhost:8646"), ("origin", "null"));
        assert!(local(&[host, null, ("sec-fetch-site", "same-origin")]).is_ok());
        for site in ["none", "same-site", "cross-site", "", "SAME-ORIGIN"] {
            assert_eq!(local(&[host, null, ("sec-fetch-site", site)]), Err(403), "{site}");
        }
        let twice = [host, null, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")];
        assert_eq!(local(&twice), Err(403));
        let foreign = ("origin", "http://evil.example");
        assert_eq!(local(&[host, foreign, ("sec-fetch-site", "same-origin")]), Err(403));
        let onion = [("host", ONION), null, ("sec-fetch-site", "same-origin")];
        assert!(check(Peer::Circuit(1), &onion).is_ok());
    }

    #[test]
    fn another_site_may_link_but_not_fetch() {
        let host = ("host", "localhost:8646");
        let framed =
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        assert_eq!(local(&[&[host], &framed[..]].concat()), Err(403));
        for site in ["cross-site", "same-site"] {
            assert!(local(&[host, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")]).is_ok());
            assert_eq!(local(&[host, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]), Err(403));
        }
        assert!(local(&[host, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "websocket")]).is_ok());
    }

    /// A link, on another site or opened from elsewhere, leads to documents for people and to nothing that a program
    /// would ask for; a form of another site leads nowhere.
    #[test]
    fn a_followed_link_opens_documents_only() {
        let documents =
            ["/", "/rooms/main/page", "/rooms/main/page/messages?window=1", "/rooms/main/page/say"];
        let programs = [
            "/chat",
            "/rooms/main",
            "/rooms/main/",
            "/rooms/main/messages",
            "/rooms/main/events?after=0",
            "/rooms/main/guests",
            "/rooms/main/guests/me",
            "/rooms/main/pages",
            "/rooms/page",
        ];
        // Site, destination, whether a document opens by GET, by POST, and an address for programs by GET.
        let table = [
            ("none", "document", [true, true, false]),
            ("cross-site", "document", [true, false, false]),
            ("same-site", "document", [true, false, false]),
            ("cross-site", "iframe", [false, false, false]),
            ("same-site", "iframe", [false, false, false]),
            ("cross-site", "object", [false, false, false]),
            ("same-origin", "document", [true, true, true]),
            ("same-origin", "iframe", [true, true, true]),
        ];
        let peer = Peer::Loopback(([127, 0, 0, 1], 5).into());
        for (site, destination, [get, post, program]) in table {
            let headers = [
                ("host", "localhost:8646"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", site),
                ("sec-fetch-dest", destination),
            ];
            let opens = |method, path| check_of(peer, method, path, &headers).is_ok();
            for path in documents {
                assert_eq!(opens(&Method::GET, path), get, "GET {path} {site} {destination}");
                assert_eq!(opens(&Method::HEAD, path), get, "HEAD {path} {site} {destination}");
                assert_eq!(opens(&Method::POST, path), post, "POST {path} {site} {destination}");
            }
            for path in programs {
                assert_eq!(opens(&Method::GET, path), program, "GET {path} {site} {destination}");
            }
        }
        // A program says nothing of all this, and a page of the room fetches.
        for path in programs {
            let host = ("host", "localhost:8646");
            assert!(check_of(peer, &Method::GET, path, &[host]).is_ok());
            let fetched = [host, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
            assert!(check_of(peer, &Method::POST, path, &fetched).is_ok());
        }
    }
}
