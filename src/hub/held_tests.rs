//! Words that are kept out: who sees a message that waits, and what becomes of it.

use std::sync::Arc;

use serde_json::Value;

use super::tests::{drain, publish_one, unlimited};
use super::{Join, Published, Reader, Room};
use crate::config::HistorySettings;
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Act, CircuitId, Code, GuestId, Hello, MessageId, Name, Refusal, Role, Say};

struct Scene {
    log: Arc<MemoryLog>,
    room: Room,
    host: Join,
    guest: Join,
}

impl Scene {
    /// A room with a moderator and a guest, that keeps "scam" out.
    async fn open() -> Self {
        let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
        let room = Self::room(&log).await;
        let host = room.on(CircuitId(1)).join(hello("Hanna")).await.unwrap();
        let guest = room.on(CircuitId(2)).join(hello("Gus")).await.unwrap();
        let role = Act::Role { target: target(&host), role: Role::Moderator, link: None };
        room.govern(role).await.unwrap();
        room.govern(words(&["scam"])).await.unwrap();
        Self { log, room, host, guest }
    }

    async fn room(log: &Arc<MemoryLog>) -> Room {
        let log: Arc<dyn Log> = Arc::clone(log) as _;
        Room::open(&unlimited(), &HistorySettings::default(), log).await.unwrap()
    }

    async fn says(&self, join: &Join, id: &str, text: &str) -> Result<Published, Refusal> {
        self.room.publish_stateless(join.welcome.guest.id, say(id, text)).await
    }

    async fn release(&self, id: &str, messages: &[u64]) -> Result<u64, Refusal> {
        let act = Act::Release { messages: messages.to_vec() };
        self.room.act(&self.host.seat, MessageId::parse(id).unwrap(), act).await.map(|done| done.seq)
    }

    /// The numbers of those that wait.
    async fn waiting(&self) -> Vec<u64> {
        let waiting = self.room.held(GuestId::ROOM).await.unwrap();
        waiting.messages.iter().map(|record| record.seq).collect()
    }
}

fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn say(id: &str, text: &str) -> Say {
    Say { id: MessageId::parse(id).unwrap(), text: text.to_owned(), reply: None }
}

fn target(join: &Join) -> Target {
    Target { of: join.welcome.guest.id, name: None }
}

fn words(words: &[&str]) -> Act {
    Act::Words { words: Some(words.iter().map(|word| (*word).to_owned()).collect()), count: None }
}

/// `message 3 a`, `unknown 4 held`, …
fn short(events: &[Value]) -> Vec<String> {
    let text = |event: &Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let what = |event: &Value| match event["type"].as_str().unwrap() {
        "message" => text(event, "id"),
        "unknown" => text(event, "kind"),
        _ => text(event, "act"),
    };
    events.iter().map(|event| format!("{} {} {}", text(event, "type"), event["seq"], what(event))).collect()
}

const HELD: fn(u64) -> Published = |seq| Published { seq, held: true };
const SAID: fn(u64) -> Published = |seq| Published { seq, held: false };

