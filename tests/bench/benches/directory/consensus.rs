//! The consensus of the private network with made-up relays in it, signed by the network's authorities.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, BASE64_NOPAD};
use onionroom_bench::Outcome;
use tor_llcrypto::pk::rsa::KeyPair;

use crate::relays::{Relays, sha256};

/// The bandwidth of the real relays. Those that are made up have less than ten, so that practically no circuit is built
/// through them.
const REAL_BANDWIDTH: u32 = 100_000_000;

/// The consensus of the private network, taken apart, and the authorities' keys.
pub(crate) struct Template {
    head: String,
    /// The entries of the real relays by their identities.
    entries: BTreeMap<[u8; 20], String>,
    footer: String,
    signers: Vec<Signer>,
}

struct Signer {
    /// The fingerprints of the identity and of the signing key, as a signature names them.
    names: String,
    key: KeyPair,
}

/// When a consensus is valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) after: SystemTime,
    pub(crate) interval: Duration,
}

impl Template {
    /// Reads the consensus in the flavour "microdesc" that a node has, and the keys of the authorities' directories. Only the
    /// relays called `guards` stay guards.
    pub(crate) fn read(node: &Path, authorities: &[&Path], guards: &[String]) -> Outcome<Self> {
        let text = fs::read_to_string(node.join("cached-microdesc-consensus"))?;
        let first = text.find("\nr ").ok_or("a consensus without relays")? + 1;
        let footer = text.find("\ndirectory-footer\n").ok_or("a consensus without a footer")? + 1;
        let signatures = text.find("\ndirectory-signature ").ok_or("a consensus without signatures")? + 1;
        let mut entries = BTreeMap::new();
        for entry in format!("\n{}", &text[first..footer]).split("\nr ").filter(|entry| !entry.is_empty()) {
            let mut words = entry.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let identity = BASE64_NOPAD.decode(words.next().unwrap_or_default().as_bytes())?;
            let identity = identity.try_into().map_err(|_| "an identity is not 20 bytes")?;
            entries.insert(identity, real(entry, guards.contains(&name)));
        }
        let mut signers = Vec::new();
        for line in
            text[signatures..].lines().filter_map(|line| line.strip_prefix("directory-signature sha256 "))
        {
            let identity = line.split(' ').next().unwrap_or_default();
            let keys = authorities.iter().map(|authority| authority.join("keys"));
            for keys in keys {
                let certificate = fs::read_to_string(keys.join("authority_certificate"))?;
                if certificate.contains(&format!("fingerprint {identity}")) {
                    let key = signing_key(&fs::read_to_string(keys.join("authority_signing_key"))?)?;
                    signers.push(Signer { names: line.to_owned(), key });
                }
            }
        }
        Ok(Self {
            head: text[..first].to_owned(),
            entries,
            footer: text[footer..signatures].to_owned(),
            signers,
        })
    }

    /// A signed consensus with these relays beside the real ones.
    pub(crate) fn sign(&self, relays: &Relays, lifetime: Lifetime) -> Outcome<String> {
        let mut text = String::new();
        for line in self.head.lines() {
            let times = [("valid-after", 0), ("fresh-until", 1), ("valid-until", 2)];
            match times.iter().find(|(name, _)| line.starts_with(&format!("{name} "))) {
                Some((name, intervals)) => {
                    let time =
                        humantime::format_rfc3339_seconds(lifetime.after + lifetime.interval * *intervals);
                    let _ = writeln!(text, "{name} {}", time.to_string().replace('T', " ").replace('Z', ""));
                }
                None => text.extend([line, "\n"]),
            }
        }
        let mut entries = self.entries.clone();
        entries.extend(relays.entries());
        text.extend(entries.into_values());
        text.push_str(&self.footer);
        // Signed is all up to the first signature's keyword and the space after it
        // (https://spec.torproject.org/dir-spec/consensus-formats.html).
        let digest = sha256(format!("{text}directory-signature ").as_bytes());
        for Signer { names, key } in &self.signers {
            let signature = BASE64.encode(&key.sign(&digest)?);
            let _ = writeln!(text, "directory-signature sha256 {names}\n-----BEGIN SIGNATURE-----");
            for line in signature.as_bytes().chunks(64) {
                let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
            }
            text.push_str("-----END SIGNATURE-----\n");
        }
        Ok(text)
    }
}

/// The entry of a real relay, whose first keyword is cut off.
fn real(entry: &str, guard: bool) -> String {
    let mut text = String::from("r ");
    for line in entry.lines() {
        match line {
            line if line.starts_with("w ") => {
                let _ = writeln!(text, "w Bandwidth={REAL_BANDWIDTH}");
            }
            line if line.starts_with("s ") && !guard => {
                let _ = writeln!(text, "{}", line.replace(" Guard", ""));
            }
            line => text.extend([line, "\n"]),
        }
    }
    text
}

/// The key in a PEM file of PKCS #1.
fn signing_key(pem: &str) -> Outcome<KeyPair> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(KeyPair::from_der(&BASE64.decode(base64.as_bytes())?).ok_or("a signing key cannot be read")?)
}
