//! What the process leaves: in core dumps, in the swap, in files for others, on disks.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::kit::Guest;
use crate::kit::offline;
use crate::kit::program::{Program, run};

/// Every file and directory below.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

#[tokio::test]
async fn no_core_dump_and_memory_locked_where_that_has_no_limit() {
    let words = ["--no-onion", "--ephemeral", "--listen", "127.0.0.1:0", "--log", "debug"];
    let before = "ulimit -c unlimited 2>/dev/null; ulimit -l unlimited 2>/dev/null";
    for commands in ["ulimit -c 0; ulimit -l 64", before] {
        let mut program = Program::start_after(commands, &[], &words);
        program.told("local").await;
        assert_eq!(program.limit("Max core file size"), ("0".into(), "0".into()));
        let locked: u64 = program.status("VmLck").trim_end_matches(" kB").parse().unwrap();
        // Not every user may raise the limit, or is above it.
        let ipc_lock = u64::from_str_radix(&program.status("CapEff"), 16).unwrap() >> 14 & 1 == 1;
        let own_users = !program.proc("uid_map").contains("4294967295");
        if program.limit("Max locked memory").1 == "unlimited" || ipc_lock && !own_users {
            assert!(locked > 1000, "{locked} kB are locked");
        } else {
            assert_eq!(locked, 0);
            program.noted("memory may be written to the swap").await;
        }
    }
}

#[tokio::test]
async fn files_are_private_whatever_the_umask() {
    let place = TempDir::new().unwrap();
    let (network, data) = (offline::network_file(place.path()), place.path().join("room"));
    let words = ["--local", "open", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let words = [&words[..], &["--network-file", network.to_str().unwrap()]].concat();
    let mut program = Program::start_after("umask 000", &[], &words);
    let url = program.told("local").await;
    let host = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut ann = Guest::connect(TcpStream::connect(host).await.unwrap(), host).await;
    ann.hello("Ann").await;
    ann.say("1", "hello").await;
    program.told("room").await;
    program.noted("Tor:").await;
    let files = below(&data);
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        // What SQLite deletes meanwhile is of no interest.
        let Ok(file) = fs::symlink_metadata(&path) else { continue };
        assert_eq!(file.permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

/// A killed room left its directory for good.
#[tokio::test]
async fn the_next_start_removes_what_a_killed_ephemeral_room_left() {
    let runtime = TempDir::new_in("/dev/shm").unwrap();
    let place = TempDir::new().unwrap();
    let network = offline::network_file(place.path());
    let words = ["--ephemeral", "--listen", "127.0.0.1:0", "--network-file", network.to_str().unwrap()];
    let rooms = || -> Vec<_> { fs::read_dir(runtime.path()).unwrap().map(|it| it.unwrap().path()).collect() };
    let start = async || {
        let mut program = Program::start_after("", &[("XDG_RUNTIME_DIR", runtime.path())], &words);
        program.told("room").await;
        program
    };
    let first = start().await;
    let left = rooms();
    assert!(left.len() == 1 && !below(&left[0]).is_empty(), "{left:?}");
    let home = first.home().to_owned();
    assert_eq!(below(&home), Vec::<PathBuf>::new(), "nothing is in the home directory");
    first.kill().await;
    assert_eq!(rooms(), left, "it had no chance to remove it");

    let mut second = start().await;
    let now = rooms();
    assert!(now.len() == 1 && now != left, "{now:?}");
    let mut third = start().await;
    assert!(rooms().len() == 2 && rooms().contains(&now[0]), "a living room's is not touched");
    for program in [&mut second, &mut third] {
        program.signal("TERM").await;
        assert!(program.ended().await.success());
    }
    assert_eq!(rooms(), Vec::<PathBuf>::new());
}

/// With every disk mounted read-only the room does all it can do: nothing of it is written to one.
#[tokio::test]
async fn an_ephemeral_room_needs_no_disk() {
    const READ_ONLY: &str = "exec unshare --mount --map-root-user sh -c '
        while read -r _ at kind _; do
            case $kind in
                ext*|xfs|btrfs|overlay|zfs|f2fs|vfat|9p|virtiofs|fuse*) mount -o remount,bind,ro \"$at\" || exit 8 ;;
            esac
        done </proc/self/mounts
        touch \"$HOME/x\" 2>/dev/null && exit 9
        exec \"$0\" \"$@\"' \"$0\" \"$@\"";
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let network = offline::network_file(place.path());
    let words = ["--ephemeral", "--local", "open", "--listen", "127.0.0.1:0", "--log", "debug"];
    let words = [&words[..], &["--network-file", network.to_str().unwrap()]].concat();
    let variables = [("HOME", place.path()), ("TMPDIR", place.path())];
    let mut program = Program::start_after(READ_ONLY, &variables, &words);
    let url = program.told("local").await;
    let host = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    program.told("room").await;
    let mut ann = Guest::connect(TcpStream::connect(&host).await.unwrap(), &host).await;
    ann.hello("Ann").await;
    assert_eq!(ann.say("1", "hello").await, 1);
    program.noted("Not reachable").await;
    drop(ann);
    program.signal("TERM").await;
    let said = program.rest_of_err().await;
    assert!(!said.to_lowercase().contains("read-only"), "{said}");
}

/// It used to take an ordinary disk without a word.
#[tokio::test]
async fn without_a_file_system_in_memory_an_ephemeral_room_is_refused() {
    const HIDDEN: &str = "exec unshare --mount --map-root-user sh -c '
        mount --bind \"$HOME\" /dev/shm && exec \"$0\" \"$@\"' \"$0\" \"$@\"";
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let home = place.path().join("home");
    fs::create_dir(&home).unwrap();
    let network = offline::network_file(place.path());
    let words = ["--ephemeral", "--listen", "127.0.0.1:0", "--network-file", network.to_str().unwrap()];
    let variables = [("HOME", home.as_path()), ("TMPDIR", home.as_path())];
    let mut program = Program::start_after(HIDDEN, &variables, &words);
    let said = program.rest_of_err().await;
    assert_eq!(program.ended().await.code(), Some(1), "{said}");
    assert!(said.contains("/dev/shm") && said.contains("storage.ephemeral_on_disk"), "{said}");
    assert_eq!(below(&home), Vec::<PathBuf>::new());

    let allowed = [&variables[..], &[("ONIONROOM_STORAGE_EPHEMERAL_ON_DISK", Path::new("true"))]].concat();
    let mut program = Program::start_after(HIDDEN, &allowed, &words);
    program.told("room").await;
    assert!(!below(&home).is_empty());
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    assert_eq!(below(&home), Vec::<PathBuf>::new());

    // A room that needs no files needs no file system either.
    let output = run(&["--no-onion", "--local", "off"], &[]).await;
    assert!(!String::from_utf8(output.stderr).unwrap().contains("/dev/shm"));
}
