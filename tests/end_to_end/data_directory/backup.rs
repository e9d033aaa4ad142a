//! `onionroom restore`: a backup put in the place of what is there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{contents, guest, kept, refusal, refused, start, used, words};
use crate::kit::program::run;

fn restore<'a>(backup: &'a Path, directory: &'a Path) -> [&'a str; 4] {
    ["restore", backup.to_str().unwrap(), "--data-dir", directory.to_str().unwrap()]
}

/// Copies the files of a directory, those of its directories not.
fn copy_files(from: &Path, to: &Path) {
    for (file, bytes) in contents(from) {
        fs::write(to.join(file.file_name().unwrap()), bytes).unwrap();
    }
}

/// The walkthrough's way back, over a room that was killed: its write-ahead log made the backup look damaged for ever.
#[tokio::test]
async fn a_backup_is_restored_over_a_room_that_was_killed() {
    let (outer, directory) = used().await;
    let backup = outer.path().join("backup");
    fs::create_dir_all(backup.join("tor/state/keystore")).unwrap();
    fs::write(backup.join("tor/state/keystore/key"), "the key of the backup").unwrap();
    copy_files(&directory, &backup);
    let (program, address) = start(&directory).await;
    let mut ann = guest(address, "Ann").await;
    for number in 40..90 {
        ann.say(&number.to_string(), &"said since ".repeat(300)).await;
    }
    program.kill().await;
    let killed = contents(&directory);

    // By hand, as with tar: refused in words that say what to do.
    copy_files(&backup, &directory);
    let said = refused(&directory).await;
    assert!(said.contains("messages.sqlite-wal") && said.contains("onionroom restore"), "{said}");
    killed.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());

    fs::create_dir_all(directory.join("tor/state/keystore")).unwrap();
    fs::write(directory.join("tor/state/keystore/key"), "the key that is replaced").unwrap();
    let files = ["messages.sqlite", "messages.keys", "messages.state", "tor/state/keystore/key"];
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in files {
        fs::set_permissions(backup.join(file), PermissionsExt::from_mode(0o444)).unwrap();
    }
    let output = run(&restore(&backup, &directory), &[]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("replaced/1"), "{said}");
    for file in files {
        assert_eq!(mode(directory.join(file)), 0o600, "{file}: a backup may be read-only");
    }
    let key = |place: &str| fs::read_to_string(directory.join(place).join("tor/state/keystore/key")).unwrap();
    assert_eq!(
        (key(""), key("replaced/1")),
        ("the key of the backup".into(), "the key that is replaced".into())
    );
    let (mut program, address) = start(&directory).await;
    assert_eq!(kept(address).await, (1..=40).collect::<Vec<_>>());
    program.signal("TERM").await;
    assert!(program.ended().await.success());

    // What was replaced can be put back in the same way.
    let output = run(&restore(&directory.join("replaced/1"), &directory), &[]).await;
    assert!(output.status.success(), "{output:?}");
    let (_program, address) = start(&directory).await;
    assert_eq!(kept(address).await, (1..=90).collect::<Vec<_>>());
}

/// The copy of a backup stayed, with all its keys, and a room could be opened with half of its files.
#[tokio::test]
async fn a_restore_that_was_interrupted_leaves_nothing_behind() {
    let (outer, directory) = used().await;
    let backup = outer.path().join("backup");
    fs::create_dir(&backup).unwrap();
    copy_files(&directory, &backup);
    // While the copy was made.
    let copy = directory.join("restoring");
    fs::create_dir(&copy).unwrap();
    fs::copy(backup.join("messages.keys"), copy.join("messages.keys")).unwrap();
    let (mut program, _) = start(&directory).await;
    assert!(!copy.exists());
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    // While files were moved: without its messages.sqlite the room would be empty.
    fs::create_dir_all(directory.join("exchanging")).unwrap();
    for name in ["messages.sqlite", "messages.keys", "messages.state"] {
        fs::rename(directory.join(name), directory.join("exchanging").join(name)).unwrap();
    }
    let before = contents(&directory);
    let said = refusal(&run(&words(&directory), &[]).await);
    assert!(said.contains("interrupted") && said.contains("onionroom restore"), "{said}");
    assert!(contents(&directory) == before);
    assert!(run(&restore(&backup, &directory), &[]).await.status.success());
    assert!(!directory.join("exchanging").exists());
    let (_program, address) = start(&directory).await;
    assert_eq!(kept(address).await, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let (outer, directory) = used().await;
    let backup = outer.path().join("backup");
    fs::create_dir(&backup).unwrap();
    let refusal = async |what: &str| {
        let before = contents(&directory);
        let said = refusal(&run(&restore(&backup, &directory), &[]).await);
        assert!(said.contains(what), "{said}");
        assert!(contents(&directory) == before && !directory.join("restoring").exists());
    };
    refusal("is no backup").await;
    let mut damaged = fs::read(directory.join("messages.sqlite")).unwrap();
    damaged[4096 + 8..3 * 4096].fill(0xa5);
    fs::write(backup.join("messages.sqlite"), &damaged).unwrap();
    refusal("damaged").await;
    fs::copy(directory.join("messages.sqlite"), backup.join("messages.sqlite")).unwrap();
    // Not where the copy was that is gone by now.
    refusal(backup.join("messages.keys").to_str().unwrap()).await;
    // The copy found the disk full.
    fs::write(backup.join("messages.sqlite"), "").unwrap();
    fs::copy(directory.join("messages.keys"), backup.join("messages.keys")).unwrap();
    refusal("is empty").await;

    let itself = run(&restore(&directory, &directory), &[]).await;
    assert_eq!(itself.status.code(), Some(1), "{itself:?}");
    let (_program, _) = start(&directory).await;
    let said = String::from_utf8(run(&restore(&backup, &directory), &[]).await.stderr).unwrap();
    assert!(said.contains("Another onionroom is running"), "{said}");
}
