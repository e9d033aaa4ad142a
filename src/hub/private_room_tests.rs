//! Private messages and notes of writing in a room: who gets them, who not, and for how long.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::advance;

use super::tests::{drain, publish_one, unlimited};
use super::{Join, Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::secret::Secret;
use crate::protocol::{Act, Code, GuestId, Hello, MessageId, Name, Refusal, Say, Whisper};

struct Scene {
    log: Arc<MemoryLog>,
    room: Room,
    next: u64,
}

/// A guest who reads everything.
struct Present {
    join: Join,
    reader: Reader,
}

impl Present {
    fn id(&self) -> GuestId {
        self.join.welcome.guest.id
    }

    /// What was read of these types: `private psst`, `private_end`, …
    async fn reads(&mut self) -> Vec<String> {
        let short = |event: &Value| {
            let kind = event["type"].as_str().unwrap().to_owned();
            let text = event["text"].as_str().map(|text| format!(" {text}")).unwrap_or_default();
            (kind.starts_with("private") || kind == "message" || kind == "typing").then(|| kind + &text)
        };
        drain(&mut self.reader).await.iter().filter_map(short).collect()
    }

    fn hello(&self) -> Hello {
        let private = Some(self.reader.after_private().unwrap());
        Hello { token: Some(self.join.welcome.token.clone()), private, ..Hello::default() }
    }
}

impl Scene {
    async fn open() -> Self {
        Self::with(&unlimited()).await
    }

    async fn with(settings: &RoomSettings) -> Self {
        let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
        let followed: Arc<dyn Log> = Arc::clone(&log) as _;
        let room = Room::open(settings, &HistorySettings::default(), followed).await.unwrap();
        Self { log, room, next: 0 }
    }

    async fn enters(&self, hello: Hello) -> Present {
        let mut join = self.room.join(hello.clone()).await.unwrap();
        let reader = Reader::begin(&self.room, &mut join, &hello).await.unwrap();
        Present { join, reader }
    }

    async fn guest(&self, name: &str) -> Present {
        let name = Some(Name::parse(name).unwrap());
        let mut present = self.enters(Hello { name, private: Some(0), ..Hello::default() }).await;
        present.reads().await;
        present
    }

    fn whisper(&mut self, to: &Present, text: &str) -> Whisper {
        self.next += 1;
        let id = MessageId::parse(&self.next.to_string()).unwrap();
        Whisper { id, to: to.id(), text: Secret::new(text.to_owned()) }
    }

    async fn says(&mut self, from: &Present, to: &Present, text: &str) -> Result<u64, Refusal> {
        let whisper = self.whisper(to, text);
        self.room.whisper(&from.join.seat, whisper).await
    }

    async fn refused(&mut self, from: &Present, to: &Present) -> Code {
        self.says(from, to, "psst").await.unwrap_err().code
    }
}

#[tokio::test]
async fn two_guests_get_it_once_and_a_third_one_and_the_log_nothing() {
    let mut scene = Scene::open().await;
    let (mut ann, mut bob, mut eve) =
        (scene.guest("Ann").await, scene.guest("Bob").await, scene.guest("Eve").await);
    let whisper = scene.whisper(&bob, "psst");
    let number = scene.room.whisper(&ann.join.seat, whisper.clone()).await.unwrap();
    let again = scene.room.whisper(&ann.join.seat, whisper).await;
    assert_eq!(again, Ok(number), "its answer was lost");
    scene.says(&bob, &ann, "what?").await.unwrap();
    for both in [&mut ann, &mut bob] {
        assert_eq!(both.reads().await, ["private psst", "private what?"]);
    }
    assert_eq!(ann.reader.after_private(), Some(number + 1));
    assert!(eve.reads().await.is_empty());
    assert_eq!(scene.log.span().await.unwrap().head, 0);
    assert_eq!(scene.refused(&ann, &ann).await, Code::WrongKind);
}

#[tokio::test]
async fn only_who_asks_for_private_messages_is_sent_them() {
    let mut scene = Scene::open().await;
    let ann = scene.guest("Ann").await;
    let mut bob = scene.enters(Hello::default()).await;
    scene.says(&ann, &bob, "psst").await.unwrap();
    assert!(bob.reads().await.is_empty(), "an older program");
    let hello = Hello { token: Some(bob.join.welcome.token.clone()), private: Some(0), ..Hello::default() };
    assert_eq!(scene.enters(hello).await.reads().await, ["private psst"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_while_a_circuit_was_broken_is_there_and_with_the_seat_it_goes() {
    let mut scene = Scene::with(&RoomSettings { away: Duration::from_secs(60), ..unlimited() }).await;
    let (mut ann, mut bob) = (scene.guest("Ann").await, scene.guest("Bob").await);
    scene.says(&ann, &bob, "one").await.unwrap();
    assert_eq!(bob.reads().await, ["private one"]);
    let hello = bob.hello();
    drop(bob);
    advance(Duration::from_secs(30)).await;
    let mut bob = scene.enters(hello.clone()).await;
    assert!(bob.reads().await.is_empty(), "nothing twice");
    let away =
        Whisper { id: MessageId::parse("away").unwrap(), to: bob.id(), text: Secret::new("two".to_owned()) };
    let hello = bob.hello();
    drop(bob);
    scene.room.whisper(&ann.join.seat, away.clone()).await.unwrap();
    let mut bob = scene.enters(hello.clone()).await;
    assert_eq!(bob.reads().await, ["private two"]);
    assert_eq!(ann.reads().await, ["private one", "private two"]);
    // The grace time passes.
    drop(bob);
    advance(Duration::from_secs(62)).await;
    while scene.room.present().await.unwrap().guests.len() > 1 {
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(ann.reads().await, ["private_end"]);
    let again = Whisper { id: MessageId::parse("later").unwrap(), ..away.clone() };
    assert_eq!(scene.room.whisper(&ann.join.seat, again).await.unwrap_err().code, Code::NotHere);
    assert!(scene.room.whisper(&ann.join.seat, away).await.is_ok(), "it was delivered");
    assert_eq!(scene.enters(hello).await.reads().await, ["private_end"], "and is forgotten");
    assert!(scene.enters(ann.hello()).await.reads().await.is_empty());
    assert_eq!(scene.enters(Hello { private: Some(0), ..ann.hello() }).await.reads().await, ["private_end"]);
}

#[tokio::test]
async fn hosts_can_forbid_them_and_a_muted_or_banned_guest_has_none() {
    let mut scene = Scene::open().await;
    let (ann, mut bob) = (scene.guest("Ann").await, scene.guest("Bob").await);
    scene.room.govern(Act::Private { private: false }).await.unwrap();
    assert_eq!(scene.refused(&ann, &bob).await, Code::NotAllowed);
    scene.room.govern(Act::Private { private: true }).await.unwrap();
    scene.says(&ann, &bob, "one").await.unwrap();
    let target = Target { of: ann.id(), name: None };
    let mute = Act::Mute { target: target.clone(), seconds: None, invitation: false };
    scene.room.govern(mute).await.unwrap();
    assert_eq!(scene.refused(&ann, &bob).await, Code::Muted);
    scene.says(&bob, &ann, "two").await.unwrap();
    assert_eq!(bob.reads().await, ["private one", "private two"]);
    scene.room.govern(Act::Ban { target, seconds: None, invitation: false }).await.unwrap();
    assert_eq!(bob.reads().await, ["private_end"]);
    assert_eq!(scene.refused(&bob, &ann).await, Code::NotHere);
    assert_eq!(scene.refused(&ann, &bob).await, Code::TakenOver);
}

#[tokio::test]
async fn who_takes_a_seat_over_is_the_same_guest_and_the_older_connection_says_nothing_more() {
    let mut scene = Scene::open().await;
    let (ann, bob) = (scene.guest("Ann").await, scene.guest("Bob").await);
    scene.says(&ann, &bob, "one").await.unwrap();
    let mut newer = scene.enters(Hello { private: Some(0), ..bob.hello() }).await;
    assert_eq!(newer.reads().await, ["private one"]);
    assert_eq!(scene.refused(&bob, &ann).await, Code::TakenOver);
    scene.says(&newer, &ann, "two").await.unwrap();
    assert_eq!(newer.reads().await, ["private two"]);
}

#[tokio::test]
async fn a_private_message_is_charged_as_any_other() {
    let settings = RoomSettings { messages_per_minute: 60, messages_at_once: 6, ..unlimited() };
    let mut scene = Scene::with(&settings).await;
    let (ann, bob) = (scene.guest("Ann").await, scene.guest("Bob").await);
    let mut sent = 0;
    while scene.says(&ann, &bob, "psst").await.is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 2, "what a new guest may say at once");
    assert_eq!(scene.refused(&ann, &bob).await, Code::TooFast);
    let say = Say { id: MessageId::parse("a").unwrap(), text: "aloud".to_owned(), reply: None };
    assert_eq!(publish_one(&scene.room, &ann.join.seat, say).await.unwrap_err().code, Code::TooFast);
}

#[tokio::test(start_paused = true)]
async fn that_a_guest_writes_is_told_where_hosts_want_it_and_seldom() {
    let scene = Scene::open().await;
    let (ann, mut bob) = (scene.guest("Ann").await, scene.guest("Bob").await);
    let told = async |bob: &mut Present| {
        scene.room.typing(&ann.join.seat);
        scene.room.present().await.unwrap();
        bob.reads().await.len()
    };
    assert_eq!(told(&mut bob).await, 0, "it is off");
    scene.room.govern(Act::Typing { typing: true }).await.unwrap();
    assert_eq!(told(&mut bob).await, 1);
    assert_eq!(told(&mut bob).await, 0);
    advance(Duration::from_secs(3)).await;
    assert_eq!(told(&mut bob).await, 1);
    advance(Duration::from_secs(3)).await;
    let mute = Act::Mute { target: Target { of: ann.id(), name: None }, seconds: None, invitation: false };
    scene.room.govern(mute).await.unwrap();
    assert_eq!(told(&mut bob).await, 0, "who may say nothing");
    assert!(scene.room.state().await.unwrap().policy.typing);
}
