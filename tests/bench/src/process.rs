//! What Linux counts for a process.

use std::fs;

/// CPU time of all threads of the process in seconds, user and kernel, to the nanosecond (`schedstat`).
pub fn cpu(process: u32) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0.0 };
    threads.flatten().map(|thread| seconds(&thread.path().join("schedstat").to_string_lossy(), 0)).sum()
}

/// CPU time of the process's first thread in seconds. What it computes without a pause is counted at the kernel's next tick.
pub fn first_thread_cpu(process: u32) -> f64 {
    seconds(&format!("/proc/{process}/task/{process}/schedstat"), 0)
}

/// How long threads of the process were ready to run and had no core, in seconds (`schedstat`). On a machine with cores to
/// spare it stays near 0.
pub fn waited(process: u32) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0.0 };
    threads.flatten().map(|thread| seconds(&thread.path().join("schedstat").to_string_lossy(), 1)).sum()
}

/// CPU time of the calling thread in seconds.
pub fn thread_cpu() -> f64 {
    seconds("/proc/thread-self/schedstat", 0)
}

/// Resident memory of the process in bytes (`VmRSS`).
pub fn resident(process: u32) -> u64 {
    status(process, "VmRSS:")
}

/// The most resident memory that the process has had so far, in bytes (`VmHWM`).
pub fn peak(process: u32) -> u64 {
    status(process, "VmHWM:")
}

/// A figure in `kB` of the process's `status` file, in bytes; 0 if it has ended.
fn status(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() * 1024
}

/// A figure of a `schedstat` file, in seconds: how long it ran, or waited. A thread may have ended since it was listed.
fn seconds(path: &str, figure: usize) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split(' ').nth(figure).and_then(|figure| figure.parse::<u64>().ok()).unwrap_or_default() as f64 / 1e9
}
