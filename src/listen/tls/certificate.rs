//! A certificate with its key: from two PEM files, or made for a try.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

/// The largest file that is read; a chain has some kilobytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const DAY: i64 = 24 * 60 * 60;

/// The two PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and after it those that it was signed with, in their order.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A certificate with its key, which fit each other.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// For rustls.
    pub certified: Arc<CertifiedKey>,
    validity: Validity,
    /// SHA-256 of what the files have; tells whether they have changed.
    pub(super) digest: [u8; 32],
    /// Whether users of this machine who are not in the key's group can read its file.
    pub(super) key_is_public: bool,
}

/// Between which times a certificate is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    from: i64,
    until: i64,
}

/// What is wrong with the time of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untimely {
    /// It is not valid yet.
    NotYet,
    /// It is not valid any more.
    Expired,
    /// It ends soon, and should have been renewed.
    EndsSoon,
}

impl Untimely {
    /// A sentence for the log.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NotYet => {
                "The TLS certificate is not valid yet: browsers will warn of it. Is this machine's clock right?"
            }
            Self::Expired => {
                "The TLS certificate has expired: browsers warn of it. Renew it; the room goes on with it until then."
            }
            Self::EndsSoon => "The TLS certificate expires soon. Has its renewal failed?",
        }
    }
}

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read.
    #[error("Cannot read {}: {error}.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A file is not what PEM files are.
    #[error("{} is not a PEM file: {error}.", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PemError,
    },
    /// There is no certificate in the file.
    #[error("There is no certificate in {}: a PEM file has BEGIN CERTIFICATE before it.", .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error(
        "There is no private key in {}: a PEM file has BEGIN PRIVATE KEY before it. A key with a passphrase cannot be \
         used.",
        .0.display()
    )]
    NoKey(PathBuf),
    /// The key is not the certificate's.
    #[error(
        "The key in {} does not belong to the first certificate in {}. The server's own certificate comes first in its \
         file, then those that it was signed with.",
        .0.key.display(),
        .0.certificate.display()
    )]
    DoNotFit(Files),
    /// Something else, such as a kind of key that is not known.
    #[error("The certificate in {} and its key cannot be used: {error}.", files.certificate.display())]
    Unusable {
        /// Both files.
        files: Files,
        /// What is wrong.
        error: rustls::Error,
    },
    /// None could be made.
    #[error("A certificate for a try could not be made: {0}.")]
    NotMade(String),
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// They cannot be read or used, or do not belong together.
    pub fn read(files: &Files) -> Result<Self, CertificateError> {
        let (certificate, _) = read(&files.certificate)?;
        let (key, key_is_public) = read(&files.key)?;
        let not_pem = |path: &Path| {
            let path = path.to_owned();
            move |error| CertificateError::NotPem { path, error }
        };
        let chain = CertificateDer::pem_slice_iter(&certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(not_pem(&files.certificate))?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate(files.certificate.clone()));
        }
        let secret = PrivateKeyDer::from_pem_slice(&key).map_err(|error| match error {
            PemError::NoItemsFound => CertificateError::NoKey(files.key.clone()),
            error => not_pem(&files.key)(error),
        })?;
        let unusable = |error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                CertificateError::DoNotFit(files.clone())
            }
            error => CertificateError::Unusable { files: files.clone(), error },
        };
        let mut certificate = Self::new(chain, secret).map_err(unusable)?;
        certificate.key_is_public = key_is_public;
        Ok(certificate)
    }

    /// A new one for a try, which no browser trusts, with these names. It says nothing of this machine: not even the time
    /// at which it was made.
    ///
    /// # Errors
    /// The operating system has no randomness, or a name is none.
    pub fn self_signed(names: &[String]) -> Result<Self, CertificateError> {
        let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
        let made = rcgen::generate_simple_self_signed(names).map_err(not_made)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Self::new(vec![made.cert.der().clone()], key.into())
            .map_err(|error| CertificateError::NotMade(error.to_string()))
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        let mut digest = Sha256::new();
        for part in chain.iter().map(AsRef::as_ref).chain([key.secret_der()]) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let validity = chain.first().map_or(Validity::ALWAYS, Validity::of);
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())?;
        let (certified, digest) = (Arc::new(certified), digest.finalize().into());
        Ok(Self { certified, validity, digest, key_is_public: false })
    }

    /// The SHA-256 of the certificate, as browsers show it: pairs of hexadecimal digits with colons between.
    pub fn fingerprint(&self) -> String {
        let certificate: &[u8] = self.certified.cert.first().map_or(&[], AsRef::as_ref);
        let pairs: Vec<_> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// What is wrong with its time, as seen now.
    pub(super) fn untimely(&self, now: i64) -> Option<Untimely> {
        self.validity.untimely(now)
    }
}

impl Validity {
    /// For a certificate that does not say.
    const ALWAYS: Self = Self { from: i64::MIN, until: i64::MAX };

    fn of(certificate: &CertificateDer<'_>) -> Self {
        match parse_x509_certificate(certificate) {
            Ok((_, parsed)) => {
                let validity = parsed.validity();
                Self { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() }
            }
            // rustls decides whether it can be used.
            Err(_) => Self::ALWAYS,
        }
    }

    /// Soon is the last tenth of its time, at most a week: every renewal begins well before that.
    fn untimely(self, now: i64) -> Option<Untimely> {
        let soon = (self.until.saturating_sub(self.from) / 10).min(7 * DAY);
        if now < self.from {
            Some(Untimely::NotYet)
        } else if now > self.until {
            Some(Untimely::Expired)
        } else if self.until.saturating_sub(now) < soon {
            Some(Untimely::EndsSoon)
        } else {
            None
        }
    }
}

/// A file's contents, and whether every user can read it.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, bool), CertificateError> {
    let unreadable = |error| CertificateError::Unreadable { path: path.to_owned(), error };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    // To read a named pipe could wait for ever.
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(unreadable(io::Error::other("it is larger than a megabyte")));
    }
    let contents = fs::read(path).map_err(unreadable)?;
    Ok((contents.into(), is_public(&metadata)))
}

#[cfg(unix)]
fn is_public(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_public(_metadata: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
