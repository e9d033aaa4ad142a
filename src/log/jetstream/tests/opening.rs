//! What is said when the room cannot be opened, and what becomes of it when the servers lose it.

use std::fs;

use super::*;
use crate::cluster::servers::{Line, Program};
use crate::config::ClusterSettings;
use crate::log::contract::entry;

async fn complaint(servers: &Servers) -> String {
    let connection = connect(servers, &servers.addresses()).await.unwrap();
    JetStreamLog::open_with(connection, ALL, soon()).await.err().expect("it cannot be opened").to_string()
}

async fn delete(connection: &Connection, stream: &str) {
    let answer =
        connection.client().request(format!("$JS.API.STREAM.DELETE.{stream}"), "".into()).await.unwrap();
    assert!(answer.payload.windows(4).any(|part| part == b"true"), "{answer:?}");
}

#[tokio::test]
async fn another_key_is_refused_before_anything_is_written() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.append(vec![entry(1, "a")]).await.unwrap();
    fs::write(servers.secret(), "6".repeat(64)).unwrap();
    let said = complaint(&servers).await;
    assert!(said.contains("another key") && said.contains("cluster.room"), "{said}");
    log.append(vec![entry(1, "b")]).await.unwrap();
    fs::write(servers.secret(), "5".repeat(64)).unwrap();
    assert_eq!(open(&servers, ALL).await.read(0, 9).await.unwrap().len(), 2);
}

/// The password of an address is in no message.
#[tokio::test]
async fn servers_that_are_away_are_named_without_passwords() {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let address = line.address().replace("nats://", "nats://me:pass-word@");
    drop(line);
    let said = connect(&servers, std::slice::from_ref(&address)).await.err().unwrap().to_string();
    assert!(said.contains("can be reached") && said.contains("***@127.0.0.1"), "{said}");
    assert!(said.contains("firewall") && !said.contains("pass-word"), "{said}");
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Guards against a way in that only works without encryption: a server with a certificate of its own authority, which also
/// asks for one, and for a password.
#[tokio::test]
async fn a_server_may_ask_for_encryption_a_certificate_and_a_password() {
    let servers = Servers::configured(Program::Debian, 1, |directory| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = parameters.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(parameters, key);
        for name in ["server", "node"] {
            let key = rcgen::KeyPair::generate().unwrap();
            let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let signed = parameters.signed_by(&key, &issuer).unwrap();
            fs::write(directory.join(format!("{name}.pem")), pem("CERTIFICATE", signed.der())).unwrap();
            fs::write(directory.join(format!("{name}.key")), pem("PRIVATE KEY", &key.serialize_der()))
                .unwrap();
        }
        fs::write(directory.join("ca.pem"), pem("CERTIFICATE", ca.der())).unwrap();
        let [certificate, key, ca] = ["server.pem", "server.key", "ca.pem"].map(|name| directory.join(name));
        format!(
            "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {ca:?}, verify: true }}\n\
             authorization {{ user: me, password: right }}\n"
        )
    });
    let file = |name: &str| servers.directory().join(name);
    let port = servers.socket(0).port();
    let with = |address: String, certificate: bool| ClusterSettings {
        ca: Some(file("ca.pem")),
        certificate: certificate.then(|| (file("node.pem"), file("node.key"))),
        ..servers.settings(ROOM, &[address])
    };
    let right = format!("tls://me:right@localhost:{port}");
    let connection = Connection::open(&with(right.clone(), true)).await.unwrap();
    let log = JetStreamLog::open_with(connection, ALL, soon()).await.unwrap();
    log.append(vec![entry(1, "a")]).await.unwrap();
    let complaint = async |settings| Connection::open(&settings).await.err().unwrap().to_string();
    let said = complaint(with(format!("tls://me:wrong@localhost:{port}"), true)).await;
    assert!(said.contains("user and password"), "{said}");
    let said = complaint(ClusterSettings { ca: None, ..with(right.clone(), true) }).await;
    assert!(said.contains("cluster.tls_ca") && !said.contains("right"), "{said}");
    let said = complaint(with(right, false)).await;
    assert!(said.contains("cluster.tls_certificate") || said.contains("can be reached"), "{said}");
    let missing = ClusterSettings { ca: Some(file("none")), ..servers.settings(ROOM, &servers.addresses()) };
    let said = complaint(missing).await;
    assert!(said.contains("cluster.tls_ca") && said.contains("cannot be read"), "{said}");
}

#[tokio::test]
async fn a_single_server_cannot_have_three_replicas() {
    let servers = Servers::start(Program::Debian, 1);
    let three = ClusterSettings { replicas: 3, ..servers.settings(ROOM, &servers.addresses()) };
    let connection = Connection::open(&three).await.unwrap();
    let said = JetStreamLog::open_with(connection, ALL, soon()).await.err().unwrap().to_string();
    assert!(said.contains("cluster.replicas"), "{said}");
}

