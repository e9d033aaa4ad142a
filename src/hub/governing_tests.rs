//! Hosts and moderators: what their acts do in a room, to those who are there and those who come.

use std::sync::Arc;

use serde_json::Value;

use super::tests::{drain, publish_one, unlimited};
use super::{Join, Reader, Room};
use crate::config::HistorySettings;
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::{Act, CircuitId, Code, GuestId, Hello, MessageId, Name, Refusal, Role, Say, Token};

const HOSTS: CircuitId = CircuitId(1);
const GUESTS: CircuitId = CircuitId(2);

struct Scene {
    log: Arc<MemoryLog>,
    room: Room,
    host: Join,
    guest: Join,
    count: u64,
}

impl Scene {
    /// A room with a host on one circuit and a guest on another.
    async fn open() -> Self {
        let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
        let room = Self::room(&log).await;
        let host = room.on(HOSTS).join(hello("Hanna")).await.unwrap();
        let guest = room.on(GUESTS).join(hello("Gus")).await.unwrap();
        let secret = room.govern(Act::Link { role: Role::Host, link: None }).await.unwrap().link.unwrap();
        room.act(&host.seat, id(0), Act::claim(&secret)).await.unwrap();
        Self { log, room, host, guest, count: 0 }
    }

    async fn room(log: &Arc<MemoryLog>) -> Room {
        let log: Arc<dyn Log> = Arc::clone(log) as _;
        Room::open(&unlimited(), &HistorySettings::default(), log).await.unwrap()
    }

    async fn act(&mut self, act: Act) -> Result<u64, Refusal> {
        self.count += 1;
        self.room.act(&self.host.seat, id(self.count), act).await.map(|done| done.seq)
    }

    async fn say(&mut self, join: &Join) -> Result<u64, Refusal> {
        self.count += 1;
        publish_one(&self.room, &join.seat, say(self.count)).await
    }

    /// What the guest says.
    async fn guest_says(&mut self) -> Result<u64, Refusal> {
        self.count += 1;
        publish_one(&self.room, &self.guest.seat, say(self.count)).await
    }

    fn guest(&self) -> Target {
        target(&self.guest)
    }

    /// Comes in with the token of the guest.
    async fn guest_returns(&self) -> Result<Join, Refusal> {
        let token = Some(self.guest.welcome.token.clone());
        self.room.on(GUESTS).join(Hello { token, ..Hello::default() }).await
    }
}

fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn id(number: u64) -> MessageId {
    MessageId::parse(&number.to_string()).unwrap()
}

fn say(number: u64) -> Say {
    Say { id: id(number), text: format!("text {number}"), reply: None }
}

fn target(join: &Join) -> Target {
    Target { of: join.welcome.guest.id, name: None }
}

#[tokio::test]
async fn acts_are_told_in_the_rooms_order() {
    let mut scene = Scene::open().await;
    let mut reader = Reader::new(&scene.room, &scene.guest, Some(scene.guest.welcome.head));
    scene.act(Act::Mute { target: scene.guest(), seconds: Some(600), invitation: false }).await.unwrap();
    scene.act(Act::Title { text: "cake".into() }).await.unwrap();
    let events = drain(&mut reader).await;
    let kinds: Vec<_> = events.iter().map(|event| (event["type"].as_str(), event["act"].as_str())).collect();
    assert_eq!(
        kinds,
        [
            (Some("act"), Some("link")),
            (Some("act"), Some("role")),
            (Some("act"), Some("mute")),
            (Some("title"), None)
        ]
    );
    assert_eq!(
        (&events[2]["name"], &events[2]["seconds"], &events[2]["seq"]),
        (&"Gus".into(), &600.into(), &3.into())
    );
    assert!(events.iter().all(|event| event.get("link").is_none()), "the hash is not told");
}

#[tokio::test]
async fn a_link_makes_one_host() {
    let scene = Scene::open().await;
    let secret = scene.room.govern(Act::Link { role: Role::Host, link: None }).await.unwrap().link.unwrap();
    let claim = |join: &Join| scene.room.act(&join.seat, id(50), Act::claim(&secret));
    let wrong = Act::claim(&Token::random().unwrap());
    let refused = scene.room.act(&scene.guest.seat, id(49), wrong).await.unwrap_err();
    assert_eq!((refused.code, refused.id), (Code::NotAllowed, Some(id(49))));
    claim(&scene.guest).await.unwrap();
    let later = scene.room.join(hello("Late")).await.unwrap();
    assert_eq!(claim(&later).await.unwrap_err().code, Code::NotAllowed);
    assert_eq!(later.welcome.policy.role(scene.guest.welcome.guest.id), Role::Host);
    assert_eq!(later.welcome.policy.role(later.welcome.guest.id), Role::Guest);
}

