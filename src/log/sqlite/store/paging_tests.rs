use rusqlite::Connection;

use crate::log::contract::{entry, message};
use crate::log::sqlite::tests::{KEEP, file, open};
use crate::log::{Entry, Log, LogPage, RoomState};
use crate::protocol::{Act, Body, GuestId};

fn numbers(page: LogPage) -> Vec<u64> {
    (page.open)().iter().map(|record| record.seq).collect()
}

#[tokio::test]
async fn long_entries_make_a_page_short_and_it_has_one_at_least() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    let long = |id: &str, bytes| Entry { body: message("x".repeat(bytes)), ..entry(1, id) };
    log.append(vec![long("a", 10), long("b", 100_000), long("c", 300_000), long("d", 200_000), long("e", 9)])
        .await
        .unwrap();
    for (before, after, found) in [(6, 2, vec![3, 4, 5]), (4, 2, vec![3]), (3, 0, vec![1, 2])] {
        let page = log.page_before(before, 9).await.unwrap();
        assert_eq!((page.after, numbers(page)), (after, found));
    }
}

/// A key that was erased while a page was not opened yet: the page has what it has read, and the next one has not.
#[tokio::test]
async fn what_is_erased_is_in_no_later_page() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.state(RoomState::new("Tea")).await.unwrap();
    log.append((0..5).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let before = log.page_before(9, 9).await.unwrap();
    let delete = Body::Act(Act::Delete { messages: vec![2, 4], own: false });
    log.append(vec![Entry { author: GuestId::ROOM, body: delete, ..entry(1, "delete") }]).await.unwrap();
    let after = log.page_before(9, 9).await.unwrap();
    assert_eq!((numbers(before), numbers(after)), (vec![1, 2, 3, 4, 5], vec![1, 3, 5, 6]));
}

/// One row that cannot be read is missing, and no reason to refuse the others.
#[tokio::test]
async fn damaged_rows_are_passed_over() {
    let (_directory, path) = file();
    let log = open(&path, KEEP).unwrap();
    log.append((0..6).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    drop(log);
    for (damage, left) in [
        ("UPDATE messages SET sealed = x'00' WHERE seq = 3", vec![1, 2, 4, 5, 6]),
        ("UPDATE messages SET id = 'not an id!' WHERE seq = 2", vec![1, 4, 5, 6]),
    ] {
        Connection::open(&path).unwrap().execute(damage, []).unwrap();
        let log = open(&path, KEEP).unwrap();
        assert_eq!(numbers(log.page_before(9, 9).await.unwrap()), left);
    }
}
