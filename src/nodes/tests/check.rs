//! The check of a cluster, against servers in each state that it tells apart.

use super::super::check::{Finding, Verdict, check};
use super::*;
use crate::config::{ClusterSettings, NatsAddress};

struct Report(Vec<Finding>);

impl Report {
    async fn of(settings: &ClusterSettings) -> Self {
        let mut findings = Vec::new();
        check(settings, &mut |finding| findings.push(finding)).await;
        for Finding { text, .. } in &findings {
            assert!(!text.contains("pass word") && !text.contains("55555"), "{text}");
            assert!(text.ends_with(['.', ':']) || text.starts_with("  "), "no sentence: {text}");
        }
        Self(findings)
    }

    fn has(&self, verdict: Verdict, words: &str) {
        let found = self.0.iter().any(|finding| finding.verdict == verdict && finding.text.contains(words));
        assert!(found, "no {words:?} ({verdict:?}) in {:#?}", self.0);
    }

    /// Looks again and again until it is as wanted.
    async fn until(settings: &ClusterSettings, wanted: impl Fn(&Self) -> bool) -> Self {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let report = Self::of(settings).await;
            if wanted(&report) {
                return report;
            }
            assert!(Instant::now() < deadline, "{:#?}", report.0);
        }
    }

    fn tells(&self, words: &str) -> bool {
        self.0.iter().any(|finding| finding.text.contains(words))
    }

    fn wrong(&self) -> usize {
        self.0.iter().filter(|finding| finding.verdict == Verdict::Wrong).count()
    }
}

#[tokio::test]
async fn what_is_right_is_said() {
    let servers = Servers::start(Program::Newer, 3);
    let settings = servers.settings(ROOM, &servers.addresses());
    // Servers that have just begun look for their leader.
    let before = Report::until(&settings, |report| report.wrong() == 0).await;
    before.has(Verdict::Note, "not there yet");
    before.has(Verdict::Note, "No machine serves the room");
    let node = Node::join(&servers, &servers.addresses()).await;
    node.cluster.open_door("http://abcdefghijklmnop.onion".into(), 250);
    node.seat(1, "Ann").await;
    // Replicas of buckets that were made a moment ago catch up first.
    let after = Report::until(&settings, |report| report.wrong() == 0 && report.tells("1 of 250")).await;
    after.has(Verdict::Right, "answers: nats-server 2.");
    after.has(Verdict::Right, "Everything is kept 3 times");
    after.has(Verdict::Right, "A write is acknowledged");
    after.has(Verdict::Right, "The bucket of leases");
    after.has(Verdict::Right, "One machine serves");
    after.has(Verdict::Right, "http://abcdefgh….onion with 1 of 250 guests");
    // It left nothing, and the node lost nothing.
    assert_eq!(node.lost(), 0);
    let context = async_nats::jetstream::new(node.client.clone());
    let deadline = Instant::now() + Duration::from_secs(40);
    while let Ok(left) = context.get_stream("onionroom_room_check").await {
        assert!(Instant::now() < deadline, "{:?}", left.cached_info());
        sleep(Duration::from_millis(100)).await;
    }
}

/// Guards against "nothing is wrong" where no message can be written, because the servers have begun with empty disks.
#[tokio::test]
async fn what_is_gone_while_the_room_is_served_is_wrong() {
    let servers = Servers::start(Program::Debian, 1);
    let settings = servers.settings(ROOM, &servers.addresses());
    let node = Node::join(&servers, &servers.addresses()).await;
    let context = async_nats::jetstream::new(node.client.clone());
    context.delete_stream("onionroom_room_leases").await.unwrap();
    Report::of(&settings).await.has(Verdict::Wrong, "Restart onionroom on each machine");
}

#[tokio::test]
async fn servers_that_are_away_are_named() {
    let mut servers = Servers::start(Program::Newer, 3);
    let settings = servers.settings(ROOM, &servers.addresses());
    let node = Node::join(&servers, &servers.addresses()).await;
    servers.kill(2);
    let one_away = Report::until(&settings, |report| report.tells("its replica on the server s2 is")).await;
    one_away.has(Verdict::Wrong, &servers.address(2));
    servers.kill(1);
    let two_away = Report::of(&settings).await;
    two_away.has(Verdict::Wrong, &servers.address(1));
    two_away.has(Verdict::Right, "answers: nats-server");
    assert!(
        two_away
            .0
            .iter()
            .any(|finding| finding.verdict == Verdict::Wrong && finding.text.contains("fewer than half"))
    );
    drop(node);
    servers.kill(0);
    let all_away = Report::of(&settings).await;
    assert_eq!(all_away.wrong(), 3, "{:#?}", all_away.0);
    all_away.has(Verdict::Wrong, "can be reached");
}

