//! A room without Tor behind C Tor's onion service, which names each circuit with the PROXY protocol.

use onionroom::config::{LocalAccess, ProxyAddress, PublicOrigin, Settings};
use onionroom::lab::Network;
use onionroom::server::Server;

use super::daemon::Daemon;
use super::visitor::Visitors;
use crate::kit::Guest;
use crate::kit::raw::Raw;

/// What operators are told to write.
const TORRC: &str = include_str!("../../../config/c-tor/torrc");

/// The same with the paths of a test.
pub(crate) fn in_home(torrc: &str) -> String {
    let own = torrc.replace("/var/lib/tor/room", "\"HOME/service\"");
    format!("SocksPort 0\n{}", own.replace("/run/onionroom/proxy.sock", "HOME/proxy.sock"))
}

/// The settings of a room that is reached through a Tor daemon alone.
pub(crate) fn settings(proxy: ProxyAddress, public: &str) -> Settings {
    let mut settings = Settings::default();
    settings.onion.enabled = false;
    settings.listen.local = LocalAccess::Off;
    settings.listen.public = vec![PublicOrigin::parse(public).unwrap()];
    settings.listen.proxy = Some(proxy);
    settings.listen.proxy_protocol = true;
    settings
}

/// On a Unix socket guests talk, and one circuit's flood takes nothing from another; on TCP it is the same.
pub(crate) async fn c_tors_onion_service_tells_the_circuits(visitors: &Visitors, network: &Network) {
    let daemon = Daemon::start(network, &in_home(TORRC)).await;
    let onion = daemon.onion("service").await;
    let socket = daemon.home().join("proxy.sock");
    let mut unix = settings(ProxyAddress::Unix(socket.clone()), &format!("http://{onion}"));
    unix.room.joins_per_minute = 1;
    let room = Server::open(&unix).await.unwrap();
    visitors.reach(&onion).await;
    talk(visitors, &onion).await;
    one_circuits_flood_takes_nothing_from_another(visitors, &onion).await;
    room.close().await;
    assert!(!socket.exists());

    let mut tcp = settings(ProxyAddress::Tcp(([127, 0, 0, 1], 0).into()), &format!("http://{onion}"));
    tcp.room.joins_per_minute = 1;
    let room = Server::open(&tcp).await.unwrap();
    let options = format!(
        "SETCONF HiddenServiceDir=\"{}\" HiddenServicePort=\"80 {}\" HiddenServiceExportCircuitID=haproxy",
        daemon.home().join("service").display(),
        room.proxy_place().unwrap()
    );
    daemon.controlled().await.command(&options).await.unwrap();
    visitors.reach(&onion).await;
    talk(visitors, &onion).await;
    one_circuits_flood_takes_nothing_from_another(visitors, &onion).await;
    room.close().await;
}

async fn talk(visitors: &Visitors, onion: &str) {
    let mut ann = Guest::connect(visitors.connect_as(&visitors.new_name(), onion).await, onion).await;
    ann.hello("Ann").await;
    let mut bob = Guest::connect(visitors.connect_as(&visitors.new_name(), onion).await, onion).await;
    bob.hello("Bob").await;
    ann.say("1", "good evening").await;
    assert_eq!(bob.expect("message").await["text"], "good evening");
}

/// Joins over a circuit until it has to wait; answers with how often that went.
async fn join_until_refused(visitors: &Visitors, onion: &str, circuit: &str) -> usize {
    let mut stream = Raw::new(visitors.connect_as(circuit, onion).await);
    let request = format!(
        "POST /rooms/main/guests HTTP/1.1\r\nHost: {onion}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    for joined in 0..50 {
        stream.write(request.as_bytes()).await;
        match stream.answer().await.status {
            201 => {}
            status => {
                assert_eq!(status, 429);
                return joined;
            }
        }
    }
    panic!("a circuit may join as often as it likes");
}

/// Ten joins may come at once, and then one in a minute.
async fn one_circuits_flood_takes_nothing_from_another(visitors: &Visitors, onion: &str) {
    let (flood, other) = (visitors.new_name(), visitors.new_name());
    let joined = join_until_refused(visitors, onion, &flood).await;
    assert!(joined >= 10, "{joined} joins over a circuit of its own");
    let again = join_until_refused(visitors, onion, &flood).await;
    assert!(again < 5, "another stream of the same circuit: {again}");
    assert!(join_until_refused(visitors, onion, &other).await >= 10, "another circuit");
}
