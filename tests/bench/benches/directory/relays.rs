//! Made-up relays: their microdescriptors and their entries in a consensus, of the sizes that those of the public network
//! have.

use std::collections::HashMap;
use std::fmt::Write as _;

use data_encoding::{BASE64, BASE64_NOPAD, HEXUPPER};
use sha2::{Digest, Sha256};

use crate::random::Random;

/// One of so many relays of a family name each other in their microdescriptors.
const FAMILY: usize = 20;

/// A made-up relay. It answers nowhere; so it is no guard, which a program on a busy machine would come to try.
pub(crate) struct Relay {
    identity: [u8; 20],
    number: usize,
    address: String,
    exit: bool,
    bandwidth: u64,
    pub(crate) microdescriptor: Microdescriptor,
}

/// The text of a microdescriptor and its digest in base64.
pub(crate) struct Microdescriptor {
    pub(crate) text: String,
    pub(crate) digest: String,
}

/// All made-up relays, as they are at one time.
pub(crate) struct Relays {
    relays: Vec<Relay>,
    random: Random,
    directories: bool,
}

impl Relays {
    /// So many. With `directories` they are taken for directories of onion services as well.
    pub(crate) fn new(number: usize, directories: bool) -> Self {
        let mut random = Random::new(1);
        let identities: Vec<[u8; 20]> = (0..number).map(|_| random.bytes()).collect();
        let relays = (0..number).map(|number| Relay::new(number, &identities, &mut random)).collect();
        Self { relays, random, directories }
    }

    /// What an hour changes, roughly: the bandwidth of a fifth, the keys of one in fifty, and one in a hundred is replaced by
    /// another.
    pub(crate) fn change(&mut self) {
        let identities: Vec<[u8; 20]> = self.relays.iter().map(|relay| relay.identity).collect();
        for (index, relay) in self.relays.iter_mut().enumerate() {
            match self.random.below(100) {
                0 => {
                    let mut identities = identities.clone();
                    identities[index] = self.random.bytes();
                    *relay = Relay::new(index, &identities, &mut self.random);
                }
                1 | 2 => {
                    relay.microdescriptor = microdescriptor(index, &identities, relay.exit, &mut self.random)
                }
                3..=22 => relay.bandwidth = 1 + self.random.below(9),
                _ => {}
            }
        }
    }

    /// The entries for a consensus in the flavour "microdesc", each with the identity by which they are sorted
    /// ([dir-spec](https://spec.torproject.org/dir-spec/consensus-formats.html)).
    pub(crate) fn entries(&self) -> impl Iterator<Item = ([u8; 20], String)> {
        self.relays.iter().map(|relay| (relay.identity, relay.entry(self.directories)))
    }

    /// The microdescriptors by their digests.
    pub(crate) fn microdescriptors(&self) -> HashMap<String, String> {
        let all = self.relays.iter().map(|relay| &relay.microdescriptor);
        all.map(|it| (it.digest.clone(), it.text.clone())).collect()
    }
}

impl Relay {
    fn new(number: usize, identities: &[[u8; 20]], random: &mut Random) -> Self {
        let exit = random.below(100) < 30;
        Self {
            identity: identities[number],
            number,
            // The range for benchmarks (RFC 2544).
            address: format!("198.{}.{}.{}", 18 + number / 65536 % 2, number / 256 % 256, number % 256),
            exit,
            bandwidth: 1 + random.below(9),
            microdescriptor: microdescriptor(number, identities, exit, random),
        }
    }

    fn entry(&self, directories: bool) -> String {
        let Self { identity, number, address, exit, bandwidth, microdescriptor } = self;
        let mut text = format!(
            "r madeup{number} {} 2038-01-01 00:00:00 {address} 9001 0\n",
            BASE64_NOPAD.encode(identity)
        );
        if number % 2 == 0 {
            let _ = writeln!(text, "a [2001:db8::{:x}]:9001", number + 1);
        }
        let flag = |on: bool, flag: &'static str| if on { flag } else { "" };
        let _ = write!(
            text,
            "m {}\ns{} Fast{} Running Stable V2Dir Valid\nv Tor 0.4.9.{}\n\
             pr Conflux=1 Cons=1-2 Desc=1-4 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4-5 HSRend=1-2 Link=3-5 \
             LinkAuth=3 Microdesc=1-3 Padding=2 Relay=2-6\nw Bandwidth={bandwidth}\n",
            microdescriptor.digest,
            flag(*exit, " Exit"),
            flag(directories, " HSDir"),
            number % 12,
        );
        text
    }
}

/// A microdescriptor with random keys.
fn microdescriptor(
    number: usize,
    identities: &[[u8; 20]],
    exit: bool,
    random: &mut Random,
) -> Microdescriptor {
    // An RSA key of 1024 bits in DER: a modulus of 128 bytes, with a zero before it, and the exponent 65537. No one will
    // encrypt to it, so any odd number does.
    let mut modulus: [u8; 128] = random.bytes();
    (modulus[0], modulus[127]) = (modulus[0] | 0x80, modulus[127] | 1);
    let key =
        [&[0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00], &modulus[..], &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    let mut text = String::from("onion-key\n-----BEGIN RSA PUBLIC KEY-----\n");
    let encoded = BASE64.encode(&key);
    for line in encoded.as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    let ntor: [u8; 32] = random.bytes();
    let _ = write!(text, "-----END RSA PUBLIC KEY-----\nntor-onion-key {}\n", BASE64_NOPAD.encode(&ntor));
    if number % 5 < 2 {
        let first = number / FAMILY * FAMILY;
        let family = &identities[first..identities.len().min(first + FAMILY)];
        let names: String =
            family.iter().map(|identity| format!(" ${}", HEXUPPER.encode(identity))).collect();
        let _ = writeln!(text, "family{names}");
    }
    if exit {
        text.push_str(
            "p accept 20-23,43,53,79-81,88,110,143,194,220,389,443,464,531,543-544,554,563,636,706\n",
        );
    }
    let ed25519: [u8; 32] = random.bytes();
    let _ = writeln!(text, "id ed25519 {}", BASE64_NOPAD.encode(&ed25519));
    let digest = BASE64_NOPAD.encode(&sha256(text.as_bytes()));
    Microdescriptor { text, digest }
}

/// The digest in a consensus.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
