//! A log in an SQLite file.
//!
//! One thread owns the connection. It takes whatever requests are waiting and appends the messages among them
//! in one transaction, so that many guests share one wait for the disk. `store` is what it does,
//! `schema` how the file is recognised, checked and brought up to date.

mod schema;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use futures_util::future::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, Appended, Entry, Identity, Log, LogError, Retention, Span};
use crate::protocol::Message;
use store::Store;

pub use schema::OpenError;

/// How much a message survives before it is acknowledged: SQLite's `synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// The machine losing power: each transaction waits for the disk.
    #[default]
    Full,
    /// The program being killed. What was said in the last moments before a loss of power may be missing.
    Normal,
}

/// Messages in an SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    requests: mpsc::UnboundedSender<Request>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

type Reply<T> = oneshot::Sender<Result<T, LogError>>;

enum Request {
    Append(Vec<Entry>, Reply<Vec<Appended>>),
    Other(Box<dyn FnOnce(&mut Store) + Send>),
    Close(Reply<()>),
}

/// How many requests are taken up together at most.
const BATCH: usize = 256;

impl SqliteLog {
    /// Opens the file, or makes it, and holds it until this is dropped. What the retention no longer allows
    /// is removed first.
    ///
    /// # Errors
    /// The file is somebody else's, damaged, in use, made by a newer version, or cannot be written; it is
    /// left as it was.
    pub fn open(path: &Path, retention: Retention, synchronous: Synchronous) -> Result<Self, OpenError> {
        let store = Store::open(path, retention, synchronous)?;
        let (requests, inbox) = mpsc::unbounded_channel();
        let writer = thread::Builder::new()
            .name("log".into())
            .spawn(move || write(store, inbox))
            .map_err(|cause| OpenError::Unusable { path: path.into(), cause: cause.to_string() })?;
        Ok(Self { requests, writer: Mutex::new(Some(writer)) })
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Store) -> Result<T, LogError> + Send + 'static,
    ) -> Answer<'_, T> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Other(Box::new(move |store| drop(reply.send(question(store))))));
        wait(answer).boxed()
    }
}

impl Drop for SqliteLog {
    /// Waits until everything that was asked for is written and the file is given back.
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut self.requests, closed));
        if let Some(writer) = self.writer.get_mut().ok().and_then(Option::take) {
            let _ = writer.join();
        }
    }
}

impl Log for SqliteLog {
    fn identity(&self) -> Answer<'_, Identity> {
        self.ask(|store| Ok(store.identity()))
    }

    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Vec<Appended>> {
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Append(entries, reply));
        wait(answer).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> Answer<'_, Vec<Message>> {
        self.ask(move |store| store.read(after, limit))
    }

    fn span(&self) -> Answer<'_, Span> {
        self.ask(|store| store.span())
    }

    fn trim(&self, clock: u64) -> Answer<'_, ()> {
        self.ask(move |store| store.trim(clock))
    }

    fn close(&self) -> Answer<'_, ()> {
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
    while inbox.blocking_recv_many(&mut requests, BATCH) > 0 {
        let mut waiting = Vec::new();
        for request in requests.drain(..) {
            match request {
                Request::Append(entries, reply) => waiting.push((entries, reply)),
                Request::Other(question) => {
                    append(&mut store, std::mem::take(&mut waiting));
                    question(&mut store);
                }
                Request::Close(reply) => {
                    append(&mut store, waiting);
                    store.close();
                    let _ = reply.send(Ok(()));
                    return;
                }
            }
        }
        append(&mut store, waiting);
    }
    store.close();
}

/// Entries that somebody asked to append.
type Waiting = (Vec<Entry>, Reply<Vec<Appended>>);

/// Appends what several asked for in one transaction.
fn append(store: &mut Store, waiting: Vec<Waiting>) {
    if waiting.is_empty() {
        return;
    }
    let (batches, replies): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    let counts: Vec<usize> = batches.iter().map(Vec::len).collect();
    match store.append(batches.into_iter().flatten().collect()) {
        Ok(appended) => {
            let mut appended = appended.into_iter();
            for (count, reply) in counts.into_iter().zip(replies) {
                let _ = reply.send(Ok(appended.by_ref().take(count).collect()));
            }
        }
        Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
    }
}
