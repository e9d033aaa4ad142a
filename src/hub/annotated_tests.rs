//! Replies, edits, reactions, and the deletion of one's own messages: who may do it, who sees it, and what stays.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::tests::{drain, unlimited};
use super::{Join, Published, Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::request::{Cursor, HistoryRequest};
use crate::protocol::{Act, CircuitId, Code, Emoji, Hello, MessageId, Name, Refusal, Role, Say};

struct Scene {
    log: Arc<MemoryLog>,
    room: Room,
    ann: Join,
    bob: Join,
}

impl Scene {
    async fn open() -> Self {
        Self::with(unlimited()).await
    }

    async fn with(settings: RoomSettings) -> Self {
        let log = Arc::new(MemoryLog::new(Retention { messages: 1000, bytes: 0, age: None }).unwrap());
        let room = room(&log, &settings).await;
        let ann = room.on(CircuitId(1)).join(hello("Ann")).await.unwrap();
        let bob = room.on(CircuitId(2)).join(hello("Bob")).await.unwrap();
        Self { log, room, ann, bob }
    }

    async fn says(
        &self,
        join: &Join,
        id: &str,
        text: &str,
        reply: Option<u64>,
    ) -> Result<Published, Refusal> {
        let say = Say { id: MessageId::parse(id).unwrap(), text: text.into(), reply };
        self.room.publish_stateless(join.welcome.guest.id, say).await
    }

    async fn acts(&self, join: &Join, id: &str, act: Act) -> Result<u64, Refusal> {
        self.room.act(&join.seat, MessageId::parse(id).unwrap(), act).await.map(|done| done.seq)
    }

    async fn edits(&self, join: &Join, id: &str, message: u64, text: &str) -> Result<u64, Refusal> {
        self.acts(join, id, Act::Edit { message, text: text.into() }).await
    }

    async fn reacts(
        &self,
        join: &Join,
        id: &str,
        message: u64,
        emoji: Option<Emoji>,
    ) -> Result<u64, Refusal> {
        self.acts(join, id, Act::React { message, emoji }).await
    }

    async fn deletes(&self, join: &Join, id: &str, messages: &[u64]) -> Result<u64, Refusal> {
        self.acts(join, id, Act::Delete { messages: messages.to_vec(), own: false }).await
    }

    /// The newest page of the history.
    async fn page(&self) -> Vec<Value> {
        let page = self.room.history(HistoryRequest::before(1000, 1000)).await.unwrap();
        let page: Value = serde_json::from_str(&page.event().encode()).unwrap();
        page["messages"].as_array().unwrap().clone()
    }

    /// A message in it.
    async fn now(&self, seq: u64) -> Option<Value> {
        self.page().await.into_iter().find(|event| event["seq"] == seq)
    }
}

async fn room(log: &Arc<MemoryLog>, settings: &RoomSettings) -> Room {
    let log: Arc<dyn Log> = Arc::clone(log) as _;
    Room::open(settings, &HistorySettings::default(), log).await.unwrap()
}

fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn target(join: &Join) -> Target {
    Target { of: join.welcome.guest.id, name: None }
}

fn code(result: Result<u64, Refusal>) -> Code {
    result.unwrap_err().code
}

#[tokio::test]
async fn a_page_has_messages_as_they_are_now() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "tae", None).await.unwrap();
    scene.says(&scene.bob, "b", "cake", Some(1)).await.unwrap();
    let mut live = Reader::new(&scene.room, &scene.bob, Some(2));
    drain(&mut live).await;
    scene.edits(&scene.ann, "c", 1, "tea").await.unwrap();
    scene.reacts(&scene.bob, "d", 1, Some(Emoji::Good)).await.unwrap();
    scene.reacts(&scene.ann, "e", 1, Some(Emoji::Good)).await.unwrap();
    let events = drain(&mut live).await;
    let (ann, bob) = (scene.ann.welcome.guest.id.0, scene.bob.welcome.guest.id.0);
    assert_eq!(events[0]["act"], "edit");
    assert_eq!((&events[0]["message"], &events[0]["text"]), (&json!(1), &json!("tea")));
    assert_eq!((&events[1]["act"], &events[1]["emoji"]), (&json!("react"), &json!("👍")));
    let first = scene.now(1).await.unwrap();
    assert_eq!((&first["text"], &first["edited"]), (&json!("tea"), &json!(true)));
    let mut guests = vec![ann, bob];
    guests.sort_unstable();
    assert_eq!(first["reactions"], json!({ "👍": guests }));
    let second = scene.now(2).await.unwrap();
    assert_eq!(second["reply"], 1);
    assert!(second.get("edited").is_none() && second.get("reactions").is_none());
    // Who reads forwards gets what was said and what was done to it, in the order.
    let all = drain(&mut Reader::new(&scene.room, &scene.bob, Some(0))).await;
    assert_eq!(all[0]["text"], "tae");
    assert!(all[0].get("edited").is_none() && all[1]["reply"] == 1 && all[2]["act"] == "edit");
    // Another room over the same log: a restart.
    let again = room(&scene.log, &unlimited()).await;
    let page = again.history(HistoryRequest::before(2, 9)).await.unwrap();
    assert!(page.messages[0].edited && page.messages[0].record.body.said().unwrap().1 == "tea");
}

