//! What the tests speak with.

#[cfg(target_os = "linux")]
pub(crate) mod balancer;
pub(crate) mod description;
pub(crate) mod dice;
pub(crate) mod elsewhere;
pub(crate) mod everyone;
pub(crate) mod guest;
pub(crate) mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod node;
pub(crate) mod noscript;
pub(crate) mod noscript_stream;
pub(crate) mod offline;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod room;
pub(crate) mod scale;
pub(crate) mod visitor;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpSocket;

pub(crate) use guest::Guest;
pub(crate) use room::TestRoom;
pub(crate) use visitor::Visitor;

/// How long anything may take before the test gives up; far more than it needs, on a busy machine too.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A socket with a small buffer, so that the room notices soon when nobody reads. Not smaller than a segment of the
/// loopback, 64 KiB: below that TCP hands over what has piled up in steps of two kilobytes, five a second.
pub(crate) fn narrow() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket
}

/// Waits for `future`, and fails with `what` when it takes longer than [`DEADLINE`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}