#[tokio::test]
async fn a_message_waits_and_is_said_when_it_is_released() {
    let scene = Scene::open().await;
    let mut live = Reader::new(&scene.room, &scene.host, Some(2));
    assert_eq!(scene.says(&scene.guest, "a", "A ѕсаm, surely").await.unwrap(), HELD(3));
    assert_eq!(scene.says(&scene.guest, "b", "tea?").await.unwrap(), SAID(4));
    assert_eq!(scene.says(&scene.guest, "a", "A ѕсаm, surely").await.unwrap(), HELD(3), "sent again");
    assert_eq!(scene.says(&scene.host, "a", "No scam here").await.unwrap(), SAID(5));
    let events = drain(&mut live).await;
    let new = &events[events.len() - 3..];
    assert_eq!(short(new), ["unknown 3 held", "message 4 b", "message 5 a"]);
    assert!(!new[0].to_string().contains("surely") && new[0].get("name").is_none());
    let page = scene.room.history(HistoryRequest::before(9, 9)).await.unwrap().event().encode();
    assert!(!page.contains("surely") && page.contains("\"kind\":\"held\""), "{page}");

    let waiting = scene.room.held_for(&scene.host.seat).await.unwrap();
    assert_eq!(waiting.words, None);
    let told: Value = serde_json::from_str(&waiting.event().encode()).unwrap();
    assert_eq!((&told["type"], &told["messages"][0]["seq"]), (&"held".into(), &3.into()));
    assert_eq!(
        (&told["messages"][0]["name"], &told["messages"][0]["text"]),
        (&"Gus".into(), &"A ѕсаm, surely".into())
    );
    assert_eq!(scene.room.held_for(&scene.guest.seat).await.unwrap_err().code, Code::NotAllowed);

    assert_eq!(scene.release("r", &[3]).await.unwrap(), 6);
    let events = drain(&mut live).await;
    assert_eq!(short(&events), ["message 6 a"]);
    let guest = scene.guest.welcome.guest.id;
    assert_eq!((&events[0]["guest"], &events[0]["text"]), (&guest.0.into(), &"A ѕсаm, surely".into()));
    assert!(scene.waiting().await.is_empty());
    for again in ["r", "r2"] {
        assert_eq!(scene.release(again, &[3]).await.unwrap(), 6, "it was said already");
    }
    assert_eq!(scene.says(&scene.guest, "a", "A ѕсаm, surely").await.unwrap(), SAID(3), "known still");
    assert!(drain(&mut live).await.is_empty());
    scene.room.govern(Act::Pin { message: 6, said: None }).await.unwrap();
    scene.room.govern(Act::Delete { messages: vec![6], own: false }).await.unwrap();
    let late = scene.room.join(hello("Late")).await.unwrap();
    let all = drain(&mut Reader::new(&scene.room, &late, None)).await;
    assert!(!format!("{all:?}").contains("surely"));
}

#[tokio::test]
async fn a_guest_releases_nothing_and_what_is_discarded_is_gone() {
    let scene = Scene::open().await;
    scene.says(&scene.guest, "a", "scam").await.unwrap();
    scene.says(&scene.guest, "b", "scam").await.unwrap();
    let id = MessageId::parse("r").unwrap();
    let refusal = scene.room.act(&scene.guest.seat, id.clone(), Act::Release { messages: vec![3] }).await;
    assert_eq!(refusal.unwrap_err().code, Code::NotAllowed);
    let words = scene.room.act(&scene.host.seat, id, words(&[])).await;
    assert_eq!(words.unwrap_err().code, Code::NotAllowed, "moderators do not choose them");
    scene.room.govern(Act::Delete { messages: vec![3], own: false }).await.unwrap();
    assert_eq!(scene.waiting().await, [4]);
    assert_eq!(scene.release("r2", &[3]).await.unwrap_err().code, Code::NotAllowed);
    assert_eq!(scene.release("r3", &[3, 4]).await.unwrap(), 6, "of several those that wait");
    scene.says(&scene.guest, "c", "scam").await.unwrap();
    scene.room.govern(Act::Kick { target: target(&scene.guest) }).await.unwrap();
    assert!(scene.waiting().await.is_empty());
    assert_eq!(scene.log.read(6, 1).await.unwrap()[0].seq, 8);
}