#[tokio::test]
async fn who_has_no_role_governs_nothing() {
    let scene = Scene::open().await;
    for act in [
        Act::Kick { target: target(&scene.host) },
        Act::Lock { locked: true },
        Act::Role { target: target(&scene.guest), role: Role::Host, link: None },
        Act::Announce { text: "I am the room".into() },
        Act::Pin { message: 1, said: None },
    ] {
        let refusal = scene.room.act(&scene.guest.seat, id(1), act).await.unwrap_err();
        assert_eq!(refusal.code, Code::NotAllowed);
    }
    assert_eq!(scene.room.state().await.unwrap().acts.len(), 2);
}

#[tokio::test]
async fn a_muted_guest_reads_and_says_nothing() {
    let mut scene = Scene::open().await;
    scene.act(Act::Mute { target: scene.guest(), seconds: None, invitation: false }).await.unwrap();
    assert_eq!(scene.guest_says().await.unwrap_err().code, Code::Muted);
    let stateless = scene.room.publish_stateless(scene.guest.welcome.guest.id, say(70)).await;
    assert_eq!(stateless.unwrap_err().code, Code::Muted);
    scene.act(Act::Unmute { target: scene.guest() }).await.unwrap();
    scene.guest_says().await.unwrap();
}

#[tokio::test]
async fn a_banned_guest_and_their_circuit_stay_outside() {
    let mut scene = Scene::open().await;
    let beside = scene.room.on(GUESTS).join(hello("Beside")).await.unwrap();
    let apart = scene.room.on(CircuitId(3)).join(hello("Apart")).await.unwrap();
    scene.act(Act::Ban { target: scene.guest(), seconds: None, invitation: false }).await.unwrap();
    for join in [&scene.guest, &beside] {
        join.seat.lost().await;
        assert_eq!(join.seat.loss().code, Code::Banned);
    }
    assert_eq!(scene.room.state().await.unwrap().banned[0].name.as_deref(), Some("Gus"));
    assert_eq!(scene.guest_returns().await.err().map(|refusal| refusal.code), Some(Code::Banned));
    let token = Some(scene.guest.welcome.token.clone());
    let elsewhere = scene.room.on(CircuitId(4)).join(Hello { token, ..Hello::default() }).await;
    assert_eq!(elsewhere.err().map(|refusal| refusal.code), Some(Code::Banned));
    let anew = scene.room.on(GUESTS).join_stateless(hello("Gustav")).await;
    assert_eq!(anew.err().map(|refusal| refusal.code), Some(Code::Banned));
    scene.say(&apart).await.unwrap();
    assert!(scene.room.touch(&scene.guest.welcome.token).await.unwrap().is_none());

    scene.act(Act::Unban { target: scene.guest() }).await.unwrap();
    scene.guest_returns().await.unwrap();
    scene.room.on(GUESTS).join(hello("Gustav")).await.unwrap();
}

#[tokio::test]
async fn who_is_put_out_has_no_seat_for_a_minute() {
    let mut scene = Scene::open().await;
    scene.act(Act::Kick { target: scene.guest() }).await.unwrap();
    scene.guest.seat.lost().await;
    assert_eq!(scene.guest.seat.loss().code, Code::Banned);
    let refusal = scene.guest_returns().await.err().unwrap();
    assert!(refusal.message.starts_with("You were put out") && refusal.message.ends_with(" seconds."));
    scene.room.on(GUESTS).join(hello("Gustav")).await.unwrap();
}

#[tokio::test]
async fn a_locked_room_lets_in_who_was_there() {
    let mut scene = Scene::open().await;
    scene.act(Act::Lock { locked: true }).await.unwrap();
    assert_eq!(scene.room.join(hello("New")).await.err().map(|refusal| refusal.code), Some(Code::Locked));
    assert_eq!(
        scene.room.join_stateless(hello("New")).await.err().map(|refusal| refusal.code),
        Some(Code::Locked)
    );
    scene.guest_returns().await.unwrap();
    scene.act(Act::Lock { locked: false }).await.unwrap();
    scene.room.join(hello("New")).await.unwrap();
}

