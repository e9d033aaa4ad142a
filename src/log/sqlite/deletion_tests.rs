//! Deleted messages on the disk: with the act or not at all, and no key of them once the act has an answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::erasure_tests::{bytes, contains, keep, keys, killed};
use super::fault::LOOK;
use super::store::Store;
use super::tests::file;
use super::{Retention, SqliteLog, Synchronous};
use crate::log::contract::erasing::{act, delete, delete_all, edit, pin, react};
use crate::log::contract::holding::{held, released};
use crate::log::contract::{entry, sequence};
use crate::log::{Entry, Log, MemoryLog, RoomState};
use crate::protocol::Act;

fn store(path: &std::path::Path, retention: Retention) -> Store {
    let mut store = Store::open(path, retention, Synchronous::Normal, &Arc::default()).unwrap();
    store.state(RoomState::new("tea")).unwrap();
    store
}

fn numbers(store: &mut Store) -> BTreeSet<u64> {
    store.read(0, usize::MAX).unwrap().into_iter().map(|record| record.seq).collect()
}

/// Without a trim, and without waiting for one.
#[test]
fn the_keys_of_what_is_deleted_are_gone_when_the_act_is_answered() {
    let (directory, path) = file();
    let mut store = store(&path, keep(100));
    store.append((0..20).map(|id| entry(1 + id % 2, &id.to_string())).collect()).unwrap();
    store.append(vec![pin("pin", 3, 1)]).unwrap();
    let before = keys(directory.path());
    store.append(vec![delete("1", &[3, 8])]).unwrap();
    store.append(vec![delete_all("2", 2)]).unwrap();
    let kept = numbers(&mut store);
    assert_eq!(kept.iter().copied().collect::<Vec<_>>(), [1, 5, 7, 9, 11, 13, 15, 17, 19, 22, 23]);
    let files = bytes(directory.path());
    for (seq, key) in &before {
        assert_eq!(contains(&files, key), kept.contains(seq), "the key of {seq}");
    }
    drop(store);
    let mut again = Store::open(&path, keep(100), Synchronous::Normal, &Arc::default()).unwrap();
    assert_eq!(numbers(&mut again), kept);
    assert_eq!(again.state(RoomState::new("none")).unwrap().acts.len(), 3);
}

/// What waited is erased with the entry that says it, and so is what is released a second time.
#[test]
fn the_keys_of_what_waited_are_gone_when_it_is_released() {
    let (directory, path) = file();
    let mut store = store(&path, keep(100));
    store.append(vec![held(1, "a"), held(1, "b"), held(2, "a")]).unwrap();
    let before = keys(directory.path());
    store.append(vec![released(1, "r1", 1, "a")]).unwrap();
    store.append(vec![delete("d", &[3]), released(1, "r2", 1, "a"), released(2, "r3", 3, "a")]).unwrap();
    assert_eq!(numbers(&mut store).into_iter().collect::<Vec<_>>(), [2, 4, 5]);
    let files = bytes(directory.path());
    for (seq, key) in &before {
        assert_eq!(contains(&files, key), *seq == 2, "the key of {seq}");
    }
    drop(store);
    let mut again = Store::open(&path, keep(100), Synchronous::Normal, &Arc::default()).unwrap();
    assert_eq!(numbers(&mut again).into_iter().collect::<Vec<_>>(), [2, 4, 5]);
    assert!(again.state(RoomState::new("none")).unwrap().is_held(2));
}

/// Of a message that was edited and is deleted nothing is left, and of what is replaced nothing either.
#[test]
fn the_keys_of_edits_go_with_what_replaces_them_and_with_their_message() {
    let (directory, path) = file();
    let mut store = store(&path, keep(1000));
    store.append(vec![entry(1, "a"), entry(1, "b")]).unwrap();
    let mut every_key: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for round in 0..100 {
        store
            .append(vec![edit(1, &format!("e{round}"), 1), react(2, &format!("r{round}"), round % 2 == 0)])
            .unwrap();
        every_key.extend(keys(directory.path()));
    }
    assert_eq!(numbers(&mut store).into_iter().collect::<Vec<_>>(), [1, 2, 201, 202]);
    let files = bytes(directory.path());
    for (seq, key) in &every_key {
        assert_eq!(contains(&files, key), [1, 2, 201, 202].contains(seq), "the key of {seq}");
    }
    store.append(vec![delete("1", &[1]), edit(1, "late", 1)]).unwrap();
    let files = bytes(directory.path());
    for (seq, key) in &every_key {
        assert_eq!(contains(&files, key), *seq == 2, "the key of {seq}");
    }
    drop(store);
    let mut again = Store::open(&path, keep(1000), Synchronous::Normal, &Arc::default()).unwrap();
    assert_eq!(numbers(&mut again).into_iter().collect::<Vec<_>>(), [2, 203]);
    assert!(again.state(RoomState::new("none")).unwrap().annotations.edit(1).is_none());
}

