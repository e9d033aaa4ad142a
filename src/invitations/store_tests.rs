#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::thread;

use tempfile::TempDir;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Desk {
    _outer: TempDir,
    data: PathBuf,
    files: Invitations,
}

impl Desk {
    /// Of a room that is open to all.
    fn open() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("room");
        let files = Invitations::of_room(&data).unwrap();
        Self { _outer: outer, data, files }
    }

    fn private() -> Self {
        let desk = Self::open();
        desk.files.make_private().unwrap();
        desk
    }

    fn add(&self, text: &str, expiry: Expiry) -> Result<PublicKey, InvitationError> {
        let key = PublicKey([u8::try_from(text.len()).unwrap(); 32]);
        self.files.add(&name(text), &key, expiry).map(|()| key)
    }

    fn names(&self) -> Vec<String> {
        self.files.list().unwrap().unwrap().iter().map(|it| it.name.to_string()).collect()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.data.join(DIRECTORY).join(file)
    }

    fn found(&self, now: SystemTime) -> Found {
        match self.files.look(now).unwrap() {
            Look::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }
}

fn name(text: &str) -> InviteeName {
    text.parse().unwrap()
}

fn in_a_day() -> Expiry {
    Expiry::read(&Expiry::At(SystemTime::now() + DAY).to_string())
}

#[test]
fn what_was_added_is_there_with_its_key_and_its_end_until_it_is_removed() {
    let desk = Desk::private();
    let key = desk.add("bob", in_a_day()).unwrap();
    desk.add("alice", Expiry::Never).unwrap();
    let all = desk.files.list().unwrap().unwrap();
    assert_eq!(desk.names(), ["alice", "bob"]);
    assert_eq!((all[1].key, all[1].expiry), (Some(key), in_a_day()));
    assert_eq!(fs::read_to_string(desk.path("bob.auth")).unwrap().trim(), key.to_string());
    desk.files.remove(&name("bob"), false).unwrap();
    assert_eq!(desk.names(), ["alice"]);
    let again = desk.files.remove(&name("bob"), false).unwrap_err();
    assert!(matches!(&again, InvitationError::Unknown { .. }), "{again}");
    desk.files.remove(&name("alice"), false).unwrap();
    assert!(desk.files.are_private() && desk.names().is_empty(), "the last one does not open the room");
}

#[test]
fn a_room_that_is_open_to_all_takes_no_invitation_and_says_what_to_do() {
    let desk = Desk::open();
    assert_eq!(desk.files.list().unwrap(), None);
    let refused = desk.add("alice", Expiry::Never).unwrap_err().to_string();
    assert!(refused.contains("onionroom invite add alice --private"), "{refused}");
    assert!(!desk.files.are_private());
    assert!(matches!(desk.files.remove(&name("alice"), false), Err(InvitationError::Unknown { .. })));
}

#[test]
fn the_first_of_many_that_make_the_room_private_at_once_loses_none() {
    let desk = Desk::open();
    thread::scope(|scope| {
        for number in 0..20 {
            let files = &desk.files;
            let first = name(&format!("n{number}"));
            scope.spawn(move || files.add_first(&first, &PublicKey([7; 32]), Expiry::Never).unwrap());
        }
    });
    assert_eq!(desk.names().len(), 20);
    let left: Vec<_> = fs::read_dir(&desk.data).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, [DIRECTORY]);
}

#[test]
fn a_name_is_free_again_when_it_has_expired() {
    let desk = Desk::private();
    desk.add("alice", in_a_day()).unwrap();
    let refused = desk.add("alice", Expiry::Never).unwrap_err().to_string();
    assert!(refused.contains("onionroom invite remove alice"), "{refused}");
    fs::write(desk.path("alice.expires"), "2001-01-01T00:00:00Z").unwrap();
    desk.add("alice", Expiry::Never).unwrap();
    assert_eq!(desk.files.list().unwrap().unwrap()[0].expiry, Expiry::Never, "not the one before's");
}

#[test]
fn there_are_only_so_many() {
    let desk = Desk::private();
    for number in 0..INVITATIONS_MAX {
        fs::write(desk.path(&format!("n{number}.auth")), PublicKey([7; 32]).to_string()).unwrap();
    }
    assert!(matches!(desk.add("alice", Expiry::Never), Err(InvitationError::Full)));
    fs::write(desk.path("n7.expires"), "2001-01-01T00:00:00Z").unwrap();
    desk.add("alice", Expiry::Never).unwrap();
}

#[test]
fn of_many_commands_at_once_each_is_done_and_one_has_the_name() {
    let desk = Desk::private();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..40)
            .map(|number| {
                let desk = &desk;
                // Half of them want the same name.
                let text = if number % 2 == 0 { "same".into() } else { format!("n{number}") };
                scope.spawn(move || desk.add(&text, in_a_day()).is_ok())
            })
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|done| **done).count(), 21);
    assert_eq!(desk.names().len(), 21);
}

#[test]
fn while_a_command_works_the_room_does_not_wait() {
    let desk = Desk::private();
    let lock = desk.files.lock().unwrap();
    assert!(matches!(desk.files.look(SystemTime::now()).unwrap(), Look::Busy));
    drop(lock);
    assert!(desk.found(SystemTime::now()).invitations.is_empty());
}

#[test]
fn what_has_expired_is_listed_for_a_day_and_what_was_left_unfinished_goes() {
    let desk = Desk::private();
    desk.add("alice", in_a_day()).unwrap();
    desk.add("bob", Expiry::Never).unwrap();
    desk.files.remove(&name("bob"), true).unwrap();
    fs::write(desk.path(".new-abc"), "half").unwrap();
    let now = SystemTime::now();
    let found = desk.found(now + DAY + DAY / 2);
    assert!(found.stay.contains(&name("bob")) && found.invitations.len() == 1);
    let found = desk.found(now + 3 * DAY);
    assert!(found.stay.is_empty() && found.invitations.len() == 1, "gone with this look");
    assert!(desk.found(now).invitations.is_empty());
    let mut left: Vec<_> = fs::read_dir(desk.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["lock"]);
}

#[test]
fn what_cannot_be_read_counts_for_nothing_and_hangs_nothing() {
    let desk = Desk::private();
    let key = PublicKey([7; 32]).to_string();
    fs::write(desk.path("cut.auth"), &key[..40]).unwrap();
    fs::write(desk.path("binary.auth"), [0xff; 4096]).unwrap();
    fs::write(desk.path("Not-A-Name.auth"), &key).unwrap();
    fs::write(desk.path("late.auth"), &key).unwrap();
    fs::write(desk.path("late.expires"), "soon").unwrap();
    fs::create_dir(desk.path("directory.auth")).unwrap();
    #[cfg(unix)]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, desk.path("pipe.auth"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    }
    let found = desk.found(SystemTime::now());
    assert_eq!(found.strange, 1);
    let good = |it: &&Invitation| it.key.is_some() && !it.expiry.is_over(SystemTime::now());
    assert_eq!(found.invitations.iter().filter(good).count(), 0);
    assert_eq!(found.invitations.len(), if cfg!(unix) { 5 } else { 4 });
}

#[cfg(unix)]
#[test]
fn the_files_are_private_and_so_must_the_directory_be() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::private();
    desk.add("alice", in_a_day()).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(desk.path("")), mode(desk.path("alice.auth")), mode(desk.path("alice.expires"))),
        (0o700, 0o600, 0o600)
    );
    fs::set_permissions(&desk.data, PermissionsExt::from_mode(0o755)).unwrap();
    let refused = Invitations::of_room(&desk.data).unwrap_err().to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
}