#[tokio::test]
async fn slow_mode_is_for_guests() {
    let mut scene = Scene::open().await;
    scene.act(Act::Slow { seconds: 30 }).await.unwrap();
    scene.guest_says().await.unwrap();
    let refusal = scene.guest_says().await.unwrap_err();
    assert!(refusal.code == Code::SlowMode && refusal.retry_after.is_some());
    for number in 80..83 {
        publish_one(&scene.room, &scene.host.seat, say(number)).await.unwrap();
    }
    scene.act(Act::Slow { seconds: 0 }).await.unwrap();
    scene.guest_says().await.unwrap();
}

#[tokio::test]
async fn a_cap_bounds_those_who_come() {
    let mut scene = Scene::open().await;
    scene.act(Act::Cap { guests: 2 }).await.unwrap();
    let full = scene.room.on(CircuitId(9)).join(hello("New")).await;
    assert_eq!(full.err().map(|refusal| refusal.code), Some(Code::RoomFull));
    scene.act(Act::Cap { guests: 0 }).await.unwrap();
    scene.room.on(CircuitId(9)).join(hello("New")).await.unwrap();
}

#[tokio::test]
async fn a_pinned_message_is_told_with_its_text() {
    let mut scene = Scene::open().await;
    let message = scene.guest_says().await.unwrap();
    assert_eq!(
        scene.act(Act::Pin { message: message + 1, said: None }).await.unwrap_err().code,
        Code::NotAllowed
    );
    scene.act(Act::Pin { message, said: None }).await.unwrap();
    let late = scene.room.join(hello("Late")).await.unwrap();
    let welcome: Value = serde_json::from_str(&late.welcome.event().encode()).unwrap();
    assert_eq!(welcome["pinned"]["message"], message);
    assert_eq!((&welcome["pinned"]["name"], &welcome["pinned"]["text"]), (&"Gus".into(), &"text 1".into()));
    scene.act(Act::Delete { messages: vec![message], own: false }).await.unwrap();
    assert!(scene.room.state().await.unwrap().policy.pinned.is_none());
}

#[tokio::test]
async fn what_was_decided_outlasts_the_process() {
    let mut scene = Scene::open().await;
    scene.act(Act::Ban { target: scene.guest(), seconds: None, invitation: false }).await.unwrap();
    scene.act(Act::Cap { guests: 7 }).await.unwrap();
    scene.act(Act::Title { text: "cake".into() }).await.unwrap();
    let Scene { log, host, guest, .. } = scene;
    let again = Scene::room(&log).await;
    let token = Some(host.welcome.token.clone());
    let host = again.join(Hello { token, ..Hello::default() }).await.unwrap();
    // A log in memory goes on with its room's secret, so numbers are the same.
    assert_eq!(host.welcome.policy.role(host.welcome.guest.id), Role::Host);
    assert_eq!((host.welcome.title.as_str(), host.welcome.policy.cap), ("cake", 7));
    let token = Some(guest.welcome.token.clone());
    let banned = again.join(Hello { token, ..Hello::default() }).await;
    assert_eq!(banned.err().map(|refusal| refusal.code), Some(Code::Banned));
}

#[tokio::test]
async fn the_log_of_acts_names_them_and_not_their_texts() {
    let mut scene = Scene::open().await;
    scene.act(Act::Announce { text: "cake at five".into() }).await.unwrap();
    scene.act(Act::Kick { target: scene.guest() }).await.unwrap();
    let state = scene.room.state().await.unwrap();
    let acts: Vec<_> =
        state.acts.iter().map(|line| (line.by, line.act.as_str(), line.name.as_deref())).collect();
    let host = scene.host.welcome.guest.id;
    assert_eq!(
        acts,
        [
            (GuestId::ROOM, "link", None),
            (host, "role", Some("Hanna")),
            (host, "announce", None),
            (host, "kick", Some("Gus"))
        ]
    );
    assert!(!String::from_utf8(state.encode()).unwrap().contains("cake"));
}
