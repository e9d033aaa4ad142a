//! The configuration files of the nodes: pure text, one function for each kind of node.
//!
//! The option names and what they do are those of tor(1). What is unusual here, and why, stands beside the
//! line.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::tor::Authority;

/// How often the authorities vote once a first consensus exists. Short enough to be allowed only in a
/// testing network, long enough that clients are not busy with new directories and that the onion services'
/// time period, 24 of these, seldom ends under somebody's feet: for some minutes after it a client with the
/// older consensus looks for a service under the wrong key.
pub(super) const VOTING_SECONDS: u32 = 1800;

/// The voting interval until everybody is there: so long (the longest that tor takes) that no vote falls
/// into the start. A consensus without relays would be kept for [`VOTING_SECONDS`].
pub(super) const WAITING_SECONDS: u32 = 1800;

/// What all nodes of one network share.
#[derive(Debug)]
pub(super) struct Common {
    /// The authorities, as the nodes must know them.
    pub(super) authorities: Vec<(Authority, SocketAddr)>,
    /// The process that a node must not outlive.
    pub(super) owner: u32,
    /// The file with the relays' bandwidths, for the authorities.
    pub(super) bandwidths: PathBuf,
}

/// The lines that every node begins with. `data` is the node's own directory.
fn common(nickname: &str, data: &Path, common: &Common) -> String {
    let mut text = String::new();
    let mut line = |option: &str, value: &str| {
        let _ = writeln!(text, "{option} {value}");
    };
    line("TestingTorNetwork", "1");
    line("Nickname", nickname);
    line("DataDirectory", &quoted(data));
    line("PidFile", &quoted(&data.join("pid")));
    line("Log", "notice stdout");
    // So that nobody's name or address is asked for, on this machine or beyond.
    line("Address", "127.0.0.1");
    line("AssumeReachable", "1");
    line("ShutdownWaitLength", "0");
    // The last resort against orphans: tor looks every 15 seconds whether this process still lives.
    line("__OwningControllerProcess", &common.owner.to_string());
    for (authority, directory_address) in &common.authorities {
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

/// A relay; the authorities are relays as well. Its scheduler is the simple one: the usual one leaves the word
/// that a circuit is closed lying for seconds on a connection that has nothing else to carry, as most here,
/// and introduction points go on taking messages for a service that is gone. The control port is for watching and hurrying the start.
pub(super) fn relay(nickname: &str, data: &Path, or: SocketAddr, shared: &Common) -> String {
    let mut text = common(nickname, data, shared);
    let _ = write!(
        text,
        "ORPort {or} IPv4Only\n\
         SocksPort 0\n\
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
    or: SocketAddr,
    directory: SocketAddr,
    shared: &Common,
) -> String {
    let mut text = relay(nickname, data, or, shared);
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
    // In a testing network C Tor takes 24 voting intervals as the onion services' time period, whatever the
    // consensus says; Arti takes it from the consensus, in minutes. They must compute the same keys.
    let _ = writeln!(text, "ConsensusParams hsdir_interval={}", 24 * VOTING_SECONDS / 60);
    // Without measured bandwidths nearly every relay weighs 0, and C Tor takes the same one as the first
    // and as the last hop.
    let _ = writeln!(text, "V3BandwidthsFile {}", quoted(&shared.bandwidths));
    text
}

/// The client: what people and tests come in through.
pub(super) fn client(
    nickname: &str,
    data: &Path,
    socks: SocketAddr,
    control_address: SocketAddr,
    shared: &Common,
) -> String {
    let mut text = common(nickname, data, shared);
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

/// Where a node with a control port writes its address.
pub(super) fn control_port_file(data: &Path) -> PathBuf {
    data.join("control_port")
}

/// Where a node with a control port writes the secret that opens it.
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

/// A path as a quoted value. Paths that are not UTF-8 or hold control characters are refused before
/// ([`can_quote`]).
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a path can stand in a torrc file.
pub(super) fn can_quote(path: &Path) -> bool {
    path.to_str().is_some_and(|text| !text.contains(char::is_control))
}

#[cfg(test)]
#[path = "torrc_tests.rs"]
mod tests;
