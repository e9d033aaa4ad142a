#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tempfile::TempDir;

use super::*;

/// What a room has that was opened, restored twice and killed in the middle of the third restore.
const FILES: [&str; 28] = [
    "lock",
    "local-key",
    "messages.keys",
    "messages.sqlite",
    "messages.sqlite-shm",
    "messages.sqlite-wal",
    "messages.state",
    "tor/network",
    "tor/cache/dir.sqlite3",
    "tor/public/state/state/guards.json",
    "tor/state/hss/onionroom/ipts.json",
    "tor/state/keystore/hss/onionroom/ks_hs_id.ed25519_expanded_private",
    "tor/state/state/guards.json",
    "replaced/1/messages.keys",
    "replaced/1/messages.sqlite",
    "replaced/1/tor/state/keystore/hss/onionroom/ks_hs_id.ed25519_expanded_private",
    "replaced/2/messages.keys",
    "replaced/2/messages.sqlite",
    "restoring/messages.keys",
    "restoring/messages.sqlite",
    "restoring/tor/state/keystore/key",
    "exchanging/messages.keys",
    "exchanging/messages.sqlite",
    "exchanging/tor/state/keystore/key",
    "importing/tor/state/keystore/key",
    "backing-up/messages.sqlite",
    "invited/lock",
    "invited/alice.auth",
];

/// Those that a wipe without the address leaves as they are.
fn is_of_the_address(file: &str) -> bool {
    file.starts_with("tor/") || file.starts_with("replaced/1/tor/") || file.starts_with("invited/")
}

fn room() -> (TempDir, PathBuf) {
    // In memory, where that is possible: a disk would be waited for some ten thousand times.
    let outer = tempfile::tempdir_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    let data = outer.path().canonicalize().unwrap().join("room");
    make_private(&data).unwrap();
    for file in FILES {
        let path = data.join(file);
        make_private(path.parent().unwrap()).unwrap();
        fs::write(path, text(file)).unwrap();
    }
    (outer, data)
}

fn text(file: &str) -> String {
    format!("the secret of {file} ").repeat(100)
}

