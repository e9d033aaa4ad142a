//! The task, with the room's log in memory, a clock that is paused, and files.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::config::HistorySettings;
use crate::log::{MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::{Act, Hello, MessageId};

const DAY: u64 = 24 * 60 * 60;
const START: i64 = 1_800_000_000;

/// The paused clock, and by how much the time of day is off.
struct Paused {
    since: Instant,
    wall: Arc<AtomicI64>,
}

impl Clocks for Paused {
    fn wall(&self) -> u64 {
        let now = self.wall.load(Ordering::Relaxed) + self.since.elapsed().as_secs().cast_signed();
        u64::try_from(now).unwrap_or(0)
    }

    fn passed(&self) -> Duration {
        self.since.elapsed()
    }
}

/// A room with a watch over it.
struct Watched {
    room: Room,
    wiping: Wiping,
    directory: TempDir,
    wall: Arc<AtomicI64>,
    confirm: Confirm,
    closing: CancellationToken,
    task: JoinHandle<()>,
}

impl Watched {
    async fn open() -> Self {
        let retention = Retention { messages: 100, bytes: 0, age: None };
        let log = Arc::new(MemoryLog::new(retention).unwrap());
        let settings = RoomSettings::default();
        let room = Room::open(&settings, &HistorySettings::default(), log).await.unwrap();
        Self::over(room, tempfile::tempdir().unwrap(), Arc::new(START.into())).await
    }

    async fn over(room: Room, directory: TempDir, wall: Arc<AtomicI64>) -> Self {
        let settings = RoomSettings { wipe_after_days: 30, wipe_address: true, ..RoomSettings::default() };
        let (wiping, closing) = (Wiping::new(None), CancellationToken::new());
        let clocks = Box::new(Paused { since: Instant::now(), wall: Arc::clone(&wall) });
        let begun = Watch::begin_with(&settings, directory.path(), &room, &wiping, clocks).await;
        let (confirm, watch) = begun.unwrap();
        let task = tokio::spawn(watch.follow(closing.clone()));
        Self { room, wiping, directory, wall, confirm, closing, task }
    }

    /// Closes the room, and opens it again so much later.
    async fn again(self, later: u64) -> Self {
        self.closing.cancel();
        self.task.await.unwrap();
        self.wall.fetch_add(later.cast_signed(), Ordering::Relaxed);
        Self::over(self.room, self.directory, self.wall).await
    }

    /// Lets so much time pass at once, and the task look.
    async fn pass(&self, seconds: u64) {
        advance(Duration::from_secs(seconds.saturating_sub(10))).await;
        self.look_for(10).await;
    }

    /// Lets so much time pass, in which the task looks every ten seconds. The paused clock waits for the files.
    async fn look_for(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds) + Duration::from_millis(1)).await;
    }

    /// A guest with this role.
    async fn guest(&self, role: Role) -> GuestId {
        let id = self.room.join_stateless(Hello::default()).await.unwrap().welcome.guest.id;
        let target = Target { of: id, name: None };
        self.room.govern(Act::Role { target, role, link: None }).await.unwrap();
        id
    }

    async fn acts(&self, guest: GuestId) {
        let id = MessageId::parse(&guest.0.to_string()).unwrap();
        self.room.act_stateless(guest, id, Act::Slow { seconds: 0 }).await.unwrap();
    }

    fn standing(&self) -> Confirmation {
        self.wiping.confirmation().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_no_host_confirms_is_wiped_an_hour_after_its_days() {
    let watched = Watched::open().await;
    watched.look_for(10).await;
    assert!(watched.directory.path().join("confirmed").exists());
    watched.pass(23 * DAY).await;
    assert!(watched.standing().soon && !watched.standing().overdue);
    watched.pass(8 * DAY).await;
    assert!(watched.standing().overdue && watched.standing().seconds_left <= 3600);
    watched.look_for(3500).await;
    assert_eq!(watched.wiping.now(), None);
    watched.look_for(120).await;
    assert_eq!(watched.wiping.now(), Some(Wipe { address: true, by: WipedBy::Unconfirmed }));
}

#[tokio::test(start_paused = true)]
async fn acts_of_hosts_confirm_it_and_no_others() {
    let watched = Watched::open().await;
    watched.pass(20 * DAY).await;
    let left = watched.standing().seconds_left;
    // The terminal's, which may be a script's, and a moderator's.
    watched.room.govern(Act::Slow { seconds: 0 }).await.unwrap();
    let moderator = watched.guest(Role::Moderator).await;
    watched.acts(moderator).await;
    watched.look_for(20).await;
    assert!(watched.standing().seconds_left < left);
    let host = watched.guest(Role::Host).await;
    watched.acts(host).await;
    watched.look_for(20).await;
    assert!(watched.standing().seconds_left > 29 * DAY);
    // At the last moment, too.
    watched.pass(31 * DAY).await;
    watched.look_for(3570).await;
    assert!(watched.standing().overdue);
    let host = watched.guest(Role::Host).await;
    watched.acts(host).await;
    watched.look_for(120).await;
    assert_eq!((watched.standing().overdue, watched.wiping.now()), (false, None));
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_is_on_the_disk_and_lasts_over_a_restart() {
    let mut watched = Watched::open().await;
    watched = watched.again(31 * DAY).await;
    watched.look_for(1800).await;
    assert!(watched.standing().overdue && watched.standing().seconds_left < 1900);
    watched.confirm.confirm().await.unwrap();
    assert!(!watched.standing().overdue);
    watched = watched.again(29 * DAY).await;
    watched.look_for(20).await;
    assert!(watched.standing().soon && !watched.standing().overdue);
    // Restarts go on with the hour.
    watched = watched.again(2 * DAY).await;
    watched.look_for(2400).await;
    watched = watched.again(5).await;
    watched.look_for(10).await;
    assert!(watched.standing().seconds_left < 1300, "{:?}", watched.standing());
    watched.look_for(1300).await;
    assert!(watched.wiping.now().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_that_cannot_be_written_counts_until_the_room_closes() {
    let watched = Watched::open().await;
    watched.pass(31 * DAY).await;
    fs::create_dir(watched.directory.path().join("confirmed.new")).unwrap();
    let refused = watched.confirm.confirm().await.unwrap_err();
    assert!(refused.contains("cannot be written"), "{refused}");
    watched.look_for(7200).await;
    assert_eq!((watched.standing().overdue, watched.wiping.now()), (false, None));
    let watched = watched.again(0).await;
    watched.look_for(10).await;
    assert!(watched.standing().overdue);
}