/// Guards against a start that hangs, or a room that seems open, when most servers are down.
#[tokio::test]
async fn without_a_quorum_the_start_says_so() {
    let mut servers = Servers::start(Program::Newer, 3);
    let log = open(&servers, ALL).await;
    log.append(vec![entry(1, "a")]).await.unwrap();
    drop(log);
    servers.kill(1);
    servers.kill(2);
    let said = complaint(&servers).await;
    assert!(said.contains("NATS can be reached") && said.contains("half of its servers"), "{said}");
    servers.restart(1);
    let log = open(&servers, ALL).await;
    // The servers may have agreed on a leader that has not applied all of its log yet.
    reaches(&log, 1).await;
    assert_eq!(log.read(0, 9).await.unwrap().len(), 1);
}

/// Guards against cursors of a stream that no longer exists: its numbers are given again.
#[tokio::test]
async fn a_stream_that_was_made_anew_is_another_epoch() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.append((0..9).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    log.trim(0).await.unwrap();
    let before = log.identity().await.unwrap();
    let stream = log.shared.stream.clone();
    let connection = Arc::clone(&log.shared.connection);
    drop(log);
    delete(&connection, &stream).await;
    let log = open(&servers, ALL).await;
    let after = log.identity().await.unwrap();
    assert_eq!(after.secret, before.secret, "guests keep their numbers");
    assert_ne!(after.epochs.present(), before.epochs.present());
    let cursor =
        crate::protocol::request::Cursor { after: 7, epoch: Some(before.epochs.present().to_owned()) };
    assert_eq!(after.epochs.resume(&cursor), Some(0));
    assert_eq!(log.append(vec![entry(1, "0")]).await.unwrap()[0].seq(), 1);
    // The same stream once more: the epoch stays.
    drop(log);
    assert_eq!(open(&servers, ALL).await.identity().await.unwrap().epochs, after.epochs);
}

/// What the log says once it cannot go on.
async fn last_words(log: &JetStreamLog) -> String {
    let said = async {
        loop {
            if let Err(error) = log.append(vec![entry(2, "b")]).await
                && error.to_string().contains("Restart onionroom")
            {
                return error.to_string();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, said).await.unwrap()
}

/// Guards against a node that goes on in another stream once that has more entries than the one before.
#[tokio::test]
async fn a_node_whose_stream_was_made_anew_does_not_go_on_in_it() {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let log = open_at(&servers, &[line.address()], ALL, soon()).await;
    log.append((0..3).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let stream = log.shared.stream.clone();
    line.cut();
    delete(&connect(&servers, &servers.addresses()).await.unwrap(), &stream).await;
    let new = open(&servers, ALL).await;
    new.append((0..9).map(|id| entry(3, &id.to_string())).collect()).await.unwrap();
    line.mend();
    assert!(last_words(&log).await.contains("has other messages"));
    assert_eq!(new.span().await.unwrap().head, 9, "it wrote nothing there");
}

/// Guards against a node that never says why it cannot write.
#[tokio::test]
async fn a_node_whose_stream_is_gone_says_so() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.append(vec![entry(1, "a")]).await.unwrap();
    delete(&log.shared.connection, &log.shared.stream).await;
    assert!(last_words(&log).await.contains("is gone"));
}

/// Guards against two histories under the same numbers, on a server that was restored from an older copy while the node ran.
#[tokio::test]
async fn a_node_whose_server_was_restored_does_not_go_on_in_another_history() {
    let mut servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.append((0..9).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let (before, line) = (log.identity().await.unwrap(), Line::to(servers.socket(0)).await);
    servers.kill(0);
    let (store, copy) = (servers.directory().join("s0"), servers.directory().join("copy"));
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    copied(&store, &copy);
    servers.restart(0);
    drop(log);
    let log = open_at(&servers, &[line.address()], ALL, soon()).await;
    log.append((0..3).map(|id| entry(4, &id.to_string())).collect()).await.unwrap();
    line.cut();
    servers.kill(0);
    fs::remove_dir_all(&store).unwrap();
    fs::rename(&copy, &store).unwrap();
    servers.restart(0);
    // A node that starts before this one is back, on what was restored.
    let new = open(&servers, ALL).await;
    new.append((0..9).map(|id| entry(5, &id.to_string())).collect()).await.unwrap();
    line.mend();
    assert!(last_words(&log).await.contains("has other messages"));
    assert_eq!(new.span().await.unwrap().head, 18, "it wrote nothing there");
    drop((log, new));
    let after = open(&servers, ALL).await.identity().await.unwrap();
    assert_ne!(after.epochs.present(), before.epochs.present());
}

/// Guards against a node that goes on with numbers that are given again to other entries.
#[tokio::test]
async fn a_node_whose_stream_goes_back_says_so_and_stops() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.append((0..9).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let before = log.identity().await.unwrap();
    let stream = log.shared.stream.clone();
    delete(&log.shared.connection, &stream).await;
    let new = open(&servers, ALL).await;
    assert!(last_words(&log).await.contains("read it up to 9"));
    assert_ne!(new.identity().await.unwrap().epochs.present(), before.epochs.present());
}
