use super::*;
use crate::listen::Client;

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
    let hosts = Hosts::new(8646, &[]);
    hosts.add_onion(ONION.to_owned(), 80);
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    let checked = hosts.check(peer, method, &Uri::from_static(path), &headers);
    checked.map(|authority| authority.host).map_err(|problem| problem.status.as_u16())
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

/// Each listener has its names: what is public opens nothing on this machine's own listener, whose names strangers could
/// point at it, and what comes over a public listener cannot ask as if it were on this machine.
#[test]
fn a_public_listener_has_the_public_origins_alone_and_they_count_nowhere_else() {
    let public =
        [format!("http://{ONION}:8080"), "https://room.example".into(), "http://room.example:81".into()];
    let public = public.map(|origin| PublicOrigin::parse(&origin).unwrap());
    let hosts = Hosts::new(8646, &public);
    hosts.add_onion(ONION.to_owned(), 80);
    let ask = |peer, host: &str, origin: Option<&str>| {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        headers.extend(origin.map(|origin| (ORIGIN, origin.parse().unwrap())));
        let checked = hosts.check(peer, &Method::GET, &Uri::from_static("/"), &headers);
        checked.map(|authority| authority.socket_origin()).map_err(|problem| problem.status.as_u16())
    };
    let clients = ["192.0.2.1", "fc00:dead:beef:4dad::5"].map(|address| Client::at(address.parse().unwrap()));
    for peer in [Client::Unknown, clients[0], clients[1]].map(Peer::Public) {
        for host in ["room.example", "Room.Example:443"] {
            for origin in [None, Some("https://room.example")] {
                assert_eq!(ask(peer, host, origin), Ok("wss://room.example".into()));
            }
            for origin in ["http://room.example", "https://room.example:443", "https://evil.example", "null"]
            {
                assert_eq!(ask(peer, host, Some(origin)), Err(403), "{origin}");
            }
        }
        let http = Some("http://room.example:81");
        assert_eq!(ask(peer, "room.example:81", http), Ok("ws://room.example:81".into()));
        assert_eq!(ask(peer, &format!("{ONION}:8080"), None), Ok(format!("ws://{ONION}:8080")));
        for host in
            [ONION, "room.example:80", "localhost:8646", "127.0.0.1:8646", "a.room.example", "room.example."]
        {
            assert_eq!(ask(peer, host, None), Err(421), "{host}");
        }
    }
    for peer in [Peer::Circuit(1), Peer::Loopback(([127, 0, 0, 1], 5).into())] {
        for host in ["room.example", "room.example:443", "room.example:81", &format!("{ONION}:8080")] {
            assert_eq!(ask(peer, host, None), Err(421), "{host}");
        }
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
        |uri| Hosts::new(8646, &[]).check(peer, &Method::GET, &Uri::from_static(uri), &headers).is_ok();
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
    let documents = ["/", "/rooms/main/page", "/rooms/main/page/messages?window=1", "/rooms/main/page/say"];
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

/// What the page at another door of the room may ask for, and nothing beside it: from wherever it comes, because a browser of
/// Tor does not say which onion address asks.
#[test]
fn a_room_with_doors_lets_their_pages_ask_for_two_things_and_one_without_for_none() {
    const PROBE: [(&str, &str); 3] =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")];
    const FORM: [(&str, &str); 4] = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("origin", "null"),
    ];
    let ask = |doors, method: &Method, path: &'static str, pairs: &[(&'static str, &str)]| {
        let hosts = Hosts::new(8646, &[]).among_doors(doors);
        hosts.add_onion(ONION.to_owned(), 80);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, ONION.parse().unwrap());
        pairs.iter().for_each(|(name, value)| {
            headers.append(*name, value.parse().unwrap());
        });
        let checked = hosts.check(Peer::Circuit(1), method, &Uri::from_static(path), &headers);
        checked.map(|_| ()).map_err(|problem| problem.status.as_u16())
    };
    let changed = |pairs: &[(&'static str, &'static str)], name, value| {
        let mut pairs = pairs.to_vec();
        pairs.iter_mut().find(|(given, _)| *given == name).unwrap().1 = value;
        pairs
    };
    for (method, path, pairs) in [(Method::GET, "/health", &PROBE[..]), (Method::POST, MOVED, &FORM[..])] {
        assert_eq!(ask(true, &method, path, pairs), Ok(()));
        assert_eq!(ask(false, &method, path, pairs), Err(403));
        let same_site = changed(pairs, "sec-fetch-site", "same-site");
        assert_eq!(ask(true, &method, path, &same_site), Ok(()));
        // As anything else: a script that would read the answer, a picture, a frame, another method.
        for (name, values) in [
            ("sec-fetch-mode", &["cors", "same-origin", "websocket", ""][..]),
            ("sec-fetch-dest", &["image", "iframe", "script", "object"][..]),
        ] {
            for value in values {
                assert_eq!(
                    ask(true, &method, path, &changed(pairs, name, value)),
                    Err(403),
                    "{name}: {value}"
                );
            }
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            assert_eq!(ask(true, &method, path, pairs), Err(403), "{method}");
        }
    }
    for path in [
        "/",
        "/chat",
        "/moving.js",
        "/rooms/main",
        "/rooms/main/guests",
        "/rooms/main/messages",
        "/rooms/main/page/enter",
        "/rooms/main/page/arrive",
        "/rooms/main/page/say",
        "/rooms/main/page/leave",
        "/rooms/main/page/moved/",
        "/rooms/other/page/moved",
        "//rooms/main/page/moved",
    ] {
        assert_eq!(ask(true, &Method::POST, path, &FORM), Err(403), "{path}");
        assert_eq!(ask(true, &Method::GET, path, &PROBE), Err(403), "{path}");
    }
    // The address still has to be this one.
    let hosts = Hosts::new(8646, &[]).among_doors(true);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, "evil.example".parse().unwrap());
    let checked = hosts.check(Peer::Circuit(1), &Method::GET, &Uri::from_static("/health"), &headers);
    assert_eq!(checked.map_err(|problem| problem.status.as_u16()), Err(421));
}
