//! C Tor's files, right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::os::unix::fs::{PermissionsExt, symlink};

use sha2::{Digest, Sha512};
use tempfile::TempDir;

use super::*;

fn key(number: u8) -> IdentityKey {
    let mut bytes: [u8; 64] = Sha512::digest([number; 32]).into();
    bytes[0] &= 248;
    bytes[31] = (bytes[31] & 63) | 64;
    IdentityKey::from_expanded(&bytes).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// A directory that a key was written to.
fn written(number: u8) -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let place = outer.path().join("deep/service");
    write(&key(number), &place).unwrap();
    (outer, place)
}

fn refused(from: &Path) -> String {
    let said = read(from).unwrap_err().to_string();
    assert!(said.contains(from.to_str().unwrap()), "{said}");
    said
}

#[test]
fn what_is_written_is_private_and_read_back() {
    let (_outer, place) = written(1);
    assert_eq!(mode(&place), 0o700);
    for (name, bytes) in [(SECRET_FILE, 96), (PUBLIC_FILE, 64), (HOSTNAME_FILE, 63)] {
        assert_eq!(mode(&place.join(name)), 0o600);
        assert_eq!(fs::metadata(place.join(name)).unwrap().len(), bytes, "{name}");
    }
    for from in [&place, &place.join(SECRET_FILE)] {
        assert_eq!(read(from).unwrap().address(), key(1).address());
    }
    // C Tor needs the secret key alone.
    fs::remove_file(place.join(PUBLIC_FILE)).unwrap();
    fs::remove_file(place.join(HOSTNAME_FILE)).unwrap();
    assert_eq!(read(&place).unwrap().address(), key(1).address());
}

#[test]
fn nothing_is_overwritten() {
    let (outer, place) = written(1);
    for name in [SECRET_FILE, PUBLIC_FILE, HOSTNAME_FILE] {
        assert!(write(&key(2), &place).unwrap_err().to_string().contains("exists"));
        let bytes = fs::read(place.join(name)).unwrap();
        assert_eq!(read(&place).unwrap().address(), key(1).address());
        for other in [SECRET_FILE, PUBLIC_FILE, HOSTNAME_FILE] {
            let _ = fs::rename(place.join(other), outer.path().join(other));
        }
        fs::write(place.join(name), &bytes).unwrap();
        assert!(write(&key(2), &place).unwrap_err().to_string().contains(name));
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "nothing was written beside it");
        fs::remove_file(place.join(name)).unwrap();
        // A link that leads nowhere would be followed.
        symlink(outer.path().join("elsewhere"), place.join(name)).unwrap();
        assert!(write(&key(2), &place).is_err());
        assert!(!outer.path().join("elsewhere").exists());
        fs::remove_file(place.join(name)).unwrap();
        for other in [SECRET_FILE, PUBLIC_FILE, HOSTNAME_FILE] {
            fs::rename(outer.path().join(other), place.join(other)).unwrap();
        }
    }
    let file = outer.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(write(&key(2), &file).unwrap_err().to_string().contains("exists"));
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[test]
fn a_file_of_the_secret_key_is_written_alone() {
    let outer = tempfile::tempdir().unwrap();
    let file = outer.path().join("made").join(SECRET_FILE);
    write(&key(3), &file).unwrap();
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    assert_eq!((mode(&file), read(&file).unwrap().address()), (0o600, key(3).address()));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (_outer, place) = written(1);
    for open in [0o640, 0o604, 0o644] {
        set_mode(&place.join(SECRET_FILE), open);
        let said = refused(&place);
        assert!(said.contains("chmod 600 ") && said.contains(&format!("{open:04o}")), "{said}");
    }
    // The others are no secret.
    set_mode(&place.join(SECRET_FILE), 0o600);
    set_mode(&place.join(HOSTNAME_FILE), 0o644);
    read(&place).unwrap();
    set_mode(&place, 0o755);
    fs::remove_file(place.join(SECRET_FILE)).unwrap();
    fs::remove_file(place.join(PUBLIC_FILE)).unwrap();
    fs::remove_file(place.join(HOSTNAME_FILE)).unwrap();
    assert!(write(&key(1), &place).unwrap_err().to_string().contains("0755"));
}

#[test]
fn what_is_damaged_or_does_not_belong_together_is_refused() {
    let (_outer, place) = written(1);
    let (_other, strange) = written(2);
    for name in [PUBLIC_FILE, HOSTNAME_FILE] {
        let right = fs::read(place.join(name)).unwrap();
        fs::copy(strange.join(name), place.join(name)).unwrap();
        assert!(refused(&place).contains("does not belong"));
        fs::write(place.join(name), &right[..right.len() - 8]).unwrap();
        assert!(refused(&place).contains("does not belong"));
        fs::write(place.join(name), &right).unwrap();
    }
    let secret = place.join(SECRET_FILE);
    let right = fs::read(&secret).unwrap();
    let mut type_1 = right.clone();
    type_1[25] = b'1';
    let zeros = [&right[..32], &[0; 64]].concat();
    let ones = [&right[..32], &[0xff; 64]].concat();
    let long = [&right[..], b"\n"].concat();
    for wrong in [&right[..95], &long, &type_1, &zeros, &ones, &right[..20], b""] {
        fs::write(&secret, wrong).unwrap();
        assert!(refused(&place).contains("damaged"));
    }
    fs::remove_file(&secret).unwrap();
    assert!(refused(&place).contains("HiddenServiceDir"));
    fs::create_dir(&secret).unwrap();
    assert!(refused(&place).contains("no hs_ed25519") || refused(&place).contains("not a file"));
}
