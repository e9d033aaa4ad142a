//! What comes over the listener for proxies: strangers with raw sockets in the place of the proxy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use onionroom::config::{LocalAccess, ProxyAddress, PublicOrigin, Settings};
use onionroom::server::Server;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

use crate::kit::Guest;
use crate::kit::program::{Program, run};
use crate::kit::raw::{Answer, Raw};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

/// How a Tor daemon and a proxy say where a connection comes from.
const CIRCUIT: &str = "PROXY TCP6 fc00:dead:beef:4dad::7 ::1 7 42\r\n";
const ADDRESS: &str = "PROXY TCP4 203.0.113.77 192.0.2.2 56324 443\r\n";

/// The program with this in its section `[listen]`, beside a local room with a key.
fn program(directory: &TempDir, listen: &str, words: &[&str]) -> Program {
    let file = directory.path().join("onionroom.toml");
    fs::write(&file, format!("[listen]\n{listen}")).unwrap();
    let own = ["--ephemeral", "--no-onion", "--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()];
    Program::start(&[&own[..], words].concat())
}

fn listen(proxy: &str, protocol: bool) -> String {
    let public = format!("public = [\"https://room.example\", \"http://{ONION}\"]");
    format!("{public}\nproxy = \"{proxy}\"\nproxy_protocol = {protocol}\n")
}

/// Sends `header` and a request, and reads the answer.
async fn ask(proxy: &str, header: &str, lines: &[&str]) -> Answer {
    let mut raw = Raw::new(TcpStream::connect(proxy).await.unwrap());
    raw.write(header.as_bytes()).await;
    raw.request(lines).await
}

const PAGE: &str = "GET / HTTP/1.1";

#[tokio::test]
async fn guests_come_in_through_a_proxy_under_the_public_names_alone() {
    let directory = TempDir::new().unwrap();
    for (protocol, headers) in [(false, &[""][..]), (true, &[CIRCUIT, ADDRESS, "PROXY UNKNOWN\r\n"])] {
        let mut program = program(&directory, &listen("127.0.0.1:0", protocol), &[]);
        let (local, proxy) = (program.told("local").await, program.told("proxy").await);
        assert_eq!(program.told("public").await, "https://room.example/");
        let authority = local.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        for header in headers {
            let page = ask(&proxy, header, &[PAGE, "Host: room.example"]).await;
            assert_eq!(page.status, 200, "{header}");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("connect-src 'self' wss://room.example;"), "{policy}");
            let page = ask(&proxy, header, &[PAGE, &format!("Host: {ONION}")]).await;
            assert!(page.header("content-security-policy").unwrap().contains(&format!(" ws://{ONION};")));

            let noscript = async |host: &str| {
                let host = format!("Host: {host}");
                ask(&proxy, header, &["GET /rooms/main/page HTTP/1.1", &host]).await
            };
            let cookie = noscript("room.example").await.header("set-cookie").unwrap().to_owned();
            assert!(
                cookie.starts_with("entry=") && cookie.ends_with("; SameSite=Strict; Secure"),
                "{cookie}"
            );
            assert!(!noscript(ONION).await.header("set-cookie").unwrap().contains("Secure"));

            for host in [&authority, "localhost", "room.example:80", "evil.example", "127.0.0.1"] {
                let host = format!("Host: {host}");
                assert_eq!(ask(&proxy, header, &[PAGE, &host]).await.status, 421, "{host}");
                let forwarded =
                    ["X-Forwarded-Host: room.example", "Forwarded: host=room.example;proto=https"];
                let answer = ask(&proxy, header, &[PAGE, &host, forwarded[0], forwarded[1]]).await;
                assert_eq!(answer.status, 421, "{host}");
            }
            for origin in ["http://room.example", "https://evil.example", "null"] {
                let origin = format!("Origin: {origin}");
                assert_eq!(ask(&proxy, header, &[PAGE, "Host: room.example", &origin]).await.status, 403);
            }
        }
        // The local room, with its key, is as it was.
        let local_page = local.strip_prefix(&format!("http://{authority}")).unwrap();
        let line = format!("GET {local_page} HTTP/1.1");
        assert_eq!(ask(&authority, "", &[&line, &format!("Host: {authority}")]).await.status, 200);
        assert_eq!(ask(&authority, "", &[&line, "Host: room.example"]).await.status, 421);
        assert_eq!(ask(&authority, "", &[PAGE, "Host: room.example"]).await.status, 404);
        // The key is no path here.
        assert_eq!(ask(&proxy, headers[0], &[&line, "Host: room.example"]).await.status, 404);
    }
}

