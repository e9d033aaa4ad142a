//! A private Tor network that does not answer: Arti is started, and goes on trying.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use data_encoding::BASE64_NOPAD;
use onionroom::tor::{Authority, PrivateNetwork};

/// Writes the description of one into this directory; answers with the file.
pub(crate) fn network_file(directory: &Path) -> PathBuf {
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let authority = Authority {
        nickname: "offline".into(),
        v3_identity: "0123456789abcdef0123456789abcdef01234567".into(),
        rsa_identity: "89abcdef0123456789abcdef0123456789abcdef".into(),
        ed25519_identity: BASE64_NOPAD.encode(&[7; 32]),
        or_address: closed,
    };
    let file = directory.join("network.toml");
    PrivateNetwork { authorities: vec![authority] }.write(&file).unwrap();
    file
}