/// The state has the text of the pinned message; each change of it has a key of its own.
#[test]
fn no_earlier_state_is_readable_with_the_pinned_text() {
    for retention in [keep(100), keep(0)] {
        let (directory, path) = file();
        let mut store = store(&path, retention);
        store.append(vec![entry(1, "a"), pin("pin", 1, 1)]).unwrap();
        store.append(vec![act("lock", Act::Lock { locked: true })]).unwrap();
        let slot = |store: &Store| -> u32 {
            store.connection().query_row("SELECT slot FROM state", [], |row| row.get(0)).unwrap()
        };
        let slots = std::fs::read(path.with_extension("keys")).unwrap();
        let key = |slot: u32| slots[64 * (slot as usize + 1) + 8..][..32].to_vec();
        let before = key(slot(&store));
        assert!(contains(&bytes(directory.path()), &before));
        store.append(vec![delete("1", &[1])]).unwrap();
        assert!(!contains(&bytes(directory.path()), &before));
    }
}

/// A kill at any point: what an act deletes is there as long as the act is not, and no longer; and of what is not there no
/// key is left by the next start.
#[test]
fn a_kill_separates_no_act_from_what_it_deletes() {
    let (directory, path) = file();
    let mut store = store(&path, keep(1000));
    let looks: Rc<RefCell<Vec<(&'static str, TempDir)>>> = Rc::default();
    let (seen, place) = (Rc::clone(&looks), directory.path().to_owned());
    LOOK.set(Some(Box::new(move |step| seen.borrow_mut().push((step, killed(&place))))));
    let mut every_key: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut steps = BTreeSet::new();
    for round in 0..6 {
        let said: Vec<Entry> = (0..9).map(|id| entry(id % 3, &format!("{round}-{id}"))).collect();
        store.append(said).unwrap();
        let newest = store.read(0, usize::MAX).unwrap().last().unwrap().seq;
        store.append(vec![pin(&format!("p{round}"), newest, 2)]).unwrap();
        looks.take();
        every_key.extend(keys(directory.path()));
        let before = (numbers(&mut store), store.state(RoomState::new("none")).unwrap());
        let id = format!("d{round}");
        let done = if round % 2 == 0 { delete(&id, &[newest, newest - 4]) } else { delete_all(&id, 1) };
        store.append(vec![entry(1, &format!("{round}-with")), done]).unwrap();
        store.trim(0).unwrap();
        let after = (numbers(&mut store), store.state(RoomState::new("none")).unwrap());
        assert!(before.0.difference(&after.0).count() >= 2);
        for (step, copy) in looks.take() {
            let look = LOOK.take();
            let copied = copy.path().join("messages.sqlite");
            let mut store = Store::open(&copied, keep(1000), Synchronous::Normal, &Arc::default()).unwrap();
            let found = (numbers(&mut store), store.state(RoomState::new("none")).unwrap());
            assert!(found == before || found == after, "after: {step}");
            let files = bytes(copy.path());
            for (seq, key) in &every_key {
                assert_eq!(contains(&files, key), found.0.contains(seq), "the key of {seq} after: {step}");
            }
            drop(store);
            LOOK.set(look);
            steps.insert((step, found == after));
        }
    }
    LOOK.set(None);
    for step in [("rows deleted with their act", false), ("appended", true), ("keys erased", true)] {
        assert!(steps.contains(&step), "{steps:?}");
    }
}

/// Something that is done with a log.
#[derive(Debug, Clone)]
enum Step {
    Say(u64),
    Delete(Vec<u64>),
    DeleteAll(u64),
    Pin(u64),
    Unpin,
    Restart,
    Trim,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u64..4).prop_map(Step::Say),
        2 => prop::collection::vec(1u64..40, 1..4).prop_map(Step::Delete),
        1 => (0u64..4).prop_map(Step::DeleteAll),
        1 => (1u64..40).prop_map(Step::Pin),
        1 => Just(Step::Unpin),
        1 => Just(Step::Restart),
        1 => Just(Step::Trim),
    ]
}

