//! The network's end: nothing of it stays, whatever ends it.

use std::path::Path;

use onionroom::lab::Network;

/// After `stop` there is no process and no directory.
pub(crate) async fn stopping_leaves_nothing(network: Network) {
    let directory = network.directory().to_path_buf();
    let processes = processes_of(&directory);
    assert_eq!(processes.len(), 12);
    #[cfg(target_os = "linux")]
    assert!(processes.iter().all(|&id| linux::runs(id)));
    network.stop().await;
    assert!(!directory.exists());
    #[cfg(target_os = "linux")]
    assert!(!processes.iter().any(|&id| linux::runs(id)));
}

/// The process numbers that the nodes in a network's directory have written down.
fn processes_of(directory: &Path) -> Vec<u32> {
    let nodes = std::fs::read_dir(directory).unwrap().flatten();
    let written = nodes.filter_map(|node| std::fs::read_to_string(node.path().join("pid")).ok());
    written.map(|number| number.trim().parse().unwrap()).collect()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use onionroom::lab::Plan;
    use tokio::time::{Instant, sleep};

    /// How long nodes may take to notice that their owner is gone: they look every 15 seconds.
    const NOTICE: Duration = Duration::from_secs(40);

    /// Set for the process that plays the owner. The directory for temporary files is set as well, and so where its
    /// network is.
    const OWNER: &str = "ONIONROOM_TEST_LAB_OWNER";

    /// Whether a process with this number is there.
    pub(super) fn runs(id: u32) -> bool {
        Path::new("/proc").join(id.to_string()).exists()
    }

    /// The numbers of the processes that were started with `directory` among their arguments.
    fn nodes_in(directory: &Path) -> Vec<u32> {
        let directory = directory.to_str().unwrap().as_bytes();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line.windows(directory.len()).any(|part| part == directory) {
                found.push(id);
            }
        }
        found
    }

    async fn wait_until(what: &str, limit: Duration, mut reached: impl FnMut() -> bool) {
        let deadline = Instant::now() + limit;
        while !reached() {
            assert!(Instant::now() < deadline, "waited in vain: {what}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Not a test by itself: the process that the next one kills.
    #[tokio::test]
    #[ignore = "plays the owner in another test"]
    async fn owner() {
        if std::env::var_os(OWNER).is_none() {
            return;
        }
        let plan = Plan { relays: 3, authorities: 1, ..Plan::default() };
        let _network = plan.prepare(|_| ()).await.unwrap().start(|_| ()).await.unwrap();
        std::future::pending::<()>().await;
    }

    /// A process that is killed can end nothing; its nodes end by themselves.
    #[tokio::test]
    async fn nodes_do_not_outlive_a_killed_owner() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().canonicalize().unwrap();
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "onion::ending::linux::owner"])
            .env(OWNER, "")
            .env("TMPDIR", &directory)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("four nodes", NOTICE, || nodes_in(&directory).len() >= 4).await;
        owner.kill().unwrap(); // SIGKILL: it cannot say goodbye
        owner.wait().unwrap();
        assert!(!nodes_in(&directory).is_empty(), "they have not noticed yet");
        wait_until("the nodes end", NOTICE, || nodes_in(&directory).is_empty()).await;
    }
}
