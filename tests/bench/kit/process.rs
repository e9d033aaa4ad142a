//! What the system says about a process: its memory, and the time its threads have computed.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::Outcome;

/// A line of `/proc/ID/status` that is given in kB, in bytes.
pub(crate) fn memory(id: u32, line: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let value =
        status.lines().find_map(|text| text.strip_prefix(line)).ok_or("no such line of the status")?;
    let kibibytes: u64 = value.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// How long each thread of a process has run, to the nanosecond: the processor's ticks of 10 ms are too coarse for
/// a few seconds of chat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads(BTreeMap<u64, Duration>);

impl Threads {
    /// The threads of this process as they are now.
    pub(crate) fn of(process: u32) -> Outcome<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{process}/task"))? {
            let entry = entry?;
            let number = entry.file_name().to_string_lossy().parse()?;
            // A thread may end between being listed and being asked.
            let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else { continue };
            let run = text.split(' ').next().unwrap_or_default().parse()?;
            threads.insert(number, Duration::from_nanos(run));
        }
        Ok(Self(threads))
    }

    /// What was computed since `earlier`, without threads that have ended meanwhile.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let since = |(thread, now): (&u64, &Duration)| {
            now.saturating_sub(earlier.0.get(thread).copied().unwrap_or_default())
        };
        self.0.iter().map(since).sum()
    }
}