/// What is kept where all is kept that was not deleted: each number with its author, where it is a message.
#[derive(Debug, Default)]
struct Model {
    kept: BTreeMap<u64, Option<u64>>,
    deleted: BTreeSet<u64>,
    pin: Option<(u64, u64, u64)>,
    head: u64,
}

impl Model {
    fn take(&mut self, step: &Step) {
        self.head += 1;
        let head = self.head;
        match step {
            Step::Say(author) => drop(self.kept.insert(head, Some(*author))),
            Step::Delete(messages) => self.delete(|seq, _| messages.contains(&seq)),
            Step::DeleteAll(author) => self.delete(|_, by| by == *author),
            Step::Pin(message) => {
                let gone = self.deleted.contains(message);
                if !gone {
                    self.unpin(|_, _| true);
                    self.pin = Some((head, *message, 1));
                    self.kept.insert(head, None);
                }
            }
            Step::Unpin => {
                self.unpin(|_, _| true);
                self.kept.insert(head, None);
            }
            Step::Restart | Step::Trim => self.head -= 1,
        }
    }

    fn delete(&mut self, of: impl Fn(u64, u64) -> bool) {
        let head = self.head;
        // What is pinned here says that it is of the author 1, whose number it is or not; numbers to come are not deleted.
        self.deleted.extend((1..head).filter(|seq| of(*seq, 1)));
        self.kept.retain(|seq, author| author.is_none_or(|author| !of(*seq, author)));
        self.unpin(of);
        self.kept.insert(head, None);
    }

    fn unpin(&mut self, is_it: impl Fn(u64, u64) -> bool) {
        if let Some((entry, ..)) = self.pin.take_if(|(_, message, by)| is_it(*message, *by)) {
            self.kept.remove(&entry);
        }
    }
}

fn done(step: &Step, id: &str) -> Option<Entry> {
    Some(match step {
        Step::Say(author) => entry(*author, id),
        Step::Delete(messages) => delete(id, messages),
        Step::DeleteAll(author) => delete_all(id, *author),
        Step::Pin(message) => pin(id, *message, 1),
        Step::Unpin => act(id, Act::Unpin),
        Step::Restart | Step::Trim => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is said, deleted, pinned and trimmed in whichever order, and however often the file is opened again: what is
    /// kept is what the model keeps, or with a smaller retention what a log in memory keeps of it.
    #[test]
    fn logs_keep_what_was_not_deleted(steps in prop::collection::vec(step(), 1..40), small in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let retention = keep(if small { 7 } else { 1000 });
            let (directory, path) = file();
            let mut log = Some(SqliteLog::open(&path, retention, Synchronous::Normal).unwrap());
            let memory = MemoryLog::new(retention).unwrap();
            let (mut model, mut every_key) = (Model::default(), BTreeMap::new());
            log.as_ref().unwrap().state(RoomState::new("tea")).await.unwrap();
            memory.state(RoomState::new("tea")).await.unwrap();
            for (number, step) in steps.iter().enumerate() {
                model.take(step);
                if matches!(step, Step::Restart) {
                    drop(log.take());
                }
                let log = log.get_or_insert_with(|| SqliteLog::open(&path, retention, Synchronous::Normal).unwrap());
                match done(step, &number.to_string()) {
                    Some(entry) => {
                        log.append(vec![entry.clone()]).await.unwrap();
                        memory.append(vec![entry]).await.unwrap();
                    }
                    None => log.trim(0).await.unwrap(),
                }
                every_key.extend(keys(directory.path()));
                let kept = sequence(log, 0, 999).await;
                assert_eq!(sequence(&memory, 0, 999).await, kept);
                if small {
                    assert!(kept.iter().all(|seq| model.kept.contains_key(seq)), "{kept:?} of {:?}", model.kept);
                } else {
                    assert_eq!(kept, model.kept.keys().copied().collect::<Vec<_>>());
                }
                let state = RoomState::new("none");
                let states = (log.state(state.clone()).await.unwrap(), memory.state(state).await.unwrap());
                assert_eq!(states.0, states.1);
                if !small {
                    let files = bytes(directory.path());
                    let readable = every_key.iter().filter(|(_, key)| contains(&files, key)).map(|(seq, _)| *seq);
                    assert_eq!(readable.collect::<Vec<u64>>(), kept);
                }
            }
        });
    }
}
