//! A port that the service does not have: what a visitor can see is compared with what an onion service of
//! C Tor shows, and must be the same.

use std::time::Duration;

use onionroom::lab::Events;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::socks;
use super::visitor::Visitors;

/// How long the answer to an unknown port may take, circuit and all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a visitor can see of a refusal.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Whether the proxy gave a connection.
    connected: bool,
    /// How the stream ended: the status and the reasons.
    end: Vec<String>,
    /// Whether the next stream, to a port that is there, came over the same circuit.
    circuit_lives: bool,
}

/// The room and an onion service of C Tor refuse in the same way.
pub(crate) async fn an_unknown_port_is_answered_as_c_tor_would(visitors: &Visitors, host: &str) {
    // The client can be the host of a service as well.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    let mut control = visitors.control().await;
    let added = format!("ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=80,{target}");
    let answer = control.command(&added).await.unwrap();
    let service = answer.iter().find_map(|line| line.strip_prefix("ServiceID=")).unwrap();
    let model = format!("{service}.onion");
    visitors.reach(&model).await;

    let (expected, seen) = (refusal(visitors, &model).await, refusal(visitors, host).await);
    assert!(seen.end.contains(&"REMOTE_REASON=DONE".to_owned()), "{seen:?}");
    assert_eq!(seen, expected, "left the room, right C Tor");
    drop(control); // and with it the service
}

/// Asks for a port that is not there, and then, as the same visitor, for one that is.
async fn refusal(visitors: &Visitors, host: &str) -> Seen {
    let mut events = visitors.control().await.events("STREAM").await.unwrap();
    let name = visitors.new_name();
    let answer =
        timeout(PATIENCE, socks::connect(visitors.socks(), &name, host, 81)).await.expect("an answer");
    let ended = |status: &str| status == "FAILED" || status == "CLOSED";
    let (circuit, end) = stream_to(&mut events, &format!("{host}:81"), ended).await;
    let _stream = visitors.connect_as(&name, host).await;
    let (next, _) = stream_to(&mut events, &format!("{host}:80"), |status| status == "SUCCEEDED").await;
    Seen { connected: answer.is_ok(), end, circuit_lives: next == circuit }
}

/// Waits until the stream to `target` has a status as wanted. Answers with the number of its circuit, and the
/// status with its reasons.
async fn stream_to(
    events: &mut Events,
    target: &str,
    wanted: impl Fn(&str) -> bool,
) -> (String, Vec<String>) {
    loop {
        let event = timeout(PATIENCE, events.next()).await.expect("an event").unwrap();
        let words: Vec<_> = event.split(' ').collect();
        if let ["STREAM", _, status, circuit, to, rest @ ..] = words.as_slice()
            && *to == target
            && wanted(status)
        {
            let reasons = rest.iter().filter(|word| word.contains("REASON="));
            let end = [status].into_iter().chain(reasons).map(|&word| word.to_owned()).collect();
            return ((*circuit).to_owned(), end);
        }
    }
}
