//! Tracks the tasks and threads that Arti spawns, so that they can be ended and waited for.
//!
//! Arti gives no handles to its tasks, and they hold its locks and directories. So they are spawned into a `JoinSet`
//! here, and aborted with their instance of Arti. A separate runtime would do that as well. But then every message
//! crosses from one thread to another on its way to a circuit, and again for each guest. And where all tasks share
//! one thread, the cells of many circuits have come together by the time the channel to the guard is flushed. So there is
//! one only where the host asks for more threads, to use more cores than one: see [`Pool`].
//!
//! What computes for long has a thread of its own, see [`Tasks::with_own_threads`].
//!
//! Arti's proof of work has two threads, which wait for futures in loops without an end and hold the lock of the
//! service's state. They end where they wait: once the set is closed, waiting unwinds the thread.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use futures_util::task::{FutureObj, Spawn, SpawnError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tor_rtcompat::tokio::TokioRustlsRuntime;
use tor_rtcompat::{Blocking, ToplevelBlockOn};

/// The tasks and threads of one instance of Arti. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    tokio: TokioRustlsRuntime,
    handle: Handle,
    /// The tasks that run; `None` once closed.
    running: Arc<Mutex<Option<JoinSet<()>>>>,
    threads: Threads,
    /// Held as long as tasks may be spawned on it.
    pool: Arc<Mutex<Pool>>,
    /// Whether each task that is spawned has a thread of its own.
    own_threads: bool,
    /// Cancelled when the set is closed.
    closed: CancellationToken,
}

/// The tasks of a closed set, for the caller to abort, and its threads, which are ending.
pub(super) struct ClosedTasks {
    tasks: JoinSet<()>,
    threads: Threads,
    pool: Pool,
}

/// The threads that the tasks share, apart from the caller's; without them the tasks run on the caller's. Dropping it
/// ends them.
#[derive(Debug, Default)]
struct Pool(Option<Runtime>);

/// The threads that were started.
type Threads = Arc<Mutex<Vec<thread::JoinHandle<()>>>>;

impl ClosedTasks {
    /// Aborts the tasks and returns when tasks and threads have ended.
    pub(super) async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        let threads = std::mem::take(&mut *lock(&self.threads));
        let pool = self.pool.0.take();
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().for_each(|it| drop(it.join()));
            // No task is left that could hold a thread up.
            drop(pool);
        });
        let _ = joined.await;
    }

    /// Aborts the tasks without waiting.
    pub(super) fn abort_all(mut self) {
        self.tasks.abort_all();
    }
}

impl Pool {
    /// So many threads, none if 0.
    ///
    /// # Errors
    /// When the system refuses.
    fn start(threads: usize) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads.max(1)).thread_name("circuits").enable_all();
        Ok(Self((threads > 0).then(|| builder.build()).transpose()?))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // A runtime's own destructor waits, which is not allowed in a task.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// With what a thread unwinds that waits in a closed set. No panic: nothing reports it.
struct SetClosed;

