//! Arti's configuration: its directories, its keystore, the Tor network it uses.

use std::path::Path;

use arti_client::config::TorClientConfigBuilder;
use arti_client::config::dir::{AuthorityContacts, FallbackDir, FallbackDirBuilder};
use arti_client::{TorClient, TorClientConfig};
use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use tor_hscrypto::pk::HsClientDescEncKey;
use tor_hsservice::OnionServiceConfig;
use tor_hsservice::config::restricted_discovery::HsClientNickname;
use tor_hsservice::config::{OnionServiceConfigBuilder, TokenBucketConfig};
use tor_llcrypto::pk::curve25519;

use super::activity::MonitoredRuntime;
use super::address::OnionAddress;
use super::error::TorError;
use super::options::ArtiOptions;
use super::private_network::{Authority, PrivateNetwork};
use super::storage::Storage;
use crate::invitations::{Access, PublicKey};

/// The service's nickname in Arti, which is the name of its key directory.
pub(super) const NICKNAME: &str = "room";

/// How many introductions may wait when proof of work orders them. At the rate at which they are answered when no
/// circuit can be built, that is a wait of six seconds; a client that waited for much longer has given up.
const WAITING_INTRODUCTIONS: usize = 512;

/// The names of the room's own client among those of a private room; no invitation can be called so. There are two because
/// of [`super::admission`].
pub(super) const OWN_CLIENT: [&str; 2] = ["_room", "_room-again"];

/// The client's configuration.
///
/// # Errors
/// When Arti refuses it.
pub(super) fn client(
    storage: &Storage,
    network: Option<&PrivateNetwork>,
    options: &ArtiOptions,
) -> Result<TorClientConfig, TorError> {
    let mut builder = TorClientConfigBuilder::from_directories(&storage.state, &storage.cache);
    // `crate::storage` has made the data directory accessible to its owner only. Arti's own checks go up to the
    // root of the file system and refuse what does no harm here.
    builder.storage().permissions().dangerously_trust_everyone();
    builder.system().memory().max(options.memory_bytes);
    // No circuits to exits in advance: a room uses none. To choose the relays of six of them among the public network's took
    // its thread ten milliseconds in one turn.
    builder.preemptive_circuits().disable_at_threshold(0);
    if storage.is_ephemeral() {
        let in_memory = "[storage.keystore.primary]\nkind = \"ephemeral\"\n";
        let mut ephemeral: TorClientConfigBuilder = toml::from_str(in_memory).map_err(refused)?;
        *builder.storage().keystore() = ephemeral.storage().keystore().clone();
    }
    if let Some(network) = network {
        use_private_network(&mut builder, network).map_err(refused)?;
    }
    builder.build().map_err(refused)
}

/// The onion service's configuration. In a private room `own`, name and key of the room's own client, is beside those that
/// are invited, so that the room can still check itself; and without any key Arti would publish nothing.
///
/// # Errors
/// When Arti refuses it.
pub(super) fn service(
    options: &ArtiOptions,
    access: &Access,
    own: (&str, PublicKey),
) -> Result<OnionServiceConfig, TorError> {
    let mut builder = OnionServiceConfigBuilder::default();
    builder
        .nickname(NICKNAME.parse().map_err(refused)?)
        .num_intro_points(options.introduction_points)
        .max_concurrent_streams_per_circuit(options.streams_per_circuit)
        .enable_pow(options.proof_of_work)
        .pow_rend_queue_depth(WAITING_INTRODUCTIONS)
        // To verify a solution is a few thousand instructions of the puzzle's own; compiling them would need memory
        // that is both writable and executable.
        .disable_pow_compilation(true);
    if let Some((rate, burst)) = options.introduction_rate {
        builder.rate_limit_at_intro(Some(TokenBucketConfig::new(rate, burst)));
    }
    if let Some(invited) = &access.invited {
        let invited = invited.iter().map(|(name, key)| (name.as_str(), *key));
        let restricted = builder.restricted_discovery();
        restricted.enabled(true);
        for (name, PublicKey(key)) in invited.chain([own]) {
            let name: HsClientNickname = name.parse().map_err(refused)?;
            let key = HsClientDescEncKey::from(curve25519::PublicKey::from(key));
            restricted.static_keys().access().push((name, key));
        }
    }
    builder.build().map_err(refused)
}

/// The address of the room whose data directory this is; `None` if it has none yet, or its key cannot be read. Changes
/// nothing, and a room may have the directory open.
pub fn address_in(data_dir: &Path) -> Option<OnionAddress> {
    let state = data_dir.join("tor/state");
    if !state.join("keystore").is_dir() {
        return None;
    }
    let mut builder = TorClientConfigBuilder::from_directories(state, data_dir.join("tor/cache"));
    builder.storage().permissions().dangerously_trust_everyone();
    let mut service = OnionServiceConfigBuilder::default();
    service.nickname(NICKNAME.parse().ok()?);
    let (client, service) = (builder.build().ok()?, service.build().ok()?);
    let service = TorClient::<MonitoredRuntime>::create_onion_service(&client, service).ok()?;
    service.onion_address().map(OnionAddress::new)
}

/// Replaces the public network's authorities and fallback directories.
fn use_private_network(builder: &mut TorClientConfigBuilder, network: &PrivateNetwork) -> Result<(), String> {
    let mut contacts = AuthorityContacts::builder();
    let mut fallbacks = Vec::new();
    for authority in &network.authorities {
        contacts.v3idents().push(fingerprint(&authority.v3_identity)?.into());
        fallbacks.push(fallback_directory(authority)?);
    }
    *builder.tor_network().authorities() = contacts;
    builder.tor_network().set_fallback_caches(fallbacks);
    // Arti takes relays that share a /16 for one family and puts no two of them in a circuit. A private
    // network may have but one address. A prefix longer than an address turns the rule off.
    builder.path_rules().ipv4_subnet_family_prefix(33).ipv6_subnet_family_prefix(129);
    Ok(())
}

fn fallback_directory(authority: &Authority) -> Result<FallbackDirBuilder, String> {
    let ed25519: [u8; 32] = BASE64_NOPAD
        .decode(authority.ed25519_identity.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("an ed25519 identity is not 32 bytes in base64")?;
    let mut relay = FallbackDir::builder();
    relay.rsa_identity(fingerprint(&authority.rsa_identity)?.into()).ed_identity(ed25519.into());
    relay.orports().push(authority.or_address);
    Ok(relay)
}

fn fingerprint(hexadecimal: &str) -> Result<[u8; 20], String> {
    HEXLOWER_PERMISSIVE
        .decode(hexadecimal.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "a fingerprint is not 20 bytes in hexadecimal digits".into())
}

fn refused(reason: impl std::fmt::Display) -> TorError {
    TorError::Start { reason: reason.to_string(), advice: "Please report this as a defect of onionroom." }
}
