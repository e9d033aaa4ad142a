//! The room's end of the socket.
//!
//! A connection may be silent for a minute and its answer may wait for ten seconds to be read. When one more connects than
//! there may be, the oldest is closed, so that programs that forget to close theirs do not keep the host out.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::answer::{Answer, Failed, Line};
use super::request::Request;
use super::task::ProgressLine;
use super::{Host, LINE_BYTES_MAX};
use crate::listen::accept::{Acceptor, Listener};
use crate::listen::oldest::{Membership, OldestFirst};
use crate::listen::unix::{Socket, is_of_this_user};

/// How many connections there may be.
pub const CONNECTIONS_MAX: usize = 32;

/// How long a connection may take for its next request.
const SILENCE: Duration = Duration::from_secs(60);

/// How long an answer may take to be read.
const UNREAD: Duration = Duration::from_secs(10);

/// How often a task tells how far it is, also where that is no further: so that a connection that was closed is noticed.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// A bound socket of the host.
#[derive(Debug)]
pub struct HostSocket(Socket);

impl HostSocket {
    /// Binds it, as [`Socket::bind`].
    ///
    /// # Errors
    /// What the operating system says.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Socket::bind(path).map(Self)
    }
}

impl Listener for HostSocket {
    type Stream = UnixStream;

    const REFUSAL: &[u8] =
        b"{\"error\":{\"code\":\"busy\",\"message\":\"The room has no file left for this connection.\"}}\n";

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.0.accept().await
    }

    fn try_write(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
        stream.try_write(bytes)
    }
}

/// Serves the socket until `closing` is cancelled; each connection is one of `tasks`.
pub async fn serve<H: Host>(
    socket: HostSocket,
    host: Arc<H>,
    tasks: TaskTracker,
    closing: CancellationToken,
) {
    let places = OldestFirst::new(CONNECTIONS_MAX);
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut acceptor = Acceptor::new(socket, closing.clone());
    while let Some((mut stream, _)) = acceptor.next().await {
        if !is_of_this_user(&stream) {
            let refusal =
                Failed::new("forbidden", "Only the user who runs the room, and root, may use this socket.");
            write(&mut stream, &Line::<Answer>::Error(refusal).encode()).await;
            continue;
        }
        let place = places.enter();
        // Those that had to make way end at once, but for one whose request is being done.
        let permit = tokio::select! {
            () = closing.cancelled() => return,
            permit = Arc::clone(&open).acquire_owned() => permit,
        };
        let (host, closing) = (Arc::clone(&host), closing.clone());
        tasks.spawn(async move {
            let _permit = permit;
            converse(stream, &*host, &place, &closing).await;
        });
    }
}

/// Answers one request after another, until the other end has no more, or may not go on.
async fn converse<H: Host>(stream: UnixStream, host: &H, place: &Membership, closing: &CancellationToken) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let read = tokio::select! {
            biased;
            () = closing.cancelled() => Err(Failed::new("closing", "The room is closing.")),
            () = place.evicted() => Err(Failed::new("busy", "Too many programs are connected; this was the oldest connection.")),
            read = timeout(SILENCE, next_line(&mut reader)) => read.unwrap_or_else(|_| {
                Err(Failed::new("silent", "No request came for a minute. Connect again for the next one."))
            }),
        };
        let read = read.map(|line| line.map(|line| Request::decode(&line)));
        let (answer, last) = match read {
            Ok(None) => return,
            Ok(Some(Ok(request))) => match answer(host, request, &mut writer, place, closing).await {
                Some(answered) => answered,
                None => return,
            },
            Ok(Some(Err(failed))) => (Err(failed), false),
            Err(failed) => (Err(failed), true),
        };
        let line = Line::from(answer).encode();
        // The last line says why the connection is closed, to one that had to make way, too.
        let make_way = async {
            match last {
                true => std::future::pending().await,
                false => place.evicted().await,
            }
        };
        let written = tokio::select! {
            biased;
            written = write(&mut writer, &line) => written,
            () = make_way => false,
        };
        if !written || last {
            return;
        }
    }
}

/// The answer to a request, and whether it is the last; `None` if the connection is closed. An act is not called off in the middle:
/// once it was begun it gets its answer. A task that takes long is.
async fn answer<H: Host>(
    host: &H,
    request: Request,
    writer: &mut (impl AsyncWrite + Unpin),
    place: &Membership,
    closing: &CancellationToken,
) -> Option<(Result<Answer, Failed>, bool)> {
    let (long, tells) = match &request {
        Request::Do(task) => (task.is_long(), task.wants_progress()),
        _ => (false, false),
    };
    let (told, seen) = watch::channel(None);
    let mut answer = pin!(host.answer(request, told));
    if !long {
        return Some((answer.await, false));
    }
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return Some((answer, false)),
            () = closing.cancelled() => {
                return Some((Err(Failed::new("closing", "The room is closing. It was given up.")), true));
            }
            () = place.evicted() => {
                let sentence = "Too many programs are connected; this was the oldest connection. It was given up.";
                return Some((Err(Failed::new("busy", sentence)), true));
            }
            _ = ticks.tick(), if tells => {
                let line = ProgressLine { progress: seen.borrow().clone() }.encode();
                if !write(writer, &line).await {
                    return None;
                }
            }
        }
    }
}

/// The next line without its end, or what comes before the end of the stream; `None` if nothing does. It may have a secret in it.
async fn next_line<R: AsyncBufReadExt + Unpin>(reader: &mut R) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
    let mut line = Zeroizing::new(Vec::new());
    let read = reader.take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line).await;
    if read.is_err() || line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LINE_BYTES_MAX {
        let sentence = format!("A request may have at most {LINE_BYTES_MAX} bytes.");
        return Err(Failed::new("line_too_long", sentence));
    }
    Ok(Some(line))
}

/// Writes an answer; whether that went well.
async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
    matches!(timeout(UNREAD, writer.write_all(bytes)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests;
