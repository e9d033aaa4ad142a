//! Arti's tasks, on the runtime of everything else.
//!
//! Arti starts tasks that nobody can wait for or stop, and they hold its locks and directories; so what it starts is
//! kept here, and ended with the run. A runtime of its own would do that as well. But then every message would cross
//! from one thread to another on its way to a circuit, and again for each guest; and where all tasks take turns on
//! one thread, the cells of many circuits have come together by the time the channel to the guard is flushed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::task::{FutureObj, Spawn, SpawnError};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{Blocking, ToplevelBlockOn};

/// Where Arti starts its tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    tokio: TokioRustlsRuntime,
    handle: Handle,
    /// Those that run; none when they were ended, and then there are no more.
    running: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Tasks {
    /// None yet, on the runtime of the caller.
    ///
    /// # Panics
    /// Outside a runtime.
    pub(super) fn here() -> Self {
        let handle = Handle::current();
        let tokio = TokioRustlsRuntime::from(handle.clone());
        Self { tokio, handle, running: Arc::new(Mutex::new(Some(JoinSet::new()))) }
    }

    /// The runtime they are on.
    pub(super) fn runtime(&self) -> &TokioRustlsRuntime {
        &self.tokio
    }

    /// Starts one. If they were ended it is dropped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.lock();
        let Some(tasks) = &mut *running else {
            // Its end may want to start another one.
            drop(running);
            return drop(task);
        };
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    /// Takes them away, to be ended: at once as far as they wait, and otherwise when they next do.
    pub(super) fn take(&self) -> JoinSet<()> {
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
        let tasks = Tasks::here();
        let (task, mut dropped) = endless();
        tasks.spawn(task);
        tokio::task::yield_now().await;
        assert!(dropped.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
        tasks.take().shutdown().await;
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
        let tasks = Tasks::here();
        let starts = Starts(tasks.clone());
        tasks.spawn(async move {
            let _starts = starts;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        tasks.take().shutdown().await;
        drop(Starts(tasks));
    }
}
