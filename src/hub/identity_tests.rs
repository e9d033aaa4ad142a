//! Identities in a room: guests who come back by a passphrase or a token, and the names that are reserved for them.

use std::sync::Arc;
use std::time::Duration;

use super::tests::{drain, publish_one, unlimited};
use super::{Join, Reader, Room};
use crate::config::HistorySettings;
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::Target;
use crate::protocol::{Act, CircuitId, Code, GuestId, Hello, Identity, MessageId, Name, Refusal, Say, Token};

const HERE: CircuitId = CircuitId(1);
const THERE: CircuitId = CircuitId(2);

async fn open(log: &Arc<MemoryLog>) -> Room {
    let log: Arc<dyn Log> = Arc::clone(log) as _;
    Room::open(&unlimited(), &HistorySettings::default(), log).await.unwrap()
}

fn log() -> Arc<MemoryLog> {
    Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap())
}

fn by_name(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn by_token(join: &Join) -> Hello {
    Hello { token: Some(join.welcome.token.clone()), ..Hello::default() }
}

fn with(name: &str, passphrase: &str) -> Hello {
    Hello { identity: Some(Identity::parse(name, passphrase).unwrap()), ..Hello::default() }
}

async fn act(room: &Room, join: &Join, act: Act) -> Result<u64, Refusal> {
    room.act(&join.seat, MessageId::random().unwrap(), act).await.map(|done| done.seq)
}

async fn reserve(room: &Room, join: &Join) -> Result<u64, Refusal> {
    act(room, join, Act::Reserve { name: None, under: None }).await
}

async fn refused(room: &Room, hello: Hello) -> Code {
    room.join(hello).await.err().unwrap().code
}

fn target(of: GuestId) -> Target {
    Target { of, name: None }
}

#[tokio::test]
async fn a_passphrase_brings_back_the_same_guest_from_anywhere() {
    let log = log();
    let room = open(&log).await;
    let ann = room.on(HERE).join(with("Ann", "tea at five")).await.unwrap();
    let (guest, token) = (ann.welcome.guest.clone(), ann.welcome.token.clone());
    assert!(guest.kept && ann.welcome.guests.iter().all(|listed| listed.kept) && !ann.welcome.resumed);
    for (hello, code) in [
        (with("Ann", "tea at six"), Code::IdentityWrong),
        (with("A-N-N", "tea at six"), Code::IdentityWrong),
        (by_name("ann"), Code::NameReserved),
    ] {
        assert_eq!(refused(&room.on(THERE), hello).await, code);
    }
    // Whatever is typed like the name leads to the guest; the name is then as it was typed.
    for name in ["ann", "A-n-n", "Ann"] {
        let again = room.on(THERE).join(with(name, "tea at five")).await.unwrap();
        assert_eq!((again.welcome.guest.id, again.welcome.token.encode()), (guest.id, token.encode()));
        assert!(again.welcome.guest.kept && again.welcome.resumed);
    }
    ann.seat.leave();
    drop(room);
    let room = open(&log).await;
    assert_eq!(refused(&room, by_name("Ann")).await, Code::NameReserved, "also after a restart");
    let stranger = room.on(THERE).join(by_name("Bob")).await.unwrap();
    let renamed = room.rename(&stranger.seat, Name::parse("Ann").unwrap()).await;
    assert_eq!(renamed.unwrap_err().code, Code::NameReserved);
    let again = room.join_stateless(with("Ann", "tea at five")).await.unwrap().welcome;
    assert_eq!(again.guest, guest);
    // No one else can be told apart by it: another name is another guest.
    assert_ne!(room.join(with("Eve", "tea at five")).await.unwrap().welcome.guest.id, guest.id);
    let kept: Vec<_> =
        room.present().await.unwrap().guests.iter().filter(|guest| guest.kept).cloned().collect();
    assert_eq!(kept.len(), 2);
    // Neither the log nor the state has what it could be derived from.
    let state = log.state(crate::log::RoomState::new("")).await.unwrap().encode();
    let mut stored = String::from_utf8(state).unwrap();
    for record in log.read(0, 100).await.unwrap() {
        let mut body = Vec::new();
        record.body.encode(&mut body);
        stored.push_str(&String::from_utf8(body).unwrap());
    }
    assert!(
        stored.contains("Ann") && !stored.contains("five") && !stored.contains(&token.encode()),
        "{stored}"
    );
}

#[tokio::test]
async fn a_token_keeps_its_name_and_gets_it_again() {
    let log = log();
    let room = open(&log).await;
    let (ann, bob) = (room.join(by_name("Ann")).await.unwrap(), room.join(by_name("Bob")).await.unwrap());
    let mut reader = Reader::new(&room, &bob, Some(bob.welcome.head));
    let plain = room.present().await.unwrap();
    assert!(
        !serde_json::to_string(&*plain.guests).unwrap().contains("kept"),
        "nothing more for who keeps nothing"
    );
    reserve(&room, &ann).await.unwrap();
    let told = drain(&mut reader).await;
    assert_eq!((&told[0]["act"], &told[0]["name"]), (&"reserve".into(), &"Ann".into()));
    assert_eq!(told[0]["guest"], ann.welcome.guest.id.0);
    assert!(room.present().await.unwrap().guests[0].kept && !room.present().await.unwrap().guests[1].kept);
    // Under another name the guest is not who the others know by the name.
    room.rename(&ann.seat, Name::parse("Anna").unwrap()).await.unwrap();
    assert!(!room.present().await.unwrap().guests[0].kept);
    let renamed = room.rename(&bob.seat, Name::parse("Ann").unwrap()).await;
    assert_eq!(renamed.unwrap_err().code, Code::NameReserved);
    let hello = by_token(&ann);
    ann.seat.leave();
    drop((room, bob.seat));
    let room = open(&log).await;
    let again = room.join(hello).await.unwrap();
    assert_eq!(again.welcome.guest.name.as_str(), "Ann", "without asking for it");
    act(&room, &again, Act::ReleaseName).await.unwrap();
    assert!(!room.present().await.unwrap().guests[0].kept);
    assert_eq!(act(&room, &again, Act::ReleaseName).await.unwrap_err().code, Code::NotAllowed);
    again.seat.leave();
    assert!(room.join(by_name("Ann")).await.is_ok());
}

#[tokio::test]
async fn a_passphrase_follows_its_guest_to_another_name() {
    let room = open(&log()).await;
    let ann = room.join(with("Ann", "tea at five")).await.unwrap();
    room.rename(&ann.seat, Name::parse("Zoe").unwrap()).await.unwrap();
    reserve(&room, &ann).await.unwrap();
    let guest = ann.welcome.guest.id;
    ann.seat.leave();
    let other = room.on(HERE).join(by_name("Ann")).await.unwrap();
    reserve(&room.on(HERE), &other).await.unwrap();
    let zoe = room.on(THERE).join(with("Zoe", "tea at five")).await.unwrap();
    assert!(zoe.welcome.guest.id == guest && zoe.welcome.guest.kept);
    assert_eq!(refused(&room.on(THERE), with("Ann", "tea at five")).await, Code::IdentityWrong);
}

#[tokio::test]
async fn a_room_can_ask_for_an_identity() {
    let log = log();
    let room = open(&log).await;
    let (here, known) =
        (room.join(by_name("Hugo")).await.unwrap(), room.join(by_name("Known")).await.unwrap());
    reserve(&room, &known).await.unwrap();
    let known_again = by_token(&known);
    known.seat.leave();
    let host = room.join(by_name("Hanna")).await.unwrap();
    let link = room.govern(Act::Link { role: crate::protocol::Role::Host, link: None }).await.unwrap().link;
    act(&room, &host, Act::claim(&link.unwrap())).await.unwrap();
    assert_eq!(
        act(&room, &here, Act::Identities { required: true }).await.unwrap_err().code,
        Code::NotAllowed
    );
    act(&room, &host, Act::Identities { required: true }).await.unwrap();
    let refusal = room.join(by_name("Eve")).await.err().unwrap();
    assert!(
        refusal.code == Code::IdentityNeeded && refusal.message.contains("passphrase"),
        "{}",
        refusal.message
    );
    let welcome = room.join(by_token(&here)).await.unwrap().welcome;
    assert!(welcome.resumed && welcome.policy.identities_required);
    let known = room.join(known_again).await.unwrap();
    assert_eq!(known.welcome.guest.name.as_str(), "Known");
    let host_again = by_token(&host);
    host.seat.leave();
    assert!(room.join(host_again).await.is_ok(), "who has a role");
    let eve = room.on(THERE).join(with("Eve", "one step is enough")).await.unwrap();
    assert!(eve.welcome.guest.kept);
    // Who could not reserve the name does not stay.
    let crowded = room.on(HERE);
    for name in ["One", "Two", "Three"] {
        crowded.join(with(name, "the third is the last")).await.unwrap();
    }
    assert_eq!(refused(&crowded, with("Four", "the third is the last")).await, Code::TooFast);
    assert!(room.present().await.unwrap().guests.iter().all(|guest| guest.name.as_str() != "Four"));
    drop(room);
    assert_eq!(refused(&open(&log).await, by_name("Eva")).await, Code::IdentityNeeded);
}

#[tokio::test]
async fn guessing_is_slow_on_one_circuit() {
    let room = open(&log()).await;
    room.on(HERE).join(with("Ann", "tea at five")).await.unwrap();
    let mut codes = Vec::new();
    for guess in 0..10 {
        let refusal = room.on(THERE).join(with("Ann", &format!("a guess {guess}"))).await.err().unwrap();
        codes.push(refusal.code);
        assert_eq!(refusal.retry_after.is_some(), refusal.code == Code::TooFast);
    }
    assert!(codes[..6].iter().all(|code| *code == Code::IdentityWrong), "{codes:?}");
    assert!(codes[6..].iter().all(|code| *code == Code::TooFast), "{codes:?}");
    assert!(room.on(HERE).join(with("Ann", "tea at five")).await.is_ok(), "its guest comes in meanwhile");
}

#[tokio::test]
async fn names_are_reserved_slowly() {
    let room = open(&log()).await;
    let mut codes = Vec::new();
    for number in 0..200 {
        let room = room.on(CircuitId(10 + number % 50));
        let guest = room.join(by_name(&format!("Squatter {number}"))).await.unwrap();
        codes.push(reserve(&room, &guest).await.map_err(|refusal| refusal.code));
        // Again the same name costs nothing.
        if codes.last() == Some(&Ok(0)) {
            reserve(&room, &guest).await.unwrap();
        }
    }
    assert_eq!(codes.iter().filter(|code| code.is_ok()).count(), 100, "what the room has for all circuits");
    assert!(codes.iter().filter_map(|code| code.as_ref().err()).all(|code| *code == Code::TooFast));
    let one = room.on(CircuitId(1000));
    let refusal = reserve(&one, &one.join(by_name("Ann")).await.unwrap()).await.unwrap_err();
    assert!(refusal.code == Code::TooFast && refusal.retry_after.is_none(), "it is not waited for");
}

#[tokio::test]
async fn a_ban_and_a_mute_come_back_with_the_identity() {
    let log = log();
    let room = open(&log).await;
    let (ann, bob) = (
        room.on(HERE).join(with("Ann", "tea at five")).await.unwrap(),
        room.on(HERE).join(with("Bob", "tea at five")).await.unwrap(),
    );
    let (ann, bob) = (ann.welcome.guest.id, bob.welcome.guest.id);
    room.govern(Act::Mute { target: target(ann), seconds: None, invitation: false }).await.unwrap();
    room.govern(Act::Ban { target: target(bob), seconds: None, invitation: false }).await.unwrap();
    drop(room);
    let room = open(&log).await;
    assert_eq!(refused(&room.on(THERE), with("Bob", "tea at five")).await, Code::Banned);
    assert_eq!(refused(&room.on(THERE), by_name("Bob")).await, Code::NameReserved);
    let again = room.on(THERE).join(with("Ann", "tea at five")).await.unwrap();
    let say = Say { id: MessageId::parse("a").unwrap(), text: "tea".into(), reply: None };
    assert_eq!(publish_one(&room, &again.seat, say).await.unwrap_err().code, Code::Muted);
    room.govern(Act::Unreserve { target: target(bob) }).await.unwrap();
    assert!(room.join(by_name("Bob")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_use_of_a_name_is_noted_once_a_day() {
    let log = log();
    let room = open(&log).await;
    let ann = room.join(by_name("Ann")).await.unwrap();
    reserve(&room, &ann).await.unwrap();
    let head = || async { log.span().await.unwrap().head };
    let first = head().await;
    let used = |state: crate::log::RoomState| state.reserved.iter().next().unwrap().used;
    let before = used(room.state().await.unwrap());
    for (hours, entries) in [(12, 0), (13, 1), (1, 0), (25, 1)] {
        tokio::time::advance(Duration::from_secs(hours * 3600)).await;
        let head_before = head().await;
        for _ in 0..3 {
            room.join_stateless(by_token(&ann)).await.unwrap();
        }
        room.present().await.unwrap();
        assert_eq!(head().await - head_before, entries, "after {hours} more hours");
    }
    assert_eq!(head().await, first + 2);
    assert!(used(room.state().await.unwrap()) >= before + 2 * 86_400);
}

/// Who waits asks again with the token alone, which used to make no reservation, and was refused where identities are asked for.
#[tokio::test]
async fn who_waits_with_a_new_passphrase_has_the_name_once_they_are_let_in() {
    for required in [false, true] {
        let log = log();
        let room = open(&log).await;
        room.govern(Act::Approval { approval: true, present: Vec::new() }).await.unwrap();
        room.govern(Act::Identities { required }).await.unwrap();
        let refusal = room.on(HERE).join(with("Eve", "tea at five")).await.err().unwrap();
        assert_eq!(refusal.code, Code::Waiting);
        let token = Token::parse(refusal.token.as_ref().unwrap().text()).unwrap();
        let again = Hello { token: Some(token), ..Hello::default() };
        assert_eq!(refused(&room.on(HERE), again.clone()).await, Code::Waiting);
        let of = room.waiting().await.unwrap()[0].id;
        assert!(room.state().await.unwrap().reserved.is_empty(), "a name is not reserved by waiting");
        room.govern(Act::Admit { target: target(of), by: None }).await.unwrap();
        // By whatever request comes first; and the name is theirs without one.
        let eve = room.on(HERE).members(again).await.unwrap().welcome;
        assert_eq!((eve.guest.id, eve.guest.name.as_str()), (of, "Eve"));
        let reserved = async {
            while room.state().await.unwrap().reserved.of(of).is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reserved).await.unwrap();
        room.govern(Act::Approval { approval: false, present: Vec::new() }).await.unwrap();
        assert_eq!(refused(&room.on(THERE), with("Eve", "tea at six")).await, Code::IdentityWrong);
        room.leave(of);
        let back = room.on(THERE).join(with("Eve", "tea at five")).await.unwrap().welcome;
        assert!(back.guest.id == of && back.guest.kept);
    }
}

#[tokio::test]
async fn who_is_turned_away_reserves_nothing_and_an_open_room_lets_all_in() {
    let log = log();
    let room = open(&log).await;
    room.govern(Act::Approval { approval: true, present: Vec::new() }).await.unwrap();
    for (name, passphrase) in [("Eve", "tea at five"), ("Zoe", "tea at six")] {
        assert_eq!(refused(&room.on(HERE), with(name, passphrase)).await, Code::Waiting);
    }
    let of = room.waiting().await.unwrap()[0].id;
    room.govern(Act::Reject { target: target(of), seconds: Some(60) }).await.unwrap();
    room.govern(Act::Approval { approval: false, present: Vec::new() }).await.unwrap();
    let reserved = async {
        loop {
            let names: Vec<_> =
                room.state().await.unwrap().reserved.iter().map(|own| own.name.clone()).collect();
            if !names.is_empty() {
                return names;
            }
            tokio::task::yield_now().await;
        }
    };
    let names = tokio::time::timeout(Duration::from_secs(60), reserved).await.unwrap();
    assert_eq!(names.iter().map(Name::as_str).collect::<Vec<_>>(), ["Zoe"]);
}
