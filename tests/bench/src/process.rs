//! What Linux counts for a process.

use std::fs;

/// CPU time of all threads of the process in seconds, user and kernel, to the nanosecond (`schedstat`).
pub fn cpu(process: u32) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0.0 };
    threads.flatten().map(|thread| run_time(&thread.path().join("schedstat").to_string_lossy())).sum()
}

/// CPU time of the calling thread in seconds.
pub fn thread_cpu() -> f64 {
    run_time("/proc/thread-self/schedstat")
}

/// Resident memory of the process in bytes (`VmRSS`).
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() * 1024
}

/// The first figure of a `schedstat` file, in seconds. A thread may have ended since it was listed.
fn run_time(path: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default() as f64 / 1e9
}
