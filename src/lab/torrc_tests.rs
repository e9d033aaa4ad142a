//! Tests of the text of the configuration files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::*;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn or(port: u16) -> OrPort {
    OrPort { advertised: at(port), behind: None }
}

fn options() -> CommonOptions {
    let authority = |number: u16| Authority {
        nickname: format!("authority{number}"),
        v3_identity: "A".repeat(40),
        rsa_identity: "B".repeat(40),
        ed25519_identity: "C".repeat(43),
        or_address: at(5000 + number),
    };
    CommonOptions {
        authorities: vec![(authority(1), at(6001)), (authority(2), at(6002))],
        build_timeout_min: BUILD_TIMEOUT_MIN,
        owner: 4711,
        bandwidths: PathBuf::from("/lab/bandwidths"),
    }
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|each| each == line)
}

#[test]
fn every_node_knows_every_authority_and_its_owner() {
    let data = Path::new("/lab/x");
    for text in [
        relay("x", data, or(7000), &options()),
        authority("x", data, or(7000), at(7001), &options()),
        client("x", data, at(7000), at(7001), &options()),
    ] {
        let dir_authority = format!(
            "DirAuthority authority2 orport=5002 no-v2 v3ident={} 127.0.0.1:6002 {}",
            "A".repeat(40),
            "B".repeat(40)
        );
        assert!(has(&text, &dir_authority), "{text}");
        assert!(has(&text, "__OwningControllerProcess 4711"), "{text}");
        assert!(has(&text, "TestingTorNetwork 1"), "{text}");
        assert!(has(&text, "DataDirectory \"/lab/x\""), "{text}");
    }
}

#[test]
fn nothing_listens_beyond_the_loopback_address() {
    let data = Path::new("/lab/x");
    let text = authority("x", data, or(7000), at(7001), &options())
        + &relay("x", data, or(7000), &options())
        + &client("x", data, at(7000), at(7001), &options());
    for line in text.lines() {
        let mut words = line.split(' ');
        if matches!(words.next(), Some("ORPort" | "DirPort" | "SocksPort" | "ControlPort")) {
            let value = words.next().unwrap_or_default();
            // A bare "auto" or port of SocksPort and ControlPort means 127.0.0.1.
            assert!(value.starts_with("127.0.0.1:") || value == "auto" || value == "0", "{line}");
        }
    }
}

#[test]
fn behind_a_forwarder_a_relay_advertises_one_port_and_listens_on_another() {
    let or = OrPort { advertised: at(7000), behind: Some(at(7002)) };
    let text = relay("x", Path::new("/lab/x"), or, &options());
    let ports: Vec<_> = text.lines().filter(|line| line.starts_with("ORPort")).collect();
    assert_eq!(
        ports,
        ["ORPort 127.0.0.1:7000 NoListen IPv4Only", "ORPort 127.0.0.1:7002 NoAdvertise IPv4Only"]
    );
}

#[test]
fn both_implementations_get_the_same_time_period() {
    let text = authority("x", Path::new("/lab/x"), or(7000), at(7001), &options());
    assert!(has(&text, "V3AuthVotingInterval 1800 seconds"), "{text}");
    assert!(has(&text, "ConsensusParams hsdir_interval=720 cbtmintimeout=5000"), "{text}");
}

#[test]
fn paths_are_quoted() {
    let data = Path::new("/a \"lab\" #1\\x");
    let text = relay("x", data, or(7000), &options());
    assert!(has(&text, r#"DataDirectory "/a \"lab\" #1\\x""#), "{text}");
    assert!(can_quote(data));
    assert!(!can_quote(Path::new("/two\nlines")));
}

#[test]
fn bandwidths_are_a_time_and_a_line_for_each() {
    let listed = [("relay1".to_owned(), "F".repeat(40))];
    let expected = format!("1700000000\nnode_id=${} bw=10000 nick=relay1\n", "F".repeat(40));
    assert_eq!(bandwidths(1_700_000_000, &listed), expected);
}