impl Tasks {
    /// An empty set, for a room whose tasks are on the caller's runtime. Its own have so many `threads` together with those:
    /// with 1 they are on the caller's runtime as well, with more on a pool of the others.
    ///
    /// # Errors
    /// When the system refuses the threads.
    ///
    /// # Panics
    /// Outside a runtime.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let pool = Pool::start(threads.saturating_sub(1))?;
        let handle = pool.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone());
        Ok(Self {
            tokio: TokioRustlsRuntime::from(handle.clone()),
            handle,
            running: Arc::new(Mutex::new(Some(JoinSet::new()))),
            threads: Threads::default(),
            pool: Arc::new(Mutex::new(pool)),
            own_threads: false,
            closed: CancellationToken::new(),
        })
    }

    /// The same set, but what is spawned through this handle has a thread of its own for each task, so that it may compute
    /// for long without holding up the others. Timers and connections stay on the common runtime.
    pub(super) fn with_own_threads(&self) -> Self {
        Self { own_threads: true, ..self.clone() }
    }

    /// Runs `future` on a thread of its own. Does not return when the set is closed first.
    pub(super) fn run_on_own_thread<F>(&self, future: F) -> ThreadHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let inside = self.clone();
        self.spawn_blocking(move || inside.reenter_block_on(future))
    }

    /// The runtime that the tasks run on, for Arti.
    pub(super) fn runtime(&self) -> &TokioRustlsRuntime {
        &self.tokio
    }

    /// The runtime that the tasks run on.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task; drops it if the set is closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if self.own_threads && !self.closed.is_cancelled() {
            return drop(self.run_on_own_thread(task));
        }
        let mut running = lock(&self.running);
        let Some(tasks) = &mut *running else {
            // The task's destructor may spawn another one, which takes the lock.
            drop(running);
            return drop(task);
        };
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    /// Ends the threads and takes all tasks out, for the caller to abort; no more can be spawned.
    pub(super) fn close(&self) -> ClosedTasks {
        self.closed.cancel();
        ClosedTasks {
            tasks: lock(&self.running).take().unwrap_or_default(),
            threads: Arc::clone(&self.threads),
            pool: std::mem::take(&mut *lock(&self.pool)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Spawn for Tasks {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.spawn(future);
        Ok(())
    }
}

/// The result of a thread. Never ready when the thread was ended before it had one.
pub(super) type ThreadHandle<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Blocking for Tasks {
    type ThreadHandle<T: Send + 'static> = ThreadHandle<T>;

    // Threads of their own: on tokio's, a loop without an end would keep the runtime from being dropped and its clock
    // from being paused.
    fn spawn_blocking<F, T>(&self, work: F) -> ThreadHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (result, handle) = oneshot::channel();
        let runtime = self.handle.clone();
        let thread = thread::spawn(move || {
            // Arti creates timers before it waits for them.
            let _entered = runtime.enter();
            if let Ok(done) = panic::catch_unwind(AssertUnwindSafe(work)) {
                let _ = result.send(done);
            }
        });
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Box::pin(async move {
            match handle.await {
                Ok(done) => done,
                Err(_ended) => std::future::pending().await,
            }
        })
    }

    fn reenter_block_on<F>(&self, future: F) -> F::Output
    where
        F: Future,
        F::Output: Send + 'static,
    {
        let done = self.tokio.reenter_block_on(self.closed.run_until_cancelled(future));
        done.unwrap_or_else(|| panic::resume_unwind(Box::new(SetClosed)))
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
        let tasks = Tasks::start(1).unwrap();
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

    /// Guards the end of a room with proof of work: such a thread holds the lock of the service's state.
    #[tokio::test(start_paused = true)]
    async fn a_thread_ends_where_it_waits() {
        let tasks = Tasks::start(1).unwrap();
        let (held, dropped) = oneshot::channel::<()>();
        let inside = tasks.clone();
        drop(tasks.spawn_blocking(move || {
            let _held = held;
            loop {
                let wait = tokio::time::sleep(std::time::Duration::from_secs(300));
                inside.reenter_block_on(wait);
            }
        }));
        let done = tasks.spawn_blocking(|| 7).await;
        assert_eq!(done, 7);
        tasks.close().shutdown().await;
        dropped.await.unwrap_err();
    }

    /// Guards a room whose directory is being read when it is closed.
    #[tokio::test]
    async fn a_task_with_a_thread_of_its_own_holds_nothing_up_and_ends() {
        let tasks = Tasks::start(1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (began, beginning) = oneshot::channel();
        let (held, dropped) = oneshot::channel::<()>();
        tasks.with_own_threads().spawn(async move {
            let _held = held;
            let _ = began.send(thread::current().id());
            let _ = wait.recv();
            std::future::pending::<()>().await;
        });
        // It computes, and the thread of this test is free.
        assert_ne!(beginning.await.unwrap(), thread::current().id());
        release.send(()).unwrap();
        assert_eq!(tasks.run_on_own_thread(async { 7 }).await, 7);
        tasks.close().shutdown().await;
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn with_more_threads_the_tasks_are_on_others_and_end() {
        let tasks = Tasks::start(2).unwrap();
        let (name, named) = oneshot::channel();
        let (endless, mut dropped) = endless();
        tasks.spawn(async move {
            let _ = name.send(thread::current().name().map(str::to_owned));
            endless.await;
        });
        assert_eq!(named.await.unwrap().as_deref(), Some("circuits"));
        dropped.try_recv().unwrap_err();
        tasks.close().shutdown().await;
        dropped.await.unwrap_err();
        tasks.handle().spawn(async {}).await.unwrap_err();
    }

    /// A runtime that is dropped in a task panics.
    #[tokio::test]
    async fn threads_may_end_without_being_waited_for() {
        let tasks = Tasks::start(3).unwrap();
        let (task, dropped) = endless();
        tasks.spawn(task);
        tasks.close().abort_all();
        dropped.await.unwrap_err();
        drop(Tasks::start(2).unwrap());
    }

    #[tokio::test]
    async fn a_task_may_start_another_in_its_end() {
        struct Starts(Tasks);
        impl Drop for Starts {
            fn drop(&mut self) {
                self.0.spawn(async {});
            }
        }
        let tasks = Tasks::start(1).unwrap();
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
