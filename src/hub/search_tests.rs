use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::config::HistorySettings;
use crate::hub::searches::Searches;
use crate::hub::tests::{publish_one, unlimited};
use crate::log::sqlite::Synchronous;
use crate::log::{Entry, Log, MemoryLog, Retention, SqliteLog};
use crate::protocol::search::Query;
use crate::protocol::{
    Act, Body, CircuitId, Code, GuestId, HistoryRequest, MessageId, Name, Place, Record, Say,
};

const ALL: Retention = Retention { messages: 1_000_000, bytes: 0, age: None };

fn entry(author: u64, number: usize, text: &str) -> Entry {
    let (id, name) = (MessageId::parse(&format!("m{number}")).unwrap(), Name::parse("Ann").unwrap());
    Entry { at: 0, author: GuestId(author), id, body: Body::Message { name, text: text.into() } }
}

async fn room(log: Arc<dyn Log>) -> Room {
    Room::open(&unlimited(), &HistorySettings::default(), log).await.unwrap()
}

fn search(text: &str, before: Option<u64>, limit: usize) -> SearchRequest {
    SearchRequest { query: Query::parse(text, true).unwrap(), from: None, before, limit }
}

/// A search with a turn of its own: the budgets are tried elsewhere.
async fn in_turn(room: &Room, request: SearchRequest) -> Found {
    let turn = Arc::new(Searches::default()).turn(CircuitId(1)).await.unwrap();
    room.search_in_turn(turn, request).await.unwrap()
}

fn numbers(messages: &[Annotated]) -> Vec<u64> {
    messages.iter().map(|message| message.record.seq).collect()
}

/// All that is found by going on until nothing is left, and how many requests that took.
async fn search_all(room: &Room, text: &str, limit: usize) -> (Vec<u64>, usize) {
    let (mut found, mut before, mut requests) = (Vec::new(), None, 0);
    loop {
        let page = in_turn(room, search(text, before, limit)).await;
        assert!(page.messages.iter().all(|one| one.record.seq > page.after && one.record.seq < page.before));
        assert!(before.is_none_or(|before| before == page.before), "{before:?} {page:?}");
        found.extend(numbers(&page.messages));
        requests += 1;
        before = Some(page.after + 1);
        if page.after == 0 {
            return (found, requests);
        }
    }
}

#[tokio::test]
async fn the_newest_are_found_first_and_the_next_request_goes_on() {
    let log = Arc::new(MemoryLog::new(ALL).unwrap());
    let texts = ["Green tea", "coffee", "green TEA", "more tea", "water"];
    log.append((0..).zip(texts).map(|(number, text)| entry(7, number, text)).collect()).await.unwrap();
    let room = room(log).await;
    let page = room.search(search("tea", None, 2)).await.unwrap();
    assert_eq!((page.before, page.after, numbers(&page.messages)), (6, 2, vec![4, 3]));
    let page = room.search(search("tea", Some(3), 2)).await.unwrap();
    assert_eq!((page.before, page.after, numbers(&page.messages)), (3, 0, vec![1]));
    assert_eq!(search_all(&room, "\"green tea\"", 1).await.0, [3, 1]);
    let from = |from, text| SearchRequest { from: Some(GuestId(from)), ..search(text, None, 9) };
    assert_eq!(numbers(&room.search(from(7, "tea")).await.unwrap().messages), [4, 3, 1]);
    assert_eq!(numbers(&room.search(from(7, "")).await.unwrap().messages), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&room.search(from(8, "tea")).await.unwrap().messages), [] as [u64; 0]);
}

/// What one request takes is bounded, however long the log and its texts are.
#[tokio::test]
async fn a_request_looks_at_no_more_than_it_may() {
    let long = "x ".repeat(2048);
    for (texts, messages) in [("short", LOOKED_MAX * 2 + 5), (long.as_str(), 2500)] {
        let log = Arc::new(MemoryLog::new(ALL).unwrap());
        log.append((0..messages).map(|number| entry(7, number, texts)).collect()).await.unwrap();
        log.append(vec![entry(7, messages, "needle")]).await.unwrap();
        let room = room(log).await;
        let page = room.search(search("nowhere", None, 9)).await.unwrap();
        let looked = (page.before - 1 - page.after) as usize;
        assert!(
            looked <= LOOKED_MAX && looked * texts.len() < LOOKED_BYTES_MAX + 2 * 4096 * PAGE,
            "{looked}"
        );
        let (found, requests) = search_all(&room, "nowhere", 9).await;
        assert_eq!((found.len(), requests), (0, 3));
        // An answer is bounded, too.
        let page = room.search(search(&texts[..1], None, 200)).await.unwrap();
        assert!(page.event().encode().len() < 2 * BATCH_BYTES, "{}", page.messages.len());
        assert_eq!(search_all(&room, "needle", 9).await.0, [messages as u64 + 1]);
    }
}

