//! `onionroom invite` without a Tor network: the command and its files. `onion::private` has what they do to clients.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use crate::kit::offline;
use crate::kit::program::{Program, run};

/// A place for a data directory that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().canonicalize().unwrap().join("room");
    (outer, directory)
}

async fn invite(data_dir: &Path, words: &[&str]) -> Output {
    run(&[&["invite"], words, &["--data-dir", data_dir.to_str().unwrap()]].concat(), &[]).await
}

/// What it prints for scripts.
async fn said(data_dir: &Path, words: &[&str]) -> String {
    let output = invite(data_dir, words).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// How it refuses: its exit status, and its words.
async fn refused(data_dir: &Path, words: &[&str]) -> (i32, String) {
    let output = invite(data_dir, words).await;
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn an_invitation_is_made_listed_and_removed_before_the_room_is_ever_open() {
    let (_outer, data) = place();
    let (status, words) = refused(&data, &["add", "alice"]).await;
    assert!(status == 1 && words.contains("invite add alice --private"), "{words}");
    assert!(said(&data, &["list"]).await.starts_with("private: no"));
    let alice = said(&data, &["add", "alice", "--private"]).await;
    let bob = said(&data, &["add", "bob", "--expires", "7d"]).await;
    let key = |text: &str| text.lines().find_map(|line| line.strip_prefix("key: ")).unwrap().to_owned();
    assert!(key(&alice).len() == 52 && key(&alice) != key(&bob), "{alice}{bob}");
    assert!(alice.contains("expires: never") && bob.contains("Z\n"), "{alice}{bob}");
    assert!(!alice.contains("auth_private"), "there is no address yet");

    let list = said(&data, &["list"]).await;
    assert!(
        list.contains("only those invited") && list.contains("alice: until it is removed\nbob: until 2"),
        "{list}"
    );
    for (words, wanted) in
        [(["add", "alice"], "onionroom invite remove alice"), (["remove", "carol"], "onionroom invite list")]
    {
        let (status, said) = refused(&data, &words).await;
        assert!(status == 1 && said.contains(wanted), "{said}");
    }
    for words in [&["add", "Alice"][..], &["add", "../x"], &["add", "c", "--expires", "7"], &["add"]] {
        assert_eq!(refused(&data, words).await.0, 2, "{words:?}");
    }
    said(&data, &["remove", "alice"]).await;
    said(&data, &["remove", "bob", "--keep-circuits"]).await;
    assert_eq!(said(&data, &["list"]).await, "private: only those invited find the room\n");

    let everything: Vec<_> =
        fs::read_dir(data.join("invited")).unwrap().map(|it| it.unwrap().path()).collect();
    for file in everything {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains(&key(&alice)) && !text.contains(&key(&bob)),
            "a private key was kept: {}",
            file.display()
        );
    }
}

#[tokio::test]
async fn an_open_room_is_private_with_the_setting_and_says_how_many_are_invited() {
    let (outer, data) = place();
    let network = offline::network_file(outer.path());
    let (directory, network) = (data.to_str().unwrap(), network.to_str().unwrap());
    let words = ["--local", "off", "--data-dir", directory, "--network-file", network];
    let restricted = [&words[..], &["--restricted"]].concat();
    let mut program = Program::start(&restricted);
    let room = program.told("room").await;
    assert_eq!(program.told("private").await, "none are invited yet");
    let alice = said(&data, &["add", "alice"]).await;
    let address = room.strip_prefix("http://").and_then(|rest| rest.strip_suffix(".onion/")).unwrap();
    assert!(alice.contains(&format!("auth_private: {address}:descriptor:x25519:")), "{alice}");
    program.noted("invitations in force: 1").await;
    said(&data, &["remove", "alice"]).await;
    program.noted("invitations in force: 0").await;
    program.signal("TERM").await;
    let rest = program.rest_of_err().await;
    assert!(!rest.contains("alice") && program.ended().await.success(), "{rest}");

    said(&data, &["add", "bob"]).await;
    let mut program = Program::start(&words);
    assert_eq!(program.told("private").await, "one invitation is in force", "without the setting");
    program.signal("TERM").await;
    assert!(program.ended().await.success());

    // A room that cannot know who is invited does not open.
    fs::remove_file(data.join("invited/lock")).unwrap();
    fs::create_dir(data.join("invited/lock")).unwrap();
    let output = run(&words, &[]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("invited/lock"), "{said}");
}

#[tokio::test]
async fn a_restored_room_is_as_private_as_it_was() {
    let (outer, data) = place();
    said(&data, &["add", "alice", "--private"]).await;
    let backup = outer.path().join("backup");
    fs::create_dir_all(backup.join("tor/state/keystore")).unwrap();
    fs::create_dir_all(backup.join("invited")).unwrap();
    fs::copy(data.join("invited/alice.auth"), backup.join("invited/alice.auth")).unwrap();
    said(&data, &["remove", "alice"]).await;
    said(&data, &["add", "bob"]).await;

    let restore = |to: &Path| {
        [String::from("restore"), backup.display().to_string(), "--data-dir".into(), to.display().to_string()]
    };
    for (to, wanted) in [(data.clone(), "bob"), (outer.path().join("other"), "alice")] {
        let words = restore(&to);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = run(&words, &[]).await;
        assert!(output.status.success(), "{output:?}");
        let list = said(&to, &["list"]).await;
        assert_eq!(
            list,
            format!("private: only those invited find the room\n{wanted}: until it is removed\n")
        );
        assert_eq!(fs::metadata(to.join("invited")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
