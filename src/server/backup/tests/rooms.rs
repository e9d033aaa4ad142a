//! Backups of all rooms of an address.

use std::sync::{Arc, Mutex};

use super::*;
use crate::config::ExtraRoom;
use crate::server::backup::others::{HeldLog, OtherRoom};
use crate::server::files::{MARK_FILE, ROOMS, ROOMS_FILE};
use crate::server::room_list;

/// A log with so many messages, in a directory that is made.
async fn log(place: &Path, messages: u64) {
    fs::create_dir_all(place).unwrap();
    let log = SqliteLog::open(&place.join(LOG_FILE), ALL, Synchronous::Normal).unwrap();
    let entry = |id: u64| Entry {
        at: 0,
        author: GuestId(7),
        id: MessageId::parse(&id.to_string()).unwrap(),
        body: Body::Message { name: Name::parse("Ann").unwrap(), text: format!("text of {id}") },
    };
    log.append((0..messages).map(entry).collect()).await.unwrap();
    log.close().await.unwrap();
}

/// Two rooms of a list, of which one was never opened, and one of the configuration.
async fn house() -> (TempDir, PathBuf, Settings) {
    let (outer, data) = room(3, 1).await;
    let mut settings = settings();
    let added = [("attic", false), ("tea", true)];
    let added = added.map(|(name, listed)| settings.extra_room(name, Some("A title"), listed).unwrap());
    room_list::write(&data, &added, None).unwrap();
    let mut limited = settings.extra_room("cellar", None, true).unwrap();
    (limited.room.guests, limited.history.messages, limited.own_limits) = (5, 4, true);
    settings.rooms = vec![limited];
    log(&data.join("rooms/tea"), 20).await;
    log(&data.join("rooms/cellar"), 4).await;
    // One that was taken out of the configuration.
    log(&data.join("rooms/gone"), 1).await;
    (outer, data, settings)
}

fn back_up_all(settings: &Settings, data: &Path, to: &Path) -> Result<BackedUp, BackupError> {
    backup_closed(settings, data, to, || Ok(passphrase(WORDS)), &mut |_| ())
}

fn names(rooms: &[ExtraRoom]) -> Vec<&str> {
    rooms.iter().map(|room| room.room.name.as_str()).collect()
}

#[tokio::test]
async fn all_rooms_move_to_another_machine() {
    let (outer, data, settings) = house().await;
    let file = outer.path().join("backup");
    let mut steps = Vec::new();
    let mut told = |progress: Progress| steps.push(progress);
    let done = backup_closed(&settings, &data, &file, || Ok::<_, BackupError>(passphrase(WORDS)), &mut told);
    let done = done.unwrap();
    assert_eq!((done.messages, done.rooms), (true, 3));
    let others: Vec<_> = steps.iter().filter(|one| one.step == Step::OtherRooms).collect();
    assert!(
        others.is_sorted_by_key(|one| one.done) && others.iter().all(|one| one.total == 300),
        "{others:?}"
    );
    assert!(!data.join(BACKING_UP).exists());

    // Another room is there already, and goes with the main one.
    let (_other, new) = room(1, 2).await;
    room_list::write(&new, &[settings.extra_room("new", None, true).unwrap()], None).unwrap();
    log(&new.join("rooms/new"), 2).await;
    let restored = put_back(&new, &file, WORDS).unwrap();
    assert_eq!((restored.messages, restored.rooms), (true, Some(3)));
    assert_eq!(kept(&new).await.len(), 3);
    assert_eq!(kept(&new.join("rooms/tea")).await.len(), 20);
    assert_eq!(kept(&new.join("rooms/cellar")).await.len(), 4);
    assert_eq!(other_names(&new), ["cellar", "tea"]);
    let listed = room_list::read(&new, &Settings::default()).unwrap();
    assert_eq!(names(&listed), ["cellar", "attic", "tea"]);
    assert_eq!(listed[0], settings.rooms[0], "with its limits, where no configuration has it");
    assert_eq!(
        (listed[1].listed, listed[1].room.title.as_str(), listed[1].own_limits),
        (false, "A title", false)
    );
    for file in contents(&new).into_keys().filter(|file| file.starts_with(new.join(ROOMS))) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
    }

    let replaced = restored.replaced.unwrap();
    assert_eq!(kept(&replaced.join("rooms/new")).await.len(), 2);
    let back = crate::server::restore::restore(&new, &replaced).unwrap();
    assert_eq!(back.rooms, Some(1));
    assert_eq!((other_names(&new), kept(&new.join("rooms/new")).await.len()), (vec!["new".to_owned()], 2));
}