/// What is deleted while it is searched for is not in an answer after the act.
#[tokio::test]
async fn what_was_deleted_or_held_is_not_found() {
    let log = Arc::new(MemoryLog::new(ALL).unwrap());
    let room = room(log).await;
    let join = room.join(Hello::default()).await.unwrap();
    for id in ["a", "b", "c"] {
        let say = Say { id: MessageId::parse(id).unwrap(), text: format!("tea {id}"), reply: None };
        publish_one(&room, &join.seat, say).await.unwrap();
    }
    room.govern(Act::Delete { messages: vec![2], own: false }).await.unwrap();
    assert_eq!(search_all(&room, "tea", 9).await.0, [3, 1]);
    // It was found before it was deleted: the answer is looked at again.
    let found = room.search(search("tea", None, 9)).await.unwrap().messages;
    let mut found: Vec<Record> = found.into_iter().map(|message| message.record).collect();
    room.govern(Act::Delete { messages: vec![3], own: false }).await.unwrap();
    found = room.still_kept(found).await.unwrap();
    assert_eq!(found.iter().map(|message| message.seq).collect::<Vec<_>>(), [1]);
    room.govern(Act::Words { words: Some(vec!["scam".into()]), count: None }).await.unwrap();
    let say = Say { id: MessageId::parse("d").unwrap(), text: "tea scam".into(), reply: None };
    publish_one(&room, &join.seat, say).await.unwrap();
    assert_eq!(search_all(&room, "tea", 9).await.0, [1], "what waits is its author's alone");
    let held = room.held(GuestId::ROOM).await.unwrap().messages[0].seq;
    room.govern(Act::Release { messages: vec![held] }).await.unwrap();
    let (again, _) = search_all(&room, "tea", 9).await;
    assert_eq!(again.len(), 2, "{again:?}");
}

/// Guards against results with a text that its author has changed, wherever the request that finds it begins.
#[tokio::test]
async fn what_was_edited_is_found_by_its_newest_text() {
    let log = Arc::new(MemoryLog::new(ALL).unwrap());
    let room = room(log).await;
    let join = room.join(Hello::default()).await.unwrap();
    for (id, text) in [("a", "green tea"), ("b", "black tea")] {
        let say = Say { id: MessageId::parse(id).unwrap(), text: text.into(), reply: None };
        publish_one(&room, &join.seat, say).await.unwrap();
    }
    for (id, text) in [("c", "coffee"), ("d", "cocoa")] {
        let edit = Act::Edit { message: 1, text: text.into() };
        room.act(&join.seat, MessageId::parse(id).unwrap(), edit).await.unwrap();
    }
    for before in [None, Some(2), Some(3), Some(4)] {
        let found = async |text| room.search(search(text, before, 9)).await.unwrap().messages;
        let now = found("cocoa").await;
        assert_eq!((numbers(&now), now[0].edited), (vec![1], true), "before {before:?}");
        for gone in ["green", "coffee"] {
            assert_eq!(numbers(&found(gone).await), [] as [u64; 0], "{gone} before {before:?}");
        }
    }
    assert_eq!(search_all(&room, "tea", 9).await.0, [2]);
}

#[tokio::test]
async fn a_search_that_is_not_waited_for_ends_and_gives_its_turn_back() {
    let log = Arc::new(MemoryLog::new(ALL).unwrap());
    log.append((0..5000).map(|number| entry(7, number, "text")).collect()).await.unwrap();
    let room = room(log).await;
    let ann = room.on(CircuitId(1));
    let other = room.shared().searches.turn(CircuitId(9)).await.unwrap();
    let mut asked = Box::pin(ann.search(search("x", None, 9)));
    assert!(asked.as_mut().now_or_never().is_none());
    assert_eq!(ann.search(search("x", None, 9)).await.unwrap_err().code, Code::TooFast);
    drop(other);
    // Perhaps with a page that is being looked at.
    let _ = asked.as_mut().now_or_never();
    drop(asked);
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(refusal) = ann.search(search("x", None, 9)).await {
        assert!(refusal.code == Code::TooFast && tokio::time::Instant::now() < until, "{refusal:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_guest_without_a_seat_gets_no_answer() {
    let log = Arc::new(MemoryLog::new(ALL).unwrap());
    let room = room(log).await;
    let token = room.join_stateless(Hello::default()).await.unwrap().welcome.token;
    let hello = Hello { token: Some(token.clone()), ..Hello::default() };
    let (found, _) = room.search_stateless(hello.clone(), search("x", None, 9)).await.unwrap();
    assert_eq!((found.before, found.after), (1, 0));
    room.govern(Act::Lock { locked: true }).await.unwrap();
    let newcomer = room.search_stateless(Hello::default(), search("x", None, 9)).await;
    assert_eq!(newcomer.unwrap_err().code, Code::Locked);
    // Put out while it is under way: their turn comes after another search.
    let other = room.shared().searches.turn(CircuitId(9)).await.unwrap();
    let mut asked = Box::pin(room.search_stateless(hello, search("x", None, 9)));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut asked).await.is_err());
    room.leave(room.touch(&token).await.unwrap().unwrap().welcome.guest.id);
    drop(other);
    assert_eq!(asked.await.unwrap_err().code, Code::TakenOver);
}