/// In place of a header strangers send requests, parts of headers, and everything else.
#[tokio::test]
async fn without_the_header_nothing_is_answered() {
    let directory = TempDir::new().unwrap();
    let mut program = program(&directory, &listen("127.0.0.1:0", true), &[]);
    let proxy = program.told("proxy").await;
    let request = b"GET / HTTP/1.1\r\nHost: room.example\r\n\r\n";
    let too_long = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"[..], &[0; 9000]].concat();
    let strangers: [&[u8]; 7] = [
        request,
        b"PROXY TCP4 203.0.113.77\r\nGET / HTTP/1.1\r\n\r\n",
        &[&b"PROXY TCP4 203.0.113.77 192.0.2.2 1 99999\r\n"[..], request].concat(),
        &[&b"PROXY UNKNOWN "[..], &[b'x'; 500], b"\r\n", request].concat(),
        &[&b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c"[..], &[0; 12], request].concat(),
        &too_long,
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    ];
    for bytes in strangers {
        let mut raw = Raw::new(TcpStream::connect(&proxy).await.unwrap());
        raw.write(bytes).await;
        assert!(raw.ended().await, "{}", bytes.escape_ascii());
    }
    program.noted("did not begin with a header of the PROXY protocol").await;
    // A header in two pieces, the second with the request and the beginning of another.
    let mut raw = Raw::new(TcpStream::connect(&proxy).await.unwrap());
    raw.write(&CIRCUIT.as_bytes()[..20]).await;
    raw.write(&[&CIRCUIT.as_bytes()[20..], request, b"GET / HT"].concat()).await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(raw.request(&["TP/1.1", "Host: room.example"]).await.status, 200);
    // A second header is not the proxy's: a client cannot say where it comes from.
    let twice = [CIRCUIT, ADDRESS].concat();
    assert_eq!(ask(&proxy, &twice, &[PAGE, "Host: room.example"]).await.status, 400);
}

#[tokio::test]
async fn a_unix_socket_is_for_the_proxys_group_and_for_one_room() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("proxy.sock");
    let place = format!("unix:{}", socket.display());
    for _ in 0..2 {
        let mut first = program(&directory, &listen(&place, true), &["--local", "off"]);
        assert_eq!(first.told("proxy").await, place);
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
        let mut raw = Raw::new(UnixStream::connect(&socket).await.unwrap());
        raw.write(ADDRESS.as_bytes()).await;
        assert_eq!(raw.request(&[PAGE, "Host: room.example"]).await.status, 200);

        let file = directory.path().join("onionroom.toml");
        let words = ["--ephemeral", "--no-onion", "--local", "off", "--config", file.to_str().unwrap()];
        let second = run(&words, &[]).await;
        assert_ne!(second.status.code(), Some(0));
        let said = String::from_utf8(second.stderr).unwrap();
        assert!(said.contains("listen.proxy") && said.contains("use"), "{said}");
        // The next start replaces the socket of a process that was killed.
        first.kill().await;
        assert!(socket.exists());
    }
    let mut last = program(&directory, &listen(&place, false), &["--local", "off"]);
    last.told("proxy").await;
    last.signal("TERM").await;
    assert!(last.ended().await.success());
    assert!(!socket.exists());
}

#[tokio::test]
async fn no_address_is_logged() {
    let directory = TempDir::new().unwrap();
    let mut program = program(&directory, &listen("127.0.0.1:0", true), &["--log", "trace"]);
    let proxy = program.told("proxy").await;
    for header in [ADDRESS, CIRCUIT, "PROXY TCP6 2001:db8:77::1 ::1 7 42\r\n"] {
        let answer =
            ask(&proxy, header, &[PAGE, "Host: room.example", "X-Forwarded-For: 203.0.113.77"]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(ask(&proxy, header, &[PAGE, "Host: evil.example"]).await.status, 421);
    }
    program.signal("TERM").await;
    let log = program.rest_of_err().await;
    for part in ["203.0.113", "db8:77", "dead:beef"] {
        assert!(!log.contains(part), "{part} in the log");
    }
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    settings.onion.enabled = false;
    settings.listen.local = LocalAccess::Off;
    settings.listen.public = vec![PublicOrigin::parse("https://room.example").unwrap()];
    settings.listen.proxy = Some(ProxyAddress::Tcp(([127, 0, 0, 1], 0).into()));
    settings.listen.proxy_protocol = true;
    change(&mut settings);
    settings
}

/// A connection to a room, from where `header` says.
async fn connect(server: &Server, header: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.proxy_place().unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, header.as_bytes()).await.unwrap();
    stream
}

