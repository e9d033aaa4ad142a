//! What the operating system is asked for before there is anything secret: no core dumps, no reading of this process by
//! others of its user, private files, memory that is not written to the swap; and as many open files as it allows.

/// Asks for it. What is refused is told as sentences, for the log, which does not exist yet.
#[cfg(unix)]
pub(super) fn harden() -> Vec<String> {
    use rustix::fs::Mode;
    use rustix::process::{Resource, Rlimit, setrlimit, umask};

    let mut refused = Vec::new();
    umask(Mode::RWXG | Mode::RWXO);
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        refused.push(format!("core dumps cannot be forbidden: {error}"));
    }
    refused.extend(raise_open_files().err());
    #[cfg(target_os = "linux")]
    refused.extend(linux::harden());
    refused
}

/// Raises the soft limit of open files to the hard one: each connection of this machine takes one. The soft limit is
/// usually 1024, for programs that use select(2).
#[cfg(unix)]
fn raise_open_files() -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // What macOS takes at least where its hard limit is none at all (OPEN_MAX of sys/syslimits.h).
    const OPEN_MAX: u64 = 10_240;

    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return Ok(());
    }
    let raised = |most| setrlimit(Resource::Nofile, Rlimit { current: most, maximum: limit.maximum });
    let fallback = limit.maximum.unwrap_or(OPEN_MAX).min(OPEN_MAX);
    raised(limit.maximum)
        .or_else(|error| match limit.current {
            Some(current) if current < fallback => raised(Some(fallback)),
            _ => Err(error),
        })
        .map_err(|error| format!("the limit of open files cannot be raised: {error}"))
}

/// Other systems have nothing of the kind.
#[cfg(not(unix))]
pub(super) fn harden() -> Vec<String> {
    Vec::new()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities};

    pub(super) fn harden() -> Vec<String> {
        let mut refused = Vec::new();
        refused.extend(forbid_dumps().err());
        refused.extend(lock_memory().err());
        refused
    }

    fn forbid_dumps() -> Result<(), String> {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| {
            format!("other processes of this user cannot be kept from reading this one: {error}")
        })
    }

    /// Keeps all memory out of the swap, where that has no limit. Under a limit it is left: secrets are in many places, such
    /// as buffers of connections, and with all of the memory locked the program would end when it reaches the limit.
    fn lock_memory() -> Result<(), String> {
        let limit = getrlimit(Resource::Memlock);
        if let (Some(bytes), Some(_), false) = (limit.current, limit.maximum, is_above_the_limit()) {
            return Err(format!(
                "memory may be written to the swap: the limit of locked memory is {bytes} bytes"
            ));
        }
        if limit.maximum.is_none() {
            let _ = setrlimit(Resource::Memlock, limit_none());
        }
        // Only what is used: much more is reserved.
        mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
            .map_err(|error| format!("memory may be written to the swap: {error}"))
    }

    fn limit_none() -> Rlimit {
        Rlimit { current: None, maximum: None }
    }

    /// Whether limits do not hold for this process (mlock(2)): it has the capability, and not only within a user
    /// namespace of its own, where that does not count.
    fn is_above_the_limit() -> bool {
        let capable = capabilities(None).is_ok_and(|has| has.effective.contains(CapabilitySet::IPC_LOCK));
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        capable && map.split_whitespace().eq(["0", "0", "4294967295"])
    }

    #[cfg(test)]
    mod tests {
        use rustix::process::dumpable_behavior;

        use super::*;

        /// Root may read everything, so that the end-to-end tests cannot tell when they are root's.
        #[test]
        fn the_process_is_not_dumpable() {
            assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::Dumpable));
            forbid_dumps().unwrap();
            assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::NotDumpable));
        }
    }
}
