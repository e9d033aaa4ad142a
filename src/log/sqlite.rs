//! A log in an SQLite file.
//!
//! One thread owns the connection. It takes all pending requests and appends the messages among them in one
//! transaction, so that many guests share one sync of the disk. Between them it erases trimmed messages, one slice
//! after each batch, so that neither waits for the other.
//!
//! Names and texts are encrypted before they reach SQLite, each with a key of its own, and a trimmed message's key is
//! overwritten in place. `store` is what the thread does with the files, `view` what others may look up meanwhile.
//! `rows` has the statements, `identity` the room's own row, `sealed` encrypts, `keys` is the file of the keys. `schema` checks the file and migrates
//! it, `adopt` encrypts what an older version wrote. `opening` looks at all files before it changes one: `together` and
//! `mark` tell whether they belong together, `progress` is how far it is. `copy` copies a log that is in use. `error` is why a log cannot be opened, `fault` is
//! for tests.

mod adopt;
mod copy;
#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod deletion_tests;
#[cfg(test)]
mod erasure_tests;
mod error;
mod fault;
mod identity;
mod keys;
mod mark;
mod opening;
mod progress;
mod rows;
mod schema;
mod sealed;
mod state;
#[cfg(test)]
mod state_tests;
mod store;
#[cfg(test)]
mod tests;
mod together;
#[cfg(test)]
mod together_tests;
mod view;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use futures_util::future::{FutureExt, ready};
use tokio::sync::{mpsc, oneshot};

use super::followers::Followers;
use super::{
    Appended, Entry, Follow, Log, LogError, LogFuture, LogPage, Retention, RoomIdentity, RoomState, Span,
};
use crate::protocol::Record;
use store::Store;
use view::View;

pub use copy::{CopyError, LogCopy, announced_length};
pub use error::SqliteOpenError;
pub use progress::{Opening, OpeningStep};
pub use schema::Synchronous;

/// Messages in an SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    requests: mpsc::UnboundedSender<Request>,
    writer: Mutex<Option<JoinHandle<()>>>,
    view: View,
}

type Reply<T> = oneshot::Sender<Result<T, LogError>>;

enum Request {
    Append(Vec<Entry>, Reply<Vec<Appended>>),
    Follow(u64, Reply<Follow>),
    Call(Box<dyn FnOnce(&mut Store) + Send>),
    Close(Reply<()>),
}

/// The most requests that are handled together.
const BATCH: usize = 256;

impl SqliteLog {
    /// Opens or creates the file, and the files beside it: of the keys, with the ending `.keys`, and of the mark, `.state`;
    /// holds all until this is dropped. Messages beyond the retention are erased.
    ///
    /// # Errors
    /// The file is not a log of this program, damaged, in use, of a newer version, or not writable, the keys of its
    /// messages are missing or damaged, or the files do not belong together; all is left as it was.
    pub fn open(
        path: &Path,
        retention: Retention,
        synchronous: Synchronous,
    ) -> Result<Self, SqliteOpenError> {
        Self::open_watched(path, retention, synchronous, &Arc::default())
    }

    /// The same, where another thread sees in `opening` how far it is, and can call it off.
    ///
    /// # Errors
    /// As [`SqliteLog::open`], or it was called off.
    pub fn open_watched(
        path: &Path,
        retention: Retention,
        synchronous: Synchronous,
        opening: &Arc<Opening>,
    ) -> Result<Self, SqliteOpenError> {
        let store = Store::open(path, retention, synchronous, opening)?;
        let (view, (requests, inbox)) = (store.view(), mpsc::unbounded_channel());
        let writer = thread::Builder::new()
            .name("log".into())
            .spawn(move || write(store, inbox))
            .map_err(|cause| SqliteOpenError::Unusable { path: path.into(), cause: cause.to_string() })?;
        Ok(Self { requests, writer: Mutex::new(Some(writer)), view })
    }

    fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Store) -> Result<T, LogError> + Send + 'static,
    ) -> LogFuture<'_, T> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Call(Box::new(move |store| drop(reply.send(call(store))))));
        wait(answer).boxed()
    }
}

impl Drop for SqliteLog {
    /// Waits until all pending requests are done and the file is closed.
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut self.requests, closed));
        if let Some(writer) = self.writer.get_mut().ok().and_then(Option::take) {
            let _ = writer.join();
        }
    }
}

impl Log for SqliteLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.call(|store| Ok(store.identity()))
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Append(entries, reply));
        wait(answer).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.call(move |store| store.state(initial))
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Follow(after, reply));
        wait(answer).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        self.call(move |store| store.read(after, limit))
    }

    fn page_before(&self, before: u64, limit: usize) -> LogFuture<'_, LogPage> {
        self.call(move |store| store.page_before(before, limit))
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        ready(Ok(self.view.cursor_before(before, count))).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        ready(Ok(self.view.span())).boxed()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.call(move |store| store.trim(clock))
    }

    fn close(&self) -> LogFuture<'_, ()> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Close(reply));
        wait(answer).boxed()
    }
}

async fn wait<T>(answer: oneshot::Receiver<Result<T, LogError>>) -> Result<T, LogError> {
    answer.await.unwrap_or_else(|_| Err(LogError("the log is closed".into())))
}

fn write(mut store: Store, mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut requests = Vec::with_capacity(BATCH);
    let mut followers = Followers::default();
    loop {
        let work = store.has_work();
        // With work to do it does not wait for requests, and with requests it does one slice of the work.
        if (!work || !inbox.is_empty()) && inbox.blocking_recv_many(&mut requests, BATCH) == 0 {
            return store.close();
        }
        let mut pending = Vec::new();
        for request in requests.drain(..) {
            match request {
                Request::Append(entries, reply) => pending.push((entries, reply)),
                Request::Call(call) => {
                    append(&mut store, std::mem::take(&mut pending), &mut followers);
                    call(&mut store);
                }
                Request::Follow(after, reply) => {
                    append(&mut store, std::mem::take(&mut pending), &mut followers);
                    let _ = reply.send(store.read(after, usize::MAX).map(|first| followers.add(first)));
                }
                Request::Close(reply) => {
                    append(&mut store, pending, &mut followers);
                    store.close();
                    let _ = reply.send(Ok(()));
                    return;
                }
            }
        }
        append(&mut store, pending, &mut followers);
        if work && let Err(error) = store.work() {
            tracing::error!(%error, "trimmed messages could not be erased; the next trim tries again");
        }
    }
}

/// A request to append, with where its answer goes.
type PendingAppend = (Vec<Entry>, Reply<Vec<Appended>>);

/// Appends the entries of several requests in one transaction, and tells those who follow before it answers.
fn append(store: &mut Store, pending: Vec<PendingAppend>, followers: &mut Followers) {
    if pending.is_empty() {
        return;
    }
    let (batches, replies): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    let counts: Vec<usize> = batches.iter().map(Vec::len).collect();
    match store.append(batches.into_iter().flatten().collect()) {
        Ok((appended, records)) => {
            followers.tell(records);
            let mut appended = appended.into_iter();
            for (count, reply) in counts.into_iter().zip(replies) {
                let _ = reply.send(Ok(appended.by_ref().take(count).collect()));
            }
        }
        Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
    }
}