fn from_address(last: u8) -> String {
    format!("PROXY TCP4 203.0.113.{last} 192.0.2.2 56324 443\r\n")
}

fn from_circuit(number: u16) -> String {
    format!("PROXY TCP6 fc00:dead:beef:4dad::0:{number:x} ::1 {number} 42\r\n")
}

/// Joins until that has to wait; answers with how often that went.
async fn join_until_refused(server: &Server, header: &str) -> usize {
    let mut raw = Raw::new(connect(server, header).await);
    let head = "POST /rooms/main/guests HTTP/1.1\r\nHost: room.example\r\nContent-Type: application/json\r\n";
    for joined in 0..200 {
        raw.write(format!("{head}Content-Length: 2\r\n\r\n{{}}").as_bytes()).await;
        match raw.answer().await.status {
            201 => {}
            status => {
                assert_eq!(status, 429);
                return joined;
            }
        }
    }
    panic!("no end of joins for {header}");
}

/// One address, or circuit, spends its budget of ten joins at once and one a minute after that; the others have theirs.
#[tokio::test]
async fn one_flood_takes_nothing_from_another_address_or_circuit() {
    let slow = |settings: &mut Settings| settings.room.joins_per_minute = 1;
    let server = Server::open(&settings(slow)).await.unwrap();
    let network = |last: &str| format!("PROXY TCP6 2001:db8:0:1::{last} ::1 7 42\r\n");
    for (flood, same, other) in [
        (from_address(1), from_address(1), from_address(2)),
        (from_circuit(1), from_circuit(1), from_circuit(2)),
        (network("1"), network("2"), network("1").replace(":1::", ":2::")),
    ] {
        assert!(join_until_refused(&server, &flood).await >= 10);
        assert!(join_until_refused(&server, &same).await < 5, "a new connection refills nothing: {same}");
        assert!(join_until_refused(&server, &other).await >= 10);
    }
    let unknown = "PROXY UNKNOWN\r\n";
    assert!(
        join_until_refused(&server, unknown).await >= 100,
        "those of whom nothing is known have more together"
    );
    assert!(join_until_refused(&server, unknown).await < 20);
    server.close().await;
}

/// Connections and seats are shared between addresses as between circuits.
#[tokio::test]
async fn one_address_does_not_keep_another_out_of_a_full_room() {
    let full = |settings: &mut Settings| (settings.room.guests, settings.listen.connections) = (4, 6);
    let server = Server::open(&settings(full)).await.unwrap();
    let mut crowd = Vec::new();
    for number in 0..4 {
        let mut guest = Guest::connect(connect(&server, &from_address(1)).await, "room.example").await;
        guest.hello(&format!("Crowd {number}")).await;
        crowd.push(guest);
    }
    for address in [2, 3] {
        let mut guest = Guest::connect(connect(&server, &from_address(address)).await, "room.example").await;
        let welcome = guest.hello_as(json!({ "name": format!("Guest {address}") })).await;
        assert_eq!(welcome["guest"]["name"], format!("Guest {address}"));
        assert_eq!(guest.say("1", "hello").await, u64::from(address) - 1);
        crowd.push(guest);
    }
    server.close().await;
}

/// A path that is no socket is left as it is.
#[tokio::test]
async fn a_file_in_the_way_is_not_removed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("proxy.sock");
    fs::write(&path, "a file").unwrap();
    let place = Some(ProxyAddress::Unix(path.clone()));
    let refused = Server::open(&settings(|settings| settings.listen.proxy = place)).await;
    let said = refused.err().unwrap().to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert_eq!(fs::read_to_string(Path::new(&path)).unwrap(), "a file");
}
