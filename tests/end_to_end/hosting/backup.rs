//! Backups of a room that is open.

mod rooms;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::*;

const WORDS: &str = "five words taken at random";

impl Hosted {
    /// A path beside the data directory.
    fn beside(&self, name: &str) -> PathBuf {
        self.directory.with_file_name(name)
    }

    /// The words of the command that makes this file.
    fn backup(&self, to: &Path) -> Vec<String> {
        let file = self.beside("passphrase");
        fs::write(&file, WORDS).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let words = ["backup", "--data-dir", self.directory.to_str().unwrap(), "--passphrase-file"];
        let words = words.into_iter().chain([file.to_str().unwrap(), to.to_str().unwrap()]);
        words.map(str::to_owned).collect()
    }

    async fn back_up(&self, to: &Path) -> Output {
        let words = self.backup(to);
        run(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[]).await
    }

    /// Waits until nothing of a backup is left.
    async fn has_given_up(&self) {
        let begun = |name: &str| name.starts_with(".onionroom-backup-");
        within("the end of the backup", async {
            loop {
                let entries = fs::read_dir(self.beside("")).unwrap().map(|entry| entry.unwrap().file_name());
                let any = entries.into_iter().any(|name| begun(name.to_str().unwrap()));
                if !any && !self.directory.join("backing-up").exists() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn an_open_room_is_backed_up_and_goes_on() {
    let mut room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    ann.say("1", "kept for ever").await;
    let file = room.beside("backup.age");
    let done = room.back_up(&file).await;
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains("writes the backup itself") && said.contains("The messages are in"), "{said}");
    assert!(!said.contains("rooms"), "{said}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(ann.say("2", "said after it").await, 2);

    let again = room.back_up(&file).await;
    assert!(String::from_utf8(again.stderr).unwrap().contains("no backup is overwritten"));
    room.program.signal("TERM").await;
    room.program.ended().await;
    let log = room.program.rest_of_err().await;
    assert!(!log.contains(WORDS), "{log}");

    let other = room.beside("other");
    let words = ["restore", "--data-dir", other.to_str().unwrap(), "--passphrase-file"];
    let passphrase = room.beside("passphrase");
    let words = [&words[..], &[passphrase.to_str().unwrap(), file.to_str().unwrap()]].concat();
    let restored = run(&words, &[]).await;
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    let (_program, address) = start(&other).await;
    let mut ben = Guest::connect(TcpStream::connect(&address).await.unwrap(), &address).await;
    ben.hello("Ben").await;
    assert_eq!(ben.say("1", "here").await, 2, "the one before is number 1");
}

#[tokio::test]
async fn the_socket_tells_how_far_it_is_only_where_that_is_asked_for() {
    let room = Hosted::open().await;
    let mut client = room.connect().await;
    let request = |name: &str| json!({ "do": "backup", "path": room.beside(name), "passphrase": WORDS });
    let answer = client.ask(&request("one")).await;
    assert_eq!(answer["ok"]["messages"], true, "{answer}");
    let mut asked = request("two");
    asked["progress"] = true.into();
    client.send(&format!("{asked}\n{}\n", json!({ "ask": "guests" }))).await;
    let mut lines = 0;
    let answer = loop {
        let line = client.answer().await.unwrap();
        if line.get("progress").is_none() {
            break line;
        }
        lines += 1;
    };
    assert!(lines > 0 && answer["ok"]["bytes"].as_u64().unwrap() > 1000, "{answer}");
    assert_eq!(client.answer().await.unwrap(), json!({ "ok": { "guests": [] } }));
    let inside = room.directory.join("backup");
    for (members, code) in [
        (json!({ "path": room.beside("one"), "passphrase": WORDS }), "exists"),
        (json!({ "path": inside, "passphrase": WORDS }), "inside_data_directory"),
        (json!({ "path": "backup", "passphrase": WORDS }), "path_relative"),
        (json!({ "path": room.beside("none/backup"), "passphrase": WORDS }), "backup_failed"),
        (json!({ "path": room.beside("three"), "passphrase": "too short" }), "passphrase_short"),
        (json!({ "path": room.beside("three") }), "missing_field"),
    ] {
        let mut request = members;
        request["do"] = "backup".into();
        let answer = client.ask(&request).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(!answer.to_string().contains("too short\""), "{answer}");
    }
    assert!(!inside.exists() && !room.beside("three").exists());
}

#[tokio::test]
async fn ctrl_c_of_the_command_gives_it_up() {
    let room = Hosted::open().await;
    let file = room.beside("backup.age");
    // It sees the request only when the command has ended.
    room.program.signal("STOP").await;
    let words = room.backup(&file);
    let mut command = Program::start(&words.iter().map(String::as_str).collect::<Vec<_>>());
    command.noted("writes the backup itself").await;
    command.signal("INT").await;
    assert_eq!(command.ended().await.code(), Some(1));
    assert!(command.rest_of_err().await.contains("was given up"));
    room.program.signal("CONT").await;
    // The answer comes after the request of the command was taken up.
    room.says(&["status"]).await;
    room.has_given_up().await;
    assert!(!file.exists());
    assert_eq!(room.back_up(&file).await.status.code(), Some(0));
}

#[tokio::test]
async fn the_end_of_the_room_is_the_end_of_its_backup() {
    let mut room = Hosted::open().await;
    let file = room.beside("backup.age");
    let mut client = room.connect().await;
    let asked = json!({ "do": "backup", "path": file, "passphrase": WORDS, "progress": true });
    client.send(&format!("{asked}\n")).await;
    assert!(client.answer().await.unwrap().get("progress").is_some());
    let mut asked = asked;
    asked["progress"] = false.into();
    let second = room.connect().await.ask(&asked).await;
    let code = second["error"]["code"].as_str().unwrap_or_default();
    assert!(["backup_under_way", "exists"].contains(&code), "{second}");
    room.program.signal("TERM").await;
    assert!(room.program.ended().await.success());
    // It was complete before, or there is nothing of it; what was begun is removed by the next start and the next backup.
    assert!(!file.exists() || fs::metadata(&file).unwrap().len() > 1000);
    let (program, _) = start(&room.directory).await;
    room.program = program;
    assert!(!room.directory.join("backing-up").exists());
}

/// Of the disk that the room sees, which the command does not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_no_file_is_left() {
    use crate::kit::program::Disk;

    let outer = TempDir::new().unwrap();
    let outer = outer.path().canonicalize().unwrap();
    let (directory, small) = (outer.join("room"), outer.join("small"));
    fs::create_dir(&small).unwrap();
    let disk = Disk::new("size=64k", &small).await;
    let place = directory.to_str().unwrap();
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--data-dir", place];
    let mut program = Program::start_on(&disk, &words);
    let url = program.told("local").await;
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut ann = Guest::connect(TcpStream::connect(address).await.unwrap(), address).await;
    ann.hello("Ann").await;
    ann.say("1", "something").await;
    let mut client = Client::connect(&directory.join("host.sock")).await;
    let file = small.join("room.age");
    let answer = client.ask(&json!({ "do": "backup", "path": file, "passphrase": WORDS })).await;
    assert_eq!(answer["error"]["code"], "backup_failed", "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("the disk is full"), "{answer}");
    assert_eq!(fs::read_dir(program.sees(&small)).unwrap().count(), 0);
    assert!(!directory.join("backing-up").exists());
    assert_eq!(ann.say("2", "the room goes on").await, 2);
}
