//! The settings of a room on several machines, which only together say what is wanted.

use std::path::PathBuf;

use super::error::SettingsError;
use super::nats_address::NatsAddress;
use super::settings::ClusterSettings;

/// What was given of the section.
#[derive(Debug, Default)]
pub(super) struct ClusterDraft {
    pub(super) nats: Vec<NatsAddress>,
    pub(super) room: Option<String>,
    pub(super) replicas: usize,
    pub(super) secret: Option<PathBuf>,
    pub(super) credentials: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) no_doors: bool,
}

impl ClusterDraft {
    /// Checks them against each other; without servers the rest means nothing, so that one line turns it off.
    pub(super) fn finish(self, ephemeral: bool) -> Result<Option<ClusterSettings>, SettingsError> {
        let Self { nats, room, replicas, secret, credentials, ca, certificate, key, no_doors } = self;
        if nats.is_empty() {
            return Ok(None);
        }
        if ephemeral {
            return Err(SettingsError::EphemeralCluster);
        }
        let secret = secret.ok_or(SettingsError::NoClusterSecret)?;
        let certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(SettingsError::HalfClusterCertificate),
        };
        let room = room.unwrap_or_else(|| "room".into());
        let doors = !no_doors;
        Ok(Some(ClusterSettings { nats, room, replicas, secret, credentials, ca, certificate, doors }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn draft() -> ClusterDraft {
        let nats = vec![NatsAddress::parse("nats://one:4222").unwrap()];
        ClusterDraft { nats, secret: Some("secret".into()), ..ClusterDraft::default() }
    }

    fn complaint(draft: ClusterDraft, ephemeral: bool) -> String {
        draft.finish(ephemeral).unwrap_err().to_string()
    }

    #[test]
    fn servers_need_the_key_of_the_texts() {
        let settings = draft().finish(false).unwrap().unwrap();
        assert_eq!((settings.room.as_str(), settings.replicas, settings.certificate), ("room", 0, None));
        assert_eq!(
            ClusterDraft { secret: Some("x".into()), ..ClusterDraft::default() }.finish(true).unwrap(),
            None
        );
        let said = complaint(ClusterDraft { secret: None, ..draft() }, false);
        assert!(said.contains("onionroom cluster key"), "{said}");
        assert!(complaint(draft(), true).contains("ephemeral"));
        let half = ClusterDraft { certificate: Some("x".into()), ..draft() };
        assert!(complaint(half, false).contains("only one of them"));
        let whole = ClusterDraft { certificate: Some("x".into()), key: Some("y".into()), ..draft() };
        assert_eq!(whole.finish(false).unwrap().unwrap().certificate, Some(("x".into(), "y".into())));
    }
}
