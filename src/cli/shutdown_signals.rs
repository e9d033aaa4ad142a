//! Ctrl-C and other signals: the first one shuts down in order, the second ends the program at once.

use std::io;
use std::process;
use std::thread;
use std::time::Duration;

/// The exit status of a program that Ctrl-C ended: 128 + `SIGINT`.
const INTERRUPTED: i32 = 130;

/// The signals that ask for a shutdown. While this exists they do not end the process by themselves.
pub(super) struct ShutdownSignals {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl ShutdownSignals {
    /// Handles Ctrl-C (`SIGINT`), `SIGTERM` and, for a terminal window that is closed, `SIGHUP`. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) fn install() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let [interrupt, terminate, hangup] =
                [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            Ok(Self { signals: [signal(interrupt)?, signal(terminate)?, signal(hangup)?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }

    /// Ends the process at once on another signal, and when `deadline` has passed. A thread waits for the deadline,
    /// because the runtime itself may be what is late.
    pub(super) fn exit_within(mut self, deadline: Duration) {
        tokio::spawn(async move {
            self.next().await;
            process::exit(INTERRUPTED);
        });
        thread::spawn(move || {
            thread::sleep(deadline);
            eprintln!("Not everything had ended in time; ending it now.");
            process::exit(0);
        });
    }
}
