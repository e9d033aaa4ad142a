//! The settings of the TLS listener, which only together say what is wanted.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::SettingsError;
use super::public_origin::PublicOrigin;
use super::settings::{CertificateSource, TlsSettings};

/// What was given of them.
#[derive(Debug, Default)]
pub(super) struct TlsDraft {
    pub(super) address: Option<SocketAddr>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) self_signed: bool,
}

impl TlsDraft {
    /// Checks them against each other and against the origins under which the room answers.
    pub(super) fn finish(self, public: &[PublicOrigin]) -> Result<Option<TlsSettings>, SettingsError> {
        let Self { address, certificate, key, self_signed } = self;
        let Some(address) = address else {
            return match (certificate, key, self_signed) {
                (None, None, false) => Ok(None),
                _ => Err(SettingsError::NoTlsAddress),
            };
        };
        let certificate = match (certificate, key, self_signed) {
            (None, None, true) => CertificateSource::SelfSigned,
            (Some(certificate), Some(key), false) => CertificateSource::Files { certificate, key },
            (_, _, true) => return Err(SettingsError::TwoCertificates),
            _ => return Err(SettingsError::NoCertificate),
        };
        // One that is made for a try has names of its own.
        if certificate != CertificateSource::SelfSigned && !public.iter().any(PublicOrigin::is_secure) {
            return Err(SettingsError::NoSecureOrigin);
        }
        Ok(Some(TlsSettings { address, certificate }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn finish(
        address: bool,
        [certificate, key, self_signed]: [bool; 3],
        public: &str,
    ) -> Result<bool, String> {
        let draft = TlsDraft {
            address: address.then(|| ([0, 0, 0, 0], 8443).into()),
            certificate: certificate.then(|| "certificate.pem".into()),
            key: key.then(|| "key.pem".into()),
            self_signed,
        };
        let finished = draft.finish(&[PublicOrigin::parse(public).unwrap()]);
        finished.map(|settings| settings.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_and_one_certificate_go_together() {
        let secure = "https://room.example";
        assert_eq!(finish(false, [false; 3], secure), Ok(false));
        assert_eq!(finish(true, [true, true, false], secure), Ok(true));
        assert_eq!(finish(true, [false, false, true], "http://room.example"), Ok(true));
        let table = [
            (false, [true, true, false], "listen.tls is not"),
            (false, [false, true, false], "listen.tls is not"),
            (false, [false, false, true], "listen.tls is not"),
            (true, [false, false, false], "the certificate is not"),
            (true, [true, false, false], "--tls-key"),
            (true, [false, true, false], "--tls-certificate"),
            (true, [true, true, true], "Leave one of them away"),
            (true, [true, false, true], "Leave one of them away"),
        ];
        for (address, rest, words) in table {
            let error = finish(address, rest, secure).unwrap_err();
            assert!(error.contains(words), "{address} {rest:?}: {error}");
        }
        let error = finish(true, [true, true, false], "http://room.example").unwrap_err();
        assert!(error.contains("no https origin"), "{error}");
    }
}
