//! What Arti is asked to limit, from the settings.

use crate::config::OnionSettings;

/// Bursts of introductions are this many times as large as a second's: the proportion of C Tor's defaults,
/// `HiddenServiceEnableIntroDoSRatePerSec` 25 and `HiddenServiceEnableIntroDoSBurstPerSec` 200.
const BURST: u32 = 8;

/// How many times `onion.streams_per_circuit` streams a client may ask for at once before Arti closes the circuit. Up to
/// there each stream is refused as C Tor does; a client that goes on does not want an answer.
const STREAMS: usize = 4;

/// Options of Arti. `Debug` shows what is switched on, and nothing of any circuit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArtiOptions {
    /// Whether introductions with proof of work go first
    /// ([specification](https://spec.torproject.org/hspow-spec/)).
    pub(super) proof_of_work: bool,
    /// The number of introduction points.
    pub(super) introduction_points: u8,
    /// Introductions a second and in a burst, for each introduction point to enforce; `None` for its own limit
    /// ([specification](https://spec.torproject.org/rend-spec/introduction-protocol.html#EST_INTRO_DOS_EXT)).
    pub(super) introduction_rate: Option<(u32, u32)>,
    /// How many streams of one circuit may be open or asked for before Arti closes the circuit.
    pub(super) streams_per_circuit: u32,
    /// The most memory for what waits in Arti's queues, in bytes. Beyond it Arti closes circuits, that whose data has
    /// waited longest first, until three quarters are left.
    pub(super) memory_bytes: usize,
}

impl ArtiOptions {
    /// Those of the settings. Proof of work is off in a build without the cargo feature `pow`.
    pub(super) fn new(settings: &OnionSettings) -> Self {
        let rate = settings.introductions_per_second;
        Self {
            proof_of_work: settings.proof_of_work && cfg!(feature = "pow"),
            introduction_points: settings.introduction_points,
            introduction_rate: (rate > 0).then(|| (rate, rate.saturating_mul(BURST))),
            streams_per_circuit: u32::try_from(settings.streams_per_circuit.saturating_mul(STREAMS))
                .unwrap_or(u32::MAX),
            memory_bytes: settings.memory_megabytes.saturating_mul(1 << 20),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use tor_hsservice::OnionServiceConfig;

    use super::super::client_key::ClientKey;
    use super::super::configuration;
    use super::*;
    use crate::invitations::Access;

    fn service(settings: &OnionSettings) -> OnionServiceConfig {
        let own = (configuration::OWN_CLIENT[0], ClientKey::generate().public());
        configuration::service(&ArtiOptions::new(settings), &Access::default(), own).unwrap()
    }

    /// Arti checks its configuration when it is built; a setting that it refuses would keep the room from opening.
    #[test]
    fn arti_accepts_both_ends_of_every_setting() {
        let few = OnionSettings {
            streams_per_circuit: 1,
            proof_of_work: false,
            introduction_points: 3,
            introductions_per_second: 0,
            ..OnionSettings::default()
        };
        let many = OnionSettings {
            streams_per_circuit: 1000,
            introduction_points: 20,
            introductions_per_second: 10_000,
            ..OnionSettings::default()
        };
        for settings in [few, many, OnionSettings::default()] {
            service(&settings);
        }
    }

    #[test]
    fn proof_of_work_is_on_where_it_is_compiled_in() {
        let options = ArtiOptions::new(&OnionSettings::default());
        assert_eq!(options.proof_of_work, cfg!(feature = "pow"));
        assert_eq!(
            service(&OnionSettings::default()).rate_limit_at_intro().is_some(),
            options.introduction_rate.is_some()
        );
    }
}
