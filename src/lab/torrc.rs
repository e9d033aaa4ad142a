//! The text of the nodes' configuration files, one function for each kind of node.
//!
//! The options are those of tor(1). Comments say why a value differs from the usual one.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::tor::Authority;

/// The voting interval once a first consensus exists. Short enough to be allowed only in a testing network, long enough
/// that clients seldom download a new directory and that the onion services' time period, 24 intervals, seldom ends
/// while the network is used: for some minutes after it a client with the older consensus looks for a service under
/// the wrong key.
pub(super) const VOTING_SECONDS: u32 = 1800;

/// The voting interval until all nodes run: the longest that tor allows, so that no vote happens during the start. A
/// consensus without relays would be kept for [`VOTING_SECONDS`].
pub(super) const WAITING_SECONDS: u32 = 1800;

/// The least timeout for building a circuit. Without distance between relays clients and services learn
/// times of some ten milliseconds; when many circuits are built at once they then time out, and Arti, whose circuits in
/// advance fail too, lets clients wait for minutes.
pub(super) const BUILD_TIMEOUT_MIN: Duration = Duration::from_secs(5);

/// The OR port of a relay.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrPort {
    /// Where others connect.
    pub(super) advertised: SocketAddr,
    /// Where it listens, if a forwarder is before it.
    pub(super) behind: Option<SocketAddr>,
}

/// Options that all nodes of one network share.
#[derive(Debug)]
pub(super) struct CommonOptions {
    /// The authorities, each with the address of its `DirPort`.
    pub(super) authorities: Vec<(Authority, SocketAddr)>,
    /// The least timeout for building a circuit.
    pub(super) build_timeout_min: Duration,
    /// The number of the process that a node must not outlive.
    pub(super) owner: u32,
    /// The file with the relays' bandwidths, for the authorities.
    pub(super) bandwidths: PathBuf,
}

/// The lines that every node begins with. `data` is the node's own directory.
fn common(nickname: &str, data: &Path, options: &CommonOptions) -> String {
    let mut text = String::new();
    let mut line = |option: &str, value: &str| {
        let _ = writeln!(text, "{option} {value}");
    };
    line("TestingTorNetwork", "1");
    line("Nickname", nickname);
    line("DataDirectory", &quoted(data));
    line("PidFile", &quoted(&data.join("pid")));
    line("Log", "notice stdout");
    // So that no name or address is looked up, on this machine or elsewhere.
    line("Address", "127.0.0.1");
    line("AssumeReachable", "1");
    line("ShutdownWaitLength", "0");
    // For the case that this process is killed: tor checks every 15 seconds whether it still runs.
    line("__OwningControllerProcess", &options.owner.to_string());
    for (authority, directory_address) in &options.authorities {
        line(
            "DirAuthority",
            &format!(
                "{} orport={} no-v2 v3ident={} {directory_address} {}",
                authority.nickname,
                authority.or_address.port(),
                authority.v3_identity,
                authority.rsa_identity
            ),
        );
    }
    text
}

/// A relay; the authorities are relays as well.
///
/// The control port serves to follow and to speed up the start. The scheduler is `Vanilla`: the usual one holds back the
/// cell that closes a circuit for seconds on an otherwise idle connection, as most are here, and introduction points go
/// on accepting messages for a service that has ended.
pub(super) fn relay(nickname: &str, data: &Path, or: OrPort, options: &CommonOptions) -> String {
    let mut text = common(nickname, data, options);
    let OrPort { advertised, behind } = or;
    let _ = match behind {
        None => writeln!(text, "ORPort {advertised} IPv4Only"),
        Some(behind) => {
            writeln!(text, "ORPort {advertised} NoListen IPv4Only\nORPort {behind} NoAdvertise IPv4Only")
        }
    };
    let _ = write!(
        text,
        "SocksPort 0\n\
         PublishServerDescriptor 1\n\
         Schedulers Vanilla\n\
         ExitRelay 0\n\
         ExitPolicy reject *:*\n"
    );
    control(&mut text, data, "auto");
    text
}

/// A directory authority.
pub(super) fn authority(
    nickname: &str,
    data: &Path,
    or: OrPort,
    directory: SocketAddr,
    options: &CommonOptions,
) -> String {
    let mut text = relay(nickname, data, or, options);
    let _ = write!(
        text,
        "DirPort {directory} IPv4Only\n\
         AuthoritativeDirectory 1\n\
         V3AuthoritativeDirectory 1\n\
         ContactInfo nobody\n\
         TestingV3AuthInitialVotingInterval {WAITING_SECONDS} seconds\n\
         TestingV3AuthInitialVoteDelay 2 seconds\n\
         TestingV3AuthInitialDistDelay 2 seconds\n\
         V3AuthVotingInterval {VOTING_SECONDS} seconds\n\
         V3AuthVoteDelay 2 seconds\n\
         V3AuthDistDelay 2 seconds\n\
         TestingDirAuthVoteGuard *\n\
         TestingDirAuthVoteHSDir *\n\
         TestingDirAuthVoteExit *\n\
         AuthDirFastGuarantee 1 KB\n\
         MinUptimeHidServDirectoryV2 0 minutes\n"
    );
    // In a testing network C Tor takes 24 voting intervals as the onion services' time period, and ignores the
    // consensus; Arti takes it from the consensus, in minutes. They must compute the same keys.
    let _ = writeln!(
        text,
        "ConsensusParams hsdir_interval={} cbtmintimeout={}",
        24 * VOTING_SECONDS / 60,
        options.build_timeout_min.as_millis()
    );
    // Without measured bandwidths nearly every relay has the weight 0, and C Tor chooses the same one as the first
    // and as the last hop.
    let _ = writeln!(text, "V3BandwidthsFile {}", quoted(&options.bandwidths));
    text
}

/// The client, through which guests and tests connect.
pub(super) fn client(
    nickname: &str,
    data: &Path,
    socks: SocketAddr,
    control_address: SocketAddr,
    options: &CommonOptions,
) -> String {
    let mut text = common(nickname, data, options);
    let _ = write!(text, "ClientOnly 1\nSocksPort {socks}\n");
    control(&mut text, data, &control_address.to_string());
    text
}

fn control(text: &mut String, data: &Path, port: &str) {
    let _ = write!(
        text,
        "ControlPort {port}\n\
         ControlPortWriteToFile {}\n\
         CookieAuthentication 1\n\
         CookieAuthFile {}\n",
        quoted(&control_port_file(data)),
        quoted(&cookie_file(data))
    );
}

/// The file in which a node writes the address of its control port.
pub(super) fn control_port_file(data: &Path) -> PathBuf {
    data.join("control_port")
}

/// The cookie file that authenticates to a node's control port.
pub(super) fn cookie_file(data: &Path) -> PathBuf {
    data.join("control_cookie")
}

/// The bandwidth file ([specification](https://spec.torproject.org/bandwidth-file-spec/)): the time, then
/// one equal measurement for each fingerprint.
pub(super) fn bandwidths(unix_seconds: u64, fingerprints: &[(String, String)]) -> String {
    let mut text = format!("{unix_seconds}\n");
    for (nickname, fingerprint) in fingerprints {
        let _ = writeln!(text, "node_id=${fingerprint} bw=10000 nick={nickname}");
    }
    text
}

/// A path as a quoted value; it must satisfy [`can_quote`].
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a path can be written in a torrc file: it is UTF-8 without control characters.
pub(super) fn can_quote(path: &Path) -> bool {
    path.to_str().is_some_and(|text| !text.contains(char::is_control))
}

#[cfg(test)]
#[path = "torrc_tests.rs"]
mod tests;
