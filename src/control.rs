//! The host's socket: what programs of the host ask of a running room, and tell it to do.
//!
//! It is a Unix socket in the data directory, which is private; its mode is 0600, and who connects must run as the user of
//! the room or as the superuser. A line is one JSON object, and each gets one line as its answer, in the same order; a task whose request asks for
//! it tells before that how far it is. `docs/hosting.md` describes them.
//!
//! - [`request`] decodes a line, [`task`] what is done with the room as a whole, [`answer`] is what the room answers: pure types
//!   and their JSON.
//! - [`rooms`] is the same for what is about all rooms of an address, [`room_list`] its answer.
//! - [`listener`] accepts, reads lines within bounds and deadlines, and asks what implements [`Host`].
//! - [`client`] is the other end, for `onionroom host`.
//!
//! It knows nothing of the room: the server implements [`Host`].

pub mod answer;
#[cfg(unix)]
pub mod client;
pub mod entering;
#[cfg(unix)]
pub mod listener;
pub mod request;
pub mod room_list;
pub mod rooms;
pub mod task;
mod who;

use tokio::sync::watch;

use self::answer::{Answer, Failed};
use self::request::Request;
use self::task::Progress;

/// The socket in the data directory.
pub const SOCKET_FILE: &str = "host.sock";

/// The longest request, in bytes, without the end of the line.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// What is asked: a running room.
pub trait Host: Send + Sync + 'static {
    /// Answers a request, and tells `told` how far it is. A task that takes long is given up when this is dropped.
    ///
    /// # Errors
    /// The room refuses it.
    fn answer(
        &self,
        request: Request,
        told: watch::Sender<Option<Progress>>,
    ) -> impl Future<Output = Result<Answer, Failed>> + Send;
}