/// Guards against "start as many servers as there are": all of them answer.
#[tokio::test]
async fn a_server_whose_disk_was_full_is_told() {
    let mut servers = Servers::start_on_small_disks(Program::Newer, 3);
    if servers.disks().is_none() {
        return;
    }
    let settings = servers.settings(ROOM, &servers.addresses());
    let _node = Node::join(&servers, &servers.addresses()).await;
    servers.disks().unwrap().fill(2);
    let full = Report::until(&settings, |report| {
        report.tells("refuses a new stream") && report.tells("its replica on the server s2 is")
    });
    let full = full.await;
    full.has(Verdict::Right, "with the name s2, of the cluster");
    full.has(Verdict::Wrong, "make room on it, and restart nats-server");
    servers.disks().unwrap().free(2);
    servers.kill(2);
    servers.restart(2);
    Report::until(&settings, |report| report.wrong() == 0).await;
}

#[tokio::test]
async fn old_servers_with_replicas_are_warned_of() {
    let servers = Servers::start(Program::Debian, 3);
    let report = Report::of(&servers.settings(ROOM, &servers.addresses())).await;
    report.has(Verdict::Note, "Before 2.11");
    let servers = Servers::start(Program::Debian, 1);
    let report = Report::of(&servers.settings(ROOM, &servers.addresses())).await;
    assert!(!report.0.iter().any(|finding| finding.text.contains("Before 2.11")), "{:#?}", report.0);
    report.has(Verdict::Note, "kept by one server");
    let too_many = ClusterSettings { replicas: 3, ..servers.settings(ROOM, &servers.addresses()) };
    Report::of(&too_many).await.has(Verdict::Wrong, "cluster.replicas is 3");
}

#[tokio::test]
async fn a_server_without_jetstream_or_with_another_password_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("key");
    crate::cluster::ClusterSecret::random().unwrap().write(&secret).unwrap();
    let report = async |place: &str, server: &Bare| {
        let address = format!("nats://{place}127.0.0.1:{}", server.port);
        let nats = vec![NatsAddress::parse(&address).unwrap()];
        let (room, secret) = ("room".into(), secret.clone());
        Report::of(&ClusterSettings {
            nats,
            room,
            replicas: 0,
            secret,
            credentials: None,
            ca: None,
            certificate: None,
            doors: true,
        })
        .await
    };
    let server = Bare::start(&[]);
    server.begun().await;
    report("", &server).await.has(Verdict::Wrong, "JetStream is not on");
    let store = directory.path().join("store");
    let server =
        Bare::start(&["-js", "-sd", store.to_str().unwrap(), "--user", "me", "--pass", "secret pass word"]);
    server.begun().await;
    report("me:wrong@", &server).await.has(Verdict::Wrong, "refuses this client");
    report("", &server).await.has(Verdict::Wrong, "refuses this client");
    let port = server.port;
    drop(server);
    let nothing = Bare { child: None, port };
    report("me:secret@", &nothing).await.has(Verdict::Wrong, "can be reached");
}

/// A server with these arguments.
struct Bare {
    child: Option<std::process::Child>,
    port: u16,
}

impl Bare {
    fn start(arguments: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = std::process::Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]).args(arguments);
        let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
        Self { child: Some(child.unwrap()), port }
    }

    async fn begun(&self) {
        let deadline = Instant::now() + Duration::from_secs(40);
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(Instant::now() < deadline, "the server does not begin");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test]
async fn another_key_is_told() {
    let servers = Servers::start(Program::Debian, 1);
    let node = Node::join(&servers, &servers.addresses()).await;
    node.seat(1, "Ann").await;
    let connection = Connection::open(&servers.settings(ROOM, &servers.addresses())).await.unwrap();
    let bucket = crate::cluster::Bucket::open(connection, "room").await.unwrap();
    bucket.update("identity", b"a room", 0).await.unwrap();
    let right = Report::of(&servers.settings(ROOM, &servers.addresses())).await;
    right.has(Verdict::Right, "can be decrypted with this key");
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("other");
    crate::cluster::ClusterSecret::random().unwrap().write(&secret).unwrap();
    let other = ClusterSettings { secret, ..servers.settings(ROOM, &servers.addresses()) };
    let report = Report::of(&other).await;
    report.has(Verdict::Wrong, "encrypted with another key");
    report.has(Verdict::Wrong, "speaks with another key");
    let missing = ClusterSettings { secret: directory.path().join("none"), ..other };
    Report::of(&missing).await.has(Verdict::Wrong, "onionroom cluster key");
}
