//! Newcomers, in a room that is closed to them: who comes in, who waits, and what is not given away.

use std::sync::Arc;
use std::time::Duration;

use super::tests::{drain, unlimited};
use super::{Join, Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::{LinkHash, Target};
use crate::protocol::act_members::password;
use crate::protocol::{
    Act, CircuitId, Code, GuestId, Hello, MessageId, Name, Passphrase, Refusal, Role, Token,
};

const GUESTS: CircuitId = CircuitId(2);

async fn open_with(log: &Arc<MemoryLog>, settings: &RoomSettings) -> Room {
    let log: Arc<dyn Log> = Arc::clone(log) as _;
    Room::open(settings, &HistorySettings::default(), log).await.unwrap()
}

async fn open() -> (Arc<MemoryLog>, Room) {
    let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
    let room = open_with(&log, &unlimited()).await;
    (log, room)
}

fn hello(name: &str) -> Hello {
    Hello {
        name: Some(Name::parse(name).unwrap()),
        token: Some(Token::random().unwrap()),
        ..Hello::default()
    }
}

fn target(of: GuestId) -> Target {
    Target { of, name: None }
}

fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
    result.err().map(|refusal| refusal.code)
}

async fn join(room: &Room, hello: &Hello) -> Result<Join, Refusal> {
    room.on(GUESTS).join(hello.clone()).await
}

async fn approve(room: &Room, approval: bool) {
    room.govern(Act::Approval { approval, present: Vec::new() }).await.unwrap();
}

async fn waiting(room: &Room) -> Vec<GuestId> {
    room.waiting().await.unwrap().iter().map(|line| line.id).collect()
}

#[tokio::test]
async fn a_newcomer_waits_until_they_are_let_in_also_after_a_restart() {
    let (log, room) = open().await;
    let (here, newcomer) = (hello("Ann"), hello("Eve"));
    let ann = join(&room, &here).await.unwrap();
    approve(&room, true).await;
    let refusal = join(&room, &newcomer).await.err().unwrap();
    assert_eq!((refusal.code, refusal.retry_after), (Code::Waiting, Some(Duration::from_secs(5))));
    assert_eq!(refusal.token, None, "they have one");
    assert_eq!(code(room.on(GUESTS).join_stateless(newcomer.clone()).await), Some(Code::Waiting));
    let listed = room.waiting().await.unwrap();
    assert_eq!(listed.iter().map(|line| line.name.as_ref().unwrap().as_str()).collect::<Vec<_>>(), ["Eve"]);
    let late = join(&room, &here).await.unwrap();
    assert_eq!(late.welcome.waiting, 1);
    let mut reader = Reader::new(&room, &late, Some(late.welcome.head));
    drop(ann);
    room.govern(Act::Admit { target: target(listed[0].id), by: None }).await.unwrap();
    let eve = join(&room, &newcomer).await.unwrap();
    assert!(waiting(&room).await.is_empty());
    let events = drain(&mut reader).await;
    assert!(events.iter().any(|event| event["act"] == "admit" && event["name"] == "Eve"), "{events:?}");
    eve.seat.leave();
    drop((late, reader, room));
    let again = open_with(&log, &unlimited()).await;
    join(&again, &newcomer).await.unwrap();
    join(&again, &here).await.unwrap();
    assert_eq!(code(join(&again, &hello("Zoe")).await), Some(Code::Waiting));
    approve(&again, false).await;
    join(&again, &hello("Zoe")).await.unwrap();
}

#[tokio::test]
async fn who_is_turned_away_does_not_come_back_on_the_same_circuit() {
    let (_, room) = open().await;
    approve(&room, true).await;
    let newcomer = hello("Eve");
    assert_eq!(code(join(&room, &newcomer).await), Some(Code::Waiting));
    let of = waiting(&room).await[0];
    room.govern(Act::Reject { target: target(of), seconds: None }).await.unwrap();
    assert_eq!(code(join(&room, &newcomer).await), Some(Code::Banned));
    assert_eq!(code(join(&room, &hello("Eva")).await), Some(Code::Banned), "nor as another guest");
    assert_eq!(code(room.on(CircuitId(3)).join(hello("Eva")).await), Some(Code::Waiting));
    room.govern(Act::Unban { target: target(of) }).await.unwrap();
    assert_eq!(code(join(&room, &newcomer).await), Some(Code::Waiting));
    room.govern(Act::Reject { target: target(of), seconds: Some(60) }).await.unwrap();
    assert_eq!(code(join(&room, &hello("Zoe")).await), Some(Code::Waiting), "the circuit is not kept out");
}