#[tokio::test]
async fn only_its_author_edits_a_message_that_is_there() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "tea", None).await.unwrap();
    scene.room.govern(Act::Announce { text: "hear".into() }).await.unwrap();
    let refusal = scene.edits(&scene.bob, "b", 1, "cake").await.unwrap_err();
    assert_eq!(refusal.code, Code::NotAllowed);
    assert!(refusal.message.contains("author"), "{}", refusal.message);
    for message in [2, 3, 99] {
        assert_eq!(code(scene.edits(&scene.ann, "c", message, "cake").await), Code::NotAllowed);
        assert_eq!(code(scene.reacts(&scene.ann, "c", message, Some(Emoji::Sad)).await), Code::NotAllowed);
    }
    let long = "x".repeat(unlimited().message_bytes + 1);
    assert_eq!(code(scene.edits(&scene.ann, "d", 1, &long).await), Code::TextTooLong);
    scene
        .room
        .govern(Act::Mute { target: target(&scene.ann), seconds: None, invitation: false })
        .await
        .unwrap();
    assert_eq!(code(scene.edits(&scene.ann, "e", 1, "cake").await), Code::Muted);
    assert_eq!(code(scene.reacts(&scene.ann, "f", 1, Some(Emoji::Sad)).await), Code::Muted);
    // Nothing that was refused is in the log: two messages and the mute.
    assert_eq!(scene.log.span().await.unwrap().head, 3);
    scene.deletes(&scene.ann, "g", &[1]).await.unwrap();
    assert_eq!(scene.log.span().await.unwrap().head, 4, "who is muted may take back what they said");
}

#[tokio::test(start_paused = true)]
async fn after_a_while_a_message_stays_as_it_is() {
    let scene = Scene::with(RoomSettings { edit_seconds: 60, ..unlimited() }).await;
    scene.says(&scene.ann, "a", "tae", None).await.unwrap();
    let done = scene.edits(&scene.ann, "b", 1, "tea").await.unwrap();
    tokio::time::advance(Duration::from_secs(63)).await;
    let refusal = scene.edits(&scene.ann, "c", 1, "cake").await.unwrap_err();
    assert!(refusal.message.contains("60 seconds"), "{}", refusal.message);
    assert_eq!(
        scene.edits(&scene.ann, "b", 1, "tea").await,
        Ok(done),
        "sent again because its answer was lost"
    );
    scene.reacts(&scene.bob, "d", 1, Some(Emoji::Heart)).await.unwrap();
    scene.deletes(&scene.ann, "e", &[1]).await.unwrap();
    let never = Scene::with(RoomSettings { edit_seconds: 0, ..unlimited() }).await;
    never.says(&never.ann, "a", "tae", None).await.unwrap();
    assert_eq!(code(never.edits(&never.ann, "b", 1, "tea").await), Code::NotAllowed);
    assert_eq!(never.ann.welcome.limits.edit_seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn slow_mode_and_words_count_for_edits() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "tea", None).await.unwrap();
    scene.room.govern(Act::Words { words: Some(vec!["scam".into()]), count: None }).await.unwrap();
    assert_eq!(code(scene.edits(&scene.ann, "b", 1, "a ѕсаm").await), Code::NotHeld);
    scene.room.govern(Act::Slow { seconds: 60 }).await.unwrap();
    scene.edits(&scene.ann, "c", 1, "one").await.unwrap();
    assert_eq!(code(scene.edits(&scene.ann, "d", 1, "two").await), Code::SlowMode);
    assert_eq!(scene.says(&scene.ann, "e", "three", None).await.unwrap_err().code, Code::SlowMode);
    scene.reacts(&scene.ann, "f", 1, Some(Emoji::Laugh)).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    scene.edits(&scene.ann, "g", 1, "four").await.unwrap();
    assert_eq!(scene.now(1).await.unwrap()["text"], "four");
}

