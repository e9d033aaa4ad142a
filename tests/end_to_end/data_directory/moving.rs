//! `onionroom backup`, `restore` of its file, and `key`: with the program itself, the real C Tor, kills and full disks.

use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use onionroom::config::{LocalAccess, Settings};
use onionroom::log::sqlite::Synchronous;
use onionroom::log::{Entry, Log, Retention, SqliteLog};
use onionroom::protocol::{Body, GuestId, MessageId, Name};
use onionroom::server::Server;
use onionroom::server::archive::Passphrase;
use onionroom::server::backup::BackupError;
use tokio::process::Command;
use tokio::time::sleep;

use super::{contents, guest, kept, place, start, used, words};
use crate::kit::program::{Disk, Program, run};
use crate::kit::within;

const WORDS: &str = "five words taken at random";

/// The file of the passphrase, in this directory.
fn passphrase_file(directory: &Path, text: &str) -> PathBuf {
    let file = directory.join("passphrase");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    file
}

/// The words of `backup` or `restore`.
fn moving<'a>(command: &'a str, file: &'a Path, secret: &'a Path, data: &'a Path) -> [&'a str; 6] {
    let [file, secret, data] = [file, secret, data].map(|path| path.to_str().unwrap());
    [command, file, "--passphrase-file", secret, "--data-dir", data]
}

/// What the program said at last when it refused, after what it may have said of how far it is.
fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("error: ") && !said.contains("panicked"), "{said}");
    last.to_owned()
}

async fn done(words: &[&str]) -> String {
    let output = run(words, &[]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let looked = async {
        while !happened() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    within(what, looked).await;
}

/// Names in a directory that begin so.
fn beginning(directory: &Path, begin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(begin)).collect()
}

#[tokio::test]
async fn a_room_goes_to_another_directory_in_one_file() {
    let (outer, directory) = used().await;
    let secret = passphrase_file(outer.path(), &format!("{WORDS}\n"));
    let file = outer.path().join("room.age");
    let said = done(&moving("backup", &file, &secret, &directory)).await;
    assert!(said.contains("encrypted") && said.contains("still in there"), "{said}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let said = refusal(&run(&moving("backup", &file, &secret, &directory), &[]).await);
    assert!(said.contains("no backup is overwritten"), "{said}");

    let new = outer.path().join("new");
    let wrong = passphrase_file(&outer.path().join("room"), "five words taken at randoM");
    let said = refusal(&run(&moving("restore", &file, &wrong, &new), &[]).await);
    assert!(said.contains("not the one"), "{said}");
    done(&moving("restore", &file, &secret, &new)).await;
    let (_program, address) = start(&new).await;
    assert_eq!(kept(address).await, (1..=40).collect::<Vec<_>>());

    // While the room is open, nothing is put in its place.
    let said = refusal(&run(&moving("restore", &outer.path().join("room.age"), &secret, &new), &[]).await);
    assert!(said.contains("is running"), "{said}");
}

#[tokio::test]
async fn a_passphrase_is_asked_for_on_a_terminal_alone_and_its_file_is_private() {
    let (outer, directory) = used().await;
    let file = outer.path().join("room.age");
    let words = ["backup", file.to_str().unwrap(), "--data-dir", directory.to_str().unwrap()];
    let said = refusal(&run(&words, &[]).await);
    assert!(said.contains("no terminal") && said.contains("--passphrase-file"), "{said}");
    let secret = passphrase_file(outer.path(), WORDS);
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o640)).unwrap();
    let said = refusal(&run(&moving("backup", &file, &secret, &directory), &[]).await);
    assert!(said.contains("chmod 600") && !said.contains("random"), "{said}");
    for (text, what) in [("", "empty"), ("\n", "empty"), ("short\n", "too short"), ("a\nb\n", "one line")] {
        let secret = passphrase_file(outer.path(), text);
        let said = refusal(&run(&moving("backup", &file, &secret, &directory), &[]).await);
        assert!(said.contains(what), "{said}");
    }
    assert!(!file.exists());

    // On a terminal: typed twice, not shown.
    for (second, succeeds) in [("something else entirely", false), (WORDS, true)] {
        let mut dialogue = Command::new("python3");
        dialogue.args(["-c", DIALOGUE, WORDS, second, env!("CARGO_BIN_EXE_onionroom")]).args(words);
        let output = within("a dialogue", dialogue.env("TERM", "xterm").output()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("Passphrase of the backup: ") && said.contains("The same again: "),
            "{output:?}"
        );
        assert!(!said.contains("five words"), "{said}");
        assert_eq!(file.exists(), succeeds, "{said}");
        assert_eq!(said.contains("differ"), !succeeds, "{said}");
    }
}

