//! Tracks the tasks that Arti spawns, so that they can be aborted and waited for.
//!
//! Arti gives no handles to its tasks, and they hold its locks and directories. So they are spawned into a `JoinSet`
//! here, and aborted with their instance of Arti. A separate runtime would do that as well. But then every message
//! would cross from one thread to another on its way to a circuit, and again for each guest. And where all tasks share
//! one thread, the cells of many circuits have come together by the time the channel to the guard is flushed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::task::{FutureObj, Spawn, SpawnError};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{Blocking, ToplevelBlockOn};

/// The tasks of one instance of Arti. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    tokio: TokioRustlsRuntime,
    handle: Handle,
    /// The tasks that run; `None` once closed.
    running: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Tasks {
    /// An empty set on the caller's runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    pub(super) fn on_current_runtime() -> Self {
        let handle = Handle::current();
        let tokio = TokioRustlsRuntime::from(handle.clone());
        Self { tokio, handle, running: Arc::new(Mutex::new(Some(JoinSet::new()))) }
    }

    /// The runtime that the tasks run on.
    pub(super) fn runtime(&self) -> &TokioRustlsRuntime {
        &self.tokio
    }

    /// Spawns a task; drops it if the set is closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.lock();
        let Some(tasks) = &mut *running else {
            // The task's destructor may spawn another one, which takes the lock.
            drop(running);
            return drop(task);
        };
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    /// Takes all tasks out, for the caller to abort; no more can be spawned.
    pub(super) fn close(&self) -> JoinSet<()> {
        self.lock().take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawn for Tasks {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.spawn(future);
        Ok(())
    }
}

impl Blocking for Tasks {
    type ThreadHandle<T: Send + 'static> = <TokioRustlsRuntime as Blocking>::ThreadHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::ThreadHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tokio.spawn_blocking(work)
    }

    fn reenter_block_on<F>(&self, future: F) -> F::Output
    where
        F: Future,
        F::Output: Send + 'static,
    {
        self.tokio.reenter_block_on(future)
    }
}

impl ToplevelBlockOn for Tasks {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.tokio.block_on(future)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use tokio::sync::oneshot;

    use super::*;

    /// A task that waits for ever; what tells that it was dropped.
    fn endless() -> (impl Future<Output = ()> + Send, oneshot::Receiver<()>) {
        let (held, dropped) = oneshot::channel();
        let task = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        (task, dropped)
    }

    #[tokio::test]
    async fn what_was_started_ends_when_asked_and_nothing_begins_after() {
        let tasks = Tasks::on_current_runtime();
        let (task, mut dropped) = endless();
        tasks.spawn(task);
        tokio::task::yield_now().await;
        assert!(dropped.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
        tasks.close().shutdown().await;
        dropped.await.unwrap_err();

        let (task, dropped) = endless();
        tasks.spawn_obj(FutureObj::new(Box::new(task))).unwrap();
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_task_may_start_another_in_its_end() {
        struct Starts(Tasks);
        impl Drop for Starts {
            fn drop(&mut self) {
                self.0.spawn(async {});
            }
        }
        let tasks = Tasks::on_current_runtime();
        let starts = Starts(tasks.clone());
        tasks.spawn(async move {
            let _starts = starts;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        tasks.close().shutdown().await;
        drop(Starts(tasks));
    }
}
