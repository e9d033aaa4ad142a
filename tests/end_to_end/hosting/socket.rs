//! Who may use the socket, and what it takes from those who may.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::{Client, Hosted, start};
use crate::kit::program::{Program, run};
use crate::kit::within;

fn is_private_socket(path: &Path) -> bool {
    let data = fs::symlink_metadata(path).unwrap();
    data.file_type().is_socket() && data.permissions().mode() & 0o777 == 0o600
}

#[tokio::test]
async fn it_is_its_users_alone_and_goes_with_the_room() {
    let Hosted { program, directory, _outer, .. } = Hosted::open().await;
    let path = directory.join("host.sock");
    assert!(is_private_socket(&path));
    program.kill().await;
    assert!(path.exists(), "left behind");
    let nothing = run(&["host", "status", "--data-dir", directory.to_str().unwrap()], &[]).await;
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert!(nothing.status.code() == Some(1) && said.contains("No room is open in"), "{said}");

    let (mut program, _) = start(&directory).await;
    assert!(is_private_socket(&path));
    let status = Client::connect(&path).await.ask(&json!({ "ask": "status" })).await;
    assert_eq!(status["ok"]["guests"], 0, "{status}");
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    assert!(!path.exists());
}

/// The room is open all the same, and the file is left alone.
#[tokio::test]
async fn another_file_in_its_place_is_left_alone() {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().join("room");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(directory.join("host.sock"), "mine").unwrap();
    let (mut program, _) = start(&directory).await;
    let said = program.noted("host.sock").await;
    assert!(said.contains("onionroom host") && said.contains("remove it"), "{said}");
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    assert_eq!(fs::read_to_string(directory.join("host.sock")).unwrap(), "mine");
}

/// The permissions keep other users out; where they have been opened, the room asks who connects.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_user_is_refused() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use rustix::process::{Uid, geteuid};
    use rustix::thread::set_thread_res_uid;

    if !geteuid().is_root() {
        eprintln!("skipped: only root can be another user for a moment");
        return;
    }
    let room = Hosted::open().await;
    let socket = room.socket();
    let ask_as_another = || {
        let socket = socket.clone();
        // A thread has a user of its own, as the kernel sees it.
        let thread = std::thread::spawn(move || {
            let nobody = Uid::from_raw(65534);
            set_thread_res_uid(nobody, nobody, nobody).unwrap();
            let mut stream = UnixStream::connect(socket)?;
            let _ = stream.write_all(b"{\"ask\":\"status\"}\n");
            let mut answer = [0; 200];
            let read = stream.read(&mut answer)?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer[..read]).into_owned())
        });
        thread.join().unwrap()
    };
    assert_eq!(ask_as_another().unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    for (path, mode) in [
        (room.directory.parent().unwrap(), 0o711),
        (room.directory.as_path(), 0o711),
        (socket.as_path(), 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let answer = ask_as_another().unwrap();
    assert!(answer.contains("\"forbidden\"") && !answer.contains("\"ok\""), "{answer}");
    assert!(room.connect().await.ask(&json!({ "ask": "status" })).await["ok"].is_object());
}

#[tokio::test]
async fn programs_do_not_wait_for_each_other() {
    let room = Hosted::open().await;
    let (mut silent, mut halting) = (room.connect().await, room.connect().await);
    halting.send("{\"ask\":").await;
    let (mut one, mut other) = (room.connect().await, room.connect().await);
    for _ in 0..100 {
        let (first, second) = tokio::join!(async { one.ask(&json!({ "ask": "status" })).await }, async {
            other.ask(&json!({ "ask": "guests" })).await
        });
        assert_eq!(first["ok"]["title"], "onionroom");
        assert_eq!(second["ok"]["guests"], json!([]));
    }
    halting.send("\"guests\"}\n").await;
    assert_eq!(halting.answer().await.unwrap()["ok"]["guests"], json!([]));
    assert_eq!(silent.ask(&json!({ "ask": "roles" })).await["ok"]["roles"], json!([]));
}

#[tokio::test]
async fn ten_thousand_requests_are_answered_one_by_one_while_guests_talk() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    let Client { mut lines, mut writer } = room.connect().await;
    let sending = tokio::spawn(async move {
        for number in 0..10_000 {
            let request = if number % 2 == 0 { "{\"ask\":\"guests\"}\n" } else { "nonsense\n" };
            writer.write_all(request.as_bytes()).await.unwrap();
        }
        writer
    });
    for number in 0..10_000 {
        let line = within("an answer", lines.next_line()).await.unwrap().unwrap();
        assert!(line.contains(if number % 2 == 0 { "\"Ann\"" } else { "\"not_json\"" }), "{number}: {line}");
        if number % 1000 == 0 {
            ann.say(&number.to_string(), "still here").await;
        }
    }
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_line_that_is_too_long_ends_its_connection_alone() {
    let room = Hosted::open().await;
    let mut other = room.connect().await;
    let mut client = room.connect().await;
    client.send(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(client.answer().await.unwrap()["error"]["code"], "line_too_long");
    assert_eq!(client.answer().await, None);
    assert!(other.ask(&json!({ "ask": "status" })).await["ok"].is_object());
}

#[tokio::test]
async fn ctrl_c_closes_the_room_and_the_connections_of_its_host() {
    let mut room = Hosted::open().await;
    let mut client = room.connect().await;
    client.ask(&json!({ "ask": "status" })).await;
    room.program.signal("INT").await;
    assert_eq!(client.answer().await.unwrap()["error"]["code"], "closing");
    assert_eq!(client.answer().await, None);
    assert_eq!(room.program.ended().await.code(), Some(0));
    assert!(!room.socket().exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_with_a_long_name_has_one_too() {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().join("long".repeat(40)).join("er".repeat(80));
    let (_program, _) = start(&directory).await;
    assert!(is_private_socket(&directory.join("host.sock")));
    let output = run(&["host", "--data-dir", directory.to_str().unwrap(), "status"], &[]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The directory is in memory; rooms of other tests may be open at the same time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_ephemeral_room_has_one_in_memory() {
    let memory = TempDir::new_in("/dev/shm").unwrap();
    let variables = [("XDG_RUNTIME_DIR", memory.path())];
    let words = ["--ephemeral", "--no-onion", "--listen", "127.0.0.1:0", "--title", "Tonight"];
    let mut program = Program::start_after("", &variables, &words);
    program.told("local").await;
    let inside: Vec<_> = fs::read_dir(memory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(inside.len(), 1, "{inside:?}");
    assert!(is_private_socket(&inside[0].join("host.sock")));
    let variables = [("XDG_RUNTIME_DIR", memory.path().as_os_str())];
    let named = run(&["host", "--data-dir", inside[0].to_str().unwrap(), "status"], &[]).await;
    assert!(String::from_utf8(named.stdout).unwrap().starts_with("Tonight\n"));
    let found = run(&["host", "--ephemeral", "status"], &variables).await;
    let said =
        format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(said.starts_with("Tonight\n") || said.contains(inside[0].to_str().unwrap()), "{said}");
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    assert_eq!(fs::read_dir(memory.path()).unwrap().count(), 0, "nothing is left");
}