/// Runs a program on a terminal, types the passphrase at each prompt, and prints what is on the screen.
const DIALOGUE: &str = r#"
import os, pty, sys
typed = sys.argv[1:3]
child, screen = pty.fork()
if child == 0:
    os.execv(sys.argv[3], sys.argv[3:])
said = b""
while True:
    try:
        read = os.read(screen, 1024)
    except OSError:
        break
    if not read:
        break
    said += read
    # Once the terminal does not show what is typed.
    while typed and said.count(b": ") > 2 - len(typed):
        import termios, time
        while termios.tcgetattr(screen)[3] & termios.ECHO:
            time.sleep(0.005)
        os.write(screen, typed.pop(0).encode() + b"\n")
os.waitpid(child, 0)
sys.stdout.buffer.write(said)
"#;

/// A closed room with so many messages of 500 bytes, of an address or not.
async fn large(messages: u64) -> (tempfile::TempDir, PathBuf) {
    large_of(messages, 500).await
}

/// The same, of so many bytes.
async fn large_of(messages: u64, bytes: usize) -> (tempfile::TempDir, PathBuf) {
    let (outer, directory) = place();
    let (mut program, _) = start(&directory).await;
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    let all = Retention { messages: usize::MAX, bytes: 0, age: None };
    let log = SqliteLog::open(&directory.join("messages.sqlite"), all, Synchronous::Normal).unwrap();
    let entry = |id: u64| Entry {
        at: 0,
        author: GuestId(id % 50),
        id: MessageId::parse(&id.to_string()).unwrap(),
        body: Body::Message { name: Name::parse("Ann").unwrap(), text: "something ".repeat(bytes / 10) },
    };
    for first in (0..messages).step_by(1000) {
        log.append((first..messages.min(first + 1000)).map(entry).collect()).await.unwrap();
    }
    log.close().await.unwrap();
    (outer, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_no_file_and_the_room_as_it_was() {
    let (outer, directory) = large(900).await;
    let secret = passphrase_file(outer.path(), WORDS);
    let (file, working) = (outer.path().join("room.age"), directory.join("backing-up"));
    let partial = || beginning(outer.path(), ".onionroom-backup-");
    let program = Program::start(&moving("backup", &file, &secret, &directory));
    until("a copy of the messages", || working.join("messages.sqlite").exists()).await;
    program.kill().await;
    assert!(!file.exists() && partial().len() == 1 && working.exists());
    let (mut program, address) = start(&directory).await;
    assert!(!working.exists(), "the next start removes it");
    assert_eq!(kept(address).await, (1..=900).collect::<Vec<_>>());
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    done(&moving("backup", &file, &secret, &directory)).await;
    assert!(file.exists() && partial().is_empty() && !working.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_while_it_reads_changes_nothing() {
    let (outer, directory) = large(900).await;
    let secret = passphrase_file(outer.path(), WORDS);
    let file = outer.path().join("room.age");
    done(&moving("backup", &file, &secret, &directory)).await;
    let (other, new) = used().await;
    let before = contents(&new);
    let program = Program::start(&moving("restore", &file, &secret, &new));
    until("the begin of a restore", || new.join("restoring").exists()).await;
    program.kill().await;
    assert!(contents(&new) == before && !new.join("replaced").exists());
    let (mut program, address) = start(&new).await;
    assert!(!new.join("restoring").exists());
    assert_eq!(kept(address).await, (1..=40).collect::<Vec<_>>());
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    done(&moving("restore", &file, &secret, &new)).await;
    let (_program, address) = start(&new).await;
    assert_eq!(kept(address).await, (1..=900).collect::<Vec<_>>());
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_made_and_nothing_changed() {
    let (outer, directory) = large(2000).await;
    let secret = passphrase_file(outer.path(), WORDS);
    let small = outer.path().join("small");
    fs::create_dir(&small).unwrap();
    let disk = Disk::new("size=256k", &small).await;
    let before = contents(&directory);
    let said = refusal(&disk.run(&moving("backup", &small.join("room.age"), &secret, &directory)).await);
    assert!(said.contains("the disk is full"), "{said}");
    // Opening the log begins an epoch, as each start does.
    assert!(contents(&directory).keys().eq(before.keys()) && !directory.join("backing-up").exists());
    let file = outer.path().join("room.age");
    done(&moving("backup", &file, &secret, &directory)).await;
    let said = refusal(&disk.run(&moving("restore", &file, &secret, &small.join("new"))).await);
    assert!(said.contains("are free on the disk") && said.contains("Nothing was changed"), "{said}");
}

/// Prints what a backup of many messages takes: `cargo test --test end_to_end figures_of_a_backup -- --ignored --nocapture`, with
/// how many and of how many bytes in `MESSAGES` and `BYTES`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "figures"]
async fn figures_of_a_backup() {
    let messages = std::env::var("MESSAGES").map_or(100_000, |number| number.parse().unwrap());
    let bytes = std::env::var("BYTES").map_or(500, |number| number.parse().unwrap());
    let (outer, directory) = large_of(messages, bytes).await;
    let secret = passphrase_file(outer.path(), WORDS);
    let (file, new) = (outer.path().join("room.age"), outer.path().join("new"));
    let config = outer.path().join("onionroom.toml");
    fs::write(&config, "[history]\nmessages = 1000000\nmegabytes = 0\n").unwrap();
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    for (command, data) in [("backup", &directory), ("restore", &new)] {
        let words = moving(command, &file, &secret, data);
        let began = std::time::Instant::now();
        let mut program = Program::start(&[&words[..], &["--config", config.to_str().unwrap()]].concat());
        let mut most = 0;
        while let Some(now) = program.peak_bytes() {
            most = most.max(now);
            sleep(Duration::from_millis(5)).await;
        }
        let took = began.elapsed();
        let said = program.rest_of_err().await;
        assert!(program.ended().await.success(), "{said}");
        println!("{command} of {messages} messages: {took:?}, {} MB of memory", most / 1_000_000);
    }
    figures_of_an_open_room(
        &directory,
        &config,
        &moving("backup", &new.join("../open.age"), &secret, &directory),
    )
    .await;
    let log = size(&directory.join("messages.sqlite"));
    println!("{} MB of messages.sqlite, {} MB in the file", log / 1_000_000, size(&file) / 1_000_000);
}

/// The same of a room that is open, whose guest goes on talking.
async fn figures_of_an_open_room(directory: &Path, config: &Path, backup: &[&str]) {
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--data-dir"];
    let words = [&words[..], &[directory.to_str().unwrap(), "--config", config.to_str().unwrap()]].concat();
    let mut room = Program::start(&words);
    let url = tokio::time::timeout(Duration::from_secs(600), room.out.next_line()).await.unwrap();
    let url = url.unwrap().unwrap();
    let address = url.trim_start_matches("local: http://").trim_end_matches('/').parse().unwrap();
    let mut ann = guest(address, "Ann").await;
    let before = room.peak_bytes().unwrap();
    let began = std::time::Instant::now();
    let mut command = Program::start(backup);
    let mut slowest = Duration::ZERO;
    let mut said = 0;
    while command.peak_bytes().is_some() {
        let sent = std::time::Instant::now();
        ann.say(&format!("open-{said}"), "meanwhile").await;
        slowest = slowest.max(sent.elapsed());
        said += 1;
        sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    let told = command.rest_of_err().await;
    assert!(command.ended().await.success(), "{told}");
    let most = room.peak_bytes().unwrap();
    println!(
        "backup of the open room: {took:?}, {} MB of memory at most, {} MB before; {said} messages meanwhile, acknowledged after {slowest:?} at \
         most",
        most / 1_000_000,
        before / 1_000_000
    );
}

/// A room that guests talk in: what was acknowledged before a backup is begun is in it, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_backed_up_while_guests_talk() {
    let (outer, directory) = place();
    let settings = |data: &Path| {
        let mut settings = Settings::default();
        settings.listen.address = ([127, 0, 0, 1], 0).into();
        settings.listen.local = LocalAccess::Open;
        settings.onion.enabled = false;
        (settings.room.messages_per_minute, settings.room.room_messages_per_minute) = (0, 0);
        settings.room.joins_per_minute = 0;
        settings.history.messages = 1_000_000;
        settings.data_dir = Some(data.into());
        settings
    };
    let server = Server::open(&settings(&directory)).await.unwrap();
    let address = server.local_addr().unwrap();
    let mut ann = guest(address, "Ann").await;
    for number in 0..500 {
        ann.say(&number.to_string(), "before").await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let talkers: Vec<_> = (0..4)
        .map(|talker| {
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                let mut guest = guest(address, &format!("Guest {talker}")).await;
                let mut said = 0;
                while !done.load(Ordering::Relaxed) {
                    guest.say(&said.to_string(), &format!("{talker} says {said}")).await;
                    said += 1;
                }
                said
            })
        })
        .collect();
    let passphrase = || Passphrase::new(WORDS.into()).unwrap();
    let mut backups = Vec::new();
    for number in 0..3 {
        let acknowledged = ann.say(&format!("mark-{number}"), "mark").await;
        let [file, other] = ["room", "other"].map(|name| outer.path().join(format!("{name}-{number}.age")));
        let (first, second) = tokio::join!(
            server.backup(file.clone(), passphrase(), |_| ()),
            server.backup(other.clone(), passphrase(), |_| ())
        );
        // Which of them is the first is not said.
        let (file, done, refused) = match first {
            Err(BackupError::UnderWay) => (other, second, first),
            _ => (file, first, second),
        };
        assert!(done.unwrap().address.is_none());
        assert!(matches!(refused, Err(BackupError::UnderWay)), "one at a time");
        backups.push((file, acknowledged));
    }
    done.store(true, Ordering::Relaxed);
    let mut said = 0;
    for talker in talkers {
        said += talker.await.unwrap();
    }
    assert!(said > 0, "guests went on");
    server.close().await;
    assert!(!directory.join("backing-up").exists());

    let secret = passphrase_file(outer.path(), WORDS);
    for (file, acknowledged) in backups {
        let new = outer.path().join("new");
        self::done(&moving("restore", &file, &secret, &new)).await;
        let restored = Server::open(&settings(&new)).await.unwrap();
        let numbers = kept(restored.local_addr().unwrap()).await;
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        assert!(numbers.len() as u64 >= acknowledged, "{} of {acknowledged}", numbers.len());
        restored.close().await;
    }
}

/// Runs C Tor on this directory of an onion service, without a network, until what `told` looks for has happened.
async fn c_tor<T>(home: &Path, service: &Path, told: impl Future<Output = T>) -> T {
    let (torrc, defaults) = (home.join("torrc"), home.join("torrc-defaults"));
    fs::write(&defaults, "").unwrap();
    let options = format!(
        "DisableNetwork 1\nSocksPort 0\nDataDirectory \"{}\"\nHiddenServiceDir \"{}\"\nHiddenServicePort 80 127.0.0.1:1\n",
        home.join("tor-data").display(),
        service.display()
    );
    fs::write(&torrc, options).unwrap();
    let _process = Command::new("tor")
        .arg("--defaults-torrc")
        .arg(defaults)
        .arg("-f")
        .arg(torrc)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    told.await
}

async fn hostname(service: &Path) -> String {
    let file = service.join("hostname");
    until("C Tor's hostname", || fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'))).await;
    fs::read_to_string(&file).unwrap().trim().to_owned()
}

/// The address that the program prints when it opens the room; it is closed again.
async fn address_of_the_room(directory: &Path) -> String {
    let words = ["--listen", "127.0.0.1:0", "--data-dir", directory.to_str().unwrap()];
    let mut program = Program::start(&words);
    let url = program.told("room").await;
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap().to_owned()
}

#[tokio::test]
async fn a_key_goes_to_c_tor_and_comes_from_it() {
    let (outer, directory) = place();
    let address = address_of_the_room(&directory).await;
    let data = directory.to_str().unwrap();
    let shown = String::from_utf8(run(&["key", "show", "--data-dir", data], &[]).await.stdout).unwrap();
    assert!(shown.contains(&format!("address: {address}\n")) && shown.contains("0600"), "{shown}");

    // To C Tor: it makes the hostname from the key.
    let exported = outer.path().join("exported");
    done(&["key", "export", exported.to_str().unwrap(), "--data-dir", data]).await;
    assert_eq!(hostname(&exported).await, address);
    fs::remove_file(exported.join("hostname")).unwrap();
    fs::remove_file(exported.join("hs_ed25519_public_key")).unwrap();
    let told = c_tor(outer.path(), &exported, hostname(&exported)).await;
    assert_eq!(told, address);

    // From C Tor: the room has its address, and gives it back as it was.
    let service = outer.path().join("service");
    let c_tors = c_tor(outer.path(), &service, hostname(&service)).await;
    assert_ne!(c_tors, address);
    let import = ["key", "import", service.to_str().unwrap(), "--data-dir", data];
    let said = refusal(&run(&import, &[]).await);
    assert!(said.contains("--replace") && said.contains(&address), "{said}");
    let said = done(&[&import[..], &["--replace"]].concat()).await;
    assert!(said.contains(&c_tors) && said.contains("restore"), "{said}");
    assert_eq!(address_of_the_room(&directory).await, c_tors);
    let back = outer.path().join("back");
    done(&["key", "export", back.to_str().unwrap(), "--data-dir", data]).await;
    for name in ["hs_ed25519_secret_key", "hs_ed25519_public_key", "hostname"] {
        assert_eq!(fs::read(back.join(name)).unwrap(), fs::read(service.join(name)).unwrap(), "{name}");
    }

    // And the first one is put back.
    done(&["restore", directory.join("replaced/1").to_str().unwrap(), "--data-dir", data]).await;
    assert_eq!(address_of_the_room(&directory).await, address);
    let mut program = Program::start(&words(&directory));
    program.told("local").await;
    let said = refusal(&run(&[&import[..], &["--replace"]].concat(), &[]).await);
    assert!(said.contains("is running"), "{said}");
}
