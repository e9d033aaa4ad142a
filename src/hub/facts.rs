//! What a room tells of itself to those who are not in it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Says that something is to be told of a room.
#[derive(Debug, Clone, Default)]
pub(super) struct Changed(Arc<Notify>);

impl Changed {
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }

    /// Completes when something was told since this completed last. For one caller.
    pub(super) async fn told(&self) {
        self.0.notified().await;
    }
}

/// What a room tells of itself: kept up to date by its task, and read without asking it.
#[derive(Debug)]
pub struct Facts {
    name: String,
    head: AtomicU64,
    said: AtomicU64,
    guests: AtomicUsize,
    title: Mutex<Arc<str>>,
    changed: Changed,
}

impl Facts {
    pub(super) fn new(changed: &Changed, name: &str, title: &str, head: u64, said: u64) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            head: AtomicU64::new(head),
            said: AtomicU64::new(said),
            guests: AtomicUsize::new(0),
            title: Mutex::new(Arc::from(title)),
            changed: changed.clone(),
        })
    }

    /// The room's name in addresses.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of its newest entry; 0 if there is none.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Relaxed)
    }

    /// How many messages were said in it so far.
    pub fn said(&self) -> u64 {
        self.said.load(Ordering::Relaxed)
    }

    /// How many guests are in it.
    pub fn guests(&self) -> usize {
        self.guests.load(Ordering::Relaxed)
    }

    /// Its title for people.
    pub fn title(&self) -> Arc<str> {
        Arc::clone(&self.title.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is the case now. Only the room's task calls it.
    pub(super) fn tell(&self, head: u64, said: u64, guests: usize, title: &str) {
        let mut changed = self.head.swap(head, Ordering::Relaxed) != head;
        changed |= self.said.swap(said, Ordering::Relaxed) != said;
        changed |= self.guests.swap(guests, Ordering::Relaxed) != guests;
        let mut shown = self.title.lock().unwrap_or_else(PoisonError::into_inner);
        if **shown != *title {
            *shown = Arc::from(title);
            changed = true;
        }
        if changed {
            self.changed.tell();
        }
    }
}