/// A message that waits is a reply when it is said, and cannot be edited before.
#[tokio::test]
async fn a_reply_that_waits_is_one_when_it_is_released() {
    let scene = Scene::open().await;
    scene.room.govern(Act::Words { words: Some(vec!["scam".into()]), count: None }).await.unwrap();
    scene.says(&scene.bob, "a", "tea?", None).await.unwrap();
    assert!(scene.says(&scene.ann, "b", "no scam", Some(2)).await.unwrap().held);
    let page = scene.now(3).await.unwrap();
    assert_eq!((&page["kind"], page.get("reply")), (&json!("held"), None));
    assert_eq!(code(scene.edits(&scene.ann, "c", 3, "tea").await), Code::NotAllowed);
    assert_eq!(code(scene.reacts(&scene.bob, "c", 3, Some(Emoji::Good)).await), Code::NotAllowed);
    scene.room.govern(Act::Release { messages: vec![3] }).await.unwrap();
    let said = scene.now(4).await.unwrap();
    assert_eq!((&said["type"], &said["reply"]), (&json!("message"), &json!(2)));
    scene.edits(&scene.ann, "d", 4, "tea").await.unwrap();
    assert_eq!(scene.now(4).await.unwrap()["text"], "tea");
    // What waits its author may take back.
    assert!(scene.says(&scene.ann, "e", "a scam", None).await.unwrap().held);
    let seq = scene.log.span().await.unwrap().head;
    scene.deletes(&scene.ann, "f", &[seq]).await.unwrap();
    assert!(scene.now(seq).await.is_none());
}

#[tokio::test]
async fn guests_delete_their_own_messages_and_no_others() {
    let scene = Scene::open().await;
    for id in ["a", "b", "c"] {
        scene.says(&scene.ann, id, &format!("ann {id}"), None).await.unwrap();
        scene.says(&scene.bob, id, &format!("bob {id}"), None).await.unwrap();
    }
    scene.edits(&scene.ann, "d", 1, "ann edited").await.unwrap();
    // Of those named the others' stay, and so does what is said later under a number that is not given yet.
    let done = scene.deletes(&scene.ann, "e", &[1, 2, 99]).await.unwrap();
    let act = scene.now(done).await.unwrap();
    assert_eq!((&act["messages"], &act["own"]), (&json!([1]), &json!(true)));
    assert_eq!(scene.deletes(&scene.ann, "e", &[1, 2, 99]).await, Ok(done), "sent again");
    assert_eq!(code(scene.deletes(&scene.ann, "f", &[2, 4]).await), Code::NotAllowed);
    let of_bob = Act::DeleteAll { target: target(&scene.bob) };
    assert_eq!(code(scene.acts(&scene.ann, "g", of_bob).await), Code::NotAllowed);
    scene.reacts(&scene.ann, "h", 2, Some(Emoji::Cheer)).await.unwrap();
    scene.acts(&scene.ann, "i", Act::DeleteAll { target: target(&scene.ann) }).await.unwrap();
    let page = scene.page().await;
    let text = serde_json::to_string(&page).unwrap();
    assert!(!text.contains("ann ") && text.contains("bob a") && text.contains("bob c"), "{text}");
    assert!(
        scene.now(2).await.unwrap().get("reactions").is_none(),
        "what they have put to others is gone, too"
    );
    let state = scene.room.state().await.unwrap();
    assert!(state.acts.is_empty(), "not in the hosts' log");
}

