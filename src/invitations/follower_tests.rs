#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::{DIRECTORY, Expiry, InviteeName, PublicKey};
use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Desk {
    _outer: TempDir,
    data: PathBuf,
    files: Invitations,
    follower: Follower,
}

impl Desk {
    fn start(restricted: bool) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("room");
        let files = Invitations::of_room(&data).unwrap();
        let follower = Follower::start(&data, restricted).unwrap();
        Self { _outer: outer, data, files, follower }
    }

    fn add(&self, text: &str, byte: u8, expiry: Expiry) {
        self.files.add(&name(text), &PublicKey([byte; 32]), expiry).unwrap();
    }

    /// Looks, at a time so much later than now, and answers with whether the room is private, how many are invited, and
    /// how often circuits were closed.
    fn look(&mut self, later: Duration) -> (bool, usize, u64) {
        let now = SystemTime::now() + later;
        let look = self.files.look(now);
        self.follower.take(look, now);
        let access = self.follower.access();
        let access = access.borrow();
        (access.is_private(), access.keys(), access.closings)
    }
}

fn name(text: &str) -> InviteeName {
    text.parse().unwrap()
}

const NOW: Duration = Duration::ZERO;

#[test]
fn a_room_becomes_private_at_the_first_invitation_and_open_never_again() {
    let mut desk = Desk::start(false);
    assert_eq!(desk.look(NOW), (false, 0, 0));
    desk.files.make_private().unwrap();
    assert_eq!(desk.look(NOW), (true, 0, 1), "those who were inside have to come in again");
    desk.add("alice", 1, Expiry::Never);
    assert_eq!(desk.look(NOW), (true, 1, 1), "no circuit is closed for one who is new");
    desk.files.remove(&name("alice"), false).unwrap();
    assert_eq!(desk.look(NOW), (true, 0, 2));
    fs::remove_dir_all(desk.data.join(DIRECTORY)).unwrap();
    assert_eq!(desk.look(NOW), (true, 0, 2), "nor because files are lost");
}

#[test]
fn what_is_there_at_the_start_counts_at_once() {
    let desk = Desk::start(true);
    desk.add("alice", 1, Expiry::Never);
    desk.add("bob", 2, Expiry::At(SystemTime::UNIX_EPOCH));
    for restricted in [false, true] {
        let again = Follower::start(&desk.data, restricted).unwrap();
        let access = again.access().borrow().clone();
        assert_eq!((access.is_private(), access.keys(), access.closings), (true, 1, 0));
    }
}

#[test]
fn a_removal_closes_circuits_unless_it_was_said_not_to() {
    let mut desk = Desk::start(true);
    for (text, byte) in [("alice", 1), ("bob", 2), ("carol", 3)] {
        desk.add(text, byte, Expiry::Never);
    }
    assert_eq!(desk.look(NOW), (true, 3, 0));
    desk.files.remove(&name("alice"), true).unwrap();
    assert_eq!(desk.look(NOW), (true, 2, 0));
    desk.files.remove(&name("bob"), true).unwrap();
    desk.files.remove(&name("carol"), false).unwrap();
    assert_eq!(desk.look(NOW), (true, 0, 1));
}

#[test]
fn another_key_under_the_same_name_is_another_invitation() {
    let mut desk = Desk::start(true);
    desk.add("alice", 1, Expiry::Never);
    desk.look(NOW);
    for stay in [false, true] {
        desk.files.remove(&name("alice"), stay).unwrap();
        desk.add("alice", 2 + u8::from(stay), Expiry::Never);
        assert_eq!(desk.look(NOW), (true, 1, 1 + u64::from(stay)));
    }
}

#[test]
fn an_invitation_expires_on_time_also_when_the_files_cannot_be_read() {
    let mut desk = Desk::start(true);
    desk.add("alice", 1, Expiry::At(SystemTime::now() + DAY));
    desk.add("bob", 2, Expiry::Never);
    assert_eq!(desk.look(DAY / 2), (true, 2, 0));
    let now = SystemTime::now() + DAY + DAY / 2;
    desk.follower.take(Ok(Look::Busy), now);
    assert_eq!(desk.follower.access().borrow().keys(), 1);
    assert_eq!(desk.look(DAY + DAY / 2), (true, 1, 1));
    // The clock was wrong, and is set right.
    assert_eq!(desk.look(NOW), (true, 2, 1));
}

#[test]
fn a_fault_changes_nothing_and_is_no_reason_to_open() {
    let mut desk = Desk::start(true);
    desk.add("alice", 1, Expiry::Never);
    desk.look(NOW);
    let directory = desk.data.join(DIRECTORY);
    fs::remove_file(directory.join("lock")).unwrap();
    fs::create_dir(directory.join("lock")).unwrap();
    assert!(desk.files.look(SystemTime::now()).is_err());
    assert_eq!(desk.look(NOW), (true, 1, 0));
    assert!(
        Follower::start(&desk.data, false).is_err(),
        "a room that cannot know who is invited does not open"
    );
}