#[tokio::test]
async fn pages_go_both_ways_and_meet() {
    // The middle was trimmed: most of what one author said.
    let log = Arc::new(MemoryLog::new(Retention { messages: 40, ..ALL }).unwrap());
    let authors = [[1; 10], [2; 10], [3; 10]].concat();
    log.append((0..).zip(authors).map(|(number, author)| entry(author, number, "old")).collect())
        .await
        .unwrap();
    log.append((100..160).map(|number| entry(4, number, "new")).collect()).await.unwrap();
    let kept: Vec<u64> = log.read(0, 1000).await.unwrap().iter().map(|message| message.seq).collect();
    let room = room(log).await;
    let page = async |place, limit| room.history(HistoryRequest { place, limit }).await.unwrap();
    for limit in 1..kept.len() + 2 {
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let page = page(Place::After(after), limit).await;
            assert!(page.after == after && page.before > after && page.messages.len() <= limit);
            seen.extend(numbers(&page.messages));
            if page.before > 90 {
                break;
            }
            after = page.before - 1;
        }
        assert_eq!(seen, kept, "{limit}");
        for around in [1, 10, 35, 60, 90, 200] {
            let page = page(Place::Around(around), limit).await;
            let within: Vec<u64> =
                kept.iter().copied().filter(|seq| *seq > page.after && *seq < page.before).collect();
            assert_eq!(numbers(&page.messages), within, "{around} {limit}");
            assert!(
                within.len() <= limit && page.after < around && page.before > around.min(90),
                "{around} {limit}"
            );
            assert!(!kept.contains(&around) || within.contains(&around), "{around} {limit}");
        }
    }
    let beyond = page(Place::After(95), 9).await;
    assert_eq!((beyond.after, beyond.before, beyond.messages.len()), (95, 96, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A search over pages finds what a look at each kept text finds, in memory and on disk, while the oldest are trimmed.
    #[test]
    fn it_finds_what_is_there(
        texts in prop::collection::vec((1u64..4, "[aAbÀ ]{1,6}"), 0..600),
        query in "[abÁ]{1,2}( [ab])?",
        from in prop::option::of(1u64..4),
        limit in 5usize..90,
        kept in 1usize..900,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let retention = Retention { messages: kept, ..ALL };
            let disk = SqliteLog::open(&directory.path().join("log"), retention, Synchronous::Normal).unwrap();
            let logs: [Arc<dyn Log>; 2] = [Arc::new(MemoryLog::new(retention).unwrap()), Arc::new(disk)];
            for log in logs {
                let entries = texts.iter().enumerate().map(|(number, (author, text))| entry(*author, number, text));
                log.append(entries.collect()).await.unwrap();
                let parsed = Query::parse(&query, false).unwrap();
                let is_wanted = |record: &Record| {
                    let (_, text) = record.body.said().unwrap();
                    from.is_none_or(|from| record.author == GuestId(from)) && parsed.is_in(text, &mut Folder::default())
                };
                let all = log.read(0, usize::MAX).await.unwrap();
                let wanted: Vec<u64> = all.iter().rev().filter(|one| is_wanted(one)).map(|one| one.seq).collect();
                let room = room(log).await;
                let (mut found, mut before) = (Vec::new(), None);
                loop {
                    let from = from.map(GuestId);
                    let page = in_turn(&room, SearchRequest { from, ..search(&query, before, limit) }).await;
                    found.extend(numbers(&page.messages));
                    if page.after == 0 {
                        break;
                    }
                    before = Some(page.after + 1);
                }
                assert_eq!(found, wanted);
            }
        });
    }
}
