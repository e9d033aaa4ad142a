#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// A directory with a certificate and a key.
fn pair() -> (TempDir, Files) {
    let directory = tempfile::tempdir().unwrap();
    let files = Files {
        certificate: directory.path().join("certificate.pem"),
        key: directory.path().join("key.pem"),
    };
    write(&files);
    (directory, files)
}

/// Writes a new pair; answers with the certificate as PEM and the key as PEM.
fn write(files: &Files) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["room.example".into()]).unwrap().self_signed(&key).unwrap();
    let texts = (pem("CERTIFICATE", certificate.der()), pem("PRIVATE KEY", key.serialized_der()));
    fs::write(&files.certificate, &texts.0).unwrap();
    fs::write(&files.key, &texts.1).unwrap();
    texts
}

fn pem(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", data_encoding::BASE64.encode(bytes))
}

#[test]
fn a_pair_is_read_and_its_changes_are_seen() {
    let (_directory, files) = pair();
    let first = Certificate::read(&files).unwrap();
    assert_eq!(Certificate::read(&files).unwrap().digest, first.digest);
    write(&files);
    assert_ne!(Certificate::read(&files).unwrap().digest, first.digest);
}

#[test]
fn each_fault_is_named_with_its_file() {
    let (_directory, files) = pair();
    let (certificate, key) = write(&files);
    let fault = |certificate: &str, key: &str| {
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        Certificate::read(&files).unwrap_err().to_string()
    };
    let table = [
        (fault("", &key), "There is no certificate in"),
        (fault(&certificate[..certificate.len() / 2], &key), "is not a PEM file"),
        (fault(&certificate, ""), "There is no private key in"),
        (fault(&certificate, &key.replace("PRIVATE", "ENCRYPTED PRIVATE")), "passphrase"),
        (fault(&certificate, &key[..key.len() / 2]), "is not a PEM file"),
        (fault(&key, &certificate), "There is no certificate in"),
        (fault(&pem("CERTIFICATE", b"no certificate"), &key), "cannot be used"),
        (fault(&certificate, &pem("PRIVATE KEY", b"no key")), "cannot be used"),
    ];
    for (fault, words) in table {
        assert!(fault.contains(words), "{fault:?} has no {words:?}");
        assert!(fault.contains(".pem") && fault.ends_with('.'), "{fault}");
    }
    write(&files);
    let other = fs::read_to_string(&files.key).unwrap();
    assert!(fault(&certificate, &other).contains("does not belong"));
    fs::remove_file(&files.key).unwrap();
    assert!(Certificate::read(&files).unwrap_err().to_string().starts_with("Cannot read "));
}

#[test]
fn what_is_no_file_or_too_large_is_not_read() {
    let (directory, mut files) = pair();
    fs::write(&files.certificate, vec![b'\n'; 1024 * 1024 + 1]).unwrap();
    assert!(Certificate::read(&files).unwrap_err().to_string().contains("larger than a megabyte"));
    files.certificate = directory.path().to_owned();
    assert!(Certificate::read(&files).unwrap_err().to_string().contains("not a file"));
    #[cfg(unix)]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        files.certificate = directory.path().join("pipe");
        mknodat(CWD, &files.certificate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(Certificate::read(&files).unwrap_err().to_string().contains("not a file"));
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_every_user_can_read_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, files) = pair();
    for (mode, public) in [(0o600, false), (0o640, false), (0o644, true)] {
        fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Certificate::read(&files).unwrap().key_is_public, public, "{mode:o}");
    }
}

#[test]
fn one_for_a_try_is_as_any_other_made_at_any_time() {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = Certificate::self_signed(&names).unwrap();
    assert_ne!(made.digest, Certificate::self_signed(&names).unwrap().digest);
    assert_eq!(made.fingerprint().len(), 32 * 3 - 1);
    // 1975 and 4096: not the time of this machine.
    assert_eq!(made.validity, Validity { from: 157_766_400, until: 67_090_118_400 });
    assert!(Certificate::self_signed(&["é".to_owned()]).is_err());
}

#[test]
fn a_certificate_that_is_not_valid_is_noticed_and_one_that_ends_soon() {
    let long = Validity { from: 0, until: 90 * DAY };
    assert_eq!(long.untimely(-1), Some(Untimely::NotYet));
    assert_eq!(long.untimely(0), None);
    assert_eq!(long.untimely(82 * DAY), None);
    assert_eq!(long.untimely(84 * DAY), Some(Untimely::EndsSoon));
    assert_eq!(long.untimely(90 * DAY + 1), Some(Untimely::Expired));
    // Some are made for six days and renewed after three or four.
    let short = Validity { from: 0, until: 6 * DAY };
    assert_eq!(short.untimely(5 * DAY), None);
    assert_eq!(short.untimely(6 * DAY - 3600), Some(Untimely::EndsSoon));
    assert_eq!(Validity::ALWAYS.untimely(0), None);
}
