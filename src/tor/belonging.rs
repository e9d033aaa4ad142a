//! Which Tor network Arti's files belong to.
//!
//! The downloaded directory, the guards, the learned timeouts and the introduction points are of one network. With the
//! authorities of another Arti finds nothing in them that it may trust, and does not get on. So a file names the network,
//! and on another one they start afresh. The service's key is of no network and stays where it is.
//!
//! Those of the public network are put aside while another is used, and come back with it: new guards for each time away
//! would be new chances for a hostile one. Those of a private network are forgotten when it is left.
//!
//! Each step is one rename, and what is done depends only on what is there, so a process that is killed in between leaves
//! nothing that the next start does not put right:
//!
//! - What is aside is the public network's, and what is in its place then is not.
//! - The file names the new network only when nothing of another is in place, except for what is aside.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use arti_client::config::dir::AuthorityContacts;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use crate::storage::make_private;

/// What belongs to one network, below the directory of Arti's files: guards and timeouts; introduction points, what
/// they have seen, and proof of work; the downloaded directory.
const PARTS: [&str; 3] = ["state/state", "state/hss", "cache"];

/// The file that names the network.
const NAME_FILE: &str = "network";

/// Where the parts of the public network are while another is used.
const ASIDE: &str = "public";

/// Where a part is moved before it is deleted, so that none is ever in place and incomplete.
const FORGOTTEN: &str = "forgotten";

/// What the name file says of the public network.
const PUBLIC: &str = "public";

/// The name of an owner that no network has: of files from before there was a name, and not of the network in use.
const UNKNOWN: &str = "unknown";

/// The network that a room is to use.
#[derive(Debug, Clone, Copy)]
pub(super) struct NetworkInUse<'a> {
    /// The fingerprints of the keys that its authorities sign with, in hexadecimal digits of any case.
    pub(super) authorities: &'a [String],
    /// Whether it is the public one.
    pub(super) public: bool,
}

/// What was done about the files of another network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// They are of this network already, or there are none.
    Same,
    /// They were of another, and this one starts afresh.
    Afresh,
    /// They were of another, and those of the public network are in place again.
    PublicAgain,
}

/// Sees to it that Arti's files below `tor` are of the network in use.
///
/// # Errors
/// When a file cannot be moved or written. Another attempt goes on from there.
pub(super) fn settle(tor: &Path, network: NetworkInUse<'_>) -> io::Result<Settled> {
    let aside = tor.join(ASIDE);
    forget_the_forgotten(tor)?;
    let name = network.name();
    let owner = match fs::read_to_string(tor.join(NAME_FILE)) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => network.owner_without_name(tor),
        Err(error) => return Err(error),
    };
    let mut settled = Settled::Same;
    if owner != name {
        for part in PARTS {
            let (place, aside) = (tor.join(part), aside.join(part));
            if !place.exists() {
                continue;
            }
            settled = Settled::Afresh;
            if owner == PUBLIC && !aside.exists() {
                rename(&place, &aside)?;
            } else {
                forget(tor, &place)?;
            }
        }
    }
    write_name(tor, &name)?;
    if network.public {
        for part in PARTS.into_iter().filter(|part| aside.join(part).exists()) {
            let place = tor.join(part);
            if place.exists() {
                forget(tor, &place)?;
            }
            rename(&aside.join(part), &place)?;
            settled = Settled::PublicAgain;
        }
    }
    forget_the_forgotten(tor)?;
    Ok(settled)
}

/// The fingerprints of the keys that the public network's authorities sign with, in hexadecimal digits.
pub(super) fn public_authorities() -> Vec<String> {
    let contacts = AuthorityContacts::builder().build().ok();
    let identities = contacts.as_ref().map(|contacts| contacts.v3idents().as_slice()).unwrap_or_default();
    identities.iter().map(|identity| HEXLOWER.encode(identity.as_bytes())).collect()
}

impl NetworkInUse<'_> {
    /// The name of the network in the name file.
    fn name(&self) -> String {
        if self.public {
            return PUBLIC.into();
        }
        let mut authorities: Vec<_> =
            self.authorities.iter().map(|identity| identity.to_lowercase()).collect();
        authorities.sort();
        HEXLOWER.encode(&Sha256::digest(authorities.join("\n")))
    }

    /// Whose files are they that an earlier version left without a name? Those of the network in use if its authorities
    /// have signed what is cached; otherwise the public network's, unless only strangers have signed it.
    fn owner_without_name(&self, tor: &Path) -> String {
        let signers = signers(&tor.join("cache/dir.sqlite3")).unwrap_or_default();
        let ours = |signer: &String| self.authorities.iter().any(|ours| ours.eq_ignore_ascii_case(signer));
        if signers.iter().any(ours) {
            self.name()
        } else if self.public && !signers.is_empty() {
            UNKNOWN.into()
        } else {
            PUBLIC.into()
        }
    }
}

/// The fingerprints of the authorities whose certificates are cached, where tor-dirmgr 0.47 keeps them.
fn signers(cache: &Path) -> rusqlite::Result<Vec<String>> {
    let database = Connection::open_with_flags(cache, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query = database.prepare("SELECT DISTINCT id_digest FROM Authcerts")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Moves `place` out of the way, to be deleted.
fn forget(tor: &Path, place: &Path) -> io::Result<()> {
    let forgotten = tor.join(FORGOTTEN);
    // The place of the last one is free again.
    forget_the_forgotten(tor)?;
    rename(place, &forgotten)
}

fn forget_the_forgotten(tor: &Path) -> io::Result<()> {
    match fs::remove_dir_all(tor.join(FORGOTTEN)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Renames, and makes the directories above the new path.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        make_private(parent)?;
    }
    fs::rename(from, to)
}

/// Writes the name file whole, or leaves what is there.
fn write_name(tor: &Path, name: &str) -> io::Result<()> {
    let path = tor.join(NAME_FILE);
    if fs::read_to_string(&path).is_ok_and(|text| text.trim() == name) {
        return Ok(());
    }
    let mut file = tempfile::Builder::new().prefix(".network-").tempfile_in(tor)?;
    writeln!(file, "{name}")?;
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|failed| failed.error)
}

#[cfg(test)]
#[path = "belonging_tests.rs"]
mod tests;
