//! What is on the raw device once messages are trimmed: an ext4 image, mounted through a loop device, and then searched
//! as a seized disk would be, unused blocks included.
//!
//! Guards against texts that stay readable where a file once was: of 300 said with 5 kept, 300 were. Mounting an image
//! takes the superuser; for other users these tests say that they tested nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::kit::program::{Disk, Program};
use crate::kit::{Guest, within};

const SAID: u64 = 300;
const KEPT: u64 = 5;
const NAME: &str = "Rumpelstiltskin";

/// An image of a file system, and where it is mounted.
struct Device {
    outer: TempDir,
    image: String,
}

impl Device {
    /// `None` for a user who may not mount it.
    async fn make() -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            let line = "NOT TESTED: only the superuser can mount an image, so nothing was searched on a raw device\n";
            // Past the capture of what tests print.
            File::options().write(true).open("/proc/self/fd/2").unwrap().write_all(line.as_bytes()).unwrap();
            return None;
        }
        let outer = TempDir::new().unwrap();
        fs::create_dir(outer.path().join("mounted")).unwrap();
        let image = outer.path().join("image");
        File::create(&image).unwrap().set_len(16 << 20).unwrap();
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let made = Command::new("mkfs.ext4").env("PATH", path).arg("-q").arg(&image).status().await;
        assert!(made.expect("mkfs.ext4 (Debian: e2fsprogs)").success());
        let image = image.to_str().unwrap().to_owned();
        Some(Self { outer, image })
    }

    fn mounted(&self) -> PathBuf {
        self.outer.path().join("mounted")
    }

    fn directory(&self) -> PathBuf {
        self.mounted().join("room")
    }

    async fn start(&self) -> (Program, String) {
        let (mounted, directory) = (self.mounted(), self.directory());
        let kept = KEPT.to_string();
        let words = [
            &["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--keep-messages", &kept][..],
            &["--data-dir", directory.to_str().unwrap()],
        ];
        let mut program = Program::start_on(&Disk::image(&self.image, &mounted).await, &words.concat());
        let url = program.told("local").await;
        (program, url.trim_start_matches("http://").trim_end_matches('/').to_owned())
    }

    /// Wipes the room.
    async fn wipe(&self) {
        let (mounted, directory) = (self.mounted(), self.directory());
        let words = ["wipe", "--yes", "--address", "--data-dir", directory.to_str().unwrap()];
        let output = Disk::image(&self.image, &mounted).await.run(&words).await;
        assert!(output.status.success(), "{output:?}");
    }

    /// Everything that is on the device, once it is unmounted.
    async fn bytes(&self) -> Vec<u8> {
        let unmounted = async {
            while !Command::new("losetup").args(["-j", &self.image]).output().await.unwrap().stdout.is_empty()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within("the device to be unmounted", unmounted).await;
        fs::read(&self.image).unwrap()
    }
}

fn text(seq: u64) -> String {
    format!("confession number {seq:03} of {SAID}")
}

/// Says all, and returns the key of each message that still has one, by sequence number.
async fn say_all(program: &Program, address: &str, directory: &Path) -> BTreeMap<u64, Vec<u8>> {
    let mut guest = Guest::connect(TcpStream::connect(address).await.unwrap(), address).await;
    guest.hello(NAME).await;
    for seq in 1..=SAID {
        assert_eq!(guest.say(&seq.to_string(), &text(seq)).await, seq);
    }
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(program.sees(directory)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let keys = fs::read(copy.path().join("messages.keys")).unwrap();
    let connection = Connection::open(copy.path().join("messages.sqlite")).unwrap();
    let mut statement = connection.prepare("SELECT seq, slot FROM messages").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))).unwrap();
    rows.map(|row| {
        let (seq, slot) = row.unwrap();
        let begin = 64 * (slot as usize + 1) + 8;
        (seq.unsigned_abs(), keys[begin..begin + 32].to_vec())
    })
    .collect()
}

