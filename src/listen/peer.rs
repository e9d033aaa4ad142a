//! Where a connection comes from, as far as that counts.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::LazyLock;

use crate::protocol::CircuitId;

/// The remote end of a connection.
///
/// A circuit or an address is a budget to charge, never an identity: one person can have many, and it does not say who they
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A rendezvous circuit of this process's onion service, numbered by this process from 1 in the order of arrival.
    Circuit(u64),
    /// A process on this machine; on a Unix socket with the address 127.0.0.1:0.
    Loopback(SocketAddr),
    /// A client of a public listener: the room answers it under its [public origins](crate::config::PublicOrigin) alone, and
    /// without the key of the local room.
    Public(Client),
}

impl Peer {
    /// What its requests are charged to; all of this machine are one.
    pub fn circuit(self) -> CircuitId {
        match self {
            Self::Circuit(number) => CircuitId(number),
            Self::Loopback(_) => CircuitId::LOOPBACK,
            Self::Public(Client::Address(hash)) => CircuitId::of_address(hash),
            Self::Public(Client::Circuit(number)) => CircuitId::of_tor_daemon(number),
            Self::Public(Client::Unknown) => CircuitId::PROXY,
        }
    }
}

/// A client of a public listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// An address on the network, as a hash with a key that only this process has and that ends with it: no address is kept,
    /// compared or logged.
    Address(u64),
    /// A rendezvous circuit of a Tor daemon before this process, by the daemon's own number for it.
    Circuit(u32),
    /// A reverse proxy that does not say for whom it connects, or that connects for itself.
    Unknown,
}

/// The first 96 bits of the addresses in which a Tor daemon names circuits, with `HiddenServiceExportCircuitID haproxy`
/// (tor(1)): the rest is the number of the circuit. They are in a block for private networks (RFC 4193).
const EXPORTED_CIRCUIT: [u16; 6] = [0xfc00, 0xdead, 0xbeef, 0x4dad, 0, 0];

/// The key of all hashes of addresses.
static HASHES: LazyLock<std::hash::RandomState> = LazyLock::new(Default::default);

impl Client {
    /// The client with this address. An IPv6 address counts by its first 64 bits, because a single line has all
    /// addresses that begin with them, and an IPv4 address that is written as one of IPv6 counts as what it is.
    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => match exported_circuit(address) {
                Some(number) => Self::Circuit(number),
                None => Self::Address(HASHES.hash_one((6, address.to_bits() >> 64))),
            },
            IpAddr::V4(address) => Self::Address(HASHES.hash_one((4, u128::from(address.to_bits())))),
        }
    }
}

fn exported_circuit(address: Ipv6Addr) -> Option<u32> {
    let [prefix @ .., high, low] = address.segments();
    (prefix == EXPORTED_CIRCUIT).then_some(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn client(address: &str) -> Client {
        Client::at(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_one_budget_however_it_is_written() {
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_ne!(client("::1"), client("0.0.0.0"), "an IPv6 prefix is not an IPv4 address");
    }

    #[test]
    fn a_circuit_of_a_tor_daemon_is_known_by_its_number() {
        assert_eq!(client("fc00:dead:beef:4dad::1"), Client::Circuit(1));
        assert_eq!(client("fc00:dead:beef:4dad::ffff:fffe"), Client::Circuit(0xffff_fffe));
        for other in ["fc00:dead:beef:4dad:1::1", "fc00:dead:beef:4dae::1", "fd00:dead:beef:4dd::1"] {
            assert!(matches!(client(other), Client::Address(_)), "{other}");
        }
    }

    /// The circuits of this process, those of a Tor daemon, addresses, this machine and the proxy itself.
    #[test]
    fn budgets_of_different_kinds_are_never_the_same() {
        let loopback = Peer::Loopback(([127, 0, 0, 1], 5).into());
        let numbers = [0, 1, 2, u32::MAX];
        let circuits = numbers.iter().map(|number| Peer::Circuit(1 + u64::from(*number)));
        let exported = numbers.iter().map(|number| Peer::Public(Client::Circuit(*number)));
        let hashes = [0, 4, u64::MAX, u64::from(u32::MAX)];
        let addresses = hashes.iter().map(|hash| Peer::Public(Client::Address(*hash)));
        let one_each = [loopback, Peer::Public(Client::Unknown)];
        let all: Vec<_> = circuits.chain(exported).chain(addresses).chain(one_each).collect();
        let budgets: HashSet<_> = all.iter().map(|peer| peer.circuit()).collect();
        assert_eq!(budgets.len(), all.len());
        let shared = all.iter().filter(|peer| peer.circuit().is_shared());
        assert_eq!(shared.count(), 2);
        for peer in all {
            assert_eq!(peer.circuit().takes_files(), !matches!(peer, Peer::Circuit(_)), "{peer:?}");
        }
    }

    #[test]
    fn nothing_shows_an_address() {
        let shown =
            format!("{:?} {:?}", client("192.0.2.77"), Peer::Public(client("2001:db8:77::1")).circuit());
        assert!(!shown.contains("192") && !shown.contains("db8") && !shown.contains("3221225"), "{shown}");
    }
}
