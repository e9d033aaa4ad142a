//! The room over TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use onionroom::config::Settings;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::kit::elsewhere::{NAME, Pair, TlsClient, connect_from, with_tls};
use crate::kit::everyone::{everyone_hears_everyone_at_once, the_page_is_that_of_the_public_name};
use crate::kit::program::Program;
use crate::kit::raw::Raw;
use crate::kit::{Guest, TestRoom, narrow, within};

/// A room with a certificate of its own, and its directory.
struct TlsRoom {
    room: TestRoom,
    files: TempDir,
    client: TlsClient,
    certificate: CertificateDer<'static>,
}

impl TlsRoom {
    async fn open(change: impl FnOnce(&mut Settings)) -> Self {
        let (files, pair) = (tempfile::tempdir().unwrap(), Pair::new());
        pair.write(files.path());
        let room = TestRoom::open_with(|settings| {
            with_tls(settings, files.path());
            change(settings);
        })
        .await;
        Self { room, files, client: TlsClient::trusting(&pair.certificate), certificate: pair.certificate }
    }

    fn address(&self) -> SocketAddr {
        self.room.tls()
    }

    async fn guest(&self, name: &str) -> Guest {
        let dial = self.client.dial(self.address());
        let mut guest = Guest::connect(dial.connect().await, &dial.host()).await;
        guest.hello(name).await;
        guest
    }
}

#[tokio::test]
async fn every_transport_works_over_tls() {
    let room = TlsRoom::open(|_| {}).await;
    let dial = room.client.dial(room.address());
    everyone_hears_everyone_at_once(dial.clone()).await;
    the_page_is_that_of_the_public_name(&dial).await;
    // What any response has, and no clock.
    let mut raw = Raw::new(dial.connect().await);
    let page = raw.request(&["GET / HTTP/1.1", &format!("Host: {NAME}")]).await;
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    for header in ["date", "server", "strict-transport-security"] {
        assert_eq!(page.header(header), None);
    }
    // The names of other listeners are none here, and the other way round.
    let local = format!("Host: {}", room.room.host());
    assert_eq!(raw.request(&["GET / HTTP/1.1", &local]).await.status, 421);
    let public = format!("Host: {NAME}");
    assert_eq!(room.room.raw().await.request(&["GET / HTTP/1.1", &public]).await.status, 421);
}

