//! Settings that are texts with rules of their own. Each error is the rule that was broken.

use std::net::SocketAddr;
use std::path::Path;

use tracing_subscriber::EnvFilter;

use super::draft::Draft;
use super::nats_address::{NatsAddress, masked};
use super::public_origin::PublicOrigin;
use super::settings::{LocalAccess, ProxyAddress};
use super::title::checked_title;

pub(super) fn title(draft: &mut Draft, given: &str) -> Result<(), String> {
    draft.settings.room.title = checked_title(given)?;
    Ok(())
}

pub(super) fn address(draft: &mut Draft, given: &str) -> Result<(), String> {
    let address: SocketAddr =
        given.parse().map_err(|_| String::from("it is not a numeric address with a port"))?;
    if !address.ip().is_loopback() {
        return Err(
            "it is not a loopback address, and on any other one the room would be open to the whole \
                    network, without encryption; guests elsewhere come in through the onion address"
                .into(),
        );
    }
    draft.settings.listen.address = address;
    Ok(())
}

pub(super) fn local(draft: &mut Draft, given: &str) -> Result<(), String> {
    draft.settings.listen.local = match given {
        "key" => LocalAccess::Key,
        "open" => LocalAccess::Open,
        "unix" if cfg!(unix) => LocalAccess::Unix,
        "unix" => return Err("there are no Unix sockets on this system".into()),
        "off" => LocalAccess::Off,
        _ => return Err("there is no such way in".into()),
    };
    Ok(())
}

pub(super) fn filter(draft: &mut Draft, given: &str) -> Result<(), String> {
    // A pattern for the value of a field can take gigabytes to compile.
    EnvFilter::builder()
        .with_regex(false)
        .parse(given)
        .map_err(|error| format!("it is not understood ({error})"))?;
    draft.settings.log = given.into();
    Ok(())
}

pub(super) fn public(draft: &mut Draft, given: &[&str]) -> Result<(), String> {
    let mut origins: Vec<PublicOrigin> = Vec::new();
    for text in given {
        let origin = PublicOrigin::parse(text).map_err(|reason| format!("{text:?}: {reason}"))?;
        if let Some(other) = origins.iter().find(|other| other.shares_hosts_with(&origin)) {
            return Err(format!(
                "{origin} and {other} have the same host and port, and a request names no scheme; let the proxy redirect \
                 from http to https"
            ));
        }
        origins.push(origin);
    }
    draft.settings.listen.public = origins;
    Ok(())
}

pub(super) fn proxy(draft: &mut Draft, given: &str) -> Result<(), String> {
    draft.settings.listen.proxy = match given.strip_prefix("unix:") {
        _ if given.is_empty() => None,
        Some(_) if !cfg!(unix) => return Err("there are no Unix sockets on this system".into()),
        Some(path) if Path::new(path).is_absolute() => Some(ProxyAddress::Unix(path.into())),
        Some(_) => return Err("the path of a socket begins with /".into()),
        None => {
            let address =
                given.parse().map_err(|_| String::from("it is not a numeric address with a port"))?;
            Some(ProxyAddress::Tcp(address))
        }
    };
    Ok(())
}

pub(super) fn tls(draft: &mut Draft, given: &str) -> Result<(), String> {
    draft.tls.address = match given {
        "" => None,
        _ => Some(given.parse().map_err(|_| String::from("it is not a numeric address with a port"))?),
    };
    Ok(())
}

pub(super) fn nats(draft: &mut Draft, given: &[&str]) -> Result<(), String> {
    let addresses = given
        .iter()
        .map(|text| NatsAddress::parse(text).map_err(|reason| format!("{:?}: {reason}", masked(text))));
    let addresses: Vec<NatsAddress> = addresses.collect::<Result<_, _>>()?;
    let mut credentials = addresses.iter().filter_map(NatsAddress::credentials);
    if let Some(first) = credentials.next()
        && credentials.any(|other| other != first)
    {
        return Err(
            "they have different users or passwords; servers that are one cluster have the same".into()
        );
    }
    draft.cluster.nats = addresses;
    Ok(())
}

pub(super) fn cluster_room(draft: &mut Draft, given: &str) -> Result<(), String> {
    let fits = (1..=32).contains(&given.len())
        && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !fits {
        return Err("it is a part of the names of streams and subjects".into());
    }
    draft.cluster.room = Some(given.into());
    Ok(())
}
