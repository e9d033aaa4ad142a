#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::listen::tls::tests::write_pair;

fn opened() -> (TempDir, Files, Certificates) {
    let directory = tempfile::tempdir().unwrap();
    let files = write_pair(directory.path());
    let certificates = Certificates::of_files(files.clone()).unwrap();
    (directory, files, certificates)
}

fn digest(certificates: &Certificates) -> [u8; 32] {
    certificates.state().current.digest
}

#[test]
fn a_new_pair_is_taken_and_the_same_one_is_no_news() {
    let (directory, files, certificates) = opened();
    let first = digest(&certificates);
    certificates.look(&files);
    assert_eq!(digest(&certificates), first);
    write_pair(directory.path());
    certificates.look(&files);
    assert_ne!(digest(&certificates), first);
}

/// Programs that renew certificates point symbolic links elsewhere, one after the other.
#[cfg(unix)]
#[test]
fn links_are_followed_and_between_two_of_them_the_old_pair_stays() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let pairs = ["1", "2"].map(|name| {
        fs::create_dir(place(name)).unwrap();
        write_pair(&place(name))
    });
    let live = Files { certificate: place("certificate"), key: place("key") };
    let link = |to: &std::path::Path, at: &std::path::Path| {
        symlink(to, place("new")).unwrap();
        fs::rename(place("new"), at).unwrap();
    };
    link(&pairs[0].certificate, &live.certificate);
    link(&pairs[0].key, &live.key);
    let certificates = Certificates::of_files(live.clone()).unwrap();
    let first = digest(&certificates);
    link(&pairs[1].certificate, &live.certificate);
    certificates.look(&live);
    assert_eq!(digest(&certificates), first);
    link(&pairs[1].key, &live.key);
    certificates.look(&live);
    assert_ne!(digest(&certificates), first);
}

#[test]
fn a_fault_is_told_once_and_only_when_it_lasts() {
    let (directory, files, certificates) = opened();
    let first = digest(&certificates);
    let told = || certificates.state().fault_told;
    let key = fs::read(&files.key).unwrap();
    fs::write(&files.key, &key[..key.len() / 2]).unwrap();
    certificates.look(&files);
    assert!(!told(), "perhaps it is being written");
    certificates.look(&files);
    assert!(told());
    certificates.look(&files);
    assert_eq!((told(), digest(&certificates)), (true, first));
    fs::remove_file(&files.key).unwrap();
    certificates.look(&files);
    assert!(!told(), "another fault");
    fs::write(&files.key, &key).unwrap();
    certificates.look(&files);
    assert!(!told() && certificates.state().fault.is_none());
    write_pair(directory.path());
    certificates.look(&files);
    assert_ne!(digest(&certificates), first);
}