/// Every file below, and every link, with what is in it.
fn below(data: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut directories = vec![data.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                directories.push(path);
            } else {
                let bytes = fs::read(&path).unwrap_or_default();
                let name = path.strip_prefix(data).unwrap().to_str().unwrap().to_owned();
                files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    files
}

/// Which of these files have what they had.
fn untouched(data: &Path) -> Vec<String> {
    below(data).into_iter().filter(|(name, bytes)| *bytes == text(name)).map(|(name, _)| name).collect()
}

fn hold(data: &Path) -> ClosedRoom {
    ClosedRoom::hold(data).unwrap()
}

#[test]
fn without_the_address_its_keys_stay_and_nothing_else() {
    let (_outer, data) = room();
    let wiped = hold(&data).wipe(false).unwrap();
    assert!(!wiped.address);
    assert_eq!(wiped.left, [data.join("replaced")], "an address that was replaced");
    let stays = FILES.into_iter().filter(|file| is_of_the_address(file) || *file == "lock");
    let mut stays: Vec<_> = stays.collect();
    stays.sort_unstable();
    assert_eq!(below(&data).into_keys().collect::<Vec<_>>(), stays);
    assert_eq!(untouched(&data).len(), stays.len());
    hold(&data).wipe(false).unwrap();
}

#[test]
fn with_the_address_the_lock_alone_stays() {
    let (_outer, data) = room();
    for _ in 0..2 {
        let wiped = hold(&data).wipe(true).unwrap();
        assert!(wiped.address && wiped.left.is_empty(), "{wiped:?}");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
        assert!(data.join("lock").exists());
    }
}

/// Until the first byte all is as it was; from then on no key of a message is there, and what is left to do is done by the next start.
#[test]
fn a_kill_at_any_step_leaves_all_or_no_message_and_the_next_start_goes_on() {
    for address in [false, true] {
        for kill in 0.. {
            let (_outer, data) = room();
            let steps = Cell::new(0);
            let step = || {
                if steps.replace(steps.get() + 1) == kill {
                    resume_unwind(Box::new(()));
                }
            };
            let killed = catch_unwind(AssertUnwindSafe(|| Wipe::begin(&data, address, &step).run())).is_err();
            let now = untouched(&data);
            let touched = FILES.iter().find(|file| !now.iter().any(|name| name == *file));
            if touched.is_some() {
                assert!(!now.contains(&"messages.keys".to_owned()), "{kill}: {touched:?}");
                assert!(!killed || noted(&data) == Some(address) || below(&data).len() <= FILES.len());
            }
            let begun = noted(&data).is_some();
            finish(DataDirectory::open(&data).unwrap().path()).unwrap();
            let now = untouched(&data);
            let kept = |file: &&str| *file == "lock" || !address && is_of_the_address(file);
            let expected = FILES.iter().filter(|file| kept(file) || !begun && touched.is_none()).count();
            assert_eq!(now.len(), expected, "{kill}: {now:?}");
            if !killed {
                assert!(kill > 40, "{kill} steps");
                break;
            }
        }
    }
}

/// What was to go with the first goes with the second, however that is asked for.
#[test]
fn the_note_of_a_wipe_with_the_address_holds() {
    let (_outer, data) = room();
    fs::write(data.join(NOTE), NOTES[1].0).unwrap();
    assert!(hold(&data).wipe(false).unwrap().address);
    assert_eq!(below(&data).len(), 1);
    let (_outer, data) = room();
    fs::write(data.join(NOTE), "mess").unwrap();
    finish(DataDirectory::open(&data).unwrap().path()).unwrap();
    assert_eq!(untouched(&data).len(), FILES.len(), "a note that is not whole was never synced");
}

/// The address was between its old place and the new one.
#[test]
fn an_address_that_a_restore_was_putting_in_place_is_kept() {
    let (_outer, data) = room();
    fs::remove_dir_all(data.join("tor/state")).unwrap();
    hold(&data).wipe(false).unwrap();
    let key = fs::read_to_string(data.join("tor/state/keystore/key")).unwrap();
    assert_eq!(key, text("exchanging/tor/state/keystore/key"));
    assert!(!data.join(EXCHANGE).exists());
}

#[test]
fn what_is_not_the_rooms_is_left() {
    let (_outer, data) = room();
    let others =
        ["notes.txt", "messages.sqlite.old", "replaced/mine/messages.keys", "restored/messages.keys"];
    for file in others {
        make_private(data.join(file).parent().unwrap()).unwrap();
        fs::write(data.join(file), text(file)).unwrap();
    }
    let left = hold(&data).wipe(true).unwrap().left;
    assert_eq!(left.len(), 4, "{left:?}");
    for file in others {
        assert_eq!(fs::read_to_string(data.join(file)).unwrap(), text(file));
    }
}

#[test]
fn a_directory_without_a_room_is_not_touched() {
    let outer = TempDir::new().unwrap();
    fs::write(outer.path().join("notes"), "mine").unwrap();
    let absent = outer.path().join("absent");
    for directory in [outer.path(), &absent] {
        assert!(matches!(ClosedRoom::hold(directory), Err(WipeError::NoRoom { .. })));
    }
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    let (_outer, data) = room();
    let _held = hold(&data);
    assert!(matches!(ClosedRoom::hold(&data), Err(WipeError::Running { .. })));
    assert_eq!(untouched(&data).len(), FILES.len());
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_hold_nothing_else_up() {
    use std::os::unix::fs::symlink;

    for link in [
        "messages.keys",
        "messages.sqlite",
        "replaced",
        "replaced/1",
        "tor",
        "tor/state",
        "tor/cache",
        "restoring",
        "wiping",
        "local-key",
    ] {
        let (outer, data) = room();
        let outside = outer.path().join("outside");
        match fs::rename(data.join(link), &outside) {
            Ok(()) => {}
            Err(_) => fs::write(&outside, NOTES[1].0).unwrap(),
        }
        let before = if outside.is_dir() { below(&outside) } else { BTreeMap::new() };
        let file = fs::read(&outside).unwrap_or_default();
        symlink(&outside, data.join(link)).unwrap();
        let wiped = hold(&data).wipe(true);
        if outside.is_dir() {
            assert_eq!(below(&outside), before, "{link}");
        } else {
            assert_eq!(fs::read(&outside).unwrap(), file, "{link}");
        }
        if link == "wiping" {
            assert!(!data.join(link).exists(), "the link is replaced by the note, and that is removed");
            wiped.unwrap();
            continue;
        }
        let said = wiped.unwrap_err().to_string();
        assert!(said.contains(outside.to_str().unwrap()), "{link}: {said}");
        assert_eq!(
            said.contains("No message can be read"),
            link != "messages.keys" && link != "replaced" && link != "replaced/1" && link != "restoring",
            "{link}: {said}"
        );
        let rest = untouched(&data).into_iter().filter(|name| name != "lock" && name != link);
        assert_eq!(rest.collect::<Vec<_>>(), [] as [String; 0], "{link}");
        assert!(noted(&data).is_some(), "{link}");
        fs::remove_file(data.join(link)).unwrap();
        hold(&data).wipe(false).unwrap();
        assert_eq!(below(&data).len(), 1, "{link}");
    }
}

/// A directory under the name of a file, and a file under that of a directory, are not the room's.
#[test]
fn what_is_no_file_under_the_name_of_one_is_told_and_left() {
    let (_outer, data) = room();
    fs::remove_file(data.join("messages.sqlite")).unwrap();
    fs::create_dir(data.join("messages.sqlite")).unwrap();
    fs::write(data.join("messages.sqlite/mine"), "mine").unwrap();
    fs::remove_dir_all(data.join("replaced")).unwrap();
    fs::write(data.join("replaced"), "mine").unwrap();
    let said = hold(&data).wipe(true).unwrap_err().to_string();
    assert!(said.contains("messages.sqlite: it is a directory") && said.contains("No message"), "{said}");
    assert_eq!(fs::read_to_string(data.join("messages.sqlite/mine")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(data.join("replaced")).unwrap(), "mine");
}
