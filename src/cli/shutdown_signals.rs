//! Ctrl-C and other signals: the first one shuts down in order, the second ends the program at once. A signal that was
//! ignored when the program was started stays ignored: `nohup` and shells without job control start programs so, and mean
//! it.

use std::io::{self, Write};
use std::process;
#[cfg(unix)]
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// The exit status of a program that Ctrl-C ended: 128 + `SIGINT`.
const INTERRUPTED: i32 = 130;

/// The signals that ask for a shutdown. While this exists they do not end the process by themselves.
pub(super) struct ShutdownSignals {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl ShutdownSignals {
    /// Handles Ctrl-C (`SIGINT`), `SIGTERM` and, for a terminal window that is closed, `SIGHUP`; those that are ignored so
    /// far stay ignored, on Linux. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) fn install() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let ignored = ignored();
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let heeded = kinds.into_iter().filter(|kind| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
            Ok(Self { signals: heeded.map(signal).collect::<io::Result<_>>()? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        std::future::poll_fn(|context| {
            let came = self.signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
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
            let _ = writeln!(io::stderr(), "Not everything had ended in time; ending it now.");
            process::exit(0);
        });
    }
}

/// The signals that are ignored, as a mask with the lowest bit for signal 1 (proc(5), `SigIgn`). What could be asked with
/// sigaction(2) has no safe interface.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Other systems do not tell.
#[cfg(all(unix, not(target_os = "linux")))]
fn ignored() -> u64 {
    0
}