/// Both sides say that they are done, also after the upgrade; and a guest who is cut off is away, not gone.
#[tokio::test]
async fn a_connection_ends_in_good_order_or_is_cut() {
    let room = TlsRoom::open(|_| {}).await;
    let mut bob = room.guest("Bob").await;
    let ann = room.guest("Ann").await;
    drop(ann.into_stream());
    assert_eq!(bob.expect("away").await["guest"]["name"], "Ann");
    let stream = connect_from([127, 0, 0, 1], room.address()).await;
    let mut stream = room.client.over(stream).await.unwrap();
    let request = format!("GET /health HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // It fails where close_notify is missing.
    within("the end", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    room.room.close().await;
    assert_eq!(bob.closed().await.0, 1001);
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let room = TlsRoom::open(|_| {}).await;
    let mut ann = room.guest("Ann").await;
    let pair = Pair::new();
    pair.write(room.files.path());
    let (client, address) = (TlsClient::trusting(&pair.certificate), room.address());
    let replaced = async {
        while client.over(TcpStream::connect(address).await.unwrap()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within("the new certificate", replaced).await;
    ann.say("1", "still here").await;
    // One without a session to go on with, which needs no certificate.
    let old = TlsClient::trusting(&room.certificate);
    assert!(old.over(TcpStream::connect(address).await.unwrap()).await.is_err(), "the old one is gone");
}

/// A room writes as much as the connection takes, and TLS takes whole records: what is left of them goes on when there is
/// space again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_is_slow_gets_everything() {
    const SAID: u64 = 400;
    let room = TlsRoom::open(|settings| settings.listen.requests_per_second = 0).await;
    let tcp = within("a connection", narrow().connect(room.address())).await.unwrap();
    let mut slow = Guest::connect(room.client.over(tcp).await.unwrap(), NAME).await;
    slow.hello("Slow").await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=SAID {
        // Lengths that fit neither records nor buffers.
        let text = "x".repeat((number * 37 % 4000 + 1) as usize);
        assert_eq!(ann.say(&number.to_string(), &text).await, number);
    }
    for number in 1..=SAID {
        let message = slow.expect("message").await;
        assert_eq!(message["seq"], number);
        assert_eq!(message["text"].as_str().unwrap().len() as u64, number * 37 % 4000 + 1);
    }
}

/// Strangers from another address who begin handshakes and do not go on, send garbage, or speak HTTP.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn strangers_do_not_keep_guests_out() {
    let room = TlsRoom::open(|settings| settings.listen.connections = 400).await;
    let mut held = Vec::new();
    for number in 0..600_u32 {
        let mut stranger = connect_from([127, 0, 0, 2], room.address()).await;
        let bytes: &[u8] = match number % 4 {
            0 => b"",
            1 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            2 => b"GET / HTTP/1.1\r\n",
            _ => &[0xff; 512],
        };
        // One that was refused is reset.
        let _ = stranger.write_all(bytes).await;
        held.push(stranger);
    }
    let mut ann = room.guest("Ann").await;
    ann.say("1", "hello").await;
    let mut local = room.room.guest("Hugo").await;
    local.say("2", "hello").await;
}

/// What a host types for a try, from the start to the browser.
#[tokio::test]
async fn a_certificate_for_a_try_needs_no_files() {
    let words =
        ["--no-onion", "--ephemeral", "--listen", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--tls-self-signed"];
    let mut program = Program::start(&words);
    let address: SocketAddr = program.told("tls").await.parse().unwrap();
    let fingerprint = program.told("fingerprint").await;
    assert_eq!(fingerprint.len(), 95, "{fingerprint}");
    assert_eq!(program.told("public").await, format!("https://localhost:{}/", address.port()));
    let url = format!("https://localhost:{}/", address.port());
    let curl = async |more: &[&str]| {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--http1.1",
            "--resolve",
            &format!("localhost:{}:127.0.0.1", address.port()),
        ]);
        within("curl", command.args(more).arg(&url).kill_on_drop(true).output()).await.unwrap()
    };
    assert_eq!(curl(&[]).await.status.code(), Some(60), "it is not trusted");
    for version in ["--tls-max=1.2", "--tls-max=1.3"] {
        let (name, most) = version.split_once('=').unwrap();
        let page = curl(&["--insecure", name, most]).await;
        assert!(String::from_utf8_lossy(&page.stdout).contains("<title>"), "{page:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_at_the_start() {
    let files = tempfile::tempdir().unwrap();
    let (pair, other) = (Pair::new(), Pair::new());
    let place = |name: &str| files.path().join(name).display().to_string();
    pair.write(files.path());
    std::fs::write(place("other.pem"), &other.key_pem).unwrap();
    let complaint = async |words: &[&str]| {
        let words = [&["--no-onion", "--ephemeral", "--tls", "127.0.0.1:0"], words].concat();
        let public = [("ONIONROOM_LISTEN_PUBLIC", "https://room.example".as_ref())];
        let output = crate::kit::program::run(&words, &public).await;
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (certificate, key) = (place("certificate.pem"), place("key.pem"));
    for (certificate, key, words) in [
        (&certificate, &place("none.pem"), "Cannot read"),
        (&certificate, &certificate, "There is no private key in"),
        (&key, &key, "There is no certificate in"),
        (&certificate, &place("other.pem"), "does not belong"),
    ] {
        let said = complaint(&["--tls-certificate", certificate, "--tls-key", key]).await;
        assert!(said.contains(words), "{said}");
    }
    let said = complaint(&[]).await;
    assert!(said.contains("listen.tls is set, but the certificate is not"), "{said}");
}

/// A certificate that expired, one that is for another name, and a key for all are told, and the room opens.
#[cfg(unix)]
#[tokio::test]
async fn what_is_odd_about_a_certificate_is_said_and_the_room_opens() {
    use std::os::unix::fs::PermissionsExt;

    let files = tempfile::tempdir().unwrap();
    Pair::expired("other.example").write(files.path());
    let key = files.path().join("key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let variables: [(&str, &Path); 1] = [("ONIONROOM_LISTEN_PUBLIC", "https://room.example".as_ref())];
    let certificate = files.path().join("certificate.pem");
    let words = [
        "--no-onion",
        "--ephemeral",
        "--listen",
        "127.0.0.1:0",
        "--tls",
        "127.0.0.1:0",
        "--tls-certificate",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let mut program = Program::start_after("", &variables, &words);
    program.told("tls").await;
    for words in
        ["Every user of this machine can read the TLS key", "has expired", "none of the https origins"]
    {
        program.noted(words).await;
    }
}
