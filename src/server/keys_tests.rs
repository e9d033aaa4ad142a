//! Keys between the room and C Tor's files.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A place for a data directory.
fn place() -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().canonicalize().unwrap().join("room");
    (outer, data)
}

/// A directory of C Tor's with a key of this number.
fn c_tors(outer: &TempDir, number: u8) -> PathBuf {
    use sha2::{Digest, Sha512};

    let mut bytes: [u8; 64] = Sha512::digest([number; 32]).into();
    bytes[0] &= 248;
    bytes[31] = (bytes[31] & 63) | 64;
    let place = outer.path().join(format!("service-{number}"));
    c_tor::write(&IdentityKey::from_expanded(&bytes).unwrap(), &place).unwrap();
    place
}

#[test]
fn a_key_comes_and_goes_byte_for_byte() {
    let (outer, data) = place();
    let from = c_tors(&outer, 1);
    assert!(matches!(show(&data), Err(KeyError::None { .. })) && !data.exists());
    let imported = import(&data, &from, false).unwrap();
    assert!(imported.before.is_none() && imported.replaced.is_none());
    let shown = show(&data).unwrap();
    assert_eq!((shown.address, shown.mode), (imported.address, Some(0o600)));
    let to = outer.path().join("exported");
    export(&data, &to).unwrap();
    for name in ["hs_ed25519_secret_key", "hs_ed25519_public_key", "hostname"] {
        assert_eq!(fs::read(from.join(name)).unwrap(), fs::read(to.join(name)).unwrap(), "{name}");
    }
    assert!(matches!(export(&data, &to), Err(KeyError::CTor(CTorError::Exists { .. }))));
}

#[test]
fn a_key_is_replaced_only_when_asked_and_can_be_put_back() {
    let (outer, data) = place();
    let first = import(&data, &c_tors(&outer, 1), false).unwrap().address;
    // What Arti makes from it, and guards.
    let derived = data.join("tor/state/keystore/hss/room/ks_hs_blind_id+1_2_3.ed25519_expanded_private");
    fs::write(&derived, "derived").unwrap();
    fs::create_dir_all(data.join("tor/state/hss/room")).unwrap();
    fs::create_dir_all(data.join("tor/state/state")).unwrap();
    fs::write(data.join(GUARDS), "guards").unwrap();
    fs::write(data.join("messages.sqlite"), "messages").unwrap();
    assert!(matches!(import(&data, &c_tors(&outer, 2), false), Err(KeyError::Exists { .. })));
    assert!(matches!(import(&data, &outer.path().join("service-1"), true), Err(KeyError::Same { .. })));
    assert!(derived.exists());

    let imported = import(&data, &outer.path().join("service-2"), true).unwrap();
    assert_eq!(imported.before.as_ref(), Some(&first));
    assert_eq!(show(&data).unwrap().address, imported.address);
    assert!(!derived.exists() && !data.join("tor/state/hss").exists());
    assert_eq!(fs::read_to_string(data.join(GUARDS)).unwrap(), "guards");
    assert_eq!(fs::read_to_string(data.join("messages.sqlite")).unwrap(), "messages");

    let replaced = imported.replaced.unwrap();
    crate::server::restore::restore(&data, &replaced).unwrap();
    assert_eq!(show(&data).unwrap().address, first);
    assert_eq!(fs::read_to_string(data.join(GUARDS)).unwrap(), "guards");
}

#[test]
fn nothing_changes_while_the_room_is_open() {
    let (outer, data) = place();
    let from = c_tors(&outer, 1);
    let open = DataDirectory::open(&data).unwrap();
    assert!(matches!(import(&data, &from, true), Err(KeyError::Storage(StorageError::InUse { .. }))));
    drop(open);
    import(&data, &from, false).unwrap();
    let _open = DataDirectory::open(&data).unwrap();
    show(&data).unwrap();
    export(&data, &outer.path().join("exported")).unwrap();
}

/// The next start would go on with the wipe, and take the key that was put in place since.
#[test]
fn an_interrupted_wipe_is_finished_before_a_key_comes() {
    let (outer, data) = place();
    let first = import(&data, &c_tors(&outer, 1), false).unwrap().address;
    fs::write(data.join("messages.sqlite"), "messages").unwrap();
    // As a kill leaves it before anything was wiped.
    fs::write(data.join("wiping"), "messages and address\n").unwrap();
    let imported = import(&data, &c_tors(&outer, 2), false).unwrap();
    assert!(imported.before.is_none() && imported.address != first);
    assert!(!data.join("messages.sqlite").exists());
    exchange::clear(&data).unwrap();
    assert_eq!(show(&data).unwrap().address, imported.address);
}

/// A start would make a new key, and the room had another address for ever.
#[test]
fn a_room_is_not_opened_between_two_keys() {
    let (outer, data) = place();
    import(&data, &c_tors(&outer, 1), false).unwrap();
    // As a kill leaves it after the old key was moved.
    fs::create_dir_all(data.join("replaced/1/tor/state")).unwrap();
    fs::rename(data.join("tor/state/keystore"), data.join("replaced/1/tor/state/keystore")).unwrap();
    fs::create_dir(data.join("exchanging-key")).unwrap();
    let said = exchange::clear(&data).unwrap_err().to_string();
    assert!(said.contains("onionroom key import") && said.contains("replaced"), "{said}");
    let second = import(&data, &c_tors(&outer, 2), true).unwrap().address;
    exchange::clear(&data).unwrap();
    assert_eq!(show(&data).unwrap().address, second);

    // A backup that was interrupted is not forgotten by that.
    fs::create_dir(data.join("exchanging")).unwrap();
    assert!(matches!(
        import(&data, &c_tors(&outer, 3), true),
        Err(KeyError::Exchange(RestoreError::Interrupted { .. }))
    ));
    assert!(data.join("exchanging").exists());
}
