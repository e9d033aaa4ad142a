//! Who on this machine may use the local room, and what the others see.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

use crate::kit::Guest;
use crate::kit::offline;
use crate::kit::program::{Program, run};
use crate::kit::raw::{Answer, Raw};

const ALONE: [&str; 3] = ["--no-onion", "--listen", "127.0.0.1:0"];

/// The authority and the key of a URL `http://authority/key/`.
fn parts(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap();
    let (authority, key) = rest.split_once('/').unwrap();
    (authority.to_owned(), key.to_owned())
}

async fn ask(authority: &str, lines: &[&str]) -> Answer {
    Raw::new(TcpStream::connect(authority).await.unwrap()).request(lines).await
}

/// Any local program was a guest, and a distinctive refusal told a page of any site that a room runs here.
#[tokio::test]
async fn without_the_key_nothing_in_particular_answers() {
    let mut program = Program::start(&ALONE);
    let (authority, key) = parts(&program.told("local").await);
    assert_eq!(key.len(), 22);
    let (own, other) = (format!("Host: {authority}"), "Host: evil.example".to_owned());
    let wrong = format!("/{}{}", &key[..21], if key.ends_with('A') { 'B' } else { 'A' });
    let paths = ["/", "/chat", "/rooms/main", "/rooms/main/page", &wrong, &key[..21], "//", "/favicon.ico"];
    let kinds: [&[&str]; 5] = [
        &[],
        &["Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
        &["Origin: null", "Content-Length: 0"],
        &["Authorization: Bearer nothing", "Cookie: a=b"],
        &[
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
            "Sec-WebSocket-Protocol: chat",
        ],
    ];
    for path in paths {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            for (kind, host) in kinds.iter().zip([&own, &other].into_iter().cycle()) {
                for host in [host.as_str(), &own] {
                    let line = format!("{method} {path} HTTP/1.1");
                    let answer = ask(&authority, &[&[line.as_str(), host], *kind].concat()).await;
                    assert_eq!((answer.status, answer.body.as_slice()), (404, &b""[..]), "{line}");
                    let headers: Vec<_> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
                    assert_eq!(headers, ["content-length"], "{line} {kind:?}");
                }
            }
        }
    }
    let nowhere = ask(&authority, &["GET / HTTP/1.1"]).await;
    assert_eq!((nowhere.status, nowhere.headers.len()), (404, 1), "without Host");
}

#[tokio::test]
async fn with_the_key_everything_is_there() {
    let mut program = Program::start(&ALONE);
    let (authority, key) = parts(&program.told("local").await);
    let host = format!("Host: {authority}");
    let get = async |path: &str| {
        let line = format!("GET /{key}{path} HTTP/1.1");
        ask(&authority, &[&line, &host]).await
    };
    let page = get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("src=rooms/main/page"), "relative, so below the key");
    assert_eq!(get("").await.header("location"), Some(format!("/{key}/").as_str()));
    let noscript = get("/rooms/main/page").await;
    if let Some(location) = noscript.header("location") {
        assert!(location.starts_with(&format!("/{key}/rooms/main/page")) || !location.starts_with('/'));
    }
    assert_eq!(get("/nothing").await.header("content-type"), Some("application/problem+json"));

    let stream = TcpStream::connect(&authority).await.unwrap();
    let mut ann = Guest::connect(stream, &format!("{authority}/{key}")).await;
    ann.hello("Ann").await;
    assert_eq!(ann.say("1", "hello").await, 1);

    // The guard before the room stays: the key may be known to a page through the browser's history.
    let line = format!("GET /{key}/ HTTP/1.1");
    assert_eq!(ask(&authority, &[&line, &host, "Origin: http://evil.example"]).await.status, 403);
    assert_eq!(ask(&authority, &[&line, "Host: evil.example"]).await.status, 421);
}

#[tokio::test]
async fn the_key_is_kept_with_the_room_and_new_for_an_ephemeral_one() {
    let data = TempDir::new().unwrap();
    let place = data.path().join("room");
    let mut keys = Vec::new();
    for words in [&["--data-dir", place.to_str().unwrap()][..], &["--ephemeral"]] {
        for _ in 0..2 {
            let mut program = Program::start(&[&ALONE[..], words].concat());
            keys.push(parts(&program.told("local").await).1);
            program.signal("TERM").await;
            assert!(program.ended().await.success());
        }
    }
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[2], keys[3]);
    assert_eq!(fs::metadata(place.join("local-key")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_unix_socket_is_for_its_user_alone() {
    let data = TempDir::new().unwrap();
    let place = data.path().join("room");
    let words = ["--no-onion", "--local", "unix", "--data-dir", place.to_str().unwrap()];
    for _ in 0..2 {
        let mut program = Program::start(&words);
        let url = program.told("local").await;
        let path = Path::new(url.strip_prefix("unix:").unwrap()).to_owned();
        let file = fs::metadata(&path).unwrap();
        assert!(file.file_type().is_socket() && file.permissions().mode() & 0o777 == 0o600);
        let mut ann = Guest::connect(UnixStream::connect(&path).await.unwrap(), "localhost").await;
        ann.hello("Ann").await;
        drop(ann);
        // The next start replaces the socket of a process that was killed.
        program.kill().await;
        assert!(path.exists());
    }
    let mut program = Program::start(&words);
    program.told("local").await;
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    assert!(!place.join("room.sock").exists());
}

#[tokio::test]
async fn off_means_through_tor_only() {
    let directory = TempDir::new().unwrap();
    let network = offline::network_file(directory.path());
    let words = ["--ephemeral", "--local", "off", "--network-file", network.to_str().unwrap()];
    let mut program = Program::start(&words);
    let first = program.out.next_line().await.unwrap().unwrap();
    assert!(first.starts_with("room: http://"), "{first}");

    let refused = run(&["--no-onion", "--local", "off"], &[]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("no way into the room"));
}