/// Those of the needles, which have at least 8 bytes, that are anywhere in the bytes.
fn found(bytes: &[u8], needles: &BTreeMap<u64, Vec<u8>>) -> Vec<u64> {
    let mut by_end: HashMap<&[u8], Vec<u64>> = HashMap::new();
    for (number, needle) in needles {
        by_end.entry(&needle[needle.len() - 8..]).or_default().push(*number);
    }
    let mut found = Vec::new();
    // Most of an image is zeros. A key may end with one.
    for end in (8..=bytes.len()).filter(|end| bytes[end - 8..*end] != [0; 8]) {
        for number in by_end.get(&bytes[end - 8..end]).into_iter().flatten() {
            let needle = &needles[number];
            if bytes[..end].ends_with(needle) {
                found.push(*number);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// None of the texts is readable, and of the keys only those of the kept messages are there.
fn searched(bytes: &[u8], keys: &BTreeMap<u64, Vec<u8>>) {
    let texts: BTreeMap<u64, Vec<u8>> =
        (1..=SAID).map(|seq| (seq, text(seq).into_bytes())).chain([(0, NAME.into())]).collect();
    assert_eq!(found(bytes, &texts), [] as [u64; 0], "readable");
    let kept: Vec<u64> = (SAID - KEPT + 1..=SAID).collect();
    assert!(keys.len() > 100, "most were not trimmed yet when the keys were read");
    assert_eq!(found(bytes, keys), kept, "the keys on the device, and that the search finds any");
}

/// The kept messages can still be read.
async fn read_again(device: &Device) {
    let (mut program, address) = device.start().await;
    let mut guest = Guest::connect(TcpStream::connect(&address).await.unwrap(), &address).await;
    guest.hello("Ann").await;
    for seq in SAID - KEPT + 1..=SAID {
        let message = guest.expect("message").await;
        assert_eq!((&message["seq"], &message["text"]), (&seq.into(), &text(seq).into()));
    }
    drop(guest);
    program.signal("TERM").await;
    assert!(program.ended().await.success());
}

#[tokio::test]
async fn after_a_clean_stop_nothing_of_what_is_trimmed_can_be_read_from_it() {
    let Some(device) = Device::make().await else { return };
    let (mut program, address) = device.start().await;
    let keys = say_all(&program, &address, &device.directory()).await;
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    searched(&device.bytes().await, &keys);
    read_again(&device).await;
    searched(&device.bytes().await, &keys);
}

#[tokio::test]
async fn after_a_kill_nothing_of_what_is_trimmed_can_be_read_from_it_once_it_was_started_again() {
    let Some(device) = Device::make().await else { return };
    let (program, address) = device.start().await;
    let keys = say_all(&program, &address, &device.directory()).await;
    program.kill().await;
    device.bytes().await;
    read_again(&device).await;
    searched(&device.bytes().await, &keys);
}

/// Also those that were kept until then, of a room that was closed and of one that was killed. The rest of SQLite's pages may
/// be found: it frees the blocks of its write-ahead log each time that it closes.
#[tokio::test]
async fn after_a_wipe_no_text_and_no_key_can_be_read_from_it() {
    for kill in [false, true] {
        let Some(device) = Device::make().await else { return };
        let (mut program, address) = device.start().await;
        let mut keys = say_all(&program, &address, &device.directory()).await;
        if kill {
            program.kill().await;
        } else {
            program.signal("TERM").await;
            assert!(program.ended().await.success());
        }
        let before = device.bytes().await;
        assert!(!found(&before, &keys).is_empty(), "the search finds the keys that are kept");
        device.wipe().await;
        let bytes = device.bytes().await;
        let texts = (1..=SAID).map(|seq| (1000 + seq, text(seq).into_bytes()));
        keys.extend(texts.chain([(0, NAME.into())]));
        assert_eq!(found(&bytes, &keys), [] as [u64; 0], "killed: {kill}");
    }
}