/// Guards against a text that can still be read after the deletion of its message: in the log, the ring and pages.
#[tokio::test]
async fn a_deletion_takes_all_edits_with_it() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "secret 0", None).await.unwrap();
    let mut slow = Reader::new(&scene.room, &scene.bob, None);
    for round in 1..=100 {
        scene.edits(&scene.ann, &format!("e{round}"), 1, &format!("secret {round}")).await.unwrap();
    }
    let kept = scene.log.read(0, 1000).await.unwrap();
    assert_eq!(kept.len(), 2, "of a hundred edits one is kept");
    scene.room.govern(Act::Pin { message: 1, said: None }).await.unwrap();
    assert_eq!(scene.room.state().await.unwrap().policy.pinned.unwrap().said.text, "secret 100");
    scene.edits(&scene.ann, "f", 1, "secret 101").await.unwrap();
    assert_eq!(scene.room.state().await.unwrap().policy.pinned.unwrap().said.text, "secret 101");
    let edit = scene.edits(&scene.ann, "g", 1, "secret 102");
    let delete = scene.room.govern(Act::Delete { messages: vec![1], own: false });
    let (_, deleted) = tokio::join!(edit, delete);
    deleted.unwrap();
    assert_eq!(code(scene.edits(&scene.ann, "h", 1, "secret 103").await), Code::NotAllowed);
    assert_eq!(code(scene.reacts(&scene.ann, "i", 1, Some(Emoji::Sad)).await), Code::NotAllowed);
    let text = format!("{:?}", scene.log.read(0, 1000).await.unwrap());
    assert!(!text.contains("secret"), "{text}");
    let events = serde_json::to_string(&drain(&mut slow).await).unwrap();
    assert!(!events.contains("secret"), "{events}");
    let state = String::from_utf8(scene.room.state().await.unwrap().encode()).unwrap();
    assert!(!state.contains("secret"), "{state}");
}

/// A guest who toggles lets nothing grow, and who comes back is not told that messages are missing.
#[tokio::test]
async fn who_toggles_lets_nothing_grow() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "tea", None).await.unwrap();
    scene.reacts(&scene.bob, "b", 1, Some(Emoji::Good)).await.unwrap();
    assert_eq!(
        scene.reacts(&scene.bob, "c", 1, Some(Emoji::Good)).await,
        Ok(2),
        "the same again is no entry"
    );
    for round in 0..500 {
        let emoji = Emoji::ALL.get(round % 7).copied();
        scene.reacts(&scene.bob, &format!("r{round}"), 1, emoji).await.unwrap();
    }
    scene.says(&scene.ann, "z", "cake", None).await.unwrap();
    assert_eq!(scene.log.read(0, 1000).await.unwrap().len(), 3);
    let state = scene.room.state().await.unwrap().encode().len();
    assert!(state < 300, "{state}");
    assert_eq!(code(scene.reacts(&scene.ann, "n", 1, None).await), Code::NotAllowed);
    let hello = Hello { cursor: Some(Cursor { after: 1, epoch: None }), ..hello("Eve") };
    let mut eve = scene.room.join(hello.clone()).await.unwrap();
    let mut reader = Reader::begin(&scene.room, &mut eve, &hello).await.unwrap();
    let events = drain(&mut reader).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["act", "message"], "no gap");
}

#[tokio::test]
async fn three_hundred_guests_react_at_once() {
    let scene = Scene::with(RoomSettings { guests: 400, ..unlimited() }).await;
    scene.says(&scene.ann, "a", "tea", None).await.unwrap();
    let mut guests = Vec::new();
    for number in 0..300 {
        guests.push(scene.room.on(CircuitId(100 + number)).join(Hello::default()).await.unwrap());
    }
    let reacts = guests
        .iter()
        .enumerate()
        .map(|(number, join)| scene.reacts(join, "r", 1, Emoji::ALL.get(number % 6).copied()));
    for done in futures_util::future::join_all(reacts).await {
        done.unwrap();
    }
    let now = scene.now(1).await.unwrap();
    let counts =
        now["reactions"].as_object().unwrap().values().map(|guests| guests.as_array().unwrap().len());
    assert_eq!(counts.collect::<Vec<_>>(), [50; 6]);
}

/// A moderator deletes others' messages as before, and their acts are in the hosts' log.
#[tokio::test]
async fn moderators_delete_as_before() {
    let scene = Scene::open().await;
    scene.says(&scene.ann, "a", "tea", None).await.unwrap();
    let role = Act::Role { target: target(&scene.bob), role: Role::Moderator, link: None };
    scene.room.govern(role).await.unwrap();
    let done = scene.deletes(&scene.bob, "d", &[1]).await.unwrap();
    assert!(scene.now(done).await.unwrap().get("own").is_none());
    let state = scene.room.state().await.unwrap();
    assert_eq!(state.acts.back().map(|line| line.act.as_str()), Some("delete"));
}
