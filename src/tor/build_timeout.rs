//! The least time that Arti gives a circuit to be built.
//!
//! Arti learns how long circuits take, and gives up a circuit that takes longer than four in five. The hop to a rendezvous
//! point gets two thirds of that, and when it takes longer, the guest is not answered: in the public network a service has
//! one attempt (`hs_service_max_rdv_failures`). What was learned while the room was quiet is too little when a crowd comes
//! to a room that is full of talk, and too little as well where the last relay first has to connect to the rendezvous
//! point.
//!
//! C Tor gives that hop five thirds of what it has learned, and a second more. Arti has no such allowance, but it knows the
//! network's least timeout (`cbtmintimeout`), which is 10 ms in the public network. So it is raised here, and a network
//! whose own is greater keeps that.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tor_netdir::NetDir;
use tor_netdir::params::NetParameters;
use tor_netdoc::doc::netstatus::NetParams;

/// The name of the least timeout in a consensus
/// ([path-spec](https://spec.torproject.org/path-spec/learning-timeouts.html)).
const PARAMETER: &str = "cbtmintimeout";

/// The least timeout for the building of three hops, in milliseconds. Two thirds of it are C Tor's second for the hop to a
/// rendezvous point. It was the default of older versions of C Tor.
const LEAST: i32 = 1500;

/// Raises the least timeout of directories. Each is changed once, however often it is asked for.
#[derive(Debug, Default)]
pub(super) struct BuildTimeout(Mutex<Option<Raised>>);

/// The newest directory, as it came and as it is handed out.
#[derive(Debug)]
struct Raised {
    from: Weak<NetDir>,
    to: Arc<NetDir>,
}

impl BuildTimeout {
    /// The same directory, with a least timeout of one and a half seconds or more.
    pub(super) fn raise(&self, directory: Arc<NetDir>) -> Arc<NetDir> {
        let Some(parameters) = raised(directory.params()) else { return directory };
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = newest.as_ref().filter(|newest| newest.from.as_ptr() == Arc::as_ptr(&directory))
        {
            return Arc::clone(&newest.to);
        }
        let mut to = NetDir::clone(&directory);
        to.replace_overridden_parameters(&parameters);
        let to = Arc::new(to);
        *newest = Some(Raised { from: Arc::downgrade(&directory), to: Arc::clone(&to) });
        to
    }
}

/// What replaces the network's parameters; `None` where its own least timeout is great enough.
fn raised(network: &NetParameters) -> Option<NetParams<i32>> {
    let own = network.cbt_min_timeout.as_millis().get();
    (own < LEAST).then(|| [(PARAMETER.to_owned(), LEAST)].into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    /// The parameters of a consensus with this line, after they were raised.
    fn least_timeout(consensus: &str) -> i32 {
        let mut parameters: NetParams<i32> = consensus.parse().unwrap();
        for (name, value) in raised(&NetParameters::from_map(&parameters)).iter().flat_map(NetParams::iter) {
            parameters.set(name.clone(), *value);
        }
        NetParameters::from_map(&parameters).cbt_min_timeout.as_millis().get()
    }

    /// Of the public network's consensus of January 2026.
    #[test]
    fn the_public_network_has_a_least_timeout_that_a_busy_room_keeps() {
        assert_eq!(least_timeout("cbttestfreq=10 hs_service_max_rdv_failures=1"), LEAST);
        assert_eq!(least_timeout("cbtmintimeout=1499"), LEAST);
    }

    #[test]
    fn a_network_that_gives_more_time_keeps_it() {
        assert_eq!(least_timeout("cbtmintimeout=5000"), 5000);
    }
}
