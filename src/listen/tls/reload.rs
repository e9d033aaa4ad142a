//! The certificate in use, replaced when its files change.
//!
//! The files are read at an interval, on a thread for what blocks, and compared by their contents: programs that renew
//! certificates rename files and links, and times of files say little. Between two renames a certificate and its key do
//! not fit, and a file may be half written: then the old pair stays, and only a fault that is there twice in a row is
//! worth a warning.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::certificate::{Certificate, CertificateError, Files, Untimely};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate in use.
#[derive(Debug)]
pub struct Certificates {
    /// `None` for a certificate that was made for a try.
    files: Option<Files>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Certificate,
    /// Why the files were not taken, the last time that they were looked at.
    fault: Option<String>,
    /// Whether that was said.
    fault_told: bool,
    /// What was said of the certificate's time.
    untimely: Option<Untimely>,
}

impl Certificates {
    /// Those of these files.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub fn of_files(files: Files) -> Result<Self, CertificateError> {
        let current = Certificate::read(&files)?;
        if current.key_is_public {
            tracing::warn!(
                "Every user of this machine can read the TLS key {}. Take that right away with `chmod o-r`, and replace \
                 the certificate if they are not all trusted.",
                files.key.display()
            );
        }
        Ok(Self::new(Some(files), current))
    }

    /// One that was made for a try.
    pub fn of_one(certificate: Certificate) -> Self {
        Self::new(None, certificate)
    }

    fn new(files: Option<Files>, current: Certificate) -> Self {
        let state = State { current, fault: None, fault_told: false, untimely: None };
        let certificates = Self { files, state: Mutex::new(state) };
        certificates.state().mind_the_time(now());
        certificates
    }

    /// The certificate in use.
    pub fn current(&self) -> Certificate {
        self.state().current.clone()
    }

    /// Follows the files until `closing` is cancelled.
    pub async fn follow(self: Arc<Self>, closing: CancellationToken) {
        let Some(files) = self.files.clone() else {
            return closing.cancelled().await;
        };
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            let (certificates, files) = (Arc::clone(&self), files.clone());
            // It only fails when the runtime ends.
            let _ = spawn_blocking(move || certificates.look(&files)).await;
        }
    }

    /// Takes what the files have now.
    fn look(&self, files: &Files) {
        let read = Certificate::read(files);
        let mut state = self.state();
        match read {
            Ok(new) => state.found(new),
            Err(error) => state.failed(error.to_string()),
        }
        state.mind_the_time(now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn found(&mut self, new: Certificate) {
        (self.fault, self.fault_told) = (None, false);
        if new.digest != self.current.digest {
            tracing::info!("The TLS certificate was replaced; new connections get the new one.");
            (self.current, self.untimely) = (new, None);
        }
    }

    fn failed(&mut self, fault: String) {
        let again = self.fault.as_ref() == Some(&fault);
        if again && !self.fault_told {
            tracing::warn!("The TLS certificate is not replaced; the room goes on with the old one. {fault}");
        }
        (self.fault, self.fault_told) = (Some(fault), again);
    }

    /// Says once what is wrong with the certificate's time.
    fn mind_the_time(&mut self, now: i64) {
        let untimely = self.current.untimely(now);
        if let Some(untimely) = untimely.filter(|_| untimely != self.untimely) {
            tracing::warn!("{}", untimely.words());
        }
        self.untimely = untimely;
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.state().current.certified))
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