#[tokio::test]
async fn only_so_many_wait() {
    let scene = Scene::open().await;
    let says = (0..20).map(|id| say(&id.to_string(), "scam")).collect();
    let batch = scene.room.publish(&scene.guest.seat, says).await;
    let refused = batch.results.iter().filter(|result| result.is_err()).count();
    assert_eq!((refused, batch.held.len()), (10, 10), "in one request, too");
    assert_eq!(scene.says(&scene.guest, "x", "scam").await.unwrap_err().code, Code::NotHeld);
    assert!(scene.says(&scene.guest, "3", "scam").await.unwrap().held, "sent again");
    scene.says(&scene.guest, "y", "tea").await.unwrap();
    for circuit in 10..19 {
        let join = scene.room.on(CircuitId(circuit)).join(hello(&format!("G{circuit}"))).await.unwrap();
        for id in 0..10 {
            scene.says(&join, &id.to_string(), "scam").await.unwrap();
        }
    }
    let last = scene.room.on(CircuitId(30)).join(hello("Last")).await.unwrap();
    assert_eq!(scene.says(&last, "a", "scam").await.unwrap_err().code, Code::NotHeld);
    scene.room.govern(Act::DeleteAll { target: target(&scene.guest) }).await.unwrap();
    assert!(scene.says(&last, "a", "scam").await.unwrap().held);
}

/// Guards against a guest whose messages that wait were trimmed, and who may have none wait any more.
#[tokio::test(start_paused = true)]
async fn what_was_trimmed_does_not_wait() {
    let scene = Scene::open().await;
    for id in 0..10 {
        scene.says(&scene.guest, &id.to_string(), "scam").await.unwrap();
    }
    for id in 10..200 {
        scene.says(&scene.guest, &id.to_string(), "tea").await.unwrap();
    }
    assert!(scene.waiting().await.is_empty());
    // Two trims: the second takes note of what the first has found.
    while scene.says(&scene.guest, "x", "scam").await.is_err() {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    }
    assert_eq!(scene.waiting().await.len(), 1);
}

#[tokio::test]
async fn what_waits_outlasts_the_process() {
    let scene = Scene::open().await;
    scene.says(&scene.guest, "a", "scam").await.unwrap();
    let Scene { log, host, guest, room } = scene;
    drop(room);
    let room = Scene::room(&log).await;
    let back = |join: &Join| Hello { token: Some(join.welcome.token.clone()), ..Hello::default() };
    let (host, guest) = (room.join(back(&host)).await.unwrap(), room.join(back(&guest)).await.unwrap());
    let scene = Scene { log, host, guest, room };
    assert_eq!(scene.waiting().await, [3]);
    assert_eq!(scene.says(&scene.guest, "a", "scam").await.unwrap(), HELD(3));
    assert_eq!(scene.says(&scene.guest, "b", "SCAM").await.unwrap(), HELD(4));
    assert_eq!(scene.release("r", &[3, 4]).await.unwrap(), 6);
    assert_eq!(scene.says(&scene.guest, "c", "tea").await.unwrap(), SAID(7));
}

#[tokio::test]
async fn a_name_has_none_of_the_words() {
    let scene = Scene::open().await;
    let code = |result: Result<Join, Refusal>| result.err().map(|refusal| refusal.code);
    let wanted = room_name(&scene, "Scam bot").await;
    assert_eq!(code(wanted), Some(Code::NameForbidden));
    let scampi = room_name(&scene, "Scampi").await.unwrap();
    let renamed = scene.room.rename(&scampi.seat, Name::parse("5cam").unwrap()).await;
    assert_eq!(renamed.unwrap_err().code, Code::NameForbidden);
    scene.room.rename(&scene.host.seat, Name::parse("Scam warden").unwrap()).await.unwrap();
}

async fn room_name(scene: &Scene, name: &str) -> Result<Join, Refusal> {
    scene.room.on(CircuitId(7)).join(hello(name)).await
}

#[tokio::test]
async fn where_nothing_is_kept_nothing_waits() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Retention { messages: 0, bytes: 0, age: None }).unwrap());
    let history = HistorySettings { messages: 0, ..HistorySettings::default() };
    let room = Room::open(&unlimited(), &history, log).await.unwrap();
    assert_eq!(room.govern(words(&["scam"])).await.unwrap_err().code, Code::NotHeld);
    room.govern(words(&[])).await.unwrap();
    let ann = room.join(hello("Ann")).await.unwrap();
    publish_one(&room, &ann.seat, say("a", "scam")).await.unwrap();
}