fn other_names(data: &Path) -> Vec<String> {
    let rooms = crate::server::files::other_rooms(data).into_iter();
    rooms.map(|place| place.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_backup_of_the_first_format_leaves_the_other_rooms_alone() {
    let (outer, data, settings) = house().await;
    let (_old, main) = room(2, 2).await;
    let copied =
        [LOG_FILE, "messages.keys", MARK_FILE].map(|name| (name, fs::read(main.join(name)).unwrap()));
    let mut files = vec![plain(MANIFEST, MESSAGES_ONLY)];
    let header = |name, bytes: &[u8]| header(name, bytes.len() as u64, EntryType::Regular);
    files.extend(copied.iter().map(|(name, bytes)| (header(name, bytes), bytes.as_slice())));
    let restored = put_back(&data, &archive(outer.path(), 2, &files), WORDS).unwrap();
    assert_eq!((restored.messages, restored.rooms), (true, None));
    assert_eq!(kept(&data).await.len(), 2);
    assert_eq!(names(&room_list::read(&data, &settings).unwrap()), ["attic", "tea"]);
    assert_eq!(kept(&data.join("rooms/tea")).await.len(), 20);
    // A copy of a data directory without other rooms neither.
    let restored = crate::server::restore::restore(&data, &main).unwrap();
    assert_eq!((restored.rooms, kept(&data.join("rooms/tea")).await.len()), (None, 20));
}

#[tokio::test]
async fn what_was_removed_stays_removed() {
    let (outer, data, settings) = house().await;
    let (before, after) = (outer.path().join("before"), outer.path().join("after"));
    back_up_all(&settings, &data, &before).unwrap();
    // As far as a process came that was killed.
    let rest = [settings.extra_room("attic", Some("A title"), false).unwrap()];
    room_list::write(&data, &rest, Some("tea")).unwrap();
    assert!(data.join("rooms/tea").exists());
    let done = back_up_all(&settings, &data, &after).unwrap();
    assert_eq!((done.rooms, data.join("rooms/tea").exists()), (2, false));
    assert_eq!(put_back(&data, &after, WORDS).unwrap().rooms, Some(2));
    assert!(!data.join("rooms/tea").exists());
    assert_eq!(put_back(&data, &before, WORDS).unwrap().rooms, Some(3));
    assert_eq!(kept(&data.join("rooms/tea")).await.len(), 20);
}

/// A room whose log is closed, and which is gone, at some moment of its backup.
struct Vanishing {
    settings: ExtraRoom,
    log: Arc<SqliteLog>,
    there: Mutex<bool>,
    at: usize,
    asked: Mutex<usize>,
}

impl OtherRoom for Arc<Vanishing> {
    fn settings(&self) -> &ExtraRoom {
        &self.settings
    }

    fn open(&self) -> Result<Option<HeldLog>, BackupError> {
        Ok(Some(HeldLog::of(Arc::clone(&self.log))))
    }

    fn is_there(&self) -> bool {
        *self.there.lock().unwrap()
    }

    fn done(&self, _: bool) {}
}

impl Vanishing {
    fn step(&self) {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        if *asked == self.at {
            *self.there.lock().unwrap() = false;
            futures_util::FutureExt::now_or_never(self.log.close());
        }
    }
}

/// Whenever it is: the archive is whole, and the room is whole in it or not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_removed_meanwhile_is_not_in_it() {
    let (outer, data, settings) = house().await;
    let main = SqliteLog::open(&data.join(LOG_FILE), ALL, Synchronous::Normal).unwrap();
    let directory = DataDirectory::open(&data).unwrap();
    let (mut with, mut without) = (0, 0);
    for at in 0..12 {
        log(&outer.path().join(format!("gone-{at}")), 1200).await;
        let path = outer.path().join(format!("gone-{at}")).join(LOG_FILE);
        let room = Arc::new(Vanishing {
            settings: settings.extra_room("gone", None, true).unwrap(),
            log: Arc::new(SqliteLog::open(&path, ALL, Synchronous::Normal).unwrap()),
            there: Mutex::new(true),
            at,
            asked: Mutex::default(),
        });
        let others: Vec<Box<dyn OtherRoom>> = vec![Box::new(Arc::clone(&room))];
        let logs = Logs { main: Some(&main), others: Some(others) };
        let to = outer.path().join(format!("backup-{at}"));
        let watched = Arc::clone(&room);
        let told = &mut |_| watched.step();
        let done = backup_open(&directory, &logs, &to, &passphrase(WORDS), &CancellationToken::new(), told);
        let done = done.unwrap();
        assert_eq!(done.rooms == 1, room.is_there(), "{at}");
        let other = tempfile::tempdir().unwrap();
        let other = other.path().canonicalize().unwrap().join("room");
        let restored = put_back(&other, &to, WORDS).unwrap();
        assert_eq!(restored.rooms, Some(done.rooms), "{at}");
        assert_eq!(other.join("rooms/gone").exists(), done.rooms == 1, "{at}");
        if done.rooms == 1 {
            assert_eq!(kept(&other.join("rooms/gone")).await.len(), 1200);
        }
        *(if done.rooms == 1 { &mut with } else { &mut without }) += 1;
    }
    assert!(with > 0 && without > 3, "{with} {without}");
}

const ROOMS_ONLY: &[u8] = br#"{"format":2,"program":"0.1.0","messages":false,"address":false,"rooms":true}"#;

#[tokio::test]
async fn what_no_address_writes_is_refused() {
    let (outer, data, _) = house().await;
    let with = |files: &[(Header, &'static [u8])]| {
        archive(outer.path(), 2, &[&[plain(MANIFEST, ROOMS_ONLY)], files].concat())
    };
    let empty = || plain(ROOMS_FILE, br#"{"rooms":[]}"#);
    for name in [
        "rooms/../messages.state",
        "rooms/../../escaped/messages.state",
        "rooms//messages.state",
        "rooms/messages.state",
        "rooms/tea",
        "rooms/tea/",
        "rooms/tea/x",
        "rooms/tea/messages.sqlite-wal",
        "rooms/tea/messages.state/x",
        "rooms/tea/rooms/tea/messages.state",
        "rooms/tea/rooms.json",
        "rooms/tea/tor/state/x",
        "rooms/Tea/messages.state",
        "rooms/main/messages.state",
        "rooms/-a/messages.state",
        "rooms/a.b/messages.state",
        "rooms/t\u{e9}a/messages.state",
        "rooms/a\\b/messages.state",
        "/rooms/tea/messages.state",
        "rooms.json.new",
        "roomsx/tea/messages.state",
    ] {
        refused(&data, &with(&[empty(), plain(name, b"x")]), WORDS, "of no room");
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory] {
        let mut header = header("rooms/tea", 0, kind);
        header.set_link_name("/etc").unwrap();
        header.set_cksum();
        refused(&data, &with(&[(header, b""), empty()]), WORDS, "of no room");
    }
    refused(&data, &with(&[]), WORDS, "is missing");
    refused(&data, &with(&[plain("rooms/tea/messages.state", b"x")]), WORDS, "is missing");
    let main_alone = [plain(MANIFEST, ADDRESS_ONLY), plain("tor/state/x", b"1"), empty()];
    refused(&data, &archive(outer.path(), 2, &main_alone), WORDS, "is missing");
    refused(&data, &with(&[empty(), empty()]), WORDS, "twice");
    for list in [
        &br#"{"rooms":[{"name":"../../etc","title":"x","listed":true}]}"#[..],
        br#"{"rooms":[{"name":"main","title":"x","listed":true}]}"#,
        br#"{"rooms":[{"name":"a","title":"x\u0007y","listed":true}]}"#,
        br#"{"rooms":[{"name":"a","title":"x","listed":true},{"name":"a","title":"y","listed":true}]}"#,
        br#"{"rooms":[{"name":"a","title":"x","listed":true,"limits":{"history.messages":18446744073709551615}}]}"#,
        br#"{"rooms":[{"name":"a","title":"x","listed":true,"limits":{"room.guests":-1}}]}"#,
        b"[[[[",
        b"\xff",
    ] {
        let before = contents(&data);
        let said = put_back(&data, &with(&[plain(ROOMS_FILE, list)]), WORDS).unwrap_err().to_string();
        assert!(said.contains("nothing was changed. The list of rooms"), "{said}");
        assert!(contents(&data) == before && !data.join("restoring").exists());
    }
    let listed = || plain(ROOMS_FILE, br#"{"rooms":[{"name":"tea","title":"x","listed":true}]}"#);
    refused(
        &data,
        &with(&[plain("rooms/tea/messages.state", b"x"), listed()]),
        WORDS,
        "part of a room is missing",
    );
    // What is to be erased is said by no archive.
    let erases = br#"{"rooms":[{"name":"tea","title":"x","listed":true}],"removed":["../../x","tea"]}"#;
    put_back(&data, &with(&[plain(ROOMS_FILE, erases)]), WORDS).unwrap();
    assert!(!fs::read_to_string(data.join(ROOMS_FILE)).unwrap().contains("removed"));
}

#[tokio::test]
async fn bombs_of_rooms_are_refused_before_they_are_written() {
    let (outer, data, _) = house().await;
    static ZEROS: [u8; 1 << 20] = [0; 1 << 20];
    for (name, size, what) in [
        ("rooms/tea/messages.sqlite", 10 << 30, "not as a room writes it"),
        ("rooms/tea/messages.keys", 10 << 30, "not as a room writes it"),
        ("rooms/tea/messages.state", 10 << 30, "more is in it"),
        (ROOMS_FILE, 10 << 30, "more is in it"),
        (ROOMS_FILE, (4 << 20) + 1, "more is in it"),
    ] {
        let bomb = (header(name, size, EntryType::Regular), &ZEROS[..]);
        refused(&data, &archive(outer.path(), 2, &[plain(MANIFEST, ROOMS_ONLY), bomb]), WORDS, what);
    }
}
