//! Acts that make links and are sent again: the same secret, or a refusal that says what to do, and never one that opens nothing.

use std::sync::Arc;

use super::tests::unlimited;
use super::{Done, Room};
use crate::config::HistorySettings;
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::act::{LinkHash, Target};
use crate::protocol::{Act, Code, GuestId, Hello, MessageId, Name, Refusal, Role, Say, Token};

async fn open(log: &Arc<MemoryLog>) -> Room {
    let log: Arc<dyn Log> = Arc::clone(log) as _;
    Room::open(&unlimited(), &HistorySettings::default(), log).await.unwrap()
}

fn log() -> Arc<MemoryLog> {
    Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap())
}

async fn guest(room: &Room, name: &str) -> (GuestId, Token) {
    let hello = Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() };
    let welcome = room.join_stateless(hello).await.unwrap().welcome;
    (welcome.guest.id, welcome.token)
}

async fn host(room: &Room) -> (GuestId, Token) {
    let (of, token) = guest(room, "Hanna").await;
    let target = Target { of, name: None };
    room.govern(Act::Role { target, role: Role::Host, link: None }).await.unwrap();
    (of, token)
}

fn link(role: Role) -> Act {
    Act::Link { role, link: None }
}

fn invite(name: &str) -> Act {
    Act::Invite { name: Some(name.to_owned()), single_use: true, seconds: None, link: None }
}

async fn act(room: &Room, guest: GuestId, id: &str, act: Act) -> Result<Done, Refusal> {
    room.act_stateless(guest, MessageId::parse(id).unwrap(), act).await
}

async fn refused(room: &Room, guest: GuestId, id: &str, what: Act) -> (Code, String) {
    let refusal = act(room, guest, id, what).await.unwrap_err();
    (refusal.code, refusal.message)
}

#[tokio::test]
async fn an_act_that_is_sent_again_has_the_same_secret() {
    let log = log();
    let room = open(&log).await;
    let (hanna, _) = host(&room).await;
    for (id, what) in [("1", link(Role::Host)), ("2", link(Role::Moderator)), ("3", invite("Eve"))] {
        let first = act(&room, hanna, id, what.clone()).await.unwrap();
        let again = act(&room, hanna, id, what.clone()).await.unwrap();
        assert_eq!((first.seq, &first.link), (again.seq, &again.link), "{what:?}");
        assert!(first.link.is_some());
        let other = act(&room, hanna, &format!("{id}-b"), what.clone()).await;
        assert!(other.map_or(true, |other| other.link != first.link), "another act is another link");
    }
    assert_eq!(room.state().await.unwrap().gate.invitations().len(), 1);

    // At once, as where the first answer is late.
    let (one, two) =
        tokio::join!(act(&room, hanna, "4", link(Role::Host)), act(&room, hanna, "4", link(Role::Host)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.seq, &one.link), (two.seq, &two.link));

    // It opens what it should.
    let (eve, _) = guest(&room, "Eve").await;
    let secret = one.link.unwrap();
    act(&room, eve, "c", Act::claim(&secret)).await.unwrap();
    assert_eq!(room.state().await.unwrap().role(eve), Role::Host);
    let (code, sentence) = refused(&room, hanna, "4", link(Role::Host)).await;
    assert_eq!(code, Code::BadId, "it was used");
    assert!(sentence.contains("with a new id"), "{sentence}");
}

#[tokio::test]
async fn no_secret_is_handed_out_that_opens_nothing() {
    let log = log();
    let room = open(&log).await;
    let (hanna, token) = host(&room).await;
    let code = async |room: &Room, id: &str, what: Act| refused(room, hanna, id, what).await.0;
    act(&room, hanna, "1", link(Role::Host)).await.unwrap();
    assert_eq!(code(&room, "1", link(Role::Moderator)).await, Code::BadId, "another role");
    act(&room, hanna, "2", invite("Eve")).await.unwrap();
    assert_eq!(code(&room, "2", invite("Zoe")).await, Code::BadId, "another name");
    let say = Say { id: MessageId::parse("3").unwrap(), text: "tea".to_owned(), reply: None };
    room.publish_stateless(hanna, say).await.unwrap();
    assert_eq!(code(&room, "3", link(Role::Host)).await, Code::BadId, "it was a message");
    assert_eq!(code(&room, "3", invite("Zoe")).await, Code::BadId);
    act(&room, hanna, "4", Act::RevokeLinks).await.unwrap();
    assert_eq!(code(&room, "1", link(Role::Host)).await, Code::BadId, "taken back");

    // After a restart the secret is known no more.
    act(&room, hanna, "5", link(Role::Host)).await.unwrap();
    drop(room);
    let room = open(&log).await;
    room.join_stateless(Hello { token: Some(token), ..Hello::default() }).await.unwrap();
    assert_eq!(code(&room, "5", link(Role::Host)).await, Code::BadId);
    let (invited, sentence) = refused(&room, hanna, "2", invite("Eve")).await;
    assert_eq!(invited, Code::NotAllowed);
    assert!(sentence.contains("take it back first"), "{sentence}");
    let fresh = act(&room, hanna, "6", link(Role::Host)).await.unwrap().link.unwrap();
    assert_eq!(room.state().await.unwrap().link(&LinkHash::of(&fresh)), Some(Role::Host));
}

#[tokio::test]
async fn a_guest_who_may_not_make_a_link_gets_none() {
    let room = open(&log()).await;
    let (hanna, _) = host(&room).await;
    let (eve, _) = guest(&room, "Eve").await;
    let first = act(&room, hanna, "1", link(Role::Host)).await.unwrap().link;
    for number in 0..100 {
        assert_eq!(refused(&room, eve, &number.to_string(), link(Role::Host)).await.0, Code::NotAllowed);
    }
    assert_eq!(act(&room, hanna, "1", link(Role::Host)).await.unwrap().link, first, "nothing was pushed out");
    // Who is no host any more is not told again what they were told.
    let target = Target { of: hanna, name: None };
    room.govern(Act::Role { target, role: Role::Guest, link: None }).await.unwrap();
    assert_eq!(refused(&room, hanna, "1", link(Role::Host)).await.0, Code::NotAllowed);
}