#[tokio::test]
async fn a_guest_without_a_token_is_told_theirs() {
    let (_, room) = open().await;
    approve(&room, true).await;
    let refusal = join(&room, &Hello::default()).await.err().unwrap();
    let token = Token::parse(refusal.token.as_ref().unwrap().text()).unwrap();
    let again = Hello { token: Some(token), ..Hello::default() };
    assert_eq!(code(join(&room, &again).await), Some(Code::Waiting));
    assert_eq!(waiting(&room).await.len(), 1);
    assert!(!format!("{refusal:?}").contains(refusal.token.as_ref().unwrap().text()));
}

#[tokio::test]
async fn only_hosts_and_moderators_see_who_waits() {
    let (_, room) = open().await;
    let ann = join(&room, &hello("Ann")).await.unwrap().welcome.guest.id;
    assert_eq!(code(room.waiting_for(ann).await), Some(Code::NotAllowed));
    room.govern(Act::Role { target: target(ann), role: Role::Moderator, link: None }).await.unwrap();
    assert_eq!(room.waiting_for(ann).await.unwrap(), []);
}

#[tokio::test]
async fn asking_again_costs_no_join() {
    let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
    let room = open_with(&log, &RoomSettings { joins_per_minute: 1, ..unlimited() }).await;
    approve(&room, true).await;
    let newcomer = hello("Eve");
    for _ in 0..50 {
        assert_eq!(code(join(&room, &newcomer).await), Some(Code::Waiting));
        assert_eq!(code(room.on(GUESTS).join_stateless(newcomer.clone()).await), Some(Code::Waiting));
    }
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(code(join(&room, &hello("Eva")).await).unwrap());
    }
    assert!(codes.contains(&Code::TooFast) && waiting(&room).await.len() <= 11, "others cost one each");
}

async fn set_password(room: &Room, text: &str) {
    room.govern(password(text).unwrap()).await.unwrap();
}

fn with_password(hello: &Hello, text: &str) -> Hello {
    Hello { password: Some(Passphrase::parse("password", text, 1).unwrap()), ..hello.clone() }
}

#[tokio::test]
async fn the_password_lets_in_and_is_kept_nowhere() {
    let (log, room) = open().await;
    let present = join(&room, &hello("Hanna")).await.unwrap();
    let mut reader = Reader::new(&room, &present, Some(present.welcome.head));
    set_password(&room, "five o'clock tea").await;
    let eve = hello("Eve");
    assert_eq!(code(join(&room, &eve).await), Some(Code::PasswordNeeded));
    assert_eq!(code(join(&room, &with_password(&eve, "five o'clock")).await), Some(Code::PasswordWrong));
    let joined = join(&room, &with_password(&eve, "five o'clock tea")).await.unwrap();
    assert!(joined.welcome.policy.password);
    joined.seat.leave();
    let events = drain(&mut reader).await;
    let told = events.iter().find(|event| event["act"] == "password").unwrap();
    assert_eq!((told["password"].as_bool(), told.get("hash"), told.get("text")), (Some(true), None, None));
    let state = String::from_utf8(room.state().await.unwrap().encode()).unwrap();
    assert!(state.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !state.contains("clock"));
    let records = log.read(0, 100).await.unwrap();
    assert!(!format!("{records:?}").contains("clock"));
    drop((present, reader, room));
    let again = open_with(&log, &unlimited()).await;
    join(&again, &eve).await.unwrap().seat.leave();
    set_password(&again, "half past five").await;
    assert_eq!(code(join(&again, &eve).await), Some(Code::PasswordNeeded), "a new password");
    set_password(&again, "").await;
    join(&again, &eve).await.unwrap();
}

#[tokio::test]
async fn guessing_is_slow_on_a_circuit_whatever_the_token() {
    let (_, room) = open().await;
    set_password(&room, "five o'clock tea").await;
    let mut codes = Vec::new();
    for _ in 0..9 {
        let refusal = join(&room, &with_password(&hello("Eve"), "guess")).await.err().unwrap();
        codes.push((refusal.code, refusal.retry_after.is_some()));
    }
    assert_eq!(codes[..6], [(Code::PasswordWrong, false); 6]);
    assert_eq!(codes[6..], [(Code::TooFast, true); 3]);
    let right = with_password(&hello("Ann"), "five o'clock tea");
    assert_eq!(code(join(&room, &right).await), Some(Code::TooFast), "the right one, too");
    room.on(CircuitId(9)).join(right).await.unwrap();
}

async fn invite(room: &Room, name: &str, single_use: bool) -> LinkHash {
    let act = Act::Invite { name: Some(name.into()), single_use, seconds: None, link: None };
    LinkHash::of(&room.govern(act).await.unwrap().link.unwrap())
}

fn with_invite(hello: &Hello, invite: &LinkHash) -> Hello {
    Hello { invite: Some(invite.clone()), ..hello.clone() }
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_past_everything_but_a_lock() {
    let (_, room) = open().await;
    room.govern(Act::InvitedOnly { invited_only: true, present: vec![] }).await.unwrap();
    approve(&room, true).await;
    set_password(&room, "five o'clock tea").await;
    let (once, eve, zoe) = (invite(&room, "Eve", true).await, hello("Eve"), hello("Zoe"));
    assert_eq!(code(join(&room, &eve).await), Some(Code::InvitationNeeded));
    room.govern(Act::Lock { locked: true }).await.unwrap();
    assert_eq!(code(join(&room, &with_invite(&eve, &once)).await), Some(Code::Locked));
    room.govern(Act::Lock { locked: false }).await.unwrap();
    // Two at the same moment.
    let (first, second) = (with_invite(&eve, &once), with_invite(&zoe, &once));
    let (first, second) = tokio::join!(join(&room, &first), join(&room, &second));
    let codes = [code(first), code(second)];
    assert!(codes.contains(&None) && codes.contains(&Some(Code::InvitationNeeded)), "{codes:?}");
    let (winner, loser) = if codes[0].is_none() { (eve, zoe) } else { (zoe, eve) };
    join(&room, &winner).await.unwrap();
    assert_eq!(
        code(join(&room, &with_invite(&loser, &once)).await),
        Some(Code::InvitationNeeded),
        "replayed"
    );
}

#[tokio::test]
async fn an_invitation_that_is_taken_back_puts_its_guests_out() {
    let (_, room) = open().await;
    room.govern(Act::InvitedOnly { invited_only: true, present: vec![] }).await.unwrap();
    let (for_all, other) = (invite(&room, "all", false).await, invite(&room, "Bob", true).await);
    let eve = join(&room, &with_invite(&hello("Eve"), &for_all)).await.unwrap();
    let bob = join(&room, &with_invite(&hello("Bob"), &other)).await.unwrap();
    let id = for_all.number();
    room.govern(Act::RevokeInvite { invite: Some(crate::protocol::entering::InvitationRef::Id(id)) })
        .await
        .unwrap();
    eve.seat.lost().await;
    assert_eq!(eve.seat.loss().code, Code::InvitationNeeded);
    assert_eq!(room.present().await.unwrap().guests.len(), 1);
    let ban = Act::Ban { target: target(bob.welcome.guest.id), seconds: None, invitation: true };
    room.govern(ban).await.unwrap();
    bob.seat.lost().await;
    assert_eq!(bob.seat.loss().code, Code::Banned);
    assert_eq!(
        code(room.on(CircuitId(8)).join(with_invite(&hello("Bea"), &other)).await),
        Some(Code::InvitationNeeded)
    );
}

#[tokio::test]
async fn a_link_that_gives_a_role_lets_its_guest_in() {
    let (_, room) = open().await;
    room.govern(Act::InvitedOnly { invited_only: true, present: vec![] }).await.unwrap();
    room.govern(Act::Lock { locked: true }).await.unwrap();
    let link = room.govern(Act::Link { role: Role::Moderator, link: None }).await.unwrap().link.unwrap();
    let mona = with_invite(&hello("Mona"), &LinkHash::of(&link));
    let joined = join(&room, &mona).await.unwrap();
    assert_eq!(joined.welcome.policy.role(joined.welcome.guest.id), Role::Moderator);
    assert_eq!(joined.welcome.policy.name(joined.welcome.guest.id), Some("Mona"));
    join(&room, &mona).await.unwrap();
    assert_eq!(
        code(join(&room, &with_invite(&hello("Max"), &LinkHash::of(&link))).await),
        Some(Code::Locked)
    );
}

#[tokio::test]
async fn a_guest_cannot_make_the_room_compute_passwords() {
    let (_, room) = open().await;
    let ann = join(&room, &hello("Ann")).await.unwrap();
    let act = |number: u64| {
        let id = MessageId::parse(&number.to_string()).unwrap();
        room.act(&ann.seat, id, password("five o'clock tea").unwrap())
    };
    assert_eq!(code(act(1).await), Some(Code::NotAllowed));
    let role = Act::Role { target: target(ann.welcome.guest.id), role: Role::Moderator, link: None };
    room.govern(role).await.unwrap();
    assert_eq!(code(act(2).await), Some(Code::NotAllowed));
    assert!(!room.state().await.unwrap().policy.password);
}
